"""Check a taxonomy: every file by itself, in several processes, then the questions of all together.

A stream from end to end: no more than a few files are held at a time. Knows nothing of how findings
are shown.
"""

import multiprocessing
import os
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

from tiza.taxonomy.cache import Cache, Row
from tiza.taxonomy.examine import Inspection, examine
from tiza.taxonomy.find import Candidate
from tiza.taxonomy.finding import Finding
from tiza.taxonomy.repeated import Repeated, Repetitions
from tiza.taxonomy.verdict import Verdict

ALONE = 300  # files that one process checks before another would have started
BATCH = 50  # files that travel together
KEPT = 1_000  # verdicts that wait to be written


@dataclass(frozen=True)
class Checked:
    """A file and what was found in it. The findings of `again` come on top of earlier ones."""

    path: Path
    findings: tuple[Finding, ...]
    again: bool = False


@dataclass(frozen=True)
class Options:
    """How to check. `cache` is a file, or None to keep nothing."""

    cache: Path | None = None
    processes: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))


def check(candidates: Iterable[Candidate], options: Options) -> Iterator[Checked]:
    """Yield every file with its findings, then the questions that stand in several files."""
    with Repetitions() as repetitions:
        for candidate, verdict in _verdicts(candidates, options):
            repetitions.add(candidate.path, verdict.questions)
            yield Checked(candidate.path, verdict.findings)
        for repeated in repetitions.find():
            yield Checked(repeated.path, (_finding(repeated),), again=True)


def _finding(repeated: Repeated) -> Finding:
    first = f"{repeated.first_path}:{repeated.first_line}"
    return Finding(repeated.rule, repeated.line, 1, {"first": first})


def _verdicts(
    candidates: Iterable[Candidate], options: Options
) -> Iterator[tuple[Candidate, Verdict]]:
    """Yield the result of each file, in order; keep in the cache what is new."""
    fresh: list[Row] = []
    with closing(Cache(options.cache)) as cache:
        for candidate, inspection in _examined(iter(candidates), cache, options):
            if inspection.fresh:
                fresh.append(inspection.fresh)
            if len(fresh) >= KEPT:
                cache.put(fresh)
                fresh = []
            yield candidate, inspection.verdict
        cache.put(fresh)


def _examined(
    candidates: Iterator[Candidate], cache: Cache, options: Options
) -> Iterator[tuple[Candidate, Inspection]]:
    """Examine here what is little, or mostly known already; the rest in processes of their own."""
    new = 0
    for candidate in islice(candidates, ALONE):
        inspection = examine(candidate, cache)
        new += inspection.fresh is not None or not cache.works
        yield candidate, inspection
    following = next(candidates, None)
    if following is None:
        return
    remaining = chain([following], candidates)
    if options.processes == 1 or new < ALONE / 2:
        yield from ((candidate, examine(candidate, cache)) for candidate in remaining)
    else:
        yield from _examined_elsewhere(remaining, options)


def _examined_elsewhere(
    candidates: Iterator[Candidate], options: Options
) -> Iterator[tuple[Candidate, Inspection]]:
    sent: deque[list[Candidate]] = deque()  # the pool reads the batches in a thread of its own
    context = multiprocessing.get_context("spawn")
    with context.Pool(options.processes, _begin, (options.cache,)) as pool:
        for inspections in pool.imap(_examine_batch, _batches(candidates, sent)):
            yield from zip(sent.popleft(), inspections, strict=True)


def _batches(
    candidates: Iterator[Candidate], sent: deque[list[Candidate]]
) -> Iterator[list[Candidate]]:
    """Yield batches, and note each before it leaves."""
    while batch := list(islice(candidates, BATCH)):
        sent.append(batch)
        yield batch


class _Worker:
    """What a worker process keeps between batches."""

    cache = Cache(None)


def _begin(cache: Path | None) -> None:
    _Worker.cache = Cache(cache)


def _examine_batch(candidates: list[Candidate]) -> list[Inspection]:
    return [examine(candidate, _Worker.cache) for candidate in candidates]
