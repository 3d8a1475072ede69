"""How wrong is a nudge? Three formulas for one derivative, each at a step h, beside the true number."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import mpmath
import numpy as np

from ..functions.operations import FUNCTIONS
from ..functions.values import in_digits
from ..terms import below, terms_between
from .witnesses import graph_case

DIGITS = 15  # of a float64: 53 bits
FORMULAS = {
    "one-sided difference": lambda f, x, h: (f(x + h) - f(x)) / h,
    "central difference": lambda f, x, h: (f(x + h) - f(x - h)) / (2 * h),
    "complex step": lambda f, x, h: f(x, h).imag / h,
}


@dataclass(frozen=True)
class Nudge:
    """The derivative of `output` by `wrt` where `wrt` is x: `true` to 50 digits, and by the formulas.

    `loss(x)` is the output with another x, `kinked` says whether a function with a kink is on the way.
    """

    numbers: dict
    output: str
    wrt: str
    x: float
    true: object = field(repr=False)
    loss: Callable = field(repr=False)
    kinked: bool

    def at(self, x, imaginary=0):
        """The output at x + i imaginary; at kinks mpmath has no complex numbers, NumPy takes the real part."""
        if not imaginary:
            return self.loss(x)
        return complex(self.loss(complex(x, imaginary))) if self.kinked else self.loss(mpmath.mpc(x, imaginary))

    def value(self, formula, h):
        """The number of a formula, NaN where it has none: in float64 with every operation rounded correctly.

        A plot of errors is made of last digits, and so they are the same on every processor.
        """
        with in_digits(DIGITS):
            try:
                found = FORMULAS[formula](self.at, mpmath.mpf(self.x), mpmath.mpf(h))
            except (ZeroDivisionError, OverflowError, ValueError):
                return math.nan
        return (
            math.nan if isinstance(found, mpmath.mpc) else float(found)
        )  # the logarithm of a negative number is complex

    def error(self, value):
        """|value / true - 1|."""
        with in_digits(50):
            return float(abs(value / self.true - 1))


def nudge(graph, wrt, output, numbers, caller):
    """The `Nudge` of one quantity of a graph. ValueError: no line, no path to `wrt`, arrays, a derivative that is 0."""
    output = graph.checked_output(output, caller)
    trace = graph.forward(**numbers)
    used = below(graph.terms(), output).keys() - {output}
    if wrt not in used:
        known = ", ".join(name for name in trace if name in used) or "none: it depends on nothing"
        raise ValueError(f"{caller}: {output} does not depend on {wrt!r:.40}; choose wrt among {known}")
    for name, value in trace.items():
        if np.ndim(value):
            raise ValueError(f"{caller}: {name} is an array of shape {np.shape(value)}; the plot is about one number")
    case = graph_case(graph, trace, output)
    true = case.exact()[wrt]
    if not true:
        raise ValueError(f"{caller}: d{output}/d{wrt} is 0 here, and no error is relative to 0; choose other numbers")
    inputs = {name: trace[name] for name in graph.inputs}
    calls = set().union(*(term.line.functions for term in terms_between(graph.terms(), output, wrt)))
    kinked = any(FUNCTIONS[name].kinked for name in calls)
    return Nudge(inputs, output, wrt, trace[wrt], true, lambda value: case.loss(wrt, value), kinked)
