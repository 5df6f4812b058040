"""What a pipeline is made of: named steps in a flow for each kind of lesson. Knows no file."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "==": operator.eq,
}


class Flow(StrEnum):
    """The kinds of lessons that need flows of their own."""

    KNOWLEDGE = "knowledge"
    FREEFORM = "freeform_skill"
    GROUNDED = "grounded_skill"


class Do(StrEnum):
    """What a step does."""

    SEEDS = "seeds"
    REWORD = "reword"
    CONTEXTS = "contexts"
    QUESTIONS = "questions"
    PAIRS = "pairs"
    ANSWERS = "answers"
    CHECK = "check"
    JUDGE = "judge"

    @property
    def is_local(self) -> bool:
        """Whether the step gives samples without anybody's help or judgement."""
        return self in (Do.SEEDS, Do.REWORD)

    @property
    def asks(self) -> bool:
        """Whether the step needs the teacher."""
        return not self.is_local and self is not Do.CHECK

    @property
    def multiplies(self) -> bool:
        """Whether one request of the step gives several items."""
        return self in (Do.CONTEXTS, Do.QUESTIONS, Do.PAIRS)


@dataclass(frozen=True, slots=True)
class Threshold:
    """What a score has to be."""

    comparison: str
    value: float

    def passes(self, score: float) -> bool:
        """Compare a score."""
        return COMPARISONS[self.comparison](score, self.value)

    def __str__(self) -> str:
        return f"{self.comparison} {self.value:g}"


@dataclass(frozen=True, slots=True)
class Step:
    """One step; which fields count depends on what it does (see `pipelines/full.yaml`)."""

    name: str
    do: Do
    prompt: str = ""
    samples: int = 1
    temperature: float = 0.0
    max_tokens: int = 0
    accept: Threshold | None = None
    question_characters: int = 0
    answer_characters: int = 0
    unsupported: float | None = None


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A name and the flows."""

    name: str
    description: str
    flows: Mapping[Flow, tuple[Step, ...]]

    @property
    def needs_teacher(self) -> bool:
        """Whether any step asks one."""
        return any(step.do.asks for steps in self.flows.values() for step in steps)
