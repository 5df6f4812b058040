"""The tree of subjects with the number of lessons and questions on every branch."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tiza.errors import TaxonomyNotFound
from tiza.taxonomy.cache import Cache
from tiza.taxonomy.examine import examine
from tiza.taxonomy.find import BRANCHES, find
from tiza.taxonomy.repeated import EXAM

DEEPEST = 60  # levels that are drawn; what lies deeper is counted there


@dataclass
class Branch:
    """A folder; the numbers include everything below it."""

    name: str
    lessons: int = 0
    questions: int = 0
    exam: int = 0
    children: dict[str, "Branch"] = field(default_factory=dict)

    def add(self, parts: list[str], questions: int, exam: int) -> None:
        """Count a lesson here and on the way down to its folder."""
        branch = self
        for name in ("", *parts[:DEEPEST]):
            branch = branch.child(name) if name else branch
            branch.lessons += 1
            branch.questions += questions
            branch.exam += exam

    def child(self, name: str) -> "Branch":
        """Return a folder in this one."""
        return self.children.setdefault(name, Branch(name))

    def as_json(self) -> dict[str, object]:
        """Return the branch for `json.dumps`."""
        below = [child.as_json() for child in self.children.values()]
        return {
            "name": self.name,
            "lessons": self.lessons,
            "questions": self.questions,
            "exam": self.exam,
            "children": below,
        }


def grow(taxonomy: Path, cache: Cache) -> Branch:
    """Count the lessons of a taxonomy.

    Raises:
        TaxonomyNotFound: there is no such folder.

    """
    if not taxonomy.is_dir():
        raise TaxonomyNotFound(path=taxonomy)
    root = Branch(str(taxonomy))
    for parts in _folders(taxonomy):
        branch = root
        for name in parts:
            branch = branch.child(name)
    for candidate in find([taxonomy], taxonomy):
        if candidate.readable and candidate.kind:
            numbers = examine(candidate, cache).verdict.questions[1::2]
            exam = sum(1 for number in numbers if number & 1 == EXAM)
            root.add(candidate.leaf.split("/"), len(numbers) - exam, exam)
    return root


def _folders(taxonomy: Path) -> Iterator[tuple[str, ...]]:
    """Yield the subject folders, those without lessons too."""
    for here, folders, _files in os.walk(taxonomy):
        parts = Path(here).relative_to(taxonomy).parts
        folders[:] = sorted(
            f for f in folders if not f.startswith(".") and (parts or f in BRANCHES)
        )
        if len(parts) >= DEEPEST:
            folders.clear()
        if parts:
            yield parts


def draw(
    branch: Branch, depth: int | None = None, prefix: str = ""
) -> Iterator[tuple[str, Branch]]:
    """Yield each line's drawing with the branch on it, down to a depth."""
    if depth == 0:
        return
    children = list(branch.children.values())
    for child in children:
        last = child is children[-1]
        yield f"{prefix}{'└── ' if last else '├── '}", child
        below = None if depth is None else depth - 1
        yield from draw(child, below, f"{prefix}{'    ' if last else '│   '}")
