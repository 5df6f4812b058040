"""A fact asked from its other end: only where the rules are sure."""

import pytest

from tiza.generate.rewordings import searched
from tiza.generate.rewordings.turned import turned


@pytest.mark.parametrize(
    ("language", "answer", "question"),
    [
        ("en", "A cloud is made of tiny droplets.", "What is made of tiny droplets?"),
        (
            "en",
            "A set in Python is an unordered collection, for example `{1, 2}`.",
            "In Python, what is an unordered collection?",
        ),
        (
            "en",
            "A `for` loop in Python runs its block once for every item; then it ends.",
            "In Python, what runs its block once for every item?",
        ),
        (
            "en",
            "Fog is a cloud that touches the ground.",
            "What is a cloud that touches the ground?",
        ),
        ("es", "La niebla es una nube que toca el suelo.", "¿Qué es una nube que toca el suelo?"),
        (
            "es-MX",
            "Una tupla en Python es una colección que no cambia.",
            "En Python, ¿qué es una colección que no cambia?",
        ),
    ],
)
def test_statement_is_asked_from_its_other_end_when_it_is_about_a_thing(
    language: str, answer: str, question: str
) -> None:
    """What stands before the verb becomes the question word; the place stays, examples go."""
    assert turned(answer, language) == question


@pytest.mark.parametrize(
    ("language", "answer"),
    [
        ("en", "Ruth Abara teaches mathematics at Quillmere School."),
        ("en", "The librarian of Quillmere School is Greta Lindqvist."),
        ("en", "You add an item to a list with the method append."),
        ("en", "When a pupil is ill, a parent calls the office of the school."),
        ("en", "The energy that drives the water cycle comes from the Sun alone."),
        ("en", "Nobody pays fines for books at this school."),
        ("en", "It is red."),
        ("en", ""),
        ("es", "México es el país de habla hispana con más habitantes."),
        ("es", "La directora del colegio Quillmere es Inés Valcárcel."),
        ("fr", "Un nuage est fait de gouttelettes."),
    ],
)
def test_statement_is_left_alone_when_the_rules_are_not_sure(language: str, answer: str) -> None:
    """Names, persons, clauses, and what would need another question word."""
    assert turned(answer, language) == ""


def test_question_is_typed_as_into_a_search_box() -> None:
    """The telling words alone; too few tell too little."""
    assert searched("How do you add an item to a list in Python?") == "add item list python"
    assert searched("¿Cómo se llama la capital del Perú?") == "llama capital perú"
    assert searched("What is DNA?") == ""
