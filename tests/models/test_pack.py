"""HF folder → GGUF → HF folder, in the real engine and against transformers."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

from tests.models import tiny
from tests.models.ask import answers, following, logprobs
from tiza.errors import MissingExtra, ModelExists, ModelUnsupported, WeightsBroken
from tiza.models import gguf_file, hf_folder, pack, unpack
from tiza.models.find import Model
from tiza.models.quantise import KINDS

PROMPTS = ["a list keeps", "la lista guarda", "<|im_start|>user\nfor item 42<|im_end|>\n"]


def same(ours: list[tuple[int, float]], theirs: list[tuple[int, float]]) -> bool:
    """Tell whether tokens are equal and their log probabilities nearly so."""
    pairs = zip(ours, theirs, strict=True)
    return all(a == b and abs(x - y) < 0.01 for (a, x), (b, y) in pairs)


@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
def test_engine_continues_as_transformers_when_a_model_was_packed(
    tmp_path: Path, tied: bool
) -> None:
    """The GGUF in 32 bits computes what the folder does, token by token."""
    folder = tiny.make(tmp_path / "model", tied=tied)

    pack.pack(folder, tmp_path / "model.gguf", "f32")

    found = answers(tmp_path / "model.gguf", [following(text) for text in PROMPTS])
    for text, answer in zip(PROMPTS, found, strict=True):
        assert same(logprobs(answer), tiny.likeliest(folder, text)), text
