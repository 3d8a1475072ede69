"""Terms -> a derivation on paper, as data: a step for each term, a product for each path, their sum."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import sympy as sp

from ..notation import color_of, number
from ..terms import Path, Term, above, backpropagate, paths, terms_between
from . import latex

MOST_PATHS_SHOWN, DEEPEST_CLOSED_FORM, LARGEST_CLOSED_FORM = 8, 50, 100_000


@dataclass(frozen=True, eq=False)
class Step:
    """One term on paper: symbol = formula = shortcut = numbers = value.

    `trace` holds the numbers for the names of the formula, None before there are numbers.
    """

    term: Term
    color: str
    trace: dict | None

    @property
    def shown(self):
        """The formula that the numbers are put into: the shortcut where there is one."""
        return self.term.formula if self.term.shortcut is None else self.term.shortcut


@dataclass(frozen=True, eq=False)
class Product:
    """One path on paper: the product of its steps."""

    path: Path
    steps: tuple


class Derivation:
    """The derivative of `output` by `wrt` as one writes it on paper; shows itself as LaTeX in a notebook.

    dL/dw = sum over the paths from L to w of the product of their terms. `paths` are those paths, `terms` the terms on them
    from the loss down, `steps` the same on paper; with a trace, `value` is the number. `lines` give their formulas for the closed form.
    ValueError: no path leads to `wrt` (the message says why), or more than can be listed.
    """

    def __init__(self, terms, output, wrt, trace=None, lines=None):
        self.output, self.wrt, self.trace = output, wrt, None if trace is None else dict(trace)
        self._lines = lines or {}
        if trace is not None and np.ndim(trace[output]):
            raise ValueError(
                f"derive: the trace holds arrays of shape {np.shape(trace[output])}; derive shows one evaluation: give one number for each input"
            )
        self.terms = terms_between(terms, output, wrt, "derive")
        self.paths = paths(terms, output, wrt)
        if not self.paths:
            raise ValueError(f"derive: {_why_no_path(terms, output, wrt)}")
        self.colors = color_of(self.terms)
        self.steps = [Step(term, self.colors[term.edge], self.trace) for term in self.terms]
        for term in self.terms:
            _ = term.formula  # a line that has no formula is refused here, not when it is shown
        self.value = None if trace is None else backpropagate(terms, output)[wrt]

    @property
    def products(self):
        """The products of the first paths, those that are written out."""
        steps = {step.term.edge: step for step in self.steps}
        return [Product(path, tuple(steps[term.edge] for term in path.terms)) for path in self.paths[:MOST_PATHS_SHOWN]]

    @property
    def formula(self):
        """The sum over paths of the products of formulas, in the names of the trace (SymPy)."""
        return sp.Add(*(path.formula for path in self.paths))

    @property
    def closed_form(self):
        """The derivative in the inputs only, every line put in for its name (SymPy). ValueError: it would be too long to read."""
        closed, depth, size = {}, Counter(), Counter()
        for name, line in self._lines.items():
            used = [symbol.name for symbol in line.formula.free_symbols]
            depth[name] = 1 + max((depth[other] for other in used), default=0)
            size[name] = _size(line.formula, size)
            if name == self.output and depth[name] > DEEPEST_CLOSED_FORM:
                raise ValueError(
                    f"closed_form: {depth[name]} lines are nested, at most {DEEPEST_CLOSED_FORM} can be put into each other; use .formula"
                )
            if depth[name] <= DEEPEST_CLOSED_FORM and size[name] <= LARGEST_CLOSED_FORM:
                closed[sp.Symbol(name)] = line.formula.xreplace(closed)
            if name == self.output:
                break
        if (total := _size(self.formula, size)) > LARGEST_CLOSED_FORM:
            raise ValueError(
                f"closed_form: it would hold {total} symbols and numbers, at most {LARGEST_CLOSED_FORM} are written out; use .formula"
            )
        return self.formula.xreplace(closed)

    @property
    def latex(self):
        """The whole derivation: the chain of each path, each term from symbol to result, the products and their sum."""
        return latex.scalar_derivation(self)

    def _repr_latex_(self):
        return rf"$\displaystyle {self.latex}$"

    def __repr__(self):
        value = "" if self.value is None else f" = {number(self.value)}"
        return f"Derivation(d{self.output}/d{self.wrt}{value}, {len(self.paths)} path{'s' * (len(self.paths) > 1)})"


def _size(formula, sizes):
    """How many symbols and numbers a formula holds once each name is replaced by what `sizes` says of it."""
    return sum(
        sizes[node.name] or 1 if node.is_Symbol else 1 for node in sp.preorder_traversal(formula) if not node.args
    )


def _why_no_path(terms, output, wrt):
    users = [name for name in above(terms, wrt) if name != wrt]
    reason = (
        f"{wrt} reaches only {', '.join(users)}, and {output} uses none of them"
        if users
        else f"no line uses {wrt} on the way"
    )
    return f"there is no chain from {output} to {wrt}: {reason}; the derivative is 0"
