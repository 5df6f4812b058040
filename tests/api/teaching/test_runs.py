"""Trainings over HTTP: real ones of a tiny model, and stand-ins where only their life matters."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.api.service import Answer, Service, parse_events, running, until
from tests.api.teaching.school import LEAF, plant
from tests.models.tiny import make
from tests.test_teach import RECIPE
from tiza.api.teaching import abilities
from tiza.api.teaching import runs as routes
from tiza.models.pack import pack
from tiza.runs import order

TRAIN_SECONDS = 110.0  # generous: the machine may be busy
WAITS = "import sys, time; print('waiting', flush=True); time.sleep(600)"


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    """Run the API beside a tiny model in use, one lesson and two recipes."""
    taxonomy = plant(tmp_path)
    (tmp_path / "models").mkdir()
    monkeypatch.chdir(tmp_path)
    async with running(taxonomy_path=taxonomy, models_path=tmp_path / "models") as service:
        yield service


def train_for_real(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the real verb started, over a tiny model and with a recipe that nothing passes."""
    model = make(folder / "models" / "tiny")
    pack(model, model / "model.gguf", "f32")
    (folder / "models" / ".active").write_text("tiny\n")
    (folder / "recipes").mkdir()
    (folder / "strict.yaml").write_text(RECIPE.format(gain=1.0))
    root = Path(__file__).parents[3]
    monkeypatch.setenv("PYTHONPATH", f"{root}:{root / 'src'}")
    monkeypatch.setenv("VLLM_MAX_MODEL_LEN", "512")
    monkeypatch.setenv("SYSTEM_PROMPT", "what is it?")
    teach = (sys.executable, "-m", "tests.api.teaching.few_questions", "--recipe=strict.yaml")
    monkeypatch.setattr(routes, "TEACH", teach)


def wait_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a process started that does nothing until it is told to end."""
    monkeypatch.setattr(routes, "TEACH", (sys.executable, "-c", WAITS))


async def watch(desk: Service, run: str, last: str = "") -> Answer:
    """Read the events of a run until they end."""
    headers = {"Last-Event-ID": last} if last else {}
    patience = aiohttp.ClientTimeout(TRAIN_SECONDS)
    path = f"/runs/{run}/events"
    async with desk.session.get(path, headers=headers, timeout=patience) as response:
        return Answer(response.status, response.headers, await response.read())


async def begin(desk: Service, **more: object) -> Any:
    """Begin to teach the lesson."""
    begun = await desk.ask("/runs", {"lessons": [LEAF], "pipeline": "seeds", **more})
    assert begun.status == 201, begun.json
    return begun.json


@pytest.mark.timeout(300)
async def test_training_is_watched_refused_and_promoted_when_somebody_insists(
    desk: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A teacher sees stages, losses and log, why it was refused, and may promote it all the same.

    What was seen before is not told again to whoever comes back; the report has a policy under
    which only its own styles work.
    """
    train_for_real(tmp_path, monkeypatch)
    run = (await begin(desk))["id"]
    told = (await watch(desk, run)).events
    end = told[-1].data
    log = (await desk.ask(f"/runs/{run}/log")).body.decode()

    assert end["state"] == "refused", log
    assert end["stages"] == ["check", "generate", "train", "evaluate"]
    assert "at least 100%" in end["error"]["en"]
    assert "100%" in end["error"]["es"]
    steps = [each.data for each in told if each.name == "run" and each.data["event"] == "step"]
    assert [step["step"] for step in steps] == list(range(1, len(steps) + 1))
    assert all(isinstance(step["loss"], float) for step in steps)
    said = [line for each in told if each.name == "log" for line in each.data["lines"]]
    assert "\n".join(said) == log.rstrip("\n")

    half = len(told) // 2
    later = (await watch(desk, run, told[half].id)).events
    assert [each.data for each in later if each.name == "run"] == [
        each.data for each in told[half + 1 :] if each.name == "run"
    ]
    samples = (await desk.ask(f"/runs/{run}/samples?limit=1")).json
    assert samples["total"] > len(samples["samples"]) == 1
    report = await desk.ask(f"/runs/{run}/report")
    assert "style-src 'sha256-" in report.headers["Content-Security-Policy"]

    assert (await desk.ask(f"/runs/{run}/continue", {"force": True})).status == 200
    end = (await watch(desk, run)).events[-1].data
    store = (await desk.ask("/store/models")).json
    taught = next(each for each in store["models"] if each["name"] == "samples_0")
    assert (end["state"], end["model"]) == ("promoted", "samples_0")
    assert (store["active"], store["former"]) == ("samples_0", "tiny")
    assert (taught["forced"], taught["lessons"], taught["has_report"]) == (True, [LEAF], True)
    card = await desk.ask("/store/models/samples_0/report")
    assert card.kind == "text/html"

    await goes_back_and_forth(desk)


async def goes_back_and_forth(desk: Service) -> None:
    """Go back to the former model, and try to promote the one that failed."""
    back = await desk.ask("/store/models/tiny/promote", {})
    refused = await desk.ask("/store/models/samples_0/promote", {})
    forced = await desk.ask("/store/models/samples_0/promote", {"force": True})
    unknown = await desk.ask("/store/models/nobody/promote", {})

    assert back.json == {"active": "tiny", "former": "samples_0"}
    assert (refused.status, refused.json["code"]) == (409, "gate_failed")
    assert forced.json == {"active": "samples_0", "former": "tiny"}
    assert unknown.status == 404


async def test_one_training_at_a_time_is_stopped_and_can_go_on(
    desk: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second is refused by name; the first ends when it is asked to, and may be continued."""
    wait_instead(monkeypatch)
    run = (await begin(desk))["id"]
    second = await desk.ask("/runs", {})
    assert (second.status, second.json["code"]) == (409, "run_busy")
    assert run in second.json["detail"]

    stopped = await desk.ask(f"/runs/{run}/stop", method="POST")
    folder = desk.state.settings.runs_path
    await until(lambda: not order.at_work(folder))
    listed = (await desk.ask("/runs")).json
    assert stopped.status == 204
    assert [(each["id"], each["state"]) for each in listed["runs"]] == [(run, "unfinished")]

    assert (await desk.ask(f"/runs/{run}/continue", {})).json["state"] == "running"
    assert order.stop(folder, run)


async def test_training_is_found_again_when_the_api_has_restarted(
    desk: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a process of its own, and another process of the API watches and stops it."""
    wait_instead(monkeypatch)
    run = (await begin(desk))["id"]
    var_path = desk.state.settings.var_path
    async with (
        running(taxonomy_path=tmp_path / "taxonomy", var_path=var_path) as other,
        other.session.get(f"/runs/{run}/events") as watching,
    ):
        first = await watching.content.readuntil(b"\n\n")
        await until(lambda: b"waiting" in (var_path / "runs" / run / order.LOG).read_bytes())
        assert (await other.ask("/runs")).json["at_work"] == run
        await other.ask(f"/runs/{run}/stop", method="POST")
        events = parse_events(first + await watching.read())

    assert [event.name for event in events if event.name != "log"] == ["state", "done"]
    assert events[0].data["state"] == "running"


async def test_run_is_not_begun_when_a_lesson_is_not_there(desk: Service) -> None:
    """The answer names it, and no folder is left behind."""
    refused = await desk.ask("/runs", {"lessons": ["knowledge/science/nothing"]})
    outside = await desk.ask("/runs", {"lessons": ["../../etc"]})

    assert (refused.status, outside.status) == (404, 409)
    assert not desk.state.settings.runs_path.exists()
    assert (await desk.ask("/runs/20260101-000000")).status == 404


async def test_pinned_model_stays_when_another_is_chosen(tmp_path: Path) -> None:
    """MODEL_PATH comes first: a choice without effect is refused, not swallowed."""
    async with running(model_path=str(tmp_path), models_path=tmp_path) as desk:
        refused = await desk.ask("/store/models/shipped/promote", {})

    assert (refused.status, refused.json["code"]) == (409, "model_pinned")


async def test_nothing_is_begun_where_it_cannot_be_done(
    desk: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in the API's container, which has no torch and reads the models only: both are said."""
    assert (await desk.ask("/runs")).json["trains"]
    assert not (await desk.ask("/store/models")).json["read_only"]

    monkeypatch.setattr(abilities, "NEEDED", ("no_package_of_this_name",))
    assert not (await desk.ask("/runs")).json["trains"]
    for path in ("/runs", "/runs/20260101-000000/continue"):
        refused = await desk.ask(path, {})
        assert (refused.status, refused.json["code"]) == (409, "training_elsewhere")

    monkeypatch.setattr(abilities, "writes", lambda _folder: False)
    assert (await desk.ask("/store/models")).json["read_only"]
    chosen = await desk.ask("/store/models/shipped/promote", {})
    assert (chosen.status, chosen.json["code"]) == (409, "store_read_only")
    assert not desk.state.settings.runs_path.exists()
