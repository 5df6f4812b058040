"""How long the store takes to list, open, search and append when it is full.

    python benchmarks/store.py [--messages 1000000] [--rounds 100] [--only sqlite|postgresql]

Fills SQLite and PostgreSQL (a server of its own, with fsync) with messages of made-up words whose
frequencies fall as those of a language do. A tenth of all belongs to one person, who has ten
thousand conversations; everybody else has a hundred. Each figure is the time from the call of the
store to its result, one call after the other. Writes JSON to var/bench/store.json.
"""

import argparse
import asyncio
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from itertools import accumulate, islice
from typing import Any

from sqlalchemy import text

from record import Row, keep
from tiza.store.database import Database
from tiza.store.identifiers import new_id
from tiza.store.migrate import migrate
from tiza.store.records import Outcome, Person, Wanted
from tiza.store.store import Store, opened
from tiza.store.words import marked, words_of

MOST_MILLISECONDS = 50.0
MESSAGES = 10  # of a conversation
CONVERSATIONS = 100  # of a person
BUSIEST, SHARE = 1, 0.1
SYLLABLES = "ba ce di fo gu la me ni po ru sa te vi zo nu qui gra tre blo cla".split()  # noqa: SIM905  # read as one line
TEXTS = 20_000  # different ones
BATCH = 2_000  # conversations inserted at once
WHEN = "2026-11-01 12:00:{:09.6f}"
DURABLE = ["fsync=on", "full_page_writes=on", "synchronous_commit=on", "shared_buffers=256MB"]
COLUMNS_OF = {
    "people": "id, created_at",
    "conversations": "id, person_id, title, leaf_id, created_at, updated_at",
    "messages": "id, conversation_id, parent_id, role, text, state, created_at, model, parameters,"
    " prompt_tokens, completion_tokens, latency_seconds, finish_reason, truncated, cached, error",
    "passages": "person_id, conversation_id, message_id, words",
}
COLUMNS = {table: names.replace(" ", "").split(",") for table, names in COLUMNS_OF.items()}
MEASURED = ("40", "60", "1.5", "stop", "0", "0", "")
Rows = dict[str, list[tuple[str | None, ...]]]
Call = Callable[[], Awaitable[object]]


class Author:
    """Writes texts of made-up words, always the same ones."""

    def __init__(self) -> None:
        self.random = random.Random(20261122)  # noqa: S311  # made-up text, no secret
        words = [a + b + c for a in SYLLABLES for b in SYLLABLES for c in SYLLABLES]
        self.random.shuffle(words)
        self.words = words  # the most frequent first
        weights = list(accumulate(1 / (rank + 2) for rank in range(len(words))))
        self.texts = [
            " ".join(self.random.choices(words, cum_weights=weights, k=self.random.randint(8, 90)))
            for _ in range(TEXTS)
        ]
        self._found_by = [words_of(each) for each in self.texts]

    def text(self) -> tuple[str, list[str]]:
        """Return a text and its different words."""
        at = self.random.randrange(TEXTS)
        return self.texts[at], self._found_by[at]


def people(messages: int) -> Iterator[int]:
    """Yield the owner of each conversation, mixed as they come in time."""
    every = messages // MESSAGES
    others = max(1, int(every * (1 - SHARE)) // CONVERSATIONS)
    for number in range(every):
        yield BUSIEST if number % round(1 / SHARE) == 0 else 2 + number % others


def conversation(author: Author, person: int, number: int, rows: Rows) -> None:
    """Add the rows of one conversation."""
    who, id_, parent, when = (
        Person(person),
        new_id(),
        None,
        WHEN.format(number % 60_000_000 / 1_000_000),
    )
    for turn in range(MESSAGES):
        words, found_by = author.text()
        message, role = new_id(), ("user", "assistant")[turn % 2]
        rows["messages"].append(
            (message, id_, parent, role, words, "complete", when, "m", "{}", *MEASURED)
        )
        marks = " ".join(marked(who, word) for word in found_by)
        rows["passages"].append((str(person), id_, message, f" {marks} "))
        parent = message
    title = author.text()[0][:50]
    rows["conversations"].append((id_, str(person), title, parent, when, when))


def batches(author: Author, messages: int) -> Iterator[Rows]:
    """Yield all rows, a few thousand conversations at a time."""
    owners = people(messages)
    known: set[int] = set()
    number = 0
    while some := list(islice(owners, BATCH)):
        rows: Rows = {table: [] for table in COLUMNS}
        new = sorted(set(some) - known)
        rows["people"] = [(str(person), WHEN.format(0)) for person in new]
        known |= set(new)
        for person in some:
            conversation(author, person, number, rows)
            number += 1
        yield rows


def fill_sqlite(path: str, author: Author, messages: int) -> None:
    """Insert everything; the index is made at the end."""
    connection = sqlite3.connect(path, isolation_level=None)
    find = "SELECT sql FROM sqlite_master WHERE name = 'passages_added'"
    (trigger,) = connection.execute(find).fetchone()
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("BEGIN")
    connection.execute("DROP TRIGGER passages_added")
    for rows in batches(author, messages):
        for table, columns in COLUMNS.items():
            into = f"{table} ({', '.join(columns)})"
            marks = ", ".join("?" * len(columns))
            connection.executemany(f"INSERT INTO {into} VALUES ({marks})", rows[table])  # noqa: S608  # our names
    connection.execute("INSERT INTO passage_words (passage_words) VALUES ('rebuild')")
    connection.execute(trigger)
    connection.execute("COMMIT")
    connection.execute("ANALYZE")
    connection.close()


async def fill_postgresql(database: Database, author: Author, messages: int) -> None:
    """Copy everything; the index is made at the end."""
    find = text("SELECT indexdef FROM pg_indexes WHERE indexname = 'passages_by_word'")
    async with database.writing() as connection:
        index = await connection.scalar(find)
        await connection.execute(text("DROP INDEX passages_by_word"))
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        for rows in batches(author, messages):
            for table, columns in COLUMNS.items():
                lines = ["\t".join(r"\N" if v is None else v for v in row) for row in rows[table]]
                source = BytesIO("".join(f"{line}\n" for line in lines).encode())
                await raw.copy_to_table(
                    table,
                    source=source,
                    columns=columns,
                    timeout=600,
                )
    async with database.writing() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        await raw.execute("SET maintenance_work_mem = '1GB'", timeout=600)
        await raw.execute(index, timeout=600)
        await raw.execute("SELECT setval('people_id_seq', max(id)) FROM people", timeout=600)


async def settle(database: Database) -> None:
    """Let PostgreSQL count what it has, as its autovacuum would after a while."""
    async with database._writer.connect() as connection:  # noqa: SLF001  # outside any transaction
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        await raw.execute("VACUUM ANALYZE", timeout=600)


class Reader:
    """Somebody who uses the store: what is measured, for one person."""

    def __init__(self, store: Store, person: Person, author: Author) -> None:
        self._store, self._person, self._author = store, person, author

    async def calls(self) -> dict[str, Call]:
        """Return the calls that are measured, by their names."""
        store, person, words = self._store, self._person, self._author.words
        cursor = await self._deep()
        ids = [c.id for c in (await store.conversations.list(person, limit=100)).conversations]
        choose = self._author.random.choice
        find = store.search.find
        return {
            "list, first page": lambda: store.conversations.list(person),
            "list, deep": lambda: store.conversations.list(person, cursor=cursor),
            "open": lambda: store.conversations.open(person, choose(ids)),
            "search, everywhere": lambda: find(person, choose(words[:5])),
            "search, frequent": lambda: find(person, choose(words[20:200])),
            "search, rare": lambda: find(person, choose(words[2000:])),
            "search, two words": lambda: find(person, f"{choose(words[:50])} {choose(words)}"),
            "search, beginning": lambda: find(person, choose(words)[:4]),
            "search, next page": lambda: self._two_pages(choose(words[:200])),
            "append": lambda: store.messages.ask(
                person, choose(ids), "¿" + choose(words), Wanted()
            ),
        }

    async def answer(self) -> dict[str, Call]:
        """Return the calls that an answer's life is made of after its start."""
        store, person = self._store, self._person
        made = await store.conversations.create(person)
        answers = [
            (await store.messages.ask(person, made.id, "?", Wanted())).answer.id for _ in range(64)
        ]
        texts = {answer: self._author.texts[n] for n, answer in enumerate(answers)}

        async def end() -> None:
            answer = answers.pop() if answers else ""
            await store.messages.finish(answer or new_id(), Outcome("complete", "done " * 50))

        return {"save 64 answers": lambda: store.messages.save(texts), "finish": end}

    async def _deep(self) -> str | None:
        cursor = None
        for _ in range(20):
            page = await self._store.conversations.list(self._person, cursor=cursor)
            if page.cursor is None:
                break
            cursor = page.cursor
        return cursor

    async def _two_pages(self, word: str) -> None:
        page = await self._store.search.find(self._person, word, limit=20)
        if page.cursor:
            await self._store.search.find(self._person, word, limit=20, cursor=page.cursor)


async def measure(url: str, author: Author, rounds: int) -> list[dict[str, float | str]]:
    """Return p50, p95 and the longest of each call, in milliseconds."""
    rows: list[dict[str, float | str]] = []
    async with opened(url) as store:
        for who, person in (("busiest", Person(BUSIEST)), ("other", Person(7))):
            reader = Reader(store, person, author)
            for name, call in (await reader.calls() | await reader.answer()).items():
                times = sorted([await _milliseconds(call) for _ in range(rounds + 3)][3:])
                row: dict[str, float | str] = {"call": name, "person": who}
                row |= {"p50": times[len(times) // 2], "p95": times[int(len(times) * 0.95)]}
                rows.append(row | {"longest": times[-1]})
    return rows


async def _milliseconds(call: Call) -> float:
    started = time.perf_counter()
    await call()
    return (time.perf_counter() - started) * 1000


@contextmanager
def server() -> Iterator[str]:
    """Run PostgreSQL for the length of the block; yield its address."""
    command = [sys.executable, "tools/postgresql.py", *DURABLE]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        yield process.stdout.readline().decode().strip()
        process.communicate()


async def run(url: str, messages: int, rounds: int) -> dict[str, Any]:
    """Fill a database, measure, and return the figures."""
    author, database = Author(), Database(url)
    await migrate(database)
    started = time.perf_counter()
    if database.is_sqlite:
        fill_sqlite(str(database.url.database), author, messages)
    else:
        await fill_postgresql(database, author, messages)
        await settle(database)
    seconds = time.perf_counter() - started
    await database.close()
    rows = await measure(url, author, rounds)
    return {"messages": messages, "fill_seconds": seconds, "calls": rows}


def main() -> None:
    """Print the table and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    options = parser.parse_args()
    figures: dict[str, dict[str, Any]] = {}
    if options.only != "postgresql":
        with tempfile.TemporaryDirectory(dir="var") as folder:
            url = f"sqlite:///{folder}/tiza.db"
            figures["sqlite"] = asyncio.run(run(url, options.messages, options.rounds))
    if options.only != "sqlite":
        with server() as url:
            figures["postgresql"] = asyncio.run(run(url, options.messages, options.rounds))
    keep("store", {_caption(name, each): _rows(each) for name, each in figures.items()}, figures)


def _caption(name: str, figures: dict[str, Any]) -> str:
    return f"{name}: {figures['messages']:,} messages, filled in {figures['fill_seconds']:.0f} s"


def _rows(figures: dict[str, Any]) -> list[Row]:
    return [
        {
            "call": row["call"],
            "person": row["person"],
            "ms p50": row["p50"],
            "ms p95": row["p95"],
            "ms longest": row["longest"],
            "bound": "over" if row["p95"] > MOST_MILLISECONDS else "held",
        }
        for row in figures["calls"]
    ]


if __name__ == "__main__":
    main()
