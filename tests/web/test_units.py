"""The page's unit tests, run by Node.js, and the weight of its first visit."""

import gzip
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
UNITS = sorted(Path(__file__).parent.glob("*.test.js"))
FIRST_LOAD_BYTES, EVERYTHING_BYTES = 60 * 1024, 200 * 1024
IMPORT = re.compile(r'^import [^;]*?from "(.+?)";|^import "(.+?)";', re.MULTILINE)
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
def test_chat_is_light_when_everything_is_counted(language: str) -> None:
    """At most 60 KB gzipped before the first message, 200 KB with formulas and coloured code.

    Page, styles, drawings and one catalogue count from the start; so do the modules that the page
    imports at once, and the list of conversations. What shows answers comes with the first of them.
    Other views are counted where they are tested.
    """
    page = (WEB / "index.html").read_text("utf-8")
    first = {WEB / name for name in ("index.html", f"i18n/{language}.json", *drawings(page))}
    first |= imported(WEB / "js/main.js") | imported(WEB / "js/theme.js")
    first |= imported(WEB / "js/sidelist.js") | imported(WEB / "js/import.js")
    chat = imported(WEB / "js/chat.js") | imported(WEB / "js/formula.js")
    chat |= imported(WEB / "js/colours.js") | imported(WEB / "js/feedback.js")
    chat |= {*(WEB / "vendor").glob("*.js"), WEB / "feedback.css"}

    assert {path.name for path in chat - first} >= {"chat.js", "marked.js", "purify.js", "katex.js"}
    assert sum(map(weight, first)) <= FIRST_LOAD_BYTES
    assert sum(map(weight, first | chat)) <= EVERYTHING_BYTES


def weight(path: Path) -> int:
    """Return the bytes of a file as they are sent."""
    return len(gzip.compress(path.read_bytes()))


def drawings(page: str) -> list[str]:
    """Return the styles of the page, and the drawings that they show."""
    return [*re.findall(r'href="([\w-]+\.css)"', page), "board.svg", "chalk.svg", "icon.svg"]


def imported(module: Path) -> set[Path]:
    """Return a module and all that it imports at once."""
    found, left = set[Path](), [module]
    while left:
        found.add(path := left.pop())
        names = [name for pair in IMPORT.findall(path.read_text("utf-8")) for name in pair if name]
        left += {Path(os.path.normpath(path.parent / name)) for name in names} - found
    return found
