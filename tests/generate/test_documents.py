"""Documents behind a lesson: local files, files of a repository, or a named error."""

import os
from pathlib import Path

import pytest

from tests.generate.pdfs import pdf
from tests.generate.repositories import repository
from tiza.errors import DocumentsMissing, DocumentUnreadable
from tiza.generate import documents
from tiza.generate.documents import Line, Text, texts
from tiza.taxonomy.lesson import Document, Form, Kind, Lesson, Place


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a lesson in a taxonomy."""
    path = tmp_path / "taxonomy" / "knowledge" / "towns"
    path.mkdir(parents=True)
    return path


def lesson(folder: Path, document: Document | None) -> Lesson:
    """Return a lesson with a document."""
    path = folder / "qna.yaml"
    return Lesson(path, Kind.KNOWLEDGE, Form.V3, 3, "", document=document)


def read(folder: Path, path: str) -> list[Text]:
    """Read a local document."""
    root = folder.parents[1]
    found = lesson(folder, Document(Place(1, 1), path))
    return list(texts(found, root, root.parent / "cache"))


def test_lines_keep_their_numbers_when_a_local_file_is_read(folder: Path) -> None:
    """Whatever ends them, and without the mark that some editors write first."""
    (folder / "towns.md").write_bytes("\ufeffOne\r\nTwo\rThree\n".encode())

    (text,) = read(folder, "towns.md")

    assert text.lines == [Line(1, "One"), Line(2, "Two"), Line(3, "Three"), Line(4, "")]
    assert text.is_markdown
    assert text.source == "towns.md"


def test_there_are_none_when_a_lesson_names_none(folder: Path) -> None:
    """Most lessons have no document."""
    assert not list(texts(lesson(folder, None), folder.parents[1], folder))


def test_pdf_is_told_by_its_first_bytes_when_its_name_says_otherwise(folder: Path) -> None:
    """Lines of a PDF have the number of their page."""
    (folder / "towns.txt").write_bytes(pdf([["One."], ["Two."]]))

    (text,) = read(folder, "towns.txt")

    assert text.lines == [Line(1, "One."), Line(2, "Two.")]
    assert not text.is_markdown


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("../../../secret.md", "leads out"),
        ("/etc/hostname", "leads out"),
        ("~/x.md", "leads out"),
        ("out.md", "leads out"),
        ("a\0b", "leads out"),
        ("nothing.md", "cannot be opened"),
        ("loop.md", "cannot be opened"),
        ("folder.md", "cannot be opened"),
        ("pipe.md", "not an ordinary file"),
        ("latin.md", "not written in UTF-8"),
        ("utf16.md", "is not text"),
        ("picture.md", "is not text"),
        ("zeros.md", "is not text"),
        ("pointer.md", "Git LFS"),
        ("broken.pdf", "cannot be read as a PDF"),
    ],
)
def test_error_names_the_file_when_it_cannot_be_read(folder: Path, path: str, says: str) -> None:
    """It says what is wrong; nothing waits, and nothing outside of the tree is opened."""
    (folder.parents[2] / "secret.md").write_text("secret")
    (folder / "out.md").symlink_to(folder.parents[2] / "secret.md")
    (folder / "loop.md").symlink_to("loop.md")
    (folder / "folder.md").mkdir()
    os.mkfifo(folder / "pipe.md")
    (folder / "latin.md").write_bytes("año".encode("latin-1"))
    (folder / "utf16.md").write_bytes("año".encode("utf-16"))
    (folder / "picture.md").write_bytes(b"\x89PNG\r\n\0\0\xff")
    (folder / "zeros.md").write_bytes(b"a\0b")
    (folder / "pointer.md").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid x\n")
    (folder / "broken.pdf").write_bytes(b"x")

    with pytest.raises(DocumentUnreadable, match=says):
        read(folder, path)


def test_link_is_followed_when_it_stays_in_the_tree(folder: Path) -> None:
    """As the check allows."""
    (folder.parent / "shared.md").write_text("Shared.")
    (folder / "link.md").symlink_to("../shared.md")

    assert read(folder, "link.md")[0].lines == [Line(1, "Shared.")]
    assert read(folder, "../shared.md")[0].lines == [Line(1, "Shared.")]


def test_file_is_refused_when_it_is_too_large(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says how large it is and what the limit is."""
    (folder / "long.md").write_text("x" * 11)
    monkeypatch.setattr(documents, "MAX_FILE_BYTES", 10)

    with pytest.raises(DocumentUnreadable, match=r"long\.md: it has 11 bytes; at most 10"):
        read(folder, "long.md")


def test_files_are_those_that_match_when_they_lie_in_a_repository(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order of their paths; limits hold for each and for all."""
    repo = tmp_path / "source"
    commit = repository(repo, {"b.md": "Two", "a.md": "One", "docs/c.md": "Three", "d.txt": "x"})

    def committed(*patterns: str) -> list[str]:
        document = Document(Place(1, 1), None, str(repo), commit, patterns)
        found = texts(lesson(folder, document), folder.parents[1], tmp_path / "cache")
        return [f"{text.source} {text.lines[0].text}" for text in found]

    assert committed("*.md") == ["a.md One", "b.md Two"]
    assert committed("docs/*", "a*") == ["a.md One", "docs/c.md Three"]
    with pytest.raises(DocumentsMissing, match=r"x\.md, \*\.rst"):
        committed("x.md", "*.rst")
    monkeypatch.setattr(documents, "MAX_BYTES", 5)
    with pytest.raises(DocumentUnreadable, match=r"b\.md: it has 6 bytes"):
        committed("*.md")
    monkeypatch.setattr(documents, "MAX_FILE_BYTES", 2)
    with pytest.raises(DocumentUnreadable, match=r"a\.md: it has 3 bytes"):
        committed("*.md")
