"""What every answer tells the browser, so that it helps nobody who means harm; pure ASGI."""

import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HSTS = "max-age=31536000"
DATA: Mapping[str, str] = {  # for what is no page: nothing in it is to be run, framed or kept
    "content-security-policy": (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-site",
    "cache-control": "no-store",
}
DOCS = frozenset({"/docs", "/redoc"})
# The libraries of these pages write styles into the document, which no hash can name beforehand.
DOCS_POLICY = (
    "default-src 'self'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; worker-src 'self' blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


class Hardened:
    """Adds the headers that an answer does not have yet, to its start only."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=list(message.get("headers", [])))
                for name, value in DATA.items():
                    headers.setdefault(name, value)
                if scope["scheme"] == "https":
                    headers["strict-transport-security"] = HSTS
                message = {**message, "headers": headers.raw}
            await send(message)

        await self.app(scope, receive, send_hardened)


class ClosedDocs:
    """Keeps the documentation pages from loading anything from elsewhere: logos, badges.

    The one script that is written within each of them is named by its hash, no other runs.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Give the pages a policy that a browser enforces."""
        start: Message = {}

        async def send_with_policy(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message  # the page follows in one piece, and its hash has to go before it
                return
            policy = DOCS_POLICY.format(scripts=_hashes(message.get("body", b""))).encode()
            headers = [*start.get("headers", []), (b"content-security-policy", policy)]
            await send({**start, "headers": headers})
            await send(message)

        is_docs = scope.get("path") in DOCS
        await self.app(scope, receive, send_with_policy if is_docs else send)


def _hashes(page: bytes) -> str:
    digests = (sha256(script).digest() for script in INLINE_SCRIPT.findall(page))
    return " ".join(f"'sha256-{b64encode(digest).decode()}'" for digest in digests)
