"""Backups come back as they were, and hostile ones do nothing."""

import io
import json
import shutil
import tarfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from tests.models.test_find import made
from tiza.errors import BackupBroken, MissingExtra, ModelExists, ModelNotFound
from tiza.models import archive

CONTENT = bytes(range(256)) * 400


def store_of(folder: Path) -> Path:
    """Make a store with two models and an unfinished one."""
    made(folder / "samples_0" / "model.gguf").write_bytes(CONTENT)
    made(folder / "samples_0" / "USE POLICY.md").write_text("be kind")
    made(folder / "samples_1" / "more" / "model.safetensors").write_bytes(CONTENT[::-1])
    made(folder / ".samples_2.part" / "model.gguf")
    return folder


def files(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


@pytest.mark.parametrize("ending", ["tar", "tar.gz", "tar.zst"])
def test_models_are_equal_when_they_were_restored(ending: str, tmp_path: Path) -> None:
    """Every byte of every model comes back, into an empty store, in each kind of archive."""
    if ending == "tar.zst" and not shutil.which("zstd"):
        pytest.skip("zstd is not installed: apt install zstd")
    models = store_of(tmp_path / "models")
    archive.backup(models, [], tmp_path / f"b.{ending}")

    names = archive.restore(tmp_path / "new", tmp_path / f"b.{ending}")

    assert names == ["samples_0", "samples_1"]
    shutil.rmtree(models / ".samples_2.part")
    assert files(tmp_path / "new") == files(models)


def test_backup_holds_one_model_when_one_is_named(tmp_path: Path) -> None:
    """Names choose; a name that is not there is an error before anything is written."""
    models = store_of(tmp_path / "models")
    archive.backup(models, ["samples_1"], tmp_path / "b.tar")

    assert archive.restore(tmp_path / "new", tmp_path / "b.tar") == ["samples_1"]
    with pytest.raises(ModelNotFound):
        archive.backup(models, ["absent"], tmp_path / "c.tar")
    assert not (tmp_path / "c.tar").exists()


def test_backup_names_the_package_when_zstd_is_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the program, .zst is one sentence away."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(MissingExtra, match="zstd"):
        archive.backup(store_of(tmp_path / "models"), [], tmp_path / "b.tar.zst")

    assert [path.name for path in tmp_path.iterdir()] == ["models"]


def test_restore_changes_nothing_when_a_name_is_taken(tmp_path: Path) -> None:
    """Not even the other models of the backup come in."""
    models = store_of(tmp_path / "models")
    archive.backup(models, [], tmp_path / "b.tar")
    made(tmp_path / "new" / "samples_1" / "model.gguf")

    with pytest.raises(ModelExists, match="samples_1"):
        archive.restore(tmp_path / "new", tmp_path / "b.tar")

    assert files(tmp_path / "new") == {"samples_1/model.gguf": b""}


def tar(path: Path, members: list[tarfile.TarInfo], *, listed: bool = True) -> Path:
    """Write an archive whose list of checksums is right, as far as it can be."""
    with tarfile.open(path, "w") as out:
        for member in members:
            out.addfile(member, io.BytesIO(bytes(member.size)))
        sums = {m.name: sha256(bytes(m.size)).hexdigest() for m in members}
        text = json.dumps({"sha256": sums}).encode()
        info = tarfile.TarInfo(archive.LIST)
        info.size = len(text)
        if listed:
            out.addfile(info, io.BytesIO(text))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    """Return a member of ten bytes."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    info.size = 10 if kind == tarfile.REGTYPE else 0
    return info


HOSTILE: dict[str, list[tarfile.TarInfo]] = {
    "an absolute path": [member("/tmp/evil")],  # noqa: S108  # the attack
    "a way up": [member("samples_0/../../evil")],
    "only a way up": [member("../evil")],
    "a file beside the models": [member("evil")],
    "a hidden model": [member(".active/evil")],
    "a hidden file": [member("samples_0/.evil")],
    "a link": [member("samples_0/evil", tarfile.SYMTYPE, "/etc/passwd")],
    "a hard link": [member("samples_0/evil", tarfile.LNKTYPE, "../../evil")],
    "a link, then through it": [
        member("samples_0", tarfile.SYMTYPE, ".."),
        member("samples_0/evil"),
    ],
    "a device": [member("samples_0/evil", tarfile.CHRTYPE)],
    "a pipe": [member("samples_0/evil", tarfile.FIFOTYPE)],
    "a file twice": [member("samples_0/a"), member("samples_0/a")],
    "a file as a folder": [member("samples_0/a"), member("samples_0/a/b")],
    "a reserved name": [member("shipped/model.gguf")],
}


@pytest.mark.parametrize("members", HOSTILE.values(), ids=HOSTILE)
def test_restore_refuses_when_an_archive_would_reach_out(
    members: list[tarfile.TarInfo], tmp_path: Path
) -> None:
    """Only plain files below a model's folder are taken out; else nothing at all."""
    path = tar(tmp_path / "b.tar", members)

    with pytest.raises(Exception, match=r"cannot be restored|cannot be the name"):
        archive.restore(tmp_path / "models", path)

    assert files(tmp_path).keys() == {"b.tar"}


def flip(data: bytes) -> bytes:
    """Change one byte of a model."""
    at = data.index(CONTENT) + 5000
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize(
    "harm",
    [
        flip,
        lambda data: data[:60_000],
        lambda data: data[: len(data) - 12_000],
        lambda _: b"x" * 99,
    ],
    ids=["a changed byte", "half", "without its list", "no archive"],
)
def test_restore_refuses_when_a_backup_is_damaged(
    harm: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    """A checksum or the structure tells, and the store stays as it was."""
    archive.backup(store_of(tmp_path / "old"), [], tmp_path / "b.tar")
    (tmp_path / "b.tar").write_bytes(harm((tmp_path / "b.tar").read_bytes()))

    with pytest.raises(BackupBroken):
        archive.restore(tmp_path / "new", tmp_path / "b.tar")

    assert files(tmp_path / "new") == {}


def test_restore_refuses_when_the_list_is_missing(tmp_path: Path) -> None:
    """Without checksums nothing is believed."""
    path = tar(tmp_path / "b.tar", [member("samples_0/model.gguf")], listed=False)

    with pytest.raises(BackupBroken, match="checksums"):
        archive.restore(tmp_path / "models", path)
    with pytest.raises(BackupBroken, match="no such file"):
        archive.restore(tmp_path / "models", tmp_path / "absent.tar")
