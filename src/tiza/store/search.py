"""Search through titles and messages: all words of a query, in any order, the last as a beginning.

Conversations come in the order of their newest text that has the words.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, cast, func, select, text
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.ext.asyncio import AsyncConnection

from tiza.store import cursors
from tiza.store.conversations import SUMMARY
from tiza.store.database import Database
from tiza.store.records import Page, Person, Summary
from tiza.store.snippets import snippet
from tiza.store.tables import conversations, messages, passages
from tiza.store.words import Query

NEWEST = 1 << 62  # above the number of every passage
STEP = 4  # hits that are read for each conversation that is shown
RECENT = 1000  # passages that are read before the index is asked
HIT = (passages.c.id, passages.c.conversation_id, passages.c.message_id)

SQLITE = text("""
SELECT passages.id, passages.conversation_id, passages.message_id
FROM passage_words JOIN passages ON passages.id = passage_words.rowid
WHERE passage_words MATCH :words AND passage_words.rowid < :before
ORDER BY passage_words.rowid DESC LIMIT :most
""").columns(*HIT)
POSTGRESQL = text("""
WITH found AS MATERIALIZED (
    SELECT id, conversation_id, message_id FROM passages WHERE words @@ CAST(:words AS tsquery)
) SELECT * FROM found WHERE id < :before ORDER BY id DESC LIMIT :most
""").columns(*HIT)

Hits = Sequence[Row[Any]]


class Search:
    """Finds a person's conversations, and nobody else's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(
        self, person: Person, query: str, *, cursor: str | None = None, limit: int = 50
    ) -> Page:
        """Return conversations with all the words; none if the query has no word.

        Raises:
            CursorInvalid: the cursor is none of a search.
            StoreUnavailable, StoreBusy: the database cannot be asked.

        """
        wanted = Query.of(person, query)
        first = NEWEST if cursor is None else cursors.passage(cursor)
        if not wanted.words:
            return Page((), None)
        async with self._database.reading() as connection:
            found = await self._newest(connection, wanted, first, limit + 1)
            shown = await _summaries(connection, found[:limit], wanted)
        more = len(found) > limit
        return Page(shown, cursors.after_passage(found[limit - 1].id) if more else None)

    async def _newest(
        self, connection: AsyncConnection, wanted: Query, first: int, most: int
    ) -> list[Row[Any]]:
        """Return the newest hit of each conversation that no earlier page has shown."""
        newest: dict[str, Row[Any]] = {}
        before = first
        while len(newest) < most:
            hits = await self._hits(connection, wanted, before, STEP * most)
            fresh = {hit.conversation_id: hit for hit in reversed(hits)}
            shown = await self._shown(connection, wanted, fresh.keys() - newest.keys(), first)
            for hit in hits:
                if hit.conversation_id not in shown:
                    newest.setdefault(hit.conversation_id, hit)
            if len(hits) < STEP * most:
                break
            before = hits[-1].id
        return list(newest.values())[:most]

    async def _hits(
        self, connection: AsyncConnection, wanted: Query, before: int, most: int
    ) -> Hits:
        """Return the newest passages before one that have the words.

        What is everywhere stands in the newest ones: they are read first. Both indexes would list
        every place of such a word before they gave out one; for all other words they are asked.
        """
        newest = (
            select(*HIT, passages.c.words)
            .where(passages.c.person_id == wanted.person.id, passages.c.id < before)
            .order_by(passages.c.id.desc())
            .limit(RECENT)
            .subquery()
        )
        has = self._has(wanted, newest.c.words)
        recent = select(newest).where(has).order_by(newest.c.id.desc()).limit(most)
        hits = (await connection.execute(recent)).all()
        if len(hits) == most:
            return hits
        sqlite = self._database.is_sqlite
        words = wanted.fts5 if sqlite else wanted.tsquery
        values = {"words": words, "before": before, "most": most}
        return (await connection.execute(SQLITE if sqlite else POSTGRESQL, values)).all()

    async def _shown(
        self, connection: AsyncConnection, wanted: Query, among: set[str], first: int
    ) -> set[str]:
        """Return those conversations that an earlier page has shown, for a newer hit."""
        if first == NEWEST or not among:
            return set()
        rows = await connection.execute(
            select(passages.c.conversation_id)
            .where(passages.c.conversation_id.in_(among), passages.c.id >= first)
            .where(self._has(wanted, passages.c.words))
            .distinct()
        )
        return set(rows.scalars())

    def _has(self, wanted: Query, words: ColumnElement[str]) -> ColumnElement[bool]:
        """Tell, without the index, whether a passage has the words."""
        if not self._database.is_sqlite:
            return words.bool_op("@@")(cast(wanted.tsquery, TSQUERY))
        *whole, last = wanted.words
        needed = [f" {word} " for word in whole] + [f" {last}" + " " * (not wanted.open_end)]
        return and_(*(func.instr(words, each) > 0 for each in needed))


async def _summaries(connection: AsyncConnection, hits: Hits, wanted: Query) -> list[Summary]:
    """Return the conversations of the hits, in their order, with what was found in them."""
    ids = [hit.conversation_id for hit in hits]
    rows = await connection.execute(select(*SUMMARY).where(conversations.c.id.in_(ids)))
    found = {row.id: Summary(*row) for row in rows}
    of_hits = messages.c.id.in_([hit.message_id for hit in hits if hit.message_id])
    texts = await connection.execute(select(messages.c.id, messages.c.text).where(of_hits))
    by_id = {row.id: row.text for row in texts}
    return [
        replace(found[hit.conversation_id], snippet=snippet(by_id.get(hit.message_id, ""), wanted))
        for hit in hits
        if hit.conversation_id in found
    ]
