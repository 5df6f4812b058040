"""The gauges: set when somebody reads them, and in several processes every few seconds."""

import asyncio
import os
import shutil
from functools import lru_cache
from pathlib import Path

from tiza.api.instruments import Instruments
from tiza.api.state import State

EVERY_SECONDS = 3.0  # what other processes tell may be so old
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


async def watch(state: State) -> None:
    """Look again and again, until cancelled, for whichever process is asked."""
    while True:
        await look(state)
        await asyncio.sleep(EVERY_SECONDS)


async def look(state: State) -> None:
    """Set every gauge to what is now."""
    tell, settings = state.stats.instruments, state.settings
    _tell_load(state, tell)
    for url, up in (await state.engines.standing()).items():
        tell.engine_up.labels(url).set(up)
    for url, users in state.engines.users().items():
        tell.engine_requests.labels(url).set(users)
    tell.part_up.labels("store").set(state.opening.is_open)
    if (reached := state.limits.reaches_redis) is not None:
        tell.part_up.labels("redis").set(reached)
    tell.build.labels(settings.app_version).set(1)
    tell.memory.set(_resident_bytes())
    for folder in (settings.var_path, settings.models_path):
        _tell_disk(tell, folder)
    if settings.ssl_cert_path is not None and (end := _ends(settings.ssl_cert_path)):
        tell.certificate.labels(str(settings.ssl_cert_path)).set(end)


def _tell_load(state: State, tell: Instruments) -> None:
    admission = state.admission
    tell.active.set(admission.active)
    tell.places.set(state.settings.max_streams)
    tell.queue.set(admission.waiting)
    tell.processes.set(1)
    tell.draining.set(admission.draining)
    tell.cache.set(state.sharing.cached_bytes)
    if name := state.engines.expected_model:
        tell.model_is(name)


def _tell_disk(tell: Instruments, folder: Path) -> None:
    try:
        disk = shutil.disk_usage(folder)
    except OSError:  # it is made when something is put there
        return
    tell.disk_free.labels(str(folder)).set(disk.free)
    tell.disk_size.labels(str(folder)).set(disk.total)


def _resident_bytes() -> int:
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * PAGE_BYTES
    except OSError:  # not Linux
        return 0


def _ends(file: Path) -> float:
    """Return when a certificate ends, in seconds since 1970; 0 if it cannot be read."""
    try:
        return _end_of(file.read_bytes())
    except (OSError, ValueError):
        return 0


@lru_cache(maxsize=2)
def _end_of(pem: bytes) -> float:
    from cryptography.x509 import load_pem_x509_certificate

    return load_pem_x509_certificate(pem).not_valid_after_utc.timestamp()
