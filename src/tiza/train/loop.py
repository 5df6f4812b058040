"""The training loop: gradients, a clipped step of AdamW, an event, a checkpoint now and then.

The same for every network and device. A step depends on the weights, the optimiser's moments and
the plan alone, so that a run that was killed ends with the same bits as one that was not.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from gettext import gettext as _

import torch

from tiza.errors import TrainingDiverged
from tiza.progress import Progress
from tiza.runs.events import Events
from tiza.train.checkpoint import Checkpoint, State
from tiza.train.data import Rows
from tiza.train.interrupt import Interrupt
from tiza.train.network import Network
from tiza.train.plan import Step, batches
from tiza.train.recipe import Recipe
from tiza.train.resources import used
from tiza.train.targets import Targets

CHECKPOINT_SECONDS = 30.0


@dataclass(frozen=True)
class Work:
    """What the loop works on."""

    network: Network
    rows: Rows
    targets: Targets
    recipe: Recipe
    steps: Sequence[Step]
    checkpoint: Checkpoint


@dataclass(frozen=True)
class Losses:
    """Mean over the positions of a step, in nats; `replay` is the distance to the base (KL)."""

    lesson: float
    replay: float


def fit(work: Work, events: Events, progress: Progress) -> State:
    """Train to the end of the plan, or until the held-out loss no longer falls.

    Goes on from the checkpoint, if there is one. The network then holds the result.

    Raises:
        TrainingDiverged: a loss is no number; the checkpoint before it is kept.
        KeyboardInterrupt: asked to stop; the state is kept.

    """
    parameters = work.network.parameters()
    optimizer = torch.optim.AdamW(
        parameters.values(), weight_decay=work.recipe.weight_decay, fused=True
    )
    state = work.checkpoint.load(parameters, optimizer) or State()
    events.add("begin", step=state.step, steps=len(work.steps))
    bar = progress.step(_("Train"), len(work.steps))
    bar.done = state.step
    with Interrupt() as interrupt:
        saved = time.monotonic()
        while state.step < len(work.steps) and not _gives_up(work, state):
            state, words = _advance(work, optimizer, state, events)
            bar.advance(words=words)
            if interrupt.asked or time.monotonic() - saved >= CHECKPOINT_SECONDS:
                work.checkpoint.save(state, parameters, optimizer)
                saved = time.monotonic()
            if interrupt.asked:
                progress.say(
                    _("Stopped after step {step}. The same command goes on from there.").format(
                        step=state.step
                    )
                )
                raise KeyboardInterrupt
    if work.recipe.patience and state.best is not None:
        work.checkpoint.load_best(parameters)
    return state


def _gives_up(work: Work, state: State) -> bool:
    return bool(work.recipe.patience) and state.bad >= work.recipe.patience


def _advance(
    work: Work, optimizer: torch.optim.Optimizer, state: State, events: Events
) -> tuple[State, str]:
    """Make one step and, after the last of an epoch, look at the held-out rows."""
    step = work.steps[state.step]
    started = time.monotonic()
    losses = _learn(work, step, optimizer, state.step + 1)
    seconds = time.monotonic() - started
    tokens = sum(len(work.rows.rows[n].ids) for batch in step.batches for n in batch)
    state = replace(
        state, step=state.step + 1, seconds=state.seconds + seconds, tokens=state.tokens + tokens
    )
    events.add(
        "step",
        step=state.step,
        epoch=step.epoch,
        rate=step.rate,
        loss=losses.lesson,
        replay_loss=losses.replay,
        tokens_per_second=round(tokens / seconds, 1),
        memory_bytes=used(work.network.device),
    )
    if step.ends_epoch and work.rows.watched:
        state = _watch(work, state, step, events)
    return state, _("loss {loss:.3f}").format(loss=losses.lesson)


def _learn(work: Work, step: Step, optimizer: torch.optim.Optimizer, number: int) -> Losses:
    """Sum the gradients of all batches and change the weights once."""
    rows, device = work.rows.rows, work.network.device
    counts = {kind: _positions(work.rows, step, replay=kind) for kind in (False, True)}
    weights = {False: 1 / counts[False], True: work.recipe.replay_weight / counts[True]}
    total = torch.zeros(2, device=device)
    optimizer.zero_grad(set_to_none=True)
    for batch in step.batches:
        target = work.targets.of(batch, device)
        losses = work.network.losses(batch, target).float()
        kinds = [rows[n].replay for n in batch for _answer in rows[n].answers]
        share = torch.tensor([weights[kind] for kind in kinds], device=device)
        (losses * share).sum().backward()
        replay = torch.tensor(kinds, device=device)
        excess = losses.detach() - target.entropy()
        total += torch.stack([excess[~replay].sum(), excess[replay].sum()])
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    norm = torch.nn.utils.clip_grad_norm_(parameters, work.recipe.max_grad_norm, foreach=True)
    lesson, kept = total.tolist()
    if not math.isfinite(lesson + kept + norm.item()):
        raise TrainingDiverged(step=number, kept=work.checkpoint.path)
    for group in optimizer.param_groups:
        group["lr"] = step.rate
    optimizer.step()
    return Losses(lesson / counts[False], kept / counts[True])


def _positions(rows: Rows, step: Step, *, replay: bool) -> int:
    """Count the learned positions of one kind in a step; 1 where there are none."""
    each = (rows.rows[number] for batch in step.batches for number in batch)
    return sum(len(row.answers) for row in each if row.replay is replay) or 1


def _watch(work: Work, state: State, step: Step, events: Events) -> State:
    loss = held_out_loss(work)
    events.add("epoch", epoch=step.epoch, step=state.step, held_out_loss=loss)
    if state.best is None or loss < state.best:
        work.checkpoint.save_best(work.network.parameters())
        return replace(state, best=loss, bad=0)
    return replace(state, bad=state.bad + 1)


@torch.no_grad()
def held_out_loss(work: Work) -> float:
    """Return the mean loss on the held-out rows, in nats a token."""
    total, count = 0.0, 0
    for batch in batches(work.rows, work.rows.watched, work.recipe.micro_batch_tokens):
        losses = work.network.losses(batch, work.targets.of(batch, work.network.device))
        total, count = total + losses.sum().item(), count + len(losses)
    return total / count
