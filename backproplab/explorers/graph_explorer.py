"""The explorer of a graph: every term of the chain rule beside the sliders that move it."""

from dataclasses import dataclass, field, replace
from html import escape

import ipywidgets as widgets
import numpy as np

from ..notation import color_of, number
from ..paper import latex
from ..pictures.graphs import draw
from ..pictures.tangent import draw_tangent
from ..terms import TooManyPaths, backpropagate, below, terms_between

LABELS = {
    "of": "Derivative of", "wrt": "with respect to", "inputs": "the inputs", "forward": "forward", "backward": "backward",
    "through": "through", "path": "path", "paths": "paths", "sum": "sum over", "more": "more", "stays": "The picture still shows the last good numbers.",
}  # fmt: skip
BUTTONS = {
    "first": ("|◀", "to the inputs"),
    "back": ("◀", "one line back"),
    "next": ("▶", "one line on"),
    "last": ("▶|", "to the end"),
}
MOST_TANGENTS = 8
LARGEST = 1e100
STEPS = 80  # of a slider, to each side of 0


@dataclass(frozen=True)
class State:
    """What the page is about: the graph, the numbers, which derivative, and how far the pass has come."""

    graph: object
    numbers: dict
    output: str
    wrt: str
    step: int


@dataclass(frozen=True)
class View:
    """What the page shows of a state, computed once."""

    trace: dict
    gradient: dict
    picture: object = field(repr=False)
    latex: str
    html: str


def backward_lines(graph, output):
    """The lines that the walk from `output` passes, from the loss down."""
    reached = below(graph.terms(), output)
    return [line for line in reversed(graph.lines) if line in reached]


def choices(graph, output):
    """The quantities that `output` depends on, in the order of the trace."""
    used = {term.wrt for term in graph.terms() if term.of in backward_lines(graph, output)}
    return [name for name in (*graph.inputs, *graph.lines) if name in used]


def look(state):
    """The view of a state. ValueError as `forward`, `terms` and `derive`."""
    graph, output, wrt = state.graph, state.output, state.wrt
    if wrt == output:
        raise ValueError(
            f"explore: {output} is the output itself; choose wrt among {', '.join(choices(graph, output))}"
        )
    trace = graph.forward(**state.numbers)
    terms = graph.terms(trace)
    forward, backward = list(graph.lines), backward_lines(graph, output)
    computed, walked = forward[: state.step], backward[: max(0, state.step - len(forward))]
    seen = {name: trace[name] for name in (*graph.inputs, *computed)}
    pulled = backpropagate([term for term in terms if term.of in walked], output) if walked else {output: 1.0}
    current = (walked or computed or [None])[-1]
    picture = draw(
        terms,
        seen,
        pulled if state.step >= len(forward) else None,
        wrt=wrt,
        output=output,
        walked=walked,
        current=current,
    )
    on_paths = terms_between(terms, output, wrt)
    colors = color_of(on_paths)
    try:
        derivation = graph.derive(wrt, trace, output).as_far_as(walked)
        texts = latex.chains(derivation)
        chains = _chains(derivation, texts)
    except TooManyPaths as error:
        texts, chains = [], f"<small>{escape(str(error))}</small>"
    tangents = [
        draw_tangent(term, trace, *_curve(graph, term, trace), color=colors[term.of, term.wrt]).svg
        for term in on_paths[:MOST_TANGENTS]
    ]
    html = _page(_status(state, computed, walked, backward, trace), picture.svg, chains, tangents)
    return View(trace, backpropagate(terms, output), picture, r" \qquad ".join(texts), html)


def reach(value):
    """How far a slider and a plot go to each side of 0: 4, 8, 16, ..., so that the axes rest while the point moves."""
    if abs(value) > LARGEST:
        raise ValueError(f"explore: sliders and plots reach to {LARGEST:g}, found {number(value)}")
    limit = 4.0
    while limit < abs(value) * 1.05:
        limit *= 2
    return limit


def _curve(graph, term, trace):
    limit = reach(trace[term.wrt])
    xs = np.linspace(-limit, limit, 161)
    return xs, graph.curve(term, trace, xs)


def _status(state, computed, walked, backward, trace):
    if walked:
        line = state.graph.latex_line(walked[-1])
        return f"{LABELS['backward']}, {len(walked)} / {len(backward)}: {LABELS['through']} ${line}$"
    if computed:
        line = state.graph.latex_line(computed[-1], trace)
        return f"{LABELS['forward']}, {len(computed)} / {len(state.graph.lines)}: ${line}$"
    return f"{LABELS['forward']}, 0 / {len(state.graph.lines)}: {LABELS['inputs']}"


def _chains(derivation, texts):
    """The chain, or each path's chain under its route and the sum below."""
    if len(derivation.paths) == 1:
        return f"<div>$\\displaystyle {texts[0]}$</div>"
    shown, count = texts[:-1], len(derivation.paths)
    parts = [
        f'<div style="border-left:3px solid #9a5fc7;padding-left:10px;margin:8px 0"><small>{LABELS["path"]} {i + 1} / {count}: '
        f"{escape(' ← '.join(path.names))}</small><div>$\\displaystyle {text}$</div></div>"
        for i, (path, text) in enumerate(zip(derivation.paths, shown, strict=False))
    ]
    rest = f"<small>… {count - len(shown)} {LABELS['more']}</small>" if count > len(shown) else ""
    grid = '<div style="display:grid;grid-template-columns:repeat(auto-fill,minmax(290px,1fr));gap:4px 16px">'
    return (
        grid
        + "".join(parts)
        + "</div>"
        + rest
        + f"<div><small>{LABELS['sum']} {count} {LABELS['paths']}</small><br>$\\displaystyle {texts[-1]}$</div>"
    )


def _page(status, picture, chains, tangents):
    plots = "".join(f'<div style="flex:1 1 190px;max-width:270px">{tangent}</div>' for tangent in tangents)
    return (
        "<style>.bp-panel > div {flex: 1 1 auto; min-width: 0}</style>"  # wide formulas scroll inside the panel
        f'<div style="line-height:1.5"><div class="bp-status" style="min-height:2.6em">{status}</div><div class="bp-picture" style="overflow-x:auto">{picture}</div>'
        f'<div class="bp-chain" style="overflow-x:auto;padding:8px 0">{chains}</div>'
        f'<div class="bp-tangents" style="display:flex;flex-wrap:wrap;gap:6px">{plots}</div></div>'
    )


class GraphExplorer(widgets.VBox):
    """The widget that `explore` makes; `set` and the attributes do in code what the controls do by hand.

    `numbers`, `output`, `wrt` and `step` say what is shown; `trace`, `gradient`, `svg` and `latex` are what is seen.
    """

    def __init__(self, graph, wrt, numbers):
        numbers = {name: value for name, value in graph.forward(**numbers).items() if name in graph.inputs}
        for name, value in numbers.items():
            if np.ndim(value):
                raise ValueError(f"explore: {name} is an array of shape {np.shape(value)}; a slider moves one number")
        steps = len(graph.lines) + len(backward_lines(graph, graph.output))
        self._state = State(graph, numbers, graph.output, wrt or next(iter(choices(graph, graph.output)), ""), steps)
        self._view = look(self._state)
        self._syncing = False
        self._limits = {name: reach(value) for name, value in self._state.numbers.items()}
        self._build()
        super().__init__([self._header, self._body])
        self._sync()

    def _build(self):
        graph = self._state.graph
        small = widgets.Layout(width="auto", min_width="72px")
        self._of = widgets.Dropdown(options=[line for line in graph.lines if choices(graph, line)], layout=small)
        self._wrt = widgets.Dropdown(options=choices(graph, self.output), layout=small)
        self._buttons = {
            name: widgets.Button(description=text, tooltip=tip, layout=widgets.Layout(width="44px"))
            for name, (text, tip) in BUTTONS.items()
        }
        self._sliders = {
            name: widgets.IntSlider(min=-STEPS, max=STEPS, readout=False, layout=widgets.Layout(width="118px"))
            for name in graph.inputs
        }
        self._fields = {name: widgets.FloatText(layout=widgets.Layout(width="82px")) for name in graph.inputs}
        self._panel = widgets.HTMLMath(layout=widgets.Layout(flex="1 1 440px", min_width="0"))
        self._panel.add_class("bp-panel")
        rows = [
            widgets.HBox(
                [
                    widgets.HTML(f"<i>{escape(name)}</i>", layout=widgets.Layout(min_width="34px")),
                    self._sliders[name],
                    self._fields[name],
                ]
            )
            for name in graph.inputs
        ]
        wrap = widgets.Layout(flex_flow="row wrap", align_items="center")
        self._header = widgets.HBox(
            [widgets.HTML(LABELS["of"]), self._of, widgets.HTML(LABELS["wrt"]), self._wrt, *self._buttons.values()],
            layout=wrap,
        )
        self._body = widgets.HBox(
            [widgets.VBox(rows, layout=widgets.Layout(flex="0 0 248px")), self._panel],
            layout=widgets.Layout(flex_flow="row wrap"),
        )
        self._of.observe(lambda change: self._by_hand(output=change["new"]), "value")
        self._wrt.observe(lambda change: self._by_hand(wrt=change["new"]), "value")
        for name in graph.inputs:
            self._sliders[name].observe(lambda change, name=name: self._slid(name, change["new"]), "value")
            self._fields[name].observe(lambda change, name=name: self._by_hand(numbers={name: change["new"]}), "value")
        for name, button in self._buttons.items():
            button.on_click(lambda _, name=name: self._by_hand(step=self._target(name)))

    def _target(self, button):
        return {"first": 0, "back": max(0, self.step - 1), "next": min(self.steps, self.step + 1), "last": self.steps}[
            button
        ]

    def _slid(self, name, place):
        """A slider counts in whole steps, which come back from the page exactly as they were sent; here they become a number."""
        self._by_hand(numbers={name: float(f"{place * self._limits[name] / STEPS:.6g}")})

    def _by_hand(self, **changes):
        """A control was moved: show the new state, or what is wrong with it above the last good one."""
        unchanged = "numbers" in changes and changes["numbers"].items() <= self._state.numbers.items()
        if self._syncing or unchanged:
            return
        try:
            self._change(**changes)
        except Exception as error:
            message = escape(f"{type(error).__name__}: {error}").replace("$", "&#36;").replace("\n", "<br>")
            self._panel.value = f'<div style="border-left:4px solid #d0342c;padding:4px 10px"><b>{message}</b><br>{LABELS["stays"]}</div>{self._view.html}'

    def _change(self, numbers=None, output=None, wrt=None, step=None):
        old = self._state
        output = old.output if output is None else output
        graph = old.graph
        if output not in graph.lines:
            raise ValueError(f"explore: {output!r} is not a line; the lines are {', '.join(graph.lines)}")
        steps = len(graph.lines) + len(backward_lines(graph, output))
        if step is not None and not (isinstance(step, int) and 0 <= step <= steps):
            raise ValueError(f"explore: step must be a whole number from 0 to {steps}, found {step!r}")
        if not choices(graph, output):
            raise ValueError(f"explore: {output} depends on nothing; choose another line")
        if wrt is None and old.wrt not in choices(graph, output):
            wrt = next(iter(choices(graph, output)))
        step = min(old.step, steps) if step is None else step
        state = State(graph, old.numbers | (numbers or {}), output, wrt or old.wrt, step)
        self._view = look(state)
        self._state = replace(state, numbers={name: self._view.trace[name] for name in graph.inputs})
        self._sync()

    def _sync(self):
        """Bring the controls and the panel to the state: only what differs is sent."""
        self._syncing = True
        try:
            self._of.value = self.output
            self._wrt.options = choices(self._state.graph, self.output)
            self._wrt.value = self.wrt
            for name, value in self.numbers.items():
                self._limits[name] = max(self._limits[name], reach(value))
                self._sliders[name].value = round(value / self._limits[name] * STEPS)
                self._fields[name].value = value
            for name, button in self._buttons.items():
                button.disabled = self._target(name) == self.step
            self._panel.value = self._view.html
        finally:
            self._syncing = False

    def set(self, /, *, wrt=None, **numbers):
        """Move sliders and choose the quantity in code: e.set(w=3.0, wrt="b"). Errors as `explore`; the last good state stays."""
        for name, value in numbers.items():
            if name in ("step", "output") and name not in self.numbers:
                raise ValueError(f"explore: {name} is no input of this graph; write e.{name} = {value!r:.40}")
            if np.ndim(value):
                raise ValueError(f"explore: {name} must be one number, found shape {np.shape(value)}")
        self._change(numbers=numbers, wrt=wrt)

    @property
    def numbers(self):
        """The inputs' numbers, by name."""
        return dict(self._state.numbers)

    @property
    def output(self):
        """The quantity that is differentiated; may be set to the name of a line."""
        return self._state.output

    @output.setter
    def output(self, line):
        self._change(output=line)

    @property
    def wrt(self):
        """The quantity by which it is differentiated; may be set."""
        return self._state.wrt

    @wrt.setter
    def wrt(self, name):
        self._change(wrt=name)

    @property
    def steps(self):
        """How many steps the pass has: the lines forward, then the lines that the walk passes backward."""
        return len(self._state.graph.lines) + len(backward_lines(self._state.graph, self.output))

    @property
    def step(self):
        """How many steps of the pass are shown, from 0 to `steps`; may be set."""
        return self._state.step

    @step.setter
    def step(self, count):
        self._change(step=count)

    @property
    def trace(self):
        """The whole trace at these numbers."""
        return dict(self._view.trace)

    @property
    def gradient(self):
        """The whole gradient of `output` at these numbers."""
        return dict(self._view.gradient)

    @property
    def svg(self):
        """The picture as it is shown."""
        return self._view.picture.svg

    @property
    def latex(self):
        """The chain as it is shown."""
        return self._view.latex

    def _repr_mimebundle_(self, **options):
        still = self._view.picture._repr_mimebundle_()
        still.pop("image/svg+xml")  # where the widget lives the page draws it; elsewhere SVG is not trusted
        return super()._repr_mimebundle_(**options) | still | {"text/plain": repr(self)}

    def __repr__(self):
        numbers = ", ".join(f"{name}={number(value)}" for name, value in self.numbers.items())
        return f"explore(d{self.output}/d{self.wrt} at {numbers})"
