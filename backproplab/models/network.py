"""A dense network on rows of examples -> trace -> terms; one example unrolled into a graph.

Z_l = A_(l-1) W_l^T + b_l and A_l = g_l(Z_l) for l = 1, 2, ..., with A_0 = X; W_l has shape (units out, units in), b_l
(units out,). L is the mean (or the sum) over the rows of the loss of A and Y, plus l2/2 times the sum of all W^2.
What a layer is, with batch normalisation or a skip, stands in `layers/`; a network is the list of its layers' lines.
"""

import math

import numpy as np

from ..functions.losses import LOSSES
from ..given import check_finite, known, random_source, real_array, shown, squares
from ..notation import parts
from ..paper.matrices import MatrixDerivation
from ..terms import RULES
from .batch import enough_rows, rows_of_inputs, rows_of_targets
from .files import read_network, write_network
from .layers.dense import layers_of
from .layers.initial import first_parameters
from .layers.losses import network_lines, share
from .layers.normalisation import first_statistics
from .layers.settings import (
    activation_names,
    data_type,
    hidden_layers,
    layer_sizes,
    penalty,
    statistics,
    weights_and_biases,
)
from .layers.tensors import raise_not_finite
from .unrolling import unroll


class Network:
    """A dense network: layer sizes from input to output, one activation for each layer, a loss.

    `parameters` is {"W1": (n_1, n_0), "b1": (n_1,), "W2": ...}: weights drawn from `seed`, zero biases. `init` says how they
    are drawn: "xavier", uniform in +-sqrt(6 / (n_in + n_out)) (Glorot and Bengio, 2010); "he", normal with the variance
    2 / n_in (He and others, 2015); "orthogonal" (Saxe and others, 2014); a number, normal with that standard deviation.

    `batch_norm`, True or a list with one value for each hidden layer, normalises Z over the rows (Ioffe and Szegedy, 2015):
    mu = mean(Z), C = Z - mu, var = mean(C^2), N = C / sqrt(var + 1e-5), S = gamma N + beta, A = g(S), with gamma 1 and beta 0
    at first, and no b. `forward`, `loss` and `gradient` use the batch's own mean and variance, `predict` those of `running`.
    `residual`: A_l = g(Z_l) + A_(l-1) in the hidden layers that are as wide as what comes in (He and others, 2016).
    ValueError and TypeError name what was expected and what came.
    """

    def __init__(
        self,
        sizes,
        activations,
        loss="squared_error",
        l2=0.0,
        reduction="mean",
        dtype=float,
        seed=0,
        init="xavier",
        batch_norm=False,
        residual=False,
    ):
        sizes = layer_sizes(sizes)
        normalised = hidden_layers("batch_norm", batch_norm, len(sizes) - 1)
        parameters = first_parameters(sizes, init, normalised, data_type(dtype), random_source(seed))
        self._set_up(parameters, activations, loss, l2, reduction, residual)

    @classmethod
    def from_parameters(
        cls,
        parameters,
        activations,
        loss="squared_error",
        l2=0.0,
        reduction="mean",
        batch_norm=None,
        residual=False,
        running=None,
    ):
        """A network with the given weights and biases, which are copied. All float32 stays float32, else float64.

        A layer with gamma and beta in place of b is normalised; `batch_norm`, where given, must say the same. `running` are
        the statistics for `predict`, means of 0 and variances of 1 if left out.
        """
        network = cls.__new__(cls)
        network._set_up(weights_and_biases(parameters), activations, loss, l2, reduction, residual)
        if batch_norm is not None and hidden_layers("batch_norm", batch_norm, network.depth) != network.batch_norm:
            raise ValueError(
                f"Network: batch_norm is {batch_norm}, but the layers with gamma and beta say {list(network.batch_norm)}"
            )
        if running is not None:
            network.running = running
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

    @classmethod
    def from_torch(cls, module, loss="squared_error"):
        """The network of a `torch.nn.Sequential`, its numbers copied: Linear, then BatchNorm1d where there is one, then an activation.

        `loss` is a name as above, or CrossEntropyLoss(), BCEWithLogitsLoss() (after logits) or BCELoss(). MSELoss is none of
        ours: squared_error is 1/2 of the sum over the outputs, as a mean over the rows. A bias before BatchNorm1d, which its
        mean takes away again, is taken from the running mean. Softplus() with its own threshold of 20 differs from ours by up to
        2.1e-9 above z = 20. ValueError: a module that has no counterpart here, by its name.
        TypeError: no Sequential. ImportError: PyTorch is missing.
        """
        from . import torch_bridge

        return torch_bridge.from_torch(cls, module, loss)

    def to_torch(self):
        """The network as a `torch.nn.Sequential` of its dtype, with a copy of every number; its last module is the output's activation.

        In training mode it computes what `forward` does, after `.eval()` what `predict` does; `module[:-1]` are the logits, as
        PyTorch's CrossEntropyLoss takes them. Loss and l2 are no part of a module. ImportError: PyTorch is missing.
        """
        from . import torch_bridge

        return torch_bridge.to_torch(self)

    def _set_up(self, parameters, activations, loss, l2, reduction, residual):
        weights = [array for name, array in parameters.items() if parts(name).letter == "W"]
        self._parameters, self.depth, self.dtype = parameters, len(weights), parameters["W1"].dtype
        self.sizes = (weights[0].shape[1], *(len(W) for W in weights))
        self.activations = activation_names(activations, self.depth)
        self.l2, self.reduction = penalty(l2), known("Network: unknown reduction", reduction, ("mean", "sum"))
        self.loss_name = known("Network: unknown loss", loss, LOSSES)
        self._loss = LOSSES[loss]
        if self.fused and self.activations[-1] != self._loss.fused:
            raise ValueError(
                f"Network: the loss {loss} needs the output {self._loss.fused}, found {self.activations[-1]}"
            )
        if not isinstance(residual, (bool, np.bool_)):
            raise TypeError(f"Network: residual must be True or False, found {shown(residual)}")
        self.residual = bool(residual)
        self.layers = layers_of(parameters, self.activations, self.residual)
        self._running = first_statistics(self.layers, parameters)
        self.lines = network_lines(self.layers, loss, self.fused, reduction, self.l2)
        self._edges = [edge for line in self.lines for edge in line.edges]
        self._watched = list(dict.fromkeys(name for layer in self.layers for name in (f"Z{layer}", layer.into)))
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
        return {
            "activations": self.activations,
            "loss": self.loss_name,
            "l2": self.l2,
            "reduction": self.reduction,
            "batch_norm": self.batch_norm,
            "residual": self.residual,
        }

    @property
    def batch_norm(self):
        """For each layer whether its Z is normalised over the rows."""
        return tuple(layer.normalised for layer in self.layers)

    def in_double(self):
        """The same network with its numbers in float64."""
        return self.with_parameters({name: value.astype(float) for name, value in self._parameters.items()})

    def with_parameters(self, parameters):
        """A network like this one with other weights and biases, which are copied. Errors as `from_parameters`."""
        return Network.from_parameters(parameters, **self.settings, running=self._running)

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

    @property
    def running(self):
        """The means and variances that `predict` normalises with, {"mu1": ..., "var1": ...}, copied; `bp.train` alone moves them."""
        return {name: value.copy() for name, value in self._running.items()}

    @running.setter
    def running(self, new):
        arrays = statistics(new, {name: value.shape for name, value in self._running.items()})
        self._running = {name: real_array(f"Network: {name}", arrays[name], dtype=self.dtype) for name in arrays}

    # --- forward ------------------------------------------------------------------------------------------------------

    def run(self, parameters, X, Y=None, change=None, running=None):
        """The trace from any parameters, also complex ones; nothing is checked or copied, X and Y are rows.

        `change(name, value)`, where given, takes each line but L as it is computed and returns what the next line works with.
        `running`, where given, are the means and variances in place of the batch's own.
        """
        trace, given = {"X": X}, running or {}
        for line in self.lines[:-1]:
            for name in line.uses:
                trace[name] = parameters[name]
            value = given[line.name] if line.name in given else line.value(trace)
            trace[line.name] = change(line.name, value) if change else value
        if Y is not None:
            trace["Y"] = Y
            trace["L"] = self.lines[-1].value(trace)
        return trace

    def forward(self, X, Y=None):
        """The trace: X, then for each layer its W, b, Z, A, then Y and L; without Y it stops at the last A.

        X (n, d), or (d,) for one example; Y (n, k), or (k,) with one example; labels 0..k-1 or rows for "cross_entropy".
        ValueError and TypeError: shapes, kinds and ranges that do not fit, NaN or infinity.
        """
        X = self._batch(X)
        Y = None if Y is None else self._targets(Y, X)
        with np.errstate(all="ignore"):
            trace = self.finite_run("forward", self._parameters, X, Y)
        return {name: value.copy() for name, value in trace.items()}

    def finite_run(self, caller, parameters, X, Y=None, running=None):
        """The trace of `run`, in which every number is finite; else NotFinite with the first quantity that is not."""
        trace = self.run(parameters, X, Y, running=running)
        if not math.isfinite(sum([squares(trace[name]) for name in self._watched], trace.get("L", 0.0))):
            raise_not_finite(f"Network.{caller}", self.lines, trace)
        return trace

    def rows(self, X, Y):
        """X and Y checked, as the rows that `run` and `backward` work on: Y one-hot where it was labels. Errors as `forward`."""
        X = self._inputs(X)
        return X, self._targets(Y, X)

    def _inputs(self, X):
        return rows_of_inputs(X, self.sizes[0], self.dtype)

    def _batch(self, X):
        return enough_rows(self._inputs(X), any(self.batch_norm))

    def _targets(self, Y, X):
        return rows_of_targets(Y, len(X), self.sizes[-1], self.loss_row, self.dtype)

    def predict(self, X):
        """The last A: one row of outputs for each row of X, normalised layers by their `running` statistics. Errors as `forward`."""
        return self.infer("predict", self._parameters, self._running, self._inputs(X))[f"A{self.depth}"]

    def infer(self, caller, parameters, running, X, Y=None):
        """The trace of any parameters and running statistics, on `rows`, as `predict` computes it. NotFinite: a number is not."""
        with np.errstate(all="ignore"):
            return self.finite_run(caller, parameters, X, Y, running)

    def loss(self, X, Y):
        """L for the rows of X and their targets Y, as a float. Errors as `forward`."""
        X = self._batch(X)
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
        return [term for line in self.lines for term in line.terms(trace)]

    def gradient(self, X, Y):
        """The derivative of L by every parameter, by name; only the edges that lead to parameters are walked.

        ValueError and TypeError as `forward`.
        """
        X = self._batch(X)
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
        ValueError: more than 5,000 edges, a normalised layer; and as `forward`.
        """
        if any(self.batch_norm):
            raise ValueError(
                "Network.graph: a normalised layer works on a batch, not on one example; use terms(trace), the same in matrices"
            )
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
