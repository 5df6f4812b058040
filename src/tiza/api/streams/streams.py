"""The answers that this process generates or follows, and their upkeep: each second, if any.

An answer belongs to the person who asked: for everybody else there is none. Its id is its
stream's id.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TYPE_CHECKING, Self
from weakref import WeakValueDictionary

import structlog

from tiza.api.opening import OpeningStore
from tiza.api.streams.answering import STORE_AWAY, Answering, Generating, Remember
from tiza.api.streams.following import Following
from tiza.api.streams.log import Log
from tiza.api.streams.told import log_of
from tiza.errors import MessageNotFound
from tiza.settings import Settings
from tiza.store.records import Message, Outcome, Person

if TYPE_CHECKING:
    from tiza.api.streams.shared import Shared  # loads redis, which is needed only with REDIS_URL

SAVE_SECONDS = 1.0
DOUBT_SECONDS = 15.0  # more than what `Messages.disown` calls a while
CLOSE_SECONDS = 5.0  # for the last words to the store

log = structlog.get_logger("tiza.api")


class Streams:
    """Begins answers, finds them again, and ends them. Use as an async context manager."""

    def __init__(self, settings: Settings, opening: OpeningStore) -> None:
        self._settings, self._opening = settings, opening
        self._answering: dict[str, Answering] = {}
        self._following: dict[str, Log] = {}
        self._keys = WeakValueDictionary[tuple[int, str], asyncio.Lock]()
        self._tasks: set[asyncio.Task[None]] = set()
        self._doubtful: float | None = None
        self._needed = asyncio.Event()  # the upkeep
        self._is_closing = False
        self._shared: Shared | None = None

    async def __aenter__(self) -> Self:
        if url := self._settings.redis_url.get_secret_value():
            from tiza.api.streams.shared import Shared

            self._shared = Shared(url)
        self._upkeep = {
            asyncio.create_task(self._every_second(work))
            for work in (self._save, self._disown, self._end_unheard)
        }
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._is_closing = True  # who talks to Redis may not hear that it is cancelled
        for answering in self._answering.values():
            answering.cut("interrupted")
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_SECONDS)
        last = self._upkeep | self._tasks
        for task in last:
            task.cancel()
        await asyncio.wait(last)
        if self._shared is not None:
            await self._shared.close()

    def one_at_a_time(self, person: Person, key: str) -> AbstractAsyncContextManager[object]:
        """Let requests with the same key in one after the other, so that the second finds all."""
        return self._keys.setdefault((person.id, key), asyncio.Lock()) if key else nullcontext()

    def begin(
        self, person: Person, answer: Message, generation: Generating, remember: Remember
    ) -> Log:
        """Generate an answer that the store holds as begun; return its log."""
        answering = Answering(person.id, answer, generation, remember)
        self._answering[answer.id] = answering
        self._needed.set()
        if self._shared is not None:
            self._shared.publish(answer.id, answering.log)
        self._spawn(self._see_to_the_end(answering))
        return answering.log

    def doubt(self) -> None:
        """Look later whether the store holds an answer as begun that nobody here knows.

        So it does if it kept a question and broke down before it could say so.
        """
        self._doubtful = time.monotonic()
        self._needed.set()

    async def open(self, person: Person, stream_id: str) -> Log:
        """Return the log of an answer, wherever it is generated or kept.

        Raises:
            MessageNotFound: the person has no such answer.
            StoreUnavailable, StoreBusy: it is not generated here and the store does not answer.

        """
        if answering := self._answering.get(stream_id):
            if answering.person_id != person.id:
                raise MessageNotFound
            return answering.log
        answer = await (await self._opening.get()).messages.get(person, stream_id)
        if answer.role != "assistant":
            raise MessageNotFound
        return self._follow(person, answer) if answer.state == "streaming" else log_of(answer)

    async def stop(self, person: Person, stream_id: str) -> None:
        """Stop an answer, wherever it is generated; one that has ended stays as it is.

        Raises:
            MessageNotFound: the person has no such answer.

        """
        await self.open(person, stream_id)
        await self._stop(stream_id)

    async def drop(self, stream_ids: Iterable[str]) -> None:
        """Stop answers that have been deleted, wherever they are generated."""
        for stream_id in stream_ids:
            await self._stop(stream_id)

    async def _stop(self, stream_id: str) -> None:
        if answering := self._answering.get(stream_id):
            answering.cut("stopped")
        elif self._shared is not None:
            await self._shared.stop(stream_id)

    def forget(self, person: Person) -> None:
        """Give up what is generated here for a person who has been deleted."""
        for answering in self._answering.values():
            if answering.person_id == person.id:
                answering.cut("stopped")

    def _follow(self, person: Person, answer: Message) -> Log:
        if log_here := self._following.get(answer.id):
            return log_here
        following = Following(person, answer, self._opening, self._shared)
        self._following[answer.id] = following.log

        async def follow() -> None:
            try:
                await following.run()
            finally:
                del self._following[answer.id]

        self._spawn(follow())
        return following.log

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _see_to_the_end(self, answering: Answering) -> None:
        """Let the store have the end before the readers: what they saw whole is whole for ever."""
        outcome, end = await answering.result()
        try:
            while not await self._kept(answering.answer.id, outcome):  # noqa: ASYNC110  # the database has no event for its return
                await asyncio.sleep(SAVE_SECONDS)
        finally:
            del self._answering[answering.answer.id]
            self._rest()
            answering.log.close(end)

    async def _kept(self, answer_id: str, outcome: Outcome) -> bool:
        try:
            store = await self._opening.get()
            await store.messages.finish(answer_id, outcome)
        except STORE_AWAY as exc:
            log.warning("answer not kept yet", code=exc.code)
            return False
        return True

    async def _every_second(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do one part of the upkeep; a Redis that hangs does not keep texts from the store."""
        while not self._is_closing:
            await self._needed.wait()
            await asyncio.sleep(SAVE_SECONDS)
            try:
                await work()
            except STORE_AWAY as exc:
                log.warning("texts not kept yet", code=exc.code)

    async def _disown(self) -> None:
        if self._doubtful is None or time.monotonic() - self._doubtful < DOUBT_SECONDS:
            return
        store = await self._opening.get()
        await store.messages.disown(list(self._answering))
        self._doubtful = None
        self._rest()

    def _rest(self) -> None:
        if not self._answering and self._doubtful is None:
            self._needed.clear()

    async def _end_unheard(self) -> None:
        """End what was stopped elsewhere, and what nobody has listened to for too long."""
        running, now, alone = dict(self._answering), time.monotonic(), list[str]()
        for stream_id, answering in running.items():
            if answering.log.listeners:
                answering.heard = now
            elif now - answering.heard > self._settings.stream_grace_seconds:
                alone.append(stream_id)
        stopped, heard = set[str](), set[str]()
        if self._shared is not None:
            stopped = await self._shared.stopped(list(running))
            heard = await self._shared.heard(alone)
        for stream_id in stopped:
            running[stream_id].cut("stopped")
        for stream_id in set(alone) - heard:
            running[stream_id].cut("interrupted")

    async def _save(self) -> None:
        """Save what has grown, in one transaction."""
        grown = {
            stream_id: answering
            for stream_id, answering in self._answering.items()
            if answering.log.length > answering.saved
        }
        lengths = {stream_id: answering.log.length for stream_id, answering in grown.items()}
        if not grown:
            return
        store = await self._opening.get()
        await store.messages.save({id_: each.log.text for id_, each in grown.items()})
        for stream_id, length in lengths.items():
            grown[stream_id].saved = length
