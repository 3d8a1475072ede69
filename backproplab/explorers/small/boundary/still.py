"""The still of a decision boundary: cells in the classes' colours, the points in their shapes, the loss over the steps."""

import math
from itertools import groupby

import numpy as np

from ....notation import number
from ....pictures.files import Picture
from ....pictures.shapes import CARD, INK, MUTED, Circle, Stroke, Text
from .sheet import SHAPES, sides

COLORS = ("#1f63bd", "#c4241d", "#00736a", "#9c5000", "#8547b8", "#566500", "#b3306a", "#76563f")
CELLS, SIDE, LEFT, TOP, LEVELS = 30, 360, 46, 16, 5  # of the map; shades of a colour
PLOT = (480, 60, 260, 160)  # left, top, width, height
MOST = 200  # points of the line of losses


def draw_map(net, X, labels, losses, accuracy):
    """The net's answers around the points, the points, and the loss over the steps."""
    x, y = sides(X)
    shapes = [*_cells(net, x, y), *_axes(x, y)]
    for (u, v), label in zip(X, labels, strict=True):
        place = LEFT + (u - x[0]) / (x[1] - x[0]) * SIDE, TOP + (y[1] - v) / (y[1] - y[0]) * SIDE
        shapes += _point(place, label)
    for k in range(max(2, net.sizes[-1])):
        at = LEFT + 8 + k * 74, TOP + SIDE + 42
        shapes += [*_point(at, k), Text(at[0] + 10, at[1] + 4, ((f"class {k}", ""),), 12, anchor="start")]
    shapes += _losses(losses, accuracy)
    label = f"{len(X)} points and the answers of {net!r} after {len(losses) - 1} steps: L = {number(losses[-1])}"
    return Picture(PLOT[0] + PLOT[2] + 80, TOP + SIDE + 60, tuple(shapes), label)


def answers(net, x, y, cells=CELLS):
    """(the winning class, how sure the net is of it) at the middle of each cell, row by row from the top; no number is class 0."""
    across, down = (np.arange(cells) + 0.5) / cells, (np.arange(cells)[::-1] + 0.5) / cells
    u, v = np.meshgrid(x[0] + (x[1] - x[0]) * across, y[0] + (y[1] - y[0]) * down)
    with np.errstate(all="ignore"):
        A = net.run(net.parameters, np.column_stack([u.ravel(), v.ravel()]))[f"A{net.depth}"]
    A = np.nan_to_num(np.column_stack([1 - A, A]) if A.shape[1] == 1 else A, nan=1 / max(2, A.shape[1]))
    even = 1 / A.shape[1]
    sure = (A.max(axis=1) - even) / (1 - even)
    return A.argmax(axis=1).reshape(cells, cells), sure.reshape(cells, cells)


def _cells(net, x, y):
    winner, sure = answers(net, x, y)
    step = SIDE / CELLS
    for row in range(CELLS):
        shades = [_shade(COLORS[k], s) for k, s in zip(winner[row], sure[row], strict=True)]
        left, middle = LEFT, TOP + (row + 0.5) * step
        for color, run in groupby(shades):
            right = left + len([*run]) * step
            yield Stroke(((left, middle), (right, middle)), color, step + 0.4)
            left = right
    for first, last in _edges(winner):
        yield Stroke(tuple((LEFT + c * step, TOP + r * step) for r, c in (first, last)), INK, 1.6)


def _edges(winner):
    """The sides between cells of different classes, joined where they go on: pairs of (row, column)."""
    for turned, grid in ((False, winner), (True, winner.T)):
        differs = grid[:, 1:] != grid[:, :-1]  # a side upright at column + 1
        for column in range(differs.shape[1]):
            start = 0
            for apart, run in groupby(differs[:, column]):
                end = start + len([*run])
                if apart:
                    ends = ((start, column + 1), (end, column + 1))
                    yield tuple((c, r) for r, c in ends) if turned else ends
                start = end


def _shade(color, sure):
    """A class's colour on white, in a few shades."""
    part = 0.62 * math.ceil(min(max(sure, 0.0), 1.0) * LEVELS) / LEVELS
    return "#" + "".join(f"{round(255 + part * (int(color[i : i + 2], 16) - 255)):02x}" for i in (1, 3, 5))


def _point(place, label):
    (x, y), corners, color = place, SHAPES[label], COLORS[label]
    if corners is None:
        return [Circle(x, y, 4.2, CARD, color, 1.2)]
    points = tuple((x + 2.4 * u, y + 2.4 * v) for u, v in (*corners, *corners[:2]))
    return [Stroke(points, CARD, 5.0), Stroke(points, color, 2.6)]


def _axes(x, y):
    rim = ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0))
    yield Stroke(tuple((LEFT + u * SIDE, TOP + v * SIDE) for u, v in rim), MUTED, 0.8)
    for value in rounds(*x):
        yield Text(LEFT + (value - x[0]) / (x[1] - x[0]) * SIDE, TOP + SIDE + 16, ((_said(value), ""),), 11, MUTED)
    for value in rounds(*y):
        yield Text(LEFT - 5, TOP + (y[1] - value) / (y[1] - y[0]) * SIDE + 4, ((_said(value), ""),), 11, MUTED, "end")


def rounds(low, high):
    """Round numbers inside an interval, some five of them."""
    rough = (high - low) / 4
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(times for times in (1, 2, 2.5, 5, 10) if times * unit >= 0.999 * rough) * unit
    return [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _said(value):
    return number(value, 3).replace("-", "−")


def _losses(losses, accuracy):
    left, top, width, height = PLOT
    every = -(-len(losses) // MOST)
    kept = sorted({*range(0, len(losses), every), len(losses) - 1})
    high, last = max(losses) or 1.0, max(1, len(losses) - 1)
    points = tuple((left + i / last * width, top + (1 - losses[i] / high) * height) for i in kept)
    said = f"L = {number(losses[-1], 4)} after {len(losses) - 1} steps, {number(100 * accuracy, 3)} % right"
    yield Text(left - 40, top - 26, ((said, ""),), 13, anchor="start")
    yield Stroke(((left, top), (left, top + height), (left + width, top + height)), MUTED, 0.8)
    for text, y in ((_said(high), top + 4), ("0", top + height + 4)):
        yield Text(left - 5, y, ((text, ""),), 11, MUTED, "end")
    yield Text(left + width, top + height + 16, ((f"step {last}", ""),), 11, MUTED, "end")
    if len(points) > 1:
        yield Stroke(points, COLORS[0], 1.8)
    yield Circle(*points[-1], 3.5, COLORS[0], COLORS[0])
