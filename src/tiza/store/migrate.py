"""Bring a database to the tables of this version, when it is opened.

Everything happens in one transaction that holds the database's own lock, so that of several
processes that start at once one migrates and the others find it done. Alembic is loaded only if
there is something to do.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from tiza.errors import StoreNewer
from tiza.store.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0001"  # the newest file under migrations/versions
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


def config(connection: Connection) -> "Config":
    """Return Alembic's configuration for one connection."""
    from alembic.config import Config

    made = Config(attributes={"connection": connection})
    made.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return made


def _migrate(connection: Connection, revision: str) -> None:
    from alembic import command
    from alembic.script import ScriptDirectory

    has = current(connection)
    if has == revision:
        return
    script = ScriptDirectory.from_config(config(connection))
    known = [each.revision for each in script.walk_revisions()]
    if has is not None and has not in known:
        raise StoreNewer(revision=has)
    forward = revision != "base" and (has is None or has < revision)
    (command.upgrade if forward else command.downgrade)(config(connection), revision)
