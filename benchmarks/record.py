"""What a benchmark leaves behind: tables on the terminal, and JSON under `var/bench`.

`tools/benchmarks.py` makes `docs/benchmarks.md` of the JSON. A row is a mapping from the names of
columns to words or numbers; numbers are shown with three digits that say something.
"""

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import psutil

FOLDER = Path("var/bench")

Value = str | float
Row = Mapping[str, Value]


def keep(name: str, tables: Mapping[str, Sequence[Row]], figures: object, plot: str = "") -> None:
    """Print the tables by their captions, and write all there is to `var/bench/<name>.json`.

    `plot` is the column of the first table that is drawn; its first column tells what is what.
    """
    for caption, rows in tables.items():
        print(f"\n{caption}\n{text(rows)}")
    document = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "command": " ".join(["python", f"benchmarks/{name}.py", *sys.argv[1:]]),
        "tables": tables,
        "plot": plot,
        "figures": figures,
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.json"
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")


def figures_of(name: str) -> object:
    """Return the figures that a benchmark left. Raises OSError if it has not run."""
    return json.loads((FOLDER / f"{name}.json").read_bytes())["figures"]


def text(rows: Sequence[Row]) -> str:
    """Lay rows out in columns: words to the left, numbers to the right."""
    head = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[shown(row.get(name, "")) for name in head] for row in rows]
    widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]
    left = [all(isinstance(row.get(name, ""), str) for row in rows) for name in head]
    lines = [
        "  ".join(
            cell.ljust(width) if is_left else cell.rjust(width)
            for cell, width, is_left in zip(line, widths, left, strict=True)
        ).rstrip()
        for line in (head, *cells)
    ]
    return "\n".join(lines)


def shown(value: Value) -> str:
    """Write a number with three digits, or two decimals at most; words as they are."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) or abs(value) >= 100:  # three digits
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"  # three digits


def machine() -> str:
    """Describe the machine in words."""
    memory = psutil.virtual_memory().total / 2**30
    processor = _processor() or platform.machine()
    return (
        f"{os.cpu_count()} cores ({processor}), {memory:.0f} GB, "
        f"{platform.system()}, Python {platform.python_version()}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return ""
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "")
