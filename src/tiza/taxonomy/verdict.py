"""What the checker has to say about one file, and how that is kept as bytes."""

from array import array
from dataclasses import dataclass, field
from typing import Any

import orjson

from tiza.taxonomy.finding import Finding
from tiza.taxonomy.lesson import Document, Place


def no_questions() -> "array[int]":
    """Return an empty table of fingerprints."""
    return array("Q")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found, the document to look for, and the questions' fingerprints in rows."""

    findings: tuple[Finding, ...] = ()
    document: Document | None = None
    questions: "array[int]" = field(default_factory=no_questions)


def pack(verdict: Verdict) -> tuple[bytes, bytes]:
    """Return the findings with the document, and the fingerprints."""
    document = verdict.document
    content = {
        "findings": [(f.rule_id, f.line, f.column, f.data) for f in verdict.findings],
        "document": document
        and ([*document.place], document.path, document.repo, document.commit, document.patterns),
    }
    return orjson.dumps(content), verdict.questions.tobytes()


def unpack(content: bytes, questions: bytes) -> Verdict:
    """Return the verdict; ValueError, KeyError or TypeError for bytes that are not one."""
    kept: dict[str, Any] = orjson.loads(content)
    rows = no_questions()
    rows.frombytes(questions)
    document = None
    if kept["document"]:
        place, path, repo, commit, patterns = kept["document"]
        document = Document(Place(*place), path, repo, commit, tuple(patterns))
    return Verdict(tuple(Finding(*finding) for finding in kept["findings"]), document, rows)
