"""The words of a text, as search compares them: no case, no accents, no marks between them.

Each carries the number of the person whose text it is, so that the index keeps people apart: a word
that everybody uses costs nobody more than one that only they use.
"""

import re
import unicodedata

from tiza.store.records import Person

WORD = re.compile(r"[^\W_]+")
LONGEST = 40  # characters of a word that count
MOST = 20_000  # different words of a text that count


def words_of(text: str) -> list[str]:
    """Return the different words of a text, folded, in the order of their first appearance."""
    folded = text.lower() if text.isascii() else fold(text)
    return list(dict.fromkeys(word[:LONGEST] for word in WORD.findall(folded)))[:MOST]


def fold(text: str) -> str:
    """Take case and accents away: "Qué ÁRBOL" becomes "que arbol"."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in parts if not unicodedata.combining(letter))


def marked(person_id: int, word: str) -> str:
    """Return a word as one of a person's; no two people's can be equal or begin alike."""
    return f"{person_id}x{word}"


def wanted(person: Person, query: str) -> list[str]:
    """Return a query's words as the person's. Whatever is an operator elsewhere separates here."""
    return [marked(person.id, word) for word in words_of(query)]
