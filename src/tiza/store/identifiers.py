"""Identifiers: UUIDs of version 7 (RFC 9562) without dashes. They grow: new rows lie together.

Within a process they grow strictly; between processes by the millisecond.
"""

import os
import re
import threading
import time

FORM = re.compile("[0-9a-f]{32}")

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
    return f"{high << 64 | low:032x}"


def parsed(text: str) -> str | None:
    """Return the identifier that the text is, None if it is none."""
    return text if FORM.fullmatch(text) else None
