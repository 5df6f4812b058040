"""The blocks of a document: headings, paragraphs, code, tables, each with its place.

Reads as much of Markdown (CommonMark, with GitHub's tables) as cutting asks for, and leaves every
word as it was written; only front matter and HTML comments are left out. Linear in the text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tiza.generate.documents import Line, Text

FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
HEADING = re.compile(r" {0,3}(#{1,6})(?=[ \t]|$)")
UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*")
TABLE_RULE = frozenset("|:- \t")
KEY = re.compile(r"[\w-]+[ \t]*[:=]")
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
    if heading := HEADING.match(first):
        return Block((lines[start],), level=len(heading[1]))
    end = start + 1
    while end < len(lines) and lines[end].text.strip() and not _opens(lines[end].text):
        mark = UNDERLINE.fullmatch(lines[end].text)
        if mark and "|" not in first:
            return Block(tuple(lines[start : end + 1]), level=1 if mark[1][0] == "=" else 2)
        end += 1
    return Block(tuple(lines[start:end]), solid=_is_table(lines[start:end]))


def _opens(text: str) -> bool:
    return bool(_fence(text) or HEADING.match(text))


def _fence(text: str) -> str:
    mark = FENCE.match(text)
    if not mark or (mark[1][0] == "`" and "`" in text[mark.end() :]):
        return ""
    return mark[1]


def _end_of_code(lines: list[Line], start: int, fence: str) -> int:
    for number in range(start, len(lines)):
        if _closes(lines[number].text, fence):
            return number + 1
    return len(lines)


def _closes(text: str, fence: str) -> bool:
    mark = text.strip()
    return mark.startswith(fence) and not mark.strip(fence[0])


def _is_table(lines: list[Line]) -> bool:
    if len(lines) == 1 or "|" not in lines[0].text:
        return False
    return "-" in lines[1].text and TABLE_RULE.issuperset(lines[1].text)


def _title(block: Block) -> str:
    if heading := HEADING.match(block.text):
        title = block.text[heading.end() :].strip()
        closed = title.rstrip("#")
        return closed.rstrip() if closed[-1:] in ("", " ", "\t") else title
    return " ".join(line.text.strip() for line in block.lines[:-1])


def _without_front_matter(lines: list[Line]) -> list[Line]:
    begins = len(lines) > 1 and lines[0].text.rstrip() in FRONT_MATTER
    if not begins or not KEY.match(lines[1].text):
        return lines
    ends = {lines[0].text.rstrip(), "..."}
    for number, line in enumerate(lines[1:MOST_FRONT_MATTER], 1):
        if line.text.rstrip() in ends:
            return lines[number + 1 :]
    return lines


def _without_comments(lines: list[Line]) -> Iterator[Line]:
    """Leave out HTML comments; in code they are code, and one that never ends is text."""
    last = max((number for number, line in enumerate(lines) if "-->" in line.text), default=-1)
    fence, inside = "", False
    for number, line in enumerate(lines):
        if fence:
            fence = "" if _closes(line.text, fence) else fence
            yield line
            continue
        kept, inside = _outside(line.text, inside, number < last)
        fence = "" if inside else _fence(kept)
        if kept.strip() or not line.text.strip():
            yield Line(line.number, kept)


def _outside(text: str, inside: bool, may_go_on: bool) -> tuple[str, bool]:
    """Return what stands outside of comments, and whether the next line begins inside one."""
    kept: list[str] = []
    at = 0
    while True:
        if inside:
            end = text.find("-->", at)
            if end < 0:
                return "".join(kept), True
            at, inside = end + 3, False
        start = text.find("<!--", at)
        inside = start >= 0 and (may_go_on or text.find("-->", start) >= 0)
        if not inside:
            return "".join([*kept, text[at:]]), False
        kept.append(text[at:start])
        at = start
