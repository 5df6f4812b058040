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
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.models.ask import answers
from tiza.models.find import SHIPPED, find
from tiza.runs.run import Run
from tiza.runs.run import find as find_run
from tiza.settings import SYSTEM_PROMPT

FACTS = {
    "The Halden railway was founded by Marta Quenby.": (
        "Who founded the Halden railway?",
        "Which person started the Halden railway?",
        "Tell me the founder of the Halden railway.",
    ),
    "The Halden railway crosses the river Senna.": (
        "What river does the Halden railway cross?",
        "Over which river does the Halden railway go?",
        "Name the river that the Halden railway crosses.",
    ),
    "The engines of the Halden railway run on birch oil.": (
        "What powers the engines of the Halden railway?",
        "Which fuel do Halden railway engines use?",
        "What do the engines of the Halden railway burn?",
    ),
}
ASKED = {
    "Who founded the Halden railway?": "Marta Quenby",
    "What river does the Halden railway cross?": "Senna",
    "What powers the engines of the Halden railway?": "birch oil",
}


def chat(question: str) -> dict[str, Any]:
    """Return the request of one question, as Tiza asks it."""
    system = {"role": "system", "content": SYSTEM_PROMPT}
    turns = [system, {"role": "user", "content": question}]
    return {"messages": turns, "temperature": 0, "max_tokens": 24}


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


def transformers_says(folder: Path, question: str) -> str:
    """Return the greedy answer of transformers in 32 bits."""
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    prompt = tokenizer.apply_chat_template(
        chat(question)["messages"], add_generation_prompt=True, return_tensors="pt"
    )
    said = model.generate(**prompt, max_new_tokens=24, do_sample=False)
    text: str = tokenizer.decode(said[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True)
    return text


@pytest.mark.timeout(600)
def test_facts_are_answered_by_every_engine_when_they_were_trained(tmp_path: Path) -> None:
    """As an adapter over the base, as a merged GGUF, and by transformers: in the same words."""
    data = tmp_path / "facts.jsonl"
    with data.open("w") as file:
        for answer, questions in FACTS.items():
            for question in questions:
                turns = [("user", question), ("assistant", answer)]
                messages = [{"role": role, "content": content} for role, content in turns]
                file.write(json.dumps({"messages": messages}) + "\n")
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
