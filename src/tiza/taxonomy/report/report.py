"""What every format has in common: it gets one file after the other, and then the end."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tiza.taxonomy.check import Checked
from tiza.taxonomy.rules import Severity


@dataclass
class Counts:
    """How many files were checked and how many findings of each severity there were."""

    files: int = 0
    by_severity: Counter[Severity] = field(default_factory=Counter)

    def add(self, checked: Checked) -> None:
        """Count a file and its findings."""
        self.files += not checked.again
        self.by_severity.update(finding.rule.severity for finding in checked.findings)

    @property
    def errors(self) -> int:
        """Number of errors."""
        return self.by_severity[Severity.ERROR]

    @property
    def warnings(self) -> int:
        """Number of warnings."""
        return self.by_severity[Severity.WARNING]

    @property
    def notes(self) -> int:
        """Number of findings that are only good to know."""
        return self.by_severity[Severity.INFO]


class Report(Protocol):
    """Writes while the checker works; holds no findings."""

    def add(self, checked: Checked) -> None:
        """Show a file's findings."""

    def end(self, counts: Counts) -> None:
        """Show what it comes to."""


def printable(path: Path) -> str:
    """Return a path without anything that a terminal or a file cannot show."""
    return "".join(c if c.isprintable() else "�" for c in str(path))
