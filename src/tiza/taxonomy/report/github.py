"""Findings as workflow commands, which GitHub shows beside the lines of a pull request.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from typing import TextIO

from tiza.taxonomy.check import Checked
from tiza.taxonomy.report.report import Counts, printable
from tiza.taxonomy.rules import Severity

COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


class GithubReport:
    """Writes one command a finding."""

    def __init__(self, out: TextIO, language: str) -> None:
        self._out, self._language = out, language

    def add(self, checked: Checked) -> None:
        """Write the commands of a file."""
        for finding in checked.findings:
            command = COMMANDS[finding.rule.severity]
            file = _escaped(printable(checked.path), "%\r\n:,")
            place = f"file={file},line={finding.line},col={finding.column}"
            words = f"{finding.message(self._language)} {finding.hint(self._language)}"
            said = _escaped(f"{words} ({finding.rule_id})", "%\r\n")
            self._out.write(f"::{command} {place},title={finding.rule_id}::{said}\n")

    def end(self, counts: Counts) -> None:  # GitHub counts by itself
        """Write nothing."""


def _escaped(text: str, special: str) -> str:
    for char in special:  # the percent sign comes first
        text = text.replace(char, f"%{ord(char):02X}")
    return text
