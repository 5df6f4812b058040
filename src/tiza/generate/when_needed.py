"""A teacher that is started by the first question, if there is one."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import TracebackType
from typing import Self

from tiza.generate.request import Reply, Request
from tiza.generate.teacher import Endpoint, Teacher


class WhenNeeded:
    """Opens an endpoint at the first `ask`, and closes it when the block ends."""

    def __init__(self, endpoint: Callable[[], AbstractAsyncContextManager[Endpoint]]) -> None:
        self._endpoint = endpoint
        self._opening = asyncio.Lock()
        self._teacher: Teacher | None = None
        self._open = AsyncExitStack()

    async def ask(self, request: Request) -> Reply:
        """Answer as a `Teacher` does.

        Raises:
            TizaError: as by `Teacher.ask`, or the endpoint cannot be opened.

        """
        async with self._opening:
            if self._teacher is None:
                endpoint = await self._open.enter_async_context(self._endpoint())
                self._teacher = await self._open.enter_async_context(Teacher(endpoint))
        return await self._teacher.ask(request)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._open.aclose()
