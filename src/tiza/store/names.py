"""Names of accounts: what they may be, and that people write the same name in many ways."""

import unicodedata

CHARS = 64  # at most
# no blanks around it, no control characters, and no slash, as it is part of paths
FORM = r"^[^\s/\x00-\x1f\x7f](?:[^/\x00-\x1f\x7f]*[^\s/\x00-\x1f\x7f])?$"


def key_of(name: str) -> str:
    """Return what is the same for a name however it is written (NFKC, case, outer blanks)."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return unicodedata.normalize("NFKC", folded).replace("\0", "").strip()
