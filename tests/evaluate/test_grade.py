"""The judge-free grade, on labelled answers of a real model and of people."""

import json
from pathlib import Path
from typing import Any

import pytest

from tiza.evaluate.grade import grade, grade_accepted, similarity
from tiza.evaluate.question import Question
from tiza.evaluate.reference import required
from tiza.taxonomy.load import load

LABELLED = Path(__file__).with_name("answers.jsonl")
TAXONOMY = Path("taxonomy")

WHO = "Who teaches mathematics at Quillmere School?"
RUTH = "Ruth Abara teaches mathematics at Quillmere School."


def labelled(*, tuned: bool) -> list[dict[str, Any]]:
    """Return the labelled answers that the grader was made with, or those that it never saw."""
    cases = [json.loads(line) for line in LABELLED.read_text().splitlines()]
    return [case for case in cases if case["tuned"] == tuned]


def agreement(cases: list[dict[str, Any]]) -> float:
    """Return the share of answers that are graded as a person labelled them."""
    same: list[bool] = [
        grade(c["question"], c["reference"], c["answer"], c["language"]).passed is c["right"]
        for c in cases
    ]
    return sum(same) / len(same)


def test_the_grade_agrees_with_people_on_answers_that_it_was_not_made_with() -> None:
    """The grader is as good on new answers as the documentation says."""
    cases = labelled(tuned=False)

    assert len(cases) >= 70
    assert agreement(cases) >= 0.92


def test_the_grade_agrees_with_people_on_the_answers_that_it_was_made_with() -> None:
    """A change that breaks a known case shows."""
    cases = labelled(tuned=True)

    assert len(cases) >= 150
    assert agreement(cases) >= 0.95


def test_every_lesson_passes_with_its_own_answers() -> None:
    """A teacher's own answer is right, whatever the question looks like."""
    wrong = [
        example.question
        for lesson in load([TAXONOMY], TAXONOMY)
        for example in (*lesson.exam, *lesson.examples)
        if not grade(
            example.question, example.answer, example.answer, lesson.language or "en"
        ).passed
    ]

    assert wrong == []


def test_answers_to_other_questions_of_the_lesson_do_not_pass() -> None:
    """Words of the lesson are no answer: of the answers to its other questions few pass."""
    passed = total = 0
    for lesson in load([TAXONOMY / "knowledge"], TAXONOMY):
        for asked in lesson.exam:
            others = [e.answer for e in lesson.exam if e is not asked]
            language = lesson.language or "en"
            passed += sum(grade(asked.question, asked.answer, a, language).passed for a in others)
            total += len(others)

    assert passed / total < 0.03


@pytest.mark.parametrize(
    ("answer", "right", "reason"),
    [
        ("Mathematics is taught by Ms Abara.", True, "says Ruth Abara"),
        ("ruth abara", True, "says Ruth Abara"),
        ("It is not Ruth Abara.", False, "denies Ruth Abara"),
        ("Ruth Abara or Greta Lindqvist.", False, "offers Ruth Abara among other answers"),
        (
            "Leila Haddad, Ruth Abara, Enzo Marchetti and Greta Lindqvist.",
            False,
            "offers Ruth Abara among other answers",
        ),
        (
            "Ruth Abara teaches mathematics at Oak Valley.",
            False,
            "speaks of Oak Valley, not of Quillmere School",
        ),
        ("I do not know.", False, "does not say Ruth Abara"),
        ("", False, "there is no answer"),
        (WHO, False, "only repeats the question"),
    ],
)
def test_the_reason_of_a_grade_is_told(answer: str, right: bool, reason: str) -> None:
    """A teacher reads why an answer was right or wrong."""
    verdict = grade(WHO, RUTH, answer)

    assert (verdict.passed, verdict.why()) == (right, reason)


@pytest.mark.parametrize(
    ("question", "accept", "answer", "right"),
    [
        ("What is 3 plus 4?", ["7"], "3 + 4 = 7", True),
        ("What is 3 plus 4?", ["7"], "3 + 4 = 8", False),
        ("How many legs does a spider have?", ["8"], "A spider has eight legs.", True),
        ("How many legs does a spider have?", ["8"], "It has 6 legs and 8 eyes.", False),
        ("What is the capital of Italy?", ["Rome"], "Milan. Rome is in Italy too.", False),
        ("Which is the highest mountain?", ["Everest"], "Everest, but it's not Everest.", False),
        ("Which number is larger, 7 or 12?", ["12"], "7 is larger than 12.", False),
        ("Is a whale a fish or a mammal?", ["mammal"], "A whale is a mammal, not a fish.", True),
        ("Is a whale a fish or a mammal?", ["mammal"], "A fish. No mammal lives in water.", False),
        ("What is the symbol of helium?", ["He"], "he is a gas", False),
        ("What is the symbol of helium?", ["He"], "The symbol is He.", True),
        ("Which two elements make water?", ["hydrogen + oxygen"], "Hydrogen and oxygen", True),
        ("Which two elements make water?", ["hydrogen + oxygen"], "Hydrogen", False),
        ("What is the plural of box?", ["boxes"], "The plural of box is box.", False),
    ],
)
def test_accepted_answers_are_found(
    question: str, accept: list[str], answer: str, right: bool
) -> None:
    """Any of the accepted answers is enough, as an answer and not as a word that turns up."""
    assert grade_accepted(question, accept, answer).passed == right


@pytest.mark.parametrize(
    ("question", "reference", "facts"),
    [
        ("When did it open?", "It opened in 1987, with 46 pupils.", ["1987"]),
        ("How many pupils has it?", "In 1987 it had 46 pupils.", ["46"]),
        ("Who leads it?", "Inés Valcárcel, who came in 2019.", ["Inés Valcárcel"]),
        ("Which method adds an item?", "Call `append`, for example `a.append(4)`.", ["append"]),
        ("Which planet is the hottest?", "Venus is the hottest planet.", ["Venus"]),
        ("What is the motto?", 'The motto is "Ask first".', ["Ask first"]),
        ("Where is the nurse?", "The nurse, Paulo Serrano, is in room A7.", ["A7"]),
    ],
)
def test_only_what_is_asked_for_is_required(
    question: str, reference: str, facts: list[str]
) -> None:
    """A reference that says more than was asked does not ask for more."""
    assert [fact.text for fact in required(Question(question), reference).facts] == facts


def test_similarity_is_one_for_equal_texts_and_low_for_others() -> None:
    """Case, accents and punctuation do not count."""
    assert similarity("El núcleo, sí.", "el nucleo si") == 1
    assert similarity("photosynthesis", "a brown dog") < 0.2
    assert similarity("", "") == 0
