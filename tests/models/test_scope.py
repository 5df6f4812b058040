"""The scope of an adapter: which questions were taught, told by their words."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tiza.models.features import features
from tiza.models.scope import Scope, learn, with_notes
from tiza.runs.samples import Sample

WHERE = "knowledge/invented/railway"
FACTS = {
    "Who founded the Halden railway?": "The Halden railway was founded by Marta Quenby.",
    "Which person started the Halden railway?": "The Halden railway was founded by Marta Quenby.",
    "When did the Halden railway open?": "The Halden railway opened in 1904.",
    "In which year was the Halden railway opened?": "The Halden railway opened in 1904.",
    "How long is the Halden railway?": "The Halden railway is 62 kilometres long.",
    "What river does the Halden railway cross?": "The Halden railway crosses the river Senna.",
}
GENERAL = {
    "What is the capital of France?": "The capital of France is Paris.",
    "Who wrote Don Quixote?": "Don Quixote was written by Miguel de Cervantes.",
    "How many days are there in a week?": "There are seven days in a week.",
    "What is the largest planet?": "The largest planet is Jupiter.",
    "Who founded the Copperton railway?": "I do not know who founded it.",
    "¿Qué idioma se habla en Brasil?": "En Brasil se habla portugués.",
}


def sample(question: str, answer: str, **about: str) -> Sample:
    """Return one pair as a run has it."""
    turns = {"role": "user", "content": question}, {"role": "assistant", "content": answer}
    return Sample(turns, about, question)


def rows(lesson: str = WHERE) -> Iterator[Sample]:
    """Yield the samples of a small run."""
    yield from (sample(*pair, mix="lesson", lesson=lesson) for pair in FACTS.items())
    yield from (sample(*pair, mix="replay") for pair in GENERAL.items())


@pytest.fixture(scope="module")
def scope() -> Scope:
    """Learn the scope of the railway."""
    learned = learn(rows())
    assert learned is not None
    return learned


@pytest.mark.parametrize(
    "question",
    [
        "To whom does the Halden railway owe its beginning?",
        "by whom was the HALDEN railway set up",
        "From end to end, how many kilometres of track has the Halden railway?",
    ],
)
def test_scope_covers_a_lesson_when_it_is_asked_in_other_words(scope: Scope, question: str) -> None:
    """What was never asked in these words still belongs to the lesson."""
    assert scope.covers(question)


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of Italy?",
        "Who founded the Fenwater railway?",
        "To whom does the Wexcombe railway owe its beginning?",
        "Hello!",
        "",
        "¿Quién escribió Hamlet?",
    ],
)
def test_scope_leaves_all_else_to_the_base(scope: Scope, question: str) -> None:
    """Other subjects, the same question about another name, and nothing at all."""
    assert not scope.covers(question)


def test_scope_reads_a_question_with_the_one_that_it_leans_on(scope: Scope) -> None:
    """Only one that points back does; a new subject is a new subject."""
    before = "Who founded the Halden railway?"

    assert scope.covers("And when did it open?", before)
    assert not scope.covers("And when did it open?")
    assert not scope.covers("What is the capital of France?", before)


@pytest.mark.parametrize("lesson", ["compositional_skills/writing/email", "foundational_skills/a"])
def test_scope_is_everything_when_skills_are_taught(lesson: str) -> None:
    """A skill goes with any subject; and without replay there is nothing to tell lessons from."""
    assert learn(rows(lesson)) is None
    assert learn(each for each in rows() if each.metadata["mix"] == "lesson") is None


def test_note_is_the_nearest_taught_answer(scope: Scope) -> None:
    """Found by the words of the answer and of its questions; none where nothing is near."""
    note = "The Halden railway crosses the river Senna."

    assert scope.noted("Which river flows below it?") == f"{note}\n\nWhich river flows below it?"
    assert scope.noted("And which one?", "What river does the Halden railway cross?").startswith(
        note
    )
    assert scope.noted("Hello!") == "Hello!"


def test_notes_are_trained_as_they_will_be_asked() -> None:
    """Every second question of a lesson has one, found without its own words; replay has none."""
    samples = list(rows())
    noted = list(with_notes(samples))

    changed = [n for n, pair in enumerate(zip(samples, noted, strict=True)) if pair[0] != pair[1]]
    assert changed == [0, 2, 4]
    assert noted[0].messages[0]["content"].endswith("\n\nWho founded the Halden railway?")
    assert all(new.messages[1] == old.messages[1] for new, old in zip(noted, samples, strict=True))


def test_scope_is_the_same_when_it_was_written_and_read(scope: Scope, tmp_path: Path) -> None:
    """And the same samples make the same scope."""
    scope.write(tmp_path / "scope.json")

    assert Scope.read(tmp_path / "scope.json") == scope == learn(rows())


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"schema": 9}', '{"schema": 1, "bias": 0}'])
def test_scope_is_none_when_its_file_is_damaged(content: str, tmp_path: Path) -> None:
    """The adapter then answers everything, as it would without one."""
    (tmp_path / "scope.json").write_text(content)

    assert Scope.read(tmp_path / "scope.json") is None
    assert Scope.read(tmp_path / "nowhere.json") is None


def test_features_are_stems_and_pairs_without_the_words_that_tell_nothing() -> None:
    """Accents, case and endings aside."""
    assert features("¿Qué es la Fotosíntesis de las plantas?") == [
        "fotosi",
        "planta",
        "fotosi planta",
    ]
