"""Is this gradient right? The witnesses, and their verdict."""

import math
from dataclasses import dataclass, replace
from html import escape

from .notation import number
from .terms import backpropagate

STEP = 1e-100  # of the complex step: no difference is taken, so nothing cancels, and its square vanishes
AGREE = 1e-9  # largest relative error of an agreement


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
        return max(self.errors.values())

    def _rows(self):
        for name, error in self.errors.items():
            yield (
                name,
                number(self.claimed[name]),
                number(self.witness[name]),
                "< 1e-12" if error < 1e-12 else number(error, 2),
            )

    def __repr__(self):
        rows = [("", "claimed", "complex step", "relative error"), *self._rows()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
        return "\n".join([self.verdict, *lines])

    def _repr_html_(self):
        head = "".join(f"<th>{text}</th>" for text in ("", "claimed", "complex step", "relative error"))
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in self._rows())
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><b>{self.verdict}</b>"


def complex_step(graph, numbers, output):
    """The derivative of `output` by every input: Im L(x + ih) / h with h = 1e-100, exact to rounding, one run for each input.

    Source: W. Squire and G. Trapp, Using complex variables to estimate derivatives of real functions, SIAM Review 40 (1998).
    """
    return {
        name: graph.run(numbers | {name: complex(numbers[name], STEP)})[output].imag / STEP for name in graph.inputs
    }


def check_gradient(graph, at=None, claimed=None, output=None):
    """Compare a gradient of a graph with the complex step: the package's own by every input, or the names in `claimed`.

    `at` holds the inputs' numbers that the graph does not have yet; `output` is the last line unless named.
    Returns a `GradientCheck`. ValueError: a claimed name that is no input, a claim that is not finite, and as `graph.forward`.
    TypeError: a claim that is not a real number.
    """
    output = output or graph.output
    trace = graph.forward(**(at or {}))
    terms = graph.terms(trace)
    gradient = backpropagate(terms, output)
    scale = backpropagate([replace(term, value=abs(term.value)) for term in terms], output)
    claimed = {name: gradient.get(name, 0.0) for name in graph.inputs} if claimed is None else _claims(claimed, graph)
    witness = complex_step(graph, {name: trace[name] for name in graph.inputs}, output)
    errors = {name: _error(claim, witness[name], scale[name]) for name, claim in claimed.items()}
    return GradientCheck(claimed, {name: witness[name] for name in claimed}, errors)


def _error(claim, witness, scale):
    difference = abs(claim - witness)
    return difference and (difference / scale if scale else math.inf)


def _claims(claimed, graph):
    if not claimed:
        raise ValueError("check_gradient: claimed holds no name; give a dict such as {'w': 0.1}")
    for name, claim in claimed.items():
        if name not in graph.inputs:
            raise ValueError(f"check_gradient: claimed names {name!r}, but the inputs are {', '.join(graph.inputs)}")
        if isinstance(claim, (str, complex)) or not hasattr(claim, "__float__"):
            raise TypeError(
                f"check_gradient: the claim for {name} must be a real number, found {type(claim).__name__} {claim!r:.40}"
            )
        if not math.isfinite(claim):
            raise ValueError(f"check_gradient: the claim for {name} must be finite, found {claim}")
    return {name: float(claim) for name, claim in claimed.items()}
