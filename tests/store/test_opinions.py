"""What people think of answers, and how much is kept of them, as the store tells it."""

from tests.store.talk import conversation
from tiza.store.credentials import By
from tiza.store.records import NOBODY, Feedback, Person, Stored
from tiza.store.store import Store


async def test_corrections_are_of_those_who_may_when_everybody_rates(
    store: Store, ana: Person
) -> None:
    """Teachers and people without accounts correct; what a student corrected is only a rating."""
    lola = (await store.accounts.create(By(), "Lola", "student")).person
    tom = (await store.accounts.create(By(), "Tom", "teacher")).person
    for person, correction in ((ana, "Seven."), (tom, "Eight."), (lola, "Nine.")):
        first, second = await conversation(store, person, "How many?", "Six.", "Why?", "So.")
        down = Feedback("down", "wrong", correction)
        await store.messages.rate(person, first.answer.id, down)
        await store.messages.rate(person, second.answer.id, Feedback("up"))

    every = await store.opinions.every()
    corrections = await store.opinions.corrections()

    told = [(each.question, each.is_follow_up, each.answer, each.rating) for each in every]
    assert told == [("How many?", False, "Six.", "down"), ("Why?", True, "So.", "up")] * 3
    assert [each.correction for each in every] == ["Seven.", "", "Eight.", "", "", ""]
    assert [each.correction for each in corrections] == ["Seven.", "Eight."]
    assert {each.reason for each in corrections} == {"wrong"}


async def test_what_is_kept_is_counted_when_somebody_asks(
    store: Store, ana: Person, ben: Person
) -> None:
    """Everybody is told of what is theirs alone; nobody is told nothing."""
    (begun,) = await conversation(store, ana, "Why?", "Because.")
    await store.messages.rate(ana, begun.answer.id, Feedback("up"))
    await conversation(store, ben, "Ben's?", "Yes.", "And?", "No.")

    stored = await store.people.stored(ana)

    assert (stored.conversations, stored.messages, stored.ratings) == (1, 2, 1)
    assert (stored.keys, stored.sessions) == (0, 0)
    assert stored.since is not None
    assert (await store.people.stored(ben)).messages == 4
    assert await store.people.stored(NOBODY) == Stored()
