"""Lessons for the stages that teach them: valid ones, or an error that names all that is wrong."""

from collections.abc import Iterable
from pathlib import Path

from tiza.errors import LessonError, LessonsInvalid
from tiza.taxonomy.cache import Cache
from tiza.taxonomy.examine import examine
from tiza.taxonomy.find import Candidate, find
from tiza.taxonomy.finding import Finding
from tiza.taxonomy.lesson import Lesson
from tiza.taxonomy.parse import parse
from tiza.taxonomy.rules import Severity
from tiza.taxonomy.source import read


def load(paths: Iterable[Path], taxonomy: Path) -> list[Lesson]:
    """Return the lessons at the paths.

    Raises:
        LessonsInvalid: the errors of every lesson that cannot be taught.
        TaxonomyNotFound: a path does not exist.

    """
    lessons, errors = load_valid(paths, taxonomy)
    if errors:
        raise LessonsInvalid(errors)
    return lessons


def load_valid(paths: Iterable[Path], taxonomy: Path) -> tuple[list[Lesson], list[LessonError]]:
    """Return the lessons that can be taught, and the errors of those that cannot.

    Raises:
        TaxonomyNotFound: a path does not exist.

    """
    lessons: list[Lesson] = []
    errors: list[LessonError] = []
    for candidate in find(paths, taxonomy):
        wrong = [_error(f, candidate) for f in _errors_of(candidate)]
        data = read(candidate)
        if wrong or isinstance(data, Finding):
            errors += wrong
            continue
        lesson = parse(data, candidate.path, candidate.kind).lesson
        lessons += [lesson] if lesson is not None else []
    return lessons, errors


def _errors_of(candidate: Candidate) -> list[Finding]:
    findings = examine(candidate, Cache(None)).verdict.findings
    return [finding for finding in findings if finding.rule.severity is Severity.ERROR]


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
