"""Lessons for the stages that teach them: valid ones, or a named error."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from tiza.errors import LessonError
from tiza.taxonomy.cache import Cache
from tiza.taxonomy.examine import examine
from tiza.taxonomy.find import Candidate, find
from tiza.taxonomy.finding import Finding
from tiza.taxonomy.lesson import Lesson
from tiza.taxonomy.parse import parse
from tiza.taxonomy.rules import Severity
from tiza.taxonomy.source import read


def load(paths: Iterable[Path], taxonomy: Path) -> Iterator[Lesson]:
    """Yield the lessons at the paths, one by one.

    Raises:
        LessonError: the first error of a lesson that cannot be taught.
        TaxonomyNotFound: a path does not exist.

    """
    for candidate in find(paths, taxonomy):
        for finding in examine(candidate, Cache(None)).verdict.findings:
            if finding.rule.severity is Severity.ERROR:
                raise _error(finding, candidate)
        data = read(candidate)
        if isinstance(data, bytes):
            lesson = parse(data, candidate.path, candidate.kind).lesson
            if lesson is not None:
                yield lesson


def _error(finding: Finding, candidate: Candidate) -> LessonError:
    return LessonError(
        finding.rule.message,
        finding.rule.hint,
        finding.data,
        path=candidate.path,
        line=finding.line,
        column=finding.column,
        rule=finding.rule_id,
    )
