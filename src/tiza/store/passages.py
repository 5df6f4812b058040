"""What search looks through: one row for each message with text, and one for each title.

A full-text index hangs on the table (see `migrations`): in SQLite a table of FTS5 that triggers
keep in step, in PostgreSQL a GIN index. What is deleted here is deleted there.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from tiza.store.records import Message, Person
from tiza.store.tables import conversations, messages, passages
from tiza.store.words import marked, words_of

Row = dict[str, Any]
Place = tuple[Person, str]  # whose, and the conversation's id


def rows_of(person: Person, found_by: Iterable[Message]) -> list[Row]:
    """Return the rows of messages."""
    return [row_of(person, each.conversation_id, each.id, each.text) for each in found_by]


def row_of_title(person: Person, conversation_id: str, title: str) -> Row:
    """Return the row of a title."""
    return row_of(person, conversation_id, None, title)


async def add(connection: AsyncConnection, rows: list[Row]) -> None:
    """Let texts be found, if they have words."""
    if rows := [row for row in rows if row["words"]]:
        await connection.execute(passages.insert(), rows)


async def place_of(connection: AsyncConnection, message_id: str) -> Place | None:
    """Return whose message it is, and of which conversation; None if there is no such message.

    The conversation is locked against being deleted: who deletes it locks it first as well.
    """
    found = await connection.execute(
        select(conversations.c.person_id, conversations.c.id)
        .select_from(conversations.join(messages))
        .where(messages.c.id == message_id)
        .with_for_update(read=True, key_share=True, of=conversations)
    )
    row = found.one_or_none()
    return row and (Person(row.person_id), row.id)


async def replace(connection: AsyncConnection, place: Place, message_id: str, text: str) -> None:
    """Let a message be found by another text than before."""
    person, conversation_id = place
    of_message = passages.c.message_id == message_id
    this = (passages.c.conversation_id == conversation_id) & of_message
    await connection.execute(delete(passages).where(this))
    await add(connection, [row_of(person, conversation_id, message_id, text)])


async def retitle(
    connection: AsyncConnection, person: Person, conversation_id: str, title: str
) -> None:
    """Let a conversation be found by another title than before."""
    of_title = (passages.c.conversation_id == conversation_id) & passages.c.message_id.is_(None)
    await connection.execute(delete(passages).where(of_title))
    await add(connection, [row_of_title(person, conversation_id, title)])


def row_of(person: Person, conversation_id: str, message_id: str | None, text: str) -> Row:
    """Return the row of a text; a title is no message.

    Both databases read its words as separated by spaces (see also `search`).
    """
    words = "".join(f"{marked(person, word)} " for word in words_of(text))
    return {
        "person_id": person.id,
        "conversation_id": conversation_id,
        "message_id": message_id,
        "words": words and f" {words}",
    }
