"""People: whoever holds a secret token (a cookie), or has an account. Only its hash is kept."""

from datetime import UTC, datetime

from sqlalchemy import ScalarSelect, Table, delete, func, insert, select

from tiza.store import audit
from tiza.store.account_tables import keys, sessions
from tiza.store.credentials import By
from tiza.store.database import Database
from tiza.store.records import Person, Stored
from tiza.store.tables import conversations, feedback, messages, people
from tiza.store.tokens import hashed, new_token


class People:
    """Whoever has conversations. All methods raise StoreUnavailable, StoreBusy or StoreFull."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def welcome(self) -> tuple[Person, str]:
        """Make a new person; return it with the token that it is known by from now on."""
        token = new_token()
        values = {"token_hash": hashed(token), "created_at": datetime.now(UTC)}
        async with self._database.writing() as connection:
            made = await connection.execute(insert(people).values(values).returning(people.c.id))
            return Person(made.scalar_one()), token

    async def find(self, token: str) -> Person | None:
        """Return the person whom a token belongs to, None if nobody."""
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(people.c.id).where(people.c.token_hash == hashed(token))
            )
            number = found.scalar_one_or_none()
        return None if number is None else Person(number)

    async def stored(self, person: Person) -> Stored:
        """Return how much is kept of a person."""
        talks = select(conversations.c.id).where(conversations.c.person_id == person.id)
        said = select(messages.c.id).where(messages.c.conversation_id.in_(talks))
        ratings = select(func.count()).where(feedback.c.message_id.in_(said))
        statement = select(
            talks.with_only_columns(func.count()).scalar_subquery(),
            said.with_only_columns(func.count()).scalar_subquery(),
            ratings.scalar_subquery(),
            *(_of(person, table) for table in (keys, sessions)),
            people.c.created_at,
        ).where(people.c.id == person.id)
        async with self._database.reading() as connection:
            row = (await connection.execute(statement)).one_or_none()
        return Stored(*row) if row else Stored()

    async def forget(self, person: Person, by: By | None = None) -> None:
        """Delete a person and all that they have; nothing of theirs lets anybody in from now."""
        async with self._database.writing() as connection:
            gone = await connection.execute(delete(people).where(people.c.id == person.id))
            if by is not None and gone.rowcount:
                await audit.note(connection, by, "account.deleted", person.id)


def _of(person: Person, table: Table) -> ScalarSelect[int]:
    return select(func.count()).where(table.c.person_id == person.id).scalar_subquery()
