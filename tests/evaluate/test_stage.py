"""The whole examination: two models, one run, one report."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from click.testing import CliRunner

from tests.evaluate.conftest import EXAM, TAUGHT, sample
from tests.evaluate.pretended import model
from tiza.cli.model import model as verbs
from tiza.errors import ExamLeaked, RunBusy
from tiza.evaluate.exam import bank
from tiza.evaluate.examined import Subject, subject
from tiza.evaluate.stage import Options, evaluate
from tiza.runs import samples
from tiza.runs.run import Run
from tiza.settings import Settings, load

RIGHT = {question.question: question.accept[0].replace(" + ", " and ") for question in bank("en")}
REFERENCES = dict(EXAM)
ENGLISH = Options(languages=("en",))


def knows_all(question: str) -> str:
    """Answer as the base: general questions right, nothing of the lesson."""
    return RIGHT.get(question, "I do not know.")


def learned(question: str) -> str:
    """Answer as a model that learned the lesson and forgot nothing."""
    return REFERENCES.get(question) or knows_all(question)


def over_trained(question: str) -> str:
    """Answer as a model that learned the lesson and little else is left."""
    return REFERENCES.get(question, "Inés Valcárcel.")


@contextmanager
def two(after: object) -> Iterator[tuple[Subject, Subject, list[str]]]:
    """Serve a base that knows everything general, and a new model."""
    assert callable(after)
    with model(knows_all) as (base, _), model(after) as (new, asked):
        yield Subject("new", url=new), Subject("base", url=base), asked


def settings(run: Run) -> Settings:
    """Return settings whose files are the test's own."""
    return load(var_path=run.path.parent.parent)


def test_a_model_that_learned_gets_its_report(run: Run) -> None:
    """Report, page and manifest are in the run, and every answer is kept."""
    with two(learned) as (new, base, asked):
        report = evaluate(new, base, run, settings(run), ENGLISH)
        again = evaluate(new, base, run, settings(run), ENGLISH)

    assert report["verdict"]["passed"]
    assert report["exam"]["overall"]["after"]["right"] == len(EXAM)
    assert report["retention"]["kept"]["value"] == 1
    assert len(asked) == len(set(asked))
    assert again["exam"] == report["exam"]
    assert json.loads((run.path / "report.json").read_text())["exam"] == report["exam"]
    assert "Ready for the class" in (run.path / "report.html").read_text()
    assert run.section("evaluate")["passed"] is True
    assert report["made"]["recipe"] == {"name": "tiny-cpu", "seed": 7}
    assert {path.name for path in (run.path / "answers").iterdir()} == {"new.jsonl", "base.jsonl"}


def test_an_over_trained_model_is_refused_with_the_forgotten_answers_named(run: Run) -> None:
    """The gate says why, and the report what was lost, one by one."""
    with two(over_trained) as (new, base, _asked):
        report = evaluate(new, base, run, settings(run), ENGLISH)
    failed = [check["name"] for check in report["gate"]["checks"] if not check["passed"]]
    lost = {answer["question"] for answer in report["retention"]["lost"]}

    assert failed == ["retention"]
    assert "What is the capital of Japan?" in lost
    assert len(lost) == len(RIGHT)


def test_a_question_smuggled_into_the_samples_stops_the_examination(run: Run) -> None:
    """The leak guard is asked before any model is."""
    samples.write([sample(*TAUGHT[0]), sample(*EXAM[2])], run.train)
    with two(learned) as (new, base, asked), pytest.raises(ExamLeaked, match="Who teaches"):
        evaluate(new, base, run, settings(run), ENGLISH)

    assert asked == []


def test_a_language_that_the_base_does_not_speak_is_left_out(run: Run) -> None:
    """Nobody can lose what they never knew: only a few questions are asked to find that out."""
    with two(learned) as (new, base, _asked):
        report = evaluate(new, base, run, settings(run), Options())
    languages = report["retention"]["languages"]

    assert languages["en"]["asked"] == len(RIGHT)
    assert languages["es"]["asked"] < 40
    assert languages["es"]["known"] <= 3


def test_a_run_that_another_process_works_on_is_left_alone(run: Run) -> None:
    """Two examinations do not mix their answers."""
    nobody = Subject("n", url="http://127.0.0.1:9")
    with run.locked(), pytest.raises(RunBusy):
        evaluate(nobody, nobody, run, settings(run), ENGLISH)


def test_a_model_that_lost_an_earlier_lesson_is_refused(run: Run) -> None:
    """What the model in use had right is counted again, lesson by lesson."""
    lesson = json.loads(run.exam.read_text().splitlines()[0])["metadata"]["lesson"]
    with two(knows_all) as (new, base, _asked):
        kept = Options(languages=(), earlier={lesson: 4}, limits={"exam_gain": 0.0})
        report = evaluate(new, base, run, settings(run), kept)

    [check] = [each for each in report["gate"]["checks"] if not each["passed"]]
    assert check["name"] == "earlier"
    assert check["reason"].startswith("0% of what earlier lessons taught")


def test_a_judge_grades_the_exam_a_second_time(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The verb shows the report as JSON, the judge's agreement in it."""
    monkeypatch.setenv("VAR_PATH", str(run.path.parent.parent))
    monkeypatch.setattr("tiza.evaluate.exam.bank", lambda _language: [])
    monkeypatch.setattr("tiza.evaluate.stage.bank", lambda _language: [])
    with two(learned) as (new, base, _), model(lambda _q: "Fine.\nScore: 5") as (judge, _):
        command = ["evaluate", new.url, "--base", base.url, "--judge-url", f"{judge}/v1", "--json"]
        done = CliRunner().invoke(verbs, command, catch_exceptions=False)

    assert done.exit_code == 0
    assert json.loads(done.stdout)["judge"]["same"]["right"] == len(EXAM)


def test_the_shipped_model_is_examined_by_an_engine_of_its_own(run: Run) -> None:
    """A model's files are enough: the engine is started and stopped, answers kept for next time."""
    samples.write([sample("What is the capital of Japan?", "Tokyo")], run.exam)
    shipped = subject("", settings(run))
    report = evaluate(shipped, shipped, run, settings(run), Options(languages=()))
    kept = list((run.path.parent.parent / "answers").glob("SmolLM2-*.jsonl"))

    assert report["exam"]["overall"]["after"] == report["exam"]["overall"]["before"]
    assert "Tokyo" in report["exam"]["answers"][0]["after"]["text"]
    assert len(kept) == 1
