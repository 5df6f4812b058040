"""What clients send about conversations. What they receive are the store's records themselves."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from tiza.api.schemas import OpenAIRole, TextPart, whole
from tiza.store.records import Rating, State

TITLE_CHARS = 200
REASON_CHARS = 2_000
CORRECTION_CHARS = 32_000
MOST_MESSAGES = 20_000  # of an import
MOST_CONVERSATIONS = 5_000  # of an import

Title = Annotated[str, Field(max_length=TITLE_CHARS)]
Count = Annotated[int, Field(ge=0, lt=2**31), BeforeValidator(whole)]
Version = Annotated[Literal[1], BeforeValidator(whole)]
Short = Annotated[str, Field(max_length=64)]
Moment = Annotated[datetime, Field(strict=False)]  # in JSON it is a text


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class NewConversation(_Body):
    """`POST /conversations`. Without a title the first question gives it one."""

    title: Title = ""


class ConversationChange(_Body):
    """`PATCH /conversations/{id}`: another title, the end of the chosen branch, or a pin."""

    title: Title | None = None
    leaf_id: str | None = None
    pinned: bool | None = None


class FeedbackRequest(_Body):
    """`PUT /messages/{id}/feedback`. A `rating` of null takes the feedback back."""

    rating: Rating | None
    reason: Annotated[str, Field(max_length=REASON_CHARS)] = ""
    correction: Annotated[str, Field(max_length=CORRECTION_CHARS)] = ""


class Keeping(BaseModel):
    """`GET /me/stored`: how much there is, and after how many days without use it is deleted."""

    conversations: int
    messages: int
    ratings: int
    keys: int
    sessions: int
    since: datetime | None = Field(description="Since when you are known; null: you are not.")
    retention_days: int = Field(description="0: for ever.")


class _Imported(BaseModel):
    """Files of others have more in them than we need."""

    model_config = ConfigDict(extra="ignore", strict=True, allow_inf_nan=False)


class ImportedMessage(_Imported):
    """A message of OpenAI's, perhaps with what our own export says besides.

    Without `parent_id` it follows the message before it. Messages of `system` and `developer` are
    left out: the system prompt is the server's.
    """

    role: OpenAIRole
    content: str | list[TextPart]
    id: Short | None = None
    parent_id: Short | None = None
    state: State = "complete"
    created_at: Moment | None = None
    model: Annotated[str, Field(max_length=200)] = ""
    parameters: dict[str, Any] = {}
    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None
    latency_seconds: Annotated[float, Field(ge=0)] | None = None
    finish_reason: Annotated[str, Field(max_length=32)] = ""
    truncated: bool = False
    cached: bool = False
    error: Short = ""
    feedback: FeedbackRequest | None = None


class ImportedConversation(_Imported):
    """One conversation; without a title it gets one from its first question."""

    messages: Annotated[list[ImportedMessage], Field(max_length=MOST_MESSAGES)]
    title: Title = ""
    leaf_id: Short | None = None
    created_at: Moment | None = None


class ImportRequest(_Imported):
    """`POST /conversations/import`: our own export, or one conversation as OpenAI's `messages`."""

    format: Literal["tiza.conversations"] | None = None
    version: Version | None = None
    conversations: (
        Annotated[list[ImportedConversation], Field(max_length=MOST_CONVERSATIONS)] | None
    ) = None
    messages: (
        Annotated[list[ImportedMessage], Field(min_length=1, max_length=MOST_MESSAGES)] | None
    ) = None
    title: Title = ""

    @model_validator(mode="after")
    def _one_of_both(self) -> "ImportRequest":
        if (self.conversations is None) == (self.messages is None):
            raise PydanticCustomError("one_form", "must have either conversations or messages")
        return self

    def every(self) -> Sequence[ImportedConversation]:
        """Return the conversations, whichever form they came in."""
        if self.messages is not None:
            return [ImportedConversation(messages=self.messages, title=self.title)]
        return self.conversations or []


class ImportReport(BaseModel):
    """What an import brought: the new ids, and how many system messages were left out."""

    conversations: list[str]
    messages: int
    left_out: int
