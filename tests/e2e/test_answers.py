"""The first visit, and a question answered by the real model, in both languages."""

import gzip
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.stacks import RealStack
from tests.e2e.visit import ROOT, Visit, Visits, words
from tiza.models.find import SHIPPED_NAME

TYPES = {
    "": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
    "json": "application/json",
}
FIRST_LOAD_BYTES = 60 * 1024
WHOLE_VISIT_BYTES = 96 * 1024  # with the half of the page that is fetched when a question comes
QUESTION = {"en": "What is machine learning?", "es": "¿Qué es el aprendizaje automático?"}
RULES = """
(text) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text.replace(/@import[^;]+;/g, ""));
  return [...sheet.cssRules].map(({cssText}) => cssText.replace(/\\s*(,)\\s*|\\s+/g, "$1 "));
}
"""


def type_of(path: str) -> str:
    """Return the type that a file must be served with."""
    return TYPES[path.rpartition("/")[2].rpartition(".")[2]]


def weights(visit: Visit) -> Iterator[tuple[str, int]]:
    """Yield each file that the page asked for, and its bytes when gzipped."""
    for response in visit.watch.responses:
        path = response.url.removeprefix(visit.url)
        if not path.startswith("api/"):
            yield path, len(gzip.compress(response.body()))


def test_first_load_is_light_when_every_file_is_counted(real: RealStack, visits: Visits) -> None:
    """A first visit fetches each file once, as its own type, and at most 60 KB gzipped in all."""
    visit = visits.open(real.url)
    visit.is_connected()
    visit.page.wait_for_load_state("networkidle")

    files = dict(weights(visit))

    assert visit.watch.refused() == []
    paths = [response.url.removeprefix(visit.url) for response in visit.watch.responses]
    assert len(paths) == len(set(paths)), "something was fetched twice"
    for response in visit.watch.responses:
        path = response.url.removeprefix(visit.url)
        expected = "application/json" if path.startswith("api/") else type_of(path)
        assert response.headers["content-type"] == expected, path
    assert sum(files.values()) <= FIRST_LOAD_BYTES, files


def test_styles_mean_the_same_when_they_are_sent_without_comments(
    real: RealStack, visits: Visits
) -> None:
    """The browser reads the same rules out of a style as it is written and as it is sent."""
    visit = visits.open(real.url)
    for path in sorted((ROOT / "web").glob("*.css")):
        written = path.read_text("utf-8")
        served = visit.page.request.get(f"{real.url}{path.name}").text()
        assert len(served) < len(written)
        assert visit.page.evaluate(RULES, served) == visit.page.evaluate(RULES, written), path.name


@pytest.mark.parametrize("language", ["en", "es"])
def test_question_is_answered_when_it_is_asked_of_the_real_model(
    language: str, real: RealStack, visits: Visits
) -> None:
    """The answer grows before the reader's eyes, ends with tokens and time, and nothing leaks."""
    visit = visits.open(real.url, language)
    visit.is_connected()
    expect(visit.page.locator("html")).to_have_attribute("lang", language)
    expect(visit.status).to_contain_text(words(language)["status.connected"])
    visit.pictures(f"welcome.{language}")
    lengths = watch_growth(visit)

    visit.ask(QUESTION[language])

    expect(visit.exchanges.locator(".bubble")).to_have_text(QUESTION[language])
    visit.is_done()
    seen = visit.page.evaluate(lengths)
    assert len(set(seen)) > 5, seen
    assert seen == sorted(seen), "text that was there went away"
    told = visit.facts.all_inner_texts()
    assert told[0] == SHIPPED_NAME
    assert "token" in told[1]
    assert told[2].endswith(" s")
    assert told[3].endswith(" tokens/s")
    expect(visit.announcements).to_contain_text(words(language)["answer.waiting"])
    assert visit.watch.refused() == []
    assert visit.watch.foreign == []
    files = dict(weights(visit))
    assert "vendor/purify.js" in files
    assert sum(files.values()) <= WHOLE_VISIT_BYTES, files
    visit.pictures(f"answer.{language}")


def watch_growth(visit: Visit) -> str:
    """Note the length of the answer at every change; return the expression that reads the notes."""
    visit.page.evaluate(
        """() => {
          globalThis.lengths = [];
          new MutationObserver(() => {
            const length = document.querySelector(".prose")?.textContent.length;
            if (length) lengths.push(length);
          }).observe(document.querySelector("#transcript"), {childList: true, subtree: true});
        }"""
    )
    return "lengths"


def test_answer_comes_after_a_retry_when_the_engine_crashed_meanwhile(
    real: RealStack, visits: Visits
) -> None:
    """A question that died with the engine is told in words; once it is back, a retry works."""
    visit = visits.open(real.url)
    visit.is_connected()
    engine = real.part("tiza.engines.llama_cpp")
    engine.suspend()  # it accepts the question and says nothing

    visit.ask(QUESTION["en"])
    expect(visit.answer).to_have_attribute("aria-busy", "true")
    engine.kill()

    visit.is_done("failed")
    expect(visit.notice).to_contain_text(words("en")["failure.engine_unreachable"])
    real.is_healthy()
    visit.looks_again()
    visit.is_connected()
    visit.retry.click()
    visit.is_done()
    expect(visit.notice).to_be_hidden()
    expect(visit.prose).to_contain_text("learning")
