"""What a line may call."""

import copyreg
import operator
from collections import ChainMap

import numpy as np
import sympy as sp

from . import values
from .activations import ACTIVATIONS
from .rows import Function, Operation, function_row, native_row


def _share_formula(best):
    def formula(own, *z):
        ties = sp.Add(*(sp.Piecewise((1, sp.Eq(v, best(*z))), (0, True)) for v in z))
        return sp.Piecewise((1 / ties, sp.Eq(own, best(*z))), (0, True))

    return formula


# fmt: off
ELEMENTARY = {row.name: row for row in [
    native_row("exp", sp.exp, np.exp, r"\exp\left(#\right)", sp.exp, np.exp),
    native_row("log", sp.log, np.log, r"\log\left(#\right)", lambda z: 1 / z, lambda z: np.divide(1.0, z)),
    native_row("sqrt", sp.sqrt, np.sqrt, r"\sqrt{#}", lambda z: 1 / (2 * sp.sqrt(z)), lambda z: np.divide(0.5, np.sqrt(z))),
    native_row("sin", sp.sin, np.sin, r"\sin\left(#\right)", sp.cos, np.cos),
    native_row("cos", sp.cos, np.cos, r"\cos\left(#\right)", lambda z: -sp.sin(z), lambda z: -np.sin(z)),
    function_row("abs", r"\left|#\right|", sp.Abs, sp.sign, values.absolute, lambda z: np.sign(np.real(z)),
              slope_latex=r"\operatorname{sign}\left(@\right)", kinked=True),
    function_row("max", r"\max\left(#\right)", sp.Max, _share_formula(sp.Max), values.maximum, values.share(values.maximum),
              slope_latex=r"\left[@ = \max\left(#\right)\right]", several=True, kinked=True),
    function_row("min", r"\min\left(#\right)", sp.Min, _share_formula(sp.Min), values.minimum, values.share(values.minimum),
              slope_latex=r"\left[@ = \min\left(#\right)\right]", several=True, kinked=True),
    function_row("logsumexp", r"\operatorname{logsumexp}\left(#\right)", lambda *z: sp.log(sp.Add(*map(sp.exp, z))),
              lambda own, *z: sp.exp(own) / sp.Add(*map(sp.exp, z)), values.logsumexp, values.softmax_entry,
              slope_latex=r"\operatorname{softmax}_{@}\left(#\right)", several=True),
]}

ARITHMETIC = {row.name: row for row in [
    Operation("+", operator.add, operator.add),
    Operation("-", operator.sub, operator.sub),
    Operation("*", operator.mul, operator.mul),
    Operation("/", operator.truediv, np.divide),
    Operation("**", operator.pow, values.power),
    Operation("**'", lambda u, n: u**n * sp.log(u), values.power_by_exponent),
    Operation("negative", operator.neg, operator.neg),
]}
# fmt: on

FUNCTIONS = ChainMap(ACTIVATIONS, ELEMENTARY)


class _Operations(dict):
    """Every operation by its name, slopes too; those of FUNCTIONS are looked up each time, since a row may be replaced."""

    def __missing__(self, name):
        return FUNCTIONS[name] if name in FUNCTIONS else FUNCTIONS[name.removesuffix("'")].slope


OPERATIONS = _Operations(ARITHMETIC)


def operation(name):
    """The row of that name."""
    return OPERATIONS[name]


for kind in (Operation, Function):
    copyreg.pickle(kind, lambda row: (operation, (row.name,)))
