"""The Compose files, run by the real docker-compose against a Docker engine.

Knows how to start and look at a stack; knows nothing of what is asked of it.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.conftest import free_port
from tests.deploy.docker_engine import STATE, Docker
from tiza.models.find import find
from tiza.settings import Settings

ROOT = Path(__file__).parents[2]
READY_SECONDS = 600  # the machine may be busy


class Stack:
    """One project with an environment of its own; every port is on this machine's loopback."""

    def __init__(self, docker: Docker, name: str, *files: str, **settings: str) -> None:
        self.docker, self.name = docker, name
        self.page, self.api, self.engine, self.tls, self.monitor = (free_port() for _ in range(5))
        self.folder = STATE / name
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "models" / "samples_0").mkdir(parents=True)
        shipped = find("shipped", ROOT / "models").gguf
        assert shipped is not None
        shutil.copy(shipped, self.folder / "models" / "samples_0" / "model.gguf")
        self.settings = {
            "COMPOSE_PROJECT_NAME": name,
            "HEALTH_INTERVAL": "3s",
            "PUBLISH_ON": "127.0.0.1",
            "FRONTEND_PORT": str(self.page),
            "BACKEND_PORT": str(self.api),
            "VLLM_PORT": str(self.engine),
            "HTTPS_PORT": str(self.tls),
            "PROMETHEUS_PORT": str(self.monitor),
            "METRICS_KEY": "fedcba9876543210" * 2,
            "VLLM_API_KEY": "0123456789abcdef" * 2,
            "MODELS_PATH": str(self.folder / "models"),
            "MODEL_PATH": "samples_0",
            "VLLM_MAX_MODEL_LEN": "1024",
            **settings,
        }
        self.words = ["docker-compose", "--project-directory", str(ROOT)]
        self.words += ["--env-file", str(self.folder / "env")]
        self.words += [word for file in files for word in ("-f", str(ROOT / file))]
        lines = [f"{key}={value}" for key, value in self.settings.items()]
        (self.folder / "env").write_text("\n".join(lines) + "\n")
        self.environment = _without_settings(docker.environment)

    def compose(self, *words: object) -> str:
        """Run docker-compose; fail with its last words if it fails."""
        command = [*self.words, *map(str, words)]
        done = subprocess.run(command, env=self.environment, capture_output=True, check=False)
        last = (done.stdout + done.stderr).decode("utf-8", "replace")[-3000:]
        assert done.returncode == 0, f"{words}: {last}"
        return done.stdout.decode("utf-8", "replace").strip()

    def ids(self, service: str) -> list[str]:
        """Return the containers of a service, running or not."""
        labels = {"project": self.name, "service": service}
        filters = [f"--filter=label=com.docker.compose.{key}={labels[key]}" for key in labels]
        return self.docker("ps", "--all", "--quiet", "--no-trunc", *filters).split()

    def seen(self, service: str) -> dict[str, Any]:
        """Return what Docker knows of the (first) container of a service."""
        return dict(json.loads(self.docker("inspect", self.ids(service)[0]))[0])

    def is_healthy(self, service: str, count: int = 1) -> bool:
        """Tell whether that many containers of a service are well."""
        template = "{{.State.Health.Status}}"
        states = [self.docker("inspect", "--format", template, i) for i in self.ids(service)]
        return states.count("healthy") >= count

    def logs(self) -> str:
        """Return what all have written."""
        return self.compose("logs", "--no-color", "--tail", 60)

    def wait(self, condition: Callable[[], object], what: str) -> float:
        """Wait until something holds; return for how many seconds."""
        started = time.monotonic()
        while not condition():
            assert time.monotonic() < started + READY_SECONDS, f"{what}\n{self.logs()}"
            time.sleep(0.3)
        return time.monotonic() - started

    def up(self, *words: object) -> float:
        """Start, wait until the page is well, and return for how many seconds."""
        started = time.monotonic()
        try:
            self.compose("up", "-d", "--no-build", *words)
        except AssertionError as exc:
            raise AssertionError(f"{exc}\n{self.logs()}") from None
        self.wait(lambda: self.is_healthy("chatbot-frontend"), "the page is not well")
        return time.monotonic() - started

    def removed(self) -> None:
        """Take everything away, volumes too."""
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", 5)


def _without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave out what would win over the stack's own file."""
    ours = {name.upper() for name in Settings.model_fields}
    return {
        name: value
        for name, value in environment.items()
        if name not in ours and not name.startswith("COMPOSE_")
    } | {"COMPOSE_HTTP_TIMEOUT": "300", "PATH": os.environ["PATH"]}
