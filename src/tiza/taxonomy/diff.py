"""Which lessons changed since a git revision, those that git does not know yet included."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tiza.errors import TaxonomyNotFound
from tiza.taxonomy import git
from tiza.taxonomy.find import LESSON, LOOKS_LIKE_A_LESSON, Candidate, find

EVERYTHING = "empty"  # as in ilab: compare with nothing, so that every lesson is new
DEFAULT_BASES = ("origin/main", "HEAD")


class Status(StrEnum):
    """What happened to a lesson."""

    ADDED = "added"
    CHANGED = "changed"
    RENAMED = "renamed"
    REMOVED = "removed"


LETTERS = {"A": Status.ADDED, "C": Status.ADDED, "D": Status.REMOVED, "R": Status.RENAMED}


@dataclass(frozen=True, slots=True)
class Change:
    """A lesson and what happened to it; `before` is the old path of a renamed one."""

    status: Status
    path: Path
    before: Path | None = None


def diff(taxonomy: Path, base: str | None = None) -> list[Change]:
    """Return the changed lessons by path. `base` None: origin/main if it exists, else HEAD.

    Raises:
        TaxonomyNotFound: there is no such folder.
        GitFailed: no repository, or no such revision.

    """
    if not taxonomy.is_dir():
        raise TaxonomyNotFound(path=taxonomy)
    if base == EVERYTHING:
        return [Change(Status.ADDED, c.path) for c in find([taxonomy], taxonomy)]
    revision = git.commit(taxonomy, base or git.first_known(taxonomy, DEFAULT_BASES))
    changes = [*_tracked(taxonomy, revision), *_untracked(taxonomy)]
    return sorted(changes, key=lambda change: change.path)


def existing(changes: list[Change], taxonomy: Path) -> Iterator[Candidate]:
    """Yield those of the changed lessons that are still there, to be checked."""
    paths = [change.path for change in changes if change.status is not Status.REMOVED]
    return find([path for path in paths if path.exists()], taxonomy)


def _tracked(taxonomy: Path, revision: str) -> Iterator[Change]:
    options = ("--name-status", "-z", "--find-renames", "--relative", revision, "--", ".")
    fields = iter(git.run(taxonomy, "diff", *options).split("\0"))
    for letter in fields:
        if not letter:
            break
        status = LETTERS.get(letter[0], Status.CHANGED)
        old = next(fields)
        new = next(fields) if letter[0] in "RC" else old
        yield from _changes(taxonomy, status, old, new)


def _changes(taxonomy: Path, status: Status, old: str, new: str) -> Iterator[Change]:
    """Yield what a line of git means for lessons: a file may become one, or cease to be one."""
    if _is_lesson(new):
        if status is Status.RENAMED and not _is_lesson(old):
            status = Status.ADDED
        before = taxonomy / old if status is Status.RENAMED else None
        yield Change(status, taxonomy / new, before)
    elif status is Status.RENAMED and _is_lesson(old):
        yield Change(Status.REMOVED, taxonomy / old)


def _untracked(taxonomy: Path) -> Iterator[Change]:
    listed = git.run(taxonomy, "ls-files", "--others", "--exclude-standard", "-z", "--", ".")
    for path in listed.split("\0"):
        if _is_lesson(path):
            yield Change(Status.ADDED, taxonomy / path)


def _is_lesson(path: str) -> bool:
    """Tell whether git's path is a lesson, or meant to be one: the checker will say so."""
    name = path.rpartition("/")[2]
    return name == LESSON or ("/" in path and name.lower().endswith(LOOKS_LIKE_A_LESSON))
