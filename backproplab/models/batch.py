"""A batch as a network is given it, checked: rows of inputs and rows of targets."""

import numpy as np

from ..functions.losses import ANY
from ..given import real_array


def rows_of_inputs(X, width, dtype):
    """X as (n, width); (width,) is one example."""
    X = real_array("Network: X", X, dtype=dtype, copy=False)
    if X.ndim == 1 and len(X) == width:
        return X.reshape(1, width)
    if X.ndim != 2 or X.shape[1] != width:
        raise ValueError(
            f"Network: X has shape {X.shape}, expected (n, {width}): one example in a row; ({width},) is one example"
        )
    if len(X) == 0:
        raise ValueError(f"Network: X has shape {X.shape}: there are no examples")
    return X


def enough_rows(X, normalised):
    """X, where a network is not `normalised`, or there are two rows at least. ValueError: one row."""
    if normalised and len(X) < 2:
        raise ValueError(
            "Network: batch normalisation needs at least 2 rows, found 1: the mean of one row is the row itself, and every "
            "normalised number would be 0; predict(X) takes one row, with the running statistics"
        )
    return X


def rows_of_targets(Y, n, k, loss, dtype):
    """Y as (n, k): rows as given, or labels 0..k-1 made one-hot where the loss takes shares that sum to 1."""
    if not (isinstance(Y, np.ndarray) and Y.dtype.kind in "iu"):
        Y = real_array("Network: Y", Y, copy=False)
    if are_labels(Y, n, k, loss):
        return _one_hot(Y, n, k, dtype)
    if Y.shape == (k,) and n == 1:
        Y = Y.reshape(1, k)
    if Y.shape != (n, k):
        hint = "; a column needs two dimensions: Y.reshape(-1, 1)" if Y.shape == (n,) and k == 1 else ""
        raise ValueError(f"Network: Y has shape {Y.shape} but the output has shape ({n}, {k}){hint}")
    if loss.targets != ANY:
        _check_targets(Y, loss)
    return Y if Y.dtype == dtype else real_array("Network: Y", Y, dtype=dtype)


def _check_targets(Y, loss):
    allowed, smallest, largest = loss.targets, Y.min(), Y.max()
    if allowed.shares and (smallest < 0 or abs(Y.sum(axis=1) - 1).max() > 1e-6):
        raise ValueError(
            f"Network: rows of targets of {loss.name} must be >= 0 and sum to 1, found a row that does not"
        )
    if smallest < allowed.lowest or largest > allowed.highest:
        found = smallest if smallest < allowed.lowest else largest
        raise ValueError(
            f"Network: targets of {loss.name} lie in {allowed.lowest:g}..{allowed.highest:g}, found {found}"
        )


def are_labels(Y, n, k, loss):
    """Whether targets are labels, one for each of n examples, and not rows of k numbers."""
    return loss.targets.shares and not (k > 1 and (np.ndim(Y) == 2 or (np.shape(Y) == (k,) and n == 1)))


def _one_hot(labels, n, k, dtype):
    """A 1 in the column of each label, a whole number from 0 to k - 1."""
    labels = labels.reshape(-1) if labels.ndim == 0 or labels.shape == (n, 1) else labels
    if labels.shape != (n,):
        raise ValueError(f"Network: Y has shape {labels.shape}, expected labels ({n},) or rows ({n}, {k})")
    if labels.dtype.kind == "f" and (labels != np.round(labels)).any():
        raise ValueError(f"Network: labels must be whole numbers, found {labels[labels != np.round(labels)][0]}")
    smallest, largest = labels.min(), labels.max()
    if smallest < 0 or largest >= k:
        found = smallest if smallest < 0 else largest
        raise ValueError(f"Network: labels must lie in 0..{k - 1}, found {found:g}")
    return np.eye(k, dtype=dtype)[labels.astype(np.intp, copy=False)]
