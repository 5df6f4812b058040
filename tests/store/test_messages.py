"""Messages: a tree in which nothing is overwritten, lost or kept twice."""

import asyncio
from dataclasses import replace

import pytest

from tests.store.talk import WANTED, conversation, done, empty
from tiza.errors import ConversationNotFound, KeyReused, MessageNotFound
from tiza.store.identifiers import new_id
from tiza.store.records import Feedback, Outcome, Person, Wanted
from tiza.store.store import Store, opened

OUTCOME = Outcome(
    "complete",
    "¡Sí! 😀",
    model="samples_1",
    prompt_tokens=11,
    completion_tokens=7,
    latency_seconds=1.25,
    finish_reason="length",
    truncated=True,
    cached=True,
)


async def test_exchange_is_whole_when_it_is_read_again(store: Store, ana: Person) -> None:
    """Everything that is known of a question and an answer is kept."""
    place = await empty(store, ana)
    begun = await store.messages.ask(ana, place, "¿Sí?\n🎓", WANTED)
    assert await store.messages.get(ana, begun.answer.id) == begun.answer

    assert await store.messages.finish(begun.answer.id, OUTCOME)

    kept = await store.messages.get(ana, begun.answer.id)
    assert kept == replace(begun.answer, **vars(OUTCOME))
    assert kept.parameters == {"temperature": 0.5, "max_tokens": 9}
    assert await store.messages.get(ana, begun.question.id) == begun.question
    assert begun.question.text == "¿Sí?\n🎓"


async def test_question_follows_the_branch_when_no_parent_is_named(
    store: Store, ana: Person
) -> None:
    """Each question is asked after the answer before it."""
    first, second = await conversation(store, ana, "one", "1", "two", "2")

    path = await store.messages.branch(ana, second.answer.id)

    assert [message.text for message in path] == ["one", "1", "two", "2"]
    assert second.question.parent_id == first.answer.id


async def test_siblings_stand_beside_each_other_when_edited_or_regenerated(
    store: Store, ana: Person
) -> None:
    """The old question and answer stay; the newest branch is the one that is shown."""
    (first,) = await conversation(store, ana, "old", "old answer")
    place = first.question.conversation_id

    other = await store.messages.edit(ana, first.question.id, "new", WANTED)
    again = await store.messages.regenerate(ana, first.answer.id, WANTED)
    whole = await store.conversations.open(ana, place)

    assert other.question.parent_id == first.question.parent_id is None
    assert again.question == first.question
    assert again.answer.parent_id == first.answer.parent_id
    assert [m.text for m in whole.messages] == ["old", "old answer", "new", "", ""]
    assert [m.id for m in whole.branch()] == [first.question.id, again.answer.id]


async def test_question_goes_where_it_is_told_when_a_parent_is_named(
    store: Store, ana: Person
) -> None:
    """A question may be asked after any answer of its conversation, and of no other."""
    first, _ = await conversation(store, ana, "one", "1", "two", "2")
    (elsewhere,) = await conversation(store, ana, "three", "3")
    place = first.question.conversation_id

    begun = await store.messages.ask(ana, place, "x", WANTED, parent_id=first.answer.id)

    assert begun.question.parent_id == first.answer.id
    for wrong in (elsewhere.answer.id, new_id(), "", "'"):
        with pytest.raises(MessageNotFound):
            await store.messages.ask(ana, place, "x", WANTED, parent_id=wrong)


async def test_request_is_harmless_when_it_is_repeated(store: Store, ana: Person) -> None:
    """The same request under the same key, even at the same moment, begins one exchange."""
    place = await empty(store, ana)

    async def ask() -> str:
        return (await store.messages.ask(ana, place, "once", WANTED, key="k")).answer.id

    answers = await asyncio.gather(*(ask() for _ in range(8)))
    repeated = await store.messages.ask(ana, place, "once", WANTED, key="k")

    assert {*answers, repeated.answer.id} == {answers[0]}
    assert repeated.repeated
    assert len((await store.conversations.open(ana, place)).messages) == 2


@pytest.mark.parametrize("key", ["k", "k" * 5000, "ключ '\"\\"])
async def test_key_is_refused_when_the_request_is_another(
    store: Store, ana: Person, key: str
) -> None:
    """A key belongs to one request; a person's keys are no other's."""
    place = await empty(store, ana)
    begun = await store.messages.ask(ana, place, "one", WANTED, key=key)
    await store.messages.regenerate(ana, begun.answer.id, WANTED, key=f"{key}2")

    for change in (
        store.messages.ask(ana, place, "two", WANTED, key=key),
        store.messages.ask(ana, place, "one", Wanted(), key=key),
        store.messages.edit(ana, begun.question.id, "one", WANTED, key=key),
        store.messages.regenerate(ana, begun.answer.id, WANTED, key=key),
    ):
        with pytest.raises(KeyReused):
            await change
    assert len((await store.conversations.open(ana, place)).messages) == 3


async def test_key_is_free_when_another_person_uses_it(
    store: Store, ana: Person, ben: Person
) -> None:
    """Two people may choose the same key."""
    for person in (ana, ben):
        place = await empty(store, person)
        assert not (await store.messages.ask(person, place, "q", WANTED, key="k")).repeated


async def test_partial_text_is_kept_when_it_is_saved(store: Store, ana: Person) -> None:
    """What has come so far is there before the end; ids that are gone are passed over."""
    place = await empty(store, ana)
    begun = [await store.messages.ask(ana, place, "q", WANTED) for _ in range(3)]
    texts = {each.answer.id: f"half {n}" for n, each in enumerate(begun)}

    await store.messages.save({})
    await store.messages.save(texts | {new_id(): "nobody's"})

    kept = [await store.messages.get(ana, each.answer.id) for each in begun]
    assert [message.text for message in kept] == ["half 0", "half 1", "half 2"]
    assert {message.state for message in kept} == {"streaming"}


async def test_end_stays_when_more_comes_after_it(store: Store, ana: Person) -> None:
    """The first end counts: neither a late save nor another end changes it."""
    place = await empty(store, ana)
    begun = await store.messages.ask(ana, place, "q", WANTED)

    assert await store.messages.finish(begun.answer.id, Outcome("stopped", "half"))
    assert not await store.messages.finish(begun.answer.id, done("whole"))
    await store.messages.save({begun.answer.id: "late"})

    kept = await store.messages.get(ana, begun.answer.id)
    assert (kept.state, kept.text, kept.model) == ("stopped", "half", WANTED.model)


async def test_only_the_owner_writes_when_two_processes_share_the_store(
    store: Store, ana: Person, url: str
) -> None:
    """An answer belongs to the process that began it."""
    place = await empty(store, ana)
    begun = await store.messages.ask(ana, place, "q", WANTED)

    async with opened(url) as other:
        await other.messages.save({begun.answer.id: "not mine"})
        assert not await other.messages.finish(begun.answer.id, done("not mine"))

    assert (await store.messages.get(ana, begun.answer.id)).state == "streaming"
    assert await store.messages.finish(begun.answer.id, done("mine"))


async def test_end_is_passed_over_when_the_answer_was_deleted(store: Store, ana: Person) -> None:
    """Deleting a conversation names its running answers, and their end disturbs nobody."""
    place = await empty(store, ana)
    begun = await store.messages.ask(ana, place, "q", WANTED)

    assert await store.conversations.delete(ana, place) == [begun.answer.id]

    await store.messages.save({begun.answer.id: "late"})
    assert not await store.messages.finish(begun.answer.id, done("late"))


async def test_text_is_replaced_when_no_database_could_keep_it(store: Store, ana: Person) -> None:
    """NUL and lone surrogates become U+FFFD, wherever text comes in."""
    bad, good = "a\x00b\ud800c\udfffd", "a\ufffdb\ufffdc\ufffdd"
    place = await empty(store, ana, bad)
    begun = await store.messages.ask(ana, place, bad, Wanted(bad), key=bad)
    await store.messages.save({begun.answer.id: bad})
    await store.messages.finish(begun.answer.id, done(bad))
    rated = await store.messages.rate(ana, begun.answer.id, Feedback("up", bad, bad))

    whole = await store.conversations.open(ana, place)

    assert whole.title == begun.question.text == good
    assert [(m.text, m.model) for m in whole.messages] == [(good, ""), (good, good)]
    assert rated.feedback == whole.messages[1].feedback == Feedback("up", good, good)


async def test_feedback_is_the_last_when_it_is_given_again(store: Store, ana: Person) -> None:
    """Feedback is kept, replaced and taken back; only answers get it."""
    (begun,) = await conversation(store, ana, "q", "a")
    answer = begun.answer.id

    for given in (Feedback("up"), Feedback("down", "wrong", "42"), None):
        rated = await store.messages.rate(ana, answer, given)
        assert rated == await store.messages.get(ana, answer)
        assert rated.feedback == given
    with pytest.raises(MessageNotFound):
        await store.messages.rate(ana, begun.question.id, Feedback("up"))


async def test_nothing_is_found_when_it_is_anothers(store: Store, ana: Person, ben: Person) -> None:
    """Another person's objects are as unknown as those that never were."""
    (begun,) = await conversation(store, ana, "q", "a")
    place, question, answer = begun.answer.conversation_id, begun.question.id, begun.answer.id
    messages, conversations = store.messages, store.conversations
    for who, at, asked, said in (
        (ben, place, question, answer),
        (ana, new_id(), new_id(), new_id()),
        (ana, "x", "../../", "' OR 1=1"),
    ):
        for change in (
            messages.get(who, asked),
            messages.branch(who, said),
            messages.edit(who, asked, "x", WANTED),
            messages.regenerate(who, said, WANTED),
            messages.rate(who, said, Feedback("down")),
        ):
            with pytest.raises(MessageNotFound):
                await change
        for request in (
            messages.ask(who, at, "x", WANTED),
            conversations.open(who, at),
            conversations.change(who, at, title="x"),
            conversations.delete(who, at),
        ):
            with pytest.raises(ConversationNotFound):
                await request
    whole = await conversations.open(ana, place)
    assert [m.text for m in whole.messages] == ["q", "a"]


async def test_role_is_minded_when_a_message_is_edited_or_regenerated(
    store: Store, ana: Person
) -> None:
    """Questions are edited, answers regenerated, not the other way round."""
    (begun,) = await conversation(store, ana, "q", "a")

    with pytest.raises(MessageNotFound):
        await store.messages.edit(ana, begun.answer.id, "x", WANTED)
    with pytest.raises(MessageNotFound):
        await store.messages.regenerate(ana, begun.question.id, WANTED)
