"""The losses: all that is known of each stands in its row."""

import copyreg
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import sympy as sp

from . import values


@dataclass(frozen=True)
class Targets:
    """What targets may be: numbers from `lowest` to `highest`; with `shares` each row sums to 1, and may be given as a label."""

    lowest: float = -math.inf
    highest: float = math.inf
    shares: bool = False

    def draw(self, rng, n, k):
        """Random targets of that kind, (n, k): whole shares, either end of a range, or numbers inside."""
        if self.shares:
            return np.eye(k)[rng.integers(0, k, n)]
        if math.isfinite(self.lowest) and math.isfinite(self.highest):
            return rng.choice((self.lowest, self.highest), (n, k))
        edge = self.lowest if math.isfinite(self.lowest) else self.highest - 1 if math.isfinite(self.highest) else 0.0
        return edge + rng.uniform(0.1, 0.9, (n, k))


ANY = Targets()


@dataclass(frozen=True)
class Loss:
    """A loss per example, summed over the output units k; z are the logits, a = g(z) the outputs, y the targets.

    On paper, for one unit: `formula(a, y)`, its slope `slope_formula(a, y)` by a, `target_slope_on_paper(z, a, y)` by y, and
    `line`, a text as a graph reads it, with {a}, {y}, {z} and {logits}, all of them with commas.
    In numbers: `value(z, a, y)` has the units in the last axis and sums over them, `slope` (by a) and `slope_by_target` do not.
    A loss `fused` with the output of that name is computed from z: its `slope` is the one by z, a - y on paper, exact where a
    rounds to 0 or 1; the slope by a, which it never needs itself, is `long_way(a, y)`, its line in a and y `long_line`.
    Others take any output.
    """

    name: str
    formula: Callable
    slope_formula: Callable
    target_slope_on_paper: Callable
    line: str
    value: Callable
    slope: Callable
    slope_by_target: Callable
    targets: Targets = Targets()
    fused: str | None = None
    long_way: Callable | None = None
    long_line: str = ""


# fmt: off
LOSSES = {row.name: row for row in [
    Loss("squared_error", lambda a, y: (a - y) ** 2 / 2, lambda a, y: a - y, lambda z, a, y: y - a, "({a} - {y})**2/2",
         lambda z, a, y: ((a - y) ** 2).sum(axis=-1) / 2, lambda z, a, y: a - y, lambda z, a, y: y - a),
    Loss("binary_cross_entropy", lambda a, y: -(y * sp.log(a) + (1 - y) * sp.log(1 - a)), lambda a, y: (a - y) / (a * (1 - a)),
         lambda z, a, y: -z, "{y}*softplus(-{z}) + (1 - {y})*softplus({z})",
         values.binary_cross_entropy, values.binary_cross_entropy_slope, lambda z, a, y: -z,
         Targets(0.0, 1.0), fused="sigmoid", long_way=lambda a, y: (a - y) / (a * (1 - a)),
         long_line="-({y}*log({a}) + (1 - {y})*log(1 - {a}))"),
    Loss("cross_entropy", lambda a, y: -y * sp.log(a), lambda a, y: -y / a,
         lambda z, a, y: -sp.log(a), "{y}*(logsumexp({logits}) - {z})",
         values.cross_entropy, lambda z, a, y: a - y, values.cross_entropy_slope_by_target,
         Targets(0.0, 1.0, shares=True), fused="softmax", long_way=lambda a, y: -y / a, long_line="-{y}*log({a})"),
]}
# fmt: on


def loss(name):
    """The row of that name."""
    return LOSSES[name]


copyreg.pickle(Loss, lambda row: (loss, (row.name,)))
