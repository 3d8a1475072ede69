"""A learner's backpropagation, written from the textbook without the package's terms; it can make every mistake of the table.

`gradient(net, parameters, X, Y)` reads of `net` only what a learner knows: activations, loss, l2, reduction, residual.
Batch normalisation is the short form that every page derives, dZ = gamma / std (dS - mean(dS) - N mean(dS N)).
"""

import numpy as np

VALUE = {
    "identity": lambda z: z, "sigmoid": lambda z: 1 / (1 + np.exp(-z)), "tanh": np.tanh, "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z), "softplus": lambda z: np.where(z > 30, z, np.log(1 + np.exp(np.minimum(z, 30)))), "silu": lambda z: z / (1 + np.exp(-z)),
}  # fmt: skip
FROM_A = {"sigmoid": lambda a: a * (1 - a), "tanh": lambda a: 1 - a**2}


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def slope(activation, z, at_kink=0.0):
    """The slope at z by the textbook's formula; `at_kink` is relu's slope at 0."""
    if activation in FROM_A:
        return FROM_A[activation](VALUE[activation](z))
    if activation == "relu":
        return (z > 0) + at_kink * (z == 0)
    if activation == "leaky_relu":
        return np.where(z > 0, 1.0, np.where(z < 0, 0.01, 0.01 + 0.99 * at_kink))
    s = VALUE["sigmoid"](z)
    return {"identity": 1.0 + 0 * z, "softplus": s, "silu": s + z * s * (1 - s)}[activation]


def forward(net, p, X):
    """(A, Z, N) by layer: the activations, what they were applied to, and the normalised numbers with their deviation, or None."""
    A, Z, N = [X], [None], [None]
    for layer, activation in enumerate(net.activations, 1):
        z = A[-1] @ p[f"W{layer}"].T
        if f"gamma{layer}" in p:
            std = np.sqrt(z.var(axis=0) + 1e-5)
            N.append(((z - z.mean(axis=0)) / std, std))
            Z.append(p[f"gamma{layer}"] * N[-1][0] + p[f"beta{layer}"])
        else:
            N.append(None)
            Z.append(z + p[f"b{layer}"])
        a = softmax(Z[-1]) if activation == "softmax" else VALUE[activation](Z[-1])
        A.append(a + A[-1] if skips(net, p, layer) else a)
    return A, Z, N


def skips(net, p, layer):
    """Whether what comes into a layer is added to what it makes: in hidden layers of the same width."""
    W = p[f"W{layer}"]
    return net.residual and layer < len(net.activations) and W.shape[0] == W.shape[1]


def normalised_back(d, gamma, normalised, mistake):
    """From dL/dS to dL/dZ, in which mean and variance depend on every row."""
    N, std = normalised
    mean = 0 if mistake == "mean-constant" else d.mean(axis=0)
    by_variance = 0 if mistake == "variance-constant" else N * (d * N).mean(axis=0)
    return gamma / std * (d - mean - by_variance)


def hidden_pull(net, layer, d, A, Z, mistake, at_kink):
    """From dL/dA to dL/dZ in a hidden layer, with the mistake if it is one of this step."""
    activation, z = net.activations[layer - 1], Z[layer]
    a = VALUE[activation](z)
    right = d * slope(activation, z, at_kink)
    if mistake == "relu-gate-on-upstream" and activation == "relu":
        return d * (d > 0)
    if mistake == "relu-gate-open" and activation == "relu":
        return d * (a >= 0)
    if mistake == "relu-overwrites-upstream" and activation == "relu":
        return (z > 0).astype(float)
    if mistake == "slope-of-z" and activation in FROM_A:
        return d * FROM_A[activation](z)
    if mistake == "slope-of-other-activation" and activation in FROM_A:
        return d * FROM_A[{"tanh": "sigmoid", "sigmoid": "tanh"}[activation]](a)
    return {
        "hidden-slope-missing": d, "hidden-slope-at-a": d * slope(activation, A[layer]), "hidden-slope-twice": right * slope(activation, z),
    }.get(mistake, right)  # fmt: skip


def output_pull(net, d, A, Z, mistake):
    """From A - Y (times the share) to dL/dZ of the output."""
    activation, a, z = net.activations[-1], A[-1], Z[-1]
    if net.loss_name != "squared_error":
        return d * a * (1 - a) if mistake == "output-slope-extra" else d
    if mistake == "output-slope-missing":
        return d
    if activation == "softmax":
        return d * a * (1 - a) if mistake == "softmax-diagonal" else a * (d - (d * a).sum(axis=1, keepdims=True))
    return d * slope(activation, a if mistake == "output-slope-at-a" else z)


def share(net, n, n_out, mistake):
    """The factor in front of A - Y."""
    right = 1 / n if net.reduction == "mean" else 1.0
    return {
        "sum-for-mean": 1.0, "mean-for-sum": 1 / n, "mean-over-entries": 1 / (n * n_out), "batch-divided-twice": 1 / n**2,
        "factor-two": 2 * right, "factor-half": right / 2, "sign": -right,
    }.get(mistake, right)  # fmt: skip


def weight_gradient(layer, d, A, Z, mistake):
    if mistake == "weight-gradient-transposed":
        return A[layer - 1].T @ d
    if mistake == "z-for-a" and layer > 1:
        return d.T @ Z[layer - 1]
    if mistake == "x-for-a" and layer > 1 and A[0].shape[1] == A[layer - 1].shape[1]:
        return d.T @ A[0]
    if mistake == "last-example-only":
        return np.outer(d[-1], A[layer - 1][-1])
    return d.T @ A[layer - 1]


def bias_gradient(d, A, mistake):
    return {
        "bias-wrong-axis": lambda: d.sum(axis=1), "bias-total": lambda: np.full(d.shape[1], d.sum()), "bias-times-input": lambda: (d.T @ A).sum(axis=1),
        "bias-sum-for-mean": lambda: d.sum(axis=0) * len(d), "bias-zero": lambda: np.zeros(d.shape[1]),
    }.get(mistake, lambda: d.sum(axis=0))()  # fmt: skip


def penalty(net, W, n, mistake):
    right = net.l2 * W
    return {
        "l2-missing": 0 * W, "l2-factor-two": 2 * right, "l2-per-example": right * n, "l2-sum": np.full(W.shape, net.l2 * W.sum()), "l2-sign": -right,
    }.get(mistake, right)  # fmt: skip


def back(net, layer, p, d, dW, mistake, rate):
    """From dL/dZ of a layer to dL/dA of the layer below."""
    W = p[f"W{layer}"]
    if mistake == "weights-not-transposed" and W.shape[0] == W.shape[1]:
        return d @ W.T
    return d @ {"updated-weights": W - rate * dW, "gradient-for-weights": dW}.get(mistake, W)


def gradient(net, p, X, Y, mistake=None, only=None, at_kink=0.0, rate=0.5, name="W1", factor=3.0, harvest=False):
    """The gradient with a mistake in every layer, or in the layer `only`; the layer is that of the term at fault.

    With `harvest` the mean's 1/n is not at the loss but in each layer, dW = D.T @ A / n.
    """
    A, Z, N = forward(net, p, X)
    n, gradients = len(X), {}

    def here(layer):
        return mistake if only in (None, layer) else None

    part = 1 / n if harvest and net.reduction == "mean" else 1.0
    error = (A[-1] - Y) * (share(net, n, A[-1].shape[1], mistake) / part)
    d, dA = output_pull(net, error, A, Z, mistake), None
    for layer in range(net.depth, 0, -1):
        W, b = p[f"W{layer}"], f"b{layer}"
        if N[layer] is not None:
            b = f"beta{layer}"
            gradients[f"gamma{layer}"] = part * (d * N[layer][0]).sum(axis=0)
        bias = part * bias_gradient(d, A[layer - 1], here(layer))
        gradients[b] = bias + (net.l2 * p[b] if here(layer) == "l2-on-bias" else 0)
        if N[layer] is not None:
            d = normalised_back(d, p[f"gamma{layer}"], N[layer], here(layer))
        dW = part * weight_gradient(layer, d, A, Z, here(layer))
        gradients[f"W{layer}"] = dW + penalty(net, W, n, here(layer))
        if layer > 1:
            from_above = error if mistake == "raw-error-back" and layer == net.depth else d
            below = back(net, layer, p, from_above, gradients[f"W{layer}"], here(layer), rate)
            dA = below + dA if skips(net, p, layer) else below
            d = hidden_pull(net, layer - 1, dA, A, Z, here(layer - 1), at_kink)
    if mistake == "layer-factor":
        gradients[name] = factor * gradients[name]
    return {name: gradients[name] for name in p}
