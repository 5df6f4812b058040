"""Identifiers: UUIDs of version 7 (RFC 9562), which grow with time, so that new rows lie together.

Within a process they grow strictly; between processes by the millisecond.
"""

import os
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """Return a new identifier; 62 of its bits are random."""
    global _last  # noqa: PLW0603  # the one state that a growing sequence has
    with _lock:
        # 48 bits of milliseconds and 12 of a fraction (RFC 9562, 6.2, method 3)
        tick = max((time.time_ns() << 12) // 1_000_000, _last + 1)
        _last = tick
    high = (tick >> 12) << 16 | 0x7000 | tick & 0xFFF
    low = int.from_bytes(os.urandom(8)) & ~(0b11 << 62) | 0b10 << 62
    return str(UUID(int=high << 64 | low))


def parsed(text: str) -> str | None:
    """Return an identifier as the store writes it, None if the text is none."""
    try:
        return str(UUID(text)) if len(text) == len("00000000-0000-0000-0000-000000000000") else None
    except ValueError:
        return None
