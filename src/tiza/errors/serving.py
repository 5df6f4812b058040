"""Settings, and the processes of the local stack."""

from collections.abc import Sequence

from tiza.errors.base import Problem, TizaError, fields
from tiza.translation import N_, translate


class SettingsError(TizaError):
    """Problems: one for each variable that cannot be used."""

    what = N_("These settings cannot be used:\n{lines}")
    hint = N_("\nThey come from the environment or from the file .env.")

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__()
        self.problems = problems

    @classmethod
    def of(cls, variable: str, words: str, **data: object) -> "SettingsError":
        """Make the error of one variable; `words` is a template over the data."""
        return cls([(variable, words, data)])

    def message(self, language: str = "en") -> str:
        """Return one line a variable."""
        shown = fields(self.problems, language)
        lines = "\n".join(f"  {f['field'].upper()}: {f['message']}" for f in shown)
        sentences = translate(self.what, language) + translate(self.hint, language)
        return sentences.format(lines=lines)


class MissingExtra(TizaError):
    """Data: `package`, `command`."""

    what = N_("{package} is not installed.")
    hint = N_("Install it with: {command}")


class PortTaken(TizaError):
    """Data: `host`, `port`, `variable`, `free` (a port that may be free)."""

    what = N_("Port {port} on {host} is taken by another program.")
    hint = N_("Stop that program, or choose another port, for example {variable}={free}.")


class KeyNeeded(TizaError):
    """Data: `host`."""

    what = N_("An engine that listens on {host} needs a key: anybody there could use it.")
    hint = N_("Set VLLM_API_KEY, or listen on 127.0.0.1.")


class ServiceFailed(TizaError):
    """Data: `name`, `reason` (the last thing it said), `log`, `status` (None while it runs)."""

    what = N_("The {name} did not start: {reason}")
    hint = N_("\nIts whole output is in {log}.")


class EngineSilent(TizaError):
    """Data: `model`, `reason` (what came instead of an answer), `log`."""

    what = N_("{model} was asked a question and did not answer: {reason}")
    hint = N_("\nThe engine's whole output is in {log}.")


class PageMissing(TizaError):
    """Data: `path`."""

    what = N_("The page is incomplete: {path} is missing.")
    hint = N_("Run: make run (it installs the page's libraries)")
