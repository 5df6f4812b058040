"""The local stack's front door: the page's files, and the API at `/` and under `/api`.

In production Nginx does this. Knows the page as files only.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import anyio.to_thread
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tiza.api.packing import packed, sent
from tiza.errors import PageMissing

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        *("script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self' data:"),
        *("font-src 'self'", "manifest-src 'self'", "base-uri 'none'", "form-action 'none'"),
        *("frame-ancestors 'none'", "require-trusted-types-for 'script'"),
        "trusted-types tiza dompurify",
    ]
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
    "Vary": "Accept-Encoding",
}
TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
TAKES_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))")


def web_folder() -> Path:
    """Return the page's folder: of the checkout, or of the installed package.

    Raises:
        PageMissing: its libraries were not installed.

    """
    here = Path(__file__).parents[1]
    checkout = here.parents[1] / "web"
    folder = checkout if checkout.is_dir() else here / "web"
    for needed in ("index.html", "vendor"):
        if not (folder / needed).exists():
            raise PageMissing(path=folder / needed)
    return folder


class Page:
    """Answers the page to browsers and hands everything else to the API."""

    def __init__(self, api: ASGIApp, folder: Path) -> None:
        self._api = api
        self._files = _Files(folder)
        self._paths = {
            f"/{path.relative_to(folder).as_posix()}"
            for path in folder.rglob("*")
            if path.is_file() and path.suffix != ".ts"
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Choose between the page and the API."""
        path = scope.get("path", "")
        if scope["type"] != "http":
            await self._api(scope, receive, send)
        elif path == "/api" or path.startswith("/api/"):
            inner = {**scope, "path": path[4:] or "/"}
            await self._api(inner, receive, send)
        elif path == "/" and _is_browser(scope):
            await self._file({**scope, "path": "/index.html"}, receive, send)
        elif path in self._paths and scope["method"] in ("GET", "HEAD"):
            await self._file(scope, receive, send)
        else:
            await self._api(scope, receive, send)

    async def _file(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            file = await anyio.to_thread.run_sync(self._files.read, scope["path"][1:])
        except OSError:  # it has gone: the API has the words for it
            await self._api(scope, receive, send)
        else:
            await file.answer(Headers(scope=scope))(scope, receive, send)


@dataclass(frozen=True)
class _File:
    """A file as it is sent, plain and gzipped."""

    written: tuple[int, int]
    kind: str
    tag: str
    content: bytes
    packed: bytes | None

    def answer(self, asked: Headers) -> Response:
        """Send it, unless the browser has it."""
        headers = {**HEADERS, "ETag": self.tag}
        if self.tag in asked.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if self.packed and TAKES_GZIP.search(asked.get("accept-encoding", "")):
            headers |= {"Content-Encoding": "gzip"}
            return Response(self.packed, headers=headers, media_type=self.kind)
        return Response(self.content, headers=headers, media_type=self.kind)


class _Files:
    """A folder's files, made ready when they are first asked for and when they have changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ready: dict[str, _File] = {}

    def read(self, name: str) -> _File:
        """Return a file; OSError if it has gone."""
        path = self._folder / name
        found = path.stat()
        written = (found.st_mtime_ns, found.st_size)
        file = self._ready.get(name)
        if file is None or file.written != written:
            content = sent(self._folder, path)
            tag = f'W/"{hashlib.sha256(content).hexdigest()[:16]}"'
            kind = TYPES.get(path.suffix, "text/plain")
            file = _File(written, kind, tag, content, packed(content, path.suffix))
            self._ready[name] = file
        return file


def _is_browser(scope: Scope) -> bool:
    return scope["method"] in ("GET", "HEAD") and any(
        key == b"accept" and b"text/html" in value for key, value in scope["headers"]
    )
