"""The OpenAPI document tells the truth: what it describes is what is answered."""

import asyncio
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings

from tests.api.faulty_engine import MODEL, faulty_engine
from tests.api.service import DEADLINE, Service, running
from tiza.api.app import create_app
from tiza.api.teaching import runs
from tiza.settings import Settings

EXAMPLES = 30  # for each endpoint, besides those at the edges of every bound
NO_FILE: dict[str, Any] = {"_env_file": None}
DOCUMENT = create_app(Settings(**NO_FILE)).openapi()
schema = schemathesis.openapi.from_dict(DOCUMENT)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the application and a good engine in a thread, for tests that are not asynchronous.

    Lessons and models are a place's of their own, and trainings end as soon as they begin.
    """
    folder = tmp_path_factory.mktemp("school")
    patch = pytest.MonkeyPatch()
    patch.setattr(runs, "TEACH", (sys.executable, "-S", "-c", ""))
    loop, found = asyncio.new_event_loop(), threading.Event()
    url, stop = "", asyncio.Event()

    async def serve() -> None:
        nonlocal url
        places: dict[str, Any] = {
            "taxonomy_path": folder / "taxonomy",
            "models_path": folder / "models",
        }
        async with faulty_engine() as engine, running(vllm_api_url=engine.url, **places) as service:
            url = service.url
            found.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert found.wait(DEADLINE)
    yield url
    loop.call_soon_threadsafe(stop.set)
    thread.join(DEADLINE)
    loop.close()
    patch.undo()


def _make_sense(case: "schemathesis.Case[Any]") -> None:
    """Keep to what no schema can say: where cursors and parents come from."""
    case.query.pop("cursor", None)
    if case.path == "/lessons/{path}" and case.method in ("PUT", "DELETE"):
        case.headers["If-Match"] = '"as it was read"'
    if case.path == "/conversations/import" and isinstance(case.body, dict):
        body: dict[str, Any] = case.body
        if (body.get("messages") is None) == (body.get("conversations") is None):
            body.update(messages=[{"role": "user", "content": "x"}], conversations=None)
        for each in [body, *(body.get("conversations") or [])]:
            for message in each.get("messages") or []:
                message.pop("parent_id", None)
                message.pop("id", None)


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_answers_are_as_described_when_requests_are_generated(
    case: "schemathesis.Case[Any]", address: str
) -> None:
    """Valid requests are answered, others refused, all in the statuses and forms described."""
    if isinstance(case.body, dict) and isinstance(case.body.get("model"), str):
        case.body["model"] = MODEL  # else nearly every request is for an unknown model
    if case.meta and case.meta.generation.mode.is_positive:
        _make_sense(case)
    case.call_and_validate(base_url=address)


async def test_document_is_the_one_above_when_it_is_asked_for(service: Service) -> None:
    """Clients read the document that these tests are made from."""
    assert (await service.ask("/openapi.json")).json == DOCUMENT


def test_errors_are_described_as_problems_when_the_document_is_read() -> None:
    """Each endpoint names the errors of the contract, in the media type that they have."""
    for path in ("/chat", "/v1/chat/completions", "/v1/completions"):
        responses = DOCUMENT["paths"][path]["post"]["responses"]
        for status in ("404", "413", "422", "500", "502", "503", "504"):
            assert responses[status]["content"] == {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
            }
