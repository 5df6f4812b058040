"""Runs and the files in them."""

from tiza.errors.base import TizaError
from tiza.translation import N_, translate


class RunNotFound(TizaError):
    """Data: `run`, `folder`."""

    what = N_("There is no run {run} in {folder}.")
    hint = N_("`tiza data list` shows the runs that exist; `tiza data generate` makes one.")


class RunBroken(TizaError):
    """Data: `path`."""

    what = N_("{path} is not the manifest of a run.")
    hint = N_("Put it back from a copy, or begin a new run with `tiza data generate`.")


class RunBusy(TizaError):
    """Data: `run`."""

    what = N_("Another process works on the run {run}.")
    hint = N_("Wait until it has ended, or stop it.")


class RunTaken(TizaError):
    """Data: `run`."""

    what = N_("The run {run} was made from other lessons or settings than these.")
    hint = N_("Begin a new run; this one stays as it is.")


class CannotWrite(TizaError):
    """Data: `path`, `reason`."""

    what = N_("{path} cannot be written ({reason}).")
    hint = N_("What was finished is kept: make room, then run the same command again to go on.")


class SamplesInvalid(TizaError):
    """Data: `path`, and `line` if one is to blame; `problem` is a template over the data."""

    hint = N_(
        'Each line is one sample: {{"messages": [{{"role": "user", "content": "…"}}, '
        '{{"role": "assistant", "content": "…"}}]}}.'
    )

    def __init__(self, problem: str, **data: object) -> None:
        super().__init__(**data)
        self.problem = problem

    def message(self, language: str = "en") -> str:
        """Return the file, the line and what is wrong with it."""
        where = f"{self.data['path']}"
        if "line" in self.data:
            where += f":{self.data['line']}"
        problem = translate(self.problem, language).format(**self.data)
        return f"{where}: {problem}. {translate(self.hint, language).format()}"
