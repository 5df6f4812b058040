"""What a model learns from a lesson and what it forgets, beside having the lesson in its prompt.

    python benchmarks/learning.py [--seeds 1] [--quick]

The lesson `report` of benchmarks/learning: twenty invented facts, by which no recipe was chosen.
The shipped model is asked the exam's phrasings, which were not trained on, and general questions,
three times: as it is; with every question and answer of the lesson in its system prompt; and
taught by the recipe `tiny-cpu`, served as students get it. "Kept" is what it still answers right of
the general questions that the base answers right. `--quick` teaches for one epoch and asks a
tenth of the general questions. Writes var/bench/learning.json.
"""

import argparse
import asyncio
import shutil
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from record import Row, keep
from tiza.evaluate.ask import Answer, Journal, Query, ask
from tiza.evaluate.exam import General, bank, exam
from tiza.evaluate.examined import Subject, served, subject
from tiza.models.find import SHIPPED
from tiza.progress import Progress
from tiza.runs.run import Run
from tiza.settings import Settings, load

HERE = Path(__file__).parent / "learning"
sys.path.insert(0, str(HERE))

from search import WORK, prepared, tried  # noqa: E402  # the benchmarks are no package

LESSONS = "report"
QUICK = "num_epochs=1"
ASK = "\n\nAnswer from these facts of the lesson where they tell:\n\n"


def lesson_text() -> str:
    """Return the lesson as a teacher would paste it: every question with its answer."""
    [path] = (HERE / "lessons" / LESSONS).rglob("qna.yaml")
    examples = yaml.safe_load(path.read_text("utf-8"))["seed_examples"]
    return "\n".join(f"{each['question']} {each['answer']}" for each in examples)


async def asked(
    model: Subject, queries: Sequence[Query], settings: Settings, run: Run, name: str
) -> list[Answer]:
    """Ask a model anew, whatever it has said before."""
    journal = run.path / "asked" / f"{name.replace(' ', '-')}.jsonl"
    journal.unlink(missing_ok=True)
    with Progress() as progress:
        async with served(model, settings, run.path / "logs", progress) as endpoint:
            return await ask(endpoint, queries, Journal(journal), progress.step(name, len(queries)))


def bases(run: Run, settings: Settings, every: int) -> dict[str, dict[str, Any]]:
    """Ask the base as it is, and with the lesson in its prompt."""
    items, general = exam(run), bank("en")[::every]
    queries = [*(item.query for item in items), *(question.query for question in general)]
    base, found, knew = subject(SHIPPED, settings), dict[str, dict[str, Any]](), list[General]()
    told = settings.model_copy(
        update={"system_prompt": settings.system_prompt + ASK + lesson_text()}
    )
    for name, given in {"base": settings, "base, lesson in its prompt": told}.items():
        answers = asyncio.run(asked(base, queries, given, run, name))
        taken, rest = answers[: len(items)], answers[len(items) :]
        right = sum(i.grade(a.text).passed for i, a in zip(items, taken, strict=True))
        known = [q for q, a in zip(general, rest, strict=True) if q.grade(a.text).passed]
        knew = knew or known
        kept = {"right": len({*known} & {*knew}), "asked": len(knew)}
        found[name] = {"exam": {"right": right, "asked": len(items)}, "kept": kept}
    return found


def taught(run: Run, seeds: int, words: str) -> list[dict[str, Any]]:
    """Teach and examine with each seed."""
    return [tried(words, LESSONS, seed, run) for seed in range(1, seeds + 1)]


def share(found: dict[str, Any]) -> float:
    """Return the share of right answers, in percent."""
    return float(found["right"] / found["asked"] * 100)


def report(found: dict[str, dict[str, Any]], ours: Sequence[dict[str, Any]]) -> None:
    """Print the table and write the JSON."""
    rows: list[Row] = [
        {
            "model": name,
            "exam %": share(each["exam"]),
            "of": each["exam"]["asked"],
            "kept %": share(each["kept"]),
            "of what it knew": each["kept"]["asked"],
        }
        for name, each in found.items()
    ]
    rows.append(
        {
            "model": "tiza, taught",
            "exam %": statistics.median(share(each["exam"]) for each in ours),
            "of": ours[0]["exam"]["asked"],
            "kept %": statistics.median(share(each["kept"]) for each in ours),
            "of what it knew": ours[0]["kept"]["asked"],
            "leaks": statistics.median(each["leaks"]["right"] for each in ours),
            "s to teach": statistics.median(each["train_seconds"] for each in ours),
            "worst exam %": min(share(each["exam"]) for each in ours),
        }
    )
    caption = f"Twenty invented facts, {len(ours)} seed(s)"
    keep("learning", {caption: rows}, {"bases": found, "ours": list(ours)}, "exam %")


def main() -> None:
    """Ask the base, teach, ask again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    shutil.rmtree(WORK / LESSONS, ignore_errors=True)
    settings = load(var_path=WORK / LESSONS)
    run = prepared(LESSONS, settings)
    found = bases(run, settings, 10 if args.quick else 1)
    report(found, taught(run, args.seeds, QUICK if args.quick else ""))


if __name__ == "__main__":
    main()
