"""The look of the lines: what yamllint's relaxed rules call an error, found without it."""

import re
from collections.abc import Iterator

from tiza.taxonomy.finding import Finding

TAB_IN_TEXT = re.compile(rb"(?<=[^\s])[ ]*\t(?=[ \t]*[^\s])")
TRAILING = re.compile(rb"(?<![ \t])[ \t]+\r?$", re.MULTILINE)


def find_in_style(data: bytes) -> Iterator[Finding]:
    """Yield findings on line endings and spaces at the end of lines."""
    tabs, returns = b"\t" in data, b"\r" in data
    if b" \n" in data or tabs or returns:
        yield from _trailing(data)
    if tabs and (tab := TAB_IN_TEXT.search(data)):
        yield Finding("tab-in-text", *_position(data, tab.start()))
    if returns and b"\r\n" in data:
        yield Finding("windows-line-endings")
    if data and not data.endswith(b"\n"):
        yield Finding("no-final-newline", *_position(data, len(data)))


def _trailing(data: bytes) -> Iterator[Finding]:
    found = list(TRAILING.finditer(data))
    if found:
        first, *others = found
        where = _position(data, first.start())
        yield Finding("trailing-spaces", *where, {"count": 1 + len(others)})


def _position(data: bytes, at: int) -> tuple[int, int]:
    """Return line and column of a byte; the column counts characters."""
    start = data.rfind(b"\n", 0, at) + 1
    column = len(data[start:at].decode("utf-8", "replace")) + 1
    return data.count(b"\n", 0, at) + 1, column
