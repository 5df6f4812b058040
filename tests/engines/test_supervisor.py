"""The supervisor, with real processes that fail in every way we know."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from tests.engines.processes import alive, free_port, gone, tree, until
from tiza.engines import log_file, supervisor
from tiza.engines.supervisor import BACK, ENDED, SILENT, STILL_DOWN, Service, Supervisor
from tiza.errors import ServiceFailed, SettingsError

PRETENDED = Path(__file__).with_name("pretended.py")


class Watched(Supervisor):
    """A supervisor whose sentences, process and log are easy to ask for."""

    def __init__(self, service: Service) -> None:
        self.told: list[tuple[str, dict[str, object]]] = []
        super().__init__(service, lambda sentence, data: self.told.append((sentence, {**data})))

    @property
    def sentences(self) -> list[str]:
        """What was told, in order."""
        return [sentence for sentence, _ in self.told]

    @property
    def pid(self) -> int:
        """The process that runs now."""
        assert self._process is not None
        return self._process.pid

    def log(self) -> str:
        """Return what the service has said."""
        return self.service.log.read_text("utf-8") if self.service.log.exists() else ""

    async def says(self, pattern: str) -> re.Match[str]:
        """Wait until the process has printed something."""
        return await until(lambda: re.search(pattern, self.log()), pattern)


Make = Callable[..., Watched]


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    """Supervise the pretended service, started with some flags, and stop it after the test."""
    made: list[Watched] = []

    def supervise(*flags: str, serves: bool = True, **service: float) -> Watched:
        port = free_port()
        listens = ("--port", str(port)) if serves else ()
        watched = Watched(
            Service(
                name="service",
                command=[sys.executable, "-I", "-S", str(PRETENDED), *listens, *flags],
                health=f"http://127.0.0.1:{port}/health",
                log=tmp_path / "logs" / "service.log",
                **service,  # type: ignore[arg-type]  # seconds only
            )
        )
        made.append(watched)
        return watched

    yield supervise
    for watched in made:
        await watched.stop()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the supervisor's two long intervals short."""
    monkeypatch.setattr(supervisor, "CHECK_SECONDS", 0.05)
    monkeypatch.setattr(supervisor, "FIRST_BACKOFF", 0.05)


@contextlib.asynccontextmanager
async def watching(watched: Watched) -> AsyncIterator[None]:
    """Let the supervisor watch for the length of a block."""
    task = asyncio.create_task(watched.watch())
    try:
        yield
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_start_returns_when_the_service_is_healthy(make: Make) -> None:
    """Starting waits for a good answer, not for a process or for any answer."""
    service = make("--statuses", "503,503,200")

    await service.start()

    assert alive(tree(service.pid))
    assert re.findall(r"answered (\d+)", service.log())[:2] == ["503", "503"]


async def test_a_prepared_service_loads_and_waits_until_it_is_started(make: Make) -> None:
    """What a service has to do before it listens can be done while another one still starts."""
    service = make("--held", "--say", "loaded")

    await service.prepare()
    await service.says("loaded")
    prepared = service.pid
    assert "answered" not in service.log()
    await service.start()

    assert service.pid == prepared
    await service.restart()
    assert service.pid != prepared


async def test_a_prepared_service_is_ended_when_it_is_never_started(make: Make) -> None:
    """If the first of two services fails, the one that waits behind it does not stay."""
    service = make("--held", "--say", "loaded")

    await service.prepare()
    await service.says("loaded")
    processes = tree(service.pid)
    await service.stop()

    await gone(processes)


async def test_start_fails_with_the_last_error_sentence_when_the_process_ends(make: Make) -> None:
    """A process that says why it ends is quoted, whatever it prints after that."""
    service = make("--say", "error: first", "--say", "error: why", "--say", "bye", "--exit", "3")

    with pytest.raises(ServiceFailed) as caught:
        await service.start()

    assert caught.value.data["reason"] == "why"
    assert caught.value.data["log"] == service.service.log
    assert str(service.service.log) in caught.value.message()
    assert service.log() == "error: first\nerror: why\nbye\n"


async def test_start_fails_with_the_last_line_when_no_error_was_named(make: Make) -> None:
    """A process that ends without a named error is quoted by its last line that is not empty."""
    service = make("--say", "loading", "--say", "Segmentation fault", "--say", " ", "--exit", "1")

    with pytest.raises(ServiceFailed) as caught:
        await service.start()

    assert caught.value.data["reason"] == "Segmentation fault"


async def test_start_fails_when_the_process_ends_in_silence(make: Make) -> None:
    """A process that says nothing still ends in a sentence."""
    with pytest.raises(ServiceFailed, match="did not start: it said nothing"):
        await make("--exit", "1").start()


async def test_start_fails_when_the_program_is_missing(make: Make, tmp_path: Path) -> None:
    """A command that cannot be run is a service that did not start."""
    missing = Service("service", [str(tmp_path / "absent")], "http://127.0.0.1:9", tmp_path / "log")

    with pytest.raises(ServiceFailed, match="absent"):
        await Watched(missing).start()


async def test_start_leaves_no_process_when_the_service_never_becomes_healthy(make: Make) -> None:
    """Patience ends: the process and its children are ended, and the error says so."""
    service = make("--child", "--deaf", "--statuses", "503", start_seconds=1.5, stop_seconds=0.1)
    starting = asyncio.create_task(service.start())
    child = int((await service.says(r"child (\d+)"))[1])
    processes = [*tree(service.pid), psutil.Process(child)]

    with pytest.raises(ServiceFailed):
        await starting

    await gone(processes)


async def test_start_fails_when_the_port_speaks_another_protocol(make: Make) -> None:
    """An answer that is not HTTP is not health, and not a crash of the supervisor either."""
    service = make("--nonsense", start_seconds=1)

    with pytest.raises(ServiceFailed):
        await service.start()

    assert "answered" in service.log()


async def test_start_succeeds_when_the_environment_names_a_proxy(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Health is asked directly: a school's proxy does not stand between our own processes."""
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")

    await make(start_seconds=10).start()


async def test_start_leaves_no_process_when_it_is_cancelled(make: Make) -> None:
    """Ctrl-C while starting ends what was started."""
    service = make("--child", "--statuses", "503")
    starting = asyncio.create_task(service.start())
    await service.says(r"child \d+")
    processes = tree(service.pid)

    starting.cancel()
    await asyncio.wait({starting})
    await service.stop()

    assert starting.cancelled()
    await gone(processes)


async def test_start_leaves_no_process_when_it_is_cancelled_at_once(make: Make) -> None:
    """A signal that comes while the process is being made leaves none behind."""
    service = make()
    before = set(psutil.Process().children(recursive=True))
    starting = asyncio.create_task(service.start())
    for _ in range(3):  # into the making of the process
        await asyncio.sleep(0)

    starting.cancel()
    await asyncio.wait({starting})
    await service.stop()

    await gone([*set(psutil.Process().children(recursive=True)) - before])


async def test_construction_fails_when_the_log_cannot_be_written(tmp_path: Path) -> None:
    """A place where no log can be is named with its setting before anything is started."""
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(SettingsError, match="VAR_PATH"):
        Watched(Service("service", ["true"], "http://127.0.0.1:9", tmp_path / "file" / "log"))


async def test_watch_restarts_at_once_when_the_process_is_killed(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of the process is noticed by itself; no health check has to come round."""
    monkeypatch.setattr(supervisor, "CHECK_SECONDS", 3600)
    monkeypatch.setattr(supervisor, "FIRST_BACKOFF", 0.05)
    service = make()
    await service.start()
    first = service.pid

    async with watching(service):
        os.kill(first, signal.SIGKILL)
        await until(lambda: BACK in service.sentences)

    assert service.sentences == [ENDED, BACK]
    assert service.told[0][1]["cause"] == "signal SIGKILL"
    assert service.pid != first
    assert alive(tree(service.pid))


async def test_watch_restarts_at_once_when_a_grandchild_holds_the_output(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A leader that dies is noticed although its workers live, and they are ended with it."""
    monkeypatch.setattr(supervisor, "CHECK_SECONDS", 3600)
    monkeypatch.setattr(supervisor, "FIRST_BACKOFF", 0.05)
    service = make("--child")
    await service.start()
    child = psutil.Process(int((await service.says(r"child (\d+)"))[1]))

    async with watching(service):
        os.kill(service.pid, signal.SIGKILL)
        await until(lambda: BACK in service.sentences)

    await gone([child])


async def test_watch_tells_the_exit_status_when_the_process_ends_by_itself(
    make: Make, quick: None
) -> None:
    """The cause that a person is told is the one that the system gave."""
    service = make()
    await service.start()

    async with watching(service):
        os.kill(service.pid, signal.SIGTERM)
        await until(lambda: BACK in service.sentences)

    assert service.told[0][1] == {"name": "service", "cause": "exit status 0", "seconds": 0}


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Collect the supervisor's pauses instead of waiting for them."""
    taken: list[float] = []
    sleep = asyncio.sleep

    async def take(seconds: float) -> None:
        taken.append(seconds)
        await sleep(0)

    monkeypatch.setattr(supervisor.asyncio, "sleep", take)  # type: ignore[attr-defined]  # as the module sees it
    return taken


async def test_watch_doubles_its_pauses_when_the_service_does_not_start_again(
    make: Make, pauses: list[float]
) -> None:
    """A service that is broken for good is tried after 1, 2, 4 … and at last every 30 seconds."""
    service = make()
    await service.start()
    service.service.command.extend(["--say", "error: broken", "--exit", "1"])

    async with watching(service):
        os.kill(service.pid, signal.SIGKILL)
        await until(lambda: len(pauses) >= 8)

    assert pauses[:8] == [1, 2, 4, 8, 16, 30, 30, 30]
    assert service.sentences[:3] == [ENDED, STILL_DOWN, STILL_DOWN]
    assert service.told[1][1] == {"name": "service", "cause": "broken"}


@pytest.mark.parametrize(("steady_seconds", "expected"), [(3600.0, [1, 2, 4]), (0.0, [1, 1, 1])])
async def test_watch_begins_its_pauses_anew_when_the_service_was_steady(
    make: Make,
    pauses: list[float],
    monkeypatch: pytest.MonkeyPatch,
    steady_seconds: float,
    expected: list[int],
) -> None:
    """Crashes in a row wait longer each time; one after steady health waits the first pause."""
    monkeypatch.setattr(supervisor, "STEADY_SECONDS", steady_seconds)
    service = make()
    await service.start()

    async with watching(service):
        for crash in range(1, 4):
            os.kill(service.pid, signal.SIGKILL)
            await until(lambda n=crash: service.sentences.count(BACK) == n)  # type: ignore[misc]  # bound now

    assert pauses == expected
    assert [data["seconds"] for sentence, data in service.told if sentence == ENDED] == expected


async def test_watch_replaces_the_process_when_it_lives_but_does_not_answer(
    make: Make, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that hangs is ended, even though it cannot hear SIGTERM, and another started."""
    monkeypatch.setattr(supervisor, "HEALTH_PATIENCE", 0.2)
    service = make(stop_seconds=0.2)
    await service.start()
    first = tree(service.pid)

    async with watching(service):
        os.kill(service.pid, signal.SIGSTOP)
        await until(lambda: BACK in service.sentences)

    assert service.sentences == [SILENT, BACK]
    await gone(first)


async def test_watch_keeps_the_process_when_only_some_checks_fail(make: Make, quick: None) -> None:
    """Two bad answers in a row are a busy service; the third would be a broken one."""
    service = make("--statuses", "200,503,503")
    await service.start()

    async with watching(service):
        await until(lambda: service.log().count("answered") >= 12)

    assert service.told == []


async def test_watch_replaces_the_process_when_it_answers_badly_three_times(
    make: Make, quick: None
) -> None:
    """A service that says of itself that it is not well is replaced."""
    service = make("--statuses", "200,503,503,503")
    await service.start()

    async with watching(service):
        await until(lambda: BACK in service.sentences)

    assert service.sentences[:2] == [SILENT, BACK]


async def test_restart_replaces_the_process_when_it_is_asked_to(make: Make) -> None:
    """A restart ends the old process before the new one starts."""
    service = make()
    await service.start()
    first = tree(service.pid)

    await service.restart()

    await gone(first)
    assert alive(tree(service.pid))
    assert service.log().count("farewell") == 1


async def test_restart_keeps_nothing_open_when_it_is_repeated(make: Make) -> None:
    """A supervisor that runs for months does not run out of file descriptors."""
    service = make()
    await service.start()
    before = psutil.Process().num_fds()

    for _ in range(3):
        await service.restart()

    assert psutil.Process().num_fds() <= before


async def test_stop_lets_the_process_say_farewell_when_it_hears_sigterm(make: Make) -> None:
    """The first thing is to ask; what the process says on its way out is in the log."""
    service = make()
    await service.start()
    processes = tree(service.pid)

    await service.stop()

    await gone(processes)
    assert service.log().endswith("farewell\n")


async def test_stop_kills_the_whole_group_when_the_process_ignores_sigterm(make: Make) -> None:
    """Nothing is left of a service that does not want to go, grandchildren included."""
    service = make("--deaf", "--child", stop_seconds=0.1)
    await service.start()
    processes = tree(service.pid)
    assert len(processes) == 2

    await service.stop()

    await gone(processes)


async def test_stop_kills_grandchildren_when_only_the_process_itself_ends(make: Make) -> None:
    """Workers that outlive their leader are ended too."""
    service = make("--child")
    await service.start()
    processes = tree(service.pid)
    assert len(processes) == 2

    await service.stop()

    await gone(processes)
    assert service.log().endswith("farewell\n")


async def test_stop_returns_when_a_stray_process_holds_the_output(make: Make) -> None:
    """A grandchild that left the group cannot keep us waiting for the end of its output."""
    service = make("--stray")
    await service.start()
    stray = psutil.Process(int((await service.says(r"child (\d+)"))[1]))
    try:
        async with asyncio.timeout(20):
            await service.stop()
        assert alive([stray])
    finally:
        stray.kill()


async def test_stop_kills_at_once_when_it_is_cancelled(make: Make) -> None:
    """A second Ctrl-C, which cancels the waiting, ends the process in that moment."""
    service = make("--deaf", "--child", stop_seconds=3600)
    await service.start()
    processes = tree(service.pid)
    stopping = asyncio.create_task(service.stop())
    await asyncio.sleep(0)  # into the waiting

    stopping.cancel()
    await asyncio.wait({stopping})

    await gone(processes)


async def test_stop_returns_when_nothing_runs(make: Make) -> None:
    """Stopping is safe before the start, after a failed start, and twice."""
    service = make("--exit", "1")
    await service.stop()
    with pytest.raises(ServiceFailed):
        await service.start()

    await service.stop()
    await service.stop()


async def test_output_goes_on_when_a_line_is_huge_or_not_text(make: Make) -> None:
    """A megabyte without a line end and bytes that are no UTF-8 do not stop the copying."""
    service = make("--say", "<long>", "--say", "<bytes>", "--say", "after")

    await service.start()

    await service.says("(?m)^after$")
    assert "caf\N{REPLACEMENT CHARACTER}" in service.log()
    assert len(service.log()) < 200_000


async def test_output_is_copied_whole_when_the_process_ends_at_once(make: Make) -> None:
    """What a process printed before it died is in the log to the last line."""
    service = make("--flood", "5000", "--exit", "1")

    with pytest.raises(ServiceFailed, match="line 004999"):
        await service.start()

    assert service.log().count("\n") == 5000


async def test_log_rotates_when_it_is_full(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log is bounded: so many files of such a size, the newest lines in the first."""
    monkeypatch.setattr(log_file, "LOG_BYTES", 10_000)
    monkeypatch.setattr(log_file, "LOG_FILES", 3)
    service = make("--flood", "5000", "--exit", "1")

    with pytest.raises(ServiceFailed):
        await service.start()

    folder = service.service.log.parent
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["service.log", "service.log.1", "service.log.2", "service.log.3"]
    assert all(path.stat().st_size <= 10_000 for path in folder.iterdir())
    assert service.log().endswith("line 004999\n")


async def test_log_goes_on_when_the_service_is_started_again(make: Make) -> None:
    """The log tells the whole story, not only of the newest process."""
    service = make("--say", "hello")
    await service.start()
    await service.restart()

    await service.stop()

    assert service.log().count("hello") == 2
