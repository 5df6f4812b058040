"""Other answers and other wordings: asked for, walked between, kept, and found by a link."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.e2e.axe import is_accessible
from tests.e2e.scripted_engine import ScriptedEngine, says
from tests.e2e.stacks import ScriptedStack
from tests.e2e.visit import Visit, Visits, words


def which(visit: Visit) -> Locator:
    """Where one is among the versions of the first exchange."""
    return visit.exchanges.first.locator(".which")


def ask(visit: Visit, engine: ScriptedEngine, question: str, answer: str) -> None:
    """Ask, and wait for this answer."""
    engine.will(says(answer))
    visit.ask(question)
    expect(visit.prose).to_have_text(answer)
    visit.is_done()


def test_versions_are_walked_between_when_an_answer_or_a_question_was_changed(
    scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """Each version keeps what was said after it; reload and link show the one chosen last."""
    visit = visits.open(scripted.url)
    told, page = words("en"), visit.page
    ask(visit, engine, "one?", "One.")
    ask(visit, engine, "two?", "Two.")
    first = visit.exchanges.first
    expect(first.locator(".versions")).to_be_hidden()

    engine.will(says("Another one."))
    first.get_by_role("button", name=told["answer.regenerate"]).click()
    expect(visit.prose).to_have_text("Another one.")
    visit.is_done()
    expect(visit.exchanges).to_have_count(1)
    expect(which(visit)).to_have_text("2 / 2")

    first.get_by_role("button", name=told["question.edit"]).click()
    field = first.get_by_role("textbox", name=told["question.edit"])
    expect(field).to_be_focused()
    is_accessible(visit)
    field.fill("Something else?")
    engine.will(says("Something else."))
    field.press("Enter")
    expect(visit.prose).to_have_text("Something else.")
    visit.is_done()
    expect(which(visit)).to_have_text("3 / 3")

    back = first.get_by_role("button", name=told["versions.back"])
    back.press("Enter")
    expect(visit.prose).to_have_text("Another one.")
    expect(first.get_by_role("button", name=told["versions.back"])).to_be_focused()
    with page.expect_response(lambda r: r.request.method == "PATCH"):
        first.get_by_role("button", name=told["versions.back"]).press("Enter")
    expect(which(visit)).to_have_text("1 / 3")
    expect(visit.exchanges.locator(".bubble")).to_have_text(["one?", "two?"])
    expect(visit.prose).to_have_text("Two.")
    ask(visit, engine, "three?", "Three.")
    said = [message["content"] for message in engine.bodies()[-1]["messages"][1:]]
    assert said == ["one?", "One.", "two?", "Two.", "three?"]

    link = page.url
    for again in (page.reload, lambda: visit.look_at(visit.context.new_page())):
        again()
        if not page.url.startswith(visit.page.url):
            visit.open_link(link)
        expect(visit.exchanges.locator(".bubble")).to_have_text(["one?", "two?", "three?"])
        expect(which(visit)).to_have_text("1 / 3")


def test_editing_asks_nothing_when_it_is_given_up_or_changes_nothing(
    scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """Escape, the button, and the same words again leave everything as it was."""
    visit = visits.open(scripted.url)
    told = words("en")
    ask(visit, engine, "one?", "One.")
    edit = visit.exchanges.first.get_by_role("button", name=told["question.edit"])
    field = visit.page.get_by_role("textbox", name=told["question.edit"])
    for leave in (
        lambda: field.press("Escape"),
        lambda: visit.page.get_by_role("button", name=told["question.cancel"]).click(),
        lambda: field.press("Enter"),
    ):
        edit.click()
        leave()  # type: ignore[no-untyped-call]  # mypy sees no types in a lambda
        expect(field).to_have_count(0)
        expect(edit).to_be_focused()
    assert len(engine.bodies()) == 1


def test_link_says_what_is_wrong_when_there_is_no_such_conversation(
    scripted: ScriptedStack, visits: Visits
) -> None:
    """Other people's conversations, and those that are gone, are told in words."""
    visit = visits.new(scripted.url, "es")
    visit.open_link(f"{scripted.url}#/c/0190a0000000700080000000000000ab")

    expect(visit.page.locator("#transcript .missing")).to_have_text(
        words("es")["failure.not_found"]
    )


def test_code_and_formulas_are_drawn_when_a_block_is_whole(
    scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """Code is coloured and copied by its own button; TeX becomes MathML; a price stays a price."""
    visit = visits.new(scripted.url, permissions=["clipboard-read", "clipboard-write"]).open()
    code = "def square(n):\n    return n ** 2  # a number\n"
    formula = "so $\\frac{a}{b}$ costs $5 or $6\n\n$$\n\\sqrt{x}\n$$\n"
    engine.will(says("Look:\n\n", f"```python\n{code}```\n\n", *formula, "\n\nEnd"))
    visit.ask("How?")
    visit.is_done()

    expect(visit.prose.locator(".hljs-keyword").first).to_have_text("def")
    expect(visit.prose.locator("p math mfrac")).to_have_count(1)
    expect(visit.prose.locator("div.formula math msqrt")).to_have_count(1)
    expect(visit.prose).to_contain_text("costs $5 or $6")
    visit.prose.get_by_role("button", name=words("en")["code.copy"]).click()
    expect(visit.announcements).to_contain_text(words("en")["answer.copied"])
    assert visit.page.evaluate("navigator.clipboard.readText()") == code.rstrip("\n")
    is_accessible(visit)


@pytest.fixture(scope="module")
def narrow(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ScriptedStack, Visits]]:
    """Serve the page with a place for one answer at a time."""
    folder = tmp_path_factory.mktemp("narrow")
    stack = ScriptedStack(folder, MAX_STREAMS=1, RESPONSE_CACHE_TTL=600)
    visits = Visits(browser)
    yield stack, visits
    visits.close()
    stack.close()


def test_reader_sees_the_place_in_the_queue_and_that_an_answer_is_shared(
    narrow: tuple[ScriptedStack, Visits],
) -> None:
    """Who waits is told the turn as it changes; who gets another's answer is told that, too."""
    stack, visits = narrow
    told = words("en")
    script = stack.engine.script()
    first, second, third = (visits.open(stack.url) for _ in range(3))
    first.ask("one?")
    script.say("One")
    expect(first.prose).to_have_text("One")
    queue = second.answer.locator(".queue")
    second.ask("two?")
    expect(queue).to_have_text(told["answer.queue"]["one"])
    third.ask("three?")
    place = third.answer.locator(".queue")
    expect(place).to_have_text(told["answer.queue"]["other"].format(count=2))
    second.button.click()
    second.is_done("stopped")
    expect(place).to_have_text(told["answer.queue"]["one"])
    stack.engine.forget()

    script.finish()

    first.is_done()
    third.is_done()
    expect(place).to_be_hidden()
    second.ask("again?")
    second.is_done()
    third.page.locator("#new").click()
    expect(third.exchanges).to_have_count(0)
    third.ask("one?")
    third.is_done()
    expect(third.prose).to_have_text("One")
    expect(third.facts.filter(has_text=told["answer.shared"])).to_have_count(1)
