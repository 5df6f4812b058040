"""The rules that only practice knows."""

from pathlib import Path

import pytest

from tests.taxonomy.lessons import (
    GROUNDED,
    KNOWLEDGE,
    SIMPLE,
    SKILL,
    STARTER,
    findings,
    rules,
    write,
)

SKILLS = "compositional_skills/a/lesson"
ANSWER = "answer: A bridge."
EXAM = "exam:\n  - question: {}\n    answer: Far away.\n"


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("Where does the river end?", ["duplicate-question"]),
        ("where does the RIVER end", ["duplicate-question"]),
        ("Where does the river begin?", []),
        ("Why does the river end?", []),
        ("How long does the river run?", []),
    ],
)
def test_check_compares_questions_when_they_are_nearly_the_same(
    question: str, found: list[str], tmp_path: Path
) -> None:
    """Capitals and marks do not make another question; another question word does."""
    text = SIMPLE + f"  - question: {question}\n    answer: It is far.\n"

    assert rules(text, tmp_path) == found


def test_check_finds_the_same_words_when_their_order_differs(tmp_path: Path) -> None:
    """From four telling words on, order and fillers do not count, unless there are numbers."""
    first = "  - question: Which famous painter lived in the old town?\n    answer: Nobody.\n"
    again = "  - question: Which painter that is famous lived in an old town?\n    answer: One.\n"
    metres = "  - question: How many metres are 3 miles?\n    answer: About 4828.\n"
    miles = "  - question: How many miles are 3 metres?\n    answer: Few.\n"

    assert rules(SIMPLE + first + again, tmp_path) == ["near-duplicate-question"]
    assert rules(SIMPLE + metres + miles, tmp_path) == []


def test_check_allows_the_same_question_when_the_contexts_differ(tmp_path: Path) -> None:
    """In a grounded skill the context is part of the question."""
    text = GROUNDED
    for thing in ("key", "map", "lamp", "rope", "boat"):
        text = text.replace(f"Who has the {thing}?", "Who has it?")

    assert rules(text, tmp_path, SKILLS) == []


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("Where does the river end?", ["exam-repeats-seed"]),
        ("What is the last place of the river?", ["exam-repeats-seed"]),
        ("At which point is the river over?", []),
    ],
)
def test_check_refuses_an_exam_question_when_it_is_taught(
    question: str, found: list[str], tmp_path: Path
) -> None:
    """Neither a seed nor one of its paraphrases may be examined."""
    answer = "answer: The river ends at point 0.\n"
    text = SIMPLE.replace(
        answer, f"{answer}    paraphrases: [What is the last place of the river?]\n"
    )

    assert rules(text + EXAM.format(question), tmp_path) == found


def test_check_finds_repetitions_when_they_are_in_other_lessons(tmp_path: Path) -> None:
    """Seeds and exams are compared over the whole tree, whichever lesson comes first."""
    exam = SKILL.replace("Where does", "Where will").replace("end?", "have its end?")
    write(tmp_path, "compositional_skills/a", exam + EXAM.format("Where does the river end?"))
    write(tmp_path, "knowledge/b", SIMPLE)
    write(tmp_path, "knowledge/c", SIMPLE.replace("river", "rivers"))

    found = findings([tmp_path], tmp_path)

    assert sorted(f.rule_id for f in found) == ["duplicate-question"] * 4 + ["exam-repeats-seed"]
    assert {f.data["first"] for f in found} >= {f"{tmp_path}/knowledge/b/qna.yaml:6"}


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("A bridge.", []),
        ("Arden has a market beside its bridges.", []),
        ("Over the river Arden has 1 bridge.", []),
        ("The bridge was built in 1712.", ["unsupported-answer"]),
        ("Nothing except several elephants wearing hats.", ["unsupported-answer"]),
    ],
)
def test_check_doubts_an_answer_when_the_context_does_not_have_its_words(
    answer: str, found: list[str], tmp_path: Path
) -> None:
    """Inflected words and small numbers pass; a foreign year or foreign words do not."""
    text = KNOWLEDGE.replace(ANSWER, f"answer: {answer}", 1)

    assert rules(text, tmp_path) == found


def test_check_measures_contexts_and_pairs(tmp_path: Path) -> None:
    """What is longer than InstructLab recommends is a warning."""
    context = KNOWLEDGE.replace("a mill by the river.", "a mill by the river." + " Long." * 400, 1)
    pair = KNOWLEDGE.replace(ANSWER, "answer:" + " A bridge over the river." * 50, 1)

    assert rules(context, tmp_path) == ["context-too-long"]
    assert rules(pair, tmp_path) == ["pair-too-long"]


def test_check_notices_a_mixture_of_grounded_and_freeform(tmp_path: Path) -> None:
    """Two kinds of skill in a lesson are two lessons."""
    text = GROUNDED.replace("  - context: Ben has the map.\n    question", "  - question")

    assert rules(text, tmp_path, SKILLS) == ["mixed-examples"]


@pytest.mark.parametrize(
    ("language", "question", "found"),
    [
        ("es", "What is the name of the river that they have in the town?", ["wrong-language"]),
        (
            "en",
            "¿Cómo se llama el río que hay en la ciudad y por qué es tan largo?",
            ["wrong-language"],
        ),
        ("en", "What does the sentence 'el río es muy largo' mean in English?", []),
        ("es-MX", "¿Cómo se llama el río que hay en la ciudad?", []),
        ("fr", "Comment s'appelle la rivière qui passe dans la ville ?", []),
        ("fr", "What is the name of the river that they have in the town?", ["wrong-language"]),
        ("pt", "¿Cómo se llama el río que hay en la ciudad y por qué es tan largo?", []),
    ],
)
def test_check_compares_the_language_only_when_it_is_sure(
    language: str, question: str, found: list[str], tmp_path: Path
) -> None:
    """English and Spanish are told apart; of others nothing is said but that they are English."""
    head = SIMPLE.partition("seed_examples:")[0]
    lines = [
        f"  - question: \"{question.replace('r', 'r' * n)}\"\n    answer: 'Xyz {n}'\n"
        for n in range(1, 6)
    ]
    text = f"{head}language: {language}\nseed_examples:\n{''.join(lines)}"

    assert rules(text, tmp_path) == found


def test_check_notes_a_paraphrase_when_it_only_repeats(tmp_path: Path) -> None:
    """A paraphrase should use other words."""
    answer = "answer: The river ends at point 0.\n"
    text = SIMPLE.replace(answer, f"{answer}    paraphrases: ['Where does the river end']\n")

    assert rules(text, tmp_path) == ["repeated-paraphrase"]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("towns.md", []),
        ("sub/../towns.md", []),
        ("absent.md", ["document-unreachable"]),
        (".", ["document-unreachable"]),
        ("../../../secret.md", ["document-outside-tree"]),
        ("/etc/passwd", ["document-outside-tree"]),
        ("~/secret.md", ["document-outside-tree"]),
        ("C:\\secret.md", ["document-outside-tree"]),
        ("link.md", ["document-outside-tree"]),
    ],
)
def test_check_looks_for_the_document_inside_the_tree(
    path: str, found: list[str], tmp_path: Path
) -> None:
    """A document may be anywhere in the tree and nowhere else."""
    root = tmp_path / "taxonomy"
    (tmp_path / "secret.md").write_text("secret")
    lesson = write(
        root,
        "knowledge/a",
        KNOWLEDGE.replace(
            "  repo: https://example.org/towns.git\n  commit: abc\n  patterns: ['*.md']\n",
            f"  path: '{path}'\n",
        ),
    )
    (lesson.parent / "sub").mkdir()
    (lesson.parent / "towns.md").write_text("Towns")
    (lesson.parent / "link.md").symlink_to(tmp_path / "secret.md")

    assert [f.rule_id for f in findings([lesson], root)] == found


def test_check_misses_the_attribution_when_there_is_a_document(tmp_path: Path) -> None:
    """Only lessons with a document need one."""
    path = write(tmp_path, "knowledge/a", KNOWLEDGE)
    (path.parent / "attribution.txt").unlink()

    assert [f.rule_id for f in findings([path], tmp_path)] == ["missing-attribution"]


def test_check_refuses_patterns_when_they_climb(tmp_path: Path) -> None:
    """A pattern stays in its repository."""
    assert rules(KNOWLEDGE.replace("'*.md'", "'../*.md'"), tmp_path) == ["document-outside-tree"]


def test_check_warns_when_a_lesson_hangs_on_no_branch(tmp_path: Path) -> None:
    """Outside the branches the kind is a guess."""
    assert rules(SKILL, tmp_path, "elsewhere") == ["outside-branches"]


@pytest.mark.skipif(not STARTER.is_dir(), reason="this checkout has no starter taxonomy")
def test_check_finds_nothing_in_the_starter_taxonomy() -> None:
    """What is shipped keeps every rule, and causes no false alarm."""
    assert findings([STARTER], STARTER) == []
