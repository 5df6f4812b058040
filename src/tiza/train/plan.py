"""The order of a whole run, known before its first step: which rows, in which batch, at which rate.

A pure function of rows and recipe: an interrupted run goes on by counting.
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tiza.train.data import Rows
from tiza.train.recipe import Recipe

Batch = tuple[int, ...]  # numbers of rows that go through the model together


@dataclass(frozen=True, slots=True)
class Step:
    """One update of the weights."""

    epoch: int  # counted over all phases, from 1
    batches: tuple[Batch, ...]
    rate: float
    ends_epoch: bool = False


def plan(rows: Rows, recipe: Recipe) -> list[Step]:
    """Return every step of the run."""
    steps: list[Step] = []
    for number, pool in enumerate(_phases(rows, recipe)):
        first_epoch = number * recipe.num_epochs
        epochs = [_epoch(rows, pool, recipe, first_epoch + n) for n in range(recipe.num_epochs)]
        total, done = sum(map(len, epochs)), 0
        for offset, batches_of_steps in enumerate(epochs, 1):
            for batches in batches_of_steps:
                rate = recipe.learning_rate * schedule(done, total, recipe.warmup)
                done += 1
                ends = batches is batches_of_steps[-1]
                steps.append(Step(first_epoch + offset, batches, rate, ends))
    return steps


def schedule(step: int, total: int, warmup: float) -> float:
    """Return the share of the highest rate at a step: a linear rise, then half a cosine."""
    rise = math.ceil(total * warmup)
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, total - rise)))


def batches(rows: Rows, numbers: Sequence[int], most_tokens: int) -> Iterator[Batch]:
    """Group rows of like length, so that little is padded and no batch exceeds the tokens."""
    ordered = sorted(numbers, key=lambda number: (-len(rows.rows[number].ids), number))
    while ordered:
        longest = len(rows.rows[ordered[0]].ids) - rows.prefix
        count = max(1, (most_tokens - rows.prefix) // longest)
        yield tuple(ordered[:count])
        ordered = ordered[count:]


def _phases(rows: Rows, recipe: Recipe) -> list[list[int]]:
    """Return the lessons' rows of each phase, with some of the phases before it."""
    if not recipe.phases:
        return [rows.lessons]
    draw = random.Random(f"{recipe.seed}/phases")  # noqa: S311  # no secret
    pools: list[list[int]] = []
    before: list[int] = []
    for name in recipe.phases:
        own = [number for number in rows.lessons if rows.rows[number].folder == name]
        again = draw.sample(before, round(len(before) * recipe.phase_replay))
        if own:
            pools.append(own + again)
        before += own
    return pools


def _epoch(rows: Rows, pool: Sequence[int], recipe: Recipe, epoch: int) -> list[tuple[Batch, ...]]:
    """Deal lessons and replay evenly over the steps of one epoch."""
    draw = random.Random(f"{recipe.seed}/{epoch}")  # noqa: S311  # no secret
    lessons = draw.sample(pool, len(pool))
    replay = _drawn(rows.replay, round(len(pool) * recipe.replay_ratio), draw)
    count = math.ceil(len(lessons) / recipe.batch_size)
    return [
        tuple(batches(rows, lessons[n::count] + replay[n::count], recipe.micro_batch_tokens))
        for n in range(count)
    ]


def _drawn(pool: Sequence[int], count: int, draw: random.Random) -> list[int]:
    """Draw rows, each again only after all others were drawn."""
    drawn: list[int] = []
    while pool and len(drawn) < count:
        drawn += draw.sample(pool, min(len(pool), count - len(drawn)))
    return drawn
