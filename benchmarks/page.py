"""What the page costs the reader: a very long answer, a very long conversation, a very long list.

    python benchmarks/page.py [--tokens 10000] [--messages 500] [--conversations 10000]

The real API and page before an engine that writes a lesson as fast as asked, and Debian's Chromium
without a screen. A task is late when it takes more than 50 ms (a "long task", W3C), and a frame
when it comes more than that after the one before; on a machine that has other things to do both
count those too. `busy` counts the processor time of the page's own thread alone. Memory is the
JavaScript heap after a collection. Lighthouse, installed from the npm registry into var/ when it is
first needed, looks at the page as on a slow telephone. Writes var/bench/page.json.
"""

import argparse
import asyncio
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from playwright.sync_api import CDPSession, Page, sync_playwright

from record import Value, keep
from streaming import free_port, running

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

from vendor import find_node

Row = dict[str, Value]
TOOLS = Path("var/bench/tools")
LIGHTHOUSE = "lighthouse@12.8.2"
CATEGORIES = ("performance", "accessibility", "best-practices")
PAINTS = ("first-contentful-paint", "largest-contentful-paint", "total-blocking-time")
LATE_MS = 50
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
CONVERSATIONS_A_FILE = 5000
SECTION = """## Part {n}

Chalk is a soft, white, porous rock made of **calcite**. It formed from the shells of plankton, and
the formula $CaCO_3$ says what it is made of. See `chalk.py` and [the lesson](https://example.org).

| Property | Value |
|----------|------:|
| hardness | {n}   |
| density  | 2.{n} |

1. Write with it.
2. Wipe it away.
   - With a dry cloth
   - With a wet one

```python
def write(board, words):
    for number, word in enumerate(words):
        board.draw(word, at=(0, number * {n}))  # a line each
    return board
```

"""
WATCH = """
() => {
  globalThis.late = {tasks: [], gaps: []};
  new PerformanceObserver((list) => late.tasks.push(...list.getEntries().map((e) => e.duration)))
    .observe({type: "longtask"});
  let before = performance.now();
  const frame = (now) => {
    late.gaps.push(now - before);
    before = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}
"""
IMPORT = """
async ([first, number]) => {
  const conversations = Array.from({length: number}, (_, n) => ({
    title: `Talk ${first + n}`, messages: [{role: "user", content: `Question ${first + n}`}]}));
  const headers = {"Content-Type": "application/json"};
  const body = JSON.stringify({conversations});
  return (await fetch("api/conversations/import", {method: "POST", headers, body})).status;
}
"""
SCROLL = """
async () => {
  const box = document.querySelector("#list .window");
  let most = 0;
  for (let n = 0; n < 400; n += 1) {
    box.scrollTop += 900;
    await new Promise(requestAnimationFrame);
    most = Math.max(most, document.querySelectorAll("#list li").length);
  }
  return most;
}
"""


def tokens(shape: str) -> Iterator[str]:
    """Yield an endless answer, about four characters at a time, as a model's tokens are long."""
    if shape == "list":
        items = ((f"- {n}", " the", " next", " one\n") for n in itertools.count())
        return itertools.chain.from_iterable(items)
    text = (SECTION.format(n=n) for n in itertools.count(1))
    return (part[at : at + 4] for part in text for at in range(0, len(part), 4))


def upstream(port: int) -> None:
    """Serve answers of as many tokens as asked for, 400 a second; a question names the shape."""

    def frame(choice: dict[str, Any]) -> bytes:
        return b"data: " + json.dumps({"choices": [choice], "model": "bench"}).encode() + b"\n\n"

    async def stream(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        shape = "list" if "list" in body["messages"][-1]["content"] else "lesson"
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for number, token in enumerate(itertools.islice(tokens(shape), body["max_tokens"])):
            await response.write(frame({"index": 0, "delta": {"content": token}}))
            if number % 4 == 3 and body["max_tokens"] > 100:
                await asyncio.sleep(0.01)
        await response.write(frame({"index": 0, "delta": {}, "finish_reason": "stop"}))
        await response.write(b"data: [DONE]\n\n")
        return response

    async def models(_: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "bench", "max_model_len": 65536}]})

    async def health(_: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/v1/chat/completions", stream)])
    app.add_routes([web.get("/v1/models", models), web.get("/health", health)])
    web.run_app(app, host="127.0.0.1", port=port, print=None)


def ask(page: Page, question: str, most: int) -> None:
    """Ask for an answer of so many tokens, and wait for its end."""
    page.evaluate(
        "(n) => localStorage.setItem('tiza.wanted', JSON.stringify({max_tokens: n}))", most
    )
    shown = page.locator(".exchange").count()
    page.locator("#question").fill(question)
    page.keyboard.press("Enter")
    page.locator(".exchange").nth(shown).wait_for()
    page.locator(".exchange:last-child .answer[data-state=done]").wait_for(timeout=600_000)


@contextmanager
def watched(page: Page, found: Row) -> Iterator[None]:
    """Count into `found` what happens meanwhile in the page's thread: frames, tasks, how long."""
    browser = page.context.browser
    assert browser is not None
    page.evaluate(WATCH)
    browser.start_tracing(page=page, categories=["toplevel", "__metadata"])
    yield
    traced = json.loads(browser.stop_tracing())["traceEvents"]
    seen = page.evaluate("late")
    busy = list(processor_ms(traced))
    found |= {
        "frames": len(seen["gaps"]),
        "late frames": sum(gap > LATE_MS for gap in seen["gaps"]),
        "late tasks": sum(task > LATE_MS for task in seen["tasks"]),
        "worst task ms": max(seen["tasks"], default=0),
        "late busy": sum(ms > LATE_MS for ms in busy),
        "worst busy ms": max(busy, default=0),
    }


def processor_ms(traced: list[dict[str, Any]]) -> Iterator[float]:
    """Yield the processor time of every task of the page's threads."""
    threads = {
        (event["pid"], event["tid"])
        for event in traced
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    for event in traced:
        if event["name"].endswith("RunTask") and (event["pid"], event["tid"]) in threads:
            yield event.get("tdur", 0) / 1000


def memory(devtools: CDPSession) -> Row:
    """Return heap (MB) and elements after a collection."""
    devtools.send("HeapProfiler.collectGarbage")
    metrics = {m["name"]: m["value"] for m in devtools.send("Performance.getMetrics")["metrics"]}
    return {"MB": metrics["JSHeapUsedSize"] / 1e6, "nodes": metrics["Nodes"]}


def opened(page: Page, url: str) -> None:
    """Load the page anew."""
    page.goto("about:blank")
    page.goto(url)
    page.locator("body[data-view=welcome]").wait_for()


def long_answer(page: Page, url: str, shape: str, most: int) -> Row:
    """Read one very long answer to its end."""
    found: Row = {"story": f"{most} tokens, {shape}"}
    opened(page, url)
    with watched(page, found):
        ask(page, f"Write a long {shape}", most)
    return found


def long_conversation(page: Page, url: str, messages: int) -> list[Row]:
    """Ask again and again in one conversation, and look at the memory ten times."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable")
    opened(page, url)
    rows: list[Row] = [{"messages": 0, **memory(devtools)}]
    for number in range(1, messages // 2 + 1):
        ask(page, f"Question {number}", 60)
        if number % (messages // 10) == 0:
            rows.append({"messages": 2 * number, **memory(devtools)})
    page.reload()
    page.locator(".exchange:last-child .answer[data-state=done]").wait_for()
    return [*rows, {"messages": "reloaded", **memory(devtools)}]


def long_list(page: Page, url: str, conversations: int) -> Row:
    """Scroll through very many conversations."""
    for first in range(0, conversations, CONVERSATIONS_A_FILE):
        number = min(CONVERSATIONS_A_FILE, conversations - first)
        assert page.evaluate(IMPORT, [first, number]) == 201
    opened(page, url)
    page.locator("#list li[data-id]").first.wait_for()
    found: Row = {"story": f"{conversations} conversations"}
    with watched(page, found):
        rows = page.evaluate(SCROLL)
    return {**found, "most rows": rows}


def lighthouse(url: str, chromium: str) -> Row:
    """Have Lighthouse look at the first visit, as on a slow telephone (its own default)."""
    commands = find_node()
    program = TOOLS / "node_modules" / "lighthouse" / "cli" / "index.js"
    if not program.is_file():
        TOOLS.mkdir(parents=True, exist_ok=True)
        place = ["--prefix", str(TOOLS), "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run([*commands.npm, "install", *place, LIGHTHOUSE], check=True)
    command = [commands.node, str(program), url, "--output=json", "--quiet"]
    command += ["--no-enable-error-reporting", f"--only-categories={','.join(CATEGORIES)}"]
    command += [f"--chrome-flags={' '.join(['--headless=new', *FLAGS])}"]
    environment = {**os.environ, "CHROME_PATH": chromium}
    done = subprocess.run(command, env=environment, capture_output=True, check=True)
    report = json.loads(done.stdout)
    scores = {name: 100 * report["categories"][name]["score"] for name in CATEGORIES}
    return scores | {f"{name} ms": report["audits"][name]["numericValue"] for name in PAINTS}


def main() -> None:
    """Read the command line, start engine, API and browser, measure, and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=10_000)
    parser.add_argument("--messages", type=int, default=500)
    parser.add_argument("--conversations", type=int, default=10_000)
    parser.add_argument("--upstream", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.upstream:
        upstream(args.upstream)
        return
    engine, port = free_port(), free_port()
    at_engine, url = f"http://127.0.0.1:{engine}", f"http://127.0.0.1:{port}/"
    environment = {"VLLM_API_URL": at_engine, "PORT": str(port), "LOG_LEVEL": "warning"}
    environment |= {"VAR_PATH": tempfile.mkdtemp(), "VLLM_MAX_MODEL_LEN": "65536"}
    environment |= {"MAX_REQUESTS": "0", "DAILY_TOKENS_STUDENT": "0"}
    command = [sys.executable, __file__, "--upstream", str(engine)]
    api = [sys.executable, "-m", "tiza.api", "--page"]
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with (
        running(command, f"{at_engine}/health", {}),
        running(api, f"{url}health/live", environment),
        sync_playwright() as playwright,
    ):
        first = lighthouse(url, chromium or "")
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page()
        stories = [long_answer(page, url, shape, args.tokens) for shape in ("lesson", "list")]
        sizes = long_conversation(page, url, args.messages)
        stories.append(long_list(page, url, args.conversations))
        browser.close()
    tables = {
        "What the page's thread did meanwhile (late: more than 50 ms)": stories,
        "Memory in one conversation, in MB of JavaScript and in nodes": sizes,
        "Lighthouse, on its slow telephone": [first],
    }
    keep("page", tables, {"stories": stories, "memory": sizes, "lighthouse": first})


if __name__ == "__main__":
    main()
