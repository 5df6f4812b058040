"""Lessons in every form, for the tests; and how to check one."""

from collections.abc import Iterable
from pathlib import Path

from tiza.taxonomy.check import Options, check
from tiza.taxonomy.find import find
from tiza.taxonomy.finding import Finding

STARTER = Path(__file__).resolve().parents[2] / "taxonomy"


def pairs(count: int, indent: str = "  ") -> str:
    """Return different questions and answers."""
    topics = ("river", "mountain", "island", "desert", "forest", "glacier", "volcano", "valley")
    return "".join(
        f"{indent}- question: Where does the {topic} end?\n"
        f"{indent}  answer: The {topic} ends at point {number}.\n"
        for number, topic in enumerate(topics[:count])
    )


SIMPLE = (
    "version: 3\ncreated_by: ana\ndomain: Geography\ntask_description: Answer shortly.\n"
    f"seed_examples:\n{pairs(5)}"
)
SKILL = f"version: 3\ncreated_by: ana\ntask_description: Say where.\nseed_examples:\n{pairs(5)}"
SKILL_V2 = SKILL.replace("version: 3", "version: 2")
SKILL_V1 = f"created_by: ana\ntask_description: ''\nseed_examples:\n{pairs(1)}"
GROUNDED = "version: 3\ncreated_by: ana\ntask_description: Say who.\nseed_examples:\n" + "".join(
    f"  - context: {name} has the {thing}.\n"
    f"    question: Who has the {thing}?\n    answer: {name}.\n"
    for name, thing in zip(
        ("Ada", "Ben", "Cleo", "Dan", "Eva"), ("key", "map", "lamp", "rope", "boat"), strict=True
    )
)
KNOWLEDGE = (
    "version: 3\ncreated_by: ana\ndomain: Towns\ndocument_outline: About towns\n"
    "document:\n  repo: https://example.org/towns.git\n  commit: abc\n  patterns: ['*.md']\n"
    "seed_examples:\n"
    + "".join(
        f"  - context: {town} has a bridge, a market and a mill by the river.\n"
        "    questions_and_answers:\n"
        f"      - question: What does {town} have over the river?\n        answer: A bridge.\n"
        f"      - question: Where do people in {town} buy things?\n        answer: At the market.\n"
        f"      - question: What stands by the river in {town}?\n        answer: A mill.\n"
        for town in ("Arden", "Borel", "Calma", "Dovre", "Erlen")
    )
)
VALID = {
    "knowledge/a/simple": SIMPLE,
    "knowledge/a/official": KNOWLEDGE,
    "compositional_skills/a/freeform": SKILL,
    "compositional_skills/a/grounded": GROUNDED,
    "compositional_skills/a/v2": SKILL_V2,
    "compositional_skills/a/v1": SKILL_V1,
    "foundational_skills/a/freeform": SKILL,
}


def write(root: Path, leaf: str, text: str | bytes, name: str = "qna.yaml") -> Path:
    """Write a lesson below a root; official knowledge gets its attribution."""
    path = root / leaf / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    (path.parent / "attribution.txt").write_text("Title of work: Towns\n")
    return path


def findings(paths: Iterable[Path], taxonomy: Path) -> list[Finding]:
    """Check and return all findings."""
    checked = check(find(paths, taxonomy), Options())
    return [finding for file in checked for finding in file.findings]


def rules(text: str | bytes, root: Path, leaf: str = "knowledge/a/lesson") -> list[str]:
    """Return the rules that one lesson does not keep."""
    path = write(root, leaf, text)
    return [finding.rule_id for finding in findings([path], root)]
