"""What clients send and receive, as contract.md writes it. Unknown fields are refused.

Bounds that are settings are checked in `bounds`, which also writes them into the OpenAPI document.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

Role = Literal["user", "assistant"]
MAX_STOPS = 4  # OpenAI's own bound

OpenAIRole = Literal["system", "developer", "user", "assistant"]


def whole(number: object) -> object:
    """JSON has one kind of number: 500.0 is as whole as 500 (JSON Schema, 6.1.1)."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


Tokens = Annotated[int, Field(ge=1), BeforeValidator(whole)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Turn(_Request):
    """One earlier message of a conversation."""

    role: Role
    content: str


class AnswerRequest(_Request):
    """How an answer is wanted: `POST /messages/{id}/regenerate`. The system prompt is ours."""

    max_tokens: Tokens | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    stream: bool = False
    model: str | None = None
    language: Literal["en", "es"] | None = None

    def parameters(self) -> dict[str, Any]:
        """Return what the answer depends on, as it was given."""
        wanted = {"max_tokens", "temperature", "language"}
        return self.model_dump(include=wanted, exclude_none=True)


class EditRequest(AnswerRequest):
    """`POST /messages/{id}/edit`: another wording of a question."""

    message: Annotated[str, Field(min_length=1)]


class QuestionRequest(EditRequest):
    """`POST /conversations/{id}/messages`. `parent_id` is the answer that is asked after."""

    parent_id: str | None = None


class ChatRequest(EditRequest):
    """`POST /chat`. Only `message` is required.

    With `conversation_id` the history is that conversation's, and the answer is kept there.
    """

    conversation_history: list[Turn] = []
    conversation_id: str | None = None


class ChatResponse(BaseModel):
    """The answer of `POST /chat`, and the data of a stream's `done` event."""

    response: str
    model: str
    tokens_used: int
    prompt_tokens: int
    completion_tokens: int
    latency_seconds: float
    timestamp: str
    finish_reason: str
    truncated: bool = False
    cached: bool = False


class Answered(ChatResponse):
    """The same for an answer that is kept in a conversation, with the ids to speak of it."""

    conversation_id: str
    question_id: str
    message_id: str


class Welcome(BaseModel):
    """`GET /`."""

    message: str
    version: str
    vllm_status: Literal["connected", "disconnected"]


class Health(BaseModel):
    """`GET /health`."""

    status: Literal["healthy", "degraded"]
    backend: Literal["ok"]
    vllm: Literal["ok", "unreachable"]
    timestamp: str


class ModelList(BaseModel):
    """`GET /models`."""

    models: list[str]
    active_model: str


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[dict[str, str]] = []


class TextPart(_Request):
    """A part of a message that is made of parts; only text is served."""

    type: Literal["text"]
    text: str


class OpenAIMessage(_Request):
    """A message of OpenAI's chat protocol."""

    role: OpenAIRole
    content: str | list[TextPart]
    name: str | None = None

    def plain(self) -> dict[str, str]:
        """Return the message as the engine gets it."""
        content = self.content
        text = content if isinstance(content, str) else "".join(part.text for part in content)
        return {"role": "system" if self.role == "developer" else self.role, "content": text}


class StreamOptions(_Request):
    """OpenAI's options of a stream."""

    include_usage: bool = False


class ResponseFormat(_Request):
    """The form of an answer. Schemas and grammars are not passed on."""

    type: Literal["text", "json_object"]


def _few(stop: str | list[str]) -> str | list[str]:
    if isinstance(stop, list) and len(stop) > MAX_STOPS:
        raise PydanticCustomError(
            "too_long", "at most {max_length} entries", {"max_length": MAX_STOPS}
        )
    return stop


Stops = Annotated[list[str], Field(json_schema_extra={"maxItems": MAX_STOPS})]


class _Generation(_Request):
    """What OpenAI's two generation endpoints share; the last three fields have no effect here."""

    model: str
    max_tokens: Tokens | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    n: Literal[1] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**31), BeforeValidator(whole)] | None = None
    stop: Annotated[str | Stops, AfterValidator(_few)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    user: str | None = None
    store: bool | None = None
    metadata: dict[str, str] | None = None

    FORWARDED: ClassVar[frozenset[str]] = frozenset(
        {"model", "temperature", "top_p", "seed", "stop", "presence_penalty", "frequency_penalty"}
    )

    def allowed(self) -> dict[str, Any]:
        """Return the fields that the engine may see, as the client gave them."""
        return self.model_dump(include=set(self.FORWARDED), exclude_none=True)


class ChatCompletionRequest(_Generation):
    """`POST /v1/chat/completions`."""

    messages: Annotated[list[OpenAIMessage], Field(min_length=1)]
    max_completion_tokens: Tokens | None = None
    response_format: ResponseFormat | None = None


class CompletionRequest(_Generation):
    """`POST /v1/completions`."""

    prompt: Annotated[str, Field(min_length=1)]
