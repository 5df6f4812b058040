"""Pulling a model from a stand-in of the hub."""

import io
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.models.hub import COMMIT, Repository, served
from tiza.errors import (
    DownloadBroken,
    HubFailed,
    HubFilesUnclear,
    ModelExists,
    ModelNotFound,
    SpaceMissing,
    TizaError,
)
from tiza.models.hub import Hub, Wanted, pull
from tiza.models.record import read_record
from tiza.progress import Progress

WEIGHTS = bytes(range(256)) * 4000
MODEL = {
    "config.json": b'{"model_type": "llama"}',
    "model.safetensors": WEIGHTS,
    "tokenizer.json": b"{}" * 900,
    "LICENSE": b"be kind",
    "README.md": b"# Tiny",
    "pytorch_model.bin": b"a pickle",
    "modeling_tiny.py": b"raise SystemExit",
    "onnx/model.safetensors": b"elsewhere",
    ".gitattributes": b"",
    "tiza.json": b'{"parent": "forged"}',
}
FETCHED = [
    "LICENSE",
    "README.md",
    "config.json",
    "model.safetensors",
    "tiza.json",
    "tokenizer.json",
]


def fetch(repository: Repository, models: Path, token: str = "", **more: Any) -> tuple[Path, str]:
    """Pull from a hub that serves a repository; returns the folder and what was said."""
    said = io.StringIO()
    with served(repository) as endpoint, Progress(said) as progress:
        wanted = Wanted("acme/tiny", **more)
        return pull(wanted, Hub(endpoint, token), models, progress), said.getvalue()


def test_pull_fetches_what_a_model_needs_and_nothing_that_runs(tmp_path: Path) -> None:
    """Weights, tokenizer, settings and licence; the licence is shown and the source noted."""
    repository = Repository(MODEL)

    folder, said = fetch(repository, tmp_path)

    assert folder == tmp_path / "tiny"
    assert sorted(path.name for path in folder.iterdir()) == FETCHED
    assert all((folder / n).read_bytes() == MODEL[n] for n in FETCHED if n != "tiza.json")
    assert "apache-2.0" in said
    source = read_record(folder)["source"]
    assert (source["id"], source["revision"], source["licence"]) == (
        "acme/tiny",
        COMMIT,
        "apache-2.0",
    )
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]


def test_pull_goes_on_where_it_stopped_when_the_connection_broke(tmp_path: Path) -> None:
    """Bytes that arrived are not asked for again, within a call and by the next one."""
    repository = Repository(MODEL, cut_after=300_000)

    folder, _ = fetch(repository, tmp_path)

    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    ranges = [asked[1] for asked in repository.asked if asked[0].endswith("model.safetensors")]
    assert ranges == [None, "bytes=300000-", "bytes=600000-", "bytes=900000-"]


def test_pull_goes_on_when_it_was_ended_and_is_called_again(tmp_path: Path) -> None:
    """What an interrupted call left in the hidden folder is used; other files in it are not."""
    part = tmp_path / ".tiny.pull"
    part.mkdir()
    (part / "model.safetensors.part").write_bytes(WEIGHTS[:700_000])
    (part / "other-revision.safetensors").write_bytes(b"x")
    repository = Repository(MODEL)

    folder, _ = fetch(repository, tmp_path)

    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    assert sorted(path.name for path in folder.iterdir()) == FETCHED
    assert ("bytes=700000-") in [asked[1] for asked in repository.asked]


def test_pull_begins_anew_when_the_hub_knows_no_ranges(tmp_path: Path) -> None:
    """A whole file in answer to a range is not appended to what was there."""
    part = tmp_path / ".tiny.pull"
    part.mkdir()
    (part / "model.safetensors.part").write_bytes(WEIGHTS[:700_000])

    folder, _ = fetch(Repository(MODEL, ranges=False), tmp_path)

    assert (folder / "model.safetensors").read_bytes() == WEIGHTS


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_pull_refuses_when_a_file_has_another_checksum(name: str, tmp_path: Path) -> None:
    """Large files by SHA-256, small ones by git's name; the model never becomes visible."""
    repository = Repository(MODEL)
    repository.listed = {"siblings": repository.listing()["siblings"]}
    repository.files = MODEL | {name: bytes(len(MODEL[name]))}

    with pytest.raises(DownloadBroken, match=name):
        fetch(repository, tmp_path)

    assert not (tmp_path / "tiny").exists()
    assert not list(tmp_path.rglob(f"{name}*"))


def test_token_stays_with_the_hub_when_files_lie_elsewhere(tmp_path: Path) -> None:
    """The hub gets the token, the host that it redirects to does not."""
    store = Repository(MODEL)
    with served(store) as elsewhere:
        hub = Repository(MODEL, token="secret", elsewhere=elsewhere)
        folder, _ = fetch(hub, tmp_path, token="secret")

    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    assert {asked[2] for asked in hub.asked} == {"Bearer secret"}
    assert {asked[2] for asked in store.asked} == {None}


@pytest.mark.parametrize(
    ("repository", "more", "error"),
    [
        (Repository(MODEL, token="secret"), {}, HubFailed),
        (Repository(MODEL, listed={"siblings": None}), {}, HubFailed),
        (Repository(MODEL, listed={"sha": "../../evil"}), {}, HubFailed),
        (Repository(MODEL, listed={"siblings": [{"rfilename": "a", "size": -1}]}), {}, HubFailed),
        (Repository({"a.gguf": b"1", "b.gguf": b"2"}), {}, HubFilesUnclear),
        (Repository({"../../evil.safetensors": b"1"}), {}, HubFilesUnclear),
        (Repository({"pytorch_model.bin": b"1"}), {}, HubFilesUnclear),
        (Repository(MODEL), {"include": ["*.gguf"]}, HubFilesUnclear),
        (Repository(MODEL), {"name": "../evil"}, TizaError),
    ],
    ids=["login", "listing", "commit", "size", "many", "outside", "pickle", "pattern", "name"],
)
def test_pull_leaves_nothing_when_it_is_refused(
    repository: Repository, more: dict[str, Any], error: type[TizaError], tmp_path: Path
) -> None:
    """Whatever the hub answers, an error has a sentence, and nothing is visible."""
    with pytest.raises(error):
        fetch(repository, tmp_path / "models", **more)

    assert not list((tmp_path / "models").glob("[!.]*"))


def test_pull_takes_a_gguf_when_it_is_the_only_one_or_chosen(tmp_path: Path) -> None:
    """A repository of GGUFs needs a choice only where there is one; a pickle is asked for so."""
    both = {"tiny.Q4_0.gguf": b"4", "tiny.Q8_0.gguf": b"8", "pytorch_model.bin": b"p"}

    one, _ = fetch(Repository({"tiny.Q8_0.gguf": b"8"}), tmp_path, name="one")
    chosen, _ = fetch(Repository(both), tmp_path, name="two", include=["*Q8_0.gguf"])
    pickle, _ = fetch(Repository(both), tmp_path, name="three", include=["*.bin"])

    assert [sorted(p.name for p in f.iterdir()) for f in (one, chosen, pickle)] == [
        ["tiny.Q8_0.gguf", "tiza.json"],
        ["tiny.Q8_0.gguf", "tiza.json"],
        ["pytorch_model.bin", "tiza.json"],
    ]


def test_pull_refuses_when_the_name_is_taken_or_impossible(tmp_path: Path) -> None:
    """A model that is there stays, and nothing but a name of the hub goes into an address."""
    (tmp_path / "tiny").mkdir()

    with pytest.raises(ModelExists):
        fetch(Repository(MODEL), tmp_path)
    for name in ("acme/../x", "http://evil/x", "a/b/c", "a b"):
        with pytest.raises(ModelNotFound):
            pull(Wanted(name), Hub("http://127.0.0.1:9"), tmp_path, Progress(io.StringIO()))


def test_pull_names_the_place_when_nobody_answers(tmp_path: Path) -> None:
    """A wrong HF_ENDPOINT or no network is one sentence."""
    with pytest.raises(HubFailed, match="HF_ENDPOINT"):
        pull(Wanted("a/b"), Hub("http://127.0.0.1:9"), tmp_path, Progress(io.StringIO()))


def test_pull_asks_for_space_before_it_fetches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is too full is known before the first byte."""
    repository = Repository(MODEL)
    siblings = repository.listing()["siblings"]
    siblings[1]["lfs"]["size"] = 10**15
    repository.listed = {"siblings": siblings}

    with pytest.raises(SpaceMissing):
        fetch(repository, tmp_path)

    assert not any("resolve" in asked[0] for asked in repository.asked)


def test_pulls_of_the_same_model_wait_for_each_other(tmp_path: Path) -> None:
    """Two at once fetch once: the second finds the model there."""
    repository, errors = Repository(MODEL), []

    def one(endpoint: str) -> None:
        try:
            pull(Wanted("acme/tiny"), Hub(endpoint), tmp_path, Progress(io.StringIO()))
        except ModelExists as exc:
            errors.append(exc)

    with served(repository) as endpoint:
        threads = [threading.Thread(target=one, args=(endpoint,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(errors) == 1
    assert (tmp_path / "tiny" / "model.safetensors").read_bytes() == WEIGHTS
