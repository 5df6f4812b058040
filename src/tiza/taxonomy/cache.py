"""Verdicts on lessons that were seen before, under the hash of their bytes.

One SQLite file; thrown away when the checker's own code has changed. A cache that cannot be used is
no cache: checking goes on without.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from functools import cache as cached
from hashlib import blake2b
from pathlib import Path

from tiza.taxonomy.verdict import Verdict, unpack

MOST_ENTRIES = 500_000
Row = tuple[bytes, bytes, bytes]  # key, findings and document, fingerprints


class Cache:
    """Reads and keeps verdicts. `path` None: remembers nothing."""

    def __init__(self, path: Path | None) -> None:
        self._connection: sqlite3.Connection | None = None
        if path is not None:
            with suppress(OSError, sqlite3.Error):
                path.parent.mkdir(parents=True, exist_ok=True)
                self._connection = _open(path)

    def get(self, key: bytes) -> Verdict | None:
        """Return the verdict that was kept under a key."""
        if self._connection is None:
            return None
        try:
            row = self._connection.execute(
                "SELECT verdict, questions FROM verdicts WHERE key = ?", (key,)
            ).fetchone()
            return unpack(*row) if row else None
        except (sqlite3.Error, ValueError, KeyError, TypeError):
            return None

    @property
    def works(self) -> bool:
        """Whether anything is kept at all."""
        return self._connection is not None

    def put(self, rows: Iterable[Row]) -> None:
        """Keep packed verdicts."""
        if self._connection is None:
            return
        with suppress(sqlite3.Error), self._connection as connection:
            connection.executemany("INSERT OR REPLACE INTO verdicts VALUES (?, ?, ?)", rows)

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()


def _open(path: Path) -> sqlite3.Connection:
    try:
        return _prepare(sqlite3.connect(path, timeout=5))
    except sqlite3.DatabaseError:
        path.unlink(missing_ok=True)  # damaged, or not a database at all
        return _prepare(sqlite3.connect(path, timeout=5))


def _prepare(connection: sqlite3.Connection) -> sqlite3.Connection:
    version = checker_version()
    (kept,) = connection.execute("PRAGMA user_version").fetchone()
    with connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        if kept != version:
            connection.execute("DROP TABLE IF EXISTS verdicts")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS verdicts "
            "(key BLOB PRIMARY KEY, verdict BLOB, questions BLOB) WITHOUT ROWID"
        )
        with closing(connection.execute("SELECT count(*) FROM verdicts")) as count:
            if count.fetchone()[0] > MOST_ENTRIES:
                connection.execute("DELETE FROM verdicts")
        connection.execute(f"PRAGMA user_version = {version}")
    return connection


@cached
def checker_version() -> int:
    """Return 31 bits that change whenever the code of this package does."""
    digest = blake2b(digest_size=4)
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(source.read_bytes())
    return int.from_bytes(digest.digest(), "little") >> 1
