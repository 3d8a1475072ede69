"""The explorer of a step size: three formulas that nudge one quantity, and how wrong each of them is at every step h."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from numbers import Real

import ipywidgets as widgets
import mpmath
import numpy as np

from ..notation import COLORS, latex_name, latex_number, latex_partial, number
from ..picture import INK, MUTED, Circle, Picture, Stroke, Text, name_runs, partial_runs
from ..witnesses import graph_case
from .graph_explorer import choices

LABELS = {"step": "step", "formula": "formula", "number": "its number", "error": "relative error", "true": "50 digits"}
PLACES = range(-40, -1)  # of the slider: 2 log10 h, half decades from 1e-20 to 1e-1
FIRST = 1e-4
FLOOR = 1e-17  # where an error of exactly 0 is drawn
BITS = 53  # of a float64
ONE = r"1 \cdot "  # before a power of ten
KINKS = re.compile(r"\b(abs|max|min|relu|leaky_relu)\s*\(", re.IGNORECASE)
LEFT, TOP, DECADE_X, DECADE_Y = 66, 40, 26, 15  # of the plot, in pixels


@dataclass(frozen=True)
class Formula:
    """One way to nudge: its number from f, x and h; how it is written, with @ for the quantity and # for the output; its line."""

    value: Callable
    latex: str
    written: str
    color: str
    width: float
    dashed: bool = False


FORMULAS = {
    "one-sided difference": Formula(
        lambda f, x, h: (f(x + h) - f(x)) / h, r"\frac{#(@ + h) - #(@)}{h}", "(#(@ + h) − #(@)) / h", COLORS[2], 1.6
    ),
    "central difference": Formula(
        lambda f, x, h: (f(x + h) - f(x - h)) / (2 * h), r"\frac{#(@ + h) - #(@ - h)}{2h}", "(#(@ + h) − #(@ − h)) / 2h", COLORS[3], 2, True
    ),
    "complex step": Formula(
        lambda f, x, h: f(x, h).imag / h, r"\frac{\operatorname{Im} #(@ + ih)}{h}", "Im #(@ + ih) / h", COLORS[1], 5
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """What the page is about: the derivative of `output` by `wrt` at these numbers, and its true value to 50 digits."""

    graph: object
    numbers: dict
    output: str
    wrt: str
    x: float
    loss: Callable = field(repr=False)
    true: object = field(repr=False)

    def at(self, x, imaginary=0):
        """The output where `wrt` is x, or x + i imaginary; at kinks 50 digits have no complex numbers, NumPy takes the real part."""
        if not imaginary:
            return self.loss(x)
        kinked = any(KINKS.search(line) for line in self.graph.lines.values())
        return complex(self.loss(complex(x, imaginary))) if kinked else self.loss(mpmath.mpc(x, imaginary))

    def value(self, name, h):
        """The number of a formula, NaN where it has none: in float64 with every operation rounded correctly.

        The plot is made of last digits, and so they are the same on every processor.
        """
        with mpmath.workprec(BITS):
            try:
                found = FORMULAS[name].value(self.at, mpmath.mpf(self.x), mpmath.mpf(h))
            except (ZeroDivisionError, OverflowError, ValueError):
                return math.nan
        return (
            math.nan if isinstance(found, mpmath.mpc) else float(found)
        )  # the logarithm of a negative number is complex

    def error(self, value):
        """How far a number is from the true one, relative to it."""
        with mpmath.workdps(50):
            return float(abs(value / self.true - 1))


def case_of(graph, wrt, output, numbers):
    """The case, checked. ValueError and TypeError as `explore_step`."""
    output = graph.output if output is None else output
    if output not in graph.lines:
        raise ValueError(f"explore_step: {output!r:.40} is not a line; the lines are {', '.join(graph.lines)}")
    if wrt not in choices(graph, output):
        raise ValueError(
            f"explore_step: {output} does not depend on {wrt!r:.40}; choose wrt among {', '.join(choices(graph, output))}"
        )
    trace = graph.forward(**numbers)
    for name, value in trace.items():
        if np.ndim(value):
            raise ValueError(
                f"explore_step: {name} is an array of shape {np.shape(value)}; the plot is about one number"
            )
    found = graph_case(graph, trace, output)
    true = found.exact()[wrt]
    if not true:
        raise ValueError(
            f"explore_step: d{output}/d{wrt} is 0 here, and no error is relative to 0; choose other numbers"
        )
    inputs = {name: trace[name] for name in graph.inputs}
    return Case(graph, inputs, output, wrt, trace[wrt], lambda value: found.loss(wrt, value), true)


def step_of(place):
    """The step at a place of the slider: 1e-4, 3.16228e-5, ..."""
    return float(f"{'1' if place % 2 == 0 else '3.16228'}e{place // 2}")


def checked_step(h):
    """h as a float. TypeError: no real number. ValueError: not finite or not above 0."""
    if isinstance(h, bool) or not isinstance(h, Real):
        raise TypeError(f"explore_step: h must be a number such as 1e-5, found {type(h).__name__} {h!r:.40}")
    if not (math.isfinite(h) and h > 0):
        raise ValueError(f"explore_step: h must be above 0 and finite, found {h}")
    return float(h)


# --- the picture --------------------------------------------------------------------------------------------------------


def draw_errors(case, curves, h):
    """The errors of each formula over the step, both in powers of ten, and where the step h stands."""
    low = round(math.log10(FLOOR))
    errors = [error for points in curves.values() for _, error in points if math.isfinite(error)]
    high = max(1, math.ceil(math.log10(max(errors, default=1.0) or 1.0)))
    left, right = PLACES[0] // 2, PLACES[-1] // 2
    width, height = (right - left) * DECADE_X, (high - low) * DECADE_Y
    bottom = TOP + height

    def at(step, error):
        x, y = math.log10(step), math.log10(max(error, FLOOR))
        return LEFT + min(max(x - left, 0), right - left) * DECADE_X, TOP + (high - min(y, high)) * DECADE_Y

    shapes = [Stroke(((LEFT, TOP), (LEFT, bottom), (LEFT + width, bottom)), MUTED, 1.0)]
    for power in range(left, right, 4):
        shapes.append(Text(LEFT + (power - left) * DECADE_X, bottom + 20, _power(power), 12, MUTED))
    for power in range(-16, high + 1, 4):
        y = TOP + (high - power) * DECADE_Y
        shapes += [
            Stroke(((LEFT, y), (LEFT + width, y)), MUTED, 0.4),
            Text(LEFT - 8, y + 4, _power(power), 12, MUTED, "end"),
        ]
    shapes += [
        Text(LEFT + width, bottom + 20, (("h", "i"),), 14, anchor="end"),
        Text(
            12,
            22,
            (("| ", ""), ("d", "i"), (" / (", ""), *partial_runs(case.output, case.wrt), (") − 1 |", "")),
            13,
            anchor="start",
        ),
    ]
    x, _ = at(h, 1.0)
    shapes.append(Stroke(((x, TOP), (x, bottom)), INK, 1.0, dashed=True))
    for row, (name, formula) in reversed(list(enumerate(FORMULAS.items()))):  # the widest line below the others
        points = tuple(at(step, error) for step, error in curves[name] if math.isfinite(error))
        if len(points) > 1:
            shapes.append(Stroke(points, formula.color, formula.width, formula.dashed))
        y, error = TOP + 18 + 24 * row, case.error(case.value(name, h))
        if math.isfinite(error):
            shapes.append(Circle(*at(h, error), 3 + formula.width, INK, formula.color))
        shapes.append(
            Stroke(
                ((LEFT + width + 16, y - 4), (LEFT + width + 46, y - 4)), formula.color, formula.width, formula.dashed
            )
        )
        shapes.append(Text(LEFT + width + 54, y, _runs(formula.written, case), 13, formula.color, "start"))
    label = f"|d / (d{case.output}/d{case.wrt}) - 1|, h = {number(h)}"
    return Picture(LEFT + width + 250, bottom + 34, tuple(shapes), label)


def _power(exponent):
    return (("1", ""),) if exponent == 0 else (("10", ""), (str(exponent).replace("-", "−"), "sup"))


def _runs(written, case):
    """A formula as runs: the names in italics."""
    names = {"@": name_runs(case.wrt), "#": name_runs(case.output), "h": (("h", "i"),), "i": (("i", "i"),)}
    return tuple(run for part in re.split(r"([@#h]|i(?=h))", written) if part for run in names.get(part, ((part, ""),)))


def page(case, picture, h):
    """The panel: the step, the three formulas with their numbers and errors, the plot."""
    head = "".join(
        f'<th style="padding:2px 12px;text-align:left">{LABELS[key]}</th>' for key in ("formula", "number", "error")
    )
    rows = ""
    for name, formula in FORMULAS.items():
        written = formula.latex.replace("#", latex_name(case.output)).replace("@", latex_name(case.wrt))
        value = case.value(name, h)
        cells = (
            f'<b style="color:{formula.color}">{escape(name)}</b>',
            f"${written}$",
            _shown(value, 6),
            _shown(case.error(value), 2),
        )
        rows += "<tr>" + "".join(f'<td style="padding:5px 12px">{cell}</td>' for cell in cells) + "</tr>"
    true = f"${latex_partial(case.output, case.wrt)} = {latex_number(float(case.true))}$"
    return (
        f'<div style="line-height:1.4"><div class="bp-step"><small>{LABELS["step"]}</small> $h = {latex_number(h).removeprefix(ONE)}$</div>'
        f'<div class="bp-picture" style="overflow-x:auto">{picture.svg}</div>'
        f'<table class="bp-errors" style="border-collapse:collapse"><thead><tr><th></th>{head}</tr></thead><tbody>{rows}</tbody></table>'
        f"<div style='padding-top:8px'><small>{LABELS['true']}</small> {true}</div></div>"
    )


def _shown(value, digits):
    return f"${latex_number(value, digits)}$" if math.isfinite(value) else "–"


# --- the widget ---------------------------------------------------------------------------------------------------------


class StepExplorer(widgets.VBox):
    """The widget that `explore_step` makes; `set(h=...)` does in code what the slider does by hand.

    `h` is the step; `values` and `errors` hold each formula's number and its relative error at this step, `curves` its
    errors at every step of the slider as pairs (h, error), `true` the right number, `svg` the plot as it is shown.
    """

    def __init__(self, graph, wrt, output, numbers):
        self._case = case_of(graph, wrt, output, numbers)
        steps = [step_of(place) for place in reversed(PLACES)]
        self._curves = {name: [(h, self._case.error(self._case.value(name, h))) for h in steps] for name in FORMULAS}
        self._syncing = False
        self._slider = widgets.IntSlider(
            min=PLACES[0], max=PLACES[-1], readout=False, layout=widgets.Layout(width="400px")
        )
        self._panel = widgets.HTMLMath(layout=widgets.Layout(min_width="0"))
        self._slider.observe(lambda change: self._slid(change["new"]), "value")
        self._show(FIRST)
        super().__init__(
            [
                widgets.HBox([widgets.HTML("<i>h</i>", layout=widgets.Layout(min_width="20px")), self._slider]),
                self._panel,
            ]
        )

    def _slid(self, place):
        if not self._syncing:
            self._show(step_of(place))

    def _show(self, h):
        """Bring the slider and the panel to the step: the panel is sent once."""
        picture = draw_errors(self._case, self._curves, h)
        html = page(self._case, picture, h)
        self._h, self._picture, self._syncing = h, picture, True
        try:
            self._slider.value = min(max(round(2 * math.log10(h)), PLACES[0]), PLACES[-1])
            self._panel.value = html
        finally:
            self._syncing = False

    def set(self, /, **changes):
        """Choose the step in code: e.set(h=1e-5). TypeError: no number. ValueError: not above 0, or anything else than h."""
        if changes.keys() != {"h"}:
            raise ValueError(
                f"explore_step: only h can be set, found {', '.join(changes) or 'nothing'}; for other numbers make another explorer"
            )
        self._show(checked_step(changes["h"]))

    @property
    def h(self):
        """The step; may be set."""
        return self._h

    @h.setter
    def h(self, h):
        self.set(h=h)

    @property
    def numbers(self):
        """The inputs' numbers, by name."""
        return dict(self._case.numbers)

    @property
    def output(self):
        """The quantity that is differentiated."""
        return self._case.output

    @property
    def wrt(self):
        """The quantity that is nudged."""
        return self._case.wrt

    @property
    def true(self):
        """The derivative, from the walk in 50 digits."""
        return float(self._case.true)

    @property
    def values(self):
        """The number of each formula at this step, NaN where it has none."""
        return {name: self._case.value(name, self.h) for name in FORMULAS}

    @property
    def errors(self):
        """The relative error of each formula at this step."""
        return {name: self._case.error(value) for name, value in self.values.items()}

    @property
    def curves(self):
        """The relative errors of each formula at every step of the slider: {name: [(h, error), ...]}."""
        return {name: list(points) for name, points in self._curves.items()}

    @property
    def svg(self):
        """The plot as it is shown."""
        return self._picture.svg

    def _repr_mimebundle_(self, **options):
        return super()._repr_mimebundle_(**options) | self._picture._repr_mimebundle_() | {"text/plain": repr(self)}

    def __repr__(self):
        numbers = ", ".join(f"{name}={number(value)}" for name, value in self.numbers.items())
        return f"explore_step(d{self.output}/d{self.wrt} at {numbers}, h={number(self.h)})"
