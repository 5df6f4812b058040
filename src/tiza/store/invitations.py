"""Invitations: links with which people make accounts, or set a password that was forgotten."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tiza.errors import InvitationNotFound, LinkWorthless
from tiza.store import audit
from tiza.store.account_tables import accounts, invitations
from tiza.store.accounts import COLUMNS as ACCOUNT_COLUMNS
from tiza.store.accounts import account_of, make, set_password
from tiza.store.credentials import Account, AccountRole, By, Invitation
from tiza.store.database import Database
from tiza.store.records import Person
from tiza.store.tokens import ID, hashed, new_public_id, new_token

RESET_AGE = timedelta(days=3)
FIRST_AGE = timedelta(hours=24)
FIRST_LOCK = 0x74697A62  # one process at a time looks whether there is an administrator
COLUMNS = (
    invitations.c.id,
    invitations.c.role,
    invitations.c.label,
    invitations.c.uses_left,
    invitations.c.expires_at,
)


class Invitations:
    """All links. All methods raise StoreUnavailable, StoreBusy or StoreFull."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self, by: By, role: AccountRole, age: timedelta, uses: int = 1, label: str = ""
    ) -> tuple[Invitation, str]:
        """Make an invitation; return it with its token, which nobody can read again."""
        async with self._database.writing() as connection:
            return await _make(connection, by, role, age, uses=uses, label=label)

    async def for_password(self, by: By, account: Account) -> str:
        """Return the token of a link that sets the account's password, once."""
        async with self._database.writing() as connection:
            await connection.execute(_open_resets_of(account.person))
            of = account.person.id
            return (await _make(connection, by, account.role, RESET_AGE, person_id=of))[1]

    async def for_first_admin(self) -> str | None:
        """Return a token for the first administrator; None if there is one, or it was given."""
        an_admin = (accounts.c.role == "admin") & accounts.c.disabled_at.is_(None)
        open_one = (invitations.c.role == "admin") & _valid()
        async with self._database.writing() as connection:
            if not self._database.is_sqlite:
                lock = text("SELECT pg_advisory_xact_lock(:lock)")
                await connection.execute(lock, {"lock": FIRST_LOCK})
            for table, condition in ((accounts, an_admin), (invitations, open_one)):
                found = select(table).where(condition).limit(1)
                if (await connection.execute(found)).first() is not None:
                    return None
            return (await _make(connection, By(), "admin", FIRST_AGE))[1]

    async def join(
        self, token: str, address: str, name: str, password_hash: str, anonymous: str = ""
    ) -> Account:
        """Make the account that an invitation allows, and use that up by one.

        Raises:
            LinkWorthless: it has expired, or no use of it is left.
            NameTaken: somebody is called so; nothing was used up.

        """
        async with self._database.writing() as connection:
            row = await _use(connection, token, invitations.c.person_id.is_(None))
            return await make(
                connection, By(address=address), name, row.role, password_hash, anonymous
            )

    async def reset(self, token: str, address: str, password_hash: str) -> Account:
        """Set the password that a link allows to be set. Raises LinkWorthless."""
        async with self._database.writing() as connection:
            row = await _use(connection, token, invitations.c.person_id.is_not(None))
            same = select(*ACCOUNT_COLUMNS).where(
                accounts.c.person_id == row.person_id, accounts.c.disabled_at.is_(None)
            )
            found = (await connection.execute(same)).one_or_none()
            if found is None:
                raise LinkWorthless
            account = account_of(found)
            by = By(account.person, address)
            await set_password(connection, by, account.person, password_hash)
            return account

    async def check(self, token: str) -> str:
        """Return whose password a link sets, empty for an invitation; before anything is hashed.

        Raises:
            LinkWorthless: it has expired, or no use of it is left.

        """
        of = invitations.outerjoin(accounts, accounts.c.person_id == invitations.c.person_id)
        valid = invitations.c.token_hash == hashed(token), _valid()
        statement = select(accounts.c.name).select_from(of).where(*valid)
        async with self._database.reading() as connection:
            row = (await connection.execute(statement)).one_or_none()
        if row is None:
            raise LinkWorthless
        return row.name or ""

    async def list(self, inviter: Person | None) -> Sequence[Invitation]:
        """Return the open invitations of somebody, or all of them."""
        statement = select(*COLUMNS).where(_valid(), invitations.c.person_id.is_(None))
        if inviter is not None:
            statement = statement.where(invitations.c.invited_by == inviter.id)
        async with self._database.reading() as connection:
            rows = await connection.execute(statement.order_by(invitations.c.expires_at))
            return [Invitation(**row._mapping) for row in rows]  # noqa: SLF001  # SQLAlchemy's documented name

    async def revoke(self, by: By, invitation_id: str, inviter: Person | None) -> None:
        """Delete an invitation of somebody, or anybody's.

        Raises:
            InvitationNotFound: they have none of that id.

        """
        if not ID.fullmatch(invitation_id):
            raise InvitationNotFound
        gone = delete(invitations).where(invitations.c.id == invitation_id)
        if inviter is not None:
            gone = gone.where(invitations.c.invited_by == inviter.id)
        async with self._database.writing() as connection:
            if not (await connection.execute(gone)).rowcount:
                raise InvitationNotFound
            await audit.note(connection, by, "invitation.revoked", invitation_id)


def _valid() -> ColumnElement[bool]:
    return (invitations.c.uses_left > 0) & (invitations.c.expires_at > datetime.now(UTC))


def _open_resets_of(person: Person) -> Any:
    return delete(invitations).where(invitations.c.person_id == person.id)


async def _make(
    connection: AsyncConnection,
    by: By,
    role: AccountRole,
    age: timedelta,
    *,
    uses: int = 1,
    label: str = "",
    person_id: int | None = None,
) -> tuple[Invitation, str]:
    token, now = new_token(), datetime.now(UTC)
    made = Invitation(new_public_id(), role, label, uses, now + age)
    values = vars(made) | {
        "token_hash": hashed(token),
        "person_id": person_id,
        "invited_by": by.person.id or None,
        "created_at": now,
    }
    await connection.execute(insert(invitations).values(values))
    await audit.note(connection, by, "invitation.created", f"{made.id} {role}")
    return made, token


async def _use(
    connection: AsyncConnection, token: str, of_kind: ColumnElement[bool]
) -> Row[*tuple[Any, ...]]:
    """Use a link up by one, in the database itself: of two at once only one gets the last."""
    used = (
        update(invitations)
        .where(invitations.c.token_hash == hashed(token), of_kind, _valid())
        .values(uses_left=invitations.c.uses_left - 1)
        .returning(invitations.c.role, invitations.c.person_id)
    )
    row = (await connection.execute(used)).one_or_none()
    if row is None:
        raise LinkWorthless
    return row
