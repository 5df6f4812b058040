"""Several engines that serve the same: a conversation stays with one as long as that is there."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from tests.api.faulty_engine import PIECES, FaultyEngine, faulty_engine
from tests.api.service import Service, running, until
from tests.api.test_admission import waits
from tests.api.test_streaming import read_until
from tiza.api.engine import Engine
from tiza.api.routing import FEW, beginning_of, ranked
from tiza.engines.serving import Serving


@pytest.fixture
async def engines() -> AsyncIterator[list[FaultyEngine]]:
    """Run three."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(faulty_engine()) for _ in range(3)]


@pytest.fixture
async def fleet(
    engines: list[FaultyEngine], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Service]:
    """Run the application in front of them."""
    monkeypatch.setattr("tiza.api.engines.CHECK_SECONDS", 0.05)
    urls = ", ".join(engine.url + "/v1/" for engine in engines)
    async with running(vllm_api_url=urls) as service:
        yield service


def history(question: str, turns: int) -> list[dict[str, str]]:
    """Return a conversation that began with the question."""
    said = [{"role": "user", "content": question}, {"role": "assistant", "content": "Chalk."}]
    return (said + [{"role": role["role"], "content": "more"} for role in said] * turns)[
        : 2 * turns
    ]


def asked(engines: list[FaultyEngine]) -> list[int]:
    """Return how many answers each engine was asked for."""
    return [len(engine.bodies()) for engine in engines]


def one_asked(engines: list[FaultyEngine]) -> FaultyEngine:
    """Return the engine that alone was asked."""
    [engine] = [engine for engine in engines if engine.bodies()]
    return engine


async def test_conversation_stays_with_an_engine_when_it_grows(
    fleet: Service, engines: list[FaultyEngine]
) -> None:
    """By its first question, through both ways to ask; other conversations are spread."""
    for turns in range(4):
        await fleet.chat(
            "first" if not turns else "more", conversation_history=history("first", turns)
        )
    assert sorted(asked(engines)) == [0, 0, 4]
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "first"}]
    before = asked(engines)
    for turns in range(3):
        said = messages + history("more", turns) + [{"role": "user", "content": str(turns)}]
        answer = await fleet.ask("/v1/chat/completions", {"model": "samples_0", "messages": said})
        assert answer.status == 200
    grown = [after - b for after, b in zip(asked(engines), before, strict=True)]
    assert sorted(grown) == [0, 0, 3]
    for number in range(30):
        await fleet.chat(f"question {number}")
    assert min(asked(engines)) >= 3


async def test_conversation_moves_and_returns_when_its_engine_goes_and_comes_back(
    fleet: Service, engines: list[FaultyEngine]
) -> None:
    """No question fails meanwhile; once it answers again it has its conversations again."""
    first = {"conversation_history": history("first", 1)}
    await fleet.chat("0", **first)
    home = one_asked(engines)

    await home.stop()
    answers = [await fleet.chat(str(n), **first) for n in range(3)]
    assert [answer.status for answer in answers] == [200] * 3
    assert len(home.bodies()) == 1
    assert (await fleet.ask("/health")).status == 200
    assert len((await fleet.ask("/models")).json["models"]) == 1

    await home.listen()
    await until(lambda: not fleet.state.engines._away)
    await fleet.chat("back", **first)
    assert len(home.bodies()) == 2


async def test_plain_question_moves_when_its_engine_goes(
    fleet: Service, engines: list[FaultyEngine]
) -> None:
    """Also one that others may share, which is prepared before it is asked; and a stream."""
    await fleet.chat("first")
    await one_asked(engines).stop()

    assert (await fleet.chat("first")).status == 200
    assert (await fleet.chat("first", stream=True)).events[-1].name == "done"


async def test_answer_ends_where_it_began_when_its_engine_comes_to_no_harm(
    fleet: Service, engines: list[FaultyEngine]
) -> None:
    """What has begun is never begun again elsewhere: a lost engine is an error of the stream."""
    for engine in engines:
        engine.fault = waits
    body = {"message": "first", "stream": True}
    async with fleet.session.post("/chat", json=body) as response:
        await read_until(response, PIECES[0].encode())
        await one_asked(engines).stop()
        rest = await response.read()
    assert b"engine_lost" in rest
    assert sum(asked(engines)) == 1


async def test_service_is_unreachable_when_all_engines_are(
    fleet: Service, engines: list[FaultyEngine]
) -> None:
    """The last one's error is the answer, and health tells it; one that comes back is enough."""
    for engine in engines:
        await engine.stop()
    assert (await fleet.chat()).json["code"] == "engine_unreachable"
    assert (await fleet.ask("/health")).status == 503

    await engines[1].listen()
    await until(lambda: len(fleet.state.engines._away) == 2)
    assert (await fleet.chat()).status == 200


async def test_others_help_when_everybody_begins_with_the_same(
    fleet: Service, engines: list[FaultyEngine]
) -> None:
    """An engine with far more than its share is left out, beginning or not."""
    for engine in engines:
        engine.fault = waits
    tasks = [
        asyncio.create_task(fleet.chat(str(n), conversation_history=history("hello", 1)))
        for n in range(FEW + 6)
    ]
    await until(lambda: sum(engine.generating for engine in engines) == FEW + 6)
    assert max(engine.generating for engine in engines) == FEW
    for engine in engines:
        engine.go_on.set()
    assert {answer.status for answer in await asyncio.gather(*tasks)} == {200}


def pretended(count: int) -> list[Engine]:
    """Return engines that are addresses only."""
    made = [Engine.__new__(Engine) for _ in range(count)]
    for number, engine in enumerate(made):
        engine.serving = Serving(0, f"http://engine-{number}:8000")
    return made


def test_conversations_are_spread_evenly_when_there_are_many() -> None:
    """Each of four engines gets about a quarter."""
    engines = pretended(4)
    shares = Counter(ranked(engines, f"question {n}", {})[0].serving.url for n in range(4000))
    assert all(850 < share < 1150 for share in shares.values())


def test_only_its_own_conversations_move_when_an_engine_goes() -> None:
    """Nobody else's cache becomes worthless."""
    engines = pretended(4)
    for number in range(500):
        first, second, *_ = ranked(engines, str(number), {})
        without_last = ranked(engines[:3], str(number), {})[0]
        assert without_last is (second if first is engines[3] else first)


def test_beginning_is_the_same_when_a_conversation_goes_on() -> None:
    """All up to the first question, so that another system prompt is another beginning."""
    system = {"role": "system", "content": "Be brief."}
    question = {"role": "user", "content": "first"}
    answer, more = {"role": "assistant", "content": "yes"}, {"role": "user", "content": "more"}
    assert beginning_of([system, question]) == beginning_of([system, question, answer, more])
    assert beginning_of([question]) != beginning_of([system, question])
