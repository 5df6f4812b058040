"""Mix what is trained together: knowledge, skills, and replay against forgetting.

The same samples and seed give the same mixture, in whatever order the samples come; a sample more
moves no other. Nothing of the lessons is ever thrown away.
"""

from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256

from tiza.runs.samples import Sample
from tiza.taxonomy.lesson import Kind

REPLAY_SHARE = 1.0  # rows of replay for each row of the lessons
MOST_REPEATS = 4  # times that a sample may stand in the file to balance


def mix(
    samples: Iterable[Sample],
    replay: Iterable[Sample],
    *,
    knowledge_share: float | None = None,
    replay_share: float = REPLAY_SHARE,
    seed: int = 0,
) -> list[Sample]:
    """Return the samples of the lessons with some of the replay, shuffled.

    `knowledge_share` is the wished part of knowledge among the lessons' samples, between 0 and 1:
    whichever of knowledge and skills falls short is repeated, each sample at most `MOST_REPEATS`
    times in all. None leaves them as they come. `replay_share` is the number of rows of replay
    for each row of the lessons; if there are fewer, all are taken, and none is repeated.
    What a sample teaches is the top folder of its lesson, `metadata["lesson"]`.
    """
    lessons = _drawn(samples, seed)
    if knowledge_share is not None:
        lessons = _balanced(lessons, knowledge_share)
    wanted = round(replay_share * len(lessons))
    return _drawn([*lessons, *_drawn(replay, seed)[:wanted]], seed)


def _balanced(samples: list[Sample], share: float) -> list[Sample]:
    knowledge = [sample for sample in samples if _is_knowledge(sample)]
    skills = [sample for sample in samples if not _is_knowledge(sample)]
    if not knowledge or not skills or not 0 < share < 1:
        return samples
    return [
        *_repeated(knowledge, round(len(skills) * share / (1 - share))),
        *_repeated(skills, round(len(knowledge) * (1 - share) / share)),
    ]


def _repeated(samples: list[Sample], wanted: int) -> list[Sample]:
    """Repeat samples until there are as many as wanted; each copy has an id of its own."""
    repeated = list(samples)
    for turn in range(2, MOST_REPEATS + 1):
        missing = max(0, wanted - len(repeated))
        repeated += [replace(s, id=f"{s.id}-again-{turn}") for s in samples[:missing]]
    return repeated


def _is_knowledge(sample: Sample) -> bool:
    return str(sample.metadata.get("lesson", "")).partition("/")[0] == Kind.KNOWLEDGE


def _drawn(samples: Iterable[Sample], seed: int) -> list[Sample]:
    """Return the samples in an order that only the seed and each sample's own words decide."""
    return sorted(samples, key=lambda s: sha256(f"{seed}\0{s.id}\0{s.line()}".encode()).digest())
