"""The peers: each pinned, in an environment of its own under var/bench, made when it is first used.

A peer that cannot be installed ends the benchmark with that sentence: no figure of another day
stands in for it. The services among them are configured as their own pages for production say; the
configuration is in benchmarks/peers.
"""

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PLACE = Path("var/bench").absolute()
CONFIGURATION = Path(__file__).with_name("peers")
TORCH = "torch==2.13.0"  # has a build for CPUs where one is found; an unpinned one brings CUDA
PINS = {
    "litellm": ("litellm[proxy]==1.84.10",),  # 1.82.7, 1.82.8 and 1.107.0 carried malware
    "open-webui": (TORCH, "open-webui==0.12.4"),
    "sdg-hub": ("sdg-hub==0.9.4", "litellm==1.84.10"),
    "py-spy": ("py-spy==0.4.3",),
    "trl": (TORCH, "trl==1.16.0", "peft==0.21.2", "transformers==5.23.0"),
}
KEY = "sk-of-this-benchmark-alone"


@dataclass(frozen=True)
class Service:
    """A service to be started: its command, its settings, and a path that answers once it is up."""

    command: list[str]
    health: str = "/health/live"
    environment: Mapping[str, str] = field(default_factory=dict)


def programs(name: str) -> Path:
    """Return the folder of a peer's programs; install it first if it is not there as pinned."""
    place = PLACE / f"venv-{name}"
    pinned, mark = "\n".join(PINS[name]), place / "pinned.txt"
    if not mark.is_file() or mark.read_text("utf-8") != pinned:
        print(f"Installing {name} into {place} (once) …", flush=True)
        venv.create(place, clear=True, with_pip=True)
        pip = [str(place / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
        if subprocess.run([*pip, "install", "--quiet", *PINS[name]], check=False).returncode:
            sys.exit(f"{name} cannot be installed here, and without it nothing is measured.")
        mark.write_text(pinned, "utf-8")
    return place / "bin"


def size(name: str) -> float:
    """Return what a peer's environment takes on the disk, in MB, without what pip itself takes."""
    every = (path for path in programs(name).parent.rglob("*") if "/pip" not in str(path))
    return sum(path.lstat().st_size for path in every if path.is_file()) / 1e6


def settings(name: str) -> dict[str, str]:
    """Read the settings of a peer: lines of NAME=value."""
    lines = (CONFIGURATION / f"{name}.env").read_text("utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {key: value for key, _, value in pairs}


def litellm(port: int, upstream: str) -> Service:
    """Describe LiteLLM's proxy, without its database, which it does not need to pass on answers."""
    config = CONFIGURATION / "litellm.yaml"
    command = [str(programs("litellm") / "litellm"), "--config", str(config)]
    command += ["--host", "127.0.0.1", "--port", str(port), "--num_workers", "1"]
    given = {"UPSTREAM": f"{upstream}/v1", "LITELLM_MASTER_KEY": KEY}
    return Service(command, "/health/liveliness", settings("litellm") | given)


def open_webui(port: int, upstream: str) -> Service:
    """Describe the back end of Open WebUI, with a fresh database."""
    data = PLACE / "open-webui"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    command = [str(programs("open-webui") / "open-webui"), "serve", "--host", "127.0.0.1"]
    given = {"OPENAI_API_BASE_URL": f"{upstream}/v1", "DATA_DIR": str(data)}
    given |= {"WEBUI_SECRET_KEY": KEY, "HOME": os.environ.get("HOME", str(data))}
    return Service([*command, "--port", str(port)], "/health", settings("open-webui") | given)
