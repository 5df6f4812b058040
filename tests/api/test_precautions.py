"""What keeps the API from listening, and what it tells whoever started it."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.engines.processes import clean_environment, finish
from tiza.api.precautions import check
from tiza.errors import SettingsError
from tiza.settings import Settings

STRONG = "0123456789abcdefghijklmnopqrstuvwxyz"
EVERYWHERE = "0.0.0.0"  # noqa: S104  # what is tested
CLOSED = {"host": EVERYWHERE, "auth_mode": "accounts", "secret_key": STRONG}
OIDC = {
    "auth_mode": "oidc",
    "oidc_issuer": "https://school.example",
    "oidc_client_id": "tiza",
    "public_url": "https://chat.school.example",
}


def refusal(given: Mapping[str, Any]) -> str:
    """Return what is said against these settings, empty if nothing."""
    try:
        check(Settings(_env_file=None, **given))  # type: ignore[call-arg]  # pydantic-settings' own
    except SettingsError as exc:
        return str(exc)
    return ""


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"host": "::1"},
        {"host": "localhost", "cors_origins": "*"},
        {"host": EVERYWHERE, "open_to_network": True},
        {"auth_mode": "accounts"},
        CLOSED,
        CLOSED | {"vllm_api_url": "http://vllm-server:8000", "vllm_api_key": "d41d8cd98f00b204"},
        CLOSED | {"database_url": "postgresql://tiza:Zk39fJq1@db/tiza"},
        OIDC,
        OIDC | {"oidc_issuer": "http://127.0.0.1:9000", "public_url": "http://localhost:8000"},
    ],
)
def test_nothing_is_said_when_the_settings_are_safe(given: Mapping[str, Any]) -> None:
    """This machine alone, or accounts with secrets of one's own, may be served."""
    assert refusal(given) == ""


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"host": EVERYWHERE}, "OPEN_TO_NETWORK"),
        ({"host": "192.168.1.7"}, "192.168.1.7"),
        ({"auth_mode": "accounts", "cors_origins": "https://a.example,*"}, "CORS_ORIGINS"),
        (OIDC | {"cors_origins": "*"}, "CORS_ORIGINS"),
        ({"auth_mode": "accounts", "secret_key": "short"}, "SECRET_KEY"),
        ({"auth_mode": "accounts", "secret_key": "abc" * 20}, "SECRET_KEY"),
        ({"metrics_key": "short"}, "METRICS_KEY"),
        (CLOSED | {"secret_key": ""}, "SECRET_KEY"),
        (CLOSED | {"vllm_api_url": "http://vllm-server:8000"}, "VLLM_API_KEY"),
        (CLOSED | {"vllm_api_url": "http://127.0.0.1:8080,http://b:8000"}, "VLLM_API_KEY"),
        ({"workers": 2}, "WORKERS"),
        (CLOSED | {"vllm_api_key": "changeme"}, "VLLM_API_KEY"),
        (CLOSED | {"database_url": "postgresql://tiza:postgres@db/tiza"}, "DATABASE_URL"),
        (CLOSED | {"redis_url": "redis://:password@redis:6379/0"}, "REDIS_URL"),
        (OIDC | {"oidc_client_id": ""}, "OIDC_CLIENT_ID"),
        (OIDC | {"public_url": ""}, "PUBLIC_URL"),
        (OIDC | {"oidc_issuer": "http://school.example"}, "OIDC_ISSUER"),
    ],
)
def test_variable_is_named_when_it_would_let_in_anybody(
    given: Mapping[str, Any], named: str
) -> None:
    """Each is refused in one sentence with its name, and no secret is repeated in it."""
    said = refusal(given)
    assert named in said
    assert len(said.splitlines()) == 3  # what cannot be used, the variable, where it comes from
    assert not any(secret in said for secret in ("changeme", "abcabc", ":password", ":postgres"))


def start(folder: Path, *command: str, **settings: object) -> subprocess.CompletedProcess[str]:
    """Start what should refuse to run."""
    return finish([sys.executable, "-m", *command], folder, clean_environment(**settings))


def test_api_ends_with_one_sentence_when_it_would_be_open_to_others(tmp_path: Path) -> None:
    """`python -m tiza.api` does not listen on another address in `open` mode."""
    done = start(tmp_path, "tiza.api", host=EVERYWHERE)
    assert done.returncode == 1
    assert "OPEN_TO_NETWORK=true" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "var").exists()


def test_local_stack_ends_with_one_sentence_when_it_would_be_open_to_others(
    tmp_path: Path,
) -> None:
    """`tiza up` says the same before it starts anything."""
    done = start(tmp_path, "tiza", "up", host=EVERYWHERE)
    assert done.returncode == 1
    assert "OPEN_TO_NETWORK=true" in done.stderr
    assert not (tmp_path / "var").exists()


def test_secrets_are_masked_when_settings_are_shown(tmp_path: Path) -> None:
    """No secret is printed, in whatever form the settings are."""
    secrets = {"secret_key": STRONG, "oidc_client_secret": "hidden-one"}
    done = start(tmp_path, "tiza", "config", "show", "--json", **secrets)
    assert done.returncode == 0
    assert STRONG not in done.stdout
    assert "hidden-one" not in done.stdout
    given: dict[str, Any] = {"_env_file": None, **secrets}
    assert STRONG not in repr(Settings(**given))
