"""The terms of a network -> a derivation in matrices, as data: each gradient from the one above by its term's rule."""

from dataclasses import dataclass

import numpy as np

from ..notation import color_of, parts
from ..terms import Term, backpropagate, first_paths, terms_between
from . import latex

MOST_CHAINS = 4  # paths that are written out
RECURSION = r"""\begin{aligned}
\delta^{(L)} &= \frac{\partial L}{\partial A^{(L)}} \odot g'\left(Z^{(L)}\right) \\
\delta^{(l)} &= \left(\delta^{(l+1)} \, W^{(l+1)}\right) \odot g'\left(Z^{(l)}\right) \\
\frac{\partial L}{\partial W^{(l)}} &= \left(\delta^{(l)}\right)^{\top} A^{(l-1)} \\
\frac{\partial L}{\partial b^{(l)}} &= \mathbf{1}^{\top} \, \delta^{(l)}
\end{aligned}"""


@dataclass(frozen=True, eq=False)
class MatrixStep:
    """One term on paper: the gradient `upstream`, as (name, its layer if it is a delta, shape), pulled through it.

    The first term has no upstream; `direct` is the L2 part, which leads from the loss to the weights at once.
    """

    term: Term
    color: str
    upstream: tuple | None
    direct: bool


@dataclass(frozen=True, eq=False)
class Row:
    """One gradient on the way: the sum of what its steps bring; `delta` is its layer if it is a delta."""

    name: str
    delta: int | None
    steps: tuple
    value: np.ndarray


def _delta(name):
    """The layer of which the gradient by this name is delta, None if it is no Z."""
    letter, layer, _ = parts(name)
    return layer if letter == "Z" else None


class MatrixDerivation:
    """The derivative of the loss by one quantity of a network, term by term; shows itself as LaTeX in a notebook.

    Each of the `rows` pulls the gradient above through one term; delta^(l) is the gradient at Z_l. `terms` are the terms on
    the way from the loss down, `chains` the first of the `count` paths, `value` the result, `recursion` the general rule for layer l in LaTeX.
    ValueError: no path leads to `wrt`.
    """

    recursion = RECURSION

    def __init__(self, terms, output, wrt):
        self.output, self.wrt = output, wrt
        self.terms = terms_between(terms, output, wrt, "derive")
        if not self.terms:
            raise ValueError(
                f"derive: no path leads from {output} to {wrt} in this network (a fused output goes from L to Z at once)"
            )
        direct = (output, wrt) if len(self.terms) > 1 else None
        self.count, self.chains = first_paths([term for term in terms if term.edge != direct], output, wrt, MOST_CHAINS)
        self.colors, gradient = color_of(self.terms), backpropagate(terms, output)
        self.steps = [self._step(term, gradient) for term in self.terms]
        self.rows = [
            Row(name, _delta(name), tuple(step for step in self.steps if step.term.wrt == name), gradient[name])
            for name in [*dict.fromkeys(term.of for term in self.terms if term.of != output), wrt]
        ]
        self.value = np.copy(gradient[wrt])

    def _step(self, term, gradient):
        first = term.of == self.output
        upstream = None if first else (term.of, _delta(term.of), np.shape(gradient[term.of]))
        direct = term.edge == (self.output, self.wrt) and len(self.terms) > 1
        return MatrixStep(term, self.colors[term.edge], upstream, direct)

    @property
    def formula(self):
        """A network has no scalar formula: ValueError that names the unit graph."""
        raise ValueError(
            "derive: matrices have no scalar formula; net.graph(x, y).derive('W1_1_1').formula has one for a single weight"
        )

    @property
    def closed_form(self):
        """A network has no scalar closed form: ValueError that names the unit graph."""
        raise ValueError(
            "derive: matrices have no closed form; net.graph(x, y).derive('W1_1_1').closed_form has one for a single weight"
        )

    @property
    def latex(self):
        """The whole chain: the product of terms, then one row for each gradient on the way, in symbols and in numbers."""
        return latex.matrix_derivation(self)

    def _repr_latex_(self):
        return rf"$\displaystyle {self.latex}$"

    def __repr__(self):
        return f"MatrixDerivation(d{self.output}/d{self.wrt}, shape {np.shape(self.value)})"
