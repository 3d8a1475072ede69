"""The explorer of a graph as a widget: the page, its state in Python, and the kernel's word on what the page computes."""

import pathlib
from dataclasses import asdict

import numpy as np

from ..checking.margins import graph_margins
from ..functions.operations import FUNCTIONS
from ..lines.program import Program
from ..models.network import Network
from ..notation import latex_layer, latex_name, number
from ..paper.mathml import tree
from ..pictures.facts import fill, gather
from ..pictures.plots import chain_lines, stacked, term_plots
from ..pictures.template import drawing
from ..terms import backpropagate, sizes
from . import page
from .asking.blind import blind_still
from .asking.guesses import hidden_slots
from .asking.handles import Asking
from .asking.swaps import check_size, functions_of
from .asking.words import WORDS
from .life import Explorer, keep, of_state
from .sheet import backward, data_names, passes, sheet_of
from .state import MOST_UPDATES, changed, first_state, steps, totals, updated

MOST_EXAMPLES, MOST_IN_REPR, LONGEST_TITLE = 64, 8, 80
AS_IT_IS = ("output", "wrt", "step", "rate", "nudge", "through", "glance", "view", "example", "predict", "guess", "guessed_at", "compare", "before", "blind", "sentence")  # fmt: skip
AGREE = 1e-9  # of the sum over paths: as far apart as page and kernel may be where nothing cancels


def _from_page(state):
    """The changes that a page's state asks for; its numbers are a stranger's, and checked like a user's."""
    kept = {name: state[name] for name in AS_IT_IS}
    rows, way = (tuple(tuple(map(float, row)) for row in state[name]) for name in ("rows", "way"))
    return kept | {
        "parameters": tuple(state["parameters"]),
        "losses": tuple(state["losses"]),
        "rows": rows,
        "way": way,
        "numbers": state["numbers"],
    }


class GraphExplorer(Asking, Explorer):
    """The widget that `explore` makes; `set` and the attributes do in code what the controls do by hand.

    `numbers`, `output`, `wrt` and `step` say what is shown; `trace`, `gradient` and `still` are what is seen.
    """

    _esm = page.script()
    _css = page.style()

    def __init__(self, model, graph, wrt, numbers, rows=(), reduction="mean", layers=None, **asked):
        check_size(graph)
        self._model = model
        first = first_state(graph, numbers, rows, reduction)
        self._graph, self._layers = graph, layers
        self._state, self._trace, self._terms = changed(graph, first, wrt=wrt, **asked)
        super().__init__(sheet=self._sheet(), state=asdict(self._state))
        self.on_msg(self._heard)
        keep(self)

    def _sheet(self, tour=(), swapped=(), was=None):
        written = latex_layer if isinstance(self._model, Network) else latex_name
        functions = {
            place: [now, list(choices), tree(written(place))]
            for place, (now, choices) in functions_of(self._model).items()
        }
        own = {"layers": self._layers and self._layers.sheet, "tour": list(tour), "functions": functions}
        found = sheet_of(self._graph)
        if found["deltas"] and not functions:
            found["notes"].append(WORDS["swapnet"])
        return found | own | {"swapped": [":".join(edge) for edge in swapped], "was": was}

    def _example(self):
        """The inputs and the targets of the example that a network's page shows."""
        found = {"x": [], "y": []}
        for name in data_names(self._graph):
            found[name[0]].append(self._state.numbers[name])
        return found["x"], found["y"]

    def _show(self, sheet):
        """A new sheet with its state, in one message, then the word that the page is to be made anew."""
        with self.hold_sync():
            self.state, self.sheet = asdict(self._state), sheet
        self.send({"anew": True})

    # --- state --------------------------------------------------------------------------------------------------------

    def _change(self, numbers=None, **changes):
        if changes.get("view") == "layers" and not self.sheet["layers"]:
            raise ValueError("explore: layers are a view of a network, bp.explore(net, X, Y); this is a graph")
        if (changes.get("sentence") or 0) > len(self.sheet["tour"]):
            raise ValueError(
                f"explore: the tour has {len(self.sheet['tour'])} sentences, found {changes['sentence']!r:.40}"
            )
        self._take(*changed(self._graph, self._state, numbers, **changes))

    def _take(self, state, trace, terms):
        self._state, self._trace, self._terms = state, trace, terms
        self.state = asdict(state)
        self.send({"state": self.state})

    def set(self, /, *, wrt=None, output=None, step=None, rate=None, parameters=None, example=None, **numbers):
        """Move numbers and choose what is shown, in code: e.set(w=3.0, wrt="b"). Errors as `explore`; the last good state stays."""
        asked = dict(wrt=wrt, output=output, step=step, rate=rate, parameters=parameters, example=example)
        asked |= {name: numbers.pop(name) for name in ("predict", "blind") if name in numbers}
        self._change(numbers, **asked)

    def update(self, times=1):
        """Let the parameters take steps p <- p - rate dL/dp, all at once, with the gradient over all examples.

        ValueError: a step that is not finite, with the line and the rate; the numbers are then those before it.
        """
        if isinstance(times, bool) or not isinstance(times, int) or not 0 < times <= MOST_UPDATES:
            raise ValueError(f"explore: times must be a whole number from 1 to {MOST_UPDATES}, found {times!r:.40}")
        state, trace, terms, why = updated(self._graph, self._state, times)
        if trace is not None:
            self._take(state, trace, terms)
        if why is not None:
            raise ValueError(f"explore: {why}; the numbers are those before it")

    @property
    def numbers(self):
        """The inputs' numbers, by name; of a batch those of the example that is shown."""
        return dict(self._state.numbers)

    output = of_state("output", "The quantity that is differentiated; may be set to the name of a line.")
    wrt = of_state("wrt", "The quantity by which it is differentiated; may be set.")
    step = of_state("step", "How many steps of the pass are shown, from 0 to `steps`; may be set.")
    rate = of_state("rate", "The learning rate of an update; may be set.")
    parameters = of_state("parameters", "The inputs that an update moves; may be set.")
    example = of_state("example", "The row of the batch that is shown, from 0; may be set.")
    nudge = of_state("nudge", "By how much the page nudges the chosen quantity; may be set.")
    through = of_state("through", 'How the chain is written: over all "paths", or through "delta"; may be set.')
    glance = of_state("glance", "Whether edges are as wide as their gradient is large; may be set.")
    view = of_state("view", 'Whether a network stands in "units" or in "layers"; may be set.')

    @property
    def steps(self):
        """How many steps the pass has: the lines forward (of a network the layers), then those that the walk passes backward."""
        return steps(self._graph, self.output)

    @property
    def losses(self):
        """The losses of the updates since the numbers were last moved by hand, the first one before them."""
        return list(self._state.losses)

    @property
    def trace(self):
        """The whole trace at these numbers."""
        return dict(self._trace)

    @property
    def gradient(self):
        """The whole gradient of `output` at these numbers, of a batch that of the example which is shown."""
        return backpropagate(self._terms, self.output)

    # --- the page -----------------------------------------------------------------------------------------------------

    def _heard(self, _, message, buffers):
        """The page is at rest: take its state, and say whether NumPy finds the same numbers."""
        turn = message.get("turn")
        try:
            if "functions" in message:
                self.functions = message["functions"]
                return
            self._state, self._trace, self._terms = changed(self._graph, self._state, **_from_page(message["state"]))
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
        if self._state.rows:
            ours = totals(self._graph, self._state)
            theirs = found["totals"]["gradient"]
            off = max([off, *(abs(theirs[p] - g) / (ours.scale[p] or 1.0) for p, g in ours.gradient.items())])
        if off <= AGREE:
            return {"agrees": True, "worst": number(off, 2), "kink": self._by_convention()}
        margins = graph_margins(self._graph, self._trace, self._terms, self.output)
        within = all(
            difference
            <= AGREE * scale.get(name, 0.0)
            + margins.rounding.get(name, 0.0)
            + np.ptp([margins.low.get(name, 0.0), margins.high.get(name, 0.0)])
            for name, difference in wrong.items()
        )
        return {"agrees": False, "rounding": bool(within), "worst": number(off, 2)}

    def _by_convention(self):
        """The quantities whose gradient hangs on the slope that a function is given at its kink, as relu'(0) = 0."""
        if not any(FUNCTIONS[name].kinked for line in self._graph.lines.values() for name in line.functions):
            return []
        margins = graph_margins(self._graph, self._trace, self._terms, self.output)
        return [name for name in margins.low if margins.low[name] < margins.high[name]]

    @property
    def still(self):
        """What the page shows as a `Picture`: graph, chain and plots below each other, or a network's layers."""
        graph, state = self._graph, self._state
        if state.blind is not None:
            return blind_still(graph, state)
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
        if state.view == "layers":
            return self._layers.still(seen, passed, turned, current, state.wrt)
        hidden, asked = hidden_slots(self._terms, state), (state.output, state.wrt, passed)
        pulled = pulled if turned else None
        found = gather(self._terms, seen, pulled, state.wrt, state.output, passed, current, state.glance, hidden)
        picture = fill(drawing(self._terms), found)
        below = (
            chain_lines(self._terms, self._trace, *asked, hidden),
            term_plots(self._terms, self._trace, self._curve, *asked, hidden),
        )
        return stacked([picture, *below], picture.label)

    def _curve(self, term):
        """The line that defines `term.of`, as a function of numbers for `term.wrt`."""
        program = Program(term.line.names)
        value = program.add(term.line.tree)
        numbers = {name: self._trace[name] for name in program.inputs}
        return lambda xs: program.run(numbers | {term.wrt: xs}, [value])[0]

    def save(self, path):
        """Write the page as one HTML file that needs no kernel and no network. OSError: it cannot be written."""
        graph, net = self._graph, self._model
        title = f"{graph.output} = {graph.lines[graph.output]}"
        if isinstance(net, Network):
            title = f"{list(net.sizes)}: {', '.join(net.activations)}; {net.loss_name}"
        if self.blind:
            title = WORDS["blindtitle"]  # the line of the loss may give its minimum away
        title = title if len(title) <= LONGEST_TITLE else title[:LONGEST_TITLE] + "…"
        written = page.as_file(self.sheet, asdict(self._state), title, page.rooms_of(self.sheet, self.state))
        pathlib.Path(path).write_text(written, encoding="utf-8")

    def __repr__(self):
        numbers = self.numbers
        shown = ", ".join(f"{name}={number(value)}" for name, value in numbers.items())
        shown = shown if len(numbers) <= MOST_IN_REPR else f"{len(numbers)} numbers"
        return f"explore(d{self.output}/d{self.wrt} at {shown})"
