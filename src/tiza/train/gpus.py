"""Several GPUs: the same order, carried out by `torchrun` with one process a GPU.

The processes shard weights, gradients and moments among them (FSDP2 through accelerate). They read
the order from a file in the run's folder and write the same result as one process would.
"""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tiza.errors import ServiceFailed
from tiza.runs.run import replace
from tiza.train.stage import WORKING, Order

ORDER = "order.json"


def command(gpus: int, order: Path) -> list[str]:
    """Return the command line that trains on `gpus` GPUs of this machine."""
    return [
        *(sys.executable, "-m", "torch.distributed.run"),
        *("--standalone", "--nproc-per-node", str(gpus)),
        *("-m", "tiza.train.sharded", str(order)),
    ]


def write_order(order: Order) -> Path:
    """Write the order where all processes find it."""
    folder = order.run.path / WORKING
    folder.mkdir(exist_ok=True)
    facts = {
        "run": str(order.run.path.resolve()),
        "base": str(order.base.resolve()),
        "recipe": asdict(order.recipe),
        "recipe_name": order.recipe_name,
        "system_prompt": order.system_prompt,
    }
    replace(folder / ORDER, json.dumps(facts, indent=2, ensure_ascii=False))
    return folder / ORDER


def train_on(gpus: int, order: Order) -> dict[str, Any]:
    """Train on several GPUs and return the facts that the manifest then holds.

    Raises:
        ServiceFailed: a process ended badly; its words went to standard error.

    """
    path = write_order(order)
    done = subprocess.run(command(gpus, path), check=False)
    if done.returncode:
        reason = f"exit {done.returncode}"
        raise ServiceFailed(name="torchrun", reason=reason, log=order.run.events)
    return order.run.section("train")
