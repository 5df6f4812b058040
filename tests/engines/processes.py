"""Real processes in tests: started with a clean environment, waited for, ended to the last child.

Nothing here waits for a time: it waits for a condition, with a deadline that only a defect meets.
"""

import asyncio
import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import psutil

from tiza.settings import Settings

DEADLINE = 40.0  # seconds; two busy cores, a model to load
TIZA = [sys.executable, "-m", "tiza"]

T = TypeVar("T")
Install = Callable[[str, str], Path]  # a program's name and its shell script


def wait_for(condition: Callable[[], T | None], what: str = "", deadline: float = DEADLINE) -> T:
    """Return the condition's first true value."""
    end = time.monotonic() + deadline
    while not (value := condition()):
        assert time.monotonic() < end, f"not within {deadline} s: {what or condition}"
        time.sleep(0.02)
    return value


async def until(condition: Callable[[], T | None], what: str = "", deadline: float = DEADLINE) -> T:
    """Return the condition's first true value; the loop goes on meanwhile."""
    end = time.monotonic() + deadline
    while not (value := condition()):
        assert time.monotonic() < end, f"not within {deadline} s: {what or condition}"
        await asyncio.get_running_loop().run_in_executor(None, time.sleep, 0.02)
    return value


def free_port() -> int:
    """Return a port of loopback on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def listener(host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """Take a port, as another program would."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as taken:
        taken.bind((host, port))
        taken.listen()
        yield taken.getsockname()[1]


def put_program(folder: Path, name: str, script: str) -> Path:
    """Write a shell script that can be run."""
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    program.chmod(0o755)
    return program


def clean_environment(**given: object) -> dict[str, str]:
    """Return the environment without any setting, locale or proxy of this machine, plus `given`."""
    mine = {name.upper() for name in Settings.model_fields}
    mine |= {"LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "TIZA_LANG"}
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.upper() not in mine and not name.lower().endswith("_proxy")
    }
    return kept | {"TIZA_LANG": "en"} | {name: str(value) for name, value in given.items()}


def tree(pid: int) -> list[psutil.Process]:
    """Return a process and all below it, to ask later whether they are gone."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def alive(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Return those that still run; a zombie does not."""
    return [p for p in processes if _runs(p)]


def _runs(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


async def gone(processes: Sequence[psutil.Process]) -> None:
    """Wait until none runs: the system takes a moment to end what was killed."""
    await until(lambda: not alive(processes), "no process is left", 5)


def commands(processes: Sequence[psutil.Process]) -> dict[str, psutil.Process]:
    """Return Tiza's own processes by the module that they run."""
    found = {}
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            line = process.cmdline()
            if "-m" in line:
                found[line[line.index("-m") + 1]] = process
    return found


@dataclass(frozen=True)
class Reply:
    """What a server answered; the names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        """The content as JSON."""
        return json.loads(self.content)


def ask(
    port: int,
    path: str,
    body: object = None,
    headers: Mapping[str, str] | None = None,
    method: str | None = None,
) -> Reply:
    """Send one request to loopback, past any proxy: POST with a body, else GET."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
    with contextlib.closing(connection):
        connection.request(
            method or ("GET" if body is None else "POST"),
            path,
            None if body is None else json.dumps(body),
            {"Content-Type": "application/json", **(headers or {})},
        )
        answer = connection.getresponse()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, names, answer.read())


def answers(port: int, path: str = "/health") -> bool:
    """Tell whether a server answers 200."""
    try:
        return ask(port, path).status == 200
    except (OSError, http.client.HTTPException):
        return False


class Program:
    """A command in a session of its own; its lines are collected as they come."""

    def __init__(
        self, command: Sequence[str], cwd: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment or clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
        self.lines: list[str] = []
        self.seen: dict[int, psutil.Process] = {}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.record()
        for process in alive([*self.seen.values()]):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.kill()
        self.process.wait()
        self._reader.join(DEADLINE)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def text(self) -> str:
        """Everything said so far."""
        return "\n".join(self.lines)

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    def record(self) -> list[psutil.Process]:
        """Remember every process below, so that none is lost when its parent goes."""
        with contextlib.suppress(psutil.NoSuchProcess):
            self.seen |= {process.pid: process for process in tree(self.pid)}
        return [*self.seen.values()]

    def part(self, module: str) -> psutil.Process:
        """Return the newest child that runs a module."""
        return wait_for(lambda: commands(alive(self.record())).get(module), f"a {module} process")

    def says(self, pattern: str, times: int = 1) -> str:
        """Wait until lines match, and return the last; fails at once if the program ends before."""

        def enough() -> str:
            found = [line for line in self.lines if re.search(pattern, line)]
            if len(found) >= times:
                return found[-1]
            assert self.process.poll() is None or self._reader.is_alive(), self.text
            return ""

        return wait_for(enough, f"{pattern!r} in:\n{self.text}")

    def ends(self, deadline: float = DEADLINE) -> int:
        """Wait for the end and return the exit status."""
        status = self.process.wait(deadline)
        self._reader.join(deadline)
        return status

    def interrupt(self) -> None:
        """Press Ctrl-C, after remembering who is there."""
        self.record()
        self.process.send_signal(signal.SIGINT)

    def leaves_nothing(self) -> None:
        """Check that everything that was ever seen below is gone."""
        wait_for(lambda: not alive([*self.seen.values()]), "no process is left")


def finish(
    command: Sequence[str], cwd: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        command,
        cwd=cwd,
        env=environment or clean_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=DEADLINE,
        check=False,
    )
