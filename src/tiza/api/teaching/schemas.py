"""What teachers send and receive about lessons, models and runs."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tiza.api.problems import documented
from tiza.models.store import Entry
from tiza.runs.standing import Standing

PROBLEMS = documented(403, 404, 409, 412, 413, 422, 428, 500, 502, 503, 504)
NAME_CHARS = 200
MOST_LESSONS = 1000

Leaf = Annotated[str, Field(min_length=1, max_length=500)]
Short = Annotated[str, Field(max_length=NAME_CHARS)]
Content = Annotated[
    dict[str, Any], Field(description="Keys, lists and texts of the lesson, in its own form.")
]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class LessonText(_Body):
    """`PUT /lessons/{path}`: the whole file."""

    text: str  # as long as a body may be


class LessonDraft(LessonText):
    """`POST /lessons/check`. With `content`, the text is first brought to say that."""

    path: Leaf
    content: Content | None = None


class LessonBegun(_Body):
    """`POST /lessons/template`. `subject` is a folder, or a Dewey number."""

    kind: Literal["knowledge", "compositional_skills", "foundational_skills"]
    subject: Short
    name: Annotated[str, Field(min_length=1, max_length=NAME_CHARS)]
    language: Annotated[str, Field(min_length=2, max_length=35)]
    created_by: Short = ""
    grounded: bool = False


class Remark(BaseModel):
    """What the checker says about one place; both numbers count from 1.

    `field` is the place in the content, as `seed_examples/0/answer`; empty where nobody can tell.
    """

    line: int
    column: int
    rule: str
    severity: Literal["error", "warning", "info"]
    message: str
    hint: str
    field: str


class LessonRead(BaseModel):
    """A lesson. `content` is None where the YAML is broken; `valid` says that it can be taught."""

    path: str
    title: str
    text: str
    content: Content | None
    remarks: Sequence[Remark]
    valid: bool
    version: str = ""


class LessonSaved(BaseModel):
    """`commit` is empty where the tree is no git repository, or, with a `reason`, git refused."""

    path: str
    version: str
    commit: str
    reason: str


class LessonListed(BaseModel):
    """A lesson in the tree."""

    path: str
    title: str
    language: str
    questions: int
    exam: int
    errors: int
    warnings: int


class SubjectListed(BaseModel):
    """A folder of the tree."""

    path: str
    title: str


class Tree(BaseModel):
    """`GET /lessons`: every lesson and every folder on the way to it, in the order of the tree."""

    subjects: Sequence[SubjectListed]
    lessons: Sequence[LessonListed]


class StoredModel(BaseModel):
    """A model of the store. `report` is the gist of its card; `served`: it can be asked now."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    size: int
    forms: Sequence[str]
    parent: str | None
    run: str | None
    exam: float | None
    active: bool
    served: bool
    former: bool
    report: Mapping[str, Any] | None
    has_report: bool
    lessons: Sequence[str]
    forced: bool

    @classmethod
    def of(cls, entry: Entry, **more: Any) -> "StoredModel":
        """Add what the store's list does not say."""
        return cls(**{**entry.facts(), **more})


class Store(BaseModel):
    """`GET /store/models`. `pinned` is MODEL_PATH, which comes before any choice made here.

    `read_only` is true where none can be chosen, as in a container of the API.
    """

    models: Sequence[StoredModel]
    active: str
    former: str
    pinned: str
    read_only: bool


class Promotion(_Body):
    """`POST /store/models/{name}/promote`. `force` confirms a model that failed its exam."""

    force: bool = False


class Promoted(BaseModel):
    """Who answers from now on, and who did before."""

    active: str
    former: str


class NewRun(_Body):
    """`POST /runs`. Without lessons, the whole tree is taught."""

    lessons: Annotated[list[Leaf], Field(max_length=MOST_LESSONS)] = []
    force: bool = False
    recipe: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{0,60}$")] = ""
    pipeline: Literal["", "seeds", "simple", "full"] = ""


class GoOn(_Body):
    """`POST /runs/{id}/continue`. `force` promotes even a model that failed its exam."""

    force: bool = False


class Runs(BaseModel):
    """`GET /runs`, the newest first; `at_work` is empty where nothing is trained now.

    `trains` is false where a training cannot begin, as in a container of the API.
    """

    runs: Sequence[Standing]
    at_work: str
    trains: bool


class SampleShown(BaseModel):
    """A line of `train.jsonl`."""

    messages: Sequence[Mapping[str, str]]
    metadata: Mapping[str, Any]


class Samples(BaseModel):
    """The first samples of a run, and how many there are."""

    samples: Sequence[SampleShown]
    total: int
