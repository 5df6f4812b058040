"""A teacher's models in the page: the store, a training that is watched, one that is begun."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from tests.api.teaching.school import LEAF, lesson, plant
from tests.e2e.axe import is_accessible
from tests.e2e.stacks import ScriptedStack
from tests.e2e.visit import Visits, words
from tiza.runs import order
from tiza.runs.run import create

# Stands in for a training at work: writes what one writes, then works on until it is stopped.
STAND_IN = """
import json, sys, time
events = open(sys.argv[1], "a")
def tell(**fields):
    events.write(json.dumps(fields) + "\\n")
    events.flush()
for number, name in enumerate(["check", "generate", "train"], 1):
    tell(stage="teach", event="stage", name=name, number=number, of=6)
tell(stage="train", event="begin", step=0, steps=40)
for step in range(1, 31):
    tell(stage="train", event="step", step=step, loss=3 / step, replay_loss=0.5)
print("loss 0.1", flush=True)
time.sleep(600)
"""


WAIT_SECONDS = 30  # generous: the machine may be busy


@pytest.fixture(scope="module")
def desk(
    chromium: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ScriptedStack, Path]]:
    """Serve the page over a lesson that has no exam, so that no training of it gets far."""
    folder = tmp_path_factory.mktemp("models")
    taxonomy = plant(folder)
    (taxonomy / LEAF / "qna.yaml").write_text(lesson().partition("exam:")[0])
    stack = ScriptedStack(folder, taxonomy_path=taxonomy, models_path=folder / "models")
    yield stack, folder / "var" / "runs"
    stack.close()


@pytest.fixture
def begun(desk: tuple[ScriptedStack, Path]) -> Iterator[subprocess.Popen[bytes]]:
    """Begin a stand-in as somebody else would have, before the page was opened."""
    runs = desk[1]
    runs.mkdir(parents=True, exist_ok=True)
    run = create(runs)
    command = [sys.executable, "-c", STAND_IN, str(run.events)]
    process = order.begin(run, order.Order([LEAF], "Ada"), command, {})
    yield process
    process.kill()
    process.wait(WAIT_SECONDS)


def test_training_at_work_is_found_watched_and_stopped(
    desk: tuple[ScriptedStack, Path], begun: subprocess.Popen[bytes], visits: Visits
) -> None:
    """Stages, curve and log are there for whoever comes later; the API may restart meanwhile."""
    stack, _runs = desk
    said = words("models.es")
    visit = visits.new(stack.url, "es")
    page = visit.page
    page.goto(f"{stack.url}#/models")
    expect(page.locator("#view h2")).to_have_text(said["models.title"])
    expect(page.get_by_text(said["models.compareOne"])).to_be_visible()
    expect(page.get_by_text(said["models.active"], exact=True)).to_be_visible()
    is_accessible(visit)
    page.get_by_role("link", name=said["models.watch"]).click()

    expect(page.locator(".stages [aria-current=step]")).to_contain_text(said["models.stage.train"])
    expect(page.locator(".training .hint")).to_contain_text("30")
    expect(page.locator(".curve .line.lessons")).to_have_attribute("d", re.compile("^M"))
    stack.dies()
    stack.starts()
    page.get_by_role("button", name=said["models.stop"], exact=True).click()
    begun.wait(WAIT_SECONDS)
    expect(page.locator("p.state")).to_have_text(said["models.state.unfinished"])
    expect(page.get_by_role("button", name=said["models.goOn"], exact=True)).to_be_visible()
    page.locator("#view summary").first.click()
    expect(page.locator("pre.file")).to_contain_text("loss 0.1")
    is_accessible(visit)
    page.route("**/samples*", lambda route: route.abort(), times=1)
    samples = page.get_by_text(said["models.samples"])
    samples.press("Enter")
    expect(page.get_by_role("alert")).to_have_text(words("es")["failure.offline"])
    samples.press("Enter")
    samples.press("Enter")
    expect(page.get_by_text(said["models.noSamples"])).to_be_visible()


def test_training_that_fails_says_why_when_it_was_begun_in_the_page(
    desk: tuple[ScriptedStack, Path], visits: Visits
) -> None:
    """In the reader's language, whichever that is when they read it."""
    stack, _runs = desk
    said = words("models.en")
    visit = visits.new(stack.url)
    page = visit.page
    page.goto(f"{stack.url}#/models/train:{LEAF}")
    expect(page.get_by_role("checkbox")).to_be_checked()
    page.get_by_role("button", name=said["models.begin"], exact=True).click()
    expect(page.locator("p.state")).to_have_text(said["models.state.failed"])
    expect(page.locator(".outcome .said")).to_contain_text("exam")
    page.locator("#language").click()
    expect(page.locator("p.state")).to_have_text(words("models.es")["models.state.failed"])
    expect(page.locator(".outcome .said")).to_contain_text("examen")


def test_page_says_who_trains_and_chooses_when_it_cannot_be_done_here(
    desk: tuple[ScriptedStack, Path], visits: Visits
) -> None:
    """As in containers: sentences where the form and the buttons would be, in both languages."""
    stack, _runs = desk
    visit = visits.new(stack.url)
    page = visit.page
    page.route("**/api/runs", changing(trains=False))
    page.route("**/api/store/models", changing(read_only=True))
    page.goto(f"{stack.url}#/models")
    for language in ("en", "es"):
        said = words(f"models.{language}")
        expect(page.get_by_text(said["models.elsewhere"])).to_be_visible()
        expect(page.get_by_text(said["models.readOnly"])).to_be_visible()
        for key in ("models.begin", "models.use"):
            expect(page.get_by_role("button", name=said[key], exact=True)).to_have_count(0)
        page.locator("#language").click()


def changing(**fields: bool) -> Callable[[Route], None]:
    """Let the real answer through, but for what a container would say otherwise."""

    def answer(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, json=response.json() | fields)

    return answer
