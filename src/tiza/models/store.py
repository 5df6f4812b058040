"""The folder `models/`: which models it holds, which one is in use, and how one comes and goes.

A folder there is a model; names with a dot in front are unfinished work. Knows no weights.
"""

import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any

from tiza.errors import (
    MissingExtra,
    ModelActive,
    ModelExists,
    ModelNeeded,
    ModelNotFound,
    ModelUnnamable,
)
from tiza.models.find import ACTIVE, ADAPTER, SHIPPED, SHIPPED_NAME, active_name, find
from tiza.models.lineup import line_up
from tiza.models.place import hidden_folder, settle
from tiza.models.record import read_record
from tiza.runs.run import replace

FORMER = ".former"  # the name of the model that was in use before the present one
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class Entry:
    """A model of the store, as `tiza model list` shows it. `size` is in bytes."""

    name: str
    forms: list[str]
    size: int
    parent: str | None
    run: str | None
    exam: float | None
    active: bool

    def facts(self) -> dict[str, Any]:
        """Return the fields as JSON has them."""
        return asdict(self)


def entries(models_path: Path, model_path: str = "") -> list[Entry]:
    """Return the shipped model and all in the store, by name; `model_path` is MODEL_PATH."""
    in_use = _in_use(models_path, model_path)
    return [*_shipped(in_use), *(_entry(path, in_use) for path in _folders(models_path))]


def _shipped(in_use: Path | None) -> Iterator[Entry]:
    """Yield the model that comes with Tiza, unless its package is not installed."""
    with suppress(MissingExtra):
        shipped = find(SHIPPED, Path())
        size = shipped.path.stat().st_size
        yield Entry(shipped.name, ["gguf"], size, None, None, None, active=in_use == shipped.path)


def use(models_path: Path, name: str = "") -> str:
    """Choose the model for when MODEL_PATH is unset; "" and `shipped` are Tiza's own.

    The one place that writes the choice, in one step.

    Raises:
        ModelNotFound: no such model in the store, or an adapter whose base is gone.

    """
    if name in ("", SHIPPED, "base", SHIPPED_NAME):
        _remember(models_path, "")
        (models_path / ACTIVE).unlink(missing_ok=True)
        return SHIPPED_NAME
    line_up(str(folder_of(models_path, name).absolute()), models_path)  # fails without weights
    _remember(models_path, name)
    replace(models_path / ACTIVE, name + "\n")
    return name


def former(models_path: Path) -> str:
    """Return which model was in use before the present one; "" if none was, or it has gone."""
    try:
        name = (models_path / FORMER).read_text("utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    there = name == SHIPPED_NAME or (NAME.fullmatch(name) and (models_path / name).is_dir())
    return name if there else ""


def _remember(models_path: Path, following: str) -> None:
    """Keep the name of the model in use, if another follows."""
    name = active_name(models_path)
    if name != following and models_path.is_dir():
        replace(models_path / FORMER, (name or SHIPPED_NAME) + "\n")


def remove(models_path: Path, name: str, model_path: str = "") -> None:
    """Delete a model.

    Raises:
        ModelNotFound: no such model in the store.
        ModelActive: it is in use.
        ModelNeeded: an adapter builds on it.

    """
    folder = folder_of(models_path, name)
    in_use = _in_use(models_path, model_path)
    if _is(folder, in_use) or active_name(models_path) == name:
        raise ModelActive(model=name)
    for other in _folders(models_path):
        if read_record(other).get("parent") == name and not _forms(other, whole=True):
            raise ModelNeeded(model=name, adapter=other.name)
    gone = models_path / f".{name}.{secrets.token_hex(4)}.removed"
    folder.rename(gone)  # in one step; whatever of it stays after a crash is no model
    shutil.rmtree(gone)


def add(models_path: Path, fill: Callable[[Path], object], stem: str = "samples") -> Path:
    """Make the next of `samples_0`, `samples_1`, …: `fill` writes into a hidden folder.

    Two processes that end at the same moment get two numbers.
    """
    check_name(stem)
    with hidden_folder(models_path / stem) as part:
        fill(part)
        for number in count(_next_number(models_path, stem)):
            with suppress(ModelExists):
                settle(part, target := models_path / f"{stem}_{number}")
                return target
    raise AssertionError


def _next_number(models_path: Path, stem: str) -> int:
    found = (re.fullmatch(re.escape(stem) + r"_(\d+)", path.name) for path in _folders(models_path))
    return max((int(match[1]) + 1 for match in found if match), default=0)


def folder_of(models_path: Path, name: str) -> Path:
    """Return the folder of a model in the store.

    Raises:
        ModelNotFound: there is none.

    """
    folder = models_path / name
    if not NAME.fullmatch(name) or not folder.is_dir():
        raise ModelNotFound(model=name)
    return folder


def check_name(name: str) -> str:
    """Return a name that a new model may have.

    Raises:
        ModelUnnamable: it may not.

    """
    if not NAME.fullmatch(name) or name in (SHIPPED, "base"):
        raise ModelUnnamable(name=name)
    return name


def _folders(models_path: Path) -> list[Path]:
    if not models_path.is_dir():
        return []
    return sorted(p for p in models_path.iterdir() if NAME.fullmatch(p.name) and p.is_dir())


def _entry(folder: Path, in_use: Path | None) -> Entry:
    record = read_record(folder)
    report = record.get("report")
    exam = report.get("exam") if isinstance(report, dict) else None
    return Entry(
        folder.name,
        _forms(folder),
        sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
        record.get("parent"),
        record.get("run"),
        exam if isinstance(exam, float | int) else None,
        active=_is(folder, in_use),
    )


def _forms(folder: Path, *, whole: bool = False) -> list[str]:
    """Tell in which forms a model is there; `whole` leaves out what needs a base."""
    weights = [path.name for path in folder.glob("*.safetensors")]
    ggufs = [path.name for path in folder.glob("*.gguf")]
    found = {
        "safetensors": any(not name.startswith(ADAPTER) for name in weights),
        "gguf": any(not name.startswith(ADAPTER) for name in ggufs),
        "adapter": not whole and any(folder.glob("**/adapter_config.json")),
    }
    return [form for form, there in found.items() if there]


def _in_use(models_path: Path, model_path: str) -> Path | None:
    """Return where the model in use lies; None if it is gone."""
    try:
        lineup = line_up(model_path, models_path)
        return (lineup.chosen or lineup.base).path.resolve()
    except ModelNotFound:
        return None


def _is(folder: Path, in_use: Path | None) -> bool:
    return in_use is not None and folder.resolve() in (in_use, in_use.parent)
