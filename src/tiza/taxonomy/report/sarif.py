"""Findings as SARIF 2.1.0, which code hosts and editors read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

import json
import os
from pathlib import Path
from typing import TextIO
from urllib.parse import quote

from tiza import __version__
from tiza.taxonomy.check import Checked
from tiza.taxonomy.finding import Finding
from tiza.taxonomy.report.report import Counts
from tiza.taxonomy.rules import RULES, Rule, Severity
from tiza.translation import translate

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
POSITIONS = {rule: position for position, rule in enumerate(RULES)}


class SarifReport:
    """Writes one run; its rules first, then its results one by one."""

    def __init__(self, out: TextIO, language: str) -> None:
        self._out, self._language = out, language
        self._separator = self._head()

    def add(self, checked: Checked) -> None:
        """Write the results of a file."""
        for finding in checked.findings:
            result = json.dumps(self._result(finding, checked.path), ensure_ascii=False)
            self._out.write(self._separator + result)
            self._separator = ",\n"

    def end(self, counts: Counts) -> None:  # noqa: ARG002  # SARIF has no place for them
        """Close the run."""
        begun = self._separator == ",\n"
        self._out.write("\n]}]}\n" if begun else f"{self._separator}]}}]}}\n")

    def _head(self) -> str:
        driver = {
            "name": "tiza",
            "version": __version__,
            "rules": [self._rule(rule) for rule in RULES.values()],
        }
        tool = json.dumps({"driver": driver}, ensure_ascii=False)
        head = f'{{"$schema": "{SCHEMA}", "version": "2.1.0", "runs": [{{'
        kind = '"columnKind": "unicodeCodePoints"'
        return f'{head}"tool": {tool}, {kind}, "results": [\n'

    def _rule(self, rule: Rule) -> dict[str, object]:
        return {
            "id": rule.id,
            "shortDescription": {"text": translate(rule.why, self._language)},
            "defaultConfiguration": {"level": LEVELS[rule.severity]},
        }

    def _result(self, finding: Finding, path: Path) -> dict[str, object]:
        words = f"{finding.message(self._language)} {finding.hint(self._language)}"
        region = {"startLine": finding.line, "startColumn": finding.column}
        location = {"artifactLocation": {"uri": _uri(path)}, "region": region}
        return {
            "ruleId": finding.rule_id,
            "ruleIndex": POSITIONS[finding.rule_id],
            "level": LEVELS[finding.rule.severity],
            "message": {"text": words},
            "locations": [{"physicalLocation": location}],
        }


def _uri(path: Path) -> str:
    return quote(os.fsencode(path.as_posix()))
