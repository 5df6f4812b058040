"""The endpoints of the store: its models, their report cards, and which of them answers.

Choosing writes the store's one file; whoever runs the engine follows it (`engines.switching`).
"""

import asyncio
import contextlib
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter, Response

from tiza.api.callers import Caller, CallerDep, by
from tiza.api.state import State, StateDep
from tiza.api.strict_json import StrictRoute
from tiza.api.teaching import abilities
from tiza.api.teaching.schemas import PROBLEMS, Promoted, Promotion, Store, StoredModel
from tiza.errors import (
    ModelFailedExam,
    ModelNotFound,
    ModelPinned,
    ModelUnusable,
    ReportNotFound,
    RequestError,
    StoredModelNotFound,
    StoreReadOnly,
)
from tiza.models import store
from tiza.models.find import SHIPPED, SHIPPED_NAME, active_name
from tiza.models.record import read_record
from tiza.settings import Settings
from tiza.translation import N_, terminal_language

REPORT = "report.html"
RUN_ID = re.compile(r"\d{8}-\d{6}(?:-\d+)?")
STYLE = re.compile(rb"<style>(.*?)</style>", re.DOTALL)
# A report is one file without scripts; its styles are named by their hash, nothing else loads.
POLICY = (
    "default-src 'none'; style-src {styles}; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox allow-popups allow-top-navigation-by-user-activation"
)
PAGES: dict[int | str, dict[str, object]] = PROBLEMS | {200: {"content": {"text/html": {}}}}

router = APIRouter(prefix="/store", route_class=StrictRoute, tags=["models"], responses=PROBLEMS)


@router.get("/models", summary=N_("List the models of the store with the gist of their reports."))
async def models(state: StateDep) -> Store:
    """List them; `served` are those that questions may be put to now."""
    served = await _served(state)
    return await asyncio.to_thread(_store, state.settings, served)


@router.get(
    "/models/{name}/report",
    summary=N_("Return a model's report card, a page by itself."),
    response_class=Response,
    responses=PAGES,
)
async def report(name: str, state: StateDep) -> Response:
    """Return the page that its run ended with."""
    return await asyncio.to_thread(_report, name, state.settings)


@router.post(
    "/models/{name}/promote",
    summary=N_("Let a model answer from now on; `shipped` is the one that comes with Tiza."),
)
async def promote(name: str, body: Promotion, state: StateDep, caller: CallerDep) -> Promoted:
    """Choose it. One that failed its exam has to be confirmed with `force`."""
    promoted = await asyncio.to_thread(_promote, name, state.settings, force=body.force)
    await _note(state, caller, promoted.active)
    return promoted


def page_of(path: Path, model: str) -> Response:
    """Return a report card with the policy that it needs. Raises ReportNotFound."""
    try:
        page = path.read_bytes()
    except OSError as exc:
        raise ReportNotFound(model=model) from exc
    hashes = [b64encode(sha256(style).digest()).decode() for style in STYLE.findall(page)]
    styles = " ".join(f"'sha256-{each}'" for each in hashes) or "'none'"
    headers = {"Content-Security-Policy": POLICY.format(styles=styles)}
    return Response(page, headers=headers, media_type="text/html")


async def _served(state: State) -> frozenset[str]:
    """Return the names that may be asked now; none while the engine is away."""
    with contextlib.suppress(RequestError):
        return frozenset(served.model for served in await state.engines.models())
    return frozenset()


def _store(settings: Settings, served: frozenset[str]) -> Store:
    folder, former = settings.models_path, store.former(settings.models_path)
    listed = []
    for entry in store.entries(folder, settings.model_path):
        record = read_record(folder / entry.name)
        summary, lessons = record.get("report"), record.get("lessons")
        listed.append(
            StoredModel.of(
                entry,
                served=entry.name in served,
                former=entry.name == former,
                report=summary if isinstance(summary, dict) else None,
                has_report=_report_path(entry.run, settings).is_file(),
                lessons=list(lessons) if isinstance(lessons, dict) else [],
                forced=record.get("forced") is True,
            )
        )
    active = next((entry.name for entry in listed if entry.active), "")
    read_only = not abilities.writes(folder)
    pinned = settings.model_path
    return Store(models=listed, active=active, former=former, pinned=pinned, read_only=read_only)


def _report(name: str, settings: Settings) -> Response:
    run = read_record(_folder(name, settings)).get("run")
    return page_of(_report_path(run, settings), name)


def _report_path(run: object, settings: Settings) -> Path:
    """Return where the report of a run lies; a record may say anything."""
    known = isinstance(run, str) and RUN_ID.fullmatch(run)
    return settings.runs_path / (str(run) if known else "-") / REPORT


def _folder(name: str, settings: Settings) -> Path:
    try:
        return store.folder_of(settings.models_path, name)
    except ModelNotFound as exc:
        raise StoredModelNotFound(model=name[:100]) from exc


def _promote(name: str, settings: Settings, *, force: bool) -> Promoted:
    if settings.model_path:
        raise ModelPinned(path=settings.model_path)
    if not abilities.writes(settings.models_path):
        raise StoreReadOnly
    if name not in (SHIPPED, SHIPPED_NAME):
        summary = read_record(_folder(name, settings)).get("report")
        if isinstance(summary, dict) and summary.get("passed") is False and not force:
            raise ModelFailedExam(model=name)
    try:
        chosen = store.use(settings.models_path, name)
    except ModelNotFound as exc:
        raise ModelUnusable(model=name, reason=exc.message(terminal_language())) from exc
    assert chosen in (active_name(settings.models_path), SHIPPED_NAME)  # noqa: S101  # as written
    return Promoted(active=chosen, former=store.former(settings.models_path))


async def _note(state: State, caller: Caller, model: str) -> None:
    """Have the audit log say who chose which model; the choice stands without it, too."""
    if caller.is_known:
        with contextlib.suppress(RequestError):
            await (await state.opening.get()).audit.note(by(caller), "model.promoted", model)
