"""Which models one engine serves: a base, and the adapters of it that lie in the store.

An adapter is a folder with `adapter.gguf` (for llama.cpp) and peft's files (for vLLM), itself or in
`adapter/`, and a `tiza.json` whose `base` or `parent` names the base. Where the merged weights lie
beside it, they stand in for a base that is gone. Knows no engine.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tiza.errors import MissingExtra, ModelNotFound
from tiza.models.find import ADAPTER, SHIPPED, SHIPPED_NAME, Model, active_name, find
from tiza.models.record import ORIGIN, read_record
from tiza.models.scope import FILE as SCOPE

PEFT_CONFIG = "adapter_config.json"


@dataclass(frozen=True)
class Adapter:
    """A change of a base model. `gguf` and `folder` (peft's) say in which forms it exists."""

    name: str
    gguf: Path | None
    folder: Path | None

    @property
    def path(self) -> Path:
        """The place to name when somebody asks where the adapter is."""
        path = self.folder or self.gguf
        assert path is not None  # noqa: S101  # line_up() makes no adapter without files
        return path

    @property
    def scope(self) -> Path | None:
        """The file that tells which questions it answers; None: all."""
        homes = [path for path in (self.folder, self.gguf and self.gguf.parent) if path]
        return next((home / SCOPE for home in homes if (home / SCOPE).is_file()), None)

    @property
    def rank(self) -> int:
        """The rank that peft's configuration tells (`r`); 0 if it tells none."""
        rank = _peft_config(self.path).get("r")
        return rank if isinstance(rank, int) else 0


@dataclass(frozen=True)
class Lineup:
    """What is served together; `chosen` is the adapter that answers when none is named."""

    base: Model
    adapters: tuple[Adapter, ...] = ()
    chosen: Adapter | None = None

    @property
    def active(self) -> str:
        """The name of the model that answers when none is named."""
        return self.chosen.name if self.chosen else self.base.name

    def scopes(self, names: Iterable[str]) -> dict[str, str]:
        """Return the files of the scopes of those adapters that have one."""
        return scopes_of(self.adapters, names)

    def without_siblings(self) -> "Lineup":
        """Leave out every adapter that was not chosen."""
        return replace(self, adapters=(self.chosen,) if self.chosen else ())


def line_up(model: str, models_path: Path) -> Lineup:
    """Find what is meant by a path, a name or "" (see `find`), and all adapters of the same base.

    Raises:
        ModelNotFound: nothing there, or the base of an adapter is not.
        MissingExtra: the shipped model's package is not installed.

    """
    chosen = _adapter_named(model or active_name(models_path), models_path)
    if chosen is None:
        base = find(model, models_path)
    else:
        try:
            base = _base_of(chosen, models_path)
        except ModelNotFound:
            merged = _merged(model, models_path)
            if merged is None:
                raise
            chosen, base = None, merged
    taken = {base.name, chosen.name if chosen else base.name}
    siblings = (each for each in stored(models_path) if each.name not in taken)
    same = tuple(each for each in siblings if _builds_on(each, base, models_path))
    return Lineup(base, ((chosen,) if chosen else ()) + same, chosen)


def _merged(model: str, models_path: Path) -> Model | None:
    with suppress(ModelNotFound):
        return find(model, models_path)
    return None


def _adapter_named(model: str, models_path: Path) -> Adapter | None:
    if not model:
        return None
    try:
        for path in (Path(model).expanduser(), models_path / model):
            if path.is_dir():
                return _in_folder(path.resolve())
    except (OSError, RuntimeError) as exc:  # as in find()
        raise ModelNotFound(model=model) from exc
    return None


def _in_folder(folder: Path) -> Adapter | None:
    """Return the adapter in a folder; None if there is none."""
    places = (folder, folder / ADAPTER)
    ggufs = [path for place in places if (path := place / f"{ADAPTER}.gguf").is_file()]
    peft = [place for place in places if (place / PEFT_CONFIG).is_file()]
    if not peft and not ggufs:
        return None
    return Adapter(folder.name, ggufs[0] if ggufs else None, peft[0] if peft else None)


def scopes_of(adapters: Iterable[Adapter], names: Iterable[str]) -> dict[str, str]:
    """Return the files of the scopes of those adapters with these names that have one."""
    listed = set(names)
    return {each.name: str(each.scope) for each in adapters if each.name in listed and each.scope}


def stored(models_path: Path) -> Iterator[Adapter]:
    """Yield the adapters in the store."""
    if models_path.is_dir():
        for folder in sorted(models_path.iterdir()):
            if not folder.name.startswith(".") and folder.is_dir():
                adapter = _in_folder(folder.resolve())
                if adapter:
                    yield adapter


def _builds_on(adapter: Adapter, base: Model, models_path: Path) -> bool:
    try:
        return _base_of(adapter, models_path).path.resolve() == base.path.resolve()
    except (ModelNotFound, MissingExtra):
        return False


def _base_of(adapter: Adapter, models_path: Path) -> Model:
    """Find the base that the record names, else the one that peft's configuration names."""
    home = adapter.gguf.parent if adapter.gguf else adapter.path
    home = home.parent if home.name == ADAPTER and not read_record(home) else home
    record, config = read_record(home), _peft_config(adapter.path)
    named = (record.get("base"), record.get("parent"), config.get("base_model_name_or_path"))
    base = next((each for each in named if isinstance(each, str) and each), SHIPPED)
    return _as_served(find(SHIPPED if base == SHIPPED_NAME else base, models_path), models_path)


def _as_served(base: Model, models_path: Path) -> Model:
    """Return the GGUF that a base was unpacked from to be trained, by the name that it has."""
    origin = read_record(base.folder).get(ORIGIN) if base.folder and not base.gguf else None
    if origin is None:
        return base
    gguf = Path(str(origin))
    shipped = find(SHIPPED, models_path)
    if shipped.path.resolve() == gguf.resolve():
        return shipped
    return find(str(gguf.parent if gguf.name == "model.gguf" else gguf), models_path)


def _peft_config(folder: Path) -> dict[str, object]:
    try:
        config = json.loads((folder / PEFT_CONFIG).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return config if isinstance(config, dict) else {}
