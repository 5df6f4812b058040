"""`tiza model serve`: one engine in the foreground, supervised, until a signal comes."""

import asyncio
import contextlib
import ipaddress
import sys
from collections.abc import Mapping
from gettext import gettext as _
from pathlib import Path
from typing import TextIO, cast

from tiza.engines.choose import Kind, choose
from tiza.engines.engine import Address, Engine
from tiza.engines.ports import check_port_free
from tiza.engines.signals import until_signal
from tiza.engines.supervisor import Service, Supervisor
from tiza.errors import KeyNeeded
from tiza.models.lineup import line_up
from tiza.settings import Settings
from tiza.translation import N_

START_SECONDS = 1800  # a large model on a slow disk
SERVES = N_("{kind} serves {model} at {url}/v1 (log: {log})")


def service_of(engine: Engine, logs: Path) -> Service:
    """Describe the engine to a supervisor."""
    return Service(
        name=_("engine"),
        command=engine.command,
        health=f"{engine.address.url}/health",
        log=logs / "engine.log",
        environment=engine.address.environment,
        start_seconds=START_SECONDS,
    )


def serve_until_stopped(kind: str, settings: Settings, host: str, gpus: int) -> None:
    """Start the engine, say where it is, and keep it alive.

    Raises:
        TizaError: no such model, port taken, engine missing, no key for an open address, or the
            engine did not start.

    """
    key = settings.vllm_api_key.get_secret_value()
    if not key and not is_loopback(host):
        raise KeyNeeded(host=host)
    lineup = line_up(settings.model_path, settings.models_path)
    check_port_free(host, settings.vllm_port, "VLLM_PORT")
    address = Address(host, settings.vllm_port, key)
    engine = choose(cast(Kind, kind), lineup, settings, address, gpus)
    asyncio.run(_serve(engine, settings.logs_path))


async def _serve(engine: Engine, logs: Path) -> None:
    supervisor = Supervisor(service_of(engine, logs), say)
    try:
        await until_signal(_start_and_watch(supervisor, engine))
    finally:
        await supervisor.stop()


async def _start_and_watch(supervisor: Supervisor, engine: Engine) -> None:
    await supervisor.start()
    url, log = engine.address.url, supervisor.service.log
    say(SERVES, {"kind": engine.kind, "model": engine.model, "url": url, "log": log})
    await supervisor.watch()


def say(sentence: str, data: Mapping[str, object], out: TextIO | None = None) -> None:
    """Print a sentence in the terminal's language; what runs goes on where nobody reads it."""
    with contextlib.suppress(BrokenPipeError):
        print(_(sentence).format(**data), file=out, flush=True)


def say_aside(sentence: str, data: Mapping[str, object]) -> None:
    """Print a sentence where it does not mix with results."""
    say(sentence, data, sys.stderr)


def is_loopback(host: str) -> bool:
    """Tell whether an address is reachable from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
