"""The languages that people read: one gettext catalogue per language under `locale/`.

English is written in the code, and the catalogues translate it. Knows nothing of who asks: the
command line has one language, the API has one per request.
"""

import gettext
import os
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "es")
LOCALE_PATH = Path(__file__).parent / "locale"
DOMAIN = "messages"
WEIGHTED_TAG = re.compile(r"([A-Za-z0-9*-]+)(?:\s*;\s*[Qq]=([01](?:\.[0-9]{0,3})?))?")


def N_(message: str) -> str:  # noqa: N802  # gettext's customary name for "translate later"
    """Mark a message for the catalogue where it is defined; it is translated where it is shown."""
    return message


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """Return the catalogue of a language, or the one that leaves English as it is."""
    return gettext.translation(DOMAIN, LOCALE_PATH, [language], fallback=True)


def translate(message: str, language: str) -> str:
    """Return the message in a language; English where the catalogue lacks it."""
    return catalogue(language).gettext(message) if message else ""


def best_language(preferred: Sequence[str]) -> str:
    """Return the first of the preferred tags (`es-MX`, `es_MX.UTF-8`, `en`) that Tiza speaks."""
    for tag in preferred:
        code = tag.strip().lower().replace("_", "-").partition("-")[0].partition(".")[0]
        if code in LANGUAGES:
            return code
    return "en"


def terminal_language() -> str:
    """Return the language of this process's terminal: TIZA_LANG, else the POSIX locale variables.

    Read here, not in `settings`: it is needed before anything heavy is imported.
    """
    names = ("TIZA_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
    return best_language([value for name in names if (value := os.environ.get(name))][:1])


def accepted_language(accept_language: str) -> str:
    """Choose the language of an answer by the Accept-Language header (RFC 9110, 12.5.4)."""
    ranked = []
    for position, part in enumerate(accept_language.split(",")[:20]):
        found = WEIGHTED_TAG.fullmatch(part.strip())
        if found and (quality := float(found[2] or 1)) > 0:
            ranked.append((-quality, position, found[1]))
    return best_language([tag for _, _, tag in sorted(ranked)])
