"""Take the README's pictures from the running program: `python tools/screenshots.py`.

Starts `tiza up` on free ports, asks a question in the browser in both languages, on a desktop and
on a phone, and writes PNG files to `docs/screenshots/`.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

OUT = Path(__file__).resolve().parents[1] / "docs" / "screenshots"
START_SECONDS = 60
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]


@dataclass(frozen=True)
class Picture:
    """One view to take."""

    name: str
    locale: str
    dark: bool
    width: int
    height: int
    question: str | None


PICTURES = (
    Picture("chat", "en-GB", False, 1280, 800, "What is machine learning?"),
    Picture("chat.phone", "en-GB", True, 390, 844, "What is machine learning?"),
    Picture("welcome.es", "es-ES", False, 1280, 800, None),
    Picture("welcome.phone.es", "es-ES", True, 390, 844, None),
)


@contextmanager
def local_stack() -> Iterator[str]:
    """Run `tiza up` and yield the page's address."""
    port, engine_port = free_port(), free_port()
    environment = {**os.environ, "PORT": str(port), "VLLM_PORT": str(engine_port)}
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


def take(browser: Browser, url: str, picture: Picture) -> None:
    """Open the page as one person would see it, ask, wait for the whole answer, and take it."""
    page = browser.new_page(
        locale=picture.locale,
        color_scheme="dark" if picture.dark else "light",
        viewport={"width": picture.width, "height": picture.height},
    )
    page.goto(url)
    page.locator(".status[data-health=connected]").wait_for()
    if picture.question:
        page.locator("textarea").fill(picture.question)
        page.keyboard.press("Enter")
        page.locator("[aria-busy=true]").wait_for()
        page.locator("[aria-busy=true]").wait_for(state="detached", timeout=60_000)
    page.screenshot(path=OUT / f"{picture.name}.png")
    page.close()


def main() -> None:
    """Take every picture."""
    OUT.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with local_stack() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for picture in PICTURES:
            take(browser, url, picture)
        browser.close()


if __name__ == "__main__":
    main()
