"""Open benchmarks through a program that is found on the PATH.

The program here speaks as lm-evaluation-harness 0.4 does: it takes its command line, asks the
endpoint, and writes its file of results.
"""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.evaluate.conftest import EXAM
from tests.evaluate.pretended import model
from tests.evaluate.test_stage import ENGLISH, knows_all, learned, settings
from tiza.errors import HarnessFailed, HarnessMissing
from tiza.evaluate.examined import Subject
from tiza.evaluate.harness import PROGRAM, Benchmarks
from tiza.evaluate.report import lines
from tiza.evaluate.stage import evaluate
from tiza.runs.run import Run

STANDS_IN = """#!{python}
import json, pathlib, sys, urllib.request
flags = dict(zip(sys.argv[1::1], sys.argv[2::1]))
args = dict(pair.split("=", 1) for pair in flags["--model_args"].split(","))
tasks = flags["--tasks"].split(",")
print("asked for", *tasks, flush=True)
if "unknown" in tasks:
    sys.exit(3)
ask = {{"model": args["model"], "messages": [{{"role": "user", "content": {question!r}}}]}}
request = urllib.request.Request(
    args["base_url"], json.dumps(ask).encode(), {{"Content-Type": "application/json"}}
)
said = json.load(urllib.request.urlopen(request))["choices"][0]["message"]["content"]
right = float({answer!r} in said)
found = {{"alias": "t", "exact_match,none": right, "exact_match_stderr,none": "N/A"}}
out = pathlib.Path(flags["--output_path"], "some_model")
out.mkdir(parents=True)
document = {{"results": {{task: found for task in tasks}}}}
(out / "results_2026-01-01T00-00-00.json").write_text(json.dumps(document))
"""


@pytest.fixture
def harness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the program on the PATH; its one question is one of the lesson's exam."""
    question, answer = dict(EXAM).popitem()
    program = tmp_path / "programs" / PROGRAM
    program.parent.mkdir()
    words = {"python": sys.executable, "question": question, "answer": answer}
    program.write_text(STANDS_IN.format(**words))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))


def examined(run: Run, *tasks: str) -> dict[str, object]:
    """Examine a model that learned, with open benchmarks."""
    options = replace(ENGLISH, benchmarks=Benchmarks(tasks))
    with model(knows_all) as (base, _), model(learned) as (new, _):
        models = Subject("new", url=new), Subject("base", url=base)
        return evaluate(*models, run, settings(run), options)


@pytest.mark.usefixtures("harness")
def test_open_benchmarks_stand_in_the_report_when_they_are_asked_for(run: Run) -> None:
    """Both models take them, once: a second examination reads what the first one got."""
    report = examined(run, "facts", "more")
    row = {"metric": "exact_match", "before": 0.0, "after": 1.0}
    assert report["benchmarks"] == [{"task": "facts", **row}, {"task": "more", **row}]
    assert "  facts (exact_match): 0.000 → 1.000" in list(lines(report, "en"))
    assert "facts · exact_match" in (run.path / "report.html").read_text()
    assert examined(run, "facts")["benchmarks"] == [{"task": "facts", **row}]


@pytest.mark.usefixtures("harness")
def test_failure_is_told_when_the_program_brings_nothing(run: Run) -> None:
    """The sentence names the status and the file with the program's words."""
    with pytest.raises(HarnessFailed, match="status 3") as caught:
        examined(run, "unknown")
    assert "asked for unknown" in Path(str(caught.value.data["path"])).read_text()


def test_nothing_is_asked_when_the_program_is_missing(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Before hours of questions the person learns what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with model(knows_all) as (url, asked):
        model_there = Subject("m", url=url)
        options = replace(ENGLISH, benchmarks=Benchmarks(["facts"]))
        with pytest.raises(HarnessMissing, match="lm_eval"):
            evaluate(model_there, model_there, run, settings(run), options)
        assert not asked
