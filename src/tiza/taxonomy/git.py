"""Ask git about lessons; nothing else in Tiza knows its command line."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from tiza.errors import GitFailed

PREFIX = ("git", "--no-optional-locks", "-c", "core.quotePath=off")


def run(folder: Path, *arguments: str) -> str:
    """Return what a git command prints in a folder.

    Raises:
        GitFailed: git is not installed, or refuses.

    """
    try:
        done = subprocess.run(
            [*PREFIX, "-C", str(folder), *arguments], capture_output=True, check=False
        )
    except OSError as exc:
        raise GitFailed(command=arguments[0], reason=exc.strerror) from exc
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise GitFailed(command=arguments[0], reason=said[0] if said else done.returncode)
    return done.stdout.decode("utf-8", "surrogateescape")


def lines(folder: Path, *arguments: str) -> Iterator[str]:
    """Yield the lines of a long output while git writes them."""
    command = [*PREFIX, "-C", str(folder), *arguments]
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError as exc:
        raise GitFailed(command=arguments[0], reason=exc.strerror) from exc
    with process:
        for line in process.stdout or ():
            yield line.decode("utf-8", "surrogateescape").rstrip("\n")
    if process.returncode:
        raise GitFailed(command=arguments[0], reason=process.returncode)


def commit(folder: Path, revision: str) -> str:
    """Return the hash of the commit that a revision names.

    Raises:
        GitFailed: there is no such commit.

    """
    verify = ("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
    return run(folder, *verify).strip()


def first_known(folder: Path, revisions: Sequence[str]) -> str:
    """Return the first of some revisions that exists here.

    Raises:
        GitFailed: none does.

    """
    for revision in revisions[:-1]:
        with suppress(GitFailed):
            commit(folder, revision)
            return revision
    commit(folder, revisions[-1])
    return revisions[-1]
