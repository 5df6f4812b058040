"""API keys: `tiza_`, a public id, and a secret of 256 bits that is shown once.

The store has the secret's HMAC under a key that is not in the database: whoever reads the one
cannot make the other, and cannot even try.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import UTC, datetime

from tiza.api.accounts.secret import derived
from tiza.store.credentials import Key, KeyHolder
from tiza.store.tokens import new_public_id, new_token

FORM = re.compile(r"tiza_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


def make(
    secret: bytes, name: str, scopes: Sequence[str], expires_at: datetime | None
) -> tuple[Key, bytes, str]:
    """Return a new key, the hash that is kept of it, and the text that its owner is shown."""
    key = Key(new_public_id(), name, tuple(scopes), datetime.now(UTC), expires_at)
    token = new_token()
    return key, _hash(secret, key.id, token), f"tiza_{key.id}_{token}"


def parts(text: str) -> tuple[str, str] | None:
    """Return the id and the secret of a text, None if it is no key."""
    found = FORM.fullmatch(text)
    return (found[1], found[2]) if found else None


def opens(secret: bytes, holder: KeyHolder, token: str) -> bool:
    """Tell whether it is the key's secret, in the same time for every wrong one."""
    return hmac.compare_digest(_hash(secret, holder.key.id, token), holder.secret_hash)


def _hash(secret: bytes, key_id: str, token: str) -> bytes:
    return hmac.digest(derived(secret, "API keys"), f"{key_id} {token}".encode(), hashlib.sha256)
