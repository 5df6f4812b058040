"""Where the engine is may change: each request keeps the one that it found at its beginning."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.faulty_engine import (
    TEXT,
    Dialect,
    Exchange,
    FaultyEngine,
    faulty_engine,
    well_behaved,
)
from tests.api.service import Service, running, until
from tiza.api import engine as engines_engine
from tiza.engines.serving import Serving
from tiza.models.find import ACTIVE
from tiza.models.scope import Scope


@pytest.fixture
async def second() -> AsyncIterator[FaultyEngine]:
    """Run another engine beside the first."""
    async with faulty_engine() as engine:
        engine.model = "samples_1"
        yield engine


def tell(file: Path, engine: FaultyEngine, number: int, **more: Any) -> None:
    """Write where the engine is, as the local stack does."""
    kind = "llama.cpp" if engine.dialect == "llama.cpp" else "vLLM"
    facts = {"kind": kind, "base": engine.model, "active": engine.model} | more
    Serving(number, engine.url, **facts).write(file)


@pytest.fixture
async def switched(engine: FaultyEngine, tmp_path: Path) -> AsyncIterator[Service]:
    """Run the application with a file that names the first engine; VLLM_API_URL is nowhere."""
    tell(tmp_path / "engine.json", engine, 1)
    file = tmp_path / "engine.json"
    async with running(engine_file=file, vllm_api_url="http://127.0.0.1:1") as service:
        yield service


async def on_engines(service: Service) -> tuple[int, dict[str, int]]:
    """Return the number of the engine of now, and which engines requests depend on."""
    document = (await service.ask("/stats")).json
    return document["engine"], document["requests_by_engine"]


async def pauses(exchange: Exchange) -> None:
    """Begin to answer, and go on when told to."""
    await exchange.head()
    first, *rest = exchange.frames()
    await exchange.chunk(first)
    await exchange.engine.go_on.wait()
    for event in rest:
        await exchange.chunk(event)
    await exchange.chunk(b"data: [DONE]\n\n")
    await exchange.chunk(b"")


@pytest.mark.parametrize("path", ["/chat", "/v1/chat/completions"])
async def test_stream_ends_on_its_engine_when_another_takes_over_meanwhile(
    path: str, switched: Service, engine: FaultyEngine, second: FaultyEngine, tmp_path: Path
) -> None:
    """What began on the old engine ends there, whole; what is asked after goes to the new one."""
    engine.fault = pauses
    completion = {"model": "samples_0", "messages": [{"role": "user", "content": "x"}]}
    question: dict[str, object] = {"message": "x"} if path == "/chat" else {**completion}
    old = asyncio.create_task(switched.ask(path, question | {"stream": True}))
    await until(lambda: engine.generating == 1)

    tell(tmp_path / "engine.json", second, 2)
    new = await switched.chat()

    assert new.json["model"] == "samples_1"
    assert await on_engines(switched) == (2, {"1": 1})
    assert (await switched.ask("/models")).json["active_model"] == "samples_1"
    engine.go_on.set()
    whole = await old
    if path == "/chat":
        assert whole.events[-1].data["response"] == TEXT
        assert whole.events[-1].data["model"] == "samples_0"
    else:
        assert whole.events[-1].raw == "[DONE]"
    await switched.idle()
    assert await on_engines(switched) == (2, {})
    assert len(second.bodies()) == 1


async def test_request_moves_on_when_its_engine_goes_before_it_answers(
    switched: Service, engine: FaultyEngine, second: FaultyEngine, tmp_path: Path
) -> None:
    """Before the first byte nothing is lost by asking the new engine instead."""

    async def goes(exchange: Exchange) -> None:
        await exchange.engine.go_on.wait()
        exchange.reset()

    engine.fault = goes
    asked = asyncio.create_task(switched.chat())
    await until(lambda: engine.generating == 1)

    tell(tmp_path / "engine.json", second, 2)
    engine.go_on.set()

    assert (await asked).json["model"] == "samples_1"
    await switched.idle()
    assert await on_engines(switched) == (2, {})


async def test_request_fails_when_its_engine_goes_and_there_is_no_other(
    switched: Service, engine: FaultyEngine
) -> None:
    """Without a newer engine, the error is the old one's."""

    async def goes(exchange: Exchange) -> None:
        exchange.reset()

    engine.fault = goes

    assert (await switched.chat()).json["code"] == "engine_unreachable"


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"number": 2', '{"adapters": 5}', None])
async def test_engine_stays_the_same_when_the_file_is_damaged(
    content: str | None, switched: Service, tmp_path: Path
) -> None:
    """What cannot be read tells nothing; what was known is still true."""
    file = tmp_path / "engine.json"
    assert (await switched.chat()).status == 200
    file.unlink()
    if content is not None:
        file.write_text(content)

    assert (await switched.chat()).json["model"] == "samples_0"
    assert (await switched.ask("/health")).status == 200


async def test_engine_is_at_the_setting_s_address_when_there_is_no_file(
    engine: FaultyEngine,
) -> None:
    """In production VLLM_API_URL alone says where the engine is."""
    async with running(vllm_api_url=engine.url) as service:
        assert (await service.chat()).status == 200
        assert await on_engines(service) == (0, {})


@pytest.mark.parametrize(
    ("wanted", "active"),
    [("/srv/models/poet", "poet"), ("samples_0.gguf", "samples_0"), ("", "samples_0"), ("x", None)],
)
async def test_model_path_tells_the_active_model_when_there_is_no_file(
    wanted: str, active: str | None, engine: FaultyEngine
) -> None:
    """VLLM lists the base first, whatever it was started for; an unknown name changes nothing."""
    engine.adapters = ("poet",)
    async with running(vllm_api_url=engine.url, model_path=wanted) as service:
        answer = await service.chat()
        assert answer.json["model"] == (active or "samples_0")
        assert engine.bodies()[0]["model"] == answer.json["model"]


async def test_health_is_of_the_new_engine_when_the_old_one_has_gone(
    switched: Service, engine: FaultyEngine, second: FaultyEngine, tmp_path: Path
) -> None:
    """`/`, `/health` and both lists of models ask the engine of now."""
    assert (await switched.ask("/health")).status == 200
    await engine.stop()
    assert (await switched.ask("/health")).status == 503

    tell(tmp_path / "engine.json", second, 2)

    assert (await switched.ask("/health")).status == 200
    assert (await switched.ask("/")).json["vllm_status"] == "connected"
    [model] = (await switched.ask("/v1/models")).json["data"]
    assert model["id"] == "samples_1"


async def test_adapter_is_asked_for_by_scale_when_the_engine_is_llama_cpp(
    switched: Service, engine: FaultyEngine, tmp_path: Path
) -> None:
    """`model` chooses; the active one comes first and answers who names none."""
    engine.dialect = "llama.cpp"
    tell(tmp_path / "engine.json", engine, 1, adapters=("poet", "pirate"), active="pirate")
    models = (await switched.ask("/models")).json

    answers = [await switched.chat(model=name) for name in ("samples_0", "poet", None)]

    assert models == {"models": ["pirate", "samples_0", "poet"], "active_model": "pirate"}
    assert [answer.json["model"] for answer in answers] == ["samples_0", "poet", "pirate"]
    scales = [[each["scale"] for each in body["lora"]] for body in engine.bodies()]
    assert scales == [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    assert (await switched.chat(model="parrot")).json["code"] == "model_not_found"


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_openai_answer_names_the_adapter_when_the_engine_names_the_base(
    stream: bool, switched: Service, engine: FaultyEngine, tmp_path: Path
) -> None:
    """llama.cpp writes its one name into every chunk; the client reads the one it asked for."""
    engine.dialect = "llama.cpp"
    tell(tmp_path / "engine.json", engine, 1, adapters=("poet",))

    answer = await switched.complete(model="poet", stream=stream)

    events = [e.data for e in answer.events[:-1]] if stream else [answer.json]
    assert {event["model"] for event in events} == {"poet"}
    assert engine.bodies()[0]["lora"] == [{"id": 0, "scale": 1.0}]


async def test_base_waits_for_the_adapter_s_answers_when_the_engine_is_llama_cpp(
    switched: Service, engine: FaultyEngine, tmp_path: Path
) -> None:
    """One model at a time, in turns; a client that waits is not forgotten."""
    engine.dialect, engine.fault = "llama.cpp", pauses
    tell(tmp_path / "engine.json", engine, 1, adapters=("poet",))
    poet = [asyncio.create_task(switched.chat(str(n), model="poet")) for n in range(2)]
    await until(lambda: engine.generating == 2)
    base = asyncio.create_task(switched.complete(model="samples_0"))
    await until(lambda: switched.state.admission.active == 3)
    late = asyncio.create_task(switched.chat("late", model="poet"))
    await until(lambda: switched.state.admission.active == 4)
    assert engine.generating == 2

    engine.go_on.set()

    answers = await asyncio.gather(*poet, base, late)
    assert [answer.status for answer in answers] == [200] * 4
    assert [body["model"] for body in engine.bodies()] == ["poet", "poet", "samples_0", "poet"]


@pytest.fixture
def poetry(tmp_path: Path) -> dict[str, str]:
    """Write the scope of an adapter that answers questions about poems."""
    Scope(-1.0, 0.0, {"poem": 5.0}, [("Poems rhyme.", {"poem": 1.0})]).write(
        tmp_path / "scope.json"
    )
    return {"poet": str(tmp_path / "scope.json")}


@pytest.mark.parametrize("path", ["/chat", "/v1/chat/completions"])
async def test_base_answers_when_the_question_is_beyond_the_adapter_s_scope(
    path: str,
    switched: Service,
    engine: FaultyEngine,
    poetry: dict[str, str],
    tmp_path: Path,
) -> None:
    """The answer bears the name of the model that was asked: base, adapter and scope are one."""
    engine.dialect = "llama.cpp"
    known: dict[str, Any] = {"adapters": ("poet",), "active": "poet", "scopes": poetry}
    tell(tmp_path / "engine.json", engine, 1, **known)

    async def ask(*questions: str) -> str:
        turns = [{"role": "user", "content": question} for question in questions]
        history = [
            turn for t in turns[:-1] for turn in (t, {"role": "assistant", "content": "Yes."})
        ]
        body = (
            {"message": questions[-1], "conversation_history": history}
            if path == "/chat"
            else {"model": "poet", "messages": [*history, turns[-1]]}
        )
        return str((await switched.ask(path, body)).json["model"])

    names = [
        await ask("What is a poem?"),
        await ask("What is a planet?"),
        await ask("What is a poem?", "And how long is it?"),
        await ask("What is a poem?", "What is a planet?"),
    ]

    assert names == ["poet"] * 4
    asked = [body["messages"][-1]["content"] for body in engine.bodies()]
    assert asked == [
        "Poems rhyme.\n\nWhat is a poem?",
        "What is a planet?",
        "Poems rhyme.\n\nAnd how long is it?",
        "What is a planet?",
    ]
    scales = [body["lora"][0]["scale"] for body in engine.bodies()]
    assert scales == [1.0, 0.0, 1.0, 0.0]


async def test_base_is_asked_for_by_name_when_vllm_s_adapter_does_not_cover_the_question(
    switched: Service, engine: FaultyEngine, poetry: dict[str, str], tmp_path: Path
) -> None:
    """Under the base's own name; a file that cannot be read leaves everything to the adapter."""
    engine.fault, engine.faulty_paths = lists_poet, (*engine.faulty_paths, "/v1/models")
    known: dict[str, Any] = {"adapters": ("poet",), "active": "poet"}
    tell(tmp_path / "engine.json", engine, 1, **known, scopes=poetry)

    assert (await switched.chat("What is a planet?")).json["model"] == "poet"
    assert (await switched.chat("What is a poem?")).json["model"] == "poet"
    tell(tmp_path / "engine.json", engine, 2, **known, scopes={"poet": str(tmp_path / "gone")})
    assert (await switched.chat("What is a planet?")).json["model"] == "poet"

    assert [body["model"] for body in engine.bodies()] == ["samples_0", "poet", "poet"]


async def lists_poet(exchange: Exchange) -> None:
    """List an adapter beside its base, as vLLM does."""
    if exchange.request.path != "/v1/models":
        await well_behaved(exchange)
        return
    entries = [{"id": name, "max_model_len": 4096} for name in ("samples_0", "poet")]
    await exchange.reply({"data": entries})


async def test_adapter_is_asked_for_by_name_when_the_engine_is_vllm(
    switched: Service, engine: FaultyEngine, tmp_path: Path
) -> None:
    """VLLM lists its adapters itself, and the body has nothing beside the name."""
    engine.fault, engine.faulty_paths = lists_poet, (*engine.faulty_paths, "/v1/models")
    tell(tmp_path / "engine.json", engine, 1, adapters=("poet",), active="poet")

    assert (await switched.ask("/models")).json["models"] == ["poet", "samples_0"]
    assert (await switched.chat()).json["model"] == "poet"
    assert engine.bodies()[0]["model"] == "poet"
    assert "lora" not in engine.bodies()[0]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Make a store with an adapter that answers questions about poems, as teaching leaves it."""
    home = tmp_path / "models" / "poet" / "adapter"
    home.mkdir(parents=True)
    (home / "adapter.gguf").touch()
    (home.parent / "tiza.json").write_text('{"base": "samples_0"}')
    Scope(-1.0, 0.0, {"poem": 5.0}, []).write(home / "scope.json")
    return tmp_path / "models"


@pytest.mark.parametrize("dialect", ["llama.cpp", "vllm"])
async def test_adapter_answers_only_what_it_was_taught_when_only_an_address_is_known(
    dialect: Dialect, engine: FaultyEngine, store: Path
) -> None:
    """As in containers: the engine tells of its adapters, and the store of their scopes."""
    engine.dialect, engine.adapters = dialect, ("poet",)
    if dialect == "llama.cpp":  # it lists the one that it was started for, alone
        base, engine.model = "samples_0", "poet"
    else:
        base = engine.model
        (store / ACTIVE).write_text("poet")
    async with running(vllm_api_url=engine.url, models_path=store) as service:
        models = (await service.ask("/models")).json
        answers = [await service.chat(f"What is a {word}?") for word in ("planet", "poem")]

    assert models == {"models": ["poet", base], "active_model": "poet"}
    assert [answer.json["model"] for answer in answers] == ["poet", "poet"]
    if dialect == "llama.cpp":
        assert [body["lora"][0]["scale"] for body in engine.bodies()] == [0.0, 1.0]
    else:
        assert [body["model"] for body in engine.bodies()] == [base, "poet"]


async def test_scope_is_the_new_one_when_the_adapter_is_taught_again(
    engine: FaultyEngine, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read again when its file has changed."""
    monkeypatch.setattr(engines_engine, "MODELS_SECONDS", 0.0)
    engine.adapters = ("poet",)
    async with running(
        vllm_api_url=engine.url, models_path=store, model_path="/models/poet"
    ) as service:
        assert (await service.chat("What is a planet?")).status == 200
        path = store / "poet" / "adapter" / "scope.json"
        Scope(-1.0, 0.0, {"planet": 5.0}, []).write(path)
        os.utime(path, ns=(1, 1))
        assert (await service.chat("What is a planet?")).status == 200

    assert [body["model"] for body in engine.bodies()] == [engine.model, "poet"]


@pytest.mark.parametrize("path", ["/chat", "/v1/chat/completions", "/v1/completions"])
async def test_scales_are_refused_when_a_client_sends_them(path: str, switched: Service) -> None:
    """Which adapter is loaded where is no client's affair."""
    answer = await switched.ask(path, {"lora": [{"id": 0, "scale": 9.0}]})

    assert answer.status == 422
    assert "lora" in {error["field"] for error in answer.json["errors"]}
