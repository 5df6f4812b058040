"""Headers that keep browsers from doing harm, on every kind of answer."""

import re
from base64 import b64encode
from hashlib import sha256

import pytest

from tests.api.service import Service, running

KINDS = ["/models", "/health", "/nowhere", "/conversations/x", "/me", "/metrics", "/openapi.json"]


@pytest.mark.parametrize("path", KINDS)
async def test_answer_is_hardened_when_it_is_data(service: Service, path: str) -> None:
    """No answer is sniffed, framed, run or kept, whether it is good or an error."""
    headers = (await service.ask(path)).headers
    policy = headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"} <= set(policy)
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert "Strict-Transport-Security" not in headers
    assert "Server" not in headers


async def test_stream_and_refusal_are_hardened_when_they_are_sent(service: Service) -> None:
    """Streams, and what is refused before any route is asked, are no exception."""
    stream = await service.chat(stream=True)
    large = await service.ask("/chat", data=b"x" * 300_000)
    for answer in (stream, large):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers.getall("Cache-Control") == ["no-store"]


async def test_https_is_for_ever_when_it_was_used_once() -> None:
    """HSTS is sent over HTTPS, never because somebody only says so."""
    told = {"X-Forwarded-Proto": "https"}
    async with running(vllm_api_url="http://127.0.0.1:1") as service:
        assert "Strict-Transport-Security" not in (await service.ask("/", headers=told)).headers
    async with running(vllm_api_url="http://127.0.0.1:1", trusted_proxies="127.0.0.1") as service:
        secured = await service.ask("/", headers=told)
    assert secured.headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
async def test_documentation_runs_its_own_script_only_when_it_is_read(
    service: Service, path: str
) -> None:
    """Scripts within these pages are named by hash: `unsafe-inline` is not there for scripts."""
    answer = await service.ask(path)
    (policy,) = answer.headers.getall("Content-Security-Policy")
    scripts = next(each for each in policy.split("; ") if each.startswith("script-src"))
    assert "unsafe" not in scripts
    for script in re.findall(rb"<script>(.*?)</script>", answer.body, re.DOTALL):
        assert b64encode(sha256(script).digest()).decode() in scripts
    head = await service.ask(path, method="HEAD")
    assert head.headers["Content-Security-Policy"] == policy


async def test_listed_site_may_send_the_session_when_there_are_accounts() -> None:
    """Only sites that are named may use a session, each by its own name, never by `*`."""
    origin = "https://chat.school.example"
    async with running(
        vllm_api_url="http://127.0.0.1:1", auth_mode="accounts", cors_origins=origin
    ) as service:
        listed = await service.ask("/auth", headers={"Origin": origin})
        other = await service.ask("/auth", headers={"Origin": "https://evil.example"})
    assert listed.headers["Access-Control-Allow-Origin"] == origin
    assert listed.headers["Access-Control-Allow-Credentials"] == "true"
    assert "Access-Control-Allow-Origin" not in other.headers
