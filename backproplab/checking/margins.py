"""How far a right gradient may lie from the true one: its scale, its rounding, and the kinks within reach.

The scale of a gradient is the walk over the terms' absolute values, the sum of |paths|. Rounding is measured: every
quantity, and in a graph every single operation, is shaken by some units in the last place, as if it had been computed in another order, and the textbook's
formulas are granted what they lose, a (1 - a) at a = 1 - 1e-12 for instance. Where shaking moves a number across a kink,
every slope between those on its two sides may stand there.
"""

import random
from dataclasses import dataclass, replace

import numpy as np

from ..notation import parts
from ..terms import backpropagate, size_of_pull, sizes, walk

UNITS = 64  # units in the last place by which quantities are shaken
SHAKES = 6
FARTHEST = 4  # times its shake: a normal number is hardly ever larger
TINY = 1e-300  # moves an exact 0 to either side of a kink


@dataclass(frozen=True)
class Margins:
    """Entry by entry: the sum of |paths|, the rounding of a right gradient, and from where to where kinks let it move.

    By name, or `of` one name.
    """

    scale: dict
    rounding: dict
    low: dict
    high: dict

    def of(self, name, shape):
        """The margins of one name, as arrays; 0 where no path leads."""
        parts = (self.scale, self.rounding, self.low, self.high)
        return Margins(*(np.asarray(part.get(name, np.zeros(shape))) for part in parts))

    @property
    def kinks(self):
        """How far apart the sides of kinks are, in the margins of one name: exactly 0 where none is within reach."""
        return self.high - self.low


def _grown(terms, output, scale, growth):
    """By how much the sizes grow with the terms, each by its `growth`; exactly 0 behind terms that do not."""
    if not any(np.any(part) for part in growth):
        return {name: np.zeros(np.shape(value)) for name, value in scale.items()}
    grown = [replace(term, value=np.abs(term.value) + part) for term, part in zip(terms, growth, strict=True)]
    with np.errstate(all="ignore"):
        larger = sizes(grown, output)
        return {name: np.nan_to_num(larger[name] - scale[name], nan=np.inf, posinf=np.inf) for name in scale}


def _between(terms, output, lows, highs):
    """The lowest and the highest gradient by name, where each term lies between a lowest and a highest value; {} if none may."""
    halves = [(high - low) / 2 for low, high in zip(lows, highs, strict=True)]
    if not any(np.any(half) for half in halves):
        return {}, {}
    middles = [
        replace(term, value=np.where(half > 0, low + half, term.value)[()]) if np.any(half) else term
        for term, low, half in zip(terms, lows, halves, strict=True)
    ]
    middle, reach = backpropagate(middles, output), _grown(middles, output, sizes(middles, output), halves)
    return tuple({name: value + sign * reach.get(name, 0.0) for name, value in middle.items()} for sign in (-1, 1))


# --- graphs -----------------------------------------------------------------------------------------------------------


def graph_margins(graph, trace, terms, output):
    """The margins of a graph's gradient at one trace of floats."""
    reach = {name: abs(value) for name, value in trace.items()}
    for term in terms:
        reach[term.of] += abs(term.value * trace[term.wrt])
    unit = UNITS * np.finfo(float).eps
    values = []
    for part in (1, 0.5):
        by_quantity = _shaken_traces(trace, {name: part * (unit * size + TINY) for name, size in reach.items()})
        shaken = [graph.run_terms(moved) for moved in by_quantity]
        shaken += [_shaken_rows(graph, trace, part * unit, seed) for seed in range(SHAKES)]
        values.append([[float(np.real(term.value)) for term in moved] for moved in zip(*shaken, strict=True)])
    moved, scale = list(map(_moved, terms, *values)), sizes(terms, output)
    lows, highs, smooth = ([found[part] for found in moved] for part in range(3))
    return Margins(scale, _grown(terms, output, scale, smooth), *_between(terms, output, lows, highs))


def _shaken_traces(trace, shake):
    """The trace with every quantity shaken; for any two of them there is one with opposite signs."""
    names = list(trace)
    for bit in range(len(names).bit_length() + 1):
        for sign in (1.0, -1.0):
            signs = (sign if number >> bit & 1 else -sign for number in range(len(names)))
            yield {name: trace[name] + s * shake[name] for name, s in zip(names, signs, strict=True)}


def _shaken_rows(graph, trace, unit, seed):
    """The terms where every single operation, in the lines and in their slopes, rounds up or down by a unit."""
    signs = random.Random(seed)

    def change(value):
        return value * (1.0 + unit * signs.choice((-1.0, 1.0)))

    return graph.run_terms(graph.run({name: trace[name] for name in graph.inputs}, change), change)


def _moved(term, full, half):
    """From where to where a kink lets a term's value jump, and how far it moves without one, when shaken and half shaken."""
    far, near = (
        max(abs(value - term.value) if np.isfinite(value) else np.inf for value in values) for values in (full, half)
    )
    if near > 0.75 * far:  # what does not shrink with the shaking is a jump
        finite = [value for value in full if np.isfinite(value)]
        return (min(finite), max(finite), 0.0) if len(finite) == len(full) else (term.value, term.value, np.inf)
    return term.value, term.value, far if far >= 1e-200 else 0.0  # an exact 0 is exact


# --- networks ---------------------------------------------------------------------------------------------------------


def network_margins(network, trace, terms, unit):
    """The margins of a network's gradient, for arithmetic that rounds to `unit`, 2.2e-16 in float64."""
    scale, gradient = sizes(terms, "L"), backpropagate(terms, "L")
    rounding, rng = {name: np.zeros(np.shape(value)) for name, value in gradient.items()}, np.random.default_rng(0)
    shake = _shake(network, trace, UNITS * unit)
    lows, highs = zip(*(_sides(network, term, trace, shake) for term in terms), strict=True)
    sided = [
        (low < high, term.value) if np.any(low < high) else None
        for term, low, high in zip(terms, lows, highs, strict=True)
    ]
    for _ in range(SHAKES):
        shaken = _shaken_gradient(network, trace, shake, UNITS * unit, sided, rng)
        rounding = {name: np.maximum(most, np.abs(shaken[name] - gradient[name])) for name, most in rounding.items()}
    if any(network.batch_norm):
        rounding = {name: _of_means(most, unit * scale[name], gradient[name]) for name, most in rounding.items()}
    return Margins(scale, rounding, *_between(terms, "L", lows, highs))


def _of_means(rounding, cancelled, gradient):
    """Where means take a whole gradient away, as of a beta below another mean, what is left is rounding of all that cancelled."""
    return np.maximum(rounding, np.where(cancelled > np.abs(gradient).max(), cancelled, 0.0))


def _shake(network, trace, part):
    """How far to shake each line but L: a part of the sum of |addends|."""
    shake = {line.name: part * line.size(trace) for line in network.lines if line.name != "L"}
    for layer in network.layers:
        shake[layer.into] = shake[layer.into] + np.where(trace[layer.into] == 0, TINY, 0.0)
    return shake


def _shaken_gradient(network, trace, shake, part, sided, rng):
    """The gradient where every quantity, every slope and every step of the walk is rounded otherwise; what stands at a kink stays on its side."""

    def shaking(value):
        return rng.normal(size=np.shape(value))

    shaken = network.run(
        {name: trace[name] for name in network.parameters},
        trace["X"],
        trace["Y"],
        change=lambda name, value: value + shaking(value) * shake[name],
    )
    terms = []
    for term, fixed in zip(network.terms(shaken), sided, strict=True):
        value = term.value + shaking(term.value) * part * _textbook(network, term, trace)
        terms.append(replace(term, value=value if fixed is None else np.where(*fixed, value)))

    def pull(term, d):
        pulled = term.pull(d)
        return pulled + shaking(pulled) * part * size_of_pull(term, np.abs(d))

    gradient = {name: np.zeros(np.shape(value)) for name, value in trace.items()}
    return gradient | walk(terms, {"L": 1.0}, pull)


def _textbook(network, term, trace):
    """The size of what a textbook's formula of the term subtracts: 1 in a (1 - a) and 1 - a**2, a and y in a fused a - y."""
    if term.of == "L" and parts(term.wrt).letter == "Z":  # a fused slope; any other moves with its A
        return (np.abs(trace[f"A{network.depth}"]) + np.abs(trace["Y"])) * network.share(trace["Y"])
    activation = _activation(network, term)
    return float(activation is not None and activation.taken_from_one)


def _activation(network, term):
    """The activation whose slope the term is, as a row of the table; None if it is no such slope."""
    found = (layer.row for layer in network.layers if term.edge == (f"A{layer}", layer.into))
    return next(found, None)


def _sides(network, term, trace, shake):
    """The smaller and the larger slope on the two sides to which shaking may take Z, where a kink is between them."""
    activation = _activation(network, term)
    if activation is None or not activation.kinked:
        return term.value, term.value
    Z, reach = trace[term.wrt], FARTHEST * shake[term.wrt]
    left, right = (activation.slope.value(Z + step) for step in (-reach, reach))
    return np.minimum(left, right), np.maximum(left, right)
