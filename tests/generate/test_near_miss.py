"""Near misses: neighbours of the lessons' questions that no lesson answers, made by rule."""

import pytest

from tests.taxonomy.lessons import STARTER
from tiza.generate.near_miss import near_misses, neighbours_of
from tiza.taxonomy.lesson import Example, Form, Kind, Lesson, Place
from tiza.taxonomy.load import load
from tiza.taxonomy.words import near_print, tokens


def lesson(language: str, *pairs: tuple[str, str], kind: Kind = Kind.KNOWLEDGE) -> Lesson:
    """Return a lesson of pairs."""
    examples = tuple(Example(question, answer, Place(1, 1)) for question, answer in pairs)
    path = STARTER / "qna.yaml"
    return Lesson(path, kind, Form.SIMPLE, 3, "", language=language, examples=examples)


@pytest.mark.parametrize(
    ("language", "question", "expected"),
    [
        ("en", "Who teaches biology at Elm School?", "Who teaches chemistry at Elm School?"),
        ("en", "Who teaches biology at Elm School?", "Who teaches biology at Oak Valley School?"),
        ("en", "When is the fair in Torvale?", "When is the fair in Ravenholt?"),
        ("en", "Who is Inés Valcárcel?", "Who is Nora Fitzgerald?"),
        ("en", "What does Mr Moss teach?", "What does Mr Jonas Weatherby teach?"),
        ("en", "How long is the Halden railway?", "How long is the Ravenholt railway?"),
        ("es", "¿Cuánto mide el faro Halden?", "¿Cuánto mide el faro Robledal?"),
        ("en", "What happens on Monday?", "What happens on Tuesday?"),
        (
            "es",
            "¿Quién enseña física en el colegio Olmo?",
            "¿Quién enseña latín en el colegio Olmo?",
        ),
        ("es", "¿Cuándo abrió el colegio Olmo?", "¿Cuándo abrió el colegio Robledal?"),
        ("es", "¿Qué río pasa por Lisboa?", "¿Qué río pasa por Viena?"),
        ("es", "¿Quién es Leila Haddad?", "¿Quién es Nuria Casals?"),
    ],
)
def test_one_part_is_exchanged_when_it_is_a_name_or_a_noun_of_a_kind(
    language: str, question: str, expected: str
) -> None:
    """In both languages; the rest of the question stays."""
    assert expected in neighbours_of(question, language, frozenset())


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "What is DNA made of?"),
        ("en", "Rome was built in a day?"[5:]),
        ("en", "Explain this. Please do."),
        ("en", "Who ruled the Roman Republic?"),
        ("es", "¿Qué es la biología?"),
        ("es", "¿Qué dice la teoría celular?"),
    ],
)
def test_there_is_none_when_the_rules_are_not_sure(language: str, question: str) -> None:
    """Acronyms, beginnings of sentences, unknown names, and nouns whose article might not fit."""
    assert neighbours_of(question, language, frozenset()) == []


def test_nothing_that_a_lesson_says_is_asked_or_brought_in() -> None:
    """Of all school subjects only one that no lesson mentions is left; and none is a question."""
    said = "chemistry physics mathematics geography history music art literature philosophy"
    said += " economics drama astronomy geology psychology sociology pottery woodwork dancing"
    lessons = [
        lesson("en", ("Who teaches biology here?", f"Ada, and not {said}.")),
        lesson("en", ("What does Ben teach?", "Latin, Greek, statistics and algebra.")),
    ]

    assert near_misses(lessons) == ["Who teaches gymnastics here?"]
    assert near_misses(lessons, never=["Who teaches gymnastics here?"]) == []


def test_neighbours_are_the_same_when_lessons_come_in_another_order() -> None:
    """Of the real lessons; none repeats or collides, and skills have none."""
    lessons = list(load([STARTER], STARTER))
    asked = {
        near_print(tokens(text))
        for each in lessons
        for example in (*each.examples, *each.exam)
        for text in (example.question, *example.paraphrases)
    }

    found = near_misses(lessons, seed=1)

    assert found == near_misses(lessons[::-1], seed=1) != near_misses(lessons, seed=2)
    assert len(found) > 100
    assert asked.isdisjoint({near_print(tokens(question)) for question in found})
    assert len(set(found)) == len(found)
    assert len(near_misses(lessons, each=3)) > len(found)
    skill = lesson("en", ("What is on Monday?", "Tea."), kind=Kind.COMPOSITIONAL)
    assert near_misses([skill]) == []


def test_there_is_none_when_a_lesson_has_another_language() -> None:
    """Lists are there for English and Spanish; an undeclared language is told by the words."""
    assert near_misses([lesson("fr", ("Qui est Leila Haddad?", "Elle."))]) == []
    pair = ("What is there for the pupils on Monday?", "There is tea and cake with them all.")
    assert near_misses([lesson("", pair)])
