"""From what a person asked for to an order: lessons, documents, pipeline, teacher, replay.

Everything that can be found wrong is found here, before a request is sent.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tiza.errors import LessonError, LessonsInvalid, LessonsMissing
from tiza.generate.chunks import CHUNK_TOKENS, passages
from tiza.generate.local import is_embedded, local_model, own_engine
from tiza.generate.near_miss import near_misses
from tiza.generate.pipeline import load as load_pipeline
from tiza.generate.replay import answers, own, questions_for
from tiza.generate.step import Pipeline
from tiza.generate.when_needed import WhenNeeded
from tiza.models.identity import identity
from tiza.models.lineup import Lineup, line_up
from tiza.progress import Progress
from tiza.runs.samples import Sample
from tiza.settings import Settings
from tiza.taxonomy.find import root_of
from tiza.taxonomy.lesson import Lesson
from tiza.taxonomy.load import load_valid

NO_TEACHER, REAL_TEACHER = "seeds", "full"  # the pipelines chosen where none is named
SCALE = 30  # as `ilab data generate`


@dataclass(frozen=True)
class Brief:
    """What a person asked for. `paths` are the lessons; "" stands for what follows from the rest.

    `replay` is a file of the user's own samples against forgetting.
    """

    paths: Sequence[Path]
    taxonomy: Path
    pipeline: str = ""
    scale: int = SCALE
    seed: int = 0
    url: str = ""
    key: str = ""
    teacher: str = ""
    budget: int | None = None
    chunk_tokens: int = CHUNK_TOKENS
    replay: Path | None = None
    replay_share: float = 1.0
    knowledge_share: float | None = None
    keep_going: bool = False


def lessons_of(brief: Brief) -> tuple[list[Lesson], list[LessonError]]:
    """Return the lessons, and the errors of those that are left out.

    Raises:
        LessonsInvalid: some cannot be taught, and were not to be left out.
        LessonsMissing: there is none.

    """
    lessons, errors = load_valid(brief.paths, brief.taxonomy)
    if errors and not brief.keep_going:
        raise LessonsInvalid(errors)
    if not lessons:
        raise LessonsMissing(path=", ".join(map(str, brief.paths)))
    return lessons, errors


async def pipeline_of(brief: Brief, settings: Settings) -> Pipeline:
    """Return the pipeline that was named, or the one that suits the teacher.

    Raises:
        TizaError: there is no such pipeline, or no such model.

    """
    if brief.pipeline:
        return load_pipeline(brief.pipeline)
    teacher = brief.teacher or ("" if brief.url else await local_model(settings, brief.key))
    return load_pipeline(NO_TEACHER if is_embedded(teacher, settings.models_path) else REAL_TEACHER)


def documents_of(brief: Brief, lessons: Sequence[Lesson], cache: Path) -> dict[Path, list[str]]:
    """Return the passages of the documents behind lessons. May fetch: call it in a thread.

    Raises:
        TizaError: a document cannot be had or read.

    """
    return {
        lesson.path: [
            passage.text
            for passage in passages(
                *(lesson, root_of(lesson.path.parent, brief.taxonomy), cache, brief.chunk_tokens)
            )
        ]
        for lesson in lessons
        if lesson.document is not None
    }


async def replay_of(
    brief: Brief, lessons: Sequence[Lesson], settings: Settings, progress: Progress
) -> tuple[list[Sample], list[Sample]]:
    """Return samples against forgetting, and near misses: what the model to be trained answers.

    The user's own file stands for both. The engine is started only for what nobody has asked it
    yet; the answers of the model that ships with Tiza ship too.

    Raises:
        TizaError: the file has a line that is no sample, or the engine does not start.

    """
    if brief.replay is not None:
        return own(brief.replay), []
    cache = settings.var_path / "cache"
    model = line_up(settings.model_path, settings.models_path).base
    base = await asyncio.to_thread(identity, model, cache)
    general, near = questions_for(base), near_misses(lessons, seed=brief.seed)
    async with WhenNeeded(lambda: own_engine(settings, Lineup(model))) as engine:
        said = await answers(engine.ask, base, cache / "replay", [*general, *near], progress)
    missed = set(near)
    return (
        [sample for sample in said if sample.messages[0]["content"] not in missed],
        [sample for sample in said if sample.messages[0]["content"] in missed],
    )
