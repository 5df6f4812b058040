"""A sample on its way through a pipeline: proposed, judged, kept or rejected with a reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tiza.taxonomy.lesson import Lesson


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question with its answer. `lines` are those of the seeds (or of the exam) behind it.

    `context` belongs to the question (grounded skills); in knowledge it is the `passage`, which the
    answer has to be true to and the student never sees. `step` is the step that proposed it,
    `prompt` that step's prompt with its version, `scores` what judges said by their step's name.
    """

    lesson: Lesson
    lines: tuple[int, ...]
    step: str
    question: str
    answer: str = ""
    context: str | None = None
    passage: str | None = None
    prompt: str | None = None
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A candidate that did not pass `step`, and why (a template over `data`)."""

    candidate: Candidate
    step: str
    reason: str
    data: Mapping[str, object] = field(default_factory=dict)
