"""Which samples repeat an earlier one."""

import pytest

from tiza.generate.duplicates import REASONS, Seen, Sort
from tiza.generate.rewordings import reword

ASKED, ANSWER = "What is a list in Python?", "A list is an ordered collection."


@pytest.mark.parametrize(
    ("question", "answer", "sort"),
    [
        (ASKED, ANSWER, Sort.EXACT),
        ("what is a LIST in python", "a list is an ordered collection", Sort.EXACT),
        (ASKED, "A list is a row of things.", Sort.CONFLICT),
        ("What is the list in Python?", ANSWER, Sort.NEAR),
        ("What is a lsit in Python?", ANSWER, Sort.NEAR),  # codespell:ignore lsit
    ],
)
def test_seen_reports_how_a_sample_repeats(question: str, answer: str, sort: Sort) -> None:
    """Copies, near copies and other answers to the same question are told apart."""
    seen = Seen()
    assert seen.add(ASKED, ANSWER) is None
    found = seen.add(question, answer)
    assert found is not None
    assert (found.sort, found.first, found.answer) == (sort, ASKED, ANSWER)
    assert REASONS[sort].format(**found.data())


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What is a tuple in Python?", ANSWER),
        ("What is the list in Python?", "Nothing special."),
        ("In Python, what is a list?", ANSWER),
    ],
)
def test_seen_keeps_other_questions_and_other_phrasings(question: str, answer: str) -> None:
    """Another word, another order, or a near copy with an answer of its own stays."""
    seen = Seen()
    seen.add(ASKED, ANSWER)
    assert seen.add(question, answer) is None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("¿Qué significa «mas» sin más?", "¿Qué significa «más» sin más?"),
        ("Convert 3 m to km.", "Convert 3 km to m."),
        ("Convert 3 m to km.", "Convert 4 m to km."),
        ("Is Mars bigger than Earth?", "Is Earth bigger than Mars?"),
        ("Is Pluto a planet?", "Is Pluto not a planet?"),
    ],
)
def test_seen_keeps_what_one_sign_tells_apart(first: str, second: str) -> None:
    """An accent, a number, the order or a denial may make another question."""
    seen = Seen()
    assert seen.add(first, "Yes.") is None
    assert seen.add(second, "Yes.") is None


def test_seen_keeps_all_rewordings_of_a_short_question() -> None:
    """Phrasings are what the student learns from."""
    seen = Seen()
    for text in (ASKED, *reword(ASKED, "en", 8, 0)):
        assert seen.add(text, ANSWER) is None, text


def test_seen_keeps_the_first_of_a_conflict() -> None:
    """What was rejected is not remembered."""
    seen = Seen()
    seen.add(ASKED, ANSWER)
    seen.add(ASKED, "Wrong.")
    again = seen.add(ASKED, "Wrong.")
    assert again is not None
    assert again.sort is Sort.CONFLICT


def test_seen_keeps_the_same_question_about_another_context() -> None:
    """A question about a text is another question about another text."""
    seen = Seen()
    assert seen.add("Summarise this.", "One.", "First text.") is None
    assert seen.add("Summarise this.", "Two.", "Second text.") is None
    assert seen.add("Summarise this.", "One.", "first text") is not None
