"""The dot that tells whether questions can be answered now, and when the page looks."""

import pytest
from playwright.sync_api import expect

from tests.e2e.scripted_engine import ScriptedEngine, says
from tests.e2e.stacks import ScriptedStack
from tests.e2e.visit import Visit, Visits, words

COUNT_CHECKS = """
globalThis.checks = 0;
const real = globalThis.fetch;
globalThis.fetch = (url, ...rest) => {
  if (String(url).endsWith("api/health")) globalThis.checks += 1;
  return real(url, ...rest);
};
"""
# Chromium without a screen never hides a tab, so the page is told that it is hidden.
HIDE = """
(hidden) => {
  Object.defineProperty(document, "hidden", {configurable: true, get: () => hidden});
  document.dispatchEvent(new Event("visibilitychange"));
}
"""


def checks(visit: Visit) -> int:
    """Return how often the page has asked for the health of the service."""
    return int(visit.page.evaluate("checks"))


def is_told(visit: Visit, health: str, language: str = "en") -> None:
    """Wait until the dot and the words beside it say this."""
    expect(visit.status).to_have_attribute("data-health", health)
    expect(visit.status.locator(".words")).to_have_text(words(language)[f"status.{health}"])


@pytest.mark.parametrize("language", ["en", "es"])
def test_dot_tells_the_truth_when_the_engine_goes_and_comes_back(
    language: str, scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """Without an engine the next check says that the model is not ready; later, that it is back."""
    visit = visits.open(scripted.url, language)
    is_told(visit, "connected", language)
    expect(visit.page.locator("#model")).to_have_text("samples_0")
    try:
        engine.goes()
        visit.looks_again()
        is_told(visit, "degraded", language)
        expect(visit.page.locator("#model")).to_be_hidden()
        visit.picture(f"degraded.{language}")
    finally:
        engine.comes()
    visit.looks_again()
    is_told(visit, "connected", language)


def test_dot_says_offline_when_the_network_is_gone(scripted: ScriptedStack, visits: Visits) -> None:
    """A device that loses its network is told at once, and at once when it has it again."""
    visit = visits.open(scripted.url)
    is_told(visit, "connected")

    visit.context.set_offline(True)
    is_told(visit, "offline")

    visit.context.set_offline(False)
    is_told(visit, "connected")


def test_health_is_checked_every_half_minute_when_the_page_is_seen(
    scripted: ScriptedStack, visits: Visits
) -> None:
    """Once at the start, then every 30 seconds; never while hidden, at once when seen again."""
    visit = visits.new(scripted.url)
    visit.page.add_init_script(COUNT_CHECKS)
    visit.page.clock.install(time=0)
    visit.page.clock.pause_at(1_000)
    with visit.page.expect_response("**/api/models"):
        visit.open()

    def passes(seconds: int) -> int:
        """Let time pass and return the checks that it brought."""
        before = checks(visit)
        visit.page.clock.run_for(seconds * 1000)
        return checks(visit) - before

    assert checks(visit) == 1
    visit.page.evaluate(HIDE, True)
    assert passes(300) == 0
    with visit.page.expect_response("**/api/models"):
        visit.page.evaluate(HIDE, False)
    assert checks(visit) == 2
    assert passes(29) == 0
    with visit.page.expect_response("**/api/models"):
        assert passes(1) == 1
    assert passes(29) == 0
    with visit.page.expect_response("**/api/models"):
        assert passes(1) == 1
    visit.page.evaluate(HIDE, True)
    assert passes(300) == 0


def test_page_stays_whole_when_the_network_goes_between_two_files(
    scripted: ScriptedStack, engine: ScriptedEngine, visits: Visits
) -> None:
    """What could not be fetched is left out, or said; nothing else breaks, and it comes later."""
    visit = visits.open(scripted.url)
    for file in ("**/vendor/highlight*", "**/vendor/katex.js"):
        visit.page.route(file, lambda route: route.abort())
    engine.will(says("So $x^2$:\n\n```python\nx = 1\n```\n"))
    visit.ask("How?")
    visit.is_done()
    expect(visit.prose.locator("pre code")).to_have_text("x = 1")
    expect(visit.prose.locator("p")).to_contain_text("x^2")
    visit.page.evaluate("location.hash = '#/account'")
    spoken = words("account.en")
    english = visit.page.get_by_role("radio", name=spoken["account.language.en"])
    expect(english).to_be_checked()

    visit.context.set_offline(True)
    visit.page.get_by_role("radio", name=spoken["account.language.es"]).check(force=True)
    expect(visit.page.locator("#toast")).to_have_text(words("en")["failure.offline"])
    expect(english).to_be_checked()
    expect(visit.page.locator("html")).to_have_attribute("lang", "en")
    visit.page.evaluate("location.hash = '#/lessons'")
    expect(visit.page.locator("#view p")).to_have_text(words("en")["place.missing"])

    visit.context.set_offline(False)
    visit.page.get_by_role("button", name=words("en")["retry.now"]).press("Enter")
    expect(visit.page.locator("#view h2")).to_have_text(words("lessons.en")["lessons.title"])
    visit.page.locator("#language").press("Enter")
    expect(visit.page.locator("html")).to_have_attribute("lang", "es")


@pytest.mark.parametrize("file", ["main", "places", "store"])
def test_page_is_loaded_again_when_one_of_its_files_does_not_come(
    file: str, scripted: ScriptedStack, visits: Visits
) -> None:
    """Whatever file the line breaks at, the reader sees the page a moment later."""
    visit = visits.new(scripted.url)
    visit.page.route(f"**/js/{file}.js", lambda route: route.abort(), times=1)
    visit.open()
    visit.is_connected()


def test_words_are_asked_for_again_when_they_do_not_come_at_first(
    scripted: ScriptedStack, visits: Visits
) -> None:
    """A line that breaks while the page is loaded delays it, no more."""
    visit = visits.new(scripted.url)
    visit.page.route("**/i18n/en.json", lambda route: route.abort(), times=1)
    visit.open()
    expect(visit.page.locator("#welcome")).to_have_text(words("en")["welcome.heading"])
    assert len(visit.watch.asked("/i18n/en.json")) == 2
