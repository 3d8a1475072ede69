"""The verdict on a gradient: right ones pass, wrong ones do not, and what cannot be told is said to be undecided."""

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import mpmath
import numpy as np
import pytest
import textbook
from conftest import AT, PUBLISHED

import backproplab as bp
from backproplab.checking.check import _confirmed
from backproplab.checking.margins import Margins, graph_margins
from backproplab.checking.verdicts import GradientCheck, compare, judge
from backproplab.checking.witnesses import WITNESSES, Case, graph_case


@pytest.mark.parametrize("name", PUBLISHED)
def test_check_agrees_with_published_gradients(name):
    lines, numbers, published = PUBLISHED[name]
    check = bp.check_gradient(bp.Graph(lines), at=numbers, claimed=published)
    assert check.verdict == "agree" and check.max_error < 1e-12
    assert bp.check_gradient(bp.Graph(lines), at=numbers).errors.keys() == set(bp.Graph(lines).inputs)


@pytest.mark.parametrize("factor", [0.0, -1.0, 2.0, 1 + 1e-8])
def test_check_refuses_a_wrong_factor_also_of_a_tiny_gradient(factor):
    graph = bp.Graph([("h0", "w")] + [(f"h{k}", f"sigmoid(h{k - 1}) * 0.01") for k in range(1, 10)])
    gradient = bp.backpropagate(graph.terms(graph.forward(w=0.3)), graph.output)["w"]
    assert 0 < gradient < 1e-20
    assert bp.check_gradient(graph, at=dict(w=0.3), claimed={"w": gradient}).verdict == "agree"
    assert bp.check_gradient(graph, at=dict(w=0.3), claimed={"w": factor * gradient}).verdict == "disagree"


def test_check_where_the_true_gradient_is_zero():
    graph = bp.Graph(L="w * x")
    assert bp.check_gradient(graph, at=dict(w=1, x=0), claimed={"w": 0.0}).verdict == "agree"
    assert bp.check_gradient(graph, at=dict(w=1, x=0), claimed={"w": 1e-60}).verdict == "disagree"


def test_the_complex_step_beside_an_exact_zero_of_the_slope():
    graph, at = bp.Graph(L="w * w * w"), dict(w=0)
    check = bp.check_gradient(graph, at=at)
    assert (
        check.verdict == "agree" and check.claimed["w"] == 0.0 and 0 < abs(check.witness["w"]) < 1e-79
    )  # the h**2 of Taylor
    assert bp.check_gradient(graph, at=at, claimed={"w": 1e-9}).verdict == "disagree"
    assert bp.check_gradient(graph, at=at, claimed={"w": 1e-70}).verdict == "disagree"


def test_check_takes_a_whole_gradient(neuron):
    trace = neuron.forward(**AT)
    gradient = bp.backpropagate(neuron.terms(trace), "L")
    assert bp.check_gradient(neuron, at=AT, claimed=gradient).max_error < 1e-12
    assert bp.check_gradient(neuron, at=AT, claimed=gradient | {"z": gradient["z"] * 1.001}).verdict == "disagree"


@pytest.mark.parametrize("text, numbers", [
    ("abs(x)", dict(x=0)), ("relu(x)", dict(x=0)), ("leaky_relu(x)", dict(x=0)), ("max(x, y)", dict(x=1, y=1)), ("min(x, y, x)", dict(x=1, y=1)),
    ("x / x", dict(x=0.7)), ("min(y, y) / y", dict(y=0.3)), ("sigmoid(x) + gelu(x) + silu(x) + softplus(x)", dict(x=0)),
])  # fmt: skip
def test_check_knows_the_conventions_at_kinks_and_what_cancels(text, numbers):
    assert bp.check_gradient(bp.Graph(L=text), at=numbers).verdict == "agree"


@pytest.mark.parametrize("options, error, message", [
    (dict(at="x"), TypeError, "at must be a dict"), (dict(at=AT, claimed=[1]), TypeError, "claimed must be a dict"),
    (dict(at=AT, witness="my word"), ValueError, "witness must be one of complex step"), (dict(at=AT, X=[1]), TypeError, "X and Y are for networks"),
    (dict(at=AT | {"w": [1, 2]}), ValueError, "one number for each input, found arrays"),
])  # fmt: skip
def test_checks_that_are_refused(neuron, options, error, message):
    with pytest.raises(error, match=message):
        bp.check_gradient(neuron, **options)


def test_tables_escape_names():
    hostile = "<script>alert(1)</script>"
    check = GradientCheck(
        {hostile: 1.0},
        {hostile: 1.0},
        {hostile: 0.0},
        {hostile: "agree"},
        {hostile: hostile},
        "complex step",
        1e-9,
        {hostile: 0.0},
    )
    for shown in (bp.table({hostile: 1.0}), check):
        assert hostile not in shown._repr_html_() and "&lt;script&gt;" in shown._repr_html_()


def test_check_shows_itself(neuron):
    check = bp.check_gradient(neuron, at=AT, claimed={"w": 0.1})
    assert repr(check).splitlines()[0] == "disagree"
    assert repr(check).splitlines()[2].split() == ["w", "0.1", "-0.215762", "1.5"]
    assert "<td>-0.215762</td>" in check._repr_html_()


@pytest.mark.parametrize("claimed, error, message", [
    ({"q": 1.0}, ValueError, "claimed names 'q', but the quantities are w, x, b, y, z, a, L"),
    ({}, ValueError, "claimed holds no name"),
    ({"w": "0.1"}, TypeError, "the claim for w must be a real number or an array of them, found str"),
    ({"w": None}, TypeError, "must be a real number"),
    ({"w": float("nan")}, ValueError, "must be finite, found nan"),
])  # fmt: skip
def test_claims_that_are_refused(neuron, claimed, error, message):
    with pytest.raises(error, match=message):
        bp.check_gradient(neuron, at=AT, claimed=claimed)


# --- networks -----------------------------------------------------------------------------------------------------------

CURVED = ["identity", "sigmoid", "tanh", "relu", "leaky_relu", "softplus", "silu"]


def random_net(seed, whole=False, spread=1.0):
    """A random network and rows; in whole numbers many units stand exactly at a kink, a wide spread saturates them."""
    rng = np.random.default_rng(seed)
    sizes = [int(v) for v in rng.integers(1, 5, rng.integers(2, 6))]
    loss = ("squared_error", "binary_cross_entropy", "cross_entropy")[seed % 3]
    output = {"binary_cross_entropy": "sigmoid", "cross_entropy": "softmax"}.get(loss) or str(
        rng.choice([*CURVED, "softmax"])
    )
    sizes[-1] += output == "softmax"
    hidden = [str(name) for name in rng.choice(["relu", "leaky_relu"] if whole else CURVED, len(sizes) - 2)]
    net = bp.Network(
        sizes, [*hidden, output], loss, l2=float(rng.choice([0, 0.3])), reduction=str(rng.choice(["mean", "sum"]))
    )
    n = int(rng.integers(1, 6))

    def draw(shape):
        return rng.integers(-2, 3, shape).astype(float) if whole else spread * rng.normal(size=shape)

    net.parameters = {name: draw(value.shape) for name, value in net.parameters.items()}
    Y = (
        np.eye(sizes[-1])[rng.integers(0, sizes[-1], n)]
        if loss == "cross_entropy"
        else rng.integers(0, 2, (n, sizes[-1])).astype(float)
    )
    return net, draw((n, sizes[0])), Y


@pytest.mark.parametrize("witness, seed", [
    (witness, seed) for witness in WITNESSES for seed in range({"complex step": 60, "50 digits": 8}.get(witness, 30))
])  # fmt: skip
def test_a_learners_right_gradient_agrees_and_one_wrong_factor_does_not(witness, seed):
    net, X, Y = random_net(seed)
    right = textbook.gradient(net, net.parameters, X, Y)
    coarse = seed in (26, 29) and witness == "central differences"  # entries of 1e-6 beside a loss of 1
    assert bp.check_gradient(net, X, Y, claimed=right, witness=witness).verdict == ("undecided" if coarse else "agree")
    assert coarse or bp.check_gradient(net, X, Y, witness=witness).verdict == "agree"
    for name, factor in zip(right, (0.0, -1.0, 2.0, 1 + 1e-6) * 2, strict=False):
        check = bp.check_gradient(net, X, Y, claimed=right | {name: factor * right[name]}, witness=witness)
        assert not right[name].any() or (check.verdict == "disagree" and check.verdicts[name] == "disagree")
        assert coarse or {check.verdicts[other] for other in right if other != name} <= {"agree"}


@pytest.mark.parametrize("witness", ["complex step", "central differences"])
@pytest.mark.parametrize("at_kink", [0.0, 0.5, 1.0])
def test_no_false_alarm_at_kinks_and_no_silent_pass(witness, at_kink):
    verdicts, spoilt = set(), []
    for seed in range(100 if witness == "complex step" else 30):
        net, X, Y = random_net(seed, whole=True)
        right = textbook.gradient(net, net.parameters, X, Y, at_kink=at_kink)
        verdicts.add(bp.check_gradient(net, X, Y, claimed=right, witness=witness).verdict)
        wrong = {name: 2 * value + 1.0 for name, value in right.items()}
        spoilt.append(bp.check_gradient(net, X, Y, claimed=wrong, witness=witness).verdict)
    assert "disagree" not in verdicts and "agree" in verdicts
    assert at_kink == 0 or "undecided" in verdicts
    assert "agree" not in spoilt and spoilt.count("disagree") > 0.9 * len(spoilt)


@pytest.mark.parametrize("seed", range(60))
def test_saturated_units_are_granted_what_the_textbook_loses_and_no_more(seed):
    net, X, Y = random_net(seed, spread=8.0)
    with np.errstate(all="ignore"):
        right = textbook.gradient(net, net.parameters, X, Y)
    assert bp.check_gradient(net, X, Y, claimed=right).verdict in ("agree", "undecided")
    wrong = {name: value * 1.001 for name, value in right.items()}
    assert bp.check_gradient(net, X, Y, claimed=wrong).verdict != "agree" or not any(
        value.any() for value in right.values()
    )


def test_a_zeroed_first_layer_of_a_deep_sigmoid_net_is_refused():
    net = bp.Network([4] * 51, ["sigmoid"] * 50)
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(3, 4)), rng.uniform(size=(3, 4))
    right = net.gradient(X, Y)
    assert 0 < np.abs(right["W1"]).max() < 1e-14
    assert bp.check_gradient(net, X, Y, claimed={"W1": right["W1"]}).verdict == "agree"
    for wrong in (0 * right["W1"], -right["W1"], right["W1"] * (1 + 1e-6)):
        assert bp.check_gradient(net, X, Y, claimed={"W1": wrong}).verdict == "disagree"
        check = bp.check_gradient(net, X, Y, claimed={"W1": wrong}, witness="central differences")
        assert check.verdict == "undecided" and "less than its own rounding" in repr(check)


def test_one_wrong_entry_among_thousands_of_times_larger_ones_is_seen():
    net = bp.Network([2, 3, 1], ["tanh", "sigmoid"])
    X = np.random.default_rng(0).normal(size=(5, 2)) * [1.0, 1e-11]
    right = net.gradient(X, np.zeros((5, 1)))
    wrong = right["W1"] * [[1.0, 0.0]] * np.ones((3, 1))
    check = bp.check_gradient(net, X, np.zeros((5, 1)), claimed={"W1": wrong})
    assert np.abs(wrong - right["W1"]).max() < 1e-10 * np.abs(right["W1"]).max()
    assert check.verdict == "disagree" and check.entries["W1"][:, 0].max() < 1e-12


@pytest.mark.parametrize("text, at", [("sin(1000000*x)", 0.3), ("sin(100000*x)", 2.0)])
def test_a_step_over_whole_waves_raises_no_false_alarm(text, at):
    assert bp.check_gradient(bp.Graph(L=text), at=dict(x=at), witness="central differences").verdict != "disagree"


@pytest.mark.parametrize("text, at", [("sqrt(x)", dict(x=1e-300)), ("2*x + y", dict(x=1e-290, y=0))])
def test_the_complex_step_at_tiny_numbers(text, at):
    assert bp.check_gradient(bp.Graph(L=text), at=at).verdict in ("agree", "undecided")
    assert bp.check_gradient(bp.Graph(L=text), at=at, claimed={"x": 7.0}).verdict != "agree"


def test_a_table_does_not_show_which_entry_rounds_most():
    net, X, Y = random_net(3)
    right = net.gradient(X, Y)
    table = repr(bp.check_gradient(net, X, Y))
    assert all(f"{name}[{', '.join('0' * value.ndim)}]" in table for name, value in right.items())


@pytest.mark.parametrize("claim, true, doubt, scale, rounding, kinks, verdict", [
    (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, "agree"), (0.0, 5.0, 0.0, 0.0, 0.0, 0.0, "disagree"), (1e-60, 0.0, 0.0, 0.0, 0.0, 0.0, "disagree"),
    (0.0, 1e-80, 1e-79, 0.0, 0.0, 0.0, "agree"), (1e-16, 1e-16, 0.0, 1.0, 1e-16, 0.0, "undecided"), (1e-16, 1e-16, 0.0, 1.0, 0.0, 0.0, "agree"),
    (1.0, 2.0, 0.0, 2.0, 0.0, 1.0, "undecided"), (1.0, 2.1, 0.0, 2.1, 0.0, 1.0, "disagree"), (2.1, 2.0, 0.0, 2.0, 0.0, 1.0, "disagree"), (1.0, 2.0, 1.5, 2.0, 0.0, 0.0, "undecided"),
    (1.0, 1.0, 1e-3, 1.0, 0.0, 0.0, "undecided"), (1 + 1e-10, 1.0, 0.0, 1.0, 0.0, 0.0, "agree"), (1 + 1e-8, 1.0, 0.0, 1.0, 0.0, 0.0, "disagree"),
    (1 + 1e-8, 1.0, 0.0, 1.0, 1e-7, 0.0, "agree"), (1 + 1e-8, 1.0, 1e-7, 1.0, 0.0, 0.0, "undecided"), (1e-10, 1e-11, 0.0, 1.0, 0.0, 0.0, "disagree"),
])  # fmt: skip
def test_one_entry_beside_its_witness(claim, true, doubt, scale, rounding, kinks, verdict):
    parts = (claim, true, doubt, scale, rounding, true - kinks, true)
    claim, true, doubt, *margins = (np.array([part]) for part in parts)
    assert compare(claim, true, doubt, Margins(*margins))[0] == verdict


@pytest.mark.parametrize("options, error, message", [
    (dict(time_limit="a"), ValueError, "time_limit must be a number of seconds above 0, found 'a'"), (dict(time_limit=-1), ValueError, "found -1"),
    (dict(at=[]), TypeError, "at must be a dict"), (dict(output=""), ValueError, "'' is not a line"), (dict(output="x"), ValueError, "'x' is not a line"),
])  # fmt: skip
def test_options_that_are_refused(options, error, message):
    for function in (bp.check_gradient, lambda graph, claimed, **options: bp.diagnose(claimed, graph, **options)):
        with pytest.raises(error, match=message):
            function(bp.Graph(L="x * y"), claimed=lambda x, y: {"x": y}, **(dict(at=dict(x=2, y=3)) | options))


def test_where_all_paths_of_an_array_cancel_two_roundings_are_both_right():
    net, X, Y = random_net(52052, whole=True)
    right = textbook.gradient(
        net, net.parameters, X, Y, at_kink=float(np.random.default_rng(52052).choice([0, 0.5, 1]))
    )
    assert bp.check_gradient(net, X, Y, claimed=right).verdict != "disagree"


@pytest.mark.parametrize("bias", [-10.0, -18.0, -25.0, -36.0])
@pytest.mark.parametrize("activation, value, slope", [
    ("sigmoid", lambda z: (1 + np.tanh(z / 2)) / 2, lambda a: a * (1 - a)), ("softplus", lambda z: np.log(1 + np.exp(z)), lambda a: 1 - np.exp(-a)),
    ("tanh", lambda z: 2 / (1 + np.exp(-2 * z)) - 1, lambda a: 1 - a**2), ("sigmoid", lambda z: np.exp(z) / (1 + np.exp(z)), lambda a: a * (1 - a)),
])  # fmt: skip
def test_a_right_formula_that_loses_digits_is_not_called_wrong(activation, value, slope, bias):
    parameters = dict(W1=np.ones((2, 1)), b1=np.array([0.3, bias]), W2=np.ones((1, 2)), b2=np.array([0.1]))
    net = bp.Network.from_parameters(parameters, [activation, "identity"])
    X, Y = np.array([[0.5], [-0.2], [0.1]]), np.array([[1.0], [0.3], [-0.4]])
    A = value(X @ parameters["W1"].T + parameters["b1"])
    D2 = (A @ parameters["W2"].T + parameters["b2"] - Y) / 3
    D1 = D2 @ parameters["W2"] * slope(A)
    claimed = {"W1": D1.T @ X, "b1": D1.sum(axis=0), "W2": D2.T @ A, "b2": D2.sum(axis=0)}
    assert bp.check_gradient(net, X, Y, claimed=claimed).verdict != "disagree"
    assert bp.diagnose(claimed, net, X, Y).mistake == "none"
    assert bp.check_gradient(net, X, Y, claimed=claimed | {"b1": 1.001 * claimed["b1"]}).verdict == "disagree"


def test_kinks_closer_than_every_step_raise_no_false_alarm():
    near = bp.Graph(L="relu(x - 1)")
    assert bp.check_gradient(near, at=dict(x=1 + 1e-10), witness="central differences").verdict == "undecided"
    # Six kinks make a zigzag through 0 that no step of the ladder sees: all its differences are those of a flat loss.
    b = 1e-8
    parameters = dict(
        W1=np.array([[1.0], [1], [1], [-1], [-1], [-1]]), b1=np.array([-1, -1 - b, -1 - 2 * b, 1, 1 - b, 1 - 2 * b])
    )
    parameters |= dict(W2=np.array([[1.0, -2, 1, -1, 2, -1]]), b2=np.zeros(1))
    net, X, Y = (
        bp.Network.from_parameters(parameters, ["relu", "identity"]),
        np.array([[1 + 0.3 * b]]),
        -np.ones((1, 1)),
    )
    claimed = {"X": bp.backpropagate(net.terms(net.forward(X, Y)), "L")["X"]}
    assert claimed["X"] == pytest.approx(1.0)
    assert bp.check_gradient(net, X, Y, claimed=claimed).verdict == "agree"
    assert bp.check_gradient(net, X, Y, claimed=claimed, witness="central differences").verdict == "undecided"


def test_what_cancels_is_undecided():
    graph = bp.Graph(u="(x + 1e-9) * x", v="x * x", L="u - v - x * 1e-9")
    assert bp.check_gradient(graph, at=dict(x=0.7)).verdict == "undecided"
    assert "cancel" in repr(bp.check_gradient(graph, at=dict(x=0.7), claimed={"x": 1e-17}))
    assert bp.check_gradient(graph, at=dict(x=0.7), claimed={"x": 1.0}).verdict == "disagree"


@pytest.mark.parametrize(
    "claim, verdict", [(0.0, "agree"), (1.0, "undecided"), (0.5, "undecided"), (1.1, "disagree"), (-0.1, "disagree")]
)
def test_a_kink_of_a_graph(claim, verdict):
    graph = bp.Graph(z="w * x - 0.3", L="relu(z)")
    assert bp.check_gradient(graph, at=dict(w=0.1, x=3), claimed={"z": claim}).verdict == {
        0.0: "undecided",
        1.0: "agree",
    }.get(claim, verdict), "0.1 * 3 - 0.3 is 5.6e-17"
    assert bp.check_gradient(bp.Graph(L="relu(z)"), at=dict(z=0), claimed={"z": claim}).verdict == verdict


@pytest.mark.parametrize("witness", ["complex step", "50 digits"])
@pytest.mark.parametrize(
    "claim, verdict", [(0.0, "agree"), (2.0, "undecided"), (4.0, "undecided"), (4.1, "disagree"), (-0.1, "disagree")]
)
def test_a_kink_of_a_network_lets_every_slope_between_its_sides_stand_and_no_other(witness, claim, verdict):
    parameters = {"W1": [[1.0], [2.0]], "b1": [-1.0, 3.0], "W2": [[1.0, 1.0]], "b2": [0.0]}
    net = bp.Network.from_parameters(parameters, ["relu", "identity"])
    check = bp.check_gradient(net, [[1.0]], [[1.0]], claimed={"b1": [claim, 4.0]}, witness=witness)
    assert check.verdict == verdict


def test_differences_do_not_agree_past_the_tolerance_they_state():
    """A witness that is in doubt by more than the error says so; it does not pass the error for agreement."""
    graph = bp.Graph(L="exp(x) + 1e4 * y")
    numbers = dict(x=1.0, y=1e6)
    right = np.exp(1.0)
    found = {
        error: bp.check_gradient(graph, at=numbers, claimed={"x": right * (1 + error)}, witness="central differences")
        for error in (0.0, 1e-7, 1e-5, 1e-2, 1.0)
    }
    assert all(check.verdict != "agree" or check.max_error <= check.tolerance for check in found.values())
    assert found[0.0].verdict != "disagree" and found[1.0].verdict == "disagree"


def test_central_differences_beside_a_unit_that_is_nearly_off():
    parameters = {
        "W1": [[1.1, 0.2], [0.4, -1.7], [-1.7, -1.3]], "b1": [-0.54999999, -0.19999999, 0.85000001], "W2": [[0.1, 1.2, 0.4], [0, -0.1, 1.0]],
        "b2": [0.2, 1.1], "W3": [[-0.6, -0.7]], "b3": [0.7],
    }  # fmt: skip
    net = bp.Network.from_parameters(parameters, ["relu", "relu", "identity"])
    for digits in range(4, 12):
        net.parameters = net.parameters | {"b1": np.array([-0.55, -0.2, 0.85]) + 10.0**-digits}
        assert bp.check_gradient(net, [[0.5, 0.0]], [[-0.2]], witness="central differences").verdict != "disagree"


def test_huge_claims_are_wrong_claims():
    assert bp.check_gradient(NET, *ROWS, claimed={"b1": np.full(3, 1e308)}).verdict == "disagree"
    assert bp.diagnose({"b1": np.full(3, 1e308)}, NET, *ROWS).mistake == "unknown"


@pytest.mark.parametrize("witness", WITNESSES)
def test_no_path_and_no_claim_agree(witness):
    parameters = {"W1": [[1.0], [2.0]], "b1": [-7.0, -9.0], "W2": [[1.0, 2.0], [1.0, 0.0]], "b2": [0.0, 0.0]}
    net = bp.Network.from_parameters(parameters, ["relu", "silu"])
    assert bp.check_gradient(net, [[1.0]], [[0.0, 0.0]], witness=witness).verdict == "agree"
    assert (
        bp.check_gradient(net, [[1.0]], [[0.0, 0.0]], claimed={"b2": [0.0, 1e-9]}, witness=witness).verdict != "agree"
    )


def test_float32_has_its_own_tolerance():
    net, X, Y = random_net(7)
    right = textbook.gradient(net, net.parameters, X, Y)
    single = {name: value.astype(np.float32) for name, value in right.items()}
    assert bp.check_gradient(net, X, Y, claimed=single).verdict == "agree"
    narrow = {name: value.astype(float) for name, value in single.items()}
    check = bp.check_gradient(net, X, Y, claimed=narrow)
    assert check.verdict == "undecided" and "float32" in repr(check)
    assert (
        bp.check_gradient(
            net, X, Y, claimed={name: value * np.float32(1.001) for name, value in single.items()}
        ).verdict
        == "disagree"
    )
    small = bp.Network([3, 4, 2], ["tanh", "softmax"], "cross_entropy", dtype=np.float32)
    assert bp.check_gradient(small, np.eye(3), [0, 1, 0]).verdict == "agree"
    assert (
        bp.check_gradient(small, np.eye(3), [0, 1, 0], claimed=small.gradient(np.eye(3), [0, 1, 0])).verdict == "agree"
    )


@pytest.mark.parametrize("form", [np.ndarray.tolist, lambda value: value.astype(float), lambda value: value])
def test_a_float32_net_has_the_tolerance_of_its_arithmetic_in_whatever_form_a_claim_comes(form):
    """Nearly fitted nets: most of the digits of A - Y are gone before the gradient begins."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        net = bp.Network([3, 5, 2], ["tanh", "identity"], dtype=np.float32, seed=seed)
        X = rng.normal(size=(6, 3)).astype(np.float32)
        Y = net.predict(X) + 10.0 ** -rng.integers(1, 6) * rng.normal(size=(6, 2)).astype(np.float32)
        right = net.gradient(X, Y)
        claimed = {name: form(value) for name, value in right.items()}
        assert bp.check_gradient(net, X, Y, claimed=claimed).verdict != "disagree"
        assert bp.diagnose(claimed, net, X, Y).mistake == "none"
        wrong = {name: form(np.float32(1.5) * value) for name, value in right.items()}
        assert bp.check_gradient(net, X, Y, claimed=wrong).verdict != "agree"
    far = {name: form(value) for name, value in net.gradient(X, Y + 1).items()}
    assert bp.check_gradient(net, X, Y + 1, claimed=far).verdict == "agree"
    assert (
        bp.check_gradient(
            net, X, Y + 1, claimed=far | {"b2": form(np.float32(1.001) * net.gradient(X, Y + 1)["b2"])}
        ).verdict
        == "disagree"
    )


def test_many_entries_are_sampled():
    net = bp.Network([30, 20, 2], ["tanh", "sigmoid"])
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(4, 30)), rng.uniform(size=(4, 2))
    check = bp.check_gradient(net, X, Y)
    assert check.verdict == "agree" and np.isfinite(check.entries["W1"]).sum() == 400
    assert bp.check_gradient(net, X, Y, claimed={"W1": check.claimed["W1"] * 1.01}).verdict == "disagree"
    unseen = tuple(np.argwhere(np.isnan(check.entries["W1"]))[0])
    wrong = check.claimed["W1"].copy()
    wrong[unseen] *= 1.001
    found = bp.check_gradient(net, X, Y, claimed={"W1": wrong})
    assert found.verdict == "disagree" and "not all together" in repr(found) and found.max_error < 1e-12


def test_deltas_and_inputs_can_be_checked_too():
    net, X, Y = random_net(4)
    gradient = bp.backpropagate(net.terms(net.forward(X, Y)), "L")
    for witness in ("complex step", "central differences"):
        assert (
            bp.check_gradient(
                net, X, Y, claimed={name: gradient[name] for name in ("Z1", "X", "Y")}, witness=witness
            ).verdict
            == "agree"
        )
        assert bp.check_gradient(net, X, Y, claimed={"Z1": 2 * gradient["Z1"]}, witness=witness).verdict == "disagree"
    with pytest.raises(ValueError, match="in 50 digits there are W1, b1"):
        bp.check_gradient(net, X, Y, claimed={"Z1": gradient["Z1"]}, witness="50 digits")


# --- a learner's function ------------------------------------------------------------------------------------------------

NET = bp.Network([2, 3, 2], ["tanh", "sigmoid"], seed=1)
ROWS = (np.array([[0.5, -1.0], [1.5, 0.2], [0.3, 0.4]]), np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]))


def learned(parameters, X, Y):
    return textbook.gradient(NET, parameters, X, Y)


@pytest.mark.parametrize("dtype", [np.float32, float])
def test_a_float32_function_is_right(dtype):
    for loss, output in (("squared_error", "sigmoid"), ("cross_entropy", "softmax")):
        net = bp.Network([2, 3, 3], ["tanh", output], loss, dtype=np.float32)
        X, Y = np.random.default_rng(0).normal(size=(4, 2)).astype(np.float32), np.eye(3, dtype=dtype)[[0, 1, 2, 0]]

        def function(parameters, X, Y, net=net):
            return textbook.gradient(net, parameters, X, Y)

        assert bp.check_gradient(net, X, Y, claimed=function).verdict == "agree"
        assert bp.diagnose(function, net, X, Y).mistake == "none"


def test_a_function_is_called():
    assert bp.check_gradient(NET, *ROWS, claimed=learned).verdict == "agree"
    assert bp.check_gradient(NET, *ROWS, claimed=lambda p, X, Y: {"W1": learned(p, X, Y)["W1"]}).errors.keys() == {"W1"}
    graph, at = bp.Graph(L="x * y"), dict(x=2, y=3)
    assert bp.check_gradient(graph, at=at, claimed=lambda x, y: {"x": y, "y": x}).verdict == "agree"
    assert bp.check_gradient(graph, at=at, claimed=lambda x, y: {"x": x, "y": x}).verdicts == {
        "x": "disagree",
        "y": "agree",
    }


@pytest.mark.parametrize("same_dict", [True, False])
def test_the_structure_of_a_function(same_dict):
    memory = {name: np.zeros(value.shape) for name, value in NET.parameters.items()}

    def stale(parameters, X, Y):
        for name, value in learned(parameters, X, Y).items():
            memory[name] += value
        return memory if same_dict else dict(memory)

    check = bp.check_gradient(NET, *ROWS, claimed=stale)
    assert check.verdict == "disagree" and "two calls with the same numbers" in repr(check)
    rng = np.random.default_rng(0)
    check = bp.check_gradient(NET, *ROWS, claimed=lambda p, X, Y: {"b1": rng.normal(size=3)})
    assert check.reasons["b1"].startswith("two calls")
    fixed = {name: value.copy() for name, value in NET.gradient(*ROWS).items()}
    check = bp.check_gradient(NET, *ROWS, claimed=lambda p, X, Y: fixed)
    assert check.verdict == "disagree" and "nothing flows back" in repr(check) and check.max_error < 1e-12
    net, X = bp.Network([2, 3, 3], ["tanh", "softmax"], "cross_entropy"), np.array([[0.1, 0.2], [0.3, -1.0]])
    always = net.gradient(X, [0, 2])
    assert "with other labels" in repr(bp.check_gradient(net, X, [0, 2], claimed=lambda p, X, Y: always))
    assert (
        bp.check_gradient(net, X, [0, 2], claimed=lambda p, X, Y: textbook.gradient(net, p, X, np.eye(3)[Y])).verdict
        == "agree"
    )


@pytest.mark.parametrize("form", ["one-hot vector", "label", "labels as many as classes"])
def test_other_targets_have_the_form_of_the_given_ones(form):
    net = bp.Network([2, 4, 3], ["tanh", "softmax"], "cross_entropy", seed=1)
    X = np.array([[0.3, -0.7], [0.1, 0.2], [1.0, 0.4]])
    X, Y = {
        "one-hot vector": (X[0], np.eye(3)[1]),
        "label": (X[0], 1),
        "labels as many as classes": (X, np.array([0, 2, 1])),
    }[form]

    def right(p, X, Y):
        return bp.Network.from_parameters(p, net.activations, net.loss_name).gradient(X, Y)

    assert bp.check_gradient(net, X, Y, claimed=right).verdict == "agree"
    assert bp.diagnose(right, net, X, Y).mistake == "none"
    assert bp.check_gradient(net, X, Y, claimed=lambda p, X, Y: net.gradient(X, net.predict(X))).verdict == "disagree"


class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError


def unspeakable(parameters, X, Y):
    raise Unspeakable


def cached(parameters, X, Y):
    right = learned(parameters, X, Y)
    parameters["cache"] = 1
    return right


def in_place(parameters, X, Y):
    parameters["W1"] -= 0.1
    return learned(parameters, X, Y)


def lost(parameters, X, Y):
    del parameters["W1"]
    return NET.gradient(X, Y)


def scaled(parameters, X, Y):
    X *= 2
    return learned(parameters, X, Y)


def swallowing(W, X, Y):
    end = time.monotonic() + 4
    while time.monotonic() < end:
        with contextlib.suppress(BaseException):
            sum(range(50))


def forever(parameters, X, Y):
    while True:
        pass


def asleep(parameters, X, Y):
    time.sleep(5)


@pytest.mark.parametrize("claimed, error, message", [
    (lambda p, X, Y: None, TypeError, "claimed is None; did the function forget its return"),
    (lambda p, X, Y: [1], TypeError, "claimed must be a dict"),
    (lambda p, X, Y: 1 / 0, ValueError, "your function raised ZeroDivisionError: division by zero"),
    (lambda p: {}, ValueError, "your function raised TypeError"), (unspeakable, ValueError, "your function raised Unspeakable in `raise Unspeakable`"),
    (cached, ValueError, "your function changes cache, which it was given"),
    (in_place, ValueError, "your function changes W1, which it was given"), (lost, ValueError, "your function changes W1"),
    (scaled, ValueError, "your function changes X, which"),
    (forever, ValueError, "did not return within 0.5 s and was stopped"), (swallowing, ValueError, "did not return within 0.5 s and"), (asleep, ValueError, "did not return within 0.5 s"),
    ({}, ValueError, "claimed holds no name; the quantities are"), (dict(W3=1.0), ValueError, "claimed names 'W3', but the quantities are"),
    (dict(W1=np.zeros((2, 3))), ValueError, r"W1 has shape \(2, 3\), expected \(3, 2\): this is the transpose"),
    (dict(b1=np.zeros((3, 1))), ValueError, r"not a row or a column"), (dict(b1=0.0), ValueError, "one number for all entries"),
    (dict(b1=np.zeros((4, 3))), ValueError, "one gradient for each example"), (dict(W1=np.zeros((3, 5))), ValueError, "the shape of its quantity"),
    (dict(W1=np.zeros((0, 2))), ValueError, "is empty"), (dict(W1=[]), ValueError, "is empty"), (dict(W1="x"), TypeError, "found str"),
    (dict(b1=[1.0, np.nan, 0.0]), ValueError, r"must be finite, found nan at entry \[1\]"), (dict(b1=[np.inf] * 3), ValueError, "found inf"),
    (dict(W1=np.zeros((3, 2), complex)), TypeError, "found dtype complex128"), (dict(b1=[True] * 3), TypeError, "found dtype bool"),
    (dict(b1=[None] * 3), TypeError, "found dtype object"), (dict(b1=...), TypeError, "found ellipsis"),
    (dict(b1=np.zeros(3, np.float16)), TypeError, "found dtype float16"), (dict(b1=[[1], [1, 2], [3]]), ValueError, "must form one array, found rows of different lengths"),
])  # fmt: skip
def test_claims_on_a_network_that_are_refused(claimed, error, message):
    before = {name: value.copy() for name, value in NET.parameters.items()}, ROWS[0].copy()
    with pytest.raises(error, match=message):
        bp.check_gradient(NET, *ROWS, claimed=claimed, time_limit=0.5)
    assert np.array_equal(before[1], ROWS[0]) and all(
        np.array_equal(before[0][name], NET.parameters[name]) for name in before[0]
    )


@pytest.mark.parametrize("dtype, bias", [(np.float32, -10.0), (np.float32, -13.0), (float, -20.0), (float, -40.0)])
@pytest.mark.parametrize("factor, verdict", [(1.0, "agree"), (1.05, "disagree"), (2.0, "disagree")])
def test_a_saturated_sigmoid_with_its_cross_entropy_is_decided(dtype, bias, factor, verdict):
    """Its slope is computed from the logits: where a rounds to 0 a textbook's a - y is still exact."""
    parameters = {"W1": np.zeros((1, 1), dtype), "b1": np.array([bias], dtype)}
    net = bp.Network.from_parameters(parameters, ["sigmoid"], loss="binary_cross_entropy")
    claimed = {"b1": (factor * net.gradient([[1.0], [2.0]], [[0.0], [0.0]])["b1"]).astype(dtype)}
    assert bp.check_gradient(net, [[1.0], [2.0]], [[0.0], [0.0]], claimed=claimed).verdict == verdict


@pytest.mark.parametrize("bias", [12.0, 18.0, 25.0, 30.0])
def test_an_activation_that_is_the_sigmoid_is_granted_what_the_sigmoid_is(monkeypatch, bias):
    sigmoid, X, Y = bp.ACTIVATIONS["sigmoid"], np.array([[0.5], [-0.2]]), np.array([[1.0], [0.3]])
    slope = replace(sigmoid.slope, name="logistic'")
    monkeypatch.setitem(bp.ACTIVATIONS, "logistic", replace(sigmoid, name="logistic", slope=slope))
    said = {}
    for name in ("sigmoid", "logistic"):
        parameters = dict(W1=np.ones((2, 1)), b1=np.array([0.3, bias]), W2=np.ones((1, 2)), b2=np.array([0.1]))
        net = bp.Network.from_parameters(parameters, [name, "identity"])
        right = textbook_sigmoid(parameters, X, Y)
        wrong = {name: 2 * value for name, value in right.items()}
        said[name] = bp.check_gradient(net, X, Y, claimed=right).verdicts, bp.diagnose(wrong, net, X, Y).mistake
        assert bp.diagnose(right, net, X, Y).mistake == "none"
    assert said["sigmoid"] == said["logistic"] and "disagree" not in said["logistic"][0].values()


def textbook_sigmoid(parameters, X, Y):
    A = 1 / (1 + np.exp(-(X @ parameters["W1"].T + parameters["b1"])))
    D2 = (A @ parameters["W2"].T + parameters["b2"] - Y) / len(X)
    D1 = D2 @ parameters["W2"] * (A * (1 - A))
    return {"W1": D1.T @ X, "b1": D1.sum(axis=0), "W2": D2.T @ A, "b2": D2.sum(axis=0)}


@pytest.mark.parametrize("X, Y, error, message", [
    ([[1, 2], [3]], [[1], [0]], ValueError, "Network: X must form one array"), (None, [[1]], TypeError, "give X and Y"), ([["a", "b"]], [[1]], TypeError, "X must hold real numbers, found text"),
])  # fmt: skip
def test_rows_that_are_refused_in_our_own_words(X, Y, error, message):
    net = bp.Network([2, 1], ["tanh"])
    for claimed in (None, {"b1": [1.0]}, lambda p, X, Y: {"b1": [1.0]}):
        with pytest.raises(error, match=message):
            bp.check_gradient(net, X, Y, claimed=claimed)


CANCELS = bp.Graph(z="w*x", a="1 - tanh(z)", q="exp(z) - exp(z*(1+b))", L="a*q + gelu(z)*silu(b)")


@pytest.mark.parametrize("seed", range(60))
def test_a_right_gradient_of_lines_that_cancel_is_not_called_wrong_and_a_wrong_one_is_not_called_right(seed):
    """Inside the line of q all digits but a few are gone, though its own slopes are small."""
    rng = np.random.default_rng(seed)
    at = dict(w=float(rng.normal()), x=float(rng.normal()), b=10.0 ** rng.uniform(-14, -5))
    at = dict(w=-0.7956716776170509, x=1.0, b=1e-8) if seed == 0 else at
    gradient = bp.backpropagate(CANCELS.terms(CANCELS.forward(**at)), "L")
    right = {name: gradient[name] for name in CANCELS.inputs}
    for witness in ("complex step", "central differences"):
        assert bp.check_gradient(CANCELS, at=at, claimed=right, witness=witness).verdict != "disagree"
        for factor in (0.0, -1.0, 2.0, 1.001):
            wrong = {name: factor * value for name, value in right.items()}
            verdict = bp.check_gradient(CANCELS, at=at, claimed=wrong, witness=witness).verdict
            assert verdict == "disagree" or (verdict == "undecided" and witness == "central differences")
    assert bp.diagnose(right, CANCELS, at=at).mistake == "none"


def test_an_accusation_near_agreement_is_confirmed_in_50_digits(neuron):
    trace = neuron.forward(**AT)
    right = bp.backpropagate(neuron.terms(trace), "L")["w"]
    for error, verdict in ((1e-10, "agree"), (2e-9, "disagree"), (1e-6, "disagree"), (0.5, "disagree")):
        assert bp.check_gradient(neuron, at=AT, claimed={"w": right * (1 + error)}).verdict == verdict
    # a witness that is off is not believed where the 50 digits say otherwise
    case = graph_case(neuron, trace, "L")
    crooked = Case(case.numbers, case.inputs, lambda name, value: case.loss(name, value) * (1 + 1e-7), case.exact)
    terms = neuron.terms(trace)
    claimed, margins = {"w": np.array(right)}, graph_margins(neuron, trace, terms, "L")
    check = judge(claimed, crooked, "complex step", margins, {"w": right}, {})
    assert (
        check.verdict == "disagree"
        and _confirmed(check, {"w"}, claimed, crooked, margins, {"w": right}).verdict == "agree"
    )
    assert case.exact() is case.exact(), "one walk in 50 digits serves every name"
    blind = Case(case.numbers, case.inputs, crooked.loss, dict)
    assert _confirmed(check, {"w"}, claimed, blind, margins, {"w": right}).verdict == "undecided"


def test_threads_leave_the_precision_as_it_was():
    graph = bp.Graph(z="w * x", L="gelu(z) * z")

    def check(_):
        assert bp.check_gradient(graph, at=dict(w=0.3, x=-1.2), witness="50 digits").verdict == "agree"
        return bp.check_gradient(graph, at=dict(w=0.3, x=-1.2)).verdict

    before = mpmath.mp.dps
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(check, range(40))) == {"agree"}
    assert mpmath.mp.dps == before
