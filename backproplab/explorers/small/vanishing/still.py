"""The still: the size of delta and of the gradient in each layer, and below it the factors of each step back."""

import math
from itertools import pairwise

from ....notation import COLORS, short
from ....pictures.files import Picture
from ....pictures.shapes import CARD, INK, MUTED, Circle, Stroke, Text
from .sheet import WORDS, outcome, title_of, zeros_from

LEFT, WIDE, TOP, TALL, LOW_TOP, LOW_TALL = 62, 620, 62, 210, 336, 150  # the two plots, in pixels
LEAST = (8, 2)  # decades that each of them spans at least
LOOKS = {  # color, dashed, a line through the dots
    "deltas": (COLORS[3], False, True),
    "gradients": (COLORS[2], True, True),
    "weights": (COLORS[4], False, False),
    "slopes": (COLORS[1], False, False),
    "norm": (COLORS[5], False, False),
    "past": (COLORS[0], False, False),
    "product": (INK, False, True),
    "ratio": (COLORS[3], False, False),
}


def draw_sizes(state, sizes):
    """Both plots as a `Picture`; a number that is 0 or past float64 has no place in them."""
    above, reach = (
        {"deltas": sizes.deltas, "gradients": sizes.gradients},
        {"deltas": sizes.largest_deltas, "gradients": sizes.largest_gradients},
    )
    below = {name: [factor[i] for factor in sizes.factors] for i, name in enumerate(sizes.factors[0]._fields)}
    x = [LEFT + (layer + 0.5) * WIDE / state.depth for layer in range(state.depth)]
    head, more = _said(state, sizes)
    shapes = [Text(LEFT, 22, ((f"{title_of(state)}: {head}", ""),), 14, anchor="start", weight="bold")]
    shapes.append(Text(LEFT, 42, ((more, ""),), 13, anchor="start"))
    shapes += _plot(above, x, TOP, TALL, LEAST[0], reach)
    between = [(one + other) / 2 for one, other in pairwise(x)]
    shapes += _plot(below, between, LOW_TOP, LOW_TALL, LEAST[1])
    named = [
        ("product", "together") if name == "product" and any(below["past"]) else (name, name)
        for name in below
        if any(below[name])
    ]
    shapes += _legend([(name, name) for name in above], TOP + TALL + 38)
    shapes.append(Text(LEFT + WIDE, TOP + TALL + 38, ((WORDS["largest"], ""),), 12, MUTED, "end"))
    shapes += _legend(named, LOW_TOP + LOW_TALL + 38)
    shapes += _layers(x, TOP + TALL + 16)
    return Picture(LEFT + WIDE + 24, LOW_TOP + LOW_TALL + 54, tuple(shapes), f"{title_of(state)}: {head}")


def _said(state, sizes):
    """What becomes of delta, and from where to where it goes, if it goes."""
    word, factor = outcome(sizes)
    name, layer = sizes.overflow[:2] if sizes.overflow else ("", zeros_from(sizes))
    head = WORDS[word].format(layer=layer, name=name)
    if not factor:
        return head, ""
    ends = {"first": short(sizes.deltas[-1]), "last": short(sizes.deltas[0])}
    return head, WORDS["still"].format(factor=short(factor, 3), depth=state.depth, **ends)


def _logs(columns):
    return {
        name: [math.log10(v) if v and math.isfinite(v) else None for v in column] for name, column in columns.items()
    }


def _plot(columns, x, top, tall, least, reach=None):
    """Axes in powers of ten, and each column's dots and line; thin lines up to what a column reaches."""
    logs, reached = _logs(columns), _logs(reach or {})
    known = [value for column in (*logs.values(), *reached.values()) for value in column if value is not None]
    high = math.ceil(max(known, default=0.0) + 0.05)
    low = math.floor(min(known, default=0.0) - 0.05)
    middle = max(0, least - (high - low))
    low, high = low - (middle + 1) // 2, high + middle // 2
    every = max(1, math.ceil((high - low) / 8))

    def y(value):
        return top + (high - value) / (high - low) * tall

    for power in range(low, high + 1):
        if power % every == 0:
            yield Stroke(((LEFT, y(power)), (LEFT + WIDE, y(power))), MUTED, 1.4 if power == 0 else 0.4)
            runs = (("1", ""),) if power == 0 else (("10", ""), (str(power).replace("-", "−"), "sup"))
            yield Text(LEFT - 8, y(power) + 4, runs, 12, MUTED, "end")
    yield Stroke(((LEFT, top), (LEFT, top + tall), (LEFT + WIDE, top + tall)), MUTED, 1.0)
    for name, column in reversed(logs.items()):
        color, dashed, lined = LOOKS[name]
        places = [(at, y(value)) for at, value in zip(x, column, strict=True) if value is not None]
        if lined and len(places) > 1:
            yield Stroke(tuple(places), color, 1.6, dashed)
        for at, value, most in zip(x, column, reached.get(name, column), strict=True):
            if most != value:
                yield Stroke(((at, y(value)), (at, y(most))), color, 0.8)
        for place in places:
            yield Circle(*place, 4.4 if name == "ratio" else 2.8, color, CARD if name == "ratio" else color)


def _legend(names, y):
    at = LEFT
    for name, word in names:
        color = LOOKS[name][0]
        yield Circle(at + 5, y - 4, 4.4, color, CARD if name == "ratio" else color)
        yield Text(at + 15, y, ((WORDS[word], ""),), 12, INK, "start")
        at += 40 + 7 * len(WORDS[word])


def _layers(x, y):
    every = max(1, math.ceil(len(x) / 20))
    for layer, at in enumerate(x, 1):
        if layer == 1 or layer % every == 0:
            yield Text(at, y, ((str(layer), ""),), 11, MUTED)
    yield Text(LEFT - 8, y, ((WORDS["layer"], ""),), 11, MUTED, "end")
