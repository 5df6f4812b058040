"""A teacher made of functions, lessons for it, and what stands in and outside its fences."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.taxonomy.lessons import write
from tiza.generate.prompt import NAMES, prompt, quotation
from tiza.generate.request import Reply, Request
from tiza.taxonomy.lesson import Lesson
from tiza.taxonomy.load import load
from tiza.translation import LANGUAGES

FENCE = re.compile(r"<<<(?P<mark>[0-9a-f]{12})\n(?P<text>.*?)\n(?P=mark)>>>", re.DOTALL)

Parts = Mapping[str, str]
Answer = Callable[[Parts], str]


def lesson(root: Path, text: str, leaf: str = "knowledge/a/lesson") -> Lesson:
    """Return the lesson of a text."""
    return next(iter(load([write(root, leaf, text)], root)))


def prompt_of(request: Request) -> tuple[str, str]:
    """Return the name and the language of the prompt that a request was made with."""
    first = request.messages[0]["content"].splitlines()[:2]
    found = [
        (name, language)
        for language in LANGUAGES
        for name in NAMES
        if prompt(name, language).system.splitlines()[:2] == first
    ]
    assert len(found) == 1, first
    return found[0]


def outside(request: Request) -> str:
    """Return everything of a request that is not quoted."""
    return FENCE.sub("", "\n".join(message["content"] for message in request.messages))


def inside(request: Request) -> dict[str, str]:
    """Return what is quoted in the last turn, by placeholder; and the `count`."""
    labels = quotation(prompt_of(request)[1])["labels"]
    text, parts = request.messages[-1]["content"], {}
    for name, label in labels.items():
        start = text.find(f"{label}, ")
        if start >= 0 and (found := FENCE.search(text, start)):
            parts[name] = found["text"]
    count = re.search(r"(?:Write|Escribe) (\d+)", text)
    return parts | {"count": count[1] if count else "1"}


def pairs(*found: tuple[str, str]) -> str:
    """Return the reply that a teacher gives for pairs."""
    return json.dumps({"pairs": [{"question": q, "answer": a} for q, a in found]})


def verdict(score: int, reason: str = "So it is.") -> str:
    """Return the reply of a judge."""
    return json.dumps({"reason": reason, "score": score})


def _pairs(parts: Parts) -> str:
    said = parts.get("passage") or parts["context"] if "passage" in parts else "Ask for the next."
    return pairs(*((f"{said} Number {i}?", said) for i in range(int(parts["count"]))))


def _listed(name: str) -> Answer:
    def reply(parts: Parts) -> str:
        about = parts.get("context", "the river")
        count = int(parts["count"])
        return json.dumps({name: [f"Where is number {i} of {about}?" for i in range(count)]})

    return reply


WILLING: Mapping[str, Answer] = {
    "knowledge_pairs": _pairs,
    "skill_pairs": _pairs,
    "skill_contexts": _listed("contexts"),
    "skill_questions": _listed("questions"),
    "skill_answer": lambda parts: f"It is there: {parts['question']}",
    "faithfulness": lambda _: verdict(2),
    "relevancy": lambda _: verdict(2),
    "knowledge_question": lambda _: verdict(1),
    "skill_question": lambda _: verdict(1),
    "skill_pair": lambda _: verdict(3),
}


@dataclass
class Teacher:
    """Answers by the prompt that it is asked with; a willing one, but for `answers`.

    With `shuffled`, replies come in an order that a random generator chooses.
    """

    answers: Mapping[str, Answer] = field(default_factory=dict)
    shuffled: Random | None = None
    requests: list[Request] = field(default_factory=list)

    async def ask(self, request: Request) -> Reply:
        """Answer a request."""
        self.requests.append(request)
        for _ in range(self.shuffled.randrange(20) if self.shuffled else 0):
            await asyncio.sleep(0)
        answer = {**WILLING, **self.answers}[prompt_of(request)[0]]
        return Reply(answer(inside(request)), 100, 10)


@dataclass
class Counts:
    """A watch that counts."""

    requests: Counter[str] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)

    def step(
        self, name: str, *, requests: int = 0, tokens: int = 0, accepted: int = 0, rejected: int = 0
    ) -> None:
        """Count."""
        self.requests[name] += requests
        self.tokens[name] += tokens
        self.accepted[name] += accepted
        self.rejected[name] += rejected
