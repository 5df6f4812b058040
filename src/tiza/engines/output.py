"""What a process says: copied line by line to a rotating log, the last lines remembered.

The pipe is our own, not asyncio's: with asyncio's, waiting for the process would also wait for
every grandchild that holds the other end.
"""

import asyncio
import logging
import os
from collections import deque
from gettext import gettext as _
from pathlib import Path
from weakref import WeakValueDictionary

from tiza.engines.log_file import LogFile
from tiza.errors import SettingsError
from tiza.translation import N_

CANNOT_WRITE = N_("the logs cannot be written ({reason})")
LAST_LINES = 50
REST_SECONDS = 1.0  # for what is still in the pipe when the process has ended

# Two engines share a log while one follows the other; two handlers would rotate it twice.
_logs: WeakValueDictionary[Path, LogFile] = WeakValueDictionary()


class Output:
    """The output of one process after the other; between `open` and `close` a pipe to read."""

    def __init__(self, path: Path) -> None:
        self._lines: deque[str] = deque(maxlen=LAST_LINES)
        self._log = _open_log(path)
        self._pipe: asyncio.ReadTransport | None = None
        self._copying: asyncio.Task[None] | None = None

    async def open(self) -> int:
        """Begin to copy; return the end to write to, which the caller closes."""
        self._lines.clear()
        ours, theirs = os.pipe()
        reader = asyncio.StreamReader()
        self._pipe, _protocol = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours, "rb", buffering=0)
        )
        self._copying = asyncio.create_task(self._copy(reader))
        return theirs

    async def close(self) -> None:
        """Copy what is left, but do not wait for who still holds the other end."""
        try:
            if self._copying is not None:
                await asyncio.wait({self._copying}, timeout=REST_SECONDS)
        finally:
            if self._copying is not None and self._pipe is not None:
                self._copying.cancel()
                self._pipe.close()
            self._pipe = self._copying = None
            self._log.close()  # the next line opens it again

    def last_words(self) -> str:
        """Return the last `error:` sentence, or else the last line."""
        named = [line for line in self._lines if line.startswith("error: ")]
        spoken = named or [line for line in self._lines if line.strip()] or [_("it said nothing")]
        return spoken[-1].removeprefix("error: ")

    async def _copy(self, reader: asyncio.StreamReader) -> None:
        while True:
            try:
                line = await reader.readline()
            except ValueError:  # a line longer than the stream's limit: it was dropped
                continue
            if not line:
                return
            text = line.decode("utf-8", "replace").rstrip()
            self._lines.append(text)
            self._log.handle(logging.makeLogRecord({"msg": text}))


def _open_log(path: Path) -> LogFile:
    place = path.absolute()
    if log := _logs.get(place):
        return log
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        log = LogFile(path)
    except OSError as exc:
        raise SettingsError.of("VAR_PATH", CANNOT_WRITE, reason=exc) from exc
    _logs[place] = log
    return log
