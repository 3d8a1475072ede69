"""Independent ways to the same gradient: complex step, central differences, 50 digits.

A witness knows the loss as a function of one nudged quantity, not the chain rule (the 50 digits know it, and the formulas
for paper, but no rounding). It is a function of a `Case`, a name and entries of its array, and returns two arrays: the
slope at each entry, and the doubt, how far by its own account the true slope may lie from it. Where the doubt is
too large beside the name's largest slope there is no agreement (`verdicts.compare`).
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property

import mpmath
import numpy as np

from ..functions.values import in_digits
from ..notation import parts, unit_name
from ..terms import backpropagate

STEP = 1e-40  # of the complex step, relative to x: no difference is taken, so nothing cancels, and its square vanishes
# How close, relative to x, points are too close to bend; the last are for losses that are rounded to few digits.
NEAR = (1e-12, 1e-9, 1e-7, 1e-5, 1e-3, 3e-2)
POINTS = 10  # in a row, to measure noise
# Steps of central differences: 2 to the minus these, relative to x, each an eighth of the one before.
FIRST, LAST = 5, 50
ODD = 0.7390851332151607  # no step is a power of two: what repeats itself on those would look as if it never changed
ROUND, SMALLEST = np.finfo(float).eps, np.finfo(float).smallest_subnormal


@dataclass(frozen=True)
class Case:
    """A gradient to be witnessed: the numbers of each name, the loss with one of them replaced, the walk in 50 digits.

    `loss(name, value)` takes real and complex values in the shape of the name's numbers; `exact()`, where known, returns a gradient;
    `inputs` are the names that are given, not computed; `sides(name, value)`, where known, tells on which side of its kink
    each unit stands; `rough` is a rounding of L that is known beforehand.
    """

    numbers: dict
    inputs: tuple
    loss: Callable
    exact: Callable | None = None
    sides: Callable | None = None
    rough: float = 0.0

    @cached_property
    def noise(self):
        """The rounding of L, measured beside its numbers; at least eps |L|."""
        noise = self.rough
        for part in NEAR:
            rows = [self._in_a_row(name, part) for name in self.inputs]
            noise = max([noise, *(max(sixth_differences(row), ROUND * np.abs(row).max(initial=0.0)) for row in rows)])
            if any(row.size and np.ptp(row) > 0 for row in rows):  # closer points may all round to the same number
                break
        return noise

    def _in_a_row(self, name, part):
        """The loss at points in a row, a part of a name's size apart in each entry."""
        x = np.asarray(self.numbers[name], float)
        way = part * (np.abs(x).max() or 1.0) * np.random.default_rng(len(name)).choice((-1.0, 1.0), x.shape)
        found = np.array([float(self.loss(name, x + step * way)) for step in range(POINTS)])
        return found[np.isfinite(found)]


def sixth_differences(values):
    """Twice the noise of a function, from values at points in a row that are too close to each other to bend.

    Source: J. Moré and S. Wild, Estimating computational noise, SIAM Journal on Scientific Computing 33 (2011).
    """
    return 2 * float(np.abs(np.diff(values, 6)).max(initial=0.0)) / np.sqrt(924)


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

    def slope(k):
        return float(np.imag(case.loss(name, _nudged(np.asarray(x + k * way), entry, 1j * step)))) / step

    return sixth_differences(np.array([slope(k) for k in range(POINTS)]))


def _along(case, name, way):
    """The loss by the step along a direction, for all entries of an array together, and the number of which steps are parts."""
    x = np.asarray(case.numbers[name], float)
    return lambda step: float(case.loss(name, (x + step * way)[()])), np.abs(x).max() or 1.0


def difference_along(case, name, way):
    """`difference` along a direction, for all entries of an array together."""
    return difference(*_along(case, name, way), case.noise)


def central_differences(case, name, entries, reach=None):
    """A central difference for each entry, with the step of a ladder whose error, by its own account, is smallest.

    `reach`, where given, is the number of which the steps are parts; else it is that of the entry.
    """
    x = np.asarray(case.numbers[name], float)
    found = []
    for entry in entries:

        def loss(step, entry=entry):
            return float(case.loss(name, _nudged(x, entry, step)))

        def sides(step, entry=entry):
            return case.sides(name, _nudged(x, entry, step))

        own = 0.0 if reach else float(abs(x[entry]))
        found.append(difference(loss, reach or reach_of(x, entry), case.noise, own, sides if case.sides else None))
    return tuple(np.array(column) for column in zip(*found, strict=True))


def reach_of(x, entry):
    """The number of which the steps at an entry are parts: itself, unless it is far smaller than the others of its array."""
    return max(abs(x[entry]), 1e-2 * (np.abs(x).max() or 1.0))


def difference(loss, reach, noise, own=0.0, sides=None):
    """The slope of loss(step) at 0 and its doubt, from steps of a small part of `reach` and less, where the loss has that noise.

    A step on whose way a unit is known to cross its kink is in infinite doubt. Shorter steps are taken until they are a part
    of the number's `own` size and noise is all their doubt, and one more: a step that jumps over whole waves has no doubt of
    its own, the shorter one has. A doubt that stays the same is a kink at the number itself, which no step is too short for.
    """
    return _best(_ladder(loss, reach, noise, own, sides), noise)


def _ladder(loss, reach, noise, own=0.0, sides=None):
    """(step, slope, doubt) of shorter and shorter steps."""
    here, ladder, done = loss(0.0), [], False
    for k in range(FIRST, LAST, 3):
        h = ODD * reach * 2.0**-k
        slope, doubt = one_difference(loss, here, h)
        if sides is not None and not all(np.array_equal(sides(0.0), sides(step)) for step in (h, -h)):
            doubt = np.inf
        ladder.append((h, slope, doubt))
        if done or _hopeless(ladder[-4:]):
            break
        done = doubt <= 16 * noise / h and (not own or h < own)
    return ladder


def _hopeless(ladder):
    """Whether shorter steps only make it worse: the last doubts are those of a kink at the number itself, or of noise.

    At a kink they stay the same. Noise makes them grow around a slope that was found before.
    """
    doubts = [doubt for _, _, doubt in ladder]
    if len(doubts) < 4 or not 0 < min(doubts) <= max(doubts) < np.inf:
        return False
    growing = all(right > 4 * left for left, right in itertools.pairwise(doubts))
    return max(doubts) < 1.001 * min(doubts) or (growing and doubts[0] < 1e-2 * abs(ladder[0][1]))


def _best(ladder, noise):
    """The slope of the step whose doubt is smallest, and that doubt; ladder: (step, slope, doubt), the steps getting shorter.

    To its own doubt comes that of noise: the measured one, and the one that shorter steps show, which grows as they shrink.
    Where a shorter step finds another slope, beyond its own doubt, that difference counts too; also where a longer one does
    that was sure of it: what rounds to few digits does not change at all over the shortest steps.
    """
    seen, found = 16 * noise, []
    for h, slope, doubt in reversed(ladder):
        found.append((doubt + seen / h, slope))
        seen = max(seen, doubt * h / 2) if np.isfinite(doubt) else seen
    found.reverse()
    best = min(range(len(found)), key=lambda k: found[k][0])
    doubt, slope = found[best]
    sure = [(its, other) for its, other in found[:best] if its < 0.1 * abs(other)]
    others = [abs(slope - other) + its for its, other in (*sure, *found[best + 1 :]) if abs(slope - other) > its]
    return slope, max([doubt, *others])


def roughness(case, name, way):
    """The rounding of L that steps along a direction show: where a slope was found, and shorter steps find it ever less well.

    It may be coarser than what points close to each other show, where a part of L alone is rounded to few digits.
    """
    rows, rough = _ladder(*_along(case, name, way), case.noise), 0.0
    for (_, slope, doubt), (h, _, worse), (_, _, worst) in zip(rows, rows[1:], rows[2:], strict=False):
        if 0 < 9 * doubt < 3 * worse < worst < np.inf and doubt < 0.1 * abs(slope):
            rough = max(rough, worse * h / 8)
    return rough


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
    """The case of a network: parameters, X and any line may be nudged; the 50 digits are had unit by unit."""
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

    kinked = [layer.into for layer in network.layers if layer.row is not None and layer.row.kinked]
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
