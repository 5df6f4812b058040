"""The look of the lines: what yamllint's relaxed rules call an error, found without it."""

import re
from collections.abc import Iterator

from tiza.taxonomy.finding import Finding

TRAILING = re.compile(rb"[ \t]+\r?$", re.MULTILINE)


def find_in_style(data: bytes) -> Iterator[Finding]:
    """Yield findings on line endings and spaces at the end of lines."""
    if b" \n" in data or b"\t\n" in data or b" \r\n" in data or b"\t\r\n" in data:
        first, *others = TRAILING.finditer(data)
        before = data[: first.start()]
        line, column = before.count(b"\n") + 1, first.start() - before.rfind(b"\n")
        yield Finding("trailing-spaces", line, column, {"count": 1 + len(others)})
    if b"\r\n" in data:
        yield Finding("windows-line-endings")
    if data and not data.endswith(b"\n"):
        line, column = data.count(b"\n") + 1, len(data) - data.rfind(b"\n")
        yield Finding("no-final-newline", line, column)
