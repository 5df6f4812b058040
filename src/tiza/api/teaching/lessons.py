"""The endpoints of lessons: the tree, one lesson, a live check, and changes.

Files and git are asked in a thread. Who may come here is decided by the path (`accounts.places`).
"""

import asyncio
from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response

from tiza.api.callers import Caller, CallerDep
from tiza.api.conversations import NO_CONTENT
from tiza.api.problems import language_of
from tiza.api.state import StateDep
from tiza.api.strict_json import StrictRoute
from tiza.api.teaching.schemas import (
    PROBLEMS,
    LessonBegun,
    LessonDraft,
    LessonListed,
    LessonRead,
    LessonSaved,
    LessonText,
    Remark,
    SubjectListed,
    Tree,
)
from tiza.errors import (
    LessonMisplaced,
    LessonUneditable,
    LessonUnplaced,
    PreconditionMissing,
    TaxonomyNotFound,
)
from tiza.taxonomy import new
from tiza.taxonomy.cache import Cache
from tiza.taxonomy.examine import examine, judge
from tiza.taxonomy.find import Candidate, find
from tiza.taxonomy.finding import Finding
from tiza.taxonomy.keep import NEW, Change, Done, change, kept, place
from tiza.taxonomy.lesson import Kind, Place
from tiza.taxonomy.outline import fields, plain_content
from tiza.taxonomy.repeated import EXAM
from tiza.taxonomy.rules import Severity
from tiza.taxonomy.source import find_beside
from tiza.taxonomy.titles import lesson_title, title_of
from tiza.taxonomy.verdict import Verdict
from tiza.taxonomy.write import edited
from tiza.translation import N_

CACHE = "taxonomy/verdicts.sqlite"
LOCK = "taxonomy/.changing"
SOMEBODY = "Tiza"  # the author of a change where nobody has a name

router = APIRouter(route_class=StrictRoute, tags=["lessons"], responses=PROBLEMS)


@router.get("/lessons", summary=N_("Show the tree: subjects, lessons, and what is wrong in them."))
async def tree(request: Request, state: StateDep) -> Tree:
    """List everything in the order of the tree; where there is no tree yet, nothing."""
    settings, language = state.settings, language_of(request.scope)
    return await asyncio.to_thread(
        _tree, settings.taxonomy_path, settings.var_path / CACHE, language
    )


@router.post(
    "/lessons/check", summary=N_("Check a text as a lesson, line by line, without saving it.")
)
async def check(body: LessonDraft, request: Request, state: StateDep) -> LessonRead:
    """Say what is wrong; with `content`, bring the text to say that first."""
    settings, language = state.settings, language_of(request.scope)

    def checked() -> LessonRead:
        text = body.text if body.content is None else edited(body.text, _texts(body.content))
        return _read(body.path, text, settings.taxonomy_path, language)

    return await asyncio.to_thread(checked)


@router.post(
    "/lessons/template", summary=N_("Return the text to begin a lesson with, and its place.")
)
async def template(body: LessonBegun, request: Request, state: StateDep) -> LessonRead:
    """Write nothing: whoever fills it in saves it."""
    taxonomy, language = state.settings.taxonomy_path, language_of(request.scope)
    lesson = new.NewLesson(
        *(Kind(body.kind), body.subject, body.name, body.language, body.created_by, body.grounded)
    )

    def begun() -> LessonRead:
        try:
            path = new.place(lesson, taxonomy)
        except LessonUnplaced as exc:
            raise LessonMisplaced(path=exc.data["name"]) from exc
        leaf = path.parent.relative_to(taxonomy).as_posix()
        return _read(leaf, new.template(lesson, path, language), taxonomy, language)

    return await asyncio.to_thread(begun)


@router.get("/lessons/{path:path}", summary=N_("Read a lesson; its ETag names the version."))
async def read(path: str, request: Request, response: Response, state: StateDep) -> LessonRead:
    """Return the text, what it says, and what is wrong with it."""
    taxonomy, language = state.settings.taxonomy_path, language_of(request.scope)

    def found() -> LessonRead:
        lesson = kept(path, taxonomy)
        shown = _read(path, lesson.text, taxonomy, language)
        return shown.model_copy(update={"version": lesson.version})

    lesson = await asyncio.to_thread(found)
    response.headers["ETag"] = f'"{lesson.version}"'
    return lesson


@router.put(
    "/lessons/{path:path}",
    summary=N_("Save a lesson: If-Match with its ETag, or If-None-Match: * for a new one."),
)
async def save(  # noqa: PLR0917  # FastAPI passes them by name
    path: str,
    body: LessonText,
    response: Response,
    state: StateDep,
    caller: CallerDep,
    if_match: Annotated[str, Header()] = "",
    if_none_match: Annotated[str, Header()] = "",
) -> LessonSaved:
    """Write the file in one step, faulty or not; in a repository, commit it."""
    version = _precondition(if_match, if_none_match)
    done = await _change(Change(path, body.text, version, _author(caller)), state)
    response.headers["ETag"] = f'"{done.version}"'
    return LessonSaved(path=path, version=done.version, commit=done.commit, reason=done.reason)


@router.delete(
    "/lessons/{path:path}", status_code=NO_CONTENT, summary=N_("Delete a lesson (If-Match).")
)
async def delete(
    path: str, state: StateDep, caller: CallerDep, if_match: Annotated[str, Header()] = ""
) -> None:
    """Take the file away; in a repository its history stays."""
    version = _precondition(if_match, "")
    await _change(Change(path, None, version, _author(caller)), state)


async def _change(wanted: Change, state: StateDep) -> Done:
    settings = state.settings
    lock = settings.var_path / LOCK
    return await asyncio.to_thread(change, wanted, settings.taxonomy_path, lock)


def _author(caller: Caller) -> str:
    return caller.name or SOMEBODY


def _precondition(if_match: str, if_none_match: str) -> str:
    """Return the version that a change is made from. Raises PreconditionMissing."""
    if if_none_match.strip() == "*":
        return NEW
    version = if_match.strip().removeprefix("W/").strip('"')
    if not version:
        raise PreconditionMissing
    return version


def _tree(taxonomy: Path, cache_path: Path, language: str) -> Tree:
    lessons: list[LessonListed] = []
    folders: set[str] = set()
    with closing(Cache(cache_path)) as cache:
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


def _read(leaf: str, text: str, taxonomy: Path, language: str) -> LessonRead:
    candidate, data = place(leaf, taxonomy), text.encode("utf-8", "replace")
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
