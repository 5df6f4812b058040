"""The store that a process opens: what becomes of requests when that cannot be done."""

import asyncio

import pytest
from structlog.typing import EventDict

from tiza.api import opening
from tiza.api.opening import OpeningStore
from tiza.errors import StoreUnavailable


async def test_bug_is_logged_and_requests_are_refused_when_it_keeps_the_store_closed(
    monkeypatch: pytest.MonkeyPatch, logged: list[EventDict]
) -> None:
    """Nobody waits for the task that opens the store: its end must not pass in silence."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(opening, "opened", broken)
    store = OpeningStore("sqlite:///never.db", 0)
    async with asyncio.timeout(opening.WAIT_SECONDS), store.kept_open():
        with pytest.raises(StoreUnavailable):
            await store.get()

    assert [(each["event"], each["log_level"]) for each in logged] == [("store unusable", "error")]
