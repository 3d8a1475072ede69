"""A row of the tables: its formula for paper (SymPy) beside its stable value for numbers (NumPy)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import mpmath
import sympy as sp
from mpmath.libmp import prec_to_dps


@dataclass(frozen=True)
class Operation:
    """One row: `formula` works on SymPy expressions, `value` on numbers; `latex` is a template for the arguments."""

    name: str
    formula: Callable
    value: Callable
    latex: str = ""

    def exact(self, *numbers):
        """The formula on mpmath numbers, at mpmath's precision: 400 digits more on the way, since formulas for paper cancel."""
        if len(numbers) not in self._exact:
            symbols = sp.symbols(f"z:{len(numbers)}")
            self._exact[len(numbers)] = sp.lambdify(symbols, self.formula(*symbols), "mpmath")
        with mpmath.extradps(400):
            value = self._exact[len(numbers)](*numbers)
        return +mpmath.mpmathify(value)

    @cached_property
    def _exact(self):
        return {}

    @cached_property
    def symbolic(self):
        """The function as a name in formulas: `symbolic(z)` stays "sigmoid(z)" until it is given numbers."""
        return type(self.name, (Named,), {"row": self})

    def show(self, *args):
        """The call in LaTeX, given its arguments in LaTeX."""
        inside = args[1:] if "@" in self.latex and len(args) > 1 else args
        return self.latex.replace("#", ", ".join(inside)).replace("@", args[0])


@dataclass(frozen=True)
class Function(Operation):
    """A function that a line may call; the `slope` of one that takes `several` arguments takes (z_i, z_1, ..., z_n).

    `slope_from_value(a)` is the slope as a formula in the function's value, a (1 - a) for the sigmoid; None if there is none.
    `kinked` functions branch, the activations at 0. A `native` one (exp, log, ...) is SymPy's in formulas. Right forms of it
    may round as 1 does: of those that `adds_to_one` the value, (1 + tanh(z/2)) / 2, of those `taken_from_one` the slope, a (1 - a).
    """

    slope: Operation | None = None
    slope_from_value: Callable | None = None
    native: bool = False
    several: bool = False
    kinked: bool = False
    adds_to_one: bool = False
    taken_from_one: bool = False

    def __post_init__(self):
        found = None if self.slope is None else self.slope.name
        if found != f"{self.name}'":
            raise ValueError(f"Function: the slope of {self.name} must be called {self.name}', found {found}")

    @cached_property
    def symbolic(self):
        """SymPy's own function for exp, log, ...; a named function for all others."""
        return self.formula if self.native else super().symbolic


class Named(sp.Function):
    """A row of the table as a SymPy function: keeps its name on paper, knows its slope and its value to any precision."""

    row = None

    def fdiff(self, argindex=1):
        z = self.args
        return self.row.slope.symbolic(*((z[argindex - 1], *z) if self.row.several else z))

    def _eval_evalf(self, prec):
        return self.row.formula(*self.args).evalf(prec_to_dps(prec), maxn=1000)

    def __reduce_ex__(self, protocol):
        return _call, (self.row, self.args)

    def _latex(self, printer, exp=None):
        text = self.row.show(*map(printer.doprint, self.args))
        return text if exp is None else f"{{{text}}}^{{{exp}}}"

    def _sympystr(self, printer):
        return f"{self.row.name}({', '.join(printer.doprint(z) for z in self.args)})"


def _call(row, args):
    return row.symbolic(*args)


def function_row(name, latex, formula, slope_formula, value, slope, slope_latex=None, **columns):
    """A row and its slope's row: f(z) is shown as `latex`(z), its slope as `latex`'(z) unless `slope_latex` says otherwise."""
    call = latex if "#" in latex else rf"{latex}\left(@\right)"
    prime = slope_latex or rf"{latex}'\left(@\right)"
    return Function(name, formula, value, call, Operation(name + "'", slope_formula, slope, prime), **columns)


def native_row(name, formula, value, latex, slope_formula, slope):
    """A row whose function SymPy has, with its derivative: in formulas it is SymPy's."""
    return Function(name, formula, value, latex, Operation(name + "'", slope_formula, slope), native=True)
