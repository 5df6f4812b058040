"""A Docker engine for the tests: the one that runs, else one of our own under `var/deploy`.

Knows how to start it and to run commands against it; knows no image.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STATE = Path("var/deploy").resolve()
START_SECONDS = 60
PROGRAMS = ("docker", "docker-compose", "debootstrap", "iptables")


class Docker:
    """Runs `docker` and other programs with the engine's address in their environment."""

    def __init__(self, address: str | None) -> None:
        self.environment = dict(os.environ) | ({"DOCKER_HOST": address} if address else {})

    def __call__(self, *words: object, data: bytes | None = None) -> str:
        """Run `docker WORDS` and return what it says."""
        return self.run("docker", *words, data=data)

    def run(self, *words: object, data: bytes | None = None) -> str:
        """Run a command; fail with its last words if it fails."""
        command = [str(word) for word in words]
        done = subprocess.run(
            command, input=data, env=self.environment, capture_output=True, check=False
        )
        last = (done.stdout + done.stderr).decode("utf-8", "replace")[-3000:]
        assert done.returncode == 0, f"{' '.join(command)[:200]}: {last}"
        return done.stdout.decode("utf-8", "replace").strip()

    def answers(self) -> bool:
        """Tell whether an engine is there."""
        command = ["docker", "info"]
        done = subprocess.run(command, env=self.environment, capture_output=True, check=False)
        return done.returncode == 0


def why_not() -> str:
    """Return why no engine can be had here; empty if one can."""
    if shutil.which("docker") and shutil.which("docker-compose") and Docker(None).answers():
        return ""
    if os.geteuid() != 0:
        return "no Docker engine is running, and only root can start one"
    missing = [name for name in (*PROGRAMS, "dockerd") if not shutil.which(name)]
    if missing:
        return f"missing: {', '.join(missing)} (apt-get install docker.io docker-compose …)"
    return ""


@contextmanager
def docker_engine() -> Iterator[Docker]:
    """Use the engine that runs, or start one for the length of the block."""
    if Docker(None).answers():
        yield Docker(None)
        return
    STATE.mkdir(parents=True, exist_ok=True)
    docker = Docker(f"unix://{STATE / 'docker.sock'}")
    folders = {"data-root": "data", "exec-root": "exec", "pidfile": "docker.pid"}
    options = [f"--{name}={STATE / place}" for name, place in folders.items()]
    command = ["dockerd", *options, f"--host={docker.environment['DOCKER_HOST']}"]
    with (STATE / "docker.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            _wait(docker, process)
            yield docker
        finally:
            process.terminate()
            process.wait()


def _wait(docker: Docker, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while not docker.answers():
        log = STATE / "docker.log"
        assert process.poll() is None, log.read_text()[-2000:]
        assert time.monotonic() < end, "the Docker engine did not start"
        time.sleep(0.2)
