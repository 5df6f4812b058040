"""The leash: who is on it does not outlive its parent."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.engines.processes import Program, alive, wait_for
from tiza.engines import leash

LEASH = [sys.executable, "-S", leash.__file__]
SLEEP = [sys.executable, "-S", "-c", "import signal; print('ready', flush=True); signal.pause()"]
# A parent that starts SLEEP on the leash, tells its process id, and waits.
PARENT = f"""
import os, signal, subprocess
child = subprocess.Popen([*{LEASH!r}, str(os.getpid()), *{SLEEP!r}], start_new_session=True)
print("child", child.pid, flush=True)
signal.pause()
"""

linux = pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")


@linux
def test_leash_ends_the_command_when_the_parent_is_killed(tmp_path: Path) -> None:
    """The kernel ends the child of a parent that had no time for last words."""
    with Program([sys.executable, "-S", "-c", PARENT], tmp_path) as parent:
        child = psutil.Process(int(parent.says(r"child \d+").split()[1]))
        parent.says("ready")
        assert alive([child])

        parent.process.kill()

        try:
            wait_for(lambda: not alive([child]), "the child has ended")
        finally:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()


@linux
def test_leash_does_not_run_the_command_when_the_parent_is_gone_already(tmp_path: Path) -> None:
    """A parent that died in the moment of starting leaves no orphan."""
    command = [sys.executable, "-c", f"open({str(tmp_path / 'ran')!r}, 'w')"]

    done = subprocess.run([*LEASH, "1", *command], check=False)

    assert done.returncode == 1
    assert not (tmp_path / "ran").exists()


def test_leash_becomes_the_command_when_the_parent_lives() -> None:
    """Process id, arguments, output and exit status are the command's own."""
    tell = "import os, sys; print(os.getpid(), *sys.argv[1:]); sys.exit(7)"
    command = [*LEASH, str(os.getpid()), sys.executable, "-c", tell, "a b", "ñ"]

    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as process:
        output, _ = process.communicate()

    assert output == f"{process.pid} a b ñ\n"
    assert process.returncode == 7


def test_leash_names_the_program_when_it_cannot_be_run(tmp_path: Path) -> None:
    """A missing program ends in a sentence, not in a traceback."""
    command = [*LEASH, str(os.getpid()), str(tmp_path / "absent")]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stderr == f"error: {tmp_path / 'absent'}: No such file or directory\n"
