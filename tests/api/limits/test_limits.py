"""Requests, tokens and answers at the same time: counted, given back, refused, told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from structlog.typing import EventDict

from tests.api.conversations import visitor
from tests.api.faulty_engine import MODEL, PIECES, Exchange, FaultyEngine
from tests.api.service import Answer, Service, running, until
from tests.api.streams.conftest import breaks_in_the_middle, waits_in_the_middle
from tests.api.test_admission import waits
from tests.redis_server import RedisServer
from tiza.api.callers import Caller
from tiza.api.limits import shared
from tiza.api.visit import Visit
from tiza.errors import RateLimited
from tiza.store.records import Person

CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("/chat", {"message": "?"}),
    "chat stream": ("/chat", {"message": "?", "stream": True}),
    "completion": (
        "/v1/chat/completions",
        {"model": MODEL, "messages": [{"role": "user", "content": "?"}]},
    ),
    "completion stream": (
        "/v1/chat/completions",
        {"model": MODEL, "stream": True, "messages": [{"role": "user", "content": "?"}]},
    ),
    "text": ("/v1/completions", {"model": MODEL, "prompt": "?"}),
}


def told(answer: Answer, header: str = "RateLimit") -> dict[str, dict[str, str]]:
    """Read a header that is a list of names with parameters."""
    found = {}
    for each in answer.headers[header].split(", "):
        name, *parameters = each.split(";")
        found[name.strip('"')] = dict(parameter.split("=") for parameter in parameters)
    return found


async def remaining(service: Service) -> dict[str, int]:
    """Return what is left of each quota."""
    answer = await service.ask("/me")
    assert answer.status == 200, answer.body
    return {name: each["remaining"] for name, each in answer.json["quota"].items()}


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    """Ask until it is so: what is given back to Redis takes a moment."""
    async with asyncio.timeout(20):
        while not await holds():  # noqa: ASYNC110  # another process has no event for this
            await asyncio.sleep(0.02)


async def becomes(service: Service, name: str, wanted: int) -> None:
    """Wait until that is left of a quota."""

    async def holds() -> bool:
        left = await remaining(service)
        return left[name] == wanted

    await eventually(holds)


async def has_paid_for_a_few(service: Service, since: int) -> bool:
    """Tell whether some tokens were paid, but not more than were written."""
    return since - len(PIECES) <= (await remaining(service))["tokens"] < since


async def is_answered(service: Service) -> bool:
    """Tell whether a stranger is."""
    return (await service.chat("Now?")).status == 200


@pytest.fixture
async def limited(engine: FaultyEngine, counting: str) -> AsyncIterator[Service]:
    """Run an application with small quotas."""
    async with running(
        vllm_api_url=engine.url,
        redis_url=counting,
        max_requests=10,
        max_streams_per_client=0,
        daily_tokens_student=0,
    ) as service:
        yield service


@pytest.mark.parametrize("call", CALLS)
async def test_exactly_as_many_are_let_through_as_the_quota_when_many_ask_at_once(
    call: str, limited: Service, engine: FaultyEngine
) -> None:
    """100 parallel requests against a quota of 10: 10 answers, 90 refusals."""
    path, body = CALLS[call]
    answers = await asyncio.gather(*(limited.ask(path, body) for _ in range(100)))
    assert sorted(answer.status for answer in answers) == [200] * 10 + [429] * 90
    assert await remaining(limited) == {"requests": 0}
    assert len(engine.bodies()) <= 10


async def test_exactly_as_many_are_let_through_when_two_processes_count_in_one_redis(
    engine: FaultyEngine, redis: RedisServer
) -> None:
    """The quota is that of the caller, not of the process."""
    given = {"vllm_api_url": engine.url, "redis_url": redis.url, "max_requests": 10}
    async with running(**given) as first, running(**given) as second:  # type: ignore[arg-type]  # settings only
        asked = [each.chat() for _ in range(50) for each in (first, second)]
        answers = await asyncio.gather(*asked)
    assert sorted(answer.status for answer in answers) == [200] * 10 + [429] * 90


async def test_refusal_says_when_to_come_back(limited: Service) -> None:
    """429 rate_limited with Retry-After and both headers of the draft, in the reader's language."""
    for number in range(10):
        answer = await limited.chat()
        assert told(answer)["requests"]["r"] == str(9 - number)
        assert told(answer, "RateLimit-Policy") == {"requests": {"q": "10", "w": "3600"}}
    refused = await limited.chat(stream=True)
    assert (refused.status, refused.json["code"]) == (429, "rate_limited")
    assert refused.kind == "application/problem+json"
    assert 355 <= int(refused.headers["Retry-After"]) <= 360
    assert refused.headers["Retry-After"] in refused.json["detail"]
    assert told(refused)["requests"]["r"] == "0"
    assert 3590 <= int(told(refused)["requests"]["t"]) <= 3600
    openai = await limited.complete()
    assert (openai.status, openai.json["error"]["code"]) == (429, "rate_limited")


async def test_other_endpoints_answer_when_the_quota_is_used_up(limited: Service) -> None:
    """Only answers are limited."""
    await asyncio.gather(*(limited.chat() for _ in range(10)))
    for path in ("/", "/health", "/models", "/stats", "/v1/models", "/me"):
        assert (await limited.ask(path)).status == 200


@pytest.fixture
async def by_tokens(engine: FaultyEngine, counting: str) -> AsyncIterator[Service]:
    """Run an application that counts tokens."""
    async with running(
        vllm_api_url=engine.url,
        redis_url=counting,
        max_requests=0,
        max_streams_per_client=0,
        daily_tokens_student=1000,
    ) as service:
        yield service


@pytest.mark.parametrize("call", CALLS)
async def test_tokens_are_reserved_while_an_answer_is_written_and_given_back_after_it(
    call: str, by_tokens: Service, engine: FaultyEngine
) -> None:
    """As many as `max_tokens` at first, then as many as were used."""
    engine.fault = waits
    path, body = CALLS[call]
    asked = asyncio.create_task(by_tokens.ask(path, body | {"max_tokens": 800}))
    await until(lambda: engine.generating)
    assert await remaining(by_tokens) == {"tokens": 200}
    refused = await by_tokens.chat("Another?", max_tokens=300)
    assert (refused.status, refused.json["code"]) == (429, "rate_limited")
    engine.go_on.set()
    assert (await asked).status == 200
    used = engine.usage(engine.bodies()[0])["usage"]["total_tokens"]
    await becomes(by_tokens, "tokens", 1000 - used)


async def test_tokens_are_given_back_when_the_engine_fails(
    by_tokens: Service, engine: FaultyEngine
) -> None:
    """What was not generated costs nothing."""

    async def fails(exchange: Exchange) -> None:
        await exchange.reply({}, 500)

    engine.fault = fails
    assert (await by_tokens.chat(max_tokens=900)).status == 502
    await becomes(by_tokens, "tokens", 1000)


async def test_only_what_was_written_is_paid_when_an_answer_is_cut(
    by_tokens: Service, engine: FaultyEngine
) -> None:
    """By the engine or by the client who leaves: pieces are counted where no token count came."""
    engine.fault = breaks_in_the_middle
    assert (await by_tokens.chat(max_tokens=900, stream=True)).events[-1].name == "error"
    await eventually(lambda: has_paid_for_a_few(by_tokens, since=1000))
    left = (await remaining(by_tokens))["tokens"]
    engine.fault = waits_in_the_middle
    async with by_tokens.session.post("/chat", json={"message": "?", "stream": True}) as response:
        await response.content.readuntil(PIECES[2].encode())
    await eventually(lambda: has_paid_for_a_few(by_tokens, since=left))


@pytest.fixture
async def by_streams(engine: FaultyEngine, counting: str) -> AsyncIterator[Service]:
    """Run an application where a client may have three answers at once."""
    async with running(
        vllm_api_url=engine.url, redis_url=counting, max_streams_per_client=3
    ) as service:
        yield service


async def test_answers_at_once_are_limited_and_places_come_free(
    by_streams: Service, engine: FaultyEngine
) -> None:
    """The fourth is refused; when one ends or its client leaves, another may come."""
    engine.fault = waits
    asked = [asyncio.create_task(by_streams.chat(str(n), stream=True)) for n in range(3)]
    await until(lambda: engine.generating == 3)
    refused = await by_streams.complete()
    assert (refused.status, refused.json["code"]) == (429, "rate_limited")
    assert refused.headers["Retry-After"] == "5"
    asked[0].cancel()
    await becomes(by_streams, "streams", 1)
    asked.append(asyncio.create_task(by_streams.chat("another")))
    await until(lambda: len(engine.bodies()) == 4)
    engine.go_on.set()
    assert [(await each).status for each in asked[1:]] == [200] * 3
    await becomes(by_streams, "streams", 3)


async def test_flood_from_one_address_is_refused_when_its_places_are_taken(
    by_streams: Service, engine: FaultyEngine
) -> None:
    """Hundreds of streams at once: three reach the engine, all others are told to wait."""
    engine.fault = waits
    asked = [asyncio.create_task(by_streams.chat(str(n), stream=True)) for n in range(300)]
    refused = []
    for each in asyncio.as_completed(asked):
        refused.append((await each).status)
        if len(refused) == 297:
            break
    assert refused == [429] * 297
    assert len(engine.bodies()) == engine.generating == 3
    engine.go_on.set()
    assert sorted([(await each).status for each in asked]) == [200] * 3 + [429] * 297


async def test_people_are_counted_one_by_one_when_they_are_known(
    engine: FaultyEngine, counting: str
) -> None:
    """Who has used up their quota does not stop another at the same address."""
    async with running(vllm_api_url=engine.url, redis_url=counting, max_requests=2) as service:
        ana = await visitor(service.session, service.url)
        eva = await visitor(service.session, service.url)
        await ana.ask()
        await ana.ask()
        async with ana.asking() as response:
            assert response.status == 429
            assert (await response.json())["code"] == "rate_limited"
            assert response.headers["RateLimit"].startswith('"requests";r=0')
        assert len(await ana.messages()) == 4, "what is refused is not kept"
        await eva.ask()


async def test_repeated_send_costs_nothing(engine: FaultyEngine, counting: str) -> None:
    """Under the same Idempotency-Key an answer is paid once."""
    async with running(vllm_api_url=engine.url, redis_url=counting, max_requests=2) as service:
        ana = await visitor(service.session, service.url)
        for _ in range(5):
            await ana.ask(key="once")
        await ana.ask("And slate?")
        async with ana.asking() as response:
            assert response.status == 429


async def test_answer_in_a_conversation_is_settled_when_it_is_stopped(
    engine: FaultyEngine, counting: str
) -> None:
    """Tokens and place come back, whoever ends it."""
    engine.fault = waits_in_the_middle
    async with running(
        vllm_api_url=engine.url, redis_url=counting, daily_tokens_student=1000
    ) as service:
        ana = await visitor(service.session, service.url)

        async def left() -> dict[str, Any]:
            answer = await service.ask("/me", headers=ana.headers)
            return {name: each["remaining"] for name, each in answer.json["quota"].items()}

        stream_id = await ana.begin(max_tokens=900)
        await until(lambda: engine.generating)
        assert (await left())["tokens"] == 100
        assert (await left())["streams"] == 15
        await ana.stop(stream_id)

        async def is_free() -> bool:
            now = await left()
            return bool(now["streams"] == 16)

        await eventually(is_free)
        assert (await left())["tokens"] >= 990


async def test_guests_are_refused_and_accounts_counted_here_when_redis_is_away(
    engine: FaultyEngine, redis: RedisServer, logged: list[EventDict]
) -> None:
    """Fail closed where nobody can count; said once; all is well again when Redis is."""
    async with running(vllm_api_url=engine.url, redis_url=redis.url, max_requests=3) as service:
        limits = service.state.limits
        ana = Visit(Caller(Person(7), "student", "", "192.0.2.7"))
        assert (await service.chat()).status == 200
        redis.dies()
        assert (await service.ask("/me")).json["quota"] is None
        for _ in range(3):
            refused = await service.chat()
            assert (refused.status, refused.json["code"]) == (503, "limits_unavailable")
            assert refused.headers["Retry-After"] == "3"
            await service.run(lambda: limits.take(ana, 10))
        with pytest.raises(RateLimited):
            await service.run(lambda: limits.take(ana, 10))
        assert len([entry for entry in logged if entry.get("of") == "limits"]) == 1
        await redis.comes()
        await eventually(lambda: is_answered(service))
        await service.run(lambda: limits.take(ana, 10))


async def test_places_come_free_when_the_process_that_held_them_is_dead(
    engine: FaultyEngine, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lease lapses when nobody renews it; whoever writes renews it."""
    monkeypatch.setattr(shared, "LEASE_SECONDS", 1)
    monkeypatch.setattr(shared, "RENEW_SECONDS", 0.2)
    engine.fault = waits
    given = {"vllm_api_url": engine.url, "redis_url": redis.url, "max_streams_per_client": 1}
    async with running(**given) as dying, running(**given) as other:  # type: ignore[arg-type]  # settings only
        asked = asyncio.create_task(dying.chat(stream=True))
        await until(lambda: engine.generating)
        await asyncio.sleep(1.5)  # longer than the lease: this test is about time
        assert (await other.chat("?")).status == 429
        renewing = dying.state.limits._shared
        assert renewing is not None
        renewing._leases.clear()  # as if it had been killed
        engine.go_on.set()
        await eventually(lambda: is_answered(other))
        await asked


async def test_nothing_is_limited_or_told_when_only_this_machine_can_ask(service: Service) -> None:
    """A teacher's own laptop has no quotas."""
    answer = await service.chat()
    assert "RateLimit" not in answer.headers
    assert (await service.ask("/me")).json["quota"] == {}
