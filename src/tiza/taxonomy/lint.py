"""yamllint over lessons, for `--yaml-rules`; started as a program of its own, many files at a time.

yamllint is under the GPL, so it is neither imported nor installed by default.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from tiza.errors import LintRulesUnreadable, MissingExtra
from tiza.taxonomy.find import Candidate
from tiza.taxonomy.finding import Finding, shown
from tiza.taxonomy.source import MAX_BYTES

BATCH = 200
LINE = re.compile(r"(?P<path>.*):(\d+):(\d+): \[(error|warning)\] (.*)")
WORST_STATUS = 2  # 0 and 1: no or some problems; 2: warnings with --strict; above: it failed


def linted(candidates: Iterable[Candidate], rules: Path) -> Iterator[Candidate]:
    """Yield the candidates with what yamllint finds in them.

    Raises:
        MissingExtra: yamllint is not installed.
        LintRulesUnreadable: the rules are no configuration of yamllint.

    """
    program = _program()
    _run(program, rules, [])
    remaining = iter(candidates)
    while batch := list(islice(remaining, BATCH)):
        paths = [str(c.path) for c in batch if c.readable and _ordinary(c.path)]
        found = _run(program, rules, paths) if paths else {}
        for candidate in batch:
            more = tuple(found.get(str(candidate.path), ()))
            yield replace(candidate, findings=candidate.findings + more)


def _program() -> str:
    beside = Path(sys.executable).with_name("yamllint")
    program = str(beside) if beside.exists() else shutil.which("yamllint")
    if program is None:
        raise MissingExtra(package="yamllint", command="pip install yamllint")
    return program


def _ordinary(path: Path) -> bool:
    try:
        return path.is_file() and not path.is_symlink() and path.stat().st_size <= MAX_BYTES
    except OSError:
        return False


def _run(program: str, rules: Path, paths: list[str]) -> dict[str, list[Finding]]:
    """Return the findings by path; without paths, only try the rules (on no text at all)."""
    command = [program, "-f", "parsable", "-c", str(rules), *(paths or ["-"])]
    done = subprocess.run(command, input=b"", capture_output=True, check=False)
    if done.returncode > WORST_STATUS:
        reason = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["?"])[-1]
        raise LintRulesUnreadable(path=rules, reason=shown(reason))
    found: dict[str, list[Finding]] = {}
    for text in done.stdout.decode("utf-8", "surrogateescape").splitlines():
        line = LINE.fullmatch(text)
        if line and "(syntax)" not in text:  # the checker says that better
            path, row, column, level, problem = line.groups()
            finding = Finding(f"lint-{level}", int(row), int(column), {"problem": shown(problem)})
            found.setdefault(path, []).append(finding)
    return found
