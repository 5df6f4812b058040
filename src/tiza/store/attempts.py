"""Attempts to sign in: after some that failed, each further one has to wait twice as long.

Counted before the password is looked at, in the database itself, so that many attempts at once, at
any number of processes, count like as many one after the other.
"""

import hashlib
import math
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tiza.store import audit
from tiza.store.account_tables import attempts
from tiza.store.credentials import By
from tiza.store.database import Database
from tiza.store.insertion import insert

LONGEST_SECONDS = 900
FORGOTTEN = timedelta(days=1)  # after the last attempt


class Attempts:
    """All attempts. Subjects are free texts, such as a name or an address."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, free: Mapping[str, int], by: By) -> Mapping[str, int]:
        """Count an attempt for every subject; or return the seconds that some have to wait first.

        `free`: by subject, how many may fail before anybody has to wait.
        """
        by_key = {_key(subject): subject for subject in free}
        async with self._database.writing() as connection:
            rows = [await _row(connection, key) for key in sorted(by_key)]
            if waits := {by_key[row.subject]: wait for row in rows if (wait := _wait(row))}:
                return waits
            for row in rows:
                await _count(connection, row, free[by_key[row.subject]], by)
        return {}

    async def succeeded(self, *, forget: Collection[str], take_back: Collection[str]) -> None:
        """Forget all attempts of some subjects; of others only take one back."""
        gone = delete(attempts).where(attempts.c.subject.in_([_key(each) for each in forget]))
        fewer = update(attempts).where(attempts.c.subject.in_([_key(each) for each in take_back]))
        async with self._database.writing() as connection:
            await connection.execute(gone)
            await connection.execute(fewer.values(failures=attempts.c.failures - 1))


async def _row(connection: AsyncConnection, subject: bytes) -> Row[*tuple[Any, ...]]:
    """Return what is known of a subject, which nobody else may change meanwhile."""
    new = {"subject": subject, "failures": 0, "last_at": datetime.now(UTC)}
    await connection.execute(insert(connection, attempts).values(new).on_conflict_do_nothing())
    same = select(attempts).where(attempts.c.subject == subject).with_for_update()
    return (await connection.execute(same)).one()


def _wait(row: Row[*tuple[Any, ...]]) -> int:
    """Return the seconds for which a subject is still locked."""
    locked: datetime | None = row.locked_until
    left = (locked - datetime.now(UTC)).total_seconds() if locked else 0.0
    return math.ceil(max(left, 0.0))


async def _count(
    connection: AsyncConnection, row: Row[*tuple[Any, ...]], free: int, by: By
) -> None:
    now = datetime.now(UTC)
    failures = 1 + (row.failures if row.last_at > now - FORGOTTEN else 0)
    wait = min(2 ** min(failures - free, 32), LONGEST_SECONDS) if failures >= free else 0
    until = now + timedelta(seconds=wait) if wait else None
    same = update(attempts).where(attempts.c.subject == row.subject)
    values = {"failures": failures, "last_at": now, "locked_until": until}
    await connection.execute(same.values(values))
    if wait:
        await audit.note(connection, by, "sign_in.locked", f"{wait} s")


def _key(subject: str) -> bytes:
    return hashlib.sha256(subject.encode("utf-8", "surrogatepass")).digest()
