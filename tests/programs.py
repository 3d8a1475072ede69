"""Programs as learners write them: a loss of a dict of arrays, and its gradient by hand. None is a graph or a network."""

import math

import numpy as np


def softmax(Z):
    E = np.exp(Z - Z.max(axis=-1, keepdims=True))
    return E / E.sum(axis=-1, keepdims=True)


def convolution(rng):
    """One dimension, relu, mean over the places, squared error."""
    x, y = rng.normal(size=(6, 12)), rng.normal(size=6)
    windows = np.lib.stride_tricks.sliding_window_view(x, 3, axis=1)

    def forward(p):
        Z = windows @ p["kernel"].T + p["bias"]  # (6, 10, 4)
        return Z, np.maximum(Z, 0).mean(axis=1)

    def loss(p):
        return ((forward(p)[1] @ p["out"] - y) ** 2).mean()

    def gradient(p):
        Z, pooled = forward(p)
        d = 2 * (pooled @ p["out"] - y) / len(y)
        D = (d[:, None] * p["out"])[:, None, :] / Z.shape[1] * (Z > 0)
        return {"kernel": np.einsum("npk,npw->kw", D, windows), "bias": D.sum(axis=(0, 1)), "out": pooled.T @ d}

    return {"kernel": rng.normal(size=(4, 3)), "bias": rng.normal(size=4), "out": rng.normal(size=4)}, loss, gradient


def convolution_in_two_dimensions(rng):
    """Channels, largest of each 2 x 2, cross entropy; with loops, which fill a real array that no complex number enters."""
    x, labels = rng.normal(size=(3, 2, 6, 6)), np.array([0, 2, 1])

    def forward(p):
        Z = np.empty((3, 3, 4, 4))
        for n in range(3):
            for k in range(3):
                for i in range(4):
                    for j in range(4):
                        Z[n, k, i, j] = (x[n, :, i : i + 3, j : j + 3] * p["kernel"][k]).sum() + p["bias"][k]
        return Z, Z.reshape(3, 3, 2, 2, 2, 2).max(axis=(3, 5)).reshape(3, -1)

    def loss(p):
        P = softmax(forward(p)[1] @ p["W"].T)
        return -np.log(P[np.arange(3), labels]).mean()

    def gradient(p):
        Z, pooled = forward(p)
        D = (softmax(pooled @ p["W"].T) - np.eye(3)[labels]) / 3
        blocks = Z.reshape(3, 3, 2, 2, 2, 2)
        gate = blocks == blocks.max(axis=(3, 5), keepdims=True)
        dZ = ((D @ p["W"]).reshape(3, 3, 2, 1, 2, 1) * gate).reshape(Z.shape)
        kernel = np.zeros_like(p["kernel"])
        for i in range(4):
            for j in range(4):
                kernel += np.einsum("nk,ncab->kcab", dZ[:, :, i, j], x[:, :, i : i + 3, j : j + 3])
        return {"kernel": kernel, "bias": dZ.sum(axis=(0, 2, 3)), "W": D.T @ pooled}

    return (
        {"kernel": rng.normal(size=(3, 2, 3, 3)) / 3, "bias": rng.normal(size=3), "W": rng.normal(size=(3, 12)) / 3},
        loss,
        gradient,
    )


def recurrent(rng):
    """tanh through ten steps of time, squared error at the last."""
    x, y = rng.normal(size=(10, 4, 2)), rng.normal(size=(4, 1))

    def forward(p):
        states = [np.zeros((4, 3))]
        for step in x:
            states.append(np.tanh(step @ p["Wx"].T + states[-1] @ p["Wh"].T + p["b"]))
        return states

    def loss(p):
        return 0.5 * ((forward(p)[-1] @ p["Wo"].T - y) ** 2).sum() / 4

    def gradient(p):
        states = forward(p)
        d = (states[-1] @ p["Wo"].T - y) / 4
        found = {name: np.zeros_like(value) for name, value in p.items()} | {"Wo": d.T @ states[-1]}
        arriving = d @ p["Wo"]
        for t in range(9, -1, -1):
            D = arriving * (1 - states[t + 1] ** 2)
            found["Wx"] += D.T @ x[t]
            found["Wh"] += D.T @ states[t]
            found["b"] += D.sum(axis=0)
            arriving = D @ p["Wh"]
        return found

    shapes = {"Wx": (3, 2), "Wh": (3, 3), "b": (3,), "Wo": (1, 3)}
    return {name: 0.6 * rng.normal(size=shape) for name, shape in shapes.items()}, loss, gradient


def layer_norm(rng):
    """Each row normalised, then scaled and shifted; cross entropy."""
    x, labels = rng.normal(size=(5, 4)), np.array([0, 1, 2, 1, 0])

    def forward(p):
        Z = x @ p["W"].T
        centred = Z - Z.mean(axis=1, keepdims=True)
        scale = np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5)
        return centred / scale, scale

    def loss(p):
        P = softmax((p["gamma"] * forward(p)[0] + p["beta"]) @ p["V"].T)
        return -np.log(P[np.arange(5), labels]).sum() / 5

    def gradient(p):
        N, scale = forward(p)
        A = p["gamma"] * N + p["beta"]
        D = (softmax(A @ p["V"].T) - np.eye(3)[labels]) / 5
        dA = D @ p["V"]
        dN = dA * p["gamma"]
        dZ = (dN - dN.mean(axis=1, keepdims=True) - N * (dN * N).mean(axis=1, keepdims=True)) / scale
        return {"W": dZ.T @ x, "gamma": (dA * N).sum(axis=0), "beta": dA.sum(axis=0), "V": D.T @ A}

    shapes = {"W": (6, 4), "gamma": (6,), "beta": (6,), "V": (3, 6)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}, loss, gradient


def attention(rng):
    """One head over five tokens, squared error."""
    x, y = rng.normal(size=(5, 4)), rng.normal(size=(5, 2))

    def forward(p):
        Q, K, V = (x @ p[name].T for name in ("Wq", "Wk", "Wv"))
        return Q, K, V, softmax(Q @ K.T / math.sqrt(3))

    def loss(p):
        *_, V, P = forward(p)
        return ((P @ V - y) ** 2).sum() / 2

    def gradient(p):
        Q, K, V, P = forward(p)
        D = P @ V - y
        dP = D @ V.T
        dS = P * (dP - (dP * P).sum(axis=1, keepdims=True)) / math.sqrt(3)
        return {"Wq": (dS @ K).T @ x, "Wk": (dS.T @ Q).T @ x, "Wv": (P.T @ D).T @ x}

    return {"Wq": rng.normal(size=(3, 4)), "Wk": rng.normal(size=(3, 4)), "Wv": rng.normal(size=(2, 4))}, loss, gradient


def scalars(rng):
    """Plain numbers and the math module, which refuses complex ones."""
    examples = [(float(a), float(b)) for a, b in rng.normal(size=(8, 2))]

    def loss(p):
        return sum((1 / (1 + math.exp(-(p["w"] * a + p["b"]))) - b) ** 2 for a, b in examples) / 8

    def gradient(p):
        w = b = 0.0
        for x, y in examples:
            a = 1 / (1 + math.exp(-(p["w"] * x + p["b"])))
            w += 2 * (a - y) * a * (1 - a) * x / 8
            b += 2 * (a - y) * a * (1 - a) / 8
        return {"w": w, "b": b}

    return {"w": 0.7, "b": -0.2}, loss, gradient


def absolute_error(rng):
    """np.abs drops what is imaginary."""
    x, y = rng.normal(size=(7, 3)), rng.normal(size=(7, 2))

    def loss(p):
        return np.abs(np.tanh(x @ p["W"].T) * p["scale"] - y).mean() + 0.01 * np.linalg.norm(p["W"])

    def gradient(p):
        A = np.tanh(x @ p["W"].T)
        D = np.sign(A * p["scale"] - y) / y.size
        W = (D * p["scale"] * (1 - A**2)).T @ x + 0.01 * p["W"] / np.linalg.norm(p["W"])
        return {"W": W, "scale": (D * A).sum(axis=0)}

    return {"W": rng.normal(size=(2, 3)), "scale": np.array([2.0, 3.0])}, loss, gradient


def linear_system(rng):
    """The solution of a system of equations."""
    M, y = rng.normal(size=(4, 4)) + 4 * np.eye(4), rng.normal(size=4)

    def loss(p):
        u = np.linalg.solve(M + np.outer(p["a"], p["a"]), p["f"])
        return (u - y) @ (u - y)

    def gradient(p):
        K = M + np.outer(p["a"], p["a"])
        u = np.linalg.solve(K, p["f"])
        adjoint = np.linalg.solve(K.T, 2 * (u - y))
        return {"f": adjoint, "a": -(adjoint * (u @ p["a"]) + u * (adjoint @ p["a"]))}

    return {"a": rng.normal(size=4), "f": rng.normal(size=4)}, loss, gradient


def embedding(rng):
    """Rows looked up by their number; most rows of the table are never used, one twice."""
    tokens, y = np.array([[0, 3, 3], [5, 1, 0]]), rng.normal(size=(2, 2))

    def loss(p):
        return ((p["E"][tokens].mean(axis=1) @ p["W"].T - y) ** 2).sum()

    def gradient(p):
        mean = p["E"][tokens].mean(axis=1)
        D = 2 * (mean @ p["W"].T - y)
        E = np.zeros_like(p["E"])
        np.add.at(E, tokens, (D @ p["W"])[:, None, :] / 3)
        return {"E": E, "W": D.T @ mean}

    return {"E": rng.normal(size=(9, 4)), "W": rng.normal(size=(2, 4))}, loss, gradient


def batch_norm(rng):
    """Each column normalised over the batch: the bias before it does nothing at all."""
    x, y = rng.normal(size=(8, 3)), rng.normal(size=(8, 1))

    def forward(p):
        Z = x @ p["W"].T + p["b"]
        scale = np.sqrt(Z.var(axis=0) + 1e-5)
        return (Z - Z.mean(axis=0)) / scale, scale

    def loss(p):
        return ((np.tanh(forward(p)[0] * p["gamma"]) @ p["v"] - y[:, 0]) ** 2).mean()

    def gradient(p):
        N, scale = forward(p)
        A = np.tanh(N * p["gamma"])
        d = 2 * (A @ p["v"] - y[:, 0]) / 8
        D = d[:, None] * p["v"] * (1 - A**2)
        dN = D * p["gamma"]
        dZ = (dN - dN.mean(axis=0) - N * (dN * N).mean(axis=0)) / scale
        return {"W": dZ.T @ x, "b": dZ.sum(axis=0), "gamma": (D * N).sum(axis=0), "v": A.T @ d}

    shapes = {"W": (4, 3), "b": (4,), "gamma": (4,), "v": (4,)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}, loss, gradient


PROGRAMS = (
    convolution,
    convolution_in_two_dimensions,
    recurrent,
    layer_norm,
    attention,
    scalars,
    absolute_error,
    linear_system,
    embedding,
    batch_norm,
)
