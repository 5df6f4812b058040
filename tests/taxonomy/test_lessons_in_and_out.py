"""Lessons for later stages: loaded, written to, counted, linted."""

import shutil
from pathlib import Path

import pytest

from tests.taxonomy.lessons import KNOWLEDGE, SIMPLE, SKILL, STARTER, findings, write
from tiza.errors import LessonsInvalid, LintRulesUnreadable, MissingExtra, TaxonomyNotFound
from tiza.taxonomy.cache import Cache
from tiza.taxonomy.find import find
from tiza.taxonomy.lint import linted
from tiza.taxonomy.load import load, load_valid
from tiza.taxonomy.tree import draw, grow
from tiza.taxonomy.write import LessonFile

COMMENTED = """\
# A lesson about the Moon
version: 3  # the newest
created_by: 'ana'
task_description: >-
  Answer
  shortly.

seed_examples:
  # the first
  - question: "What is it?"
    answer: |-
      Line one
      Line two

# the end
language: en
"""


def test_load_returns_lessons_when_they_are_valid(tmp_path: Path) -> None:
    """In the order of their paths, with their kind from the top folder."""
    write(tmp_path, "knowledge/b", SIMPLE)
    write(tmp_path, "compositional_skills/a", SKILL)

    lessons = load([tmp_path], tmp_path)

    assert [str(lesson.kind) for lesson in lessons] == ["compositional_skills", "knowledge"]
    assert lessons[1].path == tmp_path / "knowledge/b/qna.yaml"


def test_load_raises_where_a_lesson_cannot_be_taught(tmp_path: Path) -> None:
    """The error says where, what is wrong, what to do, and by which rule, in both languages."""
    path = write(tmp_path, "knowledge/a", SIMPLE.replace("domain: Geography", "domain:"))

    with pytest.raises(LessonsInvalid) as raised:
        load([tmp_path], tmp_path)

    (error,) = raised.value.errors
    assert error.message("en") == (
        f"{path}:3:8: `domain` is empty. Write the text after the colon, or remove the key if it "
        "is optional. (empty-text)"
    )
    assert "`domain` está vacío." in raised.value.message("es")
    assert error.data["rule"] == "empty-text"


def test_load_names_the_errors_of_all_lessons_and_can_go_on_without_them(tmp_path: Path) -> None:
    """Who mends lessons sees everything at once; who is in a hurry teaches the others."""
    for name in "ab":
        write(tmp_path, f"knowledge/{name}", SIMPLE.replace("domain: Geography", "domain:"))
    good = write(tmp_path, "knowledge/c", SIMPLE)

    with pytest.raises(LessonsInvalid, match=r"(?s)knowledge/a/qna\.yaml.*knowledge/b/qna\.yaml"):
        load([tmp_path], tmp_path)
    lessons, errors = load_valid([tmp_path], tmp_path)

    assert [lesson.path for lesson in lessons] == [good]
    assert len(errors) == 2


def test_load_passes_over_warnings(tmp_path: Path) -> None:
    """What is only badly taught is still taught."""
    path = write(tmp_path, "knowledge/a", KNOWLEDGE)
    (path.parent / "attribution.txt").unlink()

    assert len(load([path], tmp_path)) == 1


def test_lesson_file_keeps_comments_order_and_quotes(tmp_path: Path) -> None:
    """What is written back is what a person wrote."""
    path = write(tmp_path, "knowledge/a", COMMENTED)

    file = LessonFile(path)

    assert file.text() == COMMENTED


def test_lesson_file_adds_an_example_at_the_end_of_the_examples(tmp_path: Path) -> None:
    """Comments before the next key stay before it; long texts go below their key."""
    path = write(tmp_path, "knowledge/a", COMMENTED)
    file = LessonFile(path)
    long = (
        "The Moon is a natural satellite of the Earth and reflects the light of the Sun at night."
    )
    file.add_example("Is it: far?", long, ["How far?"])
    file.save()

    assert path.read_text() == COMMENTED.replace(
        "      Line two\n",
        "      Line two\n"
        "  - question: 'Is it: far?'\n"
        "    answer: >-\n"
        "      The Moon is a natural satellite of the Earth and reflects the light of the\n"
        "      Sun at night.\n"
        "    paraphrases:\n"
        "      - How far?\n",
    )
    assert not list(path.parent.glob(".*"))


@pytest.mark.skipif(not STARTER.is_dir(), reason="this checkout has no starter taxonomy")
def test_lesson_file_changes_no_word_of_the_starter_taxonomy(tmp_path: Path) -> None:
    """Only the indentation of a few folded texts may be made even."""
    for source in sorted(STARTER.rglob("qna.yaml")):
        written = LessonFile(source).text()
        lines = [line.strip() for line in source.read_text("utf-8").splitlines()]
        assert [line.strip() for line in written.splitlines()] == lines


def test_grow_counts_lessons_questions_and_exam_on_every_branch(tmp_path: Path) -> None:
    """Empty folders are branches too; other folders are not."""
    exam = "exam:\n  - question: Which?\n    answer: This.\n"
    write(tmp_path, "knowledge/science/moon", SIMPLE + exam)
    write(tmp_path, "knowledge/science/moon/es", KNOWLEDGE)
    (tmp_path / "knowledge/arts").mkdir()
    (tmp_path / "docs").mkdir()
    root = grow(tmp_path, Cache(None))

    assert (root.lessons, root.questions, root.exam) == (2, 20, 1)
    assert list(root.children) == ["knowledge"]
    assert [line for line, _ in draw(root)] == [
        "└── ",
        "    ├── ",
        "    └── ",
        *["        └── "],
        " " * 12 + "└── ",
    ]
    assert [branch.name for _, branch in draw(root, 2)] == ["knowledge", "arts", "science"]
    assert root.as_json()["lessons"] == 2


def test_grow_raises_when_there_is_no_taxonomy(tmp_path: Path) -> None:
    """A slip in the path is not an empty tree."""
    with pytest.raises(TaxonomyNotFound):
        grow(tmp_path / "absent", Cache(None))


def test_linted_adds_what_yamllint_finds_by_the_given_rules(tmp_path: Path) -> None:
    """Errors and warnings of yamllint become findings with its places."""
    rules = tmp_path / "rules.yaml"
    rules.write_text("rules: {document-start: enable, line-length: {max: 20, level: warning}}\n")
    write(tmp_path, "knowledge/a", SIMPLE)

    (candidate,) = linted(find([tmp_path / "knowledge"], tmp_path), rules)

    first = candidate.findings[0]
    assert (first.rule_id, first.line) == ("lint-error", 1)
    assert "lint-warning" in {finding.rule_id for finding in candidate.findings}


def test_linted_leaves_syntax_to_us(tmp_path: Path) -> None:
    """One explanation is enough."""
    rules = tmp_path / "rules.yaml"
    rules.write_text("rules: {}\n")
    write(tmp_path, "knowledge/a", "a: 'b\n")

    (candidate,) = linted(find([tmp_path / "knowledge"], tmp_path), rules)

    assert candidate.findings == ()


@pytest.mark.parametrize("content", ["rules: {absent-rule: enable}\n", "a: [\n", "\x00"])
def test_linted_raises_when_the_rules_cannot_be_used(content: str, tmp_path: Path) -> None:
    """Even if there is no lesson to lint."""
    rules = tmp_path / "rules.yaml"
    rules.write_text(content)

    with pytest.raises(LintRulesUnreadable):
        list(linted([], rules))


def test_linted_says_how_to_install_yamllint_when_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is an extra."""
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(MissingExtra):
        list(linted([], tmp_path / "rules.yaml"))


@pytest.mark.skipif(not STARTER.is_dir(), reason="this checkout has no starter taxonomy")
def test_find_takes_the_branch_from_the_path_when_the_taxonomy_is_elsewhere(tmp_path: Path) -> None:
    """A lesson may be checked in any copy of the tree."""
    copy = tmp_path / "deep" / "knowledge" / "science"
    shutil.copytree(STARTER / "knowledge/science/astronomy", copy / "astronomy")

    assert findings([copy / "astronomy"], Path("taxonomy")) == []
