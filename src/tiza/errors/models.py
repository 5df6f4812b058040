"""Models on this machine, and on their way to it."""

from tiza.errors.base import Blank, TizaError
from tiza.translation import N_, translate


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
        problem = translate(str(self.data["problem"]), language).format_map(Blank(self.data))
        sentences = [translate(self.what, language), translate(self.hint, language)]
        data = Blank({**self.data, "problem": problem})
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
