"""Put a new file or folder into its place in one step, so that no half of it is ever seen.

Written under a hidden name beside the target, then renamed; never over something that is there.
Knows nothing of models.
"""

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tiza.errors import ModelExists, SpaceMissing

MEGABYTE = 1_000_000
RESERVE = 50 * MEGABYTE  # that a disk should keep for others
TAKEN = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR)


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder to fill; it becomes `target` if the block ends well, else it goes.

    Raises:
        ModelExists: there is something at `target`, before or after the block.

    """
    if os.path.lexists(target):
        raise ModelExists(path=target)
    with hidden_folder(target) as part:
        yield part
        settle(part, target)


@contextmanager
def hidden_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder on the disk of `target`; what is left there in the end is deleted."""
    part = _beside(target)
    part.mkdir()
    try:
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)


def settle(part: Path, target: Path) -> None:
    """Make a filled folder visible, once all of it is on the disk.

    Raises:
        ModelExists: there is something at `target`.

    """
    for path in part.rglob("*"):
        if path.is_file():
            _sync(path)
    try:
        part.rename(target)
    except OSError as exc:
        if exc.errno in TAKEN:
            raise ModelExists(path=target) from exc
        raise
    _sync(target.parent)


@contextmanager
def new_file(target: Path) -> Iterator[Path]:
    """Yield a path to write; the file becomes `target` if the block ends well, else it goes.

    Raises:
        ModelExists: there is something at `target`, before or after the block.

    """
    if os.path.lexists(target):
        raise ModelExists(path=target)
    part = _beside(target)
    try:
        yield part
        _sync(part)
        _link(part, target)
        _sync(target.parent)
    finally:
        part.unlink(missing_ok=True)


def check_space(folder: Path, needed: int) -> None:
    """Make sure that `needed` bytes fit on the disk of a folder, which need not exist yet.

    Raises:
        SpaceMissing: they do not, or would leave next to nothing.

    """
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free
    if free < needed + RESERVE:
        raise SpaceMissing(
            path=there, needed=-(-(needed + RESERVE) // MEGABYTE), free=free // MEGABYTE
        )


def _link(part: Path, target: Path) -> None:
    """Give a file its name; unlike a rename, this never replaces another."""
    try:
        os.link(part, target)
    except FileExistsError as exc:
        raise ModelExists(path=target) from exc
    except OSError:  # a disk without links, such as a USB stick
        if os.path.lexists(target):
            raise ModelExists(path=target) from None
        part.rename(target)


def _beside(target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    return target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
