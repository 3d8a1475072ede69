"""The explorer of a step size: three formulas that nudge one quantity, and how wrong each of them is at every step h."""

import math
import re
from html import escape
from numbers import Real

import ipywidgets as widgets

from ..checking import step_sizes
from ..notation import COLORS, latex_name, latex_number, latex_partial, name_runs, number, partial_runs
from ..pictures.files import Picture
from ..pictures.shapes import INK, MUTED, Circle, Stroke, Text

LABELS = {"step": "step", "formula": "formula", "number": "its number", "error": "relative error", "true": "50 digits"}
PLACES = range(-40, -1)  # of the slider: 2 log10 h, half decades from 1e-20 to 1e-1
FIRST = 1e-4
DECADES = range(PLACES[0] // 2, PLACES[-1] // 2 + 1)
HIGHEST = 8  # decade that is drawn; larger errors stand at the rim
LOW = -17  # the decade at which an error of exactly 0 is drawn
ONE = r"1 \cdot "  # before a power of ten
LEFT, TOP, DECADE_X, DECADE_Y = 66, 40, 26, 15  # of the plot, in pixels
STYLES = {  # of a formula, with @ for the quantity and # for the output: in LaTeX, as runs; its line: color, width, dashed
    "one-sided difference": (r"\frac{#(@ + h) - #(@)}{h}", "(#(@ + h) − #(@)) / h", COLORS[2], 1.6, False),
    "central difference": (r"\frac{#(@ + h) - #(@ - h)}{2h}", "(#(@ + h) − #(@ − h)) / 2h", COLORS[3], 2.0, True),
    "complex step": (r"\frac{\operatorname{Im} #(@ + ih)}{h}", "Im #(@ + ih) / h", COLORS[1], 5.0, False),
}


def step_of(place):
    """The step at a place of the slider: 1e-4, 3.16228e-5, ..."""
    return float(f"{'1' if place % 2 == 0 else '3.16228'}e{place // 2}")


def checked_step(h):
    """h as a float. TypeError: no real number. ValueError: not above 0, or above 1."""
    if isinstance(h, bool) or not isinstance(h, Real):
        raise TypeError(f"explore_step: h must be a number such as 1e-5, found {type(h).__name__} {h!r:.40}")
    if not 0 < h <= 1:
        raise ValueError(f"explore_step: h must be above 0 and at most 1, found {h}; a larger step is no nudge")
    return float(h)


# --- the picture --------------------------------------------------------------------------------------------------------


def draw_errors(nudge, curves, h):
    """The errors of each formula over the step, both in powers of ten, and where the step h stands."""
    errors = [error for points in curves.values() for _, error in points if math.isfinite(error)]
    high = min(max(1, math.ceil(math.log10(max(errors, default=1.0) or 1.0))), HIGHEST)
    bottom, right = TOP + (high - LOW) * DECADE_Y, LEFT + (DECADES[-1] - DECADES[0]) * DECADE_X
    (x, _), shapes = _place(h, 1.0, high), list(_axes(nudge, high, bottom, right))
    shapes.append(Stroke(((x, TOP), (x, bottom)), INK, 1.0, dashed=True))
    for row, name in reversed(list(enumerate(STYLES))):  # the widest line below the others
        _, written, color, thick, dashed = STYLES[name]
        points = tuple(_place(step, error, high) for step, error in curves[name] if math.isfinite(error))
        if len(points) > 1:
            shapes.append(Stroke(points, color, thick, dashed))
        y, error = TOP + 18 + 24 * row, nudge.error(nudge.value(name, h))
        if math.isfinite(error):
            shapes.append(Circle(*_place(h, error, high), 3 + thick, INK, color))
        shapes.append(Stroke(((right + 16, y - 4), (right + 46, y - 4)), color, thick, dashed))
        shapes.append(Text(right + 54, y, _runs(written, nudge), 13, color, "start"))
    label = f"|d / (d{nudge.output}/d{nudge.wrt}) - 1|, h = {number(h)}"
    return Picture(right + 250, bottom + 34, tuple(shapes), label)


def _place(step, error, high):
    """Where a step and an error stand in the plot, which ends at 10**high."""
    x, y = math.log10(step), math.log10(max(error, 10.0**LOW))
    x = min(max(x, DECADES[0]), DECADES[-1])
    return LEFT + (x - DECADES[0]) * DECADE_X, TOP + (high - min(y, high)) * DECADE_Y


def _axes(nudge, high, bottom, right):
    yield Stroke(((LEFT, TOP), (LEFT, bottom), (right, bottom)), MUTED, 1.0)
    for power in DECADES[:-1:4]:
        yield Text(LEFT + (power - DECADES[0]) * DECADE_X, bottom + 20, _power(power), 12, MUTED)
    for power in range(-16, high + 1, 4):
        y = TOP + (high - power) * DECADE_Y
        yield Stroke(((LEFT, y), (right, y)), MUTED, 0.4)
        yield Text(LEFT - 8, y + 4, _power(power), 12, MUTED, "end")
    yield Text(right, bottom + 20, (("h", "i"),), 14, anchor="end")
    title = (("| ", ""), ("d", "i"), (" / (", ""), *partial_runs(nudge.output, nudge.wrt), (") − 1 |", ""))
    yield Text(12, 22, title, 13, anchor="start")


def _power(exponent):
    return (("1", ""),) if exponent == 0 else (("10", ""), (str(exponent).replace("-", "−"), "sup"))


def _runs(written, nudge):
    """A formula as runs: the names in italics."""
    names = {"@": name_runs(nudge.wrt), "#": name_runs(nudge.output), "h": (("h", "i"),), "i": (("i", "i"),)}
    return tuple(run for part in re.split(r"([@#h]|i(?=h))", written) if part for run in names.get(part, ((part, ""),)))


def page(nudge, picture, h):
    """The panel: the step, the three formulas with their numbers and errors, the plot."""
    head = "".join(
        f'<th style="padding:2px 12px;text-align:left">{LABELS[key]}</th>' for key in ("formula", "number", "error")
    )
    rows = ""
    for name, (latex, _, color, *_) in STYLES.items():
        written = latex.replace("#", latex_name(nudge.output)).replace("@", latex_name(nudge.wrt))
        value = nudge.value(name, h)
        cells = (
            f'<b style="color:{color}">{escape(name)}</b>',
            f"${written}$",
            _shown(value, 6),
            _shown(nudge.error(value), 2),
        )
        rows += "<tr>" + "".join(f'<td style="padding:5px 12px">{cell}</td>' for cell in cells) + "</tr>"
    true = f"${latex_partial(nudge.output, nudge.wrt)} = {latex_number(float(nudge.true))}$"
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
        self._nudge = step_sizes.nudge(graph, wrt, output, numbers, "explore_step")
        steps = [step_of(place) for place in reversed(PLACES)]
        self._curves = {name: [(h, self._nudge.error(self._nudge.value(name, h))) for h in steps] for name in STYLES}
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
        picture = draw_errors(self._nudge, self._curves, h)
        html = page(self._nudge, picture, h)
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
    def svg(self):
        """The plot as it is shown."""
        return self._picture.svg

    def _repr_mimebundle_(self, **options):
        return super()._repr_mimebundle_(**options) | self._picture._repr_mimebundle_() | {"text/plain": repr(self)}

    def __repr__(self):
        numbers = ", ".join(f"{name}={number(value)}" for name, value in self.numbers.items())
        return f"explore_step(d{self.output}/d{self.wrt} at {numbers}, h={number(self.h)})"
