"""Counters in Redis, for several processes: one script a question, all or nothing, Redis's clock.

A place is a lease that its process renews, so those of a process that died come free by themselves.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha1
from typing import Any, cast

import orjson
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

# ARGV: the seconds of a lease, and a JSON list of calls: whether it takes, the lease, and name,
# amount, seconds and cost of each quota. Returns a JSON list: of each call 1 if all was taken, then
# the levels before. Many calls in one argument cost a tenth of as many commands.
SCRIPT = """
local clock = redis.call('TIME')
local now, life = clock[1] + clock[2] / 1e6, tonumber(ARGV[1])

local function level_of(key, seconds)
  if seconds > 0 then return math.max(0, tonumber(redis.call('GET', key) or now) - now) end
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
  return redis.call('ZCARD', key)
end

local function set(key, level)
  if level > 0 then
    redis.call('SET', key, string.format('%.6f', now + level), 'EX', math.ceil(level) + 1)
  else
    redis.call('DEL', key)
  end
end

local function take(lease, quotas)
  local told, after = {1}, {}
  for i, quota in ipairs(quotas) do
    local key, amount, seconds, cost = unpack(quota)
    local full = amount
    if seconds > 0 then cost, full = cost * seconds / amount, seconds + 1e-4 end
    told[i + 1] = level_of(key, seconds)
    after[i] = told[i + 1] + cost
    if after[i] > full then told[1] = 0 end
  end
  if told[1] == 0 or lease == '' then return told end
  for i, quota in ipairs(quotas) do
    if quota[3] > 0 then
      set(quota[1], after[i])
    else
      redis.call('ZADD', quota[1], now + life, lease)
      redis.call('EXPIRE', quota[1], life)
    end
  end
  return told
end

local function give(lease, quotas)
  for _, quota in ipairs(quotas) do
    local key, amount, seconds, cost = unpack(quota)
    if seconds == 0 then
      redis.call('ZREM', key, lease)
    elseif cost ~= 0 then
      set(key, level_of(key, seconds) - cost * seconds / amount)
    end
  end
  return {1}
end

local results = {}
for i, call in ipairs(cjson.decode(ARGV[2])) do
  results[i] = (call[1] == 1 and take or give)(call[2], call[3])
end
return cjson.encode(results)
"""
SHA = sha1(SCRIPT.encode()).hexdigest()  # noqa: S324  # Redis's name for it

log = structlog.get_logger("tiza.api")


@dataclass(frozen=True)
class _Call:
    """What is asked of the script; `told` gets its result, or what went wrong."""

    words: Sequence[object]
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
        self.is_away = False
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
        result = await self._call(True, quotas, costs, lease)
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
        self._call(False, quotas, costs, lease)

    def _call(
        self, takes: bool, quotas: Sequence[Quota], costs: Costs, lease: str
    ) -> "asyncio.Future[Any]":
        numbers = [
            (PREFIX + each.key, each.amount, each.seconds, costs[each.name]) for each in quotas
        ]
        told = asyncio.get_running_loop().create_future()
        self._calls.append(_Call((int(takes), lease, numbers), told))
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
        results: Sequence[object]
        try:
            results = orjson.loads(await self._run(orjson.dumps([call.words for call in calls])))
            self.is_away = False
        except AWAY as exc:
            self._note_away(exc)
            results = [exc] * len(calls)
        for call, result in zip(calls, results, strict=True):
            if not call.told.done():  # its client has left
                call.told.set_result(result)

    async def _run(self, calls: bytes) -> bytes:
        try:
            return cast(bytes, await self._redis.evalsha(SHA, 0, LEASE_SECONDS, calls))
        except NoScriptError:
            return cast(bytes, await self._redis.eval(SCRIPT, 0, LEASE_SECONDS, calls))

    def _note_away(self, exc: BaseException) -> None:
        self._away_until = time.monotonic() + AWAY_SECONDS
        if not self.is_away:
            log.warning("redis away", error=type(exc).__name__, of="limits")
        self.is_away = True

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
