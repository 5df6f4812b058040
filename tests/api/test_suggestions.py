"""Questions to begin with come out of the lessons that the model has learned."""

import json
from pathlib import Path
from typing import Any

import pytest

from tiza.api.suggester import MOST_CHARS, Suggester
from tiza.settings import Settings

LESSON = """version: 3
created_by: ana
domain: test
task_description: What stands in {topic}.
{language}seed_examples:
{examples}"""
PLACES = {
    "en": "knowledge/science/chalk",
    "es": "knowledge/science/chalk/es",
    "old": "knowledge/old",
}


def lesson(taxonomy: Path, place: str, questions: list[str], language: str = "") -> None:
    """Write a lesson with these questions."""
    examples = "".join(f"  - question: '{q}'\n    answer: 'It is {q[:9]}'\n" for q in questions)
    declared = f"language: {language}\n" if language else ""
    path = taxonomy / place / "qna.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(LESSON.format(topic=place, language=declared, examples=examples), "utf-8")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Name a taxonomy of three lessons; the model `taught` has learned the first two."""
    long = "Why " + "very " * 30 + "long?"
    english = [f"What is chalk, part {n}?" for n in range(4)]
    lesson(tmp_path / "taxonomy", PLACES["en"], [*english, long], "en")
    lesson(tmp_path / "taxonomy", PLACES["es"], [f"¿Qué es la tiza, parte {n}?" for n in range(5)])
    lesson(tmp_path / "taxonomy", PLACES["old"], [f"What was that, part {n}?" for n in range(5)])
    folder = tmp_path / "models" / "taught"
    folder.mkdir(parents=True)
    learned = {PLACES["en"]: "1", PLACES["es"]: "2", "knowledge/gone": "3"}
    (folder / "tiza.json").write_text(json.dumps({"lessons": learned}), "utf-8")
    places: dict[str, Any] = {"taxonomy_path": tmp_path / "taxonomy"}
    return Settings(_env_file=None, models_path=tmp_path / "models", **places)  # type: ignore[call-arg]  # pydantic-settings' own


async def test_suggestion_is_from_a_learned_lesson_when_the_model_tells_which(
    settings: Settings,
) -> None:
    """One short question of each lesson, in its language, said or seen; none that is not known."""
    suggester = Suggester(settings)

    english = await suggester.questions("taught", "en")
    spanish = await suggester.questions("taught", "es")

    assert len(english) == len(spanish) == 1
    assert english[0].startswith("What is chalk")
    assert len(english[0]) <= MOST_CHARS
    assert spanish[0].startswith("¿Qué es la tiza")
    assert await suggester.questions("taught", "en") == english


async def test_suggestions_are_from_all_lessons_when_the_model_tells_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    """A model without a record may know them all; without a taxonomy there is nothing to say."""
    every = await Suggester(settings).questions("samples_0", "en")
    none = settings.model_copy(update={"taxonomy_path": tmp_path / "nowhere"})

    assert {question.split(",")[0] for question in every} == {"What is chalk", "What was that"}
    assert await Suggester(none).questions("samples_0", "en") == []
