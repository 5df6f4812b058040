"""`evaluate`: examine a model beside its base, and write the report card into the run's folder.

Top to bottom: leak guard, questions, the base's answers, the new model's, grades, gate, report.
What was answered is kept, so that an examination that was cut off goes on.
"""

import asyncio
import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from gettext import gettext as _
from pathlib import Path
from typing import Any

from tiza.evaluate import harness
from tiza.evaluate import report as reports
from tiza.evaluate.ask import SEED, Answer, Endpoint, Journal, Query, ask, complete
from tiza.evaluate.exam import LANGUAGES, General, Item, bank, changed, exam, guard
from tiza.evaluate.examined import Subject, parent_of, served
from tiza.evaluate.gate import check, thresholds
from tiza.evaluate.harness import Benchmarks
from tiza.evaluate.judge import Agreement, Judged, agreement, judge
from tiza.evaluate.page import page
from tiza.evaluate.report import Graded, Measured, Probed
from tiza.evaluate.restraint import Probe, own, probes
from tiza.progress import Progress
from tiza.runs import events, samples
from tiza.runs.run import Run, surroundings
from tiza.runs.run import replace as write
from tiza.settings import Settings

TRIED, LEAST_KNOWN = 24, 0.1  # a language of whose first questions the base knows less is left out
PACKAGES = ("xllamacpp", "vllm", "torch", "transformers", "peft")
READY = Path(__file__).parent / "questions" / "answers"
UNSAFE = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class Options:
    """How to examine. `limits` are the gate's thresholds.

    `earlier`: of lessons that were taught before, how many questions the model in use had right.

    `languages` are those of the general questions; `judge` grades the exam a second time;
    `benchmarks` are open ones, for both models.
    """

    language: str = "en"
    languages: Sequence[str] = LANGUAGES
    taxonomy: Path = Path("taxonomy")
    earlier: Mapping[str, int] = field(default_factory=dict)
    limits: Mapping[str, Any] | None = None
    judge: Endpoint | None = None
    benchmarks: Benchmarks | None = None
    made: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Desk:
    """Where the examination takes place."""

    run: Run
    settings: Settings
    progress: Progress


@dataclass(frozen=True)
class Questions:
    """All that both models are asked."""

    items: Sequence[Item]
    general: Sequence[General]
    probes: Sequence[Probe]

    @property
    def queries(self) -> list[Query]:
        """The questions in one order: exam, general, restraint."""
        return [
            *(item.query for item in self.items),
            *(question.query for question in self.general),
            *(probe.query for probe in self.probes),
        ]


def evaluate(
    model: Subject, base: Subject, run: Run, settings: Settings, options: Options
) -> dict[str, Any]:
    """Examine a model, write `report.json` and `report.html`, and return the report.

    Raises:
        ExamMissing, ExamLeaked, RunBusy, GateInvalid, HarnessMissing: before anything is asked.
        EngineGone, AnswersRefused, ServiceFailed, HarnessFailed: what was answered is kept; run it
            again.

    """
    with run.locked(), Progress() as progress:
        return asyncio.run(_evaluate(model, base, options, Desk(run, settings, progress)))


async def _evaluate(model: Subject, base: Subject, options: Options, desk: Desk) -> dict[str, Any]:
    began, run = time.monotonic(), desk.run
    limits = thresholds(_gate_of(run) if options.limits is None else options.limits)
    items = exam(run)
    guard(run, items)
    if options.benchmarks:
        harness.program()
    stale = changed(items, options.taxonomy)
    general = [question for language in options.languages for question in bank(language)]
    asked = Questions(items, general, [*probes(items, _taught(run)), *own(run)])
    asked, before = await _ask_base(base, asked, desk)
    after = await _ask(model, asked.queries, desk, _("New model"))
    measured = await _grade(asked, before, after, options.judge, desk.progress)
    checks = check(reports.figures(measured, options.earlier), limits)
    seconds = {"seconds": round(time.monotonic() - began)}
    made = {**_made(model, base, run, items, stale), **seconds, **options.made}
    made |= {"earlier": dict(options.earlier), "covered": _covered(model, items)}
    report = reports.build(measured, checks, made)
    if options.benchmarks:
        taken = [await _benchmarks(each, options.benchmarks, desk) for each in (base, model)]
        report["benchmarks"] = reports.benchmarks(*taken)
    _write(report, run, options.language)
    return report


async def _ask_base(base: Subject, asked: Questions, desk: Desk) -> tuple[Questions, list[Answer]]:
    """Ask the base; leave out general questions in languages that it does not speak.

    Nobody can lose what they never knew, and the tiny base knows English only.
    """
    languages = dict.fromkeys(question.language for question in asked.general)
    banks = {each: [q for q in asked.general if q.language == each] for each in languages}
    tried = {each: some[:: max(1, len(some) // TRIED)] for each, some in banks.items()}
    first = [question for some in tried.values() for question in some]
    answers = await _ask(base, [q.query for q in first], desk, _("Base"))
    knew = {q for q, a in zip(first, answers, strict=True) if q.grade(a.text).passed}
    spoken: list[General] = []
    for each, some in tried.items():
        enough = len(knew & set(some)) >= LEAST_KNOWN * len(some)
        spoken += banks[each] if enough else some
    asked = Questions(asked.items, spoken, asked.probes)
    return asked, await _ask(base, asked.queries, desk, _("Base"))


async def _ask(subject: Subject, queries: Sequence[Query], desk: Desk, name: str) -> list[Answer]:
    """Ask a model as it is served: beyond the scope of an adapter, its base answers."""
    scope = subject.scope
    if scope is None:
        return await _ask_all(subject, queries, desk, name)
    covered = [scope.covers(query.question) for query in queries]
    own = [
        replace(query, question=scope.noted(query.question))
        for query, is_covered in zip(queries, covered, strict=True)
        if is_covered
    ]
    rest = [query for query, is_covered in zip(queries, covered, strict=True) if not is_covered]
    said = iter(await _ask_all(subject, own, desk, name))
    left = iter(await _ask_all(parent_of(subject, desk.settings), rest, desk, _("Base")))
    return [next(said if is_covered else left) for is_covered in covered]


async def _ask_all(
    subject: Subject, queries: Sequence[Query], desk: Desk, name: str
) -> list[Answer]:
    """Ask what no journal knows: the run's, that of all runs, and what ships of the shipped model.

    The latter two are for weights that are known.
    """
    settings = desk.settings
    label = _label(subject)
    journal = Journal(desk.run.path / "answers" / f"{label}.jsonl")
    shared = Journal(settings.var_path / "answers" / f"{label}.jsonl") if subject.mark else journal
    unplaced = Endpoint("", "", system_prompt=settings.system_prompt, body=subject.body or {})
    keys = [unplaced.key(query) for query in queries]
    for known in (shared, Journal(READY / f"{label}.jsonl")):
        journal.borrow(known, keys)
    if all(key in journal.answers for key in keys):
        return [journal.answers[key] for key in keys]
    step = desk.progress.step(name, len(queries))
    async with served(subject, settings, desk.run.path / "logs", desk.progress) as endpoint:
        try:
            return await ask(endpoint, queries, journal, step)
        finally:
            shared.borrow(journal, keys)


def _label(subject: Subject) -> str:
    """Return a file's name for what a model said; it changes with the weights."""
    return UNSAFE.sub("_", f"{subject.name}-{subject.mark}" if subject.mark else subject.name)


async def _benchmarks(subject: Subject, benchmarks: Benchmarks, desk: Desk) -> harness.Scores:
    """Put open benchmarks to a model's weights, whatever its scope."""
    logs, out = desk.run.path / "logs", desk.run.path / "benchmarks" / _label(subject)
    if (known := harness.read(out, benchmarks.tasks)) is not None:
        return known
    async with served(subject, desk.settings, logs, desk.progress) as endpoint:
        return await harness.scores(endpoint, benchmarks, out, logs / "benchmarks.log")


async def _grade(
    asked: Questions,
    before: Sequence[Answer],
    after: Sequence[Answer],
    judge_at: Endpoint | None,
    progress: Progress,
) -> Measured:
    pairs = list(zip(before, after, strict=True))
    items, general = len(asked.items), len(asked.items) + len(asked.general)
    judged = await _judge(asked.items, after, judge_at, progress)
    taken = [
        _graded(item, *pair, one)
        for item, pair, one in zip(asked.items, pairs[:items], judged, strict=True)
    ]
    kept = [
        _graded(question, *pair)
        for question, pair in zip(asked.general, pairs[items:general], strict=True)
    ]
    restrained = [
        Probed(probe, *pair, probe.leaks(pair[1].text, pair[0].text))
        for probe, pair in zip(asked.probes, pairs[general:], strict=True)
    ]
    return Measured(taken, kept, restrained, _agreement(taken))


def _agreement(taken: Sequence[Graded]) -> Agreement | None:
    judged = [(g.judged, g.grade_after.passed) for g in taken if g.judged is not None]
    if not judged:
        return None
    return agreement([j for j, _passed in judged], [passed for _judged, passed in judged])


async def _judge(
    items: Sequence[Item], after: Sequence[Answer], at: Endpoint | None, progress: Progress
) -> Sequence[Judged | None]:
    if at is None:
        return [None] * len(items)
    cases = [
        (item.question, item.reference, answer.text, item.language)
        for item, answer in zip(items, after, strict=False)
    ]

    async def to_judge(messages: Sequence[Mapping[str, str]], max_tokens: int) -> str:
        return await complete(at, messages, max_tokens)

    return await judge(cases, to_judge, at.at_once, progress.step(_("Judge"), len(cases)))


def _graded(
    item: Item | General, before: Answer, after: Answer, judged: Judged | None = None
) -> Graded:
    return Graded(item, before, after, item.grade(before.text), item.grade(after.text), judged)


def _taught(run: Run) -> Iterable[str]:
    """Return the questions that were trained on."""
    if not run.train.exists():
        return []
    return [sample.messages[-2]["content"] for sample in samples.read(run.train)]


def _gate_of(run: Run) -> Mapping[str, Any]:
    """Return the thresholds of the recipe that the run was trained by."""
    gate = _settings_of(run).get("gate")
    return gate if isinstance(gate, dict) else {}


def _settings_of(run: Run) -> dict[str, Any]:
    settings = run.section("train").get("settings")
    return settings if isinstance(settings, dict) else {}


def _made(
    model: Subject, base: Subject, run: Run, items: Sequence[Item], stale: Sequence[str]
) -> dict[str, Any]:
    """Say how the model came about, as far as the run tells."""
    trained, generated = run.section("train"), run.section("generate")
    lessons = {item.lesson: item.lesson_hash for item in items}
    return {
        "model": model.name,
        "base": base.name,
        "run": run.id,
        "lessons": [
            {"lesson": name, "hash": mark, "changed": name in stale}
            for name, mark in sorted(lessons.items())
        ],
        "recipe": {"name": trained.get("recipe"), **_settings_of(run)},
        "seed": _settings_of(run).get("seed"),
        "train_seconds": trained.get("seconds"),
        "energy": trained.get("energy"),
        "train": _plain(trained),
        "generate": _plain(generated),
        "versions": surroundings(*PACKAGES),
    }


def _covered(model: Subject, items: Sequence[Item]) -> str | None:
    """Count the questions of the exam in the scope of an adapter, "11 / 12"; None without one."""
    if model.scope is None:
        return None
    return f"{sum(model.scope.covers(item.prompt) for item in items)} / {len(items)}"


def _plain(section: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the facts that are a number or a word."""
    return {name: value for name, value in section.items() if isinstance(value, str | int | float)}


def _write(report: Mapping[str, Any], run: Run, language: str) -> None:
    write(run.path / "report.json", json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    write(run.path / "report.html", page(report, events.read(run.events), language))
    overall = report["exam"]["overall"]
    run.record(
        "evaluate",
        {
            "created": report["created"],
            "model": report["made"]["model"],
            "base": report["made"]["base"],
            "seconds": report["made"]["seconds"],
            "seed": SEED,
            "passed": report["verdict"]["passed"],
            "checks": report["gate"]["checks"],
            "exam": overall["after"],
            "exam_before": overall["before"],
            "surroundings": report["made"]["versions"],
        },
    )
