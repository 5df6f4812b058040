"""`tiza user`, `tiza key` and `tiza audit`, as an operator types them."""

import json
import re
from pathlib import Path

from tests.api.processes import api_process
from tests.test_cli import run

PASSWORD = "seven green bicycles"
LINK = re.compile(r"https?://\S+/#(invitation|password)=([A-Za-z0-9_-]{43})")


async def test_people_come_in_when_an_operator_has_made_what_they_need(tmp_path: Path) -> None:
    """Accounts, links and keys of the command line work in the service; disabling ends them."""
    run("user", "add", "Ana", "--role", "teacher", cwd=tmp_path)
    reset = run("user", "reset", "ana", cwd=tmp_path).stdout
    invite = run("user", "invite", "--uses", "2", "--label", "4B", cwd=tmp_path).stdout
    key = run("key", "create", "ana", "--scope", "chat", cwd=tmp_path).stdout.strip()
    listed = json.loads(run("key", "list", "ana", "--json", cwd=tmp_path).stdout)
    assert [each["id"] for each in listed] == [key.split("_")[1]]
    links = {found[1]: found[2] for found in map(LINK.search, (reset, invite)) if found}

    async with api_process(tmp_path, "http://127.0.0.1:1", auth_mode="accounts") as api:
        for path, body in (
            ("/auth/reset", {"token": links["password"], "password": PASSWORD}),
            (
                "/auth/join",
                {"token": links["invitation"], "name": "Eva", "password": PASSWORD},
            ),
        ):
            async with api.session.post(api.url + path, json=body) as response:
                assert response.status == 200, await response.text()
        headers = {"Authorization": f"Bearer {key}"}
        async with api.session.get(f"{api.url}/me", headers=headers) as response:
            assert (await response.json())["role"] == "teacher"
        first = LINK.search(api.output)
        assert first is not None
        assert first[1] == "invitation"
        assert api.output.count("#invitation=") == 1

    run("user", "disable", "Eva", cwd=tmp_path)
    accounts = json.loads(run("user", "list", "--json", cwd=tmp_path).stdout)
    assert [(each["name"], each["disabled"]) for each in accounts] == [
        ("Ana", False),
        ("Eva", True),
    ]
    run("key", "revoke", "ana", key.split("_")[1], cwd=tmp_path)
    actions = [each["action"] for each in json.loads(run("audit", "--json", cwd=tmp_path).stdout)]
    assert actions[:2] == ["key.revoked", "account.disabled"]


def test_error_is_a_sentence_when_a_name_is_unknown_or_taken(tmp_path: Path) -> None:
    """Mistakes are told in words, with status 1."""
    run("user", "add", "Ana", cwd=tmp_path)
    assert "ana" in run("user", "add", "ana", cwd=tmp_path, status=1).stderr
    unknown = run("user", "disable", "nobody", cwd=tmp_path, status=1).stderr
    assert "nobody" in unknown
    assert "tiza user list" in unknown
