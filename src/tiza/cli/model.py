"""`tiza model …`: what is done with models."""

from gettext import gettext as _
from pathlib import Path

import click

from tiza.translation import terminal_language


@click.group(help=_("Work with models."))
def model() -> None:
    """Hold the verbs on models."""


@model.command(help=_("Serve a model by OpenAI's protocol, supervised, until Ctrl-C."))
@click.option(
    "--engine",
    type=click.Choice(["auto", "vllm", "llama.cpp"]),
    default="auto",
    show_default=True,
    help=_("Program that runs the model; auto: vLLM where it is installed and a GPU is seen."),
)
@click.option(
    "--model",
    "model_path",
    metavar="PATH|NAME",
    help=_("Model file, folder or name; by default MODEL_PATH, else the model that is shipped."),
)
@click.option("--host", default="127.0.0.1", show_default=True, help=_("Address to listen on."))
@click.option("--port", type=click.IntRange(1, 65535), help=_("Port; by default VLLM_PORT (8080)."))
@click.option(
    "--gpus",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help=_("GPUs to spread the model over (vLLM)."),
)
def serve(engine: str, model_path: str | None, host: str, port: int | None, gpus: int) -> None:
    """Run one engine until Ctrl-C."""
    from tiza.engines.serve import serve_until_stopped
    from tiza.settings import load

    settings = load(model_path=model_path, vllm_port=port)
    serve_until_stopped(engine, settings, host, gpus)


@model.command(help=_("Train on the samples of a run; the same command goes on where it stopped."))
@click.option(
    "--data-path",
    metavar="RUN|FILE",
    required=True,
    help=_("A run (name, folder or `latest`) or a JSONL file of samples."),
)
@click.option(
    "--recipe", metavar="NAME|PATH", help=_("What is learned and how; by default for this machine.")
)
@click.option(
    "--base",
    metavar="PATH|NAME",
    default="",
    help=_("Model to begin with; by default the one that is shipped."),
)
@click.option("--num-epochs", type=int, help=_("How often every sample is seen."))
@click.option("--learning-rate", type=float, help=_("Highest rate of learning."))
@click.option("--batch-size", type=int, help=_("Samples of lessons for one update."))
@click.option("--micro-batch-tokens", type=int, help=_("Tokens at once; bounds the memory."))
@click.option("--max-length", type=int, help=_("Tokens of the longest sample."))
@click.option("--seed", type=int, help=_("The same seed gives the same model."))
@click.option(
    "--gpus", type=click.IntRange(1), default=1, show_default=True, help=_("GPUs to train on.")
)
@click.option("--json", "as_json", is_flag=True, help=_("Print JSON."))
def train(
    data_path: str, recipe: str | None, base: str, gpus: int, *, as_json: bool, **flags: object
) -> None:
    """Train in the run's folder and say what came out."""
    import json

    from tiza.settings import load
    from tiza.train.job import train_in_run

    facts = train_in_run(load(), data_path, recipe, base, gpus=gpus, flags=flags)
    if as_json:
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False, default=str))
        return
    seconds, words = facts["seconds"], _("{path}: {steps} steps in {seconds} s")
    click.echo(words.format(path=facts["path"], steps=facts["steps"], seconds=seconds))


@model.command(help=_("Examine a model: what it learned, what it forgot, what it says wrongly."))
@click.argument("model_path", metavar="MODEL")
@click.option(
    "--base",
    metavar="PATH|NAME|URL",
    help=_("Model to compare with; by default the one that it was trained from."),
)
@click.option(
    "--run",
    "run_name",
    metavar="RUN",
    help=_("Run with the exam; by default the one that made the model, else the latest."),
)
@click.option(
    "--taxonomy-path",
    type=click.Path(path_type=Path),
    default=Path("taxonomy"),
    show_default=True,
    help=_("Folder of the taxonomy, to see which lessons have changed."),
)
@click.option("--api-key", help=_("Key of MODEL, if it is an address that asks for one."))
@click.option("--judge-url", help=_("Address of a model that grades the exam a second time."))
@click.option("--judge-key", default="", help=_("Key of the judge."))
@click.option("--judge-model", default="", help=_("Name of the judge's model."))
@click.option(
    "--tasks",
    metavar="NAME,…",
    default="",
    help=_("Open benchmarks to take as well, by their names in lm-evaluation-harness."),
)
@click.option(
    "--tasks-path",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help=_("Folder with tasks of your own for lm-evaluation-harness."),
)
@click.option("--json", "as_json", is_flag=True, help=_("Print JSON."))
def evaluate(  # noqa: PLR0917  # click passes every option by name
    model_path: str,
    base: str | None,
    run_name: str | None,
    taxonomy_path: Path,
    api_key: str | None,
    judge_url: str | None,
    judge_key: str,
    judge_model: str,
    tasks: str,
    tasks_path: Path | None,
    *,
    as_json: bool,
) -> None:
    """Write the report card of a model."""
    import json

    from tiza.evaluate.ask import Endpoint
    from tiza.evaluate.examined import parent_of, subject, told
    from tiza.evaluate.harness import Benchmarks
    from tiza.evaluate.report import lines
    from tiza.evaluate.stage import Options
    from tiza.evaluate.stage import evaluate as examine
    from tiza.runs.run import find
    from tiza.settings import load

    settings, language = load(), terminal_language()
    examined = subject(model_path, settings, api_key or "")
    known = told(examined)
    run = find(run_name or known.get("run") or "latest", settings.runs_path)
    parent = parent_of(examined, settings) if base is None else subject(base, settings)
    judge = judge_url and Endpoint(judge_url.removesuffix("/v1"), judge_model, judge_key)
    named = [name.strip() for name in tasks.split(",") if name.strip()]
    options = Options(
        language=language,
        taxonomy=taxonomy_path,
        judge=judge or None,
        benchmarks=Benchmarks(named, tasks_path) if named else None,
    )
    report = examine(examined, parent, run, settings, options)
    if as_json:
        click.echo(json.dumps(report, indent=2, ensure_ascii=False))
        return
    for line in lines(report, language):
        click.echo(line)
    click.echo()
    click.echo(_("Report card: {path}").format(path=run.path / "report.html"))
