"""What a tab remembers: history, draft, reload, a new beginning, the way back, and other tabs."""

from playwright.sync_api import expect

from tests.e2e.scripted_engine import ScriptedEngine, says
from tests.e2e.stacks import ScriptedStack
from tests.e2e.visit import Visit, Visits, words


def ask(visit: Visit, engine: ScriptedEngine, question: str, answer: str) -> None:
    """Ask, and wait for this answer."""
    engine.will(says(answer))
    visit.ask(question)
    visit.is_done()
    expect(visit.prose).to_have_text(answer)


def test_history_goes_along_when_the_next_question_is_asked(
    scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """The model sees what was said before, in order; a new conversation begins without it."""
    visit = visits.open(scripted.url)
    ask(visit, engine, "one?", "One.")
    ask(visit, engine, "two?", "Two.")
    visit.page.locator("#new").click()
    expect(visit.exchanges).to_have_count(0)
    ask(visit, engine, "three?", "Three.")

    said = [[m["content"] for m in body["messages"][1:]] for body in engine.bodies()]
    assert said == [["one?"], ["one?", "One.", "two?"], ["three?"]]


def test_conversation_and_draft_stay_when_the_page_is_reloaded(
    scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """A reload loses nothing: questions, answers with what is told of them, and what was begun."""
    visit = visits.open(scripted.url)
    ask(visit, engine, "one?", "**One**, and `more`.".replace("**", "").replace("`", ""))
    ask(visit, engine, "two?", "Two.")
    told = visit.facts.all_inner_texts()
    visit.question.fill("half a thou")

    visit.page.reload()

    expect(visit.exchanges.locator(".bubble")).to_have_text(["one?", "two?"])
    expect(visit.exchanges.locator(".prose")).to_have_text(["One, and more.", "Two."])
    assert visit.facts.all_inner_texts() == told
    expect(visit.question).to_have_value("half a thou")
    ask(visit, engine, "three?", "Three.")
    assert len(engine.bodies()[-1]["messages"]) == 6


def test_answer_goes_on_where_it_was_when_the_page_is_reloaded_in_its_middle(
    scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """The engine writes on meanwhile; the text is there again and grows, without loss or repeat."""
    visit = visits.open(scripted.url)
    script = engine.script()
    visit.ask("one?")
    script.say("The beginning")
    expect(visit.prose).to_have_text("The beginning")

    visit.page.reload()

    expect(visit.prose).to_have_text("The beginning")
    script.say(", the middle")
    expect(visit.prose).to_have_text("The beginning, the middle")
    visit.page.goto("about:blank")
    script.say(" and the end.")
    script.finish()
    visit.page.go_back()
    visit.is_done()
    expect(visit.prose).to_have_text("The beginning, the middle and the end.")
    expect(visit.facts.first).to_have_text("samples_0")
    assert len(engine.bodies()) == 1
    assert len(visit.watch.questions()) == 1


def test_tabs_read_the_same_when_two_show_one_answer(
    scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """Both see it grow to its end; stopping it in one stops it in the other."""
    first = visits.open(scripted.url)
    script = engine.script()
    first.ask("one?")
    script.say("One")
    expect(first.prose).to_have_text("One")
    second = first.same_conversation_in_another_tab()
    expect(second.prose).to_have_text("One")

    script.say(" and two")

    for tab in (first, second):
        tab.page.bring_to_front()  # what is not seen is not drawn while it grows
        expect(tab.prose).to_have_text("One and two")
    second.button.click()
    second.is_done("stopped")
    first.is_done("stopped")
    expect(first.prose).to_have_text("One and two")
    assert len(engine.bodies()) == 1
    scripted.is_idle()


def test_conversation_is_still_there_when_the_reader_comes_back(
    scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """Away by a link or the address bar and back again: conversation and draft are still there."""
    visit = visits.open(scripted.url)
    ask(visit, engine, "one?", "One.")
    visit.question.fill("and")
    visit.page.goto("about:blank")

    visit.page.go_back()

    expect(visit.exchanges.locator(".bubble")).to_have_text("one?")
    expect(visit.prose).to_have_text("One.")
    expect(visit.question).to_have_value("and")
    visit.page.go_forward()
    visit.page.go_back()
    expect(visit.prose).to_have_text("One.")
    expect(visit.question).to_have_value("and")
    ask(visit, engine, "two?", "Two.")


def test_new_conversation_clears_when_it_is_chosen_and_the_old_one_is_in_the_list(
    scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """The welcome returns; the old conversation is one press away, by list and by "back"."""
    visit = visits.open(scripted.url)
    expect(visit.page.locator("#new")).to_be_hidden()
    ask(visit, engine, "one?", "One.")

    visit.page.locator("#new").click()

    expect(visit.page.locator("#suggestions")).to_be_visible()
    expect(visit.exchanges).to_have_count(0)
    expect(visit.question).to_be_focused()
    visit.page.go_back()
    expect(visit.prose).to_have_text("One.")
    visit.page.locator("#new").click()
    visit.entries.filter(has_text="one?").click()
    expect(visit.prose).to_have_text("One.")
    ask(visit, engine, "two?", "Two.")
    assert len(engine.bodies()[-1]["messages"]) == 4


def test_answer_goes_on_when_another_conversation_is_opened_meanwhile(
    scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """Neither the late words nor the draft appear elsewhere; both are there on coming back."""
    visit = visits.open(scripted.url)
    script = engine.script()
    visit.ask("one?")
    script.say("Old words")
    expect(visit.prose).to_have_text("Old words")
    visit.question.fill("and then")

    visit.page.locator("#new").click()

    expect(visit.page.locator("#suggestions")).to_be_visible()
    expect(visit.exchanges).to_have_count(0)
    expect(visit.question).to_have_value("")
    expect(visit.button).to_have_accessible_name(words("en")["composer.send"])
    script.say(", late words")
    script.finish()
    ask(visit, engine, "two?", "Two.")
    expect(visit.exchanges).to_have_count(1)
    visit.entries.filter(has_text="one?").click()
    expect(visit.prose).to_have_text("Old words, late words")
    visit.is_done()
    expect(visit.question).to_have_value("and then")


def test_tabs_talk_on_their_own_when_two_are_open(
    scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """Two tabs of one browser receive two answers at once and mix neither words nor history."""
    first = visits.open(scripted.url)
    second = first.another_tab()
    one = engine.script()
    first.page.bring_to_front()  # what is not seen is not drawn while it grows
    first.ask("one?")
    one.say("One")
    expect(first.prose).to_have_text("One")
    two = engine.script()
    second.page.bring_to_front()
    second.ask("two?")
    two.say("Two")
    expect(second.prose).to_have_text("Two")

    two.say(" two.")
    one.say(" one.")
    two.finish()
    one.finish()

    first.is_done()
    second.is_done()
    expect(first.prose).to_have_text("One one.")
    expect(second.prose).to_have_text("Two two.")
    second.page.reload()
    expect(second.prose).to_have_text("Two two.")
    ask(first, engine, "three?", "Three.")
    assert [m["content"] for m in engine.bodies()[-1]["messages"][1:]] == [
        "one?",
        "One one.",
        "three?",
    ]
