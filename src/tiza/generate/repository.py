"""Files of a git repository at one commit, read from its objects: nothing is ever checked out.

So no hook, filter, submodule, LFS server or link of a hostile repository comes into play. What was
fetched stays in a cache folder and is not fetched again. Knows nothing of what is in a file.
"""

import fcntl
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from tiza.errors import CommitUnknown, GitFailed, RepositoryRefused, RepositoryUnreachable
from tiza.taxonomy.finding import shown

FETCH_SECONDS = 300
MAX_FETCH_BYTES = 1_000_000_000
POLL_SECONDS = 0.1
MOST_SAID = 4_096  # bytes of git's complaint
WHOLE_HISTORY = 2_147_483_647  # as git calls it

# What a repository, or its server, could otherwise make git do.
SAFE = (
    *("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "core.askPass="),
    *("-c", "fetch.recurseSubmodules=false", "-c", "gc.auto=0", "-c", "maintenance.auto=false"),
    *("-c", "transfer.bundleURI=false", "-c", "fetch.writeCommitGraph=false"),
)
# Where git would look instead, if Tiza is called from one of its hooks.
ELSEWHERE = (
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"),
    *("GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_NAMESPACE"),
)

# Which of git's protocols each form of address may lead to; a user's `insteadOf` may exchange two.
NETWORK, LOCAL = "https:ssh", "file"
FORMS = (
    (re.compile(r"(?:https|ssh)://[^-\s\0-\37][^\s\0-\37]*"), NETWORK),
    (re.compile(r"(?:\w[\w.-]*@)?\w[\w.-]*:(?!:|//)[^-\s\0-\37][^\s\0-\37]*"), NETWORK),  # scp's
    (re.compile(r"(?:file://)?/[^\0-\37]*"), LOCAL),
)
NAME = re.compile(r"[A-Za-z0-9][\w./-]*", re.ASCII)  # a commit, tag or branch; no refspec
HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
SECRET = re.compile(r"(?<=://)[^/@\s]*@")
PLAIN_FILES = (b"100644", b"100755")  # neither links nor submodules


@dataclass(frozen=True, slots=True)
class Blob:
    """A file at a commit; `size` in bytes."""

    path: str
    size: int
    object: str


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository in the cache that holds one commit. `ref` names it."""

    folder: Path
    ref: str

    def matching(self, patterns: Sequence[str]) -> list[Blob]:
        """Return the files whose paths match a pattern, in the order of their paths."""
        listed = git(self.folder, "ls-tree", "-r", "-z", "-l", "--full-tree", self.ref)
        return [blob for blob in _blobs(listed) if matches(blob.path, patterns)]

    def read(self, blob: Blob) -> bytes:
        """Return a file's bytes as they were committed."""
        return git(self.folder, "cat-file", "blob", blob.object)


def obtain(repo: str, commit: str, cache: Path) -> Repository:
    """Return a repository with a commit; it is fetched unless an earlier call did.

    Raises:
        RepositoryRefused: the address is neither https, ssh nor a local path.
        RepositoryUnreachable: git says why, or fetching took too long or became too large.
        CommitUnknown: the repository was reached, but has no such commit.
        GitFailed: git is not installed.

    """
    protocols_of(repo)
    if not NAME.fullmatch(commit):
        raise CommitUnknown(commit=shown(commit), repo=without_secret(repo))
    folder = cache / f"{sha256(repo.encode()).hexdigest()[:24]}.git"
    found = Repository(folder, f"refs/tiza/{sha256(commit.encode()).hexdigest()[:40]}")
    with _locked(folder):
        if not (folder / "HEAD").exists():
            git(folder, "init", "--quiet", "--bare", "--template=")
        if not _resolved(folder, found.ref):
            _fetch(repo, commit, found)
    return found


def protocols_of(repo: str) -> str:
    """Return the protocols that git may speak for an address, as GIT_ALLOW_PROTOCOL takes them.

    Raises:
        RepositoryRefused: none is allowed.

    """
    for form, protocols in FORMS:
        if form.fullmatch(repo):
            return protocols
    raise RepositoryRefused(repo=without_secret(repo))


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Tell whether a path matches a pattern as a shell does: `*` stays within one folder."""
    return any(_parts_match(path.split("/"), pattern.split("/")) for pattern in patterns)


def without_secret(address: str) -> str:
    """Return what a person may see of an address: no user, no password, no control characters."""
    return shown(SECRET.sub("", address))


def git(folder: Path, *arguments: str) -> bytes:
    """Return what git prints about a repository of the cache.

    Raises:
        GitFailed: it is not installed, or refuses.

    """
    command = ["git", *SAFE, f"--git-dir={folder}", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=False, env=_environment())
    except OSError as exc:
        raise GitFailed(command=arguments[0], reason=exc.strerror) from exc
    if done.returncode:
        raise GitFailed(command=arguments[0], reason=_said(done.stderr) or done.returncode)
    return done.stdout


def _fetch(repo: str, commit: str, wanted: Repository) -> None:
    """Fetch the commit alone; where a server or a short hash forbids that, everything."""
    if _failure(wanted.folder, repo, 1, f"+{commit}:{wanted.ref}") is None:
        found = _resolved(wanted.folder, wanted.ref)
    else:
        everything = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
        said = _failure(wanted.folder, repo, WHOLE_HISTORY, *everything)
        if said is not None:
            raise RepositoryUnreachable(repo=without_secret(repo), reason=without_secret(said))
        found = _resolved(wanted.folder, commit)
    if not found or (HASH.fullmatch(commit) and found != commit):
        raise CommitUnknown(commit=commit, repo=without_secret(repo))
    git(wanted.folder, "update-ref", wanted.ref, found)


def _failure(folder: Path, repo: str, depth: int, *refspecs: str) -> str | None:
    """Run `git fetch`; None if it went well, else what git says against it."""
    command = ["git", *SAFE, f"--git-dir={folder}", "fetch", "--quiet", "--no-tags"]
    command += ["--no-write-fetch-head", "--no-recurse-submodules", f"--depth={depth}"]
    command += ["--", repo, *refspecs]
    environment = _environment(protocols_of(repo))
    with TemporaryFile() as stderr, _started(command, environment, stderr) as process:
        end = time.monotonic() + FETCH_SECONDS
        while (status := _status(process)) is None:
            if time.monotonic() > end:
                reason = f"> {FETCH_SECONDS} s"
                raise RepositoryUnreachable(repo=without_secret(repo), reason=reason)
            if _size(folder) > MAX_FETCH_BYTES:
                reason = f"> {MAX_FETCH_BYTES} B"
                raise RepositoryUnreachable(repo=without_secret(repo), reason=reason)
        stderr.seek(0)
        return (_said(stderr.read(MOST_SAID)) or "git fetch") if status else None


def _status(process: subprocess.Popen[bytes]) -> int | None:
    try:
        return process.wait(POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return None


@contextmanager
def _started(
    command: list[str], environment: dict[str, str], stderr: IO[bytes]
) -> Iterator[subprocess.Popen[bytes]]:
    """Start git in a group of its own, and end the whole group when nobody waits any more."""
    null = subprocess.DEVNULL
    process = subprocess.Popen(
        command, env=environment, stdin=null, stdout=null, stderr=stderr, start_new_session=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _environment(protocols: str = "") -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    return {
        "GIT_SSH_COMMAND": "ssh -o BatchMode=yes",
        **kept,
        "GIT_ALLOW_PROTOCOL": protocols,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
    }


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _resolved(folder: Path, revision: str) -> str:
    """Return the commit that a revision names; empty if there is none."""
    verify = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    try:
        return git(folder, *verify).decode().strip()
    except GitFailed:
        return ""


def _said(stderr: bytes) -> str:
    """Return the line that says why git failed; remotes and helpers may have talked before."""
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    named = [line for line in lines if line.startswith(("fatal: ", "error: "))]
    return (named or lines or [""])[0]


def _size(folder: Path) -> int:
    total = 0
    for here, _folders, names in os.walk(folder / "objects"):
        for name in names:
            with suppress(FileNotFoundError):  # git renames as it goes
                total += os.lstat(f"{here}/{name}").st_size
    return total


def _blobs(listed: bytes) -> Iterator[Blob]:
    for line in listed.split(b"\0")[:-1]:
        facts, _tab, path = line.partition(b"\t")
        mode, _type, name, size = facts.split()
        if mode in PLAIN_FILES:
            yield Blob(os.fsdecode(path), int(size), name.decode())


def _parts_match(parts: list[str], patterns: list[str]) -> bool:
    """Go through the path with all places of the pattern that it may have come to so far."""
    places = _skipping({0}, patterns)
    for part in parts:
        reached: set[int] = set()
        for place in places - {len(patterns)}:
            pattern = patterns[place]
            hidden = part.startswith(".") and not pattern.startswith(".")
            if not hidden and fnmatchcase(part, pattern):
                reached.add(place if _is_deep(place, patterns) else place + 1)
        places = _skipping(reached, patterns)
    return len(patterns) in places


def _skipping(places: set[int], patterns: list[str]) -> set[int]:
    """Add the places after each `**`, which may also stand for no folder at all."""
    for place in range(len(patterns)):
        if place in places and _is_deep(place, patterns):
            places.add(place + 1)
    return places


def _is_deep(place: int, patterns: list[str]) -> bool:
    return patterns[place] == "**" and place + 1 < len(patterns)
