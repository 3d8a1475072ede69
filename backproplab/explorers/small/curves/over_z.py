"""What the explorers of curves over z share: the axis of z, what can be set, the planes of a still."""

import math
from dataclasses import replace

import numpy as np

from ....given import known, real_number, shown
from ....notation import short
from ....pictures.shapes import CARD, INK, MUTED, Circle, Stroke, Text
from ..settings import SettingsExplorer

MOST_Z = 100.0
LEAST_REACH = 8.0  # so far from 0 goes the axis of z, doubled until z is on it
SHADE, HATCH = "#d3dae1", 4
POINTS = 321  # of a curve in a still
LEFT, TOP, BELOW = 52, 30, 34  # around a plane, in pixels


def reach(z):
    """How far the axis goes to each side of 0: 8, 16, 32, ..."""
    limit = LEAST_REACH
    while limit < abs(z):
        limit *= 2
    return limit


def bounded(caller, name, low, high):
    """A check for a number from `low` to `high`, which returns it as a float. TypeError: no number. ValueError: NaN, or another one."""

    def check(value):
        wanted = f"from {low:g} to {high:g}"
        return real_number(f"{caller}: {name}", value, wanted, lambda number: low <= number <= high)

    return check


def several(caller, name, names):
    """A check for a list of known names, which returns them once each, in the order of the table."""

    def check(value):
        if isinstance(value, str) or not isinstance(value, (list, tuple, set, frozenset)):
            raise TypeError(f"{caller}: {name} must be a list of names, found {shown(value)}")
        found = [known(f"{caller}: unknown name in {name}", each, names) for each in value]
        return tuple(each for each in names if each in found)

    return check


class OverZ(SettingsExplorer):
    """An explorer of curves over z; a kind of it brings `checks`, which say of each setting what it may be."""

    def _checked(self, state, asked):
        return replace(state, **{name: check(getattr(state, name)) for name, check in self.checks.items()})


# --- the planes of a still ----------------------------------------------------------------------------------------------


class Plane:
    """A plane in a still, its corner at (left, top): z from -limit to limit, values from low to high."""

    def __init__(self, left, top, wide, tall, limit, window):
        self.left, self.top, self.wide, self.tall, self.limit, self.window = left, top, wide, tall, limit, window

    def at(self, z, value):
        """The pixel of a point."""
        low, high = self.window
        return self.left + (z / self.limit + 1) * self.wide / 2, self.top + (high - value) / (high - low) * self.tall

    def axes(self, name):
        """The frame, the line of 0, ticks, and the name of what goes upwards."""
        right, bottom = self.left + self.wide, self.top + self.tall
        for share in (-1, -0.5, 0, 0.5, 1):
            text = short(share * self.limit)
            yield Text(self.at(share * self.limit, 0)[0], bottom + 14, ((text, ""),), 11, MUTED)
        for value in ticks(*self.window, 4):
            y = self.at(0, value)[1]
            yield Stroke(((self.left, y), (right, y)), MUTED, 0.9 if value == 0 else 0.3)
            yield Text(self.left - 6, y + 4, ((short(value), ""),), 11, MUTED, "end")
        yield Stroke(((self.left, self.top), (self.left, bottom), (right, bottom)), MUTED, 1.0)
        yield Text(self.left, self.top - 9, name, 14, anchor="start")

    def shade(self, low, high):
        """The part between two numbers for z, hatched."""
        start, end = (self.at(max(-self.limit, min(self.limit, z)), 0)[0] for z in (low, high))
        for x in np.arange(start, end, HATCH):
            yield Stroke(((x, self.top), (x, self.top + self.tall)), SHADE, 1.0)

    def curve(self, line, color, width=1.6, dashed=False, start=None, end=None):
        """A curve from start to end where it is inside the plane; `line(zs)` are its values."""
        zs = np.linspace(-self.limit if start is None else start, self.limit if end is None else end, POINTS)
        values = np.asarray(line(zs), dtype=float)
        yield from self.pieces(zip(zs, values, strict=True), color, width, dashed)

    def pieces(self, points, color, width=1.6, dashed=False):
        """A line through points, where it is inside the plane."""
        piece, last, (low, high) = [], None, self.window
        for point in points:
            if last is not None and (cut := clipped(last, point, low, high)):
                start, end = cut
                if piece and piece[-1] != start:
                    yield Stroke(tuple(self.at(*p) for p in piece), color, width, dashed)
                    piece = []
                piece = [*(piece or [start]), end]
            last = point
        if piece:
            yield Stroke(tuple(self.at(*p) for p in piece), color, width, dashed)

    def point(self, z, value, color, r=4.5):
        """A point of a curve, if it is inside the plane."""
        if self.window[0] <= value <= self.window[1]:
            yield Circle(*self.at(z, value), r, color, CARD, 2.4)

    def cut(self, z):
        """The dashed line upwards at z."""
        low, high = self.window
        yield Stroke((self.at(z, low), self.at(z, high)), INK, 0.8, dashed=True)


def clipped(one, other, low, high):
    """The part of a straight piece with values from low to high; None where there is none."""
    (z, v), (u, w) = one, other
    if max(v, w) < low or min(v, w) > high:
        return None

    def inside(value):
        if low <= value <= high:
            return None
        border = low if value < low else high
        return z + (u - z) * (border - v) / (w - v), border

    return inside(v) or (z, v), inside(w) or (u, w)


def ticks(low, high, count):
    """Round numbers between two, at most so many and one."""
    raw = (high - low) / count
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(m * unit for m in (1, 2, 5, 10) if m * unit >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [k * step + 0.0 for k in range(first, math.floor(high / step + 1e-9) + 1)]
