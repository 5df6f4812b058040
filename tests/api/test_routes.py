"""The original endpoints, in exactly the JSON of the contract."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.api.faults import hangs, http_500, http_503
from tests.api.faulty_engine import MODEL, PIECES, TEXT, Exchange, Fault, FaultyEngine
from tests.api.service import Service, running
from tiza.api import engine_client
from tiza.settings import SYSTEM_PROMPT

HISTORY = [
    {"role": "user", "content": "Hello"},
    {"role": "assistant", "content": "Hello! How can I help you?"},
]


def assert_recent(timestamp: str) -> None:
    """Prove that this is the present time in UTC, as the contract writes it."""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z", timestamp)
    assert datetime.now(UTC) - datetime.fromisoformat(timestamp) < timedelta(minutes=1)


async def test_welcome_says_connected_when_the_engine_answers(service: Service) -> None:
    """`GET /` is the contract's document."""
    answer = await service.ask("/")
    assert (answer.status, answer.kind) == (200, "application/json")
    assert answer.json == {
        "message": "Educational Chatbot API",
        "version": "1.0.0",
        "vllm_status": "connected",
    }


async def test_welcome_says_disconnected_when_the_engine_is_away(
    service: Service, engine: FaultyEngine
) -> None:
    """`GET /` answers 200 whatever the engine does."""
    await engine.stop()
    answer = await service.ask("/")
    assert (answer.status, answer.json["vllm_status"]) == (200, "disconnected")


async def test_welcome_has_the_operators_words_when_they_are_set(engine: FaultyEngine) -> None:
    """APP_NAME and APP_VERSION are what `GET /` tells."""
    async with running(vllm_api_url=engine.url, app_name="Tiza", app_version="9") as service:
        answer = await service.ask("/")
    assert (answer.json["message"], answer.json["version"]) == ("Tiza", "9")


async def test_health_is_healthy_when_the_engine_answers(service: Service) -> None:
    """200 with the contract's document."""
    answer = await service.ask("/health")
    document = answer.json
    assert_recent(document.pop("timestamp"))
    assert (answer.status, document) == (200, {"status": "healthy", "backend": "ok", "vllm": "ok"})


@pytest.mark.parametrize("fault", [http_500, http_503, hangs], ids=lambda f: f.__name__)
async def test_health_is_degraded_when_the_engine_fails(
    fault: Fault, service: Service, engine: FaultyEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 with the contract's document, after a bounded time."""
    monkeypatch.setattr(engine_client, "QUESTION_SECONDS", 0.2)
    engine.fault, engine.faulty_paths = fault, ("/health",)
    answer = await service.ask("/health")
    document = answer.json
    assert_recent(document.pop("timestamp"))
    assert answer.status == 503
    assert document == {"status": "degraded", "backend": "ok", "vllm": "unreachable"}


async def test_health_tells_the_truth_again_when_the_engine_is_back(
    service: Service, engine: FaultyEngine
) -> None:
    """Nothing is remembered of an engine that was away."""
    await engine.stop()
    assert (await service.ask("/health")).status == 503
    await engine.listen()
    assert (await service.ask("/health")).status == 200


async def test_live_and_ready_are_well_when_only_the_engine_is_away(
    service: Service, engine: FaultyEngine
) -> None:
    """The process is up and takes traffic: an orchestrator must not restart it for the engine."""
    await engine.stop()
    live, ready = await service.ask("/health/live"), await service.ask("/health/ready")
    assert (live.status, live.json) == (200, {"status": "alive"})
    assert (ready.status, ready.json) == (200, {"status": "ready"})


async def test_models_lists_what_the_engine_serves_when_asked(service: Service) -> None:
    """The first is the active one."""
    answer = await service.ask("/models")
    assert (answer.status, answer.json) == (200, {"models": [MODEL], "active_model": MODEL})


async def test_openai_models_lists_the_same_when_asked(service: Service) -> None:
    """`GET /v1/models` is OpenAI's list."""
    answer = await service.ask("/v1/models")
    entry = {"id": MODEL, "object": "model", "created": 0, "owned_by": "tiza"}
    assert (answer.status, answer.json) == (200, {"object": "list", "data": [entry]})


@pytest.mark.parametrize(
    "listing",
    [{}, {"data": []}, {"data": 5}, {"data": [{"id": 5}, "x"]}, []],
    ids=["no list", "empty", "number", "nameless", "array"],
)
async def test_models_is_an_engine_error_when_the_engine_lists_nonsense(
    listing: object, service: Service, engine: FaultyEngine
) -> None:
    """An engine without a model is one that failed."""

    async def nonsense(exchange: Exchange) -> None:
        await exchange.reply(listing)

    engine.fault, engine.faulty_paths = nonsense, ("/v1/models",)
    for answer in (await service.ask("/models"), await service.chat()):
        assert (answer.status, answer.json["code"]) == (502, "engine_error")


async def test_chat_answers_the_contract_when_only_a_message_is_given(
    service: Service, engine: FaultyEngine
) -> None:
    """The answer has exactly the contract's members and one more, `finish_reason`."""
    answer = await service.chat("What is chalk?")
    document = answer.json
    assert (answer.status, answer.kind) == (200, "application/json")
    assert_recent(document.pop("timestamp"))
    assert 0 <= document.pop("latency_seconds") < 60
    prompt = engine.usage(engine.bodies()[0])["usage"]["prompt_tokens"]
    assert document == {
        "response": TEXT,
        "model": MODEL,
        "tokens_used": prompt + len(PIECES),
        "prompt_tokens": prompt,
        "completion_tokens": len(PIECES),
        "finish_reason": "stop",
    }


async def test_engine_is_asked_with_the_defaults_when_only_a_message_is_given(
    service: Service, engine: FaultyEngine
) -> None:
    """System prompt, length and temperature are the server's; the model is the active one."""
    await service.chat("What is chalk?")
    assert engine.bodies() == [
        {
            "model": MODEL,
            "messages": [
                {"role": "system", "content": SYSTEM_PROMPT},
                {"role": "user", "content": "What is chalk?"},
            ],
            "max_tokens": 500,
            "temperature": 0.7,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    ]


async def test_engine_is_asked_as_the_client_wishes_when_it_says_so(
    service: Service, engine: FaultyEngine
) -> None:
    """History, length and temperature (0 too) are passed on; the history keeps its order."""
    await service.chat("Yes", conversation_history=HISTORY, max_tokens=7, temperature=0)
    [body] = engine.bodies()
    assert body["messages"][1:] == [*HISTORY, {"role": "user", "content": "Yes"}]
    assert (body["max_tokens"], body["temperature"]) == (7, 0)


async def test_length_is_whole_when_it_is_written_as_a_fraction(
    service: Service, engine: FaultyEngine
) -> None:
    """JSON has one kind of number: 7.0 is 7, for the engine too."""
    assert (await service.ask("/chat", data=b'{"message": "x", "max_tokens": 7.0}')).status == 200
    assert repr(engine.bodies()[0]["max_tokens"]) == "7"


@pytest.mark.parametrize(("language", "words"), [("en", "in English"), ("es", "en español")])
async def test_engine_is_told_the_language_when_the_client_chooses_it(
    language: str, words: str, service: Service, engine: FaultyEngine
) -> None:
    """`language` extends the server's system prompt."""
    await service.chat(language=language)
    system = engine.bodies()[0]["messages"][0]
    assert system["role"] == "system"
    assert system["content"].startswith(SYSTEM_PROMPT)
    assert words in system["content"]


async def test_engine_is_asked_with_the_operators_settings_when_they_are_set(
    engine: FaultyEngine,
) -> None:
    """SYSTEM_PROMPT, DEFAULT_MAX_TOKENS, DEFAULT_TEMPERATURE and VLLM_API_KEY reach the engine."""
    async with running(
        vllm_api_url=f"{engine.url}/v1/",
        vllm_api_key="hidden",
        system_prompt="Sé breve.",
        default_max_tokens=9,
        default_temperature=1.5,
    ) as service:
        assert (await service.chat()).status == 200
    [body] = engine.bodies()
    assert body["messages"][0]["content"] == "Sé breve."
    assert (body["max_tokens"], body["temperature"]) == (9, 1.5)
    assert {r.headers["authorization"] for r in engine.requests} == {"Bearer hidden"}


async def test_chat_counts_pieces_when_the_engine_counts_no_tokens(
    service: Service, engine: FaultyEngine
) -> None:
    """Without `usage` the number of events stands in for the tokens of the answer."""

    async def uncounted(exchange: Exchange) -> None:
        await exchange.head()
        for event in exchange.frames(usage=False):
            await exchange.chunk(event)
        await exchange.chunk(b"")

    engine.fault = uncounted
    document = (await service.chat()).json
    assert document["prompt_tokens"] == 0
    assert 0 < document["completion_tokens"] <= len(PIECES)
    assert document["tokens_used"] == document["completion_tokens"]


async def test_chat_says_length_when_the_answer_was_cut(
    service: Service, engine: FaultyEngine
) -> None:
    """`finish_reason` is the engine's."""

    async def cut(exchange: Exchange) -> None:
        await exchange.head()
        for event in exchange.frames():
            await exchange.chunk(event.replace(b'"stop"', b'"length"'))
        await exchange.chunk(b"")

    engine.fault = cut
    assert (await service.chat()).json["finish_reason"] == "length"


@pytest.mark.parametrize("text", ["\u0000", "¿qué?\r\n\t", "𝄞🖍", "{x} %s {0}", "<|im_end|>", "\\"])
async def test_chat_passes_every_character_on_when_it_is_text(
    text: str, service: Service, engine: FaultyEngine
) -> None:
    """What a student writes reaches the engine as it was written."""
    assert (await service.chat(text)).status == 200
    assert engine.bodies()[0]["messages"][-1]["content"] == text


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
async def test_documentation_loads_from_here_when_there_is_no_network(
    path: str, service: Service
) -> None:
    """Every script, style, image and document that the page loads is served by the API itself."""
    page = (await service.ask(path)).body.decode()
    loaded = re.findall(r"""<(?:script|link|img|iframe)\b[^>]*(?:src|href)=["']([^"']+)""", page)
    loaded += re.findall(r"""(?:url|spec-url)\s*[:=]\s*["']([^"']+)""", page)
    assert len(loaded) >= 3
    assert not re.search(r"@import|fonts\.googleapis|cdn\.", page)
    for address in loaded:
        assert re.match(r"/(?!/)", address), address
        answer = await service.ask(address)
        assert answer.status == 200, address
        assert answer.body


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
async def test_documentation_asks_nobody_else_when_a_browser_opens_it(
    path: str, service: Service, tmp_path: Path
) -> None:
    """The page works in a browser whose every other request would end at a proxy, and makes none.

    The browser knows the service by a name, as some scripts spare `localhost` their online parts.
    """
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    async with _recording_proxy() as (proxy, asked):
        process = await asyncio.create_subprocess_exec(
            *(program, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            f"--user-data-dir={tmp_path}",
            f"--proxy-server=http://127.0.0.1:{proxy}",
            "--proxy-bypass-list=school.example",
            "--host-resolver-rules=MAP school.example 127.0.0.1",
            *("--virtual-time-budget=5000", "--dump-dom"),
            f"http://school.example:{service.port}{path}",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        page, _ = await process.communicate()
    assert page.count(b"/chat") > 1, "the page does not show the endpoints"
    scripts = [await service.ask(f"/static-offline-docs/{name}") for name in SCRIPTS]
    named = [host for host in asked if any(host.encode() in script.body for script in scripts)]
    assert not named


SCRIPTS = ("redoc.standalone.js", "swagger-ui-bundle.js", "swagger-ui.css")


@asynccontextmanager
async def _recording_proxy() -> AsyncIterator[tuple[int, list[str]]]:
    """Run a proxy that refuses everything; hand out its port and the hosts that were asked for."""
    asked: list[str] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = (await reader.readline()).decode("latin-1")
        if found := re.match(r"[A-Z]+ (?:http://)?([^/: ]+)", line):
            asked.append(found[1])
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], asked
    finally:
        server.close()


async def test_openapi_names_the_bounds_when_they_are_settings(engine: FaultyEngine) -> None:
    """The bounds that are checked are the ones that are documented."""
    async with running(
        vllm_api_url=engine.url, max_message_chars=7, max_history_turns=3, vllm_max_model_len=512
    ) as service:
        document = (await service.ask("/openapi.json")).json
        chat = document["components"]["schemas"]["ChatRequest"]["properties"]
        assert chat["message"]["maxLength"] == 7
        assert chat["conversation_history"]["maxItems"] == 3
        assert chat["max_tokens"]["anyOf"][0]["maximum"] == 512
        assert (await service.chat("1234567", max_tokens=512)).status == 200
        assert (await service.chat("12345678")).status == 422
        assert (await service.chat("x", max_tokens=513)).status == 422
