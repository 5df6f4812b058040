"""Conversations: made, listed, opened, changed and deleted."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import delete, insert, literal, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tiza.errors import ConversationNotFound, MessageNotFound
from tiza.store import cursors, passages
from tiza.store.database import Database
from tiza.store.identifiers import new_id, parsed
from tiza.store.messages import COLUMNS, WITH_FEEDBACK, message_of, rows_of
from tiza.store.records import Conversation, Page, Person, Summary
from tiza.store.tables import Id, Moment, conversations, feedback, messages
from tiza.store.text import storable

SUMMARY = (
    conversations.c.id,
    conversations.c.title,
    conversations.c.created_at,
    conversations.c.updated_at,
    conversations.c.pinned,
)


class Conversations:
    """The conversations of everybody; each method is for one person and sees nobody else's.

    All raise StoreUnavailable, StoreBusy or StoreFull when the database does.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, person: Person, title: str = "") -> Conversation:
        """Make an empty conversation. Without a title its first question gives it one."""
        now = datetime.now(UTC)
        made = Conversation(new_id(), storable(title), None, now, now)
        async with self._database.writing() as connection:
            await connection.execute(insert(conversations).values(_row(person, made)))
            await passages.retitle(connection, person, made.id, made.title)
        return made

    async def add(self, person: Person, whole: Sequence[Conversation]) -> None:
        """Keep whole conversations that were written elsewhere: all of them or none."""
        every = [message for each in whole for message in each.messages]
        rated = [(each.id, each.feedback) for each in every if each.feedback]
        titles = [passages.row_of_title(person, each.id, each.title) for each in whole]
        found_by = titles + await asyncio.to_thread(passages.rows_of, person, every)
        now = datetime.now(UTC)
        async with self._database.writing() as connection:
            for table, rows in (
                (conversations, [_row(person, each) for each in whole]),
                (messages, rows_of(every)),
                (feedback, [{"message_id": i, "updated_at": now} | vars(f) for i, f in rated]),
            ):
                if rows:
                    await connection.execute(insert(table), rows)
            await passages.add(connection, found_by)

    async def list(
        self,
        person: Person,
        *,
        cursor: str | None = None,
        limit: int = 50,
        pinned: bool | None = None,
    ) -> Page:
        """Return conversations, the last changed first; `cursor` is the one of the page before.

        With `pinned` only those that are, or are not.

        Raises:
            CursorInvalid: the cursor is none of this list.

        """
        statement = (
            select(*SUMMARY)
            .where(conversations.c.person_id == person.id)
            .order_by(conversations.c.updated_at.desc(), conversations.c.id.desc())
            .limit(limit + 1)
        )
        if pinned is not None:
            statement = statement.where(conversations.c.pinned.is_(pinned))
        if cursor is not None:
            moment, id_ = cursors.moment_and_id(cursor)
            place = tuple_(conversations.c.updated_at, conversations.c.id)
            last = tuple_(literal(moment, Moment), literal(id_, Id))
            statement = statement.where(place < last)
        async with self._database.reading() as connection:
            rows = (await connection.execute(statement)).all()
        shown = [Summary(*row) for row in rows[:limit]]
        more = len(rows) > limit
        return Page(shown, cursors.after(shown[-1].updated_at, shown[-1].id) if more else None)

    async def open(self, person: Person, conversation_id: str) -> Conversation:
        """Return a conversation with all its messages.

        Raises:
            ConversationNotFound: the person has no such conversation.

        """
        async with self._database.reading() as connection:
            found = await self._get(connection, person, conversation_id)
            rows = await connection.execute(
                select(*COLUMNS)
                .select_from(WITH_FEEDBACK)
                .where(messages.c.conversation_id == found.id)
                .order_by(messages.c.id)
            )
            return Conversation(**(vars(found) | {"messages": [message_of(row) for row in rows]}))

    async def change(
        self,
        person: Person,
        conversation_id: str,
        *,
        title: str | None = None,
        leaf_id: str | None = None,
        pinned: bool | None = None,
    ) -> Conversation:
        """Give a conversation another title, show another branch, pin it or let it go.

        Return it without messages.

        Raises:
            ConversationNotFound: the person has no such conversation.
            MessageNotFound: it has no such message.

        """
        async with self._database.writing() as connection:
            found = await self._get(connection, person, conversation_id)
            values: dict[str, str | bool] = {} if pinned is None else {"pinned": pinned}
            if title is not None:
                values["title"] = title = storable(title)
                await passages.retitle(connection, person, found.id, title)
            if leaf_id is not None:
                values["leaf_id"] = await self._leaf(connection, found.id, leaf_id)
            if values:
                this = conversations.c.id == found.id
                await connection.execute(update(conversations).where(this).values(values))
        return Conversation(**(vars(found) | values))

    async def delete(self, person: Person, conversation_id: str) -> Sequence[str]:
        """Delete a conversation; return the ids of the answers that were still being written.

        Raises:
            ConversationNotFound: the person has no such conversation.

        """
        async with self._database.writing() as connection:
            found = await self._get(connection, person, conversation_id, lock=True)
            begun = await connection.execute(
                select(messages.c.id)
                .where(messages.c.conversation_id == found.id)
                .where(messages.c.state == "streaming")
            )
            streaming = begun.scalars().all()
            await connection.execute(delete(conversations).where(conversations.c.id == found.id))
        return streaming

    async def _get(
        self,
        connection: AsyncConnection,
        person: Person,
        conversation_id: str,
        *,
        lock: bool = False,
    ) -> Conversation:
        statement = (
            select(*SUMMARY, conversations.c.leaf_id)
            .where(conversations.c.id == parsed(conversation_id))
            .where(conversations.c.person_id == person.id)
        )
        rows = await connection.execute(statement.with_for_update() if lock else statement)
        if (row := rows.one_or_none()) is None:
            raise ConversationNotFound
        return Conversation(**row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for a row as a mapping

    async def _leaf(
        self, connection: AsyncConnection, conversation_id: str, message_id: str
    ) -> str:
        found = await connection.execute(
            select(messages.c.id)
            .where(messages.c.id == parsed(message_id))
            .where(messages.c.conversation_id == conversation_id)
        )
        leaf: str | None = found.scalar_one_or_none()
        if leaf is None:
            raise MessageNotFound
        return leaf


def _row(person: Person, conversation: Conversation) -> dict[str, object]:
    values = {name: value for name, value in vars(conversation).items() if name != "messages"}
    return values | {"person_id": person.id}
