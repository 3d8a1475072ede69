"""Is what a network is told usable? Sizes, activations, switches, parameters; an error says what was expected and what came."""

from itertools import pairwise

import numpy as np

from ...functions.activations import ACTIVATIONS
from ...given import known, real_array, real_number, shown

MOST_WEIGHTS = 10**9


def layer_sizes(sizes):
    """Two or more positive whole numbers, from input to output. TypeError: no such numbers. ValueError: below 1, or fewer."""
    try:
        sizes = list(sizes)
    except TypeError:
        raise TypeError(f"Network: sizes must be a list such as [2, 3, 1], found {type(sizes).__name__}") from None
    for size in sizes:
        if isinstance(size, (bool, np.bool_)) or not isinstance(size, (int, np.integer)):
            raise TypeError(f"Network: a layer's size must be a whole number, found {shown(size)}")
        if size < 1:
            raise ValueError(f"Network: a layer has at least one unit, found the size {size}")
    if len(sizes) < 2:
        raise ValueError(f"Network: sizes must hold an input and at least one layer, found {sizes}")
    weights = sum(int(n_in) * int(n_out) for n_in, n_out in pairwise(sizes))
    if weights > MOST_WEIGHTS:
        raise ValueError(f"Network: layers of these sizes have {weights} weights, more than {MOST_WEIGHTS}")
    return [int(size) for size in sizes]


def data_type(dtype):
    """float64 or float32. ValueError: anything else."""
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = None
    if found not in (np.dtype(np.float64), np.dtype(np.float32)):
        raise ValueError(f"Network: dtype must be float64 or float32, found {dtype!r:.40}")
    return found


def penalty(l2):
    """A finite number that is not negative. TypeError: no number. ValueError: infinite or negative."""
    return real_number("Network: l2", l2, "not negative", lambda value: value >= 0)


def activation_names(activations, depth):
    """One known name for each layer; softmax only for the last. TypeError: no list. ValueError: any other names."""
    if isinstance(activations, str) or not isinstance(activations, (list, tuple)):
        raise TypeError(f"Network: activations must be a list with a name for each layer, found {shown(activations)}")
    if len(activations) != depth:
        raise ValueError(f"Network: {depth} layers need {depth} activations, found {len(activations)}")
    for layer, name in enumerate(activations, 1):
        known("Network: unknown activation", name, (*ACTIVATIONS, "softmax"))
        if name == "softmax" and layer < depth:
            raise ValueError(f"Network: softmax is an output, found at layer {layer} of {depth}")
    return tuple(activations)


def hidden_layers(what, value, depth):
    """A switch for all hidden layers, or a list with one for each (and a False for the output): a tuple of bools for every layer.

    TypeError: neither. ValueError: another number of them, or the output's is on.
    """
    if isinstance(value, (bool, np.bool_)):
        return (bool(value),) * (depth - 1) + (False,)
    if not isinstance(value, (list, tuple)) or not all(isinstance(one, (bool, np.bool_)) for one in value):
        raise TypeError(f"Network: {what} must be True, False, or a list of them, found {shown(value)}")
    if len(value) not in (depth - 1, depth):
        raise ValueError(
            f"Network: {what} must hold one value for each of {depth - 1} hidden layers, found {len(value)}"
        )
    if len(value) == depth and value[-1]:
        raise ValueError(f"Network: {what} is for hidden layers, found True for the output, layer {depth}")
    return tuple(map(bool, value[: depth - 1])) + (False,)


def weights_and_biases(parameters):
    """A copy of the parameters in the order W1, b1, W2, ..., of one dtype; of a normalised layer W1, gamma1, beta1.

    ValueError: names or shapes that do not fit.
    """
    if not isinstance(parameters, dict):
        raise TypeError(
            f"Network: parameters must be a dict such as {{'W1': ..., 'b1': ...}}, found {type(parameters).__name__}"
        )
    names = [name for layer in _layers_named(parameters) for name in layer]
    for what, found in (
        ("lack", [n for n in names if n not in parameters]),
        ("hold the superfluous", [n for n in parameters if n not in names]),
    ):
        if found:
            raise ValueError(
                f"Network: the parameters {what} {', '.join(map(str, found))}; expected {', '.join(names)}"
            )
    arrays = {name: real_array(f"Network: {name}", parameters[name]) for name in names}
    n_in = None
    for W, *rows in _layers_named(parameters):
        n_in = _check_layer(arrays, W, rows, n_in)
    dtype = np.float32 if all(array.dtype == np.float32 for array in arrays.values()) else np.float64
    return {name: array.astype(dtype, copy=False) for name, array in arrays.items()}


def _layers_named(parameters):
    """The names that each layer should have: W and b, or where there is a gamma or a beta W, gamma and beta."""
    weights = sum(str(name).startswith("W") for name in parameters)
    for layer in range(1, max(1, weights) + 1):
        normalised = f"gamma{layer}" in parameters or f"beta{layer}" in parameters
        yield [f"{kind}{layer}" for kind in (("W", "gamma", "beta") if normalised else ("W", "b"))]


def _check_layer(arrays, name, rows, n_in):
    """The units of a layer, where `n_in` come from below. ValueError: shapes that do not fit together."""
    W, layer = arrays[name], name[1:]
    if W.ndim != 2 or 0 in W.shape:
        raise ValueError(f"Network: {name} must have the shape (units out, units in), found {W.shape}")
    if n_in not in (None, W.shape[1]):
        b = arrays[rows[-1]]
        units = len(b) if b.ndim else "?"
        raise ValueError(
            f"Network: {name} has shape {W.shape} but layer {layer} maps {n_in} units to {units}: expected ({W.shape[0]}, {n_in})"
        )
    for row in rows:
        if arrays[row].shape != (W.shape[0],):
            raise ValueError(
                f"Network: {row} has shape {arrays[row].shape} but {name} has {W.shape[0]} rows: expected ({W.shape[0]},)"
            )
    return W.shape[0]


def statistics(running, shapes):
    """The running statistics of normalised layers: means, and variances that are not negative, of these shapes.

    TypeError: no dict of real numbers. ValueError: other names or shapes, NaN or infinity, a negative variance.
    """
    if not isinstance(running, dict) or running.keys() != shapes.keys():
        found = ", ".join(map(str, running)) if isinstance(running, dict) else shown(running)
        raise (ValueError if isinstance(running, dict) else TypeError)(
            f"Network: running must be a dict of {', '.join(shapes) or 'nothing: no layer is normalised'}, found {found}"
        )
    arrays = {name: real_array(f"Network: running {name}", running[name]) for name in shapes}
    for name, array in arrays.items():
        if array.shape != shapes[name]:
            raise ValueError(f"Network: running {name} must have shape {shapes[name]}, found {array.shape}")
        if name.startswith("var") and (array < 0).any():
            raise ValueError(f"Network: running {name} must not be negative, found {array.min()}")
    return arrays
