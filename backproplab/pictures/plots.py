"""Each term as the slope of a curve, and the chain below a picture: what a still shows besides the graph."""

import itertools
from dataclasses import replace
from itertools import accumulate

import numpy as np

from ..notation import COLORS, name_runs, partial_runs, short
from ..terms import first_paths, terms_between
from .facts import MOST_PATHS, chains, compact
from .files import Picture
from .shapes import INK, MUTED, Circle, Group, Stroke, Text, width_of

# Of a plot: half as high as wide, so that ticks are round numbers on both sides.
LEFT, TOP, WIDTH, HEIGHT = 50, 14, 208, 104
POINTS, MOST_PLOTS, IN_A_ROW = 161, 8, 3
LONGEST_TICK, BISECTIONS, BEYOND = 6, 60, 2000.0
GAP = 18


def reach(value):
    """How far a plot goes to each side of 0: 4, 8, 16, ..., so that the axes rest while the point moves."""
    limit = 4.0
    while limit < abs(value) * 1.05 and limit < 1e300:
        limit *= 2
    return limit


def plot(term, trace, line):
    """A plot of a term in pixels: one unit is as long upwards as sideways, so that a slope of 1 stands at 45 degrees in each.

    `line(xs)` are the values of the line that defines `term.of`, over numbers for `term.wrt`. Returns the pieces of the curve,
    the point, the tangent, and the ticks across and up, (place, text) each.
    """
    x, y, limit = trace[term.wrt], trace[term.of], reach(trace[term.wrt])
    half = HEIGHT / 2 / (WIDTH / 2 / limit)
    middle = float(np.floor(y / half + 0.5)) * half

    def across(u):
        return (u / limit + 1) * WIDTH / 2

    def up(v):
        return HEIGHT / 2 - ((v - middle) / half) * HEIGHT / 2

    xs = limit * (2 * np.arange(POINTS) / (POINTS - 1) - 1)
    with np.errstate(all="ignore"):
        ys = up(np.broadcast_to(np.asarray(line(xs), float), xs.shape))
        found = _pieces(xs, ys, lambda u: float(up(np.float64(line(np.float64(u))))))
    pieces = [[(float(across(u)), min(max(float(v), -BEYOND), BEYOND)) for u, v in piece] for piece in found]
    long = 0.2 * WIDTH / float(np.hypot(1, term.value))
    px, py = across(x), up(y)
    return {
        "pieces": [piece for piece in pieces if len(piece) > 1],
        "point": (px, py),
        "tangent": ((px - long, py + long * term.value), (px + long, py - long * term.value)),
        "across": _ticks(across, [t * limit for t in (-1, -0.5, 0, 0.5, 1)]),
        "up": _ticks(up, [middle + t * half for t in (-1, -0.5, 0, 0.5, 1)]),
    }


def _pieces(xs, vs, line):
    """The curve in pieces: cut where it is not finite and at a pole; where it is steep, with a point inside the frame."""
    pieces, last = [[]], None
    for x, v in zip(map(float, xs), map(float, vs), strict=True):
        if not np.isfinite(v):
            last = None
        elif last is not None and min(last[1], v) < 0 and max(last[1], v) > HEIGHT:
            if (inside := _inside(last, (x, v), line)) is None:
                last = None
            else:
                pieces[-1].append(inside)
        if last is None:
            pieces.append([])
        if np.isfinite(v):
            last = (x, v)
            pieces[-1].append(last)
    return pieces


def _inside(start, end, line):
    """A point of the curve inside the frame, between two that are beyond it on either side; None where it jumps across."""
    for _ in range(BISECTIONS):
        middle = (start[0] + end[0]) / 2
        v = line(middle)
        if not np.isfinite(v):
            return None
        if 0 <= v <= HEIGHT:
            return middle, v
        start, end = ((middle, v), end) if (v < 0) == (start[1] < 0) else (start, (middle, v))
    return None


def _ticks(place, values):
    """The ticks at values; where four digits do not tell them apart, or are too long, by how much they are off the middle one."""
    texts, middle = [short(value) for value in values], values[len(values) // 2]
    if len(set(texts)) < len(texts) or max(map(len, texts)) > LONGEST_TICK:
        off = [short(value - middle, 2) for value in values]
        texts = [f"+{text}" if value > middle else text for text, value in zip(off, values, strict=True)]
        texts[len(values) // 2] = compact(middle)
    return [(place(value), text) for value, text in zip(values, texts, strict=True)]


def _drawn(term, found, color, hidden):
    """A plot as shapes, its corner at 0, 0; a `hidden` slope has neither number nor tangent."""

    def at(point):
        return point[0] + LEFT, min(max(point[1], 0.0), HEIGHT) + TOP

    title = (*partial_runs(*term.edge), (f" = {'?' if hidden else short(term.value)}", ""))
    yield Text(LEFT + WIDTH / 2, TOP - 2, title, 13, color, weight="bold")
    yield Stroke(((LEFT, TOP), (LEFT, TOP + HEIGHT), (LEFT + WIDTH, TOP + HEIGHT)), MUTED, 1.0)
    for place, text in found["across"]:
        yield Text(place + LEFT, TOP + HEIGHT + 15, ((text, ""),), 10, MUTED)
    for place, text in found["up"]:
        yield Text(LEFT - 5, place + TOP + 4, ((text, ""),), 10, MUTED, "end")
    yield Text(LEFT + WIDTH, TOP + HEIGHT + 30, name_runs(term.wrt), 13, anchor="end")
    yield Text(LEFT + 6, TOP + 10, name_runs(term.of), 13, anchor="start")
    for piece in found["pieces"]:
        for inside in _clipped(piece):
            yield Stroke(tuple(map(at, inside)), INK, 1.6)
    for inside in [] if hidden else _clipped(_in_width(*found["tangent"])):
        yield Stroke(tuple(map(at, inside)), color, 3)
    yield Stroke((at(found["point"]), at((found["point"][0], HEIGHT))), color, 1, dashed=True)
    yield Circle(*at(found["point"]), 4.5, color, color)


def _in_width(start, end):
    """A line from left to right, cut at the frame's left and right border."""
    (x, y), (u, v) = start, end
    return [(at, y + (v - y) * (at - x) / (u - x)) for at in (max(x, 0.0), min(u, float(WIDTH)))]


def _clipped(piece):
    """The parts of a curve inside the frame, each up to its border."""
    parts = [[]]
    for (x, y), (u, v) in itertools.pairwise(piece):
        if max(y, v) < 0 or min(y, v) > HEIGHT:
            parts.append([])
            continue
        ends = [(a, b) if 0 <= b <= HEIGHT else _on_border((x, y), (u, v), b) for a, b in ((x, y), (u, v))]
        parts[-1] += ends if not parts[-1] else ends[1:]
        if not 0 <= v <= HEIGHT:
            parts.append([])
    return [part for part in parts if len(part) > 1]


def _on_border(start, end, beyond):
    """Where a piece of a curve leaves the frame, above or below as the end that is beyond it."""
    (x, y), (u, v) = start, end
    border = 0.0 if beyond < 0 else float(HEIGHT)
    return x + (u - x) * (border - y) / (v - y), border


def term_plots(terms, trace, curves, output, wrt, walked, hidden=()):
    """The plots of the terms on the paths that the walk has passed, as one `Picture`; `curves(term)` gives a term's line.

    Of a term whose slot "r:a:z" is `hidden` the slope is not shown.
    """
    way, shapes = terms_between(terms, output, wrt), []
    shown = [(i, term) for i, term in enumerate(way) if term.of in walked][-MOST_PLOTS:]
    wide, high = LEFT + WIDTH + GAP, TOP + HEIGHT + 40
    for place, (i, term) in enumerate(shown):
        unseen = f"r:{':'.join(term.edge)}" in hidden
        drawn = _drawn(term, plot(term, trace, curves(term)), COLORS[i % len(COLORS)], unseen)
        shapes += [moved(shape, place % IN_A_ROW * wide, place // IN_A_ROW * high) for shape in drawn]
    rows = -(-len(shown) // IN_A_ROW)
    return Picture(wide * min(len(shown), IN_A_ROW), high * rows, tuple(shapes))


def chain_lines(terms, trace, output, wrt, walked, hidden=()):
    """The product of each of the first paths in symbols and in numbers, and their sum, as one `Picture`; "?" for `hidden` slots."""
    way = {term.edge: COLORS[i % len(COLORS)] for i, term in enumerate(terms_between(terms, output, wrt))}
    text, (count, first) = chains(terms, trace, output, wrt, walked), first_paths(terms, output, wrt, MOST_PATHS)
    text = {slot: shown for slot, shown in text.items() if slot not in hidden}
    twofold = count > 1 and (output, wrt) in way
    left, shapes, y = (*partial_runs(output, wrt, "d" if twofold else "∂"), (" = ", "")), [], 16
    for k, path in enumerate(first):
        head = [(left if count == 1 else ((f"{k + 1}:  ", ""),), MUTED if count > 1 else INK)]
        symbols = [(partial_runs(*term.edge), way[term.edge]) for term in path.terms]
        numbers = [(((text.get("f:" + ":".join(term.edge), "?"), ""),), way[term.edge]) for term in path.terms]
        shapes += _row([*head, *_joined(symbols)], y)
        shapes += _row(
            [*[(runs, "none") for runs, _ in head], *_joined(numbers), (((f" = {text.get(f'p:{k}', '?')}", ""),), INK)],
            y + 22,
        )
        y += 50
    if count > 1:
        parts = [text.get(f"q:{k}", "?") for k in range(len(first))]
        parts += [f"({count - len(first)} more: {text.get('o:', '?')})"] if count > len(first) else []
        shapes += _row([((*left, (" + ".join(parts) + f" = {text.get('s:', '?')}", "")), INK)], y)
        y += 28
    wide = max((shape.x + 1.06 * width_of(shape.runs, shape.size) for shape in shapes), default=0.0)
    return Picture(wide + GAP, y, tuple(shapes))


def _joined(parts):
    return [piece for i, part in enumerate(parts) for piece in ([((("  ·  ", ""),), INK), part] if i else [part])]


def _row(parts, y):
    """Texts in a row; a part of no colour keeps its room."""
    starts = accumulate((1.06 * width_of(runs, 14) for runs, _ in parts), initial=20.0)
    return [
        Text(x, y, runs, 14, color, "start") for x, (runs, color) in zip(starts, parts, strict=False) if color != "none"
    ]


def stacked(pictures, label):
    """Pictures below each other, as one."""
    shapes, y = [], 0.0
    for picture in pictures:
        shapes += [moved(shape, 0, y) for shape in picture.shapes]
        y += picture.height + GAP * bool(picture.shapes)
    return Picture(max(picture.width for picture in pictures), y, tuple(shapes), label)


def moved(shape, dx, dy):
    """A shape at another place."""
    if isinstance(shape, Stroke):
        return replace(shape, points=tuple((x + dx, y + dy) for x, y in shape.points))
    if isinstance(shape, Group):
        return replace(shape, shapes=tuple(moved(part, dx, dy) for part in shape.shapes))
    return replace(shape, x=shape.x + dx, y=shape.y + dy)
