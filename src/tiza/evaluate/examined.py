"""The model under examination: an endpoint that is there, or an engine started for a model's files.

An adapter lies over its base, and answers what its scope covers; the rest the base answers. An
engine that dies is started again while its exam goes on.
"""

import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tiza.engines.machine import installed
from tiza.engines.started import started
from tiza.evaluate.ask import Endpoint, model_of
from tiza.models.find import SHIPPED, find
from tiza.models.lineup import Lineup, line_up
from tiza.models.record import read_record
from tiza.models.scope import Scope
from tiza.progress import Progress
from tiza.settings import Settings
from tiza.translation import terminal_language, translate

SAMPLED = 1_048_576  # bytes at each end of a file of weights


@dataclass(frozen=True)
class Subject:
    """What is examined: a model or an adapter on this machine, or the endpoint at `url`.

    `mark` changes with the weights (not for an endpoint: nobody knows what is behind it).
    """

    name: str
    mark: str = ""
    lineup: Lineup | None = None
    url: str = ""
    api_key: str = ""
    body: Mapping[str, Any] | None = None

    @property
    def folder(self) -> Path | None:
        """Where the model's record lies; None for an endpoint."""
        if self.lineup is None:
            return None
        path = (self.lineup.chosen or self.lineup.base).path
        return path if path.is_dir() else path.parent

    @cached_property
    def scope(self) -> Scope | None:
        """Which questions the adapter answers; None: all."""
        chosen = self.lineup.chosen if self.lineup else None
        return Scope.read(chosen.scope) if chosen and chosen.scope else None

    @classmethod
    def of(cls, lineup: Lineup) -> "Subject":
        """Examine what a lineup serves."""
        return cls(lineup.active, _mark(lineup), lineup)


def subject(model: str, settings: Settings, api_key: str = "") -> Subject:
    """Find what a person named: a path, a name in the store, an address, or "" (the shipped one).

    Raises:
        ModelNotFound, MissingExtra: as `models.find`.

    """
    if model.startswith(("http://", "https://")):
        url = model.rstrip("/").removesuffix("/v1").rstrip("/")
        return Subject(url.partition("://")[2], url=url, api_key=api_key)
    return Subject.of(line_up(model, settings.models_path).without_siblings())


def parent_of(subject: Subject, settings: Settings) -> Subject:
    """Return the model to compare with: the base of an adapter, else what the record names.

    Raises:
        ModelNotFound, MissingExtra: as `models.find`.

    """
    if subject.lineup and subject.lineup.chosen:
        return Subject.of(Lineup(subject.lineup.base))
    return Subject.of(Lineup(find(told(subject).get("parent") or SHIPPED, settings.models_path)))


def told(subject: Subject) -> dict[str, Any]:
    """Return what the store knows of a model: `parent`, `run`, …; empty if it tells nothing."""
    return read_record(subject.folder) if subject.folder else {}


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
    if subject.lineup is None:
        name = await model_of(subject.url, subject.api_key)
        yield Endpoint(subject.url, name, subject.api_key, **common)
        return

    def say(sentence: str, data: Mapping[str, object]) -> None:
        progress.say(translate(sentence, terminal_language()).format(**data))

    async with started(subject.lineup, settings, logs, say) as engine:
        address = engine.address
        yield Endpoint(address.url, subject.lineup.active, address.api_key, **common)


def _mark(lineup: Lineup) -> str:
    """Return a fingerprint of the weights' files and of the engine: size and both ends of each."""
    paths: list[Path] = []
    for part in (lineup.base, lineup.chosen):
        if part and part.gguf:
            paths.append(part.gguf)
        elif part and part.folder:
            paths += sorted(part.folder.glob("*.safetensors"))
    digest = hashlib.sha256(f"{installed('xllamacpp')} {installed('vllm')}".encode())
    for path in paths:
        size = path.stat().st_size
        with path.open("rb") as file:
            digest.update(f"{size}".encode() + file.read(SAMPLED))
            file.seek(max(0, size - SAMPLED))
            digest.update(file.read())
    return digest.hexdigest()[:12]
