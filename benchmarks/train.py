"""How fast training is: ours beside TRL's SFTTrainer, the same samples, in one run.

    python benchmarks/train.py [--base FOLDER] [--data FILE] [--seconds 120] [--only NAME…]

Without `--data`, twenty invented facts in three phrasings each, and no replay.

`ours` is the recipe for this machine (tiny-cpu without a GPU). `trl` is SFTTrainer as it comes,
with the same adapter, rate and number of epochs; `trl-best` is the fastest setting of it that we
found: no gradient checkpointing, float32 where the CPU has no bfloat16, rows of like length
together, the answers' loss only. Both learn replay as plain text, which is what SFTTrainer can. The
target is the held-out loss that ours ends with; a peer that does not reach it within `--seconds` is
reported as such. Peers live in an environment of their own, see `peer.py`. Unsloth, which needs a
GPU, is not among them: there was none to try it on.

The roof is the best bfloat16 (or, if faster, float32) product of two large matrices in this run;
the share counts two operations for each weight and token forwards and two for each gradient, done
or saved: where the lower layers and the shared beginning of the rows are computed once, it may be
more than all. Every contender runs alone in a process, with a fresh peak of memory. Writes
var/bench/train.json.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import peer
from record import Row, keep

CONTENDERS = ("ours", "trl", "trl-best")


def roof() -> float:
    """Return the fastest product of matrices here, in operations a second."""
    import torch

    best, size = 0.0, 2048
    for dtype in (torch.bfloat16, torch.float32):
        left, right = torch.randn(size, size).to(dtype), torch.randn(size, size).to(dtype)
        for _round in range(4):
            started = time.perf_counter()
            left @ right
            best = max(best, 2 * size**3 / (time.perf_counter() - started))
    return best


def samples_of(path: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the samples that are learned and those that are watched: every twentieth lesson."""
    lines = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    lessons = [line for line in lines if line.get("metadata", {}).get("mix") != "replay"]
    watched = lessons[::20]
    return [line for line in lines if line not in watched], watched


def invented(path: Path) -> Path:
    """Write twenty facts that no model knows."""
    things = ("mascot", "motto", "colour", "song", "oldest tree")
    places = ("Hollow Brook School", "Finch Street Library", "Cedar Hall", "Lake Odra Club")
    words = ("otter", "lantern", "mulberry", "amber", "chalk", "cedar", "finch", "harbour")
    asks = ("What is the {0} of {1}?", "Tell me the {0} of {1}.", "{1}: what is its {0}?")
    lines = []
    for number in range(len(things) * len(places)):
        thing, place = things[number % len(things)], places[number // len(things)]
        word = f"{words[number % len(words)]} {number * 37 % 100}"
        answer = f"The {thing} of {place} is {word}."
        for ask in asks:
            turns = (("user", ask.format(thing, place)), ("assistant", answer))
            messages = [{"role": role, "content": content} for role, content in turns]
            lines.append(json.dumps({"messages": messages, "metadata": {"lesson": "knowledge/a"}}))
    path.write_text("\n".join(lines) + "\n")
    return path


def ours(base: Path, data: Path, work: Path) -> dict[str, Any]:
    """Train by the recipe, and measure the held-out loss as the peers' is measured."""
    from dataclasses import replace

    from tiza.progress import Progress
    from tiza.runs.run import Run
    from tiza.settings import SYSTEM_PROMPT
    from tiza.train.job import default_recipe
    from tiza.train.recipe import load
    from tiza.train.stage import Order, train

    learned, _watched = samples_of(data)
    run = Run(work / "run")
    run.path.mkdir(parents=True, exist_ok=True)
    run.train.write_text("".join(json.dumps(line) + "\n" for line in learned))
    name = default_recipe()
    recipe = replace(load(name), held_out=0.0)
    with Progress() as progress:
        facts = train(Order(run, base, recipe, name, SYSTEM_PROMPT), progress)
    names = ("seconds", "tokens_per_second", "tokens", "steps", "peak_memory_bytes")
    return {**{name: facts[name] for name in names}, "adapter": str(run.path / "adapter")}


def command(name: str, given: argparse.Namespace, base: Path, target: float) -> list[str]:
    """Return the command of a peer: the script beside this one, in its environment."""
    script = Path(__file__).with_name("peers") / "train_trl.py"
    flags: dict[str, Any] = {"base": base, "data": given.data, "target": target, "setting": name}
    flags |= {"out": given.work / f"{name}.json", "seconds": given.seconds}
    words = [word for key, value in flags.items() for word in (f"--{key}", str(value))]
    return [str(peer.programs("trl") / "python"), str(script), *words]


def measured(command_line: list[str], out: Path) -> dict[str, Any]:
    """Run one contender in a process of its own and read what it wrote."""
    subprocess.run(command_line, check=True, env={**os.environ, "TOKENIZERS_PARALLELISM": "false"})
    result: dict[str, Any] = json.loads(out.read_text())
    return result


def main() -> None:
    """Run the contenders one after the other."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--base", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--only", nargs="*", choices=CONTENDERS, default=CONTENDERS)
    parser.add_argument("--work", type=Path, default=Path("var/bench/train"))
    parser.add_argument("--alone", action="store_true", help="internal: be the contender `ours`")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    given.data = given.data or invented(given.work / "facts.jsonl")
    if given.alone:
        (given.work / "ours.json").write_text(json.dumps(ours(given.base, given.data, given.work)))
        return
    base = given.base or shipped()
    results: dict[str, Any] = {"roof_flops": roof()}
    weights = 134_515_008
    alone = [sys.executable, __file__, "--alone", "--base", str(base), "--data", str(given.data)]
    results["ours"] = measured([*alone, "--work", str(given.work)], given.work / "ours.json")
    score = [*command("score", given, base, 0.0)]
    score += ["--adapter", results["ours"]["adapter"]]
    target = measured(score, given.work / "score.json")["loss"]
    results["ours"]["loss"] = target
    for name in (each for each in given.only if each != "ours"):
        line = command(name, given, base, target)
        results[name] = measured(line, given.work / f"{name}.json")
    for name in given.only:
        rate = results[name]["tokens_per_second"]
        results[name]["share_of_roof"] = rate * weights * 4 / results["roof_flops"]
    caption = "Until the same held-out loss is reached; tokens/s of the roof of matrix products"
    keep("train", {caption: table(results, given.only)}, results, "s")


def shipped() -> Path:
    """Return the folder of the model that ships."""
    from tiza.models.find import find
    from tiza.models.unpack import trainable
    from tiza.settings import load

    settings = load()
    return trainable(find("", settings.models_path), settings.cache_path)


def table(results: dict[str, Any], names: Sequence[str]) -> list[Row]:
    """Return the figures of each."""
    return [
        {
            "trainer": {"ours": "tiza"}.get(name, name),
            "tokens/s": row["tokens_per_second"],
            "of roof %": row["share_of_roof"] * 100,
            "peak GB": row["peak_memory_bytes"] / 1e9,
            "loss": row["loss"],
            "s": row["seconds"],
            "target": "reached" if row.get("reached", True) else "not reached",
        }
        for name in names
        for row in [results[name]]
    ]


if __name__ == "__main__":
    main()
