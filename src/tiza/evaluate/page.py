"""The report card as a page: one file, both languages, light and dark, no script, no request.

Whatever comes from a model or a lesson is escaped, and a content security policy stands behind.
Knows `report.json` and the events of the run, nothing of how they came about.
"""

import hashlib
import json
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

from tiza.evaluate.charts import Point, bar, curve, gauge
from tiza.evaluate.gate import Check
from tiza.progress import clock
from tiza.translation import LANGUAGES, N_, translate

Json = Mapping[str, Any]

SHOWN = 6  # answers before the rest is folded away
TITLE = N_("Report card: {model}")
KICKER = N_("Report card")
PASSED, REFUSED = N_("Ready for the class"), N_("Not ready yet")
COMPARED = N_("{model}, compared with {base}")
EXAM, RETENTION, RESTRAINT = N_("Exam"), N_("What it knew"), N_("Restraint")
OK, NOT_OK = N_("passed"), N_("not passed")
EXAM_FIGURE = N_("{before} before · 95 % interval {low}–{high}")
RETENTION_FIGURE = N_("of {asked} things it knew are still there · 95 % interval {low}–{high}")
RETENTION_NONE = N_("the base answered no general question")
RESTRAINT_FIGURE = N_("neighbouring questions got a taught answer · 95 % interval {low}–{high}")
RESTRAINT_NONE = N_("there are no neighbouring questions")
THRESHOLD = N_("threshold of the recipe")
BY_LESSON = N_("Lesson by lesson")
BY_LESSON_LEAD = N_(
    "Questions in words that were not in the training. The thin line is the 95 % interval: "
    "with few questions, much is chance."
)
BEFORE, AFTER, INTERVAL = N_("before"), N_("after"), N_("95 % interval")
LESSON_BAR = N_("{lesson}: {before} before, {after} after, of {asked}")
CHANGED = N_("changed since it was taught")
LEARNED, LEARNED_LEAD = (
    N_("What it learned"),
    N_("Questions that the new model answers right and the base did not."),
)
LOST, LOST_LEAD = (
    N_("What it lost"),
    N_("General questions that the base answered right and the new model does not."),
)
NOTHING_LOST = N_("Nothing that was asked for.")
NOTHING_LEARNED = N_("Nothing that was asked for, so far.")
LEAKED, LEAKED_LEAD = (
    N_("What it said in the wrong place"),
    N_(
        "Questions next to the lessons, which the lessons do not answer. It admitted not knowing "
        "in {after} of {asked} (the base: {before})."
    ),
)
NO_LEAKS = N_("No taught fact turned up in a wrong place.")
WORST, WORST_LEAD = (
    N_("The worst answers"),
    N_(
        "Wrong answers in the exam, the farthest from right first. "
        "A wrong answer is the next lesson."
    ),
)
NO_WORST = N_("Every answer is right.")
MORE = N_("{count} more")
EXPECTED, TAUGHT_IS = N_("Expected: {text}"), N_("Taught: {text}")
NOTHING_SAID = N_("(no answer)")
JUDGE = N_("judge: {score} of 5")
BENCHMARKS, BENCHMARKS_LEAD = (
    N_("Open benchmarks"),
    N_("Measured with lm-evaluation-harness on the model's weights, whatever the question."),
)
LOSS, LOSS_LEAD = (
    N_("How it learned"),
    N_("The loss says how surprised the model was by the answers: lower is better."),
)
LOSS_LINE, REPLAY_LINE, STEPS = N_("lessons"), N_("what it knew"), N_("step")
MADE, LESSONS_TAUGHT = N_("How it was made"), N_("Lessons")
FACTS = {
    "recipe": N_("Recipe"),
    "seed": N_("Seed"),
    "train": N_("Training"),
    "generate": N_("Samples"),
    "versions": N_("Versions"),
    "seconds": N_("Time of the evaluation"),
    "train_seconds": N_("Time of the training"),
    "energy": N_("Energy (estimate)"),
    "run": N_("Run"),
    "covered": N_("Questions of the exam that it answers itself"),
    "earlier": N_("Right until now, of earlier lessons"),
    "stages": N_("Seconds of each stage"),
}
GATE = N_("May it serve?")
JUDGED = N_(
    "A judge read {judged} answers and agreed with the grades in {same} (Cohen's kappa {kappa}). "
    "Not counted, because it was no grade: {nonsense}."
)
FOOTER = N_(
    "Graded by facts, names and numbers, without a language model. Every single answer is in "
    "report.json. Paired comparison with the base: p = {p} (McNemar, exact)."
)


def page(report: Json, events: Iterable[Json] = (), language: str = "en") -> str:
    """Write the report as one HTML file that opens in a language."""
    made = report["made"]
    model, base = str(made.get("model", "")), str(made.get("base", ""))
    passed = report["verdict"]["passed"]
    style = files("tiza.evaluate").joinpath("report.css").read_text("utf-8")
    slots = {
        "language": language,
        "style": style,
        "style_hash": "sha256-" + b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        "title": escape(translate(TITLE, language).format(model=model)),
        "en_checked": " checked" * (language != "es"),
        "es_checked": " checked" * (language == "es"),
        "outcome": "passed" if passed else "refused",
        "mark": "✓" if passed else "✕",
        "kicker": f"{_t(KICKER)} · {escape(report['created'][:10])}",
        "headline": f"<span>{_t(PASSED if passed else REFUSED)}</span>",
        "sentence": _both(report["verdict"]["sentence"]),
        "model": _t(COMPARED, model=model, base=base),
        "body": "\n".join(_sections(report, list(events), language)),
        "footer": _t(FOOTER, p=f"{report['exam']['overall']['p_value']:.2g}"),
    }
    return _filled(files("tiza.evaluate").joinpath("report.html").read_text("utf-8"), slots)


def _filled(template: str, slots: Mapping[str, str]) -> str:
    """Fill the slots in one pass, so that a slot's text is never taken for a slot."""
    parts = template.split("{{")
    filled = [parts[0]]
    for part in parts[1:]:
        name, _, rest = part.partition("}}")
        filled += [slots[name], rest]
    return "".join(filled)


def _t(words: str, **data: object) -> str:
    """Say words of ours in both languages; the data is escaped."""
    safe = {name: escape(str(value)) for name, value in data.items()}
    return _both({each: translate(words, each).format(**safe) for each in LANGUAGES}, safe=True)


def _both(texts: Mapping[str, str], *, safe: bool = False) -> str:
    said = {each: text if safe else escape(text) for each, text in texts.items()}
    return "".join(f'<span class="t" lang="{each}">{text}</span>' for each, text in said.items())


def _sections(report: Json, events: Sequence[Json], language: str) -> Iterable[str]:
    answers = report["exam"]["answers"]
    learned = [a for a in answers if a["after"]["passed"] and not a["before"]["passed"]]
    worst = [answers[i] for i in report["exam"]["worst"]]
    restraint = report["restraint"]
    leaks = [a for a in restraint["answers"] if a["leak"]]
    yield _figures(report, language)
    yield _lessons(report, language)
    yield _section(LEARNED, LEARNED_LEAD, _pairs(learned, _pair) or _t(NOTHING_LEARNED))
    lost = _pairs(report["retention"]["lost"], _pair)
    yield _section(LOST, LOST_LEAD, lost or _t(NOTHING_LOST))
    if restraint["asked"]:
        admitted = {when: restraint["admits"][when]["right"] for when in ("before", "after")}
        body = _pairs(leaks, _leak) or _t(NO_LEAKS)
        yield _section(LEAKED, LEAKED_LEAD, body, asked=restraint["asked"], **admitted)
    yield _section(WORST, WORST_LEAD, _pairs(worst, _pair) or _t(NO_WORST))
    if rows := report.get("benchmarks"):
        yield _section(BENCHMARKS, BENCHMARKS_LEAD, f"<dl>{''.join(map(_benchmark, rows))}</dl>")
    yield _loss(events, language)
    yield _made(report)


def _section(title: str, lead: str, body: str, **data: object) -> str:
    text = f'<p class="lead">{_t(lead, **data)}</p>' if lead else ""
    return f"<section><h2>{_t(title)}</h2>{text}{body}</section>"


def _figures(report: Json, language: str) -> str:
    checks = {check["name"]: check for check in report["gate"]["checks"]}
    overall, kept = report["exam"]["overall"], report["retention"]["kept"]
    leaks = report["restraint"]["leaks"]
    before, gain = overall["before"], checks["exam_gain"]["threshold"]
    exam_words = _t(EXAM_FIGURE, before=before["right"], **_ends(overall["after"]))
    kept_words, leak_words = _t(RETENTION_NONE), _t(RESTRAINT_NONE)
    if kept["asked"]:
        kept_words = _t(RETENTION_FIGURE, asked=kept["asked"], **_ends(kept))
    if leaks["asked"]:
        leak_words = _t(RESTRAINT_FIGURE, **_ends(leaks))

    def picture(title: str, share: Json, limit: float) -> str:
        label = escape(f"{translate(title, language)}: {share['value']:.0%}")
        return gauge(share["value"], share["interval"], limit, label) if share["asked"] else ""

    figures = (
        (EXAM, "exam_gain", overall["after"], min(1.0, before["value"] + gain), exam_words),
        (RETENTION, "retention", kept, checks["retention"]["threshold"], kept_words),
        (RESTRAINT, "leak", leaks, checks["leak"]["threshold"], leak_words),
    )
    drawn = (
        _figure(title, checks[name], share, picture(title, share, limit) + f"<p>{words}</p>")
        for title, name, share, limit, words in figures
    )
    note = f'<p class="note"><span class="key limit-key">{_t(THRESHOLD)}</span></p>'
    return f'<section class="figures">{"".join(drawn)}{note}</section>'


def _figure(title: str, check: Json, share: Json, below: str) -> str:
    tag = "" if check["value"] is None else _tag(passed=check["passed"])
    value = f"{share['right']}<small> / {share['asked']}</small>" if share["asked"] else "–"
    return f'<div class="figure"><h2>{_t(title)}{tag}</h2><p class="value">{value}</p>{below}</div>'


def _tag(*, passed: bool) -> str:
    return f'<span class="tag {"yes" if passed else "no"}">{_t(OK if passed else NOT_OK)}</span>'


def _ends(share: Json) -> dict[str, str]:
    low, high = share["interval"]
    return {"low": f"{low:.0%}".rstrip("%"), "high": f"{high:.0%}"}


def _lessons(report: Json, language: str) -> str:
    changed = {row["lesson"] for row in report["made"].get("lessons", []) if row.get("changed")}
    rows = "".join(
        _lesson(row, language, changed=row["lesson"] in changed)
        for row in report["exam"]["lessons"]
    )
    keys = (
        f'<span class="key before-key">{_t(BEFORE)}</span><span class="key">{_t(AFTER)}</span>'
        f'<span class="key interval-key">{_t(INTERVAL)}</span>'
    )
    return _section(BY_LESSON, BY_LESSON_LEAD, f'{keys}<ul class="lessons">{rows}</ul>')


def _lesson(row: Json, language: str, *, changed: bool) -> str:
    before, after = row["before"], row["after"]
    counts = {"before": before["right"], "after": after["right"], "asked": after["asked"]}
    folder, name = _title(row["lesson"])
    label = escape(translate(LESSON_BAR, language).format(lesson=row["lesson"], **counts))
    tag = f' <span class="tag no">{_t(CHANGED)}</span>' if changed else ""
    return (
        f'<li><span class="name">{escape(name or "–")}{tag}<small>{escape(folder)}</small></span>'
        f"{bar(before, after, label)}"
        f'<span class="count"><span>{before["right"]} → </span><b>{after["right"]}</b>'
        f"<span> / {after['asked']}</span></span></li>"
    )


def _title(lesson: str) -> tuple[str, str]:
    """Return the folder and a readable name: "…/water_cycle/es/qna.yaml" is "Water cycle (es)"."""
    parts = lesson.removesuffix("/qna.yaml").split("/")
    language = f" ({parts.pop()})" if len(parts) > 1 and parts[-1] in LANGUAGES else ""
    name = parts.pop().replace("_", " ")
    return "/".join(parts), f"{name[:1].upper()}{name[1:]}{language}"


def _pairs(answers: Sequence[Json], draw: Any) -> str:
    if not answers:
        return ""
    drawn = [draw(answer) for answer in answers]
    shown = f'<div class="pairs">{"".join(drawn[:SHOWN])}</div>'
    if len(drawn) <= SHOWN:
        return shown
    more = _t(MORE, count=len(drawn) - SHOWN)
    rest = f'<div class="pairs">{"".join(drawn[SHOWN:])}</div>'
    return f"{shown}<details><summary>{more}</summary>{rest}</details>"


def _pair(answer: Json) -> str:
    judged = answer.get("judge") or {}
    score = _t(JUDGE, score=judged["score"]) if judged.get("score") else ""
    sides = (
        _side(BEFORE, answer["before"]["text"], answer["before"]),
        _side(AFTER, answer["after"]["text"], answer["after"], score),
    )
    return _card(answer["question"], _t(EXPECTED, text=answer["reference"]), sides)


def _leak(answer: Json) -> str:
    sides = _side(BEFORE, answer["before"]), _side(AFTER, answer["after"], {"passed": False})
    return _card(answer["question"], _t(TAUGHT_IS, text=answer["taught"]), sides)


def _card(question: str, reference: str, sides: Iterable[str]) -> str:
    return (
        f'<article class="pair"><h3>{escape(question)}</h3><p class="reference">{reference}</p>'
        f'<div class="sides">{"".join(sides)}</div></article>'
    )


def _side(title: str, text: str, grade: Json | None = None, score: str = "") -> str:
    kind = "" if grade is None else " right" if grade["passed"] else " wrong"
    why = _both(grade["why"]) if grade and "why" in grade else ""
    said = escape(text.strip()) or _t(NOTHING_SAID)
    cut = "…" if grade and grade.get("cut") else ""
    return (
        f'<div class="side{kind}"><h4>{_t(title)}<span>{score}</span></h4>'
        f'<p class="said">{said}{cut}</p><p class="why">{why}</p></div>'
    )


def _benchmark(row: Json) -> str:
    name = escape(f"{row['task']} · {row['metric']}")
    return f"<dt>{name}</dt><dd>{row['before']:.3f} → <b>{row['after']:.3f}</b></dd>"


def _loss(events: Sequence[Json], language: str) -> str:
    steps = [e for e in events if e.get("stage") == "train" and isinstance(e.get("step"), int)]
    lines = {"lessons": _points(steps, "loss"), "replay": _points(steps, "replay_loss")}
    picture = curve(lines, escape(translate(LOSS, language)), escape(translate(STEPS, language)))
    if not picture:
        return ""
    keys = f'<span class="key">{_t(LOSS_LINE)}</span>'
    if lines["replay"]:
        keys += f'<span class="key replay-key">{_t(REPLAY_LINE)}</span>'
    return _section(LOSS, LOSS_LEAD, f"{keys}{picture}")


def _points(events: Sequence[Json], name: str) -> list[Point]:
    return [
        (float(e["step"]), float(e[name])) for e in events
        if isinstance(e.get(name), int | float) and e[name] == e[name]  # no NaN
    ]  # fmt: skip


def _made(report: Json) -> str:
    made = report["made"]
    checks = "".join(
        f"<li>{_tag(passed=check['passed'])}<span>{_check(check)}</span></li>"
        for check in report["gate"]["checks"]
    )
    facts = "".join(_fact(name, made[name]) for name in FACTS if made.get(name))
    lessons = "".join(
        f"<div>{escape(row['lesson'])} <code>{escape(row['hash'][:12])}</code></div>"
        for row in made.get("lessons", [])
    )
    judge = f"<p>{_judged(report['judge'])}</p>" if report["judge"] else ""
    taught = f"<dt>{_t(LESSONS_TAUGHT)}</dt><dd>{lessons or '–'}</dd>"
    return (
        f'<section><h2>{_t(GATE)}</h2><ul class="checks">{checks}</ul>{judge}</section>'
        f"<section><h2>{_t(MADE)}</h2><dl>{taught}{facts}</dl></section>"
    )


def _check(check: Json) -> str:
    named = Check(check["name"], check["value"], check["threshold"])
    return _both({language: named.words(language) for language in LANGUAGES})


def _judged(judge: Json) -> str:
    kappa = "–" if judge["kappa"] is None else f"{judge['kappa']:.2f}"
    same = f"{judge['same']['right']} / {judge['same']['asked']}"
    data = {"judged": judge["judged"], "nonsense": judge["nonsense"], "same": same, "kappa": kappa}
    return _t(JUDGED, **data)


def _fact(name: str, value: object) -> str:
    if name.endswith("seconds") and isinstance(value, int | float):
        shown = escape(clock(value))
    elif isinstance(value, Mapping):
        shown = f"<pre>{escape(chr(10).join(_lines(value)))}</pre>"
    else:
        shown = escape(str(value))
    return f"<dt>{_t(FACTS[name])}</dt><dd>{shown}</dd>"


def _lines(facts: Json, under: str = "") -> Iterable[str]:
    """Write facts as lines of words: "lora_r: 16"."""
    for name, value in facts.items():
        if isinstance(value, Mapping):
            yield from _lines(value, f"{under}{name}.")
        elif value is not None:
            yield f"{under}{name}: {json.dumps(value, ensure_ascii=False).strip(chr(34))}"
