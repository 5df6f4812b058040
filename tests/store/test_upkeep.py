"""Upkeep: the retention period, and keys and people that nothing needs any more."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from tests.store.talk import WANTED, conversation, empty
from tiza.store import upkeep
from tiza.store.database import Database
from tiza.store.records import Person
from tiza.store.store import Store
from tiza.store.tables import conversations, passages, people, requests
from tiza.store.upkeep import Upkeep

LONG_AGO = datetime.now(UTC) - timedelta(days=100)


async def test_old_conversations_go_when_there_is_a_retention_period(
    store: Store, ana: Person, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody has touched for so long is deleted, more than fits into one step."""
    monkeypatch.setattr(upkeep, "AT_ONCE", 2)
    database = Database(url)
    old = [await conversation(store, ana, "old", "words") for _ in range(5)]
    old_ids = [each.question.conversation_id for (each,) in old]
    (new,) = await conversation(store, ana, "new", "words")
    async with database.writing() as connection:
        too_old = conversations.c.id.in_(old_ids)
        await connection.execute(update(conversations).where(too_old).values(updated_at=LONG_AGO))

    for days, left in ((0, 6), (200, 6), (50, 1)):
        await Upkeep(database, days).run()
        assert len((await store.conversations.list(ana)).conversations) == left
    async with database.reading() as connection:
        found_by = await connection.scalar(select(func.count()).select_from(passages))
    await database.close()
    assert found_by == 2
    assert (await store.conversations.list(ana)).conversations[0].id == new.question.conversation_id


async def test_keys_and_the_lonely_go_when_they_are_old(
    store: Store, ana: Person, ben: Person, url: str
) -> None:
    """Keys are kept for a day; somebody without conversations for a month, others for ever."""
    database = Database(url)
    place = await empty(store, ana)
    for key in ("old", "new"):
        await store.messages.ask(ana, place, "q", WANTED, key=key)
    async with database.writing() as connection:
        oldest = select(func.min(requests.c.created_at)).scalar_subquery()
        first = requests.c.created_at == oldest
        await connection.execute(update(requests).where(first).values(created_at=LONG_AGO))
        await connection.execute(update(people).values(created_at=LONG_AGO))

    await Upkeep(database, 0).run()

    async with database.reading() as connection:
        keys = await connection.scalar(select(func.count()).select_from(requests))
        known = (await connection.execute(select(people.c.id))).scalars().all()
    await database.close()
    assert keys == 1
    assert known == [ana.id]
