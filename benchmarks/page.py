"""What the page costs the reader: a very long answer, a very long conversation, a very long list.

    python benchmarks/page.py [--tokens 10000] [--messages 500] [--conversations 10000]

The real API and page before an engine that writes a lesson as fast as asked, and Debian's Chromium
without a screen. A frame is late when the page's own work held it up for more than 50 ms (a "long
task", W3C) or when two frames are more than that apart. Memory is the JavaScript heap after a
collection. Writes var/bench/page.json.
"""

import argparse
import asyncio
import itertools
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aiohttp import web
from playwright.sync_api import CDPSession, Page, sync_playwright

from streaming import free_port, running

OUT = Path("var/bench/page.json")
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


def late(page: Page) -> dict[str, float]:
    """Return how many frames were late since `WATCH`, and the worst."""
    seen = page.evaluate("late")
    tasks = [task for task in seen["tasks"] if task > LATE_MS]
    gaps = [gap for gap in seen["gaps"] if gap > LATE_MS]
    worst = {"worst_task_ms": max(tasks, default=0), "worst_gap_ms": max(seen["gaps"], default=0)}
    return {"frames": len(seen["gaps"]), "late_tasks": len(tasks), "late_gaps": len(gaps), **worst}


def memory(devtools: CDPSession) -> dict[str, float]:
    """Return heap (MB) and elements after a collection."""
    devtools.send("HeapProfiler.collectGarbage")
    metrics = {m["name"]: m["value"] for m in devtools.send("Performance.getMetrics")["metrics"]}
    return {"heap_mb": metrics["JSHeapUsedSize"] / 1e6, "nodes": metrics["Nodes"]}


def measure(page: Page, url: str, args: argparse.Namespace) -> dict[str, Any]:
    """Play the three stories in one tab."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable")
    found: dict[str, Any] = {}
    for shape in ("lesson", "list"):
        page.goto(url)
        page.locator("body[data-view=welcome]").wait_for()
        page.evaluate(WATCH)
        ask(page, f"Write a long {shape}", args.tokens)
        found[shape] = late(page)
        page.goto("about:blank")
    page.goto(url)
    page.locator("body[data-view=welcome]").wait_for()
    found["memory"] = {}
    for number in range(1, args.messages // 2 + 1):
        ask(page, f"Question {number}", 60)
        if number % (args.messages // 10) == 0:
            found["memory"][2 * number] = memory(devtools)
    page.reload()
    page.locator(".exchange:last-child .answer[data-state=done]").wait_for()
    for first in range(0, args.conversations, CONVERSATIONS_A_FILE):
        number = min(CONVERSATIONS_A_FILE, args.conversations - first)
        assert page.evaluate(IMPORT, [first, number]) == 201
    page.goto("about:blank")
    page.goto(url)
    page.locator("#list li[data-id]").first.wait_for()
    page.evaluate(WATCH)
    found["list_of_conversations"] = {"most_rows": page.evaluate(SCROLL), **late(page)}
    return found


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
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        found = measure(browser.new_page(), url, args)
        browser.close()
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(found, indent=2))
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
