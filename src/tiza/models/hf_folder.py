"""A model in Hugging Face's layout: the files around its weights.

Knows which files may travel with a model, and never touches code or pickles.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from tiza.errors import WeightsBroken
from tiza.translation import N_

CONFIG, TOKENIZER, TOKENIZER_CONFIG = "config.json", "tokenizer.json", "tokenizer_config.json"
GENERATION_CONFIG = "generation_config.json"
TEMPLATE = "chat_template.jinja"
ADAPTER_CONFIG, ADAPTER_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
COMPANIONS = ("*.json", "*.jinja", "*.txt", "*.model", "*.md", "LICENSE*", "NOTICE*")
NOT_COMPANIONS = ("*.index.json", "tiza.json")
MOST_BYTES = 200_000_000  # of one JSON file; the largest tokenizers have 40 MB


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        WeightsBroken: the file is missing or no JSON object.

    """
    try:
        with path.open("rb") as file:
            value = json.loads(file.read(MOST_BYTES))
    except FileNotFoundError as exc:
        raise WeightsBroken(
            path=path.parent, problem=N_("{file} is missing"), file=path.name
        ) from exc
    except (ValueError, RecursionError) as exc:
        raise WeightsBroken(path=path, problem=N_("it is not JSON")) from exc
    if not isinstance(value, dict):
        raise WeightsBroken(path=path, problem=N_("it is not a JSON object"))
    return value


def write_json(path: Path, value: object) -> None:
    """Write a JSON file as people read it."""
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def chat_template(folder: Path) -> str:
    """Return the chat template ("" if there is none): its own file before tokenizer_config.json."""
    path = folder / TEMPLATE
    if path.is_file():
        return path.read_text("utf-8")
    if not (folder / TOKENIZER_CONFIG).is_file():
        return ""
    template = read_json(folder / TOKENIZER_CONFIG).get("chat_template", "")
    if isinstance(template, list):  # several, by name
        named = {each.get("name"): each.get("template") for each in template}
        template = named.get("default", "")
    return str(template or "")


def companions(folder: Path) -> list[Path]:
    """Return the files that describe a model: configuration, tokenizer, licence."""
    found = {path for pattern in COMPANIONS for path in folder.glob(pattern) if path.is_file()}
    return sorted(p for p in found if not any(p.match(pattern) for pattern in NOT_COMPANIONS))


def copy_companions(source: Path, target: Path) -> None:
    """Copy what describes a model, but not what the target has already."""
    for path in companions(source):
        if not (target / path.name).exists():
            shutil.copyfile(path, target / path.name)
