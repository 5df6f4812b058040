"""A small OpenID provider: discovery, a sign-in page that says yes, codes, PKCE, signed tokens.

It keeps to OpenID Connect Core 1.0 and RFC 7636 unless a test tells it to do harm.
"""

import hashlib
import secrets
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote, urlencode

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET = "tiza at school", "a secret: with % and +"


class OpenIdProvider:
    """Signs in `subject` whenever somebody comes. `spoil` changes the claims or the token."""

    def __init__(self) -> None:
        self.url = ""
        self.subject: dict[str, Any] = {"sub": "s-17", "preferred_username": "Eva"}
        self.key = RSAKey.generate_key(2048, {"kid": "1"}, private=True)
        self.spoil_claims: Callable[[dict[str, Any]], dict[str, Any]] = lambda claims: claims
        self.sign: Callable[[dict[str, Any]], str] = self.signed
        self.keys_asked = 0
        self._codes: dict[str, dict[str, str]] = {}

    def signed(self, claims: dict[str, Any]) -> str:
        """Write an ID token."""
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key, ["RS256"])

    def rotate(self) -> None:
        """Sign with another key from now on."""
        self.key = RSAKey.generate_key(2048, {"kid": secrets.token_hex(4)}, private=True)

    def application(self) -> web.Application:
        """Make its web server."""
        application = web.Application()
        application.router.add_get("/.well-known/openid-configuration", self._describe)
        application.router.add_get("/authorize", self._authorize)
        application.router.add_post("/token", self._token)
        application.router.add_get("/jwks", self._jwks)
        return application

    async def _describe(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/jwks",
                "response_types_supported": ["code"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    async def _authorize(self, request: web.Request) -> web.Response:
        asked = dict(request.query)
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT_ID
        assert "openid" in asked["scope"].split()
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe()
        self._codes[code] = asked
        back = {"code": code, "state": asked["state"], "iss": self.url}
        raise web.HTTPFound(f"{asked['redirect_uri']}?{urlencode(back)}")

    async def _token(self, request: web.Request) -> web.Response:
        form = {key: str(value) for key, value in (await request.post()).items()}
        asked = self._codes.pop(form.get("code", ""), None)  # it works once
        if asked is None or not self._is_client(request) or not _fits(form, asked):
            return web.json_response({"error": "invalid_grant"}, status=400)
        now = int(time.time())
        claims = self.subject | {
            "iss": self.url,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
        }
        token = self.sign(self.spoil_claims(claims))
        return web.json_response({"access_token": "x", "token_type": "Bearer", "id_token": token})

    async def _jwks(self, _request: web.Request) -> web.Response:
        self.keys_asked += 1
        keys = [self.key.as_dict(private=False), {"kty": "oct", "k": "c2VjcmV0", "kid": "oct"}]
        return web.json_response({"keys": keys})

    def _is_client(self, request: web.Request) -> bool:
        _, _, basic = request.headers.get("Authorization", "").partition(" ")
        id_, _, secret = b64decode(basic).decode().partition(":")
        return (unquote(id_), unquote(secret)) == (CLIENT_ID, CLIENT_SECRET)


def _fits(form: dict[str, str], asked: dict[str, str]) -> bool:
    digest = hashlib.sha256(form["code_verifier"].encode()).digest()
    challenge = urlsafe_b64encode(digest).decode().rstrip("=")
    return (challenge, form["redirect_uri"]) == (asked["code_challenge"], asked["redirect_uri"])


@asynccontextmanager
async def openid_provider() -> AsyncIterator[OpenIdProvider]:
    """Run one for the length of the block."""
    provider = OpenIdProvider()
    runner = web.AppRunner(provider.application())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    provider.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield provider
    finally:
        await runner.cleanup()
