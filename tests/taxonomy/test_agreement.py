"""Our verdict beside that of `instructlab-schema`, on everything that is in its own form.

Where the two differ, a rule of ours says why; each such rule is explained here.
"""

import logging
import os
import random
import re
import sys
from pathlib import Path

import pytest
from instructlab.schema.taxonomy import (
    TaxonomyMessageFormat,
    TaxonomyParser,
    TaxonomyReadingException,
)

from tests.taxonomy.lessons import STARTER, VALID, write
from tests.taxonomy.test_mutations import mutate
from tiza.taxonomy.cache import Cache
from tiza.taxonomy.examine import examine
from tiza.taxonomy.find import find
from tiza.taxonomy.finding import Finding
from tiza.taxonomy.rules import Severity
from tiza.taxonomy.verdict import Verdict

MUTATIONS = 1_200

FREEFORM = VALID["compositional_skills/a/freeform"]
# The official parser calls these lessons valid; a rule of ours refuses them, and here is why.
STRICTER = {
    "empty-file": ("it only warns about an empty file, which teaches nothing", "{}\n"),
    "yaml-alias": (
        "it resolves references, which can be bombs",
        FREEFORM.replace("ana", "&a ana").replace("Say where.", "*a"),
    ),
    "yaml-tag": (
        "it accepts harmless tags, which no lesson needs",
        FREEFORM.replace("version: 3", "version: !!int '3'"),
    ),
    "duplicate-key": (
        "it lints no version 1, and silently takes the last of two values",
        VALID["compositional_skills/a/v1"] + "created_by: ben\n",
    ),
    "empty-text": ("it counts spaces as a text", FREEFORM.replace("Say where.", "'  '")),
    "duplicate-example": (
        "it compares whole entries; we compare what they teach",
        VALID["knowledge/a/official"].replace(
            "      - question: Where do people in Arden",
            "      - question: What does Arden have over the river?\n        answer: A bridge.\n"
            "        note: again\n      - question: Where do people in Arden",
        ),
    ),
    "too-deep": (
        "it has no limits",
        VALID["knowledge/a/official"].replace(
            "answer: A bridge.", f"answer: A bridge.\n        x: {'[' * 20}{']' * 20}", 1
        ),
    ),
    "document-outside-tree": (
        "it lets a pattern climb out of its repository",
        VALID["knowledge/a/official"].replace("'*.md'", "'../*.md'"),
    ),
}
# The official parser refuses these lessons; we say only that they are untidy.
MILDER = {
    "trailing-spaces": "yamllint's rule; harmless",
    "no-final-newline": "yamllint's rule; harmless",
    "tab-in-text": "PyYAML in pure Python refuses tabs in plain texts; YAML itself allows them",
}


@pytest.fixture(scope="module")
def official() -> TaxonomyParser:
    """Return the peer as ilab sets it up; yq is left out, as it only finds line numbers."""
    logging.getLogger("instructlab.schema").setLevel(logging.CRITICAL)
    parser = TaxonomyParser(schema_version=0, message_format=TaxonomyMessageFormat.LOGGING)
    parser.yq_available = False
    return parser


def accepts(official: TaxonomyParser, path: Path) -> bool:
    """Ask the peer."""
    try:
        taxonomy = official.parse(path)
    except (TaxonomyReadingException, RecursionError):
        return False
    return taxonomy.errors == 0


def verdict(path: Path, root: Path) -> list[Finding]:
    """Ask us."""
    (candidate,) = find([path], root)
    found: Verdict = examine(candidate, Cache(None)).verdict
    return list(found.findings)


def unexplained(official: TaxonomyParser, path: Path, root: Path) -> str | None:
    """Return how the verdicts differ, unless a rule of ours explains it."""
    ours = verdict(path, root)
    errors = {f.rule_id for f in ours if f.rule.severity is Severity.ERROR}
    theirs = accepts(official, path)
    if theirs and errors and not errors & set(STRICTER):
        return f"they accept, we refuse for {errors}"
    if not theirs and not errors and not {f.rule_id for f in ours} & set(MILDER):
        return f"they refuse, we accept; findings: {ours}"
    return None


def without_yamllint(official: TaxonomyParser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the peer its schema only: a process for each of a thousand mutations is too slow."""
    monkeypatch.setattr(official, "_yamllint", lambda **_: None)


def strip_extensions(text: str) -> str:
    """Return a lesson without Tiza's own keys."""
    text = re.sub(r"^exam:\n(?:(?:[ -].*)?\n)*", "", text, flags=re.MULTILINE)
    text = re.sub(r"^language: .*\n", "", text, flags=re.MULTILINE)
    return re.sub(r"^( *)paraphrases:\n(?:\1 .*\n)+", "", text, flags=re.MULTILINE)


@pytest.mark.parametrize("leaf", [leaf for leaf in VALID if "simple" not in leaf])
def test_both_accept_when_a_lesson_has_the_official_form(
    leaf: str, official: TaxonomyParser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Valid lessons of every official form are valid here, yamllint included."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    path = write(tmp_path, leaf, VALID[leaf])

    assert accepts(official, path)
    assert verdict(path, tmp_path) == []


def test_only_we_accept_when_a_lesson_has_the_simple_form(
    official: TaxonomyParser, tmp_path: Path
) -> None:
    """The simple form is ours, and is told apart by its shape."""
    path = write(tmp_path, "knowledge/a", VALID["knowledge/a/simple"])

    assert not accepts(official, path)
    assert verdict(path, tmp_path) == []


@pytest.mark.skipif(not STARTER.is_dir(), reason="this checkout has no starter taxonomy")
def test_both_agree_on_the_starter_tree_when_the_extensions_are_taken_off(
    official: TaxonomyParser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is shipped would be valid for InstructLab without our optional keys."""
    without_yamllint(official, monkeypatch)
    compared = 0
    for source in sorted(STARTER.rglob("qna.yaml")):
        text = strip_extensions(source.read_text("utf-8"))
        local = "document:\n  path:"
        text = text.replace(local, "document:\n  repo: https://x.org/r\n  commit: a\n  patterns:")
        text = re.sub(r"^  patterns: (.*)$", r"  patterns: ['\1']", text, flags=re.MULTILINE)
        simple = "knowledge" in source.parts and "document:" not in text
        if not simple:
            leaf = str(source.parent.relative_to(STARTER))
            path = write(tmp_path, leaf, text)
            assert accepts(official, path), source
            assert unexplained(official, path, tmp_path) is None
            compared += 1
    assert compared > 20


INVALID = {
    "knowledge": (
        ("version: 3", "version: 2"), ("version: 3", "version: 1"), ("version: 3\n", ""),
        ("version: 3", "version: 4"), ("version: 3", "version: '3'"), ("created_by: ana\n", ""),
        ("created_by: ana", "created_by: 7"), ("created_by: ana", "created_by: ''"),
        ("domain: Towns", "domain:"), ("domain: Towns", "domain: [Towns]"),
        ("document_outline: About towns\n", ""), ("  commit: abc\n", ""), ("['*.md']", "[]"),
        ("['*.md']", "['a', 'a']"), ("['*.md']", "a.md"), ("  commit: abc", "  commit: 1"),
        ("  commit: abc", "  kommit: abc"), ("domain", "subject"), ("  - context", "  - text"),
        ("question: What", "ask: What"), ("answer: A bridge.", "answer: yes"),
        ("answer: A bridge.", "answer:"), ("document:", "document: none\nother:"),
        ("created_by: ana", "created_by: ana\ntask_description: x"), ("answer: A", "answer:A"),
        ("answer: A", "answer: A: B"), ("answer: A", "answer: 'A"), ("answer: A", "\tanswer: A"),
    ),
    "compositional_skills": (
        ("version: 3", "version: 0"), ("version: 3", "version: x"), ("created_by: ana\n", ""),
        ("task_description: Say where.\n", ""),
        ("task_description: Say where.", "task_description: ''"),
        ("question: Where", "context: ''\n    question: Where"),
        ("question: Where", "context: 4\n    question: Where"),
        ("question: Where", "reason: why\n    question: Where"), ("created_by", "author"),
        ("  - question: Where does the river end?\n    answer: The river ends at point 0.\n", ""),
        ("does the river end?\n    answer: The river ends at point 0.",
         "does the mountain end?\n    answer: The mountain ends at point 1."),
        ("seed_examples:", "seed_examples: none\nmore:"), ("created_by: ana", "created_by: null"),
        ("created_by: ana", "created_by: 2020-13-45"), ("created_by: ana", "created_by: .inf"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("branch", "before", "after"),
    [(branch, *change) for branch, changes in INVALID.items() for change in changes],
)
def test_both_refuse_when_a_lesson_is_invalid(  # noqa: PLR0917  # given by name
    branch: str,
    before: str,
    after: str,
    official: TaxonomyParser,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every constraint of the official schemas is one of ours."""
    without_yamllint(official, monkeypatch)
    valid = VALID["knowledge/a/official" if branch == "knowledge" else f"{branch}/a/freeform"]
    assert before in valid
    path = write(tmp_path, f"{branch}/a", valid.replace(before, after, 1))

    assert not accepts(official, path)
    assert any(f.rule.severity is Severity.ERROR for f in verdict(path, tmp_path))


def test_both_agree_on_mutations_or_a_rule_of_ours_says_why(
    official: TaxonomyParser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over a thousand damaged lessons, no difference is without its rule."""
    without_yamllint(official, monkeypatch)
    chance = random.Random(5)  # noqa: S311  # the same damage every time
    lessons = {leaf: text for leaf, text in VALID.items() if "simple" not in leaf}
    differences = []
    for number in range(MUTATIONS):
        leaf = chance.choice(list(lessons))
        mutated = mutate(lessons[leaf].encode(), chance)
        if _uses_our_own_form(mutated, leaf):
            continue
        path = write(tmp_path, leaf, mutated)
        if difference := unexplained(official, path, tmp_path):
            differences.append((number, difference, mutated))
    assert differences == []


def _uses_our_own_form(data: bytes, leaf: str) -> bool:
    """Tell whether a mutation stumbled into Tiza's own form, which the peer cannot know."""
    ours = (b"exam:" in data, b"\ndomain" in data and "skills" in leaf, b"path:" in data)
    return any(ours) or ("knowledge" in leaf and b"document:" not in data)


@pytest.mark.parametrize("rule", STRICTER)
def test_only_we_refuse_when_a_rule_of_ours_is_stricter(
    rule: str, official: TaxonomyParser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each rule that explains a difference really makes one, and alone."""
    without_yamllint(official, monkeypatch)
    _reason, text = STRICTER[rule]
    branch = "knowledge" if "document:" in text else "compositional_skills"
    path = write(tmp_path, f"{branch}/a", text)

    assert accepts(official, path)
    errors = {f.rule_id for f in verdict(path, tmp_path) if f.rule.severity is Severity.ERROR}
    assert errors == {rule}


def test_we_say_only_that_it_is_untidy_when_yamllint_would_refuse(
    official: TaxonomyParser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spaces at the end of a line and a missing last newline are warnings here."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    text = VALID["compositional_skills/a/freeform"]
    for untidy in (text.replace("created_by: ana", "created_by: ana  "), text.rstrip("\n")):
        path = write(tmp_path, "compositional_skills/a", untidy)
        assert not accepts(official, path)
        assert {f.rule_id for f in verdict(path, tmp_path)} <= set(MILDER)
