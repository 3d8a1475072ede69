"""The sheet of losses: each pair of an output and a loss, its slope over z as a product of two factors, the words of the page."""

import math
from functools import cache
from typing import NamedTuple

import numpy as np
import sympy as sp

from .....functions.activations import ACTIVATIONS
from .....functions.losses import LOSSES
from .....models.graph import Graph
from .....notation import latex_formula, latex_partial
from .....paper.latex import factor
from .....paper.mathml import tree
from ....sheet import program_of

FORMAT = 1
FAR, FLAT = 0.5, 0.01  # a pair crawls where a is further from y than the one, and the slope below the other
SCAN = 400  # parts of the axis in which that is looked for
NICE = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)  # where a plane may end, times a power of ten
STEEP = (1.25, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0)
WORDS = {
    "pairs": "pairs", "z": "z", "y": "target y", "rate": "rate α", "steps": "steps", "typed": "typed", "reset": "Reset", "play": "play", "pause": "pause", "target": "y = {y}",
    "planes": "{pair}: the loss over z with its tangent, and below it its slope", "handle": "z: the point on the curve of {pair}, arrow keys move it", "drag": "Drag a point along its curve, or click anywhere; arrow keys move it. Small rings: the steps z ← z − α dL/dz. Shaded: a is off by more than 1/2, but the slope is below 1/100. Each L has a scale of its own; the slopes share one. Arrows: the two factors on a scale of powers of ten, one after the other.",
    "loss": "L(z)", "slope": "dL/dz", "crawls": "crawls", "descent": "Gradient descent on z:", "ruler": "The factors on a scale of powers of ten: dL/da first, from 1, then da/dz. They end at |dL/dz|.", "nothing to show": "A factor is 0, and so is the slope.",
    "stuck": "a − y = {gap}: far off. But the slope is only {slope}, because da/dz = {by_z} is a factor of it.", "fused": "The further a is off, the larger dL/da = {by_a}: it makes up for da/dz = {by_z}. What is left is a − y = {gap}.", "identity": "da/dz is 1 for every z: the slope is a − y itself.",
    "near": "a − y = {gap}: nearly right, so the slope is small, as it should be.", "between": "The slope is a − y = {gap}, times da/dz = {by_z}.", "ends": "After {steps} steps of rate {rate}: z = {z}, a = {a}, L = {loss}.", "starts": "No step yet: L = {loss}.",
    "notnumber": "a number is wanted, such as -0.5 or 1e-3", "notz": "a number from -100 to 100 is wanted for z", "nottarget": "a target from 0 to 1 is wanted", "notrate": "a rate from 0 to 2 is wanted", "notsteps": "a whole number of steps from 0 to 200 is wanted", "nopair": "at least one pair has to stay", "unknown": "this is none of the pairs:", "stays": "The page still shows the last good numbers.", "found": "found", "nothing": "nothing",
    "agrees": "NumPy finds the same numbers", "differs": "NumPy finds other numbers; the largest relative difference is", "kernelerror": "the kernel says", "nokernel": "the kernel does not answer; the page goes on without it",
}  # fmt: skip


class Pair(NamedTuple):
    """An output and a loss, as rows of their tables."""

    output: object
    loss: object


PAIRS = {
    f"{output} + {loss}": Pair(ACTIVATIONS[output], LOSSES[loss])
    for output, loss in (
        ("sigmoid", "squared_error"),
        ("sigmoid", "binary_cross_entropy"),
        ("tanh", "squared_error"),
        ("identity", "squared_error"),
    )
}


class Found(NamedTuple):
    """What a pair gives at z: the output a, the loss L, dL/da, da/dz, and their product dL/dz."""

    a: float
    L: float
    by_a: float
    by_z: float
    slope: float


def found_at(name, z, y):
    """The `Found` of a pair; z is a number or an array. The slope of a fused loss is a - y from z itself, dL/da what is left of it."""
    output, loss = PAIRS[name]
    z = np.asarray(z, dtype=float)
    a, by_z = output.value(z), output.slope.value(z)
    L, slope = loss.value(z[..., None], a[..., None], y), loss.slope(z, a, y)
    if loss.fused:
        return Found(a, L, slope / by_z, by_z, slope)
    return Found(a, L, slope, by_z, slope * by_z)


def numbers_at(name, z, y):
    """The same, of one number, as floats."""
    return Found(*map(float, found_at(name, z, y)))


def crawls(found, y):
    """Whether the output is far from the target and the slope small all the same."""
    return (np.abs(found.a - y) > FAR) & (np.abs(found.slope) < FLAT)


def crawling(name, limit, y):
    """The parts of the axis where a pair crawls: [(low, high), ...]."""
    zs = limit * (2 * np.arange(SCAN + 1) / SCAN - 1)
    flags = np.concatenate([[False], crawls(found_at(name, zs, y), y), [False]]).astype(int)
    starts, ends = np.flatnonzero(np.diff(flags) == 1), np.flatnonzero(np.diff(flags) == -1) - 1
    return [(float(zs[start]), float(zs[end])) for start, end in zip(starts, ends, strict=True)]


def way_of(name, z, y, rate, steps):
    """The numbers z of so many steps z <- z - rate dL/dz, the start first."""
    way = [z]
    for _ in range(steps):
        way.append(way[-1] - rate * numbers_at(name, way[-1], y).slope)
    return way


def loss_window(name, limit, y):
    """(low, high) of a pair's own plane of losses."""
    most = max(numbers_at(name, end, y).L for end in (-limit, limit))
    unit = 10.0 ** math.floor(math.log10(most))
    high = next(m * unit for m in NICE if m * unit >= most * (1 - 1e-9))
    return -high / 20, high


def slope_window(names, z, y):
    """(low, high) of the planes of slopes, which share it."""
    most = max(abs(numbers_at(name, z, y).slope) for name in names)
    high = next(rung for rung in STEEP if rung >= most)
    return -high, high


# --- the sheet --------------------------------------------------------------------------------------------------------


def sheet_of():
    """The sheet, which is the same for every explorer."""
    limits = {"far": FAR, "flat": FLAT, "scan": SCAN, "nice": list(NICE), "steep": list(STEEP)}
    symbols = [tree(latex_partial(*edge)) for edge in (("L", "a"), ("a", "z"))]
    whole = tree(latex_partial("L", "z", sign=r"\mathrm{d}"))
    return {"format": FORMAT, "words": WORDS, "limits": limits, "symbols": [*symbols, whole], "pairs": [_pair(name) for name in PAIRS]}  # fmt: skip


@cache
def _pair(name):
    """A pair: its lines as programs, and its formulas."""
    output, loss = PAIRS[name]
    graph = Graph(a=f"{output.name}(z)", L=loss.line.format(a="a", y="y", z="z"))
    a, y = sp.symbols("a y")
    by_z = output.slope_from_value(a) if output.slope_from_value else output.slope.formula(sp.Symbol("z"))
    by_a = loss.slope_formula(a, y)
    slope = sp.cancel(by_a * by_z) if loss.fused else by_a * by_z
    return {
        "name": name,
        "title": name.replace("_", " "),
        "identity": output.name == "identity",
        "fused": bool(loss.fused),
        "inputs": list(graph.inputs),
        "programs": [program_of(line, text) for line, text in graph.lines.items()],
        "math": {
            "lines": [tree(f"L = {latex_formula(loss.formula(a, y))}"), tree(f"a = {output.show('z')}")],
            "factors": [tree(factor(by_a)), tree(factor(by_z)), tree(latex_formula(slope))],
        },
    }
