"""Make the replay that ships for the embedded model: `tools/replay.py`. Takes minutes.

Starts the real engine, asks it the general English questions and the near misses of the starter
taxonomy, and writes the answers beside them, with the fingerprint of the model and the version of
the engine in the first line. What is there already is not asked again; delete the file to begin
anew.
"""

import asyncio
from importlib.metadata import version
from pathlib import Path

from tiza.generate.local import own_engine
from tiza.generate.near_miss import near_misses
from tiza.generate.replay import MIX, answers, questions
from tiza.generate.replay import SHIPPED as FILE
from tiza.generate.teacher import Teacher
from tiza.models.find import SHIPPED, find
from tiza.models.identity import identity
from tiza.models.lineup import Lineup
from tiza.progress import Progress
from tiza.runs.samples import Sample, write
from tiza.settings import load
from tiza.taxonomy.load import load as load_lessons

TAXONOMY = Path("taxonomy")


async def ask_all() -> tuple[list[Sample], list[str]]:
    """Start the engine, ask, and stop it; return the answers, and the questions without one."""
    settings = load()
    cache = settings.var_path / "cache"
    model = find(SHIPPED, settings.models_path)
    base = identity(model, cache)
    near = near_misses(load_lessons([TAXONOMY], TAXONOMY))
    asked = list(dict.fromkeys([*questions("en"), *near]))
    async with own_engine(settings, Lineup(model)) as endpoint, Teacher(endpoint) as teacher:
        with Progress() as progress:
            said = await answers(teacher.ask, base, cache / "replay", asked, progress)
    answered = {sample.messages[0]["content"] for sample in said}
    return said, [question for question in asked if question not in answered]


def main() -> None:
    """Write the file."""
    samples, silent = asyncio.run(ask_all())
    engine = f"xllamacpp {version('xllamacpp')}"
    head = {**samples[0].metadata, "engine": engine, "silent": silent}
    rows = [Sample(s.messages, MIX, s.id) for s in samples[1:]]
    write([Sample(samples[0].messages, head, samples[0].id), *rows], FILE)
    print(f"{len(samples)} answers in {FILE.name}")


if __name__ == "__main__":
    main()
