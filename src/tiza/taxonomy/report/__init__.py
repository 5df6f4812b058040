"""Show findings: as text for people, as JSON, as annotations on GitHub, as SARIF."""

from collections.abc import Callable
from typing import TextIO

from tiza.taxonomy.report.github import GithubReport
from tiza.taxonomy.report.json import JsonReport
from tiza.taxonomy.report.report import Counts, Report
from tiza.taxonomy.report.sarif import SarifReport
from tiza.taxonomy.report.text import TextReport

__all__ = ["FORMATS", "Counts", "Report", "make"]

FORMATS: dict[str, Callable[[TextIO, str], Report]] = {
    "text": TextReport,
    "json": JsonReport,
    "github": GithubReport,
    "sarif": SarifReport,
}


def make(name: str, out: TextIO, language: str) -> Report:
    """Return a report of a format that writes to a stream, in a language."""
    return FORMATS[name](out, language)
