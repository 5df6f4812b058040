"""A lesson's text after somebody changed its content in a form."""

from pathlib import Path

import pytest

from tests.api.teaching.school import lesson
from tiza.errors import LessonUneditable
from tiza.taxonomy.lesson import Kind
from tiza.taxonomy.outline import fields, plain_content
from tiza.taxonomy.parse import parse
from tiza.taxonomy.write import edited

SHIPPED = Path(__file__).parents[2] / "taxonomy"
LESSONS = sorted((SHIPPED / "knowledge/science").rglob("qna.yaml"))


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.parent.name)
def test_edited_text_says_the_same_when_nothing_was_changed(path: Path) -> None:
    """Whatever form a lesson has; comments stay, too."""
    before = path.read_text("utf-8")
    after = edited(before, plain_content(before))

    assert plain_content(after) == plain_content(before)
    assert [line for line in after.splitlines() if line.startswith("#")] == [
        line for line in before.splitlines() if line.startswith("#")
    ]


@pytest.mark.parametrize(
    "answer", ["yes", "12:30", "0x1F", "- a: b", "# c", "a\nb\n\n  c", "é " * 60]
)
def test_answer_is_read_as_it_was_typed_when_yaml_would_see_more_in_it(answer: str) -> None:
    """What looks like a number, a truth or a comment stays a text."""
    content = dict(plain_content(lesson()))
    content["seed_examples"] = [{"question": "q", "answer": answer}]
    after = edited(lesson(), content)
    read = parse(after.encode(), Path("qna.yaml"), Kind.KNOWLEDGE).lesson

    assert read is not None
    assert [example.answer for example in read.examples] == [answer]


def test_fields_are_named_by_where_they_begin_when_a_lesson_is_read() -> None:
    """So that what is said of a line can be said at the field of a form."""
    found = {name: place for place, name in fields(lesson(2))}

    assert found["created_by"] == (4, 1)
    assert found["seed_examples/1"] == (11, 5)
    assert found["seed_examples/1/answer"] == (12, 5)


@pytest.mark.parametrize("text", ["", "a: [b", "- a", "a: &a [x]\nb: *a"])
def test_text_is_refused_when_no_form_can_show_it(text: str) -> None:
    """Broken, no mapping, or with what a lesson may not have."""
    with pytest.raises(LessonUneditable):
        edited(text, {"a": "b"})
