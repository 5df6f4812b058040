"""The teacher: one OpenAI-compatible chat endpoint, asked as fast as it answers.

Waits for places (`places`, `rate`), speaks the endpoint's dialect (`dialect`), reads what comes
back (`completion`) and decides what is tried again. Knows nothing of lessons or prompts.
"""

import asyncio
import random
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from gettext import gettext as _
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import aiohttp
import orjson

from tiza.engines.serve import is_loopback
from tiza.errors import NoAnswer, TeacherError, TeacherRefused, TeacherUnreachable
from tiza.generate.completion import Busy, Refused, Spoiled, read, reply_of, translated
from tiza.generate.dialect import FORMAT_REFUSED, FORMATS, LEFT_OUT, Dialect
from tiza.generate.places import Clock, Places
from tiza.generate.request import Reply, Request

REQUEST_SECONDS = 300.0  # patience for one answer
CONNECT_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 4.0  # llama.cpp closes idle connections after 5 s: we give them up before
PATIENCE_SECONDS = 600.0  # with a teacher that was there and answers nobody any more
ATTEMPTS = 4  # at one answer, while it is the answer that is at fault
FIRST_TRIES = 3  # to reach a teacher that never answered
FIRST_FAILURES = 5  # requests without an answer, and none with one: the endpoint is no teacher
FIRST_BACKOFF, LAST_BACKOFF = 0.5, 30.0  # seconds, of which a random share is waited
WRONG_KEY, UNFIT_REQUEST = {401, 403}, {400, 413, 422}
HAS_VERSION = re.compile(r"/v[0-9][a-z0-9]*(/|$)")

Json = dict[str, Any]
Answer = TypeVar("Answer")
Tell = Callable[[str, Mapping[str, object]], None]


@dataclass(frozen=True)
class Endpoint:
    """Where a teacher is: its address, with or without `/v1`; its key and model, "" for unknown."""

    url: str
    key: str = field(default="", repr=False)
    model: str = ""

    @property
    def base(self) -> str:
        """The address to which `/chat/completions` is added."""
        url = self.url.strip().rstrip("/")
        return url if HAS_VERSION.search(url) else f"{url}/v1"


def _say_nothing(_sentence: str, _data: Mapping[str, object]) -> None:
    pass


class Teacher:
    """Answers requests. Use as an async context manager; `ask` from as many tasks as you like.

    `tell` receives what a person may want to know about the endpoint, once each.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        tell: Tell = _say_nothing,
        *,
        seconds: float = REQUEST_SECONDS,
        clock: Clock | None = None,
    ) -> None:
        self.model = endpoint.model
        self._endpoint, self._tell, self._seconds = endpoint, tell, seconds
        self._given_clock = clock
        self._dialect = Dialect()
        self._clock: Clock
        self._places: Places
        self._session: aiohttp.ClientSession
        self._reached = self._answered = False
        self._failures = 0  # requests without an answer
        self._ill_since: float | None = None  # until it answers again

    async def __aenter__(self) -> Self:
        """Connect; where the model is unknown, ask for it.

        Raises:
            TeacherError: as by `ask`.

        """
        self._clock = self._given_clock or asyncio.get_running_loop()
        self._places = Places(self._clock)
        self._session = self._connected()
        if not self.model:
            try:
                self.model = await self._persist(self._first_model)
            except NoAnswer as exc:
                raise TeacherError(**exc.data) from exc
            finally:
                if not self.model:
                    await self._session.close()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def ask(self, request: Request) -> Reply:
        """Wait for a place, send, try again where that may help, and return the answer.

        Raises:
            NoAnswer: to this one request; others may fare better.
            TeacherRefused, TeacherUnreachable, TeacherError: nothing can be asked any more.

        """
        attempt, form = 0, self._dialect.format

        async def put() -> Reply:
            nonlocal attempt, form
            attempt, form = attempt + 1, max(form, self._dialect.format)
            while True:
                body = self._dialect.body(request, self.model, attempt - 1, form)
                try:
                    completion = await self._send("POST", "/chat/completions", body)
                except Refused as exc:
                    if self._left_out(str(exc)):
                        continue
                    if not _may_be_the_form(exc, request, form):
                        raise
                    form += 1
                else:
                    return self._accepted(reply_of(completion, request), form)

        reply = await self._persist(put)
        self._answered = True
        return reply

    def _accepted(self, reply: Reply, form: int) -> Reply:
        if news := self._dialect.settle(form):
            self._tell(news, {})
        if not reply.text.strip():
            raise Spoiled(_("an empty answer"))
        return reply

    def _left_out(self, reason: str) -> bool:
        name = self._dialect.leave_out(reason)
        if name:
            self._tell(LEFT_OUT, {"name": name})
        return bool(name)

    async def _first_model(self) -> str:
        listing = await self._send("GET", "/models", None)
        try:
            return str(listing["data"][0]["id"])
        except (KeyError, IndexError, TypeError) as exc:
            raise Refused(_("it names no model"), 404) from exc

    async def _persist(self, call: Callable[[], Awaitable[Answer]]) -> Answer:
        """Call, with a place each time, until there is an answer or no hope of one."""
        tries = spoiled = 0
        while True:
            place = await self._places.take(again=tries > 0)
            tries += 1
            try:
                answer = await call()
            except Busy as exc:
                self._places.refuse(place, exc.pause)
                self._check_patience(exc, tries)
            except Spoiled as exc:
                self._places.lose(place) if exc.late else self._places.drop()
                spoiled += 1
                if spoiled == ATTEMPTS:
                    raise self._given_up(str(exc)) from exc
            except Refused as exc:
                self._places.drop()
                raise self._hopeless(exc) from exc
            except BaseException:
                self._places.drop()
                raise
            else:
                self._places.answer(place)
                self._ill_since = None
                return answer
            await self._places.pause(_backoff(tries))

    def _check_patience(self, trouble: Busy, tries: int) -> None:
        now = self._clock.time()
        self._ill_since = now if self._ill_since is None else self._ill_since
        if trouble.away and not self._reached:
            over = tries >= FIRST_TRIES
        else:
            over = max(trouble.pause, now - self._ill_since) > PATIENCE_SECONDS
        if over:
            raise TeacherUnreachable(url=self._endpoint.base, reason=trouble) from trouble

    def _given_up(self, reason: str) -> TeacherError:
        self._failures += 1
        of_all = not self._answered and self._failures >= FIRST_FAILURES
        return (TeacherError if of_all else NoAnswer)(url=self._endpoint.base, reason=reason)

    def _hopeless(self, exc: Refused) -> TeacherError:
        if exc.status in UNFIT_REQUEST:
            return self._given_up(str(exc))
        kind = TeacherRefused if exc.status in WRONG_KEY else TeacherError
        return kind(url=self._endpoint.base, reason=exc)

    async def _send(self, method: str, path: str, body: Json | None) -> Json:
        with translated(self._seconds):
            async with (
                asyncio.timeout(self._seconds),
                self._session.request(
                    method,
                    self._endpoint.base + path,
                    data=None if body is None else orjson.dumps(body),
                    allow_redirects=False,
                ) as response,
            ):
                self._reached = True
                return await read(response)

    def _connected(self) -> aiohttp.ClientSession:
        headers = {"Content-Type": "application/json"}
        if self._endpoint.key:
            headers["Authorization"] = f"Bearer {self._endpoint.key}"
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            headers=headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            # A proxy of the environment has no business between two processes of one machine.
            trust_env=not is_loopback(urlsplit(self._endpoint.base).hostname or ""),
        )


def _may_be_the_form(exc: Refused, request: Request, form: int) -> bool:
    has_form = request.schema is not None and bool(FORMATS[form])
    return has_form and exc.status in FORMAT_REFUSED


def _backoff(tries: int) -> float:
    """Return how long to wait: "full jitter" (Brooker, AWS Architecture Blog, 2015)."""
    longest = min(FIRST_BACKOFF * 2.0 ** (tries - 1), LAST_BACKOFF)
    return random.uniform(0, longest)  # noqa: S311  # no secret
