"""The whole loop on a tiny model: every stage is real, only the questions are few."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.models.tiny import make
from tiza.cli.verbs import tiza
from tiza.errors import ExamMissing, NotPromoted
from tiza.evaluate.exam import General
from tiza.models.lineup import line_up
from tiza.models.pack import pack
from tiza.runs.run import runs

QUESTIONS = ["what is a list?", "what keeps things?"]
LESSON = """\
version: 3
created_by: tests
language: en
domain: lists
task_description: what a {name} is
seed_examples:
{pairs}
exam:
  - question: say what the {name} 7 is, please?
    answer: the {name} 7 is thing 14
"""
PAIR = "  - question: what is the {name} {n}?\n    answer: the {name} {n} is thing {m}\n"
RECIPE = """\
method: lora
learning_rate: 0.01
num_epochs: 2
batch_size: 4
micro_batch_tokens: 256
warmup: 0.1
weight_decay: 0.0
max_grad_norm: 1.0
max_length: 512
over_long: drop
lora_r: 4
replay_ratio: 0.5
replay_weight: 0.3
gate: {{ exam_gain: {gain} }}
"""


def write_lesson(taxonomy: Path, name: str, *, exam: bool = True) -> Path:
    """Write a lesson of a few pairs."""
    path = taxonomy / "knowledge" / name / "qna.yaml"
    path.parent.mkdir(parents=True)
    pairs = "".join(PAIR.format(name=name, n=n, m=2 * n) for n in range(6))
    text = LESSON.format(name=name, pairs=pairs)
    path.write_text(text if exam else text.partition("exam:")[0])
    return path


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Prepare a place with a tiny model in use, one lesson and a lenient recipe."""
    model = make(tmp_path / "models" / "tiny")
    pack(model, model / "model.gguf", "f32")
    (tmp_path / "models" / ".active").write_text("tiny\n")
    write_lesson(tmp_path / "taxonomy", "list")
    (tmp_path / "lenient.yaml").write_text(RECIPE.format(gain=0.0))
    (tmp_path / "strict.yaml").write_text(RECIPE.format(gain=1.0))
    general = [General(question, ("things",), "words", "en") for question in QUESTIONS]
    monkeypatch.setattr("tiza.evaluate.stage.bank", lambda lang: general if lang == "en" else [])
    monkeypatch.setattr("tiza.generate.brief.questions_for", lambda _base: QUESTIONS)
    monkeypatch.setenv("VLLM_MAX_MODEL_LEN", "512")
    monkeypatch.setenv("SYSTEM_PROMPT", "what is it?")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def teach(*flags: str, recipe: str = "lenient.yaml") -> Result:
    """Call the verb as a person does."""
    command = ["teach", "--recipe", recipe, "--pipeline", "seeds", *flags]
    return CliRunner().invoke(tiza, command, catch_exceptions=False)


def record(house: Path, name: str) -> dict[str, object]:
    """Return what the store knows of a model."""
    document: dict[str, object] = json.loads((house / "models" / name / "tiza.json").read_text())
    return document


def test_teach_ends_with_a_model_that_serves(house: Path) -> None:
    """In every form: merged weights, a GGUF, and the adapter that is served over its base."""
    done = teach("--json")
    facts = json.loads(done.stdout)
    folder = house / "models" / "samples_0"

    assert done.exit_code == 0
    assert facts["model"] == "samples_0"
    assert Path(facts["report"]).is_file()
    assert list(facts["seconds"]) == [
        "check",
        "generate",
        "train",
        "evaluate",
        "convert",
        "promote",
    ]
    names = {"config.json", "model.safetensors", "tokenizer.json", "model.gguf", "tiza.json"}
    assert names <= {path.name for path in folder.iterdir()}
    lineup = line_up("", house / "models")
    assert lineup.active == "samples_0"
    assert lineup.base.name == "tiny"
    assert record(house, "samples_0")["forced"] is False


def test_teach_does_nothing_twice(house: Path) -> None:
    """The same command finds the run, the adapter, the answers and the model again."""
    first, again = teach(), teach()

    assert first.exit_code == again.exit_code == 0
    assert len(runs(house / "var" / "runs")) == 1
    assert "samples_0 answers from now on." in again.stdout
    assert not (house / "models" / "samples_1").exists()


def test_teach_keeps_the_old_model_when_the_new_one_fails_until_it_is_forced(house: Path) -> None:
    """The gate refuses and says why; `--force` goes on from there, and is recorded."""
    with pytest.raises(NotPromoted, match=r"the exam got better by .*; at least 100%"):
        teach(recipe="strict.yaml")
    assert line_up("", house / "models").active == "tiny"
    assert not (house / "models" / "samples_0").exists()

    done = teach("--force", recipe="strict.yaml")

    assert done.exit_code == 0
    assert len(runs(house / "var" / "runs")) == 1
    assert line_up("", house / "models").active == "samples_0"
    assert record(house, "samples_0")["forced"] is True


def test_teach_goes_on_when_it_was_stopped_in_a_stage(
    house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is done stays done: the run of the first call is the run of the second."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("tiza.teach.examine", stop)
        assert teach().exit_code == 130

    assert teach().exit_code == 0
    assert len(runs(house / "var" / "runs")) == 1


def test_teach_keeps_what_was_taught_before(house: Path) -> None:
    """The lessons of the model in use are taught again with the new one, and examined."""
    assert teach().exit_code == 0
    second = write_lesson(house / "taxonomy", "thing")

    assert teach(str(second)).exit_code == 0

    lessons = record(house, "samples_1")["lessons"]
    assert isinstance(lessons, dict)
    assert set(lessons) == {"knowledge/list", "knowledge/thing"}
    report = json.loads((runs(house / "var" / "runs")[-1].path / "report.json").read_text())
    assert [row["lesson"] for row in report["exam"]["lessons"]] == sorted(lessons)
    assert line_up("", house / "models").base.name == "tiny"


def test_teach_asks_for_an_exam_before_anything_else(house: Path) -> None:
    """Nothing is trained that could not be examined."""
    lesson = write_lesson(house / "other", "thing", exam=False)
    with pytest.raises(ExamMissing, match="thing"):
        teach(str(lesson), "--taxonomy-path", str(house / "other"))

    assert not (house / "var" / "runs").exists()
