"""The GPUs of the machine, as nvidia-smi tells them."""

import shutil
from pathlib import Path

import pytest

from tests.engines.processes import Install
from tiza.engines import gpus
from tiza.engines.gpus import Gpu, find_gpus


def test_find_asks_the_driver_when_it_has_one_gpu(install: Install, tmp_path: Path) -> None:
    """Name, memory in MiB and compute capability are read from the driver's own tool."""
    install("nvidia-smi", f'echo "$@" > {tmp_path}/asked; echo "Tesla T4, 15360, 7.5"')

    assert find_gpus() == [Gpu("Tesla T4", 15360, (7, 5))]
    asked = (tmp_path / "asked").read_text().split()
    assert asked == [
        "--query-gpu=name,memory.total,compute_cap",
        "--format=csv,noheader,nounits",
    ]


def test_find_lists_each_when_there_are_several(install: Install) -> None:
    """One line is one GPU, in the driver's order."""
    install(
        "nvidia-smi",
        "echo 'NVIDIA H100 80GB HBM3, 81559, 9.0'\n"
        "echo 'NVIDIA RTX PRO 6000 Blackwell, Max-Q, 97887, 12.0'\n"
        "echo 'Tesla P100-PCIE-16GB, 16384, 6.0'",
    )

    assert find_gpus() == [
        Gpu("NVIDIA H100 80GB HBM3", 81559, (9, 0)),
        Gpu("NVIDIA RTX PRO 6000 Blackwell, Max-Q", 97887, (12, 0)),
        Gpu("Tesla P100-PCIE-16GB", 16384, (6, 0)),
    ]


def test_find_reads_zero_when_the_driver_does_not_know(install: Install) -> None:
    """GPUs that share the machine's memory, and old drivers, answer [N/A]."""
    install("nvidia-smi", "echo 'NVIDIA GB10, [N/A], 12.1'; echo 'Quadro K620, 2048, [N/A]'")

    assert find_gpus() == [Gpu("NVIDIA GB10", 0, (12, 1)), Gpu("Quadro K620", 2048, (0, 0))]


@pytest.mark.parametrize(
    "script",
    [
        "echo 'NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.'\n"
        "exit 9",
        "echo 'No devices were found'; exit 6",
        "echo 'No devices were found'",
        "echo 'Field \"compute_cap\" is not a valid field to query.'; exit 2",
        "exit 0",
        "kill -SEGV $$",
        "printf '\\377\\376 \\200\\n'",
    ],
)
def test_find_returns_none_when_the_driver_is_broken(install: Install, script: str) -> None:
    """A driver that does not work is a machine without GPUs, not an error."""
    install("nvidia-smi", script)

    assert find_gpus() == []


def test_find_returns_none_when_the_tool_is_not_a_program(install: Install) -> None:
    """A file that the system cannot run is no driver."""
    install("nvidia-smi", "").write_bytes(b"\x00\x01")

    assert find_gpus() == []


def test_find_gives_up_when_the_driver_hangs(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A GPU that has fallen off the bus makes nvidia-smi wait for ever; we do not."""
    monkeypatch.setattr(gpus, "PATIENCE", 0.2)
    install("nvidia-smi", "exec sleep 1000")

    assert find_gpus() == []


def test_find_returns_none_when_there_is_no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without nvidia-smi there is nothing to ask."""
    monkeypatch.setattr(shutil, "which", lambda _: None)

    assert find_gpus() == []
