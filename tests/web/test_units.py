"""The page's unit tests, run by Node.js, and the weight of its first visit."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tiza.api.packing import packed, sent

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
UNITS = sorted(Path(__file__).parent.glob("*.test.js"))
TYPES = {".html", ".css", ".js", ".json", ".svg"}
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
def test_page_is_light_when_everything_is_counted(language: str) -> None:
    """At most 60 KB gzipped before the first message, 200 KB with every view and library.

    Page, styles, drawings and one catalogue count from the start; so do the modules that the page
    imports at once, and the list of conversations. Everything is every file but the other language.
    """
    page = (WEB / "index.html").read_text("utf-8")
    first = {WEB / name for name in ("index.html", f"i18n/{language}.json", *drawings(page))}
    first |= imported(WEB / "js/main.js") | imported(WEB / "js/theme.js") | {WEB / "js/start.js"}
    first |= imported(WEB / "js/sidelist.js") | imported(WEB / "js/import.js")
    files = {path for path in WEB.rglob("*") if path.suffix in TYPES}
    other = "es" if language == "en" else "en"
    everything = {path for path in files if not f".{path.name}".endswith(f".{other}.json")}

    assert first < everything
    assert {path.name for path in everything - first} >= {"marked.js", "purify.js", "katex.js"}
    assert sum(map(weight, first)) <= FIRST_LOAD_BYTES
    assert sum(map(weight, everything)) <= EVERYTHING_BYTES


def test_modules_mean_the_same_when_they_are_sent_without_comments(
    node: str, tmp_path: Path
) -> None:
    """The compiler makes the same of a module as it is written and as it is sent, line by line."""
    for path in (WEB / "js").rglob("*.js"):
        name = path.relative_to(WEB)
        for folder, content in (("written", path.read_bytes()), ("sent", sent(WEB, path))):
            (tmp_path / folder / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / name).write_bytes(content)
        lines = path.read_text("utf-8").count("\n")
        assert sent(WEB, path).decode().count("\n") == lines, "a line has another number"
    for folder in ("written", "sent"):
        compiled(node, tmp_path / folder, tmp_path / "of" / folder)
    for path in (tmp_path / "of/written").rglob("*.js"):
        other = tmp_path / "of/sent" / path.relative_to(tmp_path / "of/written")
        assert other.read_text("utf-8") == path.read_text("utf-8"), path.name


def compiled(node: str, source: Path, out: Path) -> None:
    """Have the TypeScript compiler print modules in its own layout, without comments."""
    options = ["--allowJs", "--noCheck", "--noResolve", "--removeComments", "--ignoreConfig"]
    shape = ["--target", "esnext", "--module", "esnext", "--moduleResolution", "bundler"]
    files = [str(path) for path in sorted(source.rglob("*.js"))]
    command = [node, "node_modules/typescript/bin/tsc", *options, *shape]
    command += ["--rootDir", str(source), "--outDir", str(out), *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert list(out.rglob("*.js")), done.stdout + done.stderr


def weight(path: Path) -> int:
    """Return the bytes of a file as they are sent to browsers that take gzip."""
    content = sent(WEB, path)
    return len(packed(content, path.suffix) or content)


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
