"""Questions that stand in more than one lesson, found by their fingerprints.

Memory stays flat however large the tree is: the fingerprints are dealt out to files by their first
bits, as in a hash join on disk, and one file at a time is looked through. Knows no lesson.
"""

from array import array
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, NamedTuple

BUCKETS = 64
BUFFERED = 6_000  # numbers per bucket that wait in memory
SEED, EXAM = 0, 1  # the role of a question, the last bit of its second number
COLUMNS = 3  # numbers per row: near print; exact print, line and role in one; number of the file


class Repeated(NamedTuple):
    """A question that stands somewhere else too: rule, and where both are."""

    path: Path
    line: int
    rule: str
    first_path: Path
    first_line: int


class Repetitions:
    """Collects the questions of a tree; a context manager, for its temporary files."""

    def __init__(self) -> None:
        self._buckets = [_Bucket() for _ in range(BUCKETS)]
        self._paths = _Paths()

    def __enter__(self) -> "Repetitions":
        return self

    def __exit__(self, *_exc: object) -> None:
        for bucket in self._buckets:
            bucket.close()
        self._paths.close()

    def add(self, path: Path, questions: "array[int]") -> None:
        """Take in the fingerprints of one lesson, two numbers a question."""
        if not questions:
            return
        number = self._paths.add(path)
        buckets = self._buckets
        numbers = iter(questions)
        for near, rest in zip(numbers, numbers, strict=True):
            buckets[near % BUCKETS].rows.extend((near, rest, number))
        for bucket in buckets:
            if len(bucket.rows) > BUFFERED:
                bucket.spill()

    def find(self) -> list[Repeated]:
        """Return the repeated questions, in the order of the files."""
        found = sorted(row for bucket in self._buckets for row in bucket.repeated())
        return [
            Repeated(self._paths[file], line, rule, self._paths[first], first_line)
            for file, line, rule, first, first_line in found
        ]


class _Bucket:
    def __init__(self) -> None:
        self.rows = array("Q")
        self._file: IO[bytes] | None = None

    def spill(self) -> None:
        self._file = self._file or TemporaryFile()  # noqa: SIM115  # closed by close()
        self.rows.tofile(self._file)
        self.rows = array("Q")

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def repeated(self) -> Iterator[tuple[int, int, str, int, int]]:
        """Yield file, line, rule, and file and line of the first question that is the same."""
        rows = self._all()
        seeds: dict[int, tuple[int, int, int]] = {}
        for role in (SEED, EXAM):  # an exam may come before the lesson that teaches its question
            for at in range(0, len(rows), COLUMNS):
                near, rest, file = rows[at : at + COLUMNS]
                if rest & 1 != role:
                    continue
                exact, line = rest >> 32, (rest & 0xFFFFFFFF) >> 1
                if role == SEED:
                    first = seeds.setdefault(near, (file, line, exact))
                elif near in seeds:
                    first = seeds[near]
                else:
                    continue
                if first[0] != file:
                    yield file, line, _rule(role, exact == first[2]), first[0], first[1]

    def _all(self) -> "array[int]":
        rows = array("Q")
        if self._file is not None:
            self._file.seek(0)
            rows.frombytes(self._file.read())
        return rows + self.rows


def _rule(role: int, same: bool) -> str:
    if role == EXAM:
        return "exam-repeats-seed"
    return "duplicate-question" if same else "near-duplicate-question"


class _Paths:
    """A list of paths on disk; in memory, eight bytes each."""

    def __init__(self) -> None:
        self._file: IO[bytes] = TemporaryFile()  # noqa: SIM115  # closed by close()
        self._offsets = array("Q", [0])

    def add(self, path: Path) -> int:
        written = self._file.write(str(path).encode("utf-8", "surrogateescape"))
        self._offsets.append(self._offsets[-1] + written)
        return len(self._offsets) - 2

    def __getitem__(self, number: int) -> Path:
        start, end = self._offsets[number : number + 2]
        self._file.seek(start)
        return Path(self._file.read(end - start).decode("utf-8", "surrogateescape"))

    def close(self) -> None:
        self._file.close()
