"""Any OpenAI client works, and the engine gets nothing but what it may see."""

import json
from collections.abc import AsyncIterator

import openai
import pytest

from tests.api.faults import http_400, http_429, http_500, resets_in_the_middle
from tests.api.faulty_engine import (
    DONE,
    MODEL,
    PIECES,
    TEXT,
    Exchange,
    FaultyEngine,
    Json,
    frame,
    well_behaved,
)
from tests.api.service import Service, running

MESSAGES = [{"role": "user", "content": "What is chalk?"}]
CHAT, TEXTS = "/v1/chat/completions", "/v1/completions"
BODIES: dict[str, Json] = {
    CHAT: {"model": MODEL, "messages": MESSAGES},
    TEXTS: {"model": MODEL, "prompt": "Chalk is"},
}
by_path = pytest.mark.parametrize("path", [CHAT, TEXTS])

# All that a client may ask for and the engine gets.
WISHES: Json = {
    "max_tokens": 9,
    "temperature": 0.5,
    "top_p": 0.9,
    "seed": 7,
    "stop": ["END", "\n"],
    "presence_penalty": 0.1,
    "frequency_penalty": -0.1,
}
# What the engine is told besides: llama.cpp stops a stream at once when its client leaves, a plain
# answer often not before its end.
OURS: Json = {"stream": True, "stream_options": {"include_usage": True}}
# What a client may say and the engine does not need to know.
UNHEARD: Json = {"n": 1, "user": "u-1", "store": False, "metadata": {"a": "b"}}


@pytest.fixture
async def client(service: Service) -> AsyncIterator[openai.AsyncOpenAI]:
    """OpenAI's own client."""
    async with openai.AsyncOpenAI(
        base_url=f"{service.url}/v1", api_key="any", max_retries=0
    ) as client:
        yield client


@by_path
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_engine_gets_only_what_it_may_see_when_everything_is_asked_for(
    path: str, stream: bool, service: Service, engine: FaultyEngine
) -> None:
    """Every wish that is allowed is passed on as it was; nothing else is."""
    more = {"response_format": {"type": "json_object"}} if path == CHAT else {}
    answer = await service.ask(path, BODIES[path] | WISHES | UNHEARD | more | {"stream": stream})
    assert answer.status == 200
    assert engine.bodies() == [BODIES[path] | WISHES | more | OURS]


@by_path
async def test_engine_is_told_a_length_when_the_client_gives_none(
    path: str, service: Service, engine: FaultyEngine
) -> None:
    """DEFAULT_MAX_TOKENS bounds every answer; other wishes are left to the engine."""
    assert (await service.ask(path, BODIES[path])).status == 200
    assert engine.bodies() == [BODIES[path] | {"max_tokens": 500} | OURS]


async def test_engine_is_told_the_newer_name_of_the_length_when_both_are_given(
    service: Service, engine: FaultyEngine
) -> None:
    """`max_completion_tokens` replaces `max_tokens` in OpenAI's protocol."""
    await service.complete(max_tokens=5, max_completion_tokens=6)
    assert engine.bodies()[0]["max_tokens"] == 6
    assert "max_completion_tokens" not in engine.bodies()[0]


async def test_engine_gets_plain_messages_when_the_client_sends_parts_and_names(
    service: Service, engine: FaultyEngine
) -> None:
    """Roles and text are all that is passed on; `developer` is the new name of `system`."""
    parts = [{"type": "text", "text": "What is "}, {"type": "text", "text": "chalk?"}]
    messages = [
        {"role": "developer", "content": "Be brief."},
        {"role": "assistant", "content": "Yes?", "name": "tutor"},
        {"role": "user", "content": parts, "name": "ana"},
    ]
    answer = await service.ask(CHAT, {"model": MODEL, "messages": messages})
    assert answer.status == 200
    assert engine.bodies()[0]["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "assistant", "content": "Yes?"},
        {"role": "user", "content": "What is chalk?"},
    ]


REFUSED: Json = {
    "chat_template": "{{ 1 }}",
    "chat_template_kwargs": {"enable_thinking": True},
    "prompt_embeds": "AAAA",
    "logits_processors": ["os.system"],
    "guided_json": {"type": "object"},
    "guided_regex": "(a+)+",
    "guided_grammar": "root ::= root",
    "grammar": "root ::= root",
    "json_schema": {},
    "structured_outputs": {},
    "tools": [],
    "tool_choice": "auto",
    "functions": [],
    "function_call": "auto",
    "lora": [{"id": 0, "scale": 9}],
    "lora_request": {},
    "mm_processor_kwargs": {},
    "cache_prompt": False,
    "id_slot": 0,
    "n_predict": -1,
    "samplers": [],
    "ignore_eos": True,
    "min_tokens": 10,
    "best_of": 100,
    "echo": True,
    "logprobs": 5,
    "top_logprobs": 5,
    "prompt_logprobs": 5,
    "logit_bias": {"1": 100},
    "priority": -1,
    "kv_transfer_params": {},
    "return_token_ids": True,
    "add_generation_prompt": False,
    "continue_final_message": True,
    "documents": [],
    "audio": {},
    "modalities": ["text"],
    "prediction": {},
    "web_search_options": {},
    "timings_per_token": True,
    "__verbose": True,
    "n": 2,
    "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}},
    "stream_options": {"include_usage": True, "continuous_usage_stats": True},
}


@pytest.mark.asyncio(loop_scope="module")
@by_path
@pytest.mark.parametrize("name", REFUSED)
async def test_request_is_refused_when_it_asks_for_what_is_not_allowed(
    path: str, name: str, refusing_service: Service
) -> None:
    """Fields outside the allow-list are named in a 422, and nothing reaches the engine."""
    answer = await refusing_service.ask(path, BODIES[path] | {name: REFUSED[name]})
    assert (answer.status, answer.json["code"]) == (422, "invalid_request")
    assert name in answer.json["detail"]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "message",
    [
        {"role": "tool", "content": "x"},
        {"role": "user", "content": "x", "tool_calls": []},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://x"}}]},
        {"role": "user", "content": [{"type": "text", "text": "x", "cache": 1}]},
        {"role": "user", "content": None},
        {"role": "user"},
        "x",
    ],
    ids=lambda message: json.dumps(message)[:40],
)
async def test_message_is_refused_when_it_is_more_than_text(
    message: object, refusing_service: Service
) -> None:
    """Images are addresses that an engine would fetch; only text is served."""
    answer = await refusing_service.ask(CHAT, {"model": MODEL, "messages": [message]})
    assert (answer.status, answer.json["code"]) == (422, "invalid_request")


@pytest.mark.asyncio(loop_scope="module")
@by_path
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_tokens", 0),
        ("max_tokens", 4097),
        ("temperature", 2.5),
        ("top_p", 0),
        ("top_p", 1.5),
        ("seed", -1),
        ("seed", 2**31),
        ("presence_penalty", 3),
        ("stop", ["a", "b", "c", "d", "e"]),
        ("stop", 5),
        ("stream", "yes"),
        ("stream_options", {"include_usage": 1}),
        ("model", None),
        ("metadata", {"a": 1}),
    ],
)
async def test_request_is_refused_when_a_value_is_out_of_bounds(
    path: str, name: str, value: object, refusing_service: Service
) -> None:
    """The bounds are OpenAI's and the context's."""
    answer = await refusing_service.ask(path, BODIES[path] | {name: value})
    assert (answer.status, answer.json["code"]) == (422, "invalid_request")
    assert any(error["field"].startswith(name) for error in answer.json["errors"])


@by_path
async def test_answer_is_put_together_when_it_is_plain(
    path: str, service: Service, engine: FaultyEngine
) -> None:
    """The document that OpenAI's clients parse, made of the engine's chunks."""
    answer = await service.ask(path, BODIES[path])
    assert (answer.status, answer.kind) == (200, "application/json")
    content = (
        {"message": {"role": "assistant", "content": TEXT}} if path == CHAT else {"text": TEXT}
    )
    assert answer.json == {
        "id": "cmpl-1",
        "object": "chat.completion" if path == CHAT else "text_completion",
        "model": MODEL,
        "choices": [{"index": 0, **content, "logprobs": None, "finish_reason": "stop"}],
        **engine.usage(engine.bodies()[0]),
    }


async def test_reasoning_is_put_together_when_the_engine_tells_it_apart(
    service: Service, engine: FaultyEngine
) -> None:
    """Texts beside the content (vLLM's reasoning) are whole in the plain answer too."""

    async def reasons(exchange: Exchange) -> None:
        deltas: list[Json] = [{"role": "assistant", "content": None, "reasoning": "Well"}]
        deltas += [{"reasoning": ", so."}, {"content": "Yes"}, {"content": "."}]
        await exchange.head()
        for delta in deltas:
            await exchange.chunk(frame({"choices": [{"delta": delta, "finish_reason": None}]}))
        last = {"delta": {}, "finish_reason": "length"}
        await exchange.chunk(frame({"id": "1", "created": 7, "choices": [last]}) + DONE)
        await exchange.chunk(b"")

    engine.fault = reasons
    document = (await service.complete()).json
    assert document["choices"][0]["message"] == {
        "role": "assistant",
        "content": "Yes.",
        "reasoning": "Well, so.",
    }
    assert document["choices"][0]["finish_reason"] == "length"
    assert (document["id"], document["created"], "usage" in document) == ("1", 7, False)


@by_path
@pytest.mark.parametrize("choice", [{}, {"delta": None}, {"delta": "x"}, "x", 5, []])
async def test_answer_is_an_engine_error_when_a_choice_is_nonsense(
    path: str, choice: object, service: Service, engine: FaultyEngine
) -> None:
    """What cannot be put together is not passed on."""

    async def nonsense(exchange: Exchange) -> None:
        await exchange.head()
        await exchange.chunk(frame({"choices": [choice]}) + frame({"choices": []}) + DONE)
        await exchange.chunk(b"")

    engine.fault = nonsense
    answer = await service.ask(path, BODIES[path])
    assert (answer.status, answer.json["code"]) == (502, "engine_error")


@by_path
@pytest.mark.parametrize("wanted", [None, {}, {"include_usage": False}, {"include_usage": True}])
async def test_usage_is_sent_only_when_the_client_asks_for_it(
    path: str, wanted: Json | None, service: Service
) -> None:
    """The engine always counts for us; who did not ask for the counts does not see the event."""
    body = BODIES[path] | {"stream": True} | ({} if wanted is None else {"stream_options": wanted})
    answer = await service.ask(path, body)
    *events, end = answer.events
    assert end.raw == "[DONE]"
    counted = [event.data for event in events if event.data.get("usage")]
    assert len(counted) == bool(wanted and wanted.get("include_usage"))
    assert all(event["choices"] == [] for event in counted)
    assert [event.data["choices"] for event in events].count([]) == len(counted)
    assert (await service.ask("/stats")).json["completion_tokens"] == len(PIECES)


async def test_events_are_the_engine_s_when_they_are_streamed(
    service: Service, engine: FaultyEngine
) -> None:
    """What the engine writes in an event is passed on to the byte, members of its own too."""
    event = (
        b'{"id":"1",  "choices":[{"delta":{"content":"\\u00e1"},"finish_reason":"stop"}],"x":1.0}'
    )

    async def exact(exchange: Exchange) -> None:
        await exchange.head()
        await exchange.chunk(b"data: " + event + b"\n\n" + DONE)
        await exchange.chunk(b"")

    engine.fault = exact
    answer = await service.ask(CHAT, BODIES[CHAT] | {"stream": True})
    assert answer.body == b"data: " + event + b"\n\n" + DONE


async def test_openai_client_reads_answers_when_they_are_plain(client: openai.AsyncOpenAI) -> None:
    """The official client parses models, chat completions and completions."""
    assert [model.id async for model in client.models.list()] == [MODEL]
    chat = await client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "x"}], max_tokens=5
    )
    assert (chat.choices[0].message.content, chat.choices[0].finish_reason) == (TEXT, "stop")
    assert chat.usage
    assert chat.usage.completion_tokens == len(PIECES)
    text = await client.completions.create(model=MODEL, prompt="Chalk is", max_tokens=5)
    assert text.choices[0].text == TEXT


async def test_openai_client_reads_answers_when_they_are_streamed(
    client: openai.AsyncOpenAI,
) -> None:
    """The official client iterates chat completions and completions, usage last."""
    chat = await client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": "x"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in chat]
    told = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(told) == TEXT
    assert chunks[-1].usage
    assert chunks[-1].usage.completion_tokens == len(PIECES)
    texts = await client.completions.create(model=MODEL, prompt="Chalk is", stream=True)
    assert "".join([chunk.choices[0].text async for chunk in texts]) == TEXT


async def test_openai_client_raises_its_own_errors_when_requests_fail(
    client: openai.AsyncOpenAI, engine: FaultyEngine
) -> None:
    """Each problem is the class that programs written for OpenAI expect, with our message."""

    async def ask(model: str = MODEL, **more: object) -> None:
        await client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": "x"}], extra_body=more
        )

    with pytest.raises(openai.NotFoundError) as unknown:
        await ask(model="gpt-9")
    assert unknown.value.code == "model_not_found"
    assert "gpt-9" in unknown.value.message
    assert unknown.value.request_id
    with pytest.raises(openai.UnprocessableEntityError) as invalid:
        await ask(guided_json={})
    assert (invalid.value.code, invalid.value.type) == ("invalid_request", "invalid_request_error")
    engine.fault = http_400
    with pytest.raises(openai.UnprocessableEntityError, match="refused with 400"):
        await ask()
    engine.fault = http_500
    with pytest.raises(openai.InternalServerError) as failed:
        await ask()
    assert (failed.value.status_code, failed.value.code) == (502, "engine_error")
    engine.fault = http_429
    with pytest.raises(openai.InternalServerError) as busy:
        await ask()
    assert (busy.value.status_code, busy.value.code) == (503, "overloaded")
    assert busy.value.response.headers["Retry-After"] == "7"
    await engine.stop()
    with pytest.raises(openai.InternalServerError) as away:
        await ask()
    assert (away.value.status_code, away.value.code) == (503, "engine_unreachable")


async def test_openai_client_raises_an_api_error_when_a_stream_breaks(
    client: openai.AsyncOpenAI, engine: FaultyEngine
) -> None:
    """The error event is the exception of the official client, after the text so far."""
    engine.fault = resets_in_the_middle
    stream = await client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "x"}], stream=True
    )
    told = []

    async def read() -> None:
        async for chunk in stream:
            told.append(chunk.choices[0].delta.content or "")
            if PIECES[1] in "".join(told):
                engine.go_on.set()

    with pytest.raises(openai.APIError) as broken:
        await read()
    assert "".join(told) == "".join(PIECES[:2])
    assert broken.value.code == "engine_lost"


async def test_openai_client_retries_when_the_service_is_busy_for_a_moment(
    service: Service, engine: FaultyEngine
) -> None:
    """A 503 with Retry-After is one that the official client asks again after."""
    refused: list[Exchange] = []

    async def busy_once(exchange: Exchange) -> None:
        if not refused:
            refused.append(exchange)
            await exchange.reply({"error": {"message": "busy"}}, 429, retry_after="0")
        else:
            await well_behaved(exchange)

    engine.fault = busy_once
    async with openai.AsyncOpenAI(base_url=f"{service.url}/v1", api_key="any") as client:
        answer = await client.completions.create(model=MODEL, prompt="Chalk is")
    assert answer.choices[0].text == TEXT
    assert len(engine.bodies()) == 2


async def test_key_of_the_client_stays_here_when_the_engine_has_its_own(
    engine: FaultyEngine,
) -> None:
    """The engine gets our key, never what a client sent as its own."""
    async with running(vllm_api_url=engine.url, vllm_api_key="ours") as service:
        headers = {"Authorization": "Bearer theirs", "Cookie": "a=b", "X-Extra": "c"}
        assert (await service.ask(CHAT, BODIES[CHAT], headers=headers)).status == 200
    [generation] = [request for request in engine.requests if request.path == CHAT]
    assert generation.headers["authorization"] == "Bearer ours"
    assert not {"cookie", "x-extra"} & generation.headers.keys()
