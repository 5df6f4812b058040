"""Byte-level BPE tokenizers in both worlds: tokenizer.json and the metadata of a GGUF.

llama.cpp knows how a text is cut before merging by a name (`tokenizer.ggml.pre`), Hugging Face by
a list of rules. Only pairs that were proven equal by tests are in `RULES`; any other is refused
rather than guessed. Knows no files.
"""

from collections.abc import Mapping
from typing import Any

from tiza.models.gguf_file import BOOL, STRING, UINT32, Gguf, Metadata, Value, integers, strings

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED = 1, 2, 3, 4, 5
BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}
DIGITS = {"type": "Digits", "individual_digits": True}
RULES: dict[str, list[dict[str, Any]]] = {
    "smollm": [DIGITS, BYTE_LEVEL],
    "gpt-2": [BYTE_LEVEL],
}
SPECIAL = {
    "bos_token": "bos_token_id",
    "eos_token": "eos_token_id",
    "unk_token": "unknown_token_id",
    "pad_token": "padding_token_id",
}
TEMPLATE = "tokenizer.chat_template"

Json = dict[str, Any]


def understood(gguf: Gguf) -> bool:
    """Tell whether a GGUF's tokenizer can be written as tokenizer.json."""
    kind, pre = gguf.get("tokenizer.ggml.model"), gguf.get("tokenizer.ggml.pre")
    begins = gguf.get("tokenizer.ggml.add_bos_token", default=False)
    return kind == "gpt2" and pre in RULES and not begins


def rules_of(tokenizer: Mapping[str, Any]) -> str | None:
    """Return llama.cpp's name for the way a tokenizer.json works; None if there is none here."""
    model = tokenizer.get("model", {})
    plain = (
        model.get("type") == "BPE"
        and not model.get("byte_fallback")
        and not model.get("ignore_merges")
        and tokenizer.get("normalizer") is None
        and _adds_nothing(tokenizer.get("post_processor") or BYTE_LEVEL)
    )
    step = tokenizer.get("pre_tokenizer") or {}
    steps = step.get("pretokenizers", [step])
    cut = [{key: value for key, value in s.items() if key != "trim_offsets"} for s in steps]
    return next((name for name, rules in RULES.items() if plain and cut == rules), None)


def _adds_nothing(post_processor: Mapping[str, Any]) -> bool:
    kind = post_processor.get("type")
    template = kind == "TemplateProcessing" and not post_processor.get("special_tokens")
    return kind == "ByteLevel" or template


def tokenizer_json(gguf: Gguf) -> Json:
    """Return tokenizer.json."""
    tokens = gguf.metadata["tokenizer.ggml.tokens"].value
    kinds = gguf.metadata["tokenizer.ggml.token_type"].value
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    added = [
        {"id": number, "content": token, **flags, "special": kind == CONTROL}
        for number, (token, kind) in enumerate(zip(tokens, kinds, strict=True))
        if kind in (CONTROL, USER_DEFINED)
    ]
    steps = RULES[gguf.metadata["tokenizer.ggml.pre"].value]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                step | ({"trim_offsets": True} if step is BYTE_LEVEL else {}) for step in steps
            ],
        },
        "post_processor": None,
        "decoder": {**BYTE_LEVEL, "add_prefix_space": True, "trim_offsets": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: number for number, token in enumerate(tokens)},
            "merges": [merge.split(" ") for merge in gguf.metadata["tokenizer.ggml.merges"].value],
        },
    }


def tokenizer_config(gguf: Gguf) -> Json:
    """Return tokenizer_config.json, with the chat template inside."""
    tokens = gguf.metadata["tokenizer.ggml.tokens"].value
    numbers = {name: gguf.get(f"tokenizer.ggml.{key}") for name, key in SPECIAL.items()}
    named = {name: tokens[number] for name, number in numbers.items() if number is not None}
    template = gguf.get(TEMPLATE)
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": gguf.metadata["llama.context_length"].value,
        "clean_up_tokenization_spaces": False,
        "add_prefix_space": False,
        **named,
        **({"chat_template": template} if template else {}),
    }


def metadata_of(tokenizer: Json, config: Json, template: str, vocabulary: int) -> Metadata:
    """Return the tokenizer's part of a GGUF's metadata.

    `config` is tokenizer_config.json; `vocabulary` the rows of the embedding, which may be more
    than the tokens.
    """
    rules = rules_of(tokenizer)
    assert rules is not None  # noqa: S101  # asked before
    numbers = dict(tokenizer["model"]["vocab"])
    kinds = dict.fromkeys(numbers.values(), NORMAL)
    for token in tokenizer.get("added_tokens", []):
        numbers[token["content"]] = token["id"]
        kinds[token["id"]] = CONTROL if token.get("special") else USER_DEFINED
    names = {number: token for token, number in numbers.items()}
    every = range(vocabulary)
    metadata = {
        "tokenizer.ggml.model": Value(STRING, "gpt2"),
        "tokenizer.ggml.pre": Value(STRING, rules),
        "tokenizer.ggml.tokens": strings(names.get(n, f"[PAD{n}]") for n in every),
        "tokenizer.ggml.token_type": integers(kinds.get(n, UNUSED) for n in every),
        "tokenizer.ggml.merges": strings(map(_merge, tokenizer["model"]["merges"])),
        "tokenizer.ggml.add_bos_token": Value(BOOL, value=False),
        "tokenizer.ggml.add_space_prefix": Value(BOOL, value=False),
    }
    for name, key in SPECIAL.items():
        token = config.get(name)
        text = token.get("content") if isinstance(token, dict) else token
        if text in numbers:
            metadata[f"tokenizer.ggml.{key}"] = Value(UINT32, numbers[text])
    if template:
        metadata[TEMPLATE] = Value(STRING, template)
    return metadata


def _merge(merge: str | list[str]) -> str:
    return merge if isinstance(merge, str) else " ".join(merge)
