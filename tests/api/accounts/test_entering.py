"""Coming in and going out, over real HTTP."""

import asyncio
import json
import math
import time
from collections.abc import Mapping

import pytest

from tests.api.accounts.conftest import PASSWORD, Class, cookie_of, join, sign_in
from tests.api.faulty_engine import FaultyEngine
from tests.api.service import Service, running
from tiza.api.accounts import sign_in as rules
from tiza.api.accounts.gates import ANONYMOUS, SESSION
from tiza.api.accounts.sign_in import FREE_OF_NAME

EVIL = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}


def session(cookie: str) -> dict[str, str]:
    """Return the headers of a session."""
    return {"Cookie": f"{SESSION}={cookie}"}


async def test_everything_is_closed_when_nobody_has_signed_in(school: Class) -> None:
    """But health and the ways in, all answers are 401 in words and without a trace of data."""
    service = school.service
    for path in ("/health", "/health/live", "/health/ready", "/auth", "/auth/jwks"):
        assert (await service.ask(path)).status == 200, path
    for path in ("/", "/me", "/models", "/conversations", "/docs", "/openapi.json", "/nowhere"):
        refused = await service.ask(path)
        assert (refused.status, refused.json["code"]) == (401, "unauthenticated"), path
        assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    for chat in (await service.chat(), await service.complete()):
        assert chat.status == 401


async def test_session_opens_what_is_ones_own_when_somebody_signs_in(school: Class) -> None:
    """Name and password bring a private cookie, by any form of the name, and a role."""
    service = school.service
    signed = await sign_in(service, "ANA ")
    assert (signed.status, signed.json) == (
        200,
        {"mode": "accounts", "role": "student", "name": "ana"},
    )
    header = signed.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(header.split("; "))
    headers = session(cookie_of(signed))

    me = (await service.ask("/me", headers=headers)).json
    assert me.pop("quota")["requests"]["limit"] > 0
    assert me == signed.json
    assert (await service.ask("/conversations", {}, headers=headers)).status == 201
    chat = await service.ask("/chat", {"message": "Why?"}, headers=headers)
    assert chat.status == 200


async def test_answer_is_the_same_when_the_name_or_the_password_is_wrong(school: Class) -> None:
    """Nobody learns which names exist, nor which accounts are disabled."""
    service = school.service
    disabled = await school.ask("root", "/users/ben", {"disabled": True}, "PATCH")
    assert disabled.json["disabled"] is True
    wrong = [
        await sign_in(service, "ana", "not the password"),
        await sign_in(service, "nobody", PASSWORD),
        await sign_in(service, "ben", PASSWORD),
        await sign_in(service, "ana", ""),
    ]

    told = [{k: v for k, v in each.json.items() if k != "request_id"} for each in wrong]
    assert [each.status for each in wrong] == [401] * 4
    assert told == [told[0]] * 4
    assert not any("Set-Cookie" in each.headers for each in wrong)


async def test_session_ends_on_the_server_when_somebody_signs_out(school: Class) -> None:
    """A copied cookie is worth nothing after signing out, here or everywhere."""
    service = school.service
    cookies = [cookie_of(await sign_in(service, "ana")) for _ in range(3)]
    ask = [session(each) for each in cookies]
    assert all([(await service.ask("/me", headers=each)).status == 200 for each in ask])

    out = await service.ask("/auth/sign-out", method="POST", headers=ask[0])
    assert (out.status, "Max-Age=0" in out.headers["Set-Cookie"]) == (204, True)
    statuses = [(await service.ask("/me", headers=each)).status for each in ask]
    assert statuses == [401, 200, 200]
    await service.ask("/auth/sign-out?everywhere=true", method="POST", headers=ask[1])
    statuses = [(await service.ask("/me", headers=each)).status for each in ask]
    assert statuses == [401, 401, 401]


async def test_session_is_new_when_one_was_planted_before(school: Class) -> None:
    """Whoever signs in gets a token that nobody knew (no fixation); the one before it ends."""
    service = school.service
    planted = session("planted-by-an-attacker")
    body = {"name": "ana", "password": PASSWORD}
    signed = await service.ask("/auth/sign-in", body, headers=planted)
    assert len(cookie_of(signed)) >= 43
    assert (await service.ask("/me", headers=planted)).status == 401

    attackers = school.session("ben")
    signed = await service.ask("/auth/sign-in", body, headers=attackers)
    assert cookie_of(signed) != school.cookies["ben"]
    assert (await service.ask("/me", headers=attackers)).status == 401


@pytest.mark.parametrize("headers", [EVIL, {"Origin": "null"}, {"Sec-Fetch-Site": "same-site"}])
async def test_nothing_is_done_when_another_site_asks(
    school: Class, headers: Mapping[str, str]
) -> None:
    """A foreign page changes nothing by somebody's session, and signs nobody in or out."""
    service = school.service
    foreign = school.session("ana") | dict(headers)
    for path, body in (
        ("/conversations", {}),
        ("/chat", {"message": "Why?"}),
        ("/v1/chat/completions", {"model": "samples_0", "messages": []}),
        ("/me/keys", {"name": "stolen"}),
        ("/auth/sign-out", {}),
        ("/auth/sign-in", {"name": "ben", "password": PASSWORD}),
    ):
        refused = await service.ask(path, body, headers=foreign)
        assert (refused.status, refused.json["code"]) == (403, "forbidden"), path
        assert "Set-Cookie" not in refused.headers
    assert (await service.ask("/me", method="DELETE", headers=foreign)).status == 403
    assert (await school.ask("ana", "/conversations")).json["conversations"] == []


async def test_ten_thousand_wrong_passwords_are_cheap_when_a_name_is_locked(
    school: Class,
) -> None:
    """A flood is refused without looking at the passwords; the others go on meanwhile."""
    service, connections, flood = school.service, 20, 10_000
    begun = time.monotonic()
    flooding = asyncio.gather(
        *(guesses(service, number, flood // connections) for number in range(connections))
    )
    assert (await school.ask("ana", "/me")).status == 200
    answers = b"".join(await flooding)
    seconds = time.monotonic() - begun

    looked_at, refused = (answers.count(b"HTTP/1.1 %d" % status) for status in (401, 429))
    assert looked_at + refused == flood
    assert answers.count(b"retry-after: ") == refused
    assert answers.count(b'"rate_limited"') == refused
    # each lock is twice as long as the one before it
    assert looked_at <= FREE_OF_NAME + math.log2(seconds + 1) + 2
    # the newest lock may have ended in this moment; one more guess begins the next
    assert (await sign_in(service, "ben", "wrong")).status in {401, 429}
    assert (await sign_in(service, "ben", PASSWORD)).status == 429


async def guesses(service: Service, number: int, count: int) -> bytes:
    """Send wrong passwords on one connection, none waiting for the answer before it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    for attempt in range(count):
        body = json.dumps({"name": "ben", "password": f"guess {number} {attempt}"}).encode()
        end = b"Connection: close\r\n" if attempt == count - 1 else b""
        head = b"POST /auth/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        end += b"Content-Length: %d\r\n" % len(body)
        writer.write(head + end + b"\r\n" + body)
    answers = await reader.read()
    writer.close()
    return answers


async def test_address_waits_when_it_tries_many_names(
    school: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trying one password with many names is counted by address, whatever a header says."""
    monkeypatch.setattr(rules, "FREE_OF_ADDRESS", 5)
    statuses = [
        (
            await school.service.ask(
                "/auth/sign-in",
                {"name": f"name {number}", "password": PASSWORD},
                headers={"X-Forwarded-For": f"192.0.2.{number}"},
            )
        ).status
        for number in range(7)
    ]
    assert statuses[:5] == [401] * 5
    assert 429 in statuses


async def test_invitation_works_as_often_as_it_says_when_a_class_joins(school: Class) -> None:
    """A teacher's link makes so many students; a replay, and any other role, is refused."""
    service = school.service
    made = await school.ask("tom", "/invitations", {"uses": 2, "days": 3, "label": "4B"})
    assert made.status == 201
    page, _, token = made.json["link"].partition("#invitation=")
    assert page.startswith("http://127.0.0.1")
    listed = (await school.ask("tom", "/invitations")).json
    assert [(each["label"], each["uses_left"]) for each in listed] == [("4B", 2)]
    assert token not in str(listed)

    async def use(name: str, password: str = PASSWORD) -> tuple[int, str]:
        body = {"token": token, "name": name, "password": password}
        answer = await service.ask("/auth/join", body)
        return answer.status, answer.json.get("role") or answer.json["code"]

    assert await use("eva", "1234567890") == (422, "invalid_request")
    assert await use("ana") == (409, "name_taken")
    assert await use("eva") == (200, "student")
    assert await use("leo") == (200, "student")
    assert await use("mia") == (401, "link_worthless")
    assert (await school.ask("tom", "/invitations", {"role": "admin"})).status == 403
    assert (await school.ask("ana", "/invitations", {})).status == 403


async def test_invitation_is_worth_nothing_when_its_teacher_takes_it_back(school: Class) -> None:
    """A leaked link is closed by whoever made it or an admin, by nobody else."""
    service = school.service
    made = (await school.ask("tom", "/invitations", {"uses": 30})).json
    await join(service, "other", "teacher")
    other = cookie_of(await sign_in(service, "other"))
    path = f"/invitations/{made['id']}"

    refused = await service.ask(path, method="DELETE", headers=session(other))
    assert refused.status == 404
    assert (await service.ask("/invitations", headers=session(other))).json == []
    assert (await school.ask("tom", path, method="DELETE")).status == 204
    body = {"token": made["link"].partition("=")[2], "name": "eva", "password": PASSWORD}
    assert (await service.ask("/auth/join", body)).json["code"] == "link_worthless"


async def test_old_password_and_sessions_end_when_a_link_sets_a_new_one(school: Class) -> None:
    """An admin gives a link, its owner sets a password once, and nothing old lets anybody in."""
    service = school.service
    made = await school.ask("root", "/users/ana/reset", {})
    token = made.json["link"].partition("#password=")[2]
    body = {"token": token, "password": "twelve loud penguins"}

    assert (await service.ask("/auth/reset", body | {"password": "ana ana ana ana"})).status == 422
    assert (await service.ask("/auth/reset", body)).json["name"] == "ana"
    assert (await service.ask("/auth/reset", body)).status == 401
    assert (await school.ask("ana", "/me")).status == 401
    assert (await sign_in(service, "ana")).status == 401
    assert (await sign_in(service, "ana", "twelve loud penguins")).status == 200


async def test_other_sessions_end_when_somebody_changes_their_password(school: Class) -> None:
    """The old password is asked for, and what it had opened is closed."""
    service = school.service
    other = cookie_of(await sign_in(service, "ana"))
    body = {"password": "not it at all", "new_password": "twelve loud penguins"}

    assert (await school.ask("ana", "/me/password", body, "PUT")).status == 401
    changed = await school.ask("ana", "/me/password", body | {"password": PASSWORD}, "PUT")
    assert changed.status == 200
    assert (await service.ask("/me", headers=session(other))).status == 401
    assert (await service.ask("/me", headers=session(cookie_of(changed)))).status == 200


async def test_role_and_leave_are_taken_at_once_when_an_admin_changes_them(school: Class) -> None:
    """What this process has remembered of somebody is forgotten in the same moment."""
    assert (await school.ask("tom", "/invitations")).status == 200
    await school.ask("root", "/users/tom", {"role": "student"}, "PATCH")
    assert (await school.ask("tom", "/invitations")).status == 403
    await school.ask("root", "/users/tom", {"disabled": True}, "PATCH")
    assert (await school.ask("tom", "/me")).status == 401
    assert (await school.ask("ana", "/users")).status == 403
    names = [each["name"] for each in (await school.ask("root", "/users")).json]
    assert names == ["ana", "ben", "root", "tom"]


async def test_conversations_stay_ones_own_when_an_account_is_new(engine: FaultyEngine) -> None:
    """What somebody had under the anonymous cookie is theirs after they join; the cookie ends."""
    async with running(vllm_api_url=engine.url) as service:
        folder = service.state.settings.var_path
        made = await service.ask("/conversations", {"title": "Before"})
        cookie = f"{ANONYMOUS}={cookie_of(made, ANONYMOUS)}"
        async with running(
            vllm_api_url=engine.url,
            auth_mode="accounts",
            database_url=f"sqlite:///{folder / 'tiza.db'}",
        ) as closed:
            refused = await closed.ask("/conversations", headers={"Cookie": cookie})
            joined = await join(closed, "Eva", "student", Cookie=cookie)
            mine = session(joined)
            listed = await closed.ask("/conversations", headers=mine)
        after = await service.ask("/conversations", headers={"Cookie": cookie})

    assert refused.status == 401
    assert [each["title"] for each in listed.json["conversations"]] == ["Before"]
    assert after.json["conversations"] == []


async def test_cookie_is_for_this_host_only_when_https_is_used(engine: FaultyEngine) -> None:
    """Over HTTPS its name is one that no other host can set, and no other name is read."""
    https = {"X-Forwarded-Proto": "https"}
    async with running(
        vllm_api_url=engine.url, auth_mode="accounts", trusted_proxies="127.0.0.0/8"
    ) as service:
        cookie = await join(service, "ana", "student")
        body = {"name": "ana", "password": PASSWORD}
        signed = await service.ask("/auth/sign-in", body, headers=https)
        tossed = await service.ask("/me", headers=https | session(cookie))
        name = f"__Host-{SESSION}"
        own = {"Cookie": f"{name}={cookie_of(signed, name)}"}
        mine = await service.ask("/me", headers=https | own)

    assert "; Secure" in signed.headers["Set-Cookie"]
    assert (tossed.status, mine.status) == (401, 200)


async def test_nobody_signs_in_when_the_mode_is_open(service: Service) -> None:
    """In `open` mode there is nothing to enter, and any key of an OpenAI client is ignored."""
    bodies = {
        "/auth/sign-in": {"name": "a", "password": "b"},
        "/auth/join": {"token": "t", "name": "a", "password": "b"},
        "/auth/reset": {"token": "t", "password": "b"},
    }
    for path, body in bodies.items():
        assert (await service.ask(path, body)).status == 404, path
    assert (await service.ask("/auth")).json == {"mode": "open", "sign_in": ""}
    me = {"mode": "open", "role": "guest", "name": "", "quota": {}}
    assert (await service.ask("/me")).json == me
    headers = {"Authorization": "Bearer sk-anything"}
    assert (await service.ask("/models", headers=headers)).status == 200
    assert (await service.ask("/me/keys", {"name": "k"})).status == 401
    assert (await service.ask("/users")).status == 401


async def test_audit_has_no_text_when_people_talk(school: Class) -> None:
    """Who signed in and what they exported is known, what they said is not."""
    made = (await school.ask("ana", "/conversations", {"title": "My secret title"})).json
    await school.ask("ana", f"/conversations/{made['id']}/messages", {"message": "Dear diary"})
    await school.ask("ana", "/me/export")
    await school.ask("ana", "/me", method="DELETE")

    async def log() -> list[object]:
        store = await school.service.state.opening.get()
        return list(await store.audit.newest())

    entries = await school.service.run(log)
    told = repr(entries)
    for action in ("sign_in", "account.created", "data.exported", "account.deleted"):
        assert f"'{action}'" in told
    assert not any(word in told for word in ("secret title", "diary", "ana", PASSWORD))
    assert "127.0.0.1" in told
