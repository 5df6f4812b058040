"""Logs tell what happened and never what was said."""

import json
from pathlib import Path

import pytest

from tests.api.faulty_engine import MODEL, Exchange, FaultyEngine
from tests.api.processes import ApiProcess, api_process
from tests.api.service import until

SECRET = "zanahoria-7391"
BROKEN = """
from tiza.api.chat import Generation
from tiza.api.server import serve
from tiza.settings import load

def bug(self, frames):
    text = frames[0][0].decode()
    raise ZeroDivisionError

Generation.take = bug
serve(load())
"""


async def answers_secretly(exchange: Exchange) -> None:
    """Answer with the secret."""
    await exchange.head()
    await exchange.chunk(b"".join(exchange.frames([SECRET, " "])))
    await exchange.chunk(b"")


async def refuses_secretly(exchange: Exchange) -> None:
    """Repeat in an error what was asked, as engines do."""
    await exchange.reply({"error": {"message": f"cannot parse {exchange.request.json}"}}, 500)


async def refuses_input_secretly(exchange: Exchange) -> None:
    """Repeat in a refusal what was asked."""
    await exchange.reply({"error": {"message": f"cannot parse {exchange.request.json}"}}, 400)


async def breaks_secretly(exchange: Exchange) -> None:
    """Repeat in the stream what was asked."""
    await exchange.head()
    error = {"error": {"message": f"cannot go on with {exchange.request.json}"}}
    await exchange.chunk(b"data: %b\n\n" % json.dumps(error).encode())
    await exchange.chunk(b"")


async def ask_everything(api: ApiProcess) -> int:
    """Ask with the secret in every place where a message may be; return how often was asked."""
    turn = {"role": "user", "content": SECRET}
    chat = {"message": SECRET, "conversation_history": [turn]}
    completion = {"model": MODEL, "messages": [turn]}
    bodies: list[tuple[str, object]] = [
        ("/chat", chat),
        ("/chat", chat | {"stream": True}),
        ("/chat", chat | {"temperature": SECRET}),
        ("/chat", chat | {"message": [SECRET]}),
        ("/chat", chat | {"message": SECRET * 1000}),
        ("/chat", chat | {"model": "other"}),
        ("/v1/chat/completions", completion),
        ("/v1/chat/completions", completion | {"stream": True}),
        ("/v1/chat/completions", {"model": MODEL, "messages": SECRET}),
        ("/v1/completions", {"model": MODEL, "prompt": SECRET}),
        ("/v1/completions", {"model": MODEL, "prompt": SECRET, "stream": True}),
    ]
    for path, body in bodies:
        async with api.session.post(f"{api.url}{path}", json=body) as response:
            await response.read()
    async with api.session.post(f"{api.url}/chat", data=f'{{"message": "{SECRET}') as response:
        await response.read()
    async with api.session.get(f"{api.url}/models?q={SECRET}") as response:
        await response.read()
    return len(bodies) + 2


async def test_log_has_no_message_text_when_questions_are_answered_or_refused(
    tmp_path: Path, engine: FaultyEngine
) -> None:
    """Questions, history and answers are nowhere in the log, whatever becomes of them."""
    number = 0
    async with api_process(tmp_path, engine.url) as api:
        for engine.fault in (
            answers_secretly,
            refuses_secretly,
            refuses_input_secretly,
            breaks_secretly,
        ):
            number += await ask_everything(api)
        await until(lambda: api.output.count('"event":"request"') == number)
        assert SECRET not in api.output


@pytest.mark.parametrize(("form", "level"), [("json", "info"), ("console", "WARNING")])
async def test_log_has_the_traceback_without_values_when_there_is_a_bug(
    form: str, level: str, tmp_path: Path, engine: FaultyEngine
) -> None:
    """The traceback shows where, not with which text, in both formats and at every level."""
    engine.fault = answers_secretly
    settings = {"log_format": form, "log_level": level}
    async with api_process(tmp_path, engine.url, "-c", BROKEN, **settings) as api:
        for stream in (False, True):
            body = {"message": SECRET, "stream": stream}
            async with api.session.post(f"{api.url}/chat", json=body) as response:
                assert (await response.json())["code"] == "internal"
        await until(lambda: api.output.count("ZeroDivisionError") == 2)
        assert "in bug" in api.output
        assert SECRET not in api.output
    assert ("request  " in api.output or '"request"' in api.output) == (level == "info")


async def test_log_is_one_json_object_a_line_when_a_machine_reads_it(
    tmp_path: Path, engine: FaultyEngine
) -> None:
    """Each line has time, level and event; a request its id and status, a failure its reason."""

    async def fails(exchange: Exchange) -> None:
        await exchange.head(kind="text/html", content_length="0")

    engine.fault = fails
    async with api_process(tmp_path, engine.url) as api:
        async with api.session.post(f"{api.url}/chat", json={"message": "x"}) as response:
            problem = await response.json()
        await until(lambda: '"event":"request"' in api.output)
        lines = [json.loads(line) for line in api.output.splitlines()]
    assert all({"timestamp", "level", "event", "logger"} <= line.keys() for line in lines)
    request, failure = (
        next(line for line in lines if line["event"] == event)
        for event in ("request", "engine failed")
    )
    assert (request["path"], request["status"], request["method"]) == ("/chat", 502, "POST")
    assert request["request_id"] == failure["request_id"] == problem["request_id"]
    assert failure["code"] == problem["code"] == "engine_error"
    assert (failure["level"], "text/html" in failure["reason"]) == ("warning", True)
