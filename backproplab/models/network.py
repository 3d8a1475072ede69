"""A dense network on rows of examples -> trace -> terms; one example unrolled into a graph.

Z_l = A_(l-1) W_l^T + b_l and A_l = g_l(Z_l) for l = 1, 2, ..., with A_0 = X; W_l has shape (units out, units in), b_l
(units out,). L is the mean (or the sum) over the rows of the loss of A and Y, plus l2/2 times the sum of all W^2.
"""

from functools import partial
from itertools import pairwise

import numpy as np
import sympy as sp

from ..functions.activations import ACTIVATIONS
from ..functions.losses import LOSSES
from ..functions.values import softmax
from ..paper.matrices import MatrixDerivation
from ..terms import RULES, Term
from .rows import (
    activation_names,
    data_type,
    known,
    layer_sizes,
    penalty,
    rows_of_inputs,
    rows_of_targets,
    weights_and_biases,
)  # fmt: skip
from .unrolling import unroll

OUTPUTS = {
    "squared_error": (*ACTIVATIONS, "softmax"), "binary_cross_entropy": ("sigmoid",), "cross_entropy": ("softmax",),
}  # fmt: skip


class Network:
    """A dense network: layer sizes from input to output, one activation for each layer, a loss.

    `parameters` is {"W1": (n_1, n_0), "b1": (n_1,), "W2": ...}: Xavier's uniform weights drawn from `seed`, zero biases.
    ValueError and TypeError name what was expected and what came. Source of the weights' range sqrt(6 / (n_in + n_out)):
    X. Glorot and Y. Bengio, Understanding the difficulty of training deep feedforward neural networks, AISTATS 2010.
    """

    def __init__(self, sizes, activations, loss="squared_error", l2=0.0, reduction="mean", dtype=float, seed=0):
        sizes, dtype = layer_sizes(sizes), data_type(dtype)
        rng, parameters = np.random.default_rng(seed), {}
        for layer, (n_in, n_out) in enumerate(pairwise(sizes), 1):
            bound = np.sqrt(6 / (n_in + n_out))
            parameters[f"W{layer}"] = rng.uniform(-bound, bound, (n_out, n_in)).astype(dtype)
            parameters[f"b{layer}"] = np.zeros(n_out, dtype)
        self._set_up(parameters, activations, loss, l2, reduction)

    @classmethod
    def from_parameters(cls, parameters, activations, loss="squared_error", l2=0.0, reduction="mean"):
        """A network with the given weights and biases, which are copied. All float32 stays float32, else float64."""
        network = cls.__new__(cls)
        network._set_up(weights_and_biases(parameters), activations, loss, l2, reduction)
        return network

    def _set_up(self, parameters, activations, loss, l2, reduction):
        self._parameters, self.depth, self.dtype = parameters, len(parameters) // 2, parameters["W1"].dtype
        self.sizes = (parameters["W1"].shape[1], *(len(parameters[f"b{layer}"]) for layer in self.layers))
        self.activations = activation_names(activations, self.depth)
        self.l2, self.reduction = penalty(l2), known("reduction", reduction, ("mean", "sum"))
        self.loss_name = known("loss", loss, LOSSES)
        self._loss = LOSSES[loss]
        if self.activations[-1] not in OUTPUTS[loss]:
            raise ValueError(
                f"Network: the loss {loss} needs the output {' or '.join(OUTPUTS[loss])}, found {self.activations[-1]}"
            )
        self._edges = list(self._make_edges())
        needed = [edge[:4] for edge in reversed(self._edges) if edge[1] not in ("X", "Y")]
        last = {of: i for i, (of, *_) in enumerate(needed)}
        self._backward = [(*edge, last[edge[0]] == i) for i, edge in enumerate(needed)]

    @property
    def layers(self):
        """The numbers of the layers, from 1."""
        return range(1, self.depth + 1)

    @property
    def parameters(self):
        """The weights and biases by name. Setting them replaces the arrays, which are never written in place."""
        return dict(self._parameters)

    @parameters.setter
    def parameters(self, new):
        new = weights_and_biases(new)
        for name, old in self._parameters.items():
            if name not in new or new[name].shape != old.shape:
                found = f"shape {new[name].shape}" if name in new else "nothing"
                raise ValueError(f"Network: {name} must have shape {old.shape}, found {found}")
        self._parameters = {name: new[name].astype(self.dtype, copy=False) for name in self._parameters}

    # --- forward ------------------------------------------------------------------------------------------------------

    def run(self, parameters, X, Y=None, change=None):
        """The trace from any parameters, also complex ones; nothing is checked, X and Y are rows.

        `change(name, value)`, where given, takes each Z and A as it is computed and returns what the next line works with.
        """
        trace, A, Z = {"X": X}, X, X
        for layer, activation in zip(self.layers, self.activations, strict=True):
            W, b = parameters[f"W{layer}"], parameters[f"b{layer}"]
            Z = A @ W.T
            Z = np.add(Z, b, out=Z if Z.dtype == b.dtype else None)
            Z = change(f"Z{layer}", Z) if change else Z
            A = softmax(Z) if activation == "softmax" else ACTIVATIONS[activation].value(Z)
            A = change(f"A{layer}", A) if change else A
            trace |= {f"W{layer}": W, f"b{layer}": b, f"Z{layer}": Z, f"A{layer}": A}
        if Y is None:
            return trace
        L = self._loss.value(Z if self._loss.fused else A, Y).sum() * self._share(Y)
        if self.l2:
            L = L + sum((parameters[f"W{layer}"] ** 2).sum() for layer in self.layers) * (self.l2 / 2)
        return trace | {"Y": Y, "L": L}

    def _share(self, Y):
        return 1.0 / len(Y) if self.reduction == "mean" else 1.0

    def forward(self, X, Y=None):
        """The trace: X, then for each layer its W, b, Z, A, then Y and L; without Y it stops at the last A.

        X (n, d), or (d,) for one example; Y (n, k), or (k,) with one example; labels 0..k-1 or rows for "cross_entropy".
        ValueError and TypeError: shapes, kinds and ranges that do not fit, NaN or infinity.
        """
        X = rows_of_inputs(X, self.sizes[0], self.dtype)
        return self.run(self._parameters, X, None if Y is None else self._targets(Y, X))

    def _targets(self, Y, X):
        return rows_of_targets(Y, len(X), self.sizes[-1], self.loss_name, self.dtype)

    def predict(self, X):
        """The last A: one row of answers for each row of X. Errors as `forward`."""
        return self.forward(X)[f"A{self.depth}"]

    def loss(self, X, Y):
        """L for the rows of X and their targets Y, as a float. Errors as `forward`."""
        return float(self.forward(X, Y)["L"])

    # --- backward -----------------------------------------------------------------------------------------------------

    def _make_edges(self):
        """(of, wrt, rule, value from (trace, share), formula from the share) for every term, in forward order."""
        for layer, activation in zip(self.layers, self.activations, strict=True):
            Z, A, W, b, below = (
                f"Z{layer}",
                f"A{layer}",
                f"W{layer}",
                f"b{layer}",
                f"A{layer - 1}" if layer > 1 else "X",
            )
            yield Z, below, "through weights", _entry(W), _symbol(W)
            yield Z, W, "onto weights", _entry(below), _symbol(below)
            yield Z, b, "onto bias", lambda trace, share: 1.0, lambda share: (sp.Integer(1), None)
            if activation == "softmax" and not self._loss.fused:
                yield A, Z, "through softmax", _entry(A), _symbol(A)
            elif layer < self.depth or not self._loss.fused:
                yield A, Z, "times", _slope(activation, Z), _slope_formula(activation, Z, A)
        yield (
            "L",
            Z if self._loss.fused else A,
            "times",
            partial(self._loss_slope, self._loss.slope, Z, A),
            partial(_loss_formula, A),
        )
        by_target = {"binary_cross_entropy": -sp.Symbol(Z), "cross_entropy": -sp.log(sp.Symbol(A))}.get(self.loss_name)
        by_target = by_target or sp.Symbol("Y") - sp.Symbol(A)
        yield (
            "L",
            "Y",
            "times",
            partial(self._loss_slope, self._loss.slope_by_target, Z, A),
            lambda n: (by_target / n, None),
        )
        if self.l2:
            for layer in self.layers:
                yield (
                    "L",
                    f"W{layer}",
                    "times",
                    partial(self._penalty_slope, f"W{layer}"),
                    partial(self._penalty_formula, f"W{layer}"),
                )

    def _loss_slope(self, function, Z, A, trace, share):
        slope = function(trace[Z if self._loss.fused else A], trace["Y"])
        return slope if share == 1.0 else slope * share

    def _penalty_slope(self, W, trace, share):
        return trace[W] * self.l2

    def _penalty_formula(self, W, share):
        return sp.Rational(repr(self.l2)) * sp.Symbol(W), None

    def terms(self, trace):
        """One `Term` for each edge, in forward order; a fused loss has one term dL/dZ, (A - Y)/n, in place of two."""
        if "L" not in trace:
            raise ValueError("Network.terms: the trace has no L; make it with forward(X, Y)")
        share = self._share(trace["Y"])
        n = len(trace["Y"]) if self.reduction == "mean" else 1
        return [
            Term(
                of,
                wrt,
                self._line(of),
                partial(formula, n),
                value(trace, share),
                np.shape(trace[of]),
                np.shape(trace[wrt]),
                rule,
            )
            for of, wrt, rule, value, formula in self._edges
        ]

    def _line(self, name):
        """The right-hand side of a quantity, as one writes it in NumPy."""
        if name == "L":
            total = f"{self.reduction}({self.loss_name}(A{self.depth}, Y))"
            return total + (f" + {self.l2:g}/2 * sum(W**2)" if self.l2 else "")
        layer = int(name[1:])
        below = f"A{layer - 1}" if layer > 1 else "X"
        return f"{below} @ W{layer}.T + b{layer}" if name[0] == "Z" else f"{self.activations[layer - 1]}(Z{layer})"

    def gradient(self, X, Y):
        """The derivative of L by every parameter, by name; only the edges that lead to parameters are walked."""
        X = rows_of_inputs(X, self.sizes[0], self.dtype)
        trace = self.run(self._parameters, X, self._targets(Y, X))
        share, gradient = self._share(trace["Y"]), {"L": 1.0}
        for of, wrt, rule, value, last in self._backward:
            upstream = gradient.pop(of) if last else gradient[of]  # memory that is freed at once is used again
            part = RULES[rule].pull(upstream, value(trace, share))
            gradient[wrt] = gradient[wrt] + part if wrt in gradient else part
        return {name: gradient[name] for name in self._parameters}

    def graph(self, x, y):
        """One example of the same network as a `Graph`, unit by unit (z1_2, a1_2, W1_2_3), with its numbers as defaults.

        ValueError: more than 5,000 edges; and as `forward`.
        """
        X = rows_of_inputs(x, self.sizes[0], self.dtype)
        if len(X) != 1:
            raise ValueError(f"Network.graph: expected one example, found {len(X)}")
        return unroll(self, X[0], self._targets(y, X)[0])

    def derive(self, wrt, trace):
        """The derivative of L by one quantity of the trace on paper, in matrices, with the shape under each factor.

        ValueError: a name without a path from L, as A of a fused output; a trace without L.
        """
        return MatrixDerivation(self.terms(trace), "L", wrt, trace)

    def __repr__(self):
        return f"Network({list(self.sizes)}, {list(self.activations)}, loss={self.loss_name!r})"


def _entry(name):
    return lambda trace, share: trace[name]


def _symbol(name):
    return lambda n: (sp.Symbol(name), None)


def _slope(activation, Z):
    value = ACTIVATIONS[activation].slope.value
    return lambda trace, share: value(trace[Z])


def _slope_formula(activation, Z, A):
    row = ACTIVATIONS[activation]
    shortcut = row.slope_from_value
    return lambda n: (row.slope.symbolic(sp.Symbol(Z)), shortcut and shortcut(sp.Symbol(A)))


def _loss_formula(A, n):
    return sp.Mul(sp.Rational(1, n), sp.Symbol(A) - sp.Symbol("Y"), evaluate=n == 1), None
