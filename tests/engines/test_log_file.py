"""Logs are bounded in size, in number, and in age."""

import logging
import os
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from tiza.engines import log_file
from tiza.engines.log_file import KEEP_DAYS, LogFile

Write = Callable[[str], None]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[], Write]]:
    """Open the log, again and again if wanted."""
    logs: list[LogFile] = []

    def make() -> Write:
        log = LogFile(tmp_path / "api.log")
        logs.append(log)
        return lambda words: log.handle(logging.makeLogRecord({"msg": words}))  # type: ignore[return-value]  # nobody asks

    yield make
    for log in logs:
        log.close()


def held(folder: Path) -> dict[str, str]:
    """Return what each file holds."""
    return {file.name: file.read_text() for file in sorted(folder.iterdir())}


def age(file: Path, days: float) -> None:
    """Let a file look as if it was written days ago."""
    then = time.time() - days * 86_400
    os.utime(file, (then, then))


def test_log_begins_anew_when_the_day_is_over(
    opened: Callable[[], Write], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it is open, and where nobody wrote at midnight."""
    write = opened()
    write("monday")
    monkeypatch.setattr(log_file, "today", lambda: date.today() + timedelta(days=1))
    write("tuesday")
    write("still tuesday")
    assert held(tmp_path) == {"api.log": "tuesday\nstill tuesday\n", "api.log.1": "monday\n"}

    monkeypatch.undo()
    age(tmp_path / "api.log", 3)
    write_again = opened()
    write_again("friday")
    assert held(tmp_path)["api.log"] == "friday\n"
    assert held(tmp_path)["api.log.2"] == "monday\n"


def test_old_logs_are_deleted_when_one_is_opened(
    opened: Callable[[], Write], tmp_path: Path
) -> None:
    """Those of this log only, and never what somebody else put beside it."""
    for name in ("api.log.1", "api.log.2", "api.log.notes", "engine.log.1"):
        (tmp_path / name).write_text(name)
        age(tmp_path / name, KEEP_DAYS + 1)
    age(tmp_path / "api.log.1", KEEP_DAYS - 1)
    opened()
    assert held(tmp_path).keys() == {"api.log", "api.log.1", "api.log.notes", "engine.log.1"}
