"""The edges of a dense network: what each is in numbers, on paper and as a line, before there is a trace."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import sympy as sp

from ..functions.activations import ACTIVATIONS
from ..functions.losses import LOSSES
from ..notation import Written, call_piece, layer_runs, number, what_comes_in
from ..terms import Slope, Term


@dataclass(frozen=True)
class Edge:
    """A term before there is a trace: `value(trace)` is its number, `paper(trace)` its `Slope`."""

    of: str
    wrt: str
    rule: str
    value: Callable
    paper: Callable


def all_edges(activations, loss, reduction, l2):
    """Every edge in forward order; a fused loss has one edge dL/dZ, (A - Y)/n, in place of two."""
    return tuple(_edges(activations, loss, reduction, l2))


def make_terms(edges, lines, trace):
    """The term of each edge on a trace; its value is a copy, so that the trace may be changed afterwards."""
    return [
        Term(
            edge.of,
            edge.wrt,
            lines[edge.of],
            edge.paper(trace),
            value.copy() if isinstance(value := edge.value(trace), np.ndarray) else value,
            np.shape(trace[edge.of]),
            np.shape(trace[edge.wrt]),
            edge.rule,
        )
        for edge in edges
    ]


def _edges(activations, loss, reduction, l2):
    loss, depth = LOSSES[loss], len(activations)
    for layer, activation in enumerate(activations, 1):
        Z, A, W, b, below = f"Z{layer}", f"A{layer}", f"W{layer}", f"b{layer}", what_comes_in(layer)
        yield Edge(Z, below, "through weights", partial(_entry, W), partial(_always, _symbol, W))
        yield Edge(Z, W, "onto weights", partial(_entry, below), partial(_always, _symbol, below))
        yield Edge(Z, b, "onto bias", _one, partial(_always, _one_on_paper))
        if layer == depth and loss.fused:
            break
        if activation == "softmax":
            yield Edge(A, Z, "through softmax", partial(_entry, A), partial(_always, _symbol, A))
        else:
            row = ACTIVATIONS[activation]
            yield Edge(A, Z, "times", partial(_slope, row, Z), partial(_always, _slope_on_paper, row, Z, A))
    for wrt, column in ((("Z" if loss.fused else "A") + str(depth), "slope"), ("Y", "slope_by_target")):
        value = partial(_loss_slope, loss, column, depth, reduction)
        yield Edge("L", wrt, "times", value, partial(_loss_on_paper, loss, wrt, depth, reduction))
    for layer in range(1, depth + 1) if l2 else ():
        W = f"W{layer}"
        yield Edge("L", W, "times", partial(_penalty, l2, W), partial(_always, _penalty_on_paper, l2, W))


def share(reduction, Y):
    """What one example counts for in the loss."""
    return 1.0 / len(Y) if reduction == "mean" else 1.0


# --- in numbers ---------------------------------------------------------------------------------------------------------


def _entry(name, trace):
    return trace[name]


def _one(trace):
    return 1.0


def _slope(row, Z, trace):
    return row.slope.value(trace[Z])


def _loss_slope(loss, column, depth, reduction, trace):
    value = getattr(loss, column)(trace[f"Z{depth}"], trace[f"A{depth}"], trace["Y"])
    part = share(reduction, trace["Y"])
    return value if part == 1.0 else value * part


def _penalty(l2, W, trace):
    return trace[W] * l2


# --- on paper -----------------------------------------------------------------------------------------------------------


def _always(ask, *about):
    """A slope that is the same for every trace, which comes last."""
    return Slope(ask, about[:-1])


def _symbol(name):
    return sp.Symbol(name), None


def _one_on_paper():
    return sp.Integer(1), None


def _slope_on_paper(row, Z, A):
    shortcut = row.slope_from_value
    return row.slope.symbolic(sp.Symbol(Z)), shortcut and shortcut(sp.Symbol(A))


def _loss_on_paper(loss, wrt, depth, reduction, trace):
    return Slope(_over_n, (loss, wrt, depth, len(trace["Y"]) if reduction == "mean" else 1))


def _over_n(loss, wrt, depth, n):
    z, a, y = (sp.Symbol(name) for name in (f"Z{depth}", f"A{depth}", "Y"))
    by_output = a - y if loss.fused else loss.slope_formula(a, y)
    slope = loss.target_slope_on_paper(z, a, y) if wrt == "Y" else by_output
    return sp.Mul(sp.Rational(1, n), slope, evaluate=n == 1 or not slope.is_Add), None


def _penalty_on_paper(l2, W):
    return sp.Rational(repr(l2)) * sp.Symbol(W), None


# --- as lines -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=32)
def make_lines(activations, loss, reduction, l2):
    """The right-hand side of each quantity, as one writes it in NumPy; the sizes of the layers do not show in it."""
    found, depth = {}, len(activations)
    for layer, activation in enumerate(activations, 1):
        found[f"Z{layer}"] = _line(what_comes_in(layer), " @ ", f"W{layer}", ".", "T", " + ", f"b{layer}")
        found[f"A{layer}"] = _line(call_piece(activation), f"Z{layer}", ")")
    found["L"] = _line(call_piece(reduction), call_piece(loss), f"A{depth}", ", ", "Y", "))", *_penalty_pieces(l2))
    for line in found.values():
        line.places = _places(depth)
    return found


def _places(depth):
    """Where the tensors stand: the layers in a row, weights and biases below what they make, the targets below the loss."""
    found = {"X": ("tensor", 0), "L": ("tensor", 2 * depth + 1), "Y": ("below", "L", 0)}
    for layer in range(1, depth + 1):
        Z = f"Z{layer}"
        found |= {Z: ("tensor", 2 * layer - 1), f"A{layer}": ("tensor", 2 * layer)}
        found |= {f"W{layer}": ("below", Z, 0), f"b{layer}": ("below", Z, 1)}
    return found


def _penalty_pieces(l2):
    square = ("**2", (("2", "sup"),))
    return [
        " + ",
        number(l2),
        ("/", ((" / ", ""),)),
        "2",
        (" * ", ((" · ", ""),)),
        call_piece("sum"),
        "W",
        square,
        ")",
    ] * bool(l2)


def _line(*pieces):
    """Names in italics, all else upright, unless a piece says itself how it is drawn."""
    return Written.of([
        piece if isinstance(piece, tuple) else (piece, layer_runs(piece) if piece.isidentifier() else ((piece, ""),))
        for piece in pieces
    ])  # fmt: skip
