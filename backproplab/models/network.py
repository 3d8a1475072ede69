"""A dense network on rows of examples -> trace -> terms; one example unrolled into a graph.

Z_l = A_(l-1) W_l^T + b_l and A_l = g_l(Z_l) for l = 1, 2, ..., with A_0 = X; W_l has shape (units out, units in), b_l
(units out,). L is the mean (or the sum) over the rows of the loss of A and Y, plus l2/2 times the sum of all W^2.
"""

import math
from itertools import pairwise

import numpy as np

from ..functions.activations import ACTIVATIONS
from ..functions.losses import LOSSES
from ..functions.values import softmax
from ..given import (
    NotFinite,
    activation_names,
    check_finite,
    data_type,
    known,
    layer_sizes,
    penalty,
    random_source,
    real_array,
    shown,
    squares,
    weights_and_biases,
)
from ..notation import number, parts
from ..paper.matrices import MatrixDerivation
from ..terms import RULES
from .batch import rows_of_inputs, rows_of_targets
from .edges import all_edges, make_lines, make_terms, share
from .files import read_network, write_network
from .initial import weights_drawn_by
from .unrolling import unroll


class Network:
    """A dense network: layer sizes from input to output, one activation for each layer, a loss.

    `parameters` is {"W1": (n_1, n_0), "b1": (n_1,), "W2": ...}: weights drawn from `seed`, zero biases. `init` says how they
    are drawn: "xavier", uniform in +-sqrt(6 / (n_in + n_out)) (Glorot and Bengio, 2010); "he", normal with the variance
    2 / n_in (He and others, 2015); "orthogonal" (Saxe and others, 2014); a number, normal with that standard deviation.
    ValueError and TypeError name what was expected and what came.
    """

    def __init__(
        self, sizes, activations, loss="squared_error", l2=0.0, reduction="mean", dtype=float, seed=0, init="xavier"
    ):
        sizes, dtype, drawn = layer_sizes(sizes), data_type(dtype), weights_drawn_by(init)
        rng, parameters = random_source(seed), {}
        for layer, (n_in, n_out) in enumerate(pairwise(sizes), 1):
            parameters[f"W{layer}"] = drawn(rng, n_out, n_in).astype(dtype)
            parameters[f"b{layer}"] = np.zeros(n_out, dtype)
        self._set_up(parameters, activations, loss, l2, reduction)

    @classmethod
    def from_parameters(cls, parameters, activations, loss="squared_error", l2=0.0, reduction="mean"):
        """A network with the given weights and biases, which are copied. All float32 stays float32, else float64."""
        network = cls.__new__(cls)
        network._set_up(weights_and_biases(parameters), activations, loss, l2, reduction)
        return network

    @classmethod
    def load(cls, path):
        """The network that `save` wrote to a file, every number and setting as it was; nothing in the file is ever run.

        ValueError: damaged, truncated, or no file of a network. OSError: it cannot be read.
        """
        return read_network(cls, path)

    def save(self, path):
        """Write parameters and settings to an .npz file; it is replaced as a whole, or stays. OSError: it cannot be written."""
        write_network(self, path)

    def _set_up(self, parameters, activations, loss, l2, reduction):
        self._parameters, self.depth, self.dtype = parameters, len(parameters) // 2, parameters["W1"].dtype
        self.sizes = (parameters["W1"].shape[1], *(len(parameters[f"b{layer}"]) for layer in self.layers))
        self.activations = activation_names(activations, self.depth)
        self.l2, self.reduction = penalty(l2), known("Network: unknown reduction", reduction, ("mean", "sum"))
        self.loss_name = known("Network: unknown loss", loss, LOSSES)
        self._loss = LOSSES[loss]
        if self.fused and self.activations[-1] != self._loss.fused:
            raise ValueError(
                f"Network: the loss {loss} needs the output {self._loss.fused}, found {self.activations[-1]}"
            )
        self._edges = all_edges(self.activations, loss, reduction, self.l2)
        self._logits = [f"Z{layer}" for layer in self.layers]
        needed = [edge for edge in reversed(self._edges) if edge.wrt not in ("X", "Y")]
        last = {edge.of: i for i, edge in enumerate(needed)}
        self._backward = [(edge, last[edge.of] == i) for i, edge in enumerate(needed)]

    @property
    def loss_row(self):
        """The row of the table of losses."""
        return self._loss

    def share(self, Y):
        """What one of the rows of Y counts for in the loss: 1/n for a mean, 1 for a sum."""
        return share(self.reduction, Y)

    @property
    def settings(self):
        """What a network is besides its parameters, as `from_parameters` takes it."""
        names = ("activations", "loss", "l2", "reduction")
        return dict(zip(names, (self.activations, self.loss_name, self.l2, self.reduction), strict=True))

    def in_double(self):
        """The same network with its numbers in float64."""
        parameters = {name: value.astype(float) for name, value in self._parameters.items()}
        return Network.from_parameters(parameters, **self.settings)

    @property
    def layers(self):
        """The numbers of the layers, from 1."""
        return range(1, self.depth + 1)

    @property
    def fused(self):
        """Whether the loss goes from the logits Z at once, so that dL/dZ is one term."""
        return self._loss.fused is not None

    @property
    def parameters(self):
        """The weights and biases by name, copied. Setting them replaces the arrays, which are never written in place."""
        return {name: value.copy() for name, value in self._parameters.items()}

    @parameters.setter
    def parameters(self, new):
        new = weights_and_biases(new)
        for name, old in self._parameters.items():
            if name not in new or new[name].shape != old.shape:
                found = f"shape {new[name].shape}" if name in new else "nothing"
                raise ValueError(f"Network: {name} must have shape {old.shape}, found {found}")
        self._parameters = {name: real_array(f"Network: {name}", new[name], dtype=self.dtype) for name in new}

    # --- forward ------------------------------------------------------------------------------------------------------

    def run(self, parameters, X, Y=None, change=None):
        """The trace from any parameters, also complex ones; nothing is checked or copied, X and Y are rows.

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
        L = self._loss.value(Z, A, Y).sum() * self.share(Y)
        if self.l2:
            L = L + sum((parameters[f"W{layer}"] ** 2).sum() for layer in self.layers) * (self.l2 / 2)
        return trace | {"Y": Y, "L": L}

    def forward(self, X, Y=None):
        """The trace: X, then for each layer its W, b, Z, A, then Y and L; without Y it stops at the last A.

        X (n, d), or (d,) for one example; Y (n, k), or (k,) with one example; labels 0..k-1 or rows for "cross_entropy".
        ValueError and TypeError: shapes, kinds and ranges that do not fit, NaN or infinity.
        """
        X = self._inputs(X)
        Y = None if Y is None else self._targets(Y, X)
        with np.errstate(all="ignore"):
            trace = self.finite_run("forward", self._parameters, X, Y)
        return {name: value.copy() for name, value in trace.items()}

    def finite_run(self, caller, parameters, X, Y=None):
        """The trace of `run`, in which every number is finite; else NotFinite with the first quantity that is not."""
        trace = self.run(parameters, X, Y)
        if not math.isfinite(sum([squares(trace[Z]) for Z in self._logits], trace.get("L", 0.0))):
            for name, value in trace.items():
                self._check_finite(caller, name, value, trace)
        return trace

    def _check_finite(self, caller, name, value, trace):
        """NotFinite: a quantity is not; it names the layer, the first place, and the largest numbers of its line."""
        if np.isfinite(value).all():
            return
        place = tuple(map(int, np.argwhere(~np.isfinite(np.atleast_1d(value)))[0]))
        used = [edge.wrt for edge in self._edges if edge.of == name] or [name]
        sizes = ", ".join(
            f"|{other}| up to {number(np.abs(trace[other]).max(), 3)}" for other in used if other in trace
        )
        line, layer = make_lines(self.activations, self.loss_name, self.reduction, self.l2)[name], parts(name).layer
        at = f" in layer {layer} at row {place[0]}, unit {place[-1] + 1}" if layer else ""
        found = np.atleast_1d(value)[place]
        raise NotFinite(f"Network.{caller}: {name} = {line} is {found}{at}: past {self.dtype}, with {sizes}")

    def rows(self, X, Y):
        """X and Y checked, as the rows that `run` and `backward` work on: Y one-hot where it was labels. Errors as `forward`."""
        X = self._inputs(X)
        return X, self._targets(Y, X)

    def _inputs(self, X):
        return rows_of_inputs(X, self.sizes[0], self.dtype)

    def _targets(self, Y, X):
        return rows_of_targets(Y, len(X), self.sizes[-1], self.loss_row, self.dtype)

    def predict(self, X):
        """The last A: one row of outputs for each row of X. Errors as `forward`."""
        X = self._inputs(X)
        with np.errstate(all="ignore"):
            return self.finite_run("predict", self._parameters, X)[f"A{self.depth}"]

    def loss(self, X, Y):
        """L for the rows of X and their targets Y, as a float. Errors as `forward`."""
        X = self._inputs(X)
        Y = self._targets(Y, X)
        with np.errstate(all="ignore"):
            return float(self.finite_run("loss", self._parameters, X, Y)["L"])

    # --- backward -----------------------------------------------------------------------------------------------------

    def terms(self, trace):
        """One `Term` for each edge, in forward order; a fused loss has one term dL/dZ, (A - Y)/n, in place of two."""
        if not isinstance(trace, dict):
            raise TypeError(f"Network.terms: expected a trace, as forward(X, Y) gives it, found {shown(trace)}")
        names = dict.fromkeys(name for edge in self._edges for name in (edge.of, edge.wrt, f"A{self.depth}"))
        if missing := [name for name in names if name not in trace]:
            raise ValueError(f"Network.terms: the trace has no {', '.join(missing)}; make it with forward(X, Y)")
        lines = make_lines(self.activations, self.loss_name, self.reduction, self.l2)
        return make_terms(self._edges, lines, trace)

    def gradient(self, X, Y):
        """The derivative of L by every parameter, by name; only the edges that lead to parameters are walked.

        ValueError and TypeError as `forward`.
        """
        X = self._inputs(X)
        Y = self._targets(Y, X)
        with np.errstate(all="ignore"):
            trace = self.finite_run("gradient", self._parameters, X)
            trace["Y"] = Y
            return self._walk_back("gradient", trace)

    def backward(self, parameters, X, Y):
        """(trace, gradient) from any parameters, on `rows`: what a loop of training needs; nothing is checked or copied.

        ValueError: a number that is not finite, with the quantity and the layer in which it began.
        """
        with np.errstate(all="ignore"):
            trace = self.finite_run("backward", parameters, X, Y)
            return trace, self._walk_back("backward", trace)

    def _walk_back(self, caller, trace):
        # A loop of its own: by `walk` over terms it takes 1.8 times as long for [784, 10, 10] with 64 examples, 2.3 times
        # for [2, 3, 2] with one. No terms are made, and an upstream that is used up leaves its memory to the next.
        gradient = {"L": 1.0}
        for edge, last in self._backward:
            upstream = gradient.pop(edge.of) if last else gradient[edge.of]
            part = RULES[edge.rule].pull(upstream, edge.value(trace))
            gradient[edge.wrt] = gradient[edge.wrt] + part if edge.wrt in gradient else part
        if not math.isfinite(sum(map(squares, gradient.values()))):
            for name in reversed(self._parameters):
                check_finite(f"Network.{caller}: dL/d{name}, in layer {parts(name).layer},", gradient[name])
        return {name: gradient[name] for name in self._parameters}

    def graph(self, x, y, *, fused=True):
        """One example of the same network as a `Graph`, unit by unit (z1_2, a1_2, W1_2_3), with its numbers as defaults.

        A fused loss is written from the logits, stable; with `fused=False` the long way through its outputs A, for numbers that bear it.
        ValueError: more than 5,000 edges; and as `forward`.
        """
        X = self._inputs(x)
        if len(X) != 1:
            raise ValueError(f"Network.graph: expected one example, found {len(X)}")
        return unroll(self, X[0], self._targets(y, X)[0], fused)

    def derive(self, wrt, trace):
        """The derivative of L by one quantity of the trace on paper, in matrices, with the shape under each factor.

        ValueError: a name without a path from L, as A of a fused output; a trace without L.
        """
        return MatrixDerivation(self.terms(trace), "L", wrt)

    def __repr__(self):
        return f"Network({list(self.sizes)}, {list(self.activations)}, loss={self.loss_name!r})"
