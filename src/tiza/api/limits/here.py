"""Counters in this process's memory."""

import time
from collections import Counter
from collections.abc import Sequence

from tiza.api.limits.quota import Costs, Quota

SWEEP_SECONDS = 60.0


class Here:
    """Counts alone. Rates that are unused again are forgotten, so floods leave nothing behind."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}  # to which moment each rate's time is taken
        self._places = Counter[str]()
        self._swept = time.monotonic()

    def take(self, quotas: Sequence[Quota], costs: Costs) -> tuple[bool, list[float]]:
        """Take all costs or none; tell which, and the levels before."""
        now = time.monotonic()
        levels = [self._level(quota, now) for quota in quotas]
        after = [q.level(level, costs[q.name]) for q, level in zip(quotas, levels, strict=True)]
        fits = all(level <= q.full for q, level in zip(quotas, after, strict=True))
        if fits:
            for quota, level in zip(quotas, after, strict=True):
                self._set(quota, level, now)
        self._sweep(now)
        return fits, levels

    def give(self, quotas: Sequence[Quota], costs: Costs) -> None:
        """Give back what was taken too much; negative costs are taken."""
        now = time.monotonic()
        for quota in quotas:
            level = quota.level(self._level(quota, now), -costs[quota.name])
            self._set(quota, max(0.0, level), now)

    def _level(self, quota: Quota, now: float) -> float:
        if not quota.seconds:
            return self._places[quota.key]
        return max(0.0, self._until.get(quota.key, now) - now)

    def _set(self, quota: Quota, level: float, now: float) -> None:
        if quota.seconds:
            self._until[quota.key] = now + level
        elif level:
            self._places[quota.key] = int(level)
        else:
            del self._places[quota.key]

    def _sweep(self, now: float) -> None:
        if now - self._swept >= SWEEP_SECONDS:
            self._swept = now
            self._until = {key: until for key, until in self._until.items() if until > now}
