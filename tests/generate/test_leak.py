"""The leak guard, on the exam questions that come with Tiza."""

from pathlib import Path

import pytest

from tiza.generate.leak import TOO_CLOSE, ExamQuestion, LeakGuard, exam_questions
from tiza.generate.rewordings import reword
from tiza.taxonomy.lesson import Lesson
from tiza.taxonomy.load import load
from tiza.taxonomy.words import plain

TAXONOMY = Path(__file__).parents[2] / "taxonomy"
LEAD_INS = [
    "Please tell me: ",
    "I have a question for my homework. ",
    "Por favor, dime: ",
    "Hola. ",
]


def halves_swapped(text: str) -> str:
    """Return the second half of the words before the first."""
    words = text.split()
    half = len(words) // 2
    return " ".join(words[half:] + words[:half])


@pytest.fixture(scope="module")
def lessons() -> list[Lesson]:
    """Return the lessons that come with Tiza."""
    return list(load([TAXONOMY], TAXONOMY))


@pytest.fixture(scope="module")
def guard(lessons: list[Lesson]) -> LeakGuard:
    """Guard the exams of them all."""
    return LeakGuard(exam_questions(lessons))


def test_guard_catches_every_disguise_of_an_exam_question(
    guard: LeakGuard, lessons: list[Lesson]
) -> None:
    """Copies, other case, no accents, no marks, lead-ins and other order are all caught."""
    for exam in exam_questions(lessons):
        disguises = [exam.question, exam.question.upper(), halves_swapped(exam.question)]
        disguises += [plain(exam.question).lower().strip("¿?.")]
        disguises += [lead_in + exam.question for lead_in in LEAD_INS]
        for text in disguises:
            leak = guard.nearest(text, exam.context)
            assert leak is not None, text
            assert leak.similarity >= TOO_CLOSE


def test_guard_lets_every_seed_paraphrase_and_rewording_pass(
    guard: LeakGuard, lessons: list[Lesson]
) -> None:
    """What the starter lessons teach stays below the threshold: their exams use other words."""
    for lesson in lessons:
        for example in lesson.examples:
            context = None if lesson.is_knowledge else example.context
            rewordings = reword(example.question, lesson.language or "en", 3, 0)
            for text in (example.question, *example.paraphrases, *rewordings):
                assert guard.nearest(text, context) is None, text


def test_guard_says_which_exam_question_and_where() -> None:
    """The leak names the most alike question, its lesson and line."""
    exam = [
        ExamQuestion("When does the gym open?", None, Path("a/qna.yaml"), 7),
        ExamQuestion("When does the library open?", None, Path("b/qna.yaml"), 9),
    ]
    leak = LeakGuard(exam).nearest("tell me when does the library open", None)
    assert leak is not None
    assert leak.exam == exam[1]
    assert leak.data()["path"] == "b/qna.yaml"
    assert leak.data()["line"] == 9


def test_guard_compares_questions_about_the_same_context_only() -> None:
    """The same words about another text ask something else; about the same text they leak."""
    text = "The chess club meets on Monday at five in room 12. Bring a board."
    other = "Bakers of Lund sold forty loaves before noon, more than ever in winter."
    guard = LeakGuard([ExamQuestion("When does it start?", text, Path("qna.yaml"), 3)])
    assert guard.nearest("When does it start?", text.upper()) is not None
    assert guard.nearest("When does it start?", other) is None
    assert guard.nearest("What must be brought?", text) is None
    assert guard.nearest(f"{text} When does it start?", None) is not None
