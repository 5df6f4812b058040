"""Questions to begin with, out of the lessons that a model has learned. Knows no HTTP.

The lessons are those that the model's record names; without such a record, all of the taxonomy.
They are read once a day, in a thread, and again when the model is another.
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from tiza.errors import TizaError
from tiza.models.record import read_record
from tiza.settings import Settings
from tiza.taxonomy.lesson import Lesson

MOST, MOST_CHARS = 12, 90  # a suggestion is read at a glance
MOST_LESSONS = 40  # that are read: of more, some are chosen by chance
SPANISH = frozenset("¿¡ñ")
Language = Literal["en", "es"]


class Suggester:
    """Questions of the lessons of one model after the other, by language."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._reading = asyncio.Lock()
        self._known: tuple[object, Mapping[str, Sequence[str]]] = ((), {})

    async def questions(self, model: str, language: Language) -> list[str]:
        """Return a few questions of different lessons, others every day."""
        today = datetime.now(UTC).date()
        async with self._reading:
            if self._known[0] != (model, today):
                chance = random.Random(f"{model} {today}")  # noqa: S311  # no secret
                found = await asyncio.to_thread(self._read, model, chance)
                self._known = (model, today), found
        return list(self._known[1].get(language, ()))

    def _read(self, model: str, chance: random.Random) -> dict[str, list[str]]:
        taxonomy = self._settings.taxonomy_path
        record = read_record(self._settings.models_path / model) if model else {}
        paths = _paths(record.get("lessons"), taxonomy)
        if len(paths) > MOST_LESSONS:
            paths = chance.sample(paths, MOST_LESSONS)
        from tiza.taxonomy.load import load_valid

        try:
            lessons, _ = load_valid(paths, taxonomy)
        except (TizaError, OSError):
            return {}
        found: dict[str, list[str]] = {}
        for lesson in chance.sample(lessons, len(lessons)):
            if question := _question(lesson, chance):
                found.setdefault(_language(lesson, question), []).append(question)
        return {language: questions[:MOST] for language, questions in found.items()}


def _paths(named: object, taxonomy: Path) -> list[Path]:
    """Return the lessons that a model's record names and that are still there, or all."""
    if isinstance(named, Mapping) and named:
        return [path for each in named if (path := taxonomy / each / "qna.yaml").is_file()]
    return sorted(taxonomy.glob("**/qna.yaml"))


def _question(lesson: Lesson, chance: random.Random) -> str:
    """Return a short question that needs no text before it; empty if there is none."""
    plain = [e.question for e in lesson.examples if lesson.is_knowledge or not e.context]
    short = [q for q in plain if len(q) <= MOST_CHARS and "\n" not in q.strip()]
    return chance.choice(short).strip() if short else ""


def _language(lesson: Lesson, question: str) -> str:
    """Return the lesson's language; where it does not say, its signs tell."""
    if lesson.language:
        return lesson.language.split("-")[0].lower()
    return "es" if SPANISH & set(question.lower()) else "en"
