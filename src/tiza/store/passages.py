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


async def add(connection: AsyncConnection, person: Person, new: Iterable[Message]) -> None:
    """Let messages be found."""
    rows = [_row(person.id, each.conversation_id, each.id, each.text) for each in new]
    await _insert(connection, rows)


async def replace(connection: AsyncConnection, message_id: str, text: str) -> None:
    """Let a message be found by another text than before."""
    await connection.execute(delete(passages).where(passages.c.message_id == message_id))
    found = await connection.execute(
        select(conversations.c.person_id, conversations.c.id)
        .select_from(conversations.join(messages))
        .where(messages.c.id == message_id)
    )
    owner = found.one()
    await _insert(connection, [_row(owner.person_id, owner.id, message_id, text)])


async def retitle(
    connection: AsyncConnection, person: Person, conversation_id: str, title: str
) -> None:
    """Let a conversation be found by another title than before."""
    of_title = (passages.c.conversation_id == conversation_id) & passages.c.message_id.is_(None)
    await connection.execute(delete(passages).where(of_title))
    await _insert(connection, [_row(person.id, conversation_id, None, title)])


def _row(person_id: int, conversation_id: str, message_id: str | None, text: str) -> dict[str, Any]:
    """Return a row; both databases read its words as separated by spaces."""
    return {
        "person_id": person_id,
        "conversation_id": conversation_id,
        "message_id": message_id,
        "words": " ".join(marked(person_id, word) for word in words_of(text)),
    }


async def _insert(connection: AsyncConnection, rows: list[dict[str, Any]]) -> None:
    if rows := [row for row in rows if row["words"]]:
        await connection.execute(passages.insert(), rows)
