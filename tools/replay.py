"""Make the replay that ships for the embedded model: `tools/replay.py`. Takes minutes.

Starts the real engine, asks it the general English questions, and writes the answers beside them,
with the fingerprint of the model and the version of the engine in the first line.
"""

import asyncio
import secrets
import tempfile
from importlib.metadata import version
from pathlib import Path

import aiohttp

from tiza.engines.choose import choose
from tiza.engines.engine import Address
from tiza.engines.ports import check_port_free
from tiza.engines.serve import say, service_of
from tiza.engines.supervisor import Supervisor
from tiza.generate.replay import MIX, SHIPPED, answers, questions
from tiza.generate.request import Ask, Reply, Request
from tiza.models.find import find
from tiza.models.identity import identity
from tiza.progress import Progress
from tiza.runs.samples import Sample, write
from tiza.settings import Settings, load


def asker(session: aiohttp.ClientSession, address: Address, slots: int) -> Ask:
    """Return a function that asks the engine, as many at a time as it has slots."""
    places = asyncio.Semaphore(slots)

    async def ask(request: Request) -> Reply:
        body = {"messages": request.messages, "max_tokens": request.max_tokens}
        body |= {"temperature": request.temperature, "seed": request.seed}
        async with places, session.post(f"{address.url}/v1/chat/completions", json=body) as answer:
            said = await answer.json()
        used = said["usage"]
        text = said["choices"][0]["message"]["content"]
        return Reply(text, used["prompt_tokens"], used["completion_tokens"])

    return ask


async def generate(settings: Settings, cache: Path) -> list[Sample]:
    """Start the engine, ask, and stop it."""
    model = find("", settings.models_path)
    check_port_free("127.0.0.1", settings.vllm_port, "VLLM_PORT")
    address = Address("127.0.0.1", settings.vllm_port, secrets.token_urlsafe(32))
    engine = choose("llama.cpp", model, settings, address)
    supervisor = Supervisor(service_of(engine, settings.logs_path), say)
    key = {"Authorization": f"Bearer {address.api_key}"}
    try:
        await supervisor.start()
        async with aiohttp.ClientSession(headers=key, timeout=aiohttp.ClientTimeout()) as session:
            ask = asker(session, address, settings.llama_slots)
            base = identity(model, cache)
            with Progress() as progress:
                return await answers(ask, base, cache, questions("en"), progress)
    finally:
        await supervisor.stop()


def main() -> None:
    """Write the file."""
    SHIPPED.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as cache:
        samples = asyncio.run(generate(load(), Path(cache)))
    head = {**samples[0].metadata, "engine": f"xllamacpp {version('xllamacpp')}"}
    rows = [Sample(s.messages, MIX, s.id) for s in samples[1:]]
    write([Sample(samples[0].messages, head, samples[0].id), *rows], SHIPPED)
    print(f"{len(samples)} answers in {SHIPPED.name}")


if __name__ == "__main__":
    main()
