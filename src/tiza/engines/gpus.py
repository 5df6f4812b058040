"""Which NVIDIA GPUs this machine has, asked from the driver's own tool; knows no engine."""

import shutil
import subprocess
from dataclasses import dataclass

QUERY = "--query-gpu=name,memory.total,compute_cap"
PATIENCE = 10  # seconds


@dataclass(frozen=True)
class Gpu:
    """One GPU; memory in MiB; compute capability as (major, minor)."""

    name: str
    memory: int
    capability: tuple[int, int]


def find_gpus() -> list[Gpu]:
    """List the GPUs that the driver sees; empty without a driver."""
    nvidia_smi = shutil.which("nvidia-smi")
    if nvidia_smi is None:
        return []
    command = [nvidia_smi, QUERY, "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    return [_parse(line) for line in lines if line.count(",") >= 2]  # noqa: PLR2004  # three fields


def _parse(line: str) -> Gpu:
    name, memory, capability = (part.strip() for part in line.rsplit(",", 2))
    major, _, minor = capability.partition(".")
    digits = [int(part) if part.isdigit() else 0 for part in (memory, major, minor)]
    return Gpu(name, digits[0], (digits[1], digits[2]))
