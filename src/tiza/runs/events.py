"""The events of a run: one JSON object a line, which the page and the plots read."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tiza.runs.run import now


class Events:
    """Appends a stage's events; a line that a crash cut in half is closed first."""

    def __init__(self, path: Path, stage: str) -> None:
        self._stage = stage
        self._file = path.open("a+b", buffering=0)
        end = self._file.seek(0, os.SEEK_END)
        if end and os.pread(self._file.fileno(), 1, end - 1) != b"\n":
            self._file.write(b"\n")

    def add(self, event: str, **facts: Any) -> None:
        """Write one event, with its moment."""
        line = {"time": now(), "stage": self._stage, "event": event, **facts}
        self._file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the events; a half line, left by a crash, is passed over."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict):
                yield event
