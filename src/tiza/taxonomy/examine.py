"""Check one file: what can be said of it without knowing the others.

`judge` looks at bytes only, so that its verdict can be kept under their hash; `examine` adds what
the file system says. Runs in worker processes.
"""

from array import array
from dataclasses import dataclass
from hashlib import sha256

from tiza.taxonomy.cache import Cache, Row
from tiza.taxonomy.content import Prints, find_in_content
from tiza.taxonomy.find import Candidate
from tiza.taxonomy.finding import Finding
from tiza.taxonomy.lesson import Example
from tiza.taxonomy.parse import parse
from tiza.taxonomy.repeated import EXAM, SEED
from tiza.taxonomy.source import find_beside, read
from tiza.taxonomy.style import find_in_style
from tiza.taxonomy.verdict import Verdict, no_questions, pack


@dataclass(frozen=True, slots=True)
class Inspection:
    """One file's result. `fresh` is a row that the cache does not have yet."""

    verdict: Verdict
    fresh: Row | None = None


def examine(candidate: Candidate, cache: Cache) -> Inspection:
    """Check a file."""
    if not candidate.readable:
        return Inspection(Verdict(candidate.findings))
    data = read(candidate)
    if isinstance(data, Finding):
        return Inspection(Verdict((*candidate.findings, data)))
    digest = sha256(data)
    key = digest.digest() + (candidate.kind or "").encode()
    known = cache.get(key)
    verdict = known or judge(data, candidate, digest.hexdigest())
    findings = (*candidate.findings, *verdict.findings)
    if verdict.document is not None:
        findings = (*findings, *find_beside(candidate, verdict.document))
    if len(findings) > 1:
        findings = tuple(sorted(findings, key=_by_place))
    fresh = None if known or not cache.works else (key, *pack(verdict))
    return Inspection(Verdict(findings, None, verdict.questions), fresh)


def judge(data: bytes, candidate: Candidate, digest: str) -> Verdict:
    """Check the bytes of a lesson, whatever lies around it."""
    reading = parse(data, candidate.path, candidate.kind, digest)
    findings = [*reading.findings, *find_in_style(data)]
    lesson = reading.lesson
    if lesson is None:
        return Verdict(tuple(findings))
    prints = Prints(lesson)
    findings += find_in_content(lesson, prints)
    rows = no_questions()
    _append(rows, lesson.examples, prints.seeds, SEED)
    _append(rows, lesson.exam, prints.exam, EXAM)
    return Verdict(tuple(findings), lesson.document, rows)


def _append(
    rows: "array[int]", examples: tuple[Example, ...], prints: list[tuple[int, int]], role: int
) -> None:
    for example, (near, exact) in zip(examples, prints, strict=True):
        if example.question.strip():
            line = example.places["question"].line
            rows.append(near)
            rows.append(exact << 32 | line << 1 | role)


def _by_place(finding: Finding) -> tuple[int, int]:
    return finding.line, finding.column
