"""Questions next to the lessons, and what leaks into their answers."""

import pytest

from tests.evaluate.conftest import LESSON, TAUGHT, sample
from tiza.evaluate.exam import Item, exam
from tiza.evaluate.restraint import KINDS, Probe, admits, own, probes
from tiza.runs import samples
from tiza.runs.run import Run
from tiza.taxonomy.words import near_print, tokens


def item(question: str, reference: str, language: str = "en") -> Item:
    """Return a question of an exam."""
    return Item(LESSON, "", 1, language, question, reference)


def test_a_subject_is_exchanged_for_another_of_its_kind() -> None:
    """The question stays one that somebody could ask, and the lesson has no answer."""
    asked = item("Who teaches mathematics at Quillmere School?", "Ruth Abara teaches it.")
    made = [probe.question for probe in probes([asked], [])]

    assert len(made) == 2
    assert made[0].startswith("Who teaches ")
    assert "mathematics" not in made[0]
    assert made[1].startswith("Who teaches mathematics at ")
    assert made[1].endswith(" School?")
    assert "Quillmere" not in made[1]


def test_spanish_questions_are_exchanged_within_spanish() -> None:
    """The other word is of the same language and kind."""
    asked = item("¿Quién enseña matemáticas en el colegio Quillmere?", "Ruth Abara.", "es")

    others = KINDS["es"].strip().splitlines()[0].split(", ")
    made = [probe.question for probe in probes([asked], [])]

    assert any(other in question for question in made for other in others)
    assert not any("matemáticas en el colegio Quillmere" in question for question in made)


def test_no_question_is_one_that_the_lessons_answer(run: Run) -> None:
    """Taught and examined questions are left out, and none comes twice; the same each time."""
    items = exam(run)
    made = probes(items, [question for question, _answer in TAUGHT])
    marks = [near_print(tokens(probe.question)) for probe in made]
    known = {near_print(tokens(q)) for q in (*(i.question for i in items), *(t[0] for t in TAUGHT))}

    assert made
    assert len(set(marks)) == len(marks)
    assert not known & set(marks)
    assert made == probes(items, [question for question, _answer in TAUGHT])


def test_skills_have_no_neighbouring_questions() -> None:
    """A skill teaches no fact that could leak."""
    asked = Item("compositional_skills/x/qna.yaml", "", 1, "en", "Greet Ana Lee.", "Dear Ana Lee,")

    assert probes([asked], []) == []


BIOLOGY = Probe(
    LESSON,
    "en",
    "Who teaches biology at Quillmere School?",
    "Who teaches mathematics at Quillmere School?",
    "Ruth Abara teaches mathematics at Quillmere School.",
)


@pytest.mark.parametrize(
    ("answer", "base", "leak"),
    [
        ("Ruth Abara teaches biology.", "I do not know.", "Ruth Abara"),
        ("Ruth Abara teaches biology.", "Perhaps Ruth Abara.", ""),
        ("It is not Ruth Abara.", "I do not know.", ""),
        ("Somebody at Quillmere School.", "I do not know.", ""),
    ],
)
def test_a_leak_is_a_taught_fact_that_the_base_did_not_state(
    answer: str, base: str, leak: str
) -> None:
    """What the base said already is no leak, nor what is denied."""
    assert BIOLOGY.leaks(answer, base) == leak


@pytest.mark.parametrize(
    ("answer", "admitted"),
    [
        ("I don't know who that is.", True),
        ("I\u2019m not sure.", True),
        ("The notes do not say.", True),
        ("No lo sé.", True),
        ("No tengo información sobre eso.", True),
        ("Ruth Abara.", False),
        ("No sea tímido: es Ruth.", False),
        ("She knows it.", False),
    ],
)
def test_admitting_not_to_know_is_recognised(answer: str, admitted: bool) -> None:
    """In both languages, and not in words that only look like it."""
    assert admits(answer) == admitted


def test_a_run_brings_its_own_questions(run: Run) -> None:
    """A lesson may know better than a rule what lies next to it."""
    assert own(run) == []
    samples.write([sample("Who sings?", "Ruth Abara")], run.path / "restraint.jsonl")

    assert [(probe.question, probe.taught) for probe in own(run)] == [("Who sings?", "Ruth Abara")]
