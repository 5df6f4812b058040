"""What this machine offers to an engine: processor, memory, GPUs, installed engines, versions."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tiza import __version__
from tiza.engines.gpus import find_gpus

GIB = 1024**3
PACKAGES = ("xllamacpp", "vllm", "fastapi", "uvicorn", "aiohttp", "torch", "transformers", "peft")


def describe() -> dict[str, object]:
    """Return the facts, in the order in which a person wants them."""
    gpus = [
        f"{gpu.name}, {gpu.memory / 1024:.0f} GiB, compute capability "
        f"{gpu.capability[0]}.{gpu.capability[1]}"
        for gpu in find_gpus()
    ]
    return {
        "tiza": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} ({platform.machine()})",
        "processor": processor(),
        "cores": os.cpu_count() or 1,
        "memory": f"{memory_bytes() / GIB:.1f} GiB",
        "gpus": gpus,
        "packages": [f"{name} {found}" for name in PACKAGES if (found := installed(name))],
    }


def installed(package: str) -> str | None:
    """Return the version of an installed package, without importing it."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def processor() -> str:
    """Return the processor's name."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def memory_bytes() -> int:
    """Return the size of the machine's memory; 0 where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0
