"""Put questions to an OpenAI-compatible endpoint, as many at once as it has slots.

Every answer is kept in a journal as it comes, and no question in the journal is asked again: an
exam that was cut off goes on where it stopped. Temperature 0. Knows no grade.
"""

import asyncio
import hashlib
import json
import os
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tiza.errors import AnswersRefused, EngineGone
from tiza.progress import Step

SEED = 0
PAUSE_SECONDS = 0.5  # between two tries, while an engine that died is started again
REST_SECONDS = 300.0  # the longest answer
REFUSALS = range(400, 500)
BUSY = (408, 429)


@dataclass(frozen=True, slots=True)
class Query:
    """One question, and how long its answer may be (tokens)."""

    question: str
    max_tokens: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `finish` is OpenAI's reason ("length": it was cut)."""

    question: str
    text: str
    finish: str = ""
    tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Endpoint:
    """Where to ask (`url` without `/v1`), and as whom. `body` goes into every request.

    `patience`: seconds in which an engine that died may come back.
    """

    url: str
    model: str
    api_key: str = ""
    at_once: int = 8
    system_prompt: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)
    patience: float = 60.0

    def key(self, query: Query) -> str:
        """Return a fingerprint of all that an answer depends on, beside the model's weights."""
        fields = [self.system_prompt, query.question, query.max_tokens, dict(self.body), SEED]
        text = json.dumps(fields, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:24]

    def messages(self, query: Query) -> list[dict[str, str]]:
        """Return the conversation that a question begins."""
        system = [{"role": "system", "content": self.system_prompt}] if self.system_prompt else []
        return [*system, {"role": "user", "content": query.question}]

    def request(self, messages: Sequence[Mapping[str, str]], max_tokens: int) -> dict[str, Any]:
        """Return the body of one request."""
        body: dict[str, Any] = {"model": self.model} if self.model else {}
        body |= {"messages": list(messages), "max_tokens": max_tokens}
        return {**body, "temperature": 0, "seed": SEED, **self.body}


class Journal:
    """An append-only file of answers, one JSON object a line; a half line is passed over."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.answers: dict[str, Answer] = {}
        self._read()

    def add(self, key: str, answer: Answer) -> None:
        """Keep an answer."""
        line = json.dumps({"key": key, **asdict(answer)}, ensure_ascii=False)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab", buffering=0) as file:
            if file.tell() and not self._ends_whole():
                file.write(b"\n")
            file.write(f"{line}\n".encode())
        self.answers[key] = answer

    def borrow(self, other: "Journal", keys: Iterable[str]) -> None:
        """Take over answers that another journal has."""
        for key in keys:
            if key in other.answers and key not in self.answers:
                self.add(key, other.answers[key])

    def _ends_whole(self) -> bool:
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"

    def _read(self) -> None:
        if not self.path.exists():
            return
        for line in self.path.read_bytes().splitlines():
            try:
                fields = json.loads(line)
                key = fields.pop("key")
                self.answers[key] = Answer(**fields)
            except (ValueError, TypeError, KeyError, AttributeError):
                continue


async def ask(
    endpoint: Endpoint, queries: Iterable[Query], journal: Journal, step: Step
) -> list[Answer]:
    """Return the answers, in the order of the questions.

    Raises:
        EngineGone: nothing answers any more; what was answered is kept.
        AnswersRefused: the endpoint does not take the question, or the key.

    """
    queries = list(queries)
    waiting = {endpoint.key(query): query for query in queries}
    left = {key: query for key, query in waiting.items() if key not in journal.answers}
    step.advance(len(queries) - len(left))
    if left:
        await _ask_all(endpoint, left, journal, step)
    return [journal.answers[endpoint.key(query)] for query in queries]


async def complete(
    endpoint: Endpoint, messages: Sequence[Mapping[str, str]], max_tokens: int
) -> str:
    """Return the answer to one conversation, outside any journal.

    Raises:
        EngineGone, AnswersRefused: as `ask`.

    """
    async with _session(endpoint) as session:
        return (await _patiently(session, endpoint, messages, max_tokens)).text


@asynccontextmanager
async def _session(endpoint: Endpoint) -> AsyncIterator[aiohttp.ClientSession]:
    """Open a session whose connections serve one request each: a reused one may be dead."""
    key = endpoint.api_key
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, force_close=True),
        headers={"Authorization": f"Bearer {key}"} if key else {},
        timeout=aiohttp.ClientTimeout(total=REST_SECONDS),
    )
    try:
        yield session
    finally:
        await session.close()
        await asyncio.sleep(0)  # the transports close in the loop's next turn


async def _ask_all(
    endpoint: Endpoint, left: Mapping[str, Query], journal: Journal, step: Step
) -> None:
    places = asyncio.Semaphore(endpoint.at_once)

    async def one(key: str, query: Query) -> None:
        async with places:
            messages = endpoint.messages(query)
            answer = await _patiently(session, endpoint, messages, query.max_tokens)
            journal.add(key, answer)
            step.advance()

    async with _session(endpoint) as session:
        try:
            async with asyncio.TaskGroup() as group:
                for key, query in left.items():
                    group.create_task(one(key, query))
        except* (EngineGone, AnswersRefused) as errors:
            raise _first(errors) from errors


def _first(errors: BaseException) -> BaseException:
    while isinstance(errors, BaseExceptionGroup):
        errors = errors.exceptions[0]
    return errors


async def _patiently(
    session: aiohttp.ClientSession,
    endpoint: Endpoint,
    messages: Sequence[Mapping[str, str]],
    max_tokens: int,
) -> Answer:
    """Ask until there is an answer, as long as the engine may still come back."""
    end = time.monotonic() + endpoint.patience
    while True:
        try:
            return await _once(session, endpoint, messages, max_tokens)
        except (aiohttp.ClientError, OSError, TimeoutError) as exc:
            if time.monotonic() >= end:
                raise EngineGone(url=endpoint.url, reason=str(exc) or type(exc).__name__) from exc
            await asyncio.sleep(PAUSE_SECONDS)


async def _once(
    session: aiohttp.ClientSession,
    endpoint: Endpoint,
    messages: Sequence[Mapping[str, str]],
    max_tokens: int,
) -> Answer:
    began = time.monotonic()
    body = endpoint.request(messages, max_tokens)
    async with session.post(
        f"{endpoint.url}/v1/chat/completions", json=body, allow_redirects=False
    ) as response:
        text = await response.text()
        if response.status in REFUSALS and response.status not in BUSY:
            raise AnswersRefused(url=endpoint.url, status=response.status, reason=text[:300])
        response.raise_for_status()
    try:
        reply = json.loads(text)
        choice = reply["choices"][0]
        said, finish = str(choice["message"]["content"] or ""), str(choice.get("finish_reason"))
        tokens = int((reply.get("usage") or {}).get("completion_tokens", 0))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as exc:
        raise AnswersRefused(url=endpoint.url, status=response.status, reason=text[:300]) from exc
    return Answer(messages[-1]["content"], said, finish, tokens, time.monotonic() - began)


async def model_of(url: str, api_key: str = "") -> str:
    """Return the first model that an endpoint lists; "" if it does not tell."""
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    try:
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.get(f"{url}/v1/models", timeout=aiohttp.ClientTimeout(total=10)) as response,
        ):
            listed: Sequence[Mapping[str, Any]] = (await response.json())["data"]
            return str(listed[0]["id"])
    except (aiohttp.ClientError, OSError, TimeoutError) as exc:
        raise EngineGone(url=url, reason=str(exc) or type(exc).__name__) from exc
    except (ValueError, KeyError, IndexError, TypeError):
        return ""
