"""Numbers over the epochs as curves, in panels side by side."""

import math

import numpy as np

from ..notation import COLORS, layer_runs, short
from ..pictures.files import Picture
from ..pictures.shapes import INK, MUTED, Circle, Stroke, Text

WIDTH, HEIGHT, LEFT, TOP, GAP = 204, 130, 62, 26, 14  # of a panel's frame; the room around it
MOST_POINTS, MOST_CURVES, MOST_TICKS = 400, 8, 5
FAR = 50.0  # largest over smallest, from which on powers of ten are the scale


def panels(curves, label):
    """{title: {name: values}} as one `Picture`; a panel without values is left out."""
    full = {title: {name: values for name, values in lines.items() if values} for title, lines in curves.items()}
    drawn = [(title, lines) for title, lines in full.items() if lines]
    shapes, wide = [], LEFT + WIDTH + GAP
    for place, (title, lines) in enumerate(drawn):
        shapes += _panel(title, dict(list(lines.items())[:MOST_CURVES]), place * wide + LEFT)
    if not drawn:
        shapes = [Text(LEFT, TOP + 20, (("no epoch was finished", ""),), 13, MUTED, "start")]
    rows = max((len(lines) for _, lines in drawn), default=0)
    return Picture(wide * max(1, len(drawn)), TOP + HEIGHT + 46 + 16 * min(rows, MOST_CURVES), tuple(shapes), label)


def _panel(title, lines, left):
    """Frame, ticks, curves and the names of the curves below."""
    epochs, bottom = max(map(len, lines.values())), TOP + HEIGHT
    scale = _scale([value for values in lines.values() for value in values])
    yield Text(left + WIDTH / 2, TOP - 9, ((title, ""),), 13, INK, weight="bold")
    yield Stroke(((left, TOP), (left, bottom), (left + WIDTH, bottom)), MUTED, 1.0)
    for share, text in scale.ticks:
        yield Stroke(((left - 4, bottom - share * HEIGHT), (left, bottom - share * HEIGHT)), MUTED, 1.0)
        yield Text(left - 7, bottom - share * HEIGHT + 4, ((text, ""),), 10, MUTED, "end")
    for epoch in sorted({1, epochs}):
        yield Text(left + _across(epoch, epochs), bottom + 15, ((f"{epoch}", ""),), 10, MUTED)
    yield Text(left + WIDTH / 2, bottom + 15, (("epoch", ""),), 11, MUTED)
    for i, (name, values) in enumerate(lines.items()):
        chosen = sorted({round(k) for k in np.linspace(0, len(values) - 1, min(len(values), MOST_POINTS))})
        points = tuple((left + _across(k + 1, epochs), bottom - scale.share(values[k]) * HEIGHT) for k in chosen)
        if len(points) == 1:
            yield Circle(*points[0], 3, COLORS[i], COLORS[i])
        else:
            yield Stroke(points, COLORS[i], 1.8)
        y = bottom + 34 + 16 * i
        yield Stroke(((left, y - 4), (left + 18, y - 4)), COLORS[i], 2.4)
        yield Text(left + 24, y, layer_runs(name) if name[-1].isdigit() else ((name, ""),), 12, INK, "start")


def _across(epoch, epochs):
    return WIDTH / 2 if epochs == 1 else (epoch - 1) / (epochs - 1) * WIDTH


class _scale:
    """From values to shares of a panel's height: as they are from 0 on, or by their powers of ten where they spread far."""

    def __init__(self, values):
        low, high = min(values), max(values)
        self.powers = low > 0 and high / FAR > low
        if self.powers:
            self.low, self.high = math.log10(low), math.log10(high)
            decades = range(math.ceil(self.low), math.floor(self.high) + 1)
            marks = [(k, f"1e{k}".replace("-", "−")) for k in decades[:: max(1, -(-len(decades) // MOST_TICKS))]]
        else:
            self.low, self.high = min(low, 0.0), max(high, 0.0)
            step = _round_step(self.high - self.low)
            first, last = math.ceil(self.low / step), math.floor(self.high / step)
            marks = [(k * step, short(k * step, 3)) for k in range(first, last + 1)]
        self.ticks = [(self._share(at), text) for at, text in marks]

    def share(self, value):
        return self._share(math.log10(value) if self.powers else value)

    def _share(self, at):
        return (at - self.low) / (self.high - self.low) if self.high > self.low else 0.0


def _round_step(span):
    """1, 2 or 5 times a power of ten, of which at most so many fit into the span."""
    if not span > 1e-300:
        return 1.0
    rough = span / (MOST_TICKS - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * k for k in (1, 2, 5, 10) if power * k >= rough)
