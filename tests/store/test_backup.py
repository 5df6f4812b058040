"""What a backup holds comes back whole, in either database."""

import asyncio
import gzip
import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from tests.store.conftest import NUMBERS
from tests.store.servers import Server
from tests.store.talk import WANTED, conversation
from tiza.errors import BackupBroken, ModelExists, StoreBroken, StoreNewer, StoreNotEmpty
from tiza.store.backup import _tables, backup, restore
from tiza.store.credentials import By, Key
from tiza.store.database import Database
from tiza.store.migrate import migrate
from tiza.store.records import Feedback, Person
from tiza.store.store import Store, opened

Rows = dict[str, list[Any]]


@pytest.fixture(params=["sqlite", "postgresql"])
async def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of an empty system, of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new' / 'tiza.db'}"
    running: Server = request.getfixturevalue("postgresql")
    return await running.make(f"elsewhere_{next(NUMBERS)}")


@pytest.fixture
async def lived_in(store: Store, ana: Person) -> Person:
    """Fill the store with something of everything; return who has been deleted since."""
    first, second = await conversation(
        store, ana, "¿Qué es la tiza?", "Yeso 🖍 \x01", "And chalk?", "Soft.", title="Tiza"
    )
    await store.messages.rate(ana, first.answer.id, Feedback("down", "wrong", "Better."))
    half = await store.messages.edit(ana, second.question.id, "And half?", WANTED, key="once")
    await store.messages.save({half.answer.id: "Half an answ"})
    account = await store.accounts.create(By(), "Lola", "teacher")
    key = Key("0123456789ab", "laptop", ("chat",), datetime.now(UTC))
    await store.keys.add(By(account.person, "192.0.2.1"), account.person, key, b"\x00\xff")
    await store.invitations.create(By(), "student", timedelta(days=1), 3, "class")
    gone = (await store.people.welcome())[0]
    await store.people.forget(gone)
    return gone


async def rows(url: str) -> Rows:
    """Read every table, in order of its first columns."""
    database = Database(url)
    try:
        async with database.reading() as connection:
            found: Rows = {}
            for table in _tables():
                statement = select(table).order_by(*table.c)
                if table.name == "messages":
                    statement = select(text(MESSAGES)).select_from(table).order_by(table.c.id)
                found[table.name] = [list(row) for row in await connection.execute(statement)]
            return found
    finally:
        await database.close()


MESSAGES = "id, text, state, parent_id, conversation_id"


async def test_everything_comes_back_when_restored_into_an_empty_system(  # noqa: PLR0917  # fixtures
    store: Store, url: str, elsewhere: str, ana: Person, lived_in: Person, tmp_path: Path
) -> None:
    """Every row, in either direction between the databases; search works, numbers go on."""
    count = await backup(url, tmp_path / "store.jsonl.gz")

    assert await restore(elsewhere, tmp_path / "store.jsonl.gz") == count

    before, after = await rows(url), await rows(elsewhere)
    assert sum(map(len, before.values())) == count > 15
    assert before.keys() == after.keys()
    for name in before.keys() - {"messages"}:
        assert after[name] == before[name], name
    for was, now in zip(before["messages"], after["messages"], strict=True):
        state = "interrupted" if was[2] == "streaming" else was[2]
        assert now == [*was[:2], state, *was[3:]]
    async with opened(elsewhere) as restored:
        assert (await restored.search.find(ana, "que TIZA")).conversations[0].title == "Tiza"
        assert len((await restored.search.find(ana, "half")).conversations) == 1
        assert (await restored.accounts.named("lola")).role == "teacher"
        newcomer, _ = await restored.people.welcome()
        assert newcomer.id == lived_in.id + 1, "the number of who was deleted is not given again"
        await conversation(restored, newcomer, "Still?", "Yes.")


async def test_backup_is_of_one_moment_when_others_write(
    store: Store, url: str, ana: Person, tmp_path: Path
) -> None:
    """No answer is in it without its question, and nobody has to stop writing."""
    writing = True

    async def write(number: int) -> None:
        while writing:
            await conversation(store, ana, f"{number}?", "Yes.", "More?", "No.")

    async def copy(number: int) -> Path:
        await asyncio.sleep(0)
        target = tmp_path / f"{number}.gz"
        await backup(url, target)
        return target

    writers = [asyncio.create_task(write(number)) for number in range(2)]
    copies = [await copy(number) for number in range(3)]
    writing = False
    await asyncio.gather(*writers)
    sizes = []
    for file in copies:
        lines = [json.loads(line) for line in unpacked(file)][1:-1]
        ids = {row["id"] for name, row in lines if name in ("messages", "conversations")}
        said = [row for name, row in lines if name == "messages"]
        assert {row["parent_id"] for row in said} - {None} <= ids
        assert {row["conversation_id"] for row in said} <= ids
        sizes.append(len(said))
    assert sizes == sorted(sizes)
    assert sizes[-1] > sizes[0]


def unpacked(file: Path) -> list[bytes]:
    """Read the lines of a backup."""
    return gzip.decompress(file.read_bytes()).splitlines(keepends=True)


def damage_to(file: Path, damage: Callable[[bytes], bytes]) -> None:
    """Damage a file."""
    file.write_bytes(damage(file.read_bytes()))


def mode(file: Path) -> int:
    """Return who may read and write a file."""
    return file.stat().st_mode & 0o777


@pytest.fixture
async def whole(tmp_path: Path) -> Path:
    """Make a backup of a small database."""
    url = f"sqlite:///{tmp_path / 'source.db'}"
    async with opened(url) as store:
        await conversation(store, (await store.people.welcome())[0], "What?", "That.")
    await backup(url, tmp_path / "whole.gz")
    return tmp_path / "whole.gz"


def flipped(content: bytes) -> bytes:
    """Change one letter of an answer."""
    return gzip.compress(gzip.decompress(content).replace(b"That.", b"Than."))


def without_a_row(content: bytes) -> bytes:
    """Leave one line out."""
    lines = gzip.decompress(content).splitlines(keepends=True)
    return gzip.compress(b"".join(lines[:2] + lines[3:]))


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-20],
        lambda content: content[: len(content) // 2],
        lambda _: b"",
        lambda _: b"not a backup",
        lambda _: gzip.compress(b'{"kind": "tiza-store-1"}\n'),
        flipped,
        without_a_row,
    ],
)
async def test_nothing_is_changed_when_a_backup_is_damaged(
    damage: Callable[[bytes], bytes], whole: Path, tmp_path: Path
) -> None:
    """A sentence names the file, and the database is not even made."""
    damage_to(whole, damage)
    with pytest.raises(BackupBroken, match=r"whole\.gz"):
        await restore(f"sqlite:///{tmp_path / 'new.db'}", whole)
    assert not (tmp_path / "new.db").exists()


async def test_restore_is_refused_when_it_would_mix_or_misread(whole: Path, tmp_path: Path) -> None:
    """Not into a database with something in it, nor what a newer version wrote; not over a file."""
    source = f"sqlite:///{tmp_path / 'source.db'}"
    with pytest.raises(StoreNotEmpty, match=r"source\.db"):
        await restore(source, whole)
    with pytest.raises(ModelExists):
        await backup(source, whole)
    with pytest.raises(BackupBroken):
        await restore(source, tmp_path / "nothing.gz")
    with pytest.raises(StoreBroken, match="no tables"):
        await backup(f"sqlite:///{tmp_path / 'empty.db'}", tmp_path / "empty.gz")
    assert not (tmp_path / "empty.gz").exists()
    assert mode(whole) == 0o600, "it holds what people said"

    with sqlite3.connect(tmp_path / "source.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreNewer, match="9999"):
        await backup(source, tmp_path / "newer.gz")


async def test_older_tables_are_brought_up_to_date_when_restored(
    empty_url: str, tmp_path: Path
) -> None:
    """A backup made before an upgrade is good after it."""
    database = Database(empty_url)
    await migrate(database, "0001")
    async with database.writing() as connection:
        moment = "'2026-01-01 00:00:00'"
        people = f"INSERT INTO people (created_at) VALUES ({moment}), ({moment})"  # noqa: S608  # plain
        await connection.execute(text(people))
    await database.close()

    await backup(empty_url, tmp_path / "old.gz")
    new = f"sqlite:///{tmp_path / 'new.db'}"
    await restore(new, tmp_path / "old.gz")

    async with opened(new) as store:
        assert (await store.people.welcome())[0].id == 3
