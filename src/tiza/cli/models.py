"""`tiza model …` for models at rest: convert, list, use, pull, remove, backup, restore."""

import json
from gettext import gettext as _
from pathlib import Path

import click

# As `models.quantise.KINDS`, which is not imported for a help text; a test compares them.
KINDS = ["f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0"]


@click.command(help=_("Convert a model: to safetensors, to GGUF, or an adapter into its base."))
@click.argument("path", metavar="PATH|NAME")
@click.option(
    "--to",
    type=click.Choice(["safetensors", "gguf", "merged"]),
    help=_("By default: GGUF and pickles to safetensors, safetensors to GGUF, adapters merged."),
)
@click.option(
    "--base",
    metavar="PATH|NAME",
    help=_("Base of an adapter; by default the one that it was trained on."),
)
@click.option(
    "--type",
    "kind",
    type=click.Choice(KINDS),
    default="q8_0",
    show_default=True,
    help=_("How a GGUF stores its numbers; the number is the bits of each."),
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help=_("Where the result goes; by default the model's folder or the store."),
)
def convert(path: str, to: str | None, base: str | None, kind: str, output: Path | None) -> None:
    """Convert one model."""
    from tiza.errors import MissingExtra
    from tiza.progress import Progress
    from tiza.settings import load

    try:
        from tiza.models import convert as stage
    except ImportError as exc:  # numpy or gguf
        raise MissingExtra(package=exc.name, command="pip install 'tiza[train]'") from exc
    settings = load()
    wish = stage.Wish(path, to or "", base or "", kind, output)
    with Progress() as progress:
        click.echo(stage.convert(wish, settings.models_path, settings.cache_path, progress))


@click.command("list", help=_("List the models on this machine."))
@click.option("--json", "as_json", is_flag=True, help=_("Print JSON."))
def list_(*, as_json: bool) -> None:
    """Print one line a model; the one in use has a star."""
    from tiza.models.store import entries
    from tiza.settings import load

    settings = load()
    found = entries(settings.models_path, settings.model_path)
    if as_json:
        click.echo(json.dumps([entry.facts() for entry in found], indent=2, ensure_ascii=False))
        return
    rows = [(_("name"), _("size"), _("forms"), _("base"), _("run"), _("exam"))]
    for entry in found:
        exam = "-" if entry.exam is None else f"{entry.exam:.0%}"
        size, forms = f"{entry.size / 1e6:.0f} MB", ",".join(entry.forms)
        rows.append((entry.name, size, forms, entry.parent or "-", entry.run or "-", exam))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    stars = [" ", *("*" if entry.active else " " for entry in found)]
    for star, row in zip(stars, rows, strict=True):
        cells = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo(f"{star} {cells}".rstrip())


@click.command(
    help=_("Choose the model that is served while MODEL_PATH is unset; none or `shipped`: Tiza's.")
)
@click.argument("name", default="")
def use(name: str) -> None:
    """Write the choice into the store."""
    from tiza.models.store import use as choose
    from tiza.settings import load

    settings = load()
    click.echo(choose(settings.models_path, name))
    if settings.model_path:
        click.echo(_("MODEL_PATH={path} comes first.").format(path=settings.model_path), err=True)


@click.command(help=_("Fetch a model from the Hugging Face hub into the store."))
@click.argument("model_id", metavar="HF_ID")
@click.option("--revision", default="main", show_default=True, help=_("Branch, tag or commit."))
@click.option("--name", help=_("Name in the store; by default the last part of HF_ID."))
@click.option(
    "--include",
    multiple=True,
    metavar=_("PATTERN"),
    help=_("Weights to fetch, for example '*Q8_0.gguf'; by default safetensors. Repeatable."),
)
def pull(model_id: str, revision: str, name: str | None, include: tuple[str, ...]) -> None:
    """Fetch one model."""
    from tiza.models.hub import Hub, Wanted
    from tiza.models.hub import pull as fetch
    from tiza.progress import Progress
    from tiza.settings import load

    settings = load()
    hub = Hub(settings.hf_endpoint, settings.hf_token.get_secret_value())
    wanted = Wanted(model_id, revision, name or "", include)
    with Progress() as progress:
        click.echo(fetch(wanted, hub, settings.models_path, progress))


@click.command(help=_("Delete a model from the store; never the one in use."))
@click.argument("name")
def remove(name: str) -> None:
    """Delete one model."""
    from tiza.models.store import remove as delete
    from tiza.settings import load

    settings = load()
    delete(settings.models_path, name, settings.model_path)


@click.command(help=_("Write models (all, if none is named) into one file."))
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help=_("File to write: .tar, .tar.gz or .tar.zst."),
)
def backup(names: tuple[str, ...], output: Path) -> None:
    """Write an archive."""
    from tiza.models.archive import backup as pack
    from tiza.progress import Progress
    from tiza.settings import load

    with Progress() as progress:
        pack(load().models_path, names, output, progress.step(_("files")).advance)
    click.echo(output)


@click.command(help=_("Put the models of a backup back into the store."))
@click.argument("file", type=click.Path(path_type=Path))
def restore(file: Path) -> None:
    """Read an archive."""
    from tiza.models.archive import restore as unpack
    from tiza.progress import Progress
    from tiza.settings import load

    with Progress() as progress:
        names = unpack(load().models_path, file, progress.step(_("files")).advance)
    click.echo("\n".join(names))


VERBS = [convert, list_, use, pull, remove, backup, restore]
