"""What happens to every request: its id, its log line, CORS, HEAD."""

import asyncio
import re

import pytest
from structlog.typing import EventDict

from tests.api.faults import hangs
from tests.api.faulty_engine import FaultyEngine
from tests.api.service import Service, running, until
from tiza.api.engine import Engine

PATHS = ["/", "/health", "/health/live", "/health/ready", "/models", "/stats", "/metrics"]
PATHS += ["/v1/models", "/docs", "/redoc", "/openapi.json", "/nothing", "/chat"]
OURS, OTHERS = "https://school.example", "https://evil.example"


async def entries(logged: list[EventDict], event: str, number: int = 1) -> list[EventDict]:
    """Wait for log entries of that name: an answer may be read before its line is there."""
    await until(lambda: sum(entry["event"] == event for entry in logged) >= number)
    return [entry for entry in logged if entry["event"] == event]


@pytest.mark.parametrize("path", PATHS)
async def test_answer_has_an_id_when_a_request_has_none(path: str, service: Service) -> None:
    """Every answer carries X-Request-ID, and no two share one."""
    first, second = await service.ask(path), await service.ask(path)
    assert re.fullmatch("[0-9a-f]{32}", first.headers["X-Request-ID"])
    assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]
    assert len(first.headers.getall("X-Request-ID")) == 1


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_answer_has_the_id_of_the_request_when_that_is_one(
    stream: bool, service: Service
) -> None:
    """A valid X-Request-ID comes back, so that a client finds its request in the log."""
    headers = {"X-Request-ID": "Lesson_1.a-Z9"}
    body = {"message": "x", "stream": stream}
    answer = await service.ask("/chat", body, headers=headers)
    assert answer.headers["X-Request-ID"] == "Lesson_1.a-Z9"


@pytest.mark.parametrize("given", ["", "a b", "a" * 65, "é", "a;b", '"', "a,b", "../x"])
async def test_answer_has_another_id_when_the_one_of_the_request_is_not_valid(
    given: str, service: Service
) -> None:
    """What goes into the log is short and plain."""
    answer = await service.ask("/health/live", headers={"X-Request-ID": given})
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])


async def test_log_has_a_line_when_a_request_was_answered(
    service: Service, logged: list[EventDict]
) -> None:
    """Method, path, status, time and id are in it."""
    answer = await service.ask("/chat", {})
    [line] = await entries(logged, "request")
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert (line["method"], line["path"], line["status"]) == ("POST", "/chat", 422)
    assert (line["log_level"], line["seconds"] >= 0) == ("info", True)


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready", "/metrics"])
async def test_log_is_quiet_when_a_probe_asks(
    path: str, service: Service, logged: list[EventDict]
) -> None:
    """Health checks every few seconds do not fill the log."""
    await service.ask(path)
    assert [entry["log_level"] for entry in await entries(logged, "request")] == ["debug"]


async def test_log_has_the_traceback_when_there_is_a_bug(
    service: Service, logged: list[EventDict], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The details of a bug are in the log, under the id that the client was told."""

    async def bug(self: Engine, name: str | None) -> None:
        raise ZeroDivisionError("the detail")

    monkeypatch.setattr(Engine, "model", bug)
    answer = await service.chat()
    [entry] = await entries(logged, "bug")
    assert entry["request_id"] == answer.json["request_id"]
    assert entry["exc_info"]
    assert entry["log_level"] == "error"


@pytest.mark.parametrize("path", PATHS[:-2])
async def test_head_is_get_without_the_body_when_asked(path: str, service: Service) -> None:
    """Monitors ask with HEAD (RFC 9110, 9.3.2): same status and headers, no bytes after them."""
    get = await service.ask(path)
    head = f"HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    answer = await service.raw(head)
    assert answer.startswith(f"HTTP/1.1 {get.status} ".encode())
    assert answer.endswith(b"\r\n\r\n")
    assert answer.count(b"\r\n\r\n") == 1
    assert f"content-type: {get.headers['Content-Type']}\r\n".encode() in answer.lower()


async def test_other_sites_may_not_read_when_none_is_listed(service: Service) -> None:
    """Without CORS_ORIGINS no page of another site reads an answer."""
    answer = await service.ask("/models", headers={"Origin": OURS})
    assert answer.status == 200
    assert "Access-Control-Allow-Origin" not in answer.headers


async def test_listed_site_may_read_when_it_asks(
    engine: FaultyEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sites of CORS_ORIGINS read answers of every kind, with id and Retry-After; others not."""
    async with running(vllm_api_url=engine.url, cors_origins=f"{OURS}/, x") as service:

        async def bug(self: Engine, name: str | None) -> None:
            raise ZeroDivisionError

        async def answers(origin: str) -> list[tuple[int, str | None, str | None]]:
            headers = {"Origin": origin}
            body = {"message": "x"}
            seen = [
                await service.ask("/models", headers=headers),
                await service.ask("/chat", body, headers=headers),
                await service.ask("/chat", body | {"stream": True}, headers=headers),
                await service.ask("/chat", {}, headers=headers),
                await service.ask("/nothing", headers=headers),
                await service.ask("/chat", data=b"x" * 300_000, headers=headers),
            ]
            with monkeypatch.context() as patch:
                patch.setattr(Engine, "model", bug)
                seen.append(await service.ask("/chat", body, headers=headers))
            allowed, shown = "Access-Control-Allow-Origin", "Access-Control-Expose-Headers"
            return [(a.status, a.headers.get(allowed), a.headers.get(shown)) for a in seen]

        statuses = [200, 200, 200, 422, 404, 413, 500]
        exposed = "X-Request-ID, Retry-After, RateLimit, RateLimit-Policy, X-Cache, ETag"
        assert await answers(OURS) == [(status, OURS, exposed) for status in statuses]
        assert [origin for _, origin, _ in await answers(OTHERS)] == [None] * len(statuses)


async def test_preflight_is_granted_when_the_site_is_listed(engine: FaultyEngine) -> None:
    """A browser may send our JSON from a listed site, and only from there."""
    asked = {"Access-Control-Request-Method": "POST"}
    asked["Access-Control-Request-Headers"] = "content-type"
    async with running(vllm_api_url=engine.url, cors_origins=OURS) as service:
        granted = await service.ask("/chat", method="OPTIONS", headers={"Origin": OURS} | asked)
        refused = await service.ask("/chat", method="OPTIONS", headers={"Origin": OTHERS} | asked)
        tracing = {"Origin": OURS, "Access-Control-Request-Method": "TRACE"}
        other_method = await service.ask("/chat", method="OPTIONS", headers=tracing)
    assert (granted.status, granted.headers["Access-Control-Allow-Origin"]) == (200, OURS)
    assert "POST" in granted.headers["Access-Control-Allow-Methods"]
    assert "X-Request-ID" in granted.headers
    assert refused.status == 400
    assert "Access-Control-Allow-Origin" not in refused.headers
    assert other_method.status == 400


async def test_nothing_is_left_when_a_client_leaves_in_the_middle_of_its_body(
    service: Service, engine: FaultyEngine
) -> None:
    """A request that never arrived whole asks nothing of the engine and breaks nothing."""
    _, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(b"POST /chat HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await service.chat()).status == 200
    assert len(engine.bodies()) == 1


async def test_ids_stay_apart_when_requests_overlap(
    service: Service, engine: FaultyEngine, logged: list[EventDict]
) -> None:
    """What is logged for a request has its own id, also while others are answered."""
    engine.fault = hangs
    question = service.ask("/chat", {"message": "x"}, headers={"X-Request-ID": "s"})
    slow = asyncio.create_task(question)
    await until(lambda: engine.generating)
    await service.ask("/stats", headers={"X-Request-ID": "q"})
    await engine.stop()
    await slow
    lines = {e["path"]: e["request_id"] for e in await entries(logged, "request", number=2)}
    assert lines == {"/stats": "q", "/chat": "s"}
