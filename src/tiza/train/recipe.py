"""A recipe: everything that decides what a training run learns, in one YAML file.

Knows no model and no torch, so that a wrong recipe is told at once.
"""

from collections.abc import Mapping
from dataclasses import asdict, field
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import ConfigDict, Field, ValidationError
from pydantic.dataclasses import dataclass

from tiza.errors import RecipeInvalid, RecipeNotFound
from tiza.translation import N_
from tiza.validation import problems_of

DEFAULT_CPU, DEFAULT_GPU = "tiny-cpu", "lora-gpu"
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class Recipe:
    """What is learned, and how. `recipes/*.yaml` explain every key."""

    method: Literal["lora", "full"]
    learning_rate: Positive
    num_epochs: Count
    batch_size: Count
    micro_batch_tokens: Count
    warmup: Share
    weight_decay: Annotated[float, Field(ge=0)]
    max_grad_norm: Positive
    max_length: Annotated[int, Field(ge=16)]
    over_long: Literal["cut", "drop"]
    lora_r: Count = 16
    lora_alpha: Count = 32
    lora_layers: Annotated[float, Field(gt=0, le=1)] = 1.0
    replay_ratio: Annotated[float, Field(ge=0)] = 0.0
    replay_weight: Annotated[float, Field(ge=0)] = 0.0
    replay_tokens: Count = 512
    replay_top_k: Annotated[int, Field(ge=1, le=1024)] = 16
    held_out: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    patience: Annotated[int, Field(ge=0)] = 0
    gate: dict[str, Share] = field(default_factory=dict)
    phases: tuple[str, ...] = ()
    phase_replay: Share = 0.0
    seed: Annotated[int, Field(ge=0)] = 1

    def facts(self) -> dict[str, Any]:
        """Return the recipe as a manifest holds it."""
        return {**asdict(self), "phases": list(self.phases)}


def load(recipe: str, **flags: object) -> Recipe:
    """Read a recipe by its name or path; flags of the verb (None: not given) override its keys.

    Raises:
        RecipeNotFound: no recipe has that name.
        RecipeInvalid: naming the line of the first key or value that cannot be used.

    """
    path = _find(recipe)
    values, lines = _read(path)
    given = {key: value for key, value in flags.items() if value is not None}
    try:
        return Recipe(**{**values, **given})
    except ValidationError as exc:
        field, words, data = problems_of(exc.errors())[0]
        key = field.partition(".")[0]
        line = lines.get(key, 1) if key not in given else f"--{key.replace('_', '-')}"
        words, data = _explained(exc.errors()[0]["type"]) or (words, data)
        raise RecipeInvalid(f"{{key}} {words}", **data, path=path, line=line, key=key) from exc


def recipes_folder() -> Path:
    """Return the folder of the recipes: of the checkout, or of the installed package."""
    here = Path(__file__).parents[1]
    checkout = here.parents[1] / "recipes"
    return checkout if checkout.is_dir() else here / "recipes"


def _explained(kind: str) -> tuple[str, Mapping[str, object]] | None:
    known = ", ".join(Recipe.__dataclass_fields__)
    if kind == "unexpected_keyword_argument":
        return N_("is no key of a recipe; these are: {known}"), {"known": known}
    return (N_("is missing"), {}) if kind == "missing" else None


def _find(recipe: str) -> Path:
    folder = recipes_folder()
    for path in (Path(recipe).expanduser(), folder / f"{recipe}.yaml"):
        if path.is_file():
            return path
    names = ", ".join(sorted(path.stem for path in folder.glob("*.yaml")))
    raise RecipeNotFound(recipe=recipe, names=names)


def _read(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """Return the values of a YAML mapping, and the line of each key."""
    try:
        text = path.read_text(encoding="utf-8")
        values = yaml.safe_load(text)
        node = yaml.compose(text)
    except (OSError, UnicodeDecodeError) as exc:
        raise RecipeInvalid(N_("cannot be read ({reason})"), reason=exc, path=path, line=1) from exc
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        reason = str(getattr(exc, "problem", None) or exc)
        line = mark.line + 1 if mark else 1
        raise RecipeInvalid(
            N_("is not YAML ({reason})"), reason=reason, path=path, line=line
        ) from exc
    if not isinstance(values, dict) or not isinstance(node, yaml.MappingNode):
        raise RecipeInvalid(N_("must be a list of keys with values"), path=path, line=1)
    lines: dict[str, int] = {}
    for key, _value in node.value:
        if key.value in lines:
            line = key.start_mark.line + 1
            raise RecipeInvalid("{key} " + N_("stands twice"), path=path, line=line, key=key.value)
        lines[str(key.value)] = key.start_mark.line + 1
    return {str(key): value for key, value in values.items()}, lines
