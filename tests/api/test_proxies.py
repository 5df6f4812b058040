"""Addresses and schemes behind proxies: only what a trusted one says is believed."""

from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from tests.api.service import running
from tiza.api.proxies import IS_LOCAL, TrustedProxies, plain

TRUSTED = ["10.0.0.0/8", "127.0.0.1/32", "fd00::/8"]


async def seen(
    client: str, *headers: tuple[str, str], trusted: list[str] | None = None
) -> tuple[str, str, bool]:
    """Return the address, the scheme, and whether a request counts as made on this machine."""
    found: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        found.append(scope)

    async def nothing() -> Message:
        raise AssertionError

    async def refuse(message: Message) -> None:
        raise AssertionError

    scope: dict[str, Any] = {"type": "http", "scheme": "http", "client": (client, 1)}
    scope["headers"] = [(name.lower().encode(), value.encode()) for name, value in headers]
    await TrustedProxies(app, TRUSTED if trusted is None else trusted)(scope, nothing, refuse)
    return found[0]["client"][0], found[0]["scheme"], found[0]["state"][IS_LOCAL]


FOR, PROTO = "X-Forwarded-For", "X-Forwarded-Proto"


@pytest.mark.parametrize(
    ("chain", "address"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("198.51.100.9, 203.0.113.5", "203.0.113.5"),  # the first was invented by the client
        ("127.0.0.1, 203.0.113.5", "203.0.113.5"),
        ("203.0.113.5, 10.1.2.3", "203.0.113.5"),
        ("203.0.113.5:4711", "203.0.113.5"),
        ("[2001:db8::7]:4711, fd00::1", "2001:db8::7"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("unknown", "10.0.0.1"),
        ("203.0.113.5, rubbish\x00", "10.0.0.1"),
        ("", "10.0.0.1"),
        ("10.1.1.1, 10.2.2.2", "10.1.1.1"),
    ],
)
async def test_address_is_the_last_that_no_trusted_proxy_has_when_there_is_a_chain(
    chain: str, address: str
) -> None:
    """The right end of the chain was written by who is trusted, its left end by anybody."""
    assert (await seen("10.0.0.1", (FOR, chain)))[0] == address


async def test_headers_are_ignored_when_the_peer_is_not_trusted() -> None:
    """Spoofed headers change neither address nor scheme, and nobody gets local by them."""
    spoofed = (FOR, "127.0.0.1"), (PROTO, "https")
    assert await seen("203.0.113.5", *spoofed) == ("203.0.113.5", "http", False)
    assert await seen("203.0.113.5", *spoofed, trusted=[]) == ("203.0.113.5", "http", False)


async def test_scheme_is_the_proxys_when_it_is_trusted() -> None:
    """Of several values the last counts, and only the two schemes there are."""
    assert (await seen("10.0.0.1", (PROTO, "https")))[1] == "https"
    assert (await seen("10.0.0.1", (PROTO, "http, https")))[1] == "https"
    assert (await seen("10.0.0.1", (PROTO, "gopher")))[1] == "http"


async def test_request_is_local_when_it_comes_from_here_and_through_no_proxy() -> None:
    """What a proxy on this machine hands on is not this machine's, whether it is trusted or not."""
    assert (await seen("127.0.0.1", trusted=[]))[2]
    assert (await seen("::1", trusted=[]))[2]
    assert not (await seen("127.0.0.1", (FOR, "203.0.113.5"), trusted=[]))[2]
    assert not (await seen("127.0.0.1", ("X-Real-IP", "203.0.113.5"), trusted=[]))[2]
    assert not (await seen("127.0.0.1"))[2]
    assert not (await seen("203.0.113.5"))[2]


def test_address_is_empty_when_it_is_none() -> None:
    """Whatever is written where an address belongs, the answer is an address or nothing."""
    for rubbish in ("", "x", ":", "::::", "1.2.3", "[", "é", "1.2.3.4.5", "a:b:c"):
        assert plain(rubbish) == ""


@pytest.mark.parametrize("path", ["/stats", "/metrics"])
async def test_counters_are_for_this_machine_only_when_the_mode_is_open(path: str) -> None:
    """Others do not learn how much the service is used, through whatever proxy they come."""
    async with running(vllm_api_url="http://127.0.0.1:1") as service:
        here = await service.ask(path)
        proxied = await service.ask(path, headers={"X-Forwarded-For": "203.0.113.5"})
    assert here.status == 200
    assert (proxied.status, proxied.json["code"]) == (403, "forbidden")


@pytest.mark.parametrize("mode", ["open", "accounts"])
async def test_counters_are_for_a_monitor_when_it_has_the_key(mode: str, tmp_path: Path) -> None:
    """Elsewhere too, and nothing but the counters; neither another key nor an empty one does."""
    key, away = "0123456789abcdef" * 2, {"X-Forwarded-For": "203.0.113.5"}
    settings: dict[str, Any] = {"vllm_api_url": "http://127.0.0.1:1", "auth_mode": mode}
    settings |= {"var_path": tmp_path}
    async with running(metrics_key=key, **settings) as service:
        for path in ("/stats", "/metrics"):
            known = await service.ask(path, headers=away | {"Authorization": f"Bearer {key}"})
            wrong = await service.ask(path, headers=away | {"Authorization": f"Bearer {key}0"})
            bare = await service.ask(path, headers=away | {"Authorization": key})
            assert known.status == 200
            assert {wrong.status, bare.status} <= {401, 403}
        lessons = await service.ask("/lessons", headers=away | {"Authorization": f"Bearer {key}"})
        assert lessons.status in (401, 403)
    async with running(**settings) as service:
        empty = await service.ask("/metrics", headers=away | {"Authorization": "Bearer "})
        assert empty.status in (401, 403)


async def test_documentation_works_under_the_prefix_when_a_trusted_proxy_took_it_off() -> None:
    """Every address in the pages, and the API's own in the document, begins with what was asked."""
    behind = {"X-Forwarded-Prefix": "/api", "X-Forwarded-For": "203.0.113.5"}
    settings: dict[str, Any] = {
        "vllm_api_url": "http://127.0.0.1:1",
        "trusted_proxies": ["127.0.0.0/8"],
    }
    async with running(**settings) as service:
        page = await service.ask("/docs", headers=behind)
        document = await service.ask("/openapi.json", headers=behind)
        script = await service.ask("/static-offline-docs/swagger-ui-bundle.js", headers=behind)
        nowhere = await service.ask("/nowhere", headers=behind)
        wrong = await service.ask("/health/live", method="POST", headers=behind)
        direct = await service.ask("/docs")
    assert "'/api/openapi.json'" in page.body.decode()
    assert '"/api/static-offline-docs/swagger-ui.css"' in page.body.decode()
    assert document.json["servers"] == [{"url": "/api"}]
    assert script.status == 200
    assert (nowhere.status, "/nowhere" in nowhere.json["detail"]) == (404, True)
    assert (wrong.status, wrong.headers["Allow"]) == (405, "GET")
    assert "'/openapi.json'" in direct.body.decode()


async def test_prefix_is_ignored_when_it_is_no_plain_path_or_from_a_stranger() -> None:
    """It is written into pages, so nothing but names may be in it, and strangers have no say."""
    async with running(trusted_proxies=["127.0.0.0/8"]) as service:
        for prefix in ("//evil.example", "/a?b", "api", "/a/../b", "/<b>", "/"):
            odd = await service.ask("/docs", headers={"X-Forwarded-Prefix": prefix})
            assert b"'/openapi.json'" in odd.body
    async with running() as service:
        strange = await service.ask("/docs", headers={"X-Forwarded-Prefix": "/api"})
    assert b"'/openapi.json'" in strange.body
