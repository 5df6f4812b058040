"""`tiza model convert`: what something is, what it can become, and where that goes.

Knows which of the neighbours does the work, and no format itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from gettext import gettext as _
from pathlib import Path

from tiza.errors import ModelNotFound, ModelUnsupported
from tiza.models import adapter, pack, pickled, tensors, unpack
from tiza.models.find import SHIPPED, find
from tiza.models.hf_folder import ADAPTER_CONFIG, ADAPTER_WEIGHTS, CONFIG, read_json
from tiza.models.record import read_record
from tiza.progress import Progress
from tiza.translation import N_

GGUF, PICKLE, ADAPTER, SAFETENSORS = "gguf", "pickle", "adapter", "safetensors"
NATURAL = {GGUF: "safetensors", PICKLE: "safetensors", ADAPTER: "merged", SAFETENSORS: "gguf"}


@dataclass(frozen=True)
class Wish:
    """What a person asked for; "" and None are left to us."""

    source: str
    to: str = ""
    base: str = ""
    kind: str = "q8_0"
    output: Path | None = None


def convert(wish: Wish, models_path: Path, cache_folder: Path, progress: Progress) -> Path:
    """Convert a model and return where the result lies.

    Raises:
        ModelNotFound: no such model, or no such base.
        ModelUnsupported: it cannot become that.
        TizaError: as the work itself.

    """
    path = locate(wish.source, models_path)
    form = form_of(path)
    to = wish.to or NATURAL[form]
    target = wish.output or _place(path, to, models_path)
    step = progress.step(_("tensors"), _count(path, form))

    def base() -> Path:
        return _base(path, wish.base, models_path, cache_folder)

    work: dict[tuple[str, str], Callable[[], None]] = {
        (GGUF, "safetensors"): lambda: unpack.unpack(path, target, step.advance),
        (GGUF, "gguf"): lambda: pack.repack(path, target, wish.kind, step.advance),
        (PICKLE, "safetensors"): lambda: pickled.to_safetensors(path, target, step.advance),
        (SAFETENSORS, "gguf"): lambda: pack.pack(path, target, wish.kind, step.advance),
        (ADAPTER, "merged"): lambda: adapter.merge(path, base(), target, step.advance),
        (ADAPTER, "gguf"): lambda: adapter.to_gguf(path, base(), target, step.advance),
    }
    if (form, to) not in work:
        problem = N_("{form} does not become {to}; try --to {natural}")
        raise ModelUnsupported(path=path, problem=problem, form=form, to=to, natural=NATURAL[form])
    work[form, to]()
    return target


def locate(source: str, models_path: Path) -> Path:
    """Return the file or folder that a person means by a path, a name in the store, or `shipped`.

    Raises:
        ModelNotFound: there is none.

    """
    for path in (Path(source).expanduser(), models_path / source):
        if source and path.exists():
            return _weights(path.parent if path.name in pickled.SINGLE else path)
    if source == SHIPPED:
        return find(SHIPPED, models_path).path
    raise ModelNotFound(model=source)


def _weights(path: Path) -> Path:
    """Return the GGUF of a folder that has nothing else."""
    others = path.is_file() or any(path.glob("*.safetensors")) or pickled.is_pickled(path)
    return path if others else find(str(path.absolute()), path).gguf or path


def form_of(path: Path) -> str:
    """Tell what lies at a path.

    Raises:
        ModelNotFound: no model.

    """
    if path.is_file():
        return GGUF
    if (path / ADAPTER_CONFIG).is_file() and (path / ADAPTER_WEIGHTS).is_file():
        return ADAPTER
    if any(path.glob("*.safetensors")):
        return SAFETENSORS
    if pickled.is_pickled(path):
        return PICKLE
    raise ModelNotFound(model=path)


def _place(path: Path, to: str, models_path: Path) -> Path:
    """Return where the result goes by itself: GGUF into the model's folder, others to the store."""
    inside = path.is_dir() or path.name == "model.gguf"
    name = (path if path.is_dir() else path.parent).resolve().name if inside else path.stem
    if to == "gguf" and path.is_dir():
        return path / ("adapter.gguf" if (path / ADAPTER_CONFIG).is_file() else "model.gguf")
    if to == "gguf":
        return models_path / name / "model.gguf"
    return models_path / (name if path.is_file() else f"{name}-{to}")


def _base(path: Path, named: str, models_path: Path, cache_folder: Path) -> Path:
    """Return the folder of an adapter's base: the named one, else the one it was trained on."""
    config = read_json(path / ADAPTER_CONFIG)
    name = named or read_record(path).get("parent") or config.get("base_model_name_or_path") or ""
    if not name:
        raise ModelNotFound(model="--base ?")
    if Path(name).is_dir() and (Path(name) / CONFIG).is_file():
        return Path(name)
    return unpack.trainable(find(str(name), models_path), cache_folder)


def _count(path: Path, form: str) -> int | None:
    """Return how many tensors will be written, where that is quickly known."""
    if form == GGUF:
        return unpack.count(path)
    return len(tensors.read_folder(path)) if form == SAFETENSORS else None
