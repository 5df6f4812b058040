"""Another model is chosen while `tiza up` runs: real engines, a real stream, real crashes."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.engines.adapters import choose_model, store_adapter, store_model
from tests.engines.processes import DEADLINE, alive, ask, commands, wait_for
from tests.test_up import ENGINE, Stack, question
from tiza.models.find import ACTIVE, SHIPPED_NAME


class Classroom:
    """A running stack, and the store beside it."""

    def __init__(self, stack: Stack, store: Path) -> None:
        self.stack, self.store = stack, store

    def choose(self, name: str) -> None:
        """Choose a model and wait until it answers."""
        told = len(self.stack.lines)
        choose_model(self.store, name)
        wait_for(lambda: f"✓ {name} answers from now on." in self.stack.lines[told:])

    def back(self) -> None:
        """Go back to the shipped model, as it was at the start."""
        if (self.store / ACTIVE).exists():
            told = len(self.stack.lines)
            (self.store / ACTIVE).unlink()
            wait_for(lambda: any("answers from now" in line for line in self.stack.lines[told:]))
        wait_for(lambda: len(self.engines()) == 1)

    def engines(self) -> list[psutil.Process]:
        """Return the engines' processes."""
        return [process for process in alive(self.stack.record()) if ENGINE in commands([process])]

    def says(self, model: str | None = None) -> tuple[str, str]:
        """Ask a question; return who answered, and what."""
        body = {"message": "What is water?", "max_tokens": 6, "temperature": 0}
        reply = ask(self.stack.port, "/chat", body | ({"model": model} if model else {}))
        assert reply.status == 200, reply.content
        return reply.json["model"], reply.json["response"]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Classroom]:
    """Run a stack with the shipped model, an adapter of it, and its weights by another name."""
    folder = tmp_path_factory.mktemp("switch")
    store_model(folder / "models", "samples_0")
    store_adapter(folder / "models", "pirate", seed=1)
    with Stack(folder, DRAIN_SECONDS=3 * DEADLINE) as stack:
        stack.is_up()
        yield Classroom(stack, folder / "models")


@pytest.fixture
def classroom(running: Classroom) -> Iterator[Classroom]:
    """Give the stack back as it was."""
    yield running
    running.back()


def test_stream_ends_whole_when_another_model_takes_over_in_its_middle(
    classroom: Classroom,
) -> None:
    """The old engine finishes what it began, the new one answers what comes; then one is left."""
    stack = classroom.stack
    [old] = classroom.engines()
    choose_model(classroom.store, "samples_0")
    stack.says(f"^Starting samples_0 beside {SHIPPED_NAME}")

    with question(stack.port, 150) as events:
        assert next(events)[1]["model"] == SHIPPED_NAME
        stack.says("^✓ samples_0 answers")
        name, _ = classroom.says()
        models, health = stack.get("/models").json, stack.get("/health").status
        *tokens, (kind, done) = events

    assert kind == "done"
    assert done["model"] == SHIPPED_NAME
    assert "".join(data["text"] for _, data in tokens) == done["response"]
    assert name == models["active_model"] == "samples_0"
    assert health == 200
    wait_for(lambda: not alive([old]))
    assert len(classroom.engines()) == 1


def test_adapter_answers_at_once_when_it_is_chosen_or_named(classroom: Classroom) -> None:
    """The engine stays; who names no model gets the active one, and the base is still there."""
    [engine] = classroom.engines()
    base = classroom.says()
    assert classroom.says("pirate")[0] == "pirate"

    classroom.choose("pirate")

    assert classroom.engines() == [engine]
    assert classroom.says() == classroom.says("pirate")
    assert classroom.says(SHIPPED_NAME) == base
    assert classroom.says()[1] != base[1]
    assert classroom.stack.get("/models").json == {
        "models": ["pirate", SHIPPED_NAME],
        "active_model": "pirate",
    }


def test_nothing_changes_when_the_setting_names_a_damaged_model(classroom: Classroom) -> None:
    """MODEL_PATH in `.env` is followed too; one sentence tells why this one cannot be."""
    stack, folder = classroom.stack, classroom.store.parent
    (folder / "broken.gguf").write_text("no model")
    [engine] = classroom.engines()

    (folder / ".env").write_text("MODEL_PATH=broken.gguf\n")
    stack.says(rf"^{SHIPPED_NAME} goes on answering; nothing has changed\..*broken\.gguf")

    (folder / ".env").unlink()
    stack.says(f"^✓ {SHIPPED_NAME} answers")
    assert classroom.engines() == [engine]
    assert classroom.says()[0] == SHIPPED_NAME


def test_switch_is_given_up_when_the_new_engine_is_killed(classroom: Classroom) -> None:
    """Killed while it loads: the old one goes on, and no process is left of the other."""
    [old] = classroom.engines()
    told = len(classroom.stack.lines)
    choose_model(classroom.store, "samples_0")
    new = wait_for(lambda: [engine for engine in classroom.engines() if engine != old])

    new[0].kill()

    wait_for(lambda: any("goes on answering" in line for line in classroom.stack.lines[told:]))
    assert classroom.engines() == [old]
    assert classroom.says()[0] == SHIPPED_NAME


def test_nothing_is_left_when_the_stack_is_killed_in_the_middle_of_a_switch(
    tmp_path: Path,
) -> None:
    """After kill -9 of `tiza up` both engines and the API are gone."""
    store_model(tmp_path / "models", "samples_0")
    with Stack(tmp_path) as stack:
        stack.is_up()
        classroom = Classroom(stack, tmp_path / "models")
        choose_model(classroom.store, "samples_0")
        wait_for(lambda: len(classroom.engines()) == 2)

        stack.process.kill()

        stack.leaves_nothing()
