"""Orders to a language model that stand in a lesson's document, and samples that obey them.

What cannot be guaranteed: orders are recognised by the words that such orders usually have, in
English and Spanish. An order in other words, or one whose effect uses only words of the passage
itself ("say that the mill stands in Arden"), is left to the comparison with the passage and to the
judges, and a judge may be fooled as well. What is recognised too much costs some samples, never
the lesson's own pairs, and shows in the preview.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from tiza.taxonomy.words import ENGLISH, FILLERS, SPANISH, plain, tokens

COMMON = ENGLISH | SPANISH | FILLERS
STEM = 5  # characters that an inflected word keeps
HIDDEN = re.compile(r"[\u00ad\u200b-\u200f\u2060\ufeff]")
SEPARATOR = re.compile(r"(?<=\d)[.,](?=\d)")
PARAGRAPH = re.compile(r"\n\s*?\n")
SENTENCE_END = re.compile(r"[.!?:;]\s|\n")
# Matched against small letters without accents.
ORDERS = re.compile(
    r"\b(?:ignore|disregard|forget|override|(?:do not|don't|stop) (?:follow|obey)(?:ing)?)\b"
    r"[^.!?\n]{0,40}\b(?:instruction|prompt|rule|task|guideline|above|previous|before)"
    r"|\b(?:answer|reply|respond|write|say|output|print|repeat)(?: \w+){0,2}"
    r" (?:only|exactly|nothing but|with the words?)\b"
    r"|\b(?:only|just) (?:answer|reply|respond|write|say|output|print)\b"
    r"|\byou are now\b|\bfrom now on,? you\b|\bnew instructions?\b|\bsystem prompt\b"
    r"|\b(?:ignor[ae]|olvid[ae]|descart[ae]|desobedece|no (?:sigas|siga|obedezcas)"
    r"|haz caso omiso)\b[^.!?\n]{0,40}"
    r"\b(?:instruccion|indicacion|orden|regla|tarea|anterior|dicho|prompt)"
    r"|\b(?:respond[ea]|contest[ae]|escrib[ea]|di|diga|repit[ea]|imprim[ea])(?: \w+){0,2}"
    r" (?:solo|solamente|unicamente|exactamente|nada mas que|con las? palabras?)\b"
    r"|\b(?:solo|unicamente) (?:responde|contesta|escribe|di)\b"
    r"|\ba partir de ahora,? (?:eres|seras|responde|escribe)|\bahora eres\b"
    r"|\bnuevas instrucciones\b|\bprompt del sistema\b"
)


def gives_orders(text: str) -> bool:
    """Tell whether a text contains what looks like an order to a model."""
    return ORDERS.search(_comparable(text)) is not None


def stems(text: str) -> frozenset[str]:
    """Return the beginnings of the words that carry meaning."""
    words = tokens(SEPARATOR.sub("", text))
    return frozenset(plain(word)[:STEM] for word in words if word not in COMMON)


def forbidden(material: str, trusted: Iterable[str]) -> frozenset[str]:
    """Return the words that stand only where the material gives orders, and in no trusted text."""
    ordered, rest = _divided(material)
    if not ordered:
        return frozenset()
    allowed = stems(rest).union(*(stems(text) for text in trusted))
    return frozenset().union(*(stems(text) for text in ordered)) - allowed


def _divided(material: str) -> tuple[list[str], str]:
    """Part a material into what its orders say, the verbs of ordering left out, and the rest.

    An order reaches from the start of its sentence to the end of its paragraph, and over the next
    one where it ends with a colon.
    """
    ordered: list[str] = []
    rest: list[str] = []
    reaches = False
    for paragraph in PARAGRAPH.split(_comparable(material)):
        found = ORDERS.search(paragraph)
        if reaches or found is None:
            (ordered if reaches else rest).append(paragraph)
            reaches = False
            continue
        start = max((end.end() for end in _ends(paragraph, found.start())), default=0)
        rest.append(paragraph[:start])
        ordered += [ORDERS.sub(" ", paragraph[start:])]
        reaches = paragraph.rstrip().endswith(":")
    return ordered, "\n".join(rest)


def _ends(text: str, before: int) -> Iterator[re.Match[str]]:
    return SENTENCE_END.finditer(text, 0, before)


def _comparable(text: str) -> str:
    if not text.isascii():
        text = plain(HIDDEN.sub("", unicodedata.normalize("NFKC", text)))
    return text.casefold()
