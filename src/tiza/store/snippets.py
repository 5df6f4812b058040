"""A few words around what was found in a text."""

import re
import unicodedata

from tiza.store.words import Query, fold

BEFORE, AFTER = 60, 120  # characters
LOOKED_AT = 20_000  # characters


def snippet(text: str, wanted: Query) -> str:
    """Return the place where the first of the words stands, or the beginning of the text."""
    text = unicodedata.normalize("NFC", text[:LOOKED_AT])
    folded = text.lower() if text.isascii() else fold(text)
    found = re.search(rf"(?<![^\W_])(?:{'|'.join(wanted.plain)})", folded)
    at = found.start() if found and len(folded) == len(text) else 0
    return _cut(text, at - BEFORE, at + AFTER)


def _cut(text: str, start: int, end: int) -> str:
    """Cut at spaces, and mark what was left out."""
    head, tail = max(start, 0), min(end, len(text))
    cut = text[head:tail]
    if head:
        cut = "…" + cut.partition(" ")[2]
    if tail < len(text):
        cut = cut.rpartition(" ")[0] + "…"
    return " ".join(cut.split())
