"""Presence: what a dead process left is interrupted, what a living one writes is left alone."""

import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import select

from tests.store.talk import WANTED, empty
from tiza.store import presence
from tiza.store.database import Database
from tiza.store.messages import Messages
from tiza.store.presence import LEASE_SECONDS, Presence
from tiza.store.records import Outcome, Person
from tiza.store.store import Store, opened
from tiza.store.tables import processes

# Opens the store, begins an answer, saves half of it, says its id, and waits to be killed.
WRITER = """
import asyncio, sys
from tiza.store.records import Person, Wanted
from tiza.store.store import opened

async def main(url, number, place):
    async with opened(url) as store:
        begun = await store.messages.ask(Person(int(number)), place, "q", Wanted())
        await store.messages.save({begun.answer.id: "half an elephant"})
        print(begun.answer.id, flush=True)
        while sys.stdin.readline():
            await store.messages.save({begun.answer.id: "more than half an elephant"})
            print("saved", flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


@contextmanager
def writer(url: str, person: Person, place: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Run another process that writes an answer; yield it with the answer's id."""
    command = [sys.executable, "-c", WRITER, url, str(person.id), place]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


async def test_answer_is_interrupted_when_its_process_was_killed(
    store: Store, ana: Person, url: str
) -> None:
    """After kill -9 the next start keeps what was saved, says so, and finds it."""
    place = await empty(store, ana)
    with writer(url, ana, place) as (process, answer):
        assert (await store.messages.get(ana, answer)).state == "streaming"
        process.send_signal(signal.SIGKILL)
        process.wait()

        async with opened(url) as other:
            kept = await other.messages.get(ana, answer)
            found = await other.search.find(ana, "elephant")

    assert (kept.state, kept.text) == ("interrupted", "half an elephant")
    assert [each.id for each in found.conversations] == [place]


async def test_answer_is_left_alone_when_another_process_starts(
    store: Store, ana: Person, url: str
) -> None:
    """Starting, living and stopping beside a process never touches its answers."""
    place = await empty(store, ana)
    with writer(url, ana, place) as (process, answer):
        for _ in range(2):
            async with opened(url):
                assert (await store.messages.get(ana, answer)).state == "streaming"
        assert process.stdin
        assert process.stdout
        process.stdin.write("go on\n")
        process.stdin.flush()
        process.stdout.readline()

        kept = await store.messages.get(ana, answer)
        assert (kept.state, kept.text) == ("streaming", "more than half an elephant")


async def test_answer_is_interrupted_when_its_process_ends_in_order(
    store: Store, ana: Person, url: str
) -> None:
    """Closing the store leaves nothing in `streaming`."""
    place = await empty(store, ana)
    async with opened(url) as other:
        begun = await other.messages.ask(ana, place, "q", WANTED)

    assert (await store.messages.get(ana, begun.answer.id)).state == "interrupted"


class Watch:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the seconds that it shows."""
        return self.now


class Elsewhere(Presence):
    """A process on another machine: whether it runs cannot be seen from here."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._place = "elsewhere"


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    """Open the database a second time."""
    database = Database(url)
    yield database
    await database.close()


async def begun_elsewhere(store: Store, ana: Person, database: Database) -> tuple[Elsewhere, str]:
    """Begin an answer in a process of another machine."""
    other = Elsewhere(database)
    await other.begin()
    place = await empty(store, ana)
    begun = await Messages(database, other.id).ask(ana, place, "q", WANTED)
    return other, begun.answer.id


async def test_answer_is_interrupted_when_another_machine_fell_silent(
    store: Store, ana: Person, database: Database
) -> None:
    """A lease ends only after its owner's number has stood still for the whole time."""
    other, answer = await begun_elsewhere(store, ana, database)
    watch = Watch()
    here = Presence(database, watch)
    await here.begin()
    states = []
    for beats in (True, True, False, False, False, False):
        watch.now += LEASE_SECONDS / 2.5
        if beats:
            await other.beat()
        await here.beat()
        states.append((await store.messages.get(ana, answer)).state)

    assert states == ["streaming"] * 4 + ["interrupted"] * 2


async def rows(database: Database) -> dict[str, int]:
    """Return the number of every process by its id."""
    async with database.reading() as connection:
        found = await connection.execute(select(processes.c.id, processes.c.beats))
        return {row.id: row.beats for row in found}


async def test_number_is_raised_when_somebody_elsewhere_has_to_see_it(database: Database) -> None:
    """Where all are on one machine nothing is written; a laptop's disk may sleep."""
    here = Presence(database)
    await here.begin()
    alone = await rows(database)
    for _ in range(3):
        await here.beat()
    assert (await rows(database))[here.id] == alone[here.id]

    await Elsewhere(database).begin()
    for _ in range(3):
        await here.beat()
    assert (await rows(database))[here.id] == alone[here.id] + 3


async def test_process_enters_again_when_others_took_it_for_dead(database: Database) -> None:
    """Also where nobody is elsewhere any more: what it begins has an owner again."""
    here = Presence(database)
    await here.begin()
    async with database.writing() as connection:
        await presence._conclude(connection, here.id)
    await here.beat()
    assert here.id in await rows(database)


async def test_lease_begins_anew_when_the_watcher_itself_was_away(
    store: Store, ana: Person, database: Database
) -> None:
    """Who could not look does not judge: after an outage everybody gets the whole time again."""
    _, answer = await begun_elsewhere(store, ana, database)
    watch = Watch()
    here = Presence(database, watch)
    await here.begin()
    for _ in range(5):
        watch.now += LEASE_SECONDS * 10
        await here.beat()

    assert (await store.messages.get(ana, answer)).state == "streaming"


async def test_end_is_kept_when_others_had_called_it_interrupted(
    store: Store, ana: Person, database: Database
) -> None:
    """A process that was only silent still brings its answer to its real end, and beats again."""
    other, answer = await begun_elsewhere(store, ana, database)
    async with database.writing() as connection:
        await presence._conclude(connection, other.id)
    assert (await store.messages.get(ana, answer)).state == "interrupted"

    await other.beat()
    assert await Messages(database, other.id).finish(answer, Outcome("complete", "whole"))

    assert (await store.messages.get(ana, answer)).state == "complete"
