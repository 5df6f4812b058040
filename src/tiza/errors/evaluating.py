"""Exams, gates and reports."""

from tiza.errors.base import TizaError
from tiza.translation import N_


class ExamMissing(TizaError):
    """Data: `path`."""

    what = N_("There is no exam at {path}.")
    hint = N_(
        "Give the lessons `exam` questions and run `tiza data generate`, "
        "or name the run with --run."
    )


class ExamLeaked(TizaError):
    """Data: `count`, `questions` (the first of them), `path`."""

    what = N_("{count} exam questions are among the training samples in {path}: {questions}")
    hint = N_(
        "An exam on taught questions shows nothing. Change them in the lesson's `exam`, "
        "or run `tiza data generate` again."
    )


class EngineGone(TizaError):
    """Data: `url`, `reason`."""

    what = N_("The model at {url} does not answer ({reason}).")
    hint = N_("Start it and run the same command again: it goes on where it stopped.")


class AnswersRefused(TizaError):
    """Data: `url`, `status`, `reason`."""

    what = N_("The model at {url} does not take the questions (HTTP {status}): {reason}")
    hint = N_("Check the address, the key and the name of the model.")


class GateInvalid(TizaError):
    """Data: `name`, `value`, `known`."""

    what = N_("The threshold {name}: {value} of the promotion gate cannot be used.")
    hint = N_("These exist, each a share between 0 and 1: {known}")


class NotPromoted(TizaError):
    """Data: `reasons` in words, `model` that keeps serving, `path` of the report."""

    what = N_("The new model does not serve: {reasons}. {model} goes on as before.")
    hint = N_("Read {path}. More phrasings of a question help most; --force promotes it anyway.")


class ReportUnreadable(TizaError):
    """Data: `path`, `found`, `known` (versions of the format)."""

    what = N_("{path} is no report that this version reads (format {found}; it reads {known}).")
    hint = N_("Examine the model again with `tiza model evaluate`.")


class HarnessMissing(TizaError):
    """Data: `program`."""

    what = N_("The open benchmarks need lm-evaluation-harness, and there is no {program} here.")
    hint = N_("Install it (`pip install 'lm-eval[api]'`), or leave --tasks out.")


class HarnessFailed(TizaError):
    """Data: `program`, `status`, `path` of its words."""

    what = N_("{program} ended with status {status} and brought no results.")
    hint = N_("Its last words are in {path}. Tasks that compare given texts cannot be asked here.")
