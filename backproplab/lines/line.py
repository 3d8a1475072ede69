"""One line of a graph: the text of its right-hand side with all that it means."""

from functools import cached_property

import sympy as sp

from ..functions.operations import FUNCTIONS
from ..notation import Written, latex_formula, place, tidy
from . import calculus, reader, writer


class Line(Written):
    """The right-hand side of the line `name`: the text itself, which knows its tree, its formula, and how it is written."""

    def __new__(cls, text, name="", tree=None, formula=None):
        line = super().__new__(cls, text)
        line.name, line.tree, line._given = name, tree, formula
        return line

    @classmethod
    def read(cls, name, text):
        """The line of a text or of a SymPy expression. ValueError: it cannot be read. TypeError: it is neither."""
        formula = None
        try:
            if isinstance(text, str):
                tree = reader.parse(text)
            elif isinstance(text, (sp.Expr, int, float)):
                formula = calculus.plain(sp.S(text))
                tree = calculus.from_sympy(formula)
            else:
                raise TypeError(f"expected text or a SymPy expression, found {type(text).__name__}")
            reader.check_constants(tree)
        except RecursionError:
            raise ValueError(f"Graph: line {name!r} is nested too deeply: split it into several lines") from None
        except (ValueError, TypeError) as error:
            raise type(error)(f"Graph: line {name!r} cannot be read: {error}") from None
        return cls(str(text), name, tree, formula)

    @property
    def names(self):
        """The names that it uses: in order of appearance, or sorted in a SymPy expression."""
        return self.tree.names if self._given is None else tuple(sorted(self.tree.names))

    @property
    def functions(self):
        """The names of the functions that it calls."""
        return self.tree.functions

    @property
    def called(self):
        """The function that the whole line is a call of, as a row of the table; None if it is none."""
        return FUNCTIONS.get(self.tree.op)

    @cached_property
    def formula(self):
        """The line as a SymPy expression in the names of the trace. ValueError: it divides by 0 or has no real value."""
        if self._given is not None:
            return self._given
        try:
            return calculus.real(calculus.to_sympy(self.tree))
        except ValueError as error:
            raise ValueError(f"Graph: line {self.name!r} has no formula: {error}") from None

    def slope(self, wrt):
        """The slope by a name (SymPy), and in terms of the line's own value where it is one call that has such a form."""
        slope, row, value = calculus.derivative(self.formula, wrt), self.called, sp.Symbol(self.name)
        if share := calculus.softmax_of(self.formula):
            return slope, slope.xreplace({share: value, self.formula: value})
        if row is None or row.slope_from_value is None:
            return slope, None
        return slope, slope.xreplace({row.slope.symbolic(*self.formula.args): row.slope_from_value(value)})

    @cached_property
    def pieces(self):
        """Its pieces as `Written` has them, from its tree."""
        return writer.pieces(self.tree)

    @cached_property
    def latex(self):
        """The line in LaTeX, as it was written; a SymPy expression as SymPy writes it."""
        return writer.latex(self.tree) if self._given is None else latex_formula(self.formula)

    @cached_property
    def template(self):
        """The line in LaTeX with places for its numbers; None where it is a name or a number alone."""
        return tidy(writer.latex(self.tree, place, times=r"\cdot")) if self.tree.args else None
