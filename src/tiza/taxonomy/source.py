"""The bytes of a lesson's file, and the files beside it: everything that asks the file system.

Never reads more than a lesson may have, never waits for a pipe, never leaves the tree.
"""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tiza.taxonomy.find import Candidate
from tiza.taxonomy.finding import Finding, shown
from tiza.taxonomy.lesson import Document

MAX_BYTES = 1_048_576
ATTRIBUTION = "attribution.txt"
# O_NONBLOCK: opening a pipe would otherwise wait for somebody to write.
READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
NO_LINK = getattr(os, "O_NOFOLLOW", 0)


def read(candidate: Candidate) -> bytes | Finding:
    """Return the file's bytes, or what keeps it from being read."""
    path, name = candidate.path, {"name": shown(candidate.path.name)}
    try:
        descriptor = _open(path, candidate.root)
        if descriptor is None:
            return Finding("link-outside-tree", data=name)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            data = file.read(MAX_BYTES + 1) if stat.S_ISREG(status.st_mode) else None
    except (OSError, RuntimeError) as exc:
        if path.exists() and not path.is_file():
            return Finding("not-a-file", data=name)
        return Finding("unreadable-file", data={"reason": _reason(exc)})
    if data is None:
        return Finding("not-a-file", data=name)
    if len(data) > MAX_BYTES:
        size = max(status.st_size, len(data))
        return Finding("file-too-large", data={"size": size, "limit": MAX_BYTES})
    return data


def _open(path: Path, root: Path) -> int | None:
    """Open a file; None for a link that leads out of the tree."""
    try:
        return os.open(path, READ | NO_LINK)
    except OSError as exc:
        if exc.errno != errno.ELOOP:
            raise
    return os.open(path, READ) if _inside(path, root) else None


def find_beside(candidate: Candidate, document: Document) -> Iterator[Finding]:
    """Yield what is wrong with the document of a lesson and its attribution."""
    folder = candidate.path.parent
    if not (folder / ATTRIBUTION).is_file():
        yield Finding("missing-attribution", *document.place)
    if document.path is not None:
        yield from _local(document.path, document, candidate)
    for pattern in document.patterns:
        if _escapes(pattern):
            yield Finding("document-outside-tree", *document.place, {"path": shown(pattern)})
    if document.repo is not None:
        yield from _repository(document.repo, document)


def locate(path: str, folder: Path, root: Path) -> Path | None:
    """Return where a lesson's document lies; None if it leads out of the tree.

    Raises:
        OSError: a folder on the way may not be entered.
        RuntimeError: links run in a circle.

    """
    whole = folder / path
    outside = "\0" in path or _is_absolute(path) or not _inside(whole, root)
    return None if outside else whole


def _local(path: str, document: Document, candidate: Candidate) -> Iterator[Finding]:
    data = {"path": shown(path)}
    try:
        whole = locate(path, candidate.path.parent, candidate.root)
        if whole is None:
            yield Finding("document-outside-tree", *document.place, data)
        elif not whole.is_file():
            reason = os.strerror(21 if whole.is_dir() else 2)
            yield Finding("document-unreachable", *document.place, {**data, "reason": reason})
        else:
            whole.open("rb").close()
    except (OSError, RuntimeError) as exc:
        yield Finding("document-unreachable", *document.place, {**data, "reason": _reason(exc)})


def _repository(repo: str, document: Document) -> Iterator[Finding]:
    """Look for a repository on this machine; the network is not asked."""
    local = repo.removeprefix("file://")
    if "\0" in repo or not local.startswith("/") or Path(local).is_dir():
        return
    data = {"path": shown(repo), "reason": os.strerror(2)}
    yield Finding("document-unreachable", *document.place, data)


def _escapes(pattern: str) -> bool:
    return _is_absolute(pattern) or ".." in PurePosixPath(pattern.replace("\\", "/")).parts


def _is_absolute(path: str) -> bool:
    return path.startswith(("/", "\\", "~")) or path[1:2] == ":"


def _inside(path: Path, root: Path) -> bool:
    return path.resolve().is_relative_to(root.resolve())


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or shown(str(error))
