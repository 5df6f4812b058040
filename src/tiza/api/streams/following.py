"""A log filled with what another process generates: through Redis at once, else from the store."""

import asyncio
import time
from typing import TYPE_CHECKING

from tiza.api.opening import OpeningStore
from tiza.api.streams.answering import STORE_AWAY
from tiza.api.streams.log import End, Log
from tiza.api.streams.told import end_of, log_of
from tiza.errors import MessageNotFound
from tiza.store.records import Message, Person

if TYPE_CHECKING:
    from tiza.api.streams.shared import Shared  # loads redis, which is needed only with REDIS_URL

POLL_SECONDS = 0.5  # the store is asked so often; it learns once a second
ALONE_SECONDS = 5.0  # for how long nobody needs to listen


class Following:
    """Fills its log until the answer has ended, or nobody has listened for a while.

    A process that dies is found out by the store, which then calls the answer interrupted.
    """

    def __init__(
        self, person: Person, answer: Message, opening: OpeningStore, shared: "Shared | None"
    ) -> None:
        self.log: Log = log_of(answer)
        self._person, self._id = person, answer.id
        self._opening, self._shared = opening, shared

    async def run(self) -> None:
        """Follow to the end."""
        heard = time.monotonic()
        while self.log.end is None and time.monotonic() - heard < ALONE_SECONDS:
            if self.log.listeners:
                heard = time.monotonic()
            if not await self._hear():
                await self._look()

    async def _hear(self) -> bool:
        if self._shared is None:
            await asyncio.sleep(POLL_SECONDS)
            return False
        return await self._shared.read(self._id, self.log)

    async def _look(self) -> None:
        """See what the store has: the end, or more text than has come otherwise."""
        try:
            store = await self._opening.get()
            answer = await store.messages.get(self._person, self._id)
        except STORE_AWAY:
            return
        except MessageNotFound as exc:
            self.log.close(End(error=exc))
            return
        self.log.add_missing(answer.text)
        if answer.state != "streaming":
            self.log.close(end_of(answer))
