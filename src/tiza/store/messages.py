"""Messages as a tree. A question and its empty answer are kept at once, before anything is asked.

Editing a question and regenerating an answer make siblings; nothing is overwritten. Only the
process that began an answer writes to it.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tiza.errors import ConversationNotFound, KeyReused, MessageNotFound
from tiza.store import passages
from tiza.store.database import Database
from tiza.store.identifiers import new_id, parsed
from tiza.store.insertion import insert
from tiza.store.records import Exchange, Feedback, Message, Outcome, Person, Wanted
from tiza.store.tables import conversations, feedback, messages, requests
from tiza.store.text import storable, title_of

COLUMNS = (*messages.c, feedback.c.rating, feedback.c.reason, feedback.c.correction)
UNKNOWN_SECONDS = 10.0
WITH_FEEDBACK = messages.outerjoin(feedback)


class Messages:
    """The messages of everybody; each method is for one person and sees nobody else's.

    All raise StoreUnavailable, StoreBusy or StoreFull when the database does. `owner` names this
    process.
    """

    def __init__(self, database: Database, owner: str) -> None:
        self._database, self._owner = database, owner

    async def get(self, person: Person, message_id: str) -> Message:
        """Return one message.

        Raises:
            MessageNotFound: the person has no such message.

        """
        async with self._database.reading() as connection:
            return await self._get(connection, person, message_id)

    async def branch(self, person: Person, message_id: str) -> list[Message]:
        """Return the way from the root to a message, which is the last.

        Raises:
            MessageNotFound: the person has no such message.

        """
        async with self._database.reading() as connection:
            last = await self._get(connection, person, message_id)
            of_this = messages.c.conversation_id == last.conversation_id
            rows = await connection.execute(
                select(*COLUMNS).select_from(WITH_FEEDBACK).where(of_this)
            )
            by_id = {message.id: message for message in map(message_of, rows)}
        path, at = [], by_id.get(last.id)
        while at is not None:
            path.append(at)
            at = by_id.get(at.parent_id or "")
        return path[::-1]

    async def ask(
        self,
        person: Person,
        conversation_id: str,
        text: str,
        wanted: Wanted,
        *,
        parent_id: str | None = None,
        key: str = "",
    ) -> Exchange:
        """Keep a question and begin its answer, in one transaction.

        `parent_id` is what is asked after; None means the end of the branch that is shown. With a
        `key` (Idempotency-Key) the same request made again returns the first one's exchange.

        Raises:
            ConversationNotFound: the person has no such conversation.
            MessageNotFound: the conversation has no such parent.
            KeyReused: the key belongs to another request.

        """
        mark = _fingerprint("ask", conversation_id, text, wanted, parent_id)
        async with self._database.writing() as connection:
            place = await self._conversation(connection, person, conversation_id)
            if parent_id is None:
                parent_id = place.leaf_id
            elif (parent_id := parsed(parent_id)) is None or not await _holds(
                connection, place.id, parent_id
            ):
                raise MessageNotFound
            question = self._question(place.id, parent_id, text)
            new = [question, self._answer(question, wanted)]
            begin = _Begin(person, place, question, new, key, mark)
            return await self._begin(connection, begin)

    async def edit(
        self, person: Person, question_id: str, text: str, wanted: Wanted, *, key: str = ""
    ) -> Exchange:
        """Keep another wording of a question, as its sibling, and begin its answer.

        Raises:
            MessageNotFound: the person has no such question.
            KeyReused: the key belongs to another request.

        """
        mark = _fingerprint("edit", question_id, text, wanted)
        async with self._database.writing() as connection:
            old = await self._get(connection, person, question_id)
            if old.role != "user":
                raise MessageNotFound
            place = await self._conversation(connection, person, old.conversation_id)
            question = self._question(place.id, old.parent_id, text)
            new = [question, self._answer(question, wanted)]
            begin = _Begin(person, place, question, new, key, mark)
            return await self._begin(connection, begin)

    async def regenerate(
        self, person: Person, answer_id: str, wanted: Wanted, *, key: str = ""
    ) -> Exchange:
        """Begin another answer to the same question, as a sibling of the first.

        Raises:
            MessageNotFound: the person has no such answer.
            KeyReused: the key belongs to another request.

        """
        mark = _fingerprint("regenerate", answer_id, wanted)
        async with self._database.writing() as connection:
            old = await self._get(connection, person, answer_id)
            if old.role != "assistant" or old.parent_id is None:
                raise MessageNotFound
            question = await self._get(connection, person, old.parent_id)
            place = await self._conversation(connection, person, old.conversation_id)
            new = [self._answer(question, wanted)]
            begin = _Begin(person, place, question, new, key, mark)
            return await self._begin(connection, begin)

    async def resume(self, person: Person, answer_id: str) -> Exchange:
        """Begin to write again at the end of an interrupted answer, from now on by this process.

        Any other answer stays as it is and comes back as `repeated`.

        Raises:
            MessageNotFound: the person has no such answer.

        """
        async with self._database.writing() as connection:
            answer = await self._get(connection, person, answer_id)
            if answer.role != "assistant" or answer.parent_id is None:
                raise MessageNotFound
            question = await self._get(connection, person, answer.parent_id)
            begun = await connection.execute(
                update(messages)
                .where(messages.c.id == answer.id, messages.c.state == "interrupted")
                .values(state="streaming", owner=self._owner, error="")
            )
        if not begun.rowcount:
            return Exchange(question, answer, repeated=True)
        return Exchange(question, replace(answer, state="streaming"))

    async def disown(self, but: Collection[str]) -> None:
        """Call interrupted what this process began a while ago and does not know any more.

        So it may be where the database kept a question and could not say so.
        """
        begun = datetime.now(UTC) - timedelta(seconds=UNKNOWN_SECONDS)
        async with self._database.writing() as connection:
            await connection.execute(
                update(messages)
                .where(messages.c.owner == self._owner, messages.c.state == "streaming")
                .where(messages.c.created_at < begun, messages.c.id.not_in(but))
                .values(state="interrupted")
            )

    async def save(self, texts: Mapping[str, str]) -> None:
        """Keep what this process's answers have so far, by their ids, all in one transaction.

        Meant to be called once a second with every answer that has grown. Those that were deleted
        meanwhile are passed over.
        """
        if not texts:
            return
        statement = (
            update(messages)
            .where(messages.c.id == bindparam("answer"), messages.c.owner == self._owner)
            .where(messages.c.state == "streaming")
            .values(text=bindparam("so_far"))
        )
        values = [{"answer": id_, "so_far": storable(text)} for id_, text in sorted(texts.items())]
        async with self._database.writing() as connection:
            await connection.execute(statement, values)

    async def finish(self, answer_id: str, outcome: Outcome) -> bool:
        """Keep the end of an answer that this process began; False if it was deleted meanwhile.

        The first end counts; only `interrupted`, which others may have concluded while the
        database did not hear from this process, gives way to what really happened.
        """
        values = asdict(outcome) | {"text": storable(outcome.text)}
        if not outcome.model:
            del values["model"]
        async with self._database.writing() as connection:
            place = await passages.place_of(connection, answer_id)
            done = await connection.execute(
                update(messages)
                .where(messages.c.id == answer_id, messages.c.owner == self._owner)
                .where(messages.c.state.in_(("streaming", "interrupted")))
                .values(values)
            )
            if place and done.rowcount:
                await passages.replace(connection, place, answer_id, values["text"])
        return bool(done.rowcount)

    async def rate(self, person: Person, message_id: str, given: Feedback | None) -> Message:
        """Keep what the person thinks of an answer instead of what it thought before, or nothing.

        Raises:
            MessageNotFound: the person has no such answer.

        """
        async with self._database.writing() as connection:
            message = await self._get(connection, person, message_id)
            if message.role != "assistant":
                raise MessageNotFound
            old = feedback.c.message_id == message.id
            await connection.execute(delete(feedback).where(old))
            if given is not None:
                given = Feedback(given.rating, storable(given.reason), storable(given.correction))
                values = {"message_id": message.id, "updated_at": datetime.now(UTC)}
                await connection.execute(feedback.insert().values(asdict(given) | values))
        return replace(message, feedback=given)

    async def _get(self, connection: AsyncConnection, person: Person, message_id: str) -> Message:
        rows = await connection.execute(
            select(*COLUMNS)
            .select_from(WITH_FEEDBACK.join(conversations))
            .where(messages.c.id == parsed(message_id), conversations.c.person_id == person.id)
        )
        if (row := rows.one_or_none()) is None:
            raise MessageNotFound
        return message_of(row)

    async def _conversation(
        self, connection: AsyncConnection, person: Person, conversation_id: str
    ) -> Row[Any]:
        """Return the row and lock it: a conversation grows by one exchange after the other."""
        rows = await connection.execute(
            select(conversations)
            .where(conversations.c.id == parsed(conversation_id))
            .where(conversations.c.person_id == person.id)
            .with_for_update()
        )
        if (row := rows.one_or_none()) is None:
            raise ConversationNotFound
        return row

    def _question(self, conversation_id: str, parent_id: str | None, text: str) -> Message:
        now = datetime.now(UTC)
        text = storable(text)
        return Message(new_id(), conversation_id, parent_id, "user", text, "complete", now)

    def _answer(self, question: Message, wanted: Wanted) -> Message:
        return Message(
            new_id(),
            question.conversation_id,
            question.id,
            "assistant",
            "",
            "streaming",
            datetime.now(UTC),
            storable(wanted.model),
            wanted.parameters,
        )

    async def _begin(self, connection: AsyncConnection, begin: "_Begin") -> Exchange:
        """Keep what is new, and show the branch that ends with the answer."""
        if begin.key and (earlier := await self._earlier(connection, begin)):
            return earlier
        await connection.execute(messages.insert(), rows_of(begin.new, self._owner))
        await passages.add(connection, passages.rows_of(begin.person, begin.new))
        answer, place = begin.new[-1], begin.place
        await connection.execute(
            update(conversations)
            .where(conversations.c.id == place.id)
            .values(
                leaf_id=answer.id,
                updated_at=answer.created_at,
                title=place.title or title_of(begin.question.text),
            )
        )
        return Exchange(begin.question, answer)

    async def _earlier(self, connection: AsyncConnection, begin: "_Begin") -> Exchange | None:
        """Reserve the key for what begins, or return what it was reserved for."""
        person, answer = begin.person, begin.new[-1]
        key = hashlib.sha256(begin.key.encode("utf-8", "surrogatepass")).hexdigest()
        reserved = await connection.execute(
            insert(connection, requests)
            .values(
                person_id=person.id,
                key=key,
                fingerprint=begin.mark,
                conversation_id=answer.conversation_id,
                question_id=begin.question.id,
                answer_id=answer.id,
                created_at=answer.created_at,
            )
            .on_conflict_do_nothing()
        )
        if reserved.rowcount:
            return None
        of_key = (requests.c.person_id == person.id) & (requests.c.key == key)
        row = (await connection.execute(select(requests).where(of_key))).one()
        if row.fingerprint != begin.mark:
            raise KeyReused
        question = await self._get(connection, person, row.question_id)
        return Exchange(question, await self._get(connection, person, row.answer_id), repeated=True)


@dataclass(frozen=True)
class _Begin:
    """An exchange that is about to be kept: `new` is what of it does not exist, the answer last."""

    person: Person
    place: Row[Any]
    question: Message
    new: Sequence[Message]
    key: str
    mark: bytes


def message_of(row: Row[Any]) -> Message:
    """Make a message of a row of COLUMNS."""
    values = dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for a row as a mapping
    del values["owner"]
    rating, reason = values.pop("rating"), values.pop("reason")
    correction = values.pop("correction")
    given = Feedback(rating, reason, correction) if rating else None
    return Message(**values, feedback=given)


def rows_of(new: Sequence[Message], owner: str | None = None) -> list[dict[str, Any]]:
    """Return messages as rows; `owner` is the process that writes those that are `streaming`."""
    return [
        {name: value for name, value in vars(message).items() if name != "feedback"}
        | {"parameters": dict(message.parameters)}
        | {"owner": owner if message.state == "streaming" else None}
        for message in new
    ]


async def _holds(connection: AsyncConnection, conversation_id: str, message_id: str) -> bool:
    found = await connection.execute(
        select(messages.c.id)
        .where(messages.c.id == message_id)
        .where(messages.c.conversation_id == conversation_id)
    )
    return found.one_or_none() is not None


def _fingerprint(*request: object) -> bytes:
    told = json.dumps([asdict(r) if isinstance(r, Wanted) else r for r in request], default=str)
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).digest()
