"""How alike two questions are, and the index of many."""

import random

import pytest

from tiza.generate.similar import Index, similarity

ASKED = "Who teaches physics at Oak Valley?"
SAME = [
    "who teaches physics at oak valley",
    "At Oak Valley, who teaches physics?",
    "Can you tell me who teaches physics at Oak Valley?",
    "Please tell me: who teaches physics at Oak Valley?",
    "Who teachs phisics at Oak Valley?",  # codespell:ignore phisics
]
OTHER = [
    "Who teaches biology at Oak Valley?",
    "Who teaches physics at Elm Grove?",
    "When does the library open at Oak Valley?",
]
OTHER_FACTS = [
    ("When does the library open?", "When does the library close?"),
    ("Convert 3.5 kilometres to metres.", "Convert 4.5 kilometres to metres."),
    ("What is the capital of Peru?", "What is the capital of Uruguay?"),
    ("¿Quién da arte en Luna?", "¿Quién da música en Luna?"),
]


@pytest.mark.parametrize("text", SAME)
def test_similarity_is_high_for_the_same_in_other_words(text: str) -> None:
    """Case, order, frames and slips are forgiven."""
    assert similarity(ASKED, text) > 0.8


@pytest.mark.parametrize(("a", "b"), [*[(ASKED, text) for text in OTHER], *OTHER_FACTS])
def test_similarity_is_low_where_one_word_makes_another_fact(a: str, b: str) -> None:
    """A replaced number, name or thing tells two facts apart."""
    assert similarity(a, b) < 0.7


def test_similarity_counts_accents_where_both_write_them() -> None:
    """«el» is not «él», yet a hurried text without any accents is the same."""
    asked = "¿Cuándo se escribe «él» con tilde?"
    assert similarity(asked, "cuando se escribe el con tilde") > 0.95
    assert similarity(asked, "¿Cuándo se escribe «el» con tilde?") < 0.9


def test_similarity_is_symmetric_and_bounded() -> None:
    """It stays from 0 to 1, is 1 for a text with itself, and the same in both directions."""
    chance = random.Random(3)  # noqa: S311  # a fixed variety
    words = f"{ASKED} {' '.join(SAME + OTHER)} él el 3 3.5 «él» == ñ".split()
    texts = ["", "?", *(" ".join(chance.choices(words, k=k % 9)) for k in range(120))]
    for a, b in zip(texts, reversed(texts), strict=True):
        assert similarity(a, a) == pytest.approx(1)
        assert similarity(a, b) == pytest.approx(similarity(b, a))
        assert -1e-9 <= similarity(a, b) <= 1 + 1e-9


def test_index_finds_the_nearest_as_comparing_with_all_does() -> None:
    """Looking only at rare words misses nothing that is much alike."""
    questions = [
        f"When does the {thing} {verb} at {place}?"
        for thing in ("library", "gym", "canteen", "choir", "museum", "pool", "kitchen")
        for verb in ("open", "close", "begin", "move")
        for place in ("Marville", "Tolgrove", "Venham", "Zarlia", "Kelmont", "Borwick")
    ]
    index = Index()
    for question in questions:
        index.add(question)
    chance = random.Random(5)  # noqa: S311  # a fixed variety
    for wanted in chance.sample(range(len(questions)), 40):
        words = questions[wanted].lower().strip("?").split()
        match = index.nearest(f"tell me {' '.join(words[-2:] + words[:-2])}")
        assert match is not None
        assert match.number == wanted


def test_index_answers_none_where_nothing_is_shared() -> None:
    """An empty index, or one of other words, has no nearest."""
    index = Index()
    assert index.nearest("anything") is None
    index.add("alpha beta")
    assert index.nearest("gamma delta") is None
    assert len(index) == 1
