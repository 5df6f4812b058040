"""What an engine tells of its adapters itself, where only its address is known (VLLM_API_URL).

vLLM names an adapter's base as its `parent`. llama.cpp lists the files that it has loaded, in the
order by which requests name them. The store is the same for both sides, if not by path: there lie
the scopes, and the choice of `tiza model use`.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from tiza.api.engine_client import EngineClient, Json, is_llama_cpp, models_of
from tiza.engines import llama_cpp
from tiza.engines.serving import Serving
from tiza.errors import EngineError
from tiza.models.find import ADAPTER, SHIPPED, SHIPPED_NAME, active_name
from tiza.models.lineup import scopes_of, stored
from tiza.models.record import read_record


async def told(client: EngineClient, listing: Json, serving: Serving, models_path: Path) -> Serving:
    """Complete what is known of an engine with adapters; `listing` is its `/v1/models`.

    Raises:
        EngineError: it does not answer.

    """
    entries = list(models_of(listing))
    if is_llama_cpp(entries[0]):
        names = await _loaded(client)
        known = partial(_of_llama_cpp, serving, entries[0]["id"], names, models_path)
    else:
        names = tuple(str(entry["id"]) for entry in entries if entry.get("parent"))
        bases = [str(entry["parent"]) for entry in entries if entry.get("parent")]
        known = partial(_of_vllm, serving, bases, names, models_path)
    return await asyncio.to_thread(known) if names else serving


def _of_llama_cpp(
    serving: Serving, active: str, names: tuple[str, ...], models_path: Path
) -> Serving:
    base = _base(active, models_path) if active in names else active
    found = replace(serving, kind=llama_cpp.KIND, base=base, adapters=names, active=active)
    return replace(found, scopes=scopes_of(stored(models_path), names))


def _of_vllm(
    serving: Serving, bases: list[str], names: tuple[str, ...], models_path: Path
) -> Serving:
    found = replace(serving, base=bases[0], adapters=names, active=active_name(models_path))
    return replace(found, scopes=scopes_of(stored(models_path), names))


async def _loaded(client: EngineClient) -> tuple[str, ...]:
    """Return the names of llama.cpp's adapters: of their folders in the store."""
    try:
        listed: Sequence[Json] = await client.ask_for_list("/lora-adapters")
    except EngineError:  # an older one
        return ()
    homes = [Path(str(each.get("path", ""))).parent for each in listed]
    return tuple(home.parent.name if home.name == ADAPTER else home.name for home in homes)


def _base(adapter: str, models_path: Path) -> str:
    """Return the name of what an adapter's record says that it changes."""
    record = read_record(models_path / adapter)
    name = Path(str(record.get("base") or record.get("parent") or SHIPPED)).name
    return SHIPPED_NAME if name == SHIPPED else name
