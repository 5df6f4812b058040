"""The rules on keys, each at its place."""

from pathlib import Path

import pytest

from tests.taxonomy.lessons import GROUNDED, KNOWLEDGE, SIMPLE, SKILL, SKILL_V1, findings, write
from tiza.taxonomy.rules import RULES

LESSON = "knowledge/a/lesson"
SKILLS = "compositional_skills/a/lesson"
OWN = "  - question: Where does the forest end?\n    answer: The forest ends at point 4.\n"


@pytest.mark.parametrize(
    ("leaf", "text", "rule", "line", "column"),
    [
        (LESSON, SIMPLE.replace("domain: Geography\n", ""), "missing-key", 1, 1),
        (LESSON, SIMPLE.replace("domain", "dommain"), "misspelt-key", 3, 1),
        (LESSON, SIMPLE + "colour: red\n", "unknown-key", 16, 1),
        (LESSON, SIMPLE + "1: red\n", "unknown-key", 16, 1),
        (LESSON, SIMPLE.replace("version: 3", "version: 2"), "unsupported-version", 1, 10),
        (LESSON, SIMPLE.replace("version: 3", "version: '3'"), "unsupported-version", 1, 10),
        (LESSON, SIMPLE.replace("version: 3\n", ""), "missing-key", 1, 1),
        (SKILLS, SKILL.replace("version: 3", "version: 4"), "unsupported-version", 1, 10),
        (SKILLS, SKILL.replace("n: 3", f"n: 0x{'f' * 999}"), "unsupported-version", 1, 10),
        (SKILLS, SKILL.replace("version: 3", "version: .inf"), "unsupported-version", 1, 10),
        (SKILLS, SKILL.replace("version: 3", "version: yes"), "unsupported-version", 1, 10),
        (LESSON, SIMPLE.replace(OWN, ""), "too-few-examples", 6, 3),
        (SKILLS, SKILL_V1.partition("\n ")[0] + " []\n", "too-few-examples", 3, 16),
        (LESSON, SIMPLE.replace("ana", "no"), "not-text", 2, 13),
        (LESSON, SIMPLE.replace("ana", "1998-01-02"), "not-text", 2, 13),
        (LESSON, SIMPLE.replace("ana", "1_000"), "not-text", 2, 13),
        (LESSON, SIMPLE.replace("ana", "[ana]"), "text-expected", 2, 13),
        (LESSON, SIMPLE.replace(" ana", ""), "empty-text", 2, 12),
        (LESSON, SIMPLE.replace("ana", "'  '"), "empty-text", 2, 13),
        (LESSON, SIMPLE + OWN, "duplicate-example", 16, 5),
        (LESSON, SIMPLE.replace(OWN, "  - just text\n"), "not-a-mapping", 14, 5),
        (LESSON, SIMPLE + "language: english\n", "bad-language-tag", 16, 11),
        (LESSON, SIMPLE + "exam: []\n", "empty-list", 16, 7),
        (LESSON, SIMPLE.replace(OWN, OWN + "    context: Why?\n"), "unknown-key", 16, 5),
        (LESSON, SIMPLE.replace(OWN, OWN + "    paraphrases: Why?\n"), "not-a-list", 16, 18),
        (LESSON, KNOWLEDGE.replace("        answer: A mill.\n", "        answer: A mill.\n"
            "        source: me\n", 1), "unused-key", 18, 9),
        (LESSON, KNOWLEDGE.replace("      - question: What stands by the river in Erlen?\n"
            "        answer: A mill.\n", ""), "too-few-pairs", 44, 7),
        (LESSON, KNOWLEDGE.replace("  commit: abc\n", ""), "missing-key", 6, 3),
        (LESSON, KNOWLEDGE.replace("['*.md']", "['*.md', '*.md']"), "duplicate-example", 8, 22),
        (LESSON, KNOWLEDGE.replace("['*.md']", "[]"), "empty-list", 8, 13),
        (LESSON, KNOWLEDGE.replace("['*.md']", "'*.md'"), "not-a-list", 8, 13),
        (SKILLS, GROUNDED + "document: {}\n", "unknown-key", 20, 1),
        (SKILLS, SKILL_V1 + "domain: x\n", "missing-key", 1, 1),
        (LESSON, SIMPLE.replace("ana", "ana "), "trailing-spaces", 2, 16),
        (LESSON, SIMPLE.rstrip("\n"), "no-final-newline", 15, 40),
    ],
)  # fmt: skip
def test_check_points_at_the_place_when_a_rule_is_not_kept(  # noqa: PLR0917  # given by name
    leaf: str, text: str, rule: str, line: int, column: int, tmp_path: Path
) -> None:
    """A finding has the line and the column that an editor shows."""
    found = findings([write(tmp_path, leaf, text)], tmp_path)

    assert (rule, line, column) in [(f.rule_id, f.line, f.column) for f in found]


@pytest.mark.parametrize("rule", RULES.values(), ids=str)
def test_every_rule_has_its_words_in_both_languages(rule: object) -> None:
    """Message, hint and reason are sentences, in English and in Spanish."""
    from tiza.taxonomy.rules import Rule
    from tiza.translation import translate

    assert isinstance(rule, Rule)
    assert rule.id == rule.id.lower().replace("_", "-")
    for words in (rule.message, rule.hint, rule.why):
        assert words
        same = words.startswith("yamllint: ")
        assert same or translate(words, "es") != words
