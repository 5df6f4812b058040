"""The leak guard: no question of an exam, nor one that is nearly it, becomes training data.

An exam that was trained on measures nothing. Where a lesson's own seed is too close to its exam,
the training side loses. Knows no pipeline and no answer.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tiza.generate.similar import Index, similarity
from tiza.taxonomy.lesson import Lesson
from tiza.translation import N_

# From here on a question gives an exam question away. Measured on the starter taxonomy (see the
# test): an exam question in other case, without accents or marks, with a lead-in or with its halves
# swapped stays above 0.83; the seeds, paraphrases and rewordings of the same lesson, which ask for
# the same facts in other words, reach 0.76 at most, and one in a hundred 0.41.
TOO_CLOSE = 0.8
SAME_CONTEXT = 0.8
REASON = N_(
    "It is too close to the exam question “{exam}” ({path}:{line}), {percent} % alike, "
    "and the exam must stay unseen."
)


class ExamQuestion(NamedTuple):
    """A question that may not be trained on, and where it stands."""

    question: str
    context: str | None
    path: Path
    line: int


class Leak(NamedTuple):
    """The exam question that a sample would give away, how alike they are (0 to 1)."""

    exam: ExamQuestion
    similarity: float

    def data(self) -> dict[str, object]:
        """Return the data of `REASON`."""
        percent = round(100 * self.similarity)
        place = {"path": str(self.exam.path), "line": self.exam.line}
        return {"exam": self.exam.question, "percent": percent, **place}


def exam_questions(lessons: Iterable[Lesson]) -> list[ExamQuestion]:
    """Return what the exams of the lessons ask, paraphrases included."""
    return [
        ExamQuestion(question, example.context, lesson.path, example.line)
        for lesson in lessons
        for example in lesson.exam
        for question in (example.question, *example.paraphrases)
    ]


class LeakGuard:
    """Finds the exam question that a question would give away."""

    def __init__(self, exam: Iterable[ExamQuestion], threshold: float = TOO_CLOSE) -> None:
        self._threshold = threshold
        self._plain, self._joined, self._contexts = _Shelf(), _Shelf(), _Shelf()
        for each in exam:
            if each.context is None:
                self._plain.put(each.question, each)
            else:
                self._joined.put(f"{each.context}\n{each.question}", each)
                self._contexts.put(each.context, each)

    def nearest(self, question: str, context: str | None) -> Leak | None:
        """Return the exam question most alike, if it is within the threshold.

        A question about a context gives away only questions about nearly the same context, or about
        none. One without a context may carry it inside.
        """
        leaks = [Leak(exam, alike) for exam, alike in self._plain.near(question, self._threshold)]
        if context is None:
            leaks += [
                Leak(exam, alike) for exam, alike in self._joined.near(question, self._threshold)
            ]
        else:
            leaks += [
                Leak(exam, similarity(question, exam.question))
                for exam, alike in self._contexts.near(context, SAME_CONTEXT)
                if alike >= SAME_CONTEXT
            ]
        best = max(leaks, key=lambda leak: leak.similarity, default=None)
        return best if best is not None and best.similarity >= self._threshold else None


class _Shelf:
    """Exam questions by a text of theirs: their words, their context, or both."""

    def __init__(self) -> None:
        self._index = Index()
        self._at: list[list[ExamQuestion]] = []
        self._numbers: dict[str, int] = {}

    def put(self, text: str, exam: ExamQuestion) -> None:
        if text not in self._numbers:
            self._numbers[text] = self._index.add(text)
            self._at.append([])
        self._at[self._numbers[text]].append(exam)

    def near(self, text: str, floor: float) -> list[tuple[ExamQuestion, float]]:
        near = self._index.near(text, floor)
        return [(exam, match.similarity) for match in near for exam in self._at[match.number]]
