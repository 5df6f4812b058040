"""What a rule is."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """ERROR: the lesson cannot be taught. WARNING: it can, but badly. INFO: good to know."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Rule:
    """`message` and `hint` are `str.format` templates over a finding's data; `why` is for the docs.

    All three are marked for translation.
    """

    id: str
    severity: Severity
    message: str
    hint: str
    why: str
