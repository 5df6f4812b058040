"""Sessions: what the cookie of somebody who has signed in leads to. They end on the server."""

import contextlib
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert, select, update

from tiza.errors import RequestError
from tiza.store import audit
from tiza.store.account_tables import accounts, sessions
from tiza.store.accounts import COLUMNS, account_of
from tiza.store.credentials import LONGEST_SESSION, Account, By
from tiza.store.database import Database
from tiza.store.records import Person
from tiza.store.tokens import hashed, new_token

IDLE = timedelta(days=7)  # without any request
SEEN_EVERY = timedelta(minutes=10)  # how exactly it is known when the last one was


class Sessions:
    """All sessions. All methods raise StoreUnavailable, StoreBusy or StoreFull."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, account: Account, address: str) -> str:
        """Begin a session and return its token, which was never anywhere before."""
        token, now = new_token(), datetime.now(UTC)
        values = {
            "token_hash": hashed(token),
            "person_id": account.person.id,
            "created_at": now,
            "seen_at": now,
        }
        async with self._database.writing() as connection:
            await connection.execute(insert(sessions).values(values))
            await audit.note(connection, By(account.person, address), "sign_in")
        return token

    async def find(self, token: str) -> Account | None:
        """Return whose session it is; None if it has ended, or its account is disabled."""
        now = datetime.now(UTC)
        same = sessions.c.token_hash == hashed(token)
        statement = (
            select(*COLUMNS, sessions.c.seen_at)
            .join(accounts, accounts.c.person_id == sessions.c.person_id)
            .where(
                same,
                sessions.c.created_at > now - LONGEST_SESSION,
                sessions.c.seen_at > now - IDLE,
                accounts.c.disabled_at.is_(None),
            )
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(statement)).one_or_none()
        if row is None:
            return None
        if row.seen_at < now - SEEN_EVERY:
            with contextlib.suppress(RequestError):  # on a full disk it may still be read
                async with self._database.writing() as connection:
                    await connection.execute(update(sessions).where(same).values(seen_at=now))
        return account_of(row)

    async def end(self, token: str, by: By) -> None:
        """End a session."""
        ended = sessions.delete().where(sessions.c.token_hash == hashed(token))
        async with self._database.writing() as connection:
            if (await connection.execute(ended)).rowcount:
                await audit.note(connection, by, "sign_out")

    async def end_all(self, person: Person, by: By) -> None:
        """End every session of a person."""
        async with self._database.writing() as connection:
            await connection.execute(sessions.delete().where(sessions.c.person_id == person.id))
            await audit.note(connection, by, "sign_out", "everywhere")
