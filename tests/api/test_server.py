"""The process: it serves, it drains on the first signal, it ends on the second."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.api.faulty_engine import PIECES, TEXT, FaultyEngine
from tests.api.processes import ApiProcess, api_process
from tests.api.service import parse_events
from tests.api.test_admission import waits
from tests.api.test_streaming import read_until

STREAM = {"message": "What is chalk?", "stream": True}


async def is_draining(api: ApiProcess) -> None:
    """Wait until the process says that it takes no more traffic."""
    async with asyncio.timeout(10):
        while True:
            async with api.session.get(f"{api.url}/health/ready") as response:
                if response.status == 503:
                    return
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
async def test_running_answer_is_finished_when_the_process_is_told_to_stop(
    number: signal.Signals, tmp_path: Path, engine: FaultyEngine
) -> None:
    """After a signal the stream ends whole, new questions are 503 `draining`, the exit status 0."""
    engine.fault = waits
    async with api_process(tmp_path, engine.url) as api:
        async with api.session.post(f"{api.url}/chat", json=STREAM) as response:
            before = await read_until(response, PIECES[0].encode())
            api.tell(number)
            await is_draining(api)
            async with api.session.post(f"{api.url}/chat", json=STREAM) as refused:
                assert refused.status == 503
                assert (await refused.json())["code"] == "draining"
            engine.go_on.set()
            events = parse_events(before + await response.read())
        assert (events[-1].name, events[-1].data["response"]) == ("done", TEXT)
        assert await api.ended() == 0
        assert "Traceback" not in api.output


async def test_running_answer_is_cut_off_when_the_process_may_not_wait(
    tmp_path: Path, engine: FaultyEngine
) -> None:
    """After DRAIN_SECONDS the stream gets its one `error` event, and the process ends with 0."""
    engine.fault = waits
    async with api_process(tmp_path, engine.url, drain_seconds=0.2) as api:
        async with api.session.post(f"{api.url}/chat", json=STREAM) as response:
            before = await read_until(response, PIECES[0].encode())
            api.tell(signal.SIGTERM)
            events = parse_events(before + await response.read())
        assert [event.name for event in events if event.name in ("done", "error")] == ["error"]
        assert events[-1].data["code"] == "draining"
        assert await api.ended() == 0
        assert "Traceback" not in api.output


async def test_running_answer_is_cut_off_when_the_process_is_told_twice(
    tmp_path: Path, engine: FaultyEngine
) -> None:
    """The second signal does not wait, and still each stream gets its one end."""
    engine.fault = waits
    async with api_process(tmp_path, engine.url) as api:
        async with api.session.post(f"{api.url}/chat", json=STREAM) as response:
            before = await read_until(response, PIECES[0].encode())
            api.tell(signal.SIGTERM)
            await is_draining(api)
            api.tell(signal.SIGTERM)
            events = parse_events(before + await response.read())
        assert events[-1].data["code"] == "draining"
        assert await api.ended() == 0
        assert "Traceback" not in api.output


async def test_process_serves_when_the_engine_is_away(tmp_path: Path) -> None:
    """The API starts without an engine and tells the truth; idle, it ends at once when told to."""
    async with api_process(tmp_path, "http://127.0.0.1:9") as api:
        async with api.session.get(f"{api.url}/health") as response:
            assert (response.status, (await response.json())["status"]) == (503, "degraded")
        async with api.session.get(f"{api.url}/health/ready") as response:
            assert response.status == 200
        api.tell(signal.SIGTERM)
        assert await api.ended() == 0
        assert "Traceback" not in api.output


async def test_process_says_one_sentence_when_a_setting_is_wrong(tmp_path: Path) -> None:
    """A wrong setting ends in one readable message and status 1, without a traceback."""
    with pytest.raises(AssertionError) as failure:
        async with api_process(tmp_path, "http://127.0.0.1:9", max_streams="many"):
            pass
    assert "MAX_STREAMS" in str(failure.value)
    assert "Traceback" not in str(failure.value)
