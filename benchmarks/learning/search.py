"""What a recipe teaches, what it costs, and what is forgotten: one recipe after the other, by seed.

    python benchmarks/learning/search.py --lessons choose "learning_rate=0.001 num_epochs=4" …

Each argument is a point: keys of `tiny-cpu` with other values, and `rewordings`, the most samples
of one pair. Each is trained for every seed and examined as `tiza model evaluate` does. Results are
added to var/bench/learning.jsonl; `frontier.py` draws them. Recipes are chosen on the lessons
`choose` and on one half of the general questions; what is said of them comes from `report` and the
other half.
"""

import argparse
import asyncio
import json
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tiza.engines.started import started
from tiza.evaluate.ask import Endpoint, Journal, Query, ask
from tiza.evaluate.exam import bank, exam
from tiza.evaluate.restraint import probes
from tiza.generate.brief import Brief, lessons_of
from tiza.generate.job import Job
from tiza.models import adapter
from tiza.models.find import SHIPPED, find
from tiza.models.lineup import Adapter, Lineup
from tiza.models.scope import learn
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
NEAR = "near miss"


def prepared(lessons: str, settings: Settings) -> Run:
    """Return the run of a set of lessons: its samples by the pipeline `seeds`, and its exam."""
    folder = HERE / "lessons" / lessons
    brief = Brief([folder], folder, pipeline="seeds", replay_share=100.0)
    found, _none = lessons_of(brief)
    with Progress() as progress:
        return asyncio.run(Job(brief, found, settings, progress).make()).run


def narrowed(run: Run, into: Path, point: dict[str, Any]) -> Run:
    """Copy a run with fewer samples: `rewordings` of one answer, `near` neighbours a fact."""
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    seen = Counter[str]()
    lessons, replay = [], []
    for sample in samples.read(run.train):
        mixed = sample.metadata.get("mix") == "replay"
        (replay if mixed else lessons).append(sample)
    facts = {sample.messages[-1]["content"] for sample in lessons}
    near = [sample for sample in replay if "railway" in str(sample) or "observatory" in str(sample)]
    general = [sample for sample in replay if sample not in near]
    near = near[: round(len(facts) * point.pop("near", 3))]
    kept = general[: point.pop("general", 1000)] + near
    most = point.pop("rewordings", 100)
    for sample in sorted(lessons, key=lambda sample: sample.metadata["step"] != "seeds"):
        answer = sample.messages[-1]["content"]
        seen[answer] += 1
        if seen[answer] <= most:
            kept.append(sample)
    samples.write(kept, into / "train.jsonl")
    shutil.copyfile(run.exam, into / "exam.jsonl")
    return Run(into)


async def answers(lineup: Lineup, queries: Sequence[Query], label: Path) -> list[str]:
    """Ask a model, eight questions at once; what was answered before is not asked again."""
    settings = load()
    with Progress() as progress:
        async with started(lineup, settings, label.parent, lambda *_: None) as engine:
            address = engine.address
            endpoint = Endpoint(
                *(address.url, lineup.active, address.api_key, settings.llama_slots),
                system_prompt=settings.system_prompt,
            )
            journal = Journal(label)
            said = await ask(endpoint, queries, journal, progress.step("ask", len(queries)))
    return [answer.text for answer in said]


def examined(run: Run, half: int) -> dict[str, Any]:
    """Examine the adapter of a run beside its base: it answers what its scope covers."""
    base, items, scope = find(SHIPPED, Path("models")), exam(run), learn(samples.read(run.train))
    assert scope is not None
    general = [q for q in bank("en") if q.shipped][half::6]
    near = probes(items, [])
    queries = [q.query for q in (*items, *general, *near)]
    before = asyncio.run(answers(Lineup(base), queries, WORK / "base.jsonl"))
    new = Adapter("new", run.path / "adapter.gguf", run.path / "adapter")
    covered = [scope.covers(query.question) for query in queries]
    asked = [query for query, is_covered in zip(queries, covered, strict=True) if is_covered]
    began = time.monotonic()
    said = iter(asyncio.run(answers(Lineup(base, (new,), new), asked, run.path / "answers.jsonl")))
    seconds = time.monotonic() - began
    after = [next(said) if own else text for own, text in zip(covered, before, strict=True)]
    first, second = len(items), len(items) + len(general)
    right = [item.grade(text).passed for item, text in zip(items, after[:first], strict=True)]
    knew = [q.grade(t).passed for q, t in zip(general, before[first:second], strict=True)]
    knows = [q.grade(t).passed for q, t in zip(general, after[first:second], strict=True)]
    leaks = [
        bool(p.leaks(a, b)) for p, a, b in zip(near, after[second:], before[second:], strict=True)
    ]
    return {
        "exam": [sum(right), len(right)],
        "kept": [sum(k for k, was in zip(knows, knew, strict=True) if was), sum(knew)],
        "leaks": [sum(leaks), len(leaks)],
        "covered": [sum(covered[:first]), sum(covered[first:second]), sum(covered[second:])],
        "wrong": [
            (item.question, text)
            for item, text, passed in zip(items, after[:first], right, strict=True)
            if not passed
        ],
        "asked_seconds": round(seconds, 1),
    }


def tried(words: str, lessons: str, seed: int, run: Run) -> dict[str, Any]:
    """Train one point with one seed, and return what came of it."""
    point = {key: json.loads(value) for key, _, value in (w.partition("=") for w in words.split())}
    here = narrowed(run, WORK / "runs" / f"{lessons}-{seed}", point)
    base = trainable(find(SHIPPED, Path("models")), load().cache_path)
    recipe = load_recipe("tiny-cpu", **point, seed=seed)
    with Progress() as progress:
        facts = train(Order(here, base, recipe, "tiny-cpu", load().system_prompt), progress)
    adapter.to_gguf(here.path / "adapter", base, here.path / "adapter.gguf")
    return {
        "point": words,
        "lessons": lessons,
        "seed": seed,
        **examined(here, half=int(lessons == "report")),
        "train_seconds": facts["seconds"],
        "steps": facts["steps"],
        "tokens": facts["tokens"],
        "held_out": facts["held_out_loss"],
    }


def main() -> None:
    """Try every point with every seed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("points", nargs="+", help="keys and values, as `num_epochs=4 near=1`")
    parser.add_argument("--lessons", choices=["choose", "report"], default="choose")
    parser.add_argument("--seeds", type=int, default=1)
    args = parser.parse_args()
    run = prepared(args.lessons, load(var_path=WORK / args.lessons))
    for words in args.points:
        for seed in range(1, args.seeds + 1):
            found = tried(words, args.lessons, seed, run)
            with OUT.open("a") as file:
                file.write(json.dumps(found) + "\n")
            print({key: value for key, value in found.items() if key != "wrong"}, flush=True)


if __name__ == "__main__":
    main()
