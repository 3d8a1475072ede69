"""The drawing of a computation without its numbers: shapes with slots and marks, which facts fill.

Forward edges are solid, the way back is dashed and labelled with its terms. A graph stands in columns, from the inputs to the
loss; the graph of a network, which says so in its lines, in units, weights on their edges.
"""

import itertools
import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from ..notation import Written, call_piece, layer_runs, name_runs, partial_runs
from .layouts import Taken, along, free_place, layout, shared, units
from .shapes import BACKWARD, INK, MUTED, Circle, Group, Pill, Stroke, Text, width_of

RADIUS, MARGIN, GAP = 27, 20, 150
LONGEST_LINE = 30
NUMBER = 7.2 * 8  # a number's room in a label of size 12: eight characters
SHAPE = 40  # a shape's room
ASIDE = 4  # pixels by which a caption that makes way for an arrow reaches past the middle of its circle
WRAP, ROW = 900, 320  # how wide a row of layers may be, and how far below it the next one stands
ROOM_BESIDE = 4  # between a line and a label: some fonts are wider than ours
FEW = 60  # up to how many edges captions are moved out of their way
STRETCH = 30  # by how much a gap grows at a time whose labels cover something
SKIP = 44  # the room above a row for edges that skip a layer
LABEL = 22  # how high a label is


@dataclass(frozen=True)
class Template:
    """Shapes in a frame; `label` describes the picture in words, `edges` are the pairs (of, wrt), in the order of the terms."""

    width: float
    height: float
    shapes: tuple
    label: str
    edges: tuple


def drawing(terms):
    """The template of the terms: nothing of it depends on their numbers."""
    lines = {term.of: term.line for term in terms}
    places = next((line.places for line in lines.values() if getattr(line, "places", None)), None)
    edges = tuple(term.edge for term in terms)
    label = "; ".join(f"{name} = {line}" for name, line in lines.items())
    if places and any(place[0] == "tensor" for place in places.values()):
        factors = tuple(_factor(term) for term in terms)
        captions = tuple((name, line.runs(LONGEST_LINE)) for name, line in lines.items())
        return Template(*_in_layers(edges, captions, tuple(places.items()), factors), label, edges)
    if places:
        return Template(*_in_units(edges, tuple(places.items())), label, edges)
    captions = tuple((name, _caption(name, line)) for name, line in lines.items())
    return Template(*_in_columns(edges, captions), label, edges)


def _caption(name, line):
    line = line if isinstance(line, Written) else Written(line)
    return (*name_runs(name), (" = ", ""), *line.runs(LONGEST_LINE))


def _factor(term):
    """A term of layers as it stands in a product: W2, X, tanh'(Z1); the loss's as a derivative, a 1 as its number alone."""
    formula = term.formula
    if formula.is_Number:
        return ()
    if formula.is_Symbol:
        return (*layer_runs(str(formula)), ("  ", ""))
    if found := re.fullmatch(r"(\w+)'\((\w+)\)", str(formula)):
        return ((call_piece(found[1])[1][0][0].replace("(", "′("), ""), *layer_runs(found[2]), (")  ", ""))
    return (("∂", ""), *layer_runs(term.of), ("/∂", ""), *layer_runs(term.wrt), ("  ", ""))


# --- what both have in common -----------------------------------------------------------------------------------------


def _marks(kind, *names):
    return ":".join((kind, *names))


def _node(name, x, y, radius, size, caption=None, write=name_runs, under=False, aside=0):
    """A quantity in its circle: name, value, below it the gradient, above it (or `under` all, or `aside`) its line."""
    runs = write(name)
    fitting = min(size, size * 1.8 * radius / width_of(runs, size))
    shapes = [
        Circle(x, y, radius, mark=_marks("n", name)),
        Text(x, y - 0.08 * radius, runs, fitting),
        Text(x, y + 0.56 * radius, (), max(10.5, 0.75 * size), slot=_marks("v", name)),
        Text(
            x, y + radius + 15, (), max(10.5, 0.75 * size), BACKWARD, weight="bold", halo=True, slot=_marks("g", name)
        ),
    ]
    if caption:
        off = radius + 34 if under else -radius - 9
        shapes.append(Text(x + aside, y + off, caption, 13, MUTED, halo=True, mark=_marks("l", name)))
    return Group(tuple(shapes), name, name)


def _label(edge, x, y, width, runs, size=12, high=LABEL, quiet=False):
    """The label of a term on its way back: runs, then the number."""
    mark = _marks("t", *edge)
    text = Text(x, y + 0.34 * size, runs, size, BACKWARD, mark=mark, slot=_marks("t", *edge), quiet=quiet)
    return [Pill(x, y, width, high, BACKWARD, mark=mark, quiet=quiet), text]


def _forward(edge, points, curved=True, quiet=False):
    return Stroke(tuple(points), INK, 1.4, arrow=True, curved=curved, mark=_marks("e", *edge), quiet=quiet)


def _backward(edge, points, quiet=False):
    return Stroke(
        tuple(points), BACKWARD, 1.6, dashed=True, arrow=True, curved=True, mark=_marks("b", *edge), quiet=quiet
    )


def _towards(start, end, distance):
    (x, y), (u, v) = start, end
    length = math.hypot(u - x, v - y) or 1.0
    return x + (u - x) * distance / length, y + (v - y) * distance / length


def _cubic(points):
    """Cubic pieces through the points, level at every waypoint; a single piece is straight."""
    smooth = [points[0]]
    for i, ((x, y), (u, v)) in enumerate(itertools.pairwise(points)):
        dx, first, last = (u - x) / 3, i == 0, i == len(points) - 2
        smooth += [(x + dx, y + (v - y) / 3 if first else y), (u - dx, v - (v - y) / 3 if last else v), (u, v)]
    return smooth


# --- columns ----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=32)
def _in_columns(edges, captions):
    column, routes, rows = layout(edges)
    captions, room = dict(captions), _label_room(edges, column)
    labels = {edge: (_derivative(edge), NUMBER) for edge in edges}
    found, wider = None, Counter()
    while found is None or found[1] <= WRAP:  # a crowded picture grows as wide as a page, not further
        place, width, height = _place(column, rows, captions, room, wider)
        aside = _aside(edges, routes, place, captions)
        width = max(
            [width, *(place[name][0] + dx + width_of(captions[name], 13) / 2 + 8 for name, dx in aside.items())]
        )
        spots = _spots(edges, routes, place, captions, labels, aside)
        crowded = {column[wrt] for (_, wrt), spot in spots.items() if spot.covers}
        if found is None or width <= WRAP:
            found = place, width, height, aside
        if not crowded or width > WRAP:
            break
        wider.update(dict.fromkeys(crowded, STRETCH))
    place, width, height, aside = found
    return width, height, _routed(edges, routes, place, captions, labels, aside=aside)


def _routed(edges, routes, place, captions, labels, write=name_runs, under=(), aside=None):
    """Edges along their routes, the way back with its labels, and the quantities in circles; some captions stand `under` them, or `aside`."""
    aside = aside or {}
    shapes = [_forward(edge, _there(routes[edge], place)) for edge in edges]
    shapes += _way_back(edges, routes, place, captions, labels, aside)
    names = dict.fromkeys(name for edge in edges for name in reversed(edge))
    return (
        *shapes,
        *(
            _node(name, *place[name], RADIUS, 16, captions.get(name), write, name in under, aside.get(name, 0))
            for name in names
        ),
    )


def _there(route, place):
    """The way forward of an edge, from circle to circle."""
    points = [place[node] for node in route]
    return _cubic([_towards(points[0], points[1], RADIUS), *points[1:-1], _towards(points[-1], points[-2], RADIUS + 2)])


def _aside(edges, routes, place, captions):
    """How far the captions that edges cross are moved so that fewer do: by name, in pixels to the right."""
    if len(edges) > FEW:
        return {}
    ways = [
        curve
        for edge in edges
        for curve in (_there(routes[edge], place), _below([place[n] for n in routes[edge][::-1]]))
    ]
    inked = [along(curve, t / 60) for curve in ways for t in range(61)]
    boxes = {name: _caption_box(*place[name], runs) for name, runs in captions.items()}
    circles = [(x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS) for n, (x, y) in place.items() if isinstance(n, str)]
    moved = {}
    for name, (left, top, right, bottom) in boxes.items():
        others = [*circles, *(box for other, box in boxes.items() if other != name)]
        costs = {}
        for dx in (0, 10, 20, 30, 40, 50, -10, -20, -30, -40):
            box = left + dx, top, right + dx, bottom
            crossings = sum(box[0] < x < box[2] and top < y < bottom for x, y in inked)
            costs[dx] = crossings + 100 * (any(shared(box, other) for other in others) or box[0] < 4)
        best = min(costs, key=costs.get)
        if costs[best] < costs[0]:
            moved[name] = best
            boxes[name] = left + best, top, right + best, bottom
    return moved


def _caption_box(x, y, runs):
    half = width_of(runs, 13) / 2 + ROOM_BESIDE
    return x - half, y - RADIUS - 22, x + half, y - RADIUS - 4


def _label_room(edges, column):
    """How far apart the circles of neighbouring columns stand so that the labels between them cover none."""
    room = Counter()
    for of, wrt in edges:
        if column[of] == column[wrt] + 1:
            room[column[wrt]] = max(room[column[wrt]], _label_width(_derivative((of, wrt))) + 16)
    return room


def _derivative(edge):
    return (*partial_runs(*edge), (" = ", ""))


def _label_width(runs, room=NUMBER):
    return width_of(runs, 12) + room + 10


def _place(column, rows, captions, room, wider):
    """The centre of every node in pixels, and the size of the picture: columns as wide as their captions need."""
    widths = [2 * RADIUS] * (max(column.values()) + 1)
    for name, runs in captions.items():
        widths[column[name]] = max(widths[column[name]], width_of(runs, 13) - GAP * 0.45)
    crossings = _crossings(rows, column, len(widths))
    gaps = [max(GAP + min(90, 15 * max(0, crossing - 3)), room[c]) + wider[c] for c, crossing in enumerate(crossings)]
    lefts = [MARGIN + w + g for w, g in zip(accumulate(widths, initial=0), accumulate(gaps, initial=0), strict=False)]
    last = [
        width_of(runs, 13) / 2 - widths[-1] / 2 for name, runs in captions.items() if column[name] == len(widths) - 1
    ]
    reach = {node: RADIUS + (28 if node in captions else 6) for node in rows}  # a caption stands above its circle
    top = min(y - reach[node] for node, y in rows.items())
    place = {}
    for node, y in rows.items():
        c = node[2] if isinstance(node, tuple) else column[node]
        place[node] = (lefts[c] + widths[c] / 2, y - top)
    return place, lefts[-1] + widths[-1] + MARGIN + max([*last, 0]), max(rows.values()) + RADIUS + 26 - top


def _crossings(rows, column, count):
    """How many nodes stand in the fuller of each two neighbouring columns: their labels need room."""
    full = [0] * count
    for node in rows:
        full[node[2] if isinstance(node, tuple) else column[node]] += 1
    return [max(pair) for pair in itertools.pairwise(full)]


def _way_back(edges, routes, place, captions, labels, aside):
    """The backward edges below the forward ones, then the labels on top."""
    strokes, above = [], []
    for edge, spot in _spots(edges, routes, place, captions, labels, aside).items():
        strokes.append(_backward(edge, spot.curve))
        above += _label(edge, spot.x, spot.y, spot.width, labels[edge][0])
    return strokes + above


@dataclass(frozen=True)
class Spot:
    """Where the label of an edge stands on its way back, a curve, and how much it covers of what stands already."""

    curve: list
    width: float
    x: float
    y: float
    covers: float


def _spots(edges, routes, place, captions, labels, aside):
    """The `Spot` of every edge: each at the first place along its way back that is free."""
    spots, taken = {}, Taken()
    for node, (x, y) in place.items():
        if isinstance(node, str):
            taken.add((x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS + 18))
    for name, runs in captions.items():
        x, y = place[name]
        taken.add(_caption_box(x + aside.get(name, 0), y, runs))
    for edge in edges:
        curve, width = _below([place[node] for node in reversed(routes[edge])]), _label_width(*labels[edge])
        x, y, box = free_place(curve, width, taken)
        covered = taken.overlap((x - width / 2, y - LABEL / 2, x + width / 2, y + LABEL / 2))
        spots[edge] = Spot(curve, width, x, y, covered)
        taken.add(box)
    return spots


def _below(points):
    """The way back: leaves the circle lower than the forward edge arrives, and bows down."""
    (x0, y0), (x1, y1) = points[0], points[-1]
    start = _towards((x0, y0), (points[1][0], points[1][1] + 50), RADIUS + 1)
    end = _towards((x1, y1), (points[-2][0], points[-2][1] + 50), RADIUS + 2)
    inner = [(x, y + 14) for x, y in points[1:-1]]
    curve = _cubic([start, *inner, end])
    if not inner:
        curve = [start, (curve[1][0], curve[1][1] + 16), (curve[2][0], curve[2][1] + 16), end]
    return curve


# --- layers -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=32)
def _in_layers(edges, captions, places, factors):
    """A network with a node for each tensor: the layers in a row, weights and biases below what they make."""
    captions, places = dict(captions), dict(places)
    labels = {edge: (runs, SHAPE) for edge, runs in zip(edges, factors, strict=True)}
    names = dict.fromkeys(name for edge in edges for name in reversed(edge))
    row = sorted((name for name in names if places[name][0] == "tensor"), key=lambda name: places[name][1])
    skips = [edge for edge in edges if _skips(edge, row)]
    place, x, y, wrapped = {}, MARGIN + RADIUS, MARGIN + RADIUS + (26 + SKIP if skips else 26), []
    steps = [_step(pair, captions, labels) for pair in itertools.pairwise(row)]
    tied = [any(of in names and places[of][:2] == ("below", after) for of, wrt in edges if wrt == name) for name, after in itertools.pairwise(row)]  # fmt: skip
    for i, name in enumerate(row):
        place[name] = x, y
        if name == row[-1]:
            break
        x += steps[i]
        last = next(
            (k for k in range(i + 1, len(tied)) if not tied[k]), len(tied)
        )  # those that stay in one row with the next
        if (
            not tied[i]
            and x + math.fsum(steps[i + 1 : last]) + max(width_of(captions.get(row[last], ()), 13) / 2, 64 + RADIUS)
            > WRAP
        ):  # go on in a row below
            x = max(MARGIN + RADIUS + 110, MARGIN + width_of(captions.get(row[i + 1], ()), 13))
            y += ROW + (SKIP if skips else 0)
            wrapped.append((row[i + 1], name))
    for name, where in places.items():
        if where[0] == "below" and name in names:
            above = place[where[1]]
            place[name] = above[0] + (64 if where[1] == "L" else (-100, 60)[where[2]]), above[1] + 138
    routes = {(of, wrt): [wrt, of] for of, wrt in edges}
    for of, wrt in wrapped:
        lane = place[of][1] - (88 + SKIP if skips else 88)
        place |= {(of, 0): (place[wrt][0] - 40, lane), (of, 1): (place[of][0] + 40, lane)}
        routes[of, wrt] = [wrt, (of, 0), (of, 1), of]
    for of, wrt in skips:  # above the captions; from a row above on a lane of its own
        same = place[of][1] == place[wrt][1]
        lane, side = place[of][1] - (74 if same else 112 + SKIP), 50 if same else -50
        place |= {(of, wrt, 0): (place[wrt][0] + side, lane), (of, wrt, 1): (place[of][0] - side, lane)}
        routes[of, wrt] = [wrt, (of, wrt, 0), (of, wrt, 1), of]
    routes |= _under(edges, places, place)
    beside = {name: max(width_of(captions.get(name, ()), 13) / 2, RADIUS) for name in names}
    cut = MARGIN - min(place[name][0] - beside[name] for name in names)
    if cut > 0:  # a layer at the left end, its weights before it
        place = {name: (x + cut, y) for name, (x, y) in place.items()}
    right = max(place[name][0] + beside[name] for name in names)
    lanes = [x + 64 for name, (x, _) in place.items() if isinstance(name, tuple)]  # and the label on one
    right, low = max(right, *lanes, 0.0), max(y for _, y in place.values())
    under = {name for name in captions if places[name][0] == "below"}
    aside = {
        of: ASIDE - width_of(captions.get(of, ()), 13) / 2 for of, _ in wrapped
    }  # it makes way for the arrow from above
    width, height = right + MARGIN, low + RADIUS + (44 if under else 26)
    return width, height, _routed(edges, routes, place, captions, labels, layer_runs, under, aside)


def _step(pair, captions, labels):
    """How far apart two neighbours in a row stand, so that neither their captions nor the label between them meet."""
    name, following = pair
    wide = width_of(captions.get(name, ()), 13) + width_of(captions.get(following, ()), 13)
    return max(wide / 2 + 14, 2 * RADIUS + 26 + _label_width(*labels.get((following, name), ((), SHAPE))))


def _skips(edge, row):
    """Whether an edge leads past a neighbour in the row of layers."""
    of, wrt = edge
    return of in row and wrt in row and row.index(of) > row.index(wrt) + 1


def _under(edges, places, place):
    """The routes from weights to the loss, below their row, one under the other, and around the right end of the rows below it."""
    routes, lanes = {}, Counter()
    penalties = [(of, wrt) for of, wrt in edges if of == "L" and places[wrt][0] == "below" and wrt != "Y"]
    right = max(x for x, _ in place.values()) + RADIUS + 30
    for of, wrt in penalties:
        (x, y), (u, v) = place[wrt], place[of]
        lane = y + 78 + 26 * lanes[y]
        lanes[y] += 1
        ways = [(x + 60, lane), (u - 60, lane)]
        if y < v:  # the loss stands in a row below
            ways = [(x + 60, lane - 36), (right - 40, lane - 36), (right, lane), (right, v - 40), (right - 30, v)]
        place |= {(wrt, i): way for i, way in enumerate(ways)}
        routes[of, wrt] = [wrt, *((wrt, i) for i in range(len(ways))), of]
    return routes


# --- units ------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=32)
def _in_units(edges, places):
    """A network: a circle for each quantity of a unit, a small label for each weight on its edge and each bias at its unit."""
    stand = units(edges, dict(places))
    shapes, above, taken = [], [], _numbers_of(stand)
    for edge in edges:
        shapes += _unit_edge(edge, stand)
    for edge in edges:
        above += _unit_label(edge, stand, taken)
    small = [_small_node(name, stand) for name in stand.small]
    large = [_node(name, *stand.place[name], stand.radius, 13) for name in stand.large]
    return stand.width, stand.height, tuple(shapes + small + large + above)


def _unit_edge(edge, stand):
    """An edge and its way back; the edge of a weight or a bias is a piece of another, or short, and seen only where it is lit."""
    of, wrt = edge
    quiet = wrt in stand.small
    start, end = stand.place[wrt], stand.place[of]
    begin = _towards(start, end, 0.0 if quiet else stand.radius)
    stop = _towards(end, start, stand.radius + 2)
    bow = stand.bows.get(edge, 0.0)
    middle = ((begin[0] + stop[0]) / 2, (begin[1] + stop[1]) / 2 + bow)
    points = _cubic([begin, middle, stop]) if bow else [begin, stop]
    back = [(x, y + 7) for x, y in reversed(points)]
    back = back if bow else _cubic(back)
    straight = quiet and wrt in stand.biases
    return [_forward(edge, points, curved=bool(bow), quiet=quiet and not straight), _backward(edge, back, quiet=True)]


def _numbers_of(stand):
    """The boxes that hold the numbers of quantities: no label may cover them."""
    taken = Taken()
    for name in stand.large:
        x, y = stand.place[name]
        taken.add((x - stand.radius, y - 16, x + stand.radius, y + 20))
        taken.add((x - stand.radius, y + stand.radius + 4, x + stand.radius, y + stand.radius + 19))
    for name in () if stand.dots else stand.small:
        x, y = stand.place[name]
        taken.add((x - 24, y - 8, x + 24, y + 8))
        taken.add((x - 22, y - 21, x + 22, y - 10) if name in stand.biases else (x - 22, y + 10, x + 22, y + 22))
    return taken


def _unit_label(edge, stand, taken):
    """The term beside its edge, where it covers least, unless the edge has a weight whose number is the term."""
    of, wrt = edge
    if edge in stand.weighted:
        return []
    (x, y), (u, v) = stand.place[wrt], stand.place[of]
    small, over = wrt in stand.small, stand.bows.get(edge, -16)
    spots = [
        (x + (u - x) * t + aside, y + (v - y) * t + up)
        for up in ((0, -10, 10, -20, 20, -30, 30) if small else (over, over - 8, over + 8, over + 30))
        for aside in ((0, 16, -16, 34) if small else (0, 16, -16))
        for t in ((0.55, 0.45, 0.65, 0.75) if small else (0.5, 0.42, 0.58))
    ]
    boxes = [(p - 30, q - 9, p + 30, q + 9) for p, q in spots]
    costs = [taken.overlap(box) + 2 * place for place, box in enumerate(boxes)]
    spot = spots[costs.index(min(costs))]
    return _label(edge, *spot, 60, (("· ", ""),), 11, 17, quiet=True)


def _small_node(name, stand):
    """A weight or a bias: a label with its number, the gradient below; where there are many, a dot that tells when it is chosen."""
    x, y = stand.place[name]
    mark = _marks("n", name)
    if stand.dots:
        shapes = (Circle(x, y, 5, mark=mark),)
        return Group(shapes, name, name)
    off = -12 if name in stand.biases else 19  # below a bias is its unit
    pulled = Text(x, y + off, (), 10, BACKWARD, weight="bold", halo=True, slot=_marks("g", name))
    shapes = (Pill(x, y, 48, 16, MUTED, mark=mark), Text(x, y + 3.6, (), 10.5, slot=_marks("v", name)), pulled)
    return Group(shapes, name, name)
