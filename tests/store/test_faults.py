"""Faults of the database: said as what they are, survived, and nothing acknowledged is lost."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest

from tests.disks import small_disk
from tests.store.servers import Server, server
from tests.store.talk import WANTED, done, empty
from tiza.errors import RequestError, StoreBroken, StoreBusy, StoreFull, StoreUnavailable
from tiza.store import database as databases
from tiza.store.records import Person
from tiza.store.store import Store, opened

# Asks questions without end, and says the id of each answer after it was acknowledged.
ENDLESS = """
import asyncio, sys
from tiza.store.records import Outcome, Person, Wanted
from tiza.store.store import opened

async def ask(store, person, place):
    while True:
        begun = await store.messages.ask(person, place, "q " * 200, Wanted())
        await store.messages.finish(begun.answer.id, Outcome("complete", "a " * 200))
        print(begun.answer.id, flush=True)

async def main(url, number, place):
    async with opened(url) as store:
        await asyncio.gather(*(ask(store, Person(int(number)), place) for _ in range(4)))

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Name a database of SQLite."""
    return tmp_path / "tiza.db"


def killed_in_mid_write(url: str, person: Person, place: str) -> set[str]:
    """Let a process write, kill it, and return what had been acknowledged."""
    command = [sys.executable, "-c", ENDLESS, url, str(person.id), place]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        first = {process.stdout.readline().strip() for _ in range(10)}
        process.send_signal(signal.SIGKILL)
        return first | set(process.stdout.read().split("\n")[:-1])


async def test_acknowledged_is_kept_when_the_writer_is_killed(
    store: Store, ana: Person, url: str
) -> None:
    """Kill -9 in the middle of writing: what was acknowledged is whole, and so is the database."""
    place = await empty(store, ana)
    acknowledged = set()
    for _ in range(2):
        acknowledged |= await asyncio.to_thread(killed_in_mid_write, url, ana, place)

    async with opened(url) as other:
        whole = await other.conversations.open(ana, place)
    by_id = {message.id: message for message in whole.messages}
    assert {by_id[id_].state for id_ in acknowledged} == {"complete"}
    assert {message.state for message in whole.messages} <= {"complete", "interrupted"}
    assert len({m.parent_id for m in whole.messages if m.role == "assistant"}) * 2 == len(by_id)
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            check = "INSERT INTO passage_words (passage_words, rank) VALUES ('integrity-check', 1)"
            connection.execute(check)


async def test_store_says_full_when_the_disk_is(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without room nothing new is taken, what was kept is read, and with room it goes on."""
    url = f"sqlite:///{file}"
    async with opened(url) as store:
        ana, _ = await store.people.welcome()
        place = await empty(store, ana)
        begun = await store.messages.ask(ana, place, "kept", WANTED)
        await store.messages.finish(begun.answer.id, done("too"))
    with closing(sqlite3.connect(file)) as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()

    with monkeypatch.context() as patch:
        few = f"PRAGMA max_page_count={pages + 4}"
        patch.setattr(databases, "PRAGMAS", (*databases.PRAGMAS, few))
        async with opened(url) as store:
            with pytest.raises(StoreFull):  # noqa: PT012  # the first ones may still fit
                for _ in range(50):
                    await store.messages.ask(ana, place, "x " * 2000, WANTED)
            texts = [m.text for m in (await store.conversations.open(ana, place)).messages]
            assert texts[:2] == ["kept", "too"]

    async with opened(url) as store:
        await store.messages.ask(ana, place, "x " * 2000, WANTED)


async def test_store_goes_on_when_a_full_disk_has_room_again(tmp_path: Path) -> None:
    """On a disk that is really full answers are refused, not lost, until room is made."""
    with small_disk(tmp_path) as disk:
        async with opened(f"sqlite:///{disk.folder / 'tiza.db'}") as store:
            ana, _ = await store.people.welcome()
            place = await empty(store, ana)
            begun = await store.messages.ask(ana, place, "first", WANTED)
            disk.fill()
            refused: list[RequestError] = []
            while not refused:
                try:
                    await store.messages.ask(ana, place, "x " * 4000, WANTED)
                except RequestError as exc:
                    refused.append(exc)
            assert isinstance(refused[0], StoreFull | StoreUnavailable)
            assert refused[0].retryable
            disk.make_room()
            assert await store.messages.finish(begun.answer.id, done("whole"))
            assert (await store.messages.get(ana, begun.answer.id)).text == "whole"


async def test_store_says_busy_when_another_program_keeps_it_locked(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock is waited for, but not for ever; reading goes on meanwhile in SQLite."""
    monkeypatch.setattr(databases, "BUSY_SECONDS", 0.2)
    async with opened(url) as store:
        ana, _ = await store.people.welcome()
        place = await empty(store, ana)
        if url.startswith("sqlite"):
            with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as other:
                other.execute("BEGIN IMMEDIATE")
                with pytest.raises(StoreBusy):
                    await store.messages.ask(ana, place, "q", WANTED)
                assert not (await store.conversations.open(ana, place)).messages
                other.rollback()
        else:
            other_one = await asyncpg.connect(url)
            await other_one.execute("BEGIN; LOCK TABLE messages")
            with pytest.raises(StoreBusy):
                await store.messages.ask(ana, place, "q", WANTED)
            await other_one.close()
        await store.messages.ask(ana, place, "q", WANTED)


async def test_nothing_hangs_when_a_task_is_cancelled_twice_while_it_waits_for_a_lock(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a process does that is told to stop: first its tasks are asked to end, then its loop."""
    monkeypatch.setattr(databases, "BUSY_SECONDS", 0.5)
    async with opened(f"sqlite:///{file}") as store:
        ana, _ = await store.people.welcome()
        place = await empty(store, ana)
        before = asyncio.all_tasks()
        with closing(sqlite3.connect(file)) as other:
            other.execute("BEGIN IMMEDIATE")
            asking = asyncio.create_task(store.messages.ask(ana, place, "q", WANTED))
            for _ in range(2):
                await asyncio.sleep(0.1)
                asking.cancel()
            await asyncio.wait({asking})
        async with asyncio.timeout(10):
            await asyncio.gather(*(asyncio.all_tasks() - before), return_exceptions=True)
        assert asking.cancelled()
        await store.messages.ask(ana, place, "q", WANTED)


async def test_no_thread_is_left_when_a_store_closes_after_a_cancelled_statement(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that outlives the store would tell a closed loop of its statement's end."""
    monkeypatch.setattr(databases, "BUSY_SECONDS", 1.0)
    threads = set(threading.enumerate())
    with closing(sqlite3.connect(file)) as other:
        async with opened(f"sqlite:///{file}") as store:
            ana, _ = await store.people.welcome()
            place = await empty(store, ana)
            other.execute("BEGIN IMMEDIATE")
            asking = asyncio.create_task(store.messages.ask(ana, place, "q", WANTED))
            for _ in range(2):
                await asyncio.sleep(0.1)
                asking.cancel()
            await asyncio.wait({asking})
    assert not [one for one in set(threading.enumerate()) - threads if "worker" in one.name]


async def test_store_is_away_when_it_was_closed(file: Path) -> None:
    """Nobody opens again what nobody would close."""
    async with opened(f"sqlite:///{file}") as store:
        ana, _ = await store.people.welcome()
    with pytest.raises(StoreUnavailable):
        await empty(store, ana)


@pytest.fixture
def mortal() -> Iterator[Server]:
    """Run a server that only one test uses, and may stop."""
    with server("fsync=on", "synchronous_commit=on") as running:
        yield running


async def test_store_works_again_when_the_server_was_restarted(mortal: Server) -> None:
    """While PostgreSQL is away each request is told so; afterwards all goes on by itself."""
    async with opened(mortal.url) as store:
        ana, token = await store.people.welcome()
        place = await empty(store, ana)
        begun = await store.messages.ask(ana, place, "q", WANTED)
        await asyncio.gather(*(store.people.find(token) for _ in range(8)))  # many connections

        mortal.tell("stop")
        for work in (
            store.messages.finish(begun.answer.id, done("a")),
            store.messages.save({begun.answer.id: "a"}),
            store.conversations.list(ana),
            store.people.find(token),
        ):
            with pytest.raises(StoreUnavailable):
                await work
        mortal.tell("start")

        assert await store.messages.finish(begun.answer.id, done("a"))
        found = await asyncio.gather(*(store.people.find(token) for _ in range(8)))
        assert found == [ana] * 8
        assert (await store.messages.get(ana, begun.answer.id)).state == "complete"


async def test_store_is_unavailable_when_the_server_has_no_such_database(
    postgresql: Server,
) -> None:
    """A refused connection is like none: somebody may mend it while we try again."""
    with pytest.raises(StoreUnavailable):
        async with opened(postgresql.database("nothing")):
            pass


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://tiza:secret@127.0.0.1:1/tiza",
        "postgresql://tiza:secret@/tiza?host=/nowhere",
        "postgresql://tiza:secret@no-such-host.invalid/tiza",
    ],
)
async def test_store_is_unavailable_when_nothing_answers(url: str) -> None:
    """A server that is not there is an error of ours, which does not tell the password."""
    with pytest.raises(StoreUnavailable) as caught:
        async with opened(url):
            pass
    assert "secret" not in f"{caught.value} {caught.value.data}"


@pytest.fixture(params=[b"no database at all" * 100, b"SQLite format 3\x00" + b"x" * 8000])
def strange(request: pytest.FixtureRequest, file: Path) -> Iterator[Path]:
    """Make a file that is no database, and prove that nobody has touched it."""
    file.write_bytes(request.param)
    yield file
    assert file.read_bytes() == request.param


async def test_store_is_broken_when_the_file_is_none(strange: Path) -> None:
    """A file that is no database is named as such and left as it is."""
    with pytest.raises(StoreBroken, match=strange.name):
        async with opened(f"sqlite:///{strange}"):
            pass


async def test_transaction_is_undone_when_its_request_is_cancelled(
    store: Store, ana: Person
) -> None:
    """A request that is cancelled in mid-write leaves all of its exchange or nothing."""
    place = await empty(store, ana)
    for turn in range(30):
        asking = asyncio.create_task(store.messages.ask(ana, place, f"{turn}", WANTED))
        for _ in range(turn):
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    last = await store.messages.ask(ana, place, "last", WANTED)

    whole = await store.conversations.open(ana, place)
    asked = {m.id for m in whole.messages if m.role == "user"}
    answered = [m.parent_id for m in whole.messages if m.role == "assistant"]
    assert asked == set(answered)
    assert len(answered) == len(asked)
    assert whole.leaf_id == last.answer.id
