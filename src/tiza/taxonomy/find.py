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
LOOKS_LIKE_A_LESSON = (".yaml", ".yml", "qna.yaml.txt", "qna.txt")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file to check, the root of its tree, and what its name or place already says about it.

    `kind` is what the top folder makes of it; None outside the branches.
    """

    path: Path
    root: Path
    kind: Kind | None
    findings: tuple[Finding, ...] = ()
    readable: bool = True

    @property
    def leaf(self) -> str:
        """The lesson's folder, from the root of the tree, as `knowledge/science/physics`."""
        return self.path.parent.relative_to(self.root).as_posix()


def find(paths: Iterable[Path], taxonomy: Path) -> Iterator[Candidate]:
    """Yield what is to be checked at the paths: files as they are, folders with all below them.

    Raises:
        TaxonomyNotFound: a path does not exist.

    """
    for path in paths:
        if path.is_dir() and path.name != LESSON:
            yield from walk(path, root_of(path, taxonomy))
        elif path.is_symlink() or path.exists():
            yield _alone(path, root_of(path.parent, taxonomy))
        else:
            raise TaxonomyNotFound(path=path)


def root_of(folder: Path, taxonomy: Path) -> Path:
    """Return the root of the tree that a folder lies in.

    That is the given taxonomy, or else the folder above the last branch in the path.
    """
    absolute, given = _absolute(folder), _absolute(taxonomy)
    if absolute.is_relative_to(given):
        return _climb(folder, len(absolute.parts) - len(given.parts))
    for up, name in enumerate(reversed(absolute.parts)):
        if name in BRANCHES:
            return _climb(folder, up + 1)
    return folder


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100  # without following links, unlike resolve()


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
        kind = _kind(here, root)
        try:
            with os.scandir(here) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as exc:
            reason = {"reason": exc.strerror or str(exc)}
            unreadable = (Finding("unreadable-file", data=reason),)
            yield Candidate(here / LESSON, root, kind, unreadable, readable=False)
            continue
        folders = []
        for entry in listed:
            name = entry.name
            if name == LESSON or (kind and name.lower().endswith(LOOKS_LIKE_A_LESSON)):
                yield _candidate(here / name, root, kind)
            elif entry.is_dir(follow_symlinks=False):
                folders += [] if name.startswith(".") else [here / name]
            elif kind and entry.is_symlink() and entry.is_dir():
                yield _candidate(here / name, root, kind)
        stack += reversed(folders)


def _kind(folder: Path, root: Path) -> Kind | None:
    if folder == root:
        return None
    return BRANCHES.get(folder.relative_to(root).parts[0])


def _alone(path: Path, root: Path) -> Candidate:
    return _candidate(path, root, _kind(path.parent, root))


def _candidate(path: Path, root: Path, kind: Kind | None) -> Candidate:
    if path.name == LESSON:
        findings = () if kind else (Finding("outside-branches"),)
        return Candidate(path, root, kind, findings)
    folder = path.is_symlink() and path.is_dir()
    rule = "folder-link" if folder else "wrong-file-name"
    finding = Finding(rule, data={"name": shown(path.name)})
    return Candidate(path, root, kind, (finding,), readable=False)
