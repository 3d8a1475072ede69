"""What a network is given, checked: sizes, names, parameters, rows of inputs and targets. An error names what was expected and what came."""

import numpy as np

from ..functions.activations import ACTIVATIONS


def known(what, name, names):
    """The name, if it is one of `names`."""
    if not isinstance(name, str) or name not in names:
        raise ValueError(f"Network: unknown {what} {name!r:.40}; known are {', '.join(names)}")
    return name


def layer_sizes(sizes):
    """Two or more positive whole numbers, from input to output."""
    try:
        sizes = list(sizes)
    except TypeError:
        raise TypeError(f"Network: sizes must be a list such as [2, 3, 1], found {type(sizes).__name__}") from None
    for size in sizes:
        if isinstance(size, (bool, np.bool_)) or not isinstance(size, (int, np.integer)):
            raise TypeError(f"Network: a layer's size must be a whole number, found {type(size).__name__} {size!r:.40}")
        if size < 1:
            raise ValueError(f"Network: a layer has at least one unit, found the size {size}")
    if len(sizes) < 2:
        raise ValueError(f"Network: sizes must hold an input and at least one layer, found {sizes}")
    return [int(size) for size in sizes]


def data_type(dtype):
    """float64 or float32."""
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = None
    if found not in (np.dtype(np.float64), np.dtype(np.float32)):
        raise ValueError(f"Network: dtype must be float64 or float32, found {dtype!r:.40}")
    return found


def penalty(l2):
    """A finite number that is not negative."""
    if isinstance(l2, (bool, str, complex)) or not hasattr(l2, "__float__") or np.ndim(l2):
        raise TypeError(f"Network: l2 must be a number, found {type(l2).__name__} {l2!r:.40}")
    if not (np.isfinite(l2) and l2 >= 0):
        raise ValueError(f"Network: l2 must be finite and not negative, found {l2}")
    return float(l2)


def activation_names(activations, depth):
    """One known name for each layer; softmax only for the last."""
    if isinstance(activations, str) or not isinstance(activations, (list, tuple)):
        raise TypeError(
            f"Network: activations must be a list with a name for each layer, found {type(activations).__name__} {activations!r:.40}"
        )
    if len(activations) != depth:
        raise ValueError(f"Network: {depth} layers need {depth} activations, found {len(activations)}")
    for layer, name in enumerate(activations, 1):
        known("activation", name, (*ACTIVATIONS, "softmax"))
        if name == "softmax" and layer < depth:
            raise ValueError(f"Network: softmax is an output, found at layer {layer} of {depth}")
    return tuple(activations)


def _real_array(what, values, dtype=None):
    """A finite float array, copied only where that is needed; booleans and whole numbers are converted."""
    try:
        array = np.asarray(values)
    except ValueError:
        raise ValueError(f"Network: {what} must form one array, found rows of different lengths") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(f"Network: {what} must hold real numbers, found dtype {array.dtype}")
    array = array.astype(dtype or (array.dtype if array.dtype == np.float32 else np.float64), copy=False)
    with np.errstate(all="ignore"):
        total = array.sum()  # one quick pass: finite unless an entry is not, or the sum itself overflows
    if not np.isfinite(total) and not np.isfinite(array).all():
        raise ValueError(f"Network: {what} must be finite, found {array[~np.isfinite(array)].flat[0]}")
    return array


def weights_and_biases(parameters):
    """A copy of the parameters in the order W1, b1, W2, ..., shapes that fit each other, one dtype."""
    if not isinstance(parameters, dict):
        raise TypeError(
            f"Network: parameters must be a dict such as {{'W1': ..., 'b1': ...}}, found {type(parameters).__name__}"
        )
    depth = max(1, (len(parameters) + 1) // 2)
    names = [f"{kind}{layer}" for layer in range(1, depth + 1) for kind in "Wb"]
    for what, found in (
        ("lack", [n for n in names if n not in parameters]),
        ("hold the superfluous", [n for n in parameters if n not in names]),
    ):
        if found:
            raise ValueError(
                f"Network: the parameters {what} {', '.join(map(str, found))}; expected {', '.join(names)}"
            )
    arrays = {name: _real_array(name, parameters[name]) for name in names}
    for layer in range(1, depth + 1):
        W, b = arrays[f"W{layer}"], arrays[f"b{layer}"]
        if W.ndim != 2 or 0 in W.shape:
            raise ValueError(f"Network: W{layer} must have the shape (units out, units in), found {W.shape}")
        n_in = len(arrays[f"b{layer - 1}"]) if layer > 1 else W.shape[1]
        if W.shape[1] != n_in:
            raise ValueError(
                f"Network: W{layer} has shape {W.shape} but layer {layer} maps {n_in} units to {len(b) if b.ndim else '?'}: expected ({W.shape[0]}, {n_in})"
            )
        if b.shape != (W.shape[0],):
            raise ValueError(
                f"Network: b{layer} has shape {b.shape} but W{layer} has {W.shape[0]} rows: expected ({W.shape[0]},)"
            )
    dtype = np.float32 if all(array.dtype == np.float32 for array in arrays.values()) else np.float64
    return {name: np.array(array, dtype=dtype) for name, array in arrays.items()}


def rows_of_inputs(X, width, dtype):
    """X as (n, width); (width,) is one example."""
    X = _real_array("X", X, dtype)
    if X.ndim == 1 and len(X) == width:
        return X.reshape(1, width)
    if X.ndim != 2 or X.shape[1] != width:
        raise ValueError(
            f"Network: X has shape {X.shape}, expected (n, {width}): one example in a row; ({width},) is one example"
        )
    if len(X) == 0:
        raise ValueError(f"Network: X has shape {X.shape}: there are no examples")
    return X


def rows_of_targets(Y, n, k, loss, dtype):
    """Y as (n, k): rows as given, or labels 0..k-1 made one-hot for the cross entropy."""
    Y = _real_array("Y", Y)
    if are_labels(Y, n, k, loss):
        return _one_hot(Y, n, k, dtype)
    if Y.shape == (k,) and n == 1:
        Y = Y.reshape(1, k)
    if Y.shape != (n, k):
        hint = "; a column needs two dimensions: Y.reshape(-1, 1)" if Y.shape == (n,) and k == 1 else ""
        raise ValueError(f"Network: Y has shape {Y.shape} but the output has shape ({n}, {k}){hint}")
    if loss == "binary_cross_entropy" and (Y.min() < 0 or Y.max() > 1):
        raise ValueError(
            f"Network: targets of the binary cross entropy lie in 0..1, found {Y.min() if Y.min() < 0 else Y.max()}"
        )
    if loss == "cross_entropy" and (Y.min() < 0 or abs(Y.sum(axis=1) - 1).max() > 1e-6):
        raise ValueError(
            "Network: rows of targets of the cross entropy must be >= 0 and sum to 1, found a row that does not"
        )
    return Y.astype(dtype, copy=False)


def are_labels(Y, n, k, loss):
    """Whether targets are labels, one for each of n examples, and not rows of k numbers."""
    return loss == "cross_entropy" and not (k > 1 and (np.ndim(Y) == 2 or (np.shape(Y) == (k,) and n == 1)))


def _one_hot(labels, n, k, dtype):
    labels = labels.reshape(-1) if labels.ndim == 0 or labels.shape == (n, 1) else labels
    if labels.shape != (n,):
        raise ValueError(f"Network: Y has shape {labels.shape}, expected labels ({n},) or rows ({n}, {k})")
    if (labels != np.round(labels)).any():
        raise ValueError(f"Network: labels must be whole numbers, found {labels[labels != np.round(labels)][0]}")
    if labels.min() < 0 or labels.max() >= k:
        raise ValueError(
            f"Network: labels must lie in 0..{k - 1}, found {labels.min() if labels.min() < 0 else labels.max():g}"
        )
    return np.eye(k, dtype=dtype)[labels.astype(int)]
