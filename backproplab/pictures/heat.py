"""An array as cells of colour: blue below zero, red above, white at zero; a large one pooled, so that nothing vanishes by averaging."""

from typing import NamedTuple

import numpy as np

from ..notation import number, parts
from .files import PAGE, Picture
from .shapes import MUTED, Stroke, Text

KINDS = ("value", "gradient")  # of an entry's numbers
COLD, HOT = (0x1F, 0x63, 0xBD), (0xC4, 0x24, 0x1D)  # of the entry that is as far below or above zero as any
# A still: its cells at most, of one array (rows and columns) and of all; in pixels an array's width, a cell's height, the room
# between text and cells, the room around an array.
MOST, MOST_CELLS = (8, 12), 1200
WIDTH, ROW, GAP, ROOM = 196, 9, 2, 14


class Pooled(NamedTuple):
    """A matrix in at most so many cells: `places` holds for each the place (row times columns, plus column) of the entry it shows.

    A cell stands for a block of (rows, columns) entries, at the lower and the right rim perhaps of fewer, and shows the one of largest |.|.
    """

    block: tuple
    places: np.ndarray


def as_matrix(array):
    """An array of at most two axes as rows of entries; one axis is one row."""
    return np.reshape(array, (1, -1)) if np.ndim(array) < 2 else array


def pool(array, rows, columns):
    """The cells of an array for at most that many rows and columns; of entries of one size the first in a block."""
    matrix = as_matrix(array)
    (n, m), (p, q) = (
        matrix.shape,
        (-(-length // most) for length, most in zip(matrix.shape, (rows, columns), strict=True)),
    )
    down, across = -(-n // p), -(-m // q)
    sizes = np.full((down * p, across * q), -1.0)  # past the rim: smaller than any |.|
    sizes[:n, :m] = np.abs(matrix)
    inside = sizes.reshape(down, p, across, q).swapaxes(1, 2).reshape(down, across, p * q).argmax(axis=-1)
    row, column = np.arange(down)[:, None] * p + inside // q, np.arange(across) * q + inside % q
    return Pooled((p, q), row * m + column)


def scale_of(array):
    """The largest |.| of an array."""
    return float(np.abs(array).max())


def cells_of(trace, gradient, kinds, most):
    """(layout, numbers, places): for each tensor its cells with value and gradient, pooled by the sizes of each of these kinds.

    A tensor that needs no pooling stands there once, without places; one without the kind asked for is pooled by its values.
    """
    layout, numbers, places = [], [], []
    for name, value in trace.items():
        arrays = {
            kind: array for kind, array in zip(KINDS, (value, gradient.get(name)), strict=True) if array is not None
        }
        first = pool(value, *most)
        layout.append({"name": name, "cells": list(first.places.shape), "block": list(first.block)})
        layout[-1]["scales"] = [scale_of(array) for array in arrays.values()]
        if first.block == (1, 1):
            numbers += arrays.values()
            continue
        for kind in [kind for kind in kinds if kind in arrays] or KINDS[:1]:
            at = pool(arrays[kind], *most).places
            places.append(at)
            numbers += [array.ravel()[at] for array in arrays.values()]
    return layout, numbers, places


def color(share):
    """The colour of a number that is `share` of the largest |.|, from -1 to 1, on white."""
    end, part = (COLD if share < 0 else HOT), min(abs(share), 1.0)
    return "#" + "".join(f"{round(255 + part * (channel - 255)):02x}" for channel in end)


def heat_picture(arrays, label):
    """Arrays by name as cells, in rows from left to right: a still, with fewer cells where there are many arrays."""
    shapes, left, top, lowest = [], ROOM, ROOM, 0
    rows = max(1, min(MOST[0], MOST_CELLS // (len(arrays) * MOST[1])))
    for name, array in arrays.items():
        if left + WIDTH + ROOM > PAGE:
            left, top = ROOM, lowest + ROOM
        letter, layer, _ = parts(name)
        runs = ((letter, "i"), (f"({layer})", "sup")) if layer else ((letter, "i"),)
        drawn, bottom = _drawn(array, runs, left, top, (rows, MOST[1]))
        shapes += drawn
        left, lowest = left + WIDTH + ROOM, max(lowest, bottom)
    return Picture(PAGE, lowest + ROOM, tuple(shapes), label)


def _drawn(array, runs, left, top, most):
    """(shapes, bottom): an array's cells below its name and its largest |.|; `most` is (rows, columns) of cells."""
    matrix, scale = as_matrix(array), scale_of(array)
    places = pool(matrix, *most).places
    shares = matrix.ravel()[places] / (scale or 1.0)
    step, y = WIDTH / shares.shape[1], top + 16
    size = "×".join(map(str, np.shape(array)))
    shapes = [
        Text(left, top + 11, (*runs, (f"  {size}", "")), 12, anchor="start"),
        Text(left + WIDTH, top + 11, ((f"±{number(scale, 3)}", ""),), 10, MUTED, "end"),
    ]
    for i, row in enumerate(shares):
        middle = y + GAP + (i + 0.5) * ROW
        for first, last in _runs_of([color(share) for share in row]):
            ends = (left + first * step, middle), (left + last * step, middle)
            shapes.append(Stroke(ends, color(row[first]), ROW))
    bottom = y + GAP + len(shares) * ROW
    rim = ((left, y + GAP), (left + WIDTH, y + GAP), (left + WIDTH, bottom), (left, bottom), (left, y + GAP))
    return [*shapes, Stroke(rim, MUTED, 0.6)], bottom


def _runs_of(colors):
    """(first, past the last) of each run of equal colours, so that a constant row is one stroke."""
    starts = [i for i, found in enumerate(colors) if i == 0 or found != colors[i - 1]]
    return zip(starts, [*starts[1:], len(colors)], strict=True)
