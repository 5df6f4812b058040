"""A connection to SQLite in a thread of its own, as SQLAlchemy uses it: one errand a statement.

Knows nothing of tables and transactions.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Self

import aiosqlite

FIRST_ROWS = 256  # that come with their statement


class SqliteConnection(aiosqlite.Connection):
    """Fetches what a statement finds along with it; stops its thread once, and can be waited for.

    SQLAlchemy stops it a second time when a task is cancelled twice in the middle of a statement,
    and aiosqlite 0.22 would wait for ever for a thread that has gone. After one cancel nobody
    waits for the thread at all, and it would tell a loop of its end that may be closed by then.
    """

    _is_stopped = False
    _begin = ""  # what begins the newest transaction, until its first errand
    _is_untouched = True  # since the last transaction

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connect, iter_chunk_size=FIRST_ROWS)
        self._thread.daemon = True  # as SQLAlchemy does with its own

    def __del__(self) -> None:
        """End the thread of one that a cancelled task has dropped, without a warning to anybody."""
        if self._connection is not None:
            self.stop()

    @property
    def is_alive(self) -> bool:
        """Whether its thread has not begun yet, or runs."""
        return self._thread.ident is None or self._thread.is_alive()

    def cursor(self) -> "Cursor":  # type: ignore[override]  # of which SQLAlchemy sees no more
        """Return a cursor; that alone is nothing for the thread."""
        return Cursor(self)

    def begin(self, statement: str) -> None:
        """Begin a transaction along with its first statement."""
        self._begin = statement

    async def errand(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        """Do some work in the thread, in the transaction that is to begin."""
        begin, self._begin = self._begin, ""
        self._is_untouched = False

        def begun(connection: sqlite3.Connection) -> Any:
            if begin:
                connection.execute(begin)
            return work(connection)

        return await self._execute(begun, self._conn)  # type: ignore[no-untyped-call]

    async def commit(self) -> None:
        """Keep what the transaction did."""
        await super().commit()
        self._is_untouched = True

    async def rollback(self) -> None:
        """Undo the transaction; SQLAlchemy asks for it after every one, kept or not."""
        if not self._is_untouched:
            await super().rollback()
            self._is_untouched = True

    def stop(self) -> asyncio.Future[Any] | None:
        """Stop the thread after what it has been told before."""
        if self._is_stopped:
            return None
        self._is_stopped = True
        return super().stop()

    async def ended(self, within: float) -> None:
        """Stop the thread and wait until it has gone, for some seconds."""
        if self._thread.is_alive():
            self.stop()
            await asyncio.to_thread(self._thread.join, within)


class Cursor:
    """A statement, its first rows and its end in one errand; aiosqlite's needs four.

    Has as much of PEP 249 as SQLAlchemy uses. Raises what `sqlite3` does.
    """

    arraysize = 1

    def __init__(self, connection: SqliteConnection) -> None:
        self._connection = connection
        self._rows: Sequence[Any] = ()
        self._rest: sqlite3.Cursor | None = None  # open only if there are more rows than the first
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        """Be one that can be used at once."""
        return self

    async def execute(self, statement: str, parameters: Any = ()) -> None:
        """Execute a statement."""
        await self._connection.errand(lambda at: self._have(at.execute(statement, parameters)))

    async def executemany(self, statement: str, parameters: Sequence[Any]) -> None:
        """Execute a statement once for each of the parameters."""
        await self._connection.errand(lambda at: self._have(at.executemany(statement, parameters)))

    async def fetchall(self) -> Sequence[Any]:
        """Return all rows that are left."""
        rows, self._rows = self._rows, ()
        if self._rest is not None:
            rest = self._rest
            rows = [*rows, *await self._connection.errand(lambda _: rest.fetchall())]
        return rows

    async def fetchmany(self, size: int) -> Sequence[Any]:
        """Return the next rows, at most `size`; fewer only at the end."""
        if len(self._rows) < size and self._rest is not None:
            rest, missing = self._rest, size - len(self._rows)
            more = await self._connection.errand(lambda _: rest.fetchmany(missing))
            self._rows = [*self._rows, *more]
        rows, self._rows = self._rows[:size], self._rows[size:]
        return rows

    async def close(self) -> None:
        """Give up the rows that are left."""
        self._rows = ()
        if self._rest is not None:
            rest, self._rest = self._rest, None
            await self._connection.errand(lambda _: rest.close())

    def _have(self, cursor: sqlite3.Cursor) -> None:
        """Keep what an executed statement tells; runs in the thread."""
        self.description = cursor.description
        if cursor.description:
            self._rows = cursor.fetchmany(FIRST_ROWS)
        self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid
        if len(self._rows) == FIRST_ROWS:
            self._rest = cursor
        else:
            cursor.close()
