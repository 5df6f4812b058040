"""Small pictures for the report: bars with intervals, and the curve of the loss, as SVG text.

Colours are the page's (classes), so that they follow light and dark.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Point = tuple[float, float]

CURVE_WIDTH, CURVE_HEIGHT = 720, 220
LEFT, BOTTOM, TOP, RIGHT = 44, 28, 12, 12
MOST_POINTS = 400
TICKS = 4


def bar(before: Mapping[str, Any], after: Mapping[str, Any], label: str) -> str:
    """Draw two shares of one lesson above each other, the second with its 95 % interval."""
    low, high = (100 * value for value in after["interval"])
    return (
        f'<svg class="bar" viewBox="0 0 100 26" preserveAspectRatio="none" role="img" '
        f'aria-label="{label}">'
        '<rect class="track" x="0" y="2" width="100" height="8" rx="1"/>'
        '<rect class="track" x="0" y="14" width="100" height="10" rx="1"/>'
        f'<rect class="before" x="0" y="2" width="{100 * before["value"]:.2f}" height="8" rx="1"/>'
        f'<rect class="after" x="0" y="14" width="{100 * after["value"]:.2f}" height="10" rx="1"/>'
        f"{_interval(low, high, 19, 3.5)}</svg>"
    )


def gauge(value: float, interval: Sequence[float], limit: float | None, label: str) -> str:
    """Draw one share with its interval, and where the gate's threshold is."""
    low, high = (100 * each for each in interval)
    mark = "" if limit is None else f'<path class="limit" d="M{100 * limit:.2f} 0V16"/>'
    return (
        f'<svg class="gauge" viewBox="0 0 100 16" preserveAspectRatio="none" role="img" '
        f'aria-label="{label}">'
        '<rect class="track" x="0" y="4" width="100" height="8" rx="1"/>'
        f'<rect class="after" x="0" y="4" width="{100 * value:.2f}" height="8" rx="1"/>'
        f"{_interval(low, high, 8, 2)}{mark}</svg>"
    )


def _interval(low: float, high: float, y: float, half: float) -> str:
    """Draw a line with ends, on a halo that parts it from the bar."""
    ends = "".join(f"M{x:.2f} {y - half:g}V{y + half:g}" for x in (low, high))
    path = f"M{low:.2f} {y:g}H{high:.2f}{ends}"
    return f'<path class="halo" d="{path}"/><path class="interval" d="{path}"/>'


def curve(lines: Mapping[str, Sequence[Point]], label: str, axis: str) -> str:
    """Draw lines (class name → points by step); "" if there is nothing to draw."""
    points = [point for line in lines.values() for point in line]
    if len(points) < 2:  # noqa: PLR2004  # a point is no curve
        return ""
    steps = [x for x, _ in points]
    first, last = min(steps), max(*steps, min(steps) + 1)
    top = max(y for _, y in points) or 1.0

    def place(point: Point) -> str:
        x = LEFT + (CURVE_WIDTH - LEFT - RIGHT) * (point[0] - first) / (last - first)
        y = TOP + (CURVE_HEIGHT - TOP - BOTTOM) * (1 - point[1] / top)
        return f"{x:.1f} {y:.1f}"

    drawn = "".join(
        f'<path class="line {name}" d="M{"L".join(place(p) for p in _thinned(line))}"/>'
        for name, line in lines.items()
        if line
    )
    base = CURVE_HEIGHT - BOTTOM
    ends = (
        f'<text x="{LEFT}" y="{CURVE_HEIGHT - 8}">{first:g}</text>'
        f'<text x="{CURVE_WIDTH - RIGHT}" y="{CURVE_HEIGHT - 8}" class="end">{axis} {last:g}</text>'
    )
    return (
        f'<svg class="curve" viewBox="0 0 {CURVE_WIDTH} {CURVE_HEIGHT}" role="img" '
        f'aria-label="{label}">{"".join(_grid(top, base))}{drawn}{ends}</svg>'
    )


def _grid(top: float, base: float) -> Iterable[str]:
    for tick in range(TICKS + 1):
        y = base - (base - TOP) * tick / TICKS
        yield f'<path class="grid" d="M{LEFT} {y:.1f}H{CURVE_WIDTH - RIGHT}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" class="end">{top * tick / TICKS:.2f}</text>'


def _thinned(line: Sequence[Point]) -> Sequence[Point]:
    """Keep so many points as the eye can tell apart; the last one always."""
    stride = max(1, len(line) // MOST_POINTS)
    kept = list(line[::stride])
    return kept if kept[-1] == line[-1] else [*kept, line[-1]]
