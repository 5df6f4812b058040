"""Passages: no word is lost, none is too long, and cuts come where the document pauses."""

from pathlib import Path
from random import Random

import pytest

from tests.generate.pdfs import pdf
from tests.taxonomy.lessons import STARTER
from tiza.generate.chunks import Passage, cut, passages
from tiza.generate.documents import text
from tiza.taxonomy.load import load

SENTENCES = "The mill stands by the river. Dr. Ada built it! ¿Quién la vio? A fox, e.g. The end."
PARTS = (
    "# Town\n",
    "## Bridge\n",
    "#### Deep\n",
    "Short.\n",
    f"{SENTENCES}\n",
    f"{SENTENCES} " * 5 + "\n",
    "- one\n- two\n- three\n" * 4,
    "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 9,
    "```\nfor x in y:\n\n    print(x)\n```\n",
    "word" * 60 + "\n",
    "Title\n===\n",
)


def of(markdown: str, chunk_tokens: int = 500) -> list[Passage]:
    """Cut Markdown."""
    return cut(text("a.md", markdown.encode()), chunk_tokens)


def test_no_word_is_lost_or_repeated_when_any_document_is_cut_to_any_size() -> None:
    """All passages together are the document, and none is longer than it may be."""
    random = Random(7)  # noqa: S311  # the same documents every time
    for _ in range(150):
        markdown = "\n".join(random.choices(PARTS, k=random.randint(1, 12)))
        size = random.choice((1, 5, 20, 60, 200, 1000))
        found = of(markdown, size)

        assert "".join("".join(p.text for p in found).split()) == "".join(markdown.split())
        assert all(len(passage.text) <= 4 * size for passage in found)


@pytest.mark.parametrize("path", sorted(STARTER.rglob("*.md")), ids=lambda path: path.name)
def test_lines_are_where_passages_begin_when_a_real_document_is_cut(path: Path) -> None:
    """Whoever looks up the line finds the passage's first words there."""
    document = text(path.name, path.read_bytes())
    lines = {line.number: line.text for line in document.lines}

    for passage in cut(document, 60):
        first = passage.text.split("\n")[0]
        assert first.strip()[:20] in lines[passage.line]


def test_cuts_follow_headings_when_sections_are_long() -> None:
    """Each passage is one section with its path, and begins with its heading."""
    body = " ".join(["The mill grinds corn."] * 10)

    found = of(f"# Town\n\n## Mill\n{body}\n\n## Bridge\n{body}\n\n# Sea\n{body}\n", 70)

    assert [(p.heading, p.text.split("\n")[0], p.line) for p in found] == [
        (("Town", "Mill"), "# Town", 1),
        (("Town", "Bridge"), "## Bridge", 6),
        (("Sea",), "# Sea", 9),
    ]


def test_short_sections_are_joined_when_they_have_one_parent() -> None:
    """A section's first child does not go with its uncle."""
    found = of("# A\n## B\none\n## C\ntwo\n### D\nthree\n## E\n" + "four. " * 60 + "\n", 40)

    assert [p.heading for p in found][:1] == [("A",)]
    assert found[0].text == "# A\n\n## B\n\none\n\n## C\n\ntwo\n\n### D\n\nthree"
    cousins = of(f"# A\n## B\n{'x ' * 30}\n### C\ntwo\n## D\nthree\n", 20)
    assert [p.heading for p in cousins] == [("A", "B"), ("A", "B", "C"), ("A", "D")]


def test_cuts_come_between_sentences_when_a_paragraph_is_too_long() -> None:
    """Not after an abbreviation, an initial or the number of a list's item."""
    paragraph = "Dr. Ada M. Bell met Mr. Fox. They spoke: “Stay!” Then he left (at 8 p.m. sharp).\n"

    found = of(paragraph + "1. First do this thing. Then rest a lot.", 8)

    assert [p.text for p in found] == [
        "Dr. Ada M. Bell met Mr. Fox.",
        "They spoke: “Stay!”",
        "Then he left (at 8 p.m. sharp).",
        "1. First do this thing.",
        "Then rest a lot.",
    ]


def test_code_and_tables_stay_whole_when_they_fit() -> None:
    """If one alone is too long it is cut between its lines."""
    code = "```\nfirst()\n\nsecond()\n```"
    table = "| a | b |\n|---|---|\n| 1 | 2 |"

    assert code in [p.text for p in of(f"{'Long words. ' * 6}\n\n{code}\n\n{'More. ' * 10}", 18)]
    assert [p.text for p in of(table, 6)] == ["| a | b |\n|---|---|", "| 1 | 2 |"]


def test_sentences_go_on_over_pages_when_a_pdf_is_cut() -> None:
    """The line of a passage is then the page on which it begins."""
    document = text(
        "a.pdf", pdf([["The river comes from the", "hills and"], ["ends in the sea. It is long."]])
    )

    assert [(p.text, p.line) for p in cut(document, 14)] == [
        ("The river comes from the\nhills and\nends in the sea.", 1),
        ("It is long.", 2),
    ]


def test_there_is_nothing_when_a_document_is_empty() -> None:
    """An empty file is no mistake here."""
    assert of("") == of("\n<!-- x -->\n") == []


def test_passages_come_from_the_documents_of_real_lessons(tmp_path: Path) -> None:
    """Those of the starter taxonomy that have one; the others have none."""
    lessons = list(load([STARTER / "knowledge/science"], STARTER))

    found = {lesson.path.parent.name: passages(lesson, STARTER, tmp_path) for lesson in lessons}

    assert {p.source for p in found["water_cycle"]} == {"water_cycle.md"}
    assert all(0 < p.tokens <= 500 for p in found["water_cycle"])
    assert found["photosynthesis"] == []
