"""The page without a mouse, without sight, with large letters, on a narrow screen."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.scripted_engine import ScriptedEngine, refuses, says
from tests.e2e.stacks import ScriptedStack
from tests.e2e.visit import Visit, Visits, words

WIDE_ANSWER = """# A heading that is rather long for a telephone

Pneumonoultramicroscopicsilicovolcanoconiosis-and-other-words-without-a-place-to-break-them.

```python
numbers = [number * number for number in range(100) if number % 2 == 0 and number % 3 == 0]
```

| Element | Symbol | Atomic number | Discovered by | Year | Uses |
|---------|--------|--------------:|---------------|------|------|
| Hydrogen | H | 1 | Henry Cavendish | 1766 | fuel, ammonia |

1. One
   - Two
     - Three `with_some_code_that_is_rather_long()`
"""

# What reaches past the screen, unless it lies in something that scrolls by itself.
TOO_WIDE = """
() => [...document.body.querySelectorAll("*")].filter((element) => {
  const {right, left, width, height} = element.getBoundingClientRect();
  const own = element.closest("pre, .scroll, svg, .unseen, .skip, .facts li");
  const unseen = width <= 1 || height <= 1 || !element.checkVisibility();
  return !unseen && (!own || own === element && own.matches("pre, .scroll")) &&
    (right > innerWidth + 0.5 || left < -0.5);
}).map((element) => element.outerHTML.slice(0, 120))
"""


# Parts of the bar that lie on each other; letters are a few pixels lower than their boxes.
OVERLAPPING = """
() => {
  const parts = [...document.querySelectorAll("h1, #status .words, .tool")]
    .filter((element) => element.checkVisibility());
  const boxOf = (element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    return (element.matches(".tool") ? element : range).getBoundingClientRect();
  };
  return parts.flatMap((one, index) => parts.slice(index + 1).filter((other) => {
    const [a, b] = [boxOf(one), boxOf(other)];
    const beside = a.left > b.right - 1 || b.left > a.right - 1;
    return !beside && a.top < b.bottom - 6 && b.top < a.bottom - 6;
  }).map((other) => `${one.className || one.localName} and ${other.id || other.className}`));
}
"""


def fits(visit: Visit) -> None:
    """Check that nothing is cut off at the sides, lies on another, or scrolls sideways."""
    page = visit.page
    assert page.evaluate(TOO_WIDE) == []
    assert page.evaluate(OVERLAPPING) == []
    sideways = "element => element.scrollWidth > element.clientWidth"
    assert not page.locator("html").evaluate(sideways)
    assert not page.locator("#scroller").evaluate(sideways)
    assert not page.locator("#question").evaluate(sideways)
    box = visit.button.bounding_box()
    size = page.viewport_size
    assert box
    assert size
    assert box["y"] + box["height"] <= size["height"], "the button is below the screen"


def tab_to(page: Page, selector: str, key: str = "Tab") -> None:
    """Press Tab until an element has the focus; every stop on the way has a name and a ring."""
    for _ in range(30):
        page.keyboard.press(key)
        stop = page.locator(":focus")
        ring = "e => getComputedStyle(e.matches('textarea') ? e.parentElement : e)"
        assert stop.evaluate(f"{ring}.outlineStyle") != "none" or stop.evaluate(
            f"{ring}.boxShadow"
        ), "a stop that cannot be seen"
        if stop.evaluate("(element, selector) => element.matches(selector)", selector):
            return
    pytest.fail(f"{selector} cannot be reached by {key}")


def test_whole_flow_works_when_there_is_only_a_keyboard(
    scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """Ask, stop, ask again, fail, retry, switch language and theme, begin anew: keys alone."""
    visit = visits.open(scripted.url)
    page, keys = visit.page, visit.page.keyboard
    expect(visit.question).to_be_focused()
    tab_to(page, ".skip", "Shift+Tab")
    expect(page.locator(".skip")).to_be_in_viewport()
    keys.press("Enter")
    expect(visit.question).to_be_focused()

    script = engine.script()
    keys.type("First")
    keys.press("Enter")
    script.say("Something")
    expect(visit.prose).to_have_text("Something")
    tab_to(page, "#send")
    keys.press("Space")
    visit.is_done("stopped")
    script.finish()
    scripted.is_idle()

    engine.will(refuses(500))
    tab_to(page, "#question", "Shift+Tab")
    keys.type("Second")
    keys.press("Enter")
    visit.is_done("failed")
    engine.will(says("An answer."))
    tab_to(page, ".exchange:last-child .retry", "Shift+Tab")
    keys.press("Enter")
    visit.is_done()
    expect(visit.prose).to_have_text("An answer.")

    tab_to(page, "#language", "Shift+Tab")
    keys.press("Enter")
    expect(page.locator("html")).to_have_attribute("lang", "es")
    tab_to(page, "#theme", "Shift+Tab")
    keys.press("Enter")
    expect(page.locator("#theme")).to_have_accessible_name(words("es")["theme.light"])
    tab_to(page, "#new", "Shift+Tab")
    keys.press("Enter")
    expect(visit.exchanges).to_have_count(0)
    expect(visit.question).to_be_focused()


def test_focus_is_not_lost_when_its_button_goes_away(
    scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """Who presses the retry button is not thrown back to the top of the page when it disappears."""
    visit = visits.open(scripted.url)
    engine.will(refuses(500))
    visit.ask("Why?")
    visit.is_done("failed")
    script = engine.script()
    visit.retry.focus()
    visit.page.keyboard.press("Enter")
    script.say("Because.")
    expect(visit.prose).to_have_text("Because.")

    assert visit.page.evaluate("document.activeElement !== document.body")
    script.finish()
    visit.is_done()


def test_answer_is_read_aloud_in_sentences_when_it_is_streamed(
    scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """A polite live region hears each sentence once, without marks, while the answer is busy."""
    visit = visits.open(scripted.url)
    expect(visit.announcements).to_have_attribute("aria-live", "polite")
    script = engine.script()
    visit.ask("Why?")
    expect(visit.answer).to_have_attribute("aria-busy", "true")
    expect(visit.announcements.locator("p")).to_have_text([words("en")["answer.waiting"]])

    script.say("**Chalk** is so", "ft. It wri")
    expect(visit.announcements.locator("p").last).to_have_text("Chalk is soft.")
    expect(visit.answer).to_have_attribute("aria-busy", "true")
    script.say("tes `well`")
    script.finish()

    visit.is_done()
    expect(visit.announcements.locator("p")).to_have_text(
        [words("en")["answer.waiting"], "Chalk is soft.", "It writes well"]
    )


@pytest.mark.parametrize("language", ["en", "es"])
def test_controls_have_names_when_they_are_shown(
    language: str, scripted: ScriptedStack, visits: Visits
) -> None:
    """Every button has words for those who do not see its icon, and there is one heading a part."""
    visit = visits.open(scripted.url, language)
    for _ in range(2):
        for button in visit.page.locator("button:visible").all():
            assert (button.get_attribute("aria-label") or button.inner_text()).strip()
        expect(visit.question).to_have_accessible_name(words(language)["composer.label"])
        expect(visit.page.get_by_role("heading", level=1)).to_have_text("Tiza")
        visit.ask("Why?")
        visit.is_done()
    expect(visit.page.get_by_role("heading", level=3)).to_have_text(
        [words(language)["question.heading"], words(language)["answer.heading"]] * 2
    )


def test_language_is_marked_when_the_page_is_switched(
    scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """The page's language follows the switch, words and failures too; an answer keeps its own."""
    visit = visits.open(scripted.url)
    visit.ask("Why?")
    visit.is_done()
    engine.will(refuses(500))
    visit.ask("And?")
    visit.is_done("failed")
    visit.page.locator("#language").click()

    expect(visit.page.locator("html")).to_have_attribute("lang", "es")
    expect(visit.page.locator("#language")).to_have_attribute("lang", "en")
    expect(visit.notice).to_contain_text(words("es")["failure.engine_error"])
    expect(visit.retry).to_have_text(words("es")["retry.now"])
    expect(visit.status.locator(".words")).to_have_text(words("es")["status.connected"])
    expect(visit.question).to_have_attribute("placeholder", words("es")["composer.placeholder"])
    expect(visit.exchanges.first.locator(".prose")).to_have_attribute("lang", "en")
    expect(visit.exchanges.first.locator(".facts")).to_contain_text("en la respuesta")


@pytest.mark.parametrize("language", ["en", "es"])
def test_nothing_is_cut_off_when_the_screen_is_320_pixels_wide(
    language: str, scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """On the narrowest screen nothing scrolls sideways but what is wide, and that by itself."""
    visit = visits.open(scripted.url, language, viewport={"width": 320, "height": 568})
    visit.is_connected()
    fits(visit)
    visit.picture(f"narrow.welcome.{language}")
    engine.is_named("a-model-with-a-name-that-is-too-long-for-a-phone")
    engine.will(says(WIDE_ANSWER))
    visit.ask(
        "https://example.org/an/address/that/is/far/too/long/for/a/screen/as/narrow/as/this/one"
    )
    visit.is_done()
    fits(visit)
    wide = visit.prose.locator("pre")
    expect(wide).to_have_attribute("tabindex", "0")
    visit.picture(f"narrow.answer.{language}")
    engine.will(refuses(503, retry_after="30"))
    visit.ask("Why?")
    visit.is_done("failed")
    fits(visit)
    visit.picture(f"narrow.failure.{language}")
    try:
        engine.goes()
        visit.looks_again()
        expect(visit.status).to_have_attribute("data-health", "degraded")
        fits(visit)
        visit.picture(f"narrow.degraded.{language}")
    finally:
        engine.comes()


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_nothing_is_cut_off_when_letters_are_twice_as_large(
    width: int, height: int, scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """A reader who doubles the size of letters in the browser can still read and ask everything."""
    visit = visits.new(scripted.url, "es", viewport={"width": width, "height": height})
    devtools = visit.context.new_cdp_session(visit.page)
    devtools.send("Page.setFontSizes", {"fontSizes": {"standard": 32, "fixed": 26}})
    visit.open()
    visit.is_connected()
    assert visit.question.evaluate("field => getComputedStyle(field).fontSize") == "32px"
    fits(visit)
    visit.picture(f"large.welcome.{width}")
    engine.will(says(WIDE_ANSWER))
    visit.ask("¿Por qué?")
    visit.is_done()
    fits(visit)
    visit.picture(f"large.answer.{width}")
