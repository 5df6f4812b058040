"""The report card: its data, its page, its short form."""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tiza.errors import ReportUnreadable
from tiza.evaluate.ask import Answer
from tiza.evaluate.exam import General, Item
from tiza.evaluate.gate import check, thresholds
from tiza.evaluate.page import page
from tiza.evaluate.report import Graded, Measured, Probed, build, figures, lines, read
from tiza.evaluate.restraint import Probe

HOSTILE = "<img src=x onerror=alert(1)>{{style}}</style><script>alert(2)</script>"
LESSON = "knowledge/science/earth_sciences/water_cycle/es/qna.yaml"
STEPS = [
    {"stage": "train", "event": "step", "step": n, "loss": 3 / n, "replay_loss": 0.1}
    for n in range(1, 50)
]


def graded(item: Item | General, before: str, after: str) -> Graded:
    """Return a question with two answers."""
    first, second = Answer(item.question, before), Answer(item.question, after)
    return Graded(item, first, second, item.grade(before), item.grade(after))


def report(
    said: str = "Ruth Abara", *, forgets: bool = False, leaks: bool = False, probes: int = 5
) -> dict[str, Any]:
    """Return the report of a model that says `said` in the exam."""
    item = Item(LESSON, "ab" * 32, 3, "en", "Who teaches?", "Ruth Abara teaches.")
    known = [General(f"What is {n} plus 1?", (str(n + 1),), "sums", "en") for n in range(2, 12)]
    answers = ["Old Bess" if forgets and n % 2 else str(n + 3) for n in range(10)]
    probe = Probe(LESSON, "en", "Who sings?", item.question, item.reference)
    sung = Answer("Who sings?", "Ruth Abara." if leaks else "I do not know.")
    measured = Measured(
        [graded(item, "I do not know.", said)] * 4,
        [graded(q, str(n + 3), a) for n, (q, a) in enumerate(zip(known, answers, strict=True))],
        [Probed(probe, Answer("", "No idea."), sung, probe.leaks(sung.text, "No idea."))] * probes,
    )
    made = {
        "model": "samples_1",
        "base": "base",
        "lessons": [{"lesson": LESSON, "hash": "ab" * 32, "changed": True}],
        "recipe": {"lora_r": 16},
    }
    return build(measured, check(figures(measured, {}), thresholds()), made)


def test_a_model_that_learned_and_kept_is_ready() -> None:
    """The verdict is a sentence that a teacher understands."""
    made = report()

    assert made["verdict"]["passed"]
    assert made["verdict"]["sentence"]["en"] == (
        "It learned: 4 of 4 exam questions are right, 0 before. "
        "It still knows 10 of the 10 things that it knew. What it learned stays where it belongs."
    )
    assert made["exam"]["worst"] == []
    assert made["retention"]["lost"] == []


def test_a_model_that_forgot_is_refused_and_what_it_lost_is_named() -> None:
    """Forgetting is shown one by one, with both answers."""
    made = report(forgets=True)
    lost = [
        (a["question"], a["before"]["text"], a["after"]["text"]) for a in made["retention"]["lost"]
    ]

    assert not made["verdict"]["passed"]
    assert "It forgot too much" in made["verdict"]["sentence"]["en"]
    assert lost[0] == ("What is 3 plus 1?", "4", "Old Bess")
    assert len(lost) == 5


def test_a_model_that_leaks_is_refused() -> None:
    """A taught fact in a wrong place counts."""
    made = report(leaks=True)

    assert [c["name"] for c in made["gate"]["checks"] if not c["passed"]] == ["leak"]
    assert made["restraint"]["answers"][0]["leak"] == "Ruth Abara"


def test_a_few_neighbouring_questions_tell_nothing() -> None:
    """One leak of one is no share."""
    assert report(leaks=True, probes=4)["verdict"]["passed"]


def test_wrong_answers_come_worst_first() -> None:
    """Every answer keeps its reason in both languages."""
    made = report("Nobody does.")
    first = made["exam"]["answers"][made["exam"]["worst"][0]]

    assert first["after"]["why"]["en"] == "does not say Ruth Abara"
    assert set(first["after"]["why"]) == {"en", "es"}


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_page_is_whole_and_alone(language: str) -> None:
    """One file with every part: no script, no address, its style allowed by its hash alone."""
    html = page(report(), STEPS, language)
    style = html.split("<style>")[1].split("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    assert f'<html lang="{language}">' in html
    assert f"style-src 'sha256-{digest}'" in html
    assert "default-src 'none'" in html
    assert "<script" not in html
    assert not re.search(r"(?:src|href|url)\s*[=(]|https?://", html)
    assert not re.search(r"{{|}}", html.replace(style, ""))
    assert 'class="line lessons"' in html
    assert 'class="line replay"' in html
    assert "Water cycle (es)" in html
    assert f'id="{language}" checked' in html


def test_what_a_model_says_is_text_on_the_page() -> None:
    """Neither an answer nor a lesson can become a part of the page."""
    html = page(report(HOSTILE), [])

    assert "&lt;img src=x onerror=alert(1)&gt;{{style}}" in html
    assert "<img" not in html
    assert "<script" not in html


def test_a_page_without_training_has_no_curve() -> None:
    """An endpoint may be examined that nobody here has trained."""
    assert 'class="line' not in page(
        report(), [{"stage": "train", "loss": float("nan"), "step": 1}]
    )


def test_the_short_form_shows_lessons_and_gate() -> None:
    """The terminal says the same as the page."""
    said = "\n".join(lines(report(forgets=True), "en"))

    assert said.startswith("✗ It learned: 4 of 4")
    assert f"{LESSON}      0/4      4/4" in said
    assert "✗ 50% of what the model knew is still there; at least 90% is asked for" in said


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema_version": 0}', '{"schema_version": 99}']
)
def test_a_report_of_another_version_is_refused(tmp_path: Path, text: str) -> None:
    """Neither older nor newer reports are misread."""
    path = tmp_path / "report.json"
    path.write_text(text)
    with pytest.raises(ReportUnreadable, match="tiza model evaluate"):
        read(path)
    path.write_text(json.dumps(report()))
    assert read(path)["verdict"]["passed"]
