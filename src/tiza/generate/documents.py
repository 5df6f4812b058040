"""The documents behind a lesson: which files they are, and the lines of text in them.

A local file of the taxonomy, or files of a git repository. Knows nothing of chunks.
"""

import os
import stat
from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tiza.errors import DocumentsMissing, DocumentUnreadable
from tiza.generate import pdf
from tiza.generate.repository import Blob, obtain, without_secret
from tiza.taxonomy.find import root_of
from tiza.taxonomy.finding import shown
from tiza.taxonomy.lesson import Document, Lesson
from tiza.taxonomy.source import NO_LINK, READ, locate
from tiza.translation import N_

MAX_FILE_BYTES = 20_000_000
MAX_BYTES = 200_000_000  # of all files behind one lesson
MARKDOWN = (".md", ".markdown")
LARGE_FILE_POINTER = b"version https://git-lfs"

OUTSIDE = N_("it leads out of the taxonomy. Put the document beside qna.yaml.")
CLOSED = N_("it cannot be opened ({reason}).")
NO_FILE = N_("it is not an ordinary file.")
TOO_LARGE = N_("it has {size} bytes; at most {limit} are read. Split it, or name fewer files.")
NO_TEXT = N_("it is not text. Save it as Markdown, plain text or PDF.")
OTHER_ENCODING = N_("it is not written in UTF-8. Save it with that encoding.")
POINTER = N_("git has only a pointer to it (Git LFS). Commit the file itself.")


class Line(NamedTuple):
    """A line of a document; `number` is that of the line, in a PDF that of the page."""

    number: int
    text: str


class Text(NamedTuple):
    """What a document says. `source` is its name as a person would write it."""

    source: str
    lines: list[Line]
    is_markdown: bool


def texts(lesson: Lesson, taxonomy_root: Path, cache: Path) -> Iterator[Text]:
    """Yield the documents behind a lesson, none if it names none.

    `cache` is the folder in which fetched repositories are kept.

    Raises:
        DocumentUnreadable: naming the file and what is wrong with it.
        DocumentsMissing: no file of the repository has such a name.
        RepositoryRefused, RepositoryUnreachable, CommitUnknown, GitFailed: see `repository`.

    """
    document = lesson.document
    if document is None:
        return
    if document.path is not None:
        yield text(document.path, _local(document.path, lesson.path.parent, taxonomy_root))
    elif document.repo and document.commit:
        yield from _committed(document, document.repo, document.commit, cache)


def text(source: str, data: bytes) -> Text:
    """Return the lines of a file.

    Raises:
        DocumentUnreadable: it is too large, no text, in another encoding, or a PDF without text.

    """
    if data.startswith(b"%PDF-") or source.lower().endswith(".pdf"):
        pages = enumerate(pdf.pages(data, shown(source)), 1)
        return Text(source, [Line(page, line) for page, lines in pages for line in lines], False)
    lines = _decoded(source, data).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    numbered = [Line(number, line) for number, line in enumerate(lines, 1)]
    return Text(source, numbered, source.lower().endswith(MARKDOWN))


def _local(path: str, folder: Path, taxonomy_root: Path) -> bytes:
    try:
        place = locate(path, folder, root_of(folder, taxonomy_root))
        if place is None:
            raise DocumentUnreadable(OUTSIDE, path=shown(path))
        with os.fdopen(os.open(place.resolve(), READ | NO_LINK), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise DocumentUnreadable(NO_FILE, path=shown(path))
            _check_size(path, status.st_size, MAX_FILE_BYTES)
            return file.read(MAX_FILE_BYTES)
    except (OSError, RuntimeError) as exc:
        reason = getattr(exc, "strerror", None) or shown(str(exc))
        raise DocumentUnreadable(CLOSED, path=shown(path), reason=reason) from exc


def _committed(document: Document, repo: str, commit: str, cache: Path) -> Iterator[Text]:
    repository = obtain(repo, commit, cache)
    blobs = repository.matching(document.patterns)
    if not blobs:
        patterns = shown(", ".join(document.patterns))
        raise DocumentsMissing(patterns=patterns, repo=without_secret(repo), commit=commit)
    _check_sizes(blobs)
    for blob in blobs:
        yield text(blob.path, repository.read(blob))


def _check_sizes(blobs: list[Blob]) -> None:
    total = 0
    for blob in blobs:
        _check_size(blob.path, blob.size, MAX_FILE_BYTES)
        total += blob.size
        _check_size(blob.path, total, MAX_BYTES)


def _check_size(path: str, size: int, limit: int) -> None:
    if size > limit:
        raise DocumentUnreadable(TOO_LARGE, path=shown(path), size=size, limit=limit)


def _decoded(source: str, data: bytes) -> str:
    if data.startswith(LARGE_FILE_POINTER):
        raise DocumentUnreadable(POINTER, path=shown(source))
    try:
        decoded = data.removeprefix(BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as exc:
        problem = NO_TEXT if b"\0" in data else OTHER_ENCODING
        raise DocumentUnreadable(problem, path=shown(source)) from exc
    if "\0" in decoded:
        raise DocumentUnreadable(NO_TEXT, path=shown(source))
    return decoded
