"""Text as every database can keep it, and titles made of it."""

import re

TITLE_CHARS = 60
REPLACEMENT = "\ufffd"
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
MARKUP = re.compile(r"^\s*(?:[#>~+-]+|\d+[.)])\s+|[*`]+")


def storable(text: str) -> str:
    """Replace NUL and lone surrogates, which PostgreSQL and UTF-8 do not know, by U+FFFD."""
    return UNSTORABLE.sub(REPLACEMENT, text)


def title_of(question: str) -> str:
    """Make a title of the first line with words: whole words, at most 60 characters."""
    lines = (" ".join(_without_markup(line).split()) for line in question.splitlines())
    line = next((line for line in lines if any(letter.isalnum() for letter in line)), "")
    if len(line) <= TITLE_CHARS:
        return line
    cut = line[: TITLE_CHARS - 1]
    whole = cut.rpartition(" ")[0] if line[TITLE_CHARS - 1] != " " else cut
    return f"{whole.rstrip(' ,;:') or cut}…"


def _without_markup(line: str) -> str:
    """Take away the marks of Markdown: headings, quotes, lists (one in another too), emphasis."""
    while (plain := MARKUP.sub("", line)) != line:
        line = plain
    return line
