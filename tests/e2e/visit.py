"""One person's visit: a browser of their own, the page in it, and a watch over what it does."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Locator,
    Page,
    Request,
    Response,
)

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "var" / "screenshots"
PATIENCE_MS = 40_000  # only a defect or a very busy machine needs as long
LANGUAGE = {"en": "en-GB", "es": "es-ES"}
DESKTOP, PHONE = (1280, 800), (390, 844)
SCHEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")

QUESTIONS = re.compile("/api/conversations/[^/]+/messages$")
ANY_QUESTION = "**/api/conversations/*/messages"

# A violation of the page's policy is a console error like any other.
TELL_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`violation of ${event.violatedDirective}: ${event.blockedURI} ${event.sample}`));
"""


def words(language: str) -> dict[str, Any]:
    """Return the page's catalogue."""
    catalogue: dict[str, Any] = json.loads(
        (ROOT / "web" / "i18n" / f"{language}.json").read_text("utf-8")
    )
    return catalogue


@dataclass
class Watch:
    """What happened in a browser context that a person would not see."""

    host: str
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        """Begin to watch."""
        context.add_init_script(TELL_VIOLATIONS)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("dialog", self._dialog)
        context.on("request", self._request)
        context.on("response", self._response)

    def asked(self, path: str) -> list[Request]:
        """Return the requests for a path, oldest first."""
        return [r for r in self.requests if urlsplit(r.url).path == path]

    def questions(self) -> list[Request]:
        """Return the questions that were sent, oldest first."""
        return [r for r in self.requests if QUESTIONS.search(urlsplit(r.url).path)]

    def refused(self) -> list[str]:
        """Return the answers that were errors."""
        return [f"{r.status} {r.url}" for r in self.responses if not r.ok]

    def is_quiet(self) -> None:
        """Check that nothing went wrong behind the person's back."""
        assert self.errors == []
        assert self.foreign == []

    def _request(self, request: Request) -> None:
        self.requests.append(request)
        if urlsplit(request.url).netloc != self.host:
            self.foreign.append(request.url)

    def _dialog(self, dialog: Dialog) -> None:
        self.errors.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _response(self, response: Response) -> None:
        self.responses.append(response)

    def _console(self, message: ConsoleMessage) -> None:
        # The browser itself notes every refusal and dead line; the page tells those in words.
        network = message.text.startswith("Failed to load resource")
        if message.type in ("error", "warning") and not network:
            self.errors.append(f"{message.type}: {message.text}")


class Visit:
    """A tab with the page, by the names that a person would use."""

    def __init__(self, context: BrowserContext, watch: Watch, url: str) -> None:
        self.context, self.watch, self.url = context, watch, url
        self.look_at(context.new_page())

    def look_at(self, page: Page) -> None:
        """Work in this tab from now on."""
        self.page = page
        self.page.set_default_timeout(PATIENCE_MS)
        self.question = self.page.locator("#question")
        self.button = self.page.locator("#send")
        self.status = self.page.locator("#status")
        self.exchanges = self.page.locator(".exchange")
        self.announcements = self.page.locator("#announcements")
        self.entries = self.page.locator("#list li[data-id] > a")

    def open(self) -> "Visit":
        """Load the page and wait for its first words."""
        self.page.goto(self.url)
        self.page.locator("body[data-view=welcome]").wait_for()
        return self

    def open_link(self, address: str) -> "Visit":
        """Load the page by an address that leads to a place in it."""
        self.page.goto(address)
        self.page.locator("body[data-place]").wait_for()
        return self

    def another_tab(self) -> "Visit":
        """Open the page in a second tab of the same browser."""
        return Visit(self.context, self.watch, self.url).open()

    def same_conversation_in_another_tab(self) -> "Visit":
        """Duplicate the tab: it begins with what this one remembers."""
        with self.context.expect_page() as opened:
            self.page.evaluate("void open(location.href)")
        other = object.__new__(Visit)
        vars(other).update(vars(self))
        other.look_at(opened.value)
        return other

    def ask(self, question: str) -> None:
        """Write a question and press Enter."""
        self.question.fill(question)
        self.question.press("Enter")

    @property
    def answer(self) -> Locator:
        """The newest answer."""
        return self.page.locator(".answer").last

    @property
    def prose(self) -> Locator:
        """The text of the newest answer."""
        return self.answer.locator(".prose")

    @property
    def notice(self) -> Locator:
        """What went wrong with the newest answer."""
        return self.answer.locator(".notice")

    @property
    def retry(self) -> Locator:
        """The button to try again."""
        return self.answer.locator(".retry")

    @property
    def facts(self) -> Locator:
        """What is told under the newest answer."""
        return self.answer.locator(".facts li")

    def is_done(self, state: str = "done") -> None:
        """Wait for the end of the newest answer."""
        newest = ".exchange:last-child .answer"
        self.page.locator(f"{newest}[data-state={state}][aria-busy=false]").wait_for()

    def is_connected(self) -> None:
        """Wait for the green dot."""
        self.page.locator("#status[data-health=connected]").wait_for()

    def looks_again(self) -> None:
        """Come back to the tab after looking elsewhere: the page then checks its connection."""
        self.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    def picture(self, name: str) -> None:
        """Keep a picture for people."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")

    def pictures(self, name: str) -> None:
        """Keep pictures of what is there now: on a phone and on a desktop, at night and by day."""
        for view, (width, height) in {"phone": PHONE, "desktop": DESKTOP}.items():
            self.page.set_viewport_size({"width": width, "height": height})
            for scheme in SCHEMES:
                self.page.emulate_media(color_scheme=scheme)
                self.picture(f"{name}.{view}.{scheme}")


class Visits:
    """Opens visits, each with a browser context of its own, and checks them at the end."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._open: list[tuple[BrowserContext, Watch]] = []

    def new(self, url: str, language: str = "en", **options: Any) -> Visit:
        """Prepare a visit that has not loaded the page yet."""
        context = self._browser.new_context(**{"locale": LANGUAGE[language], **options})
        watch = Watch(urlsplit(url).netloc)
        watch.over(context)
        self._open.append((context, watch))
        return Visit(context, watch, url)

    def open(self, url: str, language: str = "en", **options: Any) -> Visit:
        """Load the page in a new browser context."""
        return self.new(url, language, **options).open()

    def close(self) -> None:
        """Close every context; each must have been quiet."""
        for context, _ in self._open:
            context.close()
        for _, watch in self._open:
            watch.is_quiet()
