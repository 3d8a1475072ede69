"""Independent ways to the same gradient: complex step, central differences, 50 digits.

A witness knows the loss as a function of one nudged quantity, not the chain rule (the 50 digits know it, and the formulas
for paper, but no rounding). It is a function of a `Case`, a name and entries of its array, and returns two arrays: the
slope at each entry, and the doubt, how far by its own account the true slope may lie from it. Where the doubt is
too large beside the name's largest slope there is no agreement (`verdicts.compare`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property

import mpmath
import numpy as np

from ..functions.activations import ACTIVATIONS
from ..notation import parts, unit_name
from ..terms import backpropagate

STEP = 1e-40  # of the complex step, relative to x: no difference is taken, so nothing cancels, and its square vanishes
ROUND, SMALLEST = np.finfo(float).eps, np.finfo(float).smallest_subnormal


@dataclass(frozen=True)
class Case:
    """A gradient to be witnessed: the numbers of each name, the loss with one of them replaced, the walk in 50 digits.

    `loss(name, value)` takes real and complex values in the shape of the name's numbers; `exact()` returns a gradient;
    `inputs` are the names that are given, not computed; `sides(name, value)`, where known, tells on which side of its kink
    each unit stands.
    """

    numbers: dict
    inputs: tuple
    loss: Callable
    exact: Callable
    sides: Callable | None = None

    @cached_property
    def noise(self):
        """The rounding of L, from fourth differences over seven points too close to each other to bend; at least eps |L|.

        Source: J. Moré and S. Wild, Estimating computational noise, SIAM Journal on Scientific Computing 33 (2011).
        """
        rng, noise = np.random.default_rng(0), 0.0
        for name in self.inputs:
            x = np.asarray(self.numbers[name], float)
            way = 1e-12 * (np.abs(x).max() or 1.0) * rng.choice((-1.0, 1.0), x.shape)
            near = [float(self.loss(name, x + step * way)) for step in range(7)]
            noise = max(noise, 2 * np.abs(np.diff(near, 4)).max() / np.sqrt(70), ROUND * max(map(abs, near)))
        return noise


def complex_step(case, name, entries):
    """Im L(x + ih) / h with h = 1e-40 |x| for each entry, exact to rounding as long as neither h nor Im L is too small
    for a float (h is 1e-200 at least).

    Source: W. Squire and G. Trapp, Using complex variables to estimate derivatives of real functions, SIAM Review 40 (1998).
    """
    x = np.asarray(case.numbers[name], float)

    def slope(entry, step):
        return float(np.imag(case.loss(name, _nudged(x, entry, 1j * step)))) / step

    steps = [max(STEP * (abs(x[entry]) or 1.0), 1e-200) for entry in entries]
    slopes = [slope(entry, step) for entry, step in zip(entries, steps, strict=True)]
    doubts = [64 * SMALLEST / step for step in steps]  # of underflow
    for i, (entry, step) in enumerate(zip(entries, steps, strict=True)):
        if abs(slopes[i]) < 1e-30:  # a true 0 shows as h^2 of Taylor, four times as much with twice the step
            doubts[i] += 2 * abs(slope(entry, 2 * step) - slopes[i])
    return np.array(slopes), np.array(doubts)


def complex_step_along(case, name, way):
    """The slope along a direction, one complex step for all entries of an array together."""
    x = np.asarray(case.numbers[name], float)
    step = STEP * (np.abs(x).max() or 1.0)
    return float(np.imag(case.loss(name, x + 1j * step * way))) / step


def central_differences(case, name, entries):
    """(L(x + h) - L(x - h)) / 2h for each entry, with the step of a ladder whose error, by its own account, is smallest.

    The account: the noise of L over h; what changes when h is halved; and how far the two sides differ where they should
    come together with h, which they do not at a kink within reach.
    """
    x, slopes, doubts = np.asarray(case.numbers[name], float), [], []
    size = np.abs(x).max() or 1.0
    for entry in entries:
        reach = max(abs(x[entry]), 1e-3 * size)
        ladder = [_kinks_doubted(case, name, x, entry, reach * 2.0**-k) for k in (8, 11, 14, 17, 20)]
        best = min(range(len(ladder)), key=lambda k: ladder[k][1])
        slope, doubt = ladder[best]
        slopes.append(slope)
        # A step that jumps over whole waves has no doubt of its own; finer steps have.
        doubts.append(
            max([doubt, *(abs(slope - finer) + its for finer, its in ladder[best + 1 :] if abs(slope - finer) > its)])
        )
    return np.array(slopes), np.array(doubts)


def _kinks_doubted(case, name, x, entry, h):
    """One central difference; in infinite doubt where a unit is known to cross its kink on the way."""
    slope, doubt = one_difference(case, name, x, entry, h, case.noise)
    if case.sides is not None:
        here, *there = (case.sides(name, _nudged(x, entry, step)) for step in (0.0, h / 2, -h / 2))
        doubt = doubt if all(np.array_equal(here, other) for other in there) else np.inf
    return slope, doubt


def one_difference(case, name, x, entry, h, noise):
    """The central difference (L(x + h/2) - L(x - h/2)) / h at one entry, and its doubt, where L has that noise."""

    def loss(step):
        return float(case.loss(name, _nudged(x, entry, step)))

    here, near, far = loss(0.0), (loss(h / 2), loss(-h / 2)), (loss(h), loss(-h))
    slope, wide = (near[0] - near[1]) / h, (far[0] - far[1]) / (2 * h)
    bend, wide_bend = 2 * (near[0] + near[1] - 2 * here) / h, (far[0] + far[1] - 2 * here) / h
    return slope, 4 * abs(slope - wide) + 4 * abs(bend - wide_bend / 2) + 16 * noise / h


def fifty_digits(case, name, entries):
    """The walk over the terms in 50-digit arithmetic, each term by its formula for paper."""
    gradient = case.exact()
    if name not in gradient:
        raise ValueError(
            f"check_gradient: in 50 digits there are {', '.join(gradient)}, not {name}; use witness='complex step'"
        )
    exact = np.asarray(gradient[name])
    return np.array([float(exact[entry]) for entry in entries]), np.zeros(len(entries))


WITNESSES = {"complex step": complex_step, "central differences": central_differences, "50 digits": fifty_digits}


def _nudged(x, entry, step):
    nudged = x.astype(complex) if isinstance(step, complex) else x.copy()
    nudged[entry] += step
    return nudged if nudged.ndim else nudged[()]


def graph_case(graph, trace, output):
    """The case of a graph: any quantity of the trace may be nudged, a line too."""
    inputs = {name: trace[name] for name in graph.inputs}

    @cache
    def exact():
        with mpmath.workdps(50):
            numbers = graph.run({name: mpmath.mpf(value) for name, value in inputs.items()})
            return backpropagate(graph.run_terms(numbers), output)

    return Case(trace, graph.inputs, lambda name, value: graph.run(inputs | {name: value})[output], exact)


def network_case(network, trace):
    """The case of a network: parameters, X and any Z or A may be nudged; the 50 digits are had unit by unit."""
    X, Y, parameters = trace["X"], trace["Y"], network.parameters

    def run(name, value):
        if name in parameters:
            return network.run(parameters | {name: value}, X, Y)
        if name in ("X", "Y"):
            return network.run(parameters, *((value, Y) if name == "X" else (X, value)))
        return network.run(parameters, X, Y, change=lambda found, old: value if found == name else old)

    def sides(name, value):
        nudged = run(name, value)
        return np.concatenate([[], *(np.sign(nudged[Z]).ravel() for Z in kinked)])

    kinked = [
        f"Z{layer}"
        for layer, activation in zip(network.layers, network.activations, strict=True)
        if activation in ACTIVATIONS and ACTIVATIONS[activation].kinked
    ]
    exact = cache(lambda: _by_units(network, X, Y))
    return Case(trace, (*parameters, "X"), lambda name, value: run(name, value)["L"], exact, sides if kinked else None)


def _by_units(network, X, Y):
    """The parameters' gradient as the sum over the examples' graphs; the graph of an example holds the L2 part once."""
    examples = []
    for x, y in zip(X, Y, strict=True):
        graph = network.graph(x, y)
        examples.append(graph_case(graph, graph.forward(), graph.output).exact())
    total, share = {}, len(X) if network.reduction == "mean" else 1
    with mpmath.workdps(50):
        for name, value in network.parameters.items():
            total[name] = np.empty(value.shape, object)
            for entry in np.ndindex(value.shape):
                unit = unit_name(name, entry)
                total[name][entry] = mpmath.fsum(exact[unit] for exact in examples) / share
                if network.reduction == "sum" and parts(name).letter == "W":
                    total[name][entry] -= (len(X) - 1) * mpmath.mpf(network.l2) * mpmath.mpf(float(value[entry]))
    return total
