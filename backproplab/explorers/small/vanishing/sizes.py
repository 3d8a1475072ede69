"""How large delta and the gradients are in each layer of a net, and the factors that make delta grow or shrink on its way back."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ....given import NotFinite
from ....models.network import Network
from ....notation import parts
from ....terms import backpropagate

ROWS = 64


class Factor(NamedTuple):
    """What one step back, from layer l to l - 1, does to the size of delta; a size is the root mean square of the entries.

    weights |delta_l W_l| / |delta_l|; slopes |g'(Z_(l-1))|; norm what the way back through a batch normalisation
    multiplies; past what arrives by a residual, as a factor; product weights slopes norm, with a residual
    sqrt((weights slopes norm)^2 + past^2); ratio |delta_(l-1)| / |delta_l|, measured. None: there is no such part, or no number.
    """

    weights: float | None
    slopes: float | None
    norm: float | None
    past: float | None
    product: float | None
    ratio: float | None


@dataclass(frozen=True)
class Sizes:
    """The sizes of delta and dL/dW by layer, from the first on; NaN where they are past float64.

    `factors[i]` leads from layer i + 2 to layer i + 1; `dead` counts the units whose slope is 0 in every row;
    `overflow` is None or (the quantity, its layer, what the network said of it).
    """

    deltas: tuple
    gradients: tuple
    largest_deltas: tuple
    largest_gradients: tuple
    factors: tuple
    dead: tuple
    overflow: tuple | None


def size(array):
    """The root mean square of the entries, also where their squares are past float64; NaN if an entry is not finite."""
    largest = float(np.abs(array).max())
    if largest == 0:
        return 0.0
    return largest * float(np.sqrt(np.mean((array / largest) ** 2))) if math.isfinite(largest) else math.nan


def network_of(state):
    """(net, X, Y) of a state: square layers, the last one linear; normal rows X and Y, a squared error."""
    rng, hidden = np.random.default_rng((state.seed, 1)), state.depth - 1  # other numbers than those of the weights
    X, Y = rng.normal(size=(2, ROWS, state.width))
    sizes, activations = [state.width] * (state.depth + 1), [state.activation] * hidden + ["identity"]
    more = dict(batch_norm=state.batch_norm, residual=state.residual)
    return Network(sizes, activations, seed=state.seed, init=state.init, **more), X, Y


def sizes_of(state):
    """The `Sizes` of a state's net."""
    return _sizes(state.__class__(**(vars(state) | {"layer": 2})))


@lru_cache(maxsize=256)
def _sizes(state):
    net, X, Y = network_of(state)
    with np.errstate(all="ignore"):
        try:
            trace = net.forward(X, Y)
        except NotFinite as error:
            return _overflown(net, X, Y, str(error))
        terms = net.terms(trace)
        return _measured(net, {term.edge: term for term in terms}, backpropagate(terms, "L"))


def _measured(net, terms, gradient):
    layers = range(1, net.depth + 1)
    deltas, gradients = ([gradient[f"{letter}{layer}"] for layer in layers] for letter in "ZW")
    slopes = [_slope(terms, layer).value for layer in layers]
    found = [tuple(map(size, arrays)) for arrays in (deltas, gradients)]
    found += [tuple(_largest(array) for array in arrays) for arrays in (deltas, gradients)]
    factors = tuple(_factor(terms, gradient, layer) for layer in layers[1:])
    dead = tuple(int((value == 0).all(axis=0).sum()) for value in slopes)
    lost = next((layer for layer in reversed(layers) if math.isnan(found[0][layer - 1])), None)
    return Sizes(*found, factors, dead, (f"delta{lost}", lost, "") if lost else None)


def _largest(array):
    largest = float(np.abs(array).max())
    return largest if math.isfinite(largest) else math.nan


def _slope(terms, layer):
    """The term dA/dZ of a layer, or dA/dS of one that is normalised."""
    return next(terms[edge] for edge in ((f"A{layer}", f"{letter}{layer}") for letter in "ZS") if edge in terms)


def _factor(terms, gradient, layer):
    """The `Factor` from a layer to the one below."""
    Z, below = f"Z{layer}", layer - 1
    delta, slope = gradient[Z], _slope(terms, below)
    weights = _share(size(terms[Z, f"A{below}"].pull(delta)), size(delta))
    slopes = _known(size(slope.value))
    normalised = slope.wrt != f"Z{below}"
    norm = _share(size(gradient[f"Z{below}"]), size(gradient[slope.wrt])) if normalised else None
    through = _times(weights, slopes, *([norm] if normalised else []))
    product, past = through, None
    if (f"A{layer}", f"A{below}") in terms:
        past = _times(_share(size(gradient[f"A{layer}"]), size(delta)), slopes, *([norm] if normalised else []))
        product = None if None in (through, past) else _known(math.hypot(through, past))
    return Factor(weights, slopes, norm, past, product, _share(size(gradient[f"Z{below}"]), size(delta)))


def _share(one, other):
    return _known(one / other) if other else None


def _times(*factors):
    return None if None in factors else _known(math.prod(factors))


def _known(value):
    return value if math.isfinite(value) else None


def _overflown(net, X, Y, said):
    """No sizes, and the first quantity on the way forward that is past float64."""
    trace = net.run(net.parameters, X, Y)
    name = next(name for name, value in trace.items() if not np.isfinite(value).all())
    nothing = (math.nan,) * net.depth
    factors = (Factor(*[None] * 6),) * (net.depth - 1)
    return Sizes(*[nothing] * 4, factors, (0,) * net.depth, (name, parts(name).layer, said))
