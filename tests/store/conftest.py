"""Every test of the store runs on both databases, each time on a new one."""

import shutil
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.store.servers import Server, server
from tiza.store.database import Database
from tiza.store.migrate import migrate
from tiza.store.records import Person
from tiza.store.store import Store, opened

NUMBERS = count()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """Run one server for all tests of this process."""
    with server() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
async def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of a new database without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'tiza.db'}"
    running: Server = request.getfixturevalue("postgresql")
    return await running.make(f"empty_{next(NUMBERS)}")


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of a new database with empty tables, copied from one that was migrated."""
    if request.param == "sqlite":
        template = tmp_path.parent / "template.db"
        if not template.exists():
            await _migrated(f"sqlite:///{template}.part")
            template.with_suffix(".db.part").rename(template)
        shutil.copy(template, tmp_path / "tiza.db")
        return f"sqlite:///{tmp_path / 'tiza.db'}"
    running: Server = request.getfixturevalue("postgresql")
    if not TEMPLATES:
        await _migrated(await running.make("template"))
        TEMPLATES.append("template")
    return await running.make(f"tables_{next(NUMBERS)}", "template")


TEMPLATES: list[str] = []


async def _migrated(url: str) -> None:
    database = Database(url)
    await migrate(database)
    await database.close()


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    """Open the store on it."""
    async with opened(url) as store:
        yield store


@pytest.fixture
async def ana(store: Store) -> Person:
    """Somebody."""
    return (await store.people.welcome())[0]


@pytest.fixture
async def ben(store: Store) -> Person:
    """Somebody else."""
    return (await store.people.welcome())[0]
