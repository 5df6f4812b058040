"""Write docs/benchmarks.md and its pictures from what the benchmarks left under var/bench.

    python tools/benchmarks.py

A benchmark that has not run on this machine is named as such; no older figure stands in for it.
"""

import ast
import html
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

from record import shown  # noqa: E402  # the benchmarks are no package

DOCS, FIGURES = ROOT / "docs", ROOT / "var" / "bench"
SPEED = ("gateway", "request_path", "start", "taxonomy", "generate", "train")
ORDER = (*SPEED, "learning", "store", "limits", "class", "page", "soak")
HEAD = """# Benchmarks

Written by `python tools/benchmarks.py` from what `make bench` measured; do not edit. Absolute
figures are of the machine named with them. Take the ratios: ours and its peers ran in turns, in the
same run. Every command can be run again.
"""
BAR, WIDE, LABEL = 22, 720, 300  # pixels: height of a bar, picture, words before it


def main() -> None:
    """Write the page and its pictures."""
    parts = [HEAD]
    for name in ORDER:
        about = ast.get_docstring(
            ast.parse((ROOT / "benchmarks" / f"{name}.py").read_text("utf-8"))
        )
        parts.append(_part(name, (about or "").partition("\n")[0]))
    (DOCS / "benchmarks.md").write_text("\n".join(parts), "utf-8")


def _part(name: str, about: str) -> str:
    lines = [f"\n## {name.capitalize().replace('_', ' ')}\n", about, ""]
    path = FIGURES / f"{name}.json"
    if not path.is_file():
        return "\n".join([*lines, f"Not run here: `python benchmarks/{name}.py`.\n"])
    found = json.loads(path.read_bytes())
    lines += [f"`{found['command']}` · {found['at'][:10]} · {found['machine']}", ""]
    if found["plot"]:
        first = next(iter(found["tables"].values()))
        picture = DOCS / "benchmarks" / f"{name}.svg"
        picture.parent.mkdir(exist_ok=True)
        picture.write_text(bars(first, found["plot"]), "utf-8")
    if (DOCS / "benchmarks" / f"{name}.svg").is_file():  # also one that the benchmark drew
        lines += [f"![{name}: {found['plot'] or 'flame graph'}](benchmarks/{name}.svg)", ""]
    for caption, rows in found["tables"].items():
        lines += [f"{caption}:", "", *_table(rows), ""]
    return "\n".join(lines)


def _table(rows: list[dict[str, Any]]) -> list[str]:
    head = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[shown(row.get(name, "")) for name in head] for row in rows]
    return [f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *cells)]


def bars(rows: list[dict[str, Any]], column: str) -> str:
    """Draw one column as bars, ours in colour; the first column tells what is what (SVG)."""
    kept = [row for row in rows if isinstance(row.get(column), int | float)]
    most = max(abs(row[column]) for row in kept) or 1
    parts = []
    for number, row in enumerate(kept):
        label, top = str(next(iter(row.values()))), number * (BAR + 6) + 24
        width = (WIDE - LABEL - 80) * abs(row[column]) / most
        colour = "#6d28d9" if label.startswith("tiza") else "#a1a1aa"
        parts += [
            f'<text x="{LABEL - 8}" y="{top + 15}" text-anchor="end">{html.escape(label)}</text>',
            f'<rect x="{LABEL}" y="{top}" width="{width:.1f}" height="{BAR}" rx="4" '
            f'fill="{colour}"/>',
            f'<text x="{LABEL + width + 6:.1f}" y="{top + 15}">{shown(row[column])}</text>',
        ]
    height = len(kept) * (BAR + 6) + 30
    title = f'<text x="{LABEL}" y="14" font-weight="600">{html.escape(column)}</text>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {height}" width="{WIDE}" '
        f'font-family="system-ui, sans-serif" font-size="13" fill="#71717a">'
        f"{title}{''.join(parts)}</svg>\n"
    )


if __name__ == "__main__":
    main()
