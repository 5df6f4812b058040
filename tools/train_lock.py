"""Sort the lock of the extra `train`: `tools/train_lock.py LOCK`, called by `make lock`.

uv's universal lock names the CUDA packages under markers, for every Linux; most machines have no
GPU, and those packages are 3 GB. They go to requirements/train-cuda.txt with the torch that needs
them, which is installed only where requirements/train-cpu.txt, kept by hand, cannot be had: a build
of torch for the CPU alone, which few indexes have. What run.txt pins already goes nowhere.
"""

import re
import sys
from pathlib import Path

FOLDER = Path("requirements")
CUDA = ("nvidia-", "cuda-", "triton", "torch")
HEAD = {
    "train.txt": "# What training needs beside run.txt and torch: see tools/train_lock.py.\n",
    "train-cuda.txt": "# torch as the common index has it: on Linux for CUDA, with its needs.\n",
}


def pins(text: str) -> list[str]:
    """Return the pins of a lock, each with its hashes."""
    return re.findall(r"^[a-z0-9].*(?:\n    .*)*", text, re.MULTILINE)


def name(pin: str) -> str:
    """Return the package of a pin."""
    return pin.partition("==")[0].strip()


def main(lock: Path) -> None:
    """Write both files."""
    already = {name(pin) for pin in pins((FOLDER / "run.txt").read_text())}
    found = [pin for pin in pins(lock.read_text()) if name(pin) not in already]
    parts: dict[str, list[str]] = {"train.txt": [], "train-cuda.txt": []}
    for pin in found:
        parts["train-cuda.txt" if name(pin).startswith(CUDA) else "train.txt"].append(pin)
    for file, each in parts.items():
        (FOLDER / file).write_text(HEAD[file] + "\n".join(each) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
