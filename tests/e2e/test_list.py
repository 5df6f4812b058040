"""The list of conversations: found, renamed, pinned, exported, imported, deleted, and very long."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import FilePayload, Locator, expect

from tests.e2e.axe import is_accessible
from tests.e2e.scripted_engine import ScriptedEngine, says
from tests.e2e.stacks import ScriptedStack
from tests.e2e.visit import PHONE, Visit, Visits, words

IMPORT = """
async (file) => {
  const headers = {"Content-Type": "application/json"};
  const body = JSON.stringify(file);
  return (await fetch("api/conversations/import", {method: "POST", headers, body})).status;
}
"""
MANY = 450


def talk(visit: Visit, engine: ScriptedEngine, question: str, answer: str) -> None:
    """Begin a conversation with one question."""
    if visit.exchanges.count():
        visit.page.locator("#new").click()
    engine.will(says(answer))
    visit.ask(question)
    expect(visit.prose).to_have_text(answer)
    visit.is_done()
    expect(visit.entries.first).to_contain_text(question)


def act(visit: Visit, title: str, name: str) -> None:
    """Open the menu of an entry, and choose."""
    row = visit.page.locator("#list li[data-id]").filter(has_text=title)
    row.hover()
    row.get_by_role("button", name=words("en")["list.actions"]).click()
    visit.page.get_by_role("button", name=words("en")[name]).click()


def chosen(content: bytes) -> FilePayload:
    """Return a file that somebody chooses to import."""
    return {"name": "talks.json", "mimeType": "application/json", "buffer": content}


def names(visit: Visit) -> Locator:
    """Find the rows of the list, days included, by their first line."""
    return visit.page.locator("#list li:is(.day, [data-id]:not(.renamed)) .name, #list .day")


def test_conversations_are_found_renamed_pinned_and_exported_when_they_are_listed(
    scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """The newest first, under its day; search finds words of answers as one types."""
    visit = visits.open(scripted.url)
    page, told = visit.page, words("en")
    expect(page.locator("#list .none")).to_have_text(told["list.empty"])
    talk(visit, engine, "What is basalt?", "A dark rock.")
    talk(visit, engine, "What is chalk?", "A soft, white stone.")
    expect(names(visit)).to_have_text(["Today", "What is chalk?", "What is basalt?"])
    expect(page.locator("#list a[aria-current]")).to_have_text("What is chalk?")
    is_accessible(visit)

    page.locator("#search").press_sequentially("dark ro")
    expect(visit.entries).to_have_text(["What is basalt?A dark rock."])
    page.locator("#search").fill("granite")
    expect(page.locator("#list .none")).to_have_text(told["list.unfound"])
    page.locator("#search").fill("")

    act(visit, "basalt", "list.pin")
    rows = [told["list.pinned"], "What is basalt?", "Today", "What is chalk?"]
    expect(names(visit)).to_have_text(rows)
    act(visit, "basalt", "list.rename")
    field = page.get_by_role("textbox", name=told["list.name"])
    expect(field).to_be_focused()
    field.fill("Rocks")
    field.press("Enter")
    expect(visit.entries.first).to_have_text("Rocks")
    page.reload()
    expect(names(visit)).to_have_text([told["list.pinned"], "Rocks", "Today", "What is chalk?"])

    with page.expect_download() as download:
        act(visit, "Rocks", "list.markdown")
    assert "A dark rock." in download.value.path().read_text("utf-8")


def test_list_comes_later_when_it_could_not_be_fetched_at_first(
    scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """A network that drops one file of the page costs the list for a moment, not the visit."""
    visit = visits.new(scripted.url)
    visit.page.route("**/js/sidelist.js", lambda route: route.abort())
    with visit.page.expect_event("requestfailed"):
        visit.open()
    visit.is_connected()
    visit.page.unroute("**/js/sidelist.js")

    visit.looks_again()

    expect(visit.page.locator("#list .none")).to_have_text(words("en")["list.empty"])
    talk(visit, engine, "What is basalt?", "A dark rock.")


def test_answer_is_read_when_the_thumbs_cannot_be_fetched(
    scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """Nothing is offered that would not work; the next answer has them again."""
    visit = visits.new(scripted.url)
    visit.page.route("**/i18n/feedback.en.json", lambda route: route.abort())
    visit.open()
    talk(visit, engine, "What is basalt?", "A dark rock.")
    expect(visit.answer.locator(".thumb")).to_have_count(0)
    visit.page.unroute("**/i18n/feedback.en.json")

    engine.will(says("A soft, white stone."))
    visit.ask("And chalk?")

    expect(visit.answer.locator(".thumb")).to_have_count(2)
    visit.is_done()


def test_deleted_conversation_comes_back_when_it_is_undone(
    scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """It goes at once; the server hears of it only when nobody has undone it."""
    visit = visits.open(scripted.url)
    page, told = visit.page, words("en")
    talk(visit, engine, "one?", "One.")
    talk(visit, engine, "two?", "Two.")
    toast = page.locator("#toast")

    act(visit, "two?", "list.delete")
    expect(toast).to_contain_text("two?")
    expect(visit.entries).to_have_text(["one?"])
    expect(page.locator("#suggestions")).to_be_visible()
    is_accessible(visit)
    toast.get_by_role("button", name=told["list.undo"]).click()
    expect(visit.entries).to_have_text(["two?", "one?"])
    expect(visit.prose).to_have_text("Two.")

    act(visit, "two?", "list.delete")
    with page.expect_response(lambda r: r.request.method == "DELETE"):
        act(visit, "one?", "list.delete")  # the next one ends the wait for the first
    page.reload()
    expect(page.locator("#list .none")).to_have_text(told["list.empty"])
    assert [each for each in visit.watch.refused() if not each.startswith("304")] == []


def test_list_is_drawn_in_part_when_it_is_very_long(
    scripted: ScriptedStack, visits: Visits
) -> None:
    """Some dozens of rows stand in the page however far one scrolls; arrow keys lead along."""
    visit = visits.open(scripted.url)
    page = visit.page
    begun = datetime.now(UTC) - timedelta(days=2)
    talks: list[dict[str, Any]] = [
        {"title": f"Talk {n}", "messages": [{"role": "user", "content": f"Question {n}"}]}
        for n in range(MANY)
    ]
    file = {"conversations": talks, "created_at": begun.isoformat()}
    expect(page.locator("#import")).to_be_enabled()
    page.locator("#file").set_input_files(chosen(json.dumps(file).encode()))
    imported = words("en")["list.imported"]["other"].format(count=MANY)
    expect(page.locator("#toast")).to_have_text(imported)

    expect(visit.entries.first).to_have_text("Talk 0")
    window = page.locator("#list .window")
    last = visit.entries.filter(has_text=f"Talk {MANY - 1}")
    while not last.count():
        window.evaluate("(box) => { box.scrollTop = box.scrollHeight; }")
        page.wait_for_function("() => document.querySelectorAll('#list li').length > 0")
        assert visit.entries.count() < 60
    expect(last).to_be_visible()

    page.locator("#search").focus()
    page.keyboard.press("ArrowDown")
    expect(visit.entries.filter(has_text="Talk 0").first).to_be_focused()
    for _ in range(30):
        page.keyboard.press("ArrowDown")
    expect(page.locator(":focus")).to_have_text("Talk 30")
    page.keyboard.press("Enter")
    expect(visit.exchanges.locator(".bubble")).to_have_text("Question 30")

    page.locator("#file").set_input_files(chosen(b"no"))
    expect(page.locator("#toast")).to_have_text(words("en")["list.unreadable"])


def test_menu_is_a_drawer_when_the_screen_is_narrow(
    scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """It opens over the page, closes by Escape or a choice, and gives the focus back."""
    width, height = PHONE
    visit = visits.open(scripted.url, "es", viewport={"width": width, "height": height})
    page, told = visit.page, words("es")
    side = page.locator("#side")
    expect(side).to_be_hidden()
    opener = page.get_by_role("button", name=told["menu.open"])
    opener.press("Enter")
    expect(side).to_be_visible()
    is_accessible(visit)
    page.keyboard.press("Escape")
    expect(side).to_be_hidden()
    expect(opener).to_be_focused()
    talk(visit, engine, "¿Qué es la tiza?", "Una roca.")
    page.locator("#new").click()
    opener.click()
    visit.entries.first.click()
    expect(side).to_be_hidden()
    expect(visit.prose).to_have_text("Una roca.")
