"""What came back over HTTP, turned into a reply or into one of three kinds of failure.

`Busy` is the endpoint's trouble, `Spoiled` the one answer's, `Refused` the request's. Foreign
errors become one of these here and nowhere else.
"""

import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from gettext import gettext as _
from typing import Any

import aiohttp
import orjson

from tiza.generate.request import Reply, Request

Json = dict[str, Any]

MAX_BODY_BYTES = 1_048_576
MAX_REASON_CHARS = 200
CHARACTERS_A_TOKEN = 4  # where the endpoint does not count
BUSY = {429, 502, 503, 529}
AGAIN = {408, 409, 425}  # and every other status from 500 on, but 501
SECONDS = re.compile(r"\s*([0-9]{1,9})(?:\.[0-9]*)?\s*")
# The template of some models writes the opening tag, so that only the closing one comes back.
REASONING = re.compile(r"\s*(?:<think>.*?(?:</think>|\Z)|(?:(?!<think>).)*?</think>)\s*", re.DOTALL)


class Busy(Exception):
    """The endpoint cannot be reached, or takes no more; `pause` is what it asks for, in seconds."""

    def __init__(self, reason: str, pause: float = 0.0, *, away: bool = False) -> None:
        super().__init__(reason)
        self.pause, self.away = pause, away


class Spoiled(Exception):
    """The answer cannot be used, or did not come in time (`late`); another may be better."""

    def __init__(self, reason: str, *, late: bool = False) -> None:
        super().__init__(reason)
        self.late = late


class Refused(Exception):
    """The endpoint does not want this request, and would not want it again."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status


@contextmanager
def translated(seconds: float) -> Iterator[None]:
    """Turn errors of aiohttp and of sockets into ours."""
    try:
        yield
    except TimeoutError as exc:  # also aiohttp's own
        if isinstance(exc, aiohttp.ConnectionTimeoutError):
            raise Busy(_("no connection"), away=True) from exc
        raise Spoiled(_("nothing within {seconds:g} s").format(seconds=seconds), late=True) from exc
    except aiohttp.ClientConnectorError as exc:
        raise Busy(_cause(exc.os_error), away=True) from exc
    except aiohttp.InvalidURL as exc:
        raise Refused(_("that is no address"), 404) from exc
    except (aiohttp.ClientError, OSError) as exc:
        raise Spoiled(_("the connection broke")) from exc


async def read(response: aiohttp.ClientResponse) -> Json:
    """Return the JSON object of a good answer.

    Raises:
        Busy, Spoiled, Refused: as the status or the body has it.

    """
    if response.status != 200:  # noqa: PLR2004  # OK
        raise await _failure(response)
    try:
        value = orjson.loads(await _bounded(response))
    except orjson.JSONDecodeError as exc:
        raise Spoiled(_("no JSON")) from exc
    if not isinstance(value, dict):
        raise Spoiled(_("no JSON object"))
    return value


def reply_of(completion: Json, request: Request) -> Reply:
    """Take the text out of a chat completion, without the reasoning before it.

    Raises:
        Spoiled: it is none.

    """
    try:
        choice = completion["choices"][0]
        text = choice["message"].get("content") or ""
    except (AttributeError, KeyError, IndexError, TypeError) as exc:
        raise Spoiled(_("no chat completion")) from exc
    if not isinstance(text, str):
        raise Spoiled(_("no text"))
    usage = completion.get("usage")
    return Reply(
        REASONING.sub("", text, count=1) if REASONING.match(text) else text,
        _count(usage, "prompt_tokens", sum(len(m["content"]) for m in request.messages)),
        _count(usage, "completion_tokens", len(text)),
        cut_off=choice.get("finish_reason") == "length",
    )


def seconds_to_wait(headers: Mapping[str, str]) -> float:
    """Return what Retry-After asks for (RFC 9110, 10.2.3): seconds or a date; 0 for nothing.

    A date is compared with the endpoint's own clock where it tells it.
    """
    wanted = headers.get("Retry-After", "")
    if found := SECONDS.fullmatch(wanted):
        return float(found[1])
    then = _moment(wanted)
    now = _moment(headers.get("Date", ""))
    return max(0.0, then - (time.time() if now is None else now)) if then is not None else 0.0


def _moment(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None


def _cause(error: OSError) -> str:
    """Return the system's words; asyncio has put its own in their place."""
    number = error.errno or 0  # negative where a name was not found
    return (os.strerror(number) if number > 0 else str(error.strerror)).lower()


async def _failure(response: aiohttp.ClientResponse) -> Exception:
    status = response.status
    reason = _reason(await _beginning(response), status)
    if status in BUSY:
        return Busy(reason, seconds_to_wait(response.headers))
    if status in AGAIN or (status >= 500 and status != 501):  # noqa: PLR2004  # RFC 9110, 15.6
        return Spoiled(reason)
    return Refused(reason, status)


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    content = await _beginning(response)
    if len(content) > MAX_BODY_BYTES:
        raise Spoiled(_("an answer without end"))
    return content


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """Read a body to its end or a little past what is bearable; then the connection is given up."""
    content = bytearray()
    while chunk := await response.content.readany():
        content += chunk
        if len(content) > MAX_BODY_BYTES:
            response.close()
            break
    return bytes(content)


def _reason(content: bytes, status: int) -> str:
    """Return `HTTP 400: …` with the endpoint's message, on one line and short."""
    try:
        said = orjson.loads(content)
    except orjson.JSONDecodeError:
        said = None
    if isinstance(said, dict):
        error = said.get("error", said)
        said = error.get("message", error.get("detail")) if isinstance(error, dict) else error
    words = " ".join(said.split())[:MAX_REASON_CHARS].rstrip(".") if isinstance(said, str) else ""
    return f"HTTP {status}: {words}" if words else f"HTTP {status}"


def _count(usage: object, name: str, characters: int) -> int:
    count = usage.get(name) if isinstance(usage, dict) else None
    return count if isinstance(count, int) and count >= 0 else -(-characters // CHARACTERS_A_TOKEN)
