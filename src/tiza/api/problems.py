"""Errors as `application/problem+json` (RFC 9457), in the reader's language.

The one place where the API turns an exception into an answer. Under `/v1` the same document also
carries OpenAI's `error` member, so that OpenAI's clients find what they look for.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import Scope

from tiza.api.proxies import PREFIX
from tiza.api.schemas import Problem
from tiza.errors import (
    EngineError,
    InternalError,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    RequestError,
    fields,
)
from tiza.translation import N_, accepted_language, translate
from tiza.validation import problems_of

MEDIA_TYPE = "application/problem+json"
INVALID = N_("The request has {count} problem(s): {summary}")
SHOWN_PROBLEMS = 20
CODE = "code"  # under this name in the request's state, for whoever counts

log = structlog.get_logger("tiza.api")


def install(app: FastAPI) -> None:
    """Make the app answer every error as a problem."""
    app.add_exception_handler(RequestError, _on_request_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http_error)


def documented(*statuses: int) -> dict[int | str, dict[str, object]]:
    """Describe errors for a route's `responses`.

    They name the schema, and `write_into` adds it once: FastAPI would build a given model again for
    every status of every route, a quarter of the start.
    """
    content = {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in statuses
    }


def write_into(openapi: dict[str, Any]) -> None:
    """Give an OpenAPI document the schema that `documented` names."""
    openapi["components"]["schemas"][Problem.__name__] = Problem.model_json_schema()


async def _on_request_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, RequestError)  # noqa: S101  # as registered
    note(exc)
    return answer(exc, request.scope)


async def _on_invalid(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, RequestValidationError)  # noqa: S101  # as registered
    return answer(invalid([_located(error) for error in exc.errors()]), request.scope)


async def _on_http_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)  # noqa: S101  # as registered
    path = request.scope["path"].removeprefix(request.scope.get("state", {}).get(PREFIX, ""))
    if exc.status_code == MethodNotAllowed.status:
        headers = exc.headers or {}
        first = headers.get("Allow", headers.get("allow", ""))
        allow = ", ".join(sorted(_methods(request.app, path))) or first
        return answer(
            MethodNotAllowed(method=request.method, path=path, allow=allow), request.scope
        )
    if exc.status_code == NotFound.status:
        return answer(NotFound(path=path), request.scope)
    return answer(InvalidRequest(str(exc.detail)), request.scope)


def _methods(app: FastAPI, path: str) -> set[str]:
    """Return the methods of every route to a path; Starlette tells those of the first only."""
    paths = app.openapi()["paths"]
    exactly = [paths[path]] if path in paths else []
    found = exactly or [each for of, each in paths.items() if compile_path(of)[0].match(path)]
    return {method.upper() for operations in found for method in operations}


def _located(error: Mapping[str, Any]) -> Mapping[str, Any]:
    """Name the body where FastAPI names the position in it, and tell the position in words."""
    if error["type"] != "json_invalid":
        return error
    reason = f"{error['ctx']['error']}: {error['loc'][-1]}"
    return {**error, "loc": ("body",), "ctx": {"error": reason}}


def invalid(errors: Sequence[Mapping[str, Any]]) -> InvalidRequest:
    """Turn pydantic's errors into one InvalidRequest."""
    return InvalidRequest(INVALID, problems_of(errors[:SHOWN_PROBLEMS]), count=len(errors))


def answer(error: RequestError, scope: Scope) -> Response:
    """Write an error as the answer to a request."""
    language = language_of(scope)
    document = describe(error, scope, language)
    scope.setdefault("state", {})[CODE] = error.code
    return Response(
        orjson.dumps(document),
        error.status,
        {**error.headers(), "Content-Language": language, "Vary": "Accept-Language"},
        MEDIA_TYPE,
    )


def note(error: RequestError) -> None:
    """Log the engine's failures; its words only for debugging, as they may quote a message."""
    if isinstance(error, EngineError):
        told = {key: value for key, value in error.data.items() if key != "said"}
        log.warning("engine failed", code=error.code, **told)
        log.debug("engine said", words=error.data.get("said"))


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
        document["errors"] = fields(error.problems, language)
    if scope.get("path", "").startswith("/v1/"):
        document["error"] = openai_error(error, document["detail"])
    return document


def openai_error(error: RequestError, detail: str) -> dict[str, Any]:
    """Return the `error` member of OpenAI's answers."""
    client_fault = error.status < InternalError.status
    kind = "invalid_request_error" if client_fault else "server_error"
    return {"message": detail, "type": kind, "param": None, "code": error.code}
