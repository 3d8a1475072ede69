"""The explorer of a descent: start, rate and optimizer on a loss surface, and the way down that they give."""

import math
import pathlib
from dataclasses import asdict, dataclass, replace

import anywidget
import numpy as np
import traitlets

from ...given import NotFinite, known, real_array, shown
from ...models.graph import Graph
from ...notation import number
from ...terms import walk
from ...training.optimizers import SGD, Adam, AdamW, RMSProp
from .. import page
from ..life import keep
from .descent_map import draw_map
from .descent_sheet import OWN, SURFACES, limit_of, sheet_of, surface_of

ROOMS = ("operations", "numbers", "computation", "elements", "small/descent", "bridge")
LOOKS = ("page", "small/descent")
MOST_RATE, MOST_STEPS = 1000.0, 1000
AGREE = 1e-9  # of a point's size, or of the map's where that is more: as far apart as page and kernel may be
DECAY, BETAS, EPS, WEIGHT_DECAY = 0.99, (0.9, 0.999), 1e-8, 0.01
OPTIMIZERS = {  # name -> the optimizer, from the rate and the momentum
    "SGD": lambda rate, momentum: SGD(rate),
    "momentum": lambda rate, momentum: SGD(rate, momentum=momentum),
    "Nesterov": lambda rate, momentum: SGD(rate, momentum=momentum, nesterov=momentum > 0),
    "RMSProp": lambda rate, momentum: RMSProp(rate, decay=DECAY, eps=EPS),
    "Adam": lambda rate, momentum: Adam(rate, betas=BETAS, eps=EPS),
    "AdamW": lambda rate, momentum: AdamW(rate, betas=BETAS, eps=EPS, weight_decay=WEIGHT_DECAY),
}
CONSTANTS = {"decay": DECAY, "eps": EPS, "beta1": BETAS[0], "beta2": BETAS[1], "weight_decay": WEIGHT_DECAY}


# --- state ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class State:
    """All that can be set: two runs from one start; `against` is the optimizer of the second, or None."""

    surface: str
    start: tuple
    optimizer: str = "SGD"
    rate: float = 0.05
    momentum: float = 0.9
    against: str | None = None
    against_rate: float = 0.05
    steps: int = 100
    step: int = 0


FIELDS = tuple(State.__dataclass_fields__)


def _number(name, value):
    """A finite number as a float. TypeError: none. ValueError: NaN or infinity."""
    array = real_array(f"explore_descent: {name}", value, kinds="fiu", dtype=float)
    if array.ndim:
        raise TypeError(f"explore_descent: {name} must be a number, found {shown(value)}")
    return float(array)


def _rate(name, value):
    rate = _number(name, value)
    if not 0 < rate <= MOST_RATE:
        raise ValueError(f"explore_descent: {name} must be above 0 and at most {MOST_RATE:g}, found {rate:g}; try 0.05")
    return rate


def _momentum(name, value):
    momentum = _number(name, value)
    if not 0 <= momentum < 1:
        raise ValueError(f"explore_descent: {name} must be at least 0 and below 1, found {momentum:g}; try 0.9")
    return momentum


def _whole(least):
    def check(name, value):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
            raise TypeError(f"explore_descent: {name} must be a whole number, found {shown(value)}")
        if not least <= value <= MOST_STEPS:
            raise ValueError(f"explore_descent: {name} must be from {least} to {MOST_STEPS}, found {value}")
        return int(value)

    return check


def _optimizer(name, value):
    return known(f"explore_descent: unknown {name}", value, OPTIMIZERS)


def pair_of(name, value):
    """Two finite numbers. TypeError: no pair of numbers. ValueError: NaN or infinity."""
    array = real_array(f"explore_descent: {name}", value, kinds="fiu", dtype=float)
    if array.shape != (2,):
        raise TypeError(f"explore_descent: {name} must be two numbers such as (1.0, -0.5), found {shown(value)}")
    return tuple(map(float, array))


CHECKS = {
    "start": pair_of,
    "optimizer": _optimizer,
    "rate": _rate,
    "momentum": _momentum,
    "against": lambda name, value: None if value is None else _optimizer(name, value),
    "against_rate": _rate,
    "steps": _whole(1),
    "step": _whole(0),
}


def changed(surfaces, state, **changes):
    """The state with changes, checked; another surface brings its own start. ValueError and TypeError: what cannot be set so."""
    if unknown := [name for name in changes if name not in FIELDS]:
        raise ValueError(f"explore_descent: no {', '.join(unknown)} can be set; known are {', '.join(FIELDS)}")
    checked = {name: CHECKS[name](name, value) for name, value in changes.items() if name != "surface"}
    if "surface" in changes:
        checked["surface"] = known("explore_descent: unknown surface", changes["surface"], surfaces)
        if "start" not in changes and checked["surface"] != state.surface:
            checked["start"] = surfaces[checked["surface"]].start
    new = replace(state, **checked)
    surface = surfaces[new.surface]
    if not surface.on_map(new.start):
        ranges = ", ".join(
            f"{name} from {low:g} to {high:g}" for name, (low, high) in zip(surface.names, surface.ranges, strict=True)
        )
        raise ValueError(f"explore_descent: the start must lie on the map, {ranges}; found {new.start}")
    return replace(new, step=min(new.step, new.steps))


# --- the way down -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Way:
    """The points of a descent with their losses; `stopped` where the next point has no finite loss or gradient."""

    points: tuple
    losses: tuple
    stopped: bool


def descend(surface, start, optimizer, steps):
    """The `Way` of so many steps; it ends at the last point whose numbers are all finite."""
    point, points, losses = dict(zip(surface.names, start, strict=True)), [], []
    with np.errstate(all="ignore"):
        while len(points) <= steps:
            loss, gradient = _at(surface, point)
            if not all(map(math.isfinite, (loss, *point.values(), *gradient.values()))):
                return Way(tuple(points), tuple(losses), True)
            points.append(tuple(point.values()))
            losses.append(loss)
            try:
                moved = optimizer.step(_arrays(point), _arrays(gradient))
            except NotFinite:
                return Way(tuple(points), tuple(losses), True)
            point = {name: float(moved[name]) for name in point}
    return Way(tuple(points), tuple(losses), False)


def _arrays(numbers):
    return {name: np.array(value) for name, value in numbers.items()}


def _at(surface, point):
    """The loss and its gradient at a point, by name; not finite where they have no value."""
    graph = surface.graph
    trace = graph.run(graph.numbers | point)
    gradient = walk(graph.run_terms(trace), {graph.output: 1.0})
    return float(trace[graph.output]), {name: float(gradient.get(name, 0.0)) for name in point}


def ways_of(surfaces, state):
    """The way of each run. ValueError: no finite loss at the start."""
    surface, asked = surfaces[state.surface], [(state.optimizer, state.rate)]
    asked += [(state.against, state.against_rate)] if state.against else []
    ways = [descend(surface, state.start, OPTIMIZERS[name](rate, state.momentum), state.steps) for name, rate in asked]
    if not ways[0].points:
        output = surface.graph.output
        raise ValueError(
            f"explore_descent: {output} = {surface.graph.lines[output]} or its gradient is not finite at the start {state.start}; choose another one"
        )
    return ways


def apart(ours, theirs, surface):
    """How far two ways are apart, as a share of the points' size or the map's; infinite where one of them ends earlier."""
    if len(ours) != len(theirs):
        return math.inf
    wide = [high - low for low, high in surface.ranges]
    return max(
        (
            abs(a - b) / max(abs(a), size)
            for one, other in zip(ours, theirs, strict=True)
            for a, b, size in zip(one, other, wide, strict=True)
        ),
        default=0.0,
    )


# --- the widget -------------------------------------------------------------------------------------------------------


def _of_state(name, doc):
    """A property that reads a field of the state and sets it, or refuses to."""
    return property(lambda self: getattr(self._state, name), lambda self, value: self.set(**{name: value}), doc=doc)


class DescentExplorer(anywidget.AnyWidget):
    """The widget that `explore_descent` makes; `set` and the attributes do in code what the controls do by hand.

    `path` holds the points [(x, y), ...] of the descent, `losses` their losses, `limit` the largest rate at which it
    converges where theory says it, `still` the map as a `Picture`; `against_path` the points of the second run.
    """

    _esm = page.script(ROOMS)
    _css = page.style(LOOKS)
    sheet = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)

    def __init__(self, surface, start, ranges, **asked):
        self._surfaces, name = _surfaces(surface, start, ranges)
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

    def close(self):
        """Take the widget from every page and free what it holds."""
        self.layout.close()
        super().close()
        self.sheet = self.state = {}  # a notebook's Out keeps the explorer itself

    def _repr_mimebundle_(self, **options):
        data, metadata = super()._repr_mimebundle_(**options)
        still = self.still._repr_mimebundle_()
        still.pop("image/svg+xml")  # where the widget lives the page draws it; elsewhere SVG is not trusted
        return data | still | {"text/plain": repr(self)}, metadata

    def __repr__(self):
        x, y = map(number, self.start)
        second = f" against {self.against}" if self.against else ""
        return f"explore_descent({self.surface!r}, start=({x}, {y}), {self.optimizer}{second}, rate={number(self.rate)}, steps={self.steps})"


def _surfaces(surface, start, ranges):
    """All surfaces by name, a graph of the reader's first; and the name of the one that is asked for."""
    if ranges is not None:
        ranges = _ranges(ranges)
    if isinstance(surface, Graph):
        start = pair_of("start", (1.0, 1.0) if start is None else start)
        return {OWN: surface_of(surface, start, ranges)} | SURFACES, OWN
    if not isinstance(surface, str):
        raise TypeError(
            f"explore_descent: surface must be a Graph or one of {', '.join(SURFACES)}, found {shown(surface)}"
        )
    known("explore_descent: unknown surface", surface, SURFACES)
    if ranges is not None:
        raise ValueError(f"explore_descent: ranges are for a Graph of your own; {surface!r} has its own")
    return dict(SURFACES), surface


def _ranges(ranges):
    """Two pairs (low, high). TypeError, ValueError: no two pairs, or a low that is not below its high."""
    array = real_array("explore_descent: ranges", ranges, kinds="fiu", dtype=float)
    if array.shape != (2, 2):
        raise TypeError(f"explore_descent: ranges must be two pairs such as ((-1, 1), (-2, 2)), found {shown(ranges)}")
    for low, high in array.tolist():
        if not high - low > 1e-9 * max(abs(low), abs(high)) or not math.isfinite(high - low):
            raise ValueError(
                f"explore_descent: the low end of a range must be below the high end, found {low:g} and {high:g}"
            )
    return tuple(tuple(map(float, pair)) for pair in array)


def _found(numbers):
    """The ways that a page says it found."""
    return [way for way in (numbers["path"], numbers["against"]) if way is not None]
