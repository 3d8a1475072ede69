"""Is this gradient right? The witnesses, and their verdict."""

import math
from dataclasses import dataclass, replace
from html import escape

import numpy as np

from .notation import number
from .terms import backpropagate

STEP = 1e-40  # of the complex step, relative to x: no difference is taken, so nothing cancels, and its square vanishes
AGREE = 1e-9  # largest relative error of an agreement
HEADINGS = ("", "claimed", "complex step", "relative error")


@dataclass(frozen=True)
class GradientCheck:
    """The verdict "agree" or "disagree" on a gradient: `claimed` beside `witness`, and for each name the relative `errors`.

    error = |claimed - witness| / sum over paths of |product of terms|, 0 where both are exactly 0.
    """

    claimed: dict
    witness: dict
    errors: dict

    @property
    def verdict(self):
        """ "agree" if every error is at most 1e-9, else "disagree"."""
        return "agree" if self.max_error <= AGREE else "disagree"

    @property
    def max_error(self):
        """The largest error of all names."""
        return max(self.errors.values(), default=0.0)

    def _rows(self):
        for name, error in self.errors.items():
            yield (
                name,
                number(self.claimed[name]),
                number(self.witness[name]),
                "< 1e-12" if error < 1e-12 else number(error, 2),
            )

    def __repr__(self):
        rows = [HEADINGS, *self._rows()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
        return "\n".join([self.verdict, *lines])

    def _repr_html_(self):
        head = "".join(f"<th>{text}</th>" for text in HEADINGS)
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in self._rows())
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><b>{self.verdict}</b>"


def complex_step(graph, trace, output, names):
    """The derivative of `output` by each of `names`: Im L(x + ih) / h with h = 1e-40 |x|, exact to rounding, one run for each.

    Source: W. Squire and G. Trapp, Using complex variables to estimate derivatives of real functions, SIAM Review 40 (1998).
    """
    inputs = {name: trace[name] for name in graph.inputs}
    steps = {name: STEP * (abs(trace[name]) or 1.0) for name in names}
    nudged = {name: graph.run(inputs | {name: complex(trace[name], step)})[output] for name, step in steps.items()}
    return {name: float(np.imag(nudged[name])) / step for name, step in steps.items()}


def check_gradient(graph, at=None, claimed=None, output=None):
    """Compare a gradient of a graph with the complex step: the package's own by every input, or the names in `claimed`.

    `at` holds the inputs' numbers that the graph does not have yet; `output` is the last line unless named.
    Returns a `GradientCheck`. ValueError: a claimed name that the graph does not have, a claim that is not finite, arrays
    for numbers, and as `graph.forward`. TypeError: a claim that is not a real number, `at` or `claimed` that is no dict.
    """
    if not hasattr(graph, "forward") or not hasattr(graph, "lines"):
        raise TypeError(f"check_gradient: expected a Graph, found {type(graph).__name__}")
    if not isinstance(at or {}, dict) or not isinstance(claimed or {}, dict):
        raise TypeError("check_gradient: at and claimed must be dicts of numbers by name, such as {'w': 0.1}")
    output = output or graph.output
    trace = graph.forward(**(at or {}))
    if np.ndim(trace[graph.output]):
        raise ValueError("check_gradient: at must hold one number for each input, found arrays")
    terms = graph.terms(trace)
    gradient = backpropagate(terms, output)
    scale = backpropagate([replace(term, value=abs(term.value)) for term in terms], output)
    claimed = {name: gradient[name] for name in graph.inputs} if claimed is None else _claims(claimed, trace)
    witness = complex_step(graph, trace, output, claimed)
    errors = {
        name: _error(claim, witness[name], scale.get(name, 0.0), abs(trace[output]) / (abs(trace[name]) or 1.0))
        for name, claim in claimed.items()
    }
    return GradientCheck(claimed, witness, errors)


def _error(claim, witness, scale, elasticity):
    """The relative error; where every path is exactly 0, and so is the claim, the witness's rounding counts against L / x."""
    difference = abs(claim - witness)
    if scale == 0 and claim == 0:
        scale = elasticity
    return difference and (difference / scale if scale else math.inf)


def _claims(claimed, trace):
    if not claimed:
        raise ValueError("check_gradient: claimed holds no name; give a dict such as {'w': 0.1}")
    for name, claim in claimed.items():
        if name not in trace:
            raise ValueError(f"check_gradient: claimed names {name!r}, but the quantities are {', '.join(trace)}")
        if isinstance(claim, (str, complex)) or not hasattr(claim, "__float__") or np.ndim(claim):
            raise TypeError(
                f"check_gradient: the claim for {name} must be a real number, found {type(claim).__name__} {claim!r:.40}"
            )
        try:
            finite = math.isfinite(claim)
        except OverflowError:
            finite = False
        if not finite:
            raise ValueError(f"check_gradient: the claim for {name} must be finite, found {claim!s:.40}")
    return {name: float(claim) for name, claim in claimed.items()}
