"""The connection to SQLite: whole results, one errand a statement, and no transaction left open."""

import asyncio
import gc
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from tiza.errors import StoreBusy
from tiza.store import database as databases
from tiza.store.database import Database
from tiza.store.sqlite import FIRST_ROWS, SqliteConnection

NUMBERS = """
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT :many)
SELECT n FROM numbers WHERE :many > 0
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Name a database."""
    return tmp_path / "some.db"


@pytest.fixture
async def database(file: Path) -> Any:
    """Open a database with one empty table."""
    opened = Database(f"sqlite:///{file}")
    async with opened.writing() as connection:
        await connection.execute(text("CREATE TABLE things (name TEXT)"))
    yield opened
    await opened.close()


@pytest.fixture
def errands(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note everything for which a connection's thread is woken."""
    noted = list[str]()
    original: Any = SqliteConnection._execute  # where aiosqlite hands over work

    async def noting(self: SqliteConnection, work: Any, *args: Any) -> Any:
        noted.append(work.__name__)
        return await original(self, work, *args)

    monkeypatch.setattr(SqliteConnection, "_execute", noting)
    return noted


@pytest.mark.parametrize("many", [0, 1, FIRST_ROWS - 1, FIRST_ROWS, FIRST_ROWS + 1, 1000])
async def test_every_row_comes_once_and_in_order(database: Database, many: int) -> None:
    """However many there are, at once and one by one."""
    wanted = list(range(1, many + 1))
    async with database.reading() as connection:
        rows = await connection.execute(text(NUMBERS), {"many": many})
        assert [row.n for row in rows] == wanted
        streamed = await connection.stream(text(NUMBERS), {"many": many})
        assert [row.n async for row in streamed] == wanted


async def test_rows_that_were_fetched_do_not_come_again(file: Path) -> None:
    """Also where a part of them came with the statement and the others have to be asked for."""
    connection: Any = await SqliteConnection(lambda: sqlite3.connect(file))
    cursor: Any = connection.cursor()
    await cursor.execute(NUMBERS, {"many": 1000})
    parts = [await cursor.fetchmany(10), await cursor.fetchall(), await cursor.fetchall()]
    await connection.close()
    assert [len(part) for part in parts] == [10, 990, 0]
    assert [number for part in parts for (number,) in part] == list(range(1, 1001))


async def test_no_thread_is_left_when_the_database_is_closed(
    database: Database, file: Path
) -> None:
    """Nor that of a connection which nobody gave back."""
    left: Any = await database._connect(str(file))
    await database.close()
    assert not left._thread.is_alive()


async def test_a_connection_that_is_dropped_ends_its_thread(file: Path) -> None:
    """As when a task is cancelled: nobody closes it, and nobody is warned."""
    connection: Any = await SqliteConnection(lambda: sqlite3.connect(file))
    thread = connection._thread
    del connection
    gc.collect()
    await asyncio.to_thread(thread.join, 5)
    assert not thread.is_alive()


async def test_a_statement_is_one_errand(database: Database, errands: list[str]) -> None:
    """The thread is woken once for each statement, the first with BEGIN, and for COMMIT."""
    async with database.writing() as connection:
        errands.clear()
        await connection.execute(text("INSERT INTO things VALUES ('a')"))
        await connection.execute(text("INSERT INTO things VALUES (:it)"), [{"it": 1}, {"it": 2}])
        found = await connection.execute(text("SELECT name FROM things"))
        assert found.scalars().all() == ["a", "1", "2"]
    assert errands == ["begun", "begun", "begun", "commit"]


async def test_what_is_read_in_part_holds_nobody_up(database: Database, file: Path) -> None:
    """A stream that is left early ends its transaction: the file's log can be emptied."""
    async with database.reading() as connection:
        streamed = await connection.stream(text(NUMBERS), {"many": 1000})
        assert (await anext(streamed)).n == 1
    async with database.writing() as connection:
        await connection.execute(text("INSERT INTO things VALUES ('a')"))
    with sqlite3.connect(file) as other:
        assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0


async def test_a_transaction_without_a_statement_leaves_none(
    database: Database, file: Path
) -> None:
    """It has never begun; the next one begins, is kept, and lets others write."""
    async with database.writing():
        pass
    async with database.writing() as connection:
        await connection.execute(text("INSERT INTO things VALUES ('a')"))
    with sqlite3.connect(file, timeout=0) as other:
        other.execute("INSERT INTO things VALUES ('b')")
        assert other.execute("SELECT count(*) FROM things").fetchone() == (2,)


async def test_a_transaction_that_may_not_begin_says_busy_and_the_next_may(
    database: Database, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BEGIN fails with the first statement, and is not left to the next one."""
    monkeypatch.setattr(databases, "BUSY_SECONDS", 0.1)
    patient = Database(f"sqlite:///{file}")
    try:
        with sqlite3.connect(file, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreBusy):
                await _insert(patient, "a")
            other.execute("ROLLBACK")
        await _insert(patient, "a")
    finally:
        await patient.close()


async def test_a_failed_statement_undoes_those_before_it(database: Database) -> None:
    """All or nothing, and the connection is as good as new."""
    async with database.writing() as connection:
        await connection.execute(text("CREATE UNIQUE INDEX once ON things (name)"))
    with pytest.raises(IntegrityError):
        await _insert(database, "a", "b", "a")
    async with database.reading() as connection:
        assert (await connection.execute(text("SELECT * FROM things"))).all() == []
    await _insert(database, "a")


async def test_a_cancelled_statement_leaves_no_transaction(database: Database) -> None:
    """Cancelled before its thread has come to it, it still does not hold the writer's lock."""
    for _ in range(20):
        writing = asyncio.create_task(_insert(database, "a", "b"))
        await asyncio.sleep(0)
        writing.cancel()
        await asyncio.wait({writing})
    await _insert(database, "a")


async def _insert(database: Database, *names: str) -> None:
    async with database.writing() as connection:
        for name in names:
            await connection.execute(text("INSERT INTO things VALUES (:name)"), {"name": name})
