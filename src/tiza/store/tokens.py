"""Random tokens, of which only a hash is kept: they are too long to be guessed back from it."""

import hashlib
import re
import secrets

TOKEN_BYTES = 32
ID_BYTES = 6
ID = re.compile("[0-9a-f]{12}")


def new_token() -> str:
    """Return 256 random bits for a cookie or a link."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def new_public_id() -> str:
    """Return a short random name for what people see in a list."""
    return secrets.token_hex(ID_BYTES)


def hashed(token: str) -> bytes:
    """Hash a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
