"""Adapters beside their base in the real llama.cpp: asked for by request, never mixed."""

import contextlib
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.engines.adapters import store_adapter
from tests.engines.processes import Program, answers, ask, clean_environment, free_port, wait_for
from tiza.api.adapters import told
from tiza.api.engine_client import EngineClient
from tiza.engines.engine import Address
from tiza.engines.llama_cpp import build
from tiza.engines.serving import Serving
from tiza.models.lineup import line_up
from tiza.settings import Settings

TOKENS = 6
FEW = 10  # tokens with which every prompt begins
LAKE = "You teach children about the sea, the rivers, the lakes, the clouds and the rain. " * 2
SUMS = "Numbers are fun: one, two, three, four, five, six, seven, eight, nine and ten. " * 2


@contextlib.contextmanager
def engine(folder: Path, slots: int) -> Iterator[Serving]:
    """Serve the shipped model with two adapters that change every answer."""
    settings = Settings.model_construct(vllm_max_model_len=512, llama_slots=slots)
    lineup = line_up("poet", folder / "models")
    described = build(lineup, settings, Address("127.0.0.1", free_port()))
    with Program(described.command, folder, clean_environment()):
        wait_for(lambda: answers(described.address.port))
        yield Serving.of(1, described, "poet")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Put two adapters into a store."""
    folder = tmp_path_factory.mktemp("adapters")
    for seed, name in enumerate(("pirate", "poet")):
        store_adapter(folder / "models", name, seed)
    return folder


@pytest.fixture(scope="module")
def serving(folder: Path) -> Iterator[Serving]:
    """Run an engine of two slots."""
    with engine(folder, 2) as serving:
        yield serving


def say(serving: Serving, model: str, system: str, **more: object) -> str:
    """Ask one question of a model, and return the greedy answer."""
    return read(serving, model, system, **more)[0]


def read(serving: Serving, model: str, system: str, **more: object) -> tuple[str, int]:
    """Return the answer, and how many tokens of the prompt were not read anew."""
    messages = [{"role": "system", "content": system}, {"role": "user", "content": "Water?"}]
    body = {"messages": messages, "max_tokens": TOKENS, "temperature": 0} | more
    port = int(serving.url.rpartition(":")[2])
    reply = ask(port, "/v1/chat/completions", body | dict(serving.asked_for(model)))
    assert reply.status == 200, reply.content
    return reply.json["choices"][0]["message"]["content"], reply.json["timings"]["cache_n"]


@pytest.fixture(scope="module")
def truth(serving: Serving) -> dict[tuple[str, str], str]:
    """Ask each model each question with nothing remembered."""
    return {
        (model, system): say(serving, model, system, cache_prompt=False)
        for model in serving.models
        for system in (LAKE, SUMS)
    }


def test_answers_are_the_adapter_s_when_it_is_named(
    serving: Serving, truth: dict[tuple[str, str], str]
) -> None:
    """Base and adapters answer differently; who names none gets the chosen one."""
    assert serving.models[1:] == ("poet", "pirate")
    for system in (LAKE, SUMS):
        assert len({truth[model, system] for model in serving.models}) == 3
    bare = Serving(0, serving.url)
    assert say(bare, "", LAKE, cache_prompt=False) == truth["poet", LAKE]


async def test_engine_tells_of_its_adapters_when_only_its_address_is_known(
    serving: Serving, folder: Path
) -> None:
    """In the order in which they are asked for, as the stack's file has it."""
    client = EngineClient(Settings.model_construct(vllm_api_key=SecretStr("")), serving.url)
    try:
        listing = await client.ask("GET", "/v1/models")
        known = await told(client, listing, Serving(1, serving.url), folder / "models")
    finally:
        client.close()

    assert known == serving
    assert known.asked_for("pirate") == serving.asked_for("pirate")


def test_nothing_is_read_on_when_another_model_has_read_it(
    folder: Path, truth: dict[tuple[str, str], str]
) -> None:
    """One model's work on a prompt, in a slot or in a cache, is of no use to another."""
    with engine(folder, 1) as serving:
        base, poet, _ = serving.models
        turns = [(base, LAKE), (poet, LAKE), (base, LAKE), (poet, SUMS), (base, SUMS)]
        turns += [(poet, LAKE), (poet, SUMS), (base, LAKE), (base, SUMS)]
        for asked in turns:
            answer, remembered = read(serving, *asked)
            assert answer == truth[asked], asked
            assert remembered < FEW, asked


def test_answers_do_not_mix_when_base_and_adapters_are_asked_at_once(
    serving: Serving, truth: dict[tuple[str, str], str]
) -> None:
    """Each of many parallel requests gets the answer of the model that it named, and no other's."""
    asked = [*truth] * 2
    random.Random(1).shuffle(asked)  # noqa: S311  # an order, no secret

    with ThreadPoolExecutor(6) as pool:
        said = list(pool.map(lambda one: say(serving, *one), asked))

    for one, answer in zip(asked, said, strict=True):
        others = {text for (model, _), text in truth.items() if model != one[0]}
        assert answer == truth[one] or not others & {answer}, one
    assert sum(a == truth[o] for o, a in zip(asked, said, strict=True)) >= len(asked) - 2
