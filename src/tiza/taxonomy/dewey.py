"""Where a subject has its place: by its folder, or by its number in Dewey's decimal classes.

The tree itself says which number a folder has: the first heading of its README.md begins with it
(`# 570 · Biology · Biología`). The ten classes stand here, for a tree that is still empty.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from tiza.taxonomy.lesson import Kind

CLASSES = {
    0: "computer_science",
    100: "philosophy",
    200: "religion",
    300: "social_sciences",
    400: "language",
    500: "science",
    600: "technology",
    700: "arts",
    800: "literature",
    900: "history",
}
HEADING = re.compile(r"#\s*(\d{3}(?:\.\d+)?)(?!\d|\s*[\u2013-])")  # a number, not a span
NUMBER = re.compile(r"\d{3}(\.\d+)?")
CLASS = 100


def subject_folder(number: str, taxonomy: Path, kind: Kind) -> str:
    """Return the folder of a Dewey number, below the kind's branch: the nearest one at or under it.

    Searched in the same class of hundred; the deepest folder wins.
    """
    wanted = float(number)
    floor = wanted // CLASS * CLASS
    fitting = [
        (value, folder.count("/"), folder)
        for value, folder in numbered_folders(taxonomy / kind)
        if floor <= value <= wanted
    ]
    return max(fitting)[2] if fitting else CLASSES[int(floor)]


def numbered_folders(branch: Path) -> Iterator[tuple[float, str]]:
    """Yield the number and the path of each folder whose README.md begins with one."""
    for readme in sorted(branch.rglob("README.md")):
        try:
            with readme.open(encoding="utf-8") as file:
                found = HEADING.match(file.readline())
        except (OSError, UnicodeDecodeError):
            continue
        folder = readme.parent.relative_to(branch).as_posix()
        if found and folder != ".":
            yield float(found.group(1)), folder
