"""Terms -> the computation graph: forward solid, the way back dashed, each edge labelled with its term."""

import itertools
import math
from collections import defaultdict
from itertools import accumulate

import numpy as np

from ..notation import Written, color_of, name_runs, partial_runs, short
from ..terms import check_terms, terms_between
from .files import Picture
from .layouts import layout
from .shapes import BACKWARD, INK, MUTED, Circle, Pill, Stroke, Text, width_of

RADIUS, MARGIN, GAP = 27, 20, 150
LONGEST_LINE, MOST_EDGES = 30, 1000


def draw(terms, trace=None, gradient=None, *, wrt=None, output=None, walked=None, current=None):
    """The computation graph as a `Picture`: forward solid, backward red and dashed, each backward edge labelled with its term.

    Without a trace there are no values, without a gradient no way back. `wrt` colours the terms on the paths from
    `output` (the last line unless named) down to that name, as `derive` does. A trace or gradient that holds some of the names draws as far
    as it goes: `walked` holds the lines that the walk has passed (all if left out), `current` is the line at work.
    ValueError: no terms, or a name that they do not hold. TypeError: no list of terms.
    """
    check_terms(terms, "draw")
    if not terms:
        raise ValueError("draw: there are no terms: a computation needs a line that uses a name")
    if len(terms) > MOST_EDGES:
        raise ValueError(
            f"draw: {len(terms)} edges, more than the {MOST_EDGES} that a page can show; draw a part of the lines"
        )
    edges = tuple((term.of, term.wrt) for term in terms)
    column, routes, rows = layout(edges)
    lines = {term.of: term.line for term in terms}
    captions = {name: _caption(name, line) for name, line in lines.items()}
    place, width, height = _place(column, rows, captions)
    colors = color_of(terms_between(terms, output or terms[-1].of, wrt, "draw")) if wrt else {}
    shapes = [_edge([place[node] for node in routes[edge]], wrt and edge not in colors) for edge in edges]
    if gradient is not None:
        back = [term for term in terms if term.of in (lines if walked is None else walked) and term.of in gradient]
        shapes += _way_back(back, routes, place, colors, wrt, captions)
    for name in column:
        shapes += _node(name, place[name], captions.get(name), trace, gradient, name == current)
    label = "; ".join(f"{name} = {line}" for name, line in lines.items())
    return Picture(width, height, tuple(shapes), label)


def _caption(name, line):
    line = line if isinstance(line, Written) else Written(line)
    return (*name_runs(name), (" = ", ""), *line.runs(LONGEST_LINE))


def _place(column, rows, captions):
    """The centre of every node in pixels, and the size of the picture: columns as wide as their captions need."""
    widths = [2 * RADIUS] * (max(column.values()) + 1)
    for name, runs in captions.items():
        widths[column[name]] = max(widths[column[name]], width_of(runs, 13) - GAP * 0.45)
    gaps = [GAP + min(90, 15 * max(0, crossing - 3)) for crossing in _crossings(rows, column, len(widths))]
    lefts = [MARGIN + w + g for w, g in zip(accumulate(widths, initial=0), accumulate(gaps, initial=0), strict=False)]
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
        edge = term.of, term.wrt
        points = [place[node] for node in reversed(routes[edge])]
        faint = wrt and edge not in colors
        curve = _below(points)
        strokes.append(
            Stroke(
                tuple(curve), MUTED if faint else BACKWARD, 1.0 if faint else 1.6, dashed=True, arrow=True, curved=True
            )
        )
        color = MUTED if faint else colors.get(edge, BACKWARD)
        runs = (*partial_runs(*edge), *([] if term.value is None else [(f" = {short(term.value)}", "")]))
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
        (a, b, c, d), (p, q, r, e) = ((1 - s) ** 3, 3 * s * (1 - s) ** 2, 3 * s * s * (1 - s), s**3), piece
        x, y = (a * p[i] + b * q[i] + c * r[i] + d * e[i] for i in (0, 1))
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
        return math.fsum(
            max(0, min(box[2], b[2]) - max(box[0], b[0])) * max(0, min(box[3], b[3]) - max(box[1], b[1])) for b in near
        )


def _node(name, centre, caption, trace, gradient, current):
    x, y = centre
    known = trace is not None and name in trace
    shapes = [Circle(x, y, RADIUS, INK if known or trace is None else MUTED, width=2.6 if current else 1.4)]
    size = min(16, 16 * 1.8 * RADIUS / width_of(name_runs(name), 16))
    shapes.append(Text(x, y - 3 if known else y + 5, name_runs(name), size))
    if known:
        value = short(trace[name])
        shapes.append(Text(x, y + 14, ((value if len(value) < 7 else short(trace[name], 2), ""),), 12))
    if caption:
        shapes.append(Text(x, y - RADIUS - 9, caption, 13, INK if current else MUTED, halo=True))
    if gradient is not None and name in gradient:
        shapes.append(Text(x, y + RADIUS + 17, ((short(gradient[name]), ""),), 12, BACKWARD, weight="bold", halo=True))
    return shapes
