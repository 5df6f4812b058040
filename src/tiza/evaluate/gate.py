"""The promotion gate, which says whether the new model may serve.

Thresholds come from the recipe; what a recipe leaves out has the default that stands here. Knows
figures, no model.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tiza.errors import GateInvalid
from tiza.translation import N_, translate

DEFAULTS: Mapping[str, float] = {
    "exam_gain": 0.2,  # the exam has to get better by at least this share of its questions
    "retention": 0.9,  # at least this share of what the base knew has to stay
    "earlier": 0.8,  # at least this share of what earlier lessons taught has to stay
    "leak": 0.2,  # at most this share of the neighbouring questions may get a taught fact
}

NOT_MEASURED = {
    "exam_gain": N_("there was no exam"),
    "retention": N_("the base answered no general question"),
    "leak": N_("there are too few neighbouring questions to tell"),
}
EXAM_GAIN = N_("the exam got better by {value}; at least {threshold} is asked for")
RETENTION = N_("{value} of what the model knew is still there; at least {threshold} is asked for")
EARLIER = N_(
    "{value} of what earlier lessons taught is still answered; at least {threshold} is asked for"
)
LEAK = N_("{value} of the neighbouring questions got a taught answer; at most {threshold} may")
SENTENCES = {
    "exam_gain": EXAM_GAIN,
    "retention": RETENTION,
    "earlier": EARLIER,
    "leak": LEAK,
}


@dataclass(frozen=True, slots=True)
class Check:
    """One threshold; `value` is None where nothing was measured, which is no reason to refuse."""

    name: str
    value: float | None
    threshold: float

    @property
    def passed(self) -> bool:
        """Whether the value is good enough."""
        if self.value is None:
            return True
        most = self.name == "leak"
        return self.value <= self.threshold if most else self.value >= self.threshold

    def words(self, language: str = "en") -> str:
        """Say it in a language."""
        if self.value is None:
            return translate(NOT_MEASURED[self.name], language)
        shown = {"value": f"{self.value:.0%}", "threshold": f"{self.threshold:.0%}"}
        return translate(SENTENCES[self.name], language).format(**shown)

    def as_json(self) -> dict[str, Any]:
        """Return it as it stands in `report.json`."""
        fields = {"name": self.name, "value": self.value, "threshold": self.threshold}
        return {**fields, "passed": self.passed, "reason": self.words()}


def thresholds(recipe: Mapping[str, Any] | None = None) -> dict[str, float]:
    """Fill up a recipe's `gate` with the defaults.

    Raises:
        GateInvalid: a threshold has an unknown name, or is no share between 0 and 1.

    """
    for name, value in (recipe or {}).items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if name not in DEFAULTS or not number or not 0 <= value <= 1:
            raise GateInvalid(name=name, value=value, known=", ".join(DEFAULTS))
    return {**DEFAULTS, **(recipe or {})}


def check(values: Mapping[str, float | None], limits: Mapping[str, float]) -> list[Check]:
    """Compare what was measured with the thresholds."""
    return [Check(name, values[name], limits[name]) for name in DEFAULTS if name in values]
