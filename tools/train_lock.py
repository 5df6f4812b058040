"""Sort the lock of the extra `train`: `tools/train_lock.py LOCK`, called by `make lock`.

uv's universal lock names the CUDA packages under markers, for every Linux; most machines have no
GPU, and those packages are 3 GB. They go to requirements/train-cuda.txt, which is installed only
where torch asks for them; what run.txt pins already goes nowhere. Builds of torch for the CPU alone
stand in no index that uv was told: their hashes, written by hand, are kept.
"""

import re
import sys
from pathlib import Path

FOLDER = Path("requirements")
CUDA = ("nvidia-", "cuda-", "triton")
HEAD = {
    "train.txt": "# What training needs beside run.txt, CUDA left out: see tools/train_lock.py.\n",
    "train-cuda.txt": "# What torch needs beside train.txt where its build is one for CUDA.\n",
}


def pins(text: str) -> list[str]:
    """Return the pins of a lock, each with its hashes."""
    return re.findall(r"^[a-z0-9].*(?:\n    .*)*", text, re.MULTILINE)


def name(pin: str) -> str:
    """Return the package of a pin."""
    return pin.partition("==")[0].strip()


def with_kept_hashes(pin: str, before: list[str]) -> str:
    """Add the hashes that an earlier lock had for the same version."""
    first = pin.partition(" ")[0]
    old = next((each for each in before if each.partition(" ")[0] == first), "")
    hashes = {*re.findall(r"--hash=\S+", pin), *re.findall(r"--hash=\S+", old)}
    return " \\\n    ".join([pin.partition(" \\")[0], *sorted(hashes)])


def main(lock: Path) -> None:
    """Write both files."""
    already = {name(pin) for pin in pins((FOLDER / "run.txt").read_text())}
    found = [pin for pin in pins(lock.read_text()) if name(pin) not in already]
    target = FOLDER / "train.txt"
    before = pins(target.read_text()) if target.exists() else []
    parts: dict[str, list[str]] = {"train.txt": [], "train-cuda.txt": []}
    for pin in found:
        text = with_kept_hashes(pin, before) if name(pin) == "torch" else pin
        parts["train-cuda.txt" if name(pin).startswith(CUDA) else "train.txt"].append(text)
    for file, each in parts.items():
        (FOLDER / file).write_text(HEAD[file] + "\n".join(each) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
