"""Where the nodes of a graph stand: columns by distance from the inputs, rows so that edges stay short; and where labels find room on edges."""

import itertools
import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import lru_cache
from statistics import fmean

ROW = 98


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
def layout(edges):
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
    return fmean(heavy)


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


# --- units ------------------------------------------------------------------------------------------------------------

# Where on an edge a weight may stand, the middle first.
ALONG = (0.5, 0.46, 0.54, 0.42, 0.58, 0.38, 0.62, 0.34, 0.66, 0.3, 0.7, 0.26, 0.74)
SWEEPS = 6
# The radius of a unit; from z to its a; from column to column at the loss; between units of a layer; around the picture.
UNIT, STEP, LAST, PITCH, FRAME = 26, 98, 106, 128, 14


@dataclass(frozen=True)
class Units:
    """Where the quantities of a network stand: `place` by name, the `large` ones in circles, the `small` ones on edges or at units."""

    width: float
    height: float
    place: dict
    large: tuple
    small: tuple
    biases: frozenset
    weighted: frozenset  # the edges (of, wrt) that a weight stands on
    bows: dict  # how far an edge that passes over others bows
    dots: bool  # whether there are too many weights for their numbers to be read
    radius: float = UNIT


def units(edges, places):
    """The `Units` of a network's graph; `places` holds ("unit", column, row, rows), ("weight", of, wrt) or ("bias", of) by name."""
    stand = {name: place for name, place in places.items() if place[0] == "unit"}
    weights = {name: place[1:] for name, place in places.items() if place[0] == "weight"}
    biases = {name: place[1] for name, place in places.items() if place[0] == "bias"}
    between = Counter(stand[wrt][1] for of, wrt in weights.values())
    fullest = max(between.values(), default=0)
    dots = fullest > 12
    gap = 130 if dots else 176
    lefts, x = {}, FRAME + UNIT
    for c in range(max(place[1] for place in stand.values()) + 1):
        lefts[c] = x
        x += gap if between[c] else STEP if c % 2 else LAST
    tallest = max(place[3] for place in stand.values())
    pitch = 72 if tallest > 6 else PITCH if tallest > 1 else 2 * PITCH
    height = tallest * pitch
    place = {n: (lefts[c], FRAME + height * (r + 0.5) / rows) for n, (_, c, r, rows) in stand.items()}
    for name, of in biases.items():
        place[name] = place[of][0] - 4, place[of][1] - UNIT - (11 if dots else 13)
    _put_on_edges(weights, place, *((14, 14) if dots else (54, 36)))
    span = {edge: _span(edge, stand) for edge in edges}
    bows = {
        edge: _bow(place[edge[1]], place[edge[0]], FRAME + height / 2) for edge, columns in span.items() if columns > 1
    }
    width = lefts[max(lefts)] + UNIT + FRAME
    low = max(y for _, y in place.values()) + (16 if dots else 44)
    return Units(
        width, max(low, height + 2 * FRAME), place, tuple(stand), (*weights, *biases), frozenset(biases),
        frozenset(weights.values()), bows, dots,
    )  # fmt: skip


def _put_on_edges(weights, place, wide, high):
    """Each weight on its edge, where its label overlaps least with what stands; in several sweeps, since each moves the others."""
    circles = [(x - UNIT - 4, y - UNIT - 2, x + UNIT + 4, y + UNIT + 18) for x, y in place.values()]
    spots = {}
    for name, (of, wrt) in weights.items():
        (x, y), (u, v) = place[wrt], place[of]
        spots[name] = [(x + (u - x) * t, y + (v - y) * t) for t in ALONG]
    boxes = {}
    for _ in range(SWEEPS):
        for name, choices in spots.items():
            others = [*circles, *(box for other, box in boxes.items() if other != name)]
            costs = [
                sum(shared((p - wide / 2, q - 10, p + wide / 2, q - 10 + high), box) for box in others) + k
                for k, (p, q) in enumerate(choices)
            ]
            x, y = place[name] = choices[costs.index(min(costs))]
            boxes[name] = (x - wide / 2, y - 10, x + wide / 2, y - 10 + high)


def shared(box, other):
    """The area that two boxes (left, top, right, bottom) share."""
    wide = min(box[2], other[2]) - max(box[0], other[0])
    high = min(box[3], other[3]) - max(box[1], other[1])
    return max(0.0, wide) * max(0.0, high)


def _bow(start, end, middle):
    """How far the middle of an edge is moved so that it passes over, or under, the unit beside which it begins."""
    beside = start[1] - UNIT - 30 if start[1] <= middle else start[1] + UNIT + 36
    return beside - (start[1] + end[1]) / 2


def _span(edge, stand):
    of, wrt = edge
    return stand[of][1] - stand[wrt][1] if of in stand and wrt in stand else 0


# --- labels -----------------------------------------------------------------------------------------------------------

# Where on its edge a label may stand, and how far above or below it: on the edge, near the middle first; where it is crowded, beside it.
SPOTS = (
    *((t, 0) for t in (0.5, 0.58, 0.42, 0.66, 0.34, 0.74, 0.26, 0.82, 0.18)),
    *((t / 50, aside) for aside in (0, -6, 6, -10, 10) for t in sorted(range(8, 43), key=lambda t: abs(t - 25))),
)


def free_place(curve, width, taken):
    """Where a label stands on its edge: the first place that is free; where none is, aside from the middle or the edge, the best."""
    best = None
    for t, aside in SPOTS:
        x, y = along(curve, t)
        box = (x - width / 2 - 2, y + aside - 13, x + width / 2 + 2, y + aside + 13)
        overlap = taken.overlap(box)
        if best is None or overlap < best[0]:
            best = (overlap, x, y + aside, box)
        if overlap == 0:
            break
    return best[1:]


def along(curve, t):
    """The point at the part t of a curve of cubic pieces."""
    pieces = [curve[i : i + 4] for i in range(0, len(curve) - 1, 3)]
    piece, s = pieces[min(int(t * len(pieces)), len(pieces) - 1)], t * len(pieces) % 1
    weights = ((1 - s) ** 3, 3 * s * (1 - s) ** 2, 3 * s * s * (1 - s), s**3)
    return tuple(math.fsum(weight * point[i] for weight, point in zip(weights, piece, strict=True)) for i in (0, 1))


class Taken:
    """Boxes (left, top, right, bottom) that are taken, in strips, so that only the near ones are looked at."""

    def __init__(self):
        self._strips = defaultdict(list)

    def add(self, box):
        for strip in range(int(box[0] // 200), int(box[2] // 200) + 1):
            self._strips[strip].append(box)

    def overlap(self, box):
        """The area that a box shares with those that are taken."""
        near = {b for strip in range(int(box[0] // 200), int(box[2] // 200) + 1) for b in self._strips[strip]}
        return math.fsum(shared(box, other) for other in near)
