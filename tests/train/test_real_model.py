"""The embedded model learns three facts: stopped, gone on with, converted, and asked three ways."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.models.ask import answers
from tests.train.railway import ASKED, chat, transformers_says, write_facts
from tiza.models.find import SHIPPED, find
from tiza.runs.run import Run
from tiza.runs.run import find as find_run


def texts(found: list[Any]) -> list[str]:
    """Return what was said."""
    return [answer["choices"][0]["message"]["content"] for answer in found]


def tiza(*words: str, folder: Path) -> "subprocess.Popen[str]":
    """Start a command in a folder of its own."""
    places = {"VAR_PATH": str(folder / "var"), "MODELS_PATH": str(folder / "models")}
    return subprocess.Popen(
        [sys.executable, "-m", "tiza", "model", *words],
        cwd=folder,
        env={**os.environ, **places},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def steps(run: Run) -> list[int]:
    """Return the steps that were told."""
    lines = run.events.read_text().splitlines() if run.events.exists() else []
    return [event["step"] for event in map(json.loads, lines) if event["event"] == "step"]


@pytest.mark.timeout(600)
def test_facts_are_answered_by_every_engine_when_they_were_trained(tmp_path: Path) -> None:
    """As an adapter over the base, as a merged GGUF, and by transformers: in the same words."""
    data = write_facts(tmp_path / "facts.jsonl")
    flags = ("--num-epochs", "8", "--batch-size", "3", "--learning-rate", "0.001")
    train = ("train", "--data-path", str(data), "--recipe", "tiny-cpu", *flags)

    first = tiza(*train, folder=tmp_path)
    run = None
    while run is None or len(steps(run)) < 3:
        assert first.poll() is None, first.communicate()[0]
        time.sleep(0.2)
        found = list((tmp_path / "var" / "runs").glob("*/events.jsonl"))
        run = find_run("latest", tmp_path / "var" / "runs") if found else None
    first.send_signal(signal.SIGINT)
    said = first.communicate()[0]
    assert first.returncode == 130, said
    assert "The same command goes on from there." in said
    stopped = steps(run)[-1]
    again = tiza(*train, folder=tmp_path)
    said = again.communicate()[0]
    assert again.returncode == 0, said
    assert steps(run) == list(range(1, 25))
    assert stopped < 24

    for words in (
        ("convert", str(run.path / "adapter"), "--output", str(tmp_path / "models" / "mine")),
        ("convert", "mine", "--to", "gguf", "--type", "f16"),
    ):
        converting = tiza(*words, folder=tmp_path)
        said = converting.communicate()[0]
        assert converting.returncode == 0, said

    base = find(SHIPPED, tmp_path).gguf
    assert base is not None
    asked = [chat(question) for question in ASKED]
    over_base = texts(answers(base, asked, run.path / "adapter" / "adapter.gguf"))
    merged = texts(answers(tmp_path / "models" / "mine" / "model.gguf", asked))

    for fact, text in zip(ASKED.values(), over_base, strict=True):
        assert fact in text
    assert merged == over_base
    assert transformers_says(tmp_path / "models" / "mine", next(iter(ASKED))) == merged[0]
