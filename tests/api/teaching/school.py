"""A place with a taxonomy of one lesson, as small as a lesson may be."""

from pathlib import Path

LEAF = "knowledge/science/chalk"
PAIR = "  - question: what is the chalk {n}?\n    answer: the chalk {n} is thing {m}\n"
LESSON = """\
# 500 · Chalk · La tiza
# A note that stays.
version: 3
created_by: tests
language: en
domain: chalk
task_description: what a chalk is
seed_examples:
{pairs}
exam:
  - question: say what the chalk 7 is, please?
    answer: the chalk 7 is thing 14
"""


def lesson(count: int = 6) -> str:
    """Return the text of a lesson of so many pairs; fewer than five cannot be taught."""
    return LESSON.format(pairs="".join(PAIR.format(n=n, m=2 * n) for n in range(count)))


def plant(folder: Path) -> Path:
    """Write a taxonomy of one lesson below a folder and return its root."""
    taxonomy = folder / "taxonomy"
    path = taxonomy / LEAF / "qna.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(lesson())
    (taxonomy / "knowledge/science/README.md").write_text("# 500 · Science · Ciencias\n")
    return taxonomy
