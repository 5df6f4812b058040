"""How many requests a teacher of unknown capacity is sent at once.

A teacher that has enough to do either lets requests queue, so that all take longer, or refuses some
of them (429, 503). Both show in the answers, and nothing else is asked for here: no clock, no
network. Time comes in as seconds of a clock that only goes forward.

The method is that of BBR (Cardwell et al., "BBR: Congestion-Based Congestion Control", ACM Queue
14(5), 2016): the capacity is what comes back per second times the time that an answer takes when
nobody queues, and a quarter more than that is kept under way. As there, the first rounds double
what is under way until more of it no longer brings more back, and where that time is in doubt it is
measured again with less under way (a dip). Unlike there, a dip is small and local, for engines that
batch: all their answers take longer the more they answer at once, long before any of them queues.
A refusal is answered as by TCP (RFC 5681: at once, by no more than half, once for what was under
way), and the number at which refusals began is tried again in growing steps, as by BIC-TCP (Xu,
Harfoush, Rhee, INFOCOM 2004).
"""

import math
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

FIRST_LIMIT, LAST_LIMIT = 8, 512
GAIN = 1.25  # under way, as a multiple of what the teacher works on
WORTH = 1.15  # doubling has to bring this much more, or the first rounds are over
DOUBT = 1.5  # times the undisturbed latency, before that is measured again
TRUST, SURPRISE = 0.25, 0.7  # in one round in which it was less; so much less is no chance
DIP, DEEP_DIP = 0.75, 0.5  # shares of the limit while it is measured
FEWEST_ANSWERS = 16  # that make a round
QUEUEING = 0.75  # exponent: more than three quarters of what is added only waits
CALM_ROUNDS = 4  # after a refusal, before more is tried
PAUSE_SHARE = 1 / 40  # of the time that may be spent in pauses which more requests brought about
FIRST_PAUSE, LAST_PAUSE = 0.25, 30.0  # seconds, while nothing but refusals comes back

Phase = Literal["start", "cruise", "dip"]


@dataclass(frozen=True, slots=True)
class Place:
    """A request under way: when it was sent, as which one, in which round."""

    sent: float
    number: int
    round: int


class Rate:
    """Counts requests under way, and moves `limit`, the number of them that are worth having."""

    def __init__(self) -> None:
        self.limit = float(FIRST_LIMIT)
        self.in_flight = 0
        self.held_until = -math.inf
        self._phase: Phase = "start"
        self._sent = self._round = 0
        self._best = 0.0  # answers a second in the first rounds
        self._base = 0.0  # seconds that an answer takes undisturbed
        self._seen: list[tuple[float, float]] = []  # limits and latencies of the first rounds
        self._before_dip = (0.0, 0.0)  # limit and latency
        self._doubted = False
        self._ceiling = float(LAST_LIMIT)
        self._step, self._calm, self._try_at = 1.0, 0, -math.inf
        self._cut_number, self._floor, self._cuts_in_a_row = 0, 1.0, 0
        self._answers, self._thin = 0, False
        self._seconds: list[float] = []

    def free(self, now: float) -> bool:
        """Tell whether a request may be sent."""
        return self.in_flight < int(self.limit) and now >= self.held_until

    def send(self, now: float) -> Place:
        """Take a place; give it back by one of the methods below."""
        self.in_flight += 1
        self._sent += 1
        return Place(now, self._sent, self._round)

    def answered(self, place: Place, now: float) -> None:
        """Count an answer, and the time that it took."""
        self._thin = self._thin or self.in_flight < int(self.limit)
        self.in_flight -= 1
        self._cuts_in_a_row = 0
        if place.round != self._round:
            return
        starting, self._answers = self._phase == "start", self._answers + 1
        # In the first rounds, half of what is under way was added when the round began.
        whole = int(self.limit) // 2 if starting else max(int(self.limit), FEWEST_ANSWERS)
        if not starting or 2 * self._answers > whole:  # what was added finds no queue at first
            self._seconds.append(now - place.sent)
        if self._answers >= whole:
            self._end_round(now)

    def refused(self, place: Place, now: float, pause: float = 0.0) -> None:
        """Have less under way at once; for `pause` seconds nobody sends anything."""
        self.in_flight -= 1
        self._cut(place, now, pause, self.in_flight)

    def lost(self, place: Place, now: float) -> None:
        """Have less under way: an answer did not come in time, or the connection broke."""
        self.in_flight -= 1
        if place.number > self._cut_number:
            self._cut(place, now, 0.0, self.limit * DIP)

    def dropped(self) -> None:
        """Give a place back of which nothing was learned."""
        self.in_flight -= 1

    def _cut(self, place: Place, now: float, pause: float, limit: float) -> None:
        if place.number > self._cut_number:  # sent after the last cut: that was not enough
            self._cut_number = self._sent
            self._floor = max(1.0, self.limit / 2)
            self._cuts_in_a_row += 1
            if self._cuts_in_a_row > 1:
                pause = max(pause, min(FIRST_PAUSE * 2**self._cuts_in_a_row, LAST_PAUSE))
        self.limit = self._ceiling = max(self._floor, min(self.limit, limit))
        self.held_until = max(self.held_until, now + pause)
        self._try_at = max(self._try_at, now + pause / PAUSE_SHARE)
        self._phase, self._step, self._calm = "cruise", 1.0, 0
        self._begin_round()

    def _begin_round(self) -> None:
        self._round += 1
        self._answers, self._thin, self._seconds = 0, False, []

    def _end_round(self, now: float) -> None:
        latency = max(fmean(self._seconds), 1e-6)
        if not self._thin:  # else there was not enough to ask
            match self._phase:
                case "start":
                    self._double(latency)
                case "dip":
                    self._leave_dip(latency)
                case "cruise":
                    self._cruise(latency, now)
        self._begin_round()

    def _double(self, latency: float) -> None:
        rate, best = int(self.limit) / latency, self._best
        self._best = max(rate, best)
        self._seen.append((self.limit, latency))
        if rate >= WORTH * best and self.limit < self._ceiling:
            self._doubted = False
            self._grow(2)
        elif not self._doubted:  # once more with as many
            self._doubted = True
            self._seen.pop()
        else:
            self._doubted = False
            self._phase, self._base = "cruise", self._undisturbed()
            self.limit = max(1.0, min(self.limit, GAIN * self._best * self._base))

    def _undisturbed(self) -> float:
        """Go back through the first rounds to the last one in which nobody queued."""
        limit, latency = self._seen.pop()
        while self._seen:
            fewer, sooner = self._seen.pop()
            if not _queued(fewer / limit, sooner / latency):
                break
            limit, latency = fewer, sooner
        return latency

    def _cruise(self, latency: float, now: float) -> None:
        self._raise_ceiling(now)
        if latency < self._base * SURPRISE or not self._base:
            self._base = latency
        elif latency < self._base:
            self._base += (latency - self._base) * TRUST
        in_doubt = latency > DOUBT * self._base
        if in_doubt and self._doubted:
            self._dip(latency)
        elif not in_doubt:
            self._grow(min(max(1.0, GAIN * self._base / latency), GAIN))
        self._doubted = in_doubt

    def _dip(self, latency: float) -> None:
        self._phase, self._before_dip = "dip", (self.limit, latency)
        self.limit = max(1.0, self.limit * (DEEP_DIP if latency > 2 * self._base else DIP))

    def _leave_dip(self, latency: float) -> None:
        limit, before = self._before_dip
        if _queued(self.limit / limit, latency / before):
            self._dip(latency)
        else:
            self._phase, self._base, self.limit = "cruise", latency, limit
            self._grow(min(GAIN * latency / before, GAIN))

    def _raise_ceiling(self, now: float) -> None:
        self._calm += 1
        if self.limit >= self._ceiling and self._calm > CALM_ROUNDS and now >= self._try_at:
            self._ceiling = min(self._ceiling + self._step, LAST_LIMIT)
            self._step *= 2

    def _grow(self, factor: float) -> None:
        self.limit = max(1.0, min(self.limit * factor, self._ceiling))


def _queued(share: float, ratio: float) -> bool:
    """Tell whether requests queued, if with that share under way the latency has that ratio.

    Where all of them queue, the two are equal; where none does, and none slows the others, it is 1.
    """
    return share < 1 and ratio <= share**QUEUEING
