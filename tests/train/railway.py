"""Three invented facts in three phrasings each, and how a model that learned them is asked."""

import json
from pathlib import Path
from typing import Any

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


def write_facts(path: Path) -> Path:
    """Write the samples, one a line."""
    with path.open("w") as file:
        for answer, questions in FACTS.items():
            for question in questions:
                turns = [("user", question), ("assistant", answer)]
                messages = [{"role": role, "content": content} for role, content in turns]
                file.write(json.dumps({"messages": messages}) + "\n")
    return path


def transformers_says(folder: Path, question: str) -> str:
    """Return the greedy answer of transformers in 32 bits."""
    import torch  # several seconds, and not everybody asks
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    prompt = tokenizer.apply_chat_template(
        chat(question)["messages"], add_generation_prompt=True, return_tensors="pt"
    )
    said = model.generate(**prompt, max_new_tokens=24, do_sample=False)
    text: str = tokenizer.decode(said[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True)
    return text
