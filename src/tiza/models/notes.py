"""Notes: the taught answer that lies nearest to a question goes with it.

A small model has learned what the notes say, and mixes them up less when it sees one. How much a
feature speaks for an answer is its tf-idf (Spärck Jones 1972) in that answer and its questions, by
the root of their length. Knows no model, no engine and no file.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from tiza.models.features import features

Fact = tuple[str, Mapping[str, float]]  # a taught answer, and how much each feature speaks for it


def noted(question: str, note: str) -> str:
    """Put a note before a question."""
    return f"{note}\n\n{question}" if note else question


class Notes:
    """Finds the nearest of some facts, looking only at those that share a feature."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        self._speaking = defaultdict[str, list[tuple[str, float]]](list)
        for answer, weights in facts:
            for name, weight in weights.items():
                self._speaking[name].append((answer, weight))

    def nearest(self, question: str) -> str:
        """Return the answer for which a question's features speak most; "" if none does."""
        scores = Counter[str]()
        for name in set(features(question)):
            for answer, weight in self._speaking.get(name, ()):
                scores[answer] += weight  # type: ignore[assignment]  # typeshed: whole numbers only
        return _best(scores)


class Taught:
    """Questions and answers of the lessons, weighed; any question can be left out for a moment."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._counts = defaultdict[str, Counter[str]](Counter)
        self._having = defaultdict[str, set[str]](set)
        self._answers = defaultdict[str, list[str]](list)
        for question, answer in pairs:
            if answer not in self._counts:
                self._add(answer, features(answer))
            self._add(answer, features(question))
            self._answers[question].append(answer)

    def facts(self) -> list[Fact]:
        """Return all answers with their weights."""
        return [
            (answer, {name: self._weight(answer, name) for name in counts})
            for answer, counts in self._counts.items()
        ]

    def nearest_without_itself(self, question: str) -> str:
        """Return the nearest answer as if this question had never been asked.

        With it all notes would be right, and nobody would learn to weigh them.
        """
        asked, answers = features(question), self._answers[question]
        for answer in answers:
            self._take_away(answer, asked)
        near = {answer for name in asked for answer in self._having[name]}
        scores = {answer: sum(self._speaking(answer, set(asked))) for answer in near}
        for answer in answers:
            self._add(answer, asked)
        return _best(scores)

    def _add(self, answer: str, names: Iterable[str]) -> None:
        for name in names:
            self._counts[answer][name] += 1
            self._having[name].add(answer)

    def _take_away(self, answer: str, names: Iterable[str]) -> None:
        counts = self._counts[answer]
        for name in names:
            counts[name] -= 1
            if not counts[name]:
                del counts[name]
                self._having[name].discard(answer)

    def _speaking(self, answer: str, asked: Iterable[str]) -> Iterator[float]:
        return (self._weight(answer, name) for name in asked if name in self._counts[answer])

    def _weight(self, answer: str, name: str) -> float:
        counts = self._counts[answer]
        rarity = math.log(1 + len(self._counts) / len(self._having[name]))
        return round((1 + math.log(counts[name])) * rarity / math.sqrt(counts.total()), 3)


def _best(scores: Mapping[str, float]) -> str:
    """Return the answer with the highest score; the last by the alphabet of several."""
    return max(scores, key=lambda answer: (round(scores[answer], 6), answer), default="")
