"""Short forms for conversations in tests."""

from tiza.store.records import Exchange, Outcome, Person, Wanted
from tiza.store.store import Store

WANTED = Wanted("samples_0", {"temperature": 0.5, "max_tokens": 9})


def done(text: str) -> Outcome:
    """Return the end of a good answer."""
    return Outcome("complete", text)


async def conversation(
    store: Store, person: Person, *texts: str, title: str = ""
) -> list[Exchange]:
    """Make a conversation of questions and answers, in turn; return its exchanges."""
    made = await store.conversations.create(person, title)
    exchanges = []
    for question, answer in zip(texts[::2], texts[1::2], strict=True):
        begun = await store.messages.ask(person, made.id, question, WANTED)
        await store.messages.finish(begun.answer.id, done(answer))
        exchanges.append(begun)
    return exchanges


async def empty(store: Store, person: Person, title: str = "") -> str:
    """Make a conversation without messages and return its id."""
    return (await store.conversations.create(person, title)).id
