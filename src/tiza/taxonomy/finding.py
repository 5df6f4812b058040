"""One thing that the checker has to say about one place in one file."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tiza.taxonomy.rules import RULES, Rule
from tiza.translation import N_, translate

WORDS = {"type", "reason"}  # data that are words of ours, or of the system
SYSTEM_REASONS = (
    N_("No such file or directory"),
    N_("Permission denied"),
    N_("Is a directory"),
    N_("Not a directory"),
    N_("Too many levels of symbolic links"),
    N_("File name too long"),
)
SHOWN = 60  # characters of a lesson's text that a message repeats


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that is not kept, and where. `data` fills the rule's templates."""

    rule_id: str
    line: int = 1
    column: int = 1
    data: Mapping[str, object] = field(default_factory=dict)

    @property
    def rule(self) -> Rule:
        """The rule with its severity and words."""
        return RULES[self.rule_id]

    def message(self, language: str = "en") -> str:
        """Say what is wrong."""
        return translate(self.rule.message, language).format_map(self._words(language))

    def hint(self, language: str = "en") -> str:
        """Say what to do about it."""
        return translate(self.rule.hint, language).format_map(self._words(language))

    def _words(self, language: str) -> Mapping[str, object]:
        """Return the data, with the words among them in the reader's language."""
        words = {name: translate(str(self.data[name]), language) for name in WORDS & set(self.data)}
        return {**self.data, **words}


def shown(text: str) -> str:
    """Shorten a text for a message: one line, nothing that could steer a terminal."""
    line = " ".join(text[: 4 * SHOWN].split())
    line = "".join(c if c.isprintable() else "�" for c in line)
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"
