"""The endpoints of trainings: begin one, watch it, stop it, let it go on.

A training is a process of its own, `tiza teach`, with its folder: it goes on when the API ends, and
any process of the API finds it again there.
"""

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import StreamingResponse

from tiza.api.callers import CallerDep
from tiza.api.conversations import CREATED, NO_CONTENT
from tiza.api.problems import invalid, language_of
from tiza.api.state import StateDep
from tiza.api.streams.routes import NO_POSITION, STREAM, LastEventId
from tiza.api.strict_json import StrictRoute
from tiza.api.teaching import abilities
from tiza.api.teaching.models import PAGES, REPORT, page_of
from tiza.api.teaching.schemas import PROBLEMS, GoOn, NewRun, Runs, Samples, SampleShown
from tiza.api.teaching.watching import Place, watched
from tiza.errors import (
    LessonNotFound,
    NothingToGoOnWith,
    SamplesInvalid,
    TrainingBusy,
    TrainingElsewhere,
)
from tiza.runs import order, samples
from tiza.runs.order import Order
from tiza.runs.run import Run, create
from tiza.runs.standing import Standing, all_runs, run_named, standing
from tiza.settings import Settings
from tiza.translation import N_

TEACH = (sys.executable, "-m", "tiza", "teach")
MOST_RUNS, MOST_SAMPLES = 100, 200
PATIENCE_SECONDS = 30.0  # after which a process that was asked to stop is ended
LOG_BYTES = 1_000_000

router = APIRouter(prefix="/runs", route_class=StrictRoute, tags=["runs"], responses=PROBLEMS)


@router.get("", summary=N_("List the trainings, the newest first, and which is at work."))
async def list_runs(state: StateDep) -> Runs:
    """List them."""
    settings = state.settings

    def found() -> Runs:
        runs = [standing(run) for run in all_runs(settings.runs_path)[:MOST_RUNS]]
        at_work = order.at_work(settings.runs_path)
        return Runs(runs=runs, at_work=at_work, trains=abilities.trains(settings))

    return await asyncio.to_thread(found)


@router.post("", status_code=CREATED, summary=N_("Begin to teach lessons; one training at a time."))
async def begin(body: NewRun, request: Request, state: StateDep, caller: CallerDep) -> Standing:
    """Start the process, and return the run that it works in."""
    settings, language = state.settings, language_of(request.scope)
    flags = [*_flag("--recipe", body.recipe), *_flag("--pipeline", body.pipeline)]

    def begun() -> Standing:
        _check_here(settings)
        paths = _files(body.lessons, settings)
        if busy := order.at_work(settings.runs_path):
            raise TrainingBusy(run=busy)
        run = create(settings.runs_path)
        given = Order(body.lessons, caller.name, body.force, flags=flags)
        try:
            return _underway(run, _start(run, given, paths, settings, language))
        except TrainingBusy:
            run.path.rmdir()
            raise

    return await asyncio.to_thread(begun)


@router.post("/{run_id}/continue", summary=N_("Let a training go on where it ended."))
async def go_on(
    run_id: str, body: GoOn, request: Request, state: StateDep, caller: CallerDep
) -> Standing:
    """Start the process again in the same run; what is done is not done again."""
    settings, language = state.settings, language_of(request.scope)

    def begun() -> Standing:
        _check_here(settings)
        run = run_named(settings.runs_path, run_id)
        before = Order.read(run)
        if before is None or standing(run).state == "promoted":
            raise NothingToGoOnWith(run=run_id)
        given = Order(before.lessons, caller.name or before.by, body.force, flags=before.flags)
        paths = _files(before.lessons, settings)
        return _underway(run, _start(run, given, paths, settings, language))

    return await asyncio.to_thread(begun)


@router.get("/{run_id}", summary=N_("Tell how far a training has come."))
async def read(run_id: str, state: StateDep) -> Standing:
    """Look at its folder."""
    folder = state.settings.runs_path
    return await asyncio.to_thread(lambda: standing(run_named(folder, run_id)))


@router.get(
    "/{run_id}/events",
    summary=N_("Watch a training: stages, losses and log, from any event on."),
    response_class=Response,
    responses=PROBLEMS | STREAM,
)
async def watch(run_id: str, state: StateDep, last: LastEventId) -> Response:
    """Tell what is in its files, then what comes, until it ends."""
    run = await asyncio.to_thread(run_named, state.settings.runs_path, run_id)
    try:
        start = Place.read(last)
    except ValueError:
        where = {"loc": ("Last-Event-ID",), "type": "position", "msg": NO_POSITION, "ctx": {}}
        raise invalid([where]) from None
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(watched(run, start), headers=headers, media_type="text/event-stream")


@router.get("/{run_id}/samples", summary=N_("Show the first samples that a training learns from."))
async def show_samples(
    run_id: str, state: StateDep, limit: Annotated[int, Query(ge=1, le=MOST_SAMPLES)] = 20
) -> Samples:
    """Return them; none before they are made."""

    def found() -> Samples:
        run = run_named(state.settings.runs_path, run_id)
        shown: list[SampleShown] = []
        total = 0
        try:
            for sample in samples.read(run.train) if run.train.is_file() else ():
                total += 1
                if len(shown) < limit:
                    shown.append(SampleShown(messages=sample.messages, metadata=sample.metadata))
        except SamplesInvalid:
            pass  # the training itself says so, and where
        return Samples(samples=shown, total=total)

    return await asyncio.to_thread(found)


@router.get(
    "/{run_id}/log", summary=N_("Return what a training has said."), response_class=Response
)
async def log(run_id: str, state: StateDep) -> Response:
    """Return the end of its log as plain text."""

    def found() -> bytes:
        run = run_named(state.settings.runs_path, run_id)
        try:
            with (run.path / order.LOG).open("rb") as file:
                file.seek(max(0, file.seek(0, 2) - LOG_BYTES))
                return file.read()
        except FileNotFoundError:
            return b""

    return Response(await asyncio.to_thread(found), media_type="text/plain; charset=utf-8")


@router.get(
    "/{run_id}/report",
    summary=N_("Return the report card of a training, a page by itself."),
    response_class=Response,
    responses=PAGES,
)
async def report(run_id: str, state: StateDep) -> Response:
    """Return it also where the model was not good enough for the store."""

    def found() -> Response:
        run = run_named(state.settings.runs_path, run_id)
        return page_of(run.path / REPORT, run_id)

    return await asyncio.to_thread(found)


@router.post("/{run_id}/stop", status_code=NO_CONTENT, summary=N_("Stop a training; it can go on."))
async def stop(run_id: str, state: StateDep) -> None:
    """Ask it to stop after its step. One that has ended stays as it is."""
    folder = state.settings.runs_path
    await asyncio.to_thread(run_named, folder, run_id)
    if await asyncio.to_thread(order.stop, folder, run_id):
        state.keep(_end(folder, run_id))


async def _end(folder: Path, run_id: str) -> None:
    """End a process that was asked to stop and does not, in the end by force."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        await asyncio.sleep(PATIENCE_SECONDS)
        if not await asyncio.to_thread(order.stop, folder, run_id, number):
            return


def _check_here(settings: Settings) -> None:
    if not abilities.trains(settings):
        raise TrainingElsewhere


def _underway(run: Run, process: subprocess.Popen[bytes]) -> Standing:
    # So that no dead process stays in the system's list; whoever ends the API need not wait.
    threading.Thread(target=process.wait, daemon=True).start()
    return standing(run)


def _files(lessons: Sequence[str], settings: Settings) -> list[str]:
    """Return the files of the lessons. Raises LessonNotFound, LessonMisplaced."""
    from tiza.taxonomy.keep import place

    paths = [place(leaf, settings.taxonomy_path).path for leaf in lessons]
    for leaf, path in zip(lessons, paths, strict=True):
        if not path.is_file():
            raise LessonNotFound(path=leaf)
    return [str(path.absolute()) for path in paths]


def _flag(name: str, value: str) -> list[str]:
    return [f"{name}={value}"] if value else []


def _start(
    run: Run, given: Order, paths: Sequence[str], settings: Settings, language: str
) -> subprocess.Popen[bytes]:
    force = ["--force"] if given.force else []
    taxonomy = ["--taxonomy-path", str(settings.taxonomy_path.absolute())]
    run_path = ["--run", str(run.path.absolute())]
    command = [*TEACH, *force, *given.flags, *taxonomy, *run_path]
    return order.begin(run, given, [*command, "--", *paths], _environment(settings, language))


def _environment(settings: Settings, language: str) -> Mapping[str, str]:
    """Return where the process finds the same folders, and the language of who ordered it."""
    return {
        "TIZA_LANG": language,
        "VAR_PATH": str(settings.var_path.absolute()),
        "MODELS_PATH": str(settings.models_path.absolute()),
        "PYTHONUNBUFFERED": "1",
    }
