"""Pipelines: the shipped ones load; of a wrong file the first problem is told with its place."""

from pathlib import Path

import pytest

from tiza.errors import PipelineInvalid, PipelineNotFound
from tiza.generate.pipeline import FOLDER, SHIPPED, load
from tiza.generate.step import Do, Flow, Threshold
from tiza.translation import LANGUAGES

FULL = (FOLDER / "full.yaml").read_text()
SEEDS_STEP = "  - step: seeds\n    do: seeds\n"


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_pipeline_begins_with_the_own_pairs_when_loaded(name: str) -> None:
    """Every pipeline keeps the lesson's own pairs; only `seeds` needs no teacher."""
    pipeline = load(name)
    assert pipeline.name == name
    assert {path.stem for path in FOLDER.iterdir()} == set(SHIPPED)
    assert all(pipeline.flows[flow][0].do is Do.SEEDS for flow in Flow)
    assert pipeline.needs_teacher is (name != "seeds")


def test_full_pipeline_has_the_phases_of_lab_when_loaded() -> None:
    """Knowledge is judged three times; skills twice, once before they are answered."""
    flows = load("full").flows
    judged = {
        flow: [step.prompt for step in steps if step.do is Do.JUDGE]
        for flow, steps in flows.items()
    }
    assert judged == {
        Flow.KNOWLEDGE: ["faithfulness", "relevancy", "knowledge_question"],
        Flow.FREEFORM: ["skill_question", "skill_pair"],
        Flow.GROUNDED: ["skill_question", "skill_pair"],
    }
    made = [step.do for step in flows[Flow.GROUNDED] if step.do.multiplies or step.do is Do.ANSWERS]
    assert made == [Do.CONTEXTS, Do.QUESTIONS, Do.ANSWERS]


def test_file_of_the_user_is_a_pipeline_when_it_has_the_form(tmp_path: Path) -> None:
    """Thresholds and counts come from the file alone."""
    path = tmp_path / "mine.yaml"
    path.write_text(FULL.replace("accept: score >= 2", "accept: score > 0.5"))
    pipeline = load(str(path))
    assert pipeline.name == "mine"
    judge = next(s for s in pipeline.flows[Flow.KNOWLEDGE] if s.do is Do.JUDGE)
    assert judge.accept == Threshold(">", 0.5)
    assert [judge.accept.passes(score) for score in (0.5, 1)] == [False, True]


@pytest.mark.parametrize("name", ["nothing", "nothing.yaml", "../seeds", ""])
def test_name_is_refused_when_there_is_no_such_pipeline(name: str) -> None:
    """A name is one of the shipped ones or an existing file; the error lists them."""
    with pytest.raises(PipelineNotFound, match="seeds, simple, full"):
        load(name)


def line_of(text: str, nth: int = 1) -> int:
    """Return the line of the nth occurrence of a text in the full pipeline."""
    at = -1
    for _ in range(nth):
        at = FULL.index(text, at + 1)
    return FULL.count("\n", 0, at) + 1


WRONG = {
    "no key": ("description: The", "describe: The", 1, "describe", "description, knowledge"),
    "unknown key": ("    samples: 5", "    sample: 5", 0, "sample", "max_tokens"),
    "key of another kind": (
        "    accept: score >= 2",
        "    samples: 5\n    accept: score >= 2",
        0,
        "samples",
        "accept",
    ),
    "unknown kind": ("    do: judge", "    do: guess", 0, "do: guess", "judge"),
    "unknown prompt": (": faithfulness\n", ": faith\n", 0, "prompt: faith", "relevancy"),
    "no number": ("    samples: 5", "    samples: many", 0, "samples", "whole number from 1 to 50"),
    "too large": ("    samples: 5", "    samples: 500", 0, "samples", "from 1 to 50"),
    "half a sample": ("    samples: 5", "    samples: 2.5", 0, "samples", "whole number"),
    "no temperature": (
        "temperature: 0.7",
        "temperature: .nan",
        0,
        "temperature",
        "number from 0 to 2",
    ),
    "no threshold": ("accept: score >= 2", "accept: good", 0, "accept", "score >= 2"),
    "a list": ("    samples: 5", "    samples: [5]", 0, "samples", "whole number"),
    "name twice": ("step: relevancy ", "step: faithfulness ", 0, "faithfulness", "twice"),
    "key twice": ("    samples: 5\n", "    samples: 5\n    samples: 6\n", 1, "samples", "twice"),
    "no name": ("step: relevancy ", 'step: "" ', 0, "step", "a text"),
}


@pytest.mark.parametrize("case", WRONG)
def test_file_is_refused_with_its_place_when_something_is_wrong(case: str, tmp_path: Path) -> None:
    """The error says the file, the line, the key and what is expected there."""
    before, after, below, key, expected = WRONG[case]
    path = tmp_path / "mine.yaml"
    path.write_text(FULL.replace(before, after, 1))
    with pytest.raises(PipelineInvalid) as caught:
        load(str(path))
    line = line_of(before) + (below if case == "key twice" else 0)
    assert str(caught.value).startswith(f"{path}:{line}: {key}: ")
    assert expected in str(caught.value)
    assert all("{" not in caught.value.message(language) for language in LANGUAGES)


def steps(knowledge: str) -> str:
    """Return a pipeline with a flow of its own for knowledge."""
    rest = f"freeform_skill:\n{SEEDS_STEP}grounded_skill:\n{SEEDS_STEP}"
    return f"description: Mine\nknowledge:\n{knowledge}{rest}"


PAIRS = (
    "  - step: p\n    do: pairs\n    prompt: knowledge_pairs\n    samples: 2\n    max_tokens: 9\n"
)
JUDGE = (
    "  - step: j\n    do: judge\n    prompt: faithfulness\n"
    "    max_tokens: 9\n    accept: score >= 1\n"
)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "keys with values"),
        ("- a\n", 1, "keys with values"),
        ("a: [\n", 1, "YAML"),
        ("a: &x 1\nb: *x\n", 2, "another part of the file"),
        (steps("  - 1\n"), 3, "keys with values"),
        (steps("  []\n"), 3, "list of steps"),
        (steps(SEEDS_STEP) + "more: 1\n", 11, "not known"),
        ("description: Mine\n", 1, "knowledge: is missing"),
        (steps(PAIRS), 3, "must begin with the lesson's own pairs"),
        (steps(SEEDS_STEP + JUDGE), 5, "after a step that gives it a question"),
        (steps(SEEDS_STEP + PAIRS + PAIRS.replace("step: p", "step: q")), 10, "before the step"),
        (
            steps(SEEDS_STEP + PAIRS + "  - step: r\n    do: reword\n    samples: 1\n"),
            10,
            "before the steps that need the teacher",
        ),
        (
            steps(SEEDS_STEP + PAIRS.replace("pairs\n    p", "questions\n    p")),
            3,
            "must give an answer",
        ),
        (
            steps(SEEDS_STEP + PAIRS.replace("knowledge_pairs", "skill_pairs")),
            5,
            "needs what no step before it gives: context, task",
        ),
    ],
)
def test_file_is_refused_when_its_steps_do_not_fit(
    text: str, line: int, said: str, tmp_path: Path
) -> None:
    """What cannot work is told before a request is sent."""
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(PipelineInvalid) as caught:
        load(str(path))
    assert caught.value.data["line"] == line, str(caught.value)
    assert said in str(caught.value)
