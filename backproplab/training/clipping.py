"""How long a gradient may be: the same direction with a bounded length, or each entry bounded."""

import math

import numpy as np

from ..given import real_array, real_number, shown, squares


def norms(arrays):
    """The root of each array's sum of squares, also where the squares themselves would be past float64 or vanish."""
    with np.errstate(all="ignore"):
        found = [math.sqrt(squares(array)) for array in arrays]
        return [plain if 1e-15 < plain < 1e15 else _scaled(array) for plain, array in zip(found, arrays, strict=True)]


def _scaled(array):
    array = np.asarray(array, float)
    largest = float(np.abs(array).max(initial=0.0))
    return largest * math.sqrt(squares(array / largest)) if 0 < largest < math.inf else largest


def clip_by_norm(gradient, limit):
    """The gradient, shortened to the length `limit` where it is longer: g limit / |g| with |g|^2 = sum of all entries' squares.

    All tensors count at once, so that the direction stays. Returns new arrays by name. ValueError, TypeError: a limit not above 0, NaN.
    Source: R. Pascanu, T. Mikolov and Y. Bengio, On the difficulty of training recurrent neural networks, ICML 2013; PyTorch
    adds 1e-6 to |g| against a division by 0, which is not needed here.
    """
    arrays, limit = _given("clip_by_norm", gradient, limit)
    with np.errstate(all="ignore"):
        largest = max((float(np.abs(array).max(initial=0.0)) for array in arrays.values()), default=0.0)
        if largest == 0.0:
            return arrays
        scaled = {name: array.astype(float) / largest for name, array in arrays.items()}
        length = math.sqrt(sum(map(squares, scaled.values())))
        if largest * length <= limit:
            return arrays
        return {name: (scaled[name] * (limit / length)).astype(array.dtype) for name, array in arrays.items()}


def clip_by_value(gradient, limit):
    """The gradient with each entry brought between -limit and limit, which turns its direction.

    Returns new arrays by name. ValueError, TypeError: a limit not above 0, NaN.
    """
    arrays, limit = _given("clip_by_value", gradient, limit)
    with np.errstate(all="ignore"):  # a limit past float32
        return {name: np.clip(array, -limit, limit).astype(array.dtype, copy=False) for name, array in arrays.items()}


def _given(caller, gradient, limit):
    if not isinstance(gradient, dict):
        raise TypeError(f"{caller}: gradient must be a dict of arrays by name, found {shown(gradient)}")
    limit = real_number(f"{caller}: limit", limit, "above 0", lambda value: value > 0)
    return {name: real_array(f"{caller}: the gradient of {name}", array) for name, array in gradient.items()}, limit
