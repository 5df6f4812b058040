"""Words of a text, and short fingerprints by which equal questions are found again.

English and Spanish only where a language must be told; silent when unsure.
"""

import re
import unicodedata
from hashlib import blake2b
from zlib import crc32

# Words, and the signs that carry meaning in formulas and code; sentence marks are left out.
TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+|[=+#<>*/%&|^~$€£]+")
COMBINING = re.compile(r"[\u0300-\u036f]+")
DIGIT = re.compile(r"\d")
FEWEST_SIGNIFICANT = 4

ENGLISH_WORDS = """
the of and to in is that it for was on are as with they be at this have from or had by but
not what were when your can an each which she do how their if will there about many then
them these so some her would him has who why where does did you
"""
SPANISH_WORDS = """
el la los las de del que y en un una es se por con para como más pero sus le ya este sí
porque esta entre cuando muy sin sobre también hay donde quien desde todo nos qué cuál cómo
dónde cuándo quién son fue está tiene su lo al cuántos cuántas
"""
# Words that do not tell two questions apart. Question words and negations do, and stay.
FILLER_WORDS = """
the a an of in on at to is are was were do does did be it its that this you your please
can could would tell me el la los las un una de del en a al es son era fue se su que lo
puedes puede dime me por favor
"""
ENGLISH = frozenset(ENGLISH_WORDS.split())
SPANISH = frozenset(SPANISH_WORDS.split())
FILLERS = frozenset(FILLER_WORDS.split())


def tokens(text: str) -> list[str]:
    """Return the words in lower case."""
    return TOKEN.findall(text.casefold())


def plain(text: str) -> str:
    """Return the text without accents."""
    if text.isascii():
        return text
    return COMBINING.sub("", unicodedata.normalize("NFD", text))


def significant(words: list[str]) -> list[str]:
    """Return the words that tell a text from another."""
    return [word for word in words if word not in FILLERS]


def exact_print(words: list[str], context: str | None = None) -> int:
    """Return 32 bits that are equal for the same words in the same order (about the same text)."""
    return crc32(" ".join(words).encode(), _salt(context))


def near_print(words: list[str], context: str | None = None) -> int:
    """Return 64 bits that are equal for the same significant words, accents and order aside.

    The order counts where there are numbers ("3 m in km", "3 km in m") and in short questions.
    """
    kept = significant(words)
    if len(kept) < FEWEST_SIGNIFICANT:
        kept = words
    text = " ".join(kept)
    if kept is not words and not DIGIT.search(text):
        text = " ".join(sorted(set(kept)))
    digest = blake2b(plain(text).encode(), digest_size=8)
    return int.from_bytes(digest.digest(), "little") ^ _salt(context)


def _salt(context: str | None) -> int:
    return crc32(" ".join(context.split()).encode()) if context else 0


def likely_language(text: str) -> str | None:
    """Return `en` or `es` if a text is clearly written in it, by its most frequent words."""
    words = set(text.casefold().split())
    english, spanish = len(ENGLISH & words), len(SPANISH & words)
    if spanish >= 4 and spanish > 3 * english:  # noqa: PLR2004  # see the next line
        return "es"
    return "en" if english >= 4 and english > 3 * spanish else None  # noqa: PLR2004  # four words of one language, three times as many as of the other, are no accident
