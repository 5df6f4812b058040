"""Every error that Tiza raises on purpose.

    TizaError
    ├── SettingsError            a setting has a value that cannot be used
    ├── ModelNotFound            MODEL_PATH or --model names nothing
    │   └── ActiveModelGone      the model that `tiza model use` chose was taken away
    ├── ModelUnreadable          the file is there, no engine can load it
    ├── ModelRefused             a file or folder cannot be worked with; says the problem
    │   ├── WeightsBroken        damaged, cut off, or made to do harm
    │   ├── PickleRefused        a pickle holds more than plain tensors
    │   ├── ModelUnsupported     Tiza does not know how to convert it
    │   ├── AdapterMismatch      the adapter was made for another base
    │   └── BackupBroken         an archive is damaged, or not one of Tiza's
    ├── ModelExists              a new model would overwrite something
    ├── ModelUnnamable           a name cannot be that of a folder in the store
    ├── ModelActive              the model in use would be removed
    ├── ModelNeeded              an adapter's base would be removed
    ├── SpaceMissing             the disk is too full for what would be written
    ├── HubFailed                the hub does not answer, or refuses
    ├── DownloadBroken           a file arrived with another checksum
    ├── HubFilesUnclear          a repository has no files of the usual kind
    ├── MissingExtra             an optional package is not installed
    ├── PortTaken                another program listens there
    ├── KeyNeeded                an engine would listen to the network without a key
    ├── ServiceFailed            the engine or the API ended before it was ready
    ├── EngineSilent             an engine that started answers no question
    ├── PageMissing              the page's libraries were never installed
    ├── LessonError              a lesson cannot be taught; says line, column and rule
    ├── LessonsInvalid           the errors of several lessons
    ├── LessonsMissing           there is no lesson where some were looked for
    ├── TaxonomyNotFound         a path to check does not exist
    ├── LessonExists             a new lesson would overwrite one
    ├── LessonUnplaced           a new lesson's subject or name cannot be used
    ├── LintRulesUnreadable      the file of --yaml-rules is no yamllint configuration
    ├── GitFailed                git is missing, or refuses what was asked
    ├── RunNotFound              no run has that name
    ├── RunBroken                a run's manifest cannot be read
    ├── RunBusy                  another process works on the run
    ├── CannotWrite              the disk is full, or the folder is closed to us
    ├── PipelineNotFound         --pipeline names none, and no file
    ├── PipelineInvalid          a pipeline's file cannot be used; says line and key
    ├── SamplesInvalid           a line of a JSONL file is no sample
    ├── TeacherError             the teacher cannot be used as it is
    │   ├── TeacherRefused       it does not accept the key
    │   ├── TeacherUnreachable   it does not answer, or too many ask it
    │   └── NoAnswer             it has no usable answer to one request; the run goes on
    ├── DocumentUnreadable       no text can be taken from a lesson's document
    ├── DocumentsMissing         no file in the repository has a name that the lesson asks for
    ├── RepositoryRefused        documents are not fetched from that kind of address
    ├── RepositoryUnreachable    git cannot fetch from the address, or not in time
    ├── CommitUnknown            the repository has no such commit
    ├── RecipeNotFound           no recipe has that name
    ├── RecipeInvalid            a line of a recipe cannot be used
    ├── BaseUnusable             the base model cannot be trained
    ├── TemplateUnusable         the base model's chat template is missing or refuses a sample
    ├── ResourcesShort           not enough memory or disk for what was asked
    ├── TrainingDiverged         the loss is no number any more
    ├── ExamMissing              a run has no questions to examine a model with
    ├── ExamLeaked               a question of the exam is among the training samples
    ├── EngineGone               the endpoint under examination does not answer (any more)
    ├── AnswersRefused           it answers, but not the questions
    ├── GateInvalid              a threshold of the promotion gate cannot be used
    ├── ReportUnreadable         a report was written by another version, or is none
    └── RequestError             an answer of the API: has a status and a code (see contract)
        ├── InvalidRequest       422 invalid_request
        ├── BodyTooLarge         413 body_too_large
        ├── NotFound             404 not_found
        ├── ModelUnknown         404 model_not_found
        ├── MethodNotAllowed     405 method_not_allowed
        ├── Overloaded           503 overloaded
        ├── Draining             503 draining
        ├── InternalError        500 internal
        └── EngineError          502 engine_error: it answered nonsense
            ├── EngineUnreachable  503 engine_unreachable
            ├── EngineTimeout      504 engine_timeout
            └── EngineLost         502 engine_lost: the connection broke in mid-answer

A class says *what* happened and, in `hint`, *what to do*; the instance carries *where*, as data.
Both sentences are English templates that `translation` turns into the reader's language. Errors are
caught in two places only: the command line's `main` and the API's exception handlers.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar

from tiza.translation import N_, translate

Problem = tuple[str, str, Mapping[str, object]]

SUMMARY_PROBLEMS = 3


class _Blank(dict[str, object]):
    """Data of a template in which a missing value is blank."""

    def __init__(self, data: Mapping[str, object]) -> None:
        super().__init__(data)

    def __missing__(self, key: str) -> str:
        return ""


def fields(problems: Sequence[Problem], language: str) -> list[dict[str, str]]:
    """Say what is wrong, field by field, in a language."""
    return [
        {"field": field, "message": translate(words, language).format_map(_Blank(data))}
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


class ModelNotFound(TizaError):
    """Data: `model`."""

    what = N_("There is no model at {model}.")
    hint = N_(
        "Set MODEL_PATH (or --model) to a .gguf file or to a folder with a model in it, "
        "or leave it unset to use the small model that comes with Tiza."
    )


class ModelUnreadable(TizaError):
    """Data: `model`, `engine`."""

    what = N_("{engine} cannot load {model}: the file is damaged or not a model of its kind.")
    hint = N_("Copy or convert it again, or choose another with MODEL_PATH.")


class ActiveModelGone(ModelNotFound):
    """Data: `model`."""

    what = N_("The model in use, {model}, is no longer in the store.")
    hint = N_("Choose another with `tiza model use NAME`, or the one of Tiza with `use shipped`.")


class ModelRefused(TizaError):
    """Data: `path`, `problem`, which is itself a template over the data."""

    what = N_("{path} cannot be used: {problem}.")

    def message(self, language: str = "en") -> str:
        """Return the place, the problem and what to do."""
        problem = translate(str(self.data["problem"]), language).format_map(_Blank(self.data))
        sentences = [translate(self.what, language), translate(self.hint, language)]
        data = _Blank({**self.data, "problem": problem})
        return " ".join(s for s in sentences if s).format_map(data)


class WeightsBroken(ModelRefused):
    """Data: `path`, `problem`."""

    what = N_("{path} is damaged, or not the kind of file that its name says: {problem}.")
    hint = N_("Copy or download it again.")


class PickleRefused(ModelRefused):
    """Data: `path`, `problem`."""

    what = N_("{path} was not opened, because a pickle can run programs: {problem}.")
    hint = N_("Ask for the model as safetensors, and do not load this file with another program.")


class ModelUnsupported(ModelRefused):
    """Data: `path`, `problem`."""

    what = N_("Tiza cannot convert {path}: {problem}.")


class AdapterMismatch(ModelRefused):
    """Data: `path`, `base`, `problem`."""

    what = N_("The adapter {path} does not belong to the base {base}: {problem}.")
    hint = N_("Name the base that it was trained on with --base.")


class BackupBroken(ModelRefused):
    """Data: `path`, `problem`."""

    what = N_("{path} cannot be restored: {problem}.")
    hint = N_("Nothing was changed in the store.")


class ModelExists(TizaError):
    """Data: `path`."""

    what = N_("There is already something at {path}.")
    hint = N_("Choose another name or place, or remove that one first; nothing was changed.")


class ModelUnnamable(TizaError):
    """Data: `name`."""

    what = N_("{name} cannot be the name of a model.")
    hint = N_("Use letters, digits, dots, - and _; the first is a letter or a digit.")


class ModelActive(TizaError):
    """Data: `model`."""

    what = N_("{model} is in use.")
    hint = N_("Choose another first, with `tiza model use` or MODEL_PATH; nothing was removed.")


class ModelNeeded(TizaError):
    """Data: `model`, `adapter`."""

    what = N_("The adapter {adapter} needs {model}.")
    hint = N_("Merge the adapter or remove it first; nothing was removed.")


class SpaceMissing(TizaError):
    """Data: `path`, `needed` and `free` in megabytes."""

    what = N_("{path} has {free} MB free; {needed} MB are needed.")
    hint = N_("Make room or choose another disk; nothing was written.")


class HubFailed(TizaError):
    """Data: `url`, `reason`."""

    what = N_("The hub did not answer as expected at {url}: {reason}")
    hint = N_(
        "Check the name, the connection, HF_ENDPOINT and, for a model behind a login, HF_TOKEN. "
        "The same command goes on where it stopped."
    )


class DownloadBroken(TizaError):
    """Data: `file`."""

    what = N_("{file} arrived with another checksum than the hub names, and was deleted.")
    hint = N_("Try again; if it stays so, do not use this model.")


class HubFilesUnclear(TizaError):
    """Data: `model`, `files`."""

    what = N_("{model} does not say by itself which of its files are the model: {files}")
    hint = N_("Choose with --include, for example: --include 'NAME.gguf'")


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
        place = "{path}:{line}: {key}".format_map(_Blank(self.data))
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


class RecipeNotFound(TizaError):
    """Data: `recipe`, `names` of those that are there."""

    what = N_("There is no recipe {recipe}.")
    hint = N_("Name a YAML file, or one of: {names}.")


class RecipeInvalid(TizaError):
    """Data: `path`, `line` (or the flag to blame); `problem` is a template over the data."""

    hint = N_("The recipes under recipes/ explain every key.")

    def __init__(self, problem: str, **data: object) -> None:
        super().__init__(**data)
        self.problem = problem

    def message(self, language: str = "en") -> str:
        """Return the file, the line and what is wrong with it."""
        key, _space, words = self.problem.partition(" ")
        problem = f"{key} {translate(words, language)}" if key == "{key}" else ""
        problem = (problem or translate(self.problem, language)).format(**self.data)
        return "{path}:{line}: {said}. {hint}".format(
            **self.data, said=problem, hint=translate(self.hint, language)
        )


class BaseUnusable(TizaError):
    """Data: `path`; `reason` is a template over the data."""

    what = N_("{path} cannot be trained: {said}.")
    hint = N_("Give --base a folder in the layout of Hugging Face, with safetensors and tokenizer.")

    def __init__(self, reason: str, **data: object) -> None:
        super().__init__(**data)
        self.reason = reason

    def message(self, language: str = "en") -> str:
        """Return the model, what is wrong with it and what to do."""
        said = translate(self.reason, language).format(**self.data)
        words = translate(self.what, language).format(path=self.data["path"], said=said)
        return f"{words} {translate(self.hint, language)}"


class TemplateUnusable(TizaError):
    """Data: `model`, `reason`."""

    what = N_("The chat template of {model} cannot be used: {reason}.")
    hint = N_("Choose a base model that was made for conversations (an Instruct model).")


class ResourcesShort(TizaError):
    """Data: `kind`, `needed`, `there`, `advice`, all as text."""

    what = N_("Training needs about {needed} of {kind}; {there} is free.")
    hint = "{advice}"  # translated where it is chosen


class TrainingDiverged(TizaError):
    """Data: `step`, `kept` (the last good checkpoint)."""

    what = N_("The loss is no number any more at step {step}; training stopped.")
    hint = N_("{kept} holds the last good state. Begin anew with a lower --learning-rate.")


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


class ReportUnreadable(TizaError):
    """Data: `path`, `found`, `known` (versions of the format)."""

    what = N_("{path} is no report that this version reads (format {found}; it reads {known}).")
    hint = N_("Examine the model again with `tiza model evaluate`.")


class RequestError(TizaError):
    """An error that a client of the API is told. `retryable`: the same request may work later."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    title: ClassVar[str] = N_("Internal error")
    retryable: ClassVar[bool] = False
    retry_after: int | None = None  # seconds

    def headers(self) -> Mapping[str, str]:
        """Return the HTTP headers that belong to the error."""
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


class InvalidRequest(RequestError):
    """Data of `detail`, itself a template; `problems` lists (field, words, data of the words)."""

    status, code, title = 422, "invalid_request", N_("The request is not valid")

    def __init__(self, detail: str, problems: Sequence[Problem] = (), **data: object) -> None:
        super().__init__(**data)
        self.detail = detail
        self.problems = problems

    def message(self, language: str = "en") -> str:
        """Return the detail; `{summary}` in it stands for the first problems."""
        shown = fields(self.problems[:SUMMARY_PROBLEMS], language)
        summary = "; ".join(f"{field['field']}: {field['message']}" for field in shown)
        return translate(self.detail, language).format_map(_Blank({"summary": summary} | self.data))


class BodyTooLarge(RequestError):
    """Data: `limit` in bytes."""

    status, code, title = 413, "body_too_large", N_("The request is too large")
    what = N_("The body of the request is larger than {limit} bytes.")
    hint = N_("Send a shorter message or less history.")


class NotFound(RequestError):
    """Data: `path`."""

    status, code, title = 404, "not_found", N_("Not found")
    what = N_("There is nothing at {path}.")
    hint = N_("The endpoints are listed at /docs.")


class ModelUnknown(RequestError):
    """Data: `model`, `models`."""

    status, code, title = 404, "model_not_found", N_("Unknown model")
    what = N_("The model {model} is not served here.")
    hint = N_("These are: {models}.")


class MethodNotAllowed(RequestError):
    """Data: `method`, `path`, `allow`."""

    status, code, title = 405, "method_not_allowed", N_("Method not allowed")
    what = N_("{path} does not answer {method}.")
    hint = N_("It answers: {allow}.")

    def headers(self) -> Mapping[str, str]:
        """Return the Allow header that RFC 9110 asks for."""
        return {"Allow": str(self.data["allow"])}


class Overloaded(RequestError):
    """Every place in the queue is taken, or the wait was too long."""

    status, code, title = 503, "overloaded", N_("Too many questions at once")
    what = N_("Too many questions are being answered right now.")
    hint = N_("Try again in a few seconds.")
    retryable, retry_after = True, 5


class Draining(RequestError):
    """The process was asked to stop."""

    status, code, title = 503, "draining", N_("The service is restarting")
    what = N_("The service is about to restart and takes no new questions.")
    hint = N_("Try again in a few seconds.")
    retryable, retry_after = True, 5


class InternalError(RequestError):
    """A bug of ours; the log has the details under the request id."""

    what = N_("Something went wrong on our side.")
    hint = N_("The operator finds the details in the log under this request's id.")


class EngineError(RequestError):
    """Data: `reason`, for the log; `said`, the engine's words, which may quote a message."""

    status, code, title = 502, "engine_error", N_("The model engine failed")
    what = N_("The model engine gave an answer that cannot be used.")
    hint = N_("Try again; if it stays so, look at the engine's log.")
    retryable = True


class EngineUnreachable(EngineError):
    """Nothing answers at the engine's address, or it is still loading its model."""

    status, code, title = 503, "engine_unreachable", N_("The model engine is away")
    what = N_("The model engine does not answer.")
    hint = N_("It may be starting: try again in a few seconds.")
    retry_after = 3


class EngineTimeout(EngineError):
    """Data: `seconds`."""

    status, code, title = 504, "engine_timeout", N_("The model engine is too slow")
    what = N_("The model engine sent nothing for {seconds} seconds.")
    hint = N_("Try again, perhaps with a shorter question.")


class EngineLost(EngineError):
    """The connection broke after the answer had begun."""

    code, title = "engine_lost", N_("The answer was cut off")
    what = N_("The connection to the model engine broke in the middle of the answer.")
    hint = N_("Ask again.")
