"""Every endpoint of the OpenAPI document, so that a new one cannot be forgotten."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.api.accounts.conftest import Class
from tiza.api.accounts import places
from tiza.api.app import create_app
from tiza.settings import Settings

NO_FILE: dict[str, Any] = {"_env_file": None}
PATHS: Mapping[str, Any] = create_app(Settings(**NO_FILE)).openapi()["paths"]
METHODS = ("get", "post", "put", "patch", "delete")
BODIES: Mapping[str, object] = {  # what an attacker would send; others get an empty object
    "/chat": {"message": "Mine?", "conversation_id": "{conversation_id}"},
    "/conversations/{conversation_id}/messages": {"message": "Mine?"},
    "/conversations/{conversation_id}": {"title": "Mine now"},
    "/messages/{message_id}/edit": {"message": "Mine?"},
    "/messages/{message_id}/feedback": {"rating": "down"},
    "/users/{name}": {"role": "admin"},
}
OPEN_TO_ALL = {"/health", "/health/live", "/health/ready", "/auth", "/auth/jwks"}
NO_TRACE = "The secret of Ana"


def operations() -> Iterator[tuple[str, str]]:
    """Yield every method and path."""
    for path, each in PATHS.items():
        for method in METHODS:
            if method in each:
                yield method.upper(), path


def filled(template: Any, objects: Mapping[str, str]) -> Any:
    """Put Ana's objects where a path or a body names one."""
    if isinstance(template, str):
        for name, value in objects.items():
            template = template.replace(f"{{{name}}}", value)
        assert "{" not in template, f"no object of Ana's for {template}"
        return template
    if isinstance(template, dict):
        return {key: filled(value, objects) for key, value in template.items()}
    return template


async def anas_objects(school: Class) -> Mapping[str, str]:
    """Make one of everything for Ana, and return how it is called in paths."""
    made = (await school.ask("ana", "/conversations", {"title": NO_TRACE})).json
    path = f"/conversations/{made['id']}/messages"
    answer = (await school.ask("ana", path, {"message": NO_TRACE})).json
    key = await school.key("ana")
    invitation = await school.ask("tom", "/invitations", {"uses": 3, "label": NO_TRACE})
    return {
        "conversation_id": made["id"],
        "message_id": answer["message_id"],
        "question_id": answer["message_id"],
        "answer_id": answer["message_id"],
        "stream_id": answer["message_id"],
        "key_id": key.split("_")[1],
        "invitation_id": invitation.json["id"],
        "name": "ana",
        "path": "knowledge/science/chalk",
        "run_id": "20260101-000000",
    }


async def test_nothing_of_ana_is_ben_s_when_he_asks_every_endpoint(school: Class) -> None:
    """Another student's objects are 404 (or 403 where a role is missing), and stay as they are."""
    objects = await anas_objects(school)
    before = (await school.ask("ana", f"/conversations/{objects['conversation_id']}")).json
    asked = 0
    for method, path in operations():
        if "{" not in path and "{" not in str(BODIES.get(path, "")):
            continue
        body = None if method in ("GET", "DELETE") else filled(BODIES.get(path, {}), objects)
        answer = await school.ask("ben", filled(path, objects), body, method)
        where = f"{method} {path}: {answer.status} {answer.body[:200]!r}"
        assert answer.status in (403, 404, 422), where
        assert answer.status != 422 or path not in BODIES, where
        assert NO_TRACE.encode() not in answer.body, where
        asked += 1

    assert asked >= 15
    after = (await school.ask("ana", f"/conversations/{objects['conversation_id']}")).json
    assert after == before
    assert len((await school.ask("ana", "/me/keys")).json) == 1
    assert len((await school.ask("tom", "/invitations")).json) == 1
    assert (await school.ask("ana", "/me")).json["role"] == "student"


async def test_nothing_of_ana_is_listed_when_ben_asks_for_lists(school: Class) -> None:
    """Lists, searches and exports have only what is one's own."""
    await anas_objects(school)
    for method, path in operations():
        if method == "GET" and "{" not in path and not path.startswith("/auth/oidc"):
            for query in ("", "?q=secret"):
                answer = await school.ask("ben", path + query)
                assert NO_TRACE.encode() not in answer.body, path


async def test_every_endpoint_is_closed_when_nobody_has_signed_in(school: Class) -> None:
    """What is not known as public is 401 for strangers, also endpoints that are new."""
    for method, path in operations():
        if path in places.PUBLIC or path in places.COUNTERS:
            continue
        body: object = None if method in ("GET", "DELETE") else {}
        answer = await school.service.ask(
            path.replace("{", "").replace("}", ""), body, method=method
        )
        assert answer.status == 401, f"{method} {path}: {answer.status}"
    assert places.PUBLIC >= OPEN_TO_ALL


async def test_only_what_a_key_is_for_is_open_when_a_key_has_no_scope_for_it(
    school: Class,
) -> None:
    """A key for the counters of somebody who is no admin opens nothing but who it is."""
    key = await school.key("ana", "stats")
    for method, path in operations():
        if path in places.PUBLIC or (method, path) in places.FOR_EVERY_KEY:
            continue
        body: object = None if method in ("GET", "DELETE") else {}
        plain = path.replace("{", "").replace("}", "")
        headers = {"Authorization": f"Bearer {key}"}
        answer = await school.service.ask(plain, body, method=method, headers=headers)
        assert answer.status == 403, f"{method} {path}: {answer.status}"
