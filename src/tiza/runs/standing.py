"""How far a run has come: from its manifest, its events, and whether somebody works on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tiza.errors import RunBroken, TrainingRunNotFound
from tiza.runs import events, order
from tiza.runs.run import MANIFEST, Run

State = Literal["running", "promoted", "refused", "failed", "stopped", "unfinished"]
ENDS: tuple[State, ...] = ("promoted", "refused", "failed", "stopped")


@dataclass(frozen=True)
class Standing:
    """One run as the page shows it.

    `state` "unfinished": nobody works on it and it did not say how it ended. `stage` is the last
    that was begun. `error` is a sentence by language. `exam` holds the shares before and after.
    """

    id: str
    state: State
    lessons: list[str]
    by: str = ""
    begun: str = ""
    stage: str = ""
    stages: list[str] = field(default_factory=list)
    model: str = ""
    error: Mapping[str, str] = field(default_factory=dict)
    passed: bool | None = None
    exam: Mapping[str, float | None] = field(default_factory=dict)
    report: bool = False
    ordered: bool = False


def all_runs(folder: Path) -> list[Run]:
    """Return the runs below a folder, those that have only just been ordered too, newest first."""
    if not folder.is_dir():
        return []
    known = (MANIFEST, order.ORDER)
    found = (Run(p) for p in folder.iterdir() if any((p / name).is_file() for name in known))
    return sorted(found, reverse=True)


def run_named(folder: Path, name: str) -> Run:
    """Return a run by its id.

    Raises:
        TrainingRunNotFound: there is none.

    """
    for run in all_runs(folder):
        if run.id == name:
            return run
    raise TrainingRunNotFound(run=name[:100])


def standing(run: Run) -> Standing:
    """Look at a run."""
    try:
        manifest = run.manifest()
    except RunBroken:
        manifest = {}
    given = order.Order.read(run)
    told = [each for each in events.read(run.events) if each.get("stage") == "teach"]
    stages = _stages(told)
    teach, examined = _section(manifest, "teach"), _section(manifest, "evaluate")
    end = told[-1] if told and told[-1].get("event") == "end" else {}
    return Standing(
        id=run.id,
        state=_state(run, end, teach),
        lessons=list(given.lessons if given else _section(manifest, "generate").get("lessons", {})),
        by=given.by if given else "",
        begun=given.given if given else str(_section(manifest, "generate").get("started", "")),
        stage=stages[-1] if stages else "",
        stages=stages,
        model=str(teach.get("model", "")),
        error=end.get("error") or {},
        passed=examined.get("passed"),
        exam={"before": _share(examined, "exam_before"), "after": _share(examined, "exam")},
        report=(run.path / "report.html").is_file(),
        ordered=given is not None,
    )


def _stages(told: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the stages since it was begun for the last time, in their order."""
    stages: list[str] = []
    for each in told:
        if each.get("event") == "stage":
            stages = [*([] if each.get("number") == 1 else stages), str(each.get("name"))]
    return stages


def _state(run: Run, end: Mapping[str, Any], teach: Mapping[str, Any]) -> State:
    if order.at_work(run.path.parent) == run.id:
        return "running"
    outcome = end.get("outcome")
    for each in ENDS:
        if each == outcome:
            return each
    return "promoted" if teach.get("promoted") else "unfinished"


def _section(manifest: Mapping[str, Any], stage: str) -> dict[str, Any]:
    section = manifest.get(stage)
    return section if isinstance(section, dict) else {}


def _share(section: Mapping[str, Any], name: str) -> float | None:
    score = section.get(name)
    value = score.get("value") if isinstance(score, dict) else None
    return value if isinstance(value, int | float) else None
