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
from ..functions.values import in_digits
from ..notation import parts, unit_name
from ..terms import backpropagate

STEP = 1e-40  # of the complex step, relative to x: no difference is taken, so nothing cancels, and its square vanishes
NEAR = (1e-12, 1e-9, 1e-6)  # how close, relative to x, points are too close to bend
LADDER = (5, 8, 11, 14, 17, 20)  # steps of central differences: 2 to the minus these, relative to x
ROUND, SMALLEST = np.finfo(float).eps, np.finfo(float).smallest_subnormal


@dataclass(frozen=True)
class Case:
    """A gradient to be witnessed: the numbers of each name, the loss with one of them replaced, the walk in 50 digits.

    `loss(name, value)` takes real and complex values in the shape of the name's numbers; `exact()`, where known, returns a gradient;
    `inputs` are the names that are given, not computed; `sides(name, value)`, where known, tells on which side of its kink
    each unit stands.
    """

    numbers: dict
    inputs: tuple
    loss: Callable
    exact: Callable | None = None
    sides: Callable | None = None

    @cached_property
    def noise(self):
        """The rounding of L, measured beside its numbers; at least eps |L|."""
        rng, noise = np.random.default_rng(0), 0.0
        for name in self.inputs:
            x = np.asarray(self.numbers[name], float)
            way = (np.abs(x).max() or 1.0) * rng.choice((-1.0, 1.0), x.shape)
            for part in NEAR:
                near = np.array([float(self.loss(name, x + step * part * way)) for step in range(7)])
                if not np.all(near == near[0]):  # closer points may all round to the same number
                    break
            near = near[np.isfinite(near)]
            noise = max(noise, fourth_differences(near), ROUND * np.abs(near).max(initial=0.0))
        return noise


def fourth_differences(values):
    """Twice the noise of a function, from values at points in a row that are too close to each other to bend.

    Source: J. Moré and S. Wild, Estimating computational noise, SIAM Journal on Scientific Computing 33 (2011).
    """
    return 2 * float(np.abs(np.diff(values, 4)).max(initial=0.0)) / np.sqrt(70)


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
    step = max(STEP * (np.abs(x).max() or 1.0), 1e-200)
    return float(np.imag(case.loss(name, (x + 1j * step * way)[()]))) / step


def slope_noise(case, name, entry):
    """The rounding of a complex step's slope at one entry, measured at numbers beside those of the case."""
    x = np.asarray(case.numbers[name], float)
    size = np.abs(x).max() or 1.0
    way, step = NEAR[0] * size * np.random.default_rng(0).choice((-1.0, 1.0), x.shape), max(STEP * size, 1e-200)
    slopes = [
        float(np.imag(case.loss(name, _nudged(np.asarray(x + k * way), entry, 1j * step)))) / step for k in range(7)
    ]
    return fourth_differences(np.array(slopes))


def difference_along(case, name, way):
    """`difference` along a direction, for all entries of an array together."""
    x = np.asarray(case.numbers[name], float)
    return difference(lambda step: float(case.loss(name, (x + step * way)[()])), np.abs(x).max() or 1.0, case.noise)


def central_differences(case, name, entries):
    """A central difference for each entry, with the step of a ladder whose error, by its own account, is smallest."""
    x = np.asarray(case.numbers[name], float)
    size = np.abs(x).max() or 1.0
    found = []
    for entry in entries:

        def loss(step, entry=entry):
            return float(case.loss(name, _nudged(x, entry, step)))

        def sides(step, entry=entry):
            return case.sides(name, _nudged(x, entry, step))

        own, reach = abs(x[entry]), max(abs(x[entry]), 1e-2 * size)
        slope, doubt = difference(loss, reach, case.noise, sides if case.sides else None)
        if not np.isfinite(doubt) and 0 < own < reach:  # a number that is small beside the others may be near an edge
            slope, doubt = difference(loss, own, case.noise, sides if case.sides else None)
        found.append((slope, doubt))
    return tuple(np.array(part) for part in zip(*found, strict=True))


def difference(loss, reach, noise, sides=None):
    """The slope of loss(step) at 0 and its doubt, from steps of a small part of `reach` and less, where the loss has that noise.

    A step on whose way a unit is known to cross its kink is in infinite doubt. Past the step at which noise is all the
    doubt, one finer step is looked at: one that jumps over whole waves has no doubt of its own, the finer one has.
    """
    here, ladder, done = loss(0.0), [], False
    for h in (reach * 2.0**-k for k in LADDER):
        slope, doubt = one_difference(loss, here, h)
        if sides is not None and not all(np.array_equal(sides(0.0), sides(step)) for step in (h, -h)):
            doubt = np.inf
        ladder.append((slope, doubt + 16 * noise / h))
        if done:
            break
        done = doubt <= 16 * noise / h
    best = min(range(len(ladder)), key=lambda k: ladder[k][1])
    slope, doubt = ladder[best]
    finer = [abs(slope - other) + its for other, its in ladder[best + 1 :] if abs(slope - other) > its]
    return slope, max([doubt, *finer])


def one_difference(loss, here, h):
    """The central difference of loss(step) with steps of h, h/2 and h/4, extrapolated to 0, and what speaks against it.

    Its error is of the order h^6. Its doubt, where the loss has no noise: how far its own parts with an error of h^4 are
    apart, and the two sides, which come together with h where there is no kink. NaN and infinite where the loss is.
    Source: L. F. Richardson, The approximate arithmetical solution by finite differences, Phil. Trans. A 210 (1911).
    """
    with np.errstate(all="ignore"):
        sides = [(loss(h / part), loss(-h / part), h / part) for part in (1, 2, 4)]
        wide, half, near = ((right - left) / (2 * step) for right, left, step in sides)
        wide_bend, half_bend, near_bend = ((right + left - 2 * here) / step for right, left, step in sides)
        coarse, fine = (4 * half - wide) / 3, (4 * near - half) / 3
        doubt = 4 * abs(fine - coarse) + 4 * abs((wide_bend - 2 * half_bend) / 8 - (half_bend - 2 * near_bend))
        slope = (16 * fine - coarse) / 15
    return slope, doubt if np.isfinite(doubt) else np.inf


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
        with in_digits(50):
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
    with in_digits(50):
        for name, value in network.parameters.items():
            total[name] = np.empty(value.shape, object)
            for entry in np.ndindex(value.shape):
                unit = unit_name(name, entry)
                total[name][entry] = mpmath.fsum(exact[unit] for exact in examples) / share
                if network.reduction == "sum" and parts(name).letter == "W":
                    total[name][entry] -= (len(X) - 1) * mpmath.mpf(network.l2) * mpmath.mpf(float(value[entry]))
    return total
