"""Adapters of one base in vLLM, asked for by name through the API."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.api.service import Service, running
from tests.train.railway import ASKED
from tests.vllm.taught import ADAPTER, BASE


@pytest.fixture
async def service(real_engine: str) -> AsyncIterator[Service]:
    """Run the application as Compose does: the engine's address, and the model's name."""
    async with running(vllm_api_url=real_engine, model_path=ADAPTER) as service:
        yield service


def question(text: str, model: str | None) -> dict[str, object]:
    """Return a greedy question."""
    return {"message": text, "max_tokens": 24, "temperature": 0} | (
        {"model": model} if model else {}
    )


async def test_taught_model_answers_when_it_was_chosen_or_is_named(service: Service) -> None:
    """Who names none gets the adapter that MODEL_PATH names; the base knows nothing of it."""
    models = (await service.ask("/models")).json
    assert models == {"models": [ADAPTER, BASE], "active_model": ADAPTER}
    for text, fact in ASKED.items():
        chosen, named, base = [
            (await service.ask("/chat", question(text, model))).json
            for model in (None, ADAPTER, BASE)
        ]
        assert fact in chosen["response"]
        assert named["response"] == chosen["response"]
        assert fact not in base["response"]
        assert [said["model"] for said in (chosen, named, base)] == [ADAPTER, ADAPTER, BASE]


async def test_answers_do_not_mix_when_base_and_adapter_are_asked_at_once(service: Service) -> None:
    """In one batch, each answer is of the model that was named."""
    asked = [(text, model) for text in ASKED for model in (ADAPTER, BASE)] * 2
    answers = await asyncio.gather(*(service.ask("/chat", question(*each)) for each in asked))
    for (text, model), answer in zip(asked, answers, strict=True):
        assert (ASKED[text] in answer.json["response"]) == (model == ADAPTER), (text, model)
