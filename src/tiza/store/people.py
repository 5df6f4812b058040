"""People: so far whoever holds a secret token (a cookie). Only its hash is kept."""

import hashlib
import secrets
from datetime import UTC, datetime

from sqlalchemy import delete, insert, select

from tiza.store.database import Database
from tiza.store.records import Person
from tiza.store.tables import people

TOKEN_BYTES = 32


class People:
    """Whoever has conversations. All methods raise StoreUnavailable, StoreBusy or StoreFull."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def welcome(self) -> tuple[Person, str]:
        """Make a new person; return it with the token that it is known by from now on."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        values = {"token_hash": _hash(token), "created_at": datetime.now(UTC)}
        async with self._database.writing() as connection:
            made = await connection.execute(insert(people).values(values).returning(people.c.id))
            return Person(made.scalar_one()), token

    async def find(self, token: str) -> Person | None:
        """Return the person whom a token belongs to, None if nobody."""
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(people.c.id).where(people.c.token_hash == _hash(token))
            )
            number = found.scalar_one_or_none()
        return None if number is None else Person(number)

    async def forget(self, person: Person) -> None:
        """Delete a person and all that they have; a token of theirs is worth nothing from now."""
        async with self._database.writing() as connection:
            await connection.execute(delete(people).where(people.c.id == person.id))


def _hash(token: str) -> bytes:
    """Hash a token, which is random and too long to be guessed back from a plain hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
