"""The still of a descent: the map with its lines of equal loss, and the ways down on it."""

from itertools import pairwise

from ....notation import COLORS, name_runs, number, short
from ....pictures.files import Picture
from ....pictures.shapes import CARD, INK, MUTED, Circle, Stroke, Text

LEFT, TOP, WIDE, BELOW = 50, 34, 640, 40  # of the map, in pixels
TALL, OTHERWISE = (0.4, 0.8), 0.62  # how tall a map may be for its width, and how tall if it would not be
LOOKS = (COLORS[3], False), (COLORS[2], True)  # of the two ways: color, dashed
MOST_DOTS = 250
TOLD = 17  # pixels between two lines of words


def draw_map(surface, contours, ways, step):
    """The map as a `Picture`; `ways` are [(optimizer, rate or None, points, losses)], `step` the one whose points are marked."""
    (left, right), (low, high) = surface.ranges
    alike = (high - low) / (right - left)
    tall = WIDE * (alike if TALL[0] <= alike <= TALL[1] else OTHERWISE)

    def place(point):
        return LEFT + (point[0] - left) / (right - left) * WIDE, TOP + (high - point[1]) / (high - low) * tall

    shapes = [*_contours(contours, tall), *_axes(surface, tall)]
    for (*_, points, _), (color, dashed) in reversed(list(zip(ways, LOOKS, strict=False))):
        shapes += _way([place(point) for point in points], color, dashed, (LEFT, TOP, LEFT + WIDE, TOP + tall), step)
    shapes.append(Circle(*place(ways[0][2][0]), 8, INK, "none", 2))
    words = [_words(surface, *way) for way in ways]
    for line, text in enumerate(words):
        shapes.append(Text(LEFT, TOP + tall + BELOW + TOLD * line, ((text, ""),), 13, LOOKS[line][0], "start"))
    line = surface.graph.lines[surface.graph.output]
    title = (*name_runs(surface.graph.output), (" = ", ""), *line.runs(60))
    shapes.append(Text(LEFT, 22, title, 14, anchor="start"))
    return Picture(LEFT + WIDE + 20, TOP + tall + BELOW + TOLD * len(words), tuple(shapes), "; ".join(words))


def _words(surface, optimizer, rate, points, losses):
    output = surface.graph.output
    head = optimizer if rate is None else f"{optimizer}, α = {number(rate)}"
    count = len(points) - 1
    if not count:
        return f"{head}: {output} = {short(losses[0])}, no step yet"
    return f"{head}: {output} from {short(losses[0])} to {short(losses[-1])} in {count} step{'s' if count > 1 else ''}"


def _contours(contours, tall):
    for row in contours:
        for flat in row["lines"]:
            points = tuple((LEFT + u * WIDE, TOP + (1 - v) * tall) for u, v in zip(flat[::2], flat[1::2], strict=True))
            yield Stroke(points, MUTED, 0.5)
    for row in contours:
        if row["label"]:
            u, v = row["label"]
            yield Text(LEFT + u * WIDE, TOP + (1 - v) * tall + 4, ((row["text"], ""),), 11, MUTED, halo=True)


def _axes(surface, tall):
    right, bottom = LEFT + WIDE, TOP + tall
    yield Stroke(((LEFT, TOP), (LEFT, bottom), (right, bottom), (right, TOP), (LEFT, TOP)), MUTED, 0.8)
    for share in (0, 0.25, 0.5, 0.75, 1):
        across, up = (low + share * (high - low) for low, high in surface.ranges)
        yield Text(LEFT + share * WIDE, bottom + 15, ((short(across, 3), ""),), 11, MUTED)
        yield Text(LEFT - 6, bottom - share * tall + 4, ((short(up, 3), ""),), 11, MUTED, "end")
    x, y = surface.names
    yield Text(LEFT + 0.875 * WIDE, bottom + 17, name_runs(x), 14)
    yield Text(LEFT - 14, bottom - 0.875 * tall + 4, name_runs(y), 14)


def _way(places, color, dashed, frame, step):
    """The line of a way where it is on the map, a dot for each of its points unless they are many, the marked one larger."""
    cuts = (_clip(one, other, frame) for one, other in pairwise(places))
    for piece in _joined(cut for cut in cuts if cut):
        yield Stroke(tuple(piece), color, 1.6, dashed)
    left, top, right, bottom = frame
    for i, (x, y) in enumerate(places):
        now = i == min(step, len(places) - 1)
        if (now or len(places) <= MOST_DOTS) and left <= x <= right and top <= y <= bottom:
            yield Circle(x, y, 5.5 if now else 2, color, CARD if now else color, 2.4 if now else 1)


def _clip(one, other, frame):
    """The part of a straight line inside the frame, None where there is none. Source: Y.-D. Liang and B. A. Barsky, 1984."""
    start, end = 0.0, 1.0
    for axis in (0, 1):
        run = other[axis] - one[axis]
        for ahead, room in ((-run, one[axis] - frame[axis]), (run, frame[axis + 2] - one[axis])):
            if ahead == 0 and room < 0:
                return None
            if ahead < 0:
                start = max(start, room / ahead)
            elif ahead > 0:
                end = min(end, room / ahead)
    if start > end:
        return None
    return tuple(tuple(a + t * (b - a) for a, b in zip(one, other, strict=True)) for t in (start, end))


def _joined(pieces):
    """Straight pieces put together where one begins as the one before ends."""
    chain = []
    for one, other in pieces:
        if chain and chain[-1] == one:
            chain.append(other)
        else:
            if chain:
                yield chain
            chain = [one, other]
    if chain:
        yield chain
