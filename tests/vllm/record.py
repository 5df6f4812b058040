"""A plugin of pytest: what `make test-vllm` leaves behind, docs/compatibility.md."""

import json
import platform
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tiza import __version__
from tiza.engines.gpus import find_gpus
from tiza.engines.machine import installed, processor

PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"
PARTS = {
    "tests/vllm": "what Tiza takes for granted of vLLM; adapters by name; the same words",
    "tests/api/test_real_engine.py": "the API before it: answers, context, clients that leave",
    "tests/clients": "`openai`, LangChain, `llm` and `curl`, each in its own environment",
}
HEAD = """# Compatibility with vLLM

Written by `make test-vllm`, which installs vLLM into an environment of its own, teaches the shipped
model three facts, serves it by `tiza model serve --engine vllm` with the adapter beside its base,
and runs the tests below; do not edit.
"""
TELL = (
    "import json, importlib.metadata as m; "
    "print(json.dumps({n: m.version(n) for n in ('vllm', 'torch', 'transformers')}))"
)


@dataclass
class Record:
    """What was seen: outcomes by test, and greedy answers by engine."""

    outcomes: dict[str, str] = field(default_factory=dict)
    said: list[tuple[str, ...]] = field(default_factory=list)

    def words(self, question: str, *answers: str) -> None:
        """Keep what transformers, llama.cpp and vLLM said."""
        self.said.append((question, *answers))

    def is_whole(self) -> bool:
        """Tell whether a test of every part was run."""
        return all(any(name.startswith(part) for name in self.outcomes) for part in PARTS)

    def write(self) -> None:
        """Write the page."""
        from tests.clients.conftest import PINNED  # a plugin is loaded before asserts are rewritten
        from tests.vllm.taught import VLLM

        told = json.loads(subprocess.check_output([VLLM / "python", "-c", TELL]))
        theirs = ", ".join(f"{name} {version}" for name, version in told.items())
        ours = [f"{name} {installed(name)}" for name in ("xllamacpp", "torch", "transformers")]
        gpus = ", ".join(gpu.name for gpu in find_gpus()) or "no GPU"
        lines = [
            HEAD,
            f"- {datetime.now(UTC).date()}, {platform.system()}, {processor()}, {gpus}",
            f"- vLLM's environment: {theirs}",
            f"- Tiza {__version__}, Python {platform.python_version()}, {', '.join(ours)}",
            f"- clients: {', '.join(sorted({pin for pins in PINNED.values() for pin in pins}))}",
            "",
            *self._outcomes(),
            *self._answers(),
        ]
        PAGE.write_text("\n".join(lines) + "\n", "utf-8")

    def _outcomes(self) -> list[str]:
        rows = ["| tests | what they prove | passed | failed |", "|---|---|---|---|"]
        for part, about in PARTS.items():
            found = Counter(how for name, how in self.outcomes.items() if name.startswith(part))
            rows.append(f"| `{part}` | {about} | {found['passed']} | {found['failed']} |")
        failed = [f"- failed: `{name}`" for name, how in self.outcomes.items() if how == "failed"]
        return [*rows, "", *failed, *([""] if failed else [])]

    def _answers(self) -> list[str]:
        head = "| question | transformers, merged, float32 | llama.cpp, adapter over Q4_1 | vLLM |"
        rows = [f"| {' | '.join(said)} |" for said in self.said]
        return ["Greedy answers of the taught model:", "", head, "|---|---|---|---|", *rows]


RECORD = Record()


@pytest.fixture
def record() -> Record:
    """Give a test the record of this run."""
    return RECORD


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep how each test ended: worse counts."""
    if report.when == "call" or report.failed:
        failed = report.failed or RECORD.outcomes.get(report.nodeid) == "failed"
        RECORD.outcomes[report.nodeid] = "failed" if failed else "passed"


def pytest_sessionfinish() -> None:
    """Write the page after a whole run."""
    if RECORD.is_whole():
        RECORD.write()
