"""A dense layer: its weighted sum, its activation, and what may be built around them, normalisation and a skip."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import sympy as sp

from ...functions.activations import ACTIVATIONS
from ...functions.values import softmax
from ...notation import call_piece, what_comes_in
from .normalisation import normalising_lines
from .tensors import Edge, TensorLine, always, constant, entry, written


@dataclass(frozen=True)
class Layer:
    """What layer `number` is: its activation, whether its Z is `normalised` over the rows, whether a `skip` adds what came in."""

    number: int
    activation: str
    normalised: bool = False
    skip: bool = False

    def __str__(self):
        return str(self.number)

    @property
    def below(self):
        """The name of what it works on: X, or the A of the layer below."""
        return what_comes_in(self.number)

    @property
    def shift(self):
        """The name of the parameter that is added: the bias b, or beta where a mean would take a bias away again."""
        return f"beta{self.number}" if self.normalised else f"b{self.number}"

    @property
    def into(self):
        """The name of what its activation is applied to: Z, or S, the normalised Z scaled and shifted."""
        return f"S{self.number}" if self.normalised else f"Z{self.number}"

    @property
    def parameters(self):
        """The names of its parameters."""
        scale = [f"gamma{self.number}"] if self.normalised else []
        return (f"W{self.number}", *scale, self.shift)

    @property
    def from_the_loss_down(self):
        """The same as a walk meets them: scale and shift stand above the weights that are normalised."""
        W, *above = self.parameters
        return (*above, W) if self.normalised else self.parameters

    @property
    def row(self):
        """Its activation as a row of the table; None for a softmax."""
        return ACTIVATIONS.get(self.activation)


def layers_of(parameters, activations, residual):
    """The layers of a network, as its parameters and their shapes have them. ValueError: a normalised output."""
    depth, found = len(activations), []
    if f"gamma{depth}" in parameters:
        raise ValueError(f"Network: the output is never normalised, found gamma{depth} among the parameters")
    for number, activation in enumerate(activations, 1):
        n_out, n_in = parameters[f"W{number}"].shape
        skip = residual and n_in == n_out and number < depth
        found.append(Layer(number, activation, f"gamma{number}" in parameters, skip))
    return tuple(found)


def layer_lines(layer, fused):
    """The lines of a layer in forward order; the A of a `fused` one has no edge, since its loss goes to Z at once."""
    yield _weighted_sum(layer)
    if layer.normalised:
        yield from normalising_lines(layer.number)
    yield _activated(layer, fused)


def _weighted_sum(layer):
    Z, W, below = f"Z{layer}", f"W{layer}", layer.below
    b = None if layer.normalised else layer.shift
    edges = [Edge(Z, below, "through weights", *entry(W)), Edge(Z, W, "onto weights", *entry(below))]
    edges += [Edge(Z, b, "onto bias", *constant(1))] if b else []
    text = written(below, " @ ", W, ".", "T", *([" + ", b] if b else []))
    about = below, W, b
    return TensorLine(
        Z, (W, b) if b else (W,), partial(_sum, *about), partial(_size_of_sum, *about), text, tuple(edges)
    )


def _sum(below, W, b, trace):
    Z = trace[below] @ trace[W].T
    return np.add(Z, trace[b], out=Z if Z.dtype == trace[b].dtype else None) if b else Z


def _size_of_sum(below, W, b, trace):
    return np.abs(trace[below]) @ np.abs(trace[W]).T + (np.abs(trace[b]) if b else 0.0)


def _activated(layer, fused):
    A, g, into, skip = f"A{layer}", layer.activation, layer.into, layer.below if layer.skip else None
    edges = []
    if layer.row is None and not fused:
        edges.append(Edge(A, into, "through softmax", *entry(A)))
    elif not fused:
        edges.append(Edge(A, into, "times", partial(_slope, g, into), always(_slope_on_paper, g, into, A, skip)))
    edges += [Edge(A, skip, "times", *constant(1))] if skip else []
    text = written(call_piece(g), into, ")", *([" + ", skip] if skip else []))
    return TensorLine(A, (), partial(_active, g, into, skip), partial(_size, g, into, skip), text, tuple(edges))


# The rows are looked up each time, since a learner may replace one.


def _active(g, into, skip, trace):
    A = softmax(trace[into]) if g == "softmax" else ACTIVATIONS[g].value(trace[into])
    return A + trace[skip] if skip else A


def _size(g, into, skip, trace):
    """Of an activation its own value, and the 1 that right forms of some add to it."""
    size = np.abs(_active(g, into, None, trace)) + float(g != "softmax" and ACTIVATIONS[g].adds_to_one)
    return size + np.abs(trace[skip]) if skip else size


def _slope(g, into, trace):
    return ACTIVATIONS[g].slope.value(trace[into])


def _slope_on_paper(g, into, A, skip):
    shortcut = None if skip else ACTIVATIONS[g].slope_from_value  # with a skip A is more than the activation's value
    return ACTIVATIONS[g].slope.symbolic(sp.Symbol(into)), shortcut and shortcut(sp.Symbol(A))
