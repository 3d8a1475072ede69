"""The explorer of a graph as a widget: the page, its state in Python, and the kernel's word on what the page computes."""

import pathlib
from dataclasses import asdict, dataclass

import anywidget
import numpy as np
import traitlets

from ..checking.margins import graph_margins
from ..lines.program import Program
from ..notation import number
from ..pictures.facts import fill, gather
from ..pictures.plots import chain_lines, stacked, term_plots
from ..pictures.template import drawing
from ..terms import backpropagate, below, sizes
from . import page
from .life import keep
from .sheet import backward, passes, sheet_of

MOST_EDGES = 300
LARGEST = 1e300
AGREE = 1e-9  # of the sum over paths: as far apart as page and kernel may be where nothing cancels


@dataclass(frozen=True)
class State:
    """What the page is about: the numbers, which derivative, and how far the pass has come."""

    numbers: dict
    output: str
    wrt: str
    step: int


def choices(graph, output):
    """The quantities that `output` depends on, in the order of the trace."""
    reached = below(graph.terms(), output)
    return [name for name in (*graph.inputs, *graph.lines) if name in reached and name != output]


def steps(graph, output):
    """How many steps the pass has: forward, then back from the output."""
    return len(passes(graph)) + len(backward(graph, output))


class GraphExplorer(anywidget.AnyWidget):
    """The widget that `explore` makes; `set` and the attributes do in code what the controls do by hand.

    `numbers`, `output`, `wrt` and `step` say what is shown; `trace`, `gradient` and `still` are what is seen.
    """

    _esm = page.script()
    _css = page.style()
    sheet = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)

    def __init__(self, graph, wrt, numbers):
        terms = graph.terms()
        if len(terms) > MOST_EDGES:
            raise ValueError(
                f"explore: the graph has {len(terms)} edges, more than the {MOST_EDGES} that a page can show; "
                "explore a part of its lines, or a smaller network"
            )
        if not terms:
            raise ValueError("explore: no line uses a name, so there is nothing to differentiate")
        self._graph = graph
        numbers = {name: value for name, value in graph.forward(**numbers).items() if name in graph.inputs}
        output = graph.output
        first = State(numbers, output, next(iter(choices(graph, output)), ""), steps(graph, output))
        self._state, self._trace, self._terms = self._checked(first, wrt=wrt)
        super().__init__(sheet=sheet_of(graph), state=asdict(self._state))
        self.on_msg(self._heard)
        keep(self)

    # --- state --------------------------------------------------------------------------------------------------------

    def _checked(self, old, numbers=None, output=None, wrt=None, step=None):
        """The state with changes, its trace and its terms. ValueError, TypeError: what is refused; nothing has changed then."""
        graph = self._graph
        output = old.output if output is None else graph.checked_output(output, "explore")
        names = choices(graph, output)
        if not names:
            raise ValueError(f"explore: {output} depends on nothing; choose another line")
        if wrt is None:
            wrt = old.wrt if old.wrt in names else names[0]
        if not isinstance(wrt, str) or wrt not in names:
            why = "is the output itself" if wrt == output else "has no path to it, or is no quantity"
            raise ValueError(
                f"explore: {wrt!r:.40} {why}; the quantities that {output} depends on are {', '.join(names)}"
            )
        most = steps(graph, output)
        if step is not None and (isinstance(step, bool) or not isinstance(step, int) or not 0 <= step <= most):
            raise ValueError(f"explore: step must be a whole number from 0 to {most}, found {step!r:.40}")
        for name, value in (numbers or {}).items():
            if np.ndim(value):
                raise ValueError(f"explore: {name} must be one number, found shape {np.shape(value)}")
        trace = graph.forward(**(old.numbers | (numbers or {})))
        for name in graph.inputs:
            if np.ndim(trace[name]):
                raise ValueError(f"explore: {name} must be one number, found shape {np.shape(trace[name])}")
            if abs(trace[name]) > LARGEST:
                raise ValueError(f"explore: sliders reach to {number(LARGEST)}, found {name} = {number(trace[name])}")
        terms = graph.terms(trace)
        step = min(old.step, most) if step is None else step
        return State({name: trace[name] for name in graph.inputs}, output, wrt, step), trace, terms

    def _change(self, **changes):
        self._state, self._trace, self._terms = self._checked(self._state, **changes)
        self.state = asdict(self._state)
        self.send({"state": self.state})

    def set(self, /, *, wrt=None, **numbers):
        """Move numbers and choose the quantity in code: e.set(w=3.0, wrt="b"). Errors as `explore`; the last good state stays."""
        for name, value in numbers.items():
            if name in ("step", "output") and name not in self._graph.inputs:
                raise ValueError(f"explore: {name} is no input of this graph; write e.{name} = {value!r:.40}")
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
        """How many steps the pass has: the lines forward (of a network the layers), then those that the walk passes backward."""
        return steps(self._graph, self.output)

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
        return dict(self._trace)

    @property
    def gradient(self):
        """The whole gradient of `output` at these numbers."""
        return backpropagate(self._terms, self.output)

    # --- the page -----------------------------------------------------------------------------------------------------

    def _heard(self, _, message, buffers):
        """The page is at rest: take its state, and say whether NumPy finds the same numbers."""
        turn = message.get("turn")
        try:
            state = message["state"]
            changes = {name: state[name] for name in ("numbers", "output", "wrt", "step")}
            self._state, self._trace, self._terms = self._checked(self._state, **changes)
            self.state = asdict(self._state)
            self.send({"turn": turn} | self._verdict(message["numbers"]))
        except Exception as error:  # what a page says is a stranger's word: the answer stands in the page
            self.send({"turn": turn, "error": f"{type(error).__name__}: {error}"})

    def _verdict(self, found):
        """Whether the page's trace and gradient are ours, but for rounding."""
        scale, gradient = sizes(self._terms, self.output), self.gradient
        apart = {name: abs(found["trace"][name] - value) for name, value in self._trace.items()}
        off = max((difference / (abs(self._trace[name]) or 1.0) for name, difference in apart.items()), default=0.0)
        wrong = {name: abs(found["gradient"].get(name, 0.0) - value) for name, value in gradient.items()}
        off = max([off, *(wrong[name] / (scale.get(name) or 1.0) for name in wrong)])
        if off <= AGREE:
            return {"agrees": True, "worst": number(off, 2)}
        margins = graph_margins(self._graph, self._trace, self._terms, self.output)
        within = all(
            difference
            <= AGREE * scale.get(name, 0.0)
            + margins.rounding.get(name, 0.0)
            + np.ptp([margins.low.get(name, 0.0), margins.high.get(name, 0.0)])
            for name, difference in wrong.items()
        )
        return {"agrees": False, "rounding": bool(within), "worst": number(off, 2)}

    @property
    def still(self):
        """What the page shows, graph, chain and plots below each other, as a `Picture`."""
        graph, state = self._graph, self._state
        forward, back = passes(graph), backward(graph, state.output)
        computed = [line for group in forward[: state.step] for line in group]
        walked = back[: max(0, state.step - len(forward))]
        passed = {line for group in walked for line in group}
        pulled = (
            backpropagate([term for term in self._terms if term.of in passed], state.output)
            if passed
            else {state.output: 1.0}
        )
        current = walked[-1] if walked else forward[state.step - 1] if 0 < state.step <= len(forward) else ()
        seen = {name: self._trace[name] for name in (*graph.inputs, *computed)}
        turned = state.step >= len(forward)
        found = gather(self._terms, seen, pulled if turned else None, state.wrt, state.output, passed, current)
        asked = state.output, state.wrt, passed
        picture = fill(drawing(self._terms), found)
        below = chain_lines(self._terms, self._trace, *asked), term_plots(self._terms, self._trace, self._curve, *asked)
        return stacked([picture, *below], picture.label)

    def _curve(self, term):
        """The line that defines `term.of`, as a function of numbers for `term.wrt`."""
        program = Program(term.line.names)
        value = program.add(term.line.tree)
        numbers = {name: self._trace[name] for name in program.inputs}
        return lambda xs: program.run(numbers | {term.wrt: xs}, [value])[0]

    def save(self, path):
        """Write the page as one HTML file that needs no kernel and no network. OSError: it cannot be written."""
        title = f"{self._graph.output} = {self._graph.lines[self._graph.output]}"[:60]
        pathlib.Path(path).write_text(page.as_file(self.sheet, asdict(self._state), title), encoding="utf-8")

    def close(self):
        """Take the widget from every page and free what it holds."""
        self.layout.close()
        super().close()
        self.sheet = {}  # a notebook's Out keeps the explorer itself

    def _repr_mimebundle_(self, **options):
        data, metadata = super()._repr_mimebundle_(**options)
        still = self.still._repr_mimebundle_()
        still.pop("image/svg+xml")  # where the widget lives the page draws it; elsewhere SVG is not trusted
        return data | still | {"text/plain": repr(self)}, metadata

    def __repr__(self):
        shown = ", ".join(f"{name}={number(value)}" for name, value in self.numbers.items())
        return f"explore(d{self.output}/d{self.wrt} at {shown})"
