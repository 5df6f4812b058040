"""What a lesson is, whatever form it was written in.

Every accepted form of `qna.yaml` becomes one `Lesson`: InstructLab's schema versions 1 to 3
(skills, grounded skills, knowledge) and Tiza's simple form. Knows nothing of YAML.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple


class Kind(StrEnum):
    """The branch that a lesson hangs on: the top folder of its path."""

    KNOWLEDGE = "knowledge"
    COMPOSITIONAL = "compositional_skills"
    FOUNDATIONAL = "foundational_skills"


class Form(StrEnum):
    """How the file is written. `SIMPLE` is Tiza's own; the others are InstructLab's schemas."""

    V1 = "instructlab-1"
    V2 = "instructlab-2"
    V3 = "instructlab-3"
    SIMPLE = "simple"


class Place(NamedTuple):
    """A place in the file, both numbers from 1, as editors show them."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Example:
    """A question with its answer; the context is the text that the answer comes from.

    `places` has the place of each key's value, `place` that of the whole pair.
    """

    question: str
    answer: str
    place: Place
    context: str | None = None
    paraphrases: tuple[str, ...] = ()
    places: Mapping[str, Place] = field(default_factory=dict)

    @property
    def line(self) -> int:
        """Line of the file on which the example begins."""
        return self.place.line


@dataclass(frozen=True, slots=True)
class Document:
    """The text behind a knowledge lesson: files in a git repository, or one local file."""

    place: Place
    path: str | None = None
    repo: str | None = None
    commit: str | None = None
    patterns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lesson:
    """One `qna.yaml`.

    Knowledge with contexts is flattened: each question of a context is an example that carries it.
    `exam` is never trained on. `language` is the declared BCP 47 tag. `hash` is the SHA-256 of the
    file's bytes; `places` has the place of each top-level key's value.
    """

    path: Path
    kind: Kind
    form: Form
    version: int
    hash: str
    created_by: str = ""
    language: str | None = None
    domain: str | None = None
    task_description: str = ""
    document_outline: str | None = None
    document: Document | None = None
    examples: tuple[Example, ...] = ()
    exam: tuple[Example, ...] = ()
    places: Mapping[str, Place] = field(default_factory=dict)

    @property
    def is_knowledge(self) -> bool:
        """Whether the lesson teaches facts, not a skill."""
        return self.kind is Kind.KNOWLEDGE

    @property
    def is_official(self) -> bool:
        """Whether InstructLab's own schema would read it: no simple form, no extension of ours."""
        extended = any(e.paraphrases for e in self.examples) or self.language or self.exam
        local = self.document is not None and self.document.path is not None
        return self.form is not Form.SIMPLE and not extended and not local
