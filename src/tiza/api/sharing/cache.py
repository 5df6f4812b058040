"""Whole answers, kept for a while within a bound of bytes. Knows no persons: keys are hashes."""

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from tiza.api.engine_client import Frame, frames_of

MOST_BYTES = 33_554_432
BYTES_PER_FRAME = 64  # what Python needs beside the bytes themselves


@dataclass(frozen=True)
class _Kept:
    raws: tuple[bytes, ...]
    size: int
    until: float


class Cache:
    """Forgets what is older than `seconds`; over `most` bytes, what was not asked for longest."""

    def __init__(self, seconds: float, most: int = MOST_BYTES) -> None:
        self._seconds, self._most = seconds, most
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        self.size = 0

    def put(self, key: bytes, raws: Sequence[bytes]) -> None:
        """Keep an answer: its frames as they came."""
        if not self._seconds:
            return
        self._drop(key)
        size = sum(len(raw) + BYTES_PER_FRAME for raw in raws)
        self._kept[key] = _Kept(tuple(raws), size, time.monotonic() + self._seconds)
        self.size += size
        while self.size > self._most:
            self._drop(next(iter(self._kept)))

    def get(self, key: bytes) -> list[Frame]:
        """Return an answer; no frames if there is none."""
        kept = self._kept.get(key)
        if kept is None:
            return []
        if kept.until <= time.monotonic():
            self._drop(key)
            return []
        self._kept.move_to_end(key)
        return frames_of(kept.raws)

    def _drop(self, key: bytes) -> None:
        if dropped := self._kept.pop(key, None):
            self.size -= dropped.size
