"""What an operator does by hand, in a fresh copy of the project: `make test-deploy`.

The thin words of the Makefile, and a model that is taught in a container and then answers.
"""

import json
import os
import re
import shutil
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.api.teaching.school import plant
from tests.conftest import free_port
from tests.deploy.docker_engine import STATE, Docker
from tests.deploy.report import Report
from tests.deploy.stack import ROOT, Stack

TRAINER = (1234, 1234)  # nobody in particular


@pytest.fixture
def copy() -> Path:
    """Copy what git keeps, and nothing else, to where no `.env` lies."""
    folder = STATE / "copy"
    shutil.rmtree(folder, ignore_errors=True)
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def test_make_starts_shows_and_stops_the_stack(
    docker: Docker, images: None, copy: Path, report: Report
) -> None:
    """`.env` is made with secrets; what stands in it counts; what is kept outlives `make down`."""
    page, engine = free_port(), free_port()
    make = partial(_make, docker, copy)
    make(".env")
    environment = copy / ".env"
    text = environment.read_text()
    for name, value in {
        "COMPOSE_PROJECT_NAME": "tiza-make",
        "COMPOSE_PROFILES": "cpu",
        "FRONTEND_PORT": page,
        "BACKEND_PORT": free_port(),
        "VLLM_PORT": engine,
    }.items():
        text = re.sub(rf"^{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
    environment.write_text(f"{text}\nNETWORK_PREFIX=172.28.217\nHEALTH_INTERVAL=3s\n")
    try:
        make("up")
        shown = make("ps")
        assert f"127.0.0.1:{engine}->8000" in shown
        assert len(re.findall("chatbot-backend.*healthy", shown)) == 1
        with urllib.request.urlopen(f"http://127.0.0.1:{page}/api/health") as answer:
            assert json.load(answer)["status"] == "healthy"
    finally:
        make("down")
    labels = "label=com.docker.compose.project=tiza-make"
    assert not docker("ps", "--all", "--quiet", "--filter", labels)
    kept = docker("volume", "ls", "--quiet", "--filter", labels).split()
    assert "tiza-make_var" in kept
    docker("volume", "rm", *kept)
    report.note("`make up`, `ps`, `down`", "`make up`, `ps`, `down`", "✓")


def _make(docker: Docker, folder: Path, word: str) -> str:
    names = ("PATH", "HOME", "DOCKER_HOST")
    given = {name: docker.environment[name] for name in names if name in docker.environment}
    command = ["make", "-C", str(folder), word]
    done = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout


@pytest.fixture
def trainer(docker: Docker, images: None, report: Report) -> None:
    """Build the trainer's image, with torch for the CPU from where this machine has it."""
    wheels = [
        folder
        for folder in map(Path, os.environ.get("PIP_FIND_LINKS", "").split())
        if any(folder.glob("torch-2.13.0+cpu-cp311-*.whl"))
    ]
    if not wheels:
        pytest.skip("torch for the CPU alone is not at hand; the other one brings gigabytes")
    with _index(wheels[0]) as address:
        docker(
            *("build", "-q", "--network", "host", "-t", "tiza/trainer:local"),
            *("-f", ROOT / "deploy/api/Dockerfile", "--target", "trainer"),
            *("--build-arg", "TORCH=cpu", "--build-arg", f"PIP_EXTRA_INDEX_URL={address}"),
            ROOT,
        )
    size = int(docker("image", "inspect", "--format", "{{.Size}}", "tiza/trainer:local"))
    report.note(
        "Image `trainer` (`TORCH=cpu`): size",
        "Imagen `trainer` (`TORCH=cpu`): tamaño",
        f"{size / 1_048_576:.0f} MiB",
    )


@contextmanager
def _index(wheels: Path) -> Iterator[str]:
    """Serve a folder of wheels as an index of packages that has only torch."""
    root = STATE / "index"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    (root / "torch").symlink_to(wheels)
    handler = partial(_Silent, directory=str(root))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
        pass


def test_model_answers_when_it_was_taught_in_a_container(
    docker: Docker, trainer: None, report: Report
) -> None:
    """By whoever owns the models, in a container as closed as the others; the API sees the run."""
    stack = Stack(
        docker,
        "tiza-trainer",
        "compose.yaml",
        COMPOSE_PROFILES="cpu",
        NETWORK_PREFIX="172.28.218",
        TRAINER_RUNTIME="runc",
        TRAINER_USER="{}:{}".format(*TRAINER),
        TAXONOMY_PATH=str(plant(STATE / "school")),
        MODEL_PATH="samples_1",
    )
    models = stack.folder / "models"
    os.chown(models, *TRAINER)
    started = time.monotonic()
    try:
        teach = ("run", "--rm", "trainer", "teach", "--pipeline", "seeds", "--force", "--json")
        stack.compose(*teach)
        seconds = time.monotonic() - started
        assert (models / "samples_1").stat().st_uid == TRAINER[0]
        stack.up()
        run = json.loads((models / "samples_1" / "tiza.json").read_text())["run"]
        report_card = f"/srv/tiza/var/runs/{run}/report.html"
        assert "<html" in docker("exec", stack.ids("chatbot-backend")[0], "cat", report_card)
        with urllib.request.urlopen(f"http://127.0.0.1:{stack.page}/api/models") as answer:
            assert json.load(answer)["active_model"] == "samples_1"
    finally:
        stack.removed()
        shutil.rmtree(STATE / "school")
    report.note(
        "Model taught by `trainer`, then served",
        "Modelo enseñado por `trainer`, después servido",
        f"✓ ({seconds:.0f} s)",
    )
