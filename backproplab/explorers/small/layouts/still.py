"""The still of a layout: its four equations as matrices of numbers, the lit entry marked wherever it stands."""

from ....pictures.files import PAGE, Picture
from ....pictures.shapes import INK, MUTED, Stroke, Text
from .matrices import RESULTS, equation, facts_of
from .sheet import LAYOUTS

LEFT, TOP, CELL, ROOM = 24, 20, 24, 22  # in pixels; the room of a sign between two matrices
ABOVE, BELOW = 42, 44  # of a row of matrices: their names, their shapes
LIT = "#f5cf7a"
NAMES = {"D": (("δ", "i"),), "one": (("1", ""),), "dW": (("∂L/∂", ""), ("W", "i")), "dX": (("∂L/∂", ""), ("X", "i")), "db": (("∂L/∂", ""), ("b", "i"))}  # fmt: skip


def draw_layout(state):
    """The `Picture` of a state: the four equations, two beside each other where they fit a page."""
    facts, layout = facts_of(state), LAYOUTS[state.layout_name]
    told = facts["says"].rpartition(":")[0] + f": {facts['made']}" if facts["made"] else facts["says"]
    shapes, y, right = [_text(LEFT, TOP + 4, f"{state.layout_name}: {told}", 13, "start")], TOP, 0
    wide = {result: max(300, _equation(state, result, 0, 0)[1]) for result in RESULTS}
    half = LEFT + 30 + max(wide["Z"], wide["dX"])
    beside = half + max(wide["dW"], wide["db"]) <= PAGE
    for row in (RESULTS[:2], RESULTS[2:]) if beside else zip(RESULTS, strict=True):
        lowest = 0
        for result, x in zip(row, (LEFT, half), strict=False):
            drawn, end, high = _equation(state, result, x, y + ABOVE + 18)
            shapes += [_text(x, y + 30, layout.equations[result][2], 12, "start", MUTED), *drawn]
            right, lowest = max(right, end, x + wide[result]), max(lowest, high)
        y += ABOVE + lowest + BELOW
    label = f"{state.layout_name}: {'; '.join(row[2] for row in layout.equations.values())}"
    return Picture(max(right + 20, 560), y + 10, tuple(shapes), label)


def _equation(state, result, x, y):
    """(shapes, right end, height) of an equation drawn from x to the right and from y downwards."""
    first, parts = equation(state, result)
    high = CELL * max(part.numbers.shape[0] for part in (first, *parts[1::2]))
    shapes, x = list(_matrix(state, first, x, y, high)), x + CELL * first.numbers.shape[1]
    for sign, part in zip(parts[::2], parts[1::2], strict=True):
        shapes += [_text(x + ROOM / 2, y + high / 2 + 4, sign, 15)] if sign else []
        shapes += _matrix(state, part, x + ROOM, y, high)
        x += ROOM + CELL * part.numbers.shape[1]
    return shapes, x, high


def _matrix(state, part, x, y, high):
    """A matrix in the middle of the height, its name above and its shape below."""
    rows, columns = part.numbers.shape
    top, middle = y + (high - CELL * rows) / 2, x + CELL * columns / 2
    runs = NAMES.get(part.name, ((part.name, "i"),)) + ((("T", "sup"),) if part.text.endswith(".T") else ())
    yield Text(middle, top - 5, runs, 13)
    name, i, j = state.entry
    for row in range(rows):
        for column in range(columns):
            left, at = x + CELL * column, top + CELL * (row + 0.5)
            if (part.name, (column, row) if part.turned else (row, column)) == (name, (i, j)):
                yield Stroke(((left, at), (left + CELL, at)), LIT, CELL)
            yield _text(left + CELL / 2, at + 4, str(part.numbers[row, column]).replace("-", "−"), 12)
    bottom, right = top + CELL * rows, x + CELL * columns
    yield Stroke(((x, top), (right, top), (right, bottom), (x, bottom), (x, top)), MUTED, 1.2)
    yield _text(middle, bottom + 14, f"{rows} × {columns}", 11, color=MUTED)


def _text(x, y, text, size, anchor="middle", color=INK):
    return Text(x, y, ((text, ""),), size, color, anchor)
