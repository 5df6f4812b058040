"""Write `docs/reference.md` and `docs/reference.es.md` from the code: `reference.py [--check]`.

The verbs as `--help` prints them, the settings with their defaults, the endpoints, the error codes.
`--check` writes nothing and fails if a page is not what the code says.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from tiza.api.app import create_app
from tiza.cli.verbs import tiza
from tiza.errors import RequestError
from tiza.settings import Settings, load
from tiza.translation import translate

ROOT = Path(__file__).resolve().parents[1]
PAGES = {"en": ROOT / "docs" / "reference.md", "es": ROOT / "docs" / "reference.es.md"}
TITLES = {
    "en": {
        "page": "Reference",
        "note": "Written by `make docs` from the code; `make check` compares.",
        "verbs": "Verbs",
        "settings": "Settings",
        "settings_note": "From the environment or the file `.env`; see `tiza config show`.",
        "settings_row": "| Variable | Default | Meaning |",
        "endpoints": "Endpoints",
        "endpoints_row": "| Method | Path | Does |",
        "errors": "Error codes",
        "errors_row": "| Status | `code` | Title |",
    },
    "es": {
        "page": "Referencia",
        "note": "La escribe `make docs` a partir del código; `make check` la compara.",
        "verbs": "Órdenes",
        "settings": "Ajustes",
        "settings_note": "Del entorno o del archivo `.env`. `tiza config show` muestra los tuyos.",
        "settings_row": "| Variable | Valor por defecto | Significado |",
        "endpoints": "Direcciones",
        "endpoints_row": "| Método | Ruta | Hace |",
        "errors": "Códigos de error",
        "errors_row": "| Estado | `code` | Título |",
    },
}


def page(language: str) -> str:
    """Return the reference in a language."""
    words = TITLES[language]
    settings_head = f"{words['settings_note']}\n\n{words['settings_row']}\n|---|---|---|"
    parts = [
        f"# {words['page']}\n\n<!-- {words['note']} -->",
        f"## {words['verbs']}",
        *(
            f"### `{name}`\n\n```text\n{help_of(name, language)}\n```"
            for name in verbs(tiza, "tiza")
        ),
        f"## {words['settings']}\n\n{settings_head}",
    ]
    text = "\n\n".join(parts) + "\n" + "\n".join(settings_rows(language)) + "\n"
    text += f"\n## {words['endpoints']}\n\n{words['endpoints_row']}\n|---|---|---|\n"
    text += "\n".join(endpoint_rows(language)) + "\n"
    text += f"\n## {words['errors']}\n\n{words['errors_row']}\n|---|---|---|\n"
    return text + "\n".join(error_rows(language)) + "\n"


def verbs(command: click.Command, name: str) -> Iterator[str]:
    """Yield the full name of every verb, groups first."""
    yield name
    if isinstance(command, click.Group):
        for child, sub in sorted(command.commands.items()):
            yield from verbs(sub, f"{name} {child}")


def verb_section(name: str, language: str) -> str:
    """Return the section of one verb."""
    return f"### `{name}`\n\n```text\n{help_of(name, language)}\n```"


def help_of(name: str, language: str) -> str:
    """Return what `NAME --help` prints on a terminal of 80 columns."""
    command = [sys.executable, "-m", *name.split(), "--help"]
    environment = {**os.environ, "TIZA_LANG": language, "COLUMNS": "80"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.rstrip()


def settings_rows(language: str) -> Iterator[str]:
    """Yield a table row for each setting."""
    for name, field in Settings.model_fields.items():
        default = field.get_default()
        shown = getattr(default, "get_secret_value", lambda value=default: value)()
        text = f"`{shown}`" if shown not in ("", []) else "-"
        yield f"| `{name.upper()}` | {text} | {translate(field.description or '', language)} |"


def endpoint_rows(language: str) -> Iterator[str]:
    """Yield a table row for each endpoint."""
    for path, methods in create_app(load()).openapi()["paths"].items():
        for method, operation in methods.items():
            summary = operation["summary"]
            yield f"| {method.upper()} | `{path}` | {translate(summary, language)} |"


def error_rows(language: str) -> Iterator[str]:
    """Yield a table row for each error that a client can be told."""
    classes = [RequestError]
    for found in classes:
        classes += found.__subclasses__()
    known = {(c.status, c.code): c.title for c in reversed(classes)}
    for (status, code), title in sorted(known.items()):
        yield f"| {status} | `{code}` | {translate(title, language)} |"


def main() -> int:
    """Write or check the pages; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = []
    for language, path in PAGES.items():
        text = page(language)
        if check and (not path.exists() or path.read_text() != text):
            stale.append(str(path.relative_to(ROOT)))
        elif not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
    if stale:
        print(f"Not in step with the code: {', '.join(stale)}. Run: make docs", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
