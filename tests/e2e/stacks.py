"""What serves the page: the real `tiza up`, and the API and page in front of a scripted engine."""

import sys
from pathlib import Path

from tests.e2e.scripted_engine import ScriptedEngine
from tests.engines.processes import (
    TIZA,
    Program,
    answers,
    ask,
    clean_environment,
    free_port,
    wait_for,
)

API = [sys.executable, "-m", "tiza.api", "--page"]
REAL = {
    "LLAMA_SLOTS": 2,
    "VLLM_MAX_MODEL_LEN": 2048,
    "DEFAULT_MAX_TOKENS": 40,
    "DEFAULT_TEMPERATURE": 0,
}


class RealStack(Program):
    """A running `tiza up` with the shipped model."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        places = {"PORT": self.port, "VLLM_PORT": free_port(), "VAR_PATH": folder / "var"}
        super().__init__([*TIZA, "up"], folder, clean_environment(**REAL, **places))
        self.url = f"http://127.0.0.1:{self.port}/"

    def is_up(self) -> None:
        """Wait for the last line of the start."""
        self.says("Ctrl-C stops everything")
        self.record()

    def is_healthy(self) -> None:
        """Wait until questions can be answered (again)."""
        wait_for(lambda: answers(self.port), "a healthy service")

    def stops(self) -> None:
        """Press Ctrl-C, and see everything go."""
        self.interrupt()
        assert self.ends() == 0, self.text
        self.leaves_nothing()


class FrontStack(Program):
    """The API and the page in front of an engine that runs already."""

    def __init__(self, folder: Path, engine: str) -> None:
        self.port = free_port()
        places = {"PORT": self.port, "VLLM_API_URL": engine, "VAR_PATH": folder / "var"}
        super().__init__(API, folder, clean_environment(**REAL, **places))
        self.url = f"http://127.0.0.1:{self.port}/"

    def is_healthy(self) -> None:
        """Wait until questions can be answered."""
        wait_for(lambda: answers(self.port), "a healthy service")


class ScriptedStack:
    """The real API and page; only the engine is scripted. The API can be killed and come back."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.engine = ScriptedEngine()
        self.port = int(str(settings.pop("port", None) or free_port()))
        self.url = f"http://127.0.0.1:{self.port}/"
        self.store = folder / "var" / "tiza.db"
        self._folder = folder
        self._environment = clean_environment(
            PORT=self.port, VLLM_API_URL=self.engine.url, VAR_PATH=folder / "var", **settings
        )
        self.starts()

    def starts(self) -> None:
        """Start the API, and wait until it answers."""
        self._api = Program(API, self._folder, self._environment)
        wait_for(lambda: answers(self.port, "/health/live"), "the API")

    def dies(self) -> None:
        """Kill the API: no goodbye to anybody."""
        self._api.__exit__()

    def says(self, pattern: str) -> str:
        """Wait for a line of the API's."""
        return self._api.says(pattern)

    def active(self) -> int:
        """How many answers the API is passing on now."""
        return int(ask(self.port, "/stats").json["active_streams"])

    def is_idle(self) -> None:
        """Wait until neither the engine nor the API is busy with an answer."""
        wait_for(lambda: self.engine.generating == 0, "an idle engine")
        wait_for(lambda: self.active() == 0, "an idle API")

    def has_rest(self) -> None:
        """Be as at the beginning: who asks the same next must not find an answer that hangs."""
        if self.engine.generating:
            self.engine.goes()
            self.engine.comes()
            self.is_idle()
        self.engine.forget()

    def close(self) -> None:
        """End both."""
        self.dies()
        self.engine.close()
