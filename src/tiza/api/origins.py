"""Requests that a page of another site makes in somebody's name.

Browsers say where a request comes from, in `Sec-Fetch-Site` and `Origin`; programs say neither.
"""

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from tiza.settings import LOOPBACK

READING = frozenset({"GET", "HEAD", "OPTIONS"})


def is_foreign(method: str, headers: Mapping[str, str], friends: Collection[str]) -> bool:
    """Tell whether a request asks for a change and is another site's; `friends` may ask."""
    if method in READING:
        return False
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if origin in friends or site in ("same-origin", "none"):
        return False
    ours = origin is not None and urlsplit(origin).netloc == headers.get("host")
    return site is not None or not (origin is None or ours)


def is_loopback_name(host: str) -> bool:
    """Tell whether a Host header names this machine by a name that nobody else can have."""
    try:
        return urlsplit(f"//{host}").hostname in LOOPBACK
    except ValueError:
        return False
