"""The report card as data: `report.json`, and its short form for a terminal.

`build` puts together what was measured; `read` reads a report back. How it looks is `page.py`'s.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from gettext import gettext as _
from pathlib import Path
from typing import Any

from tiza.errors import ReportUnreadable
from tiza.evaluate.ask import Answer
from tiza.evaluate.exam import General, Item
from tiza.evaluate.gate import Check
from tiza.evaluate.harness import Scores
from tiza.evaluate.judge import Agreement, Judged
from tiza.evaluate.restraint import Probe, admits
from tiza.evaluate.stated import Verdict
from tiza.evaluate.statistics import Paired, Share, difference, paired
from tiza.runs.run import now
from tiza.translation import LANGUAGES, N_, translate

SCHEMA_VERSION = 1
WORST = 20
FEWEST_PROBES = 5  # neighbouring questions; with fewer a share says little

LEARNED = N_("It learned: {right} of {asked} exam questions are right, {before} before.")
LITTLE = N_("It learned too little: {right} of {asked} exam questions are right, {before} before.")
KEPT = N_("It still knows {kept} of the {known} things that it knew.")
FORGOT = N_("It forgot too much: it still knows {kept} of the {known} things that it knew.")
STAYS = N_("What it learned stays where it belongs.")
SOMETIMES = N_("In {leaks} of {asked} neighbouring questions it says something taught.")
LEAKS = N_("It says what it learned in wrong places: in {leaks} of {asked} neighbouring questions.")

Json = dict[str, Any]


@dataclass(frozen=True)
class Graded:
    """A question of the exam or of a bank, with both models' answers and grades."""

    item: Item | General
    before: Answer
    after: Answer
    grade_before: Verdict
    grade_after: Verdict
    judged: Judged | None = None


@dataclass(frozen=True)
class Probed:
    """A question next to the lessons, with both models' answers; `leak` is the fact that leaked."""

    probe: Probe
    before: Answer
    after: Answer
    leak: str


@dataclass(frozen=True)
class Measured:
    """All that was measured."""

    exam: Sequence[Graded]
    retention: Sequence[Graded]
    restraint: Sequence[Probed]
    agreement: Agreement | None = None


def figures(measured: Measured, earlier: Mapping[str, int]) -> dict[str, float | None]:
    """Return what the gate looks at; None for what was not measured.

    `earlier`: of lessons taught before, how many questions were answered right until now.
    """
    exam, known = _pairs(measured.exam), _known(measured.retention)
    leaks = sum(bool(p.leak) for p in measured.restraint)
    enough = len(measured.restraint) >= FEWEST_PROBES
    kept = sum(g.grade_after.passed for g in known)
    right = Counter(_lesson(g) for g in measured.exam if g.grade_after.passed)
    still = sum(min(count, right[lesson]) for lesson, count in earlier.items())
    return {
        **({"earlier": still / sum(earlier.values())} if any(earlier.values()) else {}),
        "exam_gain": difference(exam)[0] if exam.asked else None,
        "retention": kept / len(known) if known else None,
        "leak": leaks / len(measured.restraint) if enough else None,
    }


def build(measured: Measured, checks: Sequence[Check], made: Mapping[str, Any]) -> Json:
    """Put the report together; `made` says how the model came about."""
    passed = all(check.passed for check in checks)
    return {
        "schema_version": SCHEMA_VERSION,
        "created": now(),
        "verdict": {
            "passed": passed,
            "sentence": {each: verdict(measured, checks, each) for each in LANGUAGES},
        },
        "gate": {"passed": passed, "checks": [check.as_json() for check in checks]},
        "exam": _exam(measured.exam),
        "retention": _retention(measured.retention),
        "restraint": _restraint(measured.restraint),
        "judge": _judge(measured.agreement),
        "made": dict(made),
    }


def benchmarks(before: Scores, after: Scores) -> list[Json]:
    """Put what two models reached in open benchmarks side by side."""
    return [
        {"task": task, "metric": metric, "before": value, "after": after[task][metric]}
        for task, metrics in before.items()
        for metric, value in metrics.items()
        if metric in after[task]
    ]


def verdict(measured: Measured, checks: Sequence[Check], language: str) -> str:
    """Say in a few words how it went."""
    failed = {check.name for check in checks if not check.passed}
    exam, known = _pairs(measured.exam), _known(measured.retention)
    leaks = sum(bool(p.leak) for p in measured.restraint)
    data = {
        "right": exam.both + exam.only_second,
        "before": exam.both + exam.only_first,
        "kept": sum(g.grade_after.passed for g in known),
        "known": len(known),
        "leaks": leaks,
    }
    sentences = [(LITTLE if "exam_gain" in failed else LEARNED, exam.asked)]
    if known:
        sentences.append((FORGOT if "retention" in failed else KEPT, len(known)))
    if measured.restraint:
        leaky = LEAKS if "leak" in failed else SOMETIMES
        sentences.append((leaky if leaks else STAYS, len(measured.restraint)))
    said = (translate(words, language).format(**data, asked=asked) for words, asked in sentences)
    return " ".join(said)


def read(path: Path) -> Json:
    """Read a report back.

    Raises:
        ReportUnreadable: it is none, or of another version of the format.

    """
    try:
        report = json.loads(path.read_bytes())
        found = report["schema_version"]
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise ReportUnreadable(path=path, found="?", known=SCHEMA_VERSION) from exc
    if found != SCHEMA_VERSION or not isinstance(report, dict):
        raise ReportUnreadable(path=path, found=found, known=SCHEMA_VERSION)
    return report


def lines(report: Mapping[str, Any], language: str) -> Iterable[str]:
    """Yield the short version for a terminal."""
    yield ("✓ " if report["verdict"]["passed"] else "✗ ") + report["verdict"]["sentence"][language]
    yield ""
    lessons = report["exam"]["lessons"]
    width = max([len(_("Lesson")), *(len(row["lesson"]) for row in lessons)])
    yield f"  {_('Lesson'):<{width}}  {_('before'):>7}  {_('after'):>7}  {_('95 % interval'):>13}"
    for row in [*lessons, {"lesson": _("All"), **report["exam"]["overall"]}]:
        before, after = row["before"], row["after"]
        low, high = after["interval"]
        counts = f"{before['right']}/{before['asked']}", f"{after['right']}/{after['asked']}"
        interval = f"{low:.0%}–{high:.0%}"
        yield f"  {row['lesson']:<{width}}  {counts[0]:>7}  {counts[1]:>7}  {interval:>13}"
    yield ""
    for check in report["gate"]["checks"]:
        named = Check(check["name"], check["value"], check["threshold"])
        yield f"  {'✓' if named.passed else '✗'} {named.words(language)}"
    for row in report.get("benchmarks", []):
        yield f"  {row['task']} ({row['metric']}): {row['before']:.3f} → {row['after']:.3f}"


def _exam(graded: Sequence[Graded]) -> Json:
    lessons = sorted({_lesson(g) for g in graded})
    rows = [
        {"lesson": name, **_compared([g for g in graded if _lesson(g) == name])} for name in lessons
    ]
    answers = [_answer(g) for g in graded]
    return {
        "overall": _compared(graded),
        "lessons": rows,
        "answers": answers,
        "worst": worst(graded),
    }


def worst(graded: Sequence[Graded]) -> list[int]:
    """Return the places of the worst wrong answers: first what the base had right."""
    wrong = [i for i, g in enumerate(graded) if not g.grade_after.passed]
    wrong.sort(key=lambda i: (not graded[i].grade_before.passed, graded[i].grade_after.similarity))
    return wrong[:WORST]


def _lesson(graded: Graded) -> str:
    return graded.item.lesson if isinstance(graded.item, Item) else ""


def _retention(graded: Sequence[Graded]) -> Json:
    known = _known(graded)
    languages = sorted({g.item.language for g in graded})
    rows = {}
    for language in languages:
        asked = [g for g in graded if g.item.language == language]
        knew = [g for g in asked if g.grade_before.passed]
        rows[language] = {"asked": len(asked), "known": len(knew), "kept": _share(_after(knew))}
    return {
        "asked": len(graded),
        "known": len(known),
        "kept": _share(_after(known)),
        "gained": sum(g.grade_after.passed and not g.grade_before.passed for g in graded),
        "p_value": _pairs(graded).p_value,
        "languages": rows,
        "lost": [_answer(g) for g in known if not g.grade_after.passed],
    }


def _restraint(probed: Sequence[Probed]) -> Json:
    def admitted(answers: Iterable[Answer]) -> Json:
        return _share([admits(answer.text) for answer in answers])

    return {
        "asked": len(probed),
        "leaks": _share([bool(p.leak) for p in probed]),
        "admits": {
            "before": admitted(p.before for p in probed),
            "after": admitted(p.after for p in probed),
        },
        "answers": [
            {
                "lesson": p.probe.lesson,
                "language": p.probe.language,
                "question": p.probe.question,
                "origin": p.probe.origin,
                "taught": p.probe.taught,
                "before": p.before.text,
                "after": p.after.text,
                "leak": p.leak,
            }
            for p in probed
        ],
    }


def _judge(agreement: Agreement | None) -> Json | None:
    if agreement is None:
        return None
    return {
        "judged": agreement.judged,
        "nonsense": agreement.nonsense,
        "same": _as_json(agreement.same),
        "kappa": agreement.kappa,
    }


def _compared(graded: Sequence[Graded]) -> Json:
    gain, low, high = difference(_pairs(graded))
    return {
        "before": _share([g.grade_before.passed for g in graded]),
        "after": _share(_after(graded)),
        "gain": {"value": gain, "interval": [low, high]},
        "p_value": _pairs(graded).p_value,
    }


def _answer(graded: Graded) -> Json:
    item = graded.item
    about = (
        {"lesson": item.lesson, "line": item.line, "reference": item.reference}
        if isinstance(item, Item)
        else {"area": item.area, "reference": " / ".join(item.accept)}
    )
    fields = {"question": item.question, "language": item.language, **about}
    if graded.judged is not None:
        fields["judge"] = {"score": graded.judged.score, "reason": graded.judged.reason}
    return {
        **fields,
        "before": _one(graded.before, graded.grade_before),
        "after": _one(graded.after, graded.grade_after),
    }


def _one(answer: Answer, grade: Verdict) -> Json:
    return {
        "text": answer.text,
        "cut": answer.finish == "length",
        "passed": grade.passed,
        "similarity": grade.similarity,
        "why": {language: grade.why(language) for language in LANGUAGES},
    }


def _pairs(graded: Sequence[Graded]) -> Paired:
    return paired([g.grade_before.passed for g in graded], _after(graded))


def _after(graded: Sequence[Graded]) -> list[bool]:
    return [g.grade_after.passed for g in graded]


def _known(graded: Sequence[Graded]) -> list[Graded]:
    return [g for g in graded if g.grade_before.passed]


def _share(passed: Sequence[bool]) -> Json:
    return _as_json(Share(sum(passed), len(passed)))


def _as_json(share: Share) -> Json:
    return {
        "right": share.right,
        "asked": share.asked,
        "value": share.value,
        "interval": list(share.interval),
    }
