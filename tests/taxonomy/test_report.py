"""Findings as text, JSON, GitHub annotations and SARIF."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from tiza.taxonomy.check import Checked
from tiza.taxonomy.finding import Finding, shown
from tiza.taxonomy.report import FORMATS, Counts, make
from tiza.taxonomy.rules import RULES

FEW = Finding("too-few-examples", 7, 3, {"count": 4, "least": 5, "missing": 1})
TAB = Finding("trailing-spaces", 2, 9, {"count": 3})
CHECKED = [
    Checked(Path("a b/qna.yaml"), (FEW, TAB)),
    Checked(Path("fine/qna.yaml"), ()),
    Checked(Path("a b/qna.yaml"), (Finding("byte-order-mark"),), again=True),
]


class Terminal(StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        """Tell so."""
        return True


def report(
    name: str, checked: list[Checked], language: str = "en", out: StringIO | None = None
) -> str:
    """Return what a format writes."""
    stream = out or StringIO()
    counts, writer = Counts(), make(name, stream, language)
    for one in checked:
        counts.add(one)
        writer.add(one)
    writer.end(counts)
    return stream.getvalue()


def test_text_shows_place_severity_message_rule_and_hint() -> None:
    """Grouped by file, with the counts at the end."""
    assert report("text", CHECKED[:2]) == (
        "a b/qna.yaml\n"
        "  7:3     error: `seed_examples` has 4 entries; it needs at least 5. (too-few-examples)\n"
        "          → Add 1 more, each beginning with a dash.\n"
        "  2:9     warning: There are spaces at the end of the line (3 such lines). "
        "(trailing-spaces)\n"
        "          → Remove them; most editors do so when they save.\n\n"
        "Lessons checked: 2. Errors: 1. Warnings: 1. Notes: 0.\n"
    )


def test_text_speaks_the_readers_language() -> None:
    """Everything, the counts too."""
    text = report("text", CHECKED, "es")

    assert "error: `seed_examples` tiene 4 elementos; necesita al menos 5." in text
    assert "Lecciones revisadas: 2. Errores: 1. Avisos: 1. Notas: 1." in text


def test_text_has_colours_on_a_terminal_only() -> None:
    """A file gets no escape codes."""
    assert "\x1b[31merror\x1b[0m" in report("text", CHECKED, out=Terminal())
    assert "\x1b" not in report("text", CHECKED)


@pytest.mark.parametrize("checked", [CHECKED, CHECKED[1:2], []])
def test_json_is_one_object(checked: list[Checked]) -> None:
    """With and without findings."""
    content = json.loads(report("json", checked))

    assert content["files"] == sum(not c.again for c in checked)
    assert len(content["findings"]) == sum(len(c.findings) for c in checked)


def test_json_has_every_part_of_a_finding() -> None:
    """A program needs no other output."""
    finding = json.loads(report("json", CHECKED, "es"))["findings"][0]

    assert finding == {
        "path": "a b/qna.yaml",
        "line": 7,
        "column": 3,
        "rule": "too-few-examples",
        "severity": "error",
        "message": "`seed_examples` tiene 4 elementos; necesita al menos 5.",
        "hint": "Añade 1 más, cada uno empezando con un guion.",
    }


def test_github_escapes_what_steers_its_commands() -> None:
    """Percent signs, line ends, colons and commas in a path cannot end a command."""
    lines = report("github", [Checked(Path("a,b:c%/qna.yaml"), (FEW, TAB))]).splitlines()

    assert lines[0].startswith("::error file=a%2Cb%3Ac%25/qna.yaml,line=7,col=3,title=too-few-ex")
    assert lines[1].startswith("::warning ")


@pytest.mark.parametrize("checked", [CHECKED, []])
def test_sarif_has_the_shape_of_its_schema(checked: list[Checked]) -> None:
    """The members that SARIF 2.1.0 requires, with its own words for severities."""
    log: dict[str, Any] = json.loads(report("sarif", checked))
    (run,) = log["runs"]
    driver = run["tool"]["driver"]

    assert log["version"] == "2.1.0"
    assert driver["name"] == "tiza"
    assert [rule["id"] for rule in driver["rules"]] == list(RULES)
    assert len(run["results"]) == sum(len(c.findings) for c in checked)
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"error", "warning", "note"}
        assert result["message"]["text"]
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "a%20b/qna.yaml"
        assert place["region"]["startLine"] >= 1


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_fails_when_a_path_is_no_text(name: str) -> None:
    """A file name may be any bytes; output is always UTF-8."""
    path = Path(b"a\xe9\x1b[2J/qna.yaml".decode("utf-8", "surrogateescape"))

    written = report(name, [Checked(path, (TAB,))])

    assert "\x1b" not in written.encode("utf-8").decode()


def test_shown_makes_foreign_text_harmless() -> None:
    """Messages repeat a lesson's words on one line, short, without control characters."""
    assert shown("a\nb\x1b[31m" + "c" * 100) == "a b�[31m" + "c" * 51 + "…"
