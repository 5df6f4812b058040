"""Everything that is kept, in one file, and back: the same for SQLite and PostgreSQL.

The file is gzipped JSON lines: a head with the revision of the tables, one `[table, row]` each, and
a foot with the number of rows and the SHA-256 of all lines before it. It is written from one
snapshot while others read and write, and may be restored into the other kind of database. What
search looks through is not in it: it is made again from the texts. Nor is any process.
"""

import gzip
import os
import zlib
from base64 import b64decode, b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import IO, Any

import orjson
from sqlalchemy import Connection, LargeBinary, Table, func, inspect, null, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from tiza.errors import BackupBroken, CannotWrite, StoreBroken, StoreNewer, StoreNotEmpty
from tiza.models.place import new_file
from tiza.store import account_tables, passages
from tiza.store.database import Database
from tiza.store.migrate import HEAD, current, migrate
from tiza.store.records import Person
from tiza.store.tables import Moment, conversations, messages, metadata, people, processes
from tiza.store.tables import passages as passage_table
from tiza.translation import N_

KIND = "tiza-store-1"
BATCH = 500  # rows
NAMES = orjson.OPT_NON_STR_KEYS  # SQLAlchemy's are of a type of their own
DAMAGED = N_("it is damaged, or no backup of conversations")
NOT_KEPT = (processes, passage_table)
COUNTED = (people, account_tables.audit)  # whose numbers are never given again

Line = list[Any]
Done = Callable[[], object]


async def backup(url: str, target: Path, done: Done = bool) -> int:
    """Write all that a database keeps into a file; return the number of rows.

    Raises:
        ModelExists: there is something at `target`.
        CannotWrite: a full disk, a closed folder.
        StoreUnavailable, StoreBusy, StoreBroken: the database cannot be read.

    """
    try:
        async with _database(url) as database, aclosing(_lines(database)) as lines:
            with new_file(target) as part, _private(part) as file, gzip.open(file, "wb", 6) as out:
                return await _write(lines, out, done)
    except OSError as exc:
        raise CannotWrite(path=target, reason=exc.strerror) from exc


async def _write(
    lines: AsyncIterator[Mapping[str, Any] | Line], out: gzip.GzipFile, done: Done
) -> int:
    digest, rows = sha256(), 0
    async for line in lines:
        written = orjson.dumps(line, option=NAMES) + b"\n"
        digest.update(written)
        out.write(written)
        rows += isinstance(line, list)
        done()
    out.write(orjson.dumps({"rows": rows, "sha256": digest.hexdigest()}) + b"\n")
    return rows


async def restore(url: str, source: Path, done: Done = bool) -> int:
    """Fill an empty database from a file, all of it or nothing; return the number of rows.

    Raises:
        BackupBroken: the file is damaged, or no backup.
        StoreNewer: a newer Tiza has written it.
        StoreNotEmpty: the database has something in it.
        StoreUnavailable, StoreBusy, StoreFull: the database cannot be written.

    """
    head, rows = _checked(source)
    if head["revision"] > HEAD:
        raise StoreNewer(revision=head["revision"])
    async with _database(url) as database:
        await _be_empty(database)
        await migrate(database, head["revision"])
        async with database.writing() as connection:
            await _fill(connection, source, done)
            await _count_on(connection, head["last"], is_sqlite=database.is_sqlite)
            await _index(connection)
        await migrate(database)
    return rows


@asynccontextmanager
async def _database(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        await database.close()


def _private(part: Path) -> IO[bytes]:
    return os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")


async def _lines(database: Database) -> AsyncGenerator[Mapping[str, Any] | Line]:
    """Yield the head and every row, as they were at one moment.

    Tables of an older revision are read as they are, so that a backup comes before an upgrade.
    """
    async with database.reading() as connection:
        if not database.is_sqlite:
            await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        revision = await connection.run_sync(current)
        if revision is None:
            raise StoreBroken(reason=f"{database.url.database}: no tables")
        if revision > HEAD:
            raise StoreNewer(revision=revision)
        there = await connection.run_sync(_columns)
        kept = [table for table in _tables() if table.name in there]
        yield {
            "kind": KIND,
            "revision": revision,
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "last": {
                table.name: await _last(connection, table, is_sqlite=database.is_sqlite)
                for table in kept
                if table in COUNTED
            },
        }
        for table in kept:
            columns = [column for column in table.columns if column.name in there[table.name]]
            names = [
                str(column.name) for column in columns
            ]  # SQLAlchemy's have a type of their own
            async for row in await connection.stream(select(*columns)):
                yield [table.name, dict(zip(names, map(_plain, row), strict=True))]


def _columns(connection: Connection) -> dict[str, set[str]]:
    """Return the columns of every table that is there."""
    found = inspect(connection).get_multi_columns()
    return {table: {column["name"] for column in columns} for (_, table), columns in found.items()}


def _tables() -> list[Table]:
    """Return the tables that are kept, each after those that it refers to."""
    return [table for table in metadata.sorted_tables if table not in NOT_KEPT]


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return b64encode(value).decode("ascii")
    return value.isoformat() if isinstance(value, datetime) else value


async def _last(connection: AsyncConnection, table: Table, *, is_sqlite: bool) -> int:
    """Return the last number that a table has given, also to what has been deleted."""
    statement = (
        "SELECT seq FROM sqlite_sequence WHERE name = :name"
        if is_sqlite
        else "SELECT pg_sequence_last_value(pg_get_serial_sequence(:name, 'id')::regclass)"
    )
    return int(await connection.scalar(text(statement), {"name": table.name}) or 0)


def _checked(source: Path) -> tuple[dict[str, Any], int]:
    """Read a file to its end; return its head and the number of its rows."""
    digest, rows, head, foot = sha256(), 0, b"", b""
    try:
        with gzip.open(source) as file:
            for number, line in enumerate(file):
                head = head or line
                if number:
                    digest.update(foot)
                    rows += number > 1
                foot = line
        told, end = orjson.loads(head), orjson.loads(foot)
        whole = told["kind"] == KIND and end == {"rows": rows, "sha256": digest.hexdigest()}
    except FileNotFoundError as exc:
        raise BackupBroken(path=source, problem=N_("there is no such file")) from exc
    except (OSError, EOFError, zlib.error, ValueError, LookupError, TypeError) as exc:
        raise BackupBroken(path=source, problem=DAMAGED) from exc
    if not whole:
        raise BackupBroken(path=source, problem=DAMAGED)
    return told, rows


def _rows(source: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    with gzip.open(source) as file:
        for line in file:
            if line.startswith(b"["):
                name, row = orjson.loads(line)
                yield name, row


async def _be_empty(database: Database) -> None:
    async with database.reading() as connection:
        if await connection.run_sync(current) is None:
            return
    await migrate(database)
    async with database.reading() as connection:
        for table in _tables():
            if await connection.scalar(select(func.count()).select_from(table)):
                where = database.url.render_as_string(hide_password=True)
                raise StoreNotEmpty(where=where)


async def _fill(connection: AsyncConnection, source: Path, done: Done) -> None:
    tables = {table.name: table for table in _tables()}
    for name, rows in groupby(_rows(source), key=lambda line: line[0]):
        if name not in tables:
            raise BackupBroken(path=source, problem=N_("it has a table that Tiza does not know"))
        table, batch = tables[name], list[dict[str, Any]]()
        for _, row in rows:
            batch.append(_typed(table, row))
            done()
            if len(batch) == BATCH:
                await connection.execute(table.insert(), batch)
                batch = []
        if batch:
            await connection.execute(table.insert(), batch)


def _typed(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    for column in table.columns:
        value = row.get(column.name)
        if value is None:
            continue
        if isinstance(column.type, LargeBinary):
            row[column.name] = b64decode(value)
        elif isinstance(column.type, Moment):
            row[column.name] = datetime.fromisoformat(value)
    if table is messages and row["state"] == "streaming":
        row["state"] = "interrupted"  # whoever was writing it is not here
    return row


async def _count_on(
    connection: AsyncConnection, last: Mapping[str, int], *, is_sqlite: bool
) -> None:
    """Let numbers go on after those that were given, also to what has been deleted since."""
    for table in (each for each in COUNTED if each.name in last):
        given = {"name": table.name, "last": last[table.name]}
        if not is_sqlite:
            sequence = "SELECT setval(pg_get_serial_sequence(:name, 'id'), greatest(:last, 1))"
            await connection.execute(text(sequence), given)
            continue
        await connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), given)
        insert = "INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"
        await connection.execute(text(insert), given)


async def _index(connection: AsyncConnection) -> None:
    """Let all titles and texts be found again."""
    of = conversations.c
    titles = select(of.person_id, of.id, null().label("message_id"), of.title, of.id.label("at"))
    of_message = messages.c
    texts = select(
        of.person_id,
        of.id,
        of_message.id.label("message_id"),
        of_message.text,
        of_message.id.label("at"),
    ).select_from(messages.join(conversations))
    for statement, key in ((titles, of.id), (texts, of_message.id)):
        last = ""
        while True:
            page = statement.where(key > last).order_by(key).limit(BATCH)
            found = (await connection.execute(page)).all()
            if not found:
                break
            rows = [passages.row_of(Person(row[0]), *row[1:4]) for row in found]
            await passages.add(connection, rows)
            last = found[-1].at
