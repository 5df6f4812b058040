"""What the tests of several engines share."""

from pathlib import Path

import pytest

from tests.engines.processes import Install, put_program


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put shell scripts under a program's name on a PATH that has nothing else of that kind."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin:/usr/bin")
    return lambda name, script: put_program(tmp_path / "bin", name, script)
