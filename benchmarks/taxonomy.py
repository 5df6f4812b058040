"""How fast is `tiza taxonomy check` beside InstructLab's own parser, and how much memory it takes.

    python benchmarks/taxonomy.py [--lessons 10000] [--peer-lessons 200]

Writes lessons in InstructLab's official form into a temporary folder, checks all of them with Tiza
(cold: no cache; warm: with the cache of the first run), and the first few hundred with
`instructlab-schema`, in this process, one by one, as `ilab` does. The peer is measured twice: as it
comes (it starts yamllint for each file) and without yamllint, which flatters it.
"""

import argparse
import json
import logging
import os
import platform
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from record import Row, keep

RESULT = Path("var/bench/taxonomy.json")
VOCABULARY = """
river mountain teacher garden number island winter engine letter metal music planet animal
bridge century desert energy forest glacier harbour insect journey kingdom library mineral
nation ocean pattern quality region signal temple union valley weather yellow ancient bright
careful distant early famous gentle hidden inner joyful large modern narrow open proud quiet
rapid simple tall useful vast warm young carries holds becomes follows grows joins keeps leads
measures opens protects reaches shows turns uses visits writes
"""
WORDS = VOCABULARY.split()


class Author:
    """Writes lessons of made-up sentences, always the same ones."""

    def __init__(self) -> None:
        self._random = random.Random(20261122)  # noqa: S311  # made-up text, no secret

    def sentence(self, words: int) -> str:
        """Return some words as a sentence."""
        return "The " + " ".join(self._random.choices(WORDS, k=words)) + "."

    def pair(self, indent: str, context: str = "") -> str:
        """Return a question and an answer; the answer comes from the context."""
        words = " ".join(self._random.choices(WORDS, k=9))
        answer = context.partition(".")[0] or self.sentence(20).rstrip(".")
        return f"{indent}- question: How is it that {words}?\n{indent}  answer: {answer}.\n"

    def knowledge(self) -> str:
        """Return a lesson of five contexts with three questions each."""
        parts = [
            "version: 3\ncreated_by: benchmark\ndomain: Made-up facts\n"
            "document_outline: Facts about nothing\ndocument:\n"
            "  repo: https://example.org/facts.git\n  commit: 0a1b2c3\n  patterns: ['*.md']\n"
            "seed_examples:\n"
        ]
        for _ in range(5):
            context = " ".join(self.sentence(14) for _ in range(10))
            lines = "".join(f"      {line}.\n" for line in context.rstrip(".").split(". "))
            parts.append(f"  - context: >-\n{lines}    questions_and_answers:\n")
            parts += [self.pair("      ", context) for _ in range(3)]
        return "".join(parts)

    def skill(self) -> str:
        """Return a freeform skill of eight examples."""
        head = "version: 3\ncreated_by: benchmark\ntask_description: Say it\nseed_examples:\n"
        return head + "".join(self.pair("  ") for _ in range(8))


def write_lessons(root: Path, count: int) -> list[Path]:
    """Write half knowledge, half skills, a hundred to a folder."""
    author, paths = Author(), []
    for number in range(count):
        knowledge = number % 2 == 0
        branch = "knowledge" if knowledge else "compositional_skills"
        path = root / branch / f"subject_{number // 100}" / f"lesson_{number}" / "qna.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(author.knowledge() if knowledge else author.skill())
        if knowledge:
            (path.parent / "attribution.txt").write_text("Title of work: none\n")
        paths.append(path)
    return paths


def cpu_seconds() -> float:
    """Return the processor time of this process and of those that it waited for."""
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in usage)


def measure_peer(paths: list[Path], *, yamllint: bool) -> dict[str, float]:
    """Return the peer's seconds per lesson, on the clock and of the processor."""
    from instructlab.schema.taxonomy import TaxonomyMessageFormat, TaxonomyParser

    logging.disable(logging.CRITICAL)
    os.environ["PATH"] = str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"]
    parser = TaxonomyParser(schema_version=0, message_format=TaxonomyMessageFormat.LOGGING)
    if not yamllint:
        parser._yamllint = lambda text, taxonomy: None  # type: ignore[method-assign]  # noqa: SLF001, ARG005
    started, cpu = time.perf_counter(), cpu_seconds()
    for path in paths:
        taxonomy = parser.parse(path)
        assert taxonomy.errors == 0, path
    elapsed, used = time.perf_counter() - started, cpu_seconds() - cpu
    return {"seconds": elapsed / len(paths), "cpu": used / len(paths)}


def measure_ours(root: Path, cache: Path | None, processes: int) -> dict[str, float]:
    """Return seconds per lesson, files, findings, and the largest process's memory in MiB."""
    command = [sys.executable, __file__, "--check", str(root), "--processes", str(processes)]
    command += ["--cache", str(cache)] if cache else []
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def check_here(root: Path, cache: Path | None, processes: int) -> None:
    """Check a tree and print the figures; runs in a process of its own."""
    from tiza.taxonomy.check import Options, check
    from tiza.taxonomy.find import find

    started = time.perf_counter()
    files = findings = 0
    for checked in check(find([root], root), Options(cache, processes)):
        files += not checked.again
        findings += len(checked.findings)
    seconds = time.perf_counter() - started
    usage = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    mib = max(u.ru_maxrss for u in usage) / 1024
    figures = {"seconds": seconds / files, "cpu": cpu_seconds() / files, "mib": mib}
    figures |= {"files": files, "findings": findings}
    print(json.dumps(figures))


def main() -> None:
    """Write lessons, measure both, print a table and keep the figures."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--lessons", type=int, default=10_000)
    arguments.add_argument("--peer-lessons", type=int, default=200)
    arguments.add_argument("--check", type=Path, help=argparse.SUPPRESS)
    arguments.add_argument("--cache", type=Path, help=argparse.SUPPRESS)
    arguments.add_argument("--processes", type=int, default=1, help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.check:
        check_here(options.check, options.cache, options.processes)
        return
    folder = Path(tempfile.mkdtemp(prefix="tiza-bench-"))
    try:
        figures = measure_all(folder, options.lessons, options.peer_lessons)
    finally:
        shutil.rmtree(folder)
    caption = f"{figures['lessons']:,} lessons, {figures['kilobytes']:,} kB; a lesson each"
    keep("taxonomy", {caption: table(figures)}, figures, "ms")


def measure_all(folder: Path, lessons: int, peer_lessons: int) -> dict[str, object]:
    """Measure everything on the same lessons; each row is a name and its figures."""
    cores = len(os.sched_getaffinity(0))
    write_lessons(folder / "small", lessons // 10)
    paths = write_lessons(folder / "large", lessons)
    cache, large, some = folder / "cache.sqlite", folder / "large", paths[:peer_lessons]
    # In rounds, so that a busy machine slows all of them; the best of each counts.
    peers = {"without yamllint": [measure_peer(some, yamllint=False)]}
    runs = {"cold, one process": [measure_ours(large, None, 1)]}
    runs[f"cold, {cores} processes"] = [measure_ours(large, cache, cores)]
    peers["without yamllint"].append(measure_peer(some, yamllint=False))
    runs[f"cold, {cores} processes"].append(measure_ours(large, None, cores))
    runs[f"warm, {cores} processes"] = [measure_ours(large, cache, cores) for _ in range(2)]
    runs["warm, one process"] = [measure_ours(large, cache, 1) for _ in range(2)]
    peers["without yamllint"].append(measure_peer(some, yamllint=False))
    peers["as it comes"] = [measure_peer(some[: max(peer_lessons // 4, 1)], yamllint=True)]
    tenth = f"cold, {cores} processes, a tenth of the lessons"
    runs[tenth] = [measure_ours(folder / "small", None, cores)]
    return {
        "machine": f"{platform.machine()}, {cores} cores, Python {platform.python_version()}",
        "lessons": lessons,
        "kilobytes": sum(p.stat().st_size for p in paths) // 1000,
        "peer": {name: fastest(rounds) for name, rounds in peers.items()},
        "ours": {name: fastest(rounds) for name, rounds in runs.items()},
    }


def fastest(rounds: list[dict[str, float]]) -> dict[str, float]:
    """Return the quickest of some rounds."""
    return min(rounds, key=lambda figures: figures["seconds"])


def table(figures: dict[str, object]) -> list[Row]:
    """Return milliseconds a lesson, and how many times as fast as each peer that is."""
    peers, runs = figures["peer"], figures["ours"]
    assert isinstance(peers, dict)
    assert isinstance(runs, dict)
    rows: list[Row] = [
        {
            "checker": f"instructlab-schema, {name}",
            "ms": peer["seconds"] * 1e3,
            "ms CPU": peer["cpu"] * 1e3,
        }
        for name, peer in peers.items()
    ]
    for name, run in runs.items():
        row = {"checker": f"tiza, {name}", "ms": run["seconds"] * 1e3, "ms CPU": run["cpu"] * 1e3}
        row |= {f"times it {n}": peer["seconds"] / run["seconds"] for n, peer in peers.items()}
        rows.append(row | {"MiB": run["mib"]})
    return rows


if __name__ == "__main__":
    main()
