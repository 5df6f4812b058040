"""What the store takes and gives: plain, immutable records. Knows no database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Role = Literal["user", "assistant"]
State = Literal["streaming", "complete", "stopped", "interrupted", "failed"]
Rating = Literal["up", "down"]


@dataclass(frozen=True)
class Person:
    """Whoever has conversations. `id` never leaves the server."""

    id: int


NOBODY = Person(0)  # has nothing, and never will


@dataclass(frozen=True)
class Feedback:
    """What a person thinks of an answer; `correction` is the answer that it should have been."""

    rating: Rating
    reason: str = ""
    correction: str = ""


@dataclass(frozen=True)
class Opinion:
    """A rated answer, without whose it is. A `question` that follows another may need its words."""

    id: str
    question: str
    is_follow_up: bool
    answer: str
    model: str
    rating: Rating
    reason: str
    correction: str
    updated_at: datetime


@dataclass(frozen=True)
class Stored:
    """How much is kept of a person, and since when; nothing of somebody who is not known."""

    conversations: int = 0
    messages: int = 0
    ratings: int = 0
    keys: int = 0
    sessions: int = 0
    since: datetime | None = None


@dataclass(frozen=True)
class Message:
    """One node of a conversation's tree. Siblings have the same parent; a root has none."""

    id: str
    conversation_id: str
    parent_id: str | None
    role: Role
    text: str
    state: State
    created_at: datetime
    model: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    latency_seconds: float | None = None
    finish_reason: str = ""
    truncated: bool = False
    cached: bool = False
    error: str = ""
    feedback: Feedback | None = None


@dataclass(frozen=True)
class Summary:
    """A conversation as a list shows it; `snippet` is what a search found in it."""

    id: str
    title: str
    created_at: datetime
    updated_at: datetime
    pinned: bool = False
    snippet: str = ""


@dataclass(frozen=True)
class Conversation:
    """A whole conversation: all messages, oldest first. `leaf_id` ends the branch that is shown."""

    id: str
    title: str
    leaf_id: str | None
    created_at: datetime
    updated_at: datetime
    messages: Sequence[Message] = ()
    pinned: bool = False

    def branch(self) -> list[Message]:
        """Return the messages from the root to the chosen leaf."""
        by_id = {message.id: message for message in self.messages}
        path: list[Message] = []
        at = self.leaf_id
        while at is not None and (message := by_id.get(at)):
            path.append(message)
            at = message.parent_id
        return path[::-1]


@dataclass(frozen=True)
class Page:
    """Some conversations; `cursor` leads to the next ones, None at the end."""

    conversations: Sequence[Summary]
    cursor: str | None


@dataclass(frozen=True)
class Exchange:
    """A question and the answer that was begun for it.

    `repeated`: the same key had been used for the same request before, nothing was begun now.
    """

    question: Message
    answer: Message
    repeated: bool = False


@dataclass(frozen=True)
class Wanted:
    """What an answer is asked of: the model's name, where known, and the parameters as given."""

    model: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """How an answer ended. `error` is the code of the problem of a `failed` one."""

    state: Literal["complete", "stopped", "interrupted", "failed"]
    text: str
    model: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    latency_seconds: float | None = None
    finish_reason: str = ""
    truncated: bool = False
    cached: bool = False
    error: str = ""
