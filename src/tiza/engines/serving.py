"""What is served where, as who runs the engines tells it to the API: a small file.

Both name an adapter to the engine by `asked_for`. The file holds no secret: the key is the same for
every engine of a stack and travels in the environment.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tiza.engines import llama_cpp
from tiza.engines.engine import Engine
from tiza.errors import CannotWrite


@dataclass(frozen=True)
class Serving:
    """One engine. `number` counts up with every engine; `base` is "" where only `url` is known.

    `scopes`: of adapters that do not answer everything, the file that tells what they answer.
    """

    number: int
    url: str
    kind: str = ""
    base: str = ""
    adapters: tuple[str, ...] = ()
    active: str = ""
    scopes: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, number: int, engine: Engine, active: str) -> "Serving":
        """Describe a running engine."""
        served = engine.kind, engine.base, engine.adapters
        return cls(number, engine.address.url, *served, active, engine.scopes)

    @classmethod
    def read(cls, path: Path) -> "Serving":
        """Read the file.

        Raises:
            OSError, ValueError, TypeError: it is not there, or something else.

        """
        document = json.loads(path.read_bytes())
        return cls(**{**document, "adapters": tuple(document["adapters"])})

    def write(self, path: Path) -> None:
        """Write the file in one step, for this user alone.

        Raises:
            CannotWrite: a full disk, a closed folder.

        """
        part = path.with_name(f".{path.name}.part")
        try:
            part.unlink(missing_ok=True)
            with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                json.dump(asdict(self), file)
            part.replace(path)
        except OSError as exc:
            raise CannotWrite(path=path, reason=exc.strerror) from exc

    @property
    def models(self) -> tuple[str, ...]:
        """The names that may be asked for."""
        return (self.base, *self.adapters)

    def asked_for(self, model: str) -> Mapping[str, object]:
        """Return what the body of a request for a model has beside the rest.

        vLLM knows adapters by name. llama.cpp is told the scale of each, by its place at the start;
        of all, since with some left out it would read on from what another adapter has read.
        """
        if not self.adapters:
            return {}
        if self.kind != llama_cpp.KIND:
            return {"model": model}
        scales = [float(name == model) for name in self.adapters]
        return {"lora": [{"id": place, "scale": scale} for place, scale in enumerate(scales)]}
