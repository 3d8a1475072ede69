"""The still of a softmax: logits, probabilities as bars, the Jacobian in cells, and P - Y below it."""

from ....notation import short
from ....pictures.files import Picture
from ....pictures.heat import color
from ....pictures.shapes import INK, MUTED, Stroke, Text
from .sheet import WORDS, facts_of, lowered, numbers_of

LEFT, TOP, ROW, BAR = 30, 54, 30, 150  # of the rows, in pixels; of a bar that is full
TABLE, WIDE, GAP, TINT = 390, 62, 3, 0.55  # of the Jacobian; how deep its deepest colour is
STEEPEST = 0.25  # the largest entry of any Jacobian of a softmax, p (1 - p) at p = 1/2


def draw_softmax(state):
    """The `Picture` of a state."""
    found, facts, count = numbers_of(state), facts_of(state), len(state.logits)
    shapes = [_text(LEFT, 24, WORDS["bars"], 13, "start"), _text(TABLE - 34, 24, WORDS["table"], 13, "start")]
    for j, z in enumerate(state.logits):
        y = TOP + j * ROW + ROW / 2
        shapes += _bar(j, z, float(found.probabilities[j]), facts[f"p:{j}"], y, state.label)
        shapes += [_name("p", j, TABLE - 12, y + 5), _name("z", j, TABLE + (j + 0.5) * WIDE, TOP - 8)]
        for k in range(count):
            shapes += _cell(found.jacobian[j, k] / STEEPEST, facts[f"J:{j}:{k}"], k, y)
        shapes.append(_text(TABLE + (count + 0.4) * WIDE, y + 4, facts[f"row:{j}"], 12, color=MUTED))
    bottom = TOP + count * ROW
    shapes.append(_text(TABLE + (count + 0.4) * WIDE, TOP - 8, WORDS["sum"], 12, color=MUTED))
    for line, (slot, title) in enumerate((("column", WORDS["sum"]), ("long", "Jᵀ ∂L/∂p"), ("short", "P − Y"))):
        y = bottom + ROW * (line + 0.5) + 4
        shapes.append(_text(TABLE - 12, y + 4, title, 12, "end", MUTED if slot == "column" else INK))
        for k in range(count):
            if slot == "short":
                shapes += _cell(found.gradient[k], facts[f"short:{k}"], k, y)
            else:
                shapes.append(_text(TABLE + (k + 0.5) * WIDE, y + 4, facts[f"{slot}:{k}"], 12, color=MUTED))
    lines = [facts["L"], facts["says"], facts["entry"]]
    shapes += [_text(LEFT, bottom + 4 * ROW + 10 + 19 * i, line, 13, "start") for i, line in enumerate(lines)]
    right = max(TABLE + (count + 1) * WIDE, 760)
    return Picture(right, bottom + 4 * ROW + 66, tuple(shapes), f"softmax; {'; '.join(lines)}")


def _text(x, y, text, size, anchor="middle", color=INK):
    return Text(x, y, ((text, ""),), size, color, anchor)


def _name(letter, place, x, y):
    return Text(x, y, ((letter, "i"), (str(place + 1), "sub")), 15)


def _bar(j, z, p, text, y, label):
    """The row of a logit: its number, its probability as a bar, and a frame around a bar's whole length at the label."""
    yield Text(LEFT, y + 5, (("z", "i"), (str(j + 1), "sub"), (f" = {short(z)}", "")), 14, anchor="start")
    start = LEFT + 96
    yield Stroke(((start, y), (start + max(p * BAR, 1), y)), "#00736a", 14)
    if j == label:
        corners = ((start, y - 9), (start + BAR, y - 9), (start + BAR, y + 9), (start, y + 9), (start, y - 9))
        yield Stroke(corners, INK, 1, dashed=True)
        yield _text(start + BAR - 4, y + 22, f"y{lowered(j)} = 1", 11, "end", MUTED)
    yield _text(start + BAR + 8, y + 5, text, 13, "start")


def _cell(share, text, k, y):
    """A number on its colour."""
    x = TABLE + k * WIDE
    yield Stroke(((x + GAP, y), (x + WIDE - GAP, y)), color(TINT * float(share)), ROW - 2 * GAP)
    yield _text(x + WIDE / 2, y + 4, text, 12)
