"""Models of Llama's shape (SmolLM2 among them) in both worlds: Hugging Face's and llama.cpp's.

Their tensors have other names, and llama.cpp keeps the rows of the query and key projections in
another order: Hugging Face rotates the two halves of a head against each other, llama.cpp
neighbouring numbers. Knows names, numbers and this order; knows no files.
"""

import re
from collections.abc import Mapping
from typing import Any

from gguf import LlamaFileType

from tiza.models.gguf_file import FLOAT32, STRING, UINT32, Gguf, Metadata, Value
from tiza.models.tensors import Array

ARCHITECTURE = "llama"
CLASS = "LlamaForCausalLM"
NAMES = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
BACK = {theirs: ours for ours, theirs in NAMES.items()}
IN_GGUF = re.compile(r"(?:blk\.(\d+)\.)?(\w+)\.(weight|bias)")
IN_HF = re.compile(r"(?:model\.layers\.(\d+)\.)?([\w.]+)\.(weight|bias)")
DEFAULT_THETA = 10_000.0

Config = Mapping[str, Any]


def hf_name(name: str) -> str | None:
    """Return Hugging Face's name of a GGUF tensor; None if Llama has no such tensor."""
    found = IN_GGUF.fullmatch(name)
    if found is None or found[2] not in NAMES:
        return None
    layer = "" if found[1] is None else f"model.layers.{found[1]}."
    return f"{layer}{NAMES[found[2]]}.{found[3]}"


def gguf_name(name: str) -> str | None:
    """Return llama.cpp's name of a Hugging Face tensor; None if Llama has no such tensor."""
    found = IN_HF.fullmatch(name)
    if found is None or found[2] not in BACK:
        return None
    layer = "" if found[1] is None else f"blk.{found[1]}."
    return f"{layer}{BACK[found[2]]}.{found[3]}"


def heads(name: str, config: Config) -> int | None:
    """Return how many heads share the rows of a tensor (its GGUF name); None if order is kept."""
    if ".attn_q." in name:
        return int(config["num_attention_heads"])
    if ".attn_k." in name:
        return int(config.get("num_key_value_heads") or config["num_attention_heads"])
    return None


def to_gguf_order(rows: Array, count: int) -> Array:
    """Reorder the rows of `count` heads from two halves to pairs of neighbours."""
    halves = rows.reshape(count, 2, rows.shape[0] // count // 2, *rows.shape[1:])
    return halves.swapaxes(1, 2).reshape(rows.shape)


def to_hf_order(rows: Array, count: int) -> Array:
    """Undo `to_gguf_order`."""
    pairs = rows.reshape(count, rows.shape[0] // count // 2, 2, *rows.shape[1:])
    return pairs.swapaxes(1, 2).reshape(rows.shape)


def fits(config: Config) -> bool:
    """Tell whether a config.json describes a model that is converted here: plain Llama."""
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    return (
        config.get("model_type") == ARCHITECTURE
        and rope.get("rope_type", rope.get("type", "default")) == "default"
        and config.get("hidden_act", "silu") == "silu"
        and not config.get("quantization_config")
    )


def config_of(gguf: Gguf, *, tied: bool) -> dict[str, Any]:
    """Return the config.json of a GGUF model; `KeyError` if a number is missing."""

    def number(key: str) -> Any:
        return gguf.metadata[f"{ARCHITECTURE}.{key}"].value

    heads = number("attention.head_count")
    # GGUF keeps these as 32-bit floats: 1e-5 comes back as 9.999999747378752e-06.
    epsilon = float(f"{number('attention.layer_norm_rms_epsilon'):.6g}")
    theta = float(f"{gguf.get('llama.rope.freq_base', DEFAULT_THETA):.9g}")
    return {
        "architectures": [CLASS],
        "model_type": ARCHITECTURE,
        "dtype": "bfloat16",
        "vocab_size": len(gguf.metadata["tokenizer.ggml.tokens"].value),
        "hidden_size": number("embedding_length"),
        "intermediate_size": number("feed_forward_length"),
        "num_hidden_layers": number("block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": gguf.get("llama.attention.head_count_kv", heads),
        "head_dim": gguf.get("llama.attention.key_length", number("embedding_length") // heads),
        "hidden_act": "silu",
        "max_position_embeddings": number("context_length"),
        "rms_norm_eps": epsilon,
        "rope_parameters": {"rope_type": "default", "rope_theta": theta},
        "tie_word_embeddings": tied,
        "attention_bias": "blk.0.attn_q.bias" in gguf.tensors,
        "mlp_bias": "blk.0.ffn_up.bias" in gguf.tensors,
        "bos_token_id": gguf.get("tokenizer.ggml.bos_token_id"),
        "eos_token_id": gguf.get("tokenizer.ggml.eos_token_id"),
        "pad_token_id": gguf.get("tokenizer.ggml.padding_token_id"),
    }


def metadata_of(config: Config, name: str, file_type: LlamaFileType) -> Metadata:
    """Return the metadata of a GGUF but for the tokenizer's; `KeyError` if a number is missing."""
    heads = config["num_attention_heads"]
    head = config.get("head_dim") or config["hidden_size"] // heads
    rope = config.get("rope_parameters") or config
    numbers = {
        "block_count": config["num_hidden_layers"],
        "context_length": config["max_position_embeddings"],
        "embedding_length": config["hidden_size"],
        "feed_forward_length": config["intermediate_size"],
        "attention.head_count": heads,
        "attention.head_count_kv": config.get("num_key_value_heads") or heads,
        "attention.key_length": head,
        "attention.value_length": head,
        "rope.dimension_count": head,
        "vocab_size": config["vocab_size"],
    }
    floats = {
        "attention.layer_norm_rms_epsilon": config["rms_norm_eps"],
        "rope.freq_base": rope.get("rope_theta", DEFAULT_THETA),
    }
    return {
        "general.architecture": Value(STRING, ARCHITECTURE),
        "general.type": Value(STRING, "model"),
        "general.name": Value(STRING, name),
        "general.file_type": Value(UINT32, int(file_type)),
        "general.quantization_version": Value(UINT32, 2),
        **{f"{ARCHITECTURE}.{key}": Value(UINT32, value) for key, value in numbers.items()},
        **{f"{ARCHITECTURE}.{key}": Value(FLOAT32, value) for key, value in floats.items()},
    }
