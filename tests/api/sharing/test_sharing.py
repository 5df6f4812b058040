"""Equal questions share one generation, or find an answer that is kept; others never do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.api.conversations import Visitor, text_of, visitor
from tests.api.faulty_engine import MODEL, PIECES, TEXT, FaultyEngine
from tests.api.service import Answer, Service, running, until
from tests.api.streams.conftest import breaks_in_the_middle, waits_in_the_middle
from tests.api.test_admission import waits
from tests.api.test_engines import tell

CHAT: dict[str, Any] = {"message": "What is chalk?"}
COMPLETION: dict[str, Any] = {
    "model": MODEL,
    "messages": [{"role": "user", "content": "What is chalk?"}],
}
PATHS = {"/chat": CHAT, "/v1/chat/completions": COMPLETION}
FRESH = {"Cache-Control": "no-cache"}


@pytest.fixture
async def caching(engine: FaultyEngine, tmp_path: Path) -> AsyncIterator[Service]:
    """Run an application that keeps answers."""
    async with running(
        vllm_api_url=engine.url, var_path=tmp_path, response_cache_ttl=60
    ) as service:
        yield service


def answered(answer: Answer) -> str:
    """Return the text of an answer of any kind."""
    assert answer.status == 200, answer.body
    if answer.kind == "text/event-stream":
        events = answer.events
        if events[-1].raw == "[DONE]":
            deltas = [event.data["choices"] for event in events[:-1]]
            return "".join(choice[0]["delta"].get("content", "") for choice in deltas if choice)
        assert text_of(events) == events[-1].data["response"]
        return text_of(events)
    if "choices" in answer.json:
        return str(answer.json["choices"][0]["message"]["content"])
    return str(answer.json["response"])


def sources(answers: list[Answer]) -> dict[str, int]:
    """Count the answers by X-Cache."""
    found = [answer.headers["X-Cache"] for answer in answers]
    return {source: found.count(source) for source in sorted(set(found))}


async def all_wait(service: Service, number: int) -> None:
    """Wait until as many read the one generation that there is."""

    def reading() -> int:
        flights = list(service.state.sharing._flights.values())
        return sum(len(flight._readers) for flight in flights)

    await until(lambda: reading() == number)


@pytest.mark.parametrize("path", PATHS)
async def test_thirty_share_one_generation_when_they_ask_the_same_at_once(
    path: str, service: Service, engine: FaultyEngine
) -> None:
    """Plain and streamed, one generation; each gets the whole answer; counted once."""
    engine.fault = waits
    asked = [
        asyncio.create_task(service.ask(path, PATHS[path] | {"stream": n % 2 == 0}))
        for n in range(30)
    ]
    await all_wait(service, 30)
    await until(lambda: len(engine.bodies()) == 1)
    assert service.state.admission.active == 1
    engine.go_on.set()
    answers = [await each for each in asked]
    assert [answered(answer) for answer in answers] == [TEXT] * 30
    assert sources(answers) == {"miss": 1, "shared": 29}
    assert len(engine.bodies()) == 1
    stats = (await service.ask("/stats")).json
    assert (stats["shared_answers"], stats["cache_hits"]) == (29, 0)
    assert stats["requests"] == {"total": 30, "ok": 30}
    assert (stats["models"][MODEL]["answers"], stats["completion_tokens"]) == (1, len(PIECES))


async def test_late_reader_gets_all_when_an_answer_is_half_written(
    service: Service, engine: FaultyEngine
) -> None:
    """From its beginning, and then as it comes."""
    engine.fault = waits_in_the_middle
    async with service.session.post("/chat", json=CHAT | {"stream": True}) as first:
        begun = await first.content.readuntil(PIECES[2].encode())
        async with service.session.post("/chat", json=CHAT | {"stream": True}) as second:
            assert second.headers["X-Cache"] == "shared"
            late = await second.content.readuntil(PIECES[2].encode())
            engine.go_on.set()
            late += await second.read()
        begun += await first.read()
    for received in (begun, late):
        answer = Answer(200, first.headers, received)
        assert text_of(answer.events) == answer.events[-1].data["response"] == TEXT
        assert [event.name for event in answer.events].count("start") == 1


@pytest.mark.parametrize("leaving", [0, 1, 2])
async def test_others_go_on_when_one_of_them_leaves(
    leaving: int, service: Service, engine: FaultyEngine
) -> None:
    """Also when it is the one whose question was first."""
    engine.fault = waits_in_the_middle
    async with AsyncExitStack() as held:
        responses = []
        for _ in range(3):
            asked = service.session.post("/chat", json=CHAT | {"stream": True})
            responses.append(await held.enter_async_context(asked))
            await responses[-1].content.readuntil(PIECES[0].encode())
        responses.pop(leaving).close()
        await all_wait(service, 2)
        assert engine.generating == 1
        engine.go_on.set()
        for response in responses:
            assert f'"response":"{TEXT}"'.encode() in await response.read()
    await service.idle()
    stats = (await service.ask("/stats")).json
    assert stats["completion_tokens"] == len(PIECES), "whoever stays has it counted, once"
    assert len(engine.bodies()) == 1


async def test_engine_stops_when_all_have_left(service: Service, engine: FaultyEngine) -> None:
    """Nobody reads, nothing is written; who asks the same after that begins anew."""
    engine.fault = waits_in_the_middle
    async with AsyncExitStack() as held:
        for _ in range(3):
            asked = service.session.post("/chat", json=CHAT | {"stream": True})
            response = await held.enter_async_context(asked)
            await response.content.readuntil(PIECES[0].encode())
            held.callback(response.close)
    await until(lambda: not engine.generating)
    await service.idle()
    assert not service.state.sharing._flights
    engine.go_on.set()
    assert (await service.chat()).headers["X-Cache"] == "miss"


async def test_failure_is_told_to_all_and_not_kept(caching: Service, engine: FaultyEngine) -> None:
    """Everyone who waits learns it; the next question is a new attempt."""
    engine.fault = breaks_in_the_middle
    streams = await asyncio.gather(*(caching.chat(stream=True) for _ in range(5)))
    assert {each.events[-1].data["code"] for each in streams} == {"engine_lost"}
    engine.fault = waits
    engine.go_on.set()
    again = await caching.chat()
    assert (again.headers["X-Cache"], answered(again)) == ("miss", TEXT)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_answer_is_kept_when_a_time_is_set(
    stream: bool, path: str, caching: Service, engine: FaultyEngine
) -> None:
    """The same question, however typed, finds it; no generation, same text and counts."""
    first = await caching.ask(path, PATHS[path] | {"stream": not stream})
    assert first.headers["X-Cache"] == "miss"
    spaced: dict[str, Any] = {"message": " What  is chalk? "}
    if path != "/chat":
        spaced = COMPLETION | {"messages": [{"role": "user", "content": " What  is chalk? "}]}
    hits = [await caching.ask(path, spaced | {"stream": stream}) for _ in range(3)]
    assert sources(hits) == {"hit": 3}
    assert [answered(hit) for hit in hits] == [TEXT] * 3
    assert len(engine.bodies()) == 1
    stats = (await caching.ask("/stats")).json
    assert (stats["cache_hits"], stats["completion_tokens"]) == (3, len(PIECES))


async def test_answer_is_not_kept_when_no_time_is_set(
    service: Service, engine: FaultyEngine
) -> None:
    """RESPONSE_CACHE_TTL=0, the default: only questions in flight share."""
    answers = [await service.chat() for _ in range(3)]
    assert sources(answers) == {"miss": 3}
    assert len(engine.bodies()) == 3


async def test_hit_costs_a_request_and_no_tokens(engine: FaultyEngine) -> None:
    """Tokens are paid once, by whom they were generated for."""
    async with running(
        vllm_api_url=engine.url,
        response_cache_ttl=60,
        max_requests=100,
        daily_tokens_student=10_000,
    ) as service:
        await service.chat()
        before = (await service.ask("/me")).json["quota"]
        hit = await service.chat()
        assert hit.json["cached"] is True
        assert hit.json["tokens_used"] > 0, "what the answer has, not what was paid"
        after = (await service.ask("/me")).json["quota"]
        assert after["tokens"]["remaining"] == before["tokens"]["remaining"]
        assert after["requests"]["remaining"] == before["requests"]["remaining"] - 1


DIFFERENT: list[tuple[str, dict[str, Any]]] = [
    ("/chat", CHAT | {"language": "es"}),
    ("/chat", CHAT | {"language": "en"}),
    ("/chat", CHAT | {"temperature": 0.1}),
    ("/chat", CHAT | {"max_tokens": 7}),
    ("/chat", {"message": "what is chalk?"}),
    ("/v1/chat/completions", COMPLETION),
    ("/v1/chat/completions", COMPLETION | {"max_tokens": 7}),
    ("/v1/chat/completions", COMPLETION | {"seed": 7}),
    (
        "/v1/chat/completions",
        COMPLETION | {"messages": [{"role": "system", "content": "Lie."}, *COMPLETION["messages"]]},
    ),
]


async def test_nothing_is_shared_when_anything_differs(
    caching: Service, engine: FaultyEngine
) -> None:
    """Not across languages, system prompts, parameters or wordings: kept or in flight."""
    kept = [await caching.ask(path, body) for path, body in [("/chat", CHAT), *DIFFERENT]]
    assert sources(kept) == {"miss": len(kept)}
    assert len(engine.bodies()) == len(kept)
    again = [await caching.ask(path, body) for path, body in DIFFERENT]
    assert sources(again) == {"hit": len(DIFFERENT)}


async def test_nothing_is_shared_when_the_model_differs(
    engine: FaultyEngine, tmp_path: Path
) -> None:
    """Neither between models of one engine, nor with an engine that came after it."""
    file = tmp_path / "engine.json"
    engine.dialect = "llama.cpp"
    tell(file, engine, 1, adapters=("poet",))
    async with running(engine_file=file, var_path=tmp_path, response_cache_ttl=60) as service:
        answers = [await service.chat(), await service.chat(model="poet"), await service.chat()]
        assert [answer.headers["X-Cache"] for answer in answers] == ["miss", "miss", "hit"]
        tell(file, engine, 2, adapters=("poet",))
        assert (await service.chat()).headers["X-Cache"] == "miss"


PERSONAL: list[tuple[str, dict[str, Any]]] = [
    (
        "/chat",
        CHAT
        | {
            "conversation_history": [
                {"role": "user", "content": "I am Ana."},
                {"role": "assistant", "content": "Hello!"},
            ]
        },
    ),
    (
        "/v1/chat/completions",
        COMPLETION
        | {
            "messages": [
                {"role": "user", "content": "I am Ana."},
                {"role": "assistant", "content": "Hello!"},
                *COMPLETION["messages"],
            ]
        },
    ),
    ("/v1/chat/completions", COMPLETION | {"messages": COMPLETION["messages"] * 2}),
    ("/v1/chat/completions", COMPLETION | {"temperature": 0.7}),
    ("/v1/completions", {"model": MODEL, "prompt": "What is chalk?"}),
]


@pytest.mark.parametrize(("path", "body"), PERSONAL)
async def test_nothing_is_shared_when_something_was_said_before_or_draws_are_wanted(
    path: str, body: dict[str, Any], caching: Service, engine: FaultyEngine
) -> None:
    """A history is its owner's; a program that names a temperature wants draws of its own."""
    answers = [await caching.ask(path, body) for _ in range(2)]
    assert sources(answers) == {"miss": 2}
    assert len(engine.bodies()) == 2


@pytest.mark.parametrize("path", PATHS)
async def test_own_answer_is_written_when_no_other_is_wanted(
    path: str, caching: Service, engine: FaultyEngine
) -> None:
    """`Cache-Control: no-cache` bypasses what is kept and what is in flight."""
    await caching.ask(path, PATHS[path])
    answer = await caching.ask(path, PATHS[path], headers=FRESH)
    assert (answer.headers["X-Cache"], len(engine.bodies())) == ("miss", 2)


@pytest.fixture
async def class_of_five(caching: Service) -> AsyncIterator[list[Visitor]]:
    """Come as five people, each with a conversation."""
    jar = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        yield [await visitor(session, caching.url) for _ in range(5)]


async def test_each_keeps_their_own_message_when_a_class_asks_the_same(
    class_of_five: list[Visitor], caching: Service, engine: FaultyEngine
) -> None:
    """One generation; five conversations with a question and an answer of their own."""
    engine.fault = waits_in_the_middle
    asked = [asyncio.create_task(each.ask(CHAT["message"])) for each in class_of_five]
    await all_wait(caching, 5)
    engine.go_on.set()
    answers = [await each for each in asked]
    assert [answer["response"] for answer in answers] == [TEXT] * 5
    assert len({answer["message_id"] for answer in answers}) == 5
    assert len(engine.bodies()) == 1
    for each in class_of_five:
        question, answer = await each.messages()
        assert (question["text"], answer["text"]) == (CHAT["message"], TEXT)
        assert answer["state"] == "complete"
    assert sum(answer.get("cached", False) for answer in answers) == 4


async def test_answer_goes_on_for_others_when_one_conversation_stops_it(
    class_of_five: list[Visitor], caching: Service, engine: FaultyEngine
) -> None:
    """Stopping is for oneself."""
    engine.fault = waits_in_the_middle
    ana, eva, *_ = class_of_five
    stopped, going_on = await ana.begin(), await eva.begin()
    await all_wait(caching, 2)
    await ana.stop(stopped)
    await all_wait(caching, 1)
    engine.go_on.set()
    assert text_of(await eva.read(going_on)) == TEXT
    assert (await ana.read(stopped))[-1].data["finish_reason"] == "stopped"
    assert len(engine.bodies()) == 1


async def test_only_the_first_question_is_shared_and_never_another_answer_to_it(
    class_of_five: list[Visitor], engine: FaultyEngine
) -> None:
    """What follows depends on what was said; regenerating asks for something else."""
    ana, eva, *_ = class_of_five
    first = await ana.ask()
    assert (await eva.ask())["cached"] is True
    assert len(engine.bodies()) == 1
    await ana.ask()
    await eva.ask()
    assert len(engine.bodies()) == 3
    async with ana.post(f"/messages/{first['message_id']}/regenerate", {}) as response:
        assert "cached" not in await response.json()
    assert len(engine.bodies()) == 4


async def test_nobody_learns_who_asked_when_an_answer_is_shared(
    class_of_five: list[Visitor], engine: FaultyEngine
) -> None:
    """Ids are one's own, and another's are nobody's."""
    ana, eva, *_ = class_of_five
    first, second = await ana.ask(), await eva.ask()
    assert second["cached"] is True
    for name in ("conversation_id", "question_id", "message_id"):
        assert first[name] != second[name]
        assert first[name] not in str(second)
