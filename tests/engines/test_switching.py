"""From one engine to the next: what is told, which processes run, and what a failure changes."""

import asyncio
import json
import stat
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.engines.processes import Install, alive, free_port, gone, until
from tiza.engines.serving import Serving
from tiza.engines.switching import Changes, Switcher
from tiza.errors import CannotWrite, ServiceFailed
from tiza.models.find import ACTIVE
from tiza.models.lineup import line_up
from tiza.settings import Settings

SPEAKING = Path(__file__).with_name("speaking.py")


class Switched:
    """A switcher on a store of its own, what it said, and its processes."""

    def __init__(self, folder: Path, **given: Any) -> None:
        self.store, self.told = folder / "models", folder / "engine.json"
        self.store.mkdir()
        self.model("one", "One.")
        self.choose("one")
        self.sentences: list[str] = []
        self.gone = asyncio.Event()
        self.asked: list[int] = []
        given |= {"var_path": folder / "var", "vllm_port": free_port(), "_env_file": None}
        settings = Settings(**given)
        self.switcher = Switcher(settings, "a-key", self.told, self._answers_gone, self._say)

    def model(self, name: str, answer: str, base: str = "") -> None:
        """Put a model into the store, or an adapter of a base."""
        folder = self.store / name
        folder.mkdir()
        (folder / "answer.txt").write_text(answer)
        if base:
            (folder / "adapter_config.json").write_text('{"r": 8}')
            (folder / "tiza.json").write_text(json.dumps({"base": base}))
        else:
            (folder / "model.safetensors").touch()

    def choose(self, name: str) -> None:
        """Choose a model as `tiza model use` does."""
        part = self.store / ".part"
        part.write_text(name)
        part.replace(self.store / ACTIVE)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start, watch for the length of the block, stop, and see that nothing is left."""
        others = {child.pid for child in psutil.Process().children(recursive=True)}
        await self.start()
        changes = Changes([self.store / ACTIVE])
        watching = asyncio.create_task(
            self.switcher.watch(changes, lambda: line_up("", self.store))
        )
        seen = []
        try:
            yield
        finally:
            children = psutil.Process().children(recursive=True)
            seen = [child for child in children if child.pid not in others]
            watching.cancel()
            await asyncio.wait({watching})
            await self.switcher.stop()
        await gone(seen)
        assert not self.told.exists()

    async def start(self) -> None:
        """Start the first engine."""
        await self.switcher.start(line_up("", self.store))

    @property
    def serving(self) -> Serving:
        """What the API is told."""
        return Serving.read(self.told)

    async def says(self, words: str) -> str:
        """Wait for a sentence."""
        await until(lambda: any(words in said for said in self.sentences), words)
        return next(said for said in self.sentences if words in said)

    def engine(self, name: str) -> list[psutil.Process]:
        """Return the processes that serve a model."""
        return [
            process
            for process in alive(psutil.Process().children(recursive=True))
            if f"{self.store}/{name}" in process.cmdline()
        ]

    async def _answers_gone(self, number: int) -> None:
        self.asked.append(number)
        await self.gone.wait()

    def _say(self, sentence: str, data: Mapping[str, object]) -> None:
        self.sentences.append(sentence.format(**data))


@pytest.fixture
def install_engine(install: Install) -> None:
    """Install a vllm that speaks, and a GPU, so that it is chosen."""
    install("nvidia-smi", "echo 'Tesla T4, 15360, 7.5'")
    install("vllm", f'exec "{sys.executable}" -I -S "{SPEAKING}" "$@"')


pytestmark = pytest.mark.usefixtures("install_engine")


async def test_next_engine_takes_over_when_another_model_is_chosen(tmp_path: Path) -> None:
    """Told once it has answered a question; the first ends when its last answer has, not before."""
    stack = Switched(tmp_path)
    async with stack.running():
        first = stack.serving
        stack.model("two", "Two.")

        stack.choose("two")
        await stack.says("two answers")

        assert (first.number, first.active) == (1, "one")
        assert (stack.serving.number, stack.serving.active) == (2, "two")
        assert stack.serving.url != first.url
        assert stat.S_IMODE(stack.told.stat().st_mode) == 0o600
        assert "asked" in (tmp_path / "var" / "logs" / "engine.log").read_text()
        assert "Starting two beside one" in stack.sentences[0]
        [old] = stack.engine("one")
        await until(lambda: stack.asked == [1])
        assert alive([old])
        stack.gone.set()
        await gone([old])
        assert len(stack.engine("two")) == 1


@pytest.mark.parametrize(
    ("answer", "reason"), [("<exit>", "out of memory"), (" \n", "an empty answer")]
)
async def test_nothing_changes_when_the_next_engine_fails(
    answer: str, reason: str, tmp_path: Path
) -> None:
    """One that ends, or says nothing, is stopped; one sentence tells why; the next choice works."""
    stack = Switched(tmp_path)
    async with stack.running():
        before = stack.serving
        stack.model("two", answer)

        stack.choose("two")
        said = await stack.says("one goes on answering")

        assert reason in said
        assert stack.serving == before
        assert len(stack.engine("one")) == 1
        assert not stack.engine("two")
        stack.model("three", "Three.")
        stack.choose("three")
        await stack.says("three answers")


async def test_nothing_changes_when_the_model_is_not_there(tmp_path: Path) -> None:
    """A name that leads nowhere starts nothing."""
    stack = Switched(tmp_path)
    async with stack.running():
        stack.choose("nothing")

        await stack.says("one goes on answering")

        assert stack.serving.active == "one"
        assert not any("beside" in said for said in stack.sentences)


async def test_nothing_changes_when_the_next_engine_is_killed_over_its_question(
    tmp_path: Path,
) -> None:
    """Dying between health and answer is a failure like any other."""
    stack = Switched(tmp_path)
    async with stack.running():
        stack.model("two", "<hang>")
        stack.choose("two")
        log = tmp_path / "var" / "logs" / "engine.log"
        await until(lambda: "asked" in log.read_text())

        stack.engine("two")[0].kill()

        await stack.says("one goes on answering")
        assert stack.serving.active == "one"
        assert not stack.engine("two")


@pytest.mark.parametrize("first", ["<hang>", "<late>"])
async def test_last_choice_wins_when_two_follow_each_other(first: str, tmp_path: Path) -> None:
    """A switch under way is given up for the next; nothing of it is left."""
    stack = Switched(tmp_path)
    async with stack.running():
        stack.model("two", first)
        stack.model("three", "Three.")
        stack.choose("two")
        await until(lambda: stack.engine("two"))

        stack.choose("three")
        await stack.says("three answers")

        assert stack.serving.active == "three"
        assert not stack.engine("two")
        assert not any("two answers" in said for said in stack.sentences)


async def test_switch_ends_with_everything_else_when_it_is_stopped_in_the_middle(
    tmp_path: Path,
) -> None:
    """The half-started engine goes with the one that serves: `running` sees to it."""
    stack = Switched(tmp_path)
    async with stack.running():
        stack.model("two", "<late>")
        stack.choose("two")
        await until(lambda: stack.engine("two"))


async def test_answers_are_cut_when_they_outlast_the_drain(tmp_path: Path) -> None:
    """DRAIN_SECONDS bounds the wait, and that is said."""
    stack = Switched(tmp_path, drain_seconds=0)
    async with stack.running():
        old = stack.engine("one")
        stack.model("two", "Two.")
        stack.choose("two")

        await stack.says("that one was still writing")

        await gone(old)


async def test_adapter_answers_at_once_when_the_engine_has_it(tmp_path: Path) -> None:
    """To an adapter and back the same engine serves; a new adapter needs a new one."""
    stack = Switched(tmp_path)
    stack.model("poet", "", base="one")
    async with stack.running():
        [engine] = stack.engine("one")

        stack.choose("poet")
        await stack.says("poet answers")
        there = stack.serving
        stack.choose("one")
        await stack.says("one answers")

        assert (there.active, there.adapters, there.number) == ("poet", ("poet",), 1)
        assert (stack.serving.active, stack.serving.number) == ("one", 1)
        assert stack.engine("one") == [engine]
        stack.model("pirate", "", base="one")
        stack.choose("pirate")
        await stack.says("pirate answers")
        assert (stack.serving.number, stack.serving.base) == (2, "one")
        assert set(stack.serving.adapters) == {"poet", "pirate"}


async def test_engine_starts_without_the_others_when_one_of_them_is_broken(tmp_path: Path) -> None:
    """An adapter that nobody chose keeps no service from starting."""
    stack = Switched(tmp_path)
    stack.model("broken", "", base="one")
    stack.model("poet", "", base="one")
    stack.choose("poet")
    async with stack.running():
        assert (stack.serving.active, stack.serving.adapters) == ("poet", ("poet",))
        assert "without the others" in stack.sentences[0]


async def test_start_fails_when_the_only_engine_does(tmp_path: Path) -> None:
    """The first engine has nothing to go back to."""
    stack = Switched(tmp_path)
    (stack.store / "one" / "answer.txt").write_text("<exit>")

    with pytest.raises(ServiceFailed, match="out of memory"):
        await stack.start()
    await stack.switcher.stop()


async def test_nothing_changes_when_the_api_cannot_be_told(tmp_path: Path) -> None:
    """The new engine ends again when the file cannot be written."""
    stack = Switched(tmp_path)
    async with stack.running():
        part = stack.told.with_name(f".{stack.told.name}.part")
        part.mkdir()
        stack.model("two", "Two.")
        stack.choose("two")

        said = await stack.says("one goes on answering")

        assert str(stack.told) in said
        assert not stack.engine("two")
        with pytest.raises(CannotWrite):
            stack.serving.write(stack.told)
        part.rmdir()
