"""A tiny random model of Llama's shape, and an adapter for it, made by transformers and peft."""

import warnings
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
VOCABULARY = 160
ENDS = (0, 2)  # where llama.cpp stops
TEXT = (
    "a list keeps things in order; la lista guarda cosas en orden. for item in items: print(item)\n"
    "what is a tuple? it keeps things too, but nobody may change it. 0123456789 user assistant\n"
)
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def make(folder: Path, seed: int = 0, *, tied: bool = True, dtype: str = "float32") -> Path:
    """Make a model of two layers with grouped heads, in Hugging Face's layout."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        initializer_range=0.3,
        tie_word_embeddings=tied,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
    )
    model = LlamaForCausalLM(config).to(getattr(torch, dtype))
    for name, weights in model.named_parameters():
        if "norm" in name:
            torch.nn.init.uniform_(weights, 0.5, 1.5)  # else they could be left out unnoticed
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def tokenizer() -> PreTrainedTokenizerFast:
    """Make a byte-level tokenizer that cuts as SmolLM2's does."""
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(False)]
    )
    inner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=SPECIAL,
        # No half of a character: llama.cpp tells the tokens of a whole one together.
        initial_alphabet=[chr(code) for code in range(ord("!"), 127)] + list("ĠĊ"),
        show_progress=False,
    )
    inner.train_from_iterator([TEXT], trainer)
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]  # theirs is not typed
        tokenizer_object=inner,
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        unk_token="<|endoftext|>",
        pad_token="<|im_end|>",
        chat_template=TEMPLATE,
    )


def adapt(base: Path, folder: Path, seed: int = 1, **more: Any) -> Path:
    """Make an adapter of all linear layers whose effect is not small."""
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(seed)
    model = LlamaForCausalLM.from_pretrained(base, dtype=torch.float32)
    settings: dict[str, Any] = {"r": 4, "lora_alpha": 8, "target_modules": "all-linear", **more}
    with warnings.catch_warnings(action="ignore"):  # peft asks transformers in an old way
        tuned = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **settings))
    for name, weights in tuned.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(weights, std=0.2)
    tuned.save_pretrained(str(folder))
    return folder


def merged(base: Path, adapter: Path) -> dict[str, torch.Tensor]:
    """Return the weights that peft makes of a base and an adapter."""
    from peft import PeftModel

    model = LlamaForCausalLM.from_pretrained(base, dtype=torch.float32)
    with warnings.catch_warnings(action="ignore"):
        tuned = PeftModel.from_pretrained(model, adapter)
    weights: dict[str, torch.Tensor] = tuned.merge_and_unload().state_dict()
    return weights


def likeliest(folder: Path, text: str, words: int = 12) -> list[tuple[int, float]]:
    """Return the tokens that transformers continues a text with, and their log probabilities."""
    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32)
    ids = tokenizer().encode(text)
    found = []
    for _ in range(words):
        with torch.no_grad():
            scores = model(torch.tensor([ids])).logits[0, -1].log_softmax(-1)
        ids.append(int(scores.argmax()))
        found.append((ids[-1], float(scores.max())))
        if ids[-1] in ENDS:
            break
    return found
