"""Findings for people: grouped by file, in colours on a terminal."""

from typing import TextIO

from tiza.taxonomy.check import Checked
from tiza.taxonomy.finding import Finding
from tiza.taxonomy.report.report import Counts, printable
from tiza.taxonomy.rules import Severity
from tiza.translation import N_, translate

NAMES = {
    Severity.ERROR: N_("error"),
    Severity.WARNING: N_("warning"),
    Severity.INFO: N_("note"),
}
COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.INFO: "36"}
BOLD, DIM = "1", "2"
NONE_FOUND = N_("Lessons checked: {files}. No problems.")
FOUND = N_("Lessons checked: {files}. Errors: {errors}. Warnings: {warnings}. Notes: {notes}.")


class TextReport:
    """Writes a block of lines for each file that has findings."""

    def __init__(self, out: TextIO, language: str) -> None:
        self._out, self._language = out, language
        self._coloured = out.isatty()

    def add(self, checked: Checked) -> None:
        """Write the block of a file."""
        if checked.findings:
            lines = [self._paint(printable(checked.path), BOLD)]
            lines += [self.line(finding) for finding in checked.findings]
            self._out.write("\n".join(lines) + "\n\n")

    def line(self, finding: Finding) -> str:
        """Return place, severity, message and rule of a finding, and below it the hint."""
        severity = finding.rule.severity
        name = translate(NAMES[severity], self._language)
        place = f"{finding.line}:{finding.column}"
        rule = self._paint(f"({finding.rule_id})", DIM)
        message, hint = finding.message(self._language), finding.hint(self._language)
        first = f"  {place:<7} {self._paint(name, COLOURS[severity])}: {message} {rule}"
        return f"{first}\n          → {hint}" if hint else first

    def end(self, counts: Counts) -> None:
        """Write the counts."""
        found = counts.by_severity.total()
        template = translate(FOUND if found else NONE_FOUND, self._language)
        line = template.format(
            files=counts.files, errors=counts.errors, warnings=counts.warnings, notes=counts.notes
        )
        colour = "31" if counts.errors else "33" if counts.warnings else "32"
        self._out.write(self._paint(line, colour) + "\n")

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._coloured else text
