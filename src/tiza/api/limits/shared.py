"""Counters in Redis, for several processes: one script a question, all or nothing, Redis's clock.

A place is a lease that its process renews, so those of a process that died come free by themselves.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha1
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from tiza.api.limits.quota import Costs, Quota
from tiza.errors import LimitsUnavailable

PREFIX = "tiza:limit:"
PATIENCE_SECONDS = 1.0
AWAY_SECONDS = 1.0  # for how long a Redis that failed is not asked again
LEASE_SECONDS = 60
RENEW_SECONDS = 20.0
CLOSE_SECONDS = 3.0

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

SHA = {script: sha1(script.encode()).hexdigest() for script in (TAKE, GIVE)}  # noqa: S324  # Redis's name for it

log = structlog.get_logger("tiza.api")


@dataclass(frozen=True)
class _Call:
    """One run of a script; `told` gets its result, or what went wrong."""

    script: str
    keys: Sequence[str]
    args: Sequence[str | int]
    told: "asyncio.Future[Any]"


class Shared:
    """One process's way to the common counters. Made and closed in a running event loop.

    What is asked in the same moment goes to Redis together.
    """

    def __init__(self, url: str) -> None:
        self._redis: Any = Redis.from_url(
            url,
            socket_timeout=PATIENCE_SECONDS,
            socket_connect_timeout=PATIENCE_SECONDS,
            retry=Retry(NoBackoff(), 1),  # once, for a connection that Redis has closed meanwhile
        )
        self._away_until = 0.0
        self._is_away = False
        self._leases: dict[str, list[str]] = {}  # of places: the keys of their quotas
        self._calls: list[_Call] = []
        self._any = asyncio.Event()
        self._is_closing = False
        self._calling = asyncio.create_task(self._call_until_closed())
        self._renewing = asyncio.create_task(self._renew_for_ever())

    async def close(self) -> None:
        """Give back what is left to give, if that works soon, and disconnect."""
        self._is_closing = True
        self._any.set()
        self._renewing.cancel()
        # Not cancelled: redis-py may take that for its own timeout, and swallow it.
        await asyncio.wait({self._calling, self._renewing}, timeout=CLOSE_SECONDS)
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
        result = await self._call(TAKE, quotas, costs, lease, LEASE_SECONDS)
        if isinstance(result, Exception):
            raise LimitsUnavailable from result
        fits, *levels = result
        if fits and lease:
            self._leases[lease] = [PREFIX + each.key for each in quotas if not each.seconds]
        return bool(fits), [float(level) for level in levels]

    def give(self, quotas: Sequence[Quota], costs: Costs, lease: str) -> None:
        """Give back soon what was taken too much; negative costs are taken.

        A Redis that is away has forgotten all, or lets the lease lapse.
        """
        self._leases.pop(lease, None)
        self._call(GIVE, quotas, costs, lease)

    def _call(
        self, script: str, quotas: Sequence[Quota], costs: Costs, *first: str | int
    ) -> "asyncio.Future[Any]":
        args = list(first)
        for quota in quotas:
            args += (quota.amount, quota.seconds, costs[quota.name])
        told = asyncio.get_running_loop().create_future()
        self._calls.append(_Call(script, [PREFIX + quota.key for quota in quotas], args, told))
        self._any.set()
        return told

    async def _call_until_closed(self) -> None:
        while not self._is_closing:
            await self._any.wait()
            self._any.clear()
            await self._call_all()

    async def _call_all(self) -> None:
        """Make all calls in one round trip."""
        calls, self._calls = self._calls, []
        if not calls:
            return
        try:
            results = await self._results(calls)
            if any(isinstance(result, NoScriptError) for result in results):
                results = await self._again(calls, results)
            self._is_away = False
        except AWAY as exc:
            self._note_away(exc)
            results = [exc] * len(calls)
        for call, result in zip(calls, results, strict=True):
            if not call.told.done():  # its client has left
                call.told.set_result(result)

    async def _again(self, calls: Sequence[_Call], results: Sequence[Any]) -> list[Any]:
        """Bring the scripts to a Redis that is new, and make those calls that lacked them."""
        for script in SHA:
            await self._redis.script_load(script)
        lacking = [n for n, result in enumerate(results) if isinstance(result, NoScriptError)]
        told = dict(zip(lacking, await self._results([calls[n] for n in lacking]), strict=True))
        return [told.get(n, result) for n, result in enumerate(results)]

    async def _results(self, calls: Sequence[_Call]) -> list[Any]:
        async with self._redis.pipeline(transaction=False) as pipeline:
            for call in calls:
                pipeline.evalsha(SHA[call.script], len(call.keys), *call.keys, *call.args)
            return list(await pipeline.execute(raise_on_error=False))

    def _note_away(self, exc: BaseException) -> None:
        self._away_until = time.monotonic() + AWAY_SECONDS
        if not self._is_away:
            log.warning("redis away", error=type(exc).__name__, of="limits")
        self._is_away = True

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
