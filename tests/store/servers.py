"""A real PostgreSQL for the tests, and databases in it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url

PROGRAM = Path(__file__).parents[2] / "tools" / "postgresql.py"


class Server:
    """A running `tools/postgresql.py`."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self._process, self.url = process, url

    def tell(self, what: str) -> None:
        """Say `stop` or `start`, and wait until it is done."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline().strip() == what

    def database(self, name: str) -> str:
        """Return the address of a database."""
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    async def make(self, name: str, template: str = "template1") -> str:
        """Make a database, as a copy of another, and return its address."""
        connection = await asyncpg.connect(self.url)
        try:
            await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        finally:
            await connection.close()
        return self.database(name)


@contextmanager
def server(*settings: str) -> Iterator[Server]:
    """Run a server for the length of the block; skip the test where there is no PostgreSQL."""
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), *settings],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout
        url = process.stdout.readline().strip()
        if not url:
            assert "CI" not in os.environ, "PostgreSQL is missing"
            pytest.skip("PostgreSQL is not installed: `make test` as root does that")
        try:
            yield Server(process, url)
        finally:
            process.communicate()
