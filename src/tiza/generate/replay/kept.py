"""Answers that were paid for once: one JSON object a line, safe against a crash at any moment."""

import json
import os
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self


class Answer(NamedTuple):
    """A model's text as it came, and its length in tokens (0: the endpoint did not say)."""

    text: str
    tokens: int


class Kept:
    """The answers in a file, by the key of their request."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a+b", buffering=0)
        self._file.seek(0)
        data = self._file.read()
        self._answers = dict(filter(None, map(_entry, data.splitlines())))
        if data and not data.endswith(b"\n"):  # a crash cut the line; the next begins anew
            self._file.write(b"\n")

    def __contains__(self, key: str) -> bool:
        return key in self._answers

    def __getitem__(self, key: str) -> Answer:
        return self._answers[key]

    def add(self, key: str, answer: Answer) -> None:
        """Keep an answer, at once and in one piece."""
        line = {"key": key, **answer._asdict()}
        self._file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        self._answers[key] = answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.fsync(self._file.fileno())
        self._file.close()


def _entry(line: bytes) -> tuple[str, Answer] | None:
    try:
        fields = json.loads(line)
        return str(fields["key"]), Answer(str(fields["text"]), int(fields["tokens"]))
    except (ValueError, KeyError, TypeError):
        return None
