"""The losses."""

from collections.abc import Callable
from dataclasses import dataclass

import sympy as sp

from . import values


@dataclass(frozen=True)
class Loss:
    """A loss per example, summed over the output units k: formula and slope by a_k for paper, `value` and `slope` for numbers.

    `value(a, y)` has the units in the last axis and sums over them, `slope(a, y)` and `slope_by_target(a, y)` do not. A loss `fused` with
    the output of that name takes the logits z for a: its value and slope by z stay exact where a rounds to 0 or 1.
    """

    name: str
    formula: Callable
    slope_formula: Callable
    value: Callable
    slope: Callable
    slope_by_target: Callable
    fused: str | None = None


# fmt: off
LOSSES = {row.name: row for row in [
    Loss("squared_error", lambda a, y: (a - y) ** 2 / 2, lambda a, y: a - y,
         lambda a, y: ((a - y) ** 2).sum(axis=-1) / 2, lambda a, y: a - y, lambda a, y: y - a),
    Loss("binary_cross_entropy", lambda a, y: -(y * sp.log(a) + (1 - y) * sp.log(1 - a)), lambda a, y: (a - y) / (a * (1 - a)),
         lambda z, y: (y * values.softplus(-z) + (1 - y) * values.softplus(z)).sum(axis=-1),
         lambda z, y: (1 - y) * values.sigmoid(z) - y * values.sigmoid(-z), lambda z, y: -z, fused="sigmoid"),
    Loss("cross_entropy", lambda a, y: -y * sp.log(a), lambda a, y: -y / a,
         lambda z, y: (y * values.minus_log_softmax(z)).sum(axis=-1), lambda z, y: values.softmax(z) - y,
         lambda z, y: values.minus_log_softmax(z), fused="softmax"),
]}
# fmt: on
