"""Names of accounts: people write the same name in many ways."""

import unicodedata


def key_of(name: str) -> str:
    """Return what is the same for a name however it is written (NFKC, case, outer blanks)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()
