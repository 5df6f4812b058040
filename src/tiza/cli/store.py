"""`tiza store …`: conversations, accounts and feedback in one file, and back."""

from gettext import gettext as _
from pathlib import Path

import click


@click.group(help=_("Back up conversations and accounts, and put them back."))
def store() -> None:
    """Hold the verbs on the database."""


@store.command(help=_("Write conversations and accounts into one file, while the service runs."))
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help=_("File to write, for example store.jsonl.gz."),
)
def backup(output: Path) -> None:
    """Write a backup."""
    import asyncio

    from tiza.progress import Progress
    from tiza.settings import load
    from tiza.store.backup import backup as pack

    with Progress() as progress:
        asyncio.run(pack(load().store_url, output, progress.step(_("rows")).advance))
    click.echo(output)


@store.command(help=_("Fill an empty database from a backup; SQLite's into PostgreSQL, too."))
@click.argument("file", type=click.Path(path_type=Path))
def restore(file: Path) -> None:
    """Read a backup."""
    import asyncio

    from tiza.progress import Progress
    from tiza.settings import load
    from tiza.store.backup import restore as unpack

    with Progress() as progress:
        rows = asyncio.run(unpack(load().store_url, file, progress.step(_("rows")).advance))
    click.echo(_("{count} rows").format(count=rows))
