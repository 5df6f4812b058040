"""What one process has answered is kept for all, in Redis."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api.faulty_engine import TEXT, FaultyEngine
from tests.api.service import Service, running, until
from tests.redis_server import RedisServer, redis_server
from tiza.api.sharing import shared

Two = tuple[Service, Service, RedisServer]


@pytest.fixture
async def two(engine: FaultyEngine, tmp_path: Path) -> AsyncIterator[Two]:
    """Run two applications that share a cache."""
    async with redis_server(tmp_path) as redis:
        given = {"vllm_api_url": engine.url, "redis_url": redis.url, "response_cache_ttl": 60}
        async with running(**given) as first, running(**given) as second:  # type: ignore[arg-type]  # settings only
            yield first, second, redis


async def test_answer_is_found_when_another_process_has_kept_it(
    two: Two, engine: FaultyEngine
) -> None:
    """Whole, at no cost, in every form; one's own is asked for as before."""
    first, second, _ = two
    await first.chat()
    await until(lambda: not first.state.sharing._keeping)
    hit = await second.chat()
    assert (hit.headers["X-Cache"], hit.json["response"]) == ("hit", TEXT)
    assert hit.json["cached"] is True
    streamed = await second.chat(stream=True)
    assert streamed.events[-1].data["response"] == TEXT
    assert len(engine.bodies()) == 1
    assert (await second.chat("Another?")).headers["X-Cache"] == "miss"
    assert len(engine.bodies()) == 2


async def test_answer_is_generated_when_redis_is_away(
    two: Two, engine: FaultyEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cache is a favour: without it nobody waits or fails; when it is back it is used again."""
    monkeypatch.setattr(shared, "AWAY_SECONDS", 0.0)
    first, second, redis = two
    await first.chat()
    redis.dies()
    assert [(await second.chat(str(n))).json["response"] for n in range(2)] == [TEXT] * 2
    assert len(engine.bodies()) == 3

    await redis.comes()
    await first.chat("back")
    await until(lambda: not first.state.sharing._keeping)
    assert (await second.chat("back")).headers["X-Cache"] == "hit"
