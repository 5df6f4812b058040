"""Show how long work goes: bars on a terminal, a line every few seconds elsewhere.

One `Progress` a stage, one `Step` for each part of it. Writes to standard error, so that standard
output stays free for results. Knows nothing of what is counted.
"""

import sys
import time
from dataclasses import dataclass, field
from gettext import gettext as _
from types import TracebackType
from typing import Any, Self, TextIO

LINE_SECONDS = 5.0


@dataclass
class Step:
    """One part of the work: `done` of `total` items, and words that follow the bar."""

    name: str
    total: int | None
    progress: "Progress"
    done: int = 0
    words: str = ""
    started: float = field(default_factory=time.monotonic)
    handle: Any = None

    def advance(self, items: int = 1, words: str | None = None) -> None:
        """Count items as done; `words` replaces what follows the bar."""
        self.done += items
        if words is not None:
            self.words = words
        self.progress.show(self)

    def expect(self, total: int) -> None:
        """Correct the number of items, when it is known better than before."""
        self.total = total
        self.progress.show(self)

    @property
    def rate(self) -> float:
        """Items per second so far."""
        return self.done / max(time.monotonic() - self.started, 1e-6)

    @property
    def line(self) -> str:
        """The state in words: how many, how fast, how long still."""
        of = "" if self.total is None else f"/{self.total}"
        parts = [f"{self.name} {self.done}{of}", f"{self.rate:.1f}/s"]
        if self.total and self.done:
            left = (self.total - self.done) / self.rate
            parts.append(_("{time} left").format(time=clock(left)))
        return " · ".join([*parts, self.words] if self.words else parts)


class Progress:
    """Shows steps; a context manager, so that the terminal is left as it was."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr
        self._bars = _bars(self._out) if self._out.isatty() else None
        self._last: dict[int, float] = {}

    def step(self, name: str, total: int | None = None) -> Step:
        """Begin a step; `total` may be unknown."""
        step = Step(name, total, self)
        if self._bars is not None:
            step.handle = self._bars.add_task(name, total=total, words="")
        return step

    def show(self, step: Step) -> None:
        """Draw a step's state, not more often than a reader can follow."""
        if self._bars is not None:
            self._bars.update(step.handle, completed=step.done, total=step.total, words=step.words)
            return
        now = time.monotonic()
        complete = step.total is not None and step.done >= step.total
        if complete or now - self._last.get(id(step), step.started) >= LINE_SECONDS:
            self._last[id(step)] = now
            print(step.line, file=self._out, flush=True)

    def say(self, line: str) -> None:
        """Print a line above the bars."""
        if self._bars is not None:
            self._bars.console.print(line, markup=False, highlight=False)
        else:
            print(line, file=self._out, flush=True)

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bars is not None:
            self._bars.stop()


def clock(seconds: float) -> str:
    """Return a duration as m:ss or h:mm:ss."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def _bars(out: TextIO) -> Any:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bars

    return Bars(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TaskProgressColumn("", show_speed=True),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[words]}", style="dim", markup=False),
        console=Console(file=out),
    )
