"""What a text states: its words, sentences, names, code, amounts, and what it denies.

Words are compared without case, accents and inflection. Knows no question and no verdict.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from tiza.evaluate.quantities import Quantity, flat, quantities
from tiza.taxonomy.words import FILLERS

STEM = 5  # letters that an inflected word keeps
NEAR = 5  # words before a fact in which a negation concerns it

WORD = re.compile(r"[^\W_]+(?:['’.][^\W_]+)*")
CODE = re.compile(r"`([^`\n]+)`")
CODE_NOUN = re.compile(r"\b(?:loop|keyword|statement|bucle|sentencia|instruccion)")
QUOTED = re.compile(r"[\"“«]([^\"”»\n]{2,120})[\"”»]")
SENTENCE_END = re.compile(r"(?<![A-Z])(?<!\b(?:St|Dr|Mr|Ms))(?<!\bMrs)[.!?]['\")”»]*\s+|\n+")
CLAUSE_END = re.compile(r"[,;:.!?()—]|\b(?:but|however|pero|sino|although|aunque)\b")
NEGATIONS = re.compile(
    r"\b(?:not(?! only)|never|no(?! solo)|nor|neither|cannot|nunca|jamas|ni|tampoco"
    r"|\w+n['’]t)\b"
)
OTHER_THAN = re.compile(
    r"\b(?:than|instead of|unlike|en vez de|en lugar de|a diferencia de|mas \w+ que|menos \w+ que) "
    r"(?:the |a |an |el |la )?\Z"
)
DENIED_AFTER = re.compile(
    r"\s*(?:is|are|was|were|does|do|did|has|have|can)(?:n['’]t| not(?! only))\b"
    r"|\s+no (?:es|son|fue|era|esta|tiene|puede)\b"
)
LINKING = "of the de del la las los el van von da di for al"
NO_NAME_WORDS = """
i i'm i'll i've yes no si the a an el la los las it he she they bc ad ac dc you we in on at de en
un una es
"""
# Words that hold a sentence together; with FILLERS, those that say nothing about its subject.
SCAFFOLD_WORDS = """
and or but if as by for from with into than then so such also very more most many much some any all
each every both when where which who whom whose what how why there here their his her its our my
your this that these those not no only just usually often called named known means has have had
will would should must can may been being one y o u pero si como por para con sin desde hasta entre
muy mas menos tambien cuando donde cual cuales quien que este esta estos estas ese esa eso nos sus
mi tu no solo ya ha han hay ser sido tiene tienen llama llaman significa generally about they them
him she we yes los se lo cerca unas unos out up down off go goes carry take takes make makes hear
because porque cada through without via written during
used
"""
ARTICLES = frozenset(("the", "a", "an", "el", "la"))
NAME_LINKS = frozenset(LINKING.split())
NO_NAMES = frozenset(NO_NAME_WORDS.split())
SCAFFOLD = frozenset(SCAFFOLD_WORDS.split())
LETTERS = frozenset("AIOYE")  # capitals that are words at the start of a sentence


@dataclass(frozen=True, slots=True)
class Word:
    """One word: as written, without case and accents, and where (characters)."""

    raw: str
    text: str
    start: int
    end: int

    @property
    def stem(self) -> str:
        """The form in which inflections of the word are equal."""
        return stem(self.text)

    @property
    def telling(self) -> bool:
        """Whether the word says something about the subject."""
        if len(self.text) == 1:
            return self.raw.isalpha() and self.raw.isupper() and self.raw not in LETTERS
        return self.text not in FILLERS and self.text not in SCAFFOLD


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that has to be said: an amount, or words (a name, code, a quotation, a term)."""

    kind: str  # quantity, name, code, quote, term
    text: str
    start: int = 0
    end: int = 0
    quantity: Quantity | None = None


class Statement:
    """A text, read."""

    def __init__(self, text: str, language: str = "en") -> None:
        self.text, self.language = text.replace("**", ""), language
        self.flat = flat(self.text)

    @cached_property
    def words(self) -> list[Word]:
        """All words, amounts included."""
        return [
            Word(m[0], self.flat[m.start() : m.end()].removesuffix("'s").removesuffix("’s"),
                 *m.span())
            for m in WORD.finditer(self.text)
        ]  # fmt: skip

    @cached_property
    def stems(self) -> frozenset[str]:
        """The stems of all words."""
        return frozenset(word.stem for word in self.words)

    @cached_property
    def quantities(self) -> list[Quantity]:
        """All amounts; words such as "one" in "one of" are none."""
        found = quantities(self.flat, self.language)
        return [q for q in found if not re.match(r"\s+(?:of|de)\s+(?:the|los|las)\b|\w",
                self.flat[q.end :]) or q.value != 1]  # fmt: skip

    @cached_property
    def sentences(self) -> list[tuple[int, int]]:
        """Where each sentence begins and ends."""
        cuts = [0, *(m.end() for m in SENTENCE_END.finditer(self.text)), len(self.text)]
        return [(a, b) for a, b in pairwise(cuts) if self.text[a:b].strip()]

    @cached_property
    def names(self) -> list[Fact]:
        """Runs of words with a capital, and words with a digit (`A7`)."""
        return list(_names(self))

    @cached_property
    def code(self) -> list[Fact]:
        """What stands between backticks."""
        return [Fact("code", m[1], m.start(), m.end()) for m in CODE.finditer(self.text)]

    @cached_property
    def quotes(self) -> list[Fact]:
        """What stands between quotation marks."""
        return [Fact("quote", m[1], m.start(), m.end()) for m in QUOTED.finditer(self.text)]

    def denies(self, start: int, end: int) -> bool:
        """Whether the text denies what stands at a place."""
        clause = CLAUSE_END.split(self.flat[:start])[-1].split()[-NEAR:]
        before = NEGATIONS.search(" ".join(clause)) or OTHER_THAN.search(self.flat, 0, start)
        return before is not None or DENIED_AFTER.match(self.flat[end:]) is not None

    def finds(self, fact: Fact) -> Iterator[tuple[int, int]]:
        """Yield the places at which the text says a fact, denied or not."""
        if fact.quantity is not None:
            yield from ((q.start, q.end) for q in self.quantities if q.equals(fact.quantity))
        elif fact.kind == "code" and not WORD.fullmatch(fact.text):
            yield from _code_places(self.flat, flat(fact.text))
        elif fact.kind == "code" and flat(fact.text) in SCAFFOLD:
            yield from (p for p in self._phrases(fact) if self._is_code(*p))
        else:
            yield from self._phrases(fact)

    def _phrases(self, fact: Fact) -> Iterator[tuple[int, int]]:
        passed = NAME_LINKS if fact.kind == "name" else ARTICLES
        wanted = [word for word in WORD.findall(fact.text) if flat(word) not in passed]
        letter = len(wanted) == 1 and len(wanted[0]) == 1  # "A" may be an article, or the answer
        said = self.words if letter else [w for w in self.words if w.text not in passed]
        for place in range(len(said) - len(wanted) + 1 if wanted else 0):
            window = said[place : place + len(wanted)]
            if all(_same(word, each) for word, each in zip(window, wanted, strict=True)):
                yield window[0].start, window[-1].end

    def _is_code(self, start: int, end: int) -> bool:
        """Whether an ordinary word ("for") is meant as code here: it is marked, or a loop."""
        marked = self.text[start - 1 : start] + self.text[end : end + 1]
        around = self.flat[max(0, start - 12) : end + 12]
        return any(mark in marked for mark in "`'\"") or CODE_NOUN.search(around) is not None

    def sentence_of(self, place: int) -> tuple[int, int]:
        """Return the borders of the sentence at a place."""
        return next((s for s in self.sentences if s[0] <= place < s[1]), (0, len(self.text)))


def stem(word: str) -> str:
    """Return a crude stem, the same for English and Spanish inflections of a word."""
    if word.isdigit():
        return word
    for ending in ("xes", "ches", "shes", "sses", "zes"):
        if word.endswith(ending) and len(word) > len(ending):
            return word[:-2][:STEM]
    if len(word) > 3 and word.endswith("ies"):  # noqa: PLR2004  # "ties", "dies" keep their sense
        return (word[:-3] + "y")[:STEM]
    plural = len(word) > 3 and word.endswith("s") and not word.endswith("ss")  # noqa: PLR2004
    return (word[:-1] if plural else word)[:STEM]


def telling(words: Sequence[Word], without: frozenset[str] = frozenset()) -> list[Word]:
    """Return the words that say something, each stem once, without the given stems."""
    seen = set(without)
    kept = []
    for word in words:
        if word.telling and word.stem not in seen:
            seen.add(word.stem)
            kept.append(word)
    return kept


def _same(word: Word, wanted: str) -> bool:
    if len(wanted) <= 2 and wanted[:1].isupper():  # noqa: PLR2004  # symbols: He is not he
        return word.raw.removesuffix("'s") == wanted
    text = flat(wanted)
    return word.text in (text, f"{text}s", f"{text}es") or f"{word.text}s" == text


def _names(statement: Statement) -> Iterator[Fact]:
    run: list[Word] = []
    starts = {start for start, _ in statement.sentences}
    for word in [*statement.words, None]:
        capital = word is not None and (word.raw[:1].isupper() or _is_label(word.raw))
        joined = run and word and _joins(statement.text[run[-1].end : word.start])
        if (word and capital and word.text not in NO_NAMES and (not run or joined)) or (
            word and joined and word.text in NAME_LINKS
        ):
            run.append(word)
        else:
            yield from _name(run, starts)
            run = [word] if word and capital and word.text not in NO_NAMES else []


def _name(run: list[Word], starts: set[int]) -> Iterator[Fact]:
    while run and run[-1].text in NAME_LINKS:
        run = run[:-1]
    alone = len(run) == 1 and any(s <= run[0].start <= s + 2 for s in starts)
    if run and not (alone and not _is_label(run[0].raw) and not run[0].raw.isupper()):
        yield Fact("name", " ".join(w.raw for w in run), run[0].start, run[-1].end)


def _is_label(raw: str) -> bool:
    return re.fullmatch(r"[A-Z]+\d+\w*|[A-Z]\w*\d\w*", raw) is not None


def _joins(gap: str) -> bool:
    return gap in (" ", "-", ' "', '" ')


def _code_places(text: str, code: str) -> Iterator[tuple[int, int]]:
    """Find code in a text, spaces aside; a sign is not found inside a longer sign."""
    pattern = r"\s*".join(re.escape(char) for char in code if not char.isspace())
    if re.fullmatch(r"[^\w\s]+", code):
        pattern = rf"(?<![{re.escape(code[0])}]){pattern}(?![{re.escape(code[-1])}])"
    for match in re.finditer(pattern, text):
        yield match.span()
