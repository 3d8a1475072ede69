"""The terms of a network -> steps on paper in matrices: each gradient from the one above by its term's rule, with shapes."""

import numpy as np

from ..notation import color_of, latex_formula, latex_number, latex_partial
from ..terms import RULES, backpropagate, terms_between
from .chain import colored

LARGEST_SHOWN = 6  # rows or columns of a matrix whose numbers are written out

RECURSION = r"""\begin{aligned}
\delta^{(L)} &= \frac{\partial L}{\partial A^{(L)}} \odot g'\left(Z^{(L)}\right) \\
\delta^{(l)} &= \left(\delta^{(l+1)} \, W^{(l+1)}\right) \odot g'\left(Z^{(l)}\right) \\
\frac{\partial L}{\partial W^{(l)}} &= \left(\delta^{(l)}\right)^{\top} A^{(l-1)} \\
\frac{\partial L}{\partial b^{(l)}} &= \mathbf{1}^{\top} \, \delta^{(l)}
\end{aligned}"""


class MatrixDerivation:
    """The derivative of the loss by one quantity of a network, term by term; shows itself as LaTeX in a notebook.

    Each row pulls the gradient above through one term; delta^(l) is the gradient at Z_l. `terms` are the terms on the way
    from the loss down, `value` the result, `recursion` the general rule for layer l in LaTeX.
    ValueError: no path leads to `wrt`.
    """

    recursion = RECURSION

    def __init__(self, terms, output, wrt, trace):
        self.output, self.wrt, self.trace = output, wrt, trace
        self.terms = terms_between(terms, output, wrt)
        if not self.terms:
            raise ValueError(
                f"derive: no path leads from {output} to {wrt} in this network (a fused output goes from L to Z at once)"
            )
        self.colors = color_of(self.terms)
        self._gradient = backpropagate(terms, output)
        self.value = self._gradient[wrt]

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

    def step(self, term):
        """The gradient at `term.wrt` as far as it comes through this term, in LaTeX: the rule with its factors, shapes below."""
        upstream = "" if term.of == self.output else _shaped(self._name(term.of), self._gradient[term.of])
        factor = colored(self.colors[term.of, term.wrt], _shaped(latex_formula(term.formula), term.value))
        return RULES[term.rule].latex.format(d=upstream, v=factor) if upstream else factor

    def _name(self, name):
        """A gradient's name: delta^(l) at Z_l, else the fraction."""
        return rf"\delta^{{({name[1:]})}}" if name[0] == "Z" else latex_partial(self.output, name, layered=True)

    @property
    def latex(self):
        """The whole chain: the product of terms, then one row for each gradient on the way, in symbols and in numbers."""
        chain = r" \cdot ".join(
            colored(self.colors[t.of, t.wrt], t.symbol)
            for t in self.terms
            if (t.of, t.wrt) != (self.output, self.wrt) or len(self.terms) == 1
        )
        direct = [t for t in self.terms if (t.of, t.wrt) == (self.output, self.wrt) and len(self.terms) > 1]
        chain += "".join(
            " + " + colored(self.colors[t.of, t.wrt], "\\left." + t.symbol + "\\right|_{l2}") for t in direct
        )
        rows = [f"{latex_partial(self.output, self.wrt, layered=True)} &= {chain}"]
        for name in dict.fromkeys(term.wrt for term in self.terms if term.wrt != self.wrt) | {self.wrt: None}:
            parts = " + ".join(self.step(term) for term in self.terms if term.wrt == name)
            left = latex_partial(self.output, name, layered=True)
            left = f"{self._name(name)} = {left}" if name[0] == "Z" else left
            rows.append(f"{left} &= {parts}{_numbers(self._gradient[name])}")
        return r"\begin{aligned} " + r" \\[6pt] ".join(rows) + r" \end{aligned}"

    def _repr_latex_(self):
        return rf"$\displaystyle {self.latex}$"

    def __repr__(self):
        return f"MatrixDerivation(d{self.output}/d{self.wrt}, shape {np.shape(self.value)})"


def _shaped(latex, value):
    shape = r" \times ".join(map(str, np.shape(value)))
    return rf"\underset{{{shape}}}{{{latex}}}" if shape else latex


def _numbers(value):
    """The matrix in numbers, where it is small enough to be read."""
    rows = np.atleast_2d(value)
    if rows.ndim > 2 or max(rows.shape) > LARGEST_SHOWN:
        return ""
    body = r" \\ ".join(" & ".join(latex_number(float(v), 4) for v in row) for row in rows)
    return rf" = \begin{{pmatrix}} {body} \end{{pmatrix}}"
