"""The still of an activation: its curve with the tangent, below it its slope, and the numbers at z."""

from .....functions.activations import ACTIVATIONS
from .....notation import COLORS, short
from .....pictures.files import Picture
from .....pictures.shapes import INK, Stroke, Text
from ..over_z import BELOW, LEFT, TOP, Plane, reach
from .sheet import SAYS, saturation, slope_of, value_of, windows

WIDE, HIGH, LOW, GAP = 640, 230, 130, 46  # of the planes, in pixels
TOLD = 18  # pixels between two lines of words
LONG, TINY = 0.22, 1e-9  # of the plane's width, a tangent to each side; beside a jump


def color_of(name):
    """The colour of an activation, everywhere the same."""
    return COLORS[list(ACTIVATIONS).index(name) % len(COLORS)]


def draw_curves(name, z, beside):
    """The planes as a `Picture`; `name` is the activation with the tangent, `beside` the others."""
    limit, names = reach(z), (name, *beside)
    both = windows(names, limit, z)
    above = Plane(LEFT, TOP, WIDE, HIGH, limit, both[0])
    below = Plane(LEFT, TOP + HIGH + GAP, WIDE, LOW, limit, both[1])
    low, high = saturation(name)
    shapes = []
    for plane, text in ((above, "g(z)"), (below, "g′(z)")):
        shapes += [] if low is None else plane.shade(-limit, low)
        shapes += [] if high is None else plane.shade(high, limit)
        shapes += plane.axes(((text, "i"),))
        shapes += plane.cut(z)
    for each in reversed(names):
        shapes += _curves(above, below, each, z, each == name)
    shapes += _tangent(above, below, name, z)
    bottom = TOP + HIGH + GAP + LOW
    shapes.append(Text(LEFT + WIDE, bottom + 28, (("z", "i"),), 14, anchor="end"))
    said = [_words(each, z) for each in names]
    for line, text in enumerate(said):
        y = bottom + BELOW + 8 + TOLD * line
        shapes.append(Text(LEFT, y, ((text, ""),), 13, color_of(names[line]), "start"))
    return Picture(LEFT + WIDE + 20, bottom + BELOW + 2 + TOLD * len(said), tuple(shapes), "; ".join(said))


def _words(name, z):
    value, slope = (short(float(of(name, z))) for of in (value_of, slope_of))
    return f"{name}: z = {short(z)}, g(z) = {value}, g′(z) = {slope}; largest slope {SAYS[name][1]}"


def _curves(above, below, name, z, first):
    """A curve and its slope, which is in two pieces where it jumps, and the points at z."""
    color, width, far = color_of(name), 2.6 if first else 1.5, above.limit
    yield from above.curve(lambda zs: value_of(name, zs), color, width, not first)
    for start, end in ((-far, -TINY), (TINY, far)) if ACTIVATIONS[name].kinked else ((-far, far),):
        yield from below.curve(lambda zs: slope_of(name, zs), color, width, not first, start, end)
    if not first:
        yield from above.point(z, float(value_of(name, z)), color, 3)
        yield from below.point(z, float(slope_of(name, z)), color, 3)


def _tangent(above, below, name, z):
    """The tangent, a step of 1 to the right along it, and the slope as a height in the plane below."""
    value, slope = float(value_of(name, z)), float(slope_of(name, z))
    color, long = color_of(name), LONG * 2 * above.limit
    ends = [max(-above.limit, min(above.limit, z + side * long)) for side in (-1, 1)]
    yield from above.pieces([(end, value + (end - z) * slope) for end in ends], INK, 1.8)
    yield Stroke((below.at(z, 0), below.at(z, slope)), color, 4)
    yield from above.point(z, value, color, 5.5)
    yield from below.point(z, slope, color, 5.5)
