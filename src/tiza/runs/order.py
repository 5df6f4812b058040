"""An order to teach, carried out by a process of its own that outlives whoever gave it.

That process holds the lock of the runs' folder for as long as it lives, handed to it at its birth,
so that anybody can tell at any time whether one is at work, and there is never a second. What was
ordered stands in the run's folder. Knows nothing of what teaching is.
"""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from tiza.errors import TrainingBusy
from tiza.runs.run import Run, now, replace

ORDER, LOG = "order.json", "teach.log"
LOCK = ".teaching"
TRIES, PAUSE_SECONDS = 20, 0.01
GENTLE = ("nice", "-n", "10")  # whoever chats comes first


@dataclass(frozen=True)
class Order:
    """What was ordered: the lessons' folders within the tree, by whom and when, and how."""

    lessons: Sequence[str]
    by: str = ""
    force: bool = False
    given: str = ""
    flags: Sequence[str] = ()

    @classmethod
    def read(cls, run: Run) -> "Order | None":
        """Return the order of a run; None where it was begun otherwise."""
        try:
            document = json.loads((run.path / ORDER).read_bytes())
            return cls(**document)
        except (OSError, ValueError, TypeError):
            return None


def begin(
    run: Run, order: Order, command: Sequence[str], environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Start the command for a run; its output is added to the run's log.

    Raises:
        TrainingBusy: another one is at work.

    """
    with (run.path.parent / LOCK).open("a+b") as lock:
        _take(lock)
        replace(run.path / ORDER, json.dumps({**asdict(order), "given": now()}) + "\n")
        gentle = GENTLE if shutil.which(GENTLE[0]) else ()
        with (run.path / LOG).open("ab") as log:
            process = subprocess.Popen(
                [*gentle, *command],
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[lock.fileno()],
                start_new_session=True,
            )
        _note(lock, {"run": run.id, "pid": process.pid})
        return process


def at_work(folder: Path) -> str:
    """Return the id of the run that a process works on now; "" if none does."""
    return str(_holder(folder).get("run", ""))


def stop(folder: Path, run_id: str, number: signal.Signals = signal.SIGINT) -> bool:
    """Send a signal to the process of a run, and to all that it started; tell whether there is one.

    SIGINT lets it finish a step and keep what it has.
    """
    holder = _holder(folder)
    if holder.get("run") != run_id:
        return False
    with suppress(ProcessLookupError):
        os.killpg(int(holder["pid"]), number)
    return True


def _take(lock: IO[bytes]) -> None:
    for _ in range(TRIES):  # whoever only looks has it for a moment
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            lock.truncate(0)
            return
        time.sleep(PAUSE_SECONDS)
    raise TrainingBusy(run=_noted(lock).get("run", ""))


def _holder(folder: Path) -> dict[str, Any]:
    """Return what is noted in the lock, as long as somebody holds it."""
    try:
        with (folder / LOCK).open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _noted(lock)
    except FileNotFoundError:
        pass
    return {}


def _note(lock: IO[bytes], facts: Mapping[str, Any]) -> None:
    lock.write(json.dumps(facts).encode())
    lock.flush()


def _noted(lock: IO[bytes]) -> dict[str, Any]:
    lock.seek(0)
    try:
        noted = json.loads(lock.read())
    except ValueError:  # not written yet
        return {}
    return noted if isinstance(noted, dict) else {}
