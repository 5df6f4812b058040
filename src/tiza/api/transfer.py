"""Conversations as files: our own form and OpenAI's `messages` come in; JSON and Markdown go out.

Our form is a list of conversations whose messages are OpenAI's with more in them: an OpenAI file is
one such conversation. What a file says about itself is checked, never believed: everything gets new
identifiers, and nothing is dated in the future.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from tiza.api.conversation_schemas import (
    MOST_MESSAGES,
    ImportedConversation,
    ImportedMessage,
    ImportRequest,
)
from tiza.api.problems import invalid
from tiza.store.identifiers import new_id
from tiza.store.records import Conversation, Feedback, Message, Person
from tiza.store.store import Store
from tiza.store.text import storable, title_of
from tiza.translation import N_, translate

HEAD = {"format": "tiza.conversations", "version": 1}
OPTIONS = orjson.OPT_UTC_Z
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
SPEAKERS = {"user": N_("Question"), "assistant": N_("Answer")}
NOT_EXPORTED = ("conversation_id", "text")
UNKNOWN_PARENT = N_("must be the id of an earlier message")
TWICE = N_("must not be the id of another message")


@dataclass
class Read:
    """What a file has: conversations for the store, and what was left out."""

    conversations: list[Conversation] = field(default_factory=list)
    left_out: int = 0

    @property
    def messages(self) -> int:
        """How many messages there are in all."""
        return sum(len(each.messages) for each in self.conversations)


def read(request: ImportRequest) -> Read:
    """Turn a file into conversations.

    Raises:
        InvalidRequest: naming the message that does not fit.

    """
    found, now = Read(), datetime.now(UTC)
    every = request.every()
    if sum(len(each.messages) for each in every) > MOST_MESSAGES:
        raise _problem(("conversations",), "too_long", max_length=MOST_MESSAGES)
    for number, each in enumerate(every):
        place: tuple[str | int, ...] = ()
        if request.conversations is not None:
            place = ("conversations", number)
        # in the order of the file, the first as the newest
        touched = now - timedelta(microseconds=number)
        reader = _Reader(each, place, touched)
        found.conversations.append(reader.conversation())
        found.left_out += reader.left_out
    return found


class _Reader:
    """Reads one conversation; `place` is where it stands in the file."""

    def __init__(
        self, given: ImportedConversation, place: tuple[str | int, ...], now: datetime
    ) -> None:
        self._given, self._place, self._now = given, place, now
        self._id = new_id()
        self._new: dict[str, str | None] = {}  # of the file's ids; a message left out is its parent
        self._last: str | None = None
        self.left_out = 0

    def conversation(self) -> Conversation:
        given = self._given
        messages = [
            message
            for number, each in enumerate(given.messages)
            if (message := self._message(number, each))
        ]
        leaf = self._new.get(given.leaf_id or "") or self._last
        questions = (each.text for each in messages if each.role == "user")
        title = storable(given.title) or title_of(next(questions, ""))
        begun = self._past(given.created_at)
        return Conversation(self._id, title, leaf, begun, self._now, messages)

    def _message(self, number: int, given: ImportedMessage) -> Message | None:
        """Return the message, None if it is left out."""
        parent = self._parent(number, given)
        role = given.role
        id_ = new_id() if role in ("user", "assistant") else parent
        if given.id is not None and self._new.setdefault(given.id, id_) is not id_:
            raise _problem((*self._place, "messages", number, "id"), TWICE)
        self._last = id_
        if role not in ("user", "assistant") or id_ is None:
            self.left_out += 1
            return None
        told = given.model_dump(exclude={"role", "content", "id", "parent_id", "state", "feedback"})
        told |= {name: storable(told[name]) for name in ("model", "finish_reason", "error")}
        told["created_at"] = self._past(given.created_at)
        return Message(
            id=id_,
            conversation_id=self._id,
            parent_id=parent,
            role=role,
            text=storable(_plain(given)),
            state="interrupted" if given.state == "streaming" else given.state,
            feedback=_feedback(given),
            **told,
        )

    def _parent(self, number: int, given: ImportedMessage) -> str | None:
        if "parent_id" not in given.model_fields_set:
            return self._last
        if given.parent_id is None:
            return None
        if given.parent_id not in self._new:
            raise _problem((*self._place, "messages", number, "parent_id"), UNKNOWN_PARENT)
        return self._new[given.parent_id]

    def _past(self, moment: datetime | None) -> datetime:
        """Return a moment that may be true: what has no zone is taken for UTC."""
        if moment is not None and moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return moment if moment and EARLIEST <= moment <= self._now else self._now


def as_json(conversations: Sequence[Conversation]) -> bytes:
    """Write conversations in our own form, with all their branches."""
    return orjson.dumps(
        HEAD | {"conversations": [_document(c) for c in conversations]}, None, OPTIONS
    )


def as_markdown(conversation: Conversation, language: str) -> str:
    """Write the branch that is shown, for people to read."""
    parts = [f"# {conversation.title}" if conversation.title else ""]
    for message in conversation.branch():
        speaker = translate(SPEAKERS[message.role], language)
        model = f" · {message.model}" if message.model else ""
        parts.append(f"## {speaker}{model}\n\n{message.text}")
    return "\n\n".join(part for part in parts if part) + "\n"


async def everything(store: Store, person: Person) -> AsyncIterator[bytes]:
    """Write all that a person has, in our own form, one conversation at a time."""
    head = orjson.dumps(HEAD).removesuffix(b"}")
    separator, cursor = head + b',"conversations":[', None
    while True:
        page = await store.conversations.list(person, cursor=cursor)
        for summary in page.conversations:
            whole = await store.conversations.open(person, summary.id)
            yield separator + orjson.dumps(_document(whole), None, OPTIONS)
            separator = b","
        cursor = page.cursor
        if cursor is None:
            break
    yield (separator if separator != b"," else b"") + b"]}"


def _document(conversation: Conversation) -> dict[str, Any]:
    return vars(conversation) | {"messages": [_told(each) for each in conversation.messages]}


def _told(message: Message) -> dict[str, Any]:
    """Say of a message what is worth saying; `content` is OpenAI's word for its text."""
    told = {"id": message.id, "parent_id": message.parent_id, "role": message.role}
    told |= {"content": message.text}
    return told | {
        name: value
        for name, value in vars(message).items()
        if name not in NOT_EXPORTED and name not in told and value not in (None, "", {}, False)
    }


def _plain(given: ImportedMessage) -> str:
    content = given.content
    return content if isinstance(content, str) else "".join(part.text for part in content)


def _feedback(given: ImportedMessage) -> Feedback | None:
    said = given.feedback
    if said is None or said.rating is None:
        return None
    return Feedback(said.rating, storable(said.reason), storable(said.correction))


def _problem(place: tuple[str | int, ...], kind: str, **ctx: object) -> Exception:
    return invalid([{"loc": place, "type": kind, "msg": kind, "ctx": ctx}])
