"""The model under examination: an endpoint that is there, or an engine started for a model's files.

An engine that dies is started again while its exam goes on.
"""

import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tiza.engines.machine import installed
from tiza.engines.started import started
from tiza.evaluate.ask import Endpoint, model_of
from tiza.models.find import Model, find
from tiza.models.lineup import Lineup
from tiza.models.record import read_record
from tiza.progress import Progress
from tiza.settings import Settings
from tiza.translation import terminal_language, translate

SAMPLED = 1_048_576  # bytes at each end of a file of weights


@dataclass(frozen=True)
class Subject:
    """What is examined: `model` on this machine, or the endpoint at `url`.

    `mark` changes with the weights (not for an endpoint: nobody knows what is behind it).
    """

    name: str
    mark: str = ""
    model: Model | None = None
    url: str = ""
    api_key: str = ""
    body: Mapping[str, Any] | None = None


def subject(model: str, settings: Settings, api_key: str = "") -> Subject:
    """Find what a person named: a path, a name in the store, an address, or "" (the shipped one).

    Raises:
        ModelNotFound, MissingExtra: as `models.find`.

    """
    if model.startswith(("http://", "https://")):
        url = model.rstrip("/").removesuffix("/v1").rstrip("/")
        return Subject(url.partition("://")[2], url=url, api_key=api_key)
    found = find(model, settings.models_path)
    return Subject(found.name, _mark(found), found)


def told(model: Model | None) -> dict[str, Any]:
    """Return what the store knows of a model: `parent`, `run`, …; empty if it tells nothing."""
    if model is None:
        return {}
    return read_record(model.folder or (model.gguf or Path()).parent)


@asynccontextmanager
async def served(
    subject: Subject, settings: Settings, logs: Path, progress: Progress
) -> AsyncIterator[Endpoint]:
    """Yield the endpoint; an engine that was started for it is stopped at the end.

    Raises:
        EngineGone: nothing answers at the address.
        ServiceFailed, ModelUnreadable: the engine does not start.

    """
    common: dict[str, Any] = {
        "at_once": settings.llama_slots,
        "system_prompt": settings.system_prompt,
        "body": subject.body or {},
    }
    if subject.model is None:
        name = await model_of(subject.url, subject.api_key)
        yield Endpoint(subject.url, name, subject.api_key, **common)
        return

    def say(sentence: str, data: Mapping[str, object]) -> None:
        progress.say(translate(sentence, terminal_language()).format(**data))

    async with started(Lineup(subject.model), settings, logs, say) as engine:
        address = engine.address
        yield Endpoint(address.url, subject.model.name, address.api_key, **common)


def _mark(model: Model) -> str:
    """Return a fingerprint of a model's files and of the engine: size and both ends of each."""
    paths = [model.gguf] if model.gguf else sorted((model.folder or Path()).glob("*.safetensors"))
    digest = hashlib.sha256(f"{installed('xllamacpp')} {installed('vllm')}".encode())
    for path in paths:
        size = path.stat().st_size
        with path.open("rb") as file:
            digest.update(f"{size}".encode() + file.read(SAMPLED))
            file.seek(max(0, size - SAMPLED))
            digest.update(file.read())
    return digest.hexdigest()[:12]
