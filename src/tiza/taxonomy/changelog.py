"""The history of the lessons, from git, as Markdown: what was added, changed, removed, by whom."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path, PurePosixPath

from tiza.errors import TaxonomyNotFound
from tiza.taxonomy import git
from tiza.taxonomy.diff import LETTERS, Status
from tiza.taxonomy.find import LESSON
from tiza.translation import N_, translate

MARK = "\x01"  # begins the line of a commit, which no path does
FORMAT = f"--format={MARK}%h%x09%ad%x09%an%x09%s"
TITLE = N_("Changes of the lessons")
NOTHING = N_("There are no changes.")
HEADINGS = {
    Status.ADDED: N_("Added"),
    Status.CHANGED: N_("Changed"),
    Status.RENAMED: N_("Moved"),
    Status.REMOVED: N_("Removed"),
}
SPECIAL = str.maketrans({char: f"\\{char}" for char in "\\`*_[]<>#|"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One lesson in one commit; `leaf` is its folder, `before` the one that it was moved from."""

    day: str
    status: Status
    leaf: str
    before: str
    author: str
    commit: str
    subject: str


def history(taxonomy: Path, since: str | None = None) -> Iterator[Entry]:
    """Yield what happened to the lessons, newest first; `since` is a revision, not included.

    Raises:
        TaxonomyNotFound: there is no such folder.
        GitFailed: no repository, no commit yet, or no such revision.

    """
    if not taxonomy.is_dir():
        raise TaxonomyNotFound(path=taxonomy)
    newest = git.commit(taxonomy, "HEAD")
    span = f"{git.commit(taxonomy, since)}..{newest}" if since else newest
    options = ("--name-status", "--find-renames", "--relative", "--no-merges", "--date=short")
    header = ["", "", "", ""]
    for line in git.lines(taxonomy, "log", *options, FORMAT, span, "--", "."):
        if line.startswith(MARK):
            header = line[1:].split("\t", 3)
        elif line and (entry := _entry(line, header)):
            yield entry


def _entry(line: str, header: list[str]) -> Entry | None:
    letter, *paths = line.split("\t")
    path = PurePosixPath(paths[-1])
    if path.name != LESSON:
        return None
    commit, day, author, subject = header
    before = str(PurePosixPath(paths[0]).parent) if len(paths) > 1 else ""
    status = LETTERS.get(letter[0], Status.CHANGED)
    return Entry(day, status, str(path.parent), before, author, commit, subject)


def markdown(entries: Iterator[Entry], language: str) -> Iterator[str]:
    """Yield the lines of the changelog: a heading per day, below it one list per status."""
    yield f"# {translate(TITLE, language)}"
    empty = True
    for day, of_day in groupby(entries, key=lambda entry: entry.day):
        empty = False
        yield f"\n## {day}"
        listed = list(of_day)
        for status, heading in HEADINGS.items():
            lines = [_line(entry) for entry in listed if entry.status is status]
            if lines:
                yield f"\n### {translate(heading, language)}\n"
                yield from lines
    if empty:
        yield f"\n{translate(NOTHING, language)}"


def _line(entry: Entry) -> str:
    moved = f"`{entry.before}` → " if entry.before and entry.before != entry.leaf else ""
    subject, author = entry.subject.translate(SPECIAL), entry.author.translate(SPECIAL)
    return f"- {moved}`{entry.leaf}`: {subject} ({author}, {entry.commit})"
