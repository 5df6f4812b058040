"""Ask git about lessons; nothing else in Tiza knows its command line."""

import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from tiza.errors import GitFailed

PREFIX = ("git", "--no-optional-locks", "-c", "core.quotePath=off")
NOT_IGNORED = 1  # the exit status of `git check-ignore`; outside of a repository it is 128
COMMITTED = re.compile(r"\[.*?([0-9a-f]{7,40})\]")  # how `git commit` names what it made
COMMITTER = ("-c", "user.name=Tiza", "-c", "user.email=tiza@localhost")


def run(folder: Path, *arguments: str) -> str:
    """Return what a git command prints in a folder.

    Raises:
        GitFailed: git is not installed, or refuses.

    """
    try:
        done = subprocess.run(
            [*PREFIX, "-C", str(folder), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
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


def has(folder: Path) -> bool:
    """Tell whether a folder lies in a repository that does not ignore it."""
    try:
        run(folder, "check-ignore", "--quiet", ".")
    except GitFailed as exc:
        return exc.data["reason"] == NOT_IGNORED
    return False


def record(folder: Path, path: Path, message: str, author: str) -> str:
    """Commit one file as it is now, or that it has gone; return the short name of the commit.

    What else lies ready to be committed stays as it is. No hook and no signature is asked for:
    nobody is there to answer.

    Raises:
        GitFailed: git refuses, for example in the middle of a merge.

    """
    name = "".join(c for c in author if c.isprintable() and c not in "<>").strip() or "Tiza"
    options = ("--no-verify", "--no-gpg-sign", f"--author={name} <>", "-m", message)
    file = str(path.absolute())
    run(folder, "add", "--all", "--", file)
    said = run(folder, *COMMITTER, "commit", *options, "--only", "--", file)
    named = COMMITTED.match(said)
    return named[1] if named else "HEAD"
