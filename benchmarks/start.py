"""How long the parts take to start and what they weigh, beside their floor and beside peers.

    python benchmarks/start.py [--rounds 5] [--peers litellm open-webui]

The first table: `api` is from the start of the process to the first answer of GET /health/live; its
floor is a Python that only imports fastapi and uvicorn. `tiza --help` has a bare Python as its
floor. The second: each service as it is configured in `peer.py`, from its start to its first
healthy answer, with a database that is there; its memory right after that (with all processes); the
processor time that it takes while nobody asks, from three seconds later; its packages on the disk
(ours without the model that ships, since the others have none); and what a browser without a cache
fetches for its first page, each file gzipped. Rounds alternate; the tables show medians. Writes
var/bench/start.json.
"""

import argparse
import compileall
import gzip
import os
import re
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from playwright.sync_api import Response, sync_playwright

import peer
from record import Row, keep
from streaming import cpu, free_port, memory, running, upstream_of

IMPORTS = "import fastapi, uvicorn, os; os._exit(0)"
SETTLE_SECONDS, WATCHED_SECONDS = 3.0, 10.0
ROOT = Path(__file__).resolve().parent.parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]

Described = tuple[peer.Service, int, list[str]]  # its port, and what it imports, as a command


def started(service: peer.Service, port: int, watched: float = 0) -> dict[str, float]:
    """Start a service and stop it; return seconds to its first answer, and its memory then (MB).

    With `watched` (s) also the CPU that it takes while nobody asks, in ms a second.
    """
    begun = time.perf_counter()
    health = f"http://127.0.0.1:{port}{service.health}"
    with running(service.command, health, service.environment, every=0.01) as pid:
        found = {"seconds": time.perf_counter() - begun, "mb": memory(pid)}
        if watched:
            time.sleep(SETTLE_SECONDS)
            before = cpu(pid)
            time.sleep(watched)
            found["idle"] = (cpu(pid) - before) / watched * 1e3
    return found


def command(*words: str, environment: Mapping[str, str] | None = None) -> float:
    """Run a command to its end; return its seconds."""
    begun = time.perf_counter()
    nowhere = subprocess.DEVNULL
    subprocess.run(words, stdout=nowhere, stderr=nowhere, check=True, env=environment)
    return time.perf_counter() - begun


def tiza(upstream: str, *flags: str) -> Described:
    """Describe our API; with `--page` it serves the page, too."""
    port = free_port()
    environment = {"PORT": str(port), "LOG_LEVEL": "warning", "VLLM_API_URL": upstream}
    service = peer.Service(
        [sys.executable, "-m", "tiza.api", *flags],
        environment=environment | {"VAR_PATH": tempfile.mkdtemp()},
    )
    return service, port, [sys.executable, "-c", "import tiza.api.app"]


def others(upstream: str, names: list[str]) -> dict[str, Described]:
    """Describe the peers that were named."""
    found: dict[str, Described] = {}
    if "litellm" in names:
        port = free_port()
        python = str(peer.programs("litellm") / "python")
        imports = [python, "-c", "import litellm.proxy.proxy_server"]
        found["LiteLLM"] = peer.litellm(port, upstream), port, imports
    if "open-webui" in names:
        port = free_port()
        python = str(peer.programs("open-webui") / "python")
        imports = [python, "-c", "import open_webui.main"]
        found["Open WebUI"] = peer.open_webui(port, upstream), port, imports
    return found


def parts(rounds: int) -> list[dict[str, Any]]:
    """Return, for each part, the medians of ours and of its floor, in seconds."""
    python = sys.executable

    def api() -> float:
        service, port, _ = tiza("http://127.0.0.1:9")
        return started(service, port)["seconds"]

    measures: dict[str, tuple[Callable[[], float], Callable[[], float]]] = {
        "api": (api, lambda: command(python, "-c", IMPORTS)),
        "tiza --help": (
            lambda: command(python, "-m", "tiza", "--help"),
            lambda: command(python, "-c", "pass"),
        ),
    }
    rows = []
    for name, (ours, floor) in measures.items():
        pairs = [(ours(), floor()) for _ in range(rounds + 1)][1:]  # the first one warms up
        mine, least = (statistics.median(column) for column in zip(*pairs, strict=True))
        rows.append({"part": name, "seconds": mine, "floor": least, "ratio": mine / least})
    return rows


def services(rounds: int, names: list[str]) -> list[dict[str, Any]]:
    """Return what each service takes to start, and what it weighs."""
    with upstream_of(50) as upstream:
        all_of_them = {"tiza": tiza(upstream, "--page")} | others(upstream, names)
        samples: dict[str, list[dict[str, float]]] = {name: [] for name in all_of_them}
        for _ in range(rounds + 1):
            for name, (service, port, imports) in all_of_them.items():
                seconds = {"import": command(*imports, environment=_whole(service))}
                samples[name].append(seconds | started(service, port, WATCHED_SECONDS))
        pages = {name: page(*all_of_them[name][:2]) for name in all_of_them if name != "LiteLLM"}
    return [
        {"service": name, **_medians(found[1:]), "installed_mb": size(name), **pages.get(name, {})}
        for name, found in samples.items()
    ]


def size(name: str) -> float:
    """Return what a service takes on the disk, in MB."""
    return our_size() if name == "tiza" else peer.size(name.lower().replace(" ", "-"))


def _whole(service: peer.Service) -> dict[str, str]:
    return {**os.environ, **service.environment}


def _medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {key: statistics.median(r[key] for r in rounds) for key in rounds[0]}


def page(service: peer.Service, port: int) -> dict[str, float]:
    """Open the first page in a browser; return its files, and their KB gzipped."""
    url = f"http://127.0.0.1:{port}"
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("The weight of a page needs Chromium: apt-get install chromium")
    seen: list[Response] = []
    with (
        running(service.command, url + service.health, service.environment),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        tab = browser.new_page()
        tab.on("response", lambda response: seen.append(response))  # noqa: PLW0108  # it marks it
        tab.goto(f"{url}/", wait_until="networkidle")
        files = [len(gzip.compress(r.body())) for r in seen if r.ok and url in r.url]
        browser.close()
    return {"page_kb": sum(files) / 1e3, "page_files": len(files)}


def our_size() -> float:
    """Return what the packages of requirements/run.txt and our own files take, in MB."""
    pins = (ROOT / "requirements" / "run.txt").read_text("utf-8")
    total = 0
    for name in re.findall(r"^([a-z0-9._-]+)==", pins, re.MULTILINE):
        try:
            files = distribution(name).files or []
        except PackageNotFoundError:  # of another system
            continue
        total += sum(_bytes(Path(str(file.locate()))) for file in files)
    own = (path for folder in ("src", "web") for path in (ROOT / folder).rglob("*"))
    return (total + sum(map(_bytes, own))) / 1e6


def _bytes(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def report(rows: list[dict[str, Any]], found: list[dict[str, Any]]) -> None:
    """Print the tables and write the JSON."""
    ours: list[Row] = [
        {"part": r["part"], "s": r["seconds"], "s floor": r["floor"], "times": r["ratio"]}
        for r in rows
    ]
    beside: list[Row] = [
        {
            "service": r["service"],
            "s to start": r["seconds"],
            "s to import": r["import"],
            "MB idle": r["mb"],
            "ms/s idle": r["idle"],
            "MB installed": r["installed_mb"],
            "KB page": r.get("page_kb", ""),
            "files": r.get("page_files", ""),
        }
        for r in found
    ]
    tables = {
        "Services, as configured for production": beside,
        "Seconds to start, beside the interpreter and imports alone": ours,
    }
    keep("start", tables, {"parts": rows, "services": found}, "s to start")


def main() -> None:
    """Print the tables and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    every = ["litellm", "open-webui"]
    parser.add_argument("--peers", nargs="*", choices=every, default=every)
    args = parser.parse_args()
    for folder in (sysconfig.get_path("purelib"), "src"):  # as an installer leaves them
        compileall.compile_dir(folder, quiet=2)
    report(parts(args.rounds), services(min(args.rounds, 3), args.peers))


if __name__ == "__main__":
    main()
