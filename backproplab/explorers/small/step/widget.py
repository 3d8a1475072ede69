"""The explorer of a step size: three formulas that nudge one quantity, and how wrong each of them is at every step h."""

import math
import pathlib
import re
from numbers import Real

from ....checking import step_sizes
from ....notation import COLORS, name_runs, number
from ....pictures.files import Picture
from ....pictures.shapes import INK, MUTED, Circle, Stroke, Text, width_of
from ... import page
from ...life import Explorer, keep
from .sheet import PLACES, WORDS, axis_title, remembering, row_of, sheet_of, step_of

ROOMS, LOOKS = ("numbers", "elements", "small/step/step", "bridge"), ("page", "small/step/step")
FIRST = 1e-4
DECADES = range(PLACES[0] // 2, 1)
HIGHEST = 8  # decade that is drawn; larger errors stand at the rim
LOW = -18  # the decade at which an error of exactly 0 stands
LEFT, TOP, DECADE_X, DECADE_Y = 66, 40, 26, 15  # of the plot, in pixels
STYLES = {  # of a formula, with @ for the quantity and # for the output: as runs; its line: color, width, dashed
    "one-sided difference": ("(#(@ + h) − #(@)) / h", COLORS[2], 1.6, False),
    "central difference": ("(#(@ + h) − #(@ − h)) / 2h", COLORS[3], 2.0, True),
    "complex step": ("Im #(@ + ih) / h", COLORS[1], 5.0, False),
}


def checked_step(h):
    """h as a float. TypeError: no real number. ValueError: not above 0, or above 1."""
    if isinstance(h, bool) or not isinstance(h, Real):
        raise TypeError(f"explore_step: h must be a number such as 1e-5, found {type(h).__name__} {h!r:.40}")
    if not 0 < h <= 1:
        raise ValueError(f"explore_step: h must be above 0 and at most 1, found {h}; a larger step is no nudge")
    if not float(h):
        raise ValueError(f"explore_step: h must be above 0, found {h!r:.40}, which as a float is 0")
    return float(h)


# --- the still ----------------------------------------------------------------------------------------------------------


def draw_errors(nudge, curves, row):
    """The errors of each formula over the step, both in powers of ten, and where the step of the row stands."""
    errors = [error for points in curves.values() for _, error in points if math.isfinite(error)]
    high = min(max(1, math.ceil(math.log10(max(errors, default=1.0) or 1.0))), HIGHEST)
    bottom, right = TOP + (high - LOW) * DECADE_Y, LEFT + (DECADES[-1] - DECADES[0]) * DECADE_X
    (x, _), shapes = _place(row["h"], 1.0, high), list(_axes(nudge, high, bottom, right, 0.0 in errors))
    shapes.append(Stroke(((x, TOP), (x, bottom)), INK, 1.0, dashed=True))
    for place, name in reversed(list(enumerate(STYLES))):  # the widest line below the others
        (written, color, thick, dashed), found = STYLES[name], row["formulas"][place]
        shapes += _line(curves[name], color, thick, dashed, high)
        y = TOP + 18 + 46 * place
        if found["error"] is not None:
            shapes.append(Circle(*_place(row["h"], found["error"], high), 3 + thick, INK, color))
        shapes.append(Stroke(((right + 16, y - 4), (right + 46, y - 4)), color, thick, dashed))
        shapes.append(Text(right + 54, y, _runs(written, nudge), 13, color, "start"))
        shapes.append(Text(right + 54, y + 18, ((found["said"].partition(",")[0], ""),), 12, MUTED, "start"))
    wide = max(width_of(_runs(written, nudge), 13) for written, *_ in STYLES.values())
    label = f"|d / (d{nudge.output}/d{nudge.wrt}) - 1|, h = {number(row['h'])}"
    return Picture(max(right + 260, right + 74 + wide), bottom + 34, tuple(shapes), label)


def _place(step, error, high):
    """Where a step and an error stand in the plot, which ends at 10**high; an error of 0 at its rim."""
    x, y = math.log10(step), math.log10(max(error, 10.0 ** (LOW + 1))) if error else LOW
    x = min(max(x, DECADES[0]), DECADES[-1])
    return LEFT + (x - DECADES[0]) * DECADE_X, TOP + (high - min(y, high)) * DECADE_Y


def _line(points, color, thick, dashed, high):
    """The line of a formula in pieces, which end where it has no error or none that a logarithm knows."""
    pieces = [[]]
    for step, error in points:
        if error > 0 and math.isfinite(error):
            pieces[-1].append(_place(step, error, high))
        else:
            pieces.append([])
            if error == 0:
                yield Circle(*_place(step, error, high), thick / 2 + 1, color, color)
    for piece in pieces:
        if len(piece) > 1:
            yield Stroke(tuple(piece), color, thick, dashed)
        elif piece:
            yield Circle(*piece[0], thick / 2 + 0.5, color, color)


def _axes(nudge, high, bottom, right, exact):
    yield Stroke(((LEFT, TOP), (LEFT, bottom), (right, bottom)), MUTED, 1.0)
    for power in DECADES[::4]:
        yield Text(LEFT + (power - DECADES[0]) * DECADE_X, bottom + 18, _power(power), 12, MUTED)
    for power in range(-16, high + 1, 4):
        y = TOP + (high - power) * DECADE_Y
        yield Stroke(((LEFT, y), (right, y)), MUTED, 0.4)
        yield Text(LEFT - 8, y + 4, _power(power), 12, MUTED, "end")
    if exact:
        yield Text(LEFT - 8, bottom + 4, ((WORDS["rim"], ""),), 12, MUTED, "end")
    yield Text(right, bottom + 31, (("h", "i"),), 14, anchor="end")
    yield Text(12, 22, axis_title(nudge), 13, anchor="start")


def _power(exponent):
    return (("1", ""),) if exponent == 0 else (("10", ""), (str(exponent).replace("-", "−"), "sup"))


def _runs(written, nudge):
    """A formula as runs: the names in italics."""
    names = {"@": name_runs(nudge.wrt), "#": name_runs(nudge.output), "h": (("h", "i"),), "i": (("i", "i"),)}
    return tuple(run for part in re.split(r"([@#h]|i(?=h))", written) if part for run in names.get(part, ((part, ""),)))


# --- the widget ---------------------------------------------------------------------------------------------------------


class StepExplorer(Explorer):
    """The widget that `explore_step` makes; `set(h=...)` does in code what the slider does by hand.

    `h` is the step; `values` and `errors` hold each formula's number and its relative error at this step, `curves` its
    errors at every step of the slider as pairs (h, error), `true` the right number, `still` the plot as a `Picture`.
    """

    _esm = page.script(ROOMS)
    _css = page.style(LOOKS)

    def __init__(self, graph, wrt, output, numbers):
        self._nudge = remembering(step_sizes.nudge(graph, wrt, output, numbers, "explore_step"))
        rows = [row_of(self._nudge, step_of(place)) for place in PLACES]
        self._curves = {
            name: [(row["h"], _number(row["formulas"][place]["error"])) for row in reversed(rows)]
            for place, name in enumerate(STYLES)
        }
        self._row = row_of(self._nudge, FIRST)
        super().__init__(sheet=sheet_of(self._nudge, rows), state=self._state())
        self.on_msg(self._heard)
        keep(self)

    def _state(self):
        """The step, and all that the page shows there."""
        return {"h": self._row["h"], "row": self._row}

    def _go(self, h):
        self._row = row_of(self._nudge, checked_step(h))
        self.state = self._state()

    def set(self, /, **changes):
        """Choose the step in code: e.set(h=1e-5). TypeError: no number. ValueError: not above 0, or anything else than h."""
        if changes.keys() != {"h"}:
            raise ValueError(
                f"explore_step: only h can be set, found {', '.join(changes) or 'nothing'}; for other numbers make another explorer"
            )
        self._go(changes["h"])
        self.send({"state": self.state})

    def _heard(self, _, message, buffers):
        """The page asks for a step, or says that it went to one: the answer is what Python computes there."""
        turn = message.get("turn")
        try:
            self._go(message["state"]["h"])
            self.send({"turn": turn, "row": self._row})
        except Exception as error:  # what a page says is a stranger's word: the answer stands in the page
            self.send({"turn": turn, "error": f"{type(error).__name__}: {error}"})

    @property
    def h(self):
        """The step; may be set."""
        return self._row["h"]

    @h.setter
    def h(self, h):
        self.set(h=h)

    @property
    def numbers(self):
        """The inputs' numbers, by name."""
        return dict(self._nudge.numbers)

    @property
    def output(self):
        """The quantity that is differentiated."""
        return self._nudge.output

    @property
    def wrt(self):
        """The quantity that is nudged."""
        return self._nudge.wrt

    @property
    def true(self):
        """The derivative, from the walk in 50 digits."""
        return float(self._nudge.true)

    @property
    def values(self):
        """The number of each formula at this step, NaN where it has none."""
        return {name: self._nudge.value(name, self.h) for name in STYLES}

    @property
    def errors(self):
        """The relative error of each formula at this step."""
        return {name: self._nudge.error(value) for name, value in self.values.items()}

    @property
    def curves(self):
        """The relative errors of each formula at every step of the slider: {name: [(h, error), ...]}."""
        return {name: list(points) for name, points in self._curves.items()}

    @property
    def still(self):
        """The plot, and how many digits are right, as a `Picture`."""
        return draw_errors(self._nudge, self._curves, self._row)

    def save(self, path):
        """Write the page as one HTML file that needs no kernel and no network. OSError: it cannot be written."""
        title = f"d{self.output}/d{self.wrt}, nudged"[:60]
        written = page.as_file(self.sheet, self._state(), title, ROOMS, LOOKS)
        pathlib.Path(path).write_text(written, encoding="utf-8")

    def __repr__(self):
        numbers = ", ".join(f"{name}={number(value)}" for name, value in self.numbers.items())
        return f"explore_step(d{self.output}/d{self.wrt} at {numbers}, h={number(self.h)})"


def _number(error):
    return math.nan if error is None else error
