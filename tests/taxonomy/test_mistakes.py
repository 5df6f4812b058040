"""The typical mistakes: found by their rules, and in the docs exactly as on the terminal."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the generator of the page."""
    monkeypatch.syspath_prepend(str(TOOLS))
    return importlib.import_module("lesson_rules")


def test_the_page_is_what_the_code_says(page: ModuleType) -> None:
    """`make docs` writes it in both languages."""
    assert list(page.stale()) == []


def test_there_are_twenty_mistakes_and_each_is_found_by_its_rule(page: ModuleType) -> None:
    """Printed in English and in Spanish, with the rule's name."""
    mistakes = sys.modules["lesson_mistakes"].MISTAKES

    assert len(mistakes) >= 20
    for mistake in mistakes:
        english, spanish = (page.printed(mistake, language) for language in ("en", "es"))
        assert f"({mistake.rule})" in english, english
        assert f"({mistake.rule})" in spanish
        assert english != spanish


def test_the_lessons_are_valid_but_for_the_mistake(page: ModuleType) -> None:
    """So that each mistake is shown alone."""
    mistakes = sys.modules["lesson_mistakes"]
    for lesson in (mistakes.FACTS, mistakes.HANDBOOK):
        valid = mistakes.Mistake("", "", "", "version: 3", "version: 3", lesson=lesson)
        assert page.printed(valid, "en") == ""
