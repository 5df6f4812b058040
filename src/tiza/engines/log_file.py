"""A log file that begins anew when it is full or its day is over, and forgets what is old."""

import time
from contextlib import suppress
from datetime import date
from logging import LogRecord
from logging.handlers import RotatingFileHandler
from pathlib import Path

LOG_BYTES, LOG_FILES = 5_000_000, 14  # of one file, and how many are kept beside it
KEEP_DAYS = 14
DAY_SECONDS = 86_400


class LogFile(RotatingFileHandler):
    """Writes to `path`; what it held before is in `path.1` and so on, the newest first.

    Raises:
        OSError: nothing can be written there.

    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "a", LOG_BYTES, LOG_FILES, encoding="utf-8")
        self._path = path.absolute()
        self._day = date.fromtimestamp(self._path.stat().st_mtime)
        self._forget()

    def shouldRollover(self, record: LogRecord) -> bool:  # noqa: N802  # logging's name
        """Tell whether the file is full, or of another day."""
        return bool(super().shouldRollover(record)) or self._day != today()

    def doRollover(self) -> None:  # noqa: N802  # logging's name
        """Begin anew."""
        super().doRollover()
        self._day = today()
        self._forget()

    def _forget(self) -> None:
        """Delete what nobody has written to for KEEP_DAYS."""
        before = time.time() - KEEP_DAYS * DAY_SECONDS
        for file in self._path.parent.glob(f"{self._path.name}.*"):
            with suppress(OSError):  # another process was quicker
                if file.suffix[1:].isdigit() and file.stat().st_mtime < before:
                    file.unlink()


def today() -> date:
    """Return the day that it is here."""
    return date.today()
