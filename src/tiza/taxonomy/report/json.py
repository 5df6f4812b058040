"""Findings as one JSON object, for programs."""

import json
from typing import TextIO

from tiza.taxonomy.check import Checked
from tiza.taxonomy.report.report import Counts, printable


class JsonReport:
    """Writes `{"findings": […], "files": …, "errors": …, "warnings": …, "notes": …}`."""

    def __init__(self, out: TextIO, language: str) -> None:
        self._out, self._language = out, language
        self._separator = '{"findings": [\n'

    def add(self, checked: Checked) -> None:
        """Write one object for each finding."""
        for finding in checked.findings:
            record = {
                "path": printable(checked.path),
                "line": finding.line,
                "column": finding.column,
                "rule": finding.rule_id,
                "severity": finding.rule.severity,
                "message": finding.message(self._language),
                "hint": finding.hint(self._language),
            }
            self._out.write(self._separator + json.dumps(record, ensure_ascii=False))
            self._separator = ",\n"

    def end(self, counts: Counts) -> None:
        """Close the list and write the counts."""
        begun = self._separator == ",\n"
        figures = {
            "files": counts.files,
            "errors": counts.errors,
            "warnings": counts.warnings,
            "notes": counts.notes,
        }
        rest = json.dumps(figures).removeprefix("{")
        self._out.write(f"\n], {rest}\n" if begun else f'{{"findings": [], {rest}\n')
