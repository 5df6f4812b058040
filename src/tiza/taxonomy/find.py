"""Where lessons are: walks a taxonomy, in the order of the names, one folder at a time.

Links to folders are not followed: they may run in circles. Knows nothing of what is in a file.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tiza.errors import TaxonomyNotFound
from tiza.taxonomy.finding import Finding, shown
from tiza.taxonomy.lesson import Kind

LESSON = "qna.yaml"
BRANCHES = {str(kind): kind for kind in Kind}
LOOKS_LIKE_A_LESSON = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file to check, the root of its tree, and what its name or place already says about it."""

    path: Path
    root: Path
    findings: tuple[Finding, ...] = ()
    readable: bool = True

    @property
    def leaf(self) -> str:
        """The lesson's folder, from the root of the tree, as `knowledge/science/physics`."""
        return self.path.parent.relative_to(self.root).as_posix()

    @property
    def kind(self) -> Kind | None:
        """The kind of lesson, which the top folder decides."""
        return BRANCHES.get(self.leaf.partition("/")[0])


def find(paths: Iterable[Path], taxonomy: Path) -> Iterator[Candidate]:
    """Yield what is to be checked at the paths: files as they are, folders with all below them.

    Raises:
        TaxonomyNotFound: a path does not exist.

    """
    for path in paths:
        if path.is_dir() and path.name != LESSON:
            yield from walk(path, root_of(path, taxonomy))
        elif path.is_symlink() or path.exists():
            yield _candidate(path, root_of(path.parent, taxonomy))
        else:
            raise TaxonomyNotFound(path=path)


def root_of(folder: Path, taxonomy: Path) -> Path:
    """Return the root of the tree that a folder lies in.

    That is the given taxonomy, or else the folder above the last branch in the path.
    """
    absolute, given = Path(os.path.abspath(folder)), Path(os.path.abspath(taxonomy))
    if absolute.is_relative_to(given):
        return _climb(folder, len(absolute.parts) - len(given.parts))
    for up, name in enumerate(reversed(absolute.parts)):
        if name in BRANCHES:
            return _climb(folder, up + 1)
    return folder


def _climb(folder: Path, levels: int) -> Path:
    """Go up in the path as it was written, so that it stays short in messages."""
    for _ in range(levels):
        folder = folder.parent if folder.name not in ("", "..") else folder / ".."
    return folder


def walk(folder: Path, root: Path) -> Iterator[Candidate]:
    """Yield the lessons below a folder, and what only looks like one."""
    stack = [folder]
    while stack:
        here = stack.pop()
        try:
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError as exc:
            reason = {"reason": exc.strerror or str(exc)}
            unreadable = (Finding("unreadable-file", data=reason),)
            yield Candidate(here / LESSON, root, unreadable, readable=False)
            continue
        folders = []
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False) and entry.name != LESSON:
                folders.append(here / entry.name)
            elif _concerns_us(entry, here, root):
                yield _candidate(here / entry.name, root)
        stack += reversed(folders)


def _concerns_us(entry: os.DirEntry[str], here: Path, root: Path) -> bool:
    if entry.name == LESSON:
        return True
    inside = here != root and here.relative_to(root).parts[0] in BRANCHES
    if entry.is_symlink():
        return inside and (entry.is_dir() or entry.name.endswith(LOOKS_LIKE_A_LESSON))
    return inside and looks_like_a_lesson(entry.name)


def looks_like_a_lesson(name: str) -> bool:
    """Tell whether somebody may have meant a file to be a lesson."""
    lower = name.lower()
    return lower.endswith(LOOKS_LIKE_A_LESSON) or lower in ("qna", "qna.yaml.txt", "qna.txt")


def _candidate(path: Path, root: Path) -> Candidate:
    name = {"name": shown(path.name)}
    if path.is_symlink() and path.is_dir():
        return Candidate(path, root, (Finding("folder-link", data=name),), readable=False)
    if path.name != LESSON:
        return Candidate(path, root, (Finding("wrong-file-name", data=name),), readable=False)
    candidate = Candidate(path, root)
    if candidate.kind is None:
        return Candidate(path, root, (Finding("outside-branches"),))
    return candidate
