"""Everything that an engine may do wrong, and what the application makes of it."""

import asyncio
from dataclasses import dataclass

from tests.api.faulty_engine import DONE, PIECES, Exchange, Fault, frame, well_behaved

OK = "ok"
SHOWN = 2  # pieces that have arrived of an answer that breaks in the middle
STATUS = {
    OK: 200,
    "invalid_request": 422,
    "engine_error": 502,
    "engine_lost": 502,
    "engine_unreachable": 503,
    "overloaded": 503,
    "engine_timeout": 504,
}


@dataclass(frozen=True)
class Case:
    """A fault and the outcome: `ok` or the code of the error.

    `after`: some text had reached the client of a stream before.
    """

    fault: Fault
    outcome: str
    after: bool = False
    attempts: int = 1

    @property
    def name(self) -> str:
        """The name of the fault."""
        return self.fault.__name__


async def hangs(exchange: Exchange) -> None:
    """Read the request and say nothing."""
    await asyncio.Event().wait()


async def slow_from_the_start(exchange: Exchange) -> None:
    """Send the first event one byte at a time, too slowly to end it within the patience."""
    await exchange.head()
    await _trickle(exchange)


async def slow_in_the_middle(exchange: Exchange) -> None:
    """Send some events, then single bytes."""
    await _begin(exchange)
    await _trickle(exchange)


async def resets(exchange: Exchange) -> None:
    """Reset the connection before the first byte."""
    exchange.reset()


async def resets_once(exchange: Exchange) -> None:
    """Reset the first connection, answer on the second."""
    if len(exchange.engine.bodies()) == 1:
        exchange.reset()
    else:
        await well_behaved(exchange)


async def closes(exchange: Exchange) -> None:
    """Close the connection before the first byte, as idle connections are closed."""
    exchange.close()


async def resets_after_head(exchange: Exchange) -> None:
    """Reset when only the headers were sent."""
    await exchange.head()
    exchange.reset()


async def resets_in_the_middle(exchange: Exchange) -> None:
    """Reset after a part of the answer."""
    await _begin(exchange)
    exchange.reset()


async def malformed_frame(exchange: Exchange) -> None:
    """Send something that is not JSON."""
    await _begin_and_send(exchange, b"data: {chalk}\n\n")


async def json_cut_in_half(exchange: Exchange) -> None:
    """Send a frame with half a document in it."""
    await _begin_and_send(exchange, exchange.frames()[2][:-12] + b"\n\n")


async def frame_cut_in_half(exchange: Exchange) -> None:
    """End the stream within a frame."""
    await _begin_and_send(exchange, exchange.frames()[2][:-3])


async def event_without_choices(exchange: Exchange) -> None:
    """Send a document of another kind."""
    await _begin_and_send(exchange, frame({"hello": "world"}))


async def event_that_is_a_list(exchange: Exchange) -> None:
    """Send JSON that is not an object."""
    await _begin_and_send(exchange, frame(["hello"]))


async def error_in_the_stream(exchange: Exchange) -> None:
    """Send an error where an event should be."""
    await _begin_and_send(exchange, frame({"error": {"message": "out of memory", "code": 500}}))


async def malformed_usage(exchange: Exchange) -> None:
    """Send token counts that are none."""
    counts = {"prompt_tokens": -5, "completion_tokens": -1}
    await _begin_and_send(exchange, frame({"choices": [], "usage": counts}))


async def event_without_end(exchange: Exchange) -> None:
    """Send an event that goes on and on."""
    await _begin(exchange)
    while True:
        await exchange.chunk(b"data: " + b"x" * 65_536)


async def malformed_chunk(exchange: Exchange) -> None:
    """Break the framing of HTTP itself, in the first packet."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n"
    await exchange.write(head + b"\r\nchalk\r\n")


async def malformed_chunk_later(exchange: Exchange) -> None:
    """Break the framing of HTTP itself, in a packet of its own."""
    await _begin(exchange)
    await exchange.write(b"chalk\r\n")


async def not_compressed(exchange: Exchange) -> None:
    """Announce gzip and send something else."""
    await exchange.head(content_encoding="gzip")
    await exchange.chunk(b"not gzip at all")
    await exchange.chunk(b"")


async def not_http(exchange: Exchange) -> None:
    """Speak another protocol."""
    await exchange.write(b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n")
    exchange.close()


async def wrong_content_type(exchange: Exchange) -> None:
    """Answer a page, as a proxy does that is in the way."""
    await exchange.head(kind="text/html")
    await exchange.chunk(b"<h1>Welcome</h1>")
    await exchange.chunk(b"")


async def empty(exchange: Exchange) -> None:
    """Answer nothing, successfully."""
    await _frames(exchange)


async def only_done(exchange: Exchange) -> None:
    """End a stream that never began."""
    await _frames(exchange, DONE)


async def no_end(exchange: Exchange) -> None:
    """End the connection without finish_reason and without [DONE]."""
    await _begin(exchange)
    await exchange.chunk(b"")


async def http_400(exchange: Exchange) -> None:
    """Refuse the request."""
    await _refuse(exchange, 400)


async def http_401(exchange: Exchange) -> None:
    """Refuse our key."""
    await _refuse(exchange, 401)


async def http_404(exchange: Exchange) -> None:
    """Know no such model any more."""
    await _refuse(exchange, 404)


async def http_429(exchange: Exchange) -> None:
    """Have too much to do."""
    await _refuse(exchange, 429, retry_after="7")


async def http_429_malformed(exchange: Exchange) -> None:
    """Have too much to do and say nonsense about it."""
    await _refuse(exchange, 429, retry_after="²" * 9)


async def http_500(exchange: Exchange) -> None:
    """Have a bug."""
    await _refuse(exchange, 500)


async def http_503(exchange: Exchange) -> None:
    """Be loading the model."""
    await _refuse(exchange, 503)


async def redirects(exchange: Exchange) -> None:
    """Send the client elsewhere."""
    await exchange.reply({}, 307, location="/elsewhere")


async def refuses_without_end(exchange: Exchange) -> None:
    """Send the headers of a refusal and never its body."""
    await exchange.head(500, "application/json", content_length="100")
    await asyncio.Event().wait()


async def no_done(exchange: Exchange) -> None:
    """Finish the answer and leave out [DONE]."""
    await _frames(exchange, b"".join(exchange.frames()))


async def no_usage(exchange: Exchange) -> None:
    """Leave out the token counts."""
    await _frames(exchange, *exchange.frames(usage=False), DONE)


async def crlf(exchange: Exchange) -> None:
    """End lines as Windows does, with comments between the events."""
    events = [event.replace(b"\n", b"\r\n") for event in [*exchange.frames(), DONE]]
    await _frames(exchange, *(b": comment\r\n\r\n" + event for event in events))


async def several_data_lines(exchange: Exchange) -> None:
    """Write each document over several lines."""
    events = [
        event.replace(b'"choices":', b'\ndata: "choices":\ndata:') for event in exchange.frames()
    ]
    await _frames(exchange, *events, DONE)


async def byte_by_byte(exchange: Exchange) -> None:
    """Send every byte in a packet of its own, in the middle of characters too."""
    answer = b"".join([*exchange.frames(), DONE])
    await _frames(exchange, *(answer[i : i + 1] for i in range(len(answer))))


async def all_at_once(exchange: Exchange) -> None:
    """Send the whole stream in one packet."""
    await _frames(exchange, b"".join([*exchange.frames(), DONE]))


async def more_after_done(exchange: Exchange) -> None:
    """Go on after the end."""
    await _frames(exchange, *exchange.frames(), DONE + exchange.frames()[1])


async def stays_after_done(exchange: Exchange) -> None:
    """Say that the answer is done and never end the response."""
    await exchange.head()
    for event in [*exchange.frames(), DONE]:
        await exchange.chunk(event)
    await asyncio.Event().wait()


CASES = [
    Case(hangs, "engine_timeout"),
    Case(slow_from_the_start, "engine_timeout"),
    Case(slow_in_the_middle, "engine_timeout", after=True),
    Case(resets, "engine_unreachable", attempts=2),
    Case(closes, "engine_unreachable", attempts=2),
    Case(resets_once, OK, attempts=2),
    Case(resets_after_head, "engine_lost"),
    Case(resets_in_the_middle, "engine_lost", after=True),
    Case(malformed_frame, "engine_error", after=True),
    Case(json_cut_in_half, "engine_error", after=True),
    Case(frame_cut_in_half, "engine_error", after=True),
    Case(event_without_choices, "engine_error", after=True),
    Case(event_that_is_a_list, "engine_error", after=True),
    Case(error_in_the_stream, "engine_error", after=True),
    Case(malformed_usage, "engine_error", after=True),
    Case(event_without_end, "engine_error", after=True),
    Case(malformed_chunk, "engine_error"),
    Case(not_compressed, "engine_error"),
    Case(not_http, "engine_error"),
    Case(wrong_content_type, "engine_error"),
    Case(empty, "engine_error"),
    Case(only_done, "engine_error"),
    Case(no_end, "engine_lost", after=True),
    Case(http_400, "invalid_request"),
    Case(http_401, "engine_error"),
    Case(http_404, "engine_error"),
    Case(http_429, "overloaded"),
    Case(http_429_malformed, "overloaded"),
    Case(http_500, "engine_error"),
    Case(http_503, "engine_unreachable"),
    Case(redirects, "engine_error"),
    Case(refuses_without_end, "engine_timeout"),
    Case(no_done, OK),
    Case(no_usage, OK),
    Case(crlf, OK),
    Case(several_data_lines, OK),
    Case(byte_by_byte, OK),
    Case(all_at_once, OK),
    Case(more_after_done, OK),
    Case(stays_after_done, OK),
]

STREAM_CASES = [
    *CASES,
    Case(malformed_chunk_later, "engine_error", after=True),
]


async def _begin(exchange: Exchange) -> None:
    """Send a part of the answer; go on when the client of the stream has seen it."""
    await exchange.head()
    await exchange.chunk(b"".join(exchange.frames(PIECES[:SHOWN], usage=False)[:-1]))
    await exchange.engine.go_on.wait()


async def _begin_and_send(exchange: Exchange, last: bytes) -> None:
    """Send a part of the answer and then this."""
    await _begin(exchange)
    await exchange.chunk(last)
    await exchange.chunk(b"")


async def _frames(exchange: Exchange, *packets: bytes) -> None:
    """Send a stream in these packets."""
    await exchange.head()
    for packet in packets:
        await exchange.chunk(packet)
    await exchange.chunk(b"")


async def _trickle(exchange: Exchange) -> None:
    while True:
        await exchange.chunk(b" ")
        await asyncio.sleep(0.02)


async def _refuse(exchange: Exchange, status: int, **headers: str) -> None:
    document = {"error": {"message": f"refused with {status}", "code": status}}
    await exchange.reply(document, status, **headers)
