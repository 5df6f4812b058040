"""A teacher of unknown capacity is kept busy and not drowned, whatever its manners."""

import pytest

from tests.generate.simulated import World
from tiza.generate.rate import FIRST_LIMIT, LAST_LIMIT, Rate

ENOUGH = 0.95
manners = pytest.mark.parametrize("refuses", [False, True], ids=["queues", "refuses"])


@manners
@pytest.mark.parametrize("capacity", [1, 2, 8, 32, 100, 256])
def test_teacher_is_busy_and_not_drowned_whatever_its_capacity(
    capacity: int, *, refuses: bool
) -> None:
    """From the first minute on 95 % of it is used, the queue is shorter, refusals are rare."""
    world = World(lambda _: capacity, delay=0.5, refuses=refuses)
    first, _ = world.run(60)
    later, queue = world.run(60)
    assert min(first, later) >= ENOUGH
    assert queue <= max(capacity, FIRST_LIMIT)
    assert world.refusals / world.answers <= (0.02 if capacity >= FIRST_LIMIT else 0.06)


@manners
@pytest.mark.parametrize("capacity", [8, 32, 128])
def test_teacher_is_busy_when_its_answers_take_unequal_time(
    capacity: int, *, refuses: bool
) -> None:
    """Answers of very different length are no sign of a queue."""
    world = World(lambda _: capacity, delay=0.5, refuses=refuses, spread=0.5)
    assert world.run(120)[0] >= ENOUGH


@manners
def test_limit_follows_when_the_capacity_grows(*, refuses: bool) -> None:
    """A teacher that gets four times as many slots has them filled within a minute."""
    world = World(lambda now: 32 if now < 60 else 128, refuses=refuses)
    world.run(120)
    assert world.run(60)[0] >= ENOUGH


@manners
def test_limit_follows_when_the_capacity_shrinks(*, refuses: bool) -> None:
    """A teacher that loses most of its slots is not drowned, and stays busy."""
    world = World(lambda now: 128 if now < 60 else 16, refuses=refuses)
    world.run(180)
    busy, queue = world.run(60)
    assert busy >= ENOUGH
    assert queue <= 16


def test_pauses_cost_little_when_every_refusal_asks_for_one() -> None:
    """The limit is tried seldom where it costs a pause of all."""
    world = World(lambda _: 32, delay=0.3, refuses=True, pause=1.0)
    assert world.run(240)[0] >= ENOUGH


def test_nothing_is_sent_when_a_pause_was_asked_for() -> None:
    """A pause holds for everybody, until its last moment."""
    rate = Rate()
    place = rate.send(10.0)
    rate.refused(place, 10.0, pause=30.0)
    assert not rate.free(39.9)
    assert rate.free(40.0)


def test_limit_falls_at_once_when_a_request_is_refused() -> None:
    """The first refusal lowers the limit to what was accepted, but by no more than half."""
    rate = Rate()
    places = [rate.send(0.0) for _ in range(FIRST_LIMIT)]
    limits = []
    for place in places:
        rate.refused(place, 0.1)
        limits.append(rate.limit)
    assert limits == [7, 6, 5, 4, 4, 4, 4, 4]


def test_pauses_grow_when_nothing_but_refusals_comes_back() -> None:
    """A teacher that refuses everything is asked ever more seldom, one request at a time."""
    rate, now, waits = Rate(), 0.0, []
    for _ in range(12):
        now = max(now, rate.held_until)
        place = rate.send(now)
        while rate.free(now):
            rate.send(now)
        rate.refused(place, now)
        for _ in range(rate.in_flight):
            rate.dropped()
        waits.append(max(0.0, rate.held_until - now))
    assert waits[0] == 0
    assert waits == sorted(waits)
    assert waits[-1] == 30
    assert rate.limit == 1


def test_limit_stays_when_there_is_too_little_to_ask() -> None:
    """Answers that come back while places are free tell nothing about the capacity."""
    rate = Rate()
    for now in range(100):
        rate.answered(rate.send(float(now)), now + 0.5)
    assert rate.limit == FIRST_LIMIT


def test_limit_has_an_end_when_the_capacity_has_none() -> None:
    """However much a teacher takes, connections do not run out here."""
    world = World(lambda _: 100_000, delay=1)
    world.run(15)
    assert world.rate.limit == LAST_LIMIT


def test_limit_falls_when_answers_are_late() -> None:
    """Time-outs of one moment lower the limit once."""
    rate = Rate()
    for place in [rate.send(0.0) for _ in range(4)]:
        rate.lost(place, 300.0)
    assert rate.limit == 6
