"""Migrations: up, down, once, and to the very tables that the code knows."""

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

import tiza.store.account_tables  # noqa: F401  # its tables are the code's, too
from tests.store.talk import conversation
from tiza.errors import StoreNewer
from tiza.store.database import Database
from tiza.store.migrate import FOLDER, HEAD, current, migrate
from tiza.store.records import Person
from tiza.store.store import Store, opened
from tiza.store.tables import metadata

OURS = ("passage_words", "traces", "alembic_version")  # made without SQLAlchemy


def differences(connection: Connection) -> Any:
    """Return how the tables differ from those that the code knows."""

    def compared(item: object, name: str | None, kind: str, *_: object) -> bool:
        return not (kind == "table" and str(name).startswith(OURS)) and name != "passages_by_word"

    options = {"include_object": compared, "compare_type": True}
    return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)


async def test_tables_are_those_of_the_code_when_migrated(empty_url: str) -> None:
    """The migrations and the tables in the code say the same."""
    database = Database(empty_url)
    await migrate(database)
    await migrate(database)

    async with database.writing() as connection:
        assert await connection.run_sync(differences) == []
        assert await connection.run_sync(current) == HEAD
    await database.close()
    assert ScriptDirectory(str(FOLDER)).get_current_head() == HEAD


async def test_nothing_is_left_when_migrated_down(empty_url: str) -> None:
    """Down undoes what up did, and up works again."""
    database = Database(empty_url)
    for _ in range(2):
        await migrate(database)
        await migrate(database, "base")
        async with database.reading() as connection:
            names = await connection.run_sync(lambda c: inspect(c).get_table_names())
        assert set(names) <= {"alembic_version", "sqlite_sequence"}
    await database.close()


async def test_each_migrates_or_waits_when_five_processes_start_at_once(empty_url: str) -> None:
    """Several processes may start together: one makes the tables, all find them."""
    code = "import asyncio, sys; from tiza.store.database import Database as D;"
    code += "from tiza.store.migrate import migrate as m; asyncio.run(m(D(sys.argv[1])))"
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, empty_url, stderr=subprocess.PIPE
        )
        for _ in range(5)
    ]
    ends = await asyncio.gather(*(process.communicate() for process in processes))

    assert [error.decode() for _, error in ends] == [""] * 5
    database = Database(empty_url)
    async with database.reading() as connection:
        assert await connection.run_sync(current) == HEAD
    await database.close()


def test_several_databases_are_migrated_when_one_process_opens_them_at_once(tmp_path: Path) -> None:
    """A migration has nothing in common with another of the same process."""

    async def migrated(name: str) -> None:
        database = Database(f"sqlite:///{tmp_path / name}")
        await migrate(database)
        await migrate(database, "base")
        await database.close()

    with ThreadPoolExecutor(4) as threads:
        done = [threads.submit(asyncio.run, migrated(f"{number}.db")) for number in range(16)]
    assert [each.exception() for each in done] == [None] * 16


async def test_store_refuses_when_a_newer_version_has_written_it(url: str) -> None:
    """An older Tiza touches nothing that it does not understand."""
    database = Database(url)
    async with database.writing() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(StoreNewer, match="9999"):
        async with opened(url):
            pass
    await database.close()


async def test_alembic_is_not_loaded_when_there_is_nothing_to_do(url: str) -> None:
    """The everyday start does not pay for migrations."""
    code = "import asyncio, sys; from tiza.store.database import Database as D;"
    code += "from tiza.store.migrate import migrate as m; asyncio.run(m(D(sys.argv[1])));"
    code += "assert 'alembic' not in sys.modules"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, url)
    assert await process.wait() == 0


async def test_file_is_private_when_it_is_made(store: Store, ana: Person, url: str) -> None:
    """Nobody else on the machine reads SQLite's files; in PostgreSQL the server sees to that."""
    await conversation(store, ana, "q", "a")
    path = Database(url).url
    if path.get_backend_name() == "sqlite":
        files = list(Path(path.database or "").parent.glob("tiza.db*"))
        assert len(files) == 3
        assert {file.stat().st_mode & 0o077 for file in files} <= {0o044, 0}
