"""Batch normalisation: Z over the rows of a batch with mean 0 and variance 1, then scaled and shifted, one line a step.

mu_j = mean over i of Z_ij, C = Z - mu, var_j = mean over i of C_ij^2, N = C / sqrt(var + eps), S = gamma N + beta.
Source: S. Ioffe and C. Szegedy, Batch normalization, ICML 2015.
"""

from functools import partial

import numpy as np
import sympy as sp

from ...notation import call_piece
from ...terms import Slope
from .tensors import OVER, TIMES, Edge, TensorLine, constant, entry, written

EPS = 1e-5  # beside the variance, as in PyTorch
MOMENTUM = 0.1  # the part of the running statistics that a batch replaces, as in PyTorch

_OVER_ROWS = (", axis=0)", ((")", ""),))


def normalising_lines(layer):
    """The five lines of layer number `layer` between its Z and what its activation is applied to, S."""
    Z, mu, C, var, N, S, gamma, beta = (f"{name}{layer}" for name in ("Z", "mu", "C", "var", "N", "S", "gamma", "beta"))
    yield TensorLine(
        mu, (), partial(_mean, Z), partial(_mean_size, Z), written(call_piece("mean"), Z, _OVER_ROWS),
        (Edge(mu, Z, "through statistic", partial(_one_over_n, Z), partial(_mean_on_paper, Z)),), ("below", C, 0),
    )  # fmt: skip
    yield TensorLine(
        C, (), partial(_centred, Z, mu), partial(_centred_size, Z, mu), written(Z, " - ", mu),
        (Edge(C, Z, "times", *constant(1)), Edge(C, mu, "onto mean", *constant(-1))),
    )  # fmt: skip
    yield TensorLine(
        var, (), partial(_variance, C), partial(_variance_size, Z), written(call_piece("mean"), C, TIMES, C, _OVER_ROWS),
        (Edge(var, C, "through statistic", partial(_two_over_n, C), partial(_variance_on_paper, C)),), ("below", N, 0),
    )  # fmt: skip
    yield TensorLine(
        N, (), partial(_normalised, C, var), partial(_size, N),
        written(C, OVER, call_piece("sqrt"), var, " + ", "1e-5", ")"),
        (
            Edge(N, C, "through scale", partial(_inverse_root, var), partial(_inverse_on_paper, var)),
            Edge(N, var, "onto scale", partial(_slope_by_variance, C, var), partial(_by_variance_on_paper, C, var)),
        ),
    )  # fmt: skip
    yield TensorLine(
        S, (gamma, beta), partial(_scaled, gamma, N, beta), partial(_scaled_size, gamma, N, beta),
        written(gamma, TIMES, N, " + ", beta),
        (Edge(S, N, "through scale", *entry(gamma)), Edge(S, gamma, "onto scale", *entry(N)),
         Edge(S, beta, "onto bias", *constant(1))),
    )  # fmt: skip


def first_statistics(layers, parameters):
    """The running statistics before any batch: means of 0 and variances of 1, by name."""
    shapes = {layer: parameters[layer.shift] for layer in layers if layer.normalised}
    first = {"mu": np.zeros_like, "var": np.ones_like}
    return {f"{kind}{layer}": make(shape) for layer, shape in shapes.items() for kind, make in first.items()}


def moved_statistics(running, trace):
    """The running statistics after a batch: 0.9 of what they were and 0.1 of its own, the variance over n - 1 as in PyTorch."""
    n, found = len(trace["X"]), {}
    for name, old in running.items():
        own = trace[name] * (n / (n - 1)) if name.startswith("var") else trace[name]
        found[name] = (1 - MOMENTUM) * old + MOMENTUM * own
    return found


# --- in numbers ---------------------------------------------------------------------------------------------------------


def _mean(Z, trace):
    return trace[Z].mean(axis=0)


def _mean_size(Z, trace):
    return np.abs(trace[Z]).mean(axis=0)


def _centred(Z, mu, trace):
    return trace[Z] - trace[mu]


def _centred_size(Z, mu, trace):
    return np.abs(trace[Z]) + np.abs(trace[mu])


def _variance(C, trace):
    return (trace[C] ** 2).mean(axis=0)


def _variance_size(Z, trace):
    """What the textbook's other form, the mean of the squares less the square of the mean, adds up."""
    return (trace[Z] ** 2).mean(axis=0) + trace[Z].mean(axis=0) ** 2


def _normalised(C, var, trace):
    return trace[C] / np.sqrt(trace[var] + EPS)


def _scaled(gamma, N, beta, trace):
    return trace[gamma] * trace[N] + trace[beta]


def _scaled_size(gamma, N, beta, trace):
    return np.abs(trace[gamma] * trace[N]) + np.abs(trace[beta])


def _size(name, trace):
    return np.abs(trace[name])


def _one_over_n(Z, trace):
    return np.full_like(trace[Z], 1.0 / len(trace[Z]))


def _two_over_n(C, trace):
    return trace[C] * (2.0 / len(trace[C]))


def _inverse_root(var, trace):
    return 1.0 / np.sqrt(trace[var] + EPS)


def _slope_by_variance(C, var, trace):
    return -0.5 * trace[C] * (trace[var] + EPS) ** -1.5


# --- on paper -----------------------------------------------------------------------------------------------------------


def _mean_on_paper(Z, trace):
    return Slope(_part, (len(trace[Z]),))


def _part(n):
    return sp.Rational(1, n), None


def _variance_on_paper(C, trace):
    return Slope(_twice_part, (C, len(trace[C])))


def _twice_part(C, n):
    return sp.Rational(2, n) * sp.Symbol(C), None


def _inverse_on_paper(var, trace):
    return Slope(_inverse, (var,))


def _inverse(var):
    return 1 / sp.sqrt(sp.Symbol(var) + sp.Float(str(EPS))), None


def _by_variance_on_paper(C, var, trace):
    return Slope(_by_variance, (C, var))


def _by_variance(C, var):
    return -sp.Symbol(C) / (2 * (sp.Symbol(var) + sp.Float(str(EPS))) ** sp.Rational(3, 2)), None
