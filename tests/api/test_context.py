"""What does not fit the model's context is left out, by the engine's own token counts."""

import pytest

from tests.api.faulty_engine import Dialect, Exchange, FaultyEngine, Json
from tests.api.service import Service, running

DIALECTS = pytest.mark.parametrize("dialect", ["vllm", "llama.cpp"])
SYSTEM = "Be brief."  # 2 words and 2 of the template, as in FaultyEngine.prompt
QUESTION = "Why?"
BASE = 8  # tokens of system prompt and question alone
TURN = 22  # tokens of one turn below
HISTORY = [
    {"role": "user" if number % 2 == 0 else "assistant", "content": f"turn{number} " + "w " * 19}
    for number in range(10)
]
WORDS = 200  # more than the shortest context that is believed without asking


async def ask(engine: FaultyEngine, **body: object) -> tuple[Json, Json]:
    """Ask with the history; return the answer and the body that the engine got."""
    async with running(
        vllm_api_url=engine.url, system_prompt=SYSTEM, max_message_chars=100_000
    ) as service:
        question = {"message": QUESTION, "conversation_history": HISTORY, **body}
        answer = await service.ask("/chat", question)
        assert answer.status == 200, answer.body
        return answer.json, engine.bodies()[-1]


def kept(body: Json) -> list[Json]:
    """Return the turns of the history that the engine got; the rest must be untouched."""
    assert body["messages"][0] == {"role": "system", "content": SYSTEM}
    assert body["messages"][-1]["role"] == "user"
    turns: list[Json] = body["messages"][1:-1]
    return turns


@DIALECTS
@pytest.mark.parametrize("turns", [2, 4, 6, 8])
async def test_oldest_turns_go_when_the_history_is_too_long(
    turns: int, dialect: Dialect, engine: FaultyEngine
) -> None:
    """As many of the newest turns stay as fit beside the answer, to the very token."""
    engine.dialect = dialect
    engine.window = BASE + turns * TURN + 50
    document, body = await ask(engine, max_tokens=50)
    assert document["truncated"] is True
    assert kept(body) == HISTORY[-turns:]
    assert body["max_tokens"] == 50


async def test_adapter_has_the_context_of_its_base_when_vllm_tells_only_that(
    engine: FaultyEngine,
) -> None:
    """VLLM lists an adapter without a length, beside its parent."""
    engine.adapters, engine.window = ("poet",), BASE + 4 * TURN + 50
    document, body = await ask(engine, max_tokens=50, model="poet")
    assert document["truncated"] is True
    assert kept(body) == HISTORY[-4:]


@DIALECTS
async def test_one_turn_less_stays_when_one_token_is_missing(
    dialect: Dialect, engine: FaultyEngine
) -> None:
    """The bound is exact; and the history that is left begins with a question."""
    engine.dialect = dialect
    engine.window = BASE + 4 * TURN + 50 - 1
    _, body = await ask(engine, max_tokens=50)
    assert kept(body) == HISTORY[-2:]


@DIALECTS
async def test_nothing_goes_when_a_long_conversation_just_fits(
    dialect: Dialect, engine: FaultyEngine
) -> None:
    """The whole history stays, and the answer does not say `truncated`."""
    engine.dialect = dialect
    engine.window = BASE + 10 * TURN + 50
    document, body = await ask(engine, max_tokens=50)
    assert kept(body) == HISTORY
    assert "truncated" not in document
    assert body["max_tokens"] == 50


@DIALECTS
async def test_answer_gets_the_rest_when_the_question_leaves_little(
    dialect: Dialect, engine: FaultyEngine
) -> None:
    """A long question is answered in the tokens that are left; the history goes."""
    engine.dialect, engine.window = dialect, WORDS
    question = "w " * 179 + "?"
    document, body = await ask(engine, message=question, max_tokens=50)
    assert kept(body) == []
    assert body["messages"][-1]["content"] == question
    assert body["max_tokens"] == WORDS - (BASE - 1 + 180)
    assert document["truncated"] is True


@DIALECTS
async def test_answer_is_not_truncated_when_there_was_no_history(
    dialect: Dialect, engine: FaultyEngine
) -> None:
    """`truncated` speaks of the history alone."""
    engine.dialect, engine.window = dialect, WORDS
    document, body = await ask(engine, message="w " * 180, max_tokens=50, conversation_history=[])
    assert "truncated" not in document
    assert body["max_tokens"] < 50


@DIALECTS
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_question_is_refused_when_it_fills_the_context_alone(
    stream: bool, dialect: Dialect, service: Service, engine: FaultyEngine
) -> None:
    """422 tells how many tokens there are and how many there may be; nothing is generated."""
    engine.dialect, engine.window = dialect, WORDS
    answer = await service.chat("w " * 400, stream=stream)
    assert (answer.status, answer.json["code"]) == (422, "invalid_request")
    assert str(WORDS) in answer.json["detail"]
    assert not engine.bodies()


@DIALECTS
async def test_engine_is_not_asked_when_the_conversation_is_short(
    dialect: Dialect, engine: FaultyEngine
) -> None:
    """Most questions cost no extra request: their bytes bound their tokens."""
    engine.dialect, engine.window = dialect, 8192
    document, body = await ask(engine)
    models = ["/v1/models", "/lora-adapters"] if dialect == "llama.cpp" else ["/v1/models"]
    assert engine.paths() == [*models, "/v1/chat/completions"]
    assert kept(body) == HISTORY
    assert "truncated" not in document


@pytest.mark.parametrize("characters", [1500, 1700, 1900, 2100])
async def test_bytes_are_counted_when_text_is_not_ascii(
    characters: int, engine: FaultyEngine, service: Service
) -> None:
    """A character may be several tokens: the shortcut counts bytes, not characters."""
    engine.window = 4096
    await service.chat("ñ" * characters)
    assert ("/tokenize" in engine.paths()) == (characters * 2 > 4096 - 500 - 256 - 2 * 64 - 167)


@DIALECTS
async def test_engine_is_asked_seldom_when_the_history_is_long(
    dialect: Dialect, engine: FaultyEngine
) -> None:
    """A hundred turns cost at most nine counts, found by bisection."""
    engine.dialect, engine.window = dialect, 1000
    turn = {"role": "user", "content": "w " * 20}
    document, body = await ask(engine, conversation_history=[turn] * 100, max_tokens=50)
    assert len(kept(body)) == (1000 - 50 - BASE) // TURN
    assert engine.paths().count("/tokenize") <= 9
    assert document["truncated"] is True


@DIALECTS
async def test_history_stays_when_the_client_wants_the_longest_answer(
    dialect: Dialect, engine: FaultyEngine
) -> None:
    """`max_tokens` is a bound, not a wish: half of the context stays for what was said before."""
    engine.dialect, engine.window = dialect, 400
    document, body = await ask(engine, max_tokens=4096)
    assert kept(body) == HISTORY[-8:]
    assert body["max_tokens"] == 400 - (BASE + 8 * TURN)
    assert document["truncated"] is True


async def test_vllm_is_asked_in_its_own_words_when_tokens_are_counted(engine: FaultyEngine) -> None:
    """The messages themselves are counted by vLLM, with the words that open the answer."""
    engine.window = 300
    await ask(engine, max_tokens=50)
    [first, *_] = [request.json for request in engine.requests if request.path == "/tokenize"]
    assert first == {
        "model": engine.model,
        "messages": [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": QUESTION},
        ],
        "add_generation_prompt": True,
    }


async def test_llama_cpp_is_asked_in_its_own_words_when_tokens_are_counted(
    engine: FaultyEngine,
) -> None:
    """The template is applied by llama.cpp, then that text is counted with special tokens."""
    engine.dialect, engine.window = "llama.cpp", 300
    await ask(engine, max_tokens=50)
    asked = [
        (r.path, r.json) for r in engine.requests if r.path in ("/apply-template", "/tokenize")
    ]
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]
    prompt = engine.prompt(messages)
    assert asked[0] == ("/apply-template", {"messages": messages})
    assert asked[1] == (
        "/tokenize",
        {"content": prompt, "add_special": True, "parse_special": True},
    )


@pytest.mark.parametrize(
    ("dialect", "path", "reply"),
    [
        ("vllm", "/tokenize", {"count": "many"}),
        ("vllm", "/tokenize", {}),
        ("vllm", "/tokenize", []),
        ("llama.cpp", "/tokenize", {"tokens": 5}),
        ("llama.cpp", "/tokenize", {}),
        ("llama.cpp", "/apply-template", {"prompt": 5}),
        ("llama.cpp", "/apply-template", {}),
    ],
)
async def test_answer_is_an_engine_error_when_tokens_are_counted_in_nonsense(
    dialect: Dialect, path: str, reply: object, service: Service, engine: FaultyEngine
) -> None:
    """A count that is none is not taken for one."""

    async def nonsense(exchange: Exchange) -> None:
        await exchange.reply(reply)

    engine.dialect, engine.window = dialect, 300
    engine.fault, engine.faulty_paths = nonsense, (path,)
    answer = await service.chat("w " * 500)
    assert (answer.status, answer.json["code"]) == (502, "engine_error")


async def test_setting_is_believed_when_the_engine_tells_no_context(engine: FaultyEngine) -> None:
    """VLLM_MAX_MODEL_LEN stands in where the listing says nothing."""

    async def plain(exchange: Exchange) -> None:
        await exchange.reply({"data": [{"id": engine.model}]})

    engine.fault, engine.faulty_paths = plain, ("/v1/models",)
    async with running(vllm_api_url=engine.url, vllm_max_model_len=256) as service:
        answer = await service.chat("w " * 300)
    assert answer.status == 422
    assert "256" in answer.json["detail"]
