"""What readers are told of an answer that the store has: its beginning, and its end."""

from datetime import UTC, timedelta

from tiza.api.streams.log import Document, End, Log
from tiza.errors import (
    Draining,
    EngineError,
    EngineLost,
    EngineUnreachable,
    InternalError,
    Interrupted,
    Overloaded,
    RequestError,
)
from tiza.store.records import Message

ERRORS: dict[str, type[RequestError]] = {
    error.code: error
    for error in (Draining, EngineLost, EngineUnreachable, InternalError, Interrupted, Overloaded)
}


def names_of(answer: Message) -> Document:
    """Return the ids by which a client speaks of an answer later."""
    return {
        "conversation_id": answer.conversation_id,
        "question_id": answer.parent_id,
        "message_id": answer.id,
    }


def start_of(answer: Message) -> Document:
    """Return the data of `start`. An answer is also the stream that tells it."""
    return {"model": answer.model, "stream_id": answer.id, **names_of(answer)}


def end_of(answer: Message) -> End:
    """Return the end of an answer that has one."""
    if answer.state in ("complete", "stopped"):
        return End(_document(answer))
    return End(error=ERRORS.get(answer.error, EngineError)() if answer.error else Interrupted())


def log_of(answer: Message) -> Log:
    """Return a log with what the store has of an answer."""
    log = Log(start_of(answer), lags=answer.state in ("streaming", "interrupted"))
    log.add_missing(answer.text)
    if answer.state != "streaming":
        log.close(end_of(answer))
    return log


def _document(answer: Message) -> Document:
    prompt, completion = answer.prompt_tokens or 0, answer.completion_tokens or 0
    ended = answer.created_at + timedelta(seconds=answer.latency_seconds or 0)
    document = {
        "response": answer.text,
        "model": answer.model,
        "tokens_used": prompt + completion,
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "latency_seconds": answer.latency_seconds or 0.0,
        "timestamp": ended.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "finish_reason": answer.finish_reason,
        **names_of(answer),
    }
    truncated = {"truncated": True} if answer.truncated else {}
    return document | truncated | ({"cached": True} if answer.cached else {})
