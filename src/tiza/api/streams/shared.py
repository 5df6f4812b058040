"""Answers in the making, shared between processes through Redis: the one file that knows it.

Each answer is a Redis stream whose entries have the position after their text as their id, so that
writing twice changes nothing and reading goes on from any position. The process that generates
keeps the whole text, so a Redis that has lost everything is filled again. Everything here may fail
without harm to an answer: the store has it, a second later at most.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from tiza.api.streams.log import Log

BATCH_SECONDS = 0.04  # how long text may wait for more, so that a token costs no round trip
SILENCE_SECONDS = 1.0  # how long a reader waits for news before it looks elsewhere
RETRY_SECONDS = 0.5
PATIENCE_SECONDS = 3.0
LIFE_SECONDS = 3600  # of what a process that died left behind
ENDED_SECONDS = 30  # for readers that are a little behind; later the store answers
EARS_SECONDS = 5  # for how long a listener in another process is believed to be there

AWAY = (RedisError, OSError, TimeoutError)

log = structlog.get_logger("tiza.api")


@dataclass
class _Published:
    of: Log
    position: int | None = None  # how much of it Redis has; None: not known


class Shared:
    """One process's way to Redis. Made and closed in a running event loop."""

    def __init__(self, url: str) -> None:
        self._redis: Any = Redis.from_url(
            url,
            socket_timeout=PATIENCE_SECONDS,
            socket_connect_timeout=PATIENCE_SECONDS,
            retry=Retry(NoBackoff(), 1),  # once, for a connection that Redis has closed meanwhile
        )
        self._published: dict[str, _Published] = {}
        self._any = asyncio.Event()
        self._is_closing = False
        self._publishing = asyncio.create_task(self._publish_for_ever())

    async def close(self) -> None:
        """Publish what is left, if that works at once, and disconnect.

        The task that publishes is asked to end, not cancelled: redis-py 8.1 may take a
        cancellation for its own timeout.
        """
        self._is_closing = True
        self._any.set()
        await asyncio.wait({self._publishing})
        with suppress(*AWAY):
            await self._publish()
        await self._redis.aclose()

    def publish(self, stream_id: str, of: Log) -> None:
        """Publish a log as it grows, to its end."""
        self._published[stream_id] = _Published(of)
        self._any.set()

    async def read(self, stream_id: str, into: Log) -> bool:
        """Add to a log what comes for it; tell whether there is more to come from here.

        False after the end, after a silence of SILENCE_SECONDS, and while Redis is away: the
        store knows more then.
        """
        key = _key(stream_id)
        try:
            await self._redis.set(f"{key}:ears", 1, ex=EARS_SECONDS)
            found = await self._redis.xread(
                {key: f"{into.length}-1"}, block=int(SILENCE_SECONDS * 1000)
            )
        except AWAY:
            await asyncio.sleep(SILENCE_SECONDS)
            return False
        entries = [entry for _, entries in found for entry in entries]
        joined = all(_add_missing(into, name, fields) for name, fields in entries)
        if not joined:
            await asyncio.sleep(SILENCE_SECONDS)
        return joined and bool(entries)

    async def heard(self, stream_ids: Sequence[str]) -> set[str]:
        """Return those that have listeners in other processes."""
        return await self._marked(stream_ids, "ears")

    async def stop(self, stream_id: str) -> None:
        """Ask whichever process generates an answer to stop."""
        with suppress(*AWAY):
            await self._redis.set(f"{_key(stream_id)}:stop", 1, ex=ENDED_SECONDS)

    async def stopped(self, stream_ids: Sequence[str]) -> set[str]:
        """Return those that were asked to stop."""
        return await self._marked(stream_ids, "stop")

    async def _marked(self, stream_ids: Sequence[str], mark: str) -> set[str]:
        if not stream_ids:
            return set()
        try:
            marks = await self._redis.mget([f"{_key(each)}:{mark}" for each in stream_ids])
        except AWAY:
            return set()
        return {each for each, value in zip(stream_ids, marks, strict=True) if value}

    async def _publish_for_ever(self) -> None:
        away = False
        while not self._is_closing:
            await self._any.wait()
            try:
                await self._publish()
                away = False
                await asyncio.sleep(BATCH_SECONDS)
            except AWAY as exc:
                if not away:
                    log.warning("redis away", error=type(exc).__name__)
                away = True
                for published in self._published.values():
                    published.position = None
                await asyncio.sleep(RETRY_SECONDS)

    async def _publish(self) -> None:
        for stream_id, published in list(self._published.items()):
            if published.position is None:
                published.position = await self._known(stream_id)
        async with self._redis.pipeline(transaction=False) as pipeline:
            told = [self._tell(pipeline, *each) for each in self._published.items()]
            for result in await pipeline.execute(raise_on_error=False):
                _check(result)
        for stream_id, position in told:
            if position < 0:
                del self._published[stream_id]
            else:
                self._published[stream_id].position = position
        if not self._published:
            self._any.clear()

    @staticmethod
    def _tell(pipeline: Any, stream_id: str, published: _Published) -> tuple[str, int]:
        """Add the commands for what is new; return the position after it, -1 for the end."""
        key, of, position = _key(stream_id), published.of, published.position or 0
        length, ended = of.length, of.end is not None
        if length > position:
            pipeline.xadd(key, {"text": of.after(position)}, id=f"{length}-1")
            pipeline.expire(key, LIFE_SECONDS)
        if ended:
            pipeline.xadd(key, {"end": ""}, id=f"{length + 1}-1")
            pipeline.expire(key, ENDED_SECONDS)
        return stream_id, -1 if ended else length

    async def _known(self, stream_id: str) -> int:
        """Ask Redis how much it has: it may be new, or have been told just before it went."""
        newest = await self._redis.xrevrange(_key(stream_id), count=1)
        return int(newest[0][0].partition(b"-")[0]) if newest else 0


def _key(stream_id: str) -> str:
    return f"tiza:stream:{stream_id}"


def _add_missing(into: Log, name: bytes, fields: Mapping[bytes, bytes]) -> bool:
    """Add what a log lacks of an entry; tell whether the entry is text that joins it."""
    text, position = fields.get(b"text", b"").decode(), int(name.partition(b"-")[0])
    return bool(text) and into.add_missing(text, position - len(text))


def _check(result: object) -> None:
    """Raise what went wrong with a command, unless Redis had the entry already."""
    if isinstance(result, RedisError) and "equal or smaller" not in str(result):
        raise result
