"""The words of a text, as search compares them: no case, no accents, no marks between them.

Each carries the number of the person whose text it is, so that the index keeps people apart: a word
that everybody uses costs nobody more than one that only they use.
"""

import re
import unicodedata
from dataclasses import dataclass

from tiza.store.records import Person

WORD = re.compile(r"[^\W_]+")
ACCENTS = re.compile("[\u0300-\u036f]+")
LONGEST = 40  # characters of a word that count
MOST = 10_000  # different words of a text that count
LONGEST_QUERY = 1_000  # characters that are looked at
MOST_WANTED = 16  # words
SHORTEST_BEGINNING = 2  # characters


def words_of(text: str) -> list[str]:
    """Return the different words of a text, folded, in the order of their first appearance."""
    folded = text.lower() if text.isascii() else fold(text)
    return list(dict.fromkeys(word[:LONGEST] for word in WORD.findall(folded)))[:MOST]


def fold(text: str) -> str:
    """Take case and accents away: "Qué ÁRBOL" becomes "que arbol"."""
    return ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold()))


def marked(person: Person, word: str) -> str:
    """Return a word as one of a person's; no two people's are equal or begin alike."""
    return f"{person.id}x{word}"


@dataclass(frozen=True)
class Query:
    """The words that somebody looks for. Whatever is an operator elsewhere only separates them.

    `open_end`: the last word may be the beginning of one, as it may still be typed.
    """

    person: Person
    plain: list[str]
    open_end: bool

    @classmethod
    def of(cls, person: Person, query: str) -> "Query":
        """Read a query."""
        plain = words_of(query[:LONGEST_QUERY])[:MOST_WANTED]
        return cls(person, plain, bool(plain) and len(plain[-1]) >= SHORTEST_BEGINNING)

    @property
    def words(self) -> list[str]:
        """The words as the person's."""
        return [marked(self.person, word) for word in self.plain]

    @property
    def fts5(self) -> str:
        """The query in FTS5's language; words have no quotes, nothing else is let through."""
        return " AND ".join(f'"{word}"' for word in self.words) + " *" * self.open_end

    @property
    def tsquery(self) -> str:
        """The query in PostgreSQL's language."""
        return " & ".join(f"'{word}'" for word in self.words) + ":*" * self.open_end
