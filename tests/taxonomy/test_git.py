"""Changed lessons and their history, in real repositories."""

import subprocess
from pathlib import Path

import pytest

from tests.taxonomy.lessons import SIMPLE, SKILL, write
from tiza.errors import GitFailed, TaxonomyNotFound
from tiza.taxonomy.changelog import history, markdown
from tiza.taxonomy.diff import Status, diff, existing

IDENTITY = (
    "-c",
    "user.name=Ana *",
    "-c",
    "user.email=ana@example.org",
    "-c",
    "commit.gpgsign=false",
)


def git(folder: Path, *arguments: str) -> None:
    """Run git."""
    command = ["git", "-C", str(folder), *IDENTITY, *arguments]
    subprocess.run(command, check=True, capture_output=True)


def commit(folder: Path, subject: str) -> None:
    """Commit everything."""
    git(folder, "add", "-A")
    git(folder, "commit", "-m", subject)


@pytest.fixture
def taxonomy(tmp_path: Path) -> Path:
    """Return a taxonomy in a repository with two lessons."""
    root = tmp_path / "taxonomy"
    write(root, "knowledge/river", SIMPLE)
    write(root, "compositional_skills/say", SKILL)
    (tmp_path / "qna.yaml").write_text("not in the taxonomy")
    git(tmp_path, "init", "-q")
    commit(tmp_path, "Begin")
    return root


def changes(taxonomy: Path, base: str | None = None) -> list[tuple[str, str, str]]:
    """Return the changes with paths relative to the taxonomy."""
    return [
        (
            str(change.status),
            str(change.path.parent.relative_to(taxonomy)),
            str(change.before.parent.relative_to(taxonomy)) if change.before else "",
        )
        for change in diff(taxonomy, base)
    ]


def test_diff_lists_everything_that_can_happen_to_a_lesson(taxonomy: Path) -> None:
    """New and unknown to git, staged, changed, moved, removed; nothing outside the taxonomy."""
    write(taxonomy, "knowledge/untracked/ñandú", SIMPLE)
    write(taxonomy, "knowledge/staged", SIMPLE.replace("river", "rivulet") * 2)
    git(taxonomy, "add", "knowledge/staged")
    write(taxonomy, "compositional_skills/say", SKILL + "# changed\n")
    git(taxonomy, "mv", "knowledge/river", "knowledge/stream")
    (taxonomy.parent / "qna.yaml").write_text("changed")

    assert changes(taxonomy) == [
        ("changed", "compositional_skills/say", ""),
        ("added", "knowledge/staged", ""),
        ("renamed", "knowledge/stream", "knowledge/river"),
        ("added", "knowledge/untracked/ñandú", ""),
    ]


def test_diff_lists_removed_lessons_which_are_not_checked(taxonomy: Path) -> None:
    """They are gone."""
    (taxonomy / "knowledge/river/qna.yaml").unlink()

    assert changes(taxonomy) == [("removed", "knowledge/river", "")]
    assert list(existing(diff(taxonomy), taxonomy)) == []


def test_diff_lists_a_file_when_its_name_is_only_nearly_right(taxonomy: Path) -> None:
    """So that the checker can say so."""
    write(taxonomy, "knowledge/new", SIMPLE, "qna.yml")

    assert [change.path.name for change in diff(taxonomy)] == ["qna.yml"]


def test_diff_compares_with_the_revision_that_is_named(taxonomy: Path) -> None:
    """By default only what is not committed counts."""
    write(taxonomy, "knowledge/later", SIMPLE)
    commit(taxonomy, "Later")

    assert changes(taxonomy) == []
    assert changes(taxonomy, "HEAD~1") == [("added", "knowledge/later", "")]


def test_diff_lists_all_lessons_when_the_base_is_empty(taxonomy: Path) -> None:
    """As in ilab."""
    assert [status for status, _, _ in changes(taxonomy, "empty")] == ["added"] * 2


@pytest.mark.parametrize("revision", ["absent", "--output=/tmp/x", "HEAD:taxonomy", ""])
def test_diff_raises_when_the_revision_names_no_commit(revision: str, taxonomy: Path) -> None:
    """Nothing that looks like an option reaches git as one."""
    if revision:
        with pytest.raises(GitFailed):
            diff(taxonomy, revision)
    else:
        assert diff(taxonomy, revision) == []


def test_diff_raises_when_there_is_no_repository_or_no_folder(tmp_path: Path) -> None:
    """Both are named errors."""
    with pytest.raises(TaxonomyNotFound):
        diff(tmp_path / "absent")
    with pytest.raises(GitFailed):
        diff(tmp_path, "HEAD")


def test_history_tells_what_happened_newest_first(taxonomy: Path) -> None:
    """Added, changed, moved and removed, by whom."""
    write(taxonomy, "compositional_skills/say", SKILL + "# changed\n")
    commit(taxonomy, "Say it *better*")
    git(taxonomy, "mv", "knowledge/river", "knowledge/stream")
    commit(taxonomy, "Rename")
    (taxonomy / "knowledge/stream/qna.yaml").unlink()
    commit(taxonomy, "Remove")

    entries = list(history(taxonomy))
    assert [(e.status, e.leaf, e.subject) for e in entries] == [
        (Status.REMOVED, "knowledge/stream", "Remove"),
        (Status.RENAMED, "knowledge/stream", "Rename"),
        (Status.CHANGED, "compositional_skills/say", "Say it *better*"),
        (Status.ADDED, "compositional_skills/say", "Begin"),
        (Status.ADDED, "knowledge/river", "Begin"),
    ]
    assert [e.subject for e in history(taxonomy, "HEAD~1")] == ["Remove"]


def test_markdown_groups_by_day_and_kind(taxonomy: Path) -> None:
    """What people wrote cannot become markup."""
    write(taxonomy, "compositional_skills/say", SKILL + "# changed\n")
    commit(taxonomy, "Say it *better*")
    text = "\n".join(markdown(history(taxonomy), "es"))

    assert text.startswith("# Cambios en las lecciones\n\n## 20")
    assert "### Añadidas\n\n- `compositional_skills/say`: Begin (Ana \\*, " in text
    assert "### Cambiadas\n\n- `compositional_skills/say`: Say it \\*better\\*" in text


def test_markdown_says_so_when_nothing_happened(taxonomy: Path) -> None:
    """An empty page would look like a mistake."""
    assert list(markdown(history(taxonomy, "HEAD"), "en"))[-1] == "\nThere are no changes."
