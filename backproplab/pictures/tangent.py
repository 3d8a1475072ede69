"""A curve with its tangent, whose slope is the term."""

import numpy as np

from ..notation import name_runs, number, partial_runs, short
from .files import Picture
from .shapes import BACKWARD, INK, MUTED, Circle, Stroke, Text


def draw_tangent(term, trace, xs, ys, color=BACKWARD):
    """The line that defines `term.of` as a curve over `term.wrt`, the point at the trace, and the tangent whose slope is the term."""
    x, y, slope = trace[term.wrt], trace[term.of], term.value
    left, top, width, height = 16, 34, 238, 118
    shown = ys[np.isfinite(ys)]
    low, high = np.percentile(shown, [3, 97]) if shown.size else (y, y)
    low, high = min(low, y), max(high, y)
    pad = 0.12 * (high - low) or 1.0
    low, high = low - pad, high + pad

    def at(u, v):
        return left + (u - xs[0]) / (xs[-1] - xs[0]) * width, top + (high - v) / (high - low) * height

    pieces = _visible(xs, ys, low, high)
    shapes = [Stroke(((left, top), (left, top + height), (left + width, top + height)), MUTED, 1.0)]
    shapes += [Stroke(tuple(at(u, v) for u, v in piece), INK, 1.6) for piece in pieces if len(piece) > 1]
    reach = 0.22 * (xs[-1] - xs[0]) / max(1.0, abs(slope) * (xs[-1] - xs[0]) / (high - low) * height / width)
    shapes.append(Stroke((at(x - reach, y - slope * reach), at(x + reach, y + slope * reach)), color, 3))
    px, py = at(x, y)
    shapes += [Stroke(((px, py), (px, top + height)), color, 1, dashed=True), Circle(px, py, 4.5, color, color)]
    shapes.append(Text(min(max(px, left + 20), left + width - 30), top + height + 17, ((short(x), ""),), 12))
    shapes += [
        Text(left + width, top + height + 17, name_runs(term.wrt), 13, anchor="end"),
        Text(left + 4, top - 2, name_runs(term.of), 13, anchor="start"),
    ]
    shapes.append(
        Text(
            left + width / 2,
            16,
            (*partial_runs(term.of, term.wrt), (f" = {short(slope)}", "")),
            13,
            color,
            weight="bold",
        )
    )
    return Picture(
        left + width + 16,
        top + height + 28,
        tuple(shapes),
        f"{term.of} = {term.line}, slope {number(slope)} at {term.wrt} = {number(x)}",
    )


def _visible(xs, ys, low, high):
    """The curve as pieces that stay in the frame."""
    pieces = [[]]
    for u, v in zip(xs, ys, strict=True):
        if np.isfinite(v) and low <= v <= high:
            pieces[-1].append((u, v))
        elif pieces[-1]:
            pieces.append([])
    return pieces
