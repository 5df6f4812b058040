"""What a recipe teaches, what it costs, and what is forgotten: one point after the other, by seed.

    python benchmarks/learning/search.py --lessons choose "learning_rate=0.001 num_epochs=4" …

Each argument is a point: keys of `tiny-cpu` with other values, and `rewordings`, the most samples
of one answer; "" is the recipe as it is. Each is trained with every seed and examined as it would
be served, the shipped model beside it. Results are added to var/bench/learning.jsonl. A recipe is
chosen on the lessons `choose`; what is said of it comes from `report`, by which nothing was chosen.
"""

import argparse
import asyncio
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from tiza.evaluate.examined import parent_of, subject
from tiza.evaluate.stage import Options, evaluate
from tiza.generate.brief import Brief, lessons_of
from tiza.generate.job import Job
from tiza.models.find import SHIPPED, find
from tiza.models.unpack import trainable
from tiza.progress import Progress
from tiza.runs import samples
from tiza.runs.run import Run
from tiza.settings import Settings, load
from tiza.train.recipe import load as load_recipe
from tiza.train.stage import Order, train

HERE = Path(__file__).parent
OUT = Path("var/bench/learning.jsonl")
WORK = Path("var/learning")
ALL = 1000


def prepared(lessons: str, settings: Settings) -> Run:
    """Return the run of a set of lessons: its samples by the pipeline `seeds`, and its exam."""
    folder = HERE / "lessons" / lessons
    brief = Brief([folder], folder, pipeline="seeds")
    found, _none = lessons_of(brief)
    with Progress() as progress:
        return asyncio.run(Job(brief, found, settings, progress).make()).run


def narrowed(run: Run, into: Path, most: int) -> Run:
    """Copy a run with at most so many samples of one answer, the lesson's own first."""
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    seen, kept = Counter[str](), []
    for sample in sorted(samples.read(run.train), key=lambda s: s.metadata.get("step") != "seeds"):
        answer = sample.messages[-1]["content"]
        seen[answer] += sample.metadata.get("mix") == "lesson"
        if seen[answer] <= most:
            kept.append(sample)
    samples.write(kept, into / "train.jsonl")
    shutil.copyfile(run.exam, into / "exam.jsonl")
    return Run(into)


def tried(words: str, lessons: str, seed: int, run: Run) -> dict[str, Any]:
    """Train one point with one seed, and return what came of it."""
    settings = load(var_path=WORK / lessons)
    point = {key: json.loads(value) for key, _, value in (w.partition("=") for w in words.split())}
    here = narrowed(run, WORK / "runs" / f"{lessons}-{seed}", point.pop("rewordings", ALL))
    base = trainable(find(SHIPPED, settings.models_path), load().cache_path)
    recipe = load_recipe("tiny-cpu", **{**point, "seed": seed})
    with Progress() as progress:
        facts = train(Order(here, base, recipe, "tiny-cpu", settings.system_prompt), progress)
    new = subject(str(here.path / "adapter"), settings)
    options = Options(languages=("en",))
    report = evaluate(new, parent_of(new, settings), here, settings, options)
    return {
        "point": words,
        "lessons": lessons,
        "seed": seed,
        "before": report["exam"]["overall"]["before"],
        "exam": report["exam"]["overall"]["after"],
        "kept": report["retention"]["kept"],
        "leaks": report["restraint"]["leaks"],
        "train_seconds": facts["seconds"],
        "steps": facts["steps"],
        "tokens": facts["tokens"],
        "held_out": facts["held_out_loss"],
    }


def main() -> None:
    """Try every point with every seed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("points", nargs="+", help="keys and values, as `num_epochs=4 lora_r=8`")
    parser.add_argument("--lessons", choices=["choose", "report"], default="choose")
    parser.add_argument("--seeds", type=int, default=1)
    given = parser.parse_args()
    run = prepared(given.lessons, load(var_path=WORK / given.lessons))
    OUT.parent.mkdir(parents=True, exist_ok=True)
    for words in given.points:
        for seed in range(1, given.seeds + 1):
            found = tried(words, given.lessons, seed, run)
            with OUT.open("a") as file:
                file.write(json.dumps(found) + "\n")
            shares = ", ".join(
                f"{name} {found[name]['right']}/{found[name]['asked']}"
                for name in ("before", "exam", "kept", "leaks")
            )
            print(f"{words or 'tiny-cpu'}, seed {seed}: {shares}, {found['train_seconds']} s")


if __name__ == "__main__":
    main()
