"""The losses of a run as a picture (SVG), drawn from its events."""

from collections.abc import Iterable, Mapping, Sequence
from gettext import gettext as _
from html import escape
from pathlib import Path
from typing import Any

from tiza.runs import events
from tiza.runs.run import replace

WIDTH, HEIGHT, LEFT, BOTTOM, EDGE = 720, 320, 56, 40, 24
TICKS = 4
Point = tuple[float, float]


def draw(source: Path, target: Path) -> None:
    """Read the events of the newest training and write its picture."""
    lines = list(_lines(events.read(source)))
    points = [point for _name, _color, line in lines for point in line]
    if points:
        last = max(x for x, _y in points)
        highest = max(y for _x, y in points) or 1.0
        replace(target, _picture(lines, last, highest))


def _lines(all_events: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, str, Sequence[Point]]]:
    """Return name, colour and points of each curve; a step that was repeated counts once."""
    curves: dict[str, dict[int, float]] = {"loss": {}, "replay_loss": {}, "held_out_loss": {}}
    for event in all_events:
        if event.get("stage") != "train":
            continue
        if event["event"] == "begin" and event["step"] == 0:
            curves = {name: {} for name in curves}
        for name, curve in curves.items():
            if event["event"] in {"step", "epoch"} and name in event:
                curve[event["step"]] = event[name]
    names = {
        "loss": (_("lessons"), "#6d28d9"),
        "replay_loss": (_("distance to the base"), "#0d9488"),
        "held_out_loss": (_("held out"), "#d97706"),
    }
    for key, (name, color) in names.items():
        if curves[key]:
            yield name, color, sorted(curves[key].items())


def _picture(lines: Sequence[tuple[str, str, Sequence[Point]]], last: float, highest: float) -> str:
    def place(point: Point) -> str:
        x = LEFT + (WIDTH - LEFT - EDGE) * point[0] / max(last, 1)
        y = HEIGHT - BOTTOM - (HEIGHT - BOTTOM - EDGE) * point[1] / highest
        return f"{x:.1f},{y:.1f}"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="system-ui, sans-serif" font-size="12" fill="#6b7280">'
    ]
    for tick in range(TICKS + 1):
        value = highest * tick / TICKS
        left, right = place((0, value)), place((last, value))
        parts.append(f'<polyline points="{left} {right}" stroke="#9ca3af" stroke-width="0.3"/>')
        parts.append(
            f'<text x="{LEFT - 8}" y="{left.split(",")[1]}" text-anchor="end">{value:.2f}</text>'
        )
    for number, (name, color, points) in enumerate(lines):
        path = " ".join(map(place, points))
        parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        x = LEFT + 200 * number
        parts.append(f'<text x="{x}" y="{EDGE - 10}" fill="{color}">{escape(name)}</text>')
    middle = (WIDTH + LEFT - EDGE) / 2
    words = escape(_("step {last}").format(last=int(last)))
    parts.append(f'<text x="{middle}" y="{HEIGHT - 10}" text-anchor="middle">{words}</text></svg>')
    return "\n".join(parts) + "\n"
