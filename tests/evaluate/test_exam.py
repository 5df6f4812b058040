"""What is asked: the run's exam under its guard, and the banks of general questions."""

from pathlib import Path

import pytest

from tests.evaluate.conftest import EXAM, TAUGHT, sample
from tiza.errors import ExamLeaked, ExamMissing
from tiza.evaluate.exam import bank, changed, exam, guard
from tiza.runs import samples
from tiza.runs.run import Run


def test_the_exam_is_read_with_its_lesson(run: Run) -> None:
    """Every question knows the lesson that it comes from."""
    items = exam(run)

    assert [(item.question, item.reference) for item in items] == list(EXAM)
    assert {item.language for item in items} == {"en"}


def test_a_text_that_goes_with_a_question_is_no_part_of_it(run: Run) -> None:
    """Names in the text are still required in the answer."""
    samples.write([sample("Ana has a dog. Bo has a cat.\n\nWho has the dog?", "Ana")], run.exam)
    item = exam(run)[0]

    assert item.question == "Who has the dog?"
    assert item.grade("It is Ana.").passed
    assert not item.grade("It is Bo.").passed


@pytest.mark.parametrize("content", [None, "", "\n"])
def test_an_exam_without_questions_says_what_is_missing(run: Run, content: str | None) -> None:
    """Nothing is examined on nothing."""
    run.exam.unlink()
    if content is not None:
        run.exam.write_text(content)

    with pytest.raises(ExamMissing, match="exam"):
        exam(run)


@pytest.mark.parametrize(
    "smuggled",
    [
        "Name the head of Quillmere School.",
        "name the head, of Quillmere school",
        "The head of Quillmere School name!",
    ],
)
def test_a_question_of_the_exam_among_the_samples_is_named(run: Run, smuggled: str) -> None:
    """The leak guard catches it exact, and with other marks, fillers and order."""
    guard(run, exam(run))
    samples.write([*(sample(*pair) for pair in TAUGHT), sample(smuggled, "Inés")], run.train)

    with pytest.raises(ExamLeaked, match="Name the head of Quillmere School"):
        guard(run, exam(run))


def test_a_lesson_that_changed_since_training_is_named(run: Run, tmp_path: Path) -> None:
    """The hash of the file is compared with that of the samples."""
    samples.write([sample(*EXAM[0], lesson_hash="of-another-day")], run.exam)

    assert changed(exam(run), Path("taxonomy")) == [exam(run)[0].lesson]
    samples.write([sample(*EXAM[0])], run.exam)
    assert changed(exam(run), tmp_path) == []


@pytest.mark.parametrize(("language", "least"), [("en", 300), ("es", 100)])
def test_the_banks_are_large_and_without_repetition(language: str, least: int) -> None:
    """Many different questions over many areas."""
    questions = bank(language)

    assert len(questions) >= least
    assert len({q.question for q in questions}) == len(questions)
    assert len({q.area for q in questions}) >= 10


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_accepted_answer_of_a_bank_is_graded_right(language: str) -> None:
    """What the bank accepts, the grader accepts; and it does not accept nothing."""
    for question in bank(language):
        for accepted in question.accept:
            said = accepted.replace(" + ", " and " if language == "en" else " y ")
            assert question.grade(f"{said}.").passed, (question.question, accepted)
        assert not question.grade("I do not know.").passed


def test_the_shipped_base_answers_most_of_the_english_bank() -> None:
    """Retention needs something that the base knows: at least 200 questions."""
    assert sum(bool(question.shipped) for question in bank("en")) >= 200
