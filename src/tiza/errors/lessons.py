"""Lessons and the taxonomy."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from tiza.errors.base import TizaError
from tiza.translation import N_, translate


class LessonError(TizaError):
    """Data: `path`, `line`, `column`, `rule`. The sentences are the rule's."""

    def __init__(
        self,
        wrong: str = "",
        advice: str = "",
        words: Mapping[str, object] = MappingProxyType({}),
        **data: object,
    ) -> None:
        super().__init__(**data)
        self.sentences, self.words = (wrong, advice), words

    def message(self, language: str = "en") -> str:
        """Return the place, what is wrong there, and what to do."""
        said = [translate(each, language).format_map(self.words) for each in self.sentences]
        place = "{path}:{line}:{column}".format_map(self.data)
        return f"{place}: {' '.join(said)} ({self.data['rule']})"


class LessonsInvalid(TizaError):
    """All errors of the lessons that were to be taught."""

    what = N_("Some lessons cannot be taught:")
    hint = N_(
        "Nothing was sent or written. Mend the lessons (`tiza taxonomy check` says more), "
        "or leave these out with --keep-going."
    )

    def __init__(self, errors: Sequence[LessonError]) -> None:
        super().__init__()
        self.errors = errors

    def message(self, language: str = "en") -> str:
        """Return one line an error, and what to do."""
        lines = "\n".join(f"  {error.message(language)}" for error in self.errors)
        what = translate(self.what, language)
        return f"{what}\n{lines}\n{translate(self.hint, language)}"


class LessonsMissing(TizaError):
    """Data: `path`."""

    what = N_("There is no lesson in {path}.")
    hint = N_("A lesson is a file called qna.yaml; `tiza taxonomy new` begins one.")


class TaxonomyNotFound(TizaError):
    """Data: `path`."""

    what = N_("There is nothing at {path}.")
    hint = N_("Name a lesson or a folder of lessons, or the taxonomy with --taxonomy-path.")


class LessonExists(TizaError):
    """Data: `path`."""

    what = N_("There is already a lesson at {path}.")
    hint = N_("Open that one, or choose another name; nothing was changed.")


class LessonUnplaced(TizaError):
    """Data: `name`, `known`."""

    what = N_("{name} cannot be the place of a lesson.")
    hint = N_("Use small letters, digits and _ between slashes. Subjects: {known}")


class LintRulesUnreadable(TizaError):
    """Data: `path`, `reason`."""

    what = N_("The lint rules {path} cannot be used: {reason}")
    hint = N_("Give --yaml-rules a configuration file of yamllint.")


class GitFailed(TizaError):
    """Data: `command`, `reason`."""

    what = N_("git {command} failed: {reason}")
    hint = N_("Is git installed, is the taxonomy in a git repository, does the revision exist?")
