"""Terms -> pictures: the computation graph with its terms, a curve with its tangent, the quantities as a table."""

import itertools
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from html import escape

import numpy as np

from .notation import color_of, number
from .picture import (
    BACKWARD,
    INK,
    MUTED,
    Circle,
    Picture,
    Pill,
    Stroke,
    Text,
    line_runs,
    name_runs,
    partial_runs,
    width_of,
)
from .terms import Term, terms_between

RADIUS, ROW, MARGIN, GAP = 27, 98, 20, 150
LONGEST_LINE, MOST_EDGES = 30, 1000
LARGEST_SHOWN = 12  # entries of an array in a table
HEADINGS = ("quantity", "value", "gradient")


# --- layout: columns by distance from the inputs, rows so that edges stay short --------------------------------------------


def _columns(edges):
    """The column of each name: a line right of all it uses, an input just left of the first line that uses it."""
    column = {}
    for of, wrt in edges:
        column[of] = max(column.get(of, 0), column.setdefault(wrt, 0) + 1)
    lines = {of for of, _ in edges}
    for name in column:
        if name not in lines:
            column[name] = min(column[of] for of, wrt in edges if wrt == name) - 1
    return column


def _route(edges, column):
    """For each edge its nodes from `wrt` to `of`: a waypoint (of, wrt, column) in every column that it crosses."""
    return {(of, wrt): [wrt, *((of, wrt, c) for c in range(column[wrt] + 1, column[of])), of] for of, wrt in edges}


@lru_cache(maxsize=32)
def _layout(edges):
    """Columns, routes and heights for the edges (of, wrt): kept, since a slider moves numbers, not the graph."""
    column = _columns(edges)
    routes = _route(edges, column)
    return column, routes, _rows(routes, column)


def _rows(routes, column):
    """A height for every node: near the mean of its neighbours, in its column at least one row from the next."""
    columns = {}
    for route in routes.values():
        for node in route:
            columns.setdefault(node[2] if isinstance(node, tuple) else column[node], {})[node] = None
    neighbours = {node: [] for nodes in columns.values() for node in nodes}
    for route in routes.values():
        for left, right in itertools.pairwise(route):
            neighbours[left].append(right)
            neighbours[right].append(left)
    height = {node: i * ROW for nodes in columns.values() for i, node in enumerate(nodes)}
    inner = {node for route in routes.values() for node in route[1:]}
    order = sorted(columns)
    for sweep in range(12):
        for c in order if sweep % 2 == 0 else reversed(order):
            wanted = {node: _mean(height, neighbours[node], inner) for node in columns[c]}
            ranked = sorted(columns[c], key=lambda node: (wanted[node], node not in inner))
            height |= _spread(ranked, wanted, inner)
    return height


def _mean(height, near, inner):
    """The mean height of the neighbours; inputs hang on the lines that use them, not the lines on their inputs."""
    heavy = [height[node] for node in near if node in inner] or [height[node] for node in near]
    return sum(heavy) / len(heavy)


def _spread(nodes, wanted, heavy):
    """Heights at least one row apart, in the order given, as near as possible to the wanted ones (weighted least squares)."""
    blocks = []
    for i, node in enumerate(nodes):
        weight = 1000 if node in heavy else 1
        blocks.append([wanted[node] - i * ROW, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (low, w, n), (high, v, m) = blocks.pop(), blocks.pop()
            blocks.append([(low * w + high * v) / (w + v), w + v, n + m])
    levels = [level for level, _, count in blocks for _ in range(count)]
    return {node: level + i * ROW for i, (node, level) in enumerate(zip(nodes, levels, strict=True))}


# --- the computation graph ----------------------------------------------------------------------------------------------


def draw(terms, trace=None, gradient=None, *, wrt=None, output=None, walked=None, current=None):
    """The computation graph as a `Picture`: forward solid, backward red and dashed, each backward edge labelled with its term.

    Without a trace there are no values, without a gradient no way back. `wrt` colours the terms on the paths from
    `output` (the last line unless named) down to that name, as `derive` does. A trace or gradient that holds some of the names draws as far
    as it goes: `walked` holds the lines that the walk has passed (all if left out), `current` is the line at work.
    ValueError: no terms, or a name that they do not hold. TypeError: no list of terms.
    """
    if not isinstance(terms, (list, tuple)) or not all(isinstance(term, Term) for term in terms):
        raise TypeError(f"draw: expected a list of terms, as graph.terms(trace) gives it, found {type(terms).__name__}")
    if not terms:
        raise ValueError("draw: there are no terms: a computation needs a line that uses a name")
    if len(terms) > MOST_EDGES:
        raise ValueError(
            f"draw: {len(terms)} edges, more than the {MOST_EDGES} that a page can show; draw a part of the lines"
        )
    column, routes, rows = _layout(tuple((term.of, term.wrt) for term in terms))
    lines = {term.of: term.line for term in terms}
    captions = {name: _caption(name, line) for name, line in lines.items()}
    place, width, height = _place(column, rows, captions)
    colors = color_of(terms_between(terms, output or terms[-1].of, wrt)) if wrt else {}
    shapes = [
        _edge([place[node] for node in routes[term.of, term.wrt]], wrt and (term.of, term.wrt) not in colors)
        for term in terms
    ]
    if gradient is not None:
        back = [term for term in terms if term.of in (lines if walked is None else walked) and term.of in gradient]
        shapes += _way_back(back, routes, place, colors, wrt, captions)
    for name in column:
        shapes += _node(name, place[name], captions.get(name), trace, gradient, name == current)
    label = "; ".join(f"{name} = {line}" for name, line in lines.items())
    return Picture(width, height, tuple(shapes), label)


def _caption(name, line):
    short = line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…"
    return (*name_runs(name), (" = ", ""), *line_runs(short))


def _place(column, rows, captions):
    """The centre of every node in pixels, and the size of the picture: columns as wide as their captions need."""
    widths = [2 * RADIUS] * (max(column.values()) + 1)
    for name, runs in captions.items():
        widths[column[name]] = max(widths[column[name]], width_of(runs, 13) - GAP * 0.45)
    gaps = [GAP + min(90, 15 * max(0, crossing - 3)) for crossing in _crossings(rows, column, len(widths))]
    lefts = [MARGIN + sum(widths[:c]) + sum(gaps[:c]) for c in range(len(widths))]
    edge = max(
        [width_of(runs, 13) / 2 - widths[-1] / 2 for name, runs in captions.items() if column[name] == len(widths) - 1]
        + [0]
    )
    reach = {node: RADIUS + (28 if node in captions else 6) for node in rows}  # a caption stands above its circle
    top = min(y - reach[node] for node, y in rows.items())
    bottom = max(rows.values()) + RADIUS + 26
    place = {}
    for node, y in rows.items():
        c = node[2] if isinstance(node, tuple) else column[node]
        place[node] = (lefts[c] + widths[c] / 2, y - top)
    return place, lefts[-1] + widths[-1] + MARGIN + edge, bottom - top


def _crossings(rows, column, count):
    """How many nodes stand in the fuller of each two neighbouring columns: their labels need room."""
    full = [0] * count
    for node in rows:
        full[node[2] if isinstance(node, tuple) else column[node]] += 1
    return [max(pair) for pair in itertools.pairwise(full)]


def _edge(points, faint):
    """The forward edge: through the waypoints, from rim to rim."""
    color, width = (MUTED, 1.0) if faint else (INK, 1.4)
    return Stroke(tuple(_cubic(_from_rim_to_rim(points))), color, width, arrow=True, curved=True)


def _from_rim_to_rim(points):
    return [_towards(points[0], points[1], RADIUS), *points[1:-1], _towards(points[-1], points[-2], RADIUS + 2)]


def _towards(start, end, distance):
    (x, y), (u, v) = start, end
    length = np.hypot(u - x, v - y)
    return x + (u - x) * distance / length, y + (v - y) * distance / length


def _cubic(points):
    """Cubic pieces through the points, level at every waypoint; a single piece is straight."""
    smooth = [points[0]]
    for i, ((x, y), (u, v)) in enumerate(itertools.pairwise(points)):
        dx, first, last = (u - x) / 3, i == 0, i == len(points) - 2
        smooth += [(x + dx, y + (v - y) / 3 if first else y), (u - dx, v - (v - y) / 3 if last else v), (u, v)]
    return smooth


def _way_back(terms, routes, place, colors, wrt, captions):
    """The backward edges below the forward ones, then the labels on top: each at the first place along its edge that is free."""
    strokes, labels = [], []
    taken = _Taken()
    for node, (x, y) in place.items():
        if isinstance(node, str):
            taken.add((x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS + 18))
    for name, runs in captions.items():
        (x, y), half = place[name], width_of(runs, 13) / 2
        taken.add((x - half, y - RADIUS - 22, x + half, y - RADIUS - 4))
    for term in terms:
        points = [place[node] for node in reversed(routes[term.of, term.wrt])]
        faint = wrt and (term.of, term.wrt) not in colors
        curve = _below(points)
        strokes.append(
            Stroke(
                tuple(curve), MUTED if faint else BACKWARD, 1.0 if faint else 1.6, dashed=True, arrow=True, curved=True
            )
        )
        color = MUTED if faint else colors.get((term.of, term.wrt), BACKWARD)
        runs = (*partial_runs(term.of, term.wrt), *([] if term.value is None else [(f" = {_short(term.value)}", "")]))
        size = width_of(runs, 12) + 16
        x, y, box = _free_place(curve, size, taken)
        taken.add(box)
        labels += [Pill(x, y, size, 22, color), Text(x, y + 4, runs, 12, color)]
    return strokes + labels


def _below(points):
    """The way back: leaves the circle lower than the forward edge arrives, and bows down."""
    (x0, y0), (x1, y1) = points[0], points[-1]
    start, end = (
        _towards((x0, y0), (points[1][0], points[1][1] + 50), RADIUS + 1),
        _towards((x1, y1), (points[-2][0], points[-2][1] + 50), RADIUS + 2),
    )
    inner = [(x, y + 14) for x, y in points[1:-1]]
    curve = _cubic([start, *inner, end])
    if not inner:
        curve = [start, (curve[1][0], curve[1][1] + 16), (curve[2][0], curve[2][1] + 16), end]
    return curve


def _free_place(curve, width, taken):
    pieces = [curve[i : i + 4] for i in range(0, len(curve) - 1, 3)]
    best = None
    for t in (0.5, 0.58, 0.42, 0.66, 0.34, 0.74, 0.26, 0.82, 0.18):
        piece, s = pieces[min(int(t * len(pieces)), len(pieces) - 1)], t * len(pieces) % 1
        weights = ((1 - s) ** 3, 3 * s * (1 - s) ** 2, 3 * s * s * (1 - s), s**3)
        x, y = (sum(w * point[i] for w, point in zip(weights, piece, strict=True)) for i in (0, 1))
        box = (x - width / 2 - 2, y - 13, x + width / 2 + 2, y + 13)
        overlap = taken.overlap(box)
        if best is None or overlap < best[0]:
            best = (overlap, x, y, box)
        if overlap == 0:
            break
    return best[1:]


class _Taken:
    """Boxes (left, top, right, bottom) that are taken, in strips, so that only the near ones are looked at."""

    def __init__(self):
        self._strips = defaultdict(list)

    def add(self, box):
        for strip in range(int(box[0] // 200), int(box[2] // 200) + 1):
            self._strips[strip].append(box)

    def overlap(self, box):
        """The area that a box shares with those that are taken."""
        near = {b for strip in range(int(box[0] // 200), int(box[2] // 200) + 1) for b in self._strips[strip]}
        return sum(
            max(0, min(box[2], b[2]) - max(box[0], b[0])) * max(0, min(box[3], b[3]) - max(box[1], b[1])) for b in near
        )


def _node(name, centre, caption, trace, gradient, current):
    x, y = centre
    known = trace is not None and name in trace
    shapes = [Circle(x, y, RADIUS, INK if known or trace is None else MUTED, width=2.6 if current else 1.4)]
    size = min(16, 16 * 1.8 * RADIUS / width_of(name_runs(name), 16))
    shapes.append(Text(x, y - 3 if known else y + 5, name_runs(name), size))
    if known:
        value = _short(trace[name])
        shapes.append(Text(x, y + 14, ((value if len(value) < 7 else _short(trace[name], 2), ""),), 12))
    if caption:
        shapes.append(Text(x, y - RADIUS - 9, caption, 13, INK if current else MUTED, halo=True))
    if gradient is not None and name in gradient:
        shapes.append(Text(x, y + RADIUS + 17, ((_short(gradient[name]), ""),), 12, BACKWARD, weight="bold", halo=True))
    return shapes


def _short(value, digits=4):
    """A number for a picture, 4 digits; an array by its shape."""
    return number(value, digits).replace("-", "−") if np.ndim(value) == 0 else "×".join(map(str, np.shape(value)))


# --- a curve with its tangent -------------------------------------------------------------------------------------------


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
    shapes.append(Text(min(max(px, left + 20), left + width - 30), top + height + 17, ((_short(x), ""),), 12))
    shapes += [
        Text(left + width, top + height + 17, name_runs(term.wrt), 13, anchor="end"),
        Text(left + 4, top - 2, name_runs(term.of), 13, anchor="start"),
    ]
    shapes.append(
        Text(
            left + width / 2,
            16,
            (*partial_runs(term.of, term.wrt), (f" = {_short(slope)}", "")),
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


# --- numbers in a table -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Table:
    """The quantities by name, with value and gradient, 6 digits; large arrays by their shape."""

    trace: dict
    gradient: dict | None = None

    def _rows(self):
        yield HEADINGS if self.gradient is not None else HEADINGS[:2]
        for name, value in self.trace.items():
            last = () if self.gradient is None else (_entry(self.gradient[name]) if name in self.gradient else "",)
            yield (name, _entry(value), *last)

    def __repr__(self):
        rows = list(self._rows())
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)

    def _repr_html_(self):
        head, *body = (
            "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row)
            for tag, row in zip(["th"] + ["td"] * len(self.trace), self._rows(), strict=True)
        )
        return (
            f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(f'<tr>{row}</tr>' for row in body)}</tbody></table>"
        )


def _entry(value):
    """A number, a small array row by row, a large one by its shape."""
    if np.ndim(value) == 0:
        return number(value)
    if np.size(value) > LARGEST_SHOWN:
        return f"shape {np.shape(value)}"
    return "[" + ", ".join(map(_entry, value)) + "]"


def table(trace, gradient=None):
    """Every quantity of a trace by name: its value, and beside it its gradient. TypeError: no dict of numbers."""
    for what in (trace, gradient or {}):
        if not isinstance(what, dict) or not all(np.asarray(value).dtype.kind in "fiub" for value in what.values()):
            raise TypeError(
                f"table: expected a trace and a gradient, dicts of numbers by name, found {type(what).__name__} {what!r:.40}"
            )
    return Table(trace, gradient)
