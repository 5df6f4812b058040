"""`tiza model …`: what is done with models."""

from gettext import gettext as _

import click


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
