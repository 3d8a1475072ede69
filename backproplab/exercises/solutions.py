"""The solutions that are functions, as a reader is shown them; each is named as in its notebook, with the exercise's number."""

from math import cos, exp, sin

import numpy as np


def gradient_01_3(x, y, w):
    s = x + y
    return {"x": w * y, "y": w * y + w * s, "w": s * y}


def gradient_02_3(x):
    p = exp(-x)
    return {"x": (sin(p) + p * cos(p)) * (-p)}


def gradient_03_3(x1, x2, w1, w2, b, y):
    a = 1 / (1 + exp(-(w1 * x1 + w2 * x2 + b)))
    delta = (a - y) * a * (1 - a)
    return {"w1": delta * x1, "w2": delta * x2, "b": delta}


def gradient_04_2(parameters, X, Y):
    W1, b1, W2, b2 = (parameters[name] for name in ("W1", "b1", "W2", "b2"))
    A1 = np.tanh(X @ W1.T + b1)
    A2 = 1 / (1 + np.exp(-(A1 @ W2.T + b2)))
    D2 = (A2 - Y) * A2 * (1 - A2)
    D1 = D2 @ W2 * (1 - A1**2)
    return {"W1": D1.T @ X, "b1": D1.sum(axis=0), "W2": D2.T @ A1, "b2": D2.sum(axis=0)}


def gradient_05_1(parameters, X, Y):
    A = [X]
    for layer in (1, 2, 3):
        Z = A[-1] @ parameters[f"W{layer}"].T + parameters[f"b{layer}"]
        A.append(np.tanh(Z) if layer < 3 else Z)
    D, found = A[3] - Y, {}
    for layer in (3, 2, 1):
        found |= {f"W{layer}": D.T @ A[layer - 1], f"b{layer}": D.sum(axis=0)}
        D = D @ parameters[f"W{layer}"] * (1 - A[layer - 1] ** 2)
    return found


def gradient_06_1(parameters, X, Y):
    W1, b1, W2, b2 = (parameters[name] for name in ("W1", "b1", "W2", "b2"))
    A1 = np.tanh(X @ W1.T + b1)
    A2 = 1 / (1 + np.exp(-(A1 @ W2.T + b2)))
    D2 = (A2 - Y) / len(X) * A2 * (1 - A2)
    D1 = D2 @ W2 * (1 - A1**2)
    return {"W1": D1.T @ X, "b1": D1.sum(axis=0), "W2": D2.T @ A1, "b2": D2.sum(axis=0)}


def back_06_2(W, D):
    return D @ W


def weighted_06_3(D, A, c):
    return (D * c[:, None]).T @ A


def gradient_07_3(parameters, X, Y):
    W1, b1, W2, b2 = (parameters[name] for name in ("W1", "b1", "W2", "b2"))
    A1 = np.tanh(X @ W1.T + b1)
    Z2 = A1 @ W2.T + b2
    A2 = np.exp(Z2) / np.exp(Z2).sum(axis=1, keepdims=True)
    d = (A2 - Y) / len(X)
    D2 = A2 * (d - (d * A2).sum(axis=1, keepdims=True))
    D1 = D2 @ W2 * (1 - A1**2)
    return {"W1": D1.T @ X, "b1": D1.sum(axis=0), "W2": D2.T @ A1, "b2": D2.sum(axis=0)}


def difference_08_2(f, x, h):
    near, far = (f(x + h) - f(x - h)) / (2 * h), (f(x + 2 * h) - f(x - 2 * h)) / (4 * h)
    return (4 * near - far) / 3


def mended_09_2(p, X, Y):
    A1 = np.maximum(0, X @ p["W1"].T + p["b1"])
    E = np.exp(A1 @ p["W2"].T + p["b2"])
    D2 = (E / E.sum(axis=1, keepdims=True) - Y) / len(X)
    D1 = D2 @ p["W2"] * (A1 > 0)
    return {"W1": D1.T @ X, "b1": D1.sum(axis=0), "W2": D2.T @ A1, "b2": D2.sum(axis=0)}


def broken_09_3(p, X, Y):
    Z1 = X @ p["W1"].T + p["b1"]
    A1 = 1 / (1 + np.exp(-Z1))
    D2 = (A1 @ p["W2"].T + p["b2"] - Y) / len(X)
    D1 = D2 @ p["W2"] * Z1 * (1 - Z1)
    return {"W1": D1.T @ X, "b1": D1.sum(axis=0), "W2": D2.T @ A1, "b2": D2.sum(axis=0)}


def momentum_step_11_1(w, v, g, rate, mu):
    v = mu * v + g
    return w - rate * v, v


def adam_step_11_2(w, m, s, g, t, rate=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * g
    s = beta2 * s + (1 - beta2) * g**2
    m_hat, s_hat = m / (1 - beta1**t), s / (1 - beta2**t)
    return w - rate * m_hat / (np.sqrt(s_hat) + eps), m, s


def back_to_Z_12_3(dN, dvar, C, var):
    dC = dN / np.sqrt(var + 1e-5) + dvar * 2 * C / len(C)
    dmu = -dC.sum(axis=0)
    return dC + dmu / len(C)


def gradient_12_5(p, X, Y):
    Z1 = X @ p["W1"].T
    std = np.sqrt(Z1.var(axis=0) + 1e-5)
    N = (Z1 - Z1.mean(axis=0)) / std
    A1 = np.tanh(p["gamma1"] * N + p["beta1"])
    A2 = 1 / (1 + np.exp(-(A1 @ p["W2"].T + p["b2"])))
    D2 = (A2 - Y) / len(X) * A2 * (1 - A2)
    dS = D2 @ p["W2"] * (1 - A1**2)
    D1 = p["gamma1"] / std * (dS - dS.mean(axis=0) - N * (dS * N).mean(axis=0))
    return {
        "W1": D1.T @ X,
        "gamma1": (dS * N).sum(axis=0),
        "beta1": dS.sum(axis=0),
        "W2": D2.T @ A1,
        "b2": D2.sum(axis=0),
    }


def two_guesses_13_4(P, Y):
    best = np.argsort(P, axis=1)[:, -2:]
    return np.mean([label in pair for label, pair in zip(Y, best, strict=True)])


def to_kernel_14_1(x, delta):
    width = len(x) - len(delta) + 1
    return np.array([delta @ x[j : j + len(delta)] for j in range(width)])


def to_signal_14_2(w, delta):
    dL_dx = np.zeros(len(delta) + len(w) - 1)
    for i in range(len(delta)):
        dL_dx[i : i + len(w)] += delta[i] * w
    return dL_dx


def gradient_in_time_14_3(w, u, h0, x1, x2, x3, y1, y2, y3):
    x, y, h = (x1, x2, x3), (y1, y2, y3), [h0]
    for t in range(3):
        h.append(np.tanh(w * h[t] + u * x[t]))
    dL_dw = dL_du = dL_dh = 0.0
    for t in reversed(range(3)):
        dL_dh += h[t + 1] - y[t]
        dL_dz = dL_dh * (1 - h[t + 1] ** 2)
        dL_dw += dL_dz * h[t]
        dL_du += dL_dz * x[t]
        dL_dh = dL_dz * w
    return {"w": dL_dw, "u": dL_du}


def push_15_3(X, W, V):
    return (1 - np.tanh(X @ W.T) ** 2) * (X @ V.T)
