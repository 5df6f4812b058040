"""What a model is asked: the run's exam, and the banks of general questions.

Before anything is asked the leak guard looks once more whether a question of the exam was trained
on, and whether the lessons are still those that were taught. Knows no model.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

from tiza.errors import ExamLeaked, ExamMissing
from tiza.evaluate.ask import Query
from tiza.evaluate.grade import grade, grade_accepted
from tiza.evaluate.stated import Verdict
from tiza.runs import samples
from tiza.runs.run import Run
from tiza.runs.samples import Sample
from tiza.taxonomy.words import exact_print, near_print, tokens

RETENTION_TOKENS = 40
SHORTEST_ANSWER, LONGEST_ANSWER = 48, 256  # tokens
CHARACTERS_PER_TOKEN = 3  # fewer than usual: an answer may be wordier than its reference
SHOWN_LEAKS = 5
LANGUAGES = ("en", "es")


@dataclass(frozen=True)
class Item:
    """One question of the exam with its reference answer."""

    lesson: str
    lesson_hash: str
    line: int
    language: str
    prompt: str
    reference: str

    @cached_property
    def question(self) -> str:
        """The question alone: the prompt without the text that it is about."""
        return self.prompt.strip().split("\n\n")[-1]

    @property
    def query(self) -> Query:
        """The question as it is put to a model."""
        room = len(self.reference) // CHARACTERS_PER_TOKEN + SHORTEST_ANSWER // 2
        return Query(self.prompt, min(LONGEST_ANSWER, max(SHORTEST_ANSWER, room)))

    def grade(self, answer: str) -> Verdict:
        """Grade an answer to it."""
        return grade(self.question, self.reference, answer, self.language)


@dataclass(frozen=True)
class General:
    """A question that has nothing to do with the lessons, and the answers that are right."""

    question: str
    accept: tuple[str, ...]
    area: str
    language: str
    shipped: bool | None = None

    @property
    def query(self) -> Query:
        """The question as it is put to a model."""
        return Query(self.question, RETENTION_TOKENS)

    def grade(self, answer: str) -> Verdict:
        """Grade an answer to it."""
        return grade_accepted(self.question, self.accept, answer, self.language)


def exam(run: Run) -> list[Item]:
    """Read the run's exam.

    Raises:
        ExamMissing: there is none.
        SamplesInvalid: a line of it cannot be used.

    """
    if not run.exam.exists() or not run.exam.read_bytes().strip():
        raise ExamMissing(path=run.exam)
    return [_item(sample) for sample in samples.read(run.exam)]


def bank(language: str) -> list[General]:
    """Read the general questions of a language."""
    text = (
        files("tiza.evaluate").joinpath(f"questions/retention.{language}.jsonl").read_text("utf-8")
    )
    return [_general(json.loads(line), language) for line in text.splitlines()]


def guard(run: Run, items: Iterable[Item]) -> None:
    """Look for the exam's questions among the training samples.

    Raises:
        ExamLeaked: naming them.

    """
    if not run.train.exists():
        return
    taught = {p for sample in samples.read(run.train) for p in _prints(_question(sample))}
    leaked = [item.prompt for item in items if taught & set(_prints(item.prompt))]
    if leaked:
        shown = "; ".join(f"“{question}”" for question in leaked[:SHOWN_LEAKS])
        raise ExamLeaked(count=len(leaked), questions=shown, path=run.train)


def changed(items: Iterable[Item], taxonomy: Path) -> list[str]:
    """Name the lessons whose file is no longer the one that was taught."""
    hashes = {item.lesson: item.lesson_hash for item in items}
    return sorted(
        name for name, known in hashes.items() if known and _hash(taxonomy / name) != known
    )


def _hash(path: Path) -> str:
    path = path / "qna.yaml" if path.is_dir() else path
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _general(fields: Mapping[str, Any], language: str) -> General:
    return General(
        fields["question"],
        tuple(fields["accept"]),
        fields["area"],
        language,
        fields.get("shipped"),
    )


def _item(sample: Sample) -> Item:
    about: Mapping[str, Any] = sample.metadata
    line = about.get("line")
    return Item(
        str(about.get("lesson") or ""),
        str(about.get("lesson_hash") or ""),
        line if isinstance(line, int) else 0,
        str(about.get("language") or "en").partition("-")[0].lower(),
        _question(sample),
        sample.messages[-1]["content"],
    )


def _question(sample: Sample) -> str:
    return sample.messages[-2]["content"]


def _prints(prompt: str) -> tuple[int, int]:
    """Return the fingerprints of a question: the same words, and the same telling words."""
    *context, question = prompt.strip().split("\n\n")
    words = tokens(question)
    about = " ".join(context) or None
    return exact_print(words, about), near_print(words, about)
