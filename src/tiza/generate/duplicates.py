"""Duplicates among samples: the first of those that ask the same in the same words stays.

Another phrasing with the same answer is no duplicate: phrasings are what the student learns from.
Knows no lesson and no pipeline.
"""

from collections.abc import Mapping
from difflib import SequenceMatcher
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from tiza.generate.similar import (
    FRAME_WORDS,
    SHORTEST_ALTERED,
    Index,
    Reading,
    forms_of_one,
    read,
    similarity,
    spelling,
)
from tiza.taxonomy.words import plain, tokens
from tiza.translation import N_

# From here on two wordings are one. Measured on the starter taxonomy: an article more or less and a
# slip of a letter stay above; "please tell me" before a question of up to about ten words is below.
NEARLY_THE_SAME = 0.96
PHRASE = 0.5  # what a word of a polite frame weighs here: it makes another phrasing
MOST_CHANGED = 4  # words; with more of them changed, two wordings differ
A_SLIP, A_SLIP_FROM = 0.9, 0.8  # what a slip is forgiven, and how alike it leaves a word
LIKELY = 0.8  # less alike, two questions are not compared word by word


class Sort(StrEnum):
    """How a sample repeats an earlier one."""

    EXACT = "exact"
    NEAR = "near"
    CONFLICT = "conflict"


REASONS: Mapping[Sort, str] = MappingProxyType(
    {
        Sort.EXACT: N_("The same question and answer are already there."),
        Sort.NEAR: N_("“{first}” is already there, almost word for word, with the same answer."),
        Sort.CONFLICT: N_("The same question is already there with another answer: “{answer}”."),
    }
)


class Duplicate(NamedTuple):
    """The earlier sample that another repeats, and how."""

    sort: Sort
    first: str
    answer: str

    def data(self) -> dict[str, object]:
        """Return the data of the reason."""
        return {"first": self.first, "answer": self.answer}


class Seen:
    """Remembers samples. Questions about different contexts never repeat each other."""

    def __init__(self, threshold: float = NEARLY_THE_SAME) -> None:
        self._threshold = threshold
        self._shelves: dict[str, _Shelf] = {}

    def add(self, question: str, answer: str, context: str | None = None) -> Duplicate | None:
        """Take in a sample, unless it repeats an earlier one, which is then returned."""
        shelf = self._shelves.setdefault(" ".join(tokens(context or "")), _Shelf())
        repeated = shelf.repeated(question, answer, self._threshold)
        if repeated is None:
            shelf.put(question, answer)
        return repeated


class _Shelf:
    """The samples of one context."""

    def __init__(self) -> None:
        self._index = Index()
        self._samples: list[tuple[str, str]] = []
        self._worded: dict[str, int] = {}

    def put(self, question: str, answer: str) -> None:
        self._worded[_words(question)] = self._index.add(question)
        self._samples.append((question, answer))

    def repeated(self, question: str, answer: str, threshold: float) -> Duplicate | None:
        number = self._worded.get(_words(question))
        if number is not None:
            first, given = self._samples[number]
            same = spelling(given) == spelling(answer)
            return Duplicate(Sort.EXACT if same else Sort.CONFLICT, first, given)
        for match in self._index.near(question, LIKELY):
            first, given = self._samples[match.number]
            reworded = match.similarity < LIKELY or same_wording(question, first) < threshold
            if not reworded and similarity(given, answer) >= threshold:
                return Duplicate(Sort.NEAR, first, given)
        return None


def _words(question: str) -> str:
    return " ".join(tokens(question))


def same_wording(a: str, b: str) -> float:
    """Return how much of two questions is the same words in the same order, by their weight."""
    one, other = read(a), read(b)
    if len(one.weights.keys() ^ other.weights.keys()) > MOST_CHANGED:
        return 0.0
    words_a, words_b = tokens(a), tokens(b)
    if not (one.accented and other.accented):  # a hurried text without any is no other text
        words_a, words_b = one.words.split(), other.words.split()
    changed = 0.0
    for tag, i, i_end, j, j_end in SequenceMatcher(None, words_a, words_b, False).get_opcodes():
        if tag != "equal":
            weight = max(_sum(one, words_a[i:i_end]), _sum(other, words_b[j:j_end]))
            changed += weight * (1 - _slip(words_a[i:i_end], words_b[j:j_end]))
    whole = max(_sum(one, words_a), _sum(other, words_b))
    return 1 - changed / whole if whole else float(words_a == words_b)


def _sum(reading: Reading, words: list[str]) -> float:
    frame = ((reading.weights[word], word) for word in map(plain, words))
    return sum(max(weight, PHRASE if word in FRAME_WORDS else 0) for weight, word in frame)


def _slip(a: list[str], b: list[str]) -> float:
    """Return how alike two words are that stand in the same place, 0 if they are two words."""
    if len(a) != 1 or len(b) != 1 or min(len(a[0]), len(b[0])) < SHORTEST_ALTERED:
        return 0.0
    return A_SLIP if plain(a[0]) != plain(b[0]) and forms_of_one(a[0], b[0]) > A_SLIP_FROM else 0.0
