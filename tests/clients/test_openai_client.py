"""OpenAI's own Python client: answers, streams, and its exception for each refusal."""

import json

import pytest

from tests.clients.conftest import Run, Stacks
from tests.e2e.stacks import FrontStack, RealStack

REFUSALS = {
    "a bound": ({}, {"temperature": 5}, "UnprocessableEntityError", 422, "invalid_request"),
    "an unknown model": ({}, {"model": "gone"}, "NotFoundError", 404, "model_not_found"),
    "a wrong key": (
        {"AUTH_MODE": "accounts", "SECRET_KEY": "a-secret-only-for-this-test-of-clients"},
        {},
        "AuthenticationError",
        401,
        "unauthenticated",
    ),
}


def test_answers_are_the_same_when_whole_or_streamed(
    run: Run, real: RealStack | FrontStack
) -> None:
    """Models, chat, stream with usage, plain completion, and the request's id."""
    found = run("openai", "openai_answers.py", f"{real.url}v1")
    assert found["plain"]
    assert found["plain"] == found["streamed"]
    assert found["usage"] == found["streamed_usage"] > 0
    assert found["finish"] in ("stop", "length")
    assert found["text"]
    assert found["request_id"]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_refusal_is_the_clients_own_exception_when_it_is_of_a_known_kind(
    refusal: str, run: Run, scripted: Stacks
) -> None:
    """With our code and our sentence in it."""
    settings, body, kind, status, code = REFUSALS[refusal]
    stack = scripted(**settings)
    found = run("openai", "openai_errors.py", f"{stack.url}v1", "tiza_wrong", json.dumps(body))
    assert (found["class"], found["status"], found["code"]) == (kind, status, code)
    assert found["message"]


def test_engine_that_is_away_is_a_servers_error(run: Run, scripted: Stacks) -> None:
    """503: what the client tries again by itself."""
    stack = scripted()
    stack.engine.goes()
    found = run("openai", "openai_errors.py", f"{stack.url}v1", "unused", "{}")
    assert (found["class"], found["status"]) == ("InternalServerError", 503)
    assert found["code"] == "engine_unreachable"


def test_client_is_told_how_long_to_wait_when_it_asks_too_often(run: Run, scripted: Stacks) -> None:
    """429 is its RateLimitError, and `Retry-After` is there for its own retries."""
    stack = scripted(MAX_REQUESTS=1)
    asked = [run("openai", "openai_errors.py", f"{stack.url}v1", "unused", "{}") for _ in range(2)]
    assert asked[0]["class"] == ""
    assert (asked[1]["class"], asked[1]["code"]) == ("RateLimitError", "rate_limited")
    assert int(asked[1]["retry_after"]) > 0
