"""Every function once: its formula for paper (SymPy) beside its stable value for numbers (NumPy), and so for its slope.

A `Function` is a row that a line may call by name; its slope is an `Operation`, a row of the same kind. The values take
floats, arrays and complex numbers (abs, max, min and relu branch on the real part, so that the complex step works) and
use exp(-|z|), which never overflows: within 4 units in the last place of the true value (of the larger addend, where a
slope crosses zero), for GELU below zero within 4 + 2 z**2 of them. Conventions: relu'(0) = 0, leaky_relu'(0) = 0.01, abs'(0) = 0, and a tie in max or
min shares the slope 1 equally.
"""

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, reduce

import mpmath
import numpy as np
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
        return type(self.name, (_Named,), {"row": self})

    def show(self, *args):
        """The call in LaTeX, given its arguments in LaTeX."""
        inside = args[1:] if "@" in self.latex and len(args) > 1 else args
        return self.latex.replace("#", ", ".join(inside)).replace("@", args[0])


@dataclass(frozen=True)
class Function(Operation):
    """A function that a line may call. The `slope` of a function of SEVERAL arguments takes (z_i, z_1, ..., z_n).

    `slope_from_value(a)` is the slope as a formula in the function's value, a (1 - a) for the sigmoid; None if there is none.
    A `native` function (exp, log, ...) is SymPy's in formulas, and SymPy knows its derivative.
    """

    slope: Operation | None = None
    slope_from_value: Callable | None = None
    native: bool = False

    @cached_property
    def symbolic(self):
        """SymPy's own function for exp, log, ...; a named function for all others."""
        return self.formula if self.native else super().symbolic


@dataclass(frozen=True)
class Loss:
    """A loss per example, summed over the output units k: formula and slope by a_k for paper, `value` and `slope` for numbers.

    `value(a, y)` has the units in the last axis and sums over them, `slope(a, y)` and `slope_by_target(a, y)` do not. A loss `fused` with
    the output of that name takes the logits z for a: its value and slope by z stay exact where a rounds to 0 or 1.
    """

    name: str
    formula: Callable
    slope_formula: Callable
    value: Callable
    slope: Callable
    slope_by_target: Callable
    fused: str | None = None


class _Named(sp.Function):
    """A row of the table as a SymPy function: keeps its name on paper, knows its slope and its value to any precision."""

    row = None

    def fdiff(self, argindex=1):
        z = self.args
        return self.row.slope.symbolic(*((z[argindex - 1], *z) if self.row.name in SEVERAL else z))

    def _eval_evalf(self, prec):
        return self.row.formula(*self.args).evalf(prec_to_dps(prec), maxn=1000)

    def _latex(self, printer, exp=None):
        text = self.row.show(*map(printer.doprint, self.args))
        return text if exp is None else f"{{{text}}}^{{{exp}}}"

    def _sympystr(self, printer):
        return f"{self.row.name}({', '.join(printer.doprint(z) for z in self.args)})"


# --- values -----------------------------------------------------------------------------------------------------------


def _magnitude(z):
    return np.abs(z) if np.isrealobj(z) else np.where(np.real(z) < 0, -z, z)


def _log1p(z):
    """log(1 + z); NumPy's complex log1p loses the real part of a small z."""
    if np.isrealobj(z):
        return np.log1p(z)
    x, y = np.real(z), np.imag(z)
    return 0.5 * np.log1p(x * (2 + x) + y * y) + 1j * np.arctan2(y, 1 + x)


def _erfc(z):
    if np.isrealobj(z):
        return np.vectorize(math.erfc, otypes=[np.result_type(z)])(z)
    return np.vectorize(_complex_erfc, otypes=[complex])(z)


def _complex_erfc(z):
    """mpmath's erfc with digits enough for an imaginary part as small as a complex step's."""
    with mpmath.workdps(20 + max(0, math.ceil(-math.log10(abs(z.imag) or 1.0)))):
        return complex(mpmath.erfc(mpmath.mpc(z)))


def _sigmoid(z):
    e = np.exp(-_magnitude(z))
    return np.where(np.real(z) >= 0, 1.0, e) / (1 + e)


def _sigmoid_slope(z):
    e = np.exp(-_magnitude(z))
    return e / (1 + e * (2 + e))


def _tanh_slope(z):
    e = np.exp(-2 * _magnitude(z))
    return 4 * e / (1 + e * (2 + e))


def _relu(z):
    return np.maximum(z, 0.0) if np.isrealobj(z) else np.where(np.real(z) <= 0, 0.0, z)


def _leaky_relu(z):
    return np.where(np.real(z) <= 0, 0.01 * z, z)


def _softplus(z):
    return np.where(np.real(z) < 0, 0.0, z) + _log1p(np.exp(-_magnitude(z)))


# Past |z| = 1500 sigma(-|z|) is 0 in float64, past 40 so is the normal tail: bounded there, so that inf * 0 never comes up.


def _times_exp(factor, size):
    """factor * exp(-size), right to the last bits also where exp(-size) alone would be subnormal."""
    shift = np.clip(np.floor(np.real(size) / 600.0), 0.0, 1.0) * 600.0
    return factor * np.exp(shift - size) * np.exp(-shift)


def _silu(z):
    z = np.where(np.real(z) < -1500, -1500.0, z)
    size = _magnitude(z)
    return np.where(np.real(z) >= 0, z, _times_exp(np.where(np.real(z) >= 0, 0.0, z), size)) / (1 + np.exp(-size))


def _silu_slope(z):
    size = np.where(np.abs(np.real(z)) > 1500, 1500.0, _magnitude(z))
    e = np.exp(-size)
    right, left = 1 + e + _times_exp(size, size), _times_exp(1 + e - size, size)
    return np.where(np.real(z) >= 0, right, left) / (1 + e * (2 + e))


def _gelu(z):
    z = np.where(np.real(z) < -40, -40.0, z)
    return z * (_erfc(-z * math.sqrt(0.5)) / 2)


def _gelu_slope(z):
    z = np.where(np.abs(np.real(z)) > 40, 40.0 * np.sign(np.real(z)), z)
    return _erfc(-z * math.sqrt(0.5)) / 2 + z * np.exp(-z * z / 2) * (1 / math.sqrt(2 * math.pi))


def _abs(z):
    return np.abs(z) if np.isrealobj(z) else z * np.sign(np.real(z))


def _best(pick):
    """max or min by the real part; NaN stays NaN. Complex ties are averaged, so that the complex step shares the slope too."""

    def value(*z):
        top = reduce(pick, map(np.real, z))
        if all(map(np.isrealobj, z)):
            return top
        ties = [np.real(v) == top for v in z]
        return sum(np.where(tie, v, 0.0) for tie, v in zip(ties, z, strict=True)) / sum(ties)

    return value


_max, _min = _best(np.maximum), _best(np.minimum)


def _share(best):
    """The slope of max or min by its first argument: 1 where it is the best, shared equally among ties."""
    return lambda own, *z: np.where(own == best(*z), 1.0, 0.0) / sum(np.where(v == best(*z), 1.0, 0.0) for v in z)


def _logsumexp(*z):
    top = np.real(_max(*z))
    return top + np.log(sum(np.exp(v - top) for v in z))


def _softmax(own, *z):
    top = np.real(_max(*z))
    return np.exp(own - top) / sum(np.exp(v - top) for v in z)


def _power(u, n):
    """u**n; a complex base to a whole number by its polar form, which NumPy leaves past 100 for exp(n log u)."""
    if np.isrealobj(u) or np.iscomplexobj(n):
        return np.power(u, n)
    whole = np.real(n) == np.round(np.real(n))
    turn = np.arctan2(np.imag(u), np.abs(np.real(u))) * np.where(np.real(u) < 0, -1.0, 1.0) * n
    sign = np.where((np.real(u) < 0) & (np.mod(n, 2) == 1), -1.0, 1.0)
    return np.where(
        whole & (np.abs(n) > 3), sign * np.power(np.abs(u), n) * (np.cos(turn) + 1j * np.sin(turn)), np.power(u, n)
    )


def _power_by_exponent(u, n):
    """The slope of u**n by n, u**n log u; 0 at u = 0 for n > 0, its limit."""
    vanishes = (np.real(u) == 0) & (np.real(n) > 0)
    return np.where(vanishes, 0.0, np.power(u, n) * np.log(np.where(vanishes, 1.0, u)))


def softmax(z):
    """The rows of z as probabilities, exp(z_k) / sum_j exp(z_j); the output of a network, not a function of one number."""
    e = np.exp(z - np.max(np.real(z), axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _minus_log_softmax(z):
    top = np.argmax(np.real(z), axis=-1)[..., None]
    shifted = z - np.take_along_axis(np.real(z), top, axis=-1)
    others = np.exp(shifted)
    np.put_along_axis(
        others, top, np.exp(1j * np.imag(np.take_along_axis(z, top, -1))) - 1 if np.iscomplexobj(z) else 0.0, axis=-1
    )
    return _log1p(others.sum(axis=-1, keepdims=True)) - shifted


# --- formulas ---------------------------------------------------------------------------------------------------------


def _step(z, at_or_below, above):
    return sp.Piecewise((above, z > 0), (at_or_below, True))


def _share_formula(best):
    def formula(own, *z):
        ties = sp.Add(*(sp.Piecewise((1, sp.Eq(v, best(*z))), (0, True)) for v in z))
        return sp.Piecewise((1 / ties, sp.Eq(own, best(*z))), (0, True))

    return formula


def _phi(z):
    return sp.exp(-(z**2) / 2) / sp.sqrt(2 * sp.pi)


def _normal(z):
    return sp.erfc(-z / sp.sqrt(2)) / 2


# --- the tables -------------------------------------------------------------------------------------------------------


def _function(name, latex, formula, slope_formula, value, slope, slope_latex=None, slope_from_value=None):
    """A row and its slope's row: f(z) is shown as `latex`(z), its slope as `latex`'(z) unless `slope_latex` says otherwise."""
    call = latex if "#" in latex else rf"{latex}\left(@\right)"
    prime = slope_latex or rf"{latex}'\left(@\right)"
    return Function(name, formula, value, call, Operation(name + "'", slope_formula, slope, prime), slope_from_value)


def _native(name, formula, value, latex, slope_formula, slope):
    """A row whose function SymPy has, with its derivative: in formulas it is SymPy's."""
    return Function(name, formula, value, latex, Operation(name + "'", slope_formula, slope), native=True)


# fmt: off
ACTIVATIONS = {row.name: row for row in [
    _function("identity", r"\operatorname{id}", lambda z: z, lambda z: sp.Integer(1),
              lambda z: z, lambda z: np.ones_like(z)),
    _function("sigmoid", r"\sigma", lambda z: 1 / (1 + sp.exp(-z)), lambda z: sp.exp(-z) / (1 + sp.exp(-z)) ** 2,
              _sigmoid, _sigmoid_slope, slope_from_value=lambda a: a * (1 - a)),
    _function("tanh", r"\tanh", sp.tanh, lambda z: 1 / sp.cosh(z) ** 2,
              np.tanh, _tanh_slope, slope_from_value=lambda a: 1 - a**2),
    _function("relu", r"\operatorname{relu}", lambda z: _step(z, 0, z), lambda z: _step(z, 0, 1),
              _relu, lambda z: np.sign(np.maximum(z, 0.0))),
    _function("leaky_relu", r"\operatorname{leaky\_relu}", lambda z: _step(z, z / 100, z), lambda z: _step(z, sp.Rational(1, 100), 1),
              _leaky_relu, lambda z: np.maximum(np.sign(z), 0.01)),
    _function("softplus", r"\operatorname{softplus}", lambda z: sp.log(1 + sp.exp(z)), lambda z: 1 / (1 + sp.exp(-z)),
              _softplus, _sigmoid, slope_latex=r"\sigma\left(@\right)"),
    _function("gelu", r"\operatorname{gelu}", lambda z: z * _normal(z), lambda z: _normal(z) + z * _phi(z),
              _gelu, _gelu_slope),
    _function("silu", r"\operatorname{silu}", lambda z: z / (1 + sp.exp(-z)),
              lambda z: 1 / (1 + sp.exp(-z)) + z * sp.exp(-z) / (1 + sp.exp(-z)) ** 2, _silu, _silu_slope),
]}

ELEMENTARY = {row.name: row for row in [
    _native("exp", sp.exp, np.exp, r"\exp\left(#\right)", sp.exp, np.exp),
    _native("log", sp.log, np.log, r"\log\left(#\right)", lambda z: 1 / z, lambda z: np.divide(1.0, z)),
    _native("sqrt", sp.sqrt, np.sqrt, r"\sqrt{#}", lambda z: 1 / (2 * sp.sqrt(z)), lambda z: np.divide(0.5, np.sqrt(z))),
    _native("sin", sp.sin, np.sin, r"\sin\left(#\right)", sp.cos, np.cos),
    _native("cos", sp.cos, np.cos, r"\cos\left(#\right)", lambda z: -sp.sin(z), lambda z: -np.sin(z)),
    _function("abs", r"\left|#\right|", sp.Abs, sp.sign, _abs, lambda z: np.sign(np.real(z)),
              slope_latex=r"\operatorname{sign}\left(@\right)"),
    _function("max", r"\max\left(#\right)", sp.Max, _share_formula(sp.Max), _max, _share(_max),
              slope_latex=r"\left[@ = \max\left(#\right)\right]"),
    _function("min", r"\min\left(#\right)", sp.Min, _share_formula(sp.Min), _min, _share(_min),
              slope_latex=r"\left[@ = \min\left(#\right)\right]"),
    _function("logsumexp", r"\operatorname{logsumexp}\left(#\right)", lambda *z: sp.log(sp.Add(*map(sp.exp, z))),
              lambda own, *z: sp.exp(own) / sp.Add(*map(sp.exp, z)), _logsumexp, _softmax,
              slope_latex=r"\operatorname{softmax}_{@}\left(#\right)"),
]}

LOSSES = {row.name: row for row in [
    Loss("squared_error", lambda a, y: (a - y) ** 2 / 2, lambda a, y: a - y,
         lambda a, y: ((a - y) ** 2).sum(axis=-1) / 2, lambda a, y: a - y, lambda a, y: y - a),
    Loss("binary_cross_entropy", lambda a, y: -(y * sp.log(a) + (1 - y) * sp.log(1 - a)), lambda a, y: (a - y) / (a * (1 - a)),
         lambda z, y: (y * _softplus(-z) + (1 - y) * _softplus(z)).sum(axis=-1),
         lambda z, y: (1 - y) * _sigmoid(z) - y * _sigmoid(-z), lambda z, y: -z, fused="sigmoid"),
    Loss("cross_entropy", lambda a, y: -y * sp.log(a), lambda a, y: -y / a,
         lambda z, y: (y * _minus_log_softmax(z)).sum(axis=-1), lambda z, y: softmax(z) - y,
         lambda z, y: _minus_log_softmax(z), fused="softmax"),
]}

ARITHMETIC = {row.name: row for row in [
    Operation("+", operator.add, operator.add),
    Operation("-", operator.sub, operator.sub),
    Operation("*", operator.mul, operator.mul),
    Operation("/", operator.truediv, np.divide),
    Operation("**", operator.pow, _power),
    Operation("**'", lambda u, n: u**n * sp.log(u), _power_by_exponent),
    Operation("negative", operator.neg, operator.neg),
]}
# fmt: on

FUNCTIONS = ELEMENTARY | ACTIVATIONS
KINKS = {"abs", "max", "min", "relu", "leaky_relu"}  # what branches; the activations at 0
SEVERAL = {"max", "min", "logsumexp"}
OPERATIONS = ARITHMETIC | FUNCTIONS | {row.slope.name: row.slope for row in FUNCTIONS.values()}
