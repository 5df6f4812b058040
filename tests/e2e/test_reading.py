"""Reading an answer: it stays in view while it grows, lets go, can be copied, and looks right."""

from playwright.sync_api import expect

from tests.e2e.scripted_engine import ScriptedEngine, says
from tests.e2e.stacks import ScriptedStack
from tests.e2e.visit import Visits, words

PARAGRAPHS = [f"Paragraph {number}. Chalk is soft and writes on slate.\n\n" for number in range(40)]
LESSON = """## Lists in Python

A list keeps **values** in order; see the [manual](https://docs.python.org/3/tutorial/).

1. Write it: `[1, 2]`.
2. Read it:

   ```python
   numbers = [1, 2]
   print(numbers[0])
   ```

| a | b |
|---|--:|
| 1 | 2 |

> Indices begin at zero.
"""
AT_END = "e => e.scrollHeight - e.scrollTop - e.clientHeight < 48"


def test_newest_text_stays_in_view_when_a_long_answer_grows(
    scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """The page follows the answer; a reader who scrolls up is left alone and has a way down."""
    visit = visits.open(scripted.url)
    scroller, newest = visit.page.locator("#scroller"), visit.page.locator("#newest")
    script = engine.script()
    visit.ask("Tell me everything")
    script.say(*PARAGRAPHS[:20])
    expect(visit.prose).to_contain_text("Paragraph 19.")
    expect(visit.prose.get_by_text("Paragraph 19.")).to_be_in_viewport()
    expect(newest).to_be_hidden()

    scroller.hover()
    visit.page.mouse.wheel(0, -600)
    expect(newest).to_be_visible()
    top = scroller.evaluate("e => e.scrollTop")
    script.say(*PARAGRAPHS[20:])
    expect(visit.prose).to_contain_text("Paragraph 39.")
    assert scroller.evaluate("e => e.scrollTop") <= top
    visit.picture("scrolled-up")

    newest.click()
    expect(newest).to_be_hidden()
    expect(visit.prose.get_by_text("Paragraph 39.")).to_be_in_viewport()
    script.say("The end.")
    expect(visit.prose.get_by_text("The end.")).to_be_in_viewport()
    script.finish()
    visit.is_done()
    assert scroller.evaluate(AT_END)


def test_markdown_is_drawn_when_an_answer_has_structure(
    scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """Headings, lists, code, tables, quotes and links are what they are, however they came."""
    visit = visits.open(scripted.url)
    engine.will(says(*LESSON))
    visit.ask("What is a list?")
    visit.is_done()

    expect(visit.prose.get_by_role("heading", level=4)).to_have_text("Lists in Python")
    expect(visit.prose.locator("ol > li")).to_have_count(2)
    expect(visit.prose.locator("li pre")).to_have_text("numbers = [1, 2]\nprint(numbers[0])\n")
    expect(visit.prose.locator("table")).to_be_visible()
    expect(visit.prose.locator("blockquote")).to_have_text("Indices begin at zero.")
    link = visit.prose.get_by_role("link", name="manual")
    expect(link).to_have_attribute("href", "https://docs.python.org/3/tutorial/")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    visit.pictures("markdown")


def test_answer_is_copied_as_it_was_written_when_its_button_is_pressed(
    scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """The clipboard receives the model's own Markdown, and the button says that it has."""
    visit = visits.open(scripted.url, permissions=["clipboard-read", "clipboard-write"])
    engine.will(says(LESSON))
    visit.ask("What is a list?")
    visit.is_done()

    copy = visit.answer.locator(".copy")
    copy.click()

    expect(copy).to_have_accessible_name(words("en")["answer.copied"])
    expect(visit.announcements).to_contain_text(words("en")["answer.copied"])
    assert visit.page.evaluate("navigator.clipboard.readText()") == LESSON
    expect(copy).to_have_accessible_name(words("en")["answer.copy"])


def test_answer_is_told_cut_when_older_turns_did_not_fit(
    scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """Where the context left the oldest turns out, the reader is told under the answer."""
    visit = visits.open(scripted.url)
    for _ in range(3):
        engine.will(says("chalk " * 2100))
        visit.ask("And then?")
        visit.is_done()

    expect(visit.facts.last).to_have_text(words("en")["answer.truncated"])
