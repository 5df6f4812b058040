"""The endpoints of lessons: the tree, one lesson, a live check, and changes.

The work (`lesson_work`) is done in a thread, and loaded with the first teacher: students do without
it. Who may come here is decided by the path (`accounts.places`).
"""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from tiza.api.callers import Caller, CallerDep
from tiza.api.conversations import NO_CONTENT
from tiza.api.problems import language_of
from tiza.api.state import StateDep
from tiza.api.strict_json import StrictRoute
from tiza.api.teaching.schemas import (
    PROBLEMS,
    LessonBegun,
    LessonDraft,
    LessonRead,
    LessonSaved,
    LessonText,
    Tree,
)
from tiza.errors import PreconditionMissing
from tiza.translation import N_

SOMEBODY = "Tiza"  # the author of a change where nobody has a name

router = APIRouter(route_class=StrictRoute, tags=["lessons"], responses=PROBLEMS)


@router.get("/lessons", summary=N_("Show the tree: subjects, lessons, and what is wrong in them."))
async def tree(request: Request, state: StateDep) -> Tree:
    """List everything in the order of the tree; where there is no tree yet, nothing."""
    from tiza.api.teaching import lesson_work as work

    return await asyncio.to_thread(work.tree, state.settings, language_of(request.scope))


@router.post(
    "/lessons/check", summary=N_("Check a text as a lesson, line by line, without saving it.")
)
async def check(body: LessonDraft, request: Request, state: StateDep) -> LessonRead:
    """Say what is wrong; with `content`, bring the text to say that first."""
    from tiza.api.teaching import lesson_work as work

    taxonomy, language = state.settings.taxonomy_path, language_of(request.scope)
    return await asyncio.to_thread(work.check, body, taxonomy, language)


@router.post(
    "/lessons/template", summary=N_("Return the text to begin a lesson with, and its place.")
)
async def template(body: LessonBegun, request: Request, state: StateDep) -> LessonRead:
    """Write nothing: whoever fills it in saves it."""
    from tiza.api.teaching import lesson_work as work

    taxonomy, language = state.settings.taxonomy_path, language_of(request.scope)
    return await asyncio.to_thread(work.begin, body, taxonomy, language)


@router.get("/lessons/{path:path}", summary=N_("Read a lesson; its ETag names the version."))
async def read(path: str, request: Request, response: Response, state: StateDep) -> LessonRead:
    """Return the text, what it says, and what is wrong with it."""
    from tiza.api.teaching import lesson_work as work

    taxonomy, language = state.settings.taxonomy_path, language_of(request.scope)
    lesson = await asyncio.to_thread(work.read, path, taxonomy, language)
    response.headers["ETag"] = f'"{lesson.version}"'
    return lesson


@router.put(
    "/lessons/{path:path}",
    summary=N_("Save a lesson: If-Match with its ETag, or If-None-Match: * for a new one."),
)
async def save(  # noqa: PLR0917  # FastAPI passes them by name
    path: str,
    body: LessonText,
    response: Response,
    state: StateDep,
    caller: CallerDep,
    if_match: Annotated[str, Header()] = "",
    if_none_match: Annotated[str, Header()] = "",
) -> LessonSaved:
    """Write the file in one step, faulty or not; in a repository, commit it."""
    version = _precondition(if_match, if_none_match)
    saved = await _change(path, body.text, version, caller, state)
    response.headers["ETag"] = f'"{saved.version}"'
    return saved


@router.delete(
    "/lessons/{path:path}", status_code=NO_CONTENT, summary=N_("Delete a lesson (If-Match).")
)
async def delete(
    path: str, state: StateDep, caller: CallerDep, if_match: Annotated[str, Header()] = ""
) -> None:
    """Take the file away; in a repository its history stays."""
    version = _precondition(if_match, "")
    await _change(path, None, version, caller, state)


async def _change(
    path: str, text: str | None, version: str, caller: Caller, state: StateDep
) -> LessonSaved:
    from tiza.api.teaching import lesson_work as work

    author = caller.name or SOMEBODY
    return await asyncio.to_thread(work.change, path, text, version, author, state.settings)


def _precondition(if_match: str, if_none_match: str) -> str:
    """Return the version that a change is made from; of a new lesson it is empty."""
    if if_none_match.strip() == "*":
        return ""
    version = if_match.strip().removeprefix("W/").strip('"')
    if not version:
        raise PreconditionMissing
    return version
