"""The weights that a network begins with: one row for each way to draw them, with its source."""

import math
from itertools import pairwise
from numbers import Real

import numpy as np

from ...given import shown


def _xavier(rng, n_out, n_in):
    """Uniform in +-sqrt(6 / (n_in + n_out)): variance 2 / (n_in + n_out). Source: X. Glorot and Y. Bengio, AISTATS 2010."""
    bound = np.sqrt(6 / (n_in + n_out))
    return rng.uniform(-bound, bound, (n_out, n_in))


def _he(rng, n_out, n_in):
    """Normal with variance 2 / n_in, since a ReLU lets half of it through. Source: K. He and others, ICCV 2015."""
    return rng.normal(0.0, math.sqrt(2 / n_in), (n_out, n_in))


def _orthogonal(rng, n_out, n_in):
    """Orthonormal rows, or columns where there are more rows. Source: A. Saxe, J. McClelland and S. Ganguli, ICLR 2014."""
    tall = rng.normal(size=(max(n_out, n_in), min(n_out, n_in)))
    q, r = np.linalg.qr(tall)
    q = q * np.sign(np.diag(r))  # so that every orthogonal matrix is as likely as any other
    return q if n_out >= n_in else q.T


LARGEST = 1e100  # standard deviation of weights
WAYS = {"xavier": _xavier, "he": _he, "orthogonal": _orthogonal}


def weights_drawn_by(init):
    """The function (rng, n_out, n_in) -> W of a way by name, or of a number: normal weights with that standard deviation.

    ValueError: an unknown name, a number below 0 or past 1e100. TypeError: neither.
    """
    if isinstance(init, str):
        if init not in WAYS:
            raise ValueError(f"Network: unknown init {init!r:.40}; choose from {', '.join(WAYS)}, or give a number")
        return WAYS[init]
    if isinstance(init, bool) or not isinstance(init, Real):
        raise TypeError(f"Network: init must be one of {', '.join(WAYS)}, or a number, found {shown(init)}")
    init = init.item() if isinstance(init, np.generic) else init
    if not 0 <= init <= LARGEST:
        raise ValueError(f"Network: init must be from 0 to {LARGEST:g}, found {shown(init)}")
    return lambda rng, n_out, n_in: rng.normal(0.0, float(init), (n_out, n_in))


def _stored(weights, init, dtype):
    """Weights as the network stores them. ValueError: one of them is past its dtype."""
    if np.abs(weights).max() > np.finfo(dtype).max:
        raise ValueError(f"Network: init {init} draws weights past {np.dtype(dtype).name}; choose a smaller number")
    return weights.astype(dtype)


def first_parameters(sizes, init, normalised, dtype, rng):
    """Weights drawn by `init` and rows of biases 0, by name; of normalised layers a gamma of 1 and a beta of 0. Errors as `weights_drawn_by`."""
    drawn, parameters = weights_drawn_by(init), {}
    for layer, (n_in, n_out) in enumerate(pairwise(sizes), 1):
        parameters[f"W{layer}"] = _stored(drawn(rng, n_out, n_in), init, dtype)
        rows = {f"gamma{layer}": 1, f"beta{layer}": 0} if normalised[layer - 1] else {f"b{layer}": 0}
        parameters |= {name: np.full(n_out, value, dtype) for name, value in rows.items()}
    return parameters
