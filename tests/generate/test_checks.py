"""Structural checks: each refuses what it is for, and lets honest pairs pass."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.generate.scripted import lesson
from tests.taxonomy.lessons import KNOWLEDGE, SIMPLE, SKILL, STARTER
from tiza.generate import checks
from tiza.generate.candidate import Candidate
from tiza.generate.checks import Checks
from tiza.generate.pipeline import load
from tiza.generate.step import Do, Flow, Step
from tiza.generate.units import language_of
from tiza.taxonomy.load import load as load_lessons

MILL = (
    "The mill of Arden stands by the river Tiv. It was built in 1871 and grinds wheat and rye "
    "from May to October. The miller is Mara Holt. Visitors are welcome on Sundays."
)
MOLINO = (
    "El molino de Arden está junto al río Tiv. Se construyó en 1871 y muele trigo y centeno de "
    "mayo a octubre. La molinera es Mara Holt. Los domingos se puede visitar."
)
FORM = next(step for step in load("full").flows[Flow.KNOWLEDGE] if step.do is Do.CHECK)


def judged(
    root: Path, question: str, answer: str, passage: str | None = MILL, text: str = KNOWLEDGE
) -> str | None:
    """Return the reason for which a pair is refused."""
    leaf = "knowledge/a/l" if passage is not None else "compositional_skills/a/l"
    source = lesson(root, text, leaf)
    flaw = Checks(source, language_of(source)).flaw(
        Candidate(source, (1,), "pairs", question, answer, passage=passage), FORM
    )
    if flaw is None:
        return None
    assert flaw[0].format(**flaw[1])
    return flaw[0]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("When was the mill of Arden built?", "The mill of Arden was built in 1871."),
        ("Who is the miller of Arden?", "Mara Holt."),
        ("Is the mill of Arden open on Sundays?", "Yes."),
        ("What does the mill of Arden grind?", "The mill grinds two cereals: wheat and rye."),
        ("Which document names the miller?", "The miller of Arden is Mara Holt."),
    ],
)
def test_pair_passes_when_it_is_taken_from_the_passage(
    question: str, answer: str, tmp_path: Path
) -> None:
    """What an honest teacher writes is not refused."""
    assert judged(tmp_path, question, answer) is None


@pytest.mark.parametrize(
    ("question", "answer", "reason"),
    [
        ("Who is the miller? " * 99, "Mara Holt.", checks.LONG_QUESTION),
        ("Who is the miller?", "Mara Holt. " * 999, checks.LONG_ANSWER),
        (
            "Who is the miller?",
            "As an AI language model, I know no millers.",
            checks.REFUSAL,
        ),
        ("Who is the miller?", "I'm sorry, but I can't help with that.", checks.REFUSAL),
        ("Who is the miller, according to the passage?", "Mara Holt.", checks.SOURCE),
        ("Who is the miller?", "The document above says that it is Mara Holt.", checks.SOURCE),
        ("Who is the miller in the given text?", "Mara Holt.", checks.SOURCE),
        ("Who is the miller?", "The passage does not say who the miller is.", checks.SOURCE),
        (
            "Who is the miller?",
            "La molinera de Arden es Mara Holt, que vive en el molino y está muy contenta.",
            checks.LANGUAGE,
        ),
        ("Who is the miller?", "磨坊主是玛拉·霍尔特，她住在河边的磨坊里。", checks.LANGUAGE),  # noqa: RUF001  # Chinese
        (
            "Who is the miller?",
            "La meunière de ce moulin est Mara Holt, et elle moud du blé et du seigle pour tous "
            "ceux qui habitent ici et veulent cuire leur propre pain chaque matin.",
            checks.LANGUAGE,
        ),
        ("What is the capital of France?", "Paris.", checks.UNRELATED),
        ("What does the mill grind?", "Barley, oats and maize.", checks.UNSUPPORTED),
        ("When was the mill built?", "The mill of Arden was built in 1872.", checks.UNSUPPORTED),
    ],
)
def test_pair_is_refused_when_it_is_wrong(
    question: str, answer: str, reason: str, tmp_path: Path
) -> None:
    """Each check refuses what it is for, under its own name."""
    assert judged(tmp_path, question, answer) == reason


@pytest.mark.parametrize(
    ("question", "answer", "reason"),
    [
        ("¿Cuándo se construyó el molino?", "El molino se construyó en 1871.", None),
        ("¿Quién es la molinera?", "Según el texto, la molinera es Mara Holt.", checks.SOURCE),
        ("¿Quién es la molinera?", "Como modelo de lenguaje, no lo sé.", checks.REFUSAL),
        (
            "¿Quién es la molinera?",
            "The miller of the mill that stands by the river is Mara Holt.",
            checks.LANGUAGE,
        ),
    ],
)
def test_pair_is_checked_in_spanish_when_the_lesson_is(
    question: str, answer: str, reason: str | None, tmp_path: Path
) -> None:
    """The same rules hold for a Spanish lesson."""
    spanish = f"language: es\n{SIMPLE}"
    for topic in ("river", "mountain", "island", "desert", "forest"):
        spanish = spanish.replace(f"Where does the {topic} end?", f"¿Dónde acaba {topic}?")
        spanish = spanish.replace(f"The {topic} ends at point", f"Acaba en {topic}")
    assert judged(tmp_path, question, answer, MOLINO, spanish) == reason


def test_lesson_decides_when_its_own_pairs_do_what_is_refused_elsewhere(tmp_path: Path) -> None:
    """A lesson that speaks of a text, or teaches another language, may go on doing so."""
    source = ("Who is the miller, according to the passage?", "Mara Holt.")
    own = KNOWLEDGE.replace("What stands by the river in Arden?", "What, according to the text?")
    assert judged(tmp_path, *source) == checks.SOURCE
    assert judged(tmp_path, *source, text=own) is None

    spanish = ("Translate: the mill", "El molino que está en la orilla del río y que muele trigo.")
    assert judged(tmp_path, *spanish, passage=None, text=SKILL) == checks.LANGUAGE
    own = SKILL.replace("The river ends at point 0.", "El río acaba donde está la mar y no más.")
    assert judged(tmp_path, *spanish, passage=None, text=own) is None


def test_skills_may_speak_of_texts_and_give_orders_when_checked(tmp_path: Path) -> None:
    """An exercise is an order by nature; in a skill nothing is compared with a passage."""
    pair = ("Answer only with a number: how much is 3 + 4, given the text above?", "Seven.")
    assert judged(tmp_path, *pair, passage=None, text=SKILL) is None


@pytest.mark.parametrize("name", ["simple", "full"])
def test_own_pairs_of_the_starter_lessons_pass_the_checks(name: str) -> None:
    """What teachers wrote is the measure: hardly any of it would be refused."""
    flows, flaws, count = load(name).flows, [], 0
    for source in load_lessons([STARTER], STARTER):
        own = Checks(source, language_of(source))
        for example in source.examples:
            flow = Flow.KNOWLEDGE if source.is_knowledge else Flow.FREEFORM
            step: Step = [each for each in flows[flow] if each.do is Do.CHECK][-1]
            pair = Candidate(source, (1,), "pairs", example.question, example.answer)
            passage = example.context or f"{example.question}\n{example.answer}"
            if source.is_knowledge:
                pair = replace(pair, passage=passage)
            count += 1
            flaws += [(source.path, flaw, example.answer)] if (flaw := own.flaw(pair, step)) else []
    assert count > 300
    assert len(flaws) <= 0.01 * count, flaws
