"""What the API takes for granted of vLLM: its lists, counts, streams and how an answer goes on."""

import json
from typing import Any

import pytest

from tests.conftest import REAL_CONTEXT
from tests.engines.processes import Reply, ask
from tests.train.railway import chat
from tests.vllm.taught import ADAPTER, BASE

QUESTION = "Who founded the Halden railway?"


@pytest.fixture
def port(real_engine: str) -> int:
    """Return where vLLM listens."""
    return int(real_engine.rpartition(":")[2])


def complete(port: int, model: str, **more: Any) -> Reply:
    """Ask vLLM itself."""
    return ask(port, "/v1/chat/completions", {"model": model, **chat(QUESTION), **more})


def test_models_are_listed_with_their_base_when_there_are_adapters(port: int) -> None:
    """The base first, with the context; an adapter beside its parent, without one."""
    base, adapter = ask(port, "/v1/models").json["data"]
    assert (base["id"], base["max_model_len"]) == (BASE, REAL_CONTEXT)
    assert (adapter["id"], adapter["parent"], adapter["max_model_len"]) == (ADAPTER, BASE, None)


@pytest.mark.parametrize("model", [BASE, ADAPTER])
def test_tokens_are_counted_as_they_are_used(model: str, port: int) -> None:
    """`/tokenize` tells beforehand what `usage` tells afterwards."""
    body = {"model": model, "messages": chat(QUESTION)["messages"], "add_generation_prompt": True}
    counted = ask(port, "/tokenize", body).json["count"]
    assert counted == complete(port, model).json["usage"]["prompt_tokens"]


def test_stream_says_the_same_as_the_whole_answer_and_then_what_was_used(port: int) -> None:
    """Events as OpenAI writes them: pieces, one reason to end, one count, `[DONE]`."""
    whole = complete(port, ADAPTER).json
    streamed = complete(port, ADAPTER, stream=True, stream_options={"include_usage": True})
    assert streamed.headers["content-type"].partition(";")[0] == "text/event-stream"
    *events, end = [line for line in streamed.content.decode().split("\n") if line]
    assert end == "data: [DONE]"
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]
    choices = [chunk["choices"][0] for chunk in chunks if chunk["choices"]]
    text = "".join(choice["delta"].get("content") or "" for choice in choices)
    assert text == whole["choices"][0]["message"]["content"]
    assert [c["finish_reason"] for c in choices if c.get("finish_reason")] == ["stop"]
    assert chunks[-1]["usage"]["total_tokens"] == whole["usage"]["total_tokens"]


def test_answer_goes_on_where_it_was_cut(port: int) -> None:
    """By the two names that Tiza sends, what was begun is not begun again."""
    whole = complete(port, ADAPTER).json["choices"][0]["message"]["content"]
    begun = whole[: whole.index("founded") + len("founded")]
    messages = [*chat(QUESTION)["messages"], {"role": "assistant", "content": begun}]
    flags = {"add_generation_prompt": False, "continue_final_message": True}
    rest = complete(port, ADAPTER, messages=messages, **flags).json
    assert begun + rest["choices"][0]["message"]["content"] == whole


def test_refusals_are_json_with_a_message(port: int) -> None:
    """What Tiza repeats to its own client is where it looks for it."""
    refused = complete(port, BASE, max_tokens=10 * REAL_CONTEXT)
    assert refused.status == 400
    assert str(REAL_CONTEXT) in refused.json["error"]["message"]
    assert complete(port, "gone").status == 404
