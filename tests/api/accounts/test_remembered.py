"""What is remembered of callers takes no memory once its time is over."""

import weakref

from tiza.api.accounts.remembered import MOST, Remembered


class Found:
    """Somebody who was found."""


def test_found_goes_when_its_time_is_over() -> None:
    """Whoever comes next sweeps out the old ones, not those that still count."""
    remembered: Remembered[Found] = Remembered()
    old, fresh = Found(), Found()
    gone, kept = weakref.ref(old), weakref.ref(fresh)
    remembered.put("old", old, seconds=0)
    remembered.put("fresh", fresh)
    del old, fresh
    remembered.put("next", Found())
    assert gone() is None
    assert remembered.get("fresh") is kept() is not None


def test_oldest_go_when_there_are_too_many() -> None:
    """As many as may be, and no more; the newest are there."""
    remembered: Remembered[int] = Remembered()
    for number in range(MOST + 10):
        remembered.put(str(number), number)
    there = [remembered.get(str(number)) is not None for number in range(MOST + 10)]
    assert there == [False] * 10 + [True] * MOST
