"""Passages of a document: pieces of a set size, cut where the document itself makes a pause.

First along headings, then between paragraphs, then between sentences; code and tables stay whole
where they fit. Short sections under one parent share a passage. No word is lost or repeated.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from tiza.generate.blocks import Block, blocks
from tiza.generate.documents import Text, texts
from tiza.taxonomy.content import CHARACTERS_PER_TOKEN
from tiza.taxonomy.lesson import Lesson

CHUNK_TOKENS = 500
BETWEEN = "\n\n"  # blocks
# A sentence ends with its mark, before something that can begin another; and before a list's item.
PAUSE = re.compile(
    r"(?<=[.!?…])[\"»”')\]]*\s+(?=[\"«“¿¡(\[]*[^\W_a-zñáéíóúü])|\n(?=[ \t]*(?:[-*+]|\d+[.)])[ \t])"
)
ABBREVIATED = re.compile(
    r"(?:(?<![^\n])\s*\d+|\b[^\W\d_]|\b(?:Dr|Dra|Sr|Sra|Mr|Mrs|Ms|Prof|St|Sto|Sta|No|Núm|Fig|pág|vol|cap|cf|vs|etc|Ud))\.$"
)
LONGEST_SHORT = 8  # characters of an abbreviation, with what stands before it


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document. `heading` is the path of headings that all of it stands under.

    `source` names the document, `line` is its line (in a PDF its page) on which the piece begins.
    """

    text: str
    heading: tuple[str, ...]
    source: str
    line: int

    @property
    def tokens(self) -> int:
        """An estimate of its length."""
        return tokens(self.text)


def passages(
    lesson: Lesson, taxonomy_root: Path, cache: Path, chunk_tokens: int = CHUNK_TOKENS
) -> list[Passage]:
    """Return the passages of all documents behind a lesson; none if it names none.

    May fetch a repository into the folder `cache`: call it in a thread.

    Raises:
        TizaError: a document cannot be had or read; see `documents.texts`.

    """
    return [
        passage
        for text in texts(lesson, taxonomy_root, cache)
        for passage in cut(text, chunk_tokens)
    ]


def tokens(text: str) -> int:
    """Return about how many tokens a text has."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def cut(text: Text, chunk_tokens: int = CHUNK_TOKENS) -> list[Passage]:
    """Cut a document into passages of at most so many tokens."""
    size = max(1, chunk_tokens) * CHARACTERS_PER_TOKEN
    joined: list[Passage] = []
    for section in _sections(blocks(text)):
        for piece in _pieces(section, size, text.source):
            together = _joined(joined[-1], piece, size) if joined else None
            if together:
                joined[-1] = together
            else:
                joined.append(piece)
    return joined


def _sections(found: list[Block]) -> Iterator[list[Block]]:
    """Yield runs of blocks: a heading with what stands under it, up to the next."""
    section: list[Block] = []
    for block in found:
        # A heading without text of its own goes with the section below it.
        if block.level and section and not section[-1].level:
            yield section
            section = []
        section.append(block)
    if section:
        yield section


def _pieces(section: list[Block], size: int, source: str) -> Iterator[Passage]:
    """Yield a section, whole if it fits, else packed block by block."""
    heading = section[-1].heading
    text, line, titled = "", 0, False
    for block in section:
        # What stands right below its heading is cut so that both fit.
        beside = len(text) + len(BETWEEN) if text and not block.solid else 0
        room = size - beside if titled and beside <= size // 2 else size
        titled = block.level > 0
        for between, part, number in _parts(block, room):
            if text and len(text) + len(between) + len(part) > size:
                yield Passage(text, heading, source, line)
                text = ""
            text, line = (text + between + part, line) if text else (part, number)
    if text:
        yield Passage(text, heading, source, line)


def _joined(first: Passage, second: Passage, size: int) -> Passage | None:
    """Return two neighbours as one, if they fit and hang on one parent."""
    common = _common(first.heading, second.heading)
    deepest = max(len(first.heading), len(second.heading))
    related = common == first.heading or len(common) >= deepest - 1
    text = first.text + BETWEEN + second.text
    if not related or len(text) > size:
        return None
    return Passage(text, common, first.source, first.line)


def _common(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    count = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        count += 1
    return first[:count]


def _parts(block: Block, size: int) -> Iterator[tuple[str, str, int]]:
    """Yield (what stands before it, text, line) for a block, cut no finer than it must be."""
    text = block.text
    starts = [0, *accumulate(len(line.text) + 1 for line in block.lines)]
    before = 0
    for start, end in _fitting(text, size, block.solid):
        number = block.lines[bisect_right(starts, start) - 1].number
        yield text[before:start] if start else BETWEEN, text[start:end], number
        before = end


def _fitting(text: str, size: int, solid: bool) -> Iterator[tuple[int, int]]:
    """Yield the places of pieces that fit: the whole, else lines or sentences, else words."""
    if len(text) <= size:
        yield 0, len(text)
        return
    for start, end in _lines(text) if solid else _sentences(text):
        if end - start <= size:
            yield start, end
        else:
            yield from _words(text, start, end, size)


def _lines(text: str) -> Iterator[tuple[int, int]]:
    return (match.span() for match in re.finditer(r"[^\n]+", text))


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for pause in PAUSE.finditer(text):
        if ABBREVIATED.search(text, max(start, pause.start() - LONGEST_SHORT), pause.start()):
            continue
        yield start, pause.start() + len(pause[0].rstrip())
        start = pause.end()
    yield start, len(text)


def _words(text: str, start: int, end: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield runs of words that fit; a word that alone is too long is cut where it must be."""
    while end - start > size:
        blank = max(text.rfind(mark, start + 1, start + size + 1) for mark in " \n")
        stop = blank if blank > start else start + size
        yield start, stop
        start = stop + (blank > start)
    if start < end:
        yield start, end
