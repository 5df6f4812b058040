"""The audit log: who did what to which account, key or link, and from where; never what was said.

An entry is written in the transaction of what it tells, so that neither is there without the other.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from tiza.store.account_tables import audit
from tiza.store.credentials import AuditEntry, By
from tiza.store.database import Database

Action = Literal[
    "account.created",
    "account.deleted",
    "account.disabled",
    "account.enabled",
    "account.role",
    "data.exported",
    "invitation.created",
    "invitation.revoked",
    "key.created",
    "key.revoked",
    "model.promoted",
    "password.set",
    "sign_in",
    "sign_in.failed",
    "sign_in.locked",
    "sign_out",
    "token.revoked",
]


async def note(connection: AsyncConnection, by: By, action: Action, subject: object = "") -> None:
    """Write an entry within a transaction."""
    values = {
        "at": datetime.now(UTC),
        "action": action,
        "actor_id": by.person.id or None,
        "subject": str(subject),
        "address": by.address[:64],
    }
    await connection.execute(insert(audit).values(values))


class Audit:
    """The log as a whole. Raises StoreUnavailable, StoreBusy or StoreFull."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, by: By, action: Action, subject: object = "") -> None:
        """Write an entry about something that is not in the store."""
        async with self._database.writing() as connection:
            await note(connection, by, action, subject)

    async def newest(self, limit: int = 100) -> Sequence[AuditEntry]:
        """Return the last entries, the newest first."""
        columns = (audit.c.at, audit.c.action, audit.c.actor_id, audit.c.subject, audit.c.address)
        statement = select(*columns).order_by(audit.c.id.desc()).limit(limit)
        async with self._database.reading() as connection:
            return [AuditEntry(*row) for row in await connection.execute(statement)]
