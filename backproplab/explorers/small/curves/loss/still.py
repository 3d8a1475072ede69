"""The still of losses: each pair's loss over z with its tangent, below it the slope, and the numbers at z."""

import math

from .....notation import COLORS, short
from .....pictures.files import Picture
from .....pictures.plots import moved
from .....pictures.shapes import INK, Circle, Stroke, Text
from ..over_z import LEFT, TOP, Plane, reach
from .sheet import PAIRS, crawling, found_at, loss_window, numbers_at, slope_window

WIDE, HIGH, LOW, GAP = 300, 170, 130, 46  # of the planes, in pixels
COLUMN, ROW = LEFT + WIDE + 24, TOP + HIGH + GAP + LOW + 128  # of a pair
LONG, TOLD, APART = 0.22, 18, 2  # of the axis, a tangent to each side; pixels between two lines of words, and two dots
PAIR_COLORS = (COLORS[3], COLORS[2], COLORS[0], COLORS[6])


def draw_pairs(names, z, y, ways):
    """The planes of the pairs as a `Picture`, two in a row; `ways` are the numbers z of the steps, by pair."""
    shapes = []
    for i, name in enumerate(names):
        place = i % 2 * COLUMN, i // 2 * ROW
        shapes += [moved(shape, *place) for shape in _pair(name, z, y, ways[name], slope_window(names, z, y))]
    rows, columns = -(-len(names) // 2), min(2, len(names))
    label = "; ".join(f"{_title(name)}: {_slope(numbers_at(name, z, y))}" for name in names)
    return Picture(COLUMN * columns, ROW * rows, tuple(shapes), f"z = {short(z)}, y = {short(y)}: {label}")


def _title(name):
    return name.replace("_", " ")


def _slope(found):
    return f"dL/dz = {short(found.by_a)} · {short(found.by_z)} = {short(found.slope)}"


def _pair(name, z, y, way, window):
    limit, color, found = reach(z), PAIR_COLORS[list(PAIRS).index(name)], numbers_at(name, z, y)
    above = Plane(LEFT, TOP + 22, WIDE, HIGH, limit, loss_window(name, limit, y))
    below = Plane(LEFT, TOP + 22 + HIGH + GAP, WIDE, LOW, limit, window)
    yield Text(LEFT, 18, ((_title(name), ""),), 14, color, "start", "bold")
    for plane, what in ((above, "L"), (below, "slope")):
        for part in crawling(name, limit, y):
            yield from plane.shade(*part)
        yield from plane.axes((("L", "i"),) if what == "L" else (("d", ""), ("L", "i"), ("/d", ""), ("z", "i")))
        yield from plane.cut(z)
        yield from plane.curve(lambda zs, what=what: getattr(found_at(name, zs, y), what), color, 2.2)
    ends = [max(-limit, min(limit, z + side * LONG * 2 * limit)) for side in (-1, 1)]
    yield from above.pieces([(end, found.L + (end - z) * found.slope) for end in ends], INK, 1.6)
    yield Stroke((below.at(z, 0), below.at(z, found.slope)), color, 4)
    yield from _steps(above, name, y, way, color)
    yield from above.point(z, found.L, color, 5.5)
    yield from below.point(z, found.slope, color, 5.5)
    bottom = below.top + LOW
    yield Text(LEFT + WIDE, bottom + 28, (("z", "i"),), 14, anchor="end")
    yield from _words(name, z, y, found, way, bottom + 44)


def _steps(above, name, y, way, color):
    """A dot for each step inside the plane, but for those that would cover the one before."""
    last = None
    for z in way:
        place = above.at(z, numbers_at(name, z, y).L)
        if abs(z) <= above.limit and (last is None or math.dist(last, place) >= APART):
            yield Circle(*place, 2, color, color)
            last = place


def _words(name, z, y, found, way, top):
    end = numbers_at(name, way[-1], y)
    lines = [
        f"z = {short(z)}, y = {short(y)}: a = {short(found.a)}, L = {short(found.L)}",
        _slope(found),
        f"after {len(way) - 1} steps: z = {short(way[-1])}, L = {short(end.L)}",
    ]
    for line, text in enumerate(lines):
        yield Text(LEFT, top + TOLD * line, ((text, ""),), 13, INK, "start")
