"""The endpoints of conversations: list, search, open, change, delete, rate, import and export.

Those that begin an answer are elsewhere. Whoever is not known has nothing: lists are empty, and
everything else is 404, as are other people's objects.
"""

import asyncio
import contextlib
from typing import Annotated, Literal

import orjson
from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from tiza.api import transfer
from tiza.api.accounts.gates import ANONYMOUS, SESSION
from tiza.api.callers import Caller, CallerDep, by
from tiza.api.conversation_schemas import (
    ConversationChange,
    FeedbackRequest,
    ImportReport,
    ImportRequest,
    Keeping,
    NewConversation,
)
from tiza.api.cookies import leave, secured
from tiza.api.identity import PersonDep, WelcomedDep
from tiza.api.problems import documented, language_of
from tiza.api.state import StateDep, StoreDep
from tiza.api.strict_json import StrictRoute
from tiza.errors import Forbidden, StoreFull
from tiza.store.records import Conversation, Feedback, Message, Page
from tiza.store.store import Store
from tiza.translation import N_

IMPORT = "/conversations/import"
CREATED, NO_CONTENT = 201, 204
MOST = 100  # conversations of a page
PROBLEMS = documented(403, 404, 413, 422, 500, 503)
FILES: dict[int | str, dict[str, object]] = {
    200: {"content": {"application/json": {}, "text/markdown": {}}}
}
PRIVATE = {"Cache-Control": "no-store"}

router = APIRouter(route_class=StrictRoute, tags=["conversations"], responses=PROBLEMS)


def answer(record: object, status: int = 200) -> Response:
    """Write a record of the store, which no cache may keep."""
    body = orjson.dumps(record, option=orjson.OPT_UTC_Z)
    return Response(body, status, PRIVATE, "application/json")


@router.get(
    "/conversations",
    response_model=Page,
    summary=N_("List conversations, the last changed first, or those in which words are found."),
)
async def list_conversations(  # noqa: PLR0917  # FastAPI passes them by name
    person: PersonDep,
    store: StoreDep,
    q: Annotated[str, Query(max_length=1000)] = "",
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
    pinned: bool | None = None,
) -> Response:
    """List, or search if there is something to search for."""
    if q.strip():
        return answer(await store.search.find(person, q, cursor=cursor, limit=limit))
    page = await store.conversations.list(person, cursor=cursor, limit=limit, pinned=pinned)
    return answer(page)


@router.post(
    "/conversations",
    response_model=Conversation,
    status_code=CREATED,
    summary=N_("Begin a conversation; whoever is new gets a private cookie."),
)
async def create_conversation(
    body: NewConversation, person: WelcomedDep, store: StoreDep
) -> Response:
    """Make an empty conversation."""
    return answer(await store.conversations.create(person, body.title), CREATED)


@router.post(
    IMPORT,
    response_model=ImportReport,
    status_code=CREATED,
    summary=N_("Take over conversations from a file: our own form, or OpenAI's `messages`."),
)
async def import_conversations(
    body: ImportRequest, person: WelcomedDep, store: StoreDep
) -> Response:
    """Keep all conversations of the file, or none if one does not fit."""
    found = await asyncio.to_thread(transfer.read, body)
    await store.conversations.add(person, found.conversations)
    ids = [each.id for each in found.conversations]
    return answer(
        {"conversations": ids, "messages": found.messages, "left_out": found.left_out}, CREATED
    )


@router.get(
    "/conversations/{conversation_id}",
    response_model=Conversation,
    summary=N_("Open a conversation: all its messages, with all branches."),
)
async def open_conversation(conversation_id: str, person: PersonDep, store: StoreDep) -> Response:
    """Return the whole tree."""
    return answer(await store.conversations.open(person, conversation_id))


@router.patch(
    "/conversations/{conversation_id}",
    response_model=Conversation,
    summary=N_("Give a conversation another title, pin it, or choose the branch that is shown."),
)
async def change_conversation(
    conversation_id: str, body: ConversationChange, person: PersonDep, store: StoreDep
) -> Response:
    """Change what is given."""
    changed = await store.conversations.change(
        person, conversation_id, title=body.title, leaf_id=body.leaf_id, pinned=body.pinned
    )
    return answer(changed)


@router.delete(
    "/conversations/{conversation_id}",
    status_code=NO_CONTENT,
    summary=N_("Delete a conversation for ever."),
)
async def delete_conversation(
    conversation_id: str, person: PersonDep, state: StateDep, store: StoreDep
) -> Response:
    """Delete it, and whatever hangs on it; an answer that is being written is given up."""
    await state.streams.drop(await store.conversations.delete(person, conversation_id))
    return Response(status_code=NO_CONTENT)


@router.get(
    "/conversations/{conversation_id}/export",
    responses=FILES,
    response_class=Response,
    summary=N_("Export a conversation: JSON with all branches, or the one shown as Markdown."),
)
async def export_conversation(  # noqa: PLR0917  # FastAPI passes them by name
    conversation_id: str,
    request: Request,
    person: PersonDep,
    caller: CallerDep,
    store: StoreDep,
    format: Literal["md", "json"] = "json",  # noqa: A002  # the contract's name
) -> Response:
    """Send it as a file."""
    whole = await store.conversations.open(person, conversation_id)
    await _note(store, caller, conversation_id)
    if format == "md":
        text = transfer.as_markdown(whole, language_of(request.scope))
        return Response(text, headers=_file("conversation.md"), media_type="text/markdown")
    body = transfer.as_json([whole])
    return Response(body, headers=_file("conversation.json"), media_type="application/json")


@router.put(
    "/messages/{message_id}/feedback",
    response_model=Message,
    summary=N_("Say what you think of an answer, or what it should have been."),
)
async def rate_message(
    message_id: str, body: FeedbackRequest, person: PersonDep, caller: CallerDep, store: StoreDep
) -> Response:
    """Keep the feedback instead of an earlier one, or take it back. Students correct nothing."""
    if body.correction and caller.role == "student":
        raise Forbidden
    given = Feedback(body.rating, body.reason, body.correction) if body.rating else None
    return answer(await store.messages.rate(person, message_id, given))


@router.get("/me/stored", summary=N_("Tell how much is kept of you here, and for how long."))
async def what_is_stored(person: PersonDep, state: StateDep, store: StoreDep) -> Keeping:
    """Count it."""
    found = await store.people.stored(person)
    return Keeping(**vars(found), retention_days=state.settings.retention_days)


@router.get(
    "/me/export",
    responses={200: {"content": {"application/json": {}}}},
    response_class=Response,
    summary=N_("Export everything that you have here."),
)
async def export_everything(person: PersonDep, caller: CallerDep, store: StoreDep) -> Response:
    """Send every conversation in one file."""
    await _note(store, caller, "everything")
    return StreamingResponse(
        transfer.everything(store, person),
        headers=_file("tiza.json"),
        media_type="application/json",
    )


@router.delete(
    "/me", status_code=NO_CONTENT, summary=N_("Delete everything that you have here, for ever.")
)
async def forget_me(
    request: Request, person: PersonDep, caller: CallerDep, state: StateDep, store: StoreDep
) -> Response:
    """Delete the person, give up what is being written for them, take their cookies back."""
    await store.people.forget(person, by(caller) if caller.is_known else None)
    state.streams.forget(person)
    state.access.forget()
    for cookie in (ANONYMOUS, secured(request.scope, SESSION)):
        leave(request.scope, cookie, "", 0)
    return Response(status_code=NO_CONTENT)


async def _note(store: Store, caller: Caller, what: str) -> None:
    """Have the audit log say that something was exported; on a full disk it is exported anyway."""
    if caller.is_known:
        with contextlib.suppress(StoreFull):
            await store.audit.note(by(caller), "data.exported", what)


def _file(name: str) -> dict[str, str]:
    return PRIVATE | {"Content-Disposition": f'attachment; filename="{name}"'}
