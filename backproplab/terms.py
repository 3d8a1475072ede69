"""The heart: an edge of the computation is a term, a path is a product of terms, a gradient is a sum over paths.

`backpropagate` walks the terms backwards, which makes the sum cheap; `paths` writes the sum out.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from .notation import latex_formula, latex_number, latex_partial, number


@dataclass(frozen=True)
class Rule:
    """How a term meets the gradient d of `of`: `pull(d, value)` in NumPy, and in LaTeX with {d} and the value {v}."""

    pull: Callable
    latex: str


# The closed table: rows are examples, W has shape (units out, units in). The tests derive each row from index notation.
RULES = {
    "times": Rule(lambda d, v: d * v, r"{d} \odot {v}"),  # d_ij v_ij; between numbers a product
    "through weights": Rule(lambda d, W: d @ W, r"{d} \, {v}"),  # sum_k d_ik W_kj
    "onto weights": Rule(lambda d, A: d.T @ A, r"{d}^{{\top}} {v}"),  # sum_i d_ik A_ij
    "onto bias": Rule(lambda d, one: d.sum(axis=0) * one, r"\mathbf{{1}}^{{\top}} {d}"),  # sum_i d_ik
    "through softmax": Rule(
        lambda d, P: P * (d - (d * P).sum(axis=-1, keepdims=True)),
        r"\left({d} - \left({d} \odot {v}\right) \mathbf{{1}} \mathbf{{1}}^{{\top}}\right) \odot {v}",
    ),
}


@dataclass(frozen=True, slots=True)
class Term:
    """The local derivative of `of` with respect to `wrt`: one edge of the computation, one factor of the chain rule.

    `line` is the right-hand side that defines `of`, as it was written; `value` the number, None before there are numbers.
    `of_shape` and `wrt_shape` are the shapes of the two quantities. `paper` gives (formula, shortcut) when it is asked.
    """

    of: str
    wrt: str
    line: str
    paper: Callable
    value: Any = None
    of_shape: tuple = ()
    wrt_shape: tuple = ()
    rule: str = "times"

    @property
    def formula(self):
        """The slope of the line by `wrt`: a SymPy expression in the names of the trace."""
        return self.paper()[0]

    @property
    def shortcut(self):
        """The same slope in terms of `of` itself, a (1 - a) for a sigmoid; None where there is no such form."""
        return self.paper()[1]

    @property
    def symbol(self):
        r"""The term as a fraction in LaTeX: \frac{\partial a}{\partial z}."""
        return latex_partial(self.of, self.wrt, layered=self.rule != "times")

    @property
    def shape(self):
        """The shape of the value; () for one number, None before there are numbers."""
        return None if self.value is None else np.shape(self.value)

    @property
    def latex(self):
        """Symbol = formula = value in LaTeX; the value is left out where there is none, or more than one."""
        value = f" = {latex_number(self.value)}" if self.shape == () else ""
        return f"{self.symbol} = {latex_formula(self.formula)}{value}"

    def pull(self, upstream):
        """The part of the gradient that reaches `wrt` through this term, by its rule. `upstream` has the shape of `of`."""
        if self.value is None:
            raise ValueError(
                f"Term d{self.of}/d{self.wrt} has no number yet: make the terms from a trace, terms(trace)"
            )
        return RULES[self.rule].pull(upstream, self.value)

    def __repr__(self):
        value = (
            "" if self.value is None else f" = {number(self.value)}" if self.shape == () else f" of shape {self.shape}"
        )
        return f"d{self.of}/d{self.wrt} = {self.formula}{value}"

    def _repr_latex_(self):
        return rf"$\displaystyle {self.latex}$"


@dataclass(frozen=True, slots=True)
class Path:
    """A chain of terms from the loss down to a quantity: its value is 1 pulled through them, for numbers their product."""

    terms: tuple

    @property
    def value(self):
        """1 pulled through the terms, in the shape of the last `wrt`."""
        pulled = _full(self.terms[0].of_shape, 1.0) if self.terms else 1.0
        for term in self.terms:
            pulled = term.pull(pulled)
        return pulled

    @property
    def formula(self):
        """The product of the terms' formulas, in the names of the trace. ValueError for matrices: net.graph has formulas."""
        if any(term.rule != "times" or term.of_shape != term.wrt_shape for term in self.terms):
            raise ValueError(
                "Path.formula: matrices have no scalar formula; net.graph(x, y) has one for each single path"
            )
        return sp.Mul(*(term.formula for term in self.terms))

    @property
    def names(self):
        """The quantities on the path, from the loss down."""
        return tuple(term.of for term in self.terms) + tuple(term.wrt for term in self.terms[-1:])

    def __repr__(self):
        return "Path(" + " <- ".join(self.names) + ")"


def _full(shape, value):
    return value if shape == () else np.full(shape, value)


class TooManyPaths(ValueError):
    """There are more paths than can be listed."""


def _check(terms, output, caller):
    """Shapes of all quantities that the terms connect, or an error if `output` is not the upper end of any."""
    if not isinstance(terms, (list, tuple)) or not all(isinstance(term, Term) for term in terms):
        raise TypeError(
            f"{caller}: expected a list of terms, as graph.terms(trace) gives it, found {type(terms).__name__}"
        )
    shapes = {}
    for term in terms:
        shapes[term.of], shapes[term.wrt] = term.of_shape, term.wrt_shape
    lines = dict.fromkeys(term.of for term in terms)
    if output not in lines:
        raise ValueError(
            f"{caller}: {output!r} is not a line that uses other names, so it has no terms; "
            f"lines with terms are {', '.join(lines) or '(none)'}"
        )
    return shapes


def _check_name(name, names, caller):
    if not isinstance(name, str) or name not in names:
        raise ValueError(f"{caller}: no quantity {name!r}; the quantities are {', '.join(names)}")


def backpropagate(terms, output):
    """The derivative of `output` by every quantity: the terms backwards, each pulling the gradient of `of` down to `wrt`.

    dL/dx = sum over the terms t with t.wrt = x of t.pull(dL/d t.of); terms in forward order, as `graph.terms(trace)` gives them.
    Returns a dict from the loss down, each in the shape of its quantity; 0 for a name with no path to `output`. (A line
    that uses no name and is used by none has no terms, and so no place in it.)
    ValueError: `output` is not a line, or the terms have no numbers.
    """
    shapes = _check(terms, output, "backpropagate")
    gradient = {output: _full(shapes[output], 1.0)}
    for term in reversed(terms):
        if term.of in gradient:
            part = term.pull(gradient[term.of])
            gradient[term.wrt] = gradient[term.wrt] + part if term.wrt in gradient else part
    return gradient | {name: _full(shape, 0.0) for name, shape in shapes.items() if name not in gradient}


def paths(terms, output, wrt, limit=10_000):
    """Every path from `output` down to `wrt`, as a list of `Path`; the sum of their values is the gradient of `wrt`.

    ValueError: a name that the terms do not hold; more paths than `limit` (the walk needs none of them: use `backpropagate`).
    """
    _check_name(wrt, _check(terms, output, "paths"), "paths")
    count, leading = defaultdict(int, {wrt: 1}), defaultdict(list)
    for term in terms:
        if count[term.wrt] and term.of != wrt:
            count[term.of] += count[term.wrt]
            leading[term.of].append(term)
    if count[output] > limit:
        raise TooManyPaths(
            f"paths: {count[output]} paths lead from {output} to {wrt}, more than the limit of {limit}; "
            "their sum does not need them one by one: backpropagate walks each term once"
        )
    found, unfinished = [], [()] if count[output] else []
    while unfinished:
        chain = unfinished.pop()
        end = chain[-1].wrt if chain else output
        if end == wrt:
            found.append(Path(chain))
        else:
            unfinished.extend((*chain, term) for term in reversed(leading[end]))
    return found


def terms_between(terms, output, wrt):
    """The terms that lie on any path from `output` down to `wrt`, from the loss down; found without listing the paths."""
    _check_name(wrt, _check(terms, output, "terms_between"), "terms_between")
    above, below = {output}, {wrt}
    for term in reversed(terms):
        if term.of in above and term.of != wrt:
            above.add(term.wrt)
    for term in terms:
        if term.wrt in below:
            below.add(term.of)
    return [term for term in _from_loss_down(terms) if term.of in above and term.of != wrt and term.wrt in below]


def _from_loss_down(terms):
    """Lines from the last to the first, each line's terms in their own order."""
    order = {name: i for i, name in enumerate(dict.fromkeys(term.of for term in reversed(terms)))}
    return sorted(terms, key=lambda term: order[term.of])
