"""The folder of one run, and its manifest.

Each stage writes its own section of `manifest.json` and its own files, and reads what the others
left. Knows nothing of what a stage does.
"""

import fcntl
import json
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tiza import __version__
from tiza.errors import RunBroken, RunBusy, RunNotFound

MANIFEST = "manifest.json"
LOCK = ".lock"


@dataclass(frozen=True, order=True)
class Run:
    """One folder under `var/runs`; its name begins with the moment at which it was made."""

    path: Path

    @property
    def id(self) -> str:
        """The name of the folder."""
        return self.path.name

    @property
    def train(self) -> Path:
        """The training samples (JSONL)."""
        return self.path / "train.jsonl"

    @property
    def exam(self) -> Path:
        """The questions that are never trained on (JSONL)."""
        return self.path / "exam.jsonl"

    @property
    def events(self) -> Path:
        """What happened, one JSON object a line."""
        return self.path / "events.jsonl"

    def manifest(self) -> dict[str, Any]:
        """Return what the stages recorded: `{stage: facts}`; empty before the first.

        Raises:
            RunBroken: the manifest is no JSON object.

        """
        path = self.path / MANIFEST
        try:
            manifest = json.loads(path.read_bytes())
        except FileNotFoundError:
            return {}
        except ValueError as exc:
            raise RunBroken(path=path) from exc
        if not isinstance(manifest, dict):
            raise RunBroken(path=path)
        return manifest

    def section(self, stage: str) -> dict[str, Any]:
        """Return what one stage recorded; empty if it did not run."""
        section = self.manifest().get(stage, {})
        if not isinstance(section, dict):
            raise RunBroken(path=self.path / MANIFEST)
        return section

    def record(self, stage: str, facts: Mapping[str, Any]) -> None:
        """Write a stage's section of the manifest, in one step."""
        manifest = {**self.manifest(), stage: dict(facts)}
        text = json.dumps(manifest, indent=2, ensure_ascii=False, default=str) + "\n"
        replace(self.path / MANIFEST, text)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from working on the run.

        Raises:
            RunBusy: another one does.

        """
        with (self.path / LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                raise RunBusy(run=self.id) from exc
            yield


def create(folder: Path, now: datetime | None = None) -> Run:
    """Make the folder of a new run below `folder`, named after the moment (UTC)."""
    name = (now or datetime.now(UTC)).strftime("%Y%m%d-%H%M%S")
    for number in range(1, 1000):
        path = folder / (name if number == 1 else f"{name}-{number}")
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        return Run(path)
    raise RunBusy(run=name)


def runs(folder: Path) -> list[Run]:
    """Return all runs below a folder, oldest first."""
    if not folder.is_dir():
        return []
    return sorted(Run(path) for path in folder.iterdir() if (path / MANIFEST).is_file())


def find(name: str, folder: Path) -> Run:
    """Find a run by its path or its name; `latest` is the newest.

    Raises:
        RunNotFound: there is none.

    """
    found = runs(folder)
    if name == "latest" and found:
        return found[-1]
    for path in (Path(name).expanduser(), folder / name):
        if name and (path / MANIFEST).is_file():
            return Run(path)
    raise RunNotFound(run=name, folder=folder)


def replace(path: Path, text: str) -> None:
    """Write a file so that a reader, or a crash, finds the old or the new text, never half."""
    part = path.with_name(f".{path.name}.part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def surroundings(*packages: str) -> dict[str, Any]:
    """Return what a result may depend on beside its inputs: versions and the machine."""
    return {
        "tiza": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: _version(name) for name in packages},
        "command": ["tiza", *sys.argv[1:]],
    }


def now() -> str:
    """Return the present moment as RFC 3339 text, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
