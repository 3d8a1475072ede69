"""The values of functions and slopes in NumPy, stable for every finite z.

They take floats, arrays and complex numbers (abs, max, min and relu branch on the real part, so that the complex step
works) and use exp(-|z|), which never overflows: within 4 units in the last place of the true value, 6 in float32 (of the larger
addend, where a slope crosses zero), for GELU below zero 2 z**2 more. Conventions: relu'(0) = 0, leaky_relu'(0) = 0.01,
abs'(0) = 0, and a tie in max or min shares the slope 1 equally.
"""

import math
import threading
from contextlib import contextmanager

import mpmath
import numpy as np

_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def in_digits(digits):
    """mpmath computes with so many digits. Its precision is global: one thread at a time has it, and puts back what was there."""
    with _ONE_AT_A_TIME, mpmath.workdps(digits):
        yield


def _magnitude(z):
    return np.abs(z) if np.isrealobj(z) else np.where(np.real(z) < 0, -z, z)


def log1p(z):
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
    with in_digits(20 + max(0, math.ceil(-math.log10(abs(z.imag) or 1.0)))):
        return complex(mpmath.erfc(mpmath.mpc(z)))


def sigmoid(z):
    """1 / (1 + exp(-z))."""
    e = np.exp(-_magnitude(z))
    return np.where(np.real(z) >= 0, 1.0, e) / (1 + e)


def sigmoid_slope(z):
    """exp(-|z|) / (1 + exp(-|z|))^2, as e / (1 + e (2 + e))."""
    e = np.exp(-_magnitude(z))
    return e / (1 + e * (2 + e))


def tanh_slope(z):
    """1 / cosh(z)^2, as 4 e / (1 + e)^2 with e = exp(-2|z|)."""
    e = np.square(np.exp(-_magnitude(z)))  # twice z might overflow
    return 4 * e / (1 + e * (2 + e))


def relu(z):
    """z above 0, else 0."""
    return np.maximum(z, 0.0) if np.isrealobj(z) else np.where(np.real(z) <= 0, 0.0, z)


def leaky_relu(z):
    """z above 0, else z / 100."""
    return np.where(np.real(z) <= 0, 0.01 * z, z)


def softplus(z):
    """log(1 + exp(z))."""
    return np.where(np.real(z) < 0, 0.0, z) + log1p(np.exp(-_magnitude(z)))


# Past |z| = 1500 sigma(-|z|) is 0 in float64, past 40 so is the normal tail: bounded there, so that inf * 0 never comes up.


def _times_exp(factor, size):
    """factor * exp(-size), right to the last bits also where exp(-size) alone would be subnormal."""
    part = 60.0 if np.result_type(size) in (np.float32, np.complex64) else 600.0
    shift = np.clip(np.floor(np.real(size) / part), 0.0, 1.0) * part
    return factor * np.exp(shift - size) * np.exp(-shift)


def silu(z):
    """z sigma(z)."""
    z = np.where(np.real(z) < -1500, -1500.0, z)
    size = _magnitude(z)
    return np.where(np.real(z) >= 0, z, _times_exp(np.where(np.real(z) >= 0, 0.0, z), size)) / (1 + np.exp(-size))


def silu_slope(z):
    """sigma(z) + z sigma'(z)."""
    size = np.where(np.abs(np.real(z)) > 1500, 1500.0, _magnitude(z))
    e = np.exp(-size)
    right, left = 1 + e + _times_exp(size, size), _times_exp(1 + e - size, size)
    return np.where(np.real(z) >= 0, right, left) / (1 + e * (2 + e))


def gelu(z):
    """z times the normal distribution function at z."""
    z = np.where(np.real(z) < -40, -40.0, z)
    return z * (_erfc(-z * math.sqrt(0.5)) / 2)


def gelu_slope(z):
    """The normal distribution function at z, plus z times its density."""
    z = np.where(np.abs(np.real(z)) > 40, 40.0 * np.sign(np.real(z)), z)
    return _erfc(-z * math.sqrt(0.5)) / 2 + z * np.exp(-z * z / 2) * (1 / math.sqrt(2 * math.pi))


def absolute(z):
    """|z|, by the real part."""
    return np.abs(z) if np.isrealobj(z) else z * np.sign(np.real(z))


def _stacked(z):
    """Several arguments as one array, the arguments along its first axis."""
    several = any(isinstance(v, np.ndarray) and v.ndim for v in z)
    return np.stack(np.broadcast_arrays(*z)) if several else np.array(z)


def _best(pick):
    """max or min by the real part; NaN stays NaN. Complex ties are averaged, so that the complex step shares the slope too."""

    def value(*z):
        z = _stacked(z)
        top = pick(np.real(z), axis=0)
        if np.isrealobj(z):
            return top
        ties = np.real(z) == top
        return np.where(ties, z, 0.0).sum(axis=0) / ties.sum(axis=0)

    return value


maximum, minimum = _best(np.max), _best(np.min)


def share(best):
    """The slope of max or min by its first argument: 1 where it is the best, shared equally among ties."""

    def slope(own, *z):
        top = best(*z)
        return np.where(own == top, 1.0, 0.0) / (_stacked(z) == top).sum(axis=0)

    return slope


def logsumexp(*z):
    """log(exp(z_1) + exp(z_2) + ...), with the largest taken out."""
    z = _stacked(z)
    top = np.real(z).max(axis=0)
    return top + np.log(np.exp(z - top).sum(axis=0))


def softmax_entry(own, *z):
    """exp(own) / (exp(z_1) + exp(z_2) + ...), the slope of logsumexp."""
    z = _stacked(z)
    top = np.real(z).max(axis=0)
    return np.exp(own - top) / np.exp(z - top).sum(axis=0)


def power(u, n):
    """u**n; a complex base to a whole number by its polar form, which NumPy leaves past 100 for exp(n log u)."""
    if np.isrealobj(u) or np.iscomplexobj(n):
        return np.power(u, n)
    whole = np.real(n) == np.round(np.real(n))
    turn = np.arctan2(np.imag(u), np.abs(np.real(u))) * np.where(np.real(u) < 0, -1.0, 1.0) * n
    sign = np.where((np.real(u) < 0) & (np.mod(n, 2) == 1), -1.0, 1.0)
    return np.where(
        whole & (np.abs(n) > 3), sign * np.power(np.abs(u), n) * (np.cos(turn) + 1j * np.sin(turn)), np.power(u, n)
    )


def power_by_exponent(u, n):
    """The slope of u**n by n, u**n log u; 0 at u = 0 for n > 0, its limit."""
    vanishes = (np.real(u) == 0) & (np.real(n) > 0)
    return np.where(vanishes, 0.0, np.power(u, n) * np.log(np.where(vanishes, 1.0, u)))


def softmax(z):
    """The rows of z as probabilities, exp(z_k) / sum_j exp(z_j); the output of a network, not a function of one number."""
    e = np.exp(z - z.real.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def cross_entropy_slope_by_target(z, a, y):
    """-log a for the rows a = softmax(z), as log(1 + the others / the largest) + largest z - z, also where a rounds to 0 or 1."""
    # Places in a flat array, the quickest to index.
    top = np.arange(0, z.size, z.shape[-1]) + z.real.argmax(axis=-1).ravel()
    flat, rows = np.array(a).ravel(), (*z.shape[:-1], 1)
    largest, highest = flat[top].reshape(rows), z.ravel()[top].reshape(rows)
    flat[top] = 0.0
    return log1p(flat.reshape(z.shape).sum(axis=-1, keepdims=True) / largest) + (highest - z)


def cross_entropy(z, a, y):
    """-sum_k y_k log a_k for each row, a = softmax(z)."""
    return (y * cross_entropy_slope_by_target(z, a, y)).sum(axis=-1)


def binary_cross_entropy(z, a, y):
    """-sum_k [y_k log a_k + (1 - y_k) log(1 - a_k)] for each row, a = sigmoid(z), from the logits."""
    return (y * softplus(-z) + (1 - y) * softplus(z)).sum(axis=-1)


def binary_cross_entropy_slope(z, a, y):
    """a - y from the logits, exact where a rounds to 0 or 1."""
    return (1 - y) * sigmoid(z) - y * sigmoid(-z)
