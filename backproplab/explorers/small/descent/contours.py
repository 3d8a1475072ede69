"""Lines of equal height over a grid, by marching squares, and where their numbers stand."""

import math

import numpy as np

from ....notation import short

SERIES = (1, 2, 5), (1, 1.5, 2, 3, 5, 7)
MOST, ENOUGH, DECADES = 12, 7, 2  # levels, levels that will do, powers of ten below the highest
APART, EDGE = 0.11, 0.05  # of the map's width: between two numbers, from a number to the rim


def contour_map(heights):
    """[{level, text, lines, label}] of a grid of heights, from low to high; places are shares of width and height.

    A line is [u, v, u, v, ...] with v upwards; `label` a place on one of them that keeps clear of the others, or None.
    """
    found, taken = [], []
    for level in levels(heights):
        lines = [np.round(line, 4) for line in lines_at(heights, level)]
        label = _label(lines, taken)
        taken += [label] if label else []
        flat = [[float(number) for number in line.ravel()] for line in lines]
        found.append({"level": level, "text": short(level, 3), "lines": flat, "label": label})
    return found


def levels(heights):
    """Round numbers that lie as on a logarithmic scale: over 0, or over the lowest height where that gives too few."""
    known = heights[np.isfinite(heights)]
    if not known.size or not np.ptp(known) > 0:
        return []
    low, high = float(known.min()), float(np.percentile(known, 98))
    if not high > low:
        high = float(known.max())
    unit = 10.0 ** (math.floor(math.log10(high - low)) - 1)
    tries = [(0.0, series) for series in SERIES if low >= 0] + [(math.floor(low / unit) * unit, SERIES[0])]
    for base, series in tries:
        chosen = _series(base, series, low, high)
        if len(chosen) >= ENOUGH:
            break
    return chosen


def _series(base, series, low, high):
    """The highest of the numbers base + m 10**k between low and high."""
    top = math.floor(math.log10(high - base))
    steps = (float(f"{m}e{k}") for k in range(top - DECADES, top + 1) for m in series)
    numbers = [float(f"{base + step:.6g}") for step in steps if low < base + step < high]
    return numbers[-MOST:]


def lines_at(heights, level):
    """The lines along which the heights pass a level: arrays (n, 2) of shares of width and height; a closed one ends where it begins.

    Source: W. E. Lorensen and H. E. Cline, Marching cubes, SIGGRAPH 1987, in two dimensions.
    """
    above = heights >= level
    known = np.isfinite(heights)
    whole = known[:-1, :-1] & known[:-1, 1:] & known[1:, :-1] & known[1:, 1:]
    count = above[:-1, :-1].astype(int) + above[:-1, 1:] + above[1:, :-1] + above[1:, 1:]
    meets = {}
    for i, j in np.argwhere(whole & (count > 0) & (count < 4)):
        for one, other in _crossed(heights, above, level, int(i), int(j)):
            meets.setdefault(one, []).append(other)
            meets.setdefault(other, []).append(one)
    return [np.array([_point(heights, level, edge) for edge in chain]) for chain in _chains(meets)]


def _crossed(heights, above, level, i, j):
    """The edges of a cell that the line joins, in pairs; an edge is (row, column, whether it goes up)."""
    south, east, north, west = (i, j, 0), (i, j + 1, 1), (i + 1, j, 0), (i, j, 1)
    corners = above[i, j], above[i, j + 1], above[i + 1, j + 1], above[i + 1, j]
    edges = [
        edge
        for edge, a, b in zip((south, east, north, west), corners, (*corners[1:], corners[0]), strict=True)
        if a != b
    ]
    if len(edges) == 2:
        return [tuple(edges)]
    middle = heights[i : i + 2, j : j + 2].mean() >= level
    return [(south, east), (north, west)] if middle == corners[0] else [(south, west), (north, east)]


def _chains(meets):
    """Edges that follow each other: first the lines that end at the rim, then the closed ones."""
    left = dict.fromkeys([*(edge for edge, others in meets.items() if len(others) == 1), *meets])
    while left:
        chain = [next(iter(left))]
        while chain[-1] in left:
            del left[chain[-1]]
            ahead = [edge for edge in meets[chain[-1]] if edge in left]
            if ahead:
                chain.append(ahead[0])
            elif len(chain) > 2 and chain[0] in meets[chain[-1]]:
                chain.append(chain[0])
        yield chain


def _point(heights, level, edge):
    """Where the level is met on an edge of the grid, if the height goes straight from end to end."""
    i, j, up = edge
    here, there = heights[i, j], heights[i + up, j + 1 - up]
    t = (level - here) / (there - here)
    rows, columns = heights.shape
    return (j + (0.0 if up else t)) / (columns - 1), (i + (t if up else 0.0)) / (rows - 1)


def _label(lines, taken):
    """The place on the lines that is farthest from the numbers before, if it is far enough."""
    places = [tuple(map(float, point)) for line in lines for point in line if np.abs(point - 0.5).max() < 0.5 - EDGE]
    clear = [(min((math.dist(place, other) for other in taken), default=1.0), place) for place in places]
    far, place = max(clear, default=(0.0, None))
    return list(place) if far >= APART else None
