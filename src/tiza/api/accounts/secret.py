"""The server's secret, and the keys that are derived from it, one for each purpose."""

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path

from tiza.errors import SecretUnreadable
from tiza.settings import Settings

FILE = "secret"  # in VAR_PATH


def server_secret(settings: Settings) -> bytes:
    """Return SECRET_KEY, or what a private file has, which is made at the first start.

    Raises:
        SecretUnreadable: the file cannot be read or made.

    """
    given = settings.secret_key.get_secret_value()
    return given.encode() if given else _kept(settings.var_path / FILE)


def derived(secret: bytes, purpose: str) -> bytes:
    """Return 32 bytes for one purpose only, from which the secret cannot be found."""
    return hmac.digest(secret, f"tiza {purpose}".encode(), hashlib.sha256)


def _kept(path: Path) -> bytes:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            _make(path)
        found = path.read_bytes()
    except OSError as exc:
        raise SecretUnreadable(path=path, reason=exc.strerror) from exc
    if len(found) < 32:  # noqa: PLR2004  # cut off, or somebody else's
        raise SecretUnreadable(path=path, reason=f"{len(found)} bytes")
    return found


def _make(path: Path) -> None:
    """Make the file whole or not at all: another process may read it in the same moment."""
    part = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(48))
    try:
        os.link(part, path)
    finally:
        part.unlink()
