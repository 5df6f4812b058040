"""The tree of verbs."""

import json
from collections.abc import Mapping
from gettext import gettext as _
from typing import Any

import click

from tiza import __version__
from tiza.cli import INTERRUPTED
from tiza.cli.data import data
from tiza.cli.model import model
from tiza.cli.models import VERBS as STORE_VERBS
from tiza.cli.store import store
from tiza.cli.taxonomy import taxonomy
from tiza.cli.teach import teach
from tiza.cli.users import audit, key, user

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Verbs(click.Group):
    """A group that ends with 130 when its work is interrupted; click's own status is 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo(err=True)  # closes the line on which the terminal wrote ^C
            ctx.exit(INTERRUPTED)


@click.group(
    cls=Verbs,
    context_settings=CONTEXT,
    help=_("Teach a language model your course, and let your class chat with it."),
)
@click.version_option(__version__, "-V", "--version", message="Tiza %(version)s")
def tiza() -> None:
    """Hold the verbs."""


@tiza.command(help=_("Start engine, API and page on this machine."))
@click.option("--reload", is_flag=True, help=_("Restart the API when the code changes."))
def up(*, reload: bool) -> None:
    """Run the local stack until Ctrl-C."""
    from tiza.settings import load
    from tiza.up import run

    run(load(), reload=reload)


@tiza.group(help=_("Look at the settings."))
def config() -> None:
    """Hold the verbs on settings."""


@config.command(help=_("Show every setting, its value and where it came from."))
@click.option("--json", "as_json", is_flag=True, help=_("Print JSON."))
def show(*, as_json: bool) -> None:
    """Print the settings; secrets are masked."""
    from tiza.settings import load, sources

    settings = load()
    origin = sources(settings)
    values = settings.model_dump(mode="json")
    rows = {name.upper(): {"value": value, "from": origin[name]} for name, value in values.items()}
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    width = max(map(len, rows))
    for name, row in rows.items():
        default = row["from"] == "default"
        value = json.dumps(row["value"], ensure_ascii=False)
        source = "" if default else click.style(f"  ← {row['from']}", fg="cyan")
        click.echo(f"{click.style(name.ljust(width), bold=not default)}  {value}{source}")


@tiza.group(help=_("Look at this machine."))
def system() -> None:
    """Hold the verbs on the machine."""


@system.command(help=_("Show CPU, memory, GPU, engines and versions."))
@click.option("--json", "as_json", is_flag=True, help=_("Print JSON."))
def info(*, as_json: bool) -> None:
    """Print what the machine offers."""
    from tiza.engines.machine import describe

    facts = describe()
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    _print_facts(facts)


def _print_facts(facts: Mapping[str, Any]) -> None:
    width = max(map(len, facts))
    for name, value in facts.items():
        lines = value if isinstance(value, list) else [value]
        for number, line in enumerate(lines or ["-"]):
            label = name.replace("_", " ") if number == 0 else ""
            click.echo(f"{click.style(label.ljust(width), bold=True)}  {line}")


tiza.add_command(teach)
tiza.add_command(taxonomy)
tiza.add_command(data)
tiza.add_command(model)
tiza.add_command(store)
tiza.add_command(user)
tiza.add_command(key)
tiza.add_command(audit)
for verb in STORE_VERBS:
    model.add_command(verb)
