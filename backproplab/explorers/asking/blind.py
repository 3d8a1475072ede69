"""Be the optimiser: parameters tuned by hand while only the loss is seen; then the surface, the way walked, and the gradient's own."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ...notation import name_runs, short
from ...pictures.files import Picture
from ...pictures.plots import reach
from ...pictures.shapes import MUTED, Text
from ..small.descent.contours import contour_map
from ..small.descent.still import draw_map
from ..state import movable, totals, updated

ACROSS, UP = 41, 31  # points of the map


class Plane(NamedTuple):
    """The two parameters of the map and their ranges."""

    graph: object
    names: tuple
    ranges: tuple


def plane_of(graph, state, ways):
    """The map: over the two parameters that were moved farthest, wide enough for all the ways on it."""
    names = movable(graph)
    far = [max(row[i] for row in state.way) - min(row[i] for row in state.way) for i in range(len(names))]
    first = sorted(sorted(range(len(names)), key=lambda i: (-far[i], i))[:2])
    rims = [reach(max(abs(row[i]) for way in ways for row in way)) for i in first]
    return Plane(graph, tuple(names[i] for i in first), tuple((-rim, rim) for rim in rims))


def gradients_way(graph, state):
    """(points, losses) of gradient descent from the same start, with as many steps; fewer where one is not finite."""
    names = movable(graph)
    here = replace(state, numbers=state.numbers | dict(zip(names, state.way[0], strict=True)), losses=(), blind=None)
    points, losses = [state.way[0]], [float(totals(graph, here).value)]
    for _ in state.way[1:]:
        here, trace, _, _ = updated(graph, here, 1)
        if trace is None:
            break
        points.append(tuple(here.numbers[name] for name in names))
        losses.append(here.losses[-1])
    return points, losses


def losses_on(graph, state):
    """The loss at each point of the way."""
    names = movable(graph)
    at = [replace(state, numbers=state.numbers | dict(zip(names, row, strict=True))) for row in state.way]
    return [float(totals(graph, here).value) for here in at]


def surface(graph, state, plane):
    """The loss on a grid of the plane, in rows of equal second parameter; not finite where it has no value."""
    xs, ys = (np.linspace(*span, count) for span, count in zip(plane.ranges, (ACROSS, UP), strict=True))
    found = np.full((UP, ACROSS), np.nan)
    for i, y in enumerate(ys):
        for j, x in enumerate(xs):
            moved = state.numbers | dict(zip(plane.names, (float(x), float(y)), strict=True))
            try:
                found[i, j] = totals(graph, replace(state, numbers=moved)).value
            except ValueError:
                continue
    return found


def blind_still(graph, state):
    """What a blind page shows: the loss and how many moves were made; at the end the map with both ways."""
    losses = losses_on(graph, state)
    if state.blind:
        told = f" = {short(losses[-1])}; moves: {len(losses) - 1}"
        text = Text(20, 30, (*name_runs(state.output), (told, "")), 20, anchor="start")
        below = Text(
            20, 58, (("The surface and the gradient are hidden until you are shown them.", ""),), 13, MUTED, "start"
        )
        return Picture(520, 76, (text, below), f"{state.output}{told}")
    points, theirs = gradients_way(graph, state)
    plane = plane_of(graph, state, (state.way, points))
    places = [movable(graph).index(name) for name in plane.names]

    def on_map(way):
        return [tuple(row[i] for i in places) for row in way]

    ways = [("you", None, on_map(state.way), losses), ("gradient descent", state.rate, on_map(points), theirs)]
    return draw_map(plane, contour_map(surface(graph, state, plane)), ways, len(losses) - 1)
