"""The scope of an adapter: which questions it was taught to answer, told by their words.

A small adapter answers its lessons well and all else worse than its base. Engines can leave an
adapter out of a request, so each question goes to the one it belongs to. What decides is a logistic
regression over words and pairs of words, learned in a second from the samples of the run: those of
the lessons against those that shall stay as they are.

A question of the lessons is asked after a note (see `notes`). Knows no model and no engine.
"""

import dataclasses
import json
import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import NamedTuple

from tiza.models.features import features
from tiza.models.notes import Fact, Notes, Taught, noted
from tiza.runs.run import replace
from tiza.runs.samples import Sample
from tiza.taxonomy.lesson import Kind

FILE = "scope.json"
SCHEMA = 1
REPLAY = "replay"
LEANING = re.compile(
    r"^\W*(?:and|but|so|then|y|e|pero|entonces)\b"
    r"|\b(?:it|its|he|she|him|his|hers?|they|them|their|that|this|those|these|there"
    r"|él|ella|ello|ellos|ellas|eso|esa|ese|esos|esas|esto|allí|ahí|su|sus)\b",
    re.IGNORECASE,
)
EPOCHS, RATE, DECAY, BIAS_RATE = 30, 0.5, 1e-4, 0.05
HIDDEN = 0.3  # share of a question's features that are hidden while it is learned
SUBJECT = 0.8  # share of a lesson's questions that name its subject, if it has a name
UNCLEAR = 0.4  # how far below even odds a question still goes to the adapter …
KNOWN = 0.2  # … if some word of it speaks for the lessons: the least gain over no word at all
SLIGHT = 0.02  # weights below this are left out of the file


@dataclass(frozen=True)
class Scope:
    """Weights of features (see `features`), in log odds; `bias` is what a question without any has.

    A question belongs to the adapter if its score exceeds `threshold`. `facts` are the notes.
    """

    bias: float
    threshold: float
    weights: Mapping[str, float]
    facts: Sequence[Fact] = ()

    @classmethod
    def read(cls, path: Path) -> "Scope | None":
        """Read a file; None if it is not there, damaged, or of another schema."""
        try:
            document = json.loads(path.read_bytes())
            if document.pop("schema") != SCHEMA:
                return None
            facts = [(str(text), dict(weights)) for text, weights in document.pop("facts")]
            return cls(**document, facts=facts)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None

    def write(self, path: Path) -> None:
        """Write the file in one step."""
        replace(path, json.dumps({"schema": SCHEMA, **asdict(self)}, ensure_ascii=False))

    def covers(self, question: str, before: str = "") -> bool:
        """Tell whether a question belongs to the lessons.

        One that leans on the question before it ("And who built it?") is read together with it.
        """
        texts = (question, _whole(question, before))
        return any(self.score(text) > self.threshold for text in texts)

    def noted(self, question: str, before: str = "") -> str:
        """Return a question as the adapter is asked: after the nearest fact."""
        return noted(question, self._notes.nearest(_whole(question, before)))

    @cached_property
    def _notes(self) -> Notes:
        return Notes(self.facts)

    def score(self, question: str) -> float:
        """Return the log odds that a question belongs to the lessons."""
        found = features(question)
        total = sum(self.weights.get(name, 0.0) for name in found)
        return self.bias + total / math.sqrt(len(found) or 1)


def _whole(question: str, before: str) -> str:
    """Return a question with the one before it, if it leans on that one."""
    return f"{before} {question}" if before and LEANING.search(question) else question


def learn(samples: Iterable[Sample], seed: int = 0) -> Scope | None:
    """Learn the scope of an adapter that was trained on these samples.

    None, that is all questions, where samples teach skills, which go with any subject, or where
    there are none against forgetting to tell them from.
    """
    samples = list(samples)
    if not is_possible(samples):
        return None
    rows = list(_rows(samples))
    weights, bias = _regress(rows, random.Random(seed))  # noqa: S311  # no secret
    kept = {name: round(weight, 3) for name, weight in weights.items() if abs(weight) >= SLIGHT}
    threshold = round(max(-UNCLEAR, bias + KNOWN), 3)
    return Scope(round(bias, 3), threshold, kept, _taught(samples).facts())


def is_possible(samples: Iterable[Sample]) -> bool:
    """Tell whether samples teach knowledge alone, and have others to tell it from."""
    kinds = {_lesson(sample).partition("/")[0] for sample in samples}
    return kinds == {REPLAY, Kind.KNOWLEDGE}


def with_notes(samples: Iterable[Sample]) -> Iterator[Sample]:
    """Put notes before every second question of the lessons, as they will be asked."""
    samples = list(samples)
    taught = _taught(samples)
    turns = count()
    for sample in samples:
        if _lesson(sample) == REPLAY or next(turns) % 2:
            yield sample
            continue
        question = _texts(sample)[0]
        note = taught.nearest_without_itself(question)
        asked = {**sample.messages[-2], "content": noted(question, note)}
        yield dataclasses.replace(
            sample, messages=(*sample.messages[:-2], asked, sample.messages[-1])
        )


def _taught(samples: Iterable[Sample]) -> Taught:
    return Taught(_texts(sample) for sample in samples if _lesson(sample) != REPLAY)


class _Row(NamedTuple):
    features: list[str]
    belongs: bool


def _rows(samples: Iterable[Sample]) -> Iterator[_Row]:
    """Questions, and the answers for their words.

    Where nearly all questions of a lesson name one thing ("the Halden railway"), those without the
    name belong to no lesson.
    """
    lessons = defaultdict[str, list[Sample]](list)
    others = Counter[str]()
    for sample in samples:
        if _lesson(sample) == REPLAY:
            yield from (_Row(features(text), belongs=False) for text in _texts(sample))
            others.update(set(features(_texts(sample)[0])))
        else:
            lessons[_lesson(sample)].append(sample)
    for lesson in lessons.values():
        subject = _subject([features(_texts(sample)[0]) for sample in lesson], others)
        for found in (features(text) for sample in lesson for text in _texts(sample)):
            yield _Row(found, belongs=True)
            if subject.intersection(found):
                left = [name for name in found if subject.isdisjoint(name.split())]
                yield _Row(left, belongs=False)


def _lesson(sample: Sample) -> str:
    """Return the lesson that a sample teaches, or REPLAY."""
    about = sample.metadata
    return REPLAY if about.get("mix") == REPLAY else str(about.get("lesson", ""))


def _subject(questions: Sequence[Sequence[str]], others: Mapping[str, int]) -> set[str]:
    """Return the words that nearly all questions of a lesson have, and few others."""
    counts = Counter(name for found in questions for name in set(found) if " " not in name)
    least = SUBJECT * len(questions)
    return {name for name, n in counts.items() if n >= least and others[name] < n / 20}


def _texts(sample: Sample) -> tuple[str, str]:
    return sample.messages[-2]["content"], sample.messages[-1]["content"]


def _regress(rows: list[_Row], draw: random.Random) -> tuple[dict[str, float], float]:
    """Fit by AdaGrad (Duchi et al. 2011), both kinds weighing the same, with features hidden.

    Hiding some of the features each time (Srivastava et al. 2014) spreads the weight over all words
    of a question, so that one in other words is known again.
    """
    share = {kind: len(rows) / (2 * sum(r.belongs is kind for r in rows)) for kind in (True, False)}
    weights, squares = defaultdict[str, float](float), defaultdict[str, float](float)
    bias, bias_square = 0.0, 0.0
    for _epoch in range(EPOCHS):
        draw.shuffle(rows)
        for found, belongs in rows:
            shown = [name for name in found if draw.random() >= HIDDEN]
            scale = 1 / math.sqrt(len(shown) or 1)
            odds = bias + scale * sum(weights[name] for name in shown)
            slope = share[belongs] * (1 / (1 + math.exp(-odds)) - belongs)
            for name in shown:
                part = slope * scale + DECAY * weights[name]
                squares[name] += part * part
                weights[name] -= RATE * part / math.sqrt(squares[name])
            bias_square += slope * slope
            bias -= BIAS_RATE * slope / math.sqrt(bias_square)
    return dict(weights), bias
