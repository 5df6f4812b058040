"""Bring a database to the tables of this version, when it is opened.

Everything happens in one transaction that holds the database's own lock, so that of several
processes that start at once one migrates and the others find it done. Alembic is loaded only if
there is something to do.
"""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from tiza.errors import StoreNewer
from tiza.store.database import Database

HEAD = "0003"  # the newest file under migrations/versions
FOLDER = Path(__file__).parent / "migrations"
LOCK = 0x74697A61  # "tiza"


async def migrate(database: Database, revision: str = HEAD) -> None:
    """Bring the database to a revision: the newest, or for tests any other, or `base`.

    Raises:
        StoreNewer: the database has a revision that this version does not know.

    """
    async with database.reading() as connection:
        if await connection.run_sync(current) == revision:
            return
    async with database.writing() as connection:
        if not database.is_sqlite:  # SQLite's writing transactions exclude each other anyway
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        await connection.run_sync(_migrate, revision)


def current(connection: Connection) -> str | None:
    """Return the revision that a database has, None if it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _migrate(connection: Connection, revision: str) -> None:
    """Run what lies between.

    Alembic's usual `env.py` and its `op` are one for the whole process; each of several databases
    that are opened at once needs its own.
    """
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(FOLDER))
    has = current(connection)
    if has is not None and has not in [each.revision for each in script.walk_revisions()]:
        raise StoreNewer(revision=has)
    forward = revision != "base" and (has is None or has < revision)
    way = script._upgrade_revs if forward else script._downgrade_revs  # noqa: SLF001  # as Alembic documents
    options = {"fn": lambda at, _: way(revision, at)}
    context = MigrationContext.configure(connection, opts=options)
    context.run_migrations(op=Operations(context))
