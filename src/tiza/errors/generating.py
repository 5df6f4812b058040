"""Teachers, pipelines and documents."""

from tiza.errors.base import Blank, TizaError
from tiza.translation import N_, translate


class TeacherError(TizaError):
    """Data: `url`, `reason` (in the endpoint's words, short)."""

    what = N_("The teacher at {url} cannot be used: {reason}.")
    hint = N_(
        "Check --endpoint-url and --teacher-model-id. What is finished is kept: "
        "the same command goes on from there."
    )


class TeacherRefused(TeacherError):
    """Data: `url`, `reason`."""

    what = N_("The teacher at {url} does not accept the key: {reason}.")
    hint = N_("Give the right one with --api-key; the same command then goes on.")


class TeacherUnreachable(TeacherError):
    """Data: `url`, `reason`."""

    what = N_("The teacher at {url} does not answer: {reason}.")
    hint = N_(
        "Is it running, is --endpoint-url right? What is finished is kept: "
        "the same command goes on from there."
    )


class NoAnswer(TeacherError):
    """Data: `url`, `reason`."""

    what = N_("The teacher has no usable answer: {reason}.")
    hint = ""


class PipelineNotFound(TizaError):
    """Data: `name`, `known`."""

    what = N_("There is no pipeline {name}.")
    hint = N_("These are shipped: {known}. Or give the path of a file of that form.")


class PipelineInvalid(TizaError):
    """Data: `path`, `line`, `key`; `problem` is a template over the data, `expected` may be one."""

    hint = N_("The form is explained at the top of the shipped pipeline full.yaml.")

    def __init__(self, problem: str, **data: object) -> None:
        super().__init__(**data)
        self.problem = problem

    def message(self, language: str = "en") -> str:
        """Return the place, the key, what is wrong with it, and where the form is explained."""
        expected = str(self.data.get("expected", ""))
        words = self.data | {"expected": translate(expected, language).format_map(self.data)}
        problem = translate(self.problem, language).format_map(words)
        place = "{path}:{line}: {key}".format_map(Blank(self.data))
        return f"{place}: {problem.rstrip('.')}. {translate(self.hint, language)}"


class DocumentUnreadable(TizaError):
    """Data: `path`, as the lesson calls it; `problem` is a template over the data, with advice."""

    def __init__(self, problem: str, **data: object) -> None:
        super().__init__(**data)
        self.problem = problem

    def message(self, language: str = "en") -> str:
        """Return the document and what keeps it from being read."""
        return f"{self.data['path']}: {translate(self.problem, language).format(**self.data)}"


class DocumentsMissing(TizaError):
    """Data: `patterns`, `repo`, `commit`."""

    what = N_("No file in {repo} at {commit} matches {patterns}.")
    hint = N_('"*.md" finds files at the top only; "docs/*.md" finds those in docs.')


class RepositoryRefused(TizaError):
    """Data: `repo`."""

    what = N_("Documents are not fetched from {repo}.")
    hint = N_(
        "Write https://…, ssh://…, git@host:path, or the whole path of a repository on this "
        "machine."
    )


class RepositoryUnreachable(TizaError):
    """Data: `repo`, `reason`."""

    what = N_("The repository {repo} cannot be fetched: {reason}")
    hint = N_("Check its address, the network, and that git may read it without asking you.")


class CommitUnknown(TizaError):
    """Data: `commit`, `repo`."""

    what = N_("There is no commit {commit} in {repo}.")
    hint = N_("Copy its whole hash from `git log`; was it pushed?")
