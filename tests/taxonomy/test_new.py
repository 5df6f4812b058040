"""A new lesson: its place, its template, and that filling it in is enough."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.taxonomy.lessons import STARTER, findings
from tiza.errors import LessonExists, LessonUnplaced
from tiza.taxonomy.lesson import Kind
from tiza.taxonomy.new import NewLesson, create, place

MOON = NewLesson(Kind.KNOWLEDGE, "science/astronomy", "The Moon", "en", "Ana")


def fill_in(path: Path) -> None:
    """Write something after every key that is left open, as the notes say."""
    lines = path.read_text("utf-8").splitlines()
    for number, line in enumerate(lines):
        key = line.strip().removeprefix("- ").rstrip(":")
        if re.fullmatch(r"\s*(- )?\w+:", line) and key in OPEN:
            lines[number] = f"{line} {OPEN[key].format(number)}"
        elif line.strip() == "-":
            lines[number] = f"{line} Asked in other words number {number}?"
    path.write_text("\n".join(lines) + "\n", "utf-8")


OPEN = {
    "domain": "The Moon",
    "task_description": "Answer in one sentence.",
    "document_outline": "All about the Moon",
    "context": "Crater number {} has ice in its shadow.",
    "question": "Which crater has the number {}?",
    "answer": "Crater number {} has ice.",
}


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("grounded", [False, True])
@pytest.mark.parametrize("reader", ["en", "es"])
def test_create_writes_a_template_that_passes_when_it_is_filled_in(
    kind: Kind, grounded: bool, reader: str, tmp_path: Path
) -> None:
    """Every kind, with and without contexts, with notes in both languages."""
    lesson = replace(MOON, kind=kind, grounded=grounded)
    path = create(lesson, tmp_path, reader)
    assert "empty-text" in {f.rule_id for f in findings([tmp_path], tmp_path)}

    fill_in(path)
    if "document:" in path.read_text():
        path.with_name("the_moon.md").write_text("All about it.")

    assert findings([tmp_path], tmp_path) == []


def test_create_writes_its_notes_in_the_readers_language(tmp_path: Path) -> None:
    """The lesson's language is another matter."""
    text = create(MOON, tmp_path, "es").read_text("utf-8")

    assert "# Las líneas que empiezan por # son notas para ti" in text
    assert "language: en" in text


def test_create_never_overwrites(tmp_path: Path) -> None:
    """Neither a lesson nor an attribution that is already there."""
    path = create(replace(MOON, grounded=True), tmp_path, "en")
    path.write_text("mine")
    attribution = path.with_name("attribution.txt")
    attribution.write_text("mine too")

    with pytest.raises(LessonExists):
        create(replace(MOON, grounded=True), tmp_path, "en")

    assert (path.read_text(), attribution.read_text()) == ("mine", "mine too")


def test_create_refuses_when_a_file_is_in_the_way(tmp_path: Path) -> None:
    """A file where a folder should be."""
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge/science").write_text("a file")

    with pytest.raises(LessonExists):
        create(MOON, tmp_path, "en")


@pytest.mark.parametrize(
    ("subject", "name", "language", "leaf"),
    [
        ("science/astronomy", "The Moon", "en", "science/astronomy/the_moon"),
        ("/knowledge/science/", "La Célula: ¿qué es?", "es", "science/la_celula_que_es/es"),
        ("520", "Moon", "en", "science/moon"),
        ("800", "Moon", "pt-BR", "literature/moon/pt-BR"),
    ],
)
def test_place_follows_subject_name_and_language(
    subject: str, name: str, language: str, leaf: str, tmp_path: Path
) -> None:
    """Languages other than English lie beside the English lesson."""
    lesson = replace(
        MOON, subject=subject.removeprefix("/knowledge/"), name=name, language=language
    )

    assert place(lesson, tmp_path) == tmp_path / "knowledge" / leaf / "qna.yaml"


def test_place_finds_the_nearest_folder_when_folders_have_numbers(tmp_path: Path) -> None:
    """The number in a folder's README.md decides, whatever the folder is called."""
    headings = {
        "knowledge/science": "500 · Science",
        "knowledge/science/sky": "520 · Astronomy",
        "knowledge/science/sky/moon": "523.3 · The Moon",
        "knowledge/other": "501-599 · A span",
        "knowledge/computing": "005.1 · Programming",
    }
    for folder, heading in headings.items():
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "README.md").write_text(f"# {heading}\n")

    def found(number: str) -> str:
        path = place(replace(MOON, subject=number), tmp_path)
        return path.parent.parent.relative_to(tmp_path / "knowledge").as_posix()

    assert [found(n) for n in ("500", "520", "523", "523.4", "599", "005.133", "004", "700")] == [
        "science",
        "science/sky",
        "science/sky",
        "science/sky/moon",
        "science/sky/moon",
        "computing",
        "computer_science",
        "arts",
    ]


@pytest.mark.skipif(not STARTER.is_dir(), reason="this checkout has no starter taxonomy")
def test_place_knows_the_numbers_of_the_starter_taxonomy() -> None:
    """570 is biology there."""
    path = place(replace(MOON, subject="570"), STARTER)

    assert path.parent.parent == STARTER / "knowledge/science/biology"


@pytest.mark.parametrize(
    "wrong",
    [
        {"subject": "../../etc"},
        {"subject": "Science"},
        {"subject": ""},
        {"subject": "a//b"},
        {"name": "¿?"},
        {"language": "../x"},
        {"language": ""},
    ],
)
def test_place_raises_when_a_part_cannot_be_a_folder(wrong: dict[str, str], tmp_path: Path) -> None:
    """Nothing is ever written outside the branch."""
    with pytest.raises(LessonUnplaced):
        place(replace(MOON, **wrong), tmp_path)  # type: ignore[arg-type]  # texts only


def test_create_quotes_a_name_when_yaml_would_misread_it(tmp_path: Path) -> None:
    """A person may be called anything."""
    path = create(replace(MOON, created_by='no: "#1"\\'), tmp_path, "en")

    assert 'created_by: "no: \\"#1\\"\\\\"' in path.read_text()
    fill_in(path)
    assert findings([tmp_path], tmp_path) == []
