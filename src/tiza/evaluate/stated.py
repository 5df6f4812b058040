"""Whether an answer states a fact as its answer, and what is wrong with it if it does not.

A fact counts if it is said about what is asked, and neither denied, taken back, offered among
others, nor said after something else. Knows no reference and no model.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from tiza.evaluate.quantities import Quantity, flat
from tiza.evaluate.question import Question
from tiza.evaluate.statement import WORD, Fact, Statement, stem, telling
from tiza.translation import N_, translate

STATED = N_("says {facts}")
LACKS = N_("does not say {facts}")
RETRACTED = N_("says {facts}, and takes it back")
DENIED = N_("denies {facts}")
LISTS = N_("offers {facts} among other answers")
OTHER = N_("says {other} instead of {facts}")
ELSEWHERE = N_("speaks of {other}, not of {subject}")

RETRACT_WITHIN = 60  # characters after the fact
BARE_WORDS = 3
MOST_EXTRA = 1  # words beside the candidate in one item of a list
OTHERS = {"quantity": 2, "name": 2, "term": 3, "code": 3, "quote": 2}
RETRACTS = re.compile(
    r"\b(?:but|however|pero|sin embargo),? (?:it|that|this|he|she|they|en realidad|no)?"
    r"(?:['’]s| is| was| are| were|es|fue)? ?"
    r"(?:actually|not (?!only|the only|just|all|always)|en realidad|no (?!solo))"
)
CALLED = re.compile(r"\b(?:called|named|known as|se llaman?|conocid[oa] como)\b")
ITEM_END = re.compile(r",|;|/|\n|\band\b|\bor\b|\by\b|\bo\b|\bu\b|\be\b")
OR = re.compile(r"\s*,?\s*(?:or|o|u)\s+(?:the |an? |el |la |un |una |about |en )?")


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` is a template over `data`; `similarity` to the reference is between 0 and 1."""

    passed: bool
    reason: str
    data: Mapping[str, object] = field(default_factory=dict)
    similarity: float = 0.0

    def why(self, language: str = "en") -> str:
        """Return the reason as words."""
        return translate(self.reason, language).format_map(self.data)


def grade_facts(
    asked: Question, facts: Sequence[Fact], said: Statement, known: Statement
) -> Verdict:
    """Grade an answer by the facts that it has to state; `known` has what may be said beside."""
    words = {"facts": _joined(facts)}
    for fact in facts:
        places = list(_answering(asked, fact, said))
        if not places:
            return Verdict(False, LACKS, {"facts": fact.text})
        stated = [place for place in places if not said.denies(*place)]
        if not stated:
            return Verdict(False, DENIED, {"facts": fact.text})
        if flaw := _flaw(asked, fact, stated[0], said, known):
            return flaw
    return Verdict(True, STATED, words)


def _joined(facts: Sequence[Fact]) -> str:
    """Return facts as words; the words of one term are no list."""
    terms = all(fact.kind == "term" for fact in facts)
    return (" " if terms else ", ").join(fact.text for fact in facts)


def _answering(asked: Question, fact: Fact, said: Statement) -> Iterable[tuple[int, int]]:
    """Yield where a fact is said as an answer, not while the question is repeated."""
    places = [place for place in said.finds(fact) if not _measures_else(asked, fact, place, said)]
    if not places and fact.kind == "name" and asked.kind == "who" and " " in fact.text:
        places = list(said.finds(Fact("name", fact.text.rpartition(" ")[2])))
    if not any(True for _ in asked.said.finds(fact)):
        return places
    return places if _is_chosen(asked, places, fact, said) else []


def _measures_else(asked: Question, fact: Fact, place: tuple[int, int], said: Statement) -> bool:
    """Whether an amount has a unit that nobody asked for: 8 minutes, when 8 planets are meant."""
    if fact.quantity is None or fact.quantity.measure or not asked.counted:
        return False
    here = next(q for q in said.quantities if q.start == place[0])
    return bool(here.measure) and not _counts(asked, here.start, said)


def _is_chosen(asked: Question, places: list[tuple[int, int]], fact: Fact, said: Statement) -> bool:
    """Whether a fact that the question names too is what the answer chooses.

    An amount has to be the first or the last; of things, the first that is named.
    """
    if not places:
        return False
    if fact.quantity is not None:
        ends = said.quantities[:1] + said.quantities[-1:]
        return any(q.start in (places[0][0], places[-1][0]) for q in ends)
    others = [p for name in asked.said.names for p in said.finds(name) if p not in places]
    return not others or places[0][0] < min(others)[0]


def _flaw(
    asked: Question, fact: Fact, place: tuple[int, int], said: Statement, known: Statement
) -> Verdict | None:
    """Tell what is wrong with an answer that has the fact at a place."""
    words = {"facts": fact.text}
    if other := _elsewhere(asked, place, said):
        return Verdict(False, ELSEWHERE, {"other": other[0], "subject": other[1]})
    if RETRACTS.search(said.flat, place[1], place[1] + RETRACT_WITHIN):
        return Verdict(False, RETRACTED, words)
    if _listed(fact, place, said, known):
        return Verdict(False, LISTS, words)
    if other_fact := _stated_first(asked, fact, place, said, known):
        return Verdict(False, OTHER, {"other": other_fact, **words})
    return None


def _elsewhere(asked: Question, place: tuple[int, int], said: Statement) -> tuple[str, str] | None:
    """Find another name in the place of the question's own: "capital of Germany" for France."""
    start, end = said.sentence_of(place[0])
    sentence = Statement(said.text[start:end], said.language)
    for name in asked.said.names:
        if any(True for _ in sentence.finds(name)):
            continue
        before = _two_before(asked.said, name.start)
        for other in sentence.names:
            own = start + other.start <= place[0] < start + other.end
            if before and not own and _two_before(sentence, other.start) == before:
                return other.text, name.text
    return None


def _two_before(said: Statement, place: int) -> tuple[str, ...]:
    words = [w for w in said.words if w.end <= place and w.text not in ("the", "el", "la")][-2:]
    linked = len(words) == 2 and words[0].telling and not words[1].telling  # noqa: PLR2004
    return (words[0].stem, words[1].text.replace("del", "de")) if linked else ()


def _listed(fact: Fact, place: tuple[int, int], said: Statement, known: Statement) -> bool:
    """Whether the fact is one item of a list of candidates, or one side of an "or"."""
    if other := OR.match(said.flat, place[1]):
        rival = _candidate_at(fact, other.end(), said)
        if rival and not _has(known, rival):
            return True
    start, end = said.sentence_of(place[0])
    cuts = [start, *(start + m.end() for m in ITEM_END.finditer(said.flat[start:end])), end]
    items = list(pairwise(cuts))
    at = next((i for i, (a, b) in enumerate(items) if a <= place[0] < b), 0)
    rivals: set[str] = set()
    for step in (1, -1):
        i = at + step
        while 0 <= i < len(items) and (rival := _item(fact, items[i], said, last=i == 0)):
            if not _has(known, rival):
                rivals.add(rival)
            i += step
    return len(rivals) >= OTHERS[fact.kind]


def _item(fact: Fact, borders: tuple[int, int], said: Statement, *, last: bool) -> str:
    """Return the candidate that an item of a list consists of, "" if it says more."""
    words = [w for w in said.words if borders[0] <= w.start < borders[1]]
    if last:
        words = words[-1:]
    kept = [w for w in words if w.telling or w.text.isdigit()]
    if not kept or len(kept) > 1 + MOST_EXTRA or len(words) > len(kept) + 1:
        return ""
    if fact.kind == "quantity":
        inside = [q for q in said.quantities if borders[0] <= q.start < borders[1]]
        return said.text[inside[0].start : inside[0].end] if inside else ""
    if fact.kind == "name" and not kept[0].raw[:1].isupper():
        return ""
    return kept[-1].raw


def _candidate_at(fact: Fact, place: int, said: Statement) -> str:
    if fact.kind == "quantity":
        rivals = (said.text[q.start : q.end] for q in said.quantities if q.start == place)
        return next(rivals, "")
    word = next((w for w in said.words if w.start == place), None)
    if word is None or (fact.kind == "name" and not word.raw[:1].isupper()):
        return ""
    return word.raw


def _has(known: Statement, text: str) -> bool:
    """Whether the words are known; of names, the whole word and not its stem."""
    names = {word.text for word in known.words}
    return all(
        flat(word) in names if word[:1].isupper() else stem(flat(word)) in known.stems
        for word in re.sub("['’]s\\b", "", text).split()
    )


def _stated_first(
    asked: Question, fact: Fact, place: tuple[int, int], said: Statement, known: Statement
) -> str:
    """Return another candidate that the answer gives before the fact, as its answer."""
    if fact.kind == "quantity":
        return _amount_first(asked, fact, place, said, known)
    if asked.kind == "which" and (called := _called_otherwise(place, said, known)):
        return called
    if fact.kind != "name":
        return ""
    first = said.sentences[0] if _is_bare(said) else _answer_sentence(asked, said)
    for start, end in [first] if first else []:
        rivals = _rivals(Statement(said.text[start:end], said.language), known)
        if rivals and end <= place[0]:
            return rivals[0]
    return ""


def _is_bare(said: Statement) -> bool:
    """Whether the first sentence is nothing but an answer: "Milan."."""
    start, end = said.sentences[0]
    return len(WORD.findall(said.text[start:end])) <= BARE_WORDS


def _rivals(sentence: Statement, known: Statement) -> list[str]:
    """Return the names in a sentence that neither question nor reference has."""
    return [
        name.text
        for name in _all_names(sentence)
        if not _has(known, name.text) and not sentence.denies(name.start, name.end)
    ]


def _called_otherwise(place: tuple[int, int], said: Statement, known: Statement) -> str:
    """Return what the answer calls the thing, in a sentence before the fact."""
    found = CALLED.search(said.flat, 0, place[0])
    if not found or said.sentence_of(found.start()) == said.sentence_of(place[0]):
        return ""
    end = said.sentence_of(found.start())[1]
    words = telling([w for w in said.words if found.end() <= w.start < end][:3])
    other = " ".join(word.raw for word in words)
    return "" if not words or _has(known, other) else other


def _answer_sentence(asked: Question, said: Statement) -> tuple[int, int] | None:
    """Return the sentence that takes up most of the question's words; the first of equals."""

    def shared(borders: tuple[int, int]) -> int:
        words = [w for w in said.words if borders[0] <= w.start < borders[1]]
        return len({w.stem for w in words} & asked.subject)

    return max(said.sentences, key=shared, default=None)


def _all_names(sentence: Statement) -> list[Fact]:
    """Return the names, and the first word too: "Sydney is the capital."."""
    first = sentence.words[:1]
    found = sentence.names
    if first and first[0].telling and not any(n.start == first[0].start for n in found):
        return [Fact("name", first[0].raw, first[0].start, first[0].end), *found]
    return found


def _amount_first(
    asked: Question, fact: Fact, place: tuple[int, int], said: Statement, known: Statement
) -> str:
    assert fact.quantity is not None  # noqa: S101  # its kind says so
    rivals = [
        q
        for q in said.quantities
        if not said.denies(q.start, q.end) and not any(q.equals(k) for k in known.quantities)
    ]
    named = [q for q in said.quantities if _counts(asked, q.start, said)]
    if asked.counted and named:
        first = named[0]
        own = any(first.equals(k) for k in (fact.quantity, *known.quantities))
        return "" if own else said.text[first.start : first.end]
    before = [q for q in rivals if q.start < place[0] and _alike(q, fact)]
    if not before or "=" in said.text[before[-1].end : place[0]] or _is_total(said, place):
        return ""
    return said.text[before[0].start : before[0].end]


def _alike(one: Quantity, fact: Fact) -> bool:
    assert fact.quantity is not None  # noqa: S101  # its kind says so
    mine = fact.quantity
    same = not one.measure or not mine.measure or one.measure == mine.measure
    return one.kind == mine.kind and same


def _is_total(said: Statement, place: tuple[int, int]) -> bool:
    return re.search(r"(?:equals?|total|sum|result|resultado|total de) (?:is |es |of )?$",
                     said.flat[: place[0]]) is not None  # fmt: skip


def _counts(asked: Question, place: int, said: Statement) -> bool:
    after = [w for w in said.words if w.start >= place][:3]
    return any(word.stem in asked.counted for word in after)


def states(facts: Iterable[Fact], said: Statement) -> list[Fact]:
    """Return those of the facts that a text states and does not deny."""
    return [fact for fact in facts if any(not said.denies(*p) for p in said.finds(fact))]
