"""Traces, if somebody collects them: what a request did, where, and for how long.

Those who are traced see only what is here; OpenTelemetry is known to `telemetry` alone.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from starlette.types import Scope


class Asked:
    """A question to an engine that nobody traces. `headers` tell the engine whose it is."""

    headers: Mapping[str, str] = {}

    def end(self, error: BaseException | None) -> None:
        """Tell that the answer is over."""


class Visited:
    """A request that nobody traces. `ids` are for its log lines."""

    ids: Mapping[str, str] = {}

    def answered(self, route: str, status: int) -> None:
        """Tell which documented path it had, and the answer's status."""


class Tracing(Protocol):
    """Who is told. Its methods may be called from any task, in one event loop."""

    @contextmanager
    def request(self, scope: Scope) -> Iterator[Visited]:
        """Trace a request for the length of the block; what it causes belongs to it."""

    def asked(self, url: str, path: str, model: str) -> Asked:
        """Begin to trace a question to an engine."""

    def close(self) -> None:
        """Tell what has not been told yet; blocks for a few seconds at most."""


class Untraced:
    """Nobody is told."""

    _visited, _asked = Visited(), Asked()

    @contextmanager
    def request(self, scope: Scope) -> Iterator[Visited]:  # noqa: ARG002  # see Tracing
        """Do nothing."""
        yield self._visited

    def asked(self, url: str, path: str, model: str) -> Asked:  # noqa: ARG002  # see Tracing
        """Do nothing."""
        return self._asked

    def close(self) -> None:
        """Do nothing."""


UNTRACED = Untraced()
