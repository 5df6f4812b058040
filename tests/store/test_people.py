"""People: known by a token that only they have."""

from sqlalchemy import select

from tiza.store.database import Database
from tiza.store.records import NOBODY, Outcome, Wanted
from tiza.store.store import Store
from tiza.store.tables import metadata, people


async def test_person_is_found_when_the_token_is_theirs(store: Store) -> None:
    """A token leads to its person, every other text to nobody."""
    person, token = await store.people.welcome()
    other, _ = await store.people.welcome()

    assert await store.people.find(token) == person != other
    for wrong in ("", token[:-1], token.swapcase(), "' OR 1=1 --", "\x00", "\ud800"):
        assert await store.people.find(wrong) is None


async def test_token_is_not_readable_when_the_database_is_read(store: Store, url: str) -> None:
    """Only a hash of a token is kept."""
    _, token = await store.people.welcome()
    database = Database(url)

    async with database.reading() as connection:
        kept = (await connection.execute(select(people.c.token_hash))).scalars().all()
    await database.close()

    assert len(token) >= 43  # 256 bits
    assert all(token.encode() not in each for each in kept)


async def test_nothing_is_left_when_a_person_is_forgotten(store: Store, url: str) -> None:
    """Everything that hangs on a person goes with them, and what is others' stays."""
    known = [await store.people.welcome() for _ in range(2)]
    for person, _ in known:
        made = await store.conversations.create(person, "A title")
        begun = await store.messages.ask(person, made.id, "Why?", Wanted(), key="k")
        await store.messages.finish(begun.answer.id, Outcome("complete", "Because."))
    database = Database(url)

    async def rows() -> dict[str, int]:
        async with database.reading() as connection:
            return {
                table.name: len((await connection.execute(select(table))).all())
                for table in metadata.sorted_tables
                if table.name != "processes"
            }

    before = await rows()
    await store.people.forget(known[0][0])
    after = await rows()
    await database.close()

    assert all(2 * after[name] == count for name, count in before.items())
    assert after["passages"]
    assert await store.people.find(known[0][1]) is None
    assert await store.people.find(known[1][1]) == known[1][0]


async def test_nobody_has_nothing_when_asked(store: Store) -> None:
    """Who is not known has an empty list."""
    assert (await store.conversations.list(NOBODY)).conversations == []
