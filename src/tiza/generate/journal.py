"""What a teacher has answered, kept on disk as it comes: no request is paid for twice.

One JSON object a line, appended. A line that a crash cut in half is cut off at the next start.
"""

import errno
import json
import os
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path
from types import TracebackType
from typing import Self

from tiza.errors import CannotWrite
from tiza.generate.request import Ask, Reply, Request


class Journal:
    """Stands before a teacher and remembers. Holds places in the file, not the replies.

    `tokens` is what all answers in the file have cost.
    """

    def __init__(self, path: Path, ask: Ask) -> None:
        self._path, self._ask = path, ask
        self._places: dict[str, tuple[int, int]] = {}
        self._end = 0
        self.tokens = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+b", buffering=0)
            self._read()
        except OSError as exc:
            raise CannotWrite(path=path, reason=exc.strerror) from exc

    def __len__(self) -> int:
        return len(self._places)

    async def ask(self, request: Request) -> Reply:
        """Return what the teacher answered, now or in an earlier run of the same command.

        Raises:
            CannotWrite: the answer cannot be kept, as on a full disk.

        """
        key = request.key()
        if key in self._places:
            return self._at(*self._places[key])
        reply = await self._ask(request)
        self._keep(key, reply)
        return reply

    def _keep(self, key: str, reply: Reply) -> None:
        fields = [key, *astuple(reply)]
        line = json.dumps(fields, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"
        try:
            written = self._file.write(line)
        except OSError as exc:
            raise CannotWrite(path=self._path, reason=exc.strerror) from exc
        if written < len(line):  # the disk is full; the next start cuts the half line off
            raise CannotWrite(path=self._path, reason=os.strerror(errno.ENOSPC))
        self._remember(line)

    def _at(self, start: int, length: int) -> Reply:
        line = os.pread(self._file.fileno(), length, start)
        _key, *fields = json.loads(line)
        return Reply(*fields)

    def _read(self) -> None:
        with self._path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._remember(line)
        self._file.truncate(self._end)

    def _remember(self, line: bytes) -> None:
        """Take in a line at the end of the file; one that is no entry is passed over."""
        with suppress(ValueError, TypeError):
            key, *fields = json.loads(line)
            reply = Reply(*fields)
            self.tokens += reply.prompt_tokens + reply.completion_tokens
            self._places[key] = (self._end, len(line))
        self._end += len(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
