"""Lessons as files that people change from afar: found by their folder, written in one step.

A change names the version that it was made from, so that of two people neither overwrites the
other; where the tree is a git repository, each change is a commit. Never leaves the tree, and
follows no link out of it.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tiza.errors import (
    GitFailed,
    LessonChanged,
    LessonMisplaced,
    LessonNotFound,
    LessonUnwritable,
)
from tiza.taxonomy import git
from tiza.taxonomy.find import BRANCHES, LESSON, Candidate
from tiza.taxonomy.finding import Finding
from tiza.taxonomy.new import FOLDER
from tiza.taxonomy.parse import LANGUAGE_TAG
from tiza.taxonomy.source import read

MAX_PATH = 500
DEEPEST = 30
NEW = ""  # the version of a lesson that does not exist yet


@dataclass(frozen=True, slots=True)
class Kept:
    """A lesson's text, and the version by which a change names it."""

    text: str
    version: str


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody wants: `text` None deletes the lesson; `version` is the one they have read."""

    leaf: str
    text: str | None
    version: str
    author: str


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a change. `commit` is empty where there is none, `reason` then says why."""

    version: str
    commit: str = ""
    reason: str = ""


def place(leaf: str, taxonomy: Path) -> Candidate:
    """Return where a lesson's folder, such as `knowledge/science/physics`, has its file.

    Raises:
        LessonMisplaced: not below a branch, or behind a link that leads out of the tree.

    """
    parts = leaf.split("/")
    plain = all(part and not part.startswith(".") and part.isprintable() for part in parts)
    kind = BRANCHES.get(parts[0])
    if kind is None or not plain or "\\" in leaf or not 1 < len(parts) <= DEEPEST:
        raise LessonMisplaced(path=leaf[:MAX_PATH])
    path = taxonomy.joinpath(*parts, LESSON)
    try:
        inside = path.parent.resolve().is_relative_to(taxonomy.resolve())
        linked = path.is_symlink()
    except (OSError, RuntimeError) as exc:
        raise LessonMisplaced(path=leaf[:MAX_PATH]) from exc
    if not inside or linked or len(leaf) > MAX_PATH:
        raise LessonMisplaced(path=leaf[:MAX_PATH])
    return Candidate(path, taxonomy, kind)


def kept(leaf: str, taxonomy: Path) -> Kept:
    """Return a lesson as it is now. Bytes that are no UTF-8 are shown as �.

    Raises:
        LessonNotFound: there is none, or it cannot be read.

    """
    try:
        data = read(place(leaf, taxonomy))
    except LessonMisplaced as exc:
        raise LessonNotFound(**exc.data) from exc
    if isinstance(data, Finding):
        raise LessonNotFound(path=leaf)
    return Kept(data.decode("utf-8", "replace"), _version(data))


def change(wanted: Change, taxonomy: Path, lock: Path) -> Done:
    """Write or delete a lesson; `lock` is a file by which the processes wait for each other.

    Raises:
        LessonMisplaced: see `place`; or a new lesson's name cannot be used.
        LessonChanged: it is not the version that the change was made from.
        LessonUnwritable: a full disk, a closed folder.

    """
    candidate = place(wanted.leaf, taxonomy)
    path = candidate.path
    if wanted.version == NEW and not _usable(wanted.leaf):
        raise LessonMisplaced(path=wanted.leaf)
    try:
        with _alone(lock):
            data = read(candidate)
            there = NEW if isinstance(data, Finding) else _version(data)
            if there != wanted.version or (isinstance(data, Finding) and path.exists()):
                raise LessonChanged(path=wanted.leaf)
            _write(path, wanted.text)
            if wanted.text is not None and _version(wanted.text.encode()) == there:
                return Done(there)
            return _committed(wanted, path, taxonomy)
    except OSError as exc:
        raise LessonUnwritable(path=wanted.leaf, reason=exc.strerror or exc) from exc


def _usable(leaf: str) -> bool:
    folder, _, last = leaf.rpartition("/")
    return bool(FOLDER.fullmatch(leaf)) or bool(
        FOLDER.fullmatch(folder) and LANGUAGE_TAG.fullmatch(last)
    )


def _write(path: Path, text: str | None) -> None:
    """Put the text into its place, or take the file away."""
    if text is None:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _committed(wanted: Change, path: Path, taxonomy: Path) -> Done:
    """Have git remember the change, if it knows the tree; what it says otherwise is passed on."""
    version = NEW if wanted.text is None else _version(wanted.text.encode())
    verb = "Delete" if wanted.text is None else "Change" if wanted.version else "Add"
    try:
        if not git.has(taxonomy):
            return Done(version)
        message = f"{verb} the lesson {wanted.leaf}"
        return Done(version, git.record(taxonomy, path, message, wanted.author))
    except GitFailed as exc:
        return Done(version, reason=str(exc.data["reason"]))


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _version(data: bytes) -> str:
    return sha256(data).hexdigest()[:32]
