"""API keys and the tokens made with them, over real HTTP."""

import base64
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from tests.api.accounts.conftest import Class
from tiza.api.accounts import tokens
from tiza.api.accounts.secret import FILE, server_secret
from tiza.errors import SecretUnreadable
from tiza.settings import Settings
from tiza.store.credentials import KeyHolder


def bearer(credential: str) -> dict[str, str]:
    """Return the header of a credential."""
    return {"Authorization": f"Bearer {credential}"}


async def token_of(school: Class, key: str, **body: object) -> str:
    """Make a token with a key."""
    made = await school.with_key(key, "/auth/token", body)
    assert made.status == 200, made.json
    return str(made.json["access_token"])


async def test_key_opens_what_its_scopes_say_when_it_is_used(school: Class) -> None:
    """A key for chats opens chats, not conversations, nor anything that is for sessions only."""
    chat = await school.key("ana", "chat")
    kept = await school.key("ana", "conversations")

    for path, body in (("/models", None), ("/chat", {"message": "Why?"}), ("/v1/models", None)):
        assert (await school.with_key(chat, path, body)).status == 200, path
        assert (await school.with_key(kept, path, body)).status == 403, path
    assert (await school.with_key(kept, "/conversations")).status == 200
    in_one = {"message": "Why?", "conversation_id": "0" * 32}
    for path, body in (
        ("/conversations", None),
        ("/chat", in_one),
        ("/me/keys", None),
        ("/me/keys", {"name": "more"}),
        ("/auth/sign-out", {}),
        ("/users", None),
        ("/openapi.json", None),
    ):
        assert (await school.with_key(chat, path, body)).status == 403, path
    assert (await school.with_key(chat, "/me")).json["name"] == "ana"


async def test_key_is_shown_once_when_it_is_made(school: Class) -> None:
    """Lists have all of a key but its secret; when it was used last is known."""
    key = await school.key("ana", "chat")
    await school.with_key(key, "/models")
    (listed,) = (await school.ask("ana", "/me/keys")).json
    assert key.split("_")[2] not in json.dumps(listed)
    assert listed["id"] == key.split("_")[1]
    assert listed["used_at"] is not None


async def test_key_of_the_scope_users_is_worth_nothing_when_its_owner_is_no_admin(
    school: Class,
) -> None:
    """A scope adds nothing to a role."""
    student, admin = [await school.key(name, "users", "stats") for name in ("ana", "root")]
    for path in ("/users", "/invitations", "/stats", "/metrics"):
        assert (await school.with_key(student, path)).status == 403, path
        assert (await school.with_key(admin, path)).status == 200, path


async def test_key_opens_nothing_when_it_was_revoked_or_its_owner_is_disabled(
    school: Class,
) -> None:
    """A key, and a token made with it, end with the key and with the account."""
    key, other = await school.key("ana"), await school.key("ben")
    token = await token_of(school, key)
    for credential in (key, token, other):
        assert (await school.with_key(credential, "/models")).status == 200

    path = f"/me/keys/{key.split('_')[1]}"
    assert (await school.ask("ben", path, method="DELETE")).status == 404
    assert (await school.ask("ana", path, method="DELETE")).status == 204
    await school.ask("root", "/users/ben", {"disabled": True}, "PATCH")
    for credential in (key, token, other):
        refused = await school.with_key(credential, "/models")
        assert (refused.status, refused.json["code"]) == (401, "unauthenticated")


ATTACKS = [
    *("' OR '1'='1", "tiza_' OR 1=1 --_x", "tiza_0123456789ab_'; DROP TABLE keys; --"),
    *("tiza_%_" + "A" * 43, "tiza_0123456789ab_" + "A" * 43, "x" * 6000, "a.b.c", "..", "."),
    *("Basic YTpi", "", "null", "undefined", "tiza_0123456789ab_" + "é" * 43),
]
SPLIT = [
    b"Authorization: Bearer x\r\nX-Injected: y\x00z",
    b"Authorization: Bearer \x00\x01",
    b"Authorization : Bearer x",
    b"Authorization: Bearer x\r\n Set-Cookie: tiza_session=planted",
]


async def test_nobody_gets_in_when_the_key_is_an_attack(school: Class) -> None:
    """What is no key leads nowhere, least of all into the database."""
    key = await school.key("ana")
    for given in ATTACKS:
        refused = await school.service.ask("/models", headers=bearer(given))
        assert (refused.status, refused.json["code"]) == (401, "unauthenticated"), given
    basic = await school.service.ask("/models", headers={"Authorization": f"Basic {key}"})
    assert basic.status == 401
    session = await school.service.ask("/models", headers=bearer(school.cookies["ana"]))
    assert session.status == 401
    as_cookie = await school.service.ask("/models", headers={"Cookie": f"tiza_session={key}"})
    assert as_cookie.status == 401
    assert (await school.with_key(key, "/models")).status == 200


async def test_header_is_not_split_when_it_has_line_ends(school: Class) -> None:
    """Whatever is written into a header, the answer is a refusal without it."""
    for line in SPLIT:
        head = b"GET /models HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        answer = await school.service.raw(head + line + b"\r\n\r\n")
        assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 401")), line
        assert b"planted" not in answer
        assert b"Injected" not in answer


async def test_request_id_is_our_own_when_a_client_writes_lines_into_it(school: Class) -> None:
    """No header that a client sends comes back unless it is plain."""
    headers = {"X-Request-ID": "a b;c", "Cookie": "tiza_session=a%0d%0aSet-Cookie:b"}
    answer = await school.service.ask("/models", headers=headers)
    assert answer.status == 401
    assert "a b" not in answer.headers["X-Request-ID"]
    assert "Set-Cookie" not in answer.headers


async def test_token_opens_for_minutes_when_a_key_makes_it(school: Class) -> None:
    """A token has some of its key's scopes, says nothing of a person, and makes no other token."""
    key = await school.key("ana", "chat", "conversations")
    made = await school.with_key(key, "/auth/token", {"scopes": ["chat"]})
    token = made.json["access_token"]
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))

    assert (made.json["expires_in"], made.json["scope"]) == (600, "chat")
    assert set(claims) == {"iss", "aud", "sub", "scope", "jti", "iat", "exp"}
    assert claims["sub"] == key.split("_")[1]
    assert (await school.with_key(token, "/models")).status == 200
    assert (await school.with_key(token, "/conversations")).status == 403
    assert (await school.with_key(token, "/auth/token", {})).status == 403
    more = await school.with_key(key, "/auth/token", {"scopes": ["stats"]})
    assert more.status == 403
    assert (await school.ask("ana", "/auth/token", {})).status == 403


async def test_token_is_refused_when_it_was_revoked(school: Class) -> None:
    """Its key revokes a token at once, no other key does."""
    key, other = await school.key("ana"), await school.key("ben")
    token = await token_of(school, key)
    assert (await school.with_key(token, "/models")).status == 200

    await school.with_key(other, "/auth/token/revoke", {"token": token})
    assert (await school.with_key(token, "/models")).status == 200
    revoked = await school.with_key(key, "/auth/token/revoke", {"token": token})
    assert revoked.status == 204
    assert (await school.with_key(token, "/models")).status == 401
    assert (await school.with_key(key, "/models")).status == 200


def unsigned(claims: Mapping[str, Any], header: Mapping[str, str]) -> str:
    """Write a token without a signature."""
    parts = (json.dumps(part).encode() for part in (header, claims))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."


async def test_token_is_refused_when_it_is_forged(school: Class) -> None:
    """Without a signature, with another key, another algorithm, or other claims: 401."""
    key = await school.key("ana")
    genuine = await token_of(school, key)
    (public,) = (await school.service.ask("/auth/jwks")).json["keys"]
    assert "d" not in public
    claims = dict(jwt.decode(genuine, ECKey.import_key(public), ["ES256"]).claims)
    header = {"alg": "ES256", "kid": public["kid"], "typ": tokens.TYPE}
    attacker = ECKey.generate_key("P-256", {"kid": public["kid"]}, private=True)
    hmac_with_public = OctKey.import_key(json.dumps(public).encode())
    head, body, signature = genuine.split(".")

    forged = {
        "none": unsigned(claims, header | {"alg": "none"}),
        "None": unsigned(claims, header | {"alg": "None"}),
        "cut off": f"{head}.{body}.",
        "own key": jwt.encode(header, claims, attacker, ["ES256"]),
        "unknown key": jwt.encode(header | {"kid": "x"}, claims, attacker, ["ES256"]),
        "key in the header": jwt.encode(
            header | {"jwk": attacker.as_dict(private=False)}, claims, attacker, ["ES256"]
        ),
        "public key as secret": jwt.encode(
            header | {"alg": "HS256"}, claims, hmac_with_public, ["HS256"]
        ),
        "other claims": f"{head}.{_other(body)}.{signature}",
        "kid injection": unsigned(claims, header | {"kid": "' OR 1=1 --"}),
    }
    for name, token in forged.items():
        assert (await school.with_key(token, "/models")).status == 401, name
    assert (await school.with_key(genuine, "/models")).status == 200


def _other(body: str) -> str:
    claims = json.loads(base64.urlsafe_b64decode(body + "==")) | {"scope": "users"}
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")


async def test_token_is_refused_when_it_is_old_or_for_others(
    school: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Expired tokens, and those of another issuer or for another audience, open nothing."""
    key = await school.key("ana")
    for name, value in (
        ("LIFETIME", timedelta(seconds=-1)),
        ("ISSUER", "somebody"),
        ("AUDIENCE", "another service"),
        ("TYPE", "JWT"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(tokens, name, value)
            token = await token_of(school, key)
        assert (await school.with_key(token, "/models")).status == 401, name


async def test_older_tokens_stay_valid_when_the_signing_key_is_replaced(school: Class) -> None:
    """Keys rotate without breaking what they have signed; private parts are kept encrypted."""
    key = await school.key("ana")
    first = await token_of(school, key)
    second = await _with_new_key(school, key)

    kept = (await school.service.ask("/auth/jwks")).json["keys"]
    assert len(kept) == 2
    for token in (first, second):
        assert (await school.with_key(token, "/models")).status == 200

    async def sealed() -> list[str]:
        store = await school.service.state.opening.get()
        return [each.sealed for each in await store.signing.keys(timedelta(days=1))]

    assert all(each.count(".") == 4 for each in await school.service.run(sealed))  # JWE


async def _with_new_key(school: Class, key: str) -> str:
    """Make a token with a signing key that is new, as if the old one's time were over."""
    access = school.service.state.access

    async def make() -> str:
        store = await school.service.state.opening.get()
        await store.signing.add(access.tokens._new(), unless_younger_than=timedelta())
        return await access.tokens.make(store, key.split("_")[1], ["chat"])

    return str(await school.service.run(make))


async def test_caller_costs_little_when_they_are_remembered(school: Class) -> None:
    """Within a few seconds nobody is looked up twice: the store is not asked again."""
    key = await school.key("ana")
    await school.with_key(key, "/models")
    store = await school.service.state.opening.get()
    asked: list[str] = []

    async def find(key_id: str) -> KeyHolder | None:
        asked.append(key_id)
        return None

    original = store.keys.find
    store.keys.find = find  # type: ignore[method-assign]  # counted, and as if it were revoked elsewhere
    assert (await school.with_key(key, "/models")).status == 200
    assert not asked
    school.service.state.access.forget()
    assert (await school.with_key(key, "/models")).status == 401
    store.keys.find = original  # type: ignore[method-assign]  # as it was


def test_secret_is_made_once_and_private_when_none_is_set(tmp_path: Any) -> None:
    """The first start writes it, the next ones read it, nobody else can; rubbish is refused."""
    given: dict[str, Any] = {"_env_file": None, "var_path": tmp_path}
    first = server_secret(Settings(**given))
    assert len(first) >= 32
    assert server_secret(Settings(**given)) == first
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0
    assert [each.name for each in tmp_path.iterdir()] == [FILE]
    (tmp_path / FILE).write_text("short")
    with pytest.raises(SecretUnreadable, match="5 bytes"):
        server_secret(Settings(**given))
