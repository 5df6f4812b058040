"""`/stats` and `/metrics` count what happened."""

import asyncio
import math
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.api.faults import http_500, resets_in_the_middle
from tests.api.faulty_engine import MODEL, PIECES, Exchange, FaultyEngine, well_behaved
from tests.api.service import Service, running, until
from tiza.api.stats import SAMPLES, Answer, PerModel, quantiles
from tiza.errors import EngineError

MEMBERS = {
    "uptime_seconds",
    "requests",
    "active_streams",
    "queued",
    "prompt_tokens",
    "completion_tokens",
    "time_to_first_token_seconds",
    "latency_seconds",
    "cache_hits",
    "shared_answers",
    "models",
    "engine",
    "requests_by_engine",
}


async def waits(exchange: Exchange) -> None:
    """Answer when told to."""
    await exchange.engine.go_on.wait()
    await well_behaved(exchange)


async def stats(service: Service) -> dict[str, Any]:
    """Return the document."""
    document: dict[str, Any] = (await service.ask("/stats")).json
    return document


async def metrics(service: Service) -> dict[tuple[str, str], float]:
    """Return each value of the Prometheus text by name and label."""
    answer = await service.ask("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(answer.body.decode())
    samples = [sample for family in families for sample in family.samples]
    return {(s.name, ",".join(s.labels.values())): s.value for s in samples}


async def test_counters_are_zero_when_nothing_happened(service: Service) -> None:
    """The document has all its members from the start; quantiles of nothing are null."""
    document = await stats(service)
    assert document.keys() == MEMBERS
    assert document["requests"] == {"total": 0}
    assert document["models"] == {}
    assert document["cache_hits"] == document["active_streams"] == document["queued"] == 0
    assert document["latency_seconds"] == {"p50": None, "p95": None, "p99": None}
    assert document["uptime_seconds"] >= 0


async def test_outcomes_are_counted_when_answers_end_in_every_way(
    service: Service, engine: FaultyEngine
) -> None:
    """One count an answer, by how it ended; plain, streamed and OpenAI's alike."""
    for stream in (False, True):
        assert (await service.chat(stream=stream)).status == 200
        assert (await service.complete(stream=stream)).status == 200
        assert (await service.chat("x" * 9000, stream=stream)).status == 422
    engine.fault = http_500
    assert (await service.chat()).status == 502
    engine.fault = resets_in_the_middle
    engine.go_on.set()
    assert (await service.complete()).status == 502
    document = await stats(service)
    assert document["requests"] == {
        "total": 8,
        "ok": 4,
        "invalid_request": 2,
        "engine_error": 1,
        "engine_lost": 1,
    }
    counted = await metrics(service)
    for outcome, number in document["requests"].items():
        if outcome != "total":
            assert counted["tiza_answers_total", outcome] == number


async def test_tokens_and_times_are_counted_when_answers_are_whole(
    service: Service, engine: FaultyEngine
) -> None:
    """The engine's counts add up, in all and per model; each answer has its two times."""
    for stream in (False, True):
        await service.chat(stream=stream)
        await service.complete(stream=stream)
    prompts = sum(engine.usage(body)["usage"]["prompt_tokens"] for body in engine.bodies())
    document, counted = await stats(service), await metrics(service)
    assert document["prompt_tokens"] == prompts == counted["tiza_tokens_total", f"prompt,{MODEL}"]
    assert document["completion_tokens"] == 4 * len(PIECES)
    assert counted["tiza_tokens_total", f"completion,{MODEL}"] == 4 * len(PIECES)
    per_model = document["models"][MODEL]
    assert (per_model["answers"], per_model["prompt_tokens"]) == (4, prompts)
    for times in (document["latency_seconds"], per_model["latency_seconds"]):
        assert 0 < times["p50"] <= times["p95"] <= times["p99"] < 60
    assert 0 < document["time_to_first_token_seconds"]["p50"] <= document["latency_seconds"]["p99"]
    assert counted["tiza_answer_seconds_count", ""] == 4
    assert counted["tiza_answer_seconds_bucket", "+Inf"] == 4


async def test_gauges_show_the_present_when_answers_are_in_progress(
    service: Service, engine: FaultyEngine
) -> None:
    """Active answers are seen while they are, and no longer."""
    engine.fault = waits
    tasks = [
        asyncio.create_task(service.chat(str(number), stream=number == 0)) for number in range(2)
    ]
    await until(lambda: engine.generating == 2)
    assert (await stats(service))["active_streams"] == 2
    assert (await metrics(service))["tiza_active_streams", ""] == 2
    assert (await metrics(service))["tiza_queue", ""] == 0
    engine.go_on.set()
    for task in tasks:
        await task
    await service.idle()
    assert (await stats(service))["active_streams"] == 0
    assert (await metrics(service))["tiza_active_streams", ""] == 0


async def test_bug_is_counted_when_there_is_one(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug is an outcome too, and takes no place for ever."""

    async def bug(self: object, name: str | None) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("tiza.api.engine.Engine.model", bug)
    await service.chat()
    assert (await stats(service))["requests"] == {"total": 1, "internal": 1}
    await service.idle()


async def test_counters_are_of_one_service_when_there_are_two(
    service: Service, engine: FaultyEngine
) -> None:
    """Nothing is counted in a place that applications share."""
    await service.chat()
    async with running(vllm_api_url=engine.url) as other:
        assert (await stats(other))["requests"] == {"total": 0}


@pytest.mark.parametrize("size", [1, 2, 3, 4, 19, 20, 21, 99, 100, 101, 1000])
def test_quantiles_are_nearest_ranks_when_counted_by_hand(size: int) -> None:
    """The smallest sample that at least this share of all samples does not exceed."""
    samples = [float(number) for number in range(size, 0, -1)]
    for name, value in quantiles(samples).items():
        share = int(name[1:])
        assert value == math.ceil(share * size / 100)


def test_samples_are_bounded_when_a_service_runs_for_long() -> None:
    """Only the newest answers are remembered."""
    per_model = PerModel()
    per_model.latency.extend(range(3 * SAMPLES))
    assert len(per_model.latency) == SAMPLES


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 1},
        {"prompt_tokens": None, "completion_tokens": 1},
        {"prompt_tokens": "x", "completion_tokens": 1},
        {"prompt_tokens": 1, "completion_tokens": -1},
        [1],
        5,
        "x",
    ],
    ids=repr,
)
def test_usage_is_an_engine_error_when_it_has_no_counts(usage: object) -> None:
    """Token counts that are none are not guessed."""
    with pytest.raises(EngineError):
        Answer().take_usage(usage)
