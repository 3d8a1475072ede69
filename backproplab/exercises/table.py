"""The exercises of the notebooks: what is asked, a hint, and the lines that solve it. The notebooks hold none of the answers."""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from . import solutions

WORDS = {
    "exercise": "Exercise {name}: .check(answer), .hint(), .solution()",
    "waiting": "Waiting for you: put your answer in place of the three dots.",
    "right": "Right.",
    "value": "Not yet.",
    "values": "Not yet: look again at number {places}.",
    "count": "Give {expected} answers, such as (1, 2), in the order asked for; found {found}.",
    "single": "Give one answer; found {found}.",
    "close": "Nearly: {digits} digits are asked for; a fraction such as 1/3 has them all.",
    "set": "Give the names as a set, such as {{'x', 'w'}}.",
    "number-here": "The right value at {here}, but one number is no formula: write d{of}/d{wrt} in the names of the graph, as text.",
    "number": "Write d{of}/d{wrt} as a formula in the names of the graph, as text.",
    "formula-type": "A formula is a text such as '2*x*y' or a SymPy expression, a value is a number or an array; found {found}.",
    "unreadable": "This cannot be read as a formula: {error}",
    "names": "The formula uses {found}, but the graph has {known}.",
    "only-here": "The right value at {here}, but not the same formula: at {there} it gives {found}, and d{of}/d{wrt} is {right}.",
    "other": "This is d{of}/d{other}; d{of}/d{wrt} is asked for.",
    "not-finite": "At {there} the formula has no finite value.",
    "formula": "Not yet: this is not d{of}/d{wrt}. Write the terms on each path from {of} to {wrt}, multiply along a path, add over paths.",
    "function": "A function is asked for (write def ...), found {found}.",
    "too-right": "This gradient is right: nothing is broken yet.",
    "arguments": "Your function is called with numbers by name: name its arguments {names}.",
    "returns-nothing": "Your function returns nothing: did it forget its return?",
    "dict": "Return a dict with the keys {names}; found {found}.",
    "missing": "The gradient of {names} is missing from the dict, whose keys are {found}.",
    "sign": "Not yet: the sign is the opposite one.",
    "ratio": "Not yet: every number is {ratio} times the right one.",
    "mean of gradients": "Not yet: you take a mean of the gradients, with (1 - mu) before g; here they are added, mu v + g.",
    "old velocity": "Not yet: the step uses the old v; it goes along the new one.",
    "rate in velocity": "Not yet: your v has the rate in it; here v is made of gradients alone, and the rate stands in the step.",
    "no correction": "Not yet: m and s are too small at first; divide each by 1 - beta**t before the step.",
    "corrected kept": "The new w is right; but return m and s as they are, without the correction: it is made anew at each step.",
    "one use": "Not yet: one use only has arrived, the last one. Each place has its part, and over the places we add.",
    "mean of uses": "Not yet: you take the mean over the places. A shared weight moves in all of them at once: add.",
    "not turned": "Not yet: the kernel is not turned round. x[m] met w[0] at the place m, w[1] at the place before it.",
    "overwritten": "Not yet: where two windows overlap, the later one has overwritten the earlier: add.",
    "variance constant": "Not yet: the path over var is missing. C is used twice, in N and in var.",
    "mean constant": "Not yet: the path over mu is missing. Z is used twice, in C itself and in mu.",
    "variance once": "Not yet: dvar reaches each C with the term 2*C/n.",
    "no slope": "Not yet: so Z = X W^T moves; the slope of tanh is still to come, at each entry.",
    "shape": "The result has shape {found}, expected {expected}.",
}


@dataclass(frozen=True)
class Row:
    """One exercise: the kind of answer, the task for its checker, a hint, and what replaces the lines with `...`.

    A solution is a line of text or a function, named as in the notebook with the exercise's number at its end.
    """

    kind: str
    task: dict
    hint: str
    solution: str | Callable

    @property
    def lines(self):
        """The solution as lines to be read or pasted."""
        if isinstance(self.solution, str):
            return self.solution
        source, name = inspect.getsource(self.solution).rstrip(), self.solution.__name__
        return source.replace(f"def {name}(", f"def {re.sub('_[0-9_]+$', '', name)}(", 1)


def _adam(w, m, s, g, t, corrected=True):
    m, s = m + 0.1 * (g - m), s + 0.001 * (g * g - s)
    m_hat, s_hat = (m / (1 - 0.9**t), s / (1 - 0.999**t)) if corrected else (m, s)
    return w - 0.001 * m_hat / (s_hat**0.5 + 1e-8), m, s


def _adam_keeping_the_corrected(w, m, s, g, t):
    w, m, s = _adam(w, m, s, g, t)
    return w, m / (1 - 0.9**t), s / (1 - 0.999**t)


MOMENTUM_SLIPS = (
    ("mean of gradients", lambda w, v, g, rate, mu: (w - rate * (mu * v + (1 - mu) * g), mu * v + (1 - mu) * g)),
    ("old velocity", lambda w, v, g, rate, mu: (w - rate * v, mu * v + g)),
    ("rate in velocity", lambda w, v, g, rate, mu: (w - (mu * v + rate * g), mu * v + rate * g)),
    ("rate in velocity", lambda w, v, g, rate, mu: (w + (mu * v - rate * g), mu * v - rate * g)),
)
ADAM_SLIPS = (
    ("no correction", lambda *numbers: _adam(*numbers, corrected=False)),
    ("corrected kept", _adam_keeping_the_corrected),
)


def _overwritten(w, delta):
    return np.concatenate([delta * w[0], delta[-1] * w[1:]])


KERNEL_SLIPS = (
    ("one use", lambda x, delta: delta[-1] * x[len(delta) - 1 :]),
    ("mean of uses", lambda x, delta: np.correlate(x, delta) / len(delta)),
)
SIGNAL_SLIPS = (("not turned", lambda w, delta: np.convolve(delta, w[::-1])), ("overwritten", _overwritten))


def _back_to_Z(dN, dvar, C, var, over_var=True, over_mu=True, share=2.0):
    dC = dN / (var + 1e-5) ** 0.5 + over_var * share * dvar * C / len(C)
    return dC - over_mu * dC.mean(axis=0)


def _normalised_rows(rng):
    C, dN = rng.normal(size=(2, 6, 3))
    C = C - C.mean(axis=0)
    var = (C**2).mean(axis=0)
    return dN, (dN * C).sum(axis=0) * -((var + 1e-5) ** -1.5) / 2, C, var


NORM_SLIPS = (
    ("variance constant", lambda *arrays: _back_to_Z(*arrays, over_var=False)),
    ("variance constant", lambda *arrays: _back_to_Z(*arrays, over_var=False, over_mu=False)),
    ("mean constant", lambda *arrays: _back_to_Z(*arrays, over_mu=False)),
    ("variance once", lambda *arrays: _back_to_Z(*arrays, share=1.0)),
)
NEURON = dict(z="w*x + b", a="sigmoid(z)")
CHAIN = dict(z1="w1*x + b1", a1="tanh(z1)", z2="w2*a1 + b2", a2="sigmoid(z2)", L="(a2 - y)**2 / 2")

EXERCISES = {
    "01.1": Row("value", dict(right=frozenset("xy")),
        "dz/dx and dz/dy pass through the edge from z to s. What is its term?", 'zero = {"x", "y"}'),
    "01.2": Row("formula", dict(lines=dict(p="x*y", z="p + y"), wrt="y", at=dict(x=2, y=3)),
        "Two paths lead from z to y: one edge straight, and one over p.", 'dz_dy = "x + 1"'),
    "01.3": Row("graph function", dict(lines=dict(s="x + y", p="s * y", z="p * w"), wrt=("x", "y", "w"), at=dict(x=2, y=1, w=3)),
        "y is used twice, in s and in p: two paths, whose products are added.",
        solutions.gradient_01_3),
    "02.1": Row("formula", dict(lines=dict(u="sin(x)", v="x", L="u / v"), wrt="x", at=dict(x=1.2)),
        "The terms of L = u/v are dL/du = 1/v and dL/dv = -u/v^2; each leads to x.", 'dL_dx = "cos(x)/v - u/v**2"'),
    "02.2": Row("value", dict(right=(3, 1000)),
        "Forward mode pushes from one input to every result, reverse mode pulls from one result to every input.", "walks = (3, 1000)"),
    "02.3": Row("graph function", dict(lines=dict(p="exp(-x)", q="sin(p)", L="p * q"), wrt=("x",), at=dict(x=0.4)),
        "Collect what arrives at p first: one use in L, one in q. Then go on to x once.",
        solutions.gradient_02_3),
    "03.1": Row("value", dict(right=(1, 0)),
        "dL/dw and dL/db share delta; they differ in dz/dw and dz/db.", "same, none = 1, 0"),
    "03.2": Row("formula", dict(lines=NEURON | {"L": "(y - a)**4"}, wrt="a", at=dict(x=1.5, w=-0.4, b=0.2, y=1.0)),
        "The outer derivative of u^4 is 4 u^3, the inner one of y - a by a is -1.", 'dL_da = "-4*(y - a)**3"'),
    "03.3": Row("graph function", dict(lines=dict(z="w1*x1 + w2*x2 + b", a="sigmoid(z)", L="(y - a)**2 / 2"), wrt=("w1", "w2", "b"),
                                       at=dict(x1=1.5, x2=-0.7, w1=-0.4, w2=0.3, b=0.2, y=1.0)),
        "Compute z, a and delta as for one input; only the last term is another for each weight.",
        solutions.gradient_03_3),
    "03.4": Row("formula", dict(lines=NEURON | {"L": "(y - a)**2 / 2 + w**2 / 20"}, wrt="w", at=dict(x=1.5, w=-0.4, b=0.2, y=1.0)),
        "A second path leads from L straight to w; its term is the derivative of w^2/20.", 'dL_dw = "(a - y)*a*(1 - a)*x + w/10"'),
    "04.1": Row("formula", dict(lines=CHAIN, wrt="w1", at=dict(x=1.5, w1=-0.4, b1=0.2, w2=0.7, b2=-0.1, y=1.0)),
        "Five terms: dL/da2, da2/dz2, dz2/da1, da1/dz1, dz1/dw1.", 'dL_dw1 = "(a2 - y)*a2*(1 - a2)*w2*(1 - a1**2)*x"'),
    "04.2": Row("gradient function", dict(sizes=[2, 3, 2], activations=["tanh", "sigmoid"], options=dict(reduction="sum")),
        "With rows: Z1 = X @ W1.T + b1, D1 = D2 @ W2 * (1 - A1**2), dW1 = D1.T @ X, db1 = D1.sum(axis=0).",
        solutions.gradient_04_2),
    "04.3": Row("value", dict(right=8),
        "One path for each way to go from the weight's own unit up to L: through each unit of layer 2, then each of layer 3.", "paths = 8"),
    "05.1": Row("gradient function", dict(sizes=[3, 4, 5, 2], activations=["tanh", "tanh", "identity"], options=dict(reduction="sum")),
        "The identity's slope is 1, so the last delta is A3 - Y; below, each delta is (delta above) @ W * (1 - A**2).",
        solutions.gradient_05_1),
    "05.2": Row("value", dict(right=0.25**10, digits=2),
        "The sigmoid's slope is largest at z = 0. What is it there, and how often does it come?", "largest = 0.25**10"),
    "05.3": Row("formula", dict(lines=dict(a1="tanh(w1*x)", a2="tanh(w2*a1)", a3="a2 + a1", L="(a3 - y)**2 / 2"), wrt="a1", at=dict(x=0.8, w1=0.9, w2=-1.3, y=0.5)),
        "a1 is used twice: in a2 and in a3. Two paths lead to it.", 'dL_da1 = "(a3 - y)*(1 + (1 - a2**2)*w2)"'),
    "06.1": Row("gradient function", dict(sizes=[2, 3, 1], activations=["tanh", "sigmoid"], options={}),
        "The mean enters once, at the loss: divide A2 - Y by len(X), and nothing after it.",
        solutions.gradient_06_1),
    "06.2": Row("function", dict(right=lambda W, D: D @ W, draw=lambda rng: (rng.normal(size=(4, 3)), rng.normal(size=(5, 4)))),
        "The forward pass was A @ W.T. Which product of D (n, out) and W (out, in) has the shape (n, in)?",
        solutions.back_06_2),
    "06.3": Row("function", dict(right=lambda D, A, c: (c[:, None] * D).T @ A, draw=lambda rng: (rng.normal(size=(6, 2)), rng.normal(size=(6, 3)), rng.uniform(size=6))),
        "L = sum of c_i L_i: each example's delta is c_i times what it was. c has one number for each row.",
        solutions.weighted_06_3),
    "07.1": Row("value", dict(right=(0.2, -0.7, 0.5)),
        "The gradient by the logits is p - y, with y = (0, 1, 0).", "by_logits = (0.2, -0.7, 0.5)"),
    "07.2": Row("formula", dict(lines=dict(m="y*z", L="softplus(-m)"), wrt="z", at=dict(y=-1.0, z=0.7), choices=dict(y=(-1, 1))),
        "softplus' is sigmoid; the inner derivative of -m by m is -1, that of m by z is y.", 'dL_dz = "-y*sigmoid(-m)"'),
    "07.3": Row("gradient function", dict(sizes=[2, 4, 3], activations=["tanh", "softmax"], options={}),
        "With the squared error the softmax does not cancel: D2 = A2 * (d - (d * A2).sum(axis=1, keepdims=True)), d = (A2 - Y) / n.",
        solutions.gradient_07_3),
    "08.1": Row("value", dict(right=(1 / 5, 4 / 5)),
        "Truncation is about h^4, round-off about eps/h. Where are they equal, and how large are they there?", "p, q = 1 / 5, 4 / 5"),
    "08.2": Row("function", dict(right=lambda f, x, h: (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h),
                                 draw=lambda rng: (np.sin, rng.uniform(0.2, 1.2), rng.uniform(0.1, 0.4))),
        "D(h) = L' + c h^2 and D(2h) = L' + 4 c h^2 for the central difference D. Which combination of the two keeps L' and drops c?",
        solutions.difference_08_2),
    "08.3": Row("value", dict(right=(0.99 / 1.01, 1.01 / 0.99)),
        "Solve (1 - k)/(k + 1) = 0.01 below 1 and (k - 1)/(k + 1) = 0.01 above.", "smallest, largest = 0.99 / 1.01, 1.01 / 0.99"),
    "09.1": Row("value", dict(right=("Z1", "W1")),
        "b1 has met every term that W1 has met, but for the last.", 'of, wrt = "Z1", "W1"'),
    "09.2": Row("gradient function", dict(sizes=[4, 6, 3], activations=["relu", "softmax"], options=dict(loss="cross_entropy")),
        "Where is the slope of ReLU 1 and where is it 0? Which test of A1 says the same? And where does the mean over the examples come in?",
        solutions.mended_09_2),
    "09.3": Row("gradient function", dict(sizes=[4, 6, 3], activations=["sigmoid", "identity"], options={}, mistake="slope-of-z"),
        "Write it right first. The short form a (1 - a) of the slope wants one number; which other one could somebody give it?",
        solutions.broken_09_3),
    "10.1": Row("value", dict(right=(10, 784)),
        "Reverse mode: one walk for each output. Forward mode: one push for each input.", "reverse, forward = 10, 784"),
    "10.2": Row("value", dict(right=30),
        "From L to each unit of layer 3, from there to each of layer 2, then to the weight's own unit.", "paths = 5 * 6"),
    "10.3": Row("formula", dict(lines=dict(p="x*y", q="exp(p)", L="q + p"), wrt="x", at=dict(x=0.5, y=0.8)),
        "p is used in q and in L: collect both at p, then multiply by dp/dx once.", 'dL_dx = "(q + 1)*y"'),
    "11.1": Row("function", dict(right=lambda w, v, g, rate, mu: (w - rate * (mu * v + g), mu * v + g), draw=lambda rng: (*rng.normal(size=3), *rng.uniform(0.1, 0.9, size=2)), slips=MOMENTUM_SLIPS),
        "First the new v, mu*v + g; then w - rate*v with the new one. Return both.",
        solutions.momentum_step_11_1),
    "11.2": Row("function", dict(right=_adam, draw=lambda rng: (*rng.normal(size=2), rng.uniform(0.1, 2.0), rng.normal(), int(rng.integers(1, 20))), slips=ADAM_SLIPS),
        "New m and s first; divide them by 1 - beta**t; the square root of s is taken before eps is added. Return w, m and s, the last two uncorrected.",
        solutions.adam_step_11_2),
    "11.3": Row("value", dict(right=(1 / 8, 1 / 4)),
        "One step multiplies the distance by 1 - rate*a.", "at_once, never = 1 / 8, 1 / 4"),
    "11.4": Row("value", dict(right=(10, 100, 1)),
        "v becomes 1/(1 - mu); in Adam m and s both become 1.", "with_09, with_099, with_adam = 10, 100, 1"),
    "12.1": Row("value", dict(right=(0.25, 0.25**8)),
        "The weights multiply by the root of 16 times 0.25, the slopes by at most their largest value.", "one, eight = 1 / 4, (1 / 4) ** 8"),
    "12.2": Row("value", dict(right=(8**-0.5, 1.0)),
        "16 std^2 times the mean square of the slopes must be 1. Those mean squares are 1/2 and 1/16.", "relu_std, sigmoid_std = (2 / 16) ** 0.5, (16 / 16) ** 0.5"),
    "12.3": Row("function", dict(right=_back_to_Z, draw=_normalised_rows, slips=NORM_SLIPS),
        "dC = dN/sqrt(var + 1e-5) + dvar*2*C/n. Then Z: in C its term is 1, and mu gets -dC.sum(axis=0), which reaches each row with the term 1/n.",
        solutions.back_to_Z_12_3),
    "12.4": Row("value", dict(right=(4096, 1e-12, 1.1**12)),
        "Each layer doubles the number of paths. Without a skip a layer multiplies by 0.1, with it by 1 + 0.1.", "paths, without, with_skips = 2**12, 0.1**12, 1.1**12"),
    "12.5": Row("gradient function", dict(sizes=[3, 4, 2], activations=["tanh", "sigmoid"], options=dict(batch_norm=True)),
        "Forward: Z1 = X @ W1.T (no b1), N, S1, A1. Backward down to dS1 as always; then gamma1 and beta1, then the short form for Z1.",
        solutions.gradient_12_5),
    "13.1": Row("value", dict(right=(1.5, 44 / 72)),
        "The program prints the last batch's loss. In the mean each batch counts for its rows: 32, 32 and 8 of 72.",
        "printed, loss_of_epoch = 1.5, (32 * 0.4 + 32 * 0.6 + 8 * 1.5) / 72"),
    "13.2": Row("value", dict(right=(7960, 9380)),
        "10 units with 784 weights and a bias each, then 10 with 10. And 64 does not go into 60,000 without a remainder.",
        "parameters, steps = 784 * 10 + 10 + 10 * 10 + 10, 10 * (937 + 1)"),
    "13.3": Row("value", dict(right=(-0.00002, 0.003, -0.001, 0.001)),
        "SGD goes by minus rate times gradient. Adam's first step divides each gradient by its own size: what is left of it?",
        "changes = -0.00002, 0.003, -0.001, 0.001"),
    "13.4": Row("function", dict(right=lambda P, Y: (np.argsort(P, axis=1)[:, -2:] == Y[:, None]).any(axis=1).mean(),
                                 draw=lambda rng: (rng.dirichlet(np.ones(10), 40), rng.integers(0, 10, 40))),
        "np.argsort(P, axis=1) has the classes of each row, the least probable first. Is the label among the last two?",
        solutions.two_guesses_13_4),
    "14.1": Row("function", dict(right=lambda x, delta: np.correlate(x, delta), slips=KERNEL_SLIPS,
                                 draw=lambda rng: (rng.normal(size=9), rng.normal(size=int(rng.integers(3, 7))))),
        "For each j: which numbers of the signal does w[j] meet, first to last? How many j are there, if delta is so long?",
        solutions.to_kernel_14_1),
    "14.2": Row("function", dict(right=lambda w, delta: np.convolve(delta, w), slips=SIGNAL_SLIPS,
                                 draw=lambda rng: (rng.normal(size=int(rng.integers(2, 5))), rng.normal(size=6))),
        "Start from zeros, as many as the signal is long. What does delta[i] send to x[i], x[i + 1], ...? Add it there.",
        solutions.to_signal_14_2),
    "14.3": Row("graph function", dict(lines=dict(h1="tanh(w*h0 + u*x1)", h2="tanh(w*h1 + u*x2)", h3="tanh(w*h2 + u*x3)",
                                                  L="((h1 - y1)**2 + (h2 - y2)**2 + (h3 - y3)**2) / 2"), wrt=("w", "u"),
                                       at=dict(w=0.8, u=1.2, h0=0.5, x1=0.9, x2=-0.5, x3=0.4, y1=0.3, y2=0.1, y3=-0.6)),
        "Two things arrive at h1 and h2: one from the loss at that time, one from the next h. Add them before you go on.",
        solutions.gradient_in_time_14_3),
    "14.4": Row("value", dict(right=(5050, 5, 25)),
        "From the loss at time t the weight is reached at t, t - 1, ... and 1. In the attention: how many ways lead from one score to o?",
        "time, values, keys = 100 * 101 // 2, 5, 5 * 5"),
    "15.1": Row("value", dict(right=1.4762),
        "The first step uses 9w = 18. Before the second, .grad still holds those 18, and the new 9w is added to them.", "w_after = 1.4762"),
    "15.2": Row("value", dict(right=(35, 20)),
        "Three paths lead from z to x: over a in the product, over the a that is added, and the x of the product. Which one does detach cut?",
        "true, found_by_pytorch = 35, 20"),
    "15.3": Row("function", dict(right=lambda X, W, V: (1 - np.tanh(X @ W.T) ** 2) * (X @ V.T),
                                 draw=lambda rng: (rng.normal(size=(5, 3)), rng.normal(size=(4, 3)), rng.normal(size=(4, 3))),
                                 slips=(("no slope", lambda X, W, V: X @ V.T),)),
        "Z = X W^T is linear in W: it moves by X V^T. Then the slope of tanh at each entry.",
        solutions.push_15_3),
    "15.4": Row("value", dict(right=(1.25, 1.25, 0.5)),
        "DDP divides by 3. What must stand before a mean over n_k rows, so that the sum of all three, divided by 3, has n_k/24 there?",
        "factors = 3 * 10 / 24, 3 * 10 / 24, 3 * 4 / 24"),
}  # fmt: skip
