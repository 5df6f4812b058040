"""Keep the catalogues in step with the code: `python tools/translations.py [--check]`.

Collects every message marked `_(…)` or `N_(…)` and merges it into each `messages.po`; `--check`
changes nothing and fails if a message is missing, unsure (fuzzy), untranslated or no longer used.
The messages of click that people read are collected too, from the installed package.
"""

import argparse
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src"
LOCALE = SOURCE / "tiza" / "locale"
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2)}
# click's modules whose words reach a person here; the others serve features that Tiza lacks.
CLICK_MODULES = ("core.py", "decorators.py", "exceptions.py", "formatting.py", "types.py")


def collect() -> Catalog:
    """Return every message of the code, without line numbers, which would change all the time."""
    catalog = Catalog()
    for folder, names in ((SOURCE, None), (_click(), CLICK_MODULES)):
        method_map = [("**.py", "python")]
        for name, _, message, _, _ in extract_from_dir(
            folder, method_map, keywords=KEYWORDS, options_map={}
        ):
            if names is None or name in names:
                where = f"src/{name}" if names is None else f"click/{name}"
                catalog.add(message, locations=[(where, 0)])
    return catalog


def _click() -> Path:
    spec = find_spec("click")
    assert spec is not None  # noqa: S101  # a dependency
    assert spec.origin is not None  # noqa: S101  # it is a package
    return Path(spec.origin).parent


def update(path: Path, messages: Catalog) -> None:
    """Merge the messages into a catalogue; translations that are no longer used go."""
    path.write_bytes(_merged(path, messages)[1])


def problems(path: Path, messages: Catalog) -> Iterator[str]:
    """Yield what keeps a catalogue from being complete."""
    known, merged = read(path), _merged(path, messages)[0]
    for message in merged:
        if message.id and not _is_translated(message):
            yield f"{path.parent.parent.name}: not translated: {_text(message)!r}"
        elif message.fuzzy and message.id:
            yield f"{path.parent.parent.name}: unsure (fuzzy): {_text(message)!r}"
    for message in known:
        if message.id and message.id not in merged:
            yield f"{path.parent.parent.name}: no longer used: {_text(message)!r}"


def _merged(path: Path, messages: Catalog) -> tuple[Catalog, bytes]:
    catalog = read(path)
    catalog.update(messages, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    buffer = BytesIO()
    write_po(buffer, catalog, width=100, sort_output=True, include_lineno=False, omit_header=False)
    return catalog, buffer.getvalue()


def read(path: Path) -> Catalog:
    """Read a catalogue."""
    with path.open("rb") as source:
        return read_po(source)


def _is_translated(message: Message) -> bool:
    strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
    return all(strings)


def _text(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def main() -> int:
    """Update or check every catalogue; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    messages = collect()
    found: list[str] = []
    for path in sorted(LOCALE.glob("*/LC_MESSAGES/messages.po")):
        if not check:
            update(path, messages)
        found += problems(path, messages)
    print("\n".join(found), file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
