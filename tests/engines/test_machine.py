"""What the machine offers."""

import os
import platform

import psutil
import pytest

from tests.engines.processes import Install
from tiza import __version__
from tiza.engines import machine


def test_describe_tells_the_facts_when_a_gpu_is_there(install: Install) -> None:
    """Versions, processor, memory and GPUs are the machine's own."""
    install("nvidia-smi", "echo 'NVIDIA A100-SXM4-80GB, 81920, 8.0'")

    facts = machine.describe()

    assert facts["tiza"] == __version__
    assert facts["python"] == platform.python_version()
    assert facts["cores"] == os.cpu_count()
    assert facts["memory"] == f"{psutil.virtual_memory().total / 2**30:.1f} GiB"
    assert facts["gpus"] == ["NVIDIA A100-SXM4-80GB, 80 GiB, compute capability 8.0"]
    assert facts["processor"]


def test_describe_lists_only_installed_packages_when_some_are_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An engine that is not installed is not in the list."""
    monkeypatch.setattr(machine, "PACKAGES", ("click", "no-such-package"))

    assert machine.describe()["packages"] == [f"click {machine.installed('click')}"]


def test_memory_is_zero_when_the_system_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Facts are optional: a system that does not know one is described without it."""
    monkeypatch.delattr(os, "sysconf")

    assert machine.memory_bytes() == 0
