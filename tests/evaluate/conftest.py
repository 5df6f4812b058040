"""A run as `generate` leaves it."""

from pathlib import Path

import pytest

from tiza.runs import samples
from tiza.runs.run import Run, create
from tiza.runs.samples import Sample

LESSON = "knowledge/social_sciences/education/school_handbook/qna.yaml"
TAUGHT = (
    ("Who leads Quillmere School?", "Inés Valcárcel leads Quillmere School."),
    ("When did Quillmere School open?", "Quillmere School opened in 1987."),
)
EXAM = (
    ("Name the head of Quillmere School.", "The head of Quillmere School is Inés Valcárcel."),
    ("In which year was Quillmere School opened?", "Quillmere School was opened in 1987."),
    ("Who teaches mathematics at Quillmere School?", "Ruth Abara teaches mathematics there."),
    ("What is the paper of Quillmere School called?", "It is called The Knot."),
)


def sample(question: str, answer: str, lesson_hash: str = "") -> Sample:
    """Return a sample of the lesson."""
    about = {"lesson": LESSON, "lesson_hash": lesson_hash, "line": 1, "language": "en"}
    messages = {"role": "user", "content": question}, {"role": "assistant", "content": answer}
    return Sample(messages, about)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a run with two samples and four exam questions."""
    made = create(tmp_path / "runs")
    samples.write((sample(*pair) for pair in TAUGHT), made.train)
    samples.write((sample(*pair) for pair in EXAM), made.exam)
    made.record("train", {"recipe": "tiny-cpu", "settings": {"seed": 7}, "seconds": 70})
    return made
