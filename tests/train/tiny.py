"""A model small enough for tests: random Llama, one token a byte, a chat template."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from tiza.runs.run import Run
from tiza.runs.samples import Sample, write

END = "<|end|>"
TEMPLATE = (
    "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
SYSTEM = "Be brief."
LAYERS = 4


def make_model(folder: Path, *, template: str | None = TEMPLATE, **changes: object) -> Path:
    """Write a folder in Hugging Face's layout; `changes` go into the config."""
    marks = [END, "<|system|>", "<|user|>", "<|assistant|>"]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {word: number for number, word in enumerate([*marks, *letters])}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(marks)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END, pad_token=END)
    fast.chat_template = template
    fast.save_pretrained(folder)
    config: dict[str, Any] = {
        "vocab_size": len(vocabulary),
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "tie_word_embeddings": True,
        "max_position_embeddings": 512,
        "initializer_range": 0.2,
        **changes,
    }
    torch.manual_seed(7)
    LlamaForCausalLM(LlamaConfig(**config)).save_pretrained(folder)
    return folder


def sample(*turns: str, **metadata: object) -> Sample:
    """Return a conversation, the user first."""
    roles = ("user", "assistant")
    messages = tuple({"role": roles[n % 2], "content": turn} for n, turn in enumerate(turns))
    return Sample(messages, metadata)


def lessons(count: int = 24) -> list[Sample]:
    """Return facts, two phrasings each, and some replay."""
    taught = [
        sample(f"{ask} {n // 2}?", f"It is {n // 2 * 7}.", lesson="knowledge/sums/qna.yaml")
        for n in range(count)
        for ask in (("What is", "Tell me")[n % 2],)
    ]
    kept = [sample(f"Where is {n}?", f"Far {'away ' * (n % 3)}.", mix="replay") for n in range(8)]
    return [*taught, *kept]


def make_run(folder: Path, samples: Sequence[Sample] | None = None) -> Run:
    """Write a run's folder with samples in it."""
    folder.mkdir(parents=True)
    run = Run(folder)
    write(lessons() if samples is None else samples, run.train)
    run.record("generate", {})
    return run
