"""One file over HTTP: resumed where it stopped, and kept only if its checksum is right.

Knows nothing of hubs and models.
"""

import hashlib
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage, HTTPResponse
from io import BufferedReader
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from tiza.errors import DownloadBroken, HubFailed

PATIENCE = 60.0  # seconds without a byte
CHUNK = 1 << 18
PARTIAL = 206
PAST_THE_END = 416
ATTEMPTS = 3

Done = Callable[[int], object]
Check = Callable[[BufferedReader], bool]


class _SameHostAuth(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but takes the token to no other host."""

    def redirect_request(  # noqa: PLR0917  # the library's signature
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """Return the next request."""
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        if following is not None and urlsplit(newurl)[:2] != urlsplit(req.full_url)[:2]:
            following.remove_header("Authorization")
        return following


def get(url: str, token: str = "", begin: int = 0) -> HTTPResponse:
    """Ask for an address, from byte `begin` on.

    Raises:
        HubFailed: no answer, or not a good one; `status` in its data, if there is one.

    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise HubFailed(url=url, reason="http(s)?")
    headers = {"User-Agent": "tiza"} | ({"Authorization": f"Bearer {token}"} if token else {})
    if begin:
        headers["Range"] = f"bytes={begin}-"
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  # checked above
    try:
        answer: HTTPResponse = urllib.request.build_opener(_SameHostAuth).open(
            request, timeout=PATIENCE
        )
    except urllib.error.HTTPError as exc:
        with exc:
            raise HubFailed(url=url, reason=f"{exc.code} {exc.reason}", status=exc.code) from exc
    except (OSError, HTTPException, ValueError) as exc:
        raise HubFailed(url=url, reason=_reason(exc)) from exc
    return answer


@dataclass(frozen=True)
class Source:
    """A file: its address, its size in bytes, the check of its content, and a token or ""."""

    url: str
    size: int
    right: Check
    token: str = ""


def fetch(source: Source, target: Path, done: Done) -> None:
    """Download a file, going on from what `target`.part holds already.

    `done` hears of bytes, fewer than none when it begins anew.

    Raises:
        HubFailed: the connection broke several times in a row, or the hub refuses.
        DownloadBroken: the checksum is wrong.

    """
    part = target.with_name(f"{target.name}.part")
    part.touch()
    done(part.stat().st_size)
    attempts = 0
    while (had := part.stat().st_size) < source.size:
        try:
            _go_on(source, part, done)
        except HubFailed as exc:
            if exc.data.get("status") == PAST_THE_END:
                break
            attempts = attempts + 1 if part.stat().st_size == had else 1
            if attempts >= ATTEMPTS or "status" in exc.data:
                raise
    with part.open("rb") as file:
        wrong = part.stat().st_size != source.size or not source.right(file)
    if wrong:
        part.unlink()
        raise DownloadBroken(file=target.name)
    part.rename(target)


def _go_on(source: Source, part: Path, done: Done) -> None:
    had = part.stat().st_size
    with get(source.url, source.token, had) as answer, part.open("ab") as file:
        if had and answer.status != PARTIAL:  # a server that knows no ranges begins anew
            file.truncate(0)
            done(-had)
            had = 0
        try:
            while had < source.size and (chunk := answer.read(min(CHUNK, source.size - had))):
                file.write(chunk)
                had += len(chunk)
                done(len(chunk))
        except (OSError, HTTPException) as exc:
            raise HubFailed(url=source.url, reason=_reason(exc)) from exc
    if had < source.size:
        raise HubFailed(url=source.url, reason="EOF")


def _reason(exc: Exception) -> str:
    return str(getattr(exc, "reason", "") or str(exc) or type(exc).__name__)


def is_sha256(expected: str) -> Check:
    """Return a check of a file's SHA-256 (hexadecimal)."""
    return lambda file: hashlib.file_digest(file, "sha256").hexdigest() == expected


def is_git_blob(expected: str, size: int) -> Check:
    """Return a check of the name that git gives to a file's content."""

    def check(file: BufferedReader) -> bool:
        # Not against forgery, for which the hub gives nothing for small files, but for accidents.
        digest = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
        while chunk := file.read(CHUNK):
            digest.update(chunk)
        return digest.hexdigest() == expected

    return check
