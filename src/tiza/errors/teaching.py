"""What teachers do through the API: lessons, models and runs that are not as they expect."""

from tiza.errors.requests import RequestError
from tiza.translation import N_


class LessonNotFound(RequestError):
    """Data: `path`."""

    status, code, title = 404, "not_found", N_("Not found")
    what = N_("There is no lesson at {path}.")
    hint = N_("It may have been moved or deleted.")


class LessonMisplaced(RequestError):
    """Data: `path`. Outside the tree, behind a link out of it, or with a name that is none."""

    status, code, title = 409, "lesson_misplaced", N_("No place for a lesson")
    what = N_("{path} cannot be the place of a lesson.")
    hint = N_("Use small letters, digits and _ between slashes, below one of the three branches.")


class LessonChanged(RequestError):
    """The file is not the one that the change was made from. Data: `path`."""

    status, code, title = 412, "lesson_changed", N_("The lesson was changed meanwhile")
    what = N_("Somebody else has changed the lesson {path} since you opened it.")
    hint = N_("Nothing was saved. Open it again and put your changes into the newer version.")


class PreconditionMissing(RequestError):
    """A change that does not say what it is based on (RFC 6585, 3)."""

    status, code, title = 428, "precondition_required", N_("Say which version you change")
    what = N_("A lesson is only changed for whoever says which version they have read.")
    hint = N_("Send its ETag as If-Match, or If-None-Match: * for a new one.")


class LessonUnwritable(RequestError):
    """Data: `path`, `reason`."""

    status, code, title = 503, "lesson_unwritable", N_("The lesson cannot be saved")
    what = N_("{path} cannot be written ({reason}).")
    hint = N_("Keep your text; the operator has to make room, or to give the right to write.")
    retryable, retry_after = True, 30


class LessonUneditable(RequestError):
    """The YAML of a text is broken, so that there is nothing to put a change into."""

    status, code, title = 409, "lesson_uneditable", N_("The YAML has to be mended first")
    what = N_("The text is no YAML that could be filled in.")
    hint = N_("Mend the lines that are named, then go on in the form.")


class StoredModelNotFound(RequestError):
    """Data: `model`."""

    status, code, title = 404, "model_not_found", N_("Unknown model")
    what = N_("The store has no model {model}.")
    hint = N_("It may have been removed.")


class ReportNotFound(RequestError):
    """Data: `model`, or the run."""

    status, code, title = 404, "report_not_found", N_("There is no report card")
    what = N_("{model} has no report card.")
    hint = N_("A model gets one when Tiza trains and examines it.")


class ModelFailedExam(RequestError):
    """Data: `model`."""

    status, code, title = 409, "gate_failed", N_("The model did not pass its exam")
    what = N_("{model} was not good enough to answer in class.")
    hint = N_("Read its report card; to use it all the same, confirm that.")


class ModelPinned(RequestError):
    """Data: `path`."""

    status, code, title = 409, "model_pinned", N_("The model is fixed in the settings")
    what = N_("MODEL_PATH is set to {path}, and comes before any choice made here.")
    hint = N_("The operator has to unset it first.")


class ModelUnusable(RequestError):
    """Data: `model`, `reason`, in the language of the process."""

    status, code, title = 409, "model_unusable", N_("The model cannot be used")
    what = N_("{model} is not complete: {reason}")
    hint = N_("Nothing has changed.")


class StoreReadOnly(RequestError):
    """The folder of models cannot be written to from here, as in a container."""

    status, code, title = 409, "store_read_only", N_("Models are chosen elsewhere")
    what = N_("This service may read the models, and not choose among them.")
    hint = N_("Who runs it chooses: the operator's guide says how.")


class TrainingElsewhere(RequestError):
    """What training takes is not installed here, or the models cannot be written to."""

    status, code, title = 409, "training_elsewhere", N_("Training is done elsewhere")
    what = N_("This service cannot train: it has not what that takes.")
    hint = N_(
        "Who runs it installs that (`make train-tools`), or trains in the container `trainer`: the "
        "operator's guide says how."
    )


class TrainingBusy(RequestError):
    """Data: `run`."""

    status, code, title = 409, "run_busy", N_("A training is already going on")
    what = N_("The run {run} is still at work, and this machine trains one model at a time.")
    hint = N_("Wait until it has ended, or stop it.")


class TrainingRunNotFound(RequestError):
    """Data: `run`."""

    status, code, title = 404, "not_found", N_("Not found")
    what = N_("There is no run {run}.")
    hint = N_("It may have been removed.")


class NothingToGoOnWith(RequestError):
    """Data: `run`. It was not begun here, or is finished."""

    status, code, title = 409, "run_ended", N_("The run cannot go on")
    what = N_("The run {run} has nothing left to do here.")
    hint = N_("Begin a new one.")
