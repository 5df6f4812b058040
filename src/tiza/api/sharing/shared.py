"""Whole answers kept in Redis, for all processes. Where it fails, one is generated instead."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import orjson
import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from tiza.api.engine_client import Frame, frames_of
from tiza.api.sharing.cache import MOST_BYTES

PREFIX = "tiza:answer:"
PATIENCE_SECONDS = 0.25  # an answer that comes so late is as well generated
AWAY_SECONDS = 1.0  # for how long a Redis that failed is not asked again
LARGEST = MOST_BYTES // 32  # bytes of an answer that is kept
AWAY = (RedisError, OSError, TimeoutError)

log = structlog.get_logger("tiza.api")


class Shared:
    """One process's way to the common cache. Made and closed in a running event loop."""

    def __init__(self, url: str, seconds: float) -> None:
        self._redis: Any = Redis.from_url(
            url,
            socket_timeout=PATIENCE_SECONDS,
            socket_connect_timeout=PATIENCE_SECONDS,
            retry=Retry(NoBackoff(), 1),  # once, for a connection that Redis has closed meanwhile
        )
        self._seconds = seconds
        self._away_until = 0.0
        self._talking: set[asyncio.Task[bytes | None]] = set()

    async def close(self) -> None:
        """Finish what is being said, and disconnect."""
        if self._talking:
            await asyncio.wait(self._talking)
        await self._redis.aclose()

    async def get(self, key: bytes) -> list[Frame]:
        """Return an answer; no frames if there is none."""
        kept = await self._said(self._redis.get(PREFIX + key.hex()))
        return frames_of(raw.encode() for raw in orjson.loads(kept)) if kept else []

    async def put(self, key: bytes, raws: Sequence[bytes]) -> None:
        """Keep an answer, for as long as each process keeps its own."""
        kept = orjson.dumps([raw.decode() for raw in raws])
        if len(kept) <= LARGEST:
            milliseconds = max(1, int(self._seconds * 1000))
            await self._said(self._redis.set(PREFIX + key.hex(), kept, px=milliseconds))

    async def _said(self, words: Any) -> bytes | None:
        """Talk to Redis in a task of its own: redis-py may swallow the cancellation of another."""
        task = asyncio.create_task(self._say(words))
        self._talking.add(task)
        task.add_done_callback(self._talking.discard)
        await asyncio.wait({task})
        return task.result()

    async def _say(self, words: Any) -> bytes | None:
        if time.monotonic() < self._away_until:
            words.close()
            return None
        try:
            said: bytes | None = await words
        except AWAY as exc:
            log.warning("redis away", error=type(exc).__name__, of="cache")
            self._away_until = time.monotonic() + AWAY_SECONDS
            return None
        return said
