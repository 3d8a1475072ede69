"""The losses: what is known of each stands in its row."""

import copyreg
from collections.abc import Callable
from dataclasses import dataclass

import sympy as sp

from . import values


@dataclass(frozen=True)
class Loss:
    """A loss per example, summed over the output units k, on paper and in numbers; z are the logits, a = g(z) the outputs.

    On paper: `formula(a, y)`, `slope_formula(a, y)` by a, `target_slope_on_paper(z, a, y)`. In numbers: `value(z, a, y)` has
    the units in the last axis and sums over them, `slope` and `slope_by_target` do not. A loss `fused` with the output of
    that name has the slope by z in their stead, a - y on paper, exact where a rounds to 0 or 1.
    """

    name: str
    formula: Callable
    slope_formula: Callable
    value: Callable
    slope: Callable
    slope_by_target: Callable
    target_slope_on_paper: Callable
    fused: str | None = None


# fmt: off
LOSSES = {row.name: row for row in [
    Loss("squared_error", lambda a, y: (a - y) ** 2 / 2, lambda a, y: a - y,
         lambda z, a, y: ((a - y) ** 2).sum(axis=-1) / 2, lambda z, a, y: a - y, lambda z, a, y: y - a, lambda z, a, y: y - a),
    Loss("binary_cross_entropy", lambda a, y: -(y * sp.log(a) + (1 - y) * sp.log(1 - a)), lambda a, y: (a - y) / (a * (1 - a)),
         values.binary_cross_entropy, values.binary_cross_entropy_slope, lambda z, a, y: -z,
         lambda z, a, y: -z, fused="sigmoid"),
    Loss("cross_entropy", lambda a, y: -y * sp.log(a), lambda a, y: -y / a,
         values.cross_entropy, lambda z, a, y: a - y, values.cross_entropy_slope_by_target,
         lambda z, a, y: -sp.log(a), fused="softmax"),
]}
# fmt: on


def loss(name):
    """The row of that name."""
    return LOSSES[name]


copyreg.pickle(Loss, lambda row: (loss, (row.name,)))
