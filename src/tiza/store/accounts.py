"""Accounts: people with a name and a role. They keep what they had before they had a name."""

import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, Select, exists, select, update
from sqlalchemy import insert as plain_insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from tiza.errors import AccountNotFound, NameTaken
from tiza.store import audit
from tiza.store.account_tables import accounts, sessions
from tiza.store.credentials import Account, AccountRole, By
from tiza.store.database import Database
from tiza.store.insertion import insert
from tiza.store.names import key_of
from tiza.store.records import Person
from tiza.store.tables import people
from tiza.store.tokens import hashed

TRIES = 5  # for people of one name who are new in the same moment
COLUMNS = (
    accounts.c.person_id,
    accounts.c.name,
    accounts.c.role,
    accounts.c.created_at,
    accounts.c.disabled_at,
)


class Accounts:
    """All accounts. All methods raise StoreUnavailable, StoreBusy or StoreFull."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, by: By, name: str, role: AccountRole) -> Account:
        """Make an account that nobody can sign in to yet.

        Raises:
            NameTaken: somebody is called so.

        """
        async with self._database.writing() as connection:
            return await make(connection, by, name, role)

    async def with_password(self, name: str) -> tuple[Account, str] | None:
        """Return an account that may be used, with the hash of its password; None without one."""
        statement = select(*COLUMNS, accounts.c.password_hash).where(
            accounts.c.name_key == key_of(name),
            accounts.c.disabled_at.is_(None),
            accounts.c.password_hash.is_not(None),
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(statement)).one_or_none()
        return row and (account_of(row), row.password_hash)

    async def password_of(self, person: Person) -> str:
        """Return the hash of a person's password, empty without one."""
        statement = select(accounts.c.password_hash).where(accounts.c.person_id == person.id)
        async with self._database.reading() as connection:
            return (await connection.execute(statement)).scalar_one_or_none() or ""

    async def named(self, name: str) -> Account:
        """Return the account of that name.

        Raises:
            AccountNotFound: there is none.

        """
        async with self._database.reading() as connection:
            return await _one(connection, name)

    async def list(self) -> Sequence[Account]:
        """Return every account, by name."""
        statement = select(*COLUMNS).order_by(accounts.c.name_key)
        async with self._database.reading() as connection:
            return [account_of(row) for row in await connection.execute(statement)]

    async def has_admin(self) -> bool:
        """Tell whether anybody may administer this installation."""
        an_admin = (accounts.c.role == "admin") & accounts.c.disabled_at.is_(None)
        async with self._database.reading() as connection:
            return bool(await connection.scalar(select(exists().where(an_admin))))

    async def give_role(self, by: By, name: str, role: AccountRole) -> Account:
        """Give an account another role. Raises AccountNotFound."""
        async with self._database.writing() as connection:
            account = await _one(connection, name)
            await _change(connection, account, role=role)
            await audit.note(connection, by, "account.role", f"{account.person.id} {role}")
            return await _one(connection, name)

    async def disable(self, by: By, name: str, *, disabled: bool = True) -> Account:
        """Shut an account out, with its sessions and keys, or let it in again.

        Raises:
            AccountNotFound: there is none of that name.

        """
        async with self._database.writing() as connection:
            account = await _one(connection, name)
            await _change(connection, account, disabled_at=datetime.now(UTC) if disabled else None)
            if disabled:
                await connection.execute(
                    sessions.delete().where(sessions.c.person_id == account.person.id)
                )
            action: audit.Action = "account.disabled" if disabled else "account.enabled"
            await audit.note(connection, by, action, account.person.id)
            return await _one(connection, name)

    async def set_password(self, by: By, person: Person, password_hash: str) -> None:
        """Set a password, and end every session that another one had begun."""
        async with self._database.writing() as connection:
            await set_password(connection, by, person, password_hash)

    async def external(
        self, by: By, issuer: str, subject: str, name: str, anonymous: str = ""
    ) -> Account | None:
        """Return the account of somebody whom an OpenID provider knows; make it if they are new.

        None if it is disabled. Where the name is taken, the new one has a number behind it. Who is
        new in two places at once is found at the second try.
        """
        for _ in range(TRIES - 1):
            with suppress(NameTaken, IntegrityError):
                return await self._external(by, issuer, subject, name, anonymous)
        return await self._external(by, issuer, subject, name, anonymous)

    async def _external(
        self, by: By, issuer: str, subject: str, name: str, anonymous: str
    ) -> Account | None:
        same = (accounts.c.issuer == issuer) & (accounts.c.subject == subject)
        async with self._database.writing() as connection:
            row = (await connection.execute(select(*COLUMNS).where(same))).one_or_none()
            if row is not None:
                account = account_of(row)
                return None if account.disabled else account
            name = await _free(connection, name)
            account = await make(connection, by, name, "student", anonymous=anonymous)
            await _change(connection, account, issuer=issuer, subject=subject)
            return account


async def make(  # noqa: PLR0917  # two call sites, which name the last two
    connection: AsyncConnection,
    by: By,
    name: str,
    role: AccountRole,
    password_hash: str | None = None,
    anonymous: str = "",
) -> Account:
    """Make an account within a transaction.

    Whoever was known by the anonymous cookie with that token becomes this person; the cookie is
    worth nothing from then on. Raises NameTaken.
    """
    now = datetime.now(UTC)
    person = await _claimed(connection, anonymous) or await _new(connection, now)
    shown = unicodedata.normalize("NFC", name)
    values = {
        "person_id": person.id,
        "name": shown,
        "name_key": key_of(name),
        "role": role,
        "password_hash": password_hash,
        "created_at": now,
    }
    statement = insert(connection, accounts).values(values)
    done = await connection.execute(statement.on_conflict_do_nothing(index_elements=["name_key"]))
    if not done.rowcount:
        raise NameTaken(name=name)
    actor = by if by.person.id else By(person, by.address)
    await audit.note(connection, actor, "account.created", f"{person.id} {role}")
    return Account(person, shown, role, now)


async def set_password(
    connection: AsyncConnection, by: By, person: Person, password_hash: str
) -> None:
    """Set a password within a transaction."""
    changed = update(accounts).where(accounts.c.person_id == person.id)
    await connection.execute(changed.values(password_hash=password_hash))
    await connection.execute(sessions.delete().where(sessions.c.person_id == person.id))
    await audit.note(connection, by, "password.set", person.id)


def account_of(row: Row[*tuple[Any, ...]]) -> Account:
    """Make a record of a row that has `COLUMNS`."""
    disabled = row.disabled_at is not None
    return Account(Person(row.person_id), row.name, row.role, row.created_at, disabled)


def _by_name(name: str) -> Select[Any]:
    return select(*COLUMNS).where(accounts.c.name_key == key_of(name))


async def _one(connection: AsyncConnection, name: str) -> Account:
    row = (await connection.execute(_by_name(name))).one_or_none()
    if row is None:
        raise AccountNotFound(name=name)
    return account_of(row)


async def _change(connection: AsyncConnection, account: Account, **values: object) -> None:
    changed = update(accounts).where(accounts.c.person_id == account.person.id)
    await connection.execute(changed.values(**values))


async def _free(connection: AsyncConnection, name: str) -> str:
    """Return the name, or the first with a number behind it that nobody has."""
    number, free = 1, name
    while (await connection.execute(_by_name(free))).one_or_none() is not None:
        number += 1
        free = f"{name} {number}"
    return free


async def _claimed(connection: AsyncConnection, anonymous: str) -> Person | None:
    if not anonymous:
        return None
    claimed = update(people).where(people.c.token_hash == hashed(anonymous))
    found = await connection.execute(claimed.values(token_hash=None).returning(people.c.id))
    number = found.scalar_one_or_none()
    return None if number is None else Person(number)


async def _new(connection: AsyncConnection, now: datetime) -> Person:
    made = await connection.execute(
        plain_insert(people).values(created_at=now).returning(people.c.id)
    )
    return Person(made.scalar_one())
