"""How alike two questions are, and the nearest of many. Knows no lesson and no language model.

Two parts, both insensitive to case, accents and marks: the words they share, weighed by what they
tell (a number more than a name, a name more than a word, words of a polite frame next to nothing),
and the letters they share in runs of three, which forgives slips and sees the order. A word that
stands in the place of another is a different fact ("who teaches physics", "who teaches biology");
words that are only added are not ("please tell me who teaches physics").
"""

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from heapq import nsmallest
from typing import NamedTuple

from tiza.taxonomy.words import FILLERS, TOKEN, plain, tokens

WORDS_SHARE = 0.7  # of the similarity; the rest is the letters'
NUMBER, NAME, WORD, ASKING, FRAME, FILLER = 2.0, 1.5, 1.0, 0.4, 0.2, 0.1  # what a word weighs
REPLACED = 0.5  # how much a replaced word of weight 1 takes away
ALTERED = 0.9  # how much of a word another form of it is ("club", "clubs")
ACCENT = 0.7  # "el" for "él", where both writers use accents
SWAPPED = 0.9  # how alike two words of the same letters are
LIKE = 0.6  # share of letter pairs from which on two words are forms of one
RUN = 3  # letters
STEM = 5  # letters by which the index finds a word
MOST_LOOKED_AT, MOST_CANDIDATES = 2000, 16
SHORTEST_ALTERED = 4  # letters

ASKING_WORDS = frozenset(
    plain(
        "who whom whose what which when where why how qué quién quiénes cuál cuáles cuándo dónde "
        "adónde cómo cuánto cuánta cuántos cuántas"
    ).split()
)
NEGATIONS = frozenset({"not", "no", "never", "without", "nunca", "sin", "nadie", "nada", "ni"})
FRAME_WORDS = frozenset(
    plain(
        "answer ask ayudas called decir decirme define dice dices dime duda entiende esta esto "
        "explain explica explicas forgotten give gracias gustaría hello help here hey hi hola "
        "i know like llama mean meaning means mind necesito need oye pls podría podrías "
        "pregunta puedo question quick quiero recuerdo responde responder saber sabes show si "
        "significa tell telling term thank thanks there want whether wondering word would"
    ).split()
)
QUOTED = re.compile(r"«[^»]*»|\"[^\"]*\"|“[^”]*”")
SENTENCE_START = re.compile(r"(?:^|[.!?:])[\s¿¡\"«“]*$")
MARKS = 6  # characters that may stand between two sentences


class Reading(NamedTuple):
    """What is compared: plain words, their weights and spellings, and runs of letters."""

    words: str
    weights: dict[str, float]
    spellings: dict[str, set[str]]
    runs: frozenset[str]
    accented: bool
    long: frozenset[str]  # words that may have other forms


class Match(NamedTuple):
    """A text of an index, by its number, and how alike it is."""

    number: int
    similarity: float


def spelling(text: str) -> str:
    """Return the words alone: no case, no accents, no marks."""
    return plain(" ".join(tokens(text)))


def similarity(a: str, b: str) -> float:
    """Return how alike two questions are, from 0 (nothing in common) to 1 (the same words)."""
    return compare(read(a), read(b))


@lru_cache(maxsize=4096)
def read(text: str) -> Reading:
    """Return what there is to compare of a text."""
    weights: dict[str, float] = {}
    spellings: dict[str, set[str]] = {}
    words = []
    quoted = [found.span() for found in QUOTED.finditer(text)]
    for found in TOKEN.finditer(text):
        named = _is_named(text, found.start(), quoted)
        spelt = found[0].casefold()
        word = plain(spelt)
        words.append(word)
        weights[word] = max(weights.get(word, 0), _weight(word, named))
        spellings.setdefault(word, set()).add(spelt)
    line = f" {' '.join(words)} "
    runs = frozenset([line[at : at + RUN] for at in range(len(line) - RUN + 1)])
    return Reading(
        line.strip(),
        weights,
        spellings,
        runs,
        _accented(text),
        frozenset(filter(_may_be_altered, words)),
    )


def _accented(text: str) -> bool:
    return not text.isascii() and plain(text := text.replace("ñ", "n")) != text


def _is_named(text: str, at: int, quoted: list[tuple[int, int]]) -> bool:
    """Whether a word is a name or quoted: a capital letter inside a sentence tells."""
    if quoted and any(start < at < end for start, end in quoted):
        return True
    return text[at].isupper() and not SENTENCE_START.search(text, max(0, at - MARKS), at)


def _weight(word: str, named: bool) -> float:
    if word[0].isdigit():
        return NUMBER
    if named or word in NEGATIONS:
        return NAME
    if word in ASKING_WORDS:
        return ASKING
    if word in FRAME_WORDS:
        return FRAME
    return FILLER if word in FILLERS else WORD


def compare(a: Reading, b: Reading, floor: float = 0.0) -> float:
    """Return how alike two readings are, the same in both directions; 0 if surely below `floor`."""
    if not a.weights or not b.weights:
        return float(a.weights == b.weights)
    runs = len(a.runs & b.runs)
    letters = (1 - WORDS_SHARE) * _overlap(runs, runs, len(a.runs), len(b.runs))
    return 0.0 if letters + WORDS_SHARE < floor else letters + WORDS_SHARE * _words_alike(a, b)


def _words_alike(a: Reading, b: Reading) -> float:
    shared_a = shared_b = 0.0
    for word in a.weights.keys() & b.weights.keys():
        part = _same_spelling(a, b, word)
        shared_a += part * a.weights[word]
        shared_b += part * b.weights[word]
    for word, other in _altered(a, b):
        shared_a += ALTERED * a.weights[word]
        shared_b += ALTERED * b.weights[other]
    all_a, all_b = sum(a.weights.values()), sum(b.weights.values())
    replaced = max(0.0, min(all_a - shared_a, all_b - shared_b))
    return _overlap(shared_a, shared_b, all_a, all_b) / (1 + REPLACED * replaced)


def _overlap(shared_a: float, shared_b: float, all_a: float, all_b: float) -> float:
    """Return the mean of what both share and what the one holds of the other."""
    both = (shared_a + shared_b) / (all_a + all_b)
    return min(1.0, (both + max(shared_a / all_a, shared_b / all_b)) / 2)


def _same_spelling(a: Reading, b: Reading, word: str) -> float:
    differ = a.accented and b.accented and a.spellings[word].isdisjoint(b.spellings[word])
    return ACCENT if differ else 1.0


def _altered(a: Reading, b: Reading) -> Iterator[tuple[str, str]]:
    """Yield words of one that the other has in another form, each once, the most alike first."""
    left, right = a.long - b.long, b.long - a.long
    if not left or not right:
        return
    pairs = [(forms_of_one(w, o), w, o) for w in left for o in right if w[0] == o[0]]
    used: set[str] = set()
    for like, word, other in sorted(pairs, key=lambda pair: (-pair[0], *sorted(pair[1:]))):
        if like >= LIKE and word not in used and other not in used:
            used |= {word, other}
            yield word, other


def _may_be_altered(word: str) -> bool:
    return len(word) >= SHORTEST_ALTERED and word.isalpha()


@lru_cache(maxsize=65536)
def forms_of_one(a: str, b: str) -> float:
    """Return the share of letter pairs that two words have in common; swapped letters count."""
    if sorted(a) == sorted(b):
        return SWAPPED
    pairs_a = {a[i : i + 2] for i in range(len(a) - 1)}
    pairs_b = {b[i : i + 2] for i in range(len(b) - 1)}
    return 2 * len(pairs_a & pairs_b) / (len(pairs_a) + len(pairs_b))


class Index:
    """Finds the nearest of many texts: only those are compared that share its rarest words.

    Two texts that are much alike share them. A word is found by its first letters, and so are its
    other forms and slips towards its end.
    """

    def __init__(self) -> None:
        self._readings: list[Reading] = []
        self._with_stem: dict[str, list[int]] = {}
        self._spelt: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._readings)

    def add(self, text: str) -> int:
        """Take in a text; return its number, counted from 0."""
        number, reading = len(self._readings), read(text)
        self._readings.append(reading)
        self._spelt.setdefault(reading.words, number)
        for stem in {word[:STEM] for word in reading.weights}:
            self._with_stem.setdefault(stem, []).append(number)
        return number

    def nearest(self, text: str) -> Match | None:
        """Return the text most alike, the first of equals; None if nothing is shared."""
        return max(
            self.near(text), key=lambda match: (match.similarity, -match.number), default=None
        )

    def near(self, text: str, floor: float = 0.0) -> list[Match]:
        """Return the few texts that may be alike, by number; 0 stands for less than `floor`."""
        reading = read(text)
        numbers = set(self._candidates(reading))
        if (same := self._spelt.get(reading.words)) is not None:
            numbers.add(same)
        return [Match(n, compare(reading, self._readings[n], floor)) for n in sorted(numbers)]

    def _candidates(self, reading: Reading) -> list[int]:
        """Return the numbers of those that share most words, the rarest words counted first."""
        stems = {word[:STEM] for word in reading.weights}
        lists = sorted((self._with_stem[s] for s in stems if s in self._with_stem), key=len)
        shared: Counter[int] = Counter()
        looked_at = 0
        for numbers in lists:
            looked_at += len(numbers)
            if shared and looked_at > MOST_LOOKED_AT:
                break
            shared.update(numbers)
        most = max(shared.values(), default=0)
        close = ((-count, number) for number, count in shared.items() if 2 * count >= most)
        return [number for _, number in nsmallest(MOST_CANDIDATES, close)]
