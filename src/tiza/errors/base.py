"""What every error has: what happened, what to do about it, and the data of both sentences."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from tiza.translation import translate

Problem = tuple[str, str, Mapping[str, object]]
SUMMARY_PROBLEMS = 3


class Blank(dict[str, object]):
    """Data of a template in which a missing value is blank."""

    def __init__(self, data: Mapping[str, object]) -> None:
        super().__init__(data)

    def __missing__(self, key: str) -> str:
        return ""


def fields(problems: Sequence[Problem], language: str) -> list[dict[str, str]]:
    """Say what is wrong, field by field, in a language."""
    return [
        {"field": field, "message": translate(words, language).format_map(Blank(data))}
        for field, words, data in problems
    ]


class TizaError(Exception):
    """Base of all. `what` and `hint` are `str.format` templates over the keyword data."""

    what: ClassVar[str] = ""
    hint: ClassVar[str] = ""

    def __init__(self, **data: object) -> None:
        super().__init__()
        self.data = data

    def message(self, language: str = "en") -> str:
        """Return what happened and what to do, in a language."""
        sentences = [translate(self.what, language), translate(self.hint, language)]
        return " ".join(s for s in sentences if s).format(**self.data)

    def __str__(self) -> str:
        return self.message()
