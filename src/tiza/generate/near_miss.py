"""Near misses: questions beside those of the lessons, which no lesson answers.

A model that has learnt who teaches mathematics at one school tends to say the same name for every
school. Rows that ask the neighbouring question, answered as the base model would, halved such leaks
when it was measured. Made by rule: a name or noun of a lesson's question is exchanged for another
of its kind. Knows no model; the answers come from `replay.answers`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from typing import Any, NamedTuple

import yaml

from tiza.generate.replay import FOLDER, LANGUAGES
from tiza.taxonomy.lesson import Example, Lesson
from tiza.taxonomy.words import FILLERS, likely_language, near_print, tokens

CAPITALISED = r"[^\W\d_a-zñáéíóúü][^\W\d_]*[^\W\d_A-ZÑÁÉÍÓÚÜ]"  # no initials, no DNA
NAME = re.compile(rf"(?<![\w.-])(?:{CAPITALISED})(?: {CAPITALISED})*(?![\w-])")
LAST_WORD = re.compile(r"(\S+)\s*$")
FIRST = re.compile(r"(?:^|[.?!:¿¡])\W*$")


class Exchange(NamedTuple):
    """A part of a question, and what may stand there instead."""

    part: str
    others: Sequence[str]


def near_misses(
    lessons: Iterable[Lesson], *, each: int = 1, seed: int = 0, never: Iterable[str] = ()
) -> list[str]:
    """Return up to `each` neighbouring questions for every question of the knowledge lessons.

    None of them is asked by a lesson (nor is in `never`), and none brings in a name or noun that
    any lesson mentions. The same lessons and seed give the same list, in whatever order they come.
    """
    lessons = list(lessons)
    taken = {near_print(tokens(question)) for question in [*_asked(lessons), *never]}
    mentioned = frozenset(word for lesson in lessons for word in _words(lesson))
    made: dict[int, str] = {}
    for question, language in sorted(_taught(lessons)):
        neighbours = neighbours_of(question, language, mentioned)
        chosen = sorted(neighbours, key=lambda text: _draw(seed, text))
        free = [text for text in chosen if near_print(tokens(text)) not in taken]
        made |= {near_print(tokens(text)): text for text in free[:each]}
    return sorted(made.values())


def neighbours_of(question: str, language: str, mentioned: frozenset[str]) -> list[str]:
    """Return the question with one part exchanged, in all ways that use no word of `mentioned`."""
    return [
        _whole(part).sub(other, question)
        for part, others in _exchanges(question, _lists(language))
        for other in others
        if mentioned.isdisjoint(set(tokens(other)) - FILLERS)
    ]


def _exchanges(question: str, lists: Mapping[str, Any]) -> Iterator[Exchange]:
    listed: set[int] = set()
    for kind in lists["kinds"].values():
        for part in kind:
            for match in _whole(part).finditer(question):
                before = LAST_WORD.search(question[: match.start()])
                if not before or before[1].casefold() not in lists["articles"]:
                    yield Exchange(part, [other for other in kind if other != part])
                listed.update(range(*match.span()))
    for match in NAME.finditer(question):
        if listed.isdisjoint(range(*match.span())) and not FIRST.search(question[: match.start()]):
            around = question[: match.start()].rstrip(), question[match.end() :]
            yield from _of_name(match[0], *around, lists)


def _of_name(name: str, before: str, after: str, lists: Mapping[str, Any]) -> Iterator[Exchange]:
    """Tell a place or a person by the words in the name and around it; silent when unsure."""
    own = " ".join(word for word in name.split() if word not in lists["markers"])
    last = before.rpartition(" ")[2]
    title, _space, titled = name.partition(" ")
    marks = [*lists["markers"], *lists["prepositions"]]
    if titled and title in lists["titles"]:
        yield Exchange(titled, lists["person"])
    elif own and (own != name or last in marks):
        yield Exchange(own, lists["place"])
    elif own and (last in lists["titles"] or before.lstrip("¿").endswith(tuple(lists["who"]))):
        yield Exchange(own, lists["person"])
    elif own and _names_a_thing(before, after, lists["the"]):
        yield Exchange(own, lists["place"])


def _names_a_thing(before: str, after: str, definite: Sequence[str]) -> bool:
    """Tell whether the name tells things of one sort apart: the Halden railway, el faro Halden."""
    *_others, article, noun = ["", "", *before.split()]
    if article in definite and noun.islower():
        return True
    return noun in definite and re.match(r" [^\W\d_A-Z]{3,}", after) is not None


@cache
def _whole(part: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(part)}(?!\w)")


def _taught(lessons: Iterable[Lesson]) -> set[tuple[str, str]]:
    return {
        (example.question.strip(), language)
        for lesson in lessons
        if lesson.is_knowledge and (language := _language(lesson)) in LANGUAGES
        for example in lesson.examples
    }


def _language(lesson: Lesson) -> str:
    declared = (lesson.language or "").partition("-")[0].lower()
    said = " ".join(f"{example.question} {example.answer}" for example in lesson.examples)
    return declared or likely_language(said) or ""


def _asked(lessons: Iterable[Lesson]) -> Iterator[str]:
    for lesson in lessons:
        for example in (*lesson.examples, *lesson.exam):
            yield from (example.question, *example.paraphrases)


def _words(lesson: Lesson) -> Iterator[str]:
    for example in (*lesson.examples, *lesson.exam):
        for said in _said(example):
            yield from tokens(said)


def _said(example: Example) -> Iterator[str]:
    yield from (example.question, *example.paraphrases, example.answer, example.context or "")


def _draw(seed: int, text: str) -> bytes:
    return sha256(f"{seed}\0{text}".encode()).digest()


@cache
def _lists(language: str) -> Mapping[str, Any]:
    text = (FOLDER / f"neighbours.{language}.yaml").read_text("utf-8")
    lists: Mapping[str, Any] = yaml.safe_load(text)
    return lists
