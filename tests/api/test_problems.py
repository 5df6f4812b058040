"""Every row of the contract's error table, through real HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from tests.api.faults import hangs
from tests.api.faulty_engine import MODEL, FaultyEngine, well_behaved
from tests.api.service import Answer, Service, running, until
from tiza.api.engine import Engine
from tiza.errors import InvalidRequest

MEMBERS = {"type", "title", "status", "detail", "code", "request_id"}
MESSAGES = [{"role": "user", "content": "hello"}]


def assert_problem(answer: Answer, status: int, code: str) -> None:
    """Prove that the answer is this problem with every member that the contract names."""
    assert (answer.status, answer.json["code"]) == (status, code), answer.body
    assert answer.kind == "application/problem+json"
    assert answer.json.keys() - {"errors", "error"} == MEMBERS
    assert answer.json["status"] == status
    assert answer.json["type"] == f"urn:tiza:problem:{code}"
    assert answer.json["request_id"] == answer.headers["X-Request-ID"]
    assert answer.json["title"]
    assert answer.json["detail"]
    assert answer.headers["Content-Language"] == "en"
    assert "Accept-Language" in answer.headers["Vary"]


CHAT = {
    "no message": ({}, "message"),
    "empty message": ({"message": ""}, "message"),
    "message of another type": ({"message": 5}, "message"),
    "message is null": ({"message": None}, "message"),
    "message too long": ({"message": "x" * 8001}, "message"),
    "unknown field": ({"message": "x", "colour": "red"}, "colour"),
    "system prompt of a client": ({"message": "x", "system_prompt": "obey"}, "system_prompt"),
    "history of another type": (
        {"message": "x", "conversation_history": {}},
        "conversation_history",
    ),
    "unknown role": (
        {"message": "x", "conversation_history": [{"role": "system", "content": "x"}]},
        "conversation_history.0.role",
    ),
    "turn without content": (
        {"message": "x", "conversation_history": [{"role": "user"}]},
        "conversation_history.0.content",
    ),
    "unknown field in a turn": (
        {"message": "x", "conversation_history": [{"role": "user", "content": "x", "name": "y"}]},
        "conversation_history.0.name",
    ),
    "too many turns": (
        {"message": "x", "conversation_history": [{"role": "user", "content": "x"}] * 101},
        "conversation_history",
    ),
    "too much history": (
        {"message": "x", "conversation_history": [{"role": "user", "content": "x" * 8001}] * 4},
        "conversation_history",
    ),
    "no tokens": ({"message": "x", "max_tokens": 0}, "max_tokens"),
    "negative tokens": ({"message": "x", "max_tokens": -1}, "max_tokens"),
    "more tokens than the context": ({"message": "x", "max_tokens": 4097}, "max_tokens"),
    "half a token": ({"message": "x", "max_tokens": 1.5}, "max_tokens"),
    "tokens as text": ({"message": "x", "max_tokens": "5"}, "max_tokens"),
    "tokens as a truth": ({"message": "x", "max_tokens": True}, "max_tokens"),
    "tokens beyond 64 bits": ({"message": "x", "max_tokens": 10**30}, "max_tokens"),
    "cold": ({"message": "x", "temperature": -0.1}, "temperature"),
    "hot": ({"message": "x", "temperature": 2.1}, "temperature"),
    "temperature as text": ({"message": "x", "temperature": "1"}, "temperature"),
    "stream as text": ({"message": "x", "stream": "yes"}, "stream"),
    "stream as a number": ({"message": "x", "stream": 1}, "stream"),
    "language not spoken": ({"message": "x", "language": "fr"}, "language"),
    "a list": ([], "body"),
    "a text": ("hello", "body"),
    "a number": (5, "body"),
    "nothing": (None, "body"),
}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("body", "field"), CHAT.values(), ids=CHAT.keys())
async def test_chat_is_refused_when_the_request_is_not_valid(
    body: object, field: str, refusing_service: Service
) -> None:
    """422 names the field that is wrong, and nothing reaches the engine."""
    answer = await refusing_service.ask("/chat", data=json.dumps(body).encode())
    assert_problem(answer, 422, "invalid_request")
    assert field in [error["field"] for error in answer.json["errors"]]
    assert all(error["message"] for error in answer.json["errors"])
    assert field in answer.json["detail"]


MALFORMED = {
    "nothing": b"",
    "half a document": b'{"message": "x"',
    "two documents": b'{"message": "x"} {}',
    "not JSON": b"message=x",
    "NaN": b'{"message": "x", "temperature": NaN}',
    "Infinity": b'{"message": "x", "temperature": Infinity}',
    "more than a double holds": b'{"message": "x", "temperature": 1e999}',
    "lone surrogate": b'{"message": "\\ud800"}',
    "lone surrogate as a key": b'{"message": "x", "\\udfff": 1}',
    "invalid UTF-8": b'{"message": "\xff\xfe"}',
    "overlong UTF-8": b'{"message": "\xc0\xaf"}',
    "UTF-16": '{"message": "x"}'.encode("utf-16"),
    "control character": b'{"message": "a\x00b"}',
    "deep nesting": b'{"message": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "deep nesting without end": b'{"a":' * 20_000,
}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("path", ["/chat", "/v1/chat/completions", "/v1/completions"])
@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
async def test_body_is_refused_when_it_is_not_json(
    body: bytes, path: str, refusing_service: Service
) -> None:
    """Only strict JSON in UTF-8 is read; everything else is a 422, never a 500."""
    answer = await refusing_service.ask(path, data=body)
    assert_problem(answer, 422, "invalid_request")
    assert answer.json["errors"][0]["field"] == "body"


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x", ""]
)
async def test_body_is_refused_when_it_is_announced_as_something_else(
    kind: str, refusing_service: Service
) -> None:
    """A form of another site cannot be mistaken for a request: JSON must be announced."""
    answer = await refusing_service.ask(
        "/chat", data=b'{"message": "x"}', headers={"Content-Type": kind, "X-Request-ID": "a1"}
    )
    assert_problem(answer, 422, "invalid_request")


@pytest.mark.asyncio(loop_scope="module")
async def test_many_problems_are_counted_when_a_request_has_them(refusing_service: Service) -> None:
    """`errors` lists at most twenty; the detail tells how many there are and shows the first."""
    history = [{"role": "system"}] * 30
    answer = await refusing_service.ask("/chat", {"message": "x", "conversation_history": history})
    assert_problem(answer, 422, "invalid_request")
    assert len(answer.json["errors"]) == 20
    assert "60" in answer.json["detail"]


@pytest.mark.parametrize("size", [2**18 + 1, 2**20])
@pytest.mark.parametrize("announced", [True, False], ids=["announced", "in chunks"])
async def test_body_is_refused_when_it_is_too_large(
    size: int, announced: bool, service: Service
) -> None:
    """413 for more than 256 KiB, whether the size is announced or not."""
    body = b'{"message": "' + b"x" * size + b'"}'

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    answer = await service.ask("/chat", data=body if announced else chunks())
    assert_problem(answer, 413, "body_too_large")
    assert "262144" in answer.json["detail"]
    assert (await service.chat()).status == 200


async def test_connection_goes_on_when_a_body_was_too_large(service: Service) -> None:
    """The answer comes before the body is read; what is left of it is skipped, not taken up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    head = "POST /chat HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: 1000000\r\n\r\n".encode() + b"x" * 1000)
    assert (await reader.readline()).startswith(b"HTTP/1.1 413")
    writer.write(b"x" * 999_000)
    writer.write(b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    rest = await asyncio.wait_for(reader.read(), 10)
    assert b"HTTP/1.1 200 OK" in rest
    assert b'{"status":"alive"}' in rest
    writer.close()


async def test_body_is_taken_when_it_is_as_large_as_may_be(service: Service) -> None:
    """The bound itself is allowed."""
    body = b'{"message": "x"}'
    answer = await service.ask("/chat", data=body.ljust(2**18))
    assert answer.status == 200


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("path", ["/nothing", "/chat/", "/v1", "/v1/embeddings", "/%FF"])
async def test_path_is_not_found_when_there_is_nothing(
    path: str, refusing_service: Service
) -> None:
    """404 is a problem too."""
    assert_problem(await refusing_service.ask(path), 404, "not_found")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("path", [b"/nothing", b"//evil.example/x", b"/a%2f..%2fb", b"/%00"])
@pytest.mark.parametrize("host", [b"x", b"[::1", b"a b", b""])
async def test_path_is_not_found_when_the_host_header_is_nonsense(
    path: bytes, host: bytes, refusing_service: Service
) -> None:
    """What a client says about our name does not matter."""
    head = b"GET %b HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" % (path, host)
    answer = await refusing_service.raw(head)
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b'"code":"not_found"' in answer


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/chat", "POST"),
        ("PUT", "/chat", "POST"),
        ("DELETE", "/models", "GET"),
        ("POST", "/health", "GET"),
        ("PATCH", "/v1/chat/completions", "POST"),
    ],
)
async def test_method_is_not_allowed_when_the_path_has_others(
    method: str, path: str, allow: str, refusing_service: Service
) -> None:
    """405 names the methods that are (RFC 9110, 15.5.6)."""
    answer = await refusing_service.ask(path, method=method)
    assert_problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == allow


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/chat", {"message": "x", "model": "samples_9"}),
        ("/v1/chat/completions", {"model": "samples_9", "messages": MESSAGES}),
        ("/v1/completions", {"model": "samples_9", "prompt": "x"}),
    ],
)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_model_is_not_found_when_the_engine_does_not_serve_it(
    path: str, body: dict[str, object], stream: bool, service: Service
) -> None:
    """404 names the models that are served."""
    answer = await service.ask(path, {**body, "stream": stream})
    assert_problem(answer, 404, "model_not_found")
    assert MODEL in answer.json["detail"]


async def test_answer_is_unreachable_when_the_engine_is_away(
    service: Service, engine: FaultyEngine
) -> None:
    """503 with Retry-After, on every path that needs the engine."""
    await engine.stop()
    for answer in (
        await service.chat(),
        await service.complete(),
        await service.ask("/models"),
        await service.ask("/v1/models"),
    ):
        assert_problem(answer, 503, "engine_unreachable")
        assert answer.headers["Retry-After"] == "3"


async def test_answer_is_overloaded_when_the_queue_is_full(engine: FaultyEngine) -> None:
    """503 with Retry-After beyond MAX_STREAMS and MAX_QUEUE."""
    engine.fault = hangs
    async with running(vllm_api_url=engine.url, max_streams=1, max_queue=0) as service:
        first = asyncio.create_task(service.chat())
        await until(lambda: engine.generating)
        answer = await service.chat("Another?")
        assert_problem(answer, 503, "overloaded")
        assert answer.headers["Retry-After"] == "5"
        first.cancel()


async def test_answer_is_draining_when_the_process_is_stopping(service: Service) -> None:
    """503 with Retry-After for new questions."""
    await service.run(lambda: service.state.admission.drain(0))
    for answer in (await service.chat(), await service.complete(stream=True)):
        assert_problem(answer, 503, "draining")
        assert answer.headers["Retry-After"] == "5"


async def test_answer_is_too_late_when_the_engine_is_slow(engine: FaultyEngine) -> None:
    """504 tells how long was waited."""
    engine.fault = hangs
    async with running(vllm_api_url=engine.url, engine_first_token_seconds=0.1) as service:
        answer = await service.chat()
        assert_problem(answer, 504, "engine_timeout")
        engine.fault = well_behaved


async def test_bug_is_told_without_details_when_there_is_one(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """500 says nothing about the inside, plain and streamed."""

    async def bug(self: Engine, name: str | None) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(Engine, "model", bug)
    for stream in (False, True):
        for answer in (await service.chat(stream=stream), await service.complete(stream=stream)):
            assert_problem(answer, 500, "internal")
            assert b"secret" not in answer.body
            assert b"ZeroDivision" not in answer.body
    monkeypatch.undo()
    assert (await service.chat()).status == 200


async def test_detail_keeps_braces_when_an_error_quotes_them(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Text of others in an error is data and never a template."""

    async def refuse(self: Engine, name: str | None) -> None:
        raise InvalidRequest("Refused: {reason}", reason="{x} {0} %s")

    monkeypatch.setattr(Engine, "model", refuse)
    assert (await service.chat()).json["detail"] == "Refused: {x} {0} %s"


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("path", "body", "title"),
    [
        ("/nothing", None, "No encontrado"),
        ("/chat", {"message": ""}, "La petición no es válida"),
        ("/v1/chat/completions", {"model": "x"}, "La petición no es válida"),
    ],
)
async def test_problem_is_told_in_spanish_when_the_client_reads_it(
    path: str, body: object, title: str, refusing_service: Service
) -> None:
    """Title, detail and the words about each field follow Accept-Language."""
    headers = {"Accept-Language": "es-MX,es;q=0.9,en;q=0.5"}
    spanish = await refusing_service.ask(path, body, headers=headers)
    english = await refusing_service.ask(path, body)
    assert spanish.headers["Content-Language"] == "es"
    assert spanish.json["title"] == title
    assert spanish.json["code"] == english.json["code"]
    assert spanish.json["detail"] != english.json["detail"]
    if "errors" in english.json:
        assert spanish.json["errors"][0]["field"] == english.json["errors"][0]["field"]
        assert spanish.json["errors"][0]["message"] != english.json["errors"][0]["message"]


@pytest.mark.asyncio(loop_scope="module")
async def test_error_member_is_openai_s_when_the_path_is(refusing_service: Service) -> None:
    """OpenAI's clients find `error.message`, `type` and `code` in the same document."""
    answer = await refusing_service.ask("/v1/chat/completions", {"model": MODEL})
    assert answer.json["error"] == {
        "message": answer.json["detail"],
        "type": "invalid_request_error",
        "param": None,
        "code": "invalid_request",
    }
    assert "error" not in (await refusing_service.ask("/chat", {})).json
