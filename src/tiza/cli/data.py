"""`tiza data …`: training samples from lessons, and what people say of answers."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tiza.cli.taxonomy import as_json_option, taxonomy_path
from tiza.translation import N_, terminal_language

if TYPE_CHECKING:
    from tiza.generate.stage import Made
    from tiza.generate.step import Pipeline
    from tiza.generate.units import Cost
    from tiza.runs.run import Run
    from tiza.settings import Settings
    from tiza.store.records import Opinion
    from tiza.store.store import Store

STAGE = "generate"
STATES = {
    "complete": N_("complete"),
    "cut off": N_("cut off"),
    "budget spent": N_("budget spent"),
    "unanswered": N_("unanswered"),
}
NOTES = {
    "budget spent": N_(
        "Stopped after {tokens} tokens: with the next request the run could cost more than "
        "--max-tokens-total. The same command with a higher limit goes on."
    ),
    "unanswered": N_(
        "The teacher did not answer {count} requests; the same command asks those again."
    ),
}


@click.group(help=_("Make training samples from lessons."))
def data() -> None:
    """Hold the verbs on samples."""


@data.command(help=_("Make training samples from lessons, with or without a teacher model."))
@click.argument("lessons", nargs=-1, type=click.Path(path_type=Path))
@taxonomy_path
@click.option(
    "--taxonomy-base",
    metavar="REV|empty",
    help=_("Only lessons that changed since this git revision."),
)
@click.option(
    "--pipeline",
    metavar="seeds|simple|full|PATH",
    default="",
    help=_("How samples are made; by default full, or seeds where there is no good teacher."),
)
@click.option(
    "--sdg-scale-factor",
    "scale",
    type=click.IntRange(1),
    default=30,
    show_default=True,
    help=_("New pairs to ask for, for each passage of knowledge and each pair of a skill."),
)
@click.option(
    "--endpoint-url", default="", help=_("Teacher: any OpenAI-compatible address; else local.")
)
@click.option("--api-key", default="", envvar="TEACHER_API_KEY", help=_("Key of the teacher."))
@click.option(
    "--teacher-model-id", default="", help=_("Model of the teacher; by default its first.")
)
@click.option("--seed", default=0, show_default=True, help=_("The same seed makes the same run."))
@click.option(
    "--chunk-tokens",
    type=click.IntRange(50, 8000),
    default=500,
    show_default=True,
    help=_("Length of the passages into which documents are cut."),
)
@click.option(
    "--replay",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help=_("Your own samples against forgetting (JSONL), instead of the model's own answers."),
)
@click.option(
    "--replay-share",
    type=click.FloatRange(0),
    default=1.0,
    show_default=True,
    help=_("Samples against forgetting for each sample of the lessons."),
)
@click.option(
    "--knowledge-share",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help=_("Balance: the part of knowledge beside skills; by default as the lessons are."),
)
@click.option(
    "--max-tokens-total", type=click.IntRange(1), help=_("Stop before the run costs more tokens.")
)
@click.option("--keep-going", is_flag=True, help=_("Leave out lessons that fail their check."))
@click.option("--dry-run", is_flag=True, help=_("Only say how many requests and tokens it takes."))
@as_json_option
def generate(
    lessons: tuple[Path, ...],
    taxonomy_path: Path,
    taxonomy_base: str | None,
    *,
    dry_run: bool,
    as_json: bool,
    max_tokens_total: int | None,
    endpoint_url: str,
    api_key: str,
    teacher_model_id: str,
    **options: Any,
) -> None:
    """Make a run; the same command goes on with one that was cut off."""
    import asyncio

    from tiza.generate.brief import Brief, lessons_of
    from tiza.generate.job import Job
    from tiza.progress import Progress
    from tiza.settings import load

    if taxonomy_base is not None and lessons:
        raise click.UsageError(_("Give either LESSONS or --taxonomy-base."))
    brief = Brief(
        _paths(lessons, taxonomy_path, taxonomy_base),
        taxonomy_path,
        url=endpoint_url,
        key=api_key,
        teacher=teacher_model_id,
        budget=max_tokens_total,
        **options,
    )
    found, left_out = lessons_of(brief)
    with Progress() as progress:
        for error in left_out:
            progress.say(_("Left out: {error}").format(error=error.message(terminal_language())))
        job = Job(brief, found, load(), progress)
        if dry_run:
            _print_costs(*asyncio.run(job.costs()), as_json=as_json)
        else:
            _print_made(asyncio.run(job.make()), as_json=as_json)


def _paths(lessons: tuple[Path, ...], taxonomy: Path, base: str | None) -> list[Path]:
    from tiza.taxonomy.diff import diff, existing

    if base is not None:
        return [candidate.path for candidate in existing(diff(taxonomy, base), taxonomy)]
    return list(lessons) or [taxonomy]


def _print_costs(pipeline: "Pipeline", costs: "list[Cost]", *, as_json: bool) -> None:
    if as_json:
        facts = {"pipeline": pipeline.name, "steps": [asdict(cost) for cost in costs]}
        click.echo(json.dumps(facts, indent=2))
        return
    if not costs:
        click.echo(
            _("The pipeline {name} asks no teacher: it costs nothing.").format(name=pipeline.name)
        )
        return
    head = [_("step"), _("requests"), _("prompt tokens"), _("answer tokens")]
    rows = [[c.step, c.requests, c.prompt_tokens, c.completion_tokens] for c in costs]
    total = [_("at most"), *(sum(column) for column in list(zip(*rows, strict=True))[1:])]
    _print_columns([head, *rows, total])
    click.echo(_("At most: every sample that a judge rejects saves the steps after it."))


def _print_made(made: "Made", *, as_json: bool) -> None:
    if as_json:
        facts = {"run": made.run.id, "path": str(made.run.path), **made.run.section(STAGE)}
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    click.echo(
        _(
            "Samples: {accepted} from the lessons, {replay} against forgetting. Exam: {exam}."
        ).format(
            accepted=len(made.accepted), replay=made.run.section(STAGE)["replay"], exam=made.exam
        )
    )
    if made.rejected:
        steps = Counter(each.step for each in made.rejected).most_common()
        by_step = ", ".join(f"{step} {count}" for step, count in steps)
        click.echo(_("Rejected: {count} ({steps})").format(count=len(made.rejected), steps=by_step))
    if note := NOTES.get(made.state):
        click.echo(_(note).format(count=made.unanswered, tokens=made.tokens))
    click.echo(_("Read them: {path}").format(path=made.run.path / "samples.md"))
    click.echo(_("Train on them: tiza model train --data-path {run}").format(run=made.run.id))


@data.command("list", help=_("Show the runs: what each was made from, and how far it is."))
@as_json_option
def list_runs(*, as_json: bool) -> None:
    """Print one line a run, newest first."""
    from tiza.runs.run import runs
    from tiza.settings import load

    rows = [_row(run) for run in reversed(runs(load().runs_path))]
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    elif not rows:
        click.echo(_("There are no runs yet; `tiza data generate` makes one."))
    else:
        _print_table(rows)


@data.command(
    help=_("Print corrected answers as question and answer, one JSON document a line, for lessons.")
)
@click.option("--all", "every", is_flag=True, help=_("All rated answers, also uncorrected ones."))
def feedback(*, every: bool) -> None:
    """Print what people think of answers, the oldest first; the audit log says so."""
    from tiza.cli.users import with_store
    from tiza.store.credentials import By

    async def work(store: "Store", _settings: "Settings") -> "Sequence[Opinion]":
        await store.audit.note(By(), "data.exported", "feedback")
        return await (store.opinions.every() if every else store.opinions.corrections())

    for each in with_store(work):
        click.echo(json.dumps(_pair(each), ensure_ascii=False))


def _pair(given: "Opinion") -> dict[str, Any]:
    """Return a pair as lessons have it; without a correction, the answer is the model's."""
    return {
        "question": given.question,
        "answer": given.correction or given.answer,
        "metadata": {
            "id": given.id,
            "corrected": bool(given.correction),
            "model_answer": given.answer,
            "model": given.model,
            "rating": given.rating,
            "reason": given.reason,
            "follow_up": given.is_follow_up,
            "at": given.updated_at.isoformat(),
        },
    }


def _row(run: "Run") -> dict[str, Any]:
    made = run.section(STAGE)
    return {
        "run": run.id,
        "state": made.get("state", "?"),
        "pipeline": made.get("pipeline", "?"),
        "teacher": made.get("teacher", ""),
        "lessons": len(made.get("lessons", {})),
        "samples": made.get("samples", 0),
        "exam": made.get("exam", 0),
        "stages": list(run.manifest()),
    }


def _print_table(rows: list[dict[str, Any]]) -> None:
    head = {
        "run": _("run"),
        "state": _("state"),
        "pipeline": _("pipeline"),
        "lessons": _("lessons"),
        "samples": _("samples"),
        "exam": _("exam"),
        "teacher": _("teacher"),
    }
    shown = [{**row, "state": _(STATES.get(row["state"], row["state"]))} for row in rows]
    _print_columns([list(head.values()), *([row[name] for name in head] for row in shown)])


def _print_columns(rows: Sequence[Sequence[object]]) -> None:
    """Print a table: the first row is its head, numbers stand on the right."""
    widths = [max(len(str(row[column])) for row in rows) for column in range(len(rows[0]))]
    for number, row in enumerate(rows):
        cells = [
            str(cell).rjust(width) if isinstance(cell, int) else str(cell).ljust(width)
            for cell, width in zip(row, widths, strict=True)
        ]
        click.echo(click.style("  ".join(cells).rstrip(), bold=number == 0))
