"""The local stack's front door: the page's files, and the API at `/` and under `/api`.

In production Nginx does this. Knows the page as files only.
"""

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
HEADERS = [
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-cache"),
]


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
        self._files = StaticFiles(directory=folder)
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
        elif path in self._paths:
            await self._file(scope, receive, send)
        else:
            await self._api(scope, receive, send)

    async def _file(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *HEADERS]}
            await send(message)

        try:
            await self._files(scope, receive, send_with_headers)
        except HTTPException:  # not GET, or the file has gone: the API has the words for it
            await self._api(scope, receive, send)


def _is_browser(scope: Scope) -> bool:
    return scope["method"] in ("GET", "HEAD") and any(
        key == b"accept" and b"text/html" in value for key, value in scope["headers"]
    )
