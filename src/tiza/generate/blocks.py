"""The blocks of a document: headings, paragraphs, code, tables, each with its place.

Reads as much of Markdown (CommonMark, tables of GitHub's) as cutting asks for, and leaves every word
as it was written; only front matter and HTML comments are left out.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tiza.generate.documents import Line, Text

FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))??(?:[ \t]+#+)?[ \t]*")
UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*")
TABLE_RULE = re.compile(r" {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
FRONT_MATTER = ("---", "+++")
MOST_FRONT_MATTER = 200  # lines in which its end is looked for


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that belong together. `solid`: code or a table, which is not cut if that is avoidable.

    `heading` is the path of headings down to the block; a heading's own line is a block too, whose
    path it ends, and `level` is its depth (0: no heading).
    """

    lines: tuple[Line, ...]
    heading: tuple[str, ...] = ()
    solid: bool = False
    level: int = 0

    @property
    def text(self) -> str:
        """The lines as one text."""
        return "\n".join(line.text for line in self.lines)


def blocks(text: Text) -> list[Block]:
    """Return the blocks of a document, in its order."""
    if not text.is_markdown:
        return [Block(tuple(lines)) for lines in _paragraphs(text.lines)]
    found: list[Block] = []
    path: list[tuple[int, str]] = []
    for block in _blocks(list(_without_comments(_without_front_matter(text.lines)))):
        if block.level:
            path = [(level, title) for level, title in path if level < block.level]
            path.append((block.level, _title(block)))
        heading = tuple(title for _level, title in path)
        found.append(Block(block.lines, heading, block.solid, block.level))
    return found


def _paragraphs(lines: list[Line]) -> Iterator[list[Line]]:
    together: list[Line] = []
    for line in [*lines, Line(0, "")]:
        if line.text.strip():
            together.append(line)
        elif together:
            yield together
            together = []


def _blocks(lines: list[Line]) -> Iterator[Block]:
    start = 0
    while start < len(lines):
        if not lines[start].text.strip():
            start += 1
            continue
        block = _block_at(lines, start)
        yield block
        start += len(block.lines)


def _block_at(lines: list[Line], start: int) -> Block:
    first = lines[start].text
    if fence := _fence(first):
        end = _end_of_code(lines, start + 1, fence)
        return Block(tuple(lines[start:end]), solid=True)
    if heading := HEADING.fullmatch(first):
        return Block((lines[start],), level=len(heading[1]))
    end = start + 1
    while end < len(lines) and lines[end].text.strip() and not _opens(lines[end].text):
        mark = UNDERLINE.fullmatch(lines[end].text)
        if mark and "|" not in first:
            return Block(tuple(lines[start : end + 1]), level=1 if mark[1][0] == "=" else 2)
        end += 1
    return Block(tuple(lines[start:end]), solid=_is_table(lines[start:end]))


def _opens(text: str) -> bool:
    return bool(_fence(text) or HEADING.fullmatch(text))


def _fence(text: str) -> str:
    mark = FENCE.match(text)
    if not mark or (mark[1][0] == "`" and "`" in text[mark.end() :]):
        return ""
    return mark[1]


def _end_of_code(lines: list[Line], start: int, fence: str) -> int:
    for number in range(start, len(lines)):
        text = lines[number].text.strip()
        if text.startswith(fence) and not text.strip(fence[0]):
            return number + 1
    return len(lines)


def _is_table(lines: list[Line]) -> bool:
    return (
        len(lines) > 1 and "|" in lines[0].text and TABLE_RULE.fullmatch(lines[1].text) is not None
    )


def _title(block: Block) -> str:
    if heading := HEADING.fullmatch(block.text):
        return (heading[2] or "").strip()
    return " ".join(line.text.strip() for line in block.lines[:-1])


def _without_front_matter(lines: list[Line]) -> list[Line]:
    if not lines or lines[0].text.rstrip() not in FRONT_MATTER:
        return lines
    ends = {lines[0].text.rstrip(), "..."}
    for number, line in enumerate(lines[1:MOST_FRONT_MATTER], 1):
        if line.text.rstrip() in ends:
            return lines[number + 1 :]
    return lines


def _without_comments(lines: list[Line]) -> Iterator[Line]:
    """Leave out HTML comments; in code they are code."""
    fence, inside = "", False
    for line in lines:
        if fence:
            closes = line.text.strip().startswith(fence) and not line.text.strip().strip(fence[0])
            fence = "" if closes else fence
            yield line
            continue
        kept, inside = _outside(line.text, inside)
        fence = "" if inside else _fence(kept)
        if kept.strip() or not line.text.strip():
            yield Line(line.number, kept)


def _outside(text: str, inside: bool) -> tuple[str, bool]:
    kept = ""
    while text:
        if inside:
            _comment, end, text = text.partition("-->")
            inside = not end
        else:
            before, start, text = text.partition("<!--")
            kept += before
            inside = bool(start)
    return kept, inside
