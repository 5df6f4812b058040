"""Every view in every language and theme, as axe-core sees it."""

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import expect

from tests.api.teaching.school import LEAF, plant
from tests.e2e.axe import OF_COLOURS, RULES, broken
from tests.e2e.scripted_engine import refuses, says
from tests.e2e.stacks import ScriptedStack
from tests.e2e.visit import Visit, Visits, words

# What is chosen in the page, and what the device has: high contrast is light or dark as that is.
THEMES: tuple[tuple[str, Literal["dark", "light"]], ...] = (
    ("light", "light"),
    ("dark", "light"),
    ("contrast", "light"),
    ("contrast", "dark"),
)
RICH = """## Chalk

It is *soft*, **white** and `porous`; see [the lesson](https://example.org). $x^2$

| of | what |
|----|-----:|
| it | 1 |

```python
def write(word):  # a word
    return "chalk", 1
```

> A quotation.
"""
VIEWS = {
    "welcome": ("", "#welcome"),
    "lessons": ("lessons", ".tree li a"),
    "lesson": (f"lessons/{LEAF}", ".trial"),
    "editor": (f"lessons/edit:{LEAF}", ".examples"),
    "new lesson": ("lessons/new", ".lessons form"),
    "models": ("models", ".model-card"),
    "account": ("account", ".account .counts, .account .hint"),
    "stats": ("stats", ".stats .part"),
    "sign-in": ("sign-in", ".sign-in .card"),
    "run that is not there": ("models/run:none", ".said"),
}


@pytest.fixture(scope="module")
def desk(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScriptedStack]:
    """Serve the page over a lesson and a model."""
    folder = tmp_path_factory.mktemp("every")
    stack = ScriptedStack(folder, taxonomy_path=plant(folder), models_path=folder / "models")
    yield stack
    stack.close()


def is_accessible_to_everybody(visit: Visit, name: str) -> None:
    """Have every rule looked at in both languages, and those of colours in every theme."""
    found = []
    for language in ("en", "es"):
        if visit.page.locator("html").get_attribute("lang") != language:
            visit.page.locator("#language").press("Enter")
        expect(visit.page.locator("html")).to_have_attribute("lang", language)
        for theme, scheme in THEMES:
            visit.page.emulate_media(color_scheme=scheme)
            while visit.page.locator("#theme").get_attribute("data-theme") != theme:
                visit.page.locator("#theme").press("Enter")
            rules = RULES if theme == "light" else OF_COLOURS
            found += [
                f"{name}, {language}, {theme} {scheme}: {each}" for each in broken(visit, rules)
            ]
    assert not found, "\n".join(found)


def test_every_view_is_accessible_in_every_language_and_theme(
    desk: ScriptedStack, visits: Visits
) -> None:
    """Light, dark and with high contrast, in English and Spanish, in one visit."""
    visit = visits.open(desk.url)
    for name, (place, sign) in VIEWS.items():
        visit.page.goto(f"{desk.url}#/{place}")
        visit.page.locator(sign).first.wait_for()
        is_accessible_to_everybody(visit, name)


def test_conversation_is_accessible_in_every_language_and_theme(
    desk: ScriptedStack, visits: Visits
) -> None:
    """Text, code, formula and table, a failure, an opinion being written, a question changed."""
    visit = visits.open(desk.url)
    desk.engine.will(says(RICH))
    visit.ask("What?")
    visit.is_done()
    expect(visit.prose.locator("math")).to_be_visible()
    expect(visit.prose.locator(".hljs-keyword").first).to_be_visible()
    visit.page.locator(".thumb.down").press("Enter")
    visit.page.get_by_label(words("feedback.en")["feedback.correction"]).wait_for()
    desk.engine.will(refuses(500))
    visit.ask("And?")
    visit.is_done("failed")
    visit.exchanges.first.locator(".edit").press("Enter")
    is_accessible_to_everybody(visit, "conversation")
