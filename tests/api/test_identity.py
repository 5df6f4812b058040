"""Identity: a private cookie, given only to those who need one, and used only by our page."""

from collections.abc import AsyncIterator

import pytest

from tests.api.service import Service, running

OTHER_SITE = [
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
]


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    """Run the application without an engine, for pages of one other site."""
    friends = ["https://friend.example"]
    async with running(vllm_api_url="http://127.0.0.1:1", cors_origins=friends) as service:
        yield service


async def test_cookie_is_private_when_it_is_given(service: Service) -> None:
    """Scripts cannot read it, other sites' forms do not send it, it is long and says nothing."""
    first = await service.ask("/conversations", {})
    second = await service.ask("/conversations", {})

    cookie = first.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    values = {each.headers["Set-Cookie"].partition(";")[0] for each in (first, second)}
    assert len(values) == 2
    assert all(len(value.partition("=")[2]) >= 43 for value in values)


async def test_cookie_is_for_https_only_when_a_trusted_proxy_says_so(service: Service) -> None:
    """Who is not known as a proxy decides nothing about the cookie."""
    told = {"X-Forwarded-Proto": "https"}
    spoofed = await service.ask("/conversations", {}, headers=told)
    async with running(vllm_api_url="http://127.0.0.1:1", trusted_proxies="127.0.0.1") as proxied:
        secured = await proxied.ask("/conversations", {}, headers=told)

    assert "Secure" not in spoofed.headers["Set-Cookie"]
    assert "; Secure" in secured.headers["Set-Cookie"]


@pytest.mark.parametrize(
    "path", ["/health", "/", "/conversations", "/stats", "/openapi.json", "/me/export"]
)
async def test_no_cookie_is_given_when_nothing_is_kept(service: Service, path: str) -> None:
    """Who only looks stays unknown."""
    assert "Set-Cookie" not in (await service.ask(path)).headers


async def test_no_cookie_is_given_when_a_question_is_not_kept(service: Service) -> None:
    """A chat without a conversation needs nobody to be known."""
    assert "Set-Cookie" not in (await service.chat()).headers


async def test_same_person_is_known_when_the_cookie_comes_back(service: Service) -> None:
    """The cookie is renewed, not replaced; one that nobody has is replaced."""
    first = await service.ask("/conversations", {})
    cookie = first.headers["Set-Cookie"].partition(";")[0]

    again = await service.ask("/conversations", {}, headers={"Cookie": cookie})
    forged = await service.ask("/conversations", {}, headers={"Cookie": "tiza_person=forged"})

    assert again.headers["Set-Cookie"].startswith(f"{cookie};")
    listed = await service.ask("/conversations", headers={"Cookie": cookie})
    assert len(listed.json["conversations"]) == 2
    assert "forged" not in forged.headers["Set-Cookie"]


@pytest.mark.parametrize("headers", OTHER_SITE)
async def test_change_is_refused_when_another_site_asks_for_it(
    service: Service, headers: dict[str, str]
) -> None:
    """A page of another site changes nothing in a person's name."""
    made = await service.ask("/conversations", {})
    known = {"Cookie": made.headers["Set-Cookie"].partition(";")[0]}
    path = f"/conversations/{made.json['id']}"

    for cookie in (known, {}):
        refused = await service.ask("/conversations", {}, headers=headers | cookie)
        assert (refused.status, refused.json["code"]) == (403, "forbidden")
        assert "Set-Cookie" not in refused.headers
    refused = await service.ask(path, method="DELETE", headers=headers | known)
    assert refused.status == 403
    assert (await service.ask(path, headers=known)).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://friend.example"},
        {"Origin": "http://class.example", "Host": "class.example"},
    ],
)
async def test_change_is_made_when_our_page_or_a_program_asks(
    service: Service, headers: dict[str, str]
) -> None:
    """Our own page, sites that the operator lists, and programs may."""
    assert (await service.ask("/conversations", {}, headers=headers)).status == 201
