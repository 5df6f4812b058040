"""Answers are kept for a while, within a bound."""

import pytest

from tiza.api.engine_client import Frame
from tiza.api.sharing import cache
from tiza.api.sharing.cache import BYTES_PER_FRAME, Cache

FRAMES: list[Frame] = [(b'{"a":1}', {"a": 1}), (b'{"b":2}', {"b": 2})]
RAWS = [raw for raw, _ in FRAMES]
SIZE = sum(len(raw) + BYTES_PER_FRAME for raw in RAWS)


class Clock:
    """Time that passes when it is told to."""

    now = 1000.0

    def monotonic(self) -> float:
        """Return the time."""
        return self.now


def test_answer_is_found_until_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it was, and after `seconds` no more; what is over takes no memory."""
    clock = Clock()
    monkeypatch.setattr(cache, "time", clock)
    kept = Cache(10)
    kept.put(b"key", RAWS)
    assert kept.get(b"key") == FRAMES
    assert kept.get(b"other") == []
    clock.now += 9.9
    assert kept.get(b"key") == FRAMES
    clock.now += 0.1
    assert kept.get(b"key") == []
    assert kept.size == 0


def test_nothing_is_kept_when_the_time_is_zero() -> None:
    """0 turns it off."""
    kept = Cache(0)
    kept.put(b"key", RAWS)
    assert kept.get(b"key") == []
    assert kept.size == 0


def test_answer_not_asked_for_longest_goes_when_the_bound_is_reached() -> None:
    """Memory is bounded in bytes, whatever is asked."""
    kept = Cache(10, most=3 * SIZE)
    for key in (b"1", b"2", b"3"):
        kept.put(key, RAWS)
    assert kept.get(b"1") == FRAMES
    kept.put(b"4", RAWS)
    assert [bool(kept.get(key)) for key in (b"1", b"2", b"3", b"4")] == [True, False, True, True]
    assert kept.size == 3 * SIZE
    kept.put(b"5", RAWS * 4)
    assert kept.size == 0


def test_size_is_right_when_an_answer_is_kept_again() -> None:
    """What is replaced is not counted twice."""
    kept = Cache(10)
    for _ in range(3):
        kept.put(b"key", RAWS)
    assert kept.size == SIZE
