"""Search through titles and messages: all words of a query, in any order, the last as a beginning.

Conversations come in the order of their newest text that has the words.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, cast, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from tiza.store import cursors
from tiza.store.conversations import SUMMARY
from tiza.store.database import Database
from tiza.store.records import Page, Person, Summary
from tiza.store.snippets import snippet
from tiza.store.tables import conversations, messages, passages
from tiza.store.words import Query

NEWEST = (1 << 63) - 1  # above the number of every passage
RECENT = 2000  # passages of a person that are read before the index is asked

SQLITE = text("""
SELECT passages.conversation_id, max(passages.id) AS id
FROM passage_words JOIN passages ON passages.id = passage_words.rowid
WHERE passage_words MATCH :words
GROUP BY passages.conversation_id HAVING max(passages.id) < :before
ORDER BY max(passages.id) DESC LIMIT :most
""").columns(passages.c.conversation_id, passages.c.id)
POSTGRESQL = text("""
WITH found AS MATERIALIZED (
    SELECT id, conversation_id FROM passages WHERE words @@ CAST(:words AS tsquery)
) SELECT conversation_id, max(id) AS id FROM found
GROUP BY conversation_id HAVING max(id) < :before
ORDER BY max(id) DESC LIMIT :most
""").columns(passages.c.conversation_id, passages.c.id)

Hits = Sequence[Row[Any, Any]]


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
        self, connection: AsyncConnection, wanted: Query, before: int, most: int
    ) -> Hits:
        """Return the newest hit of each conversation that has none at `before` or later.

        What is everywhere stands in the newest passages too: they are read first. Both indexes
        would list every place of such a word before they gave out one; of all others they list few.
        """
        hits = await self._recent(connection, wanted, before, most)
        if len(hits) < most:
            sqlite = self._database.is_sqlite
            words = wanted.fts5 if sqlite else wanted.tsquery
            values = {"words": words, "before": before, "most": most}
            hits = (await connection.execute(SQLITE if sqlite else POSTGRESQL, values)).all()
        return hits

    async def _recent(
        self, connection: AsyncConnection, wanted: Query, before: int, most: int
    ) -> Hits:
        """Return those hits that are among the newest passages before one."""
        in_reach = (passages.c.person_id == wanted.person.id) & (passages.c.id < before)
        newest = select(passages.c.id).where(in_reach).order_by(passages.c.id.desc())
        floor = func.coalesce(newest.offset(RECENT).limit(1).scalar_subquery(), 0)
        hit = func.max(passages.c.id)
        rows = await connection.execute(
            select(passages.c.conversation_id, hit.label("id"))
            .where(in_reach, passages.c.id > floor, self._has(wanted))
            .group_by(passages.c.conversation_id)
            .order_by(hit.desc())
            .limit(2 * most)
        )
        hits: Hits = rows.all()
        shown = await self._shown(connection, wanted, [h.conversation_id for h in hits], before)
        return [hit for hit in hits if hit.conversation_id not in shown][:most]

    async def _shown(
        self, connection: AsyncConnection, wanted: Query, among: Sequence[str], before: int
    ) -> set[str]:
        """Return those conversations that an earlier page has shown, for a newer hit."""
        if before == NEWEST or not among:
            return set()
        rows = await connection.execute(
            select(passages.c.conversation_id)
            .where(passages.c.conversation_id.in_(among), passages.c.id >= before)
            .where(self._has(wanted))
            .distinct()
        )
        return set(rows.scalars())

    def _has(self, wanted: Query) -> ColumnElement[bool]:
        """Tell, without the index, whether a passage has the words."""
        if not self._database.is_sqlite:
            from sqlalchemy.dialects.postgresql import TSQUERY

            return passages.c.words.bool_op("@@")(cast(wanted.tsquery, TSQUERY))
        *whole, last = wanted.words
        needed = [f" {word} " for word in whole] + [f" {last}" + " " * (not wanted.open_end)]
        return and_(*(func.instr(passages.c.words, each) > 0 for each in needed))


async def _summaries(connection: AsyncConnection, hits: Hits, wanted: Query) -> list[Summary]:
    """Return the conversations of the hits, in their order, with what was found in them."""
    of_hits = conversations.c.id.in_([hit.conversation_id for hit in hits])
    rows = await connection.execute(select(*SUMMARY).where(of_hits))
    found = {row.id: Summary(*row) for row in rows}
    texts = await connection.execute(
        select(passages.c.id, messages.c.text)
        .join_from(passages, messages, passages.c.message_id == messages.c.id)
        .where(passages.c.id.in_([hit.id for hit in hits]))
    )
    by_id = {row.id: row.text for row in texts}
    return [
        replace(found[hit.conversation_id], snippet=snippet(by_id.get(hit.id, ""), wanted))
        for hit in hits
        if hit.conversation_id in found
    ]
