"""The promotion gate: three thresholds, each with its reason."""

import pytest

from tiza.errors import GateInvalid
from tiza.evaluate.gate import DEFAULTS, check, thresholds

GOOD = {"exam_gain": 0.5, "retention": 0.97, "leak": 0.05}


def test_a_model_at_its_thresholds_passes() -> None:
    """The thresholds themselves are good enough."""
    assert all(one.passed for one in check(dict(DEFAULTS), thresholds()))


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("exam_gain", 0.1, "the exam got better by 10%; at least 20% is asked for"),
        ("retention", 0.5, "50% of what the model knew is still there; at least 90% is asked for"),
        ("leak", 0.4, "40% of the neighbouring questions got a taught answer; at most 20% may"),
    ],
)
def test_a_model_that_fails_is_told_why(name: str, value: float, reason: str) -> None:
    """Each threshold refuses by itself."""
    failed = [one for one in check({**GOOD, name: value}, thresholds()) if not one.passed]

    assert [(one.name, one.words()) for one in failed] == [(name, reason)]


def test_what_was_not_measured_is_no_reason_to_refuse() -> None:
    """A base that knows nothing has nothing to lose."""
    checks = check({**GOOD, "retention": None}, thresholds())

    assert all(one.passed for one in checks)
    assert "the base answered no general question" in [one.words() for one in checks]


def test_a_recipe_changes_single_thresholds() -> None:
    """What it leaves out keeps its default."""
    assert thresholds({"leak": 0.5}) == {**DEFAULTS, "leak": 0.5}


@pytest.mark.parametrize("gate", [{"leaks": 0.1}, {"leak": 2}, {"leak": "few"}, {"leak": True}])
def test_a_threshold_that_means_nothing_is_refused(gate: dict[str, object]) -> None:
    """A typing error does not open the gate."""
    with pytest.raises(GateInvalid):
        thresholds(gate)
