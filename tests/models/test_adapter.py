"""LoRA adapters: merged by arithmetic, and laid over their base in the real engine."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from transformers import LlamaForCausalLM

from tests.models import tiny
from tests.models.ask import answers, following, logprobs
from tests.models.test_pack import PROMPTS, same
from tiza.errors import AdapterMismatch, ModelExists, ModelUnsupported, WeightsBroken
from tiza.models import adapter, pack
from tiza.models.record import write_record


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"use_rslora": True, "r": 16},
        {"target_modules": ["q_proj", "v_proj"], "rank_pattern": {"v_proj": 2}},
    ],
    ids=["all-linear", "rank-stabilised", "ranks-differ"],
)
def test_merge_equals_peft_when_both_add_the_same_adapter(
    settings: dict[str, Any], tiny_model: Path, tmp_path: Path
) -> None:
    """Tensor by tensor, the arithmetic is that of peft's merge_and_unload."""
    folder = tiny.adapt(tiny_model, tmp_path / "adapter", **settings)
    theirs = tiny.merged(tiny_model, folder)

    adapter.merge(folder, tiny_model, tmp_path / "merged")

    ours = load_file(tmp_path / "merged" / "model.safetensors")
    assert ours.keys() == theirs.keys() - {"lm_head.weight"}  # tied
    for name, weights in ours.items():
        assert np.allclose(weights, theirs[name].numpy(), rtol=1e-5, atol=1e-6), name
    before = load_file(tiny_model / "model.safetensors")
    assert not np.allclose(ours[Q], before[Q], atol=0.1)
    assert (tmp_path / "merged" / "tokenizer.json").is_file()


Q = "model.layers.1.self_attn.q_proj.weight"


def test_engine_answers_as_merged_or_as_base_when_the_scale_says_so(
    tiny_model: Path, tiny_adapter: Path, tmp_path: Path
) -> None:
    """One engine with the GGUF adapter: scale 1 is the merged model, scale 0 the base."""
    pack.pack(tiny_model, tmp_path / "base.gguf", "f32")
    adapter.merge(tiny_adapter, tiny_model, tmp_path / "merged")
    adapter.to_gguf(tiny_adapter, tiny_model, tmp_path / "adapter.gguf")
    questions = [
        following(text, lora=[{"id": 0, "scale": scale}])
        for scale in (1.0, 0.0)
        for text in PROMPTS
    ]

    found = [
        logprobs(a) for a in answers(tmp_path / "base.gguf", questions, tmp_path / "adapter.gguf")
    ]

    wanted = [
        tiny.likeliest(f, text) for f in (tmp_path / "merged", tiny_model) for text in PROMPTS
    ]
    assert all(same(ours, theirs) for ours, theirs in zip(found, wanted, strict=True))
    assert found[0] != found[len(PROMPTS)]


def test_merge_keeps_the_parts_when_the_base_is_sharded(
    tiny_model: Path, tiny_adapter: Path, tmp_path: Path
) -> None:
    """A base in several files gives a merged model in the same files."""
    base = LlamaForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    base.save_pretrained(tmp_path / "sharded", max_shard_size="100KB")
    adapter.merge(tiny_adapter, tiny_model, tmp_path / "whole")

    adapter.merge(tiny_adapter, tmp_path / "sharded", tmp_path / "merged")

    parts = sorted(p.name for p in (tmp_path / "merged").glob("*.safetensors"))
    assert len(parts) > 1
    whole = load_file(tmp_path / "whole" / "model.safetensors")
    held = {n: t for p in parts for n, t in load_file(tmp_path / "merged" / p).items()}
    assert all(np.array_equal(held[name], whole[name]) for name in whole)
    LlamaForCausalLM.from_pretrained(tmp_path / "merged")  # its index is whole


def test_merge_refuses_when_the_base_has_other_shapes(tiny_adapter: Path, tmp_path: Path) -> None:
    """An adapter of another architecture is named with the weight that does not fit."""
    other = tiny.make(tmp_path / "other")
    held = load_file(other / "model.safetensors")
    held[Q] = held[Q][:32].copy()
    save_file(held, other / "model.safetensors")

    with pytest.raises(AdapterMismatch, match="q_proj"):
        adapter.merge(tiny_adapter, other, tmp_path / "merged")

    assert not (tmp_path / "merged").exists()


def test_merge_refuses_when_the_base_has_the_shapes_but_other_weights(
    tiny_model: Path, tiny_adapter: Path, tmp_path: Path
) -> None:
    """The fingerprint that training noted tells bases apart that look alike."""
    folder = Path(shutil.copytree(tiny_adapter, tmp_path / "adapter"))
    write_record(folder, {"base_fingerprint": adapter.fingerprint(tiny_model)})
    other = tiny.make(tmp_path / "other", seed=5)

    adapter.merge(folder, tiny_model, tmp_path / "merged")
    with pytest.raises(AdapterMismatch, match="weights are others"):
        adapter.to_gguf(folder, other, tmp_path / "adapter.gguf")


def test_merge_refuses_when_the_tokenizer_is_another(
    tiny_model: Path, tiny_adapter: Path, tmp_path: Path
) -> None:
    """Words that mean other numbers would make a model of nonsense."""
    folder = Path(shutil.copytree(tiny_adapter, tmp_path / "adapter"))
    tokenizer = json.loads((tiny_model / "tokenizer.json").read_text())
    words = tokenizer["model"]["vocab"]
    words["a"], words["b"] = words["b"], words["a"]
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))

    with pytest.raises(AdapterMismatch, match="tokenizer"):
        adapter.merge(folder, tiny_model, tmp_path / "merged")


@pytest.mark.parametrize(
    "setting",
    [{"use_dora": True}, {"bias": "all"}, {"peft_type": "IA3"}, {"alpha_pattern": {"q_proj": 3}}],
    ids=str,
)
def test_read_refuses_when_an_adapter_is_more_than_lora(
    setting: dict[str, object], tiny_adapter: Path, tmp_path: Path
) -> None:
    """What would be merged wrongly is not merged."""
    folder = Path(shutil.copytree(tiny_adapter, tmp_path / "adapter"))
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(config | setting))

    with pytest.raises(ModelUnsupported, match="more than plain LoRA"):
        adapter.read(folder)


def test_read_refuses_when_half_of_a_pair_is_missing(tiny_adapter: Path, tmp_path: Path) -> None:
    """A without B is a damaged file."""
    folder = Path(shutil.copytree(tiny_adapter, tmp_path / "adapter"))
    held = load_file(folder / "adapter_model.safetensors")
    held.pop(next(name for name in held if "lora_B" in name))
    save_file(held, folder / "adapter_model.safetensors")

    with pytest.raises(WeightsBroken, match="halves"):
        adapter.read(folder)


def test_merge_leaves_a_folder_alone_when_it_is_in_the_way(
    tiny_model: Path, tiny_adapter: Path, tmp_path: Path
) -> None:
    """Nothing is ever overwritten."""
    (tmp_path / "merged").mkdir()

    with pytest.raises(ModelExists):
        adapter.merge(tiny_adapter, tiny_model, tmp_path / "merged")
