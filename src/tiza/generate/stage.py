"""From lessons to the samples of a run, top to bottom.

    lessons → units of work → teacher (through the journal) → screen → mix → the run's files

Everything but the teacher's answers follows from the order and its seed, and the answers are kept
in the journal: a run that was cut off, started again, ends with the same files.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tiza.errors import NoAnswer, RunTaken
from tiza.generate.budget import Budget, BudgetSpent
from tiza.generate.candidate import Candidate, Rejected
from tiza.generate.duplicates import REASONS, Seen
from tiza.generate.flow import Outcome, Watch
from tiza.generate.flow import run as run_unit
from tiza.generate.journal import Journal
from tiza.generate.leak import REASON, LeakGuard, exam_questions
from tiza.generate.mix import mix
from tiza.generate.preview import preview
from tiza.generate.request import Ask
from tiza.generate.step import Pipeline
from tiza.generate.together import together
from tiza.generate.units import Unit, language_of, units
from tiza.runs.run import Run, create, now, replace, runs, surroundings
from tiza.runs.samples import Sample, write
from tiza.taxonomy.find import root_of
from tiza.taxonomy.lesson import Example, Lesson
from tiza.translation import terminal_language

STAGE = "generate"
REPLIES = "replies.jsonl"
AT_ONCE = 1_000  # units in progress; how many requests are, the teacher decides

COMPLETE, CUT_OFF, BUDGET_SPENT, UNANSWERED = "complete", "cut off", "budget spent", "unanswered"


@dataclass(frozen=True)
class Order:
    """What is to be made.

    `scale` is the number of new pairs asked for (see `units`); `budget` the tokens that the run may
    cost; `passages` has the chunks of each lesson's document; `replay` are samples against
    forgetting, of which as many are mixed in as `replay_share` says; all `near_misses` are.
    `knowledge_share` balances knowledge and skills (see `mix`).
    """

    lessons: Sequence[Lesson]
    taxonomy: Path
    pipeline: Pipeline
    scale: int
    seed: int = 0
    teacher: str = ""
    budget: int | None = None
    passages: Mapping[Path, Sequence[str]] = field(default_factory=dict)
    replay: Sequence[Sample] = ()
    near_misses: Sequence[Sample] = ()
    replay_share: float = 1.0
    knowledge_share: float | None = None

    @cached_property
    def units(self) -> list[Unit]:
        """The work: independent units, in the order of the samples that they make."""
        return [
            unit
            for lesson in self.lessons
            for unit in units(
                *(self.pipeline, lesson, self.passages.get(lesson.path, ())),
                *(self.scale, self.seed),
            )
        ]

    def fingerprint(self) -> str:
        """Return what a run that goes on has in common with the one that was cut off."""
        parts: list[Any] = [
            [self.leaf(lesson) for lesson in self.lessons],
            [unit.key for unit in self.units],
            [self.pipeline.name, self.teacher, self.seed],
            [self.replay_share, self.knowledge_share],
            [sample.line() for sample in (*self.replay, *self.near_misses)],
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def leaf(self, lesson: Lesson) -> str:
        """Return a lesson's place in the tree, as `knowledge/science/physics`."""
        folder = lesson.path.parent
        return folder.relative_to(root_of(folder, self.taxonomy)).as_posix()


@dataclass(frozen=True)
class Made:
    """What a run came to. `state` is one of the words above; tokens count all its requests."""

    run: Run
    state: str
    samples: Sequence[Sample]
    accepted: Sequence[Candidate]
    rejected: Sequence[Rejected]
    exam: int
    unanswered: int
    tokens: int


def open_run(order: Order, folder: Path, place: Run | None = None) -> tuple[Run, bool]:
    """Return the run of this order that was not finished, or else a new one; and whether it was.

    Raises:
        RunTaken: the run `place` holds something else already.

    """
    wanted = order.fingerprint()
    for run in reversed(runs(folder)) if place is None else [place]:
        section = run.section(STAGE)
        unfinished = section.get("state") != COMPLETE or place is not None
        if section.get("inputs") == wanted and unfinished:
            return run, True
    if place is not None and place.section(STAGE):
        raise RunTaken(run=place.id)
    run = create(folder) if place is None else place
    run.path.mkdir(parents=True, exist_ok=True)
    run.record(STAGE, {"state": CUT_OFF, "inputs": wanted, "started": now()})
    return run, False


async def generate(order: Order, run: Run, ask: Ask, watch: Watch) -> Made:
    """Make the samples and write the run's files.

    Raises:
        TizaError: the teacher refuses for good, or a file cannot be written. What was answered
            until then is kept, and the same order goes on from there.

    """
    budget = Budget(order.budget, ask)
    with run.locked(), Journal(run.path / REPLIES, budget.ask) as journal:
        budget.spent = journal.tokens
        outcomes = await _work(order.units, journal.ask, watch)
        accepted, rejected = _screen(order, outcomes)
        own = [_sample(candidate, order) for candidate in accepted]
        exam = [_exam(order, lesson, each) for lesson in order.lessons for each in lesson.exam]
        unanswered = sum(isinstance(e, NoAnswer) for o in outcomes for e in o.errors)
        made = Made(
            run,
            BUDGET_SPENT if budget.refused else UNANSWERED if unanswered else COMPLETE,
            _mixed(order, own),
            accepted,
            rejected,
            exam=len(exam),
            unanswered=unanswered,
            tokens=budget.spent,
        )
        _write(order, made, exam)
    return made


async def _work(units: Sequence[Unit], ask: Ask, watch: Watch) -> list[Outcome]:
    """Run the units, many at a time; an error of the endpoint itself ends all."""
    outcomes = [Outcome()] * len(units)
    waiting = iter(enumerate(units))

    async def work() -> None:
        for number, unit in waiting:
            outcomes[number] = await run_unit(unit, ask, watch)
            for error in outcomes[number].errors:
                if not isinstance(error, NoAnswer | BudgetSpent):
                    raise error

    await together(work() for _ in range(min(AT_ONCE, len(units))))
    return outcomes


def _screen(order: Order, outcomes: Sequence[Outcome]) -> tuple[list[Candidate], list[Rejected]]:
    """Look at all candidates together: no exam question, nothing twice."""
    guard, seen = LeakGuard(exam_questions(order.lessons)), Seen()
    accepted: list[Candidate] = []
    rejected = [each for outcome in outcomes for each in outcome.rejected]
    for candidate in (each for outcome in outcomes for each in outcome.accepted):
        flaw = _flaw(candidate, guard, seen)
        if flaw is None:
            accepted.append(candidate)
        else:
            rejected.append(flaw)
    return accepted, rejected


def _flaw(candidate: Candidate, guard: LeakGuard, seen: Seen) -> Rejected | None:
    leak = guard.nearest(candidate.question, candidate.context)
    if leak is not None:
        return Rejected(candidate, "exam", REASON, leak.data())
    repeated = seen.add(candidate.question, candidate.answer, candidate.context)
    if repeated is not None:
        return Rejected(candidate, "duplicates", REASONS[repeated.sort], repeated.data())
    return None


def _mixed(order: Order, own: Sequence[Sample]) -> list[Sample]:
    mixed = mix(
        own,
        order.replay,
        knowledge_share=order.knowledge_share,
        replay_share=order.replay_share,
        seed=order.seed,
    )
    return [*mixed, *order.near_misses]


def _sample(candidate: Candidate, order: Order) -> Sample:
    metadata = {
        **_origin(order, candidate.lesson),
        "lines": list(candidate.lines),
        "mix": "lesson",
        "pipeline": order.pipeline.name,
        "step": candidate.step,
        "prompt": candidate.prompt,
        "teacher": order.teacher if candidate.prompt else None,
        "scores": dict(candidate.scores),
    }
    return _conversation(candidate.question, candidate.answer, candidate.context, metadata)


def _exam(order: Order, lesson: Lesson, example: Example) -> Sample:
    metadata = {
        **_origin(order, lesson),
        "line": example.line,
        "paraphrases": list(example.paraphrases),
    }
    context = None if lesson.is_knowledge else example.context
    return _conversation(example.question, example.answer, context, metadata)


def _origin(order: Order, lesson: Lesson) -> dict[str, Any]:
    return {
        "lesson": order.leaf(lesson),
        "lesson_hash": lesson.hash,
        "kind": str(lesson.kind),
        "language": language_of(lesson),
    }


def _conversation(
    question: str, answer: str, context: str | None, metadata: Mapping[str, Any]
) -> Sample:
    """Return a sample as a student would ask: the text first, then the question about it."""
    asked = f"{context.strip()}\n\n{question.strip()}" if context else question.strip()
    messages = (
        {"role": "user", "content": asked},
        {"role": "assistant", "content": answer.strip()},
    )
    digest = hashlib.sha256(json.dumps([metadata["lesson"], asked, answer]).encode()).hexdigest()
    return Sample(messages, metadata, digest[:16])


def _write(order: Order, made: Made, exam: Sequence[Sample]) -> None:
    run = made.run
    write(made.samples, run.train)
    write(exam, run.exam)
    page = preview(run.id, made.accepted, made.rejected, terminal_language())
    replace(run.path / "samples.md", page)
    section = run.section(STAGE)
    steps = Counter(each.step for each in made.rejected)
    run.record(
        STAGE,
        {
            **{key: section[key] for key in ("inputs", "started")},
            "state": made.state,
            "finished": now(),
            "pipeline": order.pipeline.name,
            "scale": order.scale,
            "seed": order.seed,
            "teacher": order.teacher,
            "samples": len(made.samples),
            "accepted": len(made.accepted),
            "replay": sum(each.metadata.get("mix") == "replay" for each in made.samples),
            "rejected": dict(steps),
            "exam": made.exam,
            "unanswered": made.unanswered,
            "tokens": made.tokens,
            "lessons": {order.leaf(lesson): lesson.hash for lesson in order.lessons},
            **surroundings("xllamacpp", "aiohttp"),
        },
    )
