"""Memory and disk: what a run needs, what is there, and what would fit.

Asked before the first step. Estimates err upwards: a run that begins shall end.
"""

import contextlib
import resource
import shutil
import sys
from dataclasses import dataclass, replace
from gettext import gettext as _
from pathlib import Path
from typing import Any

import torch

from tiza.errors import ResourcesShort
from tiza.train.data import Rows
from tiza.train.recipe import Recipe
from tiza.train.weights import Weights

LIBRARIES = 700 << 20  # bytes of torch, transformers and what they keep
STATES = 18  # numbers of a block's width that a learning layer keeps for each token
HEAD_ROWS = 256
LINUX_MEMORY = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")
MB = 1 << 20


@dataclass(frozen=True)
class Need:
    """What an estimate is made of."""

    weights: int  # numbers in the base
    learned: int  # numbers that learn
    layers: int  # that learn
    hidden: int
    vocabulary: int
    width: int  # bytes of a number of the frozen base

    def memory(self, recipe: Recipe, rows: Rows) -> int:
        """Return bytes at the peak."""
        full = recipe.method == "full"
        fixed = self.learned * 16 if full else self.weights * self.width + self.learned * 16
        passing = max(recipe.micro_batch_tokens, rows.longest) * self.hidden * 4
        logits = HEAD_ROWS * self.vocabulary * 12
        kept = sum(len(row.ids) for row in rows.rows) * self.hidden * 4
        return LIBRARIES + fixed + passing * self.layers * STATES + logits + kept

    def disk(self, recipe: Recipe, rows: Rows) -> int:
        """Return bytes: state, best and result, each beside its successor, and the targets."""
        soft = sum(len(rows.rows[number].answers) for number in rows.replay)
        return self.learned * 4 * 8 + soft * recipe.replay_top_k * 8 + 10 * MB


def need(weights: Weights, recipe: Recipe, width: int) -> Need:
    """Estimate from the config and the sizes of the tensors."""
    config: dict[str, Any] = weights.config
    layers = int(config.get("num_hidden_layers", 32))
    hidden = int(config.get("hidden_size", 4096))
    count = weights.count
    learning = max(1, round(layers * recipe.lora_layers)) if recipe.method == "lora" else layers
    wide = int(config.get("intermediate_size", 4 * hidden))
    sides = 7 * hidden + 4 * hidden + 3 * wide  # inputs and outputs of a block's linear modules
    learned = learning * sides * recipe.lora_r if recipe.method == "lora" else count
    return Need(count, learned, learning, hidden, int(config.get("vocab_size", 0)), width)


def check(needed: Need, recipe: Recipe, rows: Rows, folder: Path, device: torch.device) -> None:
    """Compare with what is there.

    Raises:
        ResourcesShort: with what would fit.

    """
    memory, there = needed.memory(recipe, rows), available(device)
    if there is not None and memory > there:
        raise ResourcesShort(
            kind=_("memory"),
            needed=_size(memory),
            there=_size(there),
            advice=_advice(needed, recipe, rows, there),
        )
    disk, free = needed.disk(recipe, rows), shutil.disk_usage(folder).free
    if disk > free:
        raise ResourcesShort(
            kind=_("disk space"),
            needed=_size(disk),
            there=_size(free),
            advice=_("Free some space, or set VAR_PATH to a folder on another disk."),
        )


def available(device: torch.device) -> int | None:
    """Return the bytes of memory that are free on the device; None if nobody says."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    free: list[int] = []
    with contextlib.suppress(OSError, ValueError):
        lines = LINUX_MEMORY.read_text().splitlines()
        free += [int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable")]
    with contextlib.suppress(OSError, ValueError):
        most = int((CGROUP / "memory.max").read_text())
        free.append(most - int((CGROUP / "memory.current").read_text()))
    return min(free, default=None)


def used(device: torch.device) -> int:
    """Return the most memory that this process has held, in bytes."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak << 10


def keep_memory() -> None:
    """Let glibc keep freed memory: each step asks for the same, and the kernel would clear it.

    As much as another allocator would gain here, without loading one.
    """
    with contextlib.suppress(OSError, AttributeError):
        import ctypes

        tune = ctypes.CDLL(None).mallopt
        trim_threshold, mmap_threshold = -1, -3  # from malloc.h
        tune(mmap_threshold, 1 << 30)
        tune(trim_threshold, 2**31 - 1)


def _advice(needed: Need, recipe: Recipe, rows: Rows, there: int) -> str:
    for tokens in (4096, 2048, 1024, 512, 256):
        smaller = replace(recipe, micro_batch_tokens=tokens)
        if tokens < recipe.micro_batch_tokens and needed.memory(smaller, rows) <= there:
            return _("It would fit with --micro-batch-tokens {tokens}.").format(tokens=tokens)
    if recipe.method == "full":
        return _("Choose a recipe with an adapter (method: lora), or a smaller base.")
    return _("Close other programs, or choose a smaller base.")


def _size(count: int) -> str:
    gigabytes = count / 1e9
    return f"{gigabytes:.1f} GB" if gigabytes >= 1 else f"{count / 1e6:.0f} MB"
