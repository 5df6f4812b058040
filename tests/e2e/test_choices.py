"""Language and theme: what the browser prefers at first, what was chosen from then on."""

import pytest
from playwright.sync_api import expect

from tests.e2e.stacks import ScriptedStack
from tests.e2e.visit import Visit, Visits, words

DARK_SHEET, LIGHT_SHEET = "rgb(23, 18, 31)", "rgb(255, 255, 255)"
BLACK_SHEET = "rgb(0, 0, 0)"
FORBID_STORAGE = """
for (const name of ["localStorage", "sessionStorage"]) {
  const get = () => { throw new DOMException("no", "SecurityError"); };
  Object.defineProperty(globalThis, name, {get});
}
"""


def is_spoken(visit: Visit, language: str) -> None:
    """Wait until the page is in a language."""
    expect(visit.page.locator("html")).to_have_attribute("lang", language)
    expect(visit.page.locator("#welcome")).to_have_text(words(language)["welcome.heading"])


def is_coloured(visit: Visit, theme: str, sheet: str) -> None:
    """Wait until a theme is named and seen."""
    button = visit.page.locator("#theme")
    expect(button).to_have_accessible_name(words("en")[f"theme.{theme}"])
    expect(visit.page.locator(".sheet.chat")).to_have_css("background-color", sheet)


@pytest.mark.parametrize(
    ("locale", "language"), [("es-MX", "es"), ("es", "es"), ("en-US", "en"), ("fr-FR", "en")]
)
def test_page_speaks_the_browsers_language_when_none_was_chosen(
    locale: str, language: str, scripted: ScriptedStack, visits: Visits
) -> None:
    """Any Spanish is Spanish; a language that the page does not know is English."""
    visit = visits.open(scripted.url, locale=locale)
    is_spoken(visit, language)


def test_chosen_language_stays_when_the_page_is_opened_again(
    scripted: ScriptedStack, visits: Visits
) -> None:
    """The switch outlasts reload and tab, against the browser's own preference, and goes back."""
    visit = visits.open(scripted.url, "en")
    visit.page.get_by_role("button", name=words("en")["language.switch"]).click()
    is_spoken(visit, "es")

    visit.page.reload()
    is_spoken(visit, "es")
    second = visit.another_tab()
    is_spoken(second, "es")
    second.page.get_by_role("button", name=words("es")["language.switch"]).click()
    is_spoken(second, "en")
    visit.page.reload()
    is_spoken(visit, "en")


def test_chosen_theme_stays_when_the_page_is_opened_again(
    scripted: ScriptedStack, visits: Visits
) -> None:
    """The device's theme at first; a chosen one outlasts reload and tab, whatever that is."""
    visit = visits.open(scripted.url, color_scheme="dark")
    is_coloured(visit, "system", DARK_SHEET)
    visit.page.emulate_media(color_scheme="light")
    is_coloured(visit, "system", LIGHT_SHEET)
    button = visit.page.locator("#theme")

    button.click()
    is_coloured(visit, "light", LIGHT_SHEET)
    button.click()
    is_coloured(visit, "dark", DARK_SHEET)
    visit.page.reload()
    is_coloured(visit, "dark", DARK_SHEET)
    is_coloured(visit.another_tab(), "dark", DARK_SHEET)
    button.click()
    is_coloured(visit, "contrast", LIGHT_SHEET)
    visit.page.emulate_media(color_scheme="dark")
    is_coloured(visit, "contrast", BLACK_SHEET)
    button.click()
    is_coloured(visit, "system", DARK_SHEET)


def test_page_works_when_storage_is_forbidden(scripted: ScriptedStack, visits: Visits) -> None:
    """Where the browser keeps nothing, questions are answered all the same; the address stays."""
    visit = visits.new(scripted.url)
    visit.page.add_init_script(FORBID_STORAGE)
    visit.open()
    visit.page.locator("#theme").click()
    visit.page.locator("#language").click()
    is_spoken(visit, "es")
    visit.ask("¿Por qué?")
    visit.is_done()

    visit.page.reload()
    expect(visit.page.locator("html")).to_have_attribute("lang", "en")
    expect(visit.exchanges).to_have_count(1)
