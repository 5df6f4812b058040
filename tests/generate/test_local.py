"""The local teacher: the engine that runs, else one of its own for as long as it is needed."""

from pathlib import Path

import aiohttp
import pytest

from tests.api.faulty_engine import MODEL, Exchange, faulty_engine
from tests.conftest import free_port
from tiza.generate.local import is_embedded, local_model, teacher_endpoint
from tiza.generate.request import Request
from tiza.generate.teacher import Endpoint, Teacher
from tiza.models.find import SHIPPED_NAME
from tiza.settings import Settings, load

HELLO = Request(({"role": "user", "content": "Say hello."},), max_tokens=8)


def settings(tmp_path: Path, url: str = "") -> Settings:
    """Make settings whose engine is there, or nowhere."""
    url = url or f"http://127.0.0.1:{free_port()}"
    return load(var_path=tmp_path, vllm_api_url=url, vllm_max_model_len=512, llama_slots=2)


async def test_address_is_used_as_it_is_when_given(tmp_path: Path) -> None:
    """A teacher that was named is not looked for."""
    async with teacher_endpoint(settings(tmp_path), "https://teacher.test", "k", "m") as endpoint:
        assert endpoint == Endpoint("https://teacher.test", "k", "m")


async def test_running_engine_teaches_when_there_is_one(tmp_path: Path, real_engine: str) -> None:
    """The engine at VLLM_API_URL is used, and no other is started."""
    where = settings(tmp_path, real_engine)
    async with teacher_endpoint(where) as endpoint, Teacher(endpoint) as teacher:
        assert endpoint.url == real_engine
        assert is_embedded(endpoint.model, where.models_path)
        assert (await teacher.ask(HELLO)).completion_tokens > 0
    assert not where.logs_path.exists()


async def test_engine_runs_as_long_as_it_is_needed_when_none_was(tmp_path: Path) -> None:
    """An engine is started on a port and with a key of its own, and stopped at the end."""
    where = settings(tmp_path)
    async with teacher_endpoint(where) as endpoint, Teacher(endpoint) as teacher:
        assert endpoint.key
        assert (await teacher.ask(HELLO)).completion_tokens > 0
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(f"{endpoint.url}/health")


async def test_engine_is_none_of_ours_when_it_refuses_our_key(tmp_path: Path) -> None:
    """The engine of a running `tiza up` has a key that nobody else knows."""

    async def refuse(exchange: Exchange) -> None:
        await exchange.reply({"error": "no"}, 401)

    async with faulty_engine() as engine:
        engine.faulty_paths, engine.fault = ("/v1/models",), refuse
        async with teacher_endpoint(settings(tmp_path, engine.url)) as endpoint:
            assert endpoint.url != engine.url


async def test_model_is_known_when_no_engine_runs(tmp_path: Path) -> None:
    """Which model would teach can be told without starting it."""
    assert await local_model(settings(tmp_path)) == SHIPPED_NAME
    async with faulty_engine() as engine:
        assert await local_model(settings(tmp_path, engine.url)) == MODEL
