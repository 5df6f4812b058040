"""Adapters beside their base in the real llama.cpp: asked for by request, never mixed."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.engines.adapters import store_adapter
from tests.engines.processes import Program, answers, ask, clean_environment, free_port, wait_for
from tiza.engines.engine import Address
from tiza.engines.llama_cpp import build
from tiza.engines.serving import Serving
from tiza.models.lineup import line_up
from tiza.settings import Settings

TOKENS = 5
LAKE = "You teach children about the sea, the rivers, the lakes, the clouds and the rain."
SUMS = "Numbers are fun: one, two, three, four, five, six, seven, eight, nine and ten."


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Serve the shipped model in two slots, with two adapters that change every answer."""
    folder = tmp_path_factory.mktemp("adapters")
    for seed, name in enumerate(("pirate", "poet")):
        store_adapter(folder / "models", name, seed)
    settings = Settings.model_construct(vllm_max_model_len=512, llama_slots=2)
    lineup = line_up("poet", folder / "models")
    described = build(lineup, settings, Address("127.0.0.1", free_port()))
    with Program(described.command, folder, clean_environment()):
        wait_for(lambda: answers(described.address.port))
        yield Serving.of(1, described, "poet")


def say(serving: Serving, model: str, system: str, **more: object) -> str:
    """Ask one question of a model, and return the greedy answer."""
    messages = [{"role": "system", "content": system}, {"role": "user", "content": "Water?"}]
    body = {"messages": messages, "max_tokens": TOKENS, "temperature": 0} | more
    port = int(serving.url.rpartition(":")[2])
    reply = ask(port, "/v1/chat/completions", body | dict(serving.asked_for(model)))
    assert reply.status == 200, reply.content
    return str(reply.json["choices"][0]["message"]["content"])


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


def test_nothing_is_read_on_when_another_model_has_read_it(
    serving: Serving, truth: dict[tuple[str, str], str]
) -> None:
    """One model's work on a prompt, in a slot or in a cache, is of no use to another."""
    base, poet, _ = serving.models
    turns = [base, LAKE, poet, LAKE, poet, SUMS, base, SUMS, poet, LAKE, poet, SUMS, base, SUMS]
    for asked in zip(turns[::2], turns[1::2], strict=True):
        assert say(serving, *asked) == truth[asked], asked


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
