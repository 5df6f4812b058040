"""Recipes, base models and the training itself."""

from tiza.errors.base import TizaError
from tiza.translation import N_, translate


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

    what = N_("{path} cannot be trained: {reason}.")
    hint = N_("Give --base a folder in the layout of Hugging Face, with safetensors and tokenizer.")

    def __init__(self, reason: str, **data: object) -> None:
        super().__init__(**data)
        self.reason = reason

    def message(self, language: str = "en") -> str:
        """Return the model, what is wrong with it and what to do."""
        said = translate(self.reason, language).format(**self.data)
        words = translate(self.what, language).format(path=self.data["path"], reason=said)
        return f"{words} {translate(self.hint, language)}"


class TemplateUnusable(TizaError):
    """Data: `model`, `reason`."""

    what = N_("The chat template of {model} cannot be used: {reason}.")
    hint = N_("Choose a base model that was made for conversations (an Instruct model).")


class ResourcesShort(TizaError):
    """Data: `kind`, `needed`, `there`, `advice`, all as text."""

    what = N_("Training needs about {needed} of {kind}; {there} is free.")

    def message(self, language: str = "en") -> str:
        """Return what is short, and the advice, which was translated where it was chosen."""
        return f"{super().message(language)} {self.data['advice']}"


class TrainingDiverged(TizaError):
    """Data: `step`, `kept` (the last good checkpoint)."""

    what = N_("The loss is no number any more at step {step}; training stopped.")
    hint = N_("{kept} holds the last good state. Begin anew with a lower --learning-rate.")
