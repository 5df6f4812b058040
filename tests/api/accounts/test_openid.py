"""Signing in at an OpenID provider that is really there, by real redirects and signatures."""

import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from starlette.types import ASGIApp
from yarl import URL

from tests.api.accounts.conftest import OPERATOR, START_SECONDS, cookie_of
from tests.api.accounts.openid_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    OpenIdProvider,
    openid_provider,
)
from tests.api.service import Service, running, until
from tests.conftest import free_port
from tiza.api.accounts import provider as our_side
from tiza.api.accounts.gates import ANONYMOUS
from tiza.api.page import Page
from tiza.api.server import _with_direct_send


@pytest.fixture
async def provider() -> AsyncIterator[OpenIdProvider]:
    """Run a provider."""
    async with openid_provider() as provider:
        yield provider


def with_page(folder: Path) -> Callable[[ASGIApp], ASGIApp]:
    """Serve a page at `/` and the API under `/api`, as in the local stack."""
    (folder / "index.html").write_text("<!doctype html><title>Tiza</title>")
    return lambda app: _with_direct_send(Page(app, folder))


@pytest.fixture
async def service(provider: OpenIdProvider, tmp_path: Path) -> AsyncIterator[Service]:
    """Run the service in `oidc` mode, at an address that it is told afterwards."""
    async with running(
        wrap=with_page(tmp_path),
        vllm_api_url="http://127.0.0.1:1",
        auth_mode="oidc",
        oidc_issuer=provider.url,
        oidc_client_id=CLIENT_ID,
        oidc_client_secret=CLIENT_SECRET,
        public_url=f"http://127.0.0.1:{free_port()}",
    ) as service:
        assert service.state.access.provider is not None
        client = service.state.access.provider._client
        redirect = f"{service.url}/api/auth/oidc/callback"
        object.__setattr__(client, "redirect_uri", redirect)
        await until(lambda: service.state.opening.is_open, START_SECONDS)
        yield service


class Browser:
    """Follows redirects by itself, with a jar of its own, as far as it is told."""

    def __init__(self, service: Service) -> None:
        self.service = service
        jar = aiohttp.CookieJar(unsafe=True)
        self.session = aiohttp.ClientSession(cookie_jar=jar)

    async def go(self, url: str) -> tuple[int, str, dict[str, str]]:
        """Ask, and return the status, where it leads, and the cookies that are set."""
        async with self.session.get(URL(url, encoded=True), allow_redirects=False) as response:
            set_ = {name: each.value for name, each in response.cookies.items()}
            return response.status, response.headers.get("Location", ""), set_

    async def there(self) -> str:
        """Go to the provider and sign in there; return the address that leads back."""
        status, page, _ = await self.go(f"{self.service.url}/api/auth/oidc")
        assert status == 303
        status, back, _ = await self.go(page)
        assert status == 302
        return back

    async def me(self) -> dict[str, Any]:
        """Return who one is."""
        async with self.session.get(f"{self.service.url}/api/me") as response:
            found: dict[str, Any] = await response.json()
            return found | {"status": response.status}


@pytest.fixture
async def browser(service: Service) -> AsyncIterator[Browser]:
    """Open a browser."""
    browser = Browser(service)
    yield browser
    await browser.session.close()


async def test_student_has_a_session_when_the_provider_vouches(
    browser: Browser, provider: OpenIdProvider
) -> None:
    """There, sign in, and back: an account is made once, and found again the next time."""
    assert (await browser.me())["status"] == 401
    status, home, cookies = await browser.go(await browser.there())
    assert (status, urlsplit(home).path) == (303, "/")
    assert "tiza_session" in cookies
    me = await browser.me()
    assert me.pop("quota")
    assert me == {"mode": "oidc", "role": "student", "name": "Eva", "status": 200}

    provider.subject["preferred_username"] = "Another name"
    await browser.go(await browser.there())
    assert (await browser.me())["name"] == "Eva"
    async with browser.session.get(f"{browser.service.url}/api/auth") as response:
        assert await response.json() == {"mode": "oidc", "sign_in": "/auth/oidc"}


async def test_request_has_what_the_standards_ask_when_somebody_leaves(browser: Browser) -> None:
    """State, nonce and PKCE are new each time, and nothing of them can be read in the cookie."""
    pages = [await browser.go(f"{browser.service.url}/api/auth/oidc") for _ in range(2)]
    queries = [parse_qs(urlsplit(page).query) for _, page, _ in pages]
    for name in ("state", "nonce", "code_challenge"):
        values = {query[name][0] for query in queries}
        assert len(values) == 2
        assert all(len(value) >= 43 for value in values)
        assert not any(value in str(pages[0][2]) for value in values)


async def test_sign_in_is_refused_when_the_answer_is_another_browsers(
    browser: Browser, service: Service
) -> None:
    """A link with somebody else's code signs nobody in (login CSRF), nor does a second use."""
    back = await browser.there()
    other = Browser(service)
    try:
        assert (await other.go(back))[0] == 401
        await other.there()
        assert (await other.go(back))[0] == 401
        assert (await other.me())["status"] == 401
    finally:
        await other.session.close()
    assert (await browser.go(back))[0] == 303
    assert (await browser.go(back))[0] == 401


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("iss", "https://evil.example"),
        ("aud", "another client"),
        ("aud", ["another client"]),
        ("aud", [CLIENT_ID, "another client"]),
        ("azp", "another client"),
        pytest.param("exp", int(time.time()) - 3600, id="exp-past"),
        ("exp", None),
        ("nonce", "another"),
        ("nonce", None),
        ("sub", None),
    ],
)
async def test_sign_in_is_refused_when_a_claim_is_wrong(
    browser: Browser, provider: OpenIdProvider, name: str, value: object
) -> None:
    """A token for others, of others, for another trip or without an end is worth nothing."""

    def spoil(claims: dict[str, Any]) -> dict[str, Any]:
        changed = claims | {name: value}
        return {key: each for key, each in changed.items() if each is not None}

    provider.spoil_claims = spoil
    assert (await browser.go(await browser.there()))[0] == 401
    assert (await browser.me())["status"] == 401


def _with_own_key(provider: OpenIdProvider, claims: dict[str, Any]) -> str:
    attacker = RSAKey.generate_key(2048, private=True)
    return jwt.encode({"alg": "RS256", "kid": provider.key.kid}, claims, attacker, ["RS256"])


def _with_public_key_as_secret(provider: OpenIdProvider, claims: dict[str, Any]) -> str:
    secret = OctKey.import_key(json.dumps(provider.key.as_dict(private=False)).encode())
    return jwt.encode({"alg": "HS256", "kid": provider.key.kid}, claims, secret, ["HS256"])


def _with_listed_secret(_provider: OpenIdProvider, claims: dict[str, Any]) -> str:
    secret = OctKey.import_key({"kty": "oct", "k": "c2VjcmV0"})
    return jwt.encode({"alg": "HS256", "kid": "oct"}, claims, secret, ["HS256"])


def _without_signature(provider: OpenIdProvider, claims: dict[str, Any]) -> str:
    head, body, _ = provider.signed(claims).split(".")
    return f"eyJhbGciOiJub25lIn0.{body}." if head else ""


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
@pytest.mark.parametrize(
    "forge",
    [_with_own_key, _with_public_key_as_secret, _with_listed_secret, _without_signature],
)
async def test_sign_in_is_refused_when_the_token_is_forged(
    browser: Browser,
    provider: OpenIdProvider,
    forge: Callable[[OpenIdProvider, dict[str, Any]], str],
) -> None:
    """Only the provider's own asymmetric keys sign."""
    provider.sign = lambda claims: forge(provider, claims)
    assert (await browser.go(await browser.there()))[0] == 401


async def test_new_key_is_found_when_the_provider_rotates(
    browser: Browser, provider: OpenIdProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that is new is looked for, but not more often than once a minute."""
    await browser.go(await browser.there())
    provider.rotate()
    assert (await browser.go(await browser.there()))[0] == 401
    assert provider.keys_asked == 1
    monkeypatch.setattr(our_side, "ASK_AGAIN_SECONDS", 0.0)
    assert (await browser.go(await browser.there()))[0] == 303
    assert provider.keys_asked == 2


async def test_answer_is_503_when_the_provider_is_away(browser: Browser) -> None:
    """Who cannot be vouched for now may come back later."""
    provider = browser.service.state.access.provider
    assert provider is not None
    object.__setattr__(provider._client, "issuer", "http://127.0.0.1:1")
    status, _, _ = await browser.go(f"{browser.service.url}/api/auth/oidc")
    assert status == 503


async def test_nobody_comes_in_when_their_account_is_disabled(browser: Browser) -> None:
    """What the school says does not open what the operator has closed."""
    await browser.go(await browser.there())
    service = browser.service

    async def disable() -> None:
        store = await service.state.opening.get()
        await store.accounts.disable(OPERATOR, "Eva")
        service.state.access.forget()

    await service.run(disable)
    assert (await browser.me())["status"] == 401
    assert (await browser.go(await browser.there()))[0] == 401


async def test_conversations_stay_ones_own_when_an_account_is_new(browser: Browser) -> None:
    """Who was known by the anonymous cookie keeps what it had."""
    service = browser.service

    async def welcome() -> str:
        store = await service.state.opening.get()
        person, token = await store.people.welcome()
        await store.conversations.create(person, "Before")
        return token

    token = await service.run(welcome)
    browser.session.cookie_jar.update_cookies({ANONYMOUS: token}, URL(service.url))
    await browser.go(await browser.there())
    async with browser.session.get(f"{service.url}/api/conversations") as response:
        listed = (await response.json())["conversations"]
    assert [each["title"] for each in listed] == ["Before"]


async def test_there_is_no_provider_when_the_mode_is_another(provider: OpenIdProvider) -> None:
    """Without AUTH_MODE=oidc nobody is sent anywhere."""
    async with running(vllm_api_url="http://127.0.0.1:1") as service:
        answer = await service.ask("/auth/oidc")
    assert answer.status == 404
    assert not cookie_of(answer, "tiza_trip")
