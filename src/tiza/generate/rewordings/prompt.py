"""The parts of a prompt that rewording rules look at. Knows no language but its marks."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tiza.taxonomy.words import plain

LONGEST = 400  # characters; a longer prompt carries a text, and only its frame may change
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-ZÁÉÍÓÚÑ0-9¿¡\"«“])")
# Text in which letters, case or marks may be the very matter: code, formulas, quotations, initials.
DELICATE = re.compile(r"[^\w\s.,;?!¿¡'\u2019-]|\d|_|\b[A-Z]\b|\b\w*[A-ZÁÉÍÓÚÑ]{2,}\w*\b|\w[.!]\w")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question in its sentences. `whole` is one that only a frame may be put around."""

    text: str
    sentences: tuple[str, ...]

    @classmethod
    def of(cls, question: str) -> "Prompt":
        """Split a question into its sentences, unless it carries a longer text."""
        text = question.strip()
        if "\n" in text or len(text) > LONGEST:
            return cls(text, (text,))
        return cls(text, tuple(SENTENCE_END.split(text)))

    @property
    def whole(self) -> bool:
        """Whether the prompt carries a text, so that its inside stays as it is."""
        return "\n" in self.text or len(self.text) > LONGEST

    @property
    def asks(self) -> bool:
        """Whether it ends with a question."""
        return self.text.endswith("?") or self.sentences[-1].startswith("¿")

    @property
    def question(self) -> str:
        """The last sentence, where it asks, without its marks; empty otherwise."""
        last = self.sentences[-1]
        if self.whole or not last.endswith("?") or (last.startswith("¿") and "¿" in last[1:]):
            return ""
        return last.removesuffix("?").removeprefix("¿").strip()

    def put(self, place: int, sentence: str) -> str:
        """Return the prompt with another sentence at a place."""
        sentences = list(self.sentences)
        sentences[place] = sentence
        return " ".join(sentences)

    def ask(self, question: str) -> str:
        """Return the prompt with another last sentence."""
        return self.put(-1, question)


Family = Callable[[Prompt], list[str]]
Families = Sequence[Family]


def capital(text: str) -> str:
    """Return the text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def small(text: str) -> str:
    """Return the text with its first letter in lower case; for words that are no names."""
    return text[:1].lower() + text[1:]


def typed_on_a_phone(text: str) -> str:
    """Return the text as hurried thumbs type it: no capitals, no marks, no accents (ñ stays).

    Empty where letters, case or marks may be what the text is about.
    """
    if DELICATE.search(text):
        return ""
    bare = "".join(letter if letter in "ñÑ" else plain(letter) for letter in text)
    return " ".join(re.sub(r"[.,;?!¿¡'\u2019]", "", bare.lower()).split())
