"""What can be set of a descent, checked; and the way down that it gives, in NumPy."""

import math
from dataclasses import dataclass, replace

import numpy as np

from ....given import NotFinite, known, real_array, shown
from ....models.graph import Graph
from ....terms import walk
from ....training.optimizers import SGD, Adam, AdamW, RMSProp
from .sheet import OWN, SURFACES, surface_of

MOST_RATE, MOST_STEPS = 1000.0, 1000
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


def surfaces_of(surface, start, ranges):
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
