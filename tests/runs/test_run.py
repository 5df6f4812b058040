"""The folder of a run: made once, written in whole steps, found again."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tiza.errors import RunBroken, RunBusy, RunNotFound
from tiza.runs import events
from tiza.runs.run import Run, create, find, runs

MOMENT = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)


def test_two_runs_of_the_same_second_have_folders_of_their_own(tmp_path: Path) -> None:
    """A run never writes into the folder of another."""
    assert [create(tmp_path, MOMENT).id for _ in range(2)] == [
        "20261122-153000",
        "20261122-153000-2",
    ]


def test_record_keeps_the_sections_of_the_other_stages(tmp_path: Path) -> None:
    """Each stage writes its own section, and replaces only that."""
    run = create(tmp_path)

    run.record("generate", {"seed": 1})
    run.record("train", {"loss": 2.0})
    run.record("generate", {"seed": 3})

    assert run.manifest() == {"generate": {"seed": 3}, "train": {"loss": 2.0}}
    assert run.section("evaluate") == {}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"generate": 1}'])
def test_a_manifest_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    """A damaged manifest is an error with its path, not a traceback."""
    run = create(tmp_path)
    (run.path / "manifest.json").write_text(text)

    with pytest.raises(RunBroken, match=r"manifest\.json"):
        run.section("generate")


def test_find_takes_a_name_a_path_and_latest(tmp_path: Path) -> None:
    """A run is named as `tiza data list` shows it, or by its folder."""
    first, second = create(tmp_path, MOMENT), create(tmp_path)
    for run in (first, second):
        run.record("generate", {})

    assert find(first.id, tmp_path) == find(str(first.path), tmp_path) == first
    assert find("latest", tmp_path) == second == runs(tmp_path)[-1]
    with pytest.raises(RunNotFound):
        find("nothing", tmp_path)


def test_a_locked_run_refuses_a_second_process_until_the_first_is_killed(tmp_path: Path) -> None:
    """The lock belongs to a process and ends with it, however it ends."""
    run = create(tmp_path)
    script = (
        "import sys, time; from pathlib import Path; from tiza.runs.run import Run\n"
        "with Run(Path(sys.argv[1])).locked(): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(run.path)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(RunBusy), run.locked():
            pass
        os.kill(other.pid, signal.SIGKILL)
    with run.locked():
        pass


def test_events_after_a_half_line_begin_on_a_line_of_their_own(tmp_path: Path) -> None:
    """What a crash cut off spoils neither the next event nor the reading."""
    run = Run(tmp_path)
    with events.Events(run.events, "train") as log:
        log.add("step", loss=1.5)
    with run.events.open("a") as file:
        file.write('{"time": "20')

    with events.Events(run.events, "train") as log:
        log.add("step", loss=1.25)

    assert [event["loss"] for event in events.read(run.events)] == [1.5, 1.25]
