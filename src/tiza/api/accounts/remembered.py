"""Who was found for a credential, for a few seconds: so long may what another process revokes work.

What this process revokes is forgotten here at once.
"""

import time
from hashlib import sha256
from typing import Generic, TypeVar

SECONDS = 5.0
MOST = 4096

T = TypeVar("T")


class Remembered(Generic[T]):
    """What was found, by credential; the credentials themselves are not kept."""

    def __init__(self) -> None:
        self._found: dict[bytes, tuple[float, T]] = {}

    def get(self, credential: str) -> T | None:
        """Return what was found within the last seconds."""
        entry = self._found.get(_key(credential))
        return entry[1] if entry is not None and entry[0] > time.monotonic() else None

    def put(self, credential: str, found: T, seconds: float = SECONDS) -> None:
        """Remember; the oldest go where their time is over, or where there are too many."""
        key, now = _key(credential), time.monotonic()
        self._found.pop(key, None)
        while self._found:
            oldest = next(iter(self._found))
            if len(self._found) < MOST and self._found[oldest][0] > now:
                break
            del self._found[oldest]
        self._found[key] = now + min(seconds, SECONDS), found

    def drop(self, credential: str) -> None:
        """Forget what was found for a credential; for an empty one, everything."""
        if credential:
            self._found.pop(_key(credential), None)
        else:
            self._found.clear()


def _key(credential: str) -> bytes:
    return sha256(credential.encode("utf-8", "surrogatepass")).digest()
