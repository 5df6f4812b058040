"""Several processes of the API on one address: one service to whoever asks."""

import asyncio
import signal
from collections.abc import AsyncIterator

import psutil
import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from tests.api.faulty_engine import PIECES, TEXT, FaultyEngine, faulty_engine
from tests.api.processes import START_SECONDS, ApiProcess, api_process
from tests.api.service import parse_events
from tests.api.test_admission import waits
from tests.api.test_server import is_draining
from tests.api.test_streaming import read_until
from tests.redis_server import redis_server

pytestmark = pytest.mark.asyncio(loop_scope="module")
Api = tuple[ApiProcess, FaultyEngine]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """Run two processes for all tests of this module; the last of them stops them."""
    folder = tmp_path_factory.mktemp("workers")
    settings = {"workers": 2, "drain_seconds": 20, "var_path": folder, "max_streams_per_client": 0}
    async with (
        redis_server(folder) as redis,
        faulty_engine() as engine,
        api_process(folder, engine.url, redis_url=redis.url, **settings) as api,
    ):
        await has_processes(api, 2)
        yield api, engine


async def metric(api: ApiProcess, name: str, **labels: str) -> float:
    """Return the sum of a metric's values that have the labels."""
    async with api.session.get(f"{api.url}/metrics") as response:
        families = text_string_to_metric_families(await response.text())
    samples = [sample for family in families for sample in family.samples]
    return sum(
        sample.value
        for sample in samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


async def has_processes(api: ApiProcess, number: int) -> None:
    """Wait until so many count themselves."""
    async with asyncio.timeout(START_SECONDS):
        while await metric(api, "tiza_processes") != number:  # noqa: ASYNC110  # it is elsewhere
            await asyncio.sleep(0.1)


async def answers(api: ApiProcess) -> int:
    """Ask for the number of whole answers."""
    async with api.session.get(f"{api.url}/stats") as response:
        return int((await response.json())["requests"].get("ok", 0))


async def ask(api: ApiProcess, count: int) -> None:
    """Ask questions at the same time, each on a connection of its own."""

    async def chat(number: int) -> int:
        body = {"message": f"question {number}"}
        headers = {"Connection": "close"}
        async with api.session.post(f"{api.url}/chat", json=body, headers=headers) as response:
            return response.status

    assert set(await asyncio.gather(*map(chat, range(count)))) == {200}


async def test_counters_are_summed_when_any_process_is_asked(pair: Api) -> None:
    """Whoever is asked tells of all, in both forms, every time."""
    api, _ = pair
    await ask(api, 20)
    for _ in range(6):
        assert await answers(api) == 20
        assert await metric(api, "tiza_answers_total", outcome="ok") == 20
    assert await metric(api, "tiza_answer_seconds_count") == 20
    assert await metric(api, "tiza_stream_places") == 2 * 64


async def test_process_is_replaced_when_it_dies(pair: Api) -> None:
    """The service goes on, and what it has counted does not fall."""
    api, _ = pair
    before = await metric(api, "tiza_answers_total", outcome="ok")
    victim, _ = psutil.Process(api.pid).children()
    victim.kill()
    await has_processes(api, 1)
    assert await metric(api, "tiza_answers_total", outcome="ok") == before
    await ask(api, 3)
    await has_processes(api, 2)
    assert await metric(api, "tiza_answers_total", outcome="ok") == before + 3


async def test_running_answers_are_finished_when_all_processes_are_told_to_stop(pair: Api) -> None:
    """One signal to the parent drains each child: readiness 503, streams whole, exit status 0."""
    api, engine = pair
    engine.fault = waits
    streams = []
    for number in range(4):
        body = {"message": str(number), "stream": True}
        streams.append(await api.session.post(f"{api.url}/chat", json=body))
    begun = [await read_until(stream, PIECES[0].encode()) for stream in streams]
    children = psutil.Process(api.pid).children()

    api.tell(signal.SIGTERM)
    await is_draining(api)
    engine.go_on.set()
    for stream, before in zip(streams, begun, strict=True):
        assert parse_events(before + await stream.read())[-1].data["response"] == TEXT
        stream.close()
    assert await api.ended() == 0
    assert not any(child.is_running() for child in children)
    assert "Traceback" not in api.output
