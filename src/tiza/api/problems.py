"""Errors as `application/problem+json` (RFC 9457), in the reader's language.

The one place where the API turns an exception into an answer. Under `/v1` the same document also
carries OpenAI's `error` member, so that OpenAI's clients find what they look for.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from tiza.errors import InternalError, InvalidRequest, MethodNotAllowed, NotFound, RequestError
from tiza.translation import N_, accepted_language, translate

MEDIA_TYPE = "application/problem+json"
INVALID = N_("The request has {count} problem(s): {summary}")
SHOWN_PROBLEMS = 20

# pydantic's error types and our words for them, over the error's own context.
WORDS: Mapping[str, str] = {
    "json_invalid": N_("this is not valid JSON ({error})"),
    "missing": N_("this field is required"),
    "extra_forbidden": N_("this field is unknown"),
    "string_type": N_("must be a text"),
    "string_too_short": N_("must not be empty"),
    "string_too_long": N_("must have at most {max_length} characters"),
    "int_type": N_("must be a whole number"),
    "int_from_float": N_("must be a whole number"),
    "float_type": N_("must be a number"),
    "finite_number": N_("must be a finite number"),
    "bool_type": N_("must be true or false"),
    "list_type": N_("must be a list"),
    "too_short": N_("must have at least {min_length} entries"),
    "too_long": N_("must have at most {max_length} entries"),
    "model_attributes_type": N_("must be an object"),
    "model_type": N_("must be an object"),
    "dict_type": N_("must be an object"),
    "greater_than_equal": N_("must be at least {ge}"),
    "less_than_equal": N_("must be at most {le}"),
    "literal_error": N_("must be one of: {expected}"),
}


def install(app: FastAPI) -> None:
    """Make the app answer every error as a problem."""
    app.add_exception_handler(RequestError, _on_request_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http_error)


async def _on_request_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, RequestError)  # noqa: S101  # as registered
    return answer(exc, request.scope)


async def _on_invalid(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, RequestValidationError)  # noqa: S101  # as registered
    return answer(invalid(exc.errors()), request.scope)


async def _on_http_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)  # noqa: S101  # as registered
    path, headers = request.url.path, exc.headers or {}
    if exc.status_code == MethodNotAllowed.status:
        allow = headers.get("Allow", headers.get("allow", ""))
        return answer(
            MethodNotAllowed(method=request.method, path=path, allow=allow), request.scope
        )
    if exc.status_code == NotFound.status:
        return answer(NotFound(path=path), request.scope)
    return answer(InvalidRequest(str(exc.detail)), request.scope)


def invalid(errors: Sequence[Mapping[str, Any]]) -> InvalidRequest:
    """Turn pydantic's errors into one InvalidRequest."""
    problems = [
        (
            _pointer(e["loc"]),
            WORDS.get(e["type"], "{msg}"),
            {"msg": e["msg"], **(e.get("ctx") or {})},
        )
        for e in errors[:SHOWN_PROBLEMS]
    ]
    return InvalidRequest(INVALID, problems, count=len(errors))


def answer(error: RequestError, scope: Scope) -> Response:
    """Write an error as the answer to a request."""
    language = language_of(scope)
    document = describe(error, scope, language)
    return Response(
        orjson.dumps(document),
        error.status,
        {**error.headers(), "Content-Language": language, "Vary": "Accept-Language"},
        MEDIA_TYPE,
    )


def language_of(scope: Scope) -> str:
    """Return the language that the client asks for."""
    for key, value in scope.get("headers", []):
        if key == b"accept-language":
            return accepted_language(value.decode("latin-1"))
    return "en"


def describe(error: RequestError, scope: Scope, language: str) -> dict[str, Any]:
    """Return the problem document of an error."""
    document: dict[str, Any] = {
        "type": f"urn:tiza:problem:{error.code}",
        "title": translate(error.title, language),
        "status": error.status,
        "detail": error.message(language),
        "code": error.code,
        "request_id": scope.get("state", {}).get("request_id", ""),
    }
    if isinstance(error, InvalidRequest) and error.problems:
        document["errors"] = error.fields(language)
    if scope.get("path", "").startswith("/v1/"):
        document["error"] = openai_error(error, document["detail"])
    return document


def openai_error(error: RequestError, detail: str) -> dict[str, Any]:
    """Return the `error` member of OpenAI's answers."""
    client_fault = error.status < InternalError.status
    kind = "invalid_request_error" if client_fault else "server_error"
    return {"message": detail, "type": kind, "param": None, "code": error.code}


def _pointer(location: Sequence[str | int]) -> str:
    parts = [str(part) for part in location if part != "body"]
    return ".".join(parts) or "body"
