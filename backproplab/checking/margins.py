"""How far a right gradient may lie from the true one: its scale, its rounding, and the kinks within reach.

The scale of a gradient is the walk over the terms' absolute values, the sum of |paths|. Rounding is measured: every
quantity, and in a graph every single operation, is shaken by some units in the last place, as if it had been computed in another order, and the textbook's
formulas are granted what they lose, a (1 - a) at a = 1 - 1e-12 for instance. Where shaking moves a number across a kink, the
whole jump counts.
"""

import random
from dataclasses import dataclass, replace

import numpy as np

from ..functions.activations import ACTIVATIONS
from ..notation import parts
from ..terms import backpropagate, sizes

UNITS = 64  # units in the last place by which quantities are shaken
SHAKES = 6
TINY = 1e-300  # moves an exact 0 to either side of a kink


@dataclass(frozen=True)
class Margins:
    """Entry by entry: the sum of |paths|, the rounding of a right gradient, and what kinks within reach may add.

    By name, or `of` one name.
    """

    scale: dict
    rounding: dict
    kinks: dict

    def of(self, name, shape):
        """The margins of one name, as arrays; 0 where no path leads."""
        return Margins(
            *(np.asarray(part.get(name, np.zeros(shape))) for part in (self.scale, self.rounding, self.kinks))
        )


def _grown(terms, output, scale, growth):
    """By how much the sizes grow with the terms, each by its `growth`; exactly 0 behind terms that do not."""
    if not any(np.any(part) for part in growth):
        return {name: np.zeros(np.shape(value)) for name, value in scale.items()}
    grown = [replace(term, value=np.abs(term.value) + part) for term, part in zip(terms, growth, strict=True)]
    with np.errstate(all="ignore"):
        larger = sizes(grown, output)
        return {name: np.nan_to_num(larger[name] - scale[name], nan=np.inf, posinf=np.inf) for name in scale}


# --- graphs -----------------------------------------------------------------------------------------------------------


def graph_margins(graph, trace, terms, output):
    """The margins of a graph's gradient at one trace of floats."""
    reach = {name: abs(value) for name, value in trace.items()}
    for term in terms:
        reach[term.of] += abs(term.value * trace[term.wrt])
    unit = UNITS * np.finfo(float).eps
    moves = []
    for part in (1, 0.5):
        by_quantity = _shaken_traces(trace, {name: part * (unit * size + TINY) for name, size in reach.items()})
        shaken = [graph.run_terms(moved) for moved in by_quantity]
        shaken += [_shaken_rows(graph, trace, part * unit, seed) for seed in range(SHAKES)]
        moves.append([_farthest(term.value, moved) for term, *moved in zip(terms, *shaken, strict=True)])
    # What does not shrink with the shaking is a jump.
    jumps = [full if half > 0.75 * full else 0.0 for full, half in zip(*moves, strict=True)]
    smooth = [
        0.0 if jump or full < 1e-200 else full for full, jump in zip(moves[0], jumps, strict=True)
    ]  # an exact 0 is exact
    scale = sizes(terms, output)
    return Margins(scale, _grown(terms, output, scale, smooth), _grown(terms, output, scale, jumps))


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


def _farthest(value, moved):
    """How far a term's value moved at the most; infinity where it is no number any more."""
    values = [float(np.real(term.value)) for term in moved]
    return max(abs(other - value) if np.isfinite(other) else np.inf for other in values)


# --- networks ---------------------------------------------------------------------------------------------------------


def network_margins(network, trace, terms, unit):
    """The margins of a network's gradient, for arithmetic that rounds to `unit`, 2.2e-16 in float64."""
    scale, gradient = sizes(terms, "L"), backpropagate(terms, "L")
    shake = _shake(network, trace, UNITS * unit)
    rounding, rng = {name: np.zeros(np.shape(value)) for name, value in gradient.items()}, np.random.default_rng(0)
    for _ in range(SHAKES):
        shaken = _shaken_gradient(network, trace, shake, UNITS * unit, rng)
        rounding = {name: np.maximum(most, np.abs(shaken[name] - gradient[name])) for name, most in rounding.items()}
    return Margins(scale, rounding, _grown(terms, "L", scale, [_jump(network, term, trace, shake) for term in terms]))


def _shake(network, trace, part):
    """How far to shake each Z and A: a part of the sum of |addends|."""
    shake, below = {}, trace["X"]
    for layer in network.layers:
        W, b, Z, A = (trace[f"{kind}{layer}"] for kind in "WbZA")
        shake[f"Z{layer}"] = part * (np.abs(below) @ np.abs(W).T + np.abs(b)) + np.where(Z == 0, TINY, 0.0)
        activation = ACTIVATIONS.get(network.activations[layer - 1])  # None for a softmax
        shake[f"A{layer}"] = part * (np.abs(A) + float(activation is not None and activation.adds_to_one))
        below = A
    return shake


def _shaken_gradient(network, trace, shake, part, rng):
    def shaking(value):
        return rng.normal(size=np.shape(value))

    shaken = network.run(
        {name: trace[name] for name in network.parameters},
        trace["X"],
        trace["Y"],
        change=lambda name, value: value + shaking(value) * shake[name],
    )
    terms = [
        replace(term, value=term.value + shaking(term.value) * part * _textbook(network, term, trace))
        for term in network.terms(shaken)
    ]
    return backpropagate(terms, "L")


def _textbook(network, term, trace):
    """The size of what a textbook's formula of the term subtracts: 1 in a (1 - a) and 1 - a**2, a and y in a fused a - y."""
    if term.of == "L" and parts(term.wrt).letter == "Z":  # a fused slope; any other moves with its A
        return (np.abs(trace[f"A{network.depth}"]) + np.abs(trace["Y"])) * network.share(trace["Y"])
    activation = _activation(network, term)
    return float(activation is not None and activation.taken_from_one)


def _activation(network, term):
    """The activation whose slope the term is, as a row of the table; None if it is no such slope."""
    letter, layer, _ = parts(term.of)
    return ACTIVATIONS[network.activations[layer - 1]] if letter == "A" and term.rule == "times" else None


def _jump(network, term, trace, shake):
    """By how much the slope jumps where shaking takes Z across a kink."""
    activation = _activation(network, term)
    if activation is None or not activation.kinked:
        return 0.0
    Z, reach = trace[term.wrt], shake[term.wrt]
    return np.abs(activation.slope.value(Z + reach) - activation.slope.value(Z - reach))
