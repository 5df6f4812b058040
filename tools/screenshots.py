"""Take pictures of every view from the running program: `python tools/screenshots.py [VIEW…]`.

Starts `tiza up` on free ports over an empty store, once without and once with accounts, and writes
WebP files to `docs/screenshots/`: light and dark, on a desktop and on a phone, in both languages.
The training in its picture is a real one (`make train-tools`), stopped before it ends.
"""

import base64
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

OUT = Path(__file__).resolve().parents[1] / "docs" / "screenshots"
START_SECONDS = 60
TRAINING_SECONDS = 600
QUALITY = 65
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]


DEVICES = {"": (1280, 800), ".phone": (390, 844)}
LANGUAGES = {"": "en-GB", ".es": "es-ES"}
# The shipped model speaks English until it is taught; the languages of page and answer are apart.
QUESTION = "What is machine learning?"
IN_ENGLISH = "localStorage.setItem('tiza.wanted', JSON.stringify({language: 'en'}))"
COMPLETE = """
() => !document.querySelector("[aria-busy=true], [data-waiting], .spark .line:not([d^=M])") &&
  (document.body.dataset.place === "chat" || document.querySelector("#view").childElementCount)
"""


WELL_UNDER_WAY = """
() => {
  const bar = document.querySelector(".training progress");
  return bar && bar.value > bar.max / 3;
}
"""


@dataclass(frozen=True)
class View:
    """A place of the page, and in which mode it is worth a picture."""

    name: str
    place: str
    mode: Literal["open", "accounts"] = "open"
    asks: bool = False
    trains: bool = False


LESSON = "knowledge/technology/programming/python_basics"
VIEWS = (
    View("chat", "#/", asks=True),
    View("welcome", "#/"),
    View("lessons", "#/lessons"),
    View("lesson", f"#/lessons/{LESSON}"),
    View("editor", f"#/lessons/edit:{LESSON}"),
    View("models", "#/models"),
    View("training", f"#/models/train:{LESSON}", trains=True),
    View("account", "#/account"),
    View("stats", "#/stats"),
    View("sign-in", "#/sign-in", "accounts"),
)


@contextmanager
def local_stack(mode: str) -> Iterator[str]:
    """Run `tiza up` and yield the page's address."""
    port, engine_port = free_port(), free_port()
    places = {"PORT": str(port), "VLLM_PORT": str(engine_port)}
    places |= {"VAR_PATH": tempfile.mkdtemp(), "MODELS_PATH": tempfile.mkdtemp()}
    places |= {"AUTH_MODE": mode}
    environment = {**os.environ, **places}
    process = subprocess.Popen([sys.executable, "-m", "tiza", "up"], env=environment)
    try:
        wait_for(f"http://127.0.0.1:{port}/health")
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str) -> None:
    """Wait until an address of our own answers."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310  # loopback
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    sys.exit(f"{url} did not answer in {START_SECONDS} s")


@contextmanager
def training(browser: Browser, url: str, view: View) -> Iterator[View]:
    """Begin a training as a teacher does; yield its own view once there is something to see."""
    page = browser.new_page(locale=LANGUAGES[""])
    page.goto(url + view.place)
    page.get_by_role("button", name="Start teaching", exact=True).click()
    page.wait_for_function(WELL_UNDER_WAY, timeout=TRAINING_SECONDS * 1000)
    yield replace(view, place=page.evaluate("location.hash"))
    page.get_by_role("button", name="Stop", exact=True).click()
    page.locator("p.state.unfinished").wait_for()
    page.close()


def take(browser: Browser, url: str, view: View, language: str) -> None:
    """Open the view as one person would see it, wait until it is complete, and take it."""
    page = browser.new_page(locale=LANGUAGES[language])
    page.goto(url + view.place)
    page.locator(".status[data-health=connected]").wait_for()
    if view.asks:
        page.evaluate(IN_ENGLISH)
        page.locator("#question").fill(QUESTION)
        page.keyboard.press("Enter")
        page.locator(".answer[data-state=done] .thumb").first.wait_for(timeout=60_000)
    page.wait_for_function(COMPLETE)
    for device, (width, height) in DEVICES.items():
        page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            shade = ".dark" if scheme == "dark" else ""
            name = f"{view.name}{device}{shade}{language}.webp"
            (OUT / name).write_bytes(picture(page))
    page.close()


def picture(page: Page) -> bytes:
    """Take a picture once nothing moves, in a form that Playwright does not have itself."""
    page.evaluate("Promise.allSettled(document.getAnimations().map((each) => each.finished))")
    devtools = page.context.new_cdp_session(page)
    found = devtools.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    devtools.detach()
    return base64.b64decode(found["data"])


def main(wanted: Sequence[str]) -> None:
    """Take every picture of the views that are wanted; of all, if none is named."""
    OUT.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    views = [view for view in VIEWS if not wanted or view.name in wanted]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for mode in dict.fromkeys(view.mode for view in views):
            with local_stack(mode) as url:
                for view in (each for each in views if each.mode == mode):
                    with (
                        training(browser, url, view) if view.trains else nullcontext(view) as shown
                    ):
                        for language in LANGUAGES:
                            take(browser, url, shown, language)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
