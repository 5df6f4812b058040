"""Where questions are written: keys, growth, the draft, the limit, and the way to stop."""

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.scripted_engine import ScriptedEngine
from tests.e2e.stacks import ScriptedStack
from tests.e2e.visit import Visits, words

LIMIT = 8_000


def test_enter_sends_and_shift_enter_breaks_when_a_question_is_written(
    scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """Shift+Enter begins a new line; Enter sends all of them as one question."""
    visit = visits.open(scripted.url)
    visit.question.press_sequentially("one")
    visit.question.press("Shift+Enter")
    visit.question.press_sequentially("two")
    expect(visit.question).to_have_value("one\ntwo")

    visit.question.press("Enter")

    visit.is_done()
    expect(visit.question).to_have_value("")
    expect(visit.exchanges.locator(".bubble")).to_have_text("one\ntwo")
    assert engine.bodies()[0]["messages"][-1] == {"role": "user", "content": "one\ntwo"}


def test_enter_chooses_a_word_when_an_input_method_is_open(
    scripted: ScriptedStack, visits: Visits
) -> None:
    """Enter that ends a composition (accents, Chinese, Japanese) does not send."""
    visit = visits.open(scripted.url)
    visit.question.fill("né")
    for composing in ({"isComposing": True}, {"keyCode": 229}):
        key = {"key": "Enter", "bubbles": True, "cancelable": True, **composing}
        visit.question.dispatch_event("keydown", key)

    expect(visit.question).to_have_value("né")
    expect(visit.exchanges).to_have_count(0)
    assert visit.watch.questions() == []


def test_nothing_is_sent_when_nothing_is_written(scripted: ScriptedStack, visits: Visits) -> None:
    """Empty lines are no question, by key or by button; the button says so."""
    visit = visits.open(scripted.url)
    expect(visit.button).to_have_attribute("aria-disabled", "true")

    visit.question.fill(" \n ")
    visit.question.press("Enter")
    visit.button.click(force=True)  # it looks disabled, but can be reached

    expect(visit.button).to_have_attribute("aria-disabled", "true")
    expect(visit.exchanges).to_have_count(0)
    assert visit.watch.questions() == []


def test_field_grows_with_its_text_when_lines_are_added(
    scripted: ScriptedStack, visits: Visits
) -> None:
    """It is as high as its lines, up to a limit where it scrolls, and small again when sent."""
    visit = visits.open(scripted.url)

    def height(lines: int) -> float:
        visit.question.fill("\n".join(["line"] * lines))
        box = visit.question.bounding_box()
        assert box
        return box["height"]

    one, four, ten, forty, eighty = map(height, (1, 4, 10, 40, 80))
    assert one < four < ten <= forty == eighty
    assert visit.question.evaluate("field => field.scrollHeight > field.clientHeight")
    assert height(1) == one
    height(6)
    visit.question.press("Enter")
    visit.is_done()
    assert visit.question.evaluate("field => field.offsetHeight") == one


@pytest.mark.parametrize("language", ["en", "es"])
def test_too_long_message_is_not_sent_when_it_passes_the_limit(
    language: str, scripted: ScriptedStack, visits: Visits
) -> None:
    """Near 8000 characters the page counts; past them it says by how many, and sends nothing."""
    visit = visits.open(scripted.url, language)
    count = visit.page.locator("#count")
    told = words(language)
    visit.question.fill("x" * 7_000)
    expect(count).to_have_text("")
    visit.question.fill("x" * (LIMIT - 1))
    expect(count).to_have_text(told["composer.left"]["one"].format(count=1))

    visit.question.fill("x" * (LIMIT + 2))
    expect(count).to_have_text(told["composer.over"]["other"].format(count=2))
    expect(visit.question).to_have_attribute("aria-invalid", "true")
    visit.picture(f"too-long.{language}")
    visit.question.press("Enter")
    visit.button.click(force=True)
    expect(visit.exchanges).to_have_count(0)

    visit.ask("🖍" * LIMIT)  # a character is what the server counts as one
    visit.is_done()
    assert visit.watch.refused() == []
    assert len(visit.watch.questions()) == 1


@pytest.mark.parametrize("language", ["en", "es"])
def test_stop_ends_the_answer_when_it_is_pressed(
    language: str, scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """The engine stops writing; what came stays, is marked as stopped, and one can ask on."""
    visit = visits.open(scripted.url, language)
    script = engine.script()
    visit.ask("Tell me everything")
    script.say("The first half ", "of it")
    expect(visit.prose).to_have_text("The first half of it")
    expect(visit.button).to_have_accessible_name(words(language)["composer.stop"])
    visit.picture(f"writing.{language}")

    visit.button.click()

    visit.is_done("stopped")
    scripted.is_idle()
    expect(visit.prose).to_have_text("The first half of it")
    expect(visit.facts.first).to_have_text(words(language)["answer.stopped"])
    expect(visit.announcements).to_contain_text(words(language)["answer.stopped"])
    expect(visit.notice).to_be_hidden()
    expect(visit.button).to_have_accessible_name(words(language)["composer.send"])
    engine.forget()
    visit.ask("And now?")
    visit.is_done()
    assert engine.bodies()[0]["messages"][-2]["content"] == "The first half of it"


def test_stop_ends_the_wait_when_no_word_has_come(
    scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """Stopping before the first word leaves a question without an answer, which is not sent on."""
    visit = visits.open(scripted.url)
    script = engine.script()
    visit.ask("First")
    expect(visit.answer).to_have_attribute("data-state", "pending")
    expect(visit.answer.locator(".waiting")).to_be_visible()

    visit.button.click()

    visit.is_done("stopped")
    expect(visit.answer.locator(".waiting")).to_be_hidden()
    script.finish()
    scripted.is_idle()
    engine.forget()
    visit.ask("Second")
    visit.is_done()
    said = [message["content"] for message in engine.bodies()[0]["messages"][1:]]
    assert said == ["Second"]


def test_question_waits_as_draft_when_an_answer_is_on_its_way(
    scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """Enter during an answer neither sends nor stops: the next question stays in the field."""
    visit = visits.open(scripted.url)
    script = engine.script()
    visit.ask("First")
    script.say("Slowly")
    expect(visit.prose).to_have_text("Slowly")

    visit.ask("Second")

    expect(visit.question).to_have_value("Second")
    expect(visit.answer).to_have_attribute("data-state", "writing")
    script.finish()
    visit.is_done()
    expect(visit.exchanges).to_have_count(1)
    engine.forget()
    visit.question.press("Enter")
    visit.is_done()
    expect(visit.exchanges).to_have_count(2)


def test_suggestion_is_asked_when_it_is_chosen(
    scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """A suggested question is sent at once, in the page's language."""
    visit = visits.open(scripted.url, "es")
    visit.page.get_by_role("button", name=words("es")["welcome.suggestion2"]).click()

    visit.is_done()
    messages = engine.bodies()[0]["messages"]
    assert messages[-1]["content"] == words("es")["welcome.suggestion2"]
    assert "español" in messages[0]["content"]
    expect(visit.question).to_be_focused()


def test_suggestion_is_asked_once_when_it_is_pressed_twice(
    scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """On a slow line, where the first press shows nothing for a while, the second asks nothing."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    visit = visits.open(scripted.url)
    visit.page.route("**/js/chat.js", hold)
    visit.page.locator("#suggestions button").first.dblclick()
    visit.page.locator("#suggestions button").last.click()
    expect(visit.page.locator("#composer")).to_have_attribute("data-busy", "")

    for route in held:
        route.continue_()

    visit.is_done()
    expect(visit.exchanges).to_have_count(1)
    assert len(engine.bodies()) == 1
