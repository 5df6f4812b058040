"""What a caller may use, and how much of it is left: numbers only.

Rates follow the generic cell rate algorithm (ATM Forum TM 4.0, "virtual scheduling"): each unit
takes `seconds / amount` of time, and at most `seconds` may be taken ahead. So one number a rate is
kept, nothing comes all at once at the full hour, and what was reserved too much is simply given
back. Whoever has used nothing may use the whole amount at once.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PLACE_SECONDS = 5.0  # when to try again for a place: nobody knows when an answer ends
SLACK = 1e-4  # seconds that rounding may lose

Costs = Mapping[str, int]  # by name of the quota


@dataclass(frozen=True)
class Quota:
    """At most `amount` in `seconds`; at the same time if `seconds` is 0. `subject`: of whom."""

    name: str
    subject: str
    amount: int
    seconds: int = 0

    @property
    def key(self) -> str:
        """The name of its counter."""
        return f"{self.name}:{self.subject}"

    def level(self, before: float, cost: int) -> float:
        """Return the level after a cost: seconds that are taken ahead, or places."""
        return before + (cost * self.seconds / self.amount if self.seconds else cost)

    @property
    def full(self) -> float:
        """The highest level."""
        return self.seconds + SLACK if self.seconds else float(self.amount)


@dataclass(frozen=True)
class Left:
    """How much is left of a quota, and in how many seconds all of it will be there again."""

    quota: Quota
    remaining: int
    reset: int


def wait(quotas: Sequence[Quota], levels: Sequence[float], costs: Costs) -> tuple[Quota, int]:
    """Return the quota that is waited for longest, and for how many seconds."""
    waits = [_wait(each, level, costs) for each, level in zip(quotas, levels, strict=True)]
    longest = max(range(len(quotas)), key=waits.__getitem__)
    return quotas[longest], max(1, math.ceil(waits[longest]))


def _wait(quota: Quota, level: float, costs: Costs) -> float:
    over = quota.level(level, costs[quota.name]) - quota.full
    if over <= 0 or quota.seconds:
        return over
    return PLACE_SECONDS


def left(quotas: Sequence[Quota], levels: Sequence[float]) -> list[Left]:
    """Return what is left: of each name, where least is."""
    tightest: dict[str, Left] = {}
    for quota, level in zip(quotas, levels, strict=True):
        found = _left(quota, level)
        if quota.name not in tightest or found.remaining < tightest[quota.name].remaining:
            tightest[quota.name] = found
    return list(tightest.values())


def _left(quota: Quota, level: float) -> Left:
    if not quota.seconds:
        return Left(quota, max(0, quota.amount - int(level)), 0)
    free = (quota.full - level) * quota.amount / quota.seconds
    return Left(quota, min(quota.amount, max(0, math.floor(free))), math.ceil(level))
