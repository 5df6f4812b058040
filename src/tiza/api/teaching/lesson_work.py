"""What the endpoints of lessons answer: files read, judged and changed. Knows no HTTP.

Loaded with the first request for a lesson, since it brings two YAML libraries with it.
"""

from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from tiza.api.teaching.schemas import (
    LessonBegun,
    LessonDraft,
    LessonListed,
    LessonRead,
    LessonSaved,
    Remark,
    SubjectListed,
    Tree,
)
from tiza.errors import LessonMisplaced, LessonUneditable, LessonUnplaced, TaxonomyNotFound
from tiza.settings import Settings
from tiza.taxonomy import keep, new
from tiza.taxonomy.cache import Cache
from tiza.taxonomy.examine import examine, judge
from tiza.taxonomy.find import Candidate, find
from tiza.taxonomy.finding import Finding
from tiza.taxonomy.lesson import Kind, Place
from tiza.taxonomy.outline import fields, plain_content
from tiza.taxonomy.repeated import EXAM
from tiza.taxonomy.rules import Severity
from tiza.taxonomy.source import find_beside
from tiza.taxonomy.titles import lesson_title, title_of
from tiza.taxonomy.verdict import Verdict
from tiza.taxonomy.write import edited

CACHE = "taxonomy/verdicts.sqlite"
LOCK = "taxonomy/.changing"


def tree(settings: Settings, language: str) -> Tree:
    """Return the whole tree; what is known of unchanged lessons is not found out again."""
    taxonomy = settings.taxonomy_path
    lessons: list[LessonListed] = []
    folders: set[str] = set()
    with closing(Cache(settings.var_path / CACHE)) as cache:
        try:
            for candidate in find([taxonomy], taxonomy):
                if candidate.readable and candidate.kind:
                    inspected = examine(candidate, cache)
                    cache.put([inspected.fresh] if inspected.fresh else [])
                    lessons.append(_listed(candidate, inspected.verdict, language))
        except TaxonomyNotFound:
            return Tree(subjects=[], lessons=[])
    folders.update(_above(lesson.path for lesson in lessons))
    folders.update(_subjects(taxonomy))
    subjects = [
        SubjectListed(path=folder, title=title_of(taxonomy / folder, language))
        for folder in sorted(folders)
    ]
    return Tree(subjects=subjects, lessons=lessons)


def check(draft: LessonDraft, taxonomy: Path, language: str) -> LessonRead:
    """Judge a text; where `content` is given, after bringing the text to say that."""
    text = draft.text if draft.content is None else edited(draft.text, _texts(draft.content))
    return _judged(draft.path, text, taxonomy, language)


def begin(begun: LessonBegun, taxonomy: Path, language: str) -> LessonRead:
    """Return the text of a new lesson and its place. Raises LessonExists, LessonMisplaced."""
    lesson = new.NewLesson(
        Kind(begun.kind),
        begun.subject,
        begun.name,
        begun.language,
        begun.created_by,
        begun.grounded,
    )
    try:
        path = new.place(lesson, taxonomy)
    except LessonUnplaced as exc:
        raise LessonMisplaced(path=exc.data["name"]) from exc
    leaf = path.parent.relative_to(taxonomy).as_posix()
    return _judged(leaf, new.template(lesson, path, language), taxonomy, language)


def read(path: str, taxonomy: Path, language: str) -> LessonRead:
    """Return a lesson that is there, with its version. Raises LessonNotFound, LessonMisplaced."""
    lesson = keep.kept(path, taxonomy)
    judged = _judged(path, lesson.text, taxonomy, language)
    return judged.model_copy(update={"version": lesson.version})


def change(
    path: str, text: str | None, version: str, author: str, settings: Settings
) -> LessonSaved:
    """Write a lesson, or delete it; see `keep.Change`.

    Raises:
        LessonChanged: it is another by now.
        LessonMisplaced: it cannot lie there.
        LessonUnwritable: a full disk, a closed folder.

    """
    wanted = keep.Change(path, text, version, author)
    done = keep.change(wanted, settings.taxonomy_path, settings.var_path / LOCK)
    return LessonSaved(path=path, version=done.version, commit=done.commit, reason=done.reason)


def _listed(candidate: Candidate, verdict: Verdict, language: str) -> LessonListed:
    title, declared = lesson_title(candidate.path, language)
    numbers = verdict.questions[1::2]
    exam = sum(1 for number in numbers if number & 1 == EXAM)
    severities = [finding.rule.severity for finding in verdict.findings]
    return LessonListed(
        path=candidate.leaf,
        title=title,
        language=declared,
        questions=len(numbers) - exam,
        exam=exam,
        errors=severities.count(Severity.ERROR),
        warnings=severities.count(Severity.WARNING),
    )


def _above(leaves: Iterable[str]) -> set[str]:
    """Return every folder above the lessons."""
    return {leaf.rsplit("/", up)[0] for leaf in leaves for up in range(1, leaf.count("/") + 1)}


def _subjects(taxonomy: Path) -> Iterable[str]:
    """Return the folders that are described as subjects, with lessons or without."""
    for kind in Kind:
        for readme in (taxonomy / kind).rglob("README.md"):
            yield readme.parent.relative_to(taxonomy).as_posix()


def _judged(leaf: str, text: str, taxonomy: Path, language: str) -> LessonRead:
    candidate, data = keep.place(leaf, taxonomy), text.encode("utf-8", "replace")
    verdict = judge(data, candidate, "")
    findings = [*candidate.findings, *verdict.findings]
    if verdict.document is not None:
        findings += find_beside(candidate, verdict.document)
    findings.sort(key=lambda finding: (finding.line, finding.column))
    known = _fields(text)
    return LessonRead(
        path=leaf,
        title=lesson_title(candidate.path, language, text)[0],
        text=text,
        content=_content(text),
        remarks=[_remark(finding, language, known) for finding in findings],
        valid=all(finding.rule.severity is not Severity.ERROR for finding in findings),
    )


def _content(text: str) -> dict[str, Any] | None:
    try:
        return dict(plain_content(text))
    except LessonUneditable:
        return None


def _fields(text: str) -> list[tuple[Place, str]]:
    try:
        return fields(text)
    except LessonUneditable:
        return []


def _remark(finding: Finding, language: str, known: Sequence[tuple[Place, str]]) -> Remark:
    after = bisect([place for place, _field in known], Place(finding.line, finding.column))
    return Remark(
        line=finding.line,
        column=finding.column,
        rule=finding.rule_id,
        severity=finding.rule.severity.value,
        message=finding.message(language),
        hint=finding.hint(language),
        field=known[after - 1][1] if after else "",
    )


def _texts(content: object) -> Any:
    """Return the content with nothing but texts, lists and mappings in it."""
    if isinstance(content, Mapping):
        return {str(key): _texts(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_texts(each) for each in content]
    return "" if content is None else str(content)
