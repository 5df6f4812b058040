"""The bounds of a request that are settings: checked, and written into the OpenAPI document."""

from collections.abc import Iterator, Mapping
from typing import Any

from tiza.api.problems import invalid
from tiza.api.schemas import ChatCompletionRequest, ChatRequest, CompletionRequest
from tiza.settings import Settings
from tiza.translation import N_

Problem = Mapping[str, Any]

QUESTIONS = ("ChatRequest", "QuestionRequest", "EditRequest")
TOO_MUCH_HISTORY = N_("must have at most {max_length} characters in all")


def check_chat(request: ChatRequest, settings: Settings) -> None:
    """Raise InvalidRequest, naming every bound that the request goes over."""
    _raise(
        [
            *_longer("message", request.message, settings.max_message_chars),
            *_too_many(request, settings),
            *_more("max_tokens", request.max_tokens, settings.vllm_max_model_len),
        ]
    )


def check_generation(
    request: ChatCompletionRequest | CompletionRequest, settings: Settings
) -> None:
    """Raise InvalidRequest where an OpenAI request asks for more tokens than the context has."""
    problems = list(_more("max_tokens", request.max_tokens, settings.vllm_max_model_len))
    if isinstance(request, ChatCompletionRequest):
        limit = settings.vllm_max_model_len
        problems += _more("max_completion_tokens", request.max_completion_tokens, limit)
    _raise(problems)


def write_into(openapi: dict[str, Any], settings: Settings) -> None:
    """Add the bounds to the schemas of an OpenAPI document."""
    schemas = openapi["components"]["schemas"]
    for name in QUESTIONS:
        schemas[name]["properties"]["message"]["maxLength"] = settings.max_message_chars
    chat = schemas["ChatRequest"]["properties"]
    chat["conversation_history"]["maxItems"] = settings.max_history_turns
    for name in (*QUESTIONS, "AnswerRequest", "ChatCompletionRequest", "CompletionRequest"):
        for field in ("max_tokens", "max_completion_tokens"):
            for variant in schemas[name]["properties"].get(field, {}).get("anyOf", [])[:1]:
                variant["maximum"] = settings.vllm_max_model_len


def _too_many(request: ChatRequest, settings: Settings) -> Iterator[Problem]:
    history, turns = request.conversation_history, settings.max_history_turns
    if len(history) > turns:
        yield _problem("conversation_history", "too_long", max_length=turns)
    if sum(len(turn.content) for turn in history) > settings.max_history_chars:
        words = TOO_MUCH_HISTORY
        yield _problem("conversation_history", words, max_length=settings.max_history_chars)


def _longer(field: str, text: str, limit: int) -> Iterator[Problem]:
    if len(text) > limit:
        yield _problem(field, "string_too_long", max_length=limit)


def _more(field: str, value: int | None, limit: int) -> Iterator[Problem]:
    if value is not None and value > limit:
        yield _problem(field, "less_than_equal", le=limit)


def _problem(field: str, kind: str, **ctx: object) -> Problem:
    return {"loc": (field,), "type": kind, "msg": kind, "ctx": ctx}


def _raise(problems: list[Problem]) -> None:
    if problems:
        raise invalid(problems)
