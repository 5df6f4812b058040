"""What axe-core, a judge of accessibility, finds wrong with a page as it is now."""

from pathlib import Path

from playwright.sync_api import Page

from tests.e2e.visit import Visit

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "node_modules" / "axe-core" / "axe.min.js"

FIND = """
async () => {
  const {violations} = await axe.run(document, {
    preload: false,
    resultTypes: ["violations"],
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  });
  return violations.flatMap(({id, nodes}) =>
    nodes.map(({target, any}) => `${id}: ${target} ${any[0]?.message ?? ""}`));
}
"""


def violations(page: Page) -> list[str]:
    """Return the rules of WCAG 2.2 AA and of good practice that the page breaks, and where."""
    if not page.evaluate("'axe' in globalThis"):
        page.evaluate(SOURCE.read_text("utf-8"))
    page.evaluate("Promise.all(document.getAnimations().map((each) => each.finished))")
    found: list[str] = page.evaluate(FIND)
    return found


def is_accessible(visit: Visit) -> None:
    """Have axe-core look; what it does itself against the page's policy is not the page's fault."""
    before = len(visit.watch.errors)
    found = violations(visit.page)
    del visit.watch.errors[before:]
    assert not found, "\n".join(found)
