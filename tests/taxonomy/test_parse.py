"""Every accepted form becomes one typed lesson, with its places."""

import hashlib
from pathlib import Path

import pytest

from tests.taxonomy.lessons import GROUNDED, KNOWLEDGE, SIMPLE, SKILL, SKILL_V1, SKILL_V2
from tiza.taxonomy.lesson import Form, Kind, Lesson, Place
from tiza.taxonomy.parse import parse

FOREIGN = "not checked here"


def lesson(text: str, kind: Kind | None) -> Lesson:
    """Parse a valid lesson."""
    reading = parse(text.encode(), Path("qna.yaml"), kind)
    assert reading.findings == []
    assert reading.valid
    assert reading.lesson is not None
    return reading.lesson


@pytest.mark.parametrize(
    ("text", "kind", "form", "version"),
    [
        (SIMPLE, Kind.KNOWLEDGE, Form.SIMPLE, 3),
        (KNOWLEDGE, Kind.KNOWLEDGE, Form.V3, 3),
        (SKILL, Kind.COMPOSITIONAL, Form.V3, 3),
        (SKILL, Kind.FOUNDATIONAL, Form.V3, 3),
        (SKILL_V2, Kind.COMPOSITIONAL, Form.V2, 2),
        (SKILL_V1, Kind.COMPOSITIONAL, Form.V1, 1),
        (SIMPLE, Kind.COMPOSITIONAL, Form.SIMPLE, 3),
    ],
)
def test_parse_tells_the_forms_apart_by_their_shape(
    text: str, kind: Kind, form: Form, version: int
) -> None:
    """Nobody has to say which form a lesson is written in."""
    read = lesson(text, kind)

    assert (read.form, read.version, read.kind) == (form, version, kind)
    assert read.is_official == (form is not Form.SIMPLE)


def test_parse_guesses_the_kind_when_there_is_no_branch() -> None:
    """A document makes it knowledge, as in InstructLab's parser."""
    assert lesson(KNOWLEDGE, None).kind is Kind.KNOWLEDGE
    assert lesson(SKILL, None).kind is Kind.COMPOSITIONAL


def test_parse_gives_each_question_its_context_when_knowledge_has_contexts() -> None:
    """Examples are flat: five contexts of three questions are fifteen examples."""
    read = lesson(KNOWLEDGE, Kind.KNOWLEDGE)

    assert len(read.examples) == 15
    assert read.examples[0].context == read.examples[2].context
    assert read.examples[0].context != read.examples[3].context
    assert read.document is not None
    assert read.document.patterns == ("*.md",)


def test_parse_keeps_context_when_a_skill_is_grounded() -> None:
    """A grounded skill has a context per example."""
    assert lesson(GROUNDED, Kind.COMPOSITIONAL).examples[1].context == "Ben has the map."


def test_parse_says_where_everything_stands() -> None:
    """Lines and columns count from 1, for the example and for each of its values."""
    read = lesson(SIMPLE, Kind.KNOWLEDGE)

    assert read.examples[0].line == 6
    assert read.examples[0].place == Place(6, 5)
    assert read.examples[1].places["answer"] == Place(9, 13)
    assert read.places["domain"] == Place(3, 9)


def test_parse_reads_the_extensions_when_they_are_there() -> None:
    """Language, exam, paraphrases and a local document are optional in every form."""
    text = KNOWLEDGE.replace(
        "  repo: https://example.org/towns.git\n  commit: abc\n  patterns: ['*.md']\n",
        "  path: towns.md\n",
    ).replace(
        "answer: A bridge.\n", "answer: A bridge.\n        paraphrases: [What spans it?]\n", 1
    )
    text += "language: es-MX\nexam:\n  - question: Which town?\n    answer: Arden\n"
    read = lesson(text, Kind.KNOWLEDGE)

    assert read.language == "es-MX"
    assert read.exam[0].answer == "Arden"
    assert read.examples[0].paraphrases == ("What spans it?",)
    assert read.document is not None
    assert read.document.path == "towns.md"
    assert not read.is_official


def test_parse_hashes_the_bytes_of_the_file() -> None:
    """A later stage can tell whether a lesson has changed."""
    assert lesson(SKILL, None).hash == hashlib.sha256(SKILL.encode()).hexdigest()


def test_parse_keeps_the_valid_rest_when_a_part_is_wrong() -> None:
    """All mistakes of a lesson are found in one go."""
    text = SIMPLE.replace("answer: The river ends at point 0.", "answer: 0")
    text = text.replace("domain: Geography\n", "")
    reading = parse(text.encode(), Path("qna.yaml"), Kind.KNOWLEDGE)

    assert {f.rule_id for f in reading.findings} == {"not-text", "missing-key"}
    assert not reading.valid
    assert reading.lesson is not None
    assert len(reading.lesson.examples) == 5


@pytest.mark.parametrize("text", ["3.0", "0x3", "3"])
def test_parse_reads_a_version_as_yaml_does(text: str) -> None:
    """A whole number is a whole number, however it is written."""
    assert lesson(SKILL.replace("version: 3", f"version: {text}"), None).version == 3
