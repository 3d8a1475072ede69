"""The explorer of a descent: start, rate and optimizer on a loss surface, and the way down that they give."""

import math
import pathlib
from dataclasses import asdict, replace

from ....notation import number
from ... import page
from ...life import Explorer, keep
from .sheet import limit_of, sheet_of
from .still import draw_map
from .ways import CONSTANTS, State, apart, changed, pair_of, surfaces_of, ways_of

ROOMS = (
    "operations",
    "numbers",
    "computation",
    "elements",
    "contours",
    "small/live",
    "small/descent/descent_rules",
    "small/descent/descent",
    "bridge",
)
LOOKS = ("page", "contours", "small/descent/descent")
AGREE = 1e-9  # of a point's size, or of the map's where that is more: as far apart as page and kernel may be


def _of_state(name, doc):
    """A property that reads a field of the state and sets it, or refuses to."""
    return property(lambda self: getattr(self._state, name), lambda self, value: self.set(**{name: value}), doc=doc)


class DescentExplorer(Explorer):
    """The widget that `explore_descent` makes; `set` and the attributes do in code what the controls do by hand.

    `path` holds the points [(x, y), ...] of the descent, `losses` their losses, `limit` the largest rate at which it
    converges where theory says it, `still` the map as a `Picture`; `against_path` the points of the second run.
    """

    _esm = page.script(ROOMS)
    _css = page.style(LOOKS)

    def __init__(self, surface, start, ranges, **asked):
        self._surfaces, name = surfaces_of(surface, start, ranges)
        first = State(name, self._surfaces[name].start)
        asked |= {} if start is None else {"start": start}
        self._state = changed(self._surfaces, first, **asked)
        self._ways = ways_of(self._surfaces, self._state)
        super().__init__(sheet=sheet_of(self._surfaces, CONSTANTS), state=self._plain_state())
        self.on_msg(self._heard)
        keep(self)

    def _plain_state(self):
        return asdict(self._state) | {"start": list(self._state.start)}

    def _go(self, changes):
        state = changed(self._surfaces, self._state, **changes)
        self._ways = ways_of(self._surfaces, state)
        self._state = state
        self.state = self._plain_state()

    def set(self, /, **changes):
        """Change what the page shows, in code: e.set(optimizer="momentum", rate=0.02, start=(-3, 1)).

        Known are surface, start, optimizer, rate, momentum, against, against_rate, steps and step.
        ValueError and TypeError: an unknown name, a number out of its range, a start off the map or without a loss.
        """
        self._go(changes)
        self.send({"state": self.state})

    surface = _of_state("surface", "The name of the surface; may be set.")
    start = _of_state("start", "The start, as (x, y); may be set.")
    optimizer = _of_state("optimizer", "The name of the optimizer; may be set.")
    rate = _of_state("rate", "The learning rate; may be set.")
    momentum = _of_state("momentum", "The momentum mu, for momentum and Nesterov; may be set.")
    against = _of_state("against", "The optimizer of the second run, None for none; may be set.")
    against_rate = _of_state("against_rate", "The learning rate of the second run; may be set.")
    steps = _of_state("steps", "How many steps are taken; may be set.")
    step = _of_state("step", "The step that is shown, from 0; may be set.")

    @property
    def path(self):
        """The points of the descent: a list of (x, y), the start first; it ends at the last finite one."""
        return list(self._ways[0].points)

    @property
    def losses(self):
        """The loss at each point of the path."""
        return list(self._ways[0].losses)

    @property
    def against_path(self):
        """The points of the second run; empty where there is none."""
        return [point for way in self._ways[1:] for point in way.points]

    @property
    def against_losses(self):
        """The losses of the second run; empty where there is none."""
        return [loss for way in self._ways[1:] for loss in way.losses]

    @property
    def stopped(self):
        """The step after which there is no finite loss or gradient; None if all steps were taken."""
        way = self._ways[0]
        return len(way.points) - 1 if way.stopped else None

    @property
    def limit(self):
        """The largest rate at which the optimizer converges, on a quadratic of known curvature; None where no theory says it.

        2/lambda for SGD, 2 (1 + mu)/lambda with momentum, 2 (1 + mu)/((1 + 2 mu) lambda) with Nesterov's, where
        lambda is the largest curvature.
        """
        return limit_of(self._surfaces[self.surface], self.optimizer, self.momentum)

    def _heard(self, _, message, buffers):
        """The page is at rest: take its state, and say whether NumPy takes the same steps."""
        turn = message.get("turn")
        try:
            state = dict(message["state"])
            found = [[pair_of("path", point) for point in way] for way in _found(message["numbers"])]
            self._go(state)
            self.send({"turn": turn} | self._verdict(found))
        except Exception as error:  # what a page says is a stranger's word: the answer stands in the page
            self.send({"turn": turn, "error": f"{type(error).__name__}: {error}"})

    def _verdict(self, found):
        """Whether the page's points are ours; but for rounding, if a start one digit off leads elsewhere too."""
        surface, ours = self._surfaces[self.surface], [way.points for way in self._ways]
        off = max([apart(*ways, surface) for ways in zip(ours, found, strict=False)], default=math.inf)
        off = off if len(ours) == len(found) else math.inf
        if off <= AGREE:
            return {"agrees": True, "worst": number(off, 2)}
        nudged = replace(self._state, start=tuple(value * (1 - 2**-52) for value in self.start))
        others = [way.points for way in ways_of(self._surfaces, nudged)]
        within = max(apart(*ways, surface) for ways in zip(ours, others, strict=True))
        return {"agrees": False, "rounding": within > AGREE / 10, "worst": number(off, 2)}

    @property
    def still(self):
        """The map with the ways down, as a `Picture`."""
        state, surface = self._state, self._surfaces[self.surface]
        contours = next(row["contours"] for row in self.sheet["surfaces"] if row["name"] == state.surface)
        asked = (state.optimizer, state.rate), (state.against, state.against_rate)
        ways = [(*run, way.points, way.losses) for run, way in zip(asked, self._ways, strict=False)]
        return draw_map(surface, contours, ways, state.step)

    def save(self, path):
        """Write the page as one HTML file that needs no kernel and no network. OSError: it cannot be written."""
        title = f"Descent: {self.surface}"
        written = page.as_file(self.sheet, self._plain_state(), title, ROOMS, LOOKS)
        pathlib.Path(path).write_text(written, encoding="utf-8")

    def __repr__(self):
        x, y = map(number, self.start)
        second = f" against {self.against}" if self.against else ""
        return f"explore_descent({self.surface!r}, start=({x}, {y}), {self.optimizer}{second}, rate={number(self.rate)}, steps={self.steps})"


def _found(numbers):
    """The ways that a page says it found."""
    return [way for way in (numbers["path"], numbers["against"]) if way is not None]
