"""Whatever a teacher does: an answer, or a named failure of one request or of the run."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.api.faulty_engine import MODEL, Exchange, FaultyEngine, faulty_engine
from tests.conftest import free_port
from tests.generate.hurried import HurriedClock
from tiza.errors import NoAnswer, TeacherError, TeacherRefused, TeacherUnreachable
from tiza.generate.completion import MAX_BODY_BYTES
from tiza.generate.rate import FIRST_LIMIT
from tiza.generate.request import Request
from tiza.generate.teacher import (
    ATTEMPTS,
    FIRST_FAILURES,
    PATIENCE_SECONDS,
    Endpoint,
    Teacher,
)

KEY = "sk-secret"
SCHEMA = {"type": "object", "properties": {"score": {"type": "integer"}}}

Answer = Callable[[Exchange], Awaitable[None]]


def request(text: str = "What is chalk?", **more: Any) -> Request:
    """Make a request."""
    return Request(({"role": "user", "content": text},), max_tokens=64, **more)


def completion(text: str | None, **more: Any) -> dict[str, Any]:
    """Return what a good endpoint answers."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}}
    usage = {"prompt_tokens": 5, "completion_tokens": 7}
    return {"choices": [{**choice, "finish_reason": "stop"}], "usage": usage, **more}


def says(text: str | None, **more: Any) -> Answer:
    """Answer with this text."""
    return lambda exchange: exchange.reply(completion(text, **more))


def replies(document: object, status: int = 200, **headers: str) -> Answer:
    """Answer with this document."""
    return lambda exchange: exchange.reply(document, status, **headers)


def refuses(status: int, message: str = "no", **headers: str) -> Answer:
    """Answer with an error as OpenAI writes it."""
    return replies({"error": {"message": message}}, status, **headers)


async def resets(exchange: Exchange) -> None:
    """Tear the connection down."""
    exchange.reset()


async def resets_in_mid_body(exchange: Exchange) -> None:
    """Tear it down when the answer has begun."""
    await exchange.head(200, "application/json", content_length="1000")
    await exchange.write(b'{"choices": [')
    exchange.reset()


async def says_html(exchange: Exchange) -> None:
    """Answer with a page."""
    await exchange.head(200, "text/html", content_length="15")
    await exchange.write(b"<html>hi</html>")


async def never_ends(exchange: Exchange) -> None:
    """Answer for ever; the client has to leave."""
    await exchange.head(200, "application/json")
    while True:
        await exchange.chunk(b" " * 65_536)


async def hangs(exchange: Exchange) -> None:
    """Never answer."""
    await exchange.engine.go_on.wait()


class Script:
    """Gives these answers in turn, and good ones after that."""

    def __init__(self, *answers: Answer, then: Answer | None = None) -> None:
        self._answers, self._then = list(answers), then or says("Soft limestone.")

    async def __call__(self, exchange: Exchange) -> None:
        """Give the next."""
        answer = self._answers.pop(0) if self._answers else self._then
        await answer(exchange)


@pytest.fixture
async def engine() -> AsyncIterator[FaultyEngine]:
    """Run an endpoint that answers well."""
    async with faulty_engine() as engine:
        engine.fault = Script()
        yield engine


@pytest.fixture
def clock() -> HurriedClock:
    """Wait for nothing."""
    return HurriedClock()


@pytest.fixture
def told() -> list[str]:
    """Collect what a person is told."""
    return []


@pytest.fixture
async def teacher(
    engine: FaultyEngine, clock: HurriedClock, told: list[str]
) -> AsyncIterator[Teacher]:
    """Ask that endpoint."""

    def tell(sentence: str, data: Mapping[str, object]) -> None:
        told.append(sentence.format(**data))

    async with Teacher(Endpoint(engine.url, KEY, MODEL), tell, clock=clock) as teacher:
        yield teacher


@asynccontextmanager
async def teacher_at(url: str, **more: Any) -> AsyncIterator[Teacher]:
    """Ask another endpoint."""
    async with Teacher(Endpoint(url, KEY, more.pop("model", MODEL)), **more) as teacher:
        yield teacher


async def test_request_has_all_that_it_needs_when_sent(
    teacher: Teacher, engine: FaultyEngine
) -> None:
    """The endpoint is told the model, the messages, a bound, temperature and seed, and the key."""
    reply = await teacher.ask(request(temperature=0.5, seed=3))
    assert (reply.text, reply.prompt_tokens, reply.completion_tokens) == ("Soft limestone.", 5, 7)
    [sent] = engine.requests
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.json == {
        "model": MODEL,
        "messages": [{"role": "user", "content": "What is chalk?"}],
        "max_tokens": 64,
        "temperature": 0.5,
        "seed": 3,
    }


async def test_first_model_is_asked_for_when_none_is_named(
    engine: FaultyEngine, clock: HurriedClock
) -> None:
    """The first model that the endpoint lists is the teacher."""
    async with teacher_at(engine.url, model="", clock=clock) as teacher:
        assert teacher.model == MODEL


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://a:1", "http://a:1/v1"),
        ("http://a:1/", "http://a:1/v1"),
        ("http://a:1/v1/", "http://a:1/v1"),
        ("https://a/api/paas/v4", "https://a/api/paas/v4"),
        ("https://a/v1beta/openai", "https://a/v1beta/openai"),
        ("https://a/llm", "https://a/llm/v1"),
    ],
)
def test_address_is_completed_when_it_names_no_version(url: str, base: str) -> None:
    """An address works with and without `/v1`; one with another version stays as it is."""
    assert Endpoint(url).base == base


ONCE_BAD = {
    "408": refuses(408),
    "409": refuses(409),
    "425": refuses(425),
    "429": refuses(429),
    "500": refuses(500),
    "503": refuses(503),
    "504": refuses(504),
    "reset": resets,
    "reset in mid-body": resets_in_mid_body,
    "broken JSON": replies("{", 200),
    "JSON list": replies([1]),
    "no completion": replies({"object": "chat.completion"}),
    "no choice": replies({"choices": []}),
    "no text": replies({"choices": [{"message": {"content": [1]}}]}),
    "HTML": says_html,
    "without end": never_ends,
    "empty": says(""),
    "null": says(None),
    "blank": says(" \n"),
    "only thoughts": says("<think>Hm, chalk"),
}


@pytest.mark.parametrize("fault", ONCE_BAD.values(), ids=ONCE_BAD)
async def test_second_try_answers_when_the_first_went_wrong(
    teacher: Teacher, engine: FaultyEngine, fault: Answer
) -> None:
    """What may pass is tried once more, and not more often."""
    engine.fault = Script(fault)
    assert (await teacher.ask(request())).text == "Soft limestone."
    assert len(engine.requests) == 2


async def test_second_try_answers_when_the_first_takes_too_long(
    engine: FaultyEngine, clock: HurriedClock
) -> None:
    """An answer that does not come in time is asked for again."""
    engine.fault = Script(hangs)
    async with teacher_at(engine.url, clock=clock, seconds=0.2) as teacher:
        assert (await teacher.ask(request())).text == "Soft limestone."


async def test_seed_changes_when_an_answer_is_asked_for_again(
    teacher: Teacher, engine: FaultyEngine
) -> None:
    """The same question with the same seed would have the same bad answer."""
    engine.fault = Script(says(""))
    await teacher.ask(request(seed=3))
    assert [body["seed"] for body in engine.bodies()] == [3, 4]


LASTING = {"500": refuses(500), "broken JSON": replies("{"), "empty": says(""), "reset": resets}


@pytest.mark.parametrize("fault", LASTING.values(), ids=LASTING)
async def test_one_request_fails_when_its_answer_stays_bad(
    teacher: Teacher, engine: FaultyEngine, fault: Answer
) -> None:
    """After a few tries that one request is given up, by name; the next is answered."""
    engine.fault = Script(*[fault] * ATTEMPTS)
    with pytest.raises(NoAnswer):
        await teacher.ask(request())
    assert len(engine.requests) == ATTEMPTS
    assert (await teacher.ask(request())).text == "Soft limestone."


async def test_run_ends_when_no_request_is_ever_answered(
    teacher: Teacher, engine: FaultyEngine
) -> None:
    """An endpoint that spoils everything from the start is no teacher."""
    engine.fault = says_html
    for _ in range(FIRST_FAILURES - 1):
        with pytest.raises(NoAnswer):
            await teacher.ask(request())
    with pytest.raises(TeacherError) as caught:
        await teacher.ask(request())
    assert caught.type is TeacherError


@pytest.mark.parametrize("status", [401, 403])
async def test_run_ends_at_once_when_the_key_is_wrong(
    teacher: Teacher, engine: FaultyEngine, status: int
) -> None:
    """The key is named as the cause, and not shown; nothing is tried again."""
    engine.fault = refuses(status, "Incorrect API key")
    with pytest.raises(TeacherRefused, match="--api-key") as caught:
        await teacher.ask(request())
    assert KEY not in str(caught.value)
    assert len(engine.requests) == 1


async def test_run_ends_at_once_when_the_model_is_unknown(
    teacher: Teacher, engine: FaultyEngine
) -> None:
    """The endpoint's own words are quoted, on one line and short."""
    engine.fault = refuses(404, "The model `x`\n does not exist." + " blah" * 1000)
    with pytest.raises(TeacherError, match="The model `x` does not exist") as caught:
        await teacher.ask(request())
    assert len(str(caught.value)) < 600
    assert len(engine.requests) == 1


async def test_run_ends_when_the_endpoint_lists_no_model(
    engine: FaultyEngine, clock: HurriedClock
) -> None:
    """A server that is no OpenAI endpoint is named as such before anything is asked."""
    engine.faulty_paths, engine.fault = ("/v1/models",), refuses(404, "Not Found")
    with pytest.raises(TeacherError, match="Not Found"):
        async with teacher_at(engine.url, model="", clock=clock):
            pass


async def test_one_request_fails_when_it_alone_is_refused(
    teacher: Teacher, engine: FaultyEngine
) -> None:
    """A request that does not fit the context fails alone, at once, in the endpoint's words."""
    engine.fault = Script(refuses(400, "maximum context length is 4096 tokens"))
    with pytest.raises(NoAnswer, match="maximum context length"):
        await teacher.ask(request())
    assert (await teacher.ask(request())).text == "Soft limestone."
    assert len(engine.requests) == 2


FORMS = [
    ["json_schema", "json_schema"],
    ["json_schema", "json_object", "json_object"],
    ["json_schema", "json_object", "words", "words"],
]


def form_of(body: dict[str, Any]) -> str:
    """Return the way in which JSON is asked for."""
    return str(body.get("response_format", {}).get("type", "words"))


def takes(kind: str, status: int = 400) -> Answer:
    """Refuse every response_format but this."""

    async def answer(exchange: Exchange) -> None:
        good = form_of(exchange.request.json) == kind
        await (says('{"score": 1}') if good else refuses(status, "no such format"))(exchange)

    return answer


@pytest.mark.parametrize("status", [400, 404, 422, 501])
@pytest.mark.parametrize("sent", FORMS)
async def test_form_is_learned_once_when_the_endpoint_refuses_it(
    teacher: Teacher,
    engine: FaultyEngine,
    told: list[str],
    status: int,
    sent: list[str],
) -> None:
    """The strictest way to ask for JSON that an endpoint takes is found, kept, and told once."""
    engine.fault = takes(sent[-1], status=status)
    for _ in range(2):
        assert (await teacher.ask(request(schema=SCHEMA))).text == '{"score": 1}'
    forms = [form_of(body) for body in engine.bodies()]
    assert forms == sent
    assert len(told) == (len(sent) > 2)


async def test_form_stays_when_the_request_is_refused_in_every_form(
    teacher: Teacher, engine: FaultyEngine, told: list[str]
) -> None:
    """A refusal that had another reason than the form teaches nothing about the form."""
    engine.fault = Script(*[refuses(400, "too long")] * 3, then=takes("json_schema"))
    with pytest.raises(NoAnswer, match="too long"):
        await teacher.ask(request(schema=SCHEMA))
    await teacher.ask(request(schema=SCHEMA))
    assert engine.bodies()[-1]["response_format"]["json_schema"]["schema"] == SCHEMA
    assert not told


async def test_bound_has_its_new_name_when_the_endpoint_asks_for_that(
    teacher: Teacher, engine: FaultyEngine, told: list[str]
) -> None:
    """A bound is sent in any case; a seed that is not wanted is left out."""
    engine.fault = Script(
        refuses(400, "Unsupported parameter: 'max_tokens', use 'max_completion_tokens'"),
        refuses(422, "seed: Extra inputs are not permitted"),
    )
    await teacher.ask(request())
    await teacher.ask(request())
    assert [("seed" in b, b.get("max_completion_tokens")) for b in engine.bodies()] == [
        *((True, None), (True, 64)),
        *[(False, 64)] * 2,
    ]
    assert len(told) == 2


async def test_nobody_asks_when_one_was_told_to_wait(
    teacher: Teacher, engine: FaultyEngine, clock: HurriedClock
) -> None:
    """Retry-After holds back every task until it has passed."""
    arrivals: list[float] = []
    script = Script(refuses(429, retry_after="30"))

    async def answer(exchange: Exchange) -> None:
        arrivals.append(clock.now)
        await script(exchange)

    engine.fault = answer
    async with asyncio.TaskGroup() as tasks:
        for number in range(50):
            tasks.create_task(teacher.ask(request(f"Question {number}?")))
    before = [moment for moment in arrivals if moment < 30]
    assert len(before) <= FIRST_LIMIT
    assert len(arrivals) == 51


async def test_run_ends_when_the_wait_asked_for_is_too_long(
    teacher: Teacher, engine: FaultyEngine
) -> None:
    """A teacher that wants to be left alone for an hour is no use today."""
    engine.fault = refuses(429, "quota exceeded", retry_after="3600")
    with pytest.raises(TeacherUnreachable, match="quota exceeded"):
        await teacher.ask(request())
    assert len(engine.requests) == 1


async def test_run_ends_at_once_when_nothing_is_there_from_the_start(clock: HurriedClock) -> None:
    """A wrong address shows within seconds."""
    async with teacher_at(f"http://127.0.0.1:{free_port()}", clock=clock) as teacher:
        with pytest.raises(TeacherUnreachable, match="refused"):
            await teacher.ask(request())
    assert clock.now < 10


async def test_run_goes_on_when_the_teacher_comes_back(
    teacher: Teacher, engine: FaultyEngine, clock: HurriedClock
) -> None:
    """A teacher that was there may be away for minutes."""
    await teacher.ask(request())
    await engine.stop()
    waiting = asyncio.create_task(teacher.ask(request()))
    await clock.reached(PATIENCE_SECONDS / 2)
    await engine.listen()
    assert (await waiting).text == "Soft limestone."


async def test_run_ends_when_the_teacher_stays_away(
    teacher: Teacher, engine: FaultyEngine, clock: HurriedClock
) -> None:
    """After the documented patience the run ends, and says how it goes on."""
    await teacher.ask(request())
    await engine.stop()
    with pytest.raises(TeacherUnreachable, match="the same command goes on"):
        await teacher.ask(request())
    assert PATIENCE_SECONDS < clock.now < 2 * PATIENCE_SECONDS


async def test_every_question_is_sent_once_when_all_goes_well(
    teacher: Teacher, engine: FaultyEngine
) -> None:
    """Hundreds of tasks may ask at once: each is sent once, over a few connections."""
    questions = [f"Question {number}?" for number in range(500)]
    async with asyncio.TaskGroup() as tasks:
        for question in questions:
            tasks.create_task(teacher.ask(request(question)))
    assert sorted(b["messages"][0]["content"] for b in engine.bodies()) == sorted(questions)
    assert engine.connections <= 512


async def test_places_come_back_when_tasks_are_cancelled(
    teacher: Teacher, engine: FaultyEngine
) -> None:
    """Whoever is cancelled, waiting or under way, leaves its place to the others."""
    all_there = asyncio.Event()

    async def hold(exchange: Exchange) -> None:
        if exchange.engine.generating == FIRST_LIMIT:
            all_there.set()
        await hangs(exchange)

    engine.fault = hold
    tasks = [asyncio.create_task(teacher.ask(request())) for _ in range(20)]
    await all_there.wait()
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert teacher._places.rate.in_flight == 0
    engine.fault = Script()
    assert (await teacher.ask(request())).text == "Soft limestone."


async def test_long_answer_is_handed_on_when_it_is_bearable(
    teacher: Teacher, engine: FaultyEngine
) -> None:
    """100 kB of text is an answer; what it is worth is judged elsewhere."""
    engine.fault = says("x" * 100_000)
    assert len((await teacher.ask(request())).text) == 100_000


async def test_endless_answer_is_not_read_to_its_end(
    teacher: Teacher, engine: FaultyEngine
) -> None:
    """A body past the bound ends the connection and fails that request."""
    sent = 0

    async def counting(exchange: Exchange) -> None:
        nonlocal sent
        await exchange.head(200, "application/json")
        while True:
            await exchange.chunk(b" " * 65_536)
            sent += 65_536

    engine.fault = counting
    with pytest.raises(NoAnswer, match="without end"):
        await teacher.ask(request())
    assert sent < ATTEMPTS * 16 * MAX_BODY_BYTES  # what the kernel buffers is sent as well


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("<think>Hm. Chalk?\n</think>\n\nSoft.", "Soft."),
        ("Hm. Chalk?\n</think>\n\nSoft.", "Soft."),
        ("The tag <think>x</think> is odd.", "The tag <think>x</think> is odd."),
        ("Soft.", "Soft."),
    ],
)
async def test_thoughts_are_taken_off_when_they_come_first(
    teacher: Teacher, engine: FaultyEngine, said: str, text: str
) -> None:
    """What a model says to itself before it answers is no part of the answer."""
    engine.fault = says(said)
    assert (await teacher.ask(request())).text == text


async def test_tokens_are_estimated_when_the_endpoint_does_not_count(
    teacher: Teacher, engine: FaultyEngine
) -> None:
    """Four characters are a token."""
    engine.fault = says("x" * 40, usage=None)
    reply = await teacher.ask(request("y" * 80))
    assert (reply.prompt_tokens, reply.completion_tokens) == (20, 10)


async def test_reply_says_so_when_it_was_cut_off(teacher: Teacher, engine: FaultyEngine) -> None:
    """An answer that ran into its bound is told from a finished one."""
    document = json.loads(json.dumps(completion("Soft lime")).replace('"stop"', '"length"'))
    engine.fault = replies(document)
    assert (await teacher.ask(request())).cut_off
