"""What axe-core, a judge of accessibility, finds wrong with a page as it is now."""

from pathlib import Path

from tests.e2e.visit import Visit

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "node_modules" / "axe-core" / "axe.min.js"

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OF_COLOURS = ["color-contrast", "link-in-text-block"]
FIND = """
async (runOnly) => {
  const options = {preload: false, resultTypes: ["violations"], runOnly};
  const {violations} = await axe.run(document, options);
  return violations.flatMap(({id, nodes}) =>
    nodes.map(({target, any}) => `${id}: ${target} ${any[0]?.message ?? ""}`));
}
"""


def broken(visit: Visit, rules: list[str] = RULES) -> list[str]:
    """Return the rules that the page breaks as it is now, and where.

    What axe-core does itself against the page's policy is not the page's fault.
    """
    before = len(visit.watch.errors)
    if not visit.page.evaluate("'axe' in globalThis"):
        visit.page.evaluate(SOURCE.read_text("utf-8"))
    visit.page.evaluate("Promise.allSettled(document.getAnimations().map((each) => each.finished))")
    found: list[str] = visit.page.evaluate(FIND, rules)
    del visit.watch.errors[before:]
    return found


def is_accessible(visit: Visit) -> None:
    """Have axe-core look by the rules of WCAG 2.2 AA and of good practice."""
    found = broken(visit)
    assert not found, "\n".join(found)
