"""The arithmetic of quotas, with a clock that the test turns."""

import pytest

from tiza.api.limits import here
from tiza.api.limits.here import Here
from tiza.api.limits.quota import Quota, left, wait

HOURLY = Quota("requests", "user:1", 10, 3600)
PLACES = Quota("streams", "user:1", 2)
ONE = {"requests": 1, "tokens": 0, "streams": 1}


class Clock:
    """Time that passes when it is told to."""

    now = 1000.0

    def monotonic(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Put a clock into the counters."""
    clock = Clock()
    monkeypatch.setattr(here, "time", clock)
    return clock


def taken(counters: Here, *quotas: Quota, cost: int = 1) -> bool:
    """Take one of everything."""
    return counters.take(quotas, dict.fromkeys(ONE, cost))[0]


@pytest.mark.parametrize("amount", [1, 3, 10, 600, 200_000])
def test_whole_amount_may_be_used_at_once_and_not_one_more(clock: Clock, amount: int) -> None:
    """Whoever has used nothing may use all of it; then one comes back every seconds/amount."""
    counters, quota = Here(), Quota("requests", "user:1", amount, 3600)
    assert taken(counters, quota, cost=amount)
    assert not taken(counters, quota)
    clock.now += 3600 / amount * 0.99
    assert not taken(counters, quota)
    clock.now += 3600 / amount * 0.02
    assert taken(counters, quota)
    assert not taken(counters, quota)


def test_nothing_is_taken_when_one_quota_of_several_is_used_up(clock: Clock) -> None:
    """All or none: who is refused for one thing has not paid for another."""
    counters = Here()
    assert taken(counters, HOURLY, PLACES)
    assert taken(counters, HOURLY, PLACES)
    for _ in range(20):
        assert not taken(counters, HOURLY, PLACES)
    counters.give([HOURLY, PLACES], {"requests": 0, "tokens": 0, "streams": 1})
    _, levels = counters.take([HOURLY], dict.fromkeys(ONE, 0))
    assert left([HOURLY], levels)[0].remaining == 8
    assert taken(counters, HOURLY, PLACES)


def test_reservation_is_given_back_when_less_was_used(clock: Clock) -> None:
    """What is given back can be used at once; what was used beyond the reservation is charged."""
    counters, tokens = Here(), Quota("tokens", "user:1", 1000, 86_400)
    assert taken(counters, tokens, cost=800)
    assert not taken(counters, tokens, cost=800)
    counters.give([tokens], {"tokens": 700})
    assert taken(counters, tokens, cost=900)
    counters.give([tokens], {"tokens": -500})
    _, levels = counters.take([tokens], {"tokens": 0})
    assert left([tokens], levels)[0].remaining == 0
    assert not taken(counters, tokens, cost=1)


def test_nothing_is_gained_when_a_reservation_is_given_back_late(clock: Clock) -> None:
    """Nobody ever has more than the whole amount."""
    counters, tokens = Here(), Quota("tokens", "user:1", 1000, 1000)
    assert taken(counters, tokens, cost=500)
    clock.now += 5000
    counters.give([tokens], {"tokens": 500})
    assert not taken(counters, tokens, cost=1001)
    assert taken(counters, tokens, cost=1000)


def test_wait_is_told_when_a_quota_is_used_up(clock: Clock) -> None:
    """The longest of all that is waited for, in whole seconds, and it suffices."""
    counters = Here()
    assert taken(counters, HOURLY, cost=10)
    fits, levels = counters.take([HOURLY, PLACES], ONE)
    assert not fits
    assert wait([HOURLY, PLACES], levels, ONE) == (HOURLY, 360)
    clock.now += 360
    assert taken(counters, HOURLY)


def test_counters_are_forgotten_when_they_are_full_again(clock: Clock) -> None:
    """A flood from many addresses leaves nothing behind."""
    counters = Here()
    for number in range(1000):
        assert taken(counters, Quota("requests", f"address:{number}", 600, 3600))
    clock.now += 3600
    assert taken(counters, HOURLY)
    assert len(counters._until) == 1


def test_tightest_is_told_when_several_hold() -> None:
    """Of each name the one with least left."""
    shared = Quota("requests", "address:x", 400, 3600)
    (told,) = left([HOURLY, shared], [3600.0, 9.0])
    assert (told.quota, told.remaining, told.reset) == (HOURLY, 0, 3600)
