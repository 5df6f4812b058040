"""The page's unit tests, run by Node.js, and the weight of its first visit."""

import gzip
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
UNITS = sorted(Path(__file__).parent.glob("*.test.js"))
FIRST_LOAD_BYTES, EVERYTHING_BYTES = 60 * 1024, 64 * 1024
IMPORT = re.compile(r'^import .*?from "(.+?)";', re.MULTILINE | re.DOTALL)
DEADLINE = 100.0


@pytest.fixture(scope="session")
def node() -> str:
    """Path of Node.js: the machine's or the environment's, as for the set-up of the page."""
    command = [sys.executable, "tools/vendor.py", "--node"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_unit_passes_when_node_runs_it(unit: Path, node: str) -> None:
    """Every unit test of a module passes; otherwise Node's own report is shown."""
    command = [node, "--test", "--test-reporter=spec", unit.relative_to(ROOT).as_posix()]
    run = subprocess.run(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=DEADLINE,
        check=False,
    )
    if run.returncode:
        pytest.fail(run.stdout + run.stderr, pytrace=False)
    passed = re.search(r"^. pass (\d+)$", run.stdout, re.MULTILINE)
    assert passed, run.stdout
    assert int(passed[1]) > 0, "a file without a test"


def test_units_exist_when_they_are_collected() -> None:
    """A moved folder must not make these tests pass by running none."""
    assert len(UNITS) >= 8


@pytest.mark.parametrize("language", ["en", "es"])
def test_first_load_is_light_when_everything_is_counted(language: str) -> None:
    """At most 60 KB gzipped before the first message, and little more with everything.

    Page, styles, drawings and one catalogue count from the start; so do the modules that the page
    imports at once. What shows answers, its libraries included, comes with the first of them.
    """
    others = {path for path in (WEB / "i18n").glob("*.json") if path.stem != language}
    kinds = {".html", ".css", ".svg", ".js", ".json"}
    files = {path for path in WEB.rglob("*") if path.suffix in kinds} - others
    weights = {path.name: len(gzip.compress(path.read_bytes())) for path in files}

    assert {"index.html", "marked.js", "purify.js", "main.js", f"{language}.json"} <= set(weights)
    modules = {path.name for path in files if path.suffix == ".js"}
    later = modules - imported(WEB / "js" / "main.js") - {"theme.js"}
    assert {"chat.js", "marked.js", "purify.js"} <= later
    assert sum(weights[name] for name in weights.keys() - later) <= FIRST_LOAD_BYTES, weights
    assert sum(weights.values()) <= EVERYTHING_BYTES, weights


def imported(module: Path) -> set[str]:
    """Return a module and all that it imports at once."""
    found, left = set[Path](), [module.resolve()]
    while left:
        found.add(path := left.pop())
        named = {(path.parent / name).resolve() for name in IMPORT.findall(path.read_text())}
        left += named - found
    return {path.name for path in found}
