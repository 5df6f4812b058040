"""Cursors: the place of the last thing that was shown, as text that an address can carry."""

import base64
import binascii
from datetime import UTC, datetime, timedelta

from tiza.errors import CursorInvalid
from tiza.store.identifiers import parsed

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST = 128


def after(moment: datetime, id_: str) -> str:
    """Return the cursor of a conversation in a list."""
    return _written(f"list {(moment - EPOCH) // timedelta(microseconds=1)} {id_}")


def moment_and_id(cursor: str) -> tuple[datetime, str]:
    """Read a list's cursor.

    Raises:
        CursorInvalid: it is none.

    """
    number, id_ = _read(cursor, "list", 2)
    known = parsed(id_)
    try:
        moment = EPOCH + timedelta(microseconds=int(number))
    except (ValueError, OverflowError) as exc:
        raise CursorInvalid from exc
    if known is None:
        raise CursorInvalid
    return moment, known


def after_passage(number: int) -> str:
    """Return the cursor of what a search found."""
    return _written(f"search {number}")


def passage(cursor: str) -> int:
    """Read a search's cursor.

    Raises:
        CursorInvalid: it is none.

    """
    (number,) = _read(cursor, "search", 1)
    try:
        found = int(number)
    except ValueError as exc:
        raise CursorInvalid from exc
    if not 0 <= found < 1 << 63:
        raise CursorInvalid
    return found


def _written(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(cursor: str, kind: str, values: int) -> list[str]:
    try:
        padded = cursor[:LONGEST] + "=" * (-len(cursor[:LONGEST]) % 4)
        found, *parts = base64.b64decode(padded, b"-_", validate=True).decode("ascii").split(" ")
    except (ValueError, binascii.Error) as exc:
        raise CursorInvalid from exc
    if found != kind or len(parts) != values:
        raise CursorInvalid
    return parts
