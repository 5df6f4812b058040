"""Damaged and hostile files: a finding each, quickly, and never a traceback."""

import os
import time
import tracemalloc
from pathlib import Path

import pytest

from tests.taxonomy.lessons import KNOWLEDGE, SIMPLE, VALID, findings, rules, write
from tiza.errors import TaxonomyNotFound
from tiza.taxonomy.source import MAX_BYTES

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
LONG = 500_000


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (BOMB, "yaml-alias"),
        (SIMPLE.replace("created_by: ana", "created_by: &me ana") + "domain2: *me\n", "yaml-alias"),
        ("[" * LONG, "too-deep"),
        ("{a: " * (LONG // 2), "too-deep"),
        ("- " * LONG, "too-deep"),
        ("- a\n" * (LONG // 2), "too-many-values"),
        ("[" + "a," * (LONG // 2) + "]", "too-many-values"),
        (SIMPLE + "domain: Again\n", "duplicate-key"),
        (SIMPLE.replace("    answer", "\tanswer", 1), "tab-indentation"),
        (SIMPLE.replace("ana", "!!python/object/apply:os.system ['true']"), "yaml-tag"),
        (SIMPLE.replace("ana", "!!python/name:os.system"), "yaml-tag"),
        (SIMPLE.replace("ana", "!mine ana"), "yaml-tag"),
        ("\ufeff" + SIMPLE, "byte-order-mark"),
        (SIMPLE.replace("\n", "\r\n"), "windows-line-endings"),
        (SIMPLE.replace("ana", "Ñandú").encode("latin-1"), "not-utf8"),
        (SIMPLE.encode("utf-16"), "not-utf8"),
        (SIMPLE.replace("ana", "an\x00a"), "unprintable-character"),
        (SIMPLE.replace("ana", "an\x1b[31ma"), "unprintable-character"),
        (SIMPLE + "---\n" + SIMPLE, "several-documents"),
        ("", "empty-file"),
        ("# nothing\n", "empty-file"),
        ("{}", "empty-file"),
        ("just words", "not-a-mapping"),
        ("- a\n- b\n", "not-a-mapping"),
        ("? [a, b]\n: c\n", "not-a-mapping"),
        ("seed_examples: 3\n", "not-a-list"),
        ("a" * (MAX_BYTES - 1), "not-a-mapping"),
        ('"' * LONG, "text-after-quote"),
        ("a: b\n" * 14_000, "too-many-problems"),
        ("".join(f"created{n}: b\n" for n in range(14_000)), "too-many-problems"),
        ("seed_examples:\n" + "- a\n" * 28_000, "too-many-problems"),
        ("a: b" + " " * LONG + "x", "no-final-newline"),
        ("a:" + " " * LONG + "b: c\n", "colon-in-text"),
        ("a: b" + "\t" * LONG + "x", "tab-in-text"),
        ("a: '" + "b" * LONG + "' c\n", "text-after-quote"),
        ("- " * 5 + "a" * LONG + ":b\n" * 3 + "c: d", "line-without-key"),
        (
            KNOWLEDGE.replace("a mill by the river.", "a mill. " + "word " * 100_000, 1)
            + "".join(
                f"      - {{question: 'What is {n}?', answer: zebra zulu zoo zap zen {n}}}\n"
                for n in range(4_000)
            ),
            "context-too-long",
        ),
        ("%YAML 9.9\n---\na: b\n", "yaml-syntax"),
    ],
)
def test_check_names_the_rule_when_the_text_is_damaged(
    text: str | bytes, rule: str, tmp_path: Path
) -> None:
    """Each kind of damage has its rule, is found within a second and in little memory."""
    found: list[str] = []
    seconds = 60.0
    for _ in range(3):  # the best of three: the cost of the work, not of a busy machine
        started = time.process_time()
        found = rules(text, tmp_path)
        seconds = min(seconds, time.process_time() - started)
        if seconds < 1:
            break
    tracemalloc.start()
    rules(text, tmp_path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert rule in found
    assert seconds < 1
    assert peak < 200_000_000


def test_check_refuses_at_once_when_a_file_has_50_megabytes(tmp_path: Path) -> None:
    """Only as much is read as a lesson may have."""
    path = write(tmp_path, "knowledge/a", "a: b\n" * 10_000_000)
    started = time.perf_counter()
    (finding,) = findings([path], tmp_path)

    assert finding.rule_id == "file-too-large"
    assert finding.data["size"] == 50_000_000
    assert time.perf_counter() - started < 1


def test_check_reads_crlf_and_bom_as_any_lesson(tmp_path: Path) -> None:
    """What Windows adds is only noted."""
    windows = ("\ufeff" + SIMPLE.replace("\n", "\r\n")).encode()

    assert rules(windows, tmp_path) == ["byte-order-mark", "windows-line-endings"]


def test_check_finds_links_when_they_leave_the_tree_or_run_in_circles(tmp_path: Path) -> None:
    """A link may only lead to a file of the same tree."""
    root = tmp_path / "taxonomy"
    outside = write(tmp_path, "elsewhere", SIMPLE)
    inside = write(root, "knowledge/real", SIMPLE)
    for name, target in {
        "out": outside,
        "in": inside,
        "loop": root / "knowledge/loop/qna.yaml",
    }.items():
        (root / "knowledge" / name).mkdir()
        (root / "knowledge" / name / "qna.yaml").symlink_to(target)
    (root / "knowledge" / "circle").symlink_to(root / "knowledge")

    found = sorted(f.rule_id for f in findings([root], root))

    assert found == ["duplicate-question"] * 5 + [
        "folder-link",
        "link-outside-tree",
        "unreadable-file",
    ]


def test_check_says_so_when_qna_yaml_is_no_file(tmp_path: Path) -> None:
    """A folder or a pipe of that name is a finding, and nobody waits for the pipe."""
    (tmp_path / "knowledge/folder/qna.yaml").mkdir(parents=True)
    (tmp_path / "knowledge/pipe").mkdir()
    os.mkfifo(tmp_path / "knowledge/pipe/qna.yaml")

    assert [f.rule_id for f in findings([tmp_path], tmp_path)] == ["not-a-file"] * 2


def test_check_says_so_when_a_file_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's reason is passed on. root may read everything: its refusal is pretended."""
    path = write(tmp_path, "knowledge/a", SIMPLE)

    really_open = os.open

    def refuse(file: Path, *rest: int) -> int:
        if file == path:
            raise PermissionError(13, "Permission denied")
        return really_open(file, *rest)

    monkeypatch.setattr(os, "open", refuse)
    (finding,) = findings([path], tmp_path)

    assert finding.message("en") == "The file cannot be read: Permission denied."


def test_check_finds_files_when_their_names_are_nearly_right(tmp_path: Path) -> None:
    """`.yml` is not passed over in silence; other files are nobody's business."""
    for name in ("qna.yml", "QNA.yaml", "lesson.yaml", "qna.yaml.txt", "README.md", "notes.txt"):
        write(tmp_path, f"knowledge/{name}", SIMPLE, name)
    write(tmp_path, ".github", "a: b\n", "workflow.yml")

    assert [f.rule_id for f in findings([tmp_path], tmp_path)] == ["wrong-file-name"] * 4


def test_check_survives_when_file_names_are_not_text(tmp_path: Path) -> None:
    """A folder's name may be any bytes."""
    folder = os.fsencode(tmp_path) + b"/knowledge/\xff\n\x1b[2J"
    Path(os.fsdecode(folder)).mkdir(parents=True)
    Path(os.fsdecode(folder), "qna.yaml").write_text(SIMPLE)

    assert findings([tmp_path], tmp_path) == []


def test_check_raises_when_a_path_does_not_exist(tmp_path: Path) -> None:
    """What somebody names must be there."""
    with pytest.raises(TaxonomyNotFound):
        findings([tmp_path / "absent"], tmp_path)


@pytest.mark.parametrize("leaf", VALID)
def test_check_finds_nothing_when_a_lesson_is_valid(leaf: str, tmp_path: Path) -> None:
    """The measure of all the others."""
    assert rules(VALID[leaf], tmp_path, leaf) == []
