"""The tree of a line as a SymPy expression, and back, to differentiate on paper."""

import sympy as sp
from sympy.core.function import AppliedUndef

from ..functions.operations import FUNCTIONS, OPERATIONS
from .reader import LARGEST_EXPONENT, Node, constant


class power(sp.Function):
    """u**n as SymPy keeps it while it differentiates: by the rule n u**(n - 1), where SymPy's own u**n n/u is 0/0 at 0."""

    def fdiff(self, argindex=1):
        """The slope by the base (1) or by the exponent (2)."""
        u, n = self.args
        return n * power(u, n - 1) if argindex == 1 else power(u, n) * sp.log(u)


def to_sympy(node):
    """The tree as a SymPy expression; activations, abs, max, min and logsumexp stay named functions."""
    if node.op == "number":
        return sp.Rational(repr(node.value))
    if node.op == "name":
        return sp.Symbol(node.value)
    if node.op == "**" and not node.names and abs(constant(node.args[1])) > 20:
        return sp.Float(constant(node), 17)
    args = [to_sympy(arg) for arg in node.args]
    if node.op == "+":
        return sp.Add(*(arg if sign == "+" else -arg for sign, arg in zip(node.value, args, strict=True)))
    if node.op == "*":
        return sp.Mul(*(arg if sign == "*" else 1 / arg for sign, arg in zip(node.value, args, strict=True)))
    if node.op == "**":
        return _with_powers(power(*args))
    row = OPERATIONS[node.op]
    return (row.symbolic if node.op in FUNCTIONS else row.formula)(*args)


def _with_powers(expression):
    """Every `power` as SymPy's power. ValueError: an exponent that SymPy would have to multiply out for ever."""

    def back(u, n):
        if n.is_number and abs(n) > LARGEST_EXPONENT:
            raise ValueError(f"the exponent of a power is at most {LARGEST_EXPONENT}, found {sp.N(n, 6)}")
        return u**n

    return expression.replace(power, back)


def derivative(expression, name):
    """The derivative of a line's formula by a name, by SymPy; a sum is differentiated part by part."""
    symbol = sp.Symbol(name)
    parts = [part for part in sp.Add.make_args(expression) if symbol in part.free_symbols]
    kept = [part.replace(lambda e: e.is_Pow and not e.exp.is_Integer, lambda e: power(*e.args)) for part in parts]
    return _with_powers(sp.Add(*(part.diff(symbol) for part in kept)))


def softmax_of(expression):
    """What exp(z1 - logsumexp(z1, z2)) is by another name: the slope of that logsumexp by z1; None for any other expression."""
    row = FUNCTIONS["logsumexp"]
    for whole in expression.exp.atoms(row.symbolic) if isinstance(expression, sp.exp) else ():
        own = expression.exp + whole
        if own in whole.args:
            return row.slope.symbolic(own, *whole.args)
    return None


def real(expression):
    """The expression, or ValueError if it is infinite, undefined or complex whatever its names stand for."""
    if expression.has(sp.zoo, sp.nan, sp.oo, sp.I):
        raise ValueError("it divides by 0, is infinite or has no real root")
    return expression


def _name_of(function):
    """The name in our tables of a function that SymPy has; None if there is none."""
    return next((row.name for row in FUNCTIONS.values() if row.formula is function), None)


def plain(expression):
    """A SymPy expression in plain symbols, with tanh, Abs, Max, Min, and functions by name, replaced by the table's own."""

    def ours(call):
        name = _name_of(call.func) or (call.func.__name__ if isinstance(call, AppliedUndef) else None)
        return OPERATIONS[name].symbolic(*call.args) if name in FUNCTIONS else call

    expression = real(expression).xreplace({symbol: sp.Symbol(symbol.name) for symbol in expression.free_symbols})
    return expression.replace(lambda part: isinstance(part, (sp.Function, sp.Max, sp.Min)), ours)


def from_sympy(formula):
    """The tree of a SymPy expression. ValueError for a function that the table does not hold."""
    if formula.is_Symbol:
        return Node("name", value=formula.name)
    if formula.is_Number or formula.is_NumberSymbol:
        return Node("number", value=float(formula))
    if formula.is_Add:
        parts = sorted(formula.as_ordered_terms(), key=lambda part: part.could_extract_minus_sign())
        signs = ["-" if part.could_extract_minus_sign() else "+" for part in parts[1:]]
        rest = [-part if sign == "-" else part for sign, part in zip(signs, parts[1:], strict=True)]
        return Node("+", tuple(map(from_sympy, [parts[0], *rest])), "+" + "".join(signs))
    if formula.is_Mul:
        above, below = sp.fraction(formula, exact=True)
        number, rest = above.as_coeff_Mul()
        factors = [factor for factor in (number, *sp.Mul.make_args(rest)) if factor != 1] or [sp.S.One]
        if number == -1:
            return Node("negative", (from_sympy(-formula),))
        divisors = [] if below == 1 else [below]
        return Node("*", tuple(map(from_sympy, factors + divisors)), "*" * len(factors) + "/" * len(divisors))
    if formula.is_Pow and formula.exp.is_Number and formula.exp.is_negative:
        return Node("*", (Node("number", value=1.0), from_sympy(1 / formula)), "*/")
    if formula.is_Pow and formula.exp == sp.Rational(1, 2):
        return Node("sqrt", (from_sympy(formula.base),))
    if formula.is_Pow:
        return Node("**", (from_sympy(formula.base), from_sympy(formula.exp)))
    name = formula.row.name if hasattr(formula, "row") else _name_of(formula.func)
    if name not in FUNCTIONS:
        raise ValueError(f"{formula.func.__name__} is not a function of a line; known are {', '.join(FUNCTIONS)}")
    return Node(name, tuple(map(from_sympy, formula.args)))
