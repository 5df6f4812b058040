"""What time asks for: the retention period, old keys, and the last traces of what was deleted.

Deleted text is out of reach at once, and overwritten in the tables (`secure_delete`). Copies that
remain inside SQLite's full-text index and in its log of changes, or in PostgreSQL's dead rows,
go here.
"""

import asyncio
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import delete, exists, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from tiza.errors import RequestError
from tiza.store import account_tables as tables
from tiza.store import attempts, sessions
from tiza.store.credentials import LONGEST_SESSION
from tiza.store.database import Database
from tiza.store.tables import conversations, people, requests

FIRST_SECONDS, EVERY_SECONDS = 60.0, 3600.0
KEY_DAYS = 1  # how long the same Idempotency-Key means the same request
LONELY_DAYS = 30  # how long somebody without any conversation or account is known
AUDIT_DAYS = 365  # how long it is known who did what
SIGNING_DAYS = 90  # longer than any key signs, or its tokens are valid
AT_ONCE = 100  # conversations deleted in one transaction
MERGED_PAGES = 200  # of the full-text index, in one transaction
HOLD_TEXT = ("passages", "messages", "feedback", "conversations")
CHANGES = text("SELECT total_changes()")
MERGE = text("INSERT INTO passage_words (passage_words, rank) VALUES ('merge', :pages)")

log = structlog.get_logger("tiza.store")


class Upkeep:
    """Keeps one database in order. `days` is the retention period; 0 means for ever."""

    def __init__(self, database: Database, days: int) -> None:
        self._database, self._days = database, days

    async def keep(self) -> None:
        """Do everything every hour until cancelled; what fails is done an hour later."""
        await asyncio.sleep(FIRST_SECONDS)
        while True:
            try:
                await self.run()
            except RequestError as exc:
                log.warning("upkeep failed", code=exc.code, reason=str(exc.data.get("reason")))
            await asyncio.sleep(EVERY_SECONDS)

    async def run(self) -> None:
        """Do everything now."""
        now = datetime.now(UTC)
        if self._days:
            await self._expire(now - timedelta(days=self._days))
        async with self._database.writing() as connection:
            old = requests.c.created_at < now - timedelta(days=KEY_DAYS)
            await connection.execute(delete(requests).where(old))
            has_any = exists().where(conversations.c.person_id == people.c.id)
            long_ago = people.c.created_at < now - timedelta(days=LONELY_DAYS)
            has_account = exists().where(tables.accounts.c.person_id == people.c.id)
            await connection.execute(delete(people).where(long_ago, ~has_any, ~has_account))
            await _clear_accounts(connection, now)
        await self.sweep()

    async def sweep(self) -> None:
        """Remove the last traces of what was deleted."""
        if not self._database.is_sqlite:
            await self._database.plainly(f"VACUUM {', '.join(HOLD_TEXT)}")
        elif await self._deleted():
            await self._merge()
            await self._database.plainly("PRAGMA incremental_vacuum")
            await self._database.plainly("PRAGMA wal_checkpoint(TRUNCATE)")

    async def _deleted(self) -> bool:
        """Tell whether something was deleted since this was asked last."""
        async with self._database.writing() as connection:
            deleted = await connection.scalar(text("SELECT deleted FROM traces"))
            await connection.execute(text("UPDATE traces SET deleted = 0"))
        return bool(deleted)

    async def _merge(self) -> None:
        """Write FTS5's index anew, in pieces."""
        pages, worked = -MERGED_PAGES, True  # the sign begins a merge of everything with everything
        while worked:
            async with self._database.writing() as connection:
                before = await connection.scalar(CHANGES)
                await connection.execute(MERGE, {"pages": pages})
                worked = await connection.scalar(CHANGES) - before > 1  # as FTS5 documents it
            pages = MERGED_PAGES

    async def _expire(self, before: datetime) -> None:
        """Delete conversations that nobody has touched since, a few at a time."""
        old = select(conversations.c.id).where(conversations.c.updated_at < before).limit(AT_ONCE)
        while True:
            async with self._database.writing() as connection:
                gone = await connection.execute(
                    delete(conversations).where(conversations.c.id.in_(old))
                )
            if gone.rowcount < AT_ONCE:
                return


async def _clear_accounts(connection: AsyncConnection, now: datetime) -> None:
    """Delete what lets nobody in any more, and what was done long ago."""
    days = timedelta(days=1)
    for column, moment in (
        (tables.sessions.c.created_at, now - LONGEST_SESSION),
        (tables.sessions.c.seen_at, now - sessions.IDLE),
        (tables.invitations.c.expires_at, now),
        (tables.attempts.c.last_at, now - attempts.FORGOTTEN),
        (tables.revoked_tokens.c.expires_at, now),
        (tables.signing_keys.c.created_at, now - SIGNING_DAYS * days),
        (tables.audit.c.at, now - AUDIT_DAYS * days),
    ):
        await connection.execute(delete(column.table).where(column < moment))
