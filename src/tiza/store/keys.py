"""API keys: looked up by the public part; the secret part is compared by who made it."""

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from tiza.errors import KeyNotFound, RequestError
from tiza.store import audit
from tiza.store.account_tables import accounts, keys
from tiza.store.accounts import COLUMNS as ACCOUNT_COLUMNS
from tiza.store.accounts import account_of
from tiza.store.credentials import By, Key, KeyHolder
from tiza.store.database import Database
from tiza.store.records import Person
from tiza.store.tokens import ID

USED_EVERY = timedelta(minutes=1)  # how exactly it is known when a key was used last
COLUMNS = (
    keys.c.id.label("key_id"),
    keys.c.name.label("key_name"),
    keys.c.scopes,
    keys.c.created_at.label("key_created_at"),
    keys.c.expires_at,
    keys.c.used_at,
)


class Keys:
    """All API keys. All methods raise StoreUnavailable, StoreBusy or StoreFull."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, by: By, person: Person, key: Key, secret_hash: bytes) -> None:
        """Keep a new key of a person."""
        values = {
            "id": key.id,
            "person_id": person.id,
            "secret_hash": secret_hash,
            "name": key.name,
            "scopes": " ".join(key.scopes),
            "created_at": key.created_at,
            "expires_at": key.expires_at,
        }
        async with self._database.writing() as connection:
            await connection.execute(insert(keys).values(values))
            await audit.note(connection, by, "key.created", key.id)

    async def find(self, key_id: str) -> KeyHolder | None:
        """Return a key that may be used; None if it has expired or its account is disabled."""
        now = datetime.now(UTC)
        statement = (
            select(*COLUMNS, keys.c.secret_hash, *ACCOUNT_COLUMNS)
            .join(accounts, accounts.c.person_id == keys.c.person_id)
            .where(
                keys.c.id == key_id,
                keys.c.expires_at.is_(None) | (keys.c.expires_at > now),
                accounts.c.disabled_at.is_(None),
            )
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(statement)).one_or_none()
        return row and KeyHolder(_key_of(row), row.secret_hash, account_of(row))

    async def used(self, key: Key) -> None:
        """Remember that a key was used, once a minute at most."""
        now = datetime.now(UTC)
        if key.used_at is not None and key.used_at > now - USED_EVERY:
            return
        with contextlib.suppress(RequestError):  # on a full disk it works all the same
            async with self._database.writing() as connection:
                await connection.execute(
                    update(keys).where(keys.c.id == key.id).values(used_at=now)
                )

    async def list(self, person: Person) -> Sequence[Key]:
        """Return a person's keys, the oldest first."""
        statement = select(*COLUMNS).where(keys.c.person_id == person.id)
        async with self._database.reading() as connection:
            rows = await connection.execute(statement.order_by(keys.c.created_at, keys.c.id))
            return [_key_of(row) for row in rows]

    async def revoke(self, by: By, person: Person, key_id: str) -> None:
        """Delete a key of a person.

        Raises:
            KeyNotFound: they have none of that id.

        """
        if not ID.fullmatch(key_id):
            raise KeyNotFound
        gone = delete(keys).where(keys.c.id == key_id, keys.c.person_id == person.id)
        async with self._database.writing() as connection:
            if not (await connection.execute(gone)).rowcount:
                raise KeyNotFound
            await audit.note(connection, by, "key.revoked", key_id)


def _key_of(row: Row[*tuple[Any, ...]]) -> Key:
    return Key(
        row.key_id,
        row.key_name,
        tuple(row.scopes.split()),
        row.key_created_at,
        row.expires_at,
        row.used_at,
    )
