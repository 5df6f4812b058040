"""Conversations: in order, by pages, with titles; deleted means gone."""

import asyncio
from pathlib import Path

import pytest

from tests.store.talk import WANTED, conversation, empty
from tiza.errors import CursorInvalid, MessageNotFound
from tiza.store import cursors
from tiza.store.database import Database
from tiza.store.identifiers import new_id
from tiza.store.records import Conversation, Feedback, Message, Person
from tiza.store.store import Store
from tiza.store.upkeep import Upkeep


async def test_pages_cover_the_list_when_it_is_long(store: Store, ana: Person, ben: Person) -> None:
    """Every conversation is on one page, the last changed first, and nobody else's on any."""
    ids = [await empty(store, ana, f"number {n}") for n in range(11)]
    await empty(store, ben)
    await store.messages.ask(ana, ids[3], "the last change", WANTED)

    shown, cursor = [], None
    while True:
        page = await store.conversations.list(ana, cursor=cursor, limit=4)
        shown += [each.id for each in page.conversations]
        if (cursor := page.cursor) is None:
            break

    assert shown == [ids[3], *(each for each in reversed(ids) if each != ids[3])]


async def test_last_page_has_no_cursor_when_it_is_full(store: Store, ana: Person) -> None:
    """A cursor is given only where something follows."""
    for _ in range(4):
        await empty(store, ana)
    assert (await store.conversations.list(ana, limit=4)).cursor is None
    assert (await store.conversations.list(ana, limit=3)).cursor is not None


async def test_cursor_is_refused_when_it_is_broken(store: Store, ana: Person) -> None:
    """A cursor that no list gave out is an error that says so."""
    forged = [f"list {n} {i}" for n in ("x", "9" * 30, "1") for i in ("", "y", "y z")]
    broken = ["", "x", "é", "AAAA", "\x00", "A" * 10_000, cursors.after_passage(5)]
    for cursor in broken + [cursors._written(each) for each in forged]:
        with pytest.raises(CursorInvalid):
            await store.conversations.list(ana, cursor=cursor)


async def test_title_is_the_first_question_when_none_was_given(store: Store, ana: Person) -> None:
    """A title costs no generation, and one that a person chose is never replaced."""
    for title in ("", "Mine"):
        place = await empty(store, ana, title)
        await store.messages.ask(ana, place, "**What** is chalk?\nTell me.", WANTED)
        await store.messages.ask(ana, place, "And slate?", WANTED)
        whole = await store.conversations.open(ana, place)
        assert whole.title == (title or "What is chalk?")


async def test_pinned_conversation_is_listed_apart_when_it_is_asked_for(
    store: Store, ana: Person
) -> None:
    """Pinned ones, the others, or all; pinning neither changes the order nor the title."""
    (first,) = await conversation(store, ana, "one", "1")
    (second,) = await conversation(store, ana, "two", "2")
    places = [each.question.conversation_id for each in (second, first)]

    changed = await store.conversations.change(ana, places[1], pinned=True)

    async def listed(*, pinned: bool | None) -> list[str]:
        page = await store.conversations.list(ana, pinned=pinned)
        return [each.id for each in page.conversations]

    assert (changed.pinned, changed.title) == (True, "one")
    assert await listed(pinned=True) == [places[1]]
    assert await listed(pinned=False) == [places[0]]
    assert await listed(pinned=None) == places
    await store.conversations.change(ana, places[1], pinned=False)
    assert await listed(pinned=True) == []


async def test_change_stays_when_the_conversation_is_opened_again(
    store: Store, ana: Person
) -> None:
    """The title and the chosen branch are remembered; no change is no change."""
    first, second = await conversation(store, ana, "one", "1", "two", "2")
    place = first.question.conversation_id
    (other,) = await conversation(store, ana, "elsewhere", "x")

    changed = await store.conversations.change(ana, place, title="T", leaf_id=first.answer.id)
    await store.conversations.change(ana, place)
    whole = await store.conversations.open(ana, place)

    assert (
        (changed.title, changed.leaf_id) == (whole.title, whole.leaf_id) == ("T", first.answer.id)
    )
    assert [m.text for m in whole.branch()] == ["one", "1"]
    for wrong in (other.answer.id, new_id(), "x"):
        with pytest.raises(MessageNotFound):
            await store.conversations.change(ana, place, leaf_id=wrong)
    assert second.answer.id in {m.id for m in whole.messages}


async def test_nothing_of_it_is_left_when_a_conversation_is_deleted(
    store: Store, ana: Person, url: str
) -> None:
    """After the next upkeep not even the database's files have a deleted word."""
    (begun,) = await conversation(store, ana, "zyzzyva", "quokkasaurus", title="Xylotomous")
    await conversation(store, ana, "kept", "words")
    await store.messages.rate(ana, begun.answer.id, Feedback("down", "absquatulate"))
    database = Database(url)
    await store.conversations.delete(ana, begun.question.conversation_id)
    await Upkeep(database, 0).run()

    if database.is_sqlite:
        await database.close()
        files = list(Path(database.url.database or "").parent.glob("tiza.db*"))
        content = b"".join(path.read_bytes() for path in files).lower()
        assert b"kept" in content
        for trace in (b"zyzzyva", b"quokkasaurus", b"xylotomous", b"absquatulate"):
            assert trace not in content
    for word in ("zyzzyva", "quokkasaurus", "xylotomous"):
        assert not (await store.search.find(ana, word)).conversations
    await database.close()


async def test_all_are_kept_when_a_hundred_write_at_once(store: Store, ana: Person) -> None:
    """Parallel writers wait for each other; nothing is lost and nothing doubled."""
    places = [await empty(store, ana) for _ in range(4)]

    await asyncio.gather(
        *(store.messages.ask(ana, places[n % 4], f"q{n}", WANTED, key=f"{n}") for n in range(100))
    )

    wholes = [await store.conversations.open(ana, place) for place in places]
    questions = [m.text for whole in wholes for m in whole.messages if m.role == "user"]
    assert sorted(questions) == sorted(f"q{n}" for n in range(100))
    assert [len(whole.branch()) for whole in wholes] == [50] * 4  # one after the other


async def test_whole_conversations_are_kept_when_they_are_added(store: Store, ana: Person) -> None:
    """What was written elsewhere is listed, opened and found like everything else."""
    place = new_id()
    template = (await conversation(store, ana, "x", "y"))[0].question
    now = template.created_at
    question = Message(new_id(), place, None, "user", "Añil?", "complete", now)
    answer = Message(
        new_id(), place, question.id, "assistant", "Índigo", "failed", now, feedback=Feedback("up")
    )
    given = Conversation(place, "Colores", answer.id, now, now, [question, answer])

    await store.conversations.add(ana, [given])
    await store.conversations.add(ana, [])

    assert await store.conversations.open(ana, place) == given
    for word in ("anil", "indigo", "colores"):
        assert [c.id for c in (await store.search.find(ana, word)).conversations] == [place]
