"""The Compose files as they are written: nothing is forgotten, nothing is open by accident."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tiza.settings import Settings

FILES = ("compose.yaml", "compose.production.yaml")
# Settings that mean something else inside a container, or nothing.
FIXED = {"HOST", "PORT", "VLLM_PORT", "VAR_PATH", "MODELS_PATH", "TAXONOMY_PATH", "LOG_FORMAT"}
ENGINES = {"VLLM_GPU_MEMORY", "VLLM_DTYPE", "LLAMA_SLOTS"}
ELSEWHERE = {"HF_ENDPOINT", "HF_TOKEN"}  # of the verb `tiza model pull`
ONE_SHOT = {"engine-ready", "trainer"}
SECRETS = {
    "VLLM_API_KEY": "k" * 32,
    "SECRET_KEY": "s" * 32,
    "POSTGRES_PASSWORD": "p",
    "REDIS_PASSWORD": "r",
    "PUBLIC_URL": "https://chat.school.example",
    "SSL_CERT_PATH": "/certificate.pem",
    "SSL_KEY_PATH": "/key.pem",
}


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    """Read the services of compose.yaml."""
    document = yaml.safe_load(Path("compose.yaml").read_text("utf-8"))
    return dict(document["services"])


def test_every_setting_reaches_the_api_when_it_can_be_set_there(
    services: dict[str, dict[str, Any]],
) -> None:
    """A setting that Compose does not hand on would be ignored without a word."""
    production = yaml.safe_load(Path("compose.production.yaml").read_text("utf-8"))["services"]
    given = [
        *services["chatbot-backend"]["environment"],
        *production["chatbot-backend"]["environment"],
    ]
    names = {entry.partition("=")[0] for entry in given}
    every = {name.upper() for name in Settings.model_fields}
    assert every - names - FIXED - ENGINES - ELSEWHERE == set()
    assert names - every == {"PUBLISH_ON"}


def test_each_service_is_closed_when_it_runs(services: dict[str, dict[str, Any]]) -> None:
    """No capability, no root, nothing to write on, a bound on memory; names and ports are fixed."""
    assert {"vllm-server", "chatbot-backend", "chatbot-frontend"} <= set(services)
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "chatbot-network" in service["networks"], name
        assert service["restart"] == ("no" if name in ONE_SHOT else "unless-stopped"), name
        assert service["mem_limit"], name
        assert service["logging"]["options"]["max-size"] == "10m", name
        assert re.search(r":[^:/]*\d|TIZA_TAG", service["image"]), f"{name} has no pinned tag"


def test_ports_are_on_this_machine_alone_unless_somebody_chose_otherwise(
    services: dict[str, dict[str, Any]],
) -> None:
    """Only the page's can be published elsewhere, by one variable that the API knows as well."""
    for name, service in services.items():
        for port in service.get("ports", []):
            start = "${PUBLISH_ON:-127.0.0.1}:" if name == "chatbot-frontend" else "127.0.0.1:"
            assert port.startswith(start), f"{name} {port}"


def test_compose_accepts_the_files_and_names_what_is_missing(tmp_path: Path) -> None:
    """What must be set is refused with a sentence that says how to make it."""
    if shutil.which("docker-compose") is None:
        pytest.skip("needs docker-compose: apt-get install docker-compose")
    (tmp_path / "env").touch()
    words = ["docker-compose", "--env-file", str(tmp_path / "env"), "-f", FILES[0]]
    clean = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    missing = subprocess.run(
        [*words, "config", "-q"], env=clean, capture_output=True, text=True, check=False
    )
    assert missing.returncode != 0
    assert "openssl rand -hex 32" in missing.stderr
    both = [*words, "-f", FILES[1], "--profile", "gpu", "--profile", "postgres"]
    done = subprocess.run(
        [*both, "--profile", "redis", "config"],
        env=clean | SECRETS,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "postgresql://tiza:p@postgres:5432/tiza" in done.stdout


def test_env_file_has_a_secret_for_each_that_is_empty_when_it_is_made(tmp_path: Path) -> None:
    """No two are alike, and nobody else may read them."""
    made = tmp_path / ".env"
    subprocess.run(
        [sys.executable, "tools/env_file.py", ".env.example", made], check=True, capture_output=True
    )
    values = dict(
        line.split("=", 1) for line in made.read_text().splitlines() if re.match("[A-Z]", line)
    )
    secrets = [value for name, value in values.items() if name.endswith(("_KEY", "_PASSWORD"))]
    assert len(secrets) == len(set(secrets)) == 6
    assert all(len(secret) == 64 for secret in secrets)
    assert made.stat().st_mode & 0o077 == 0
    assert Settings(_env_file=made).vllm_api_key.get_secret_value() in secrets  # type: ignore[call-arg]  # pydantic-settings' own


@pytest.mark.parametrize(
    ("published", "environment", "starts"),
    [
        ("127.0.0.1", {}, True),
        ("0.0.0.0", {}, False),  # noqa: S104  # a value, not bound
        ("0.0.0.0", {"AUTH_MODE": "accounts", "SECRET_KEY": "0123456789abcdef" * 2}, True),  # noqa: S104  # as above
    ],
)
def test_api_starts_without_accounts_only_when_the_page_is_published_on_this_machine(
    published: str, environment: dict[str, str], starts: bool, tmp_path: Path
) -> None:
    """The entry point of the image says so to the API, whose own rule refuses the rest."""
    checking = (
        "from tiza.settings import load; from tiza.api.precautions import check; check(load())"
    )
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{checking}"\n')
    python.chmod(0o755)
    given = {"PUBLISH_ON": published, "HOST": "0.0.0.0", "VLLM_API_KEY": "0123456789abcdef"}  # noqa: S104  # in the container
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(Path("src").resolve())}
    done = subprocess.run(
        ["/bin/sh", Path("deploy/api/start.sh").resolve()],
        env=given | path | environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) is starts, done.stderr
    assert starts or "AUTH_MODE" in done.stderr
