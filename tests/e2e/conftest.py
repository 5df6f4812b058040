"""The browser, the two stacks that serve the page, and visits to them."""

import os
import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.e2e.scripted_engine import ScriptedEngine
from tests.e2e.stacks import RealStack, ScriptedStack
from tests.e2e.visit import PATIENCE_MS, Visits

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Find the machine's Chromium; tests that need it are skipped by name where it is missing."""
    for name in CHROMIUM:
        if path := shutil.which(name):
            return path
    missing = "needs Chromium: apt-get install chromium"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


# Playwright keeps an event loop running in this thread, so the browser must be gone before tests
# elsewhere start loops of their own: it lives as long as this package's tests, not the session.
@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    """One browser; each visit has a context of its own."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visits(browser: Browser) -> Iterator[Visits]:
    """Visits of this test, which must end without an error that a person does not see."""
    visits = Visits(browser)
    yield visits
    visits.close()


@pytest.fixture(scope="package")
def real(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealStack]:
    """Address `tiza up` with the real model; it must end cleanly by Ctrl-C."""
    with RealStack(tmp_path_factory.mktemp("real")) as stack:
        stack.is_up()
        yield stack
        stack.stops()


@pytest.fixture(scope="package")
def scripted_stack(
    chromium: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ScriptedStack]:
    """Serve the page with an engine that answers as tests dictate."""
    stack = ScriptedStack(tmp_path_factory.mktemp("scripted"))
    yield stack
    stack.close()


@pytest.fixture(scope="module")
def school(
    chromium: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ScriptedStack, str]]:
    """Serve a school with accounts; with it comes the first administrator's invitation."""
    stack = ScriptedStack(tmp_path_factory.mktemp("school"), auth_mode="accounts")
    found = re.search(r"#invitation=(\S+)", stack.says("#invitation="))
    assert found is not None
    yield stack, found[1]
    stack.close()


@pytest.fixture
def scripted(scripted_stack: ScriptedStack) -> Iterator[ScriptedStack]:
    """Give a test the scripted stack as it was at the beginning."""
    yield scripted_stack
    scripted_stack.has_rest()


@pytest.fixture
def engine(scripted: ScriptedStack) -> ScriptedEngine:
    """Give a test the engine behind the scripted stack."""
    return scripted.engine
