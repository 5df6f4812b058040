"""A teacher's lessons in the page: found, read, tried, written by form and by file, saved."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.api.teaching.school import LEAF, lesson, plant
from tests.e2e.axe import is_accessible
from tests.e2e.scripted_engine import says
from tests.e2e.stacks import ScriptedStack
from tests.e2e.visit import PHONE, Visit, Visits, words

PHONE_SIZE = {"width": PHONE[0], "height": PHONE[1]}


@pytest.fixture(scope="module")
def desk(
    chromium: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ScriptedStack, Path]]:
    """Serve the page over a git repository with one lesson in it."""
    folder = tmp_path_factory.mktemp("desk")
    taxonomy = plant(folder)
    command = ["git", "init", "--quiet", str(folder)]
    subprocess.run(command, check=True)
    stack = ScriptedStack(folder, taxonomy_path=taxonomy, models_path=folder / "models")
    yield stack, taxonomy
    stack.close()


def goes(visit: Visit, place: str, selector: str) -> Locator:
    """Go to a place of the page and wait for what is there."""
    visit.page.goto(f"{visit.url}#/{place}")
    found = visit.page.locator(selector)
    found.first.wait_for()
    return found


def test_teacher_reads_tries_and_changes_a_lesson(
    desk: tuple[ScriptedStack, Path], visits: Visits
) -> None:
    """The form and the file follow each other; errors are said at their place; saving commits."""
    stack, taxonomy = desk
    said = words("lessons.en")
    visit = visits.new(stack.url)
    page = visit.page
    tree = goes(visit, "lessons", ".tree li a")
    is_accessible(visit)
    search = page.get_by_role("searchbox", name=said["lessons.search"])
    search.fill("nothing like it")
    expect(page.get_by_text(said["lessons.none"])).to_be_visible()
    search.fill("chalk")
    tree.press("Enter")

    expect(page.locator("#view h2")).to_have_text("Chalk")
    stack.engine.will(says("It is white."))
    page.locator("#lesson-question").press("Enter")
    sides = page.locator(".side-answer p")
    expect(sides).to_have_text(["the chalk 0 is thing 0", "It is white."])
    is_accessible(visit)

    page.get_by_role("link", name=said["lessons.edit"], exact=True).press("Enter")
    file = page.locator("#lesson-file")
    answer = page.locator('[data-field="seed_examples/1/answer"]')
    answer.fill("a softer thing")
    expect(file).to_have_value(lesson().replace("the chalk 1 is thing 2", "a softer thing"))
    page.locator('[data-field="seed_examples/2/question"]').fill("")
    wrong = page.locator('[data-field="seed_examples/2/question"] + .wrong')
    expect(wrong).to_be_visible()
    is_accessible(visit)
    file.fill(lesson(7))
    expect(page.locator(".examples").first.locator("fieldset.card")).to_have_count(7)
    expect(page.locator(".counted")).to_have_text(said["lessons.canBeTaught"])
    page.get_by_role("button", name=said["lessons.save"], exact=True).press("Enter")
    expect(page.locator(".fine[role=status]")).to_contain_text("git")
    assert (taxonomy / LEAF / "qna.yaml").read_text() == lesson(7)


def test_second_tab_is_told_when_the_lesson_was_saved_in_the_first(
    desk: tuple[ScriptedStack, Path], visits: Visits
) -> None:
    """Nothing is lost: a draft is there again, and replacing the other's needs a decision."""
    stack, taxonomy = desk
    said = words("lessons.es")
    visit = visits.new(stack.url, "es", viewport=PHONE_SIZE)
    page = visit.page
    field = goes(visit, f"lessons/edit:{LEAF}", '[data-field="domain"]')
    field.fill("tiza")
    expect(page.locator("#lesson-file")).to_have_value(re.compile("domain: tiza"))
    goes(visit, "lessons", ".tree li a")
    field = goes(visit, f"lessons/edit:{LEAF}", '[data-field="domain"]')
    expect(field).to_have_value("tiza")
    is_accessible(visit)

    path = taxonomy / LEAF / "qna.yaml"
    path.write_text(lesson(8))
    page.get_by_role("button", name=said["lessons.save"], exact=True).click()
    expect(page.get_by_role("link", name=said["lessons.theirs"])).to_be_visible()
    assert path.read_text() == lesson(8)
    page.get_by_role("button", name=said["lessons.mine"]).click()
    expect(page.locator(".fine[role=status]")).to_contain_text("git")
    assert "domain: tiza" in path.read_text()


def test_answers_of_a_lesson_look_as_in_the_chat(
    desk: tuple[ScriptedStack, Path], visits: Visits
) -> None:
    """Code, formulas and lists are drawn, and code can be copied."""
    stack, taxonomy = desk
    answer = "|\n      A `list` of $x^2$:\n\n      ```python\n      [1, 2]\n      ```"
    (taxonomy / LEAF / "qna.yaml").write_text(lesson().replace("the chalk 0 is thing 0", answer))
    visit = visits.new(stack.url)
    shown = goes(visit, f"lessons/{LEAF}", ".pair .prose").first
    expect(shown).to_have_attribute("lang", "en")
    expect(shown.locator("math msup")).to_be_visible()
    expect(shown.locator("p code")).to_have_text("list")
    expect(shown.locator("pre .hljs-number")).to_have_text(["1", "2"])
    is_accessible(visit)
    shown.get_by_role("button", name=words("en")["code.copy"]).press("Enter")
    expect(visit.announcements).to_contain_text(words("en")["answer.copied"])


def test_new_lesson_begins_with_a_template(
    desk: tuple[ScriptedStack, Path], visits: Visits
) -> None:
    """Nothing is saved before the teacher says so, and then in its place."""
    stack, taxonomy = desk
    said = words("lessons.en")
    visit = visits.new(stack.url)
    page = visit.page
    goes(visit, "lessons/new", "form.form")
    is_accessible(visit)
    page.get_by_label(said["lessons.name"], exact=True).fill("Dust & Sponge")
    page.keyboard.press("Enter")
    question = page.locator('[data-field="seed_examples/0/question"]')
    question.fill("What is dust?")
    expect(page.locator("#lesson-file")).to_have_value(re.compile("What is dust"))
    path = taxonomy / "knowledge/science/dust_sponge/qna.yaml"
    assert not path.exists()
    page.get_by_role("button", name=said["lessons.save"], exact=True).click()
    expect(page.locator(".fine[role=status]")).to_contain_text("git")
    assert "What is dust?" in path.read_text()
