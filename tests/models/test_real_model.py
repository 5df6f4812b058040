"""The embedded model, there and back, against the engine that serves it."""

import json
import random
import shutil
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, SmolLM3Config, SmolLM3ForCausalLM

from tests.models.ask import answers, following, logprobs
from tiza.models import pack
from tiza.models.find import find
from tiza.models.unpack import trainable


def chat(question: str) -> dict[str, Any]:
    """Return the request of one question."""
    return {"messages": [{"role": "user", "content": question}], "temperature": 0, "max_tokens": 10}


# Of eight questions tried, those that the original, f16, q8_0 and q4_1 answer alike; the others
# have near ties, which fall this way or that by the arithmetic of the format (and of the engine's
# own settings, which is why all are asked in one that computes exactly).
QUESTIONS = [chat("Name the largest ocean on Earth."), chat("How many days are in a week?")]
STRINGS = [
    *("Hello world", "¿Qué es una lista en Python? ¡Ñandú, pingüino!", "don't we'll I'VE"),
    *("def f(x):\n\treturn x**2  # 123456.789\n\n\n", "  spaces   around   ", "a\r\nb\rc\t \n \n"),
    *("👩‍🏫 emoji 🎉🏳️‍🌈", "<|im_start|>user\nHi<|im_end|>\n", "<|endoftext|>x<repo_name>"),
    *(
        "\uff11\uff12\uff13 ½ ² Ⅳ ٣٤ \U0001d7d8\U0001d7d9",
        "\u00a0nbsp\u2003em\u3000wide\u200b",
        "中文 русский עברית",
        "e\u0301 vs é",
    ),
]
POOL = "abcXYZ019 .,;:!?'\"\n\t\r  áéíóúñü¿¡€😀中文½²\u00a0\u2028-_/\\{}[]()<>|#@"


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack the shipped model once."""
    return trainable(find("shipped", Path("models")), tmp_path_factory.mktemp("cache"))


def ask(url: str, body: dict[str, Any]) -> Any:
    """Ask the engine that serves the shipped model."""
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def test_tokenizer_equals_the_engines_when_texts_are_odd(unpacked: Path, real_engine: str) -> None:
    """Spanish, code, emoji, digits of all scripts, odd spaces and noise: the same tokens."""
    tokenizer = AutoTokenizer.from_pretrained(unpacked)
    chance = random.Random(1)  # noqa: S311  # the same noise each time
    noise = ["".join(chance.choices(POOL, k=chance.randint(1, 80))) for _ in range(60)]
    wild = ["".join(chr(chance.randint(1, 0x2FFF)) for _ in range(30)) for _ in range(20)]

    for text in (*STRINGS, *noise, *wild):
        body = {"content": text, "add_special": True, "parse_special": True}
        assert tokenizer.encode(text) == ask(f"{real_engine}/tokenize", body)["tokens"], repr(text)
        assert tokenizer.decode(tokenizer.encode(text)) == text


def test_engine_and_transformers_answer_as_before_when_the_model_went_there_and_back(
    unpacked: Path, tmp_path: Path
) -> None:
    """GGUF → folder → GGUF answers word for word as the original, and so does transformers."""
    shipped = find("shipped", Path("models")).gguf
    assert shipped is not None
    for kind in ("f16", "q4_1"):
        pack.pack(unpacked, tmp_path / f"{kind}.gguf", kind)

    before, large, small = (
        [answer["choices"][0]["message"]["content"] for answer in answers(path, QUESTIONS)]
        for path in (shipped, tmp_path / "f16.gguf", tmp_path / "q4_1.gguf")
    )

    assert large == before
    assert small == before
    assert would_say(unpacked, QUESTIONS[0], before[0])


def would_say(folder: Path, question: dict[str, Any], answer: str) -> bool:
    """Tell whether transformers, given the beginning, would choose each word of an answer."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    asked = tokenizer.apply_chat_template(
        question["messages"], add_generation_prompt=True, tokenize=False
    )
    prompt, words = tokenizer.encode(asked), tokenizer.encode(answer)
    with torch.no_grad():
        scores = model(torch.tensor([prompt + words])).logits[0, len(prompt) - 1 : -1]
    return bool(scores.argmax(-1).tolist() == words)


def test_another_architecture_goes_through_the_converter_when_packed(
    unpacked: Path, tmp_path: Path
) -> None:
    """SmolLM3 by llama.cpp's converter continues as transformers does; q4_0 is our own step."""
    torch.manual_seed(0)
    config = SmolLM3Config(
        vocab_size=49152,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        initializer_range=0.3,
        pad_token_id=2,
        bos_token_id=1,
        eos_token_id=2,
    )
    model = SmolLM3ForCausalLM(config)
    folder = tmp_path / "model"
    model.save_pretrained(folder)
    for path in unpacked.glob("tokenizer*.json"):
        shutil.copy(path, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)

    pack.pack(folder, tmp_path / "model.gguf", "f32")
    pack.repack(tmp_path / "model.gguf", tmp_path / "small.gguf", "q4_0")

    (answer,) = answers(tmp_path / "model.gguf", [following("una lista", 1)])
    with torch.no_grad():
        scores = model(torch.tensor([tokenizer.encode("una lista")])).logits[0, -1].log_softmax(-1)
    ((token, logprob),) = logprobs(answer)
    assert token == int(scores.argmax())
    assert logprob == pytest.approx(float(scores.max()), abs=0.01)
    small, large = ((tmp_path / f"{n}.gguf").stat().st_size for n in ("small", "model"))
    assert small < large / 2
