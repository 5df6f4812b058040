"""`GET /streams/{stream_id}`: an answer from any event on; and `POST …/stop`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from starlette.responses import Response

from tiza.api.identity import PersonDep
from tiza.api.problems import invalid, language_of
from tiza.api.routes import PROBLEMS
from tiza.api.state import StateDep
from tiza.api.streaming import EventStream
from tiza.api.streams.listening import Listening
from tiza.api.streams.log import Log
from tiza.api.strict_json import StrictRoute
from tiza.translation import N_

NOTHING_MORE = 204  # tells an EventSource not to come back
MAX_DIGITS = 10
NO_POSITION = N_("is not the id of an event of this stream")
STREAM = PROBLEMS | {200: {"content": {"text/event-stream": {}}}, NOTHING_MORE: {}}

router = APIRouter(prefix="/streams", tags=["conversations"], route_class=StrictRoute)


async def last_event_id(
    last_event_id: Annotated[str, Header()] = "",
    in_query: Annotated[str, Query(alias="last_event_id")] = "",
) -> str:
    """Return the id that a client names: polyfills of EventSource cannot send headers."""
    return last_event_id or in_query


LastEventId = Annotated[str, Depends(last_event_id)]
Id = Annotated[str, Path(description=N_("`stream_id` of an answer."))]


@router.get(
    "/{stream_id}",
    summary=N_("Go on reading an answer, from any of its events."),
    response_class=Response,
    responses=STREAM,
)
async def read(
    stream_id: Id, request: Request, state: StateDep, person: PersonDep, last: LastEventId
) -> Response:
    """Tell what follows `Last-Event-ID`, or all from the start without one."""
    log = await state.streams.open(person, stream_id)
    position = _position(last, log)
    if log.end is not None and position == log.length + 1:
        return Response(status_code=NOTHING_MORE)
    return streamed(log, request, position)


@router.post(
    "/{stream_id}/stop",
    summary=N_("Stop an answer; what there is of it stays."),
    status_code=NOTHING_MORE,
    responses=PROBLEMS,
)
async def stop(stream_id: Id, state: StateDep, person: PersonDep) -> None:
    """Stop an answer. One that has ended stays as it is."""
    await state.streams.stop(person, stream_id)


def streamed(log: Log, request: Request, position: int | None = None) -> Response:
    """Answer with the events of a log, in the language of the request."""
    language = language_of(request.scope)
    listening = Listening(log, lambda error: error.message(language), position)
    return EventStream(listening, at_once=True)


def _position(given: str, log: Log) -> int | None:
    """Return the position that an event's id stands for; None without one.

    Raises:
        InvalidRequest: no event has had that id.

    """
    if not given:
        return None
    if given.isascii() and given.isdigit() and len(given) <= MAX_DIGITS:
        position = int(given)
        if log.lags or position <= log.length + (log.end is not None):
            return position
    raise invalid([{"loc": ("Last-Event-ID",), "type": "position", "msg": NO_POSITION, "ctx": {}}])
