"""The last line of a network: the loss over the rows, and the L2 penalty on the weights."""

from functools import lru_cache, partial

import sympy as sp

from ...functions.losses import LOSSES
from ...notation import call_piece, number
from ...terms import Slope
from .dense import layer_lines
from .tensors import OVER, SQUARE, TIMES, Edge, TensorLine, always, row_of_lines, written


@lru_cache(maxsize=32)
def network_lines(layers, loss, fused, reduction, l2):
    """Every line of a network in forward order, from Z1 to L; the sizes of the layers do not show in them."""
    lines = [line for layer in layers for line in layer_lines(layer, fused and layer.number == len(layers))]
    return row_of_lines([*lines, _loss_line(len(layers), loss, fused, reduction, l2)])


def share(reduction, Y):
    """What one example counts for in the loss."""
    return 1.0 / len(Y) if reduction == "mean" else 1.0


def _loss_line(depth, name, fused, reduction, l2):
    """A fused loss has one edge dL/dZ, (A - Y)/n, in place of two."""
    edges = []
    for wrt, column in ((("Z" if fused else "A") + str(depth), "slope"), ("Y", "slope_by_target")):
        value = partial(_slope, name, column, depth, reduction)
        edges.append(Edge("L", wrt, "times", value, partial(_on_paper, name, wrt, depth, reduction)))
    weights = [f"W{layer}" for layer in range(1, depth + 1)] if l2 else []
    edges += [Edge("L", W, "times", partial(_penalty, l2, W), always(_penalty_on_paper, l2, W)) for W in weights]
    penalty = [" + ", number(l2), OVER, "2", TIMES, call_piece("sum"), "W", SQUARE, ")"] if l2 else []
    text = written(call_piece(reduction), call_piece(name), f"A{depth}", ", ", "Y", "))", *penalty)
    value = partial(_value, name, depth, reduction, l2, tuple(weights))
    return TensorLine("L", ("Y",), value, value, text, tuple(edges))


# --- in numbers ---------------------------------------------------------------------------------------------------------


def _value(loss, depth, reduction, l2, weights, trace):
    Y = trace["Y"]
    L = LOSSES[loss].value(trace[f"Z{depth}"], trace[f"A{depth}"], Y).sum() * share(reduction, Y)
    return L + sum((trace[W] ** 2).sum() for W in weights) * (l2 / 2) if weights else L


def _slope(loss, column, depth, reduction, trace):
    value = getattr(LOSSES[loss], column)(trace[f"Z{depth}"], trace[f"A{depth}"], trace["Y"])
    part = share(reduction, trace["Y"])
    return value if part == 1.0 else value * part


def _penalty(l2, W, trace):
    return trace[W] * l2


# --- on paper -----------------------------------------------------------------------------------------------------------


def _on_paper(loss, wrt, depth, reduction, trace):
    return Slope(_over_n, (loss, wrt, depth, len(trace["Y"]) if reduction == "mean" else 1))


def _over_n(name, wrt, depth, n):
    loss = LOSSES[name]
    z, a, y = (sp.Symbol(name) for name in (f"Z{depth}", f"A{depth}", "Y"))
    by_output = a - y if loss.fused else loss.slope_formula(a, y)
    slope = loss.target_slope_on_paper(z, a, y) if wrt == "Y" else by_output
    return sp.Mul(sp.Rational(1, n), slope, evaluate=n == 1 or not slope.is_Add), None


def _penalty_on_paper(l2, W):
    return sp.Rational(repr(l2)) * sp.Symbol(W), None
