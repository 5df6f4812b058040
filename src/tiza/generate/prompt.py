"""Prompts: templates in the language of the lesson, filled with quoted material.

A template is a YAML file: `version`, `system`, `user`, and for a judge `scores` (each a verdict,
a colon and what it means) and `examples` (material, a reason that ends with the verdict, a score).
Knows no teacher.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from string import Template
from typing import Any

import yaml

from tiza.generate import quote
from tiza.generate.request import Message

FOLDER = Path(__file__).parent / "prompts"
NAMES = (
    "knowledge_pairs",
    "faithfulness",
    "relevancy",
    "knowledge_question",
    "skill_pairs",
    "skill_contexts",
    "skill_questions",
    "skill_question",
    "skill_answer",
    "skill_pair",
)
COUNT, SCALE = "count", "scale"  # placeholders for what no lesson, document or teacher wrote
ECHO_CHARACTERS = 40  # of an instruction's line: nobody writes the same by accident


@dataclass(frozen=True)
class Prompt:
    """One template in one language."""

    name: str
    language: str
    version: int
    system: str
    user: str
    scores: Mapping[int, str] = field(default_factory=dict)
    examples: tuple[Mapping[str, Any], ...] = ()

    @property
    def id(self) -> str:
        """Name, language and version, for a sample's provenance."""
        return f"{self.name}/{self.language}/{self.version}"

    @cached_property
    def placeholders(self) -> set[str]:
        """What the template needs to be filled with."""
        texts = (Template(self.system), Template(self.user))
        return {name for text in texts for name in text.get_identifiers()} - {SCALE}

    def messages(self, values: Mapping[str, str]) -> tuple[Message, ...]:
        """Fill the template. Each value but `count` is quoted; an empty one leaves nothing.

        All but the last turn are the same for every request, so that an engine reads them once.
        """
        return (*self._head, _message("user", self._filled(self.user, values)))

    @cached_property
    def _head(self) -> tuple[Message, ...]:
        turns = [_message("system", self._filled(self.system, {}))]
        for example in self.examples:
            reply = {key: example[key] for key in ("reason", "score")}
            turns.append(_message("user", self._filled(self.user, example)))
            turns.append(_message("assistant", json.dumps(reply, ensure_ascii=False)))
        return tuple(turns)

    @cached_property
    def _instructions(self) -> tuple[str, ...]:
        lines = (line.strip() for line in f"{self.system}\n{self.user}".splitlines())
        return tuple(line for line in lines if len(line) >= ECHO_CHARACTERS)

    def is_echoed(self, text: str) -> bool:
        """Tell whether a reply repeats a line of the instructions, or a mark of quoted material."""
        return any(line in text for line in self._instructions) or bool(quote.MARK.search(text))

    def _filled(self, text: str, values: Mapping[str, Any]) -> str:
        words = quotation(self.language)
        names = sorted(self.placeholders - {COUNT})  # always in one order: the mark depends on it
        material = {name: str(values[name]) for name in names if values.get(name)}
        mark = quote.mark(material.values())
        filled = {
            name: quote.fenced(said, words["labels"][name], mark, words)
            for name, said in material.items()
        }
        scale = "\n".join(f"{score} = {means}" for score, means in self.scores.items())
        ours = {COUNT: values.get(COUNT, ""), SCALE: scale}
        return Template(text).substitute(dict.fromkeys(names, "") | ours | filled).strip()


def placeholders(name: str) -> set[str]:
    """Return what a prompt needs to be filled with (the same in all languages)."""
    return prompt(name, "en").placeholders


@cache
def prompt(name: str, language: str) -> Prompt:
    """Return a shipped prompt."""
    return Prompt(name, language, **_read(name, language))


@cache
def quotation(language: str) -> Mapping[str, Any]:
    """Return the sentences around quoted material, and the name of each kind of it."""
    return _read("quotation", language)


def _read(name: str, language: str) -> dict[str, Any]:
    text = (FOLDER / language / f"{name}.yaml").read_text(encoding="utf-8")
    fields: dict[str, Any] = yaml.load(text, yaml.CSafeLoader)
    return fields


def _message(role: str, content: str) -> Message:
    return {"role": role, "content": content}
