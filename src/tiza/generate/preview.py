"""`samples.md`: what came out of a run, for a person to read through before anything is trained."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

from tiza.generate.candidate import Candidate, Rejected
from tiza.taxonomy.lesson import Lesson
from tiza.translation import N_, translate

T = TypeVar("T")

SHOWN_SAMPLES = 12  # a lesson and a heading: enough to judge, few enough to read
LONGEST = 400  # characters of a text

TITLE = N_("Samples of the run {run}")
INTRODUCTION = N_(
    "{accepted} accepted, {rejected} rejected. At most {shown} of each are shown for a lesson; "
    "all accepted ones are in train.jsonl."
)
ACCEPTED = N_("Accepted ({count})")
REJECTED = N_("Rejected ({count})")
BY = N_("{step}, from line {lines}")
WHY = N_("Rejected by {step}: {reason}")


def preview(
    run: str, accepted: Sequence[Candidate], rejected: Sequence[Rejected], language: str
) -> str:
    """Return the page as Markdown, lesson by lesson, in a language."""
    return "\n".join(_lines(run, accepted, rejected, language)) + "\n"


def _lines(
    run: str, accepted: Sequence[Candidate], rejected: Sequence[Rejected], language: str
) -> Iterator[str]:
    yield f"# {_say(TITLE, language, run=run)}"
    counts = {"accepted": len(accepted), "rejected": len(rejected), "shown": SHOWN_SAMPLES}
    yield f"\n{_say(INTRODUCTION, language, **counts)}"
    kept = _by_lesson(accepted, lambda each: each.lesson)
    refused = _by_lesson(rejected, lambda each: each.candidate.lesson)
    for path in sorted(kept.keys() | refused.keys()):
        yield f"\n## {path.parent.as_posix()}"
        yield from _accepted(kept.get(path, []), language)
        yield from _rejected(refused.get(path, []), language)


def _accepted(candidates: Sequence[Candidate], language: str) -> Iterator[str]:
    if candidates:
        yield f"\n### {_say(ACCEPTED, language, count=len(candidates))}\n"
    for candidate in islice(candidates, SHOWN_SAMPLES):
        lines = ", ".join(map(str, candidate.lines))
        yield from _pair(candidate, _say(BY, language, step=candidate.step, lines=lines))


def _rejected(rejected: Sequence[Rejected], language: str) -> Iterator[str]:
    if rejected:
        yield f"\n### {_say(REJECTED, language, count=len(rejected))}\n"
    for each in islice(rejected, SHOWN_SAMPLES):
        why = _say(WHY, language, step=each.step, reason=_reason(each, language))
        yield from _pair(each.candidate, why)


def _pair(candidate: Candidate, note: str) -> Iterator[str]:
    scores = " · ".join(f"{name} {score:g}" for name, score in candidate.scores.items())
    yield f"- **{_short(candidate.question)}**"
    yield f"  {_short(candidate.answer)}"
    yield f"  <small>{note}{' · ' if scores else ''}{scores}</small>"


def _by_lesson(each: Iterable[T], lesson: Callable[[T], Lesson]) -> dict[Path, list[T]]:
    found: dict[Path, list[T]] = {}
    for one in each:
        found.setdefault(lesson(one).path, []).append(one)
    return found


def _reason(rejected: Rejected, language: str) -> str:
    return translate(rejected.reason, language).format_map(rejected.data)


def _say(template: str, language: str, **data: object) -> str:
    return translate(template, language).format(**data)


def _short(text: str) -> str:
    """Return a text on one line, harmless in Markdown."""
    line = " ".join(text.split())
    line = line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
    return line.replace("<", "&lt;").replace("\\", "\\\\").replace("`", "\\`").replace("*", "\\*")
