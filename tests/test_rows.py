"""A new loss or activation is a row: added here, in the test alone, everything else works with it."""

import copy
import math
import pickle
from dataclasses import replace

import numpy as np
import pytest
import sympy as sp

import backproplab as bp
from backproplab.functions import values
from backproplab.functions.losses import Loss, Targets
from backproplab.functions.rows import function_row

# fmt: off
NEW_LOSSES = {row.name: row for row in [
    Loss("quartic", lambda a, y: (a - y) ** 4, lambda a, y: 4 * (a - y) ** 3, lambda z, a, y: -4 * (a - y) ** 3, "({a} - {y})**4",
         lambda z, a, y: ((a - y) ** 4).sum(axis=-1), lambda z, a, y: 4 * (a - y) ** 3, lambda z, a, y: -4 * (a - y) ** 3),
    Loss("log_cosh", lambda a, y: sp.log(sp.cosh(a - y)), lambda a, y: sp.tanh(a - y), lambda z, a, y: -sp.tanh(a - y),
         "softplus(2*({a} - {y})) - ({a} - {y}) - log(2)",
         lambda z, a, y: (values.softplus(2 * (a - y)) - (a - y) - math.log(2)).sum(axis=-1),
         lambda z, a, y: np.tanh(a - y), lambda z, a, y: -np.tanh(a - y)),
]}
BENT = function_row("bent", r"\operatorname{bent}", lambda z: (sp.sqrt(z**2 + 1) - 1) / 2 + z, lambda z: z / (2 * sp.sqrt(z**2 + 1)) + 1,
                    lambda z: (np.sqrt(z * z + 1) - 1) / 2 + z, lambda z: z / (2 * np.sqrt(z * z + 1)) + 1)
# fmt: on
SLOPES = {"quartic": lambda a, y: 4 * (a - y) ** 3, "log_cosh": lambda a, y: np.tanh(a - y)}  # the test's own
VALUES = {"quartic": lambda a, y: (a - y) ** 4, "log_cosh": lambda a, y: np.log(np.cosh(a - y))}
G = {
    "bent": (lambda z: (np.sqrt(z**2 + 1) - 1) / 2 + z, lambda z, a: z / (2 * np.sqrt(z**2 + 1)) + 1),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z, a: a * (1 - a)), "identity": (lambda z: z, lambda z, a: 1 + 0 * z),
}  # fmt: skip
X = np.array([[0.5, -1.0, 0.3], [1.5, 0.2, -0.4], [0.3, 0.4, 0.9], [-0.7, 0.1, 0.2], [0.2, 0.6, -1.1]])
Y = np.array([[0.9, 0.1], [-0.3, 0.7], [0.2, 0.4], [0.5, -0.6], [0.1, 0.3]])


@pytest.fixture(autouse=True)
def rows(monkeypatch):
    for name, row in NEW_LOSSES.items():
        monkeypatch.setitem(bp.LOSSES, name, row)
    monkeypatch.setitem(bp.ACTIVATIONS, "bent", BENT)


def network(loss, output="bent", **options):
    net = bp.Network([3, 4, 2], ["bent", output], loss, seed=3, **options)
    net.parameters = {name: value + 0.1 * (name[0] == "b") for name, value in net.parameters.items()}
    return net


def learned(net, parameters, X, Y, mistake=None):
    """A learner's own gradient, right or with a mistake."""
    W1, b1, W2, b2 = (parameters[name] for name in ("W1", "b1", "W2", "b2"))
    (g1, slope1), (g2, slope2) = (G[name] for name in net.activations)
    Z1 = X @ W1.T + b1
    A1 = g1(Z1)
    Z2 = A1 @ W2.T + b2
    A2 = g2(Z2)
    share = {"sum-for-mean": 1.0, "sign": -1 / len(X), "factor-two": 2 / len(X)}.get(mistake, 1 / len(X))
    D2 = SLOPES[net.loss_name](A2, Y) * share * (1 if mistake == "output-slope-missing" else slope2(Z2, A2))
    D1 = (
        D2 @ W2 * (1 if mistake == "hidden-slope-missing" else slope1(A1 if mistake == "hidden-slope-at-a" else Z1, A1))
    )
    return {
        "W1": D1.T @ X,
        "b1": D1.sum(axis=0),
        "W2": D2.T @ A1,
        "b2": 0 * b2 if mistake == "bias-zero" else D2.sum(axis=0),
    }


@pytest.mark.parametrize("output", ["bent", "sigmoid", "identity"])
@pytest.mark.parametrize("loss", NEW_LOSSES)
def test_values_gradients_and_the_unit_graph(loss, output):
    net = network(loss, output)
    trace = net.forward(X, Y)
    assert trace["L"] == pytest.approx(VALUES[loss](trace["A2"], Y).sum() / len(X), rel=1e-13)
    gradient = bp.backpropagate(net.terms(trace), "L")
    for name, value in learned(net, net.parameters, X, Y).items():
        assert gradient[name] == pytest.approx(value, rel=1e-12) and np.array_equal(
            net.gradient(X, Y)[name], gradient[name]
        )
    unit = net.graph(X[0], Y[0])
    numbers = unit.forward()
    assert numbers["L"] == pytest.approx(net.loss(X[0], Y[0]), rel=1e-13)
    single = bp.backpropagate(unit.terms(numbers), "L")
    assert single["W1_2_3"] == pytest.approx(net.gradient(X[0], Y[0])["W1"][1, 2], rel=1e-12)


@pytest.mark.parametrize("loss", NEW_LOSSES)
def test_every_formula_is_its_value(loss):
    net = network(loss, "identity")
    trace = net.forward(X, Y)
    for term in net.terms(trace):
        at = {str(name): sp.Float(float(np.asarray(trace[str(name)])[0, 0]), 60) for name in term.formula.free_symbols}
        value = np.asarray(term.value)[(0,) * len(term.shape)]
        assert float(term.formula.subs(at).evalf(50)) == pytest.approx(float(value), rel=1e-12), term
    assert r"\tanh" in net.derive("W1", trace).latex or loss == "quartic"
    assert "4 \\left(A^{(2)} - Y\\right)^{3}" in net.derive("W1", trace).latex or loss == "log_cosh"


@pytest.mark.parametrize("witness", ["complex step", "central differences", "50 digits"])
@pytest.mark.parametrize("loss", NEW_LOSSES)
def test_the_witnesses(loss, witness):
    net = network(loss)
    right = learned(net, net.parameters, X, Y)
    assert bp.check_gradient(net, X, Y, witness=witness).verdict == "agree"
    assert bp.check_gradient(net, X, Y, claimed=right, witness=witness).verdict == "agree"
    check = bp.check_gradient(net, X, Y, claimed=right | {"W1": right["W1"] * (1 + 1e-6)}, witness=witness)
    assert check.verdicts["W1"] == "disagree" and check.verdicts["W2"] == "agree"


@pytest.mark.parametrize("as_function", [False, True])
@pytest.mark.parametrize(
    "mistake",
    [
        None,
        "sum-for-mean",
        "sign",
        "factor-two",
        "output-slope-missing",
        "hidden-slope-missing",
        "hidden-slope-at-a",
        "bias-zero",
    ],
)
@pytest.mark.parametrize("loss", NEW_LOSSES)
def test_the_diagnosis(loss, mistake, as_function):
    net = network(loss)
    claimed = (
        (lambda p, X, Y: learned(net, p, X, Y, mistake)) if as_function else learned(net, net.parameters, X, Y, mistake)
    )
    assert bp.diagnose(claimed, net, X, Y).mistake == (mistake or "none")


@pytest.mark.parametrize("loss", NEW_LOSSES)
def test_a_net_that_is_nearly_fitted(loss):
    """Where a comes near to y a right gradient is mostly rounding; twice as much of it is not right."""
    net = network(loss, "identity")
    for near in (1e-3, 1e-6, 1e-9, 1e-13):
        targets = net.predict(X) + near * np.array([1.0, -2.0])
        right = learned(net, net.parameters, X, targets)
        assert bp.check_gradient(net, X, targets, claimed=right).verdict != "disagree"
        assert bp.diagnose(right, net, X, targets).mistake == "none"
        twice = {name: 2 * value for name, value in right.items()}
        assert bp.check_gradient(net, X, targets, claimed=twice).verdict != "agree"
    assert (
        bp.check_gradient(
            net, X, net.predict(X) + 1e-3, claimed=learned(net, net.parameters, X, net.predict(X) + 1e-3)
        ).verdict
        == "agree"
    )


def test_targets_pickles_and_pictures():
    net = network("quartic")
    again = pickle.loads(pickle.dumps(net))
    assert again.loss(X, Y) == net.loss(X, Y) == copy.deepcopy(net).loss(X, Y)
    trace = net.forward(X, Y)
    assert (
        "mean(quartic(A2, Y))" in {str(term.line) for term in net.terms(trace)} and bp.draw(net.terms(trace), trace).png
    )
    bp.LOSSES["quartic"] = replace(NEW_LOSSES["quartic"], targets=Targets(lowest=0.0))
    with pytest.raises(ValueError, match=r"targets of quartic lie in 0\.\.inf, found -0\.6"):
        network("quartic").forward(X, Y)
    for targets in (Targets(), Targets(0.0, 1.0), Targets(shares=True), Targets(lowest=2.0), Targets(highest=-1.0)):
        drawn = targets.draw(np.random.default_rng(0), 50, 3)
        assert drawn.shape == (50, 3) and drawn.min() >= targets.lowest and drawn.max() <= targets.highest
        assert not targets.shares or (drawn.sum(axis=1) == 1).all()
