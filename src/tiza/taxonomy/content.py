"""What only practice knows: looks at the words of one lesson, not at its form.

Simple measures with few false alarms; what they cannot tell for sure is a warning.
"""

import re
from collections.abc import Iterator

from tiza.taxonomy.finding import Finding, shown
from tiza.taxonomy.lesson import Example, Lesson, Place
from tiza.taxonomy.words import (
    DIGIT,
    FILLERS,
    exact_print,
    likely_language,
    near_print,
    plain,
    tokens,
)

CHARACTERS_PER_TOKEN = 4  # of common tokenizers, for English and Spanish
CONTEXT_TOKENS, PAIR_TOKENS = 500, 250  # as InstructLab's guide recommends
LONGEST_CONTEXT = 20_000  # characters in which answers are still looked for
STEM = 5  # characters that an inflected word keeps
FEWEST_WORDS = 4  # of an answer, to say anything about it
UNSUPPORTED_SHARE = 0.6
LONG_NUMBER = 3  # digits: years and quantities, not counts that a reader works out
SHOWN_WORDS = 3
SEPARATOR = re.compile(r"(?<=\d)[.,](?=\d)")
MARKS = "\"'`.,;:!?¿¡()[]{}«»“”‘’…*_-–—"  # noqa: RUF001  # those of printed text too
BLANKS = str.maketrans(MARKS, " " * len(MARKS))


class Prints:
    """The fingerprints of a lesson's questions, as (near, exact), in their order."""

    def __init__(self, lesson: Lesson) -> None:
        self.lesson = lesson
        self.seeds = [self._of(example, example.question) for example in lesson.examples]
        self.exam = [self._of(example, example.question) for example in lesson.exam]

    def paraphrases(self, example: Example) -> list[tuple[int, int]]:
        """Return those of the other phrasings of a question."""
        return [self._of(example, text) for text in example.paraphrases]

    def _of(self, example: Example, question: str) -> tuple[int, int]:
        words = tokens(question)
        # In a skill the context is part of the question, in knowledge it is not.
        context = None if self.lesson.is_knowledge else example.context
        return near_print(words, context), exact_print(words, context)


def find_in_content(lesson: Lesson, prints: Prints) -> Iterator[Finding]:
    """Yield what is wrong with what a lesson says."""
    yield from _repetitions(lesson, prints)
    yield from _lengths(lesson)
    yield from _mixture(lesson)
    yield from _language(lesson)
    if lesson.is_knowledge:
        yield from _unsupported(lesson)


def _repetitions(lesson: Lesson, prints: Prints) -> Iterator[Finding]:
    taught: dict[int, tuple[int, Place]] = {}  # near print → exact print, where
    for example, (near, exact) in zip(lesson.examples, prints.seeds, strict=True):
        if not example.question.strip():
            continue
        place = example.places.get("question", example.place)
        first_exact, first = taught.setdefault(near, (exact, place))
        if first != place:
            rule = "duplicate-question" if first_exact == exact else "near-duplicate-question"
            yield Finding(rule, *place, {"first": f"qna.yaml:{first.line}"})
        for other_near, other in prints.paraphrases(example):
            taught.setdefault(other_near, (other, place))
            if other == exact:
                yield Finding("repeated-paraphrase", *example.places["paraphrases"])
    for example, (near, _exact) in zip(lesson.exam, prints.exam, strict=True):
        if near in taught and example.question.strip():
            place = example.places.get("question", example.place)
            yield Finding(
                "exam-repeats-seed", *place, {"first": f"qna.yaml:{taught[near][1].line}"}
            )


def _lengths(lesson: Lesson) -> Iterator[Finding]:
    measured: Place | None = None
    for example in lesson.examples:
        where = example.places.get("context", example.place)
        count = len(example.context or "") // CHARACTERS_PER_TOKEN
        if count > CONTEXT_TOKENS and where != measured:
            measured = where
            yield Finding("context-too-long", *where, {"count": count, "limit": CONTEXT_TOKENS})
        count = (len(example.question) + len(example.answer)) // CHARACTERS_PER_TOKEN
        if count > PAIR_TOKENS:
            yield Finding("pair-too-long", *example.place, {"count": count, "limit": PAIR_TOKENS})


def _mixture(lesson: Lesson) -> Iterator[Finding]:
    without = [example for example in lesson.examples if not example.context]
    if without and len(without) < len(lesson.examples):
        yield Finding("mixed-examples", *without[0].place)


def _language(lesson: Lesson) -> Iterator[Finding]:
    """Compare with the declared language, in the first example that clearly has another."""
    if lesson.language is None:
        return
    declared = lesson.language.partition("-")[0].lower()
    for example in (*lesson.examples, *lesson.exam):
        seen = likely_language(f"{example.question} {example.answer}")
        if seen and seen != declared and (declared in ("en", "es") or seen == "en"):
            data = {"declared": lesson.language, "seen": seen}
            yield Finding("wrong-language", *example.place, data)
            return


def _unsupported(lesson: Lesson) -> Iterator[Finding]:
    """Look for the answer's words in the context, by their first letters."""
    context, known = None, ""
    for example in lesson.examples:
        if not example.context or len(example.context) > LONGEST_CONTEXT:
            continue
        if example.context is not context:
            context, known = example.context, _comparable(example.context)
        said = {
            word[:STEM] for word in _comparable(example.answer).translate(BLANKS).split()
        } - SHORT
        missing = [stem for stem in said if stem not in known]
        if not missing:
            continue
        question = _comparable(example.question)
        missing = sorted(stem for stem in missing if stem not in question)
        numbers = [stem for stem in missing if stem.isdigit() and len(stem) >= LONG_NUMBER]
        too_many = len(said) >= FEWEST_WORDS and len(missing) > UNSUPPORTED_SHARE * len(said)
        if numbers or too_many:
            listed = ", ".join(shown(stem) for stem in (numbers or missing)[:SHOWN_WORDS])
            place = example.places.get("answer", example.place)
            yield Finding("unsupported-answer", *place, {"words": listed})


def _comparable(text: str) -> str:
    """Return a text without capitals, accents and separators in numbers."""
    text = plain(text.casefold())
    return SEPARATOR.sub("", text) if DIGIT.search(text) else text


SHORT = frozenset(word[:STEM] for word in FILLERS)
