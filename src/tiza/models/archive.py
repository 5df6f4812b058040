"""Models in one file, to be kept elsewhere and put back: `.tar`, `.tar.gz` or `.tar.zst`.

The last member lists every file's SHA-256. An archive may come from a stranger: only plain files
below a model's folder are taken out, into a hidden place, and they become visible when every
checksum was right. `.zst` goes through the program `zstd`.
"""

import json
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from hashlib import file_digest, sha256
from io import BytesIO
from pathlib import Path, PurePosixPath

from tiza.errors import BackupBroken, MissingExtra, ModelExists
from tiza.models.place import check_space, hidden_folder, new_file, settle
from tiza.models.store import NAME, check_name, folder_of
from tiza.translation import N_

LIST = "tiza-backup.json"
MOST_LIST = 16_000_000  # bytes
MOST_FILES = 10_000
CHUNK = 1 << 20
ZSTD = b"\x28\xb5\x2f\xfd"  # how its files begin

Done = Callable[[], object]


def names_in(models_path: Path) -> list[str]:
    """Return the names of all models in the store."""
    if not models_path.is_dir():
        return []
    return sorted(p.name for p in models_path.iterdir() if p.is_dir() and NAME.fullmatch(p.name))


def backup(models_path: Path, names: Sequence[str], target: Path, done: Done = bool) -> None:
    """Write models (all, if none is named) into one file.

    Raises:
        ModelNotFound: no such model in the store.
        ModelExists: there is something at `target`.
        MissingExtra: `.zst` without the program zstd.
        SpaceMissing: it would not fit on the disk.

    """
    folders = [folder_of(models_path, name) for name in names or names_in(models_path)]
    files = [path for folder in folders for path in _files(folder)]
    check_space(target.parent, sum(path.stat().st_size for path in files))
    sums: dict[str, str] = {}
    with new_file(target) as part, _packed(part, target.name) as archive:
        for path in files:
            name = path.relative_to(models_path).as_posix()
            sums[name] = _add(archive, path, name)
            done()
        text = json.dumps({"sha256": sums}, indent=1).encode()
        info = tarfile.TarInfo(LIST)
        info.size = len(text)
        archive.addfile(info, BytesIO(text))


def _files(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return [p for p in found if not any(n.startswith(".") for n in p.relative_to(folder).parts)]


def restore(models_path: Path, source: Path, done: Done = bool) -> list[str]:
    """Put the models of a backup back into the store and return their names.

    Raises:
        BackupBroken: the file is damaged, hostile, or no backup.
        ModelExists: the store has a model of that name.
        SpaceMissing: they would not fit on the disk.

    """
    with ExitStack() as stack:
        part = stack.enter_context(hidden_folder(models_path / "restore"))
        try:
            sums, listed = _take_out(source, part, models_path, done)
        except (tarfile.TarError, EOFError, OSError, ValueError, UnicodeError) as exc:
            if isinstance(exc, FileNotFoundError) and not source.exists():
                raise BackupBroken(path=source, problem=N_("there is no such file")) from exc
            raise BackupBroken(path=source, problem=N_("the archive cannot be read")) from exc
        if sums != listed:
            raise BackupBroken(path=source, problem=N_("a checksum is wrong or a file is missing"))
        found = sorted(path.name for path in part.iterdir())
        for name in found:
            if (models_path / check_name(name)).exists():
                raise ModelExists(path=models_path / name)
        for name in found:
            settle(part / name, models_path / name)
    return found


def _take_out(
    source: Path, part: Path, models_path: Path, done: Done
) -> tuple[dict[str, str], object]:
    sums: dict[str, str] = {}
    with _opened(source) as archive:
        for number, member in enumerate(archive):
            if member.name == LIST and member.isreg() and member.size <= MOST_LIST:
                file = archive.extractfile(member)
                assert file is not None  # noqa: S101  # it is a regular file
                return sums, json.loads(file.read())["sha256"]
            path = _harmless(source, member)
            if number >= MOST_FILES or member.name in sums:
                raise BackupBroken(path=source, problem=N_("it has too many files"))
            if (models_path / path.parts[0]).exists():
                raise ModelExists(path=models_path / path.parts[0])
            check_space(part, member.size)
            sums[member.name] = _take(archive, member, part / path)
            done()
    raise BackupBroken(path=source, problem=N_("its list of checksums is missing"))


def _harmless(source: Path, member: tarfile.TarInfo) -> PurePosixPath:
    """Return where a member belongs, if it is a plain file below a model's folder."""
    path = PurePosixPath(member.name)
    hidden = any(part.startswith(".") or "\\" in part for part in path.parts)
    named = len(path.parts) > 1 and NAME.fullmatch(path.parts[0]) and not hidden
    if not (member.isreg() and named and path.as_posix() == member.name):
        problem = N_("it has {name}, which is not a file of a model")
        raise BackupBroken(path=source, problem=problem, name=repr(member.name[:100]))
    return path


def _take(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> str:
    target.parent.mkdir(parents=True, exist_ok=True)
    file, digest = archive.extractfile(member), sha256()
    assert file is not None  # noqa: S101  # it is a regular file
    with target.open("xb") as out:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            out.write(chunk)
    return digest.hexdigest()


def _add(archive: tarfile.TarFile, path: Path, name: str) -> str:
    info = tarfile.TarInfo(name)
    info.size, info.mtime = path.stat().st_size, int(path.stat().st_mtime)
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
        file.seek(0)
        archive.addfile(info, file)
    return digest


@contextmanager
def _packed(part: Path, name: str) -> Iterator[tarfile.TarFile]:
    """Open a new archive; its name tells how it is compressed."""
    if name.endswith(".zst"):
        command = [_zstd(), "-q", "-T0", "-3", "-o", str(part)]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as program:
            assert program.stdin is not None  # noqa: S101  # asked for
            with tarfile.open(fileobj=program.stdin, mode="w|") as archive:
                yield archive
            program.stdin.close()
        if program.returncode:
            raise OSError(f"zstd ended with {program.returncode}")
    elif name.endswith("gz"):
        with tarfile.open(part, "w:gz", compresslevel=1) as archive:  # weights hardly shrink
            yield archive
    else:
        with tarfile.open(part, "w") as archive:
            yield archive


@contextmanager
def _opened(source: Path) -> Iterator[tarfile.TarFile]:
    """Open an archive for one pass."""
    with source.open("rb") as file:
        if file.read(4) != ZSTD:
            file.seek(0)
            with tarfile.open(fileobj=file, mode="r|*") as archive:
                yield archive
            return
    command = [_zstd(), "-q", "-d", "-c", str(source.absolute())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as program:
        try:
            with tarfile.open(fileobj=program.stdout, mode="r|") as archive:
                yield archive
        finally:
            program.kill()


def _zstd() -> str:
    program = shutil.which("zstd")
    if program is None:
        raise MissingExtra(package="zstd", command="apt install zstd")
    return program
