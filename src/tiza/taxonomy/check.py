"""Check a taxonomy: every file by itself, in several processes, then the questions of all together.

A stream from end to end: no more than a few files are held at a time. Knows nothing of how findings
are shown.
"""

import multiprocessing
import os
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from pathlib import Path

from tiza.taxonomy.cache import Cache, Row
from tiza.taxonomy.examine import Inspection, examine
from tiza.taxonomy.find import Candidate
from tiza.taxonomy.finding import Finding
from tiza.taxonomy.repeated import Repeated, Repetitions

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
        for inspection in _inspections(candidates, options):
            path, verdict = inspection.candidate.path, inspection.verdict
            repetitions.add(path, verdict.questions)
            yield Checked(path, verdict.findings)
        for repeated in repetitions.find():
            yield Checked(repeated.path, (_finding(repeated),), again=True)


def _finding(repeated: Repeated) -> Finding:
    first = f"{repeated.first_path}:{repeated.first_line}"
    return Finding(repeated.rule, repeated.line, 1, {"first": first})


def _inspections(candidates: Iterable[Candidate], options: Options) -> Iterator[Inspection]:
    """Yield the result of each file, in order; keep in the cache what is new."""
    fresh: list[Row] = []
    with closing(Cache(options.cache)) as cache:
        for inspection in _examined(iter(candidates), cache, options):
            if inspection.fresh:
                fresh.append(inspection.fresh)
            if len(fresh) >= KEPT:
                cache.put(fresh)
                fresh = []
            yield inspection
        cache.put(fresh)


def _examined(
    candidates: Iterator[Candidate], cache: Cache, options: Options
) -> Iterator[Inspection]:
    """Examine here if there are few files, else in processes of their own."""
    few = list(islice(candidates, ALONE))
    one_more = next(candidates, None)
    if one_more is None or options.processes == 1:
        rest = chain(few, [one_more] if one_more else [], candidates)
        yield from (examine(candidate, cache) for candidate in rest)
        return
    everything = chain(few, [one_more], candidates)
    context = multiprocessing.get_context("spawn")
    with context.Pool(options.processes, _begin, (options.cache,)) as pool:
        for batch in pool.imap(_examine_batch, _batches(everything)):
            yield from batch


def _batches(candidates: Iterator[Candidate]) -> Iterator[list[Candidate]]:
    return iter(partial(_take, candidates), [])


def _take(candidates: Iterator[Candidate]) -> list[Candidate]:
    return list(islice(candidates, BATCH))


class _Worker:
    """What a worker process keeps between batches."""

    cache = Cache(None)


def _begin(cache: Path | None) -> None:
    _Worker.cache = Cache(cache)


def _examine_batch(candidates: list[Candidate]) -> list[Inspection]:
    return [examine(candidate, _Worker.cache) for candidate in candidates]
