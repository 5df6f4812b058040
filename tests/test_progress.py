"""Progress: lines where no terminal is, bars where one is."""

import io
import os
import pty

from tiza.progress import Progress, clock

SHOW_CURSOR = b"\x1b[?25h"


def test_without_a_terminal_a_finished_step_is_one_line() -> None:
    """A log gets a line every few seconds, and one at the end."""
    out = io.StringIO()
    with Progress(out) as progress:
        step = progress.step("judge", 3)
        for _ in range(3):
            step.advance(words="2 accepted")

    (line,) = out.getvalue().splitlines()
    assert line.startswith("judge 3/3 · ")
    assert line.endswith(" · 2 accepted")


def test_on_a_terminal_a_step_is_a_bar() -> None:
    """A person sees name, bar and words, and the terminal's cursor comes back."""
    ours, theirs = pty.openpty()
    with open(theirs, "w", encoding="utf-8") as out, Progress(out) as progress:  # noqa: PTH123  # a descriptor
        progress.step("judge", 2).advance(2, "[all] accepted")

    read = b""
    while SHOW_CURSOR not in read:  # a terminal hands out what it has, not all that is on its way
        read += os.read(ours, 100_000)
    shown = read.decode()
    assert "judge" in shown
    assert "2/2" in shown
    assert "[all] accepted" in shown
    assert shown.rindex(SHOW_CURSOR.decode()) > shown.rindex("\x1b[?25l")


def test_clock_shows_hours_only_where_there_are_some() -> None:
    """Minutes and seconds have two digits after a colon."""
    assert [clock(s) for s in (4.4, 65, 3_605)] == ["0:04", "1:05", "1:00:05"]
