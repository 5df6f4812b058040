"""Connections and transactions, and the one place where a database's errors become ours.

SQLite has one writer at a time, and here one in each process, so that writers wait in a row and do
not race for the file's lock; readers go on meanwhile (WAL). PostgreSQL needs nothing of this.
"""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from tiza.errors import StoreBroken, StoreBusy, StoreFull, StoreUnavailable, TizaError
from tiza.store.sqlite import SqliteConnection

BUSY_SECONDS = 5.0  # how long a lock is waited for
CONNECT_SECONDS = 5.0
STATEMENT_SECONDS = 20.0
VACUUM_SECONDS = 600.0
READERS = 4  # connections for reading with SQLite, per process
POOL = 8  # connections with PostgreSQL, per process; twice as many for a moment

PRAGMAS = (
    "PRAGMA auto_vacuum=INCREMENTAL",  # counts before the first table is made
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # what was acknowledged survives a power cut
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",  # what was deleted is overwritten
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-1024",  # KiB, of each connection; the system's own cache is as fast
    "PRAGMA journal_size_limit=16777216",
)

FULL = ("SQLITE_FULL", "53100")
NO_CONNECTION = "no connection is free"
BUSY = (NO_CONNECTION, "SQLITE_BUSY", "SQLITE_LOCKED", "40001", "40P01", "55P03", "57014")
BROKEN = ("SQLITE_NOTADB", "SQLITE_CORRUPT", "XX001", "XX002")
OUR_FAULT = (ProgrammingError, IntegrityError, DataError, NotSupportedError)


class Database:
    """The engines of one database. `reading` and `writing` are its transactions."""

    def __init__(self, url: str, timed: Callable[[str, float], None] | None = None) -> None:
        self.url = _with_driver(make_url(url))
        self._tell_time = timed
        self._connections: list[SqliteConnection] = []
        self._is_closed = False
        if self.is_sqlite:
            _make_private(self.url)
            self._reader = _sqlite(self.url, "BEGIN", READERS, self._connect)
            self._writer = _sqlite(self.url, "BEGIN IMMEDIATE", 1, self._connect)
        else:
            self._reader = self._writer = _postgresql(self.url)

    @property
    def is_sqlite(self) -> bool:
        """Whether it is SQLite; otherwise it is PostgreSQL."""
        return self.url.get_backend_name() == "sqlite"

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection for a transaction that changes nothing.

        Raises:
            StoreUnavailable: the database does not answer.
            StoreBusy: it is locked by others.
            StoreBroken: it is damaged, or none.

        """
        with self._timed("read"), translated(self.url):
            async with self._reader.begin() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection for a transaction that is kept at the end of the block.

        Raises:
            StoreUnavailable: the database does not answer.
            StoreBusy: it is locked by others.
            StoreFull: the disk has no room.

        """
        with self._timed("write"), translated(self.url):
            async with self._writer.begin() as connection:
                yield connection

    async def plainly(self, statement: str) -> None:
        """Execute what must not be within a transaction."""
        with translated(self.url):
            async with self._writer.connect() as connection:
                driver: Any = (await connection.get_raw_connection()).driver_connection
                if self.is_sqlite:
                    await driver.execute_fetchall(statement)
                else:
                    await driver.execute(statement, timeout=VACUUM_SECONDS)

    async def close(self) -> None:
        """Close every connection, and wait for those that a cancelled task has left behind.

        Whoever comes later, as what a cancelled request has still to write, finds SQLite away.
        """
        self._is_closed = True
        await self._reader.dispose()
        await self._writer.dispose()
        await asyncio.gather(*(one.ended(BUSY_SECONDS + 1) for one in self._connections))

    @contextmanager
    def _timed(self, kind: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            if self._tell_time is not None:
                self._tell_time(kind, time.perf_counter() - began)

    def _connect(self, database: str, **options: Any) -> SqliteConnection:
        if self._is_closed:
            raise ConnectionAbortedError
        connection = SqliteConnection(partial(sqlite3.connect, database, **options))
        self._connections = [one for one in self._connections if one.is_alive]
        self._connections.append(connection)
        return connection


@contextmanager
def translated(where: URL) -> Iterator[None]:
    """Turn what a driver raises into our errors; a bug stays what it is."""
    try:
        yield
    except Exception as exc:
        if error := _ours(exc, where):
            raise error from exc
        raise


def _ours(exc: Exception, where: URL) -> TizaError | None:
    """Return what the exception means to us, None if it is a bug (or already ours)."""
    driver = exc.orig if isinstance(exc, DBAPIError) else exc
    code = NO_CONNECTION if isinstance(exc, PoolTimeout) else _code(driver)
    if code.startswith(BROKEN):
        return StoreBroken(reason=f"{where.database} ({code})")
    if code in FULL:
        return StoreFull(reason=code)
    if code.startswith(BUSY):
        return StoreBusy(reason=code)
    if isinstance(exc, OUR_FAULT) and not exc.connection_invalidated:
        return None
    if code or isinstance(exc, DBAPIError | OSError):  # the latter: it cannot be reached
        return StoreUnavailable(reason=code or type(driver).__name__)
    return None


def _code(error: BaseException | None) -> str:
    """Return SQLite's name of an error, or PostgreSQL's SQLSTATE."""
    while error is not None:
        for name in ("sqlite_errorname", "sqlstate"):
            if code := getattr(error, name, None):
                return str(code)
        error = error.__cause__
    return ""


def _with_driver(url: URL) -> URL:
    """Name the asynchronous driver; `postgres://` is a common short form."""
    if url.drivername.partition("+")[0] == "sqlite":
        return url.set(drivername="sqlite+aiosqlite")
    query = dict(url.query)
    if "sslmode" in query:  # libpq's name for what asyncpg calls ssl
        query["ssl"] = query.pop("sslmode")
    return url.set(drivername="postgresql+asyncpg", query=query)


def _make_private(url: URL) -> None:
    """Make an empty file that only this user may read; SQLite's other files take after it."""
    file = url.database or ""
    with translated(url):
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).touch(0o600)


def _sqlite(
    url: URL, begin: str, connections: int, connect: Callable[..., SqliteConnection]
) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=STATEMENT_SECONDS,
        pool_use_lifo=True,  # who has read before has the pages already
        connect_args={"timeout": BUSY_SECONDS, "async_creator_fn": connect},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions begin as we say, not as sqlite3 guesses
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        driver.begin(begin)

    return engine


def _postgresql(url: URL) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=POOL,
        max_overflow=POOL,
        pool_timeout=STATEMENT_SECONDS,
        pool_pre_ping=True,  # after a restart of the database the first request works again
        connect_args={
            "timeout": CONNECT_SECONDS,
            "command_timeout": STATEMENT_SECONDS,
            "server_settings": {"lock_timeout": f"{BUSY_SECONDS}s", "application_name": "tiza"},
        },
    )
