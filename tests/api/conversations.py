"""People who talk to the service: each has a cookie and conversations of their own."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp

from tests.api.service import Event, parse_events
from tiza.api.accounts.gates import ANONYMOUS as COOKIE

OPEN_SECONDS = 30.0  # generous: the machine may be busy
PATIENT = aiohttp.ClientTimeout(sock_read=30.0)  # an answer may take longer than other requests


@dataclass(frozen=True)
class Visitor:
    """Somebody with one conversation, at any process that shares the store."""

    url: str
    session: aiohttp.ClientSession
    cookie: str
    conversation: str

    def at(self, url: str) -> "Visitor":
        """Return the same person at another process."""
        return replace(self, url=url)

    async def ask(
        self, message: str = "What is chalk?", key: str = "", **more: object
    ) -> dict[str, Any]:
        """Ask in the conversation and return the plain answer."""
        async with self.asking(message, key, **more) as response:
            answer: dict[str, Any] = await response.json()
            assert response.status == 200, answer
            return answer

    @asynccontextmanager
    async def asking(
        self, message: str = "What is chalk?", key: str = "", **more: object
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Ask in the conversation; what comes is read within the block."""
        path = f"/conversations/{self.conversation}/messages"
        async with self.post(path, {"message": message, **more}, key) as response:
            yield response

    async def begin(self, message: str = "What is chalk?", key: str = "", **more: object) -> str:
        """Ask for a stream, leave as soon as it has begun, and return its id."""
        async with self.asking(message, key, stream=True, **more) as response:
            assert response.status == 200, await response.text()
            (start,) = parse_events(await response.content.readuntil(b"\n\n"))
            return str(start.data["stream_id"])

    @asynccontextmanager
    async def post(
        self, path: str, body: object = None, key: str = ""
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a request that changes something."""
        headers = {**self.headers, **({"Idempotency-Key": key} if key else {})}
        async with self.session.post(self.url + path, json=body, headers=headers) as response:
            yield response

    @asynccontextmanager
    async def listening(
        self, stream_id: str, last: str = ""
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Listen to a stream, behind an event if one is named."""
        headers = {**self.headers, **({"Last-Event-ID": last} if last else {})}
        url = f"{self.url}/streams/{stream_id}"
        async with self.session.get(url, headers=headers, timeout=PATIENT) as response:
            yield response

    async def read(self, stream_id: str, last: str = "") -> list[Event]:
        """Read a stream to its end."""
        async with self.listening(stream_id, last) as response:
            assert response.status == 200, await response.text()
            return parse_events(await response.read())

    async def stop(self, stream_id: str) -> None:
        """Stop an answer."""
        async with self.post(f"/streams/{stream_id}/stop") as response:
            assert response.status == 204, await response.text()

    async def messages(self) -> list[dict[str, Any]]:
        """Return all messages of the conversation."""
        url = f"{self.url}/conversations/{self.conversation}"
        async with self.session.get(url, headers=self.headers) as response:
            found: dict[str, Any] = await response.json()
            assert response.status == 200, found
            return list(found["messages"])

    @property
    def headers(self) -> Mapping[str, str]:
        """The cookie."""
        return {"Cookie": f"{COOKIE}={self.cookie}"}


async def visitor(session: aiohttp.ClientSession, url: str) -> Visitor:
    """Come as somebody new, as soon as the store is open, and make a conversation."""
    async with asyncio.timeout(OPEN_SECONDS):
        while True:
            async with session.post(f"{url}/conversations", json={}) as response:
                made = await response.json()
                if response.ok:
                    return Visitor(url, session, response.cookies[COOKIE].value, made["id"])
                assert made["code"] == "store_unavailable", made
            await asyncio.sleep(0.1)


def text_of(events: list[Event]) -> str:
    """Return the text that events bring."""
    return "".join(event.data["text"] for event in events if event.name == "token")
