"""`tiza teach`: check → generate → train → evaluate → convert → promote, in this order.

Each stage reads the run's folder and adds its part, so that the same command goes on where the last
one ended. A model is promoted only if it passes the gate of its recipe.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from gettext import gettext as _
from pathlib import Path
from typing import Any

import click

from tiza.errors import ExamMissing, NotPromoted, TizaError
from tiza.evaluate.examined import Subject, subject
from tiza.evaluate.gate import Check, thresholds
from tiza.evaluate.report import lines
from tiza.evaluate.stage import Options
from tiza.evaluate.stage import evaluate as examine
from tiza.generate.brief import Brief, lessons_of
from tiza.generate.job import Job
from tiza.models import store
from tiza.models.find import SHIPPED, SHIPPED_NAME, Model
from tiza.models.identity import identity
from tiza.models.lineup import Lineup, line_up
from tiza.models.record import read_record, write_record
from tiza.progress import Progress, clock
from tiza.runs.events import Events
from tiza.runs.run import Run, now, runs
from tiza.settings import Settings
from tiza.taxonomy.lesson import Lesson
from tiza.train.job import check_extra, default_recipe, train_in_run
from tiza.train.recipe import Recipe
from tiza.train.recipe import load as load_recipe
from tiza.translation import LANGUAGES, terminal_language

STAGE = "teach"
SHOWN = 10  # forgotten answers


@dataclass(frozen=True)
class Wish:
    """What a person asked for. `lessons` are files or folders; "" and None are left to us.

    `run` is the folder to work in, new or of the same wish: whoever watches knows it beforehand,
    and is told there how it goes.
    """

    lessons: Sequence[Path]
    taxonomy: Path
    recipe: str = ""
    pipeline: str = ""
    endpoint_url: str = ""
    api_key: str = ""
    teacher: str = ""
    seed: int | None = None
    gpus: int = 1
    force: bool = False
    run: Path | None = None


@dataclass(frozen=True)
class Taught:
    """What came of it: the new model's name, its run and report, and the seconds of each stage."""

    model: str
    run: Run
    report: Mapping[str, Any]
    seconds: Mapping[str, float]


@dataclass
class Timetable:
    """Says which stage is at work, and how long each took; to watchers in the file `events`."""

    stages: Sequence[tuple[str, str]]
    events: Path | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Announce a stage; note its time when it has ended well."""
        number = [each for each, _words in self.stages].index(name)
        head = f"{number + 1}/{len(self.stages)} {self.stages[number][1]}"
        click.secho(head, bold=True, err=True)
        self.tell("stage", name=name, number=number + 1, of=len(self.stages))
        started = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - started, 1)
        click.secho(f"✓ {clock(self.seconds[name])}", fg="green", err=True)

    def tell(self, event: str, **facts: Any) -> None:
        """Tell watchers, if there are any."""
        if self.events is not None:
            with Events(self.events, STAGE) as events:
                events.add(event, **facts)

    @contextmanager
    def ending(self) -> Iterator[None]:
        """Tell watchers how it ends, whatever comes."""
        try:
            yield
        except KeyboardInterrupt:
            self.tell("end", outcome="stopped")
            raise
        except TizaError as exc:
            outcome = "refused" if isinstance(exc, NotPromoted) else "failed"
            words = {language: exc.message(language) for language in LANGUAGES}
            self.tell("end", outcome=outcome, error=words)
            raise


@dataclass(frozen=True)
class Plan:
    """A wish that was checked. `before` is what is served now; `earlier` its lessons' results."""

    wish: Wish
    settings: Settings
    brief: Brief
    lessons: Sequence[Lesson]
    recipe: Recipe
    recipe_name: str
    before: Lineup
    earlier: Mapping[str, int]

    @property
    def base(self) -> Model:
        """The model that is trained."""
        return self.before.base


def teach(wish: Wish, settings: Settings) -> Taught:
    """Teach lessons to the model in use, and serve the result if it is good enough.

    What the model in use was taught before is taught again with the new lessons.

    Raises:
        NotPromoted: it is not; the old one keeps serving.
        Every error of the stages: what was done until then is kept.

    """
    table = Timetable(
        [
            ("check", _("Check the lessons")),
            ("generate", _("Make samples")),
            ("train", _("Train")),
            ("evaluate", _("Examine")),
            ("convert", _("Convert")),
            ("promote", _("Promote")),
        ],
        None if wish.run is None else Run(wish.run).events,
    )
    with table.ending():
        return _taught(wish, settings, table)


def _taught(wish: Wish, settings: Settings, table: Timetable) -> Taught:
    with table.stage("check"):
        plan = _checked(wish, settings)
    with table.stage("generate"):
        run = _generated(plan)
    with table.stage("train"):
        result = _trained(plan, run)
    with table.stage("evaluate"):
        report = _examined(plan, run, result, table.seconds)
    if not (report["verdict"]["passed"] or wish.force):
        raise _refusal(report, plan, run)
    with table.stage("convert"):
        model = _stored(plan, run, result, report)
    with table.stage("promote"):
        _promoted(model, settings)
    run.record(STAGE, {**run.section(STAGE), "seconds": table.seconds, "promoted": now()})
    table.tell("end", outcome="promoted", model=model)
    return Taught(model, run, report, table.seconds)


def _checked(wish: Wish, settings: Settings) -> Plan:
    check_extra()
    name = wish.recipe or default_recipe()
    recipe = load_recipe(name, seed=wish.seed)
    thresholds(recipe.gate)
    before = line_up(settings.model_path, settings.models_path)
    record = _record(before)
    earlier = {
        lesson: path
        for lesson in record.get("lessons") or {}
        if (path := wish.taxonomy / lesson / "qna.yaml").is_file()
    }
    brief = Brief(
        _with_earlier(list(wish.lessons) or [wish.taxonomy], earlier.values()),
        wish.taxonomy,
        pipeline=wish.pipeline,
        seed=recipe.seed,
        url=wish.endpoint_url,
        key=wish.api_key,
        teacher=wish.teacher,
    )
    lessons, _left_out = lessons_of(brief)
    if not any(lesson.exam for lesson in lessons):
        raise ExamMissing(path=", ".join(str(lesson.path) for lesson in lessons[:3]))
    results = (record.get("report") or {}).get("lessons") or {}
    known = {lesson: results[lesson] for lesson in earlier if lesson in results}
    return Plan(wish, settings, brief, lessons, recipe, name, before, known)


def _with_earlier(wished: Sequence[Path], earlier: Iterable[Path]) -> list[Path]:
    """Add the lessons that were taught before to those that are wished, each once."""
    places = {path.resolve() for path in wished}
    added = [path for path in earlier if not places & {path.resolve(), *path.resolve().parents}]
    return [*wished, *added]


def _generated(plan: Plan) -> Run:
    """Return the run of the same order, wherever it is unless a place was wished, or make one."""
    key, place = _key(plan), plan.wish.run
    for run in reversed(runs(plan.settings.runs_path)) if place is None else [Run(place)]:
        if run.section(STAGE).get("key") == key:
            click.echo(_("Going on with the run {run}.").format(run=run.id), err=True)
            return run
    import asyncio

    with Progress() as progress:
        given = None if place is None else Run(place)
        job = Job(plan.brief, plan.lessons, plan.settings, progress, given)
        made = asyncio.run(job.make())
    made.run.record(STAGE, {"key": key})
    return made.run


def _key(plan: Plan) -> str:
    """Return what two calls have in common that shall come to the same model."""
    brief, settings = plan.brief, plan.settings
    facts = [
        sorted(lesson.hash for lesson in plan.lessons),
        [brief.pipeline, brief.url, brief.teacher, brief.seed],
        plan.recipe.facts(),
        identity(plan.base, settings.cache_path),
        settings.system_prompt,
    ]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


def _trained(plan: Plan, run: Run) -> Path:
    """Return the folder of the adapter, or of the model where all weights were trained."""
    flags = {"seed": plan.wish.seed}
    base = str(plan.base.path)
    facts = train_in_run(
        *(plan.settings, str(run.path), plan.recipe_name, base), gpus=plan.wish.gpus, flags=flags
    )
    path = Path(facts["path"])
    if facts["result"] == "model":
        _pack(path)
    return path


def _examined(plan: Plan, run: Run, result: Path, seconds: Mapping[str, float]) -> dict[str, Any]:
    """Examine what was trained as it will be served, beside its base."""
    new = replace(subject(str(result), plan.settings), name=run.id)
    options = Options(
        language=terminal_language(),
        taxonomy=plan.wish.taxonomy,
        earlier=plan.earlier,
        made={"stages": dict(seconds)},
    )
    report = examine(new, Subject.of(Lineup(plan.base)), run, plan.settings, options)
    for line in lines(report, options.language):
        click.echo(line, err=True)
    return report


def _refusal(report: Mapping[str, Any], plan: Plan, run: Run) -> NotPromoted:
    """Name what was forgotten, and say why the model does not serve."""
    for answer in report["retention"]["lost"][:SHOWN]:
        said = _("Forgotten: {question} It said: {answer}")
        now_says = " ".join(answer["after"]["text"].split())
        click.echo(said.format(question=answer["question"], answer=now_says[:100]), err=True)
    failed = [
        Check(check["name"], check["value"], check["threshold"])
        for check in report["gate"]["checks"]
        if not check["passed"]
    ]
    return NotPromoted(
        reasons="; ".join(check.words(terminal_language()) for check in failed),
        model=plan.before.active,
        path=run.path / "report.html",
    )


def _stored(plan: Plan, run: Run, result: Path, report: Mapping[str, Any]) -> str:
    """Put the model into the store, in every form in which it may be served; return its name."""
    known = run.section(STAGE).get("model")
    if known and (plan.settings.models_path / known).is_dir():
        return str(known)
    facts = {
        "parent": _name(plan.base, plan.settings.models_path),
        "run": run.id,
        "recipe": plan.recipe_name,
        "lessons": run.section("generate").get("lessons"),
        "report": _summary(report),
        "forced": not report["verdict"]["passed"],
    }

    def fill(part: Path) -> None:
        _fill(part, plan, result)
        write_record(part, facts)
        if (part / "adapter").is_dir():
            write_record(part / "adapter", {"parent": facts["parent"]})

    model = store.add(plan.settings.models_path, fill).name
    run.record(STAGE, {**run.section(STAGE), "model": model, "forced": facts["forced"]})
    return model


def _fill(part: Path, plan: Plan, result: Path) -> None:
    """Write the merged model for any program, and the adapter beside it for Tiza's engines."""
    if result.name == "model":
        shutil.copytree(result, part, dirs_exist_ok=True)
        return
    from tiza.models.adapter import merge
    from tiza.models.unpack import trainable

    base, merged = trainable(plan.base, plan.settings.cache_path), part / "merged"
    with Progress() as progress:
        merge(result, base, merged, progress.step(_("Merge")).advance)
    for path in merged.iterdir():
        path.rename(part / path.name)
    merged.rmdir()
    _pack(part)
    shutil.copytree(result, part / "adapter")


def _pack(folder: Path) -> None:
    """Write a model's GGUF beside its weights, unless it is there."""
    from tiza.models.pack import pack

    target = folder / "model.gguf"
    if not target.exists():
        with Progress() as progress:
            pack(folder, target, "q8_0", progress.step("GGUF").advance)


def _promoted(model: str, settings: Settings) -> None:
    store.use(settings.models_path, model)
    if settings.model_path:
        said = _("MODEL_PATH is set to {path}, so that {model} is not served until you unset it.")
        click.echo(said.format(path=settings.model_path, model=model), err=True)


def _record(lineup: Lineup) -> Mapping[str, Any]:
    """Return what the store knows of an adapter in use; its lessons are taught again."""
    if lineup.chosen is None:
        return {}
    folder = lineup.chosen.path
    return read_record(folder.parent if folder.name == "adapter" else folder)


def _name(base: Model, models_path: Path) -> str:
    """Return the name by which a base is found again."""
    if base.name == SHIPPED_NAME:
        return SHIPPED
    inside = base.path.resolve().parent == models_path.resolve()
    return base.name if inside else str(base.path)


def _summary(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the list of models and the next lessons need to know."""
    checks = {check["name"]: check["value"] for check in report["gate"]["checks"]}
    return {
        "exam": report["exam"]["overall"]["after"]["value"],
        "retention": checks["retention"],
        "leak": checks["leak"],
        "passed": report["verdict"]["passed"],
        "lessons": {row["lesson"]: row["after"]["right"] for row in report["exam"]["lessons"]},
    }
