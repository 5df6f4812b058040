"""Counters in Redis, for several processes: one script a question, all or nothing, Redis's clock.

A place is a lease that its process renews, so those of a process that died come free by themselves.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from tiza.api.limits.quota import Costs, Quota
from tiza.errors import LimitsUnavailable

PREFIX = "tiza:limit:"
PATIENCE_SECONDS = 1.0
AWAY_SECONDS = 1.0  # for how long a Redis that failed is not asked again
LEASE_SECONDS = 60
RENEW_SECONDS = 20.0

AWAY = (RedisError, OSError, TimeoutError)

# ARGV: the lease, its seconds; then amount, seconds and cost of each key. Returns 1 if all was
# taken, then the levels before.
TAKE = """
local clock = redis.call('TIME')
local now, lease, life = clock[1] + clock[2] / 1e6, ARGV[1], tonumber(ARGV[2])
local fits, after, told = 1, {}, {}
for i, key in ipairs(KEYS) do
  local amount, seconds, cost = ARGV[3 * i], tonumber(ARGV[3 * i + 1]), tonumber(ARGV[3 * i + 2])
  local level, full = 0, tonumber(amount)
  if seconds > 0 then
    level = math.max(0, tonumber(redis.call('GET', key) or now) - now)
    cost, full = cost * seconds / full, seconds + 1e-4
  else
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
    level = redis.call('ZCARD', key)
  end
  after[i] = level + cost
  if after[i] > full then fits = 0 end
  told[i] = string.format('%.6f', level)
end
if fits == 1 and lease ~= '' then
  for i, key in ipairs(KEYS) do
    if tonumber(ARGV[3 * i + 1]) > 0 then
      redis.call('SET', key, string.format('%.6f', now + after[i]), 'EX', math.ceil(after[i]) + 1)
    else
      redis.call('ZADD', key, now + life, lease)
      redis.call('EXPIRE', key, life)
    end
  end
end
return {fits, unpack(told)}
"""
# ARGV: the lease; then amount, seconds and what is given back of each key.
GIVE = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1e6
for i, key in ipairs(KEYS) do
  local amount, seconds, cost = ARGV[3 * i - 1], tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
  if seconds == 0 then
    redis.call('ZREM', key, ARGV[1])
  elseif cost ~= 0 then
    local level = math.max(0, tonumber(redis.call('GET', key) or now) - now)
    level = level - cost * seconds / tonumber(amount)
    if level > 0 then
      redis.call('SET', key, string.format('%.6f', now + level), 'EX', math.ceil(level) + 1)
    else
      redis.call('DEL', key)
    end
  end
end
"""

log = structlog.get_logger("tiza.api")


@dataclass(frozen=True)
class _Given:
    quotas: Sequence[Quota]
    costs: Costs
    lease: str


class Shared:
    """One process's way to the common counters. Made and closed in a running event loop."""

    def __init__(self, url: str) -> None:
        self._redis: Any = Redis.from_url(
            url,
            socket_timeout=PATIENCE_SECONDS,
            socket_connect_timeout=PATIENCE_SECONDS,
            retry=Retry(NoBackoff(), 1),  # once, for a connection that Redis has closed meanwhile
        )
        self._take = self._redis.register_script(TAKE)
        self._give = self._redis.register_script(GIVE)
        self._away_until = 0.0
        self._is_away = False
        self._leases: dict[str, list[str]] = {}  # of places: the keys of their quotas
        self._given: list[_Given] = []
        self._any = asyncio.Event()
        self._upkeep = [
            asyncio.create_task(work) for work in (self._renew_for_ever(), self._give_for_ever())
        ]

    async def close(self) -> None:
        """Give back what is left to give, if that works at once, and disconnect."""
        for task in self._upkeep:
            task.cancel()
        await asyncio.wait(self._upkeep)
        await self._give_all()
        await self._redis.aclose()

    async def take(
        self, quotas: Sequence[Quota], costs: Costs, lease: str
    ) -> tuple[bool, list[float]]:
        """Take all costs or none; tell which, and the levels before. Without a lease only look.

        Raises:
            LimitsUnavailable: Redis does not answer, or did not a moment ago.

        """
        if time.monotonic() < self._away_until:
            raise LimitsUnavailable
        keys = [PREFIX + quota.key for quota in quotas]
        args: list[str | int] = [lease, LEASE_SECONDS]
        for quota in quotas:
            args += (quota.amount, quota.seconds, costs[quota.name])
        try:
            fits, *levels = await self._take(keys, args)
        except AWAY as exc:
            self._note_away(exc)
            raise LimitsUnavailable from exc
        self._is_away = False
        if fits and lease:
            self._leases[lease] = [PREFIX + each.key for each in quotas if not each.seconds]
        return bool(fits), [float(level) for level in levels]

    def give(self, quotas: Sequence[Quota], costs: Costs, lease: str) -> None:
        """Give back soon what was taken too much; negative costs are taken."""
        self._leases.pop(lease, None)
        self._given.append(_Given(quotas, costs, lease))
        self._any.set()

    def _note_away(self, exc: BaseException) -> None:
        self._away_until = time.monotonic() + AWAY_SECONDS
        if not self._is_away:
            log.warning("redis away", error=type(exc).__name__, of="limits")
        self._is_away = True

    async def _give_for_ever(self) -> None:
        while True:
            await self._any.wait()
            self._any.clear()
            await self._give_all()

    async def _give_all(self) -> None:
        """Give back in one round trip. A Redis that is away has forgotten, or lets leases lapse."""
        given, self._given = self._given, []
        if not given:
            return
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for each in given:
                    await self._give(*_words(each), client=pipeline)
                await pipeline.execute()
        except AWAY as exc:
            self._note_away(exc)

    async def _renew_for_ever(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                await self._renew()
            except AWAY as exc:
                self._note_away(exc)

    async def _renew(self) -> None:
        """Renew the leases of all answers in progress; one that Redis forgot is there again."""
        until = time.time() + LEASE_SECONDS
        async with self._redis.pipeline(transaction=False) as pipeline:
            for lease, keys in self._leases.items():
                for key in keys:
                    pipeline.zadd(key, {lease: until})
                    pipeline.expire(key, LEASE_SECONDS)
            await pipeline.execute()


def _words(given: _Given) -> tuple[list[str], list[str | int]]:
    args: list[str | int] = [given.lease]
    for quota in given.quotas:
        args += (quota.amount, quota.seconds, given.costs[quota.name])
    return [PREFIX + quota.key for quota in given.quotas], args
