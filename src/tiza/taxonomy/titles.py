"""How subjects and lessons are called by people: the heading of a README, or of a lesson.

`# 570 · Biology · Biología`: a number, the English title and the Spanish one.
"""

import re
from pathlib import Path

HEADING = re.compile(r"#\s*(\d{3}[\d.\u2013-]*)\s+·\s+([^·]+?)(?:\s+·\s+([^·]+?))?\s*")
LANGUAGE = re.compile(r"^language:\s*[\"']?([\w-]+)", re.MULTILINE)
HEAD_BYTES = 4096
README = "README.md"


def title_of(folder: Path, language: str) -> str:
    """Return the title of a subject; without one, the name of its folder in words."""
    return _title(_head(folder / README), language) or words_of(folder.name)


def lesson_title(path: Path, language: str, text: str | None = None) -> tuple[str, str]:
    """Return a lesson's title and the language that it declares, which may be empty.

    `text` is what the file will say, where that is known.
    """
    head = _head(path) if text is None else text[:HEAD_BYTES]
    declared = LANGUAGE.search(head)
    tag = declared[1] if declared else ""
    folder = path.parent if path.parent.name != tag else path.parent.parent
    return _title(head, language) or words_of(folder.name), tag


def words_of(name: str) -> str:
    """Return the name of a folder as people write it."""
    return name.replace("_", " ").capitalize()


def _title(head: str, language: str) -> str:
    found = HEADING.fullmatch(head.partition("\n")[0])
    if not found:
        return ""
    return (found[3] if language == "es" else None) or found[2]


def _head(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
