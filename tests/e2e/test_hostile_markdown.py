"""What a model writes is text: it never runs, never loads, never becomes a part of the page."""

import itertools
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.hostile import HOSTILE, RUN
from tests.e2e.scripted_engine import says
from tests.e2e.stacks import ScriptedStack
from tests.e2e.visit import Visit, Visits

LENGTHS = (1, 2, 3, 5, 8, 13)

# Everything that an answer may consist of; all else is noted as forbidden, however short it lives.
GUARD = r"""
const TAGS = new Set(("p br hr h4 h5 h6 blockquote pre ul ol li div table thead tbody tr th td " +
  "a code strong em b i u s del ins mark small sub sup kbd q span " +
  "math mrow mi mn mo ms mtext mspace mfrac msqrt mroot mstyle merror mpadded mphantom msub msup " +
  "msubsup munder mover munderover mtable mtr mtd menclose").split(" "));
const ATTRIBUTES = {
  href: /^(https?|mailto):/, target: /^_blank$/, rel: /^noopener noreferrer$/, start: /^\d+$/,
  align: /^(left|right|center)$/, tabindex: /^0$/, "data-language": /^[\w+#.-]*$/,
  "data-cut": /^$/, "data-live": /^$/,
  class: /^(scroll|code|formula( scroll)?|language-[\w+#.-]+|hljs-[\w-]+( [\w-]+_)*)$/,
};
const OF_A_FORMULA = /^[\w\s.%#+-]*$/;
const OURS = ".code > button, .code > button *";
globalThis.ran = 0;
globalThis.forbidden = [];
globalThis.guard = (root) => {
  for (const element of root.querySelectorAll(".prose *")) {
    if (element.matches(OURS)) continue;
    const math = element.namespaceURI.endsWith("MathML");
    const bad = [...element.attributes].some(({name, value}) =>
      !(math ? !/^on|href|src|style/.test(name) && OF_A_FORMULA : ATTRIBUTES[name])?.test(value));
    const open = element.localName === "a" && element.href && element.target !== "_blank";
    if (bad || open || !TAGS.has(element.localName) || element.shadowRoot) {
      forbidden.push(element.cloneNode(false).outerHTML);
    }
  }
};
new MutationObserver(() => guard(document)).observe(document, {childList: true, subtree: true});
"""

# The line may cut a stream anywhere, in the middle of a character too. Between the cuts the page
# has time to draw.
SLICE = """
const real = globalThis.fetch;
globalThis.sliceSeed = 1;
const most = () => { sliceSeed = (sliceSeed * 48271) % 2147483647; return sliceSeed % 9 + 1; };
globalThis.fetch = async (...request) => {
  const response = await real(...request);
  if (!response.headers.get("content-type")?.startsWith("text/event-stream")) return response;
  let sent = 0;
  const sliced = new TransformStream({async transform(bytes, controller) {
    for (let at = 0, size = most(); at < bytes.length; at += size, size = most()) {
      controller.enqueue(bytes.slice(at, at + size));
      sent += size;
      if (sent > 400) sent = await new Promise(requestAnimationFrame) && 0;
    }
  }});
  return new Response(response.body.pipeThrough(sliced), response);
};
"""

# Every beginning of every answer (of the longest, 80 of them), drawn as the page draws a block
# that still grows and one that is finished.
DRAW_EVERY_BEGINNING = """
async (answers) => {
  const {blocks, preview, split, toHtml} = await import("/js/markdown.js");
  const {markdown: write, code, formula} = (await import("/js/sanitize.js")).write;
  const {draw} = await import("/js/formula.js");
  const {colour} = await import("/js/colours.js");
  const prose = document.createElement("div");
  prose.className = "prose";
  const [growing, finished] = [document.createElement("div"), document.createElement("div")];
  prose.append(growing, finished);
  document.querySelector("#transcript").append(prose);
  let drawn = 0;
  for (const answer of answers) {
    const step = Math.ceil(answer.length / 80);
    for (let end = 1; end < answer.length + step; end += step) {
      const text = answer.slice(0, end);
      write(growing, toHtml(blocks(preview(text))));
      write(finished, toHtml(split(text).finished) + toHtml(blocks(text)));
      for (const each of finished.querySelectorAll("pre > code:not(.language-math)")) {
        await colour(each, "html", code);
      }
      for (const each of finished.querySelectorAll("code.language-math")) draw(each, formula);
      guard(document);
      drawn += 1;
    }
    await new Promise((resolve) => setTimeout(resolve));
  }
  prose.remove();
  return drawn;
}
"""


def pieces(text: str, start: int) -> list[str]:
    """Cut a text into pieces of changing length."""
    lengths = itertools.cycle(LENGTHS[start % len(LENGTHS) :] + LENGTHS[: start % len(LENGTHS)])
    cut = []
    while text:
        length = next(lengths)
        cut.append(text[:length])
        text = text[length:]
    return cut


def is_harmless(visit: Visit) -> None:
    """Check that nothing ran, nothing left, and nothing stands there that is not an answer."""
    assert visit.page.evaluate("ran") == 0
    assert visit.page.evaluate("forbidden") == []
    visit.watch.is_quiet()


@pytest.fixture(scope="module")
def guarded(browser: Browser, scripted_stack: ScriptedStack) -> Iterator[Visit]:
    """One tab for all cases, guarded from its first moment."""
    visits = Visits(browser)
    visit = visits.new(scripted_stack.url)
    visit.page.add_init_script(GUARD)
    visit.page.add_init_script(SLICE)
    yield visit.open()
    visits.close()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_answer_is_harmless_when_it_is_streamed(
    name: str, guarded: Visit, scripted: ScriptedStack
) -> None:
    """Cut anywhere, as tokens and as bytes, a hostile answer stays text and is shown to its end."""
    case = list(HOSTILE).index(name)
    guarded.page.evaluate("(seed) => { sliceSeed = seed; }", case + 1)
    scripted.engine.will(says(*pieces(HOSTILE[name] + "\n\nThe end.", case)))

    guarded.ask(f"Tell me of {name}")

    guarded.is_done()
    is_harmless(guarded)
    expect(guarded.notice).to_be_hidden()
    guarded.page.locator("#new").click()
    guarded.page.locator("body[data-view=welcome]").wait_for()


def test_hostile_conversation_is_harmless_when_it_is_reloaded(
    scripted: ScriptedStack, visits: Visits
) -> None:
    """What was kept is drawn as carefully as what is new."""
    visit = visits.new(scripted.url)
    visit.page.add_init_script(GUARD)
    visit.open()
    scripted.engine.will(says("\n\n".join(HOSTILE.values())))
    visit.ask("Everything")
    visit.is_done()
    is_harmless(visit)

    visit.page.reload()

    visit.is_done()
    expect(visit.prose).not_to_be_empty()
    is_harmless(visit)


def test_hostile_names_are_harmless_when_the_engine_or_the_reader_gives_them(
    scripted: ScriptedStack, visits: Visits
) -> None:
    """Model names and the reader's own words are text as well."""
    payload = f"<img src=x onerror={RUN}>"
    visit = visits.new(scripted.url)
    visit.page.add_init_script(GUARD)
    scripted.engine.is_named(payload)
    visit.open()
    expect(visit.page.locator("#model")).to_have_text(payload)
    visit.question.fill(f"{payload} **bold**")
    visit.question.press("Enter")

    visit.is_done()

    expect(visit.exchanges.locator(".bubble")).to_have_text(f"{payload} **bold**")
    expect(visit.facts.first).to_have_text(payload)
    expect(visit.page.locator("img")).to_have_count(0)
    is_harmless(visit)


def test_every_beginning_is_harmless_when_it_is_drawn(
    scripted: ScriptedStack, visits: Visits
) -> None:
    """However far an answer has come when it is drawn, its beginning is as harmless as its end."""
    visit = visits.new(scripted.url)
    visit.page.add_init_script(GUARD)
    visit.open()
    answers = list(HOSTILE.values())

    drawn = visit.page.evaluate(DRAW_EVERY_BEGINNING, answers)

    assert drawn >= sum(min(len(answer), 40) for answer in answers)
    is_harmless(visit)


def test_guard_notices_when_something_forbidden_stands_in_an_answer(
    scripted: ScriptedStack, visits: Visits
) -> None:
    """The guard sees elements, attributes and addresses, so its silence means something."""
    visit = visits.new(scripted.url)
    visit.page.add_init_script(GUARD)
    visit.open()
    visit.ask("Why?")
    visit.is_done()

    visit.page.evaluate(
        """() => {
          const make = (tag) => document.createElement(tag);
          const [frame, bold, link] = ["iframe", "b", "a"].map(make);
          bold.id = "question";
          link.href = "javascript:void 0";
          document.querySelector(".prose").append(frame, bold, link);
        }"""
    )

    assert len(visit.page.evaluate("forbidden")) >= 3
