"""All that can go wrong with a question: told in the reader's words, with a retry that works."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Route, expect

from tests.api.faulty_engine import Fault
from tests.e2e.scripted_engine import ScriptedEngine, hangs, refuses, says
from tests.e2e.stacks import ScriptedStack
from tests.e2e.visit import ANY_QUESTION, Visit, Visits, words
from tests.engines.processes import wait_for

WAIT = 40  # seconds that an overloaded engine asks for
STREAM = "text/event-stream"
BEGUN = """\
id: 0
event: start
data: {"model": "m", "stream_id": "1"}

id: 6
event: token
data: {"text": "So far"}

"""
REST = """\
id: 14
event: token
data: {"text": ", so good"}

id: 15
event: done
data: {"response": "So far, so good", "model": "m"}

"""
PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def hasty(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScriptedStack]:
    """Serve the page with an API that waits a second for the engine."""
    settings = {"ENGINE_FIRST_TOKEN_SECONDS": 1, "ENGINE_IDLE_SECONDS": 1}
    stack = ScriptedStack(tmp_path_factory.mktemp("hasty"), **settings)
    yield stack
    stack.close()


def is_told(visit: Visit, code: str, language: str = "en") -> None:
    """Wait for a failure in the reader's words: seen, spoken, and with a way to try again."""
    visit.is_done("failed")
    reason = words(language)[f"failure.{code}"]
    expect(visit.notice.locator(".reason")).to_have_text(reason)
    expect(visit.announcements).to_contain_text(reason)
    expect(visit.retry).to_be_visible()


def answers_again(visit: Visit) -> None:
    """Try again, and read a whole answer in the place of the failure."""
    visit.retry.click()
    visit.is_done()
    expect(visit.notice).to_be_hidden()
    expect(visit.prose).to_have_text("At last.")
    expect(visit.exchanges).to_have_count(1)


def is_continued(visit: Visit, text: str) -> None:
    """Have the answer continued, and read all of it."""
    visit.retry.click()
    visit.is_done()
    expect(visit.notice).to_be_hidden()
    expect(visit.prose).to_have_text(text)
    expect(visit.exchanges).to_have_count(1)


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        pytest.param(refuses(500), "engine_error", id="engine_error"),
        pytest.param(hangs, "engine_timeout", id="engine_timeout"),
    ],
)
def test_failure_is_told_with_a_reference_when_the_log_knows_more(
    fault: Fault, code: str, language: str, hasty: ScriptedStack, visits: Visits
) -> None:
    """Where an operator can help, the request's id is given; the retry brings the answer."""
    visit = visits.open(hasty.url, language)
    hasty.engine.will(fault)
    with visit.page.expect_response(ANY_QUESTION) as asked:
        visit.ask("Why?")

    is_told(visit, code, language)
    reference = asked.value.header_value("X-Request-ID")
    assert reference
    expect(visit.notice.locator(".reference")).to_contain_text(reference)
    hasty.is_idle()
    hasty.engine.will(says("At ", "last."))
    answers_again(visit)


def test_silence_in_the_middle_ends_when_the_engine_hangs(
    hasty: ScriptedStack, visits: Visits
) -> None:
    """An answer that stops growing ends with what came and the reason, and can be had anew."""
    visit = visits.open(hasty.url)
    script = hasty.engine.script()
    visit.ask("Why?")
    script.say("Because")

    is_told(visit, "engine_timeout")

    expect(visit.prose).to_have_text("Because")
    hasty.engine.will(says(" of ", "chalk."))
    is_continued(visit, "Because of chalk.")


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("refusal", [(429, "overloaded"), (503, "engine_unreachable")])
def test_retry_counts_down_when_the_server_says_when(
    refusal: tuple[int, str],
    language: str,
    scripted: ScriptedStack,
    engine: ScriptedEngine,
    visits: Visits,
) -> None:
    """With `Retry-After` the button tells the seconds left, opens after them, and then works."""
    status, code = refusal
    visit = visits.new(scripted.url, language)
    visit.page.clock.install()
    visit.open()
    engine.will(refuses(status, retry_after=str(WAIT)))
    visit.ask("Why?")

    is_told(visit, code, language)
    expect(visit.retry).to_be_disabled()
    before, after = words(language)["retry.seconds"].split("{count}")
    told = visit.retry.inner_text().strip()
    assert told.startswith(before)
    assert told.endswith(after)
    assert 1 < int(told.removeprefix(before).removesuffix(after)) <= WAIT
    visit.picture(f"countdown.{code}.{language}")

    visit.page.clock.fast_forward((WAIT + 1) * 1000)

    expect(visit.retry).to_be_enabled()
    expect(visit.retry).to_have_text(words(language)["retry.now"])
    engine.will(says("At ", "last."))
    answers_again(visit)


@pytest.mark.parametrize("language", ["en", "es"])
def test_partial_answer_stays_when_the_engine_is_lost(
    language: str, scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """What came is kept, the reason is told beneath, and the answer can be continued."""
    visit = visits.open(scripted.url, language)
    script = engine.script()
    visit.ask("Why?")
    script.say("Because **chalk")
    expect(visit.prose).to_have_text("Because chalk")

    script.breaks_off()

    is_told(visit, "engine_lost", language)
    expect(visit.prose).to_have_text("Because chalk")
    visit.picture(f"engine-lost.{language}")
    engine.will(says("** of ", "chalk."))
    is_continued(visit, "Because chalk of chalk.")


@pytest.mark.parametrize("language", ["en", "es"])
def test_answer_can_be_continued_when_the_server_was_killed_in_its_middle(
    language: str, scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """The page waits for the server, keeps the text, says what happened, and offers to continue."""
    visit = visits.open(scripted.url, language)
    visit.is_connected()
    script = engine.script()
    visit.ask("Why?")
    script.say("Because")
    expect(visit.prose).to_have_text("Because")
    kept_within_a_second(scripted, "Because")
    try:
        scripted.dies()
        expect(visit.status).to_have_attribute("data-health", "offline")
        visit.picture(f"offline.{language}")
    finally:
        scripted.starts()

    visit.is_done("failed")
    expect(visit.notice.locator(".reason")).to_have_text(words(language)["failure.interrupted"])
    expect(visit.prose).to_have_text("Because")
    expect(visit.retry).to_have_text(words(language)["retry.continue"])
    visit.picture(f"interrupted.{language}")
    visit.page.reload()
    expect(visit.prose).to_have_text("Because")
    engine.will(says(" of ", "chalk."))
    visit.retry.click()
    visit.is_done()
    expect(visit.prose).to_have_text("Because of chalk.")
    expect(visit.exchanges).to_have_count(1)
    assert engine.bodies()[-1]["messages"][-1] == {"role": "assistant", "content": "Because"}
    visit.looks_again()
    visit.is_connected()


def test_answer_goes_on_when_the_network_was_gone_in_its_middle(
    scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """What was written meanwhile is there as soon as the network is back."""
    visit = visits.open(scripted.url)
    script = engine.script()
    visit.ask("Why?")
    script.say("Because")
    expect(visit.prose).to_have_text("Because")
    with visit.page.expect_event("requestfailed"):
        visit.context.set_offline(True)
        script.say(" of")
    expect(visit.status).to_have_attribute("data-health", "offline")
    script.say(" chalk.")
    script.finish()

    visit.context.set_offline(False)

    visit.is_done()
    expect(visit.prose).to_have_text("Because of chalk.")
    assert len(engine.bodies()) == 1


def kept_within_a_second(stack: ScriptedStack, text: str) -> None:
    """Wait until the store has this much of an answer."""
    store = sqlite3.connect(stack.store)
    with contextlib.closing(store):
        query = "select count(*) from messages where text = ?"
        wait_for(lambda: store.execute(query, [text]).fetchone()[0], "a text in the store")


def test_question_is_given_back_when_the_rest_of_the_page_cannot_be_fetched(
    scripted: ScriptedStack, visits: Visits
) -> None:
    """Offline before the first question: it is kept, and can be sent once the network is back."""
    visit = visits.open(scripted.url)
    visit.is_connected()
    visit.context.set_offline(True)

    visit.ask("Why?")

    expect(visit.status).to_have_attribute("data-health", "offline")
    expect(visit.question).to_have_value("Why?")
    expect(visit.exchanges).to_have_count(0)
    visit.context.set_offline(False)
    visit.is_connected()
    visit.question.press("Enter")
    visit.is_done()


@dataclass(frozen=True)
class Reply:
    """What something on the way between page and API answers."""

    body: str
    code: str
    status: int = 200
    kind: str = STREAM


def problem(code: str) -> str:
    """Write a refusal as the contract has them."""
    return json.dumps({"code": code})


ON_THE_WAY = {
    "nothing": Reply("", "connection_lost"),
    "login-page": Reply("<html>Sign in</html>", "connection_lost", kind="text/html"),
    "bad-gateway": Reply("<html>502</html>", "engine_unreachable", 502, "text/html"),
    "gateway-timeout": Reply("", "engine_timeout", 504, "text/plain"),
    "body-too-large": Reply("<html>413</html>", "body_too_large", 413, "text/html"),
    "rate-limited": Reply(problem("rate_limited"), "rate_limited", 429, PROBLEM),
    "not-signed-in": Reply(problem("unauthenticated"), "unauthenticated", 401, PROBLEM),
    "unheard-of": Reply(problem("teapot"), "internal", 418, PROBLEM),
    "null": Reply("null", "internal", 500, PROBLEM),
}  # fmt: skip


@pytest.mark.parametrize("name", ON_THE_WAY)
def test_failure_is_told_when_something_on_the_way_answers(
    name: str, scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """A stream without an end, a proxy's error page, a refusal: one failure in words, one retry."""
    reply = ON_THE_WAY[name]
    visit = visits.open(scripted.url)

    def answer(route: Route) -> None:
        route.fulfill(status=reply.status, content_type=reply.kind, body=reply.body)

    visit.page.route(ANY_QUESTION, answer)
    visit.ask("Why?")

    is_told(visit, reply.code)
    expect(visit.prose).to_have_text("")
    visit.page.unroute(ANY_QUESTION, answer)
    engine.will(says("At ", "last."))
    answers_again(visit)


BREAKS = {"no-end": "", "half-an-event": 'event: done\ndata: {"respo', "no-json": "data: {\n\n"}


@pytest.mark.parametrize("name", BREAKS)
def test_line_is_mended_when_it_breaks_on_the_way(
    name: str, scripted: ScriptedStack, visits: Visits
) -> None:
    """However a stream breaks, it is gone on with behind the last event that came."""
    visit = visits.open(scripted.url)
    asked: list[str | None] = []

    def goes_on(route: Route) -> None:
        asked.append(route.request.headers.get("last-event-id"))
        route.fulfill(status=200, content_type=STREAM, body=REST)

    begun = BEGUN + BREAKS[name]
    visit.page.route(
        ANY_QUESTION, lambda route: route.fulfill(status=200, content_type=STREAM, body=begun)
    )
    visit.page.route("**/api/streams/1", goes_on)
    visit.ask("Why?")

    visit.is_done()
    expect(visit.prose).to_have_text("So far, so good")
    assert asked == ["6"]


def test_empty_answer_is_an_answer_when_the_model_has_nothing_to_say(
    scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """An answer without text ends well; the next question goes without the empty turn."""
    visit = visits.open(scripted.url)
    engine.will(says())
    visit.ask("Why?")
    visit.is_done()
    expect(visit.notice).to_be_hidden()

    visit.ask("And?")
    visit.is_done()
    assert [m["content"] for m in engine.bodies()[-1]["messages"][1:]] == ["And?"]
