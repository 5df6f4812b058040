"""The keys that sign tokens, and the tokens that were revoked before their end."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert as plain_insert
from sqlalchemy import select, text

from tiza.store import audit
from tiza.store.account_tables import revoked_tokens, signing_keys
from tiza.store.credentials import By, SigningKey
from tiza.store.database import Database
from tiza.store.insertion import insert

LOCK = 0x74697A63  # one process at a time makes a new key


class Signing:
    """All keys, newest first. Raises StoreUnavailable, StoreBusy or StoreFull."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keys(self, age: timedelta) -> Sequence[SigningKey]:
        """Return the keys that are younger than that, the newest first."""
        statement = (
            select(signing_keys)
            .where(signing_keys.c.created_at > datetime.now(UTC) - age)
            .order_by(signing_keys.c.created_at.desc(), signing_keys.c.id)
        )
        async with self._database.reading() as connection:
            return [SigningKey(*row) for row in await connection.execute(statement)]

    async def add(self, key: SigningKey, unless_younger_than: timedelta) -> None:
        """Keep a key, unless another process has just made one."""
        young = signing_keys.c.created_at > datetime.now(UTC) - unless_younger_than
        async with self._database.writing() as connection:
            if not self._database.is_sqlite:
                lock = text("SELECT pg_advisory_xact_lock(:lock)")
                await connection.execute(lock, {"lock": LOCK})
            if (await connection.execute(select(signing_keys.c.id).where(young))).first() is None:
                await connection.execute(plain_insert(signing_keys).values(vars(key)))

    async def revoke(self, by: By, token_id: str, expires_at: datetime) -> None:
        """Have a token refused until it would have expired."""
        values = {"id": token_id, "expires_at": expires_at}
        async with self._database.writing() as connection:
            new = insert(connection, revoked_tokens).values(values).on_conflict_do_nothing()
            await connection.execute(new)
            await audit.note(connection, by, "token.revoked", token_id)

    async def is_revoked(self, token_id: str) -> bool:
        """Tell whether a token was revoked."""
        same = select(revoked_tokens.c.id).where(revoked_tokens.c.id == token_id)
        async with self._database.reading() as connection:
            return (await connection.execute(same)).first() is not None
