"""With a real engine and the real small model behind the API: llama.cpp, or vLLM."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import openai
import pytest

from tests.api.service import Service, running, until
from tests.conftest import REAL_CONTEXT

LONG = "Write the numbers from 1 to 500, one after the other."
GREEDY = {"max_tokens": 1500, "temperature": 0}
WITHIN = 1.0  # seconds: what the rule says


@pytest.fixture
async def service(real_engine: str) -> AsyncIterator[Service]:
    """Run the application in front of the real engine."""
    async with running(vllm_api_url=real_engine) as service:
        yield service


@pytest.fixture
async def models(real_engine: str) -> list[str]:
    """Ask the engine which models it serves; the first answers who names none."""
    async with aiohttp.ClientSession() as session, session.get(f"{real_engine}/v1/models") as told:
        return [entry["id"] for entry in (await told.json())["data"]]


async def writing(engine: str) -> float:
    """Return how many answers the engine is writing: llama.cpp tells of slots, vLLM a sum."""
    async with aiohttp.ClientSession(engine) as session:
        async with session.get("/slots") as response:
            if response.status == 200:
                return float(sum(slot["is_processing"] for slot in await response.json()))
        async with session.get("/metrics") as response:
            lines = (await response.text()).splitlines()
    counts = [line for line in lines if line.startswith("vllm:num_requests_running")]
    return sum(float(line.rpartition(" ")[2]) for line in counts)


async def writes(engine: str, number: int, seconds: float) -> None:
    """Wait until the engine writes that many answers."""
    async with asyncio.timeout(seconds):
        while True:
            if await writing(engine) == number:
                return
            await asyncio.sleep(0.01)


async def test_answer_is_whole_when_the_engine_is_real(service: Service, models: list[str]) -> None:
    """Plain and streamed, a greedy answer is the same text with the same counts."""
    question = {"message": "What is the capital of Spain?", "max_tokens": 12, "temperature": 0}
    plain = await service.ask("/chat", question)
    streamed = await service.ask("/chat", question | {"stream": True})
    assert plain.status == streamed.status == 200
    start, *tokens, done = streamed.events
    assert plain.json["model"] == start.data["model"] == models[0]
    assert "".join(event.data["text"] for event in tokens) == done.data["response"]
    assert done.data["response"] == plain.json["response"] != ""
    assert 0 < plain.json["completion_tokens"] <= 12
    assert plain.json["prompt_tokens"] > 20
    assert plain.json["tokens_used"] == (
        plain.json["prompt_tokens"] + plain.json["completion_tokens"]
    )
    assert done.data["tokens_used"] == plain.json["tokens_used"]


async def test_openai_client_reads_the_answer_when_the_engine_is_real(
    service: Service, models: list[str]
) -> None:
    """The official client gets the same model, text and counts in both forms."""
    async with openai.AsyncOpenAI(base_url=f"{service.url}/v1", api_key="any") as client:
        assert [model.id async for model in client.models.list()] == models
        plain = await client.chat.completions.create(
            model=models[0],
            messages=[{"role": "user", "content": "Say hello."}],
            max_tokens=6,
            temperature=0,
        )
        stream = await client.completions.create(
            model=models[0], prompt="One, two,", max_tokens=6, temperature=0, stream=True
        )
        text = "".join([chunk.choices[0].text async for chunk in stream if chunk.choices])
    assert plain.choices[0].message.content
    assert plain.usage
    assert plain.usage.completion_tokens <= 6
    assert "three" in text


async def test_oldest_turns_go_when_the_real_context_is_full(service: Service) -> None:
    """What is left out by the engine's own counts is as if it had never been said."""
    recent = [
        {"role": "user", "content": "Is chalk hard?"},
        {"role": "assistant", "content": "No, it is soft."},
    ]
    long = {"role": "user", "content": "The quick brown fox jumps over the lazy dog. " * 240}
    question = {"message": "Why?", "max_tokens": 4, "temperature": 0}
    short = await service.ask("/chat", question | {"conversation_history": recent})
    cut = await service.ask("/chat", question | {"conversation_history": [long, *recent]})
    assert short.status == cut.status == 200
    assert cut.json["truncated"] is True
    assert cut.json["prompt_tokens"] == short.json["prompt_tokens"] < REAL_CONTEXT // 4


async def test_question_is_refused_when_it_is_longer_than_the_real_context(
    service: Service,
) -> None:
    """422 tells the real numbers; nothing is generated."""
    answer = await service.chat("🖍" * 1000)
    assert (answer.status, answer.json["code"]) == (422, "invalid_request")
    assert str(REAL_CONTEXT) in answer.json["detail"]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("path", ["/chat", "/v1/chat/completions"])
async def test_real_engine_stops_when_a_client_leaves(
    path: str, stream: bool, service: Service, real_engine: str, models: list[str]
) -> None:
    """It writes no more within a second, plain and streamed."""
    completion = {"model": models[0], "messages": [{"role": "user", "content": LONG}]}
    body = GREEDY | ({"message": LONG} if path == "/chat" else completion)
    await writes(real_engine, 0, seconds=10)
    question = asyncio.create_task(service.ask(path, {**body, "stream": stream}))
    await writes(real_engine, 1, seconds=10)
    assert not question.done()
    question.cancel()
    await writes(real_engine, 0, WITHIN)
    await until(lambda: not service.state.admission.active, WITHIN)


async def test_no_connection_is_dropped_when_sixteen_clients_keep_theirs_alive(
    real_engine: str,
) -> None:
    """Sixteen clients with a connection each ask five times; every answer is whole."""
    async with running(vllm_api_url=real_engine, system_prompt="Be brief.") as service:

        async def client() -> list[int]:
            connector = aiohttp.TCPConnector(limit=1)
            async with aiohttp.ClientSession(service.url, connector=connector) as session:
                statuses = []
                for turn in range(5):
                    body = {"message": "Hi", "max_tokens": 8, "stream": turn % 2 == 0}
                    async with session.post("/chat", json=body) as response:
                        answer = await response.read()
                        assert b"response" in answer, answer
                        statuses.append(response.status)
                return statuses

        assert await asyncio.gather(*(client() for _ in range(16))) == [[200] * 5] * 16
        stats = (await service.ask("/stats")).json
    assert stats["requests"] == {"total": 80, "ok": 80}
