"""Answers of the API that are errors: each has a status and a code (see contract)."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from tiza.errors.base import SUMMARY_PROBLEMS, Blank, Problem, TizaError, fields
from tiza.translation import N_, translate


class RequestError(TizaError):
    """An error that a client of the API is told. `retryable`: the same request may work later."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    title: ClassVar[str] = N_("Internal error")
    retryable: ClassVar[bool] = False
    retry_after: int | None = None  # seconds

    def headers(self) -> Mapping[str, str]:
        """Return the HTTP headers that belong to the error."""
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


class InvalidRequest(RequestError):
    """Data of `detail`, itself a template; `problems` lists (field, words, data of the words)."""

    status, code, title = 422, "invalid_request", N_("The request is not valid")

    def __init__(self, detail: str, problems: Sequence[Problem] = (), **data: object) -> None:
        super().__init__(**data)
        self.detail = detail
        self.problems = problems

    def message(self, language: str = "en") -> str:
        """Return the detail; `{summary}` in it stands for the first problems."""
        shown = fields(self.problems[:SUMMARY_PROBLEMS], language)
        summary = "; ".join(f"{field['field']}: {field['message']}" for field in shown)
        return translate(self.detail, language).format_map(Blank({"summary": summary} | self.data))


class BodyTooLarge(RequestError):
    """Data: `limit` in bytes."""

    status, code, title = 413, "body_too_large", N_("The request is too large")
    what = N_("The body of the request is larger than {limit} bytes.")
    hint = N_("Send a shorter message or less history.")


class EncodingRefused(RequestError):
    """Data: `encoding`. What unpacks bodies can be made to unpack without end."""

    status, code, title = 415, "unsupported_encoding", N_("Packed bodies are not read")
    what = N_("The body of the request is packed as {encoding}.")
    hint = N_("Send it as it is, without Content-Encoding.")

    def headers(self) -> Mapping[str, str]:
        """Return what may be sent instead (RFC 9110, 15.5.16)."""
        return {"Accept-Encoding": "identity"}


class NotFound(RequestError):
    """Data: `path`."""

    status, code, title = 404, "not_found", N_("Not found")
    what = N_("There is nothing at {path}.")
    hint = N_("The endpoints are listed at /docs.")


class ModelUnknown(RequestError):
    """Data: `model`, `models`."""

    status, code, title = 404, "model_not_found", N_("Unknown model")
    what = N_("The model {model} is not served here.")
    hint = N_("These are: {models}.")


class MethodNotAllowed(RequestError):
    """Data: `method`, `path`, `allow`."""

    status, code, title = 405, "method_not_allowed", N_("Method not allowed")
    what = N_("{path} does not answer {method}.")
    hint = N_("It answers: {allow}.")

    def headers(self) -> Mapping[str, str]:
        """Return the Allow header that RFC 9110 asks for."""
        return {"Allow": str(self.data["allow"])}


class Overloaded(RequestError):
    """Every place in the queue is taken, or the wait was too long."""

    status, code, title = 503, "overloaded", N_("Too many questions at once")
    what = N_("Too many questions are being answered right now.")
    hint = N_("Try again in a few seconds.")
    retryable, retry_after = True, 5


class RateLimited(RequestError):
    """A caller has asked too often. Data: `seconds` to wait."""

    status, code, title = 429, "rate_limited", N_("Too many requests")
    what = N_("You have asked too many questions for now.")
    hint = N_("Try again in {seconds} seconds.")
    retryable = True

    def headers(self) -> Mapping[str, str]:
        """Return when to come back."""
        return {"Retry-After": str(self.data["seconds"])}


class TokensSpent(RateLimited):
    """A caller's tokens of the day are used up or reserved. Data: `seconds` to wait."""

    what = N_("You have used up your tokens for now.")


class StreamsTaken(RateLimited):
    """A caller has too many answers in progress. Data: `seconds` to wait."""

    what = N_("Too many answers are being written for you at the same time.")


class LimitsUnavailable(RequestError):
    """Redis, which counts for all processes, is away."""

    status, code, title = 503, "limits_unavailable", N_("Nobody can count requests")
    what = N_("Questions from guests are not answered while the counters are away.")
    hint = N_("Try again in a few seconds.")
    retryable, retry_after = True, 3


class Draining(RequestError):
    """The process was asked to stop."""

    status, code, title = 503, "draining", N_("The service is restarting")
    what = N_("The service is about to restart and takes no new questions.")
    hint = N_("Try again in a few seconds.")
    retryable, retry_after = True, 5


class Interrupted(RequestError):
    """Whoever wrote the answer has gone: a restart, a crash, or nobody listened any more."""

    status, code, title = 503, "interrupted", N_("The answer was interrupted")
    what = N_("The answer was interrupted before its end; what there is of it is kept.")
    hint = N_("Have it continued, or ask again.")
    retryable, retry_after = True, 1


class InternalError(RequestError):
    """A bug of ours; the log has the details under the request id."""

    what = N_("Something went wrong on our side.")
    hint = N_("The operator finds the details in the log under this request's id.")


class EngineError(RequestError):
    """Data: `reason`, for the log; `said`, the engine's words, which may quote a message."""

    status, code, title = 502, "engine_error", N_("The model engine failed")
    what = N_("The model engine gave an answer that cannot be used.")
    hint = N_("Try again; if it stays so, look at the engine's log.")
    retryable = True


class EngineUnreachable(EngineError):
    """Nothing answers at the engine's address, or it is still loading its model."""

    status, code, title = 503, "engine_unreachable", N_("The model engine is away")
    what = N_("The model engine does not answer.")
    hint = N_("It may be starting: try again in a few seconds.")
    retry_after = 3


class EngineTimeout(EngineError):
    """Data: `seconds`."""

    status, code, title = 504, "engine_timeout", N_("The model engine is too slow")
    what = N_("The model engine sent nothing for {seconds} seconds.")
    hint = N_("Try again, perhaps with a shorter question.")


class EngineLost(EngineError):
    """The connection broke after the answer had begun."""

    code, title = "engine_lost", N_("The answer was cut off")
    what = N_("The connection to the model engine broke in the middle of the answer.")
    hint = N_("Ask again.")
