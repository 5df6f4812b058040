"""An OpenID provider, such as a school's: OpenID Connect Core 1.0, the authorisation code flow.

With PKCE (RFC 7636), state, nonce, and the issuer in the answer where the provider sends it
(RFC 9207). Knows HTTP and tokens; knows nothing of accounts.
"""

import hashlib
import hmac
import secrets
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import orjson

from tiza.api.precautions import is_loopback
from tiza.errors import ProviderAway, ProviderRefused

PATIENCE_SECONDS = 10.0
MOST_BYTES = 1_048_576  # of an answer
REMEMBERED_SECONDS = 3600.0  # how long the provider's description and keys are taken as they were
ASK_AGAIN_SECONDS = 60.0  # least time between two looks for a key that is unknown
LEEWAY_SECONDS = 60  # between its clock and ours
ALGORITHMS = ["RS256", "PS256", "ES256", "Ed25519"]  # all asymmetric
KINDS = ("RSA", "EC", "OKP")
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True)
class Client:
    """What this installation is at the provider. An empty secret: a public client."""

    issuer: str
    id: str
    secret: str
    redirect_uri: str


@dataclass(frozen=True)
class Trip:
    """What has to come back the same from the provider's page."""

    state: str = field(default_factory=secrets.token_urlsafe)
    nonce: str = field(default_factory=secrets.token_urlsafe)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))


class Provider:
    """Asks one provider. All methods raise ProviderAway and ProviderRefused."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._description: dict[str, Any] = {}
        self._keys: dict[str, Any] = {}
        self._described = self._fetched = -REMEMBERED_SECONDS

    async def page(self, trip: Trip) -> str:
        """Return the address at which somebody signs in."""
        challenge = hashlib.sha256(trip.verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self._client.id,
            "redirect_uri": self._client.redirect_uri,
            "scope": "openid profile",
            "state": trip.state,
            "nonce": trip.nonce,
            "code_challenge": urlsafe_b64encode(challenge).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        endpoint: str = (await self._describe())["authorization_endpoint"]
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    async def claims(self, trip: Trip, answer: Mapping[str, str]) -> Mapping[str, Any]:
        """Return what the provider says of somebody who has come back with its answer."""
        description = await self._describe()
        if not hmac.compare_digest(answer.get("state", "").encode(), trip.state.encode()):
            raise ProviderRefused(reason="another state came back")
        if answer.get("iss", self._client.issuer) != self._client.issuer:
            raise ProviderRefused(reason="another issuer has answered")
        if not answer.get("code"):
            raise ProviderRefused(reason=answer.get("error", "no code")[:100])
        token = await self._exchange(description, answer["code"], trip.verifier)
        claims = await self._verified(token)
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), trip.nonce.encode()):
            raise ProviderRefused(reason="another nonce came back")
        return claims

    async def _describe(self) -> dict[str, Any]:
        if time.monotonic() - self._described > REMEMBERED_SECONDS:
            url = f"{self._client.issuer}/.well-known/openid-configuration"
            found = await _ask("GET", url)
            if found.get("issuer") != self._client.issuer:
                raise ProviderRefused(reason=f"it calls itself {found.get('issuer')}")
            for endpoint in ENDPOINTS:
                _check_address(found.get(endpoint))
            self._description, self._described = found, time.monotonic()
        return self._description

    async def _exchange(self, description: Mapping[str, Any], code: str, verifier: str) -> str:
        """Exchange the code for an ID token (RFC 6749, 4.1.3)."""
        client, headers = self._client, {}
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": client.redirect_uri,
            "code_verifier": verifier,
            "client_id": client.id,
        }
        methods = description.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if client.secret and "client_secret_basic" in methods:
            pair = f"{quote(client.id, safe='')}:{quote(client.secret, safe='')}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        elif client.secret:
            form["client_secret"] = client.secret
        answer = await _ask("POST", description["token_endpoint"], form, headers)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise ProviderRefused(reason="no ID token")
        return token

    async def _verified(self, token: str) -> Mapping[str, Any]:
        """Check an ID token as OpenID Connect Core, 3.1.3.7, asks."""
        from joserfc import jwt
        from joserfc.errors import JoseError

        try:
            found = jwt.decode(token, await self._key_of(token), ALGORITHMS).claims
            jwt.JWTClaimsRegistry(
                leeway=LEEWAY_SECONDS,
                iss={"essential": True, "value": self._client.issuer},
                aud={"essential": True, "value": self._client.id},
                sub={"essential": True},
                exp={"essential": True},
                iat={"essential": True},
            ).validate(found)
        except (JoseError, ValueError, TypeError, KeyError) as exc:
            raise ProviderRefused(reason=f"{type(exc).__name__}: {exc}") from exc
        several = isinstance(found["aud"], list) and len(found["aud"]) > 1
        if found.get("azp", None if several else self._client.id) != self._client.id:
            raise ProviderRefused(reason="the token was made for another")
        return found

    async def _key_of(self, token: str) -> Any:
        """Return the public key that a token names; look again where it is new (rotation)."""
        from joserfc.jws import extract_compact

        kid = extract_compact(token.encode()).headers().get("kid", "")
        age = time.monotonic() - self._fetched
        if age > REMEMBERED_SECONDS or (kid not in self._keys and age > ASK_AGAIN_SECONDS):
            described = await _ask("GET", (await self._describe())["jwks_uri"])
            self._keys, self._fetched = _public_keys(described), time.monotonic()
        return self._keys[kid]


def _public_keys(described: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys that may sign, by id; a single one without an id goes by the empty one."""
    from joserfc.jwk import import_key

    signing = [
        key
        for key in described.get("keys", [])
        if key.get("kty") in KINDS and key.get("use", "sig") == "sig"
    ]
    return {key.get("kid", ""): import_key(key) for key in signing}


def _check_address(url: object) -> None:
    parts = urlsplit(url if isinstance(url, str) else "")
    if parts.scheme != "https" and not (
        parts.scheme == "http" and is_loopback(parts.hostname or "")
    ):
        raise ProviderRefused(reason=f"an endpoint without HTTPS: {url}")


async def _ask(
    method: str,
    url: str,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Send a request and return the JSON object that comes back."""
    import aiohttp  # most schools have no provider, and it is a tenth of the API's memory

    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE_SECONDS)) as session,
            session.request(
                method, url, data=form, headers=headers, allow_redirects=False
            ) as response,
        ):
            body = await response.content.read(MOST_BYTES)
    except (aiohttp.ClientError, TimeoutError, OSError) as exc:
        raise ProviderAway(reason=f"{url}: {type(exc).__name__}") from exc
    if response.status >= 500:  # noqa: PLR2004  # its fault, and perhaps over soon
        raise ProviderAway(reason=f"{url}: {response.status}")
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        raise ProviderRefused(reason=f"{url}: no JSON") from exc
    if not response.ok or not isinstance(found, dict):
        raise ProviderRefused(reason=f"{url}: {response.status}")
    return found
