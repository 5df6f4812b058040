"""`tiza teach`: from lessons to a model that serves, in one command."""

import json
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tiza.cli.taxonomy import as_json_option, taxonomy_path

if TYPE_CHECKING:
    from tiza.teach import Taught

EXAMPLES = 3


@click.command(
    help=_(
        "Teach lessons: check, make samples, train, examine, convert, promote. The same command "
        "goes on where it stopped."
    )
)
@click.argument("lessons", nargs=-1, type=click.Path(path_type=Path, exists=True))
@taxonomy_path
@click.option(
    "--recipe", default="", metavar="NAME|PATH", help=_("How to train; by default what suits here.")
)
@click.option(
    "--pipeline",
    default="",
    metavar="seeds|simple|full|PATH",
    help=_("How samples are made; by default full, or seeds where there is no good teacher."),
)
@click.option(
    "--endpoint-url", default="", help=_("Teacher: any OpenAI-compatible address; else local.")
)
@click.option("--api-key", default="", envvar="TEACHER_API_KEY", help=_("Key of the teacher."))
@click.option(
    "--teacher-model-id",
    "teacher",
    default="",
    help=_("Model of the teacher; by default its first."),
)
@click.option("--seed", type=int, help=_("The same seed gives the same model."))
@click.option(
    "--gpus", type=click.IntRange(1), default=1, show_default=True, help=_("GPUs to train on.")
)
@click.option(
    "--run",
    type=click.Path(path_type=Path, file_okay=False),
    help=_("Folder to work in, new or of the same run; by default one is found or made."),
)
@click.option("--force", is_flag=True, help=_("Promote even a model that fails its exam."))
@as_json_option
def teach(lessons: tuple[Path, ...], taxonomy_path: Path, *, as_json: bool, **options: Any) -> None:
    """Teach, and show what was learned."""
    from tiza.settings import load
    from tiza.teach import Wish
    from tiza.teach import teach as carry_out

    taught = carry_out(Wish(lessons, taxonomy_path, **options), load())
    if as_json:
        click.echo(json.dumps(_facts(taught), indent=2, ensure_ascii=False))
    else:
        _print(taught)


def _facts(taught: "Taught") -> dict[str, Any]:
    return {
        "model": taught.model,
        "run": taught.run.id,
        "report": str(taught.run.path / "report.html"),
        "passed": taught.report["verdict"]["passed"],
        "exam": taught.report["exam"]["overall"],
        "checks": taught.report["gate"]["checks"],
        "seconds": dict(taught.seconds),
    }


def _print(taught: "Taught") -> None:
    """Show some answers before and after, best first, and where everything lies."""
    answers = taught.report["exam"]["answers"]
    learned = [a for a in answers if a["after"]["passed"] and not a["before"]["passed"]]
    click.echo()
    for answer in (learned or answers)[:EXAMPLES]:
        click.secho(answer["question"], bold=True)
        click.echo(_("  before: {text}").format(text=_short(answer["before"]["text"])))
        click.echo(_("  now:    {text}").format(text=_short(answer["after"]["text"])))
    click.echo()
    click.echo(_("{model} answers from now on.").format(model=taught.model))
    click.echo(_("Report card: {path}").format(path=taught.run.path / "report.html"))
    click.echo(_("Ask it: make run   Go back: tiza model use shipped"))


def _short(text: str, most: int = 160) -> str:
    words = " ".join(text.split())
    return words if len(words) <= most else words[: most - 1] + "…"
