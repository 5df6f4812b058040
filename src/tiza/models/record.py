"""`tiza.json`: what is known of a model in the store.

`parent` (the base), `run`, `recipe`, `lessons` (path → hash), `report` (a summary; `exam` is the
share of right answers), `source` (where it was fetched). Each key may be missing.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tiza.runs.run import replace

RECORD = "tiza.json"
ORIGIN = "unpacked_from"  # the GGUF that a folder was made from


def read_record(folder: Path) -> dict[str, Any]:
    """Return what a model's folder says of itself; empty if that is nothing, or damaged."""
    try:
        record = json.loads((folder / RECORD).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def write_record(folder: Path, facts: Mapping[str, Any]) -> None:
    """Add facts to a model's record, in one step; those of the same name are replaced."""
    record = {**read_record(folder), **facts}
    replace(folder / RECORD, json.dumps(record, indent=2, ensure_ascii=False, default=str) + "\n")
