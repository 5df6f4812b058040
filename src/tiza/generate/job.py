"""`tiza data generate` behind its command line: from a brief to a finished run, or to its price."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from gettext import gettext as _

from tiza.generate.brief import Brief, documents_of, pipeline_of, replay_of
from tiza.generate.local import teacher_endpoint
from tiza.generate.request import Ask, Reply, Request
from tiza.generate.stage import Made, Order, generate, open_run
from tiza.generate.step import Pipeline
from tiza.generate.teacher import Teacher
from tiza.generate.units import Cost, estimate
from tiza.progress import Progress, Step
from tiza.runs.run import Run
from tiza.settings import Settings
from tiza.taxonomy.lesson import Lesson
from tiza.translation import N_

POOR_TEACHER = N_(
    "The small model that comes with Tiza is a poor teacher: the lessons' own pairs are used, in "
    "more phrasings. --endpoint-url names a better one."
)
GOES_ON = N_("Going on with the run {run}.")


@dataclass(frozen=True)
class Job:
    """A brief with its lessons, and where it is carried out; by default in a run that is made."""

    brief: Brief
    lessons: Sequence[Lesson]
    settings: Settings
    progress: Progress
    run: Run | None = None

    async def make(self) -> Made:
        """Make the samples.

        Raises:
            TizaError: see `brief` and `stage.generate`.

        """
        brief, pipeline = self.brief, await pipeline_of(self.brief, self.settings)
        if not pipeline.needs_teacher:
            if not brief.pipeline:
                self._say(POOR_TEACHER, {})
            return await self._make(pipeline, "", _nobody)
        place = teacher_endpoint(self.settings, brief.url, brief.key, brief.teacher)
        async with place as endpoint, Teacher(endpoint, self._say) as teacher:
            return await self._make(pipeline, teacher.model, teacher.ask)

    async def costs(self) -> tuple[Pipeline, list[Cost]]:
        """Return what each step will ask of the teacher at most; nobody is asked anything.

        Raises:
            TizaError: a document or a pipeline cannot be had.

        """
        pipeline = await pipeline_of(self.brief, self.settings)
        order = await self._order(pipeline, "")
        return pipeline, _by_step(order)

    async def _make(self, pipeline: Pipeline, teacher: str, ask: Ask) -> Made:
        replay, near = await replay_of(self.brief, self.lessons, self.settings, self.progress)
        order = replace(await self._order(pipeline, teacher), replay=replay, near_misses=near)
        run, goes_on = open_run(order, self.settings.runs_path, self.run)
        if goes_on:
            self._say(GOES_ON, {"run": run.id})
        return await generate(order, run, ask, Bars(self.progress, _by_step(order)))

    async def _order(self, pipeline: Pipeline, teacher: str) -> Order:
        brief, cache = self.brief, self.settings.var_path / "cache" / "documents"
        passages = {}
        if pipeline.needs_teacher:
            passages = await asyncio.to_thread(documents_of, brief, self.lessons, cache)
        return Order(
            *(self.lessons, brief.taxonomy, pipeline, brief.scale, brief.seed),
            *(teacher, brief.budget, passages),
            replay_share=brief.replay_share,
            knowledge_share=brief.knowledge_share,
        )

    def _say(self, sentence: str, data: Mapping[str, object]) -> None:
        self.progress.say(_(sentence).format(**data))


class Bars:
    """A bar a step that asks the teacher: how many requests, what passed, what it cost."""

    def __init__(self, progress: Progress, costs: Sequence[Cost]) -> None:
        self._bars = {cost.step: progress.step(cost.step, cost.requests) for cost in costs}
        self._counts = {cost.step: [0, 0, 0] for cost in costs}

    def step(
        self, name: str, *, requests: int = 0, tokens: int = 0, accepted: int = 0, rejected: int = 0
    ) -> None:
        """Count what a step did."""
        bar: Step | None = self._bars.get(name)
        if bar is None:  # it costs nothing and is done at once
            return
        counts = self._counts[name]
        for at, more in enumerate((accepted, rejected, tokens)):
            counts[at] += more
        words = _("{accepted} accepted, {rejected} rejected, {tokens} tokens")
        said = dict(zip(("accepted", "rejected", "tokens"), counts, strict=True))
        bar.advance(requests, words.format(**said))


def _by_step(order: Order) -> list[Cost]:
    """Return the costs of all units, step by step, in the order in which steps come first."""
    sums: dict[str, list[int]] = {}
    for unit in order.units:
        for cost in estimate(unit):
            total = sums.setdefault(cost.step, [0, 0, 0])
            for at, more in enumerate((cost.requests, cost.prompt_tokens, cost.completion_tokens)):
                total[at] += more
    return [Cost(step, *total) for step, total in sums.items()]


async def _nobody(request: Request) -> Reply:
    raise AssertionError(request)  # a pipeline without a teacher asks nobody
