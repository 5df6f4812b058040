"""What a right answer has to say: the facts of a reference answer that its question asks for.

A reference says more than was asked ("The librarian is Greta Lindqvist, who came in 2019"); only
its core is required. Knows no answer of a model.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from tiza.evaluate.question import Question
from tiza.evaluate.statement import Fact, Statement, Word, telling

EXAMPLE = re.compile(
    r"[,;:(]?\s*\b(?:for example|for instance|such as|e\.g\.|por ejemplo|p\. ?ej\.)|\s*\(e\.g\.",
    re.IGNORECASE,
)
CORE_END = re.compile(
    r"[;(—]|:(?=\s)|[.!?](?:\s|$)|, (?:which|who|que|so|and|y|with|en|con|since|beside|usually"
    r"|normalmente)\b| (?:because|while|so that|porque|mientras)\b",
    re.IGNORECASE,
)
APPOSITION = re.compile(r", (?:[A-ZÁÉÍÓÚÑ][\w'’-]+ ?){1,3},")
BECAUSE = re.compile(r"\b(?:because|since|so that|porque|ya que|para que)\b", re.IGNORECASE)
SUBJECT = re.compile(
    r"^((?:(?:the|a|an|el|la|los|las|un|una) )?[\w'’-]+(?: [\w'’-]+)?) "
    r"(?:is|are|was|were|has|have|es|son|fue|tiene)\b",
    re.IGNORECASE,
)
# A bare phrase before a comma or a place: "Carthage, against which", "Aconcagua in Argentina".
PHRASE = re.compile(
    r"^(?:(?:it|they|you|he|she|this) (?:is|are|was|were|hear|see)(?: called)? "
    r"|(?:se llaman?|es|son|fue) )?"
    r"((?:(?:in|on|at|by|to|from|with|through|without|en|a|por|con|de|sin) )?"
    r"(?:[\w'’-]+ ?){1,3}?)"
    r"(?:, (?!\w+(?: \w+)?(?:,| and\b| y\b))| (?:in|en) (?-i:[A-ZÁÉÍÓÚ])\w+(?=[,.]|$))",
    re.IGNORECASE,
)
PREPOSITION = re.compile(r"\b(?:in|on|at|from|by|during|for|en|desde|por|durante|para)\b")
YES_OR_NO = re.compile(r"^\W*(?:yes|no|si)\b")
OPENS = re.compile(
    r"^\W*(?:(?:the|a|an|el|la|los|las|un|una|in|by|with|con|por|en|de|to|a)\s)*$", re.IGNORECASE
)
GENERIC_WORDS = """
palabra word process proceso method metodo function funcion thing cosa sign signo tiny name nombre
called vessel vessels means
"""
GENERIC = frozenset(GENERIC_WORDS.split())
SHORT_TERM = 3  # words of an answer that is a term, not an explanation
CALENDAR = re.compile(
    r"\b(monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|march|april|may"
    r"|june|july|august|september|october|november|december|spring|summer|autumn|winter|lunes"
    r"|martes|miercoles|jueves|viernes|sabado|domingo|enero|febrero|marzo|abril|mayo|junio|julio"
    r"|agosto|septiembre|octubre|noviembre|diciembre|primavera|verano|otono|invierno)s?\b"
)
ADVERBS = {"today", "tomorrow", "yesterday", "nowadays", "hoy", "ayer", "mañana", "actualmente"}
FIRST_YEAR, LAST_YEAR = 1000, 2200


@dataclass(frozen=True)
class Required:
    """What has to be said: every one of `facts`; without any, enough of `words`.

    `core` are the words of the part that answers, `several` asks for both facts and words.
    """

    facts: Sequence[Fact] = ()
    words: Sequence[Word] = ()
    core: Sequence[Word] = ()
    several: bool = False
    said: Statement = field(default_factory=lambda: Statement(""))


def required(question: Question, reference: str) -> Required:
    """Tell what the reference says that the question asks for."""
    language = question.language
    said = Statement(EXAMPLE.split(reference)[0], language)
    core = Statement(_core(said.text, question), language)
    words = telling(said.words, question.stems)
    core_words = telling(core.words, question.stems)
    facts = [fact for fact in _facts(question, said, core) if not _denied(fact, said)]
    several = question.kind == "several" and len(facts) == 1
    return Required(facts, words, core_words, several, said)


def _denied(fact: Fact, said: Statement) -> bool:
    places = list(said.finds(fact))
    return bool(places) and all(said.denies(*place) for place in places)


def _core(text: str, question: Question) -> str:
    text = re.sub(r"^(?:Yes|No|Sí|Si|Well)\b[,:]?\s+", "", text)
    if question.kind == "why" and (reason := BECAUSE.search(text)):
        return text[reason.end() :]
    if question.kind != "who":
        text = APPOSITION.sub("", text)
    for end in CORE_END.finditer(text):
        core = text[: end.start()]
        said = Statement(core, question.language)
        bare = len(said.words) <= SHORT_TERM and end[0].strip()[:1] in (":", ",")
        chosen = bare and any(word.telling for word in said.words)
        if chosen or telling(said.words, question.stems) or said.quantities or said.code:
            text = core
            break
    phrase = PHRASE.match(text)
    return phrase[1] if phrase and _says_something(phrase[1]) else text


def _says_something(phrase: str) -> bool:
    said = Statement(phrase)
    return any(word.telling for word in said.words) or bool(said.quantities)


def _facts(question: Question, said: Statement, core: Statement) -> list[Fact]:
    kind = question.kind
    if YES_OR_NO.match(said.flat):
        return []
    if kind == "why" and said.flat.startswith("por "):
        kind = "which"  # "¿Por qué trofeo compiten?" asks for no reason
    if kind == "several":
        return _several(said, core, question)
    if phrase := _bare(core, question):
        return phrase
    if kind in ("amount", "when"):
        chosen = _of_kind(core, question) or _of_kind(said, question)
        if chosen:
            return chosen
    short = len(telling(core.words, question.stems)) <= SHORT_TERM
    if kind in ("who", "where", "which") or (kind != "why" and short):
        return (
            _subject(core, question)
            or _named(core, question)
            or [f for f in _amounts(core, question) if f.quantity and f.quantity.value != 1]
            or _term(core, question)
        )
    return []


def _several(said: Statement, core: Statement, question: Question) -> list[Fact]:
    """Return all that could be meant by more than one question."""
    found = [*_amounts(said, question), *_named(said, question)]
    first = _subject(core, question) or _term(core, question)
    return [f for f in first if not any(f.text in other.text for other in found)] + found


def _bare(core: Statement, question: Question) -> list[Fact]:
    """Return the facts of a core that is nothing but the answer: "Two", "In Mexico"."""
    words = [word for word in core.words if word.telling]
    long = len(core.words) > SHORT_TERM + 2 or len(words) > SHORT_TERM
    if (
        long
        or question.kind == "why"
        or core.code
        or SUBJECT.match(core.text)
        or (core.names and question.kind == "who")
    ):
        return []
    first = next(iter(core.quantities), None)
    if question.kind in ("amount", "when") and first and first.value:
        return [Fact("quantity", core.text[first.start : first.end], 0, 0, first)]
    known = [word for word in words if word.stem in question.stems]
    chosen = len(known) == len(words) and (bool(question.choices) or len(question.said.names) > 1)
    if words and (chosen or core.text.startswith(words[0].raw)):
        return [Fact("term", word.raw) for word in words]
    return []


def _subject(core: Statement, question: Question) -> list[Fact]:
    """Return a short subject that is new to the question: "Venus" of "Venus is the hottest"."""
    found = SUBJECT.match(core.text)
    if not found:
        return []
    words = [w for w in Statement(found[1]).words if w.telling]
    if not words or any(word.stem in question.stems for word in words):
        return []
    return [Fact("term", word.raw) for word in words]


def _of_kind(said: Statement, question: Question) -> list[Fact]:
    """Return the amounts that are asked for, the nearest to the question first."""
    found = _amounts(said, question)
    if question.kind == "when":
        dated = [f for f in found if _dates(f)]
        whole = any(fact.quantity and fact.quantity.kind == "date" for fact in dated)
        return (dated if whole else [*dated, *_calendar(said, question)]) or found
    counted = [f for f in found if _counts(said, f, question)]
    return counted[:1] or found[:1]


def _calendar(said: Statement, question: Question) -> list[Fact]:
    """Return days, months and seasons."""
    return [
        Fact("term", m[0], *m.span())
        for m in CALENDAR.finditer(said.flat)
        if m[1] not in question.said.flat
        and (m[1] not in ("may", "march") or said.text[m.start()].isupper())
    ]


def _dates(fact: Fact) -> bool:
    quantity = fact.quantity
    if quantity is None or quantity.kind in ("time", "date", "ordinal"):
        return quantity is not None
    return not quantity.measure and FIRST_YEAR <= quantity.value <= LAST_YEAR


def _counts(said: Statement, fact: Fact, question: Question) -> bool:
    after = [w for w in said.words if w.start >= fact.start][:4]
    return any(word.stem in question.counted for word in after)


def _amounts(said: Statement, question: Question) -> list[Fact]:
    asked = question.said.quantities
    return [
        Fact("quantity", said.text[q.start : q.end], q.start, q.end, q)
        for q in said.quantities
        if not any(q.equals(other) for other in asked)
    ]


def _named(said: Statement, question: Question) -> list[Fact]:
    """Return names, code and quotations that the question does not have."""
    marked = [
        fact
        for fact in (*said.code, *said.quotes)
        if not any(True for _ in question.said.finds(fact))
    ]
    kept: list[Fact] = []
    for fact in said.names:
        inside = any(m.start <= fact.start < m.end for m in marked)
        asked = {word.text for word in question.said.words}
        new = [w for w in Statement(fact.text).words if w.telling and w.text not in asked]
        inside = inside or any(q.start <= fact.start < q.end for q in said.quantities)
        if new and not inside and fact.text.lower() not in ADVERBS:
            text = " ".join(word.raw for word in new)
            kept.append(Fact("name", text, fact.start, fact.end))
    return [*marked, *kept]


def _phrase_of(core: Statement, words: Sequence[Word]) -> Sequence[Word]:
    """Cut the words before the first preposition among them: "oxygen (in photosynthesis)"."""
    for i in range(1, len(words)):
        if PREPOSITION.search(core.flat[words[i - 1].end : words[i].start]):
            return words[:i]
    return words


def _term(core: Statement, question: Question) -> list[Fact]:
    """Return the short term that answers: what stands before, or after, the question's words."""
    words = [word for word in core.words if word.telling]
    asked = {word.text for word in question.said.words}
    shared = [
        i
        for i, word in enumerate(words)
        if word.stem in question.subject and (word.text in asked or not word.raw[:1].isupper())
    ]
    before = words[: shared[0]] if shared else words
    after: Sequence[Word] = words[shared[-1] + 1 :] if shared else []
    if len(after) > 1 and core.flat[words[shared[-1]].end : after[0].start] == " ":
        after = after[1:]  # the verb: "the railway carries sacks of beet"
    after = _phrase_of(core, after)
    if shared and not OPENS.match(core.text[: before[0].start] if before else "-"):
        before = []
    if shared and before and re.match(r"\s(?:of|de|del)\b", core.flat[before[-1].end :]):
        before = []
    for part in (before, after, telling(core.words, question.stems)):
        if 0 < len(part) <= SHORT_TERM:
            special = [word for word in part if word.text not in GENERIC] or part
            return [Fact("term", word.raw, word.start, word.end) for word in special]
    return []
