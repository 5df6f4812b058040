"""What each learned position should predict: the answer's token, or the base's own distribution.

A distribution is kept as its `k` likeliest words and their probabilities; all other words together
are one more outcome. A token of an answer is the case of one word with probability 1. Knows no
network: it is told the logits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from tiza.train.data import Row

TINY = 1e-6  # least probability of a rest: float32 sums to 1 no better


@dataclass(frozen=True)
class Target:
    """For n positions: `words` [n, k] token numbers, `odds` [n, k] their probabilities."""

    words: Tensor
    odds: Tensor

    def entropy(self) -> Tensor:
        """Return the entropy of each position in nats [n]: the least possible cross-entropy."""
        rest = (1 - self.odds.sum(1, keepdim=True)).clamp_min(0)
        odds = torch.cat([self.odds, rest], 1)
        return -(odds * odds.clamp_min(1e-20).log()).sum(1)


class Targets:
    """The targets of all rows."""

    def __init__(self, rows: Sequence[Row], soft: Mapping[int, Target], top: int) -> None:
        self._rows, self._soft, self._top = rows, soft, top

    def of(self, numbers: Sequence[int], device: torch.device) -> Target:
        """Return the targets of a batch, row after row."""
        each = [self._soft.get(n) or _hard(self._rows[n], self._top) for n in numbers]
        words = torch.cat([target.words for target in each])
        odds = torch.cat([target.odds for target in each])
        return Target(words.to(device, torch.long), odds.to(device))


def _hard(row: Row, top: int) -> Target:
    words = torch.zeros(len(row.answers), top, dtype=torch.int32)
    odds = torch.zeros(len(row.answers), top)
    words[:, 0] = torch.tensor(row.targets, dtype=torch.int32)
    odds[:, 0] = 1
    return Target(words, odds)


def likeliest(logits: Tensor, top: int) -> Target:
    """Return the `top` likeliest words of each position of logits [n, vocabulary]."""
    odds, words = logits.float().softmax(1).topk(top, 1)
    return Target(words.to(torch.int32).cpu(), odds.cpu())


def cross_entropy(logits: Tensor, target: Target) -> Tensor:
    """Return the cross-entropy to the target of each position [n], in nats."""
    logs = logits.float().log_softmax(1)
    chosen = logs.gather(1, target.words)
    rest = (1 - target.odds.sum(1)).clamp_min(0)
    others = (1 - chosen.exp().sum(1)).clamp_min(TINY).log()
    return -(target.odds * chosen).sum(1) - rest * torch.where(rest > 0, others, 0.0)


def save(soft: Mapping[int, Target], path: Path, key: str) -> None:
    """Keep the base's distributions in a file, in one step."""
    part = path.with_name(f".{path.name}.part")
    tensors = {f"{n}.words": target.words for n, target in soft.items()}
    tensors |= {f"{n}.odds": target.odds for n, target in soft.items()}
    save_file(tensors, part, {"key": key})
    part.replace(path)


def load(path: Path, key: str) -> dict[int, Target] | None:
    """Return what was kept under the key, if anything was."""
    try:
        with safe_open(path, "pt") as file:
            if (file.metadata() or {}).get("key") != key:
                return None
            numbers = {name.partition(".")[0] for name in file.keys()}  # noqa: SIM118  # no dict
            read = file.get_tensor
            return {int(n): Target(read(f"{n}.words"), read(f"{n}.odds")) for n in numbers}
    except (OSError, SafetensorError):
        return None
