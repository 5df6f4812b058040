"""`tiza taxonomy …` as a person calls it: exit status, output, language."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.taxonomy.lessons import SIMPLE, SKILL, write

WRONG = SIMPLE.replace("domain: Geography", "domain:")
NEW = ("--kind", "knowledge", "--subject", "500", "--name", "Rain", "--language", "en")


def tiza(
    folder: Path, *arguments: str, language: str = "en", asked: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder, where its cache goes too."""
    environment = {"PATH": "/usr/bin:/bin", "TIZA_LANG": language, "PYTHONUTF8": "1"}
    command = [sys.executable, "-m", "tiza", "taxonomy", *arguments]
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        input=asked,
        capture_output=True,
        text=True,
        check=False,
    )


def test_check_ends_with_0_when_nothing_is_wrong_and_1_otherwise(tmp_path: Path) -> None:
    """Without paths, everything below taxonomy/ is checked."""
    write(tmp_path / "taxonomy", "knowledge/a", SIMPLE)
    good = tiza(tmp_path, "check")
    write(tmp_path / "taxonomy", "knowledge/a", WRONG)
    bad = tiza(tmp_path, "check", language="es")

    assert (good.returncode, good.stdout) == (0, "Lessons checked: 1. No problems.\n")
    assert bad.returncode == 1
    assert "taxonomy/knowledge/a/qna.yaml\n  3:8     error: `domain` está vacío." in bad.stdout
    assert "Traceback" not in bad.stderr
    assert (tmp_path / "var/taxonomy/verdicts.sqlite").exists()


def test_check_fails_on_warnings_when_it_is_strict(tmp_path: Path) -> None:
    """Otherwise they are only said."""
    write(tmp_path / "taxonomy", "knowledge/a", SIMPLE.rstrip())

    assert tiza(tmp_path, "check").returncode == 0
    assert tiza(tmp_path, "check", "--strict").returncode == 1


@pytest.mark.parametrize("name", ["json", "sarif"])
def test_check_prints_json_when_it_is_asked_to(name: str, tmp_path: Path) -> None:
    """A program reads it, whatever the exit status."""
    path = write(tmp_path / "taxonomy", "knowledge/a", WRONG)
    done = tiza(tmp_path, "check", str(path.relative_to(tmp_path)), "--format", name)

    assert done.returncode == 1
    assert json.loads(done.stdout)


def test_check_names_what_is_missing(tmp_path: Path) -> None:
    """A named error on stderr, and status 1; wrong usage is 2."""
    absent = tiza(tmp_path, "check", "absent", language="es")
    both = tiza(tmp_path, "check", "absent", "--taxonomy-base", "HEAD")

    assert absent.returncode == 1
    assert "No hay nada en absent." in absent.stderr
    assert both.returncode == 2


def test_diff_lists_and_checks_what_changed(tmp_path: Path) -> None:
    """As ilab's: the exit status says whether the changes are valid."""
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", "-C", str(tmp_path)]
    write(tmp_path / "taxonomy", "knowledge/old", WRONG)
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "Begin"]):
        subprocess.run([*git, *command], check=True, capture_output=True)
    write(tmp_path / "taxonomy", "compositional_skills/new", SKILL)
    fine = tiza(tmp_path, "diff")
    write(tmp_path / "taxonomy", "knowledge/new", WRONG)

    assert fine.stdout.startswith("new      taxonomy/compositional_skills/new/qna.yaml\n")
    assert "Lessons checked: 1. No problems." in fine.stdout
    assert tiza(tmp_path, "diff").returncode == 1
    quiet = tiza(tmp_path, "diff", "--quiet")
    assert (quiet.returncode, quiet.stdout) == (1, "")
    assert len(json.loads(tiza(tmp_path, "diff", "--json").stdout)) == 2
    assert tiza(tmp_path, "check", "--taxonomy-base", "HEAD").returncode == 1
    assert "### Added\n\n- `knowledge/old`: Begin (a, " in tiza(tmp_path, "changelog").stdout


def test_tree_prints_counts_as_a_tree_and_as_json(tmp_path: Path) -> None:
    """The same numbers."""
    write(tmp_path / "taxonomy", "knowledge/science/rain", SIMPLE)
    drawn = tiza(tmp_path, "tree").stdout.splitlines()

    assert drawn[1] == "└── knowledge  lessons: 1, questions: 5, exam: 0"
    assert drawn[-1] == "        └── rain  lessons: 1, questions: 5, exam: 0"
    assert json.loads(tiza(tmp_path, "tree", "--json").stdout)["questions"] == 5


def test_new_asks_for_what_is_not_given(tmp_path: Path) -> None:
    """In the reader's language, with answers that can be confirmed by Enter."""
    done = tiza(tmp_path, "new", language="es", asked="\n500\nLa lluvia\n\nAna\n\n")

    assert done.returncode == 0
    assert "Título breve" in done.stdout
    path = tmp_path / "taxonomy/knowledge/science/la_lluvia/es/qna.yaml"
    assert "language: es" in path.read_text()


def test_new_refuses_when_the_lesson_is_there(tmp_path: Path) -> None:
    """By flags alone it asks nothing."""
    flags = (*NEW, "--created-by", "Ana", "--freeform")
    first, second = tiza(tmp_path, "new", *flags), tiza(tmp_path, "new", *flags)

    assert first.returncode == 0
    assert second.returncode == 1
    assert "There is already a lesson at taxonomy/knowledge/science/rain/qna.yaml." in second.stderr
