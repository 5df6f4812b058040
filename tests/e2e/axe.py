"""What axe-core, a judge of accessibility, finds wrong with a page as it is now."""

from functools import cache

from tests.e2e.visit import ROOT, Visit

RUN = """
async () => (await axe.run({preload: false})).violations.flatMap(({id, nodes}) =>
  nodes.map(({target, failureSummary}) => `${id} at ${target.join(" ")}: ${failureSummary}`))
"""


@cache
def _source() -> str:
    return (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


def is_accessible(visit: Visit) -> None:
    """Have axe-core look; what it does itself against the page's policy is not the page's fault."""
    before = len(visit.watch.errors)
    if not visit.page.evaluate("'axe' in window"):
        visit.page.evaluate(_source())
    found = visit.page.evaluate(RUN)
    del visit.watch.errors[before:]
    assert not found, "\n".join(found)
