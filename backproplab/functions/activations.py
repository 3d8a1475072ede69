"""The activations."""

import numpy as np
import sympy as sp

from . import values
from .rows import function_row


def _step(z, at_or_below, above):
    return sp.Piecewise((above, z > 0), (at_or_below, True))


def _phi(z):
    return sp.exp(-(z**2) / 2) / sp.sqrt(2 * sp.pi)


def _normal(z):
    return sp.erfc(-z / sp.sqrt(2)) / 2


# fmt: off
ACTIVATIONS = {row.name: row for row in [
    function_row("identity", r"\operatorname{id}", lambda z: z, lambda z: sp.Integer(1),
              lambda z: z, lambda z: np.ones_like(z)),
    function_row("sigmoid", r"\sigma", lambda z: 1 / (1 + sp.exp(-z)), lambda z: sp.exp(-z) / (1 + sp.exp(-z)) ** 2,
              values.sigmoid, values.sigmoid_slope, slope_from_value=lambda a: a * (1 - a), adds_to_one=True, taken_from_one=True),
    function_row("tanh", r"\tanh", sp.tanh, lambda z: 1 / sp.cosh(z) ** 2,
              np.tanh, values.tanh_slope, slope_from_value=lambda a: 1 - a**2, taken_from_one=True),
    function_row("relu", r"\operatorname{relu}", lambda z: _step(z, 0, z), lambda z: _step(z, 0, 1),
              values.relu, lambda z: np.sign(np.maximum(z, 0.0)), kinked=True),
    function_row("leaky_relu", r"\operatorname{leaky\_relu}", lambda z: _step(z, z / 100, z), lambda z: _step(z, sp.Rational(1, 100), 1),
              values.leaky_relu, lambda z: np.maximum(np.sign(z), 0.01), kinked=True),
    function_row("softplus", r"\operatorname{softplus}", lambda z: sp.log(1 + sp.exp(z)), lambda z: 1 / (1 + sp.exp(-z)),
              values.softplus, values.sigmoid, slope_latex=r"\sigma\left(@\right)", adds_to_one=True, taken_from_one=True),
    function_row("gelu", r"\operatorname{gelu}", lambda z: z * _normal(z), lambda z: _normal(z) + z * _phi(z),
              values.gelu, values.gelu_slope, adds_to_one=True, taken_from_one=True),
    function_row("silu", r"\operatorname{silu}", lambda z: z / (1 + sp.exp(-z)),
              lambda z: 1 / (1 + sp.exp(-z)) + z * sp.exp(-z) / (1 + sp.exp(-z)) ** 2, values.silu, values.silu_slope, taken_from_one=True),
]}
# fmt: on
