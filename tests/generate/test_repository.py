"""Files of repositories: exactly the commit, fetched once, and nothing that a hostile one wants."""

import contextlib
import os
import shutil
from pathlib import Path

import psutil
import pytest

from tests.generate.repositories import commit, git, repository
from tiza.errors import CommitUnknown, GitFailed, RepositoryRefused, RepositoryUnreachable
from tiza.generate import repository as module
from tiza.generate.repository import matches, obtain

FILES: dict[str, str | bytes] = {"towns.md": "Arden has a bridge.\n", "docs/deep.md": "Deep.\n"}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a folder for a repository."""
    return tmp_path / "source"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Return a folder for what is fetched."""
    return tmp_path / "cache" / "documents"


def contents(repo: str, revision: str, cache: Path, *patterns: str) -> dict[str, bytes]:
    """Return the files that match, with what is in them."""
    found = obtain(repo, revision, cache)
    return {blob.path: found.read(blob) for blob in found.matching(patterns)}


@pytest.mark.parametrize("prefix", ["", "file://"])
def test_files_are_those_of_the_commit_when_the_repository_went_on(
    source: Path, cache: Path, prefix: str
) -> None:
    """An older commit is had by its hash, whatever the newest says."""
    first = repository(source, FILES)
    commit(source, {"towns.md": "Changed.\n", "later.md": "Later.\n"})

    assert contents(f"{prefix}{source}", first, cache, "*.md") == {
        "towns.md": b"Arden has a bridge.\n"
    }


@pytest.mark.parametrize("revision", ["abbreviated", "v1.0", "main"])
def test_commit_may_be_named_otherwise_when_it_is_not_ambiguous(
    source: Path, cache: Path, revision: str
) -> None:
    """A short hash, a tag and a branch name a commit too."""
    first = repository(source, FILES)
    git(source, "tag", "-a", "v1.0", "-m", "One")
    name = first[:9] if revision == "abbreviated" else revision

    assert list(contents(str(source), name, cache, "*.md")) == ["towns.md"]


def test_short_hash_is_found_when_only_a_single_commit_was_fetched_before(
    source: Path, cache: Path
) -> None:
    """The whole history is fetched then, not only what the first fetch left out."""
    first = repository(source, FILES)
    second = commit(source, {"towns.md": "Changed.\n"})
    contents(str(source), second, cache, "*")

    assert contents(str(source), first[:9], cache, "towns.md") == {
        "towns.md": b"Arden has a bridge.\n"
    }


def test_nothing_is_fetched_twice_when_the_commit_is_in_the_cache(
    source: Path, cache: Path
) -> None:
    """The repository may be gone by then."""
    first = repository(source, FILES)
    contents(str(source), first, cache, "*.md")
    shutil.rmtree(source)

    assert list(contents(str(source), first, cache, "*.md")) == ["towns.md"]
    with pytest.raises(RepositoryUnreachable):
        obtain(str(source), "f" * 40, cache)


def test_only_the_commit_itself_is_fetched_when_its_hash_is_whole(
    source: Path, cache: Path
) -> None:
    """History stays where it is."""
    first = repository(source, FILES)
    second = commit(source, {"towns.md": "Changed.\n"})
    found = obtain(str(source), second, cache)

    with pytest.raises(GitFailed):
        module.git(found.folder, "cat-file", "-e", first)


@pytest.mark.parametrize("revision", ["f" * 40, "abcdef1", "no-such-tag"])
def test_error_names_the_commit_when_the_repository_has_none_such(
    source: Path, cache: Path, revision: str
) -> None:
    """The repository was reached, so it is not called unreachable."""
    repository(source, FILES)

    with pytest.raises(CommitUnknown, match=revision):
        obtain(str(source), revision, cache)


@pytest.mark.parametrize(
    "revision", ["--upload-pack=touch x", "-f", "main:refs/heads/x", "+main", "a b", "", "^main"]
)
def test_commit_is_no_option_when_it_looks_like_one(
    source: Path, cache: Path, revision: str
) -> None:
    """What is no name of a commit never reaches git."""
    repository(source, FILES)

    with pytest.raises(CommitUnknown):
        obtain(str(source), revision, cache)
    assert not cache.exists()


@pytest.mark.parametrize(
    "repo",
    [
        "ext::sh -c 'touch x'",
        "--upload-pack=touch x",
        "-oProxyCommand=x",
        "ssh://-oProxyCommand=x/y",
        "http://example.org/x.git",
        "git://example.org/x.git",
        "fd::3",
        "../other",
        "other",
        "",
        "https://example.org/a\nb",
        "/srv/a\0b",
    ],
)
def test_address_is_refused_when_it_is_neither_https_nor_ssh_nor_local(
    cache: Path, repo: str
) -> None:
    """Helpers that run commands, options, and unprotected protocols never reach git."""
    with pytest.raises(RepositoryRefused):
        obtain(repo, "f" * 40, cache)
    assert not cache.exists()


@pytest.mark.parametrize(
    "repo", ["git@example.org:a/b.git", "ssh://git@example.org/a", "https://x/y"]
)
def test_address_may_lead_over_the_network_when_it_is_protected(repo: str) -> None:
    """All three forms are known; from there no redirection leads to this machine's files."""
    assert module.protocols_of(repo) == "https:ssh"


def test_secret_is_not_shown_when_an_address_with_one_cannot_be_reached(cache: Path) -> None:
    """A token in the address stays out of messages and logs."""
    with pytest.raises(RepositoryUnreachable) as caught:
        obtain("https://ana:token@127.0.0.1:1/x.git", "main", cache)

    assert "127.0.0.1:1" in str(caught.value)
    assert "token" not in str(caught.value)


def test_hostile_repository_runs_nothing_when_it_is_read(
    source: Path, cache: Path, tmp_path: Path
) -> None:
    """No link is followed, no filter and no hook runs, no submodule is fetched."""
    (tmp_path / "secret.md").write_text("secret")
    inner = repository(tmp_path / "inner", {"inner.md": "Inner.\n"})
    repository(source, {".gitattributes": "*.md filter=evil\n", "a.md": "As committed.\n"})
    git(source, "config", "filter.evil.smudge", "touch ran")
    for name in ("post-checkout", "reference-transaction", "post-merge"):
        hook = source / ".git" / "hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        hook.chmod(0o755)
    (source / "link.md").symlink_to(tmp_path / "secret.md")
    (source / ".gitmodules").write_text(
        f'[submodule "x"]\n  path = sub.md\n  url = {tmp_path}/inner\n'
    )
    git(source, "update-index", "--add", "--cacheinfo", f"160000,{inner},sub.md")
    git(source, "add", ".gitmodules", "link.md")
    git(source, "commit", "-q", "-m", "Trap")
    (tmp_path / "ran").unlink(missing_ok=True)

    assert contents(str(source), git(source, "rev-parse", "HEAD"), cache, "*.md") == {
        "a.md": b"As committed.\n"
    }
    assert not (tmp_path / "ran").exists()
    assert not list(cache.rglob("a.md"))


def test_git_asks_nobody_when_it_would_need_a_password(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No prompt on the terminal, no window, and only protected protocols."""
    script = tmp_path / "ssh"
    script.write_text(f"#!/bin/sh\nenv > {tmp_path}/seen\necho Denied. >&2\nexit 1\n")
    script.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(script))
    monkeypatch.setenv("GIT_DIR", "/nowhere")

    with pytest.raises(RepositoryUnreachable):
        obtain("ssh://git@example.org/a.git", "main", cache)

    seen = dict(line.partition("=")[::2] for line in (tmp_path / "seen").read_text().splitlines())
    assert seen["GIT_TERMINAL_PROMPT"] == "0"
    assert seen["GIT_ASKPASS"] == ""
    assert seen["GIT_ALLOW_PROTOCOL"] == "https:ssh"
    assert "GIT_DIR" not in seen


@pytest.mark.parametrize(("name", "limit"), [("FETCH_SECONDS", 0), ("MAX_FETCH_BYTES", -1)])
def test_fetch_is_ended_when_it_takes_too_long_or_too_much(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, limit: int
) -> None:
    """The whole group of processes is, so that none is left behind."""
    script = tmp_path / "ssh"
    script.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 100\n")
    script.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(script))
    monkeypatch.setattr(module, "POLL_SECONDS", 0.3)
    monkeypatch.setattr(module, name, limit)

    with pytest.raises(RepositoryUnreachable, match=">"):
        obtain("ssh://git@example.org/a.git", "main", cache)

    pid = int((tmp_path / "pid").read_text())
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(pid).wait(timeout=10)


def test_error_says_so_when_git_is_not_installed(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As everywhere else where git is needed."""
    monkeypatch.setitem(os.environ, "PATH", "/nowhere")

    with pytest.raises(GitFailed):
        obtain("/srv/x", "main", cache)


@pytest.mark.parametrize(
    ("path", "pattern", "expected"),
    [
        ("a.md", "*.md", True),
        ("docs/a.md", "*.md", False),
        ("docs/a.md", "docs/*.md", True),
        ("docs/a.md", "*/a.md", True),
        ("docs/x/a.md", "docs/**/*.md", True),
        ("docs/a.md", "docs/**/*.md", True),
        ("a.md", "**/*.md", True),
        ("x/y/a.md", "**/*.md", True),
        ("x/y/a.txt", "**/*.md", False),
        (".hidden.md", "*.md", False),
        (".hidden.md", ".*.md", True),
        (".git/a.md", "**/*.md", False),
        ("a.MD", "*.md", False),
        ("a1.md", "a[0-9].md", True),
        ("a.md", "", False),
        ("a.md", "../a.md", False),
        ("/".join("a" * 60), "/".join(["**", "a"] * 25 + ["b"]), False),
    ],
)
def test_pattern_matches_as_in_a_shell(path: str, pattern: str, expected: bool) -> None:
    """A star stays within a folder, two go through folders, hidden files are asked for by a dot."""
    assert matches(path, [pattern]) is expected
