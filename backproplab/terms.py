"""The heart: an edge of the computation is a term, a path is a product of terms, a gradient is a sum over paths.

`backpropagate` walks the terms backwards, which makes the sum cheap; `paths` writes the sum out.
"""

import operator
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp

from .notation import latex_formula, latex_number, latex_partial, number


@dataclass(frozen=True)
class Rule:
    """How a term meets the gradient d of `of`: `pull(d, value)` in NumPy, and in LaTeX with {d} and the value {v}.

    `size` is the pull of absolute values with nothing subtracted; left out where `pull` never subtracts.
    """

    pull: Callable
    latex: str
    size: Callable | None = None


# The closed table: rows are examples, W has shape (units out, units in). The tests derive each row from index notation.
RULES = {
    "times": Rule(lambda d, v: d * v, r"{d} \odot {v}"),  # d_ij v_ij; between numbers a product
    "through weights": Rule(lambda d, W: d @ W, r"{d} \, {v}"),  # sum_k d_ik W_kj
    "onto weights": Rule(lambda d, A: d.T @ A, r"{d}^{{\top}} {v}"),  # sum_i d_ik A_ij
    "onto bias": Rule(lambda d, one: d.sum(axis=0) * one, r"\mathbf{{1}}^{{\top}} {d}"),  # sum_i d_ik
    "onto mean": Rule(lambda d, v: d.sum(axis=0) * v, r"{v} \cdot \mathbf{{1}}^{{\top}} {d}"),  # v sum_i d_ij
    "through statistic": Rule(lambda d, v: d * v, r"\left(\mathbf{{1}} \, {d}\right) \odot {v}"),  # d_j v_ij
    "through scale": Rule(lambda d, v: d * v, r"{d} \, \operatorname{{diag}} {v}"),  # d_ij v_j
    "onto scale": Rule(
        lambda d, v: (d * v).sum(axis=0), r"\mathbf{{1}}^{{\top}} \left({d} \odot {v}\right)"
    ),  # sum_i d_ij v_ij
    "through softmax": Rule(
        lambda d, P: P * (d - (d * P).sum(axis=-1, keepdims=True)),
        r"\left({d} - \left({d} \odot {v}\right) \mathbf{{1}} \mathbf{{1}}^{{\top}}\right) \odot {v}",
        lambda d, P: P * (d + (d * P).sum(axis=-1, keepdims=True)),
    ),
}


@dataclass(frozen=True, eq=False)
class Slope:
    """A term's slope on paper, worked out by `ask(*about)` when it is first looked at."""

    ask: Callable
    about: tuple = ()

    def __reduce__(self):
        return Slope, (self.ask, self.about)  # what SymPy keeps unevaluated, (A - Y)/n, would not come back as it was

    @cached_property
    def _pair(self):
        return self.ask(*self.about)

    @property
    def formula(self):
        """The slope of the line by `wrt`: a SymPy expression in the names of the trace."""
        return self._pair[0]

    @property
    def shortcut(self):
        """The same slope in terms of `of` itself, a (1 - a) for a sigmoid; None where there is no such form."""
        return self._pair[1]


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """The local derivative of `of` with respect to `wrt`: one edge of the computation, one factor of the chain rule.

    `line` is the right-hand side that defines `of`, as it was written; `value` the number, None before there are numbers.
    `of_shape` and `wrt_shape` are the shapes of the two quantities. Two terms are equal when they are the same object.
    """

    of: str
    wrt: str
    line: str
    paper: Slope
    value: Any = None
    of_shape: tuple = ()
    wrt_shape: tuple = ()
    rule: str = "times"

    @property
    def formula(self):
        """The slope of the line by `wrt`: a SymPy expression in the names of the trace."""
        return self.paper.formula

    @property
    def shortcut(self):
        """The same slope in terms of `of` itself, a (1 - a) for a sigmoid; None where there is no such form."""
        return self.paper.shortcut

    @property
    def _layered(self):
        """Whether it is a network's, whose lines know their places: layers are written above."""
        return getattr(self.line, "places", None) is not None

    @property
    def edge(self):
        """(of, wrt), which names the term."""
        return self.of, self.wrt

    @property
    def symbol(self):
        r"""The term as a fraction in LaTeX: \frac{\partial a}{\partial z}."""
        return latex_partial(self.of, self.wrt, layered=self._layered)

    @property
    def shape(self):
        """The shape of the value; () for one number, None before there are numbers."""
        return None if self.value is None else np.shape(self.value)

    @property
    def latex(self):
        """Symbol = formula = value in LaTeX; the value is left out where there is none, or more than one."""
        value = f" = {latex_number(self.value)}" if self.shape == () else ""
        return f"{self.symbol} = {latex_formula(self.formula, self._layered)}{value}"

    def pull(self, upstream):
        """The part of the gradient that reaches `wrt` through this term, by its rule. `upstream` has the shape of `of`.

        ValueError: the term has no number yet, or another shape. TypeError: no number.
        """
        if self.value is None:
            raise ValueError(
                f"Term d{self.of}/d{self.wrt} has no number yet: make the terms from a trace, terms(trace)"
            )
        try:
            return RULES[self.rule].pull(upstream, self.value)
        except (TypeError, ValueError, AttributeError):
            array = isinstance(upstream, np.ndarray)
            found = f"shape {np.shape(upstream)}" if array else f"{type(upstream).__name__} {upstream!r:.40}"
            raise (ValueError if array else TypeError)(
                f"Term d{self.of}/d{self.wrt}: upstream must be the gradient of {self.of}, of shape {self.of_shape}, found {found}"
            ) from None

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


def check_terms(terms, caller):
    """TypeError in the caller's name: no list of terms."""
    if not isinstance(terms, (list, tuple)) or not all(isinstance(term, Term) for term in terms):
        raise TypeError(
            f"{caller}: expected a list of terms, as graph.terms(trace) gives it, found {type(terms).__name__}"
        )


def _check(terms, output, caller):
    """Shapes of all quantities that the terms connect, or an error if `output` is not the upper end of any."""
    check_terms(terms, caller)
    shapes = {}
    for term in terms:
        shapes[term.of], shapes[term.wrt] = term.of_shape, term.wrt_shape
    lines = dict.fromkeys(term.of for term in terms)
    if output not in lines:
        raise ValueError(
            f"{caller}: {output!r:.60} is not a line that uses other names, so it has no terms; "
            f"lines with terms are {', '.join(lines) or '(none)'}"
        )
    return shapes


def _check_name(name, names, caller):
    if not isinstance(name, str) or name not in names:
        raise ValueError(f"{caller}: no quantity {name!r:.60}; the quantities are {', '.join(names)}")


def _pull(term, upstream):
    return term.pull(upstream)


def walk(terms, gradient, pull=_pull, add=operator.add):
    """Backwards over the terms: each whose `of` has a gradient pulls it down to `wrt`, where the parts are added.

    `gradient` holds what the walk starts from, takes what it finds, and is returned.
    """
    for term in reversed(terms):
        if term.of in gradient:
            part = pull(term, gradient[term.of])
            gradient[term.wrt] = add(gradient[term.wrt], part) if term.wrt in gradient else part
    return gradient


def backpropagate(terms, output):
    """The derivative of `output` by every quantity: the terms backwards, each pulling the gradient of `of` down to `wrt`.

    dL/dx = sum over the terms t with t.wrt = x of t.pull(dL/d t.of); terms in forward order, as `graph.terms(trace)` gives them.
    Returns a dict from the loss down, each in the shape of its quantity; 0 for a name with no path to `output`. (A line
    that uses no name and is used by none has no terms, and so no place in it.)
    ValueError: `output` is not a line, or the terms have no numbers.
    """
    shapes = _check(terms, output, "backpropagate")
    gradient = walk(terms, {output: _full(shapes[output], 1.0)})
    return gradient | {name: _full(shape, 0.0) for name, shape in shapes.items() if name not in gradient}


def sizes(terms, output):
    """The walk over absolute values: for each quantity the sum over its paths of |product of terms|."""
    return walk(terms, {output: 1.0}, size_of_pull)


def size_of_pull(term, d):
    """The sum of the absolute values of what a term's pull adds up, for absolute values d of what arrives."""
    rule = RULES[term.rule]
    return (rule.size or rule.pull)(d, np.abs(term.value))


def _reached(start, steps):
    found = {start: None}
    for here, there in steps:
        if here in found:
            found[there] = None
    return found


def below(terms, output):
    """The names that `output` depends on, itself first, from the loss down: a dict without values."""
    return _reached(output, (term.edge for term in reversed(terms)))


def above(terms, wrt):
    """The names that depend on `wrt`, itself first, in forward order: a dict without values."""
    return _reached(wrt, ((term.wrt, term.of) for term in terms))


def _on_the_way(terms, output, wrt):
    """The terms that lie on any path from `output` down to `wrt`, in forward order."""
    upper, lower = below([term for term in terms if term.of != wrt], output), above(terms, wrt)
    return [term for term in terms if term.of in upper and term.of != wrt and term.wrt in lower]


def paths(terms, output, wrt, limit=10_000):
    """Every path from `output` down to `wrt`, as a list of `Path`; the sum of their values is the gradient of `wrt`.

    ValueError: a name that the terms do not hold; more paths than `limit` (the walk needs none of them: use `backpropagate`).
    TypeError: `limit` is no whole number.
    """
    if isinstance(limit, bool) or not isinstance(limit, (int, np.integer)):
        raise TypeError(f"paths: limit must be a whole number, found {type(limit).__name__} {limit!r:.40}")
    _check_name(wrt, _check(terms, output, "paths"), "paths")
    count, found = first_paths(terms, output, wrt, limit)
    if count > limit:
        raise TooManyPaths(
            f"paths: {count} paths lead from {output} to {wrt}, more than the limit of {limit}; "
            "their sum does not need them one by one: backpropagate walks each term once"
        )
    return found


def first_paths(terms, output, wrt, most):
    """How many paths there are from `output` down to `wrt`, and the first of them, at most so many."""
    count, leading = Counter({wrt: 1}), defaultdict(list)
    for term in _on_the_way(terms, output, wrt):
        count[term.of] += count[term.wrt]
        leading[term.of].append(term)
    found, unfinished = [], [()] if count[output] else []
    while unfinished and len(found) < most:
        chain = unfinished.pop()
        end = chain[-1].wrt if chain else output
        if end == wrt:
            found.append(Path(chain))
        else:
            unfinished.extend((*chain, term) for term in reversed(leading[end]))
    return count[output], found


def terms_between(terms, output, wrt, caller="terms_between"):
    """The terms that lie on any path from `output` down to `wrt`, from the loss down; found without listing the paths.

    ValueError in the caller's name: a name that the terms do not hold.
    """
    _check_name(wrt, _check(terms, output, caller), caller)
    order = {name: i for i, name in enumerate(dict.fromkeys(term.of for term in reversed(terms)))}
    return sorted(_on_the_way(terms, output, wrt), key=lambda term: order[term.of])
