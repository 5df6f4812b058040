"""Whatever happens to a running answer, nothing acknowledged is lost, doubled or left hanging."""

from pathlib import Path

import pytest

from tests.reliability.faults import FAULTS

AWAY_SECONDS = 2.0  # the report takes ten


@pytest.mark.parametrize("name", FAULTS)
async def test_nothing_is_lost_when_a_fault_happens(name: str, tmp_path: Path) -> None:
    """Each fault says what it checks, and fails where it does not hold."""
    assert await FAULTS[name](tmp_path, AWAY_SECONDS)
