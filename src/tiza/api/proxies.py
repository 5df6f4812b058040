"""Whose address a request came from, over HTTPS or not, and to which path, behind proxies.

What a proxy says is believed only if it is one of TRUSTED_PROXIES: anybody can write a header.
"""

import re
from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address, ip_network

from starlette.types import ASGIApp, Receive, Scope, Send

FORWARDING = frozenset(
    {
        b"x-forwarded-for",
        b"x-forwarded-proto",
        b"x-forwarded-prefix",
        b"x-real-ip",
        b"forwarded",
    }
)
PREFIX = "forwarded_prefix"  # in the request's state: what the proxy took off the path, as "/api"
PREFIX_FORM = re.compile(r"(?:/[A-Za-z0-9_-]+)+")
WITH_PORT = re.compile(r"\[([^]]*)\](?::\d+)?|([\d.]+):\d+")
IS_LOCAL = "is_local"  # in the request's state: it was made on this machine, and by no proxy


class TrustedProxies:
    """Puts the client's own address and scheme into the scope."""

    def __init__(self, app: ASGIApp, networks: Sequence[str]) -> None:
        self.app = app
        self._networks = [ip_network(each) for each in networks]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with the address and the scheme that can be believed."""
        if scope["type"] == "http":
            peer = plain(scope["client"][0] if scope.get("client") else "")
            told = [each for each in scope["headers"] if each[0] in FORWARDING]
            address, trusted = peer, self._trusts(peer)
            if told and trusted:
                address = self._client(peer, _joined(told, b"x-forwarded-for"))
                scheme = _joined(told, b"x-forwarded-proto").rpartition(",")[2].strip()
                if scheme in ("http", "https"):
                    scope["scheme"] = scheme
                prefix = _joined(told, b"x-forwarded-prefix")
                if PREFIX_FORM.fullmatch(prefix):
                    scope.setdefault("state", {})[PREFIX] = prefix
            scope["client"] = (address, 0)
            direct = not told and not trusted
            scope.setdefault("state", {})[IS_LOCAL] = direct and _is_loopback(peer)
        await self.app(scope, receive, send)

    def _client(self, peer: str, forwarded_for: str) -> str:
        """Return the last address that no trusted proxy has: those before it may be invented."""
        client = peer
        for each in reversed(forwarded_for.split(",")):
            if not self._trusts(client):
                break
            address = plain(each.strip())
            if not address:
                break
            client = address
        return client

    def _trusts(self, address: str) -> bool:
        if not address or not self._networks:
            return False
        parsed = ip_address(address)
        return any(parsed in network for network in self._networks)


class MountedAt:
    """Lets the application write links that begin with the prefix; the last before the routes.

    Everything before it sees the path as the API names it; routing needs prefix and path (ASGI's
    `root_path`).
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with the path that the client asked for."""
        prefix = scope.get("state", {}).get(PREFIX)
        if prefix:
            raw = scope.get("raw_path") or scope["path"].encode()
            path = {"path": prefix + scope["path"], "raw_path": prefix.encode() + raw}
            scope = {**scope, **path, "root_path": prefix}
        await self.app(scope, receive, send)


def plain(address: str) -> str:
    """Return an address in its one form: no port, no zone, IPv4 as such; empty if it is none."""
    with_port = WITH_PORT.fullmatch(address)
    host = (with_port[1] or with_port[2]) if with_port else address
    try:
        parsed = ip_address(host.partition("%")[0])
    except ValueError:
        return ""
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return str(mapped or parsed)


def _is_loopback(address: str) -> bool:
    return bool(address) and ip_address(address).is_loopback


def _joined(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> str:
    return ",".join(str(value, "latin-1") for key, value in headers if key == name)
