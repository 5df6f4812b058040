"""Tokens for services: signed (JWT, ES256), valid for minutes, made with an API key.

A token says which key made it and what of that key's scopes it has, nothing of a person. It ends
with its key, with its account, when it is revoked, or by itself. Keys that sign are replaced every
month; their public parts are at `/auth/jwks`, so that other services can check a token, too.
"""

import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from tiza.api.accounts.secret import derived
from tiza.store.credentials import SigningKey
from tiza.store.store import Store

if TYPE_CHECKING:
    from joserfc.jwk import ECKey

ALGORITHM, CURVE = "ES256", "P-256"  # the only one that is made or believed
TYPE = "at+jwt"  # an access token (RFC 9068), and no other kind of JWT
ISSUER = AUDIENCE = "tiza"
LIFETIME = timedelta(minutes=10)
ROTATION = timedelta(days=30)
VALID = ROTATION + LIFETIME  # how long a token of a key may come
LONGEST = 2048  # characters


@dataclass(frozen=True)
class Claims:
    """What a valid token says."""

    id: str
    key_id: str
    scopes: frozenset[str]
    expires_at: datetime

    def seconds_left(self) -> float:
        """Return how long it is still valid."""
        return (self.expires_at - datetime.now(UTC)).total_seconds()


class Tokens:
    """Makes and reads tokens. `secret` gives the server's, when it is needed."""

    def __init__(self, secret: Callable[[], bytes]) -> None:
        self._secret = secret

    async def make(self, store: Store, key_id: str, scopes: Collection[str]) -> str:
        """Return a token of a key with some of its scopes."""
        from joserfc import jwt

        key, now = await self._signing(store), datetime.now(UTC)
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": key_id,
            "scope": " ".join(sorted(scopes)),
            "jti": secrets.token_hex(16),
            "iat": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
        }
        header = {"alg": ALGORITHM, "kid": key.kid, "typ": TYPE}
        return jwt.encode(header, claims, key, [ALGORITHM])

    async def read(self, store: Store, text: str) -> Claims | None:
        """Return what a token says; None if it is not valid, for whatever reason."""
        from joserfc.errors import JoseError

        if len(text) > LONGEST:
            return None
        known = {each.id: each.public for each in await store.signing.keys(VALID)}
        try:
            claims = _verified(text, known)
        except (JoseError, ValueError, TypeError, KeyError):
            return None
        return None if await store.signing.is_revoked(claims.id) else claims

    async def public_keys(self, store: Store) -> dict[str, Any]:
        """Return the JSON Web Key Set with which tokens can be checked."""
        kept = await store.signing.keys(VALID)
        return {"keys": [orjson.loads(each.public) for each in kept]}

    async def _signing(self, store: Store) -> "ECKey":
        """Return the newest key that this server can use; make one if there is none."""
        young = ROTATION
        while True:
            kept = await store.signing.keys(ROTATION)
            for each in kept:
                if key := self._unsealed(each):
                    return key
            if kept:  # they were sealed under another secret
                young = timedelta()
            await store.signing.add(self._new(), unless_younger_than=young)

    def _new(self) -> SigningKey:
        from joserfc.jwk import ECKey

        id_ = secrets.token_hex(8)
        key = ECKey.generate_key(CURVE, {"kid": id_, "use": "sig", "alg": ALGORITHM}, private=True)
        sealed = self._seal(orjson.dumps(key.as_dict(private=True)))
        public = orjson.dumps(key.as_dict(private=False)).decode()
        return SigningKey(id_, sealed, public, datetime.now(UTC))

    def _seal(self, plain: bytes) -> str:
        from joserfc import jwe

        return jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, plain, self._sealing())

    def _unsealed(self, kept: SigningKey) -> "ECKey | None":
        from joserfc import jwe
        from joserfc.errors import JoseError
        from joserfc.jwk import ECKey

        try:
            opened = jwe.decrypt_compact(kept.sealed, self._sealing())
        except (JoseError, ValueError):
            return None
        return ECKey.import_key(orjson.loads(opened.plaintext or b"{}"))

    def _sealing(self) -> Any:
        from joserfc.jwk import OctKey

        return OctKey.import_key(derived(self._secret(), "sealed keys"))


def _verified(text: str, known: Mapping[str, str]) -> Claims:
    from joserfc import jwt
    from joserfc.jws import extract_compact

    header = extract_compact(text.encode()).headers()
    if header["typ"] != TYPE:
        raise ValueError(header["typ"])
    found = jwt.decode(text, _public(known[header["kid"]]), [ALGORITHM]).claims
    jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": AUDIENCE},
        sub={"essential": True},
        jti={"essential": True},
        exp={"essential": True},
    ).validate(found)
    expires_at = datetime.fromtimestamp(found["exp"], UTC)
    return Claims(found["jti"], found["sub"], frozenset(found["scope"].split()), expires_at)


@lru_cache(maxsize=8)
def _public(jwk: str) -> "ECKey":
    from joserfc.jwk import ECKey

    return ECKey.import_key(orjson.loads(jwk))
