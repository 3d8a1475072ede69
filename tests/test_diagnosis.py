"""Mistakes planted by a learner's own code are named, right gradients are never called wrong, and two mistakes get no wrong name."""

import functools
import re

import numpy as np
import pytest
import textbook
from test_checking import NET, ROWS, in_place, learned, random_net

import backproplab as bp

IN_NUMBERS = [name for name in bp.MISTAKES if name not in ("path-missing", "stale-gradient")]
SQUARE = ("weights-not-transposed", "weight-gradient-transposed", "x-for-a", "bias-wrong-axis")
AT_THE_LOSS = (
    "sum-for-mean",
    "mean-for-sum",
    "mean-over-entries",
    "batch-divided-twice",
    "factor-two",
    "factor-half",
    "sign",
)
IN_NORMALISED = ("variance-constant", "mean-constant")
AT_THE_OUTPUT = (
    "output-slope-missing",
    "output-slope-extra",
    "output-slope-at-a",
    "softmax-diagonal",
    "raw-error-back",
)
THROUGH = ("weights-not-transposed", "updated-weights", "gradient-for-weights")
# What a missing slope is on a ReLU has a name of its own: see test_a_slope_left_out_of_a_relu.
ACTIVATIONS = {
    "relu": ["relu"],
    "hidden-slope-missing": ["sigmoid", "tanh", "softplus", "silu"],
    "slope": ["sigmoid", "tanh"],
    "z-for": ["sigmoid", "tanh"],
}


def case_for(seed, mistake, depth=None, built=None):
    """A network on which the mistake can be made, rows for it, and the layer in which to make it (None: in all).

    It is plain, unless its layers are `built` with "batch_norm" or as "residual".
    """
    built = "batch_norm" if mistake in IN_NORMALISED else built
    rng = np.random.default_rng([seed, IN_NUMBERS.index(mistake)])
    depth = depth or int(rng.integers(2, 5))
    sizes = (
        [4] * (depth + 1)
        if mistake in SQUARE
        else [
            int(v)
            for v in (rng.permutation([3, 4, 5, 6, 7])[: depth + 1] if depth < 5 else rng.integers(3, 8, depth + 1))
        ]
    )
    sizes = [3, *[5] * (depth - 1), 4] if built == "residual" and mistake not in SQUARE else sizes
    n = {"bias-wrong-axis": 4}.get(mistake, 9)
    losses = (
        ["squared_error"] if mistake in AT_THE_OUTPUT else ["squared_error", "binary_cross_entropy", "cross_entropy"]
    )
    loss = (
        str(rng.choice(losses[1:] if mistake == "output-slope-extra" else losses))
        if mistake != "output-slope-extra"
        else str(rng.choice(["binary_cross_entropy", "cross_entropy"]))
    )
    output = {"binary_cross_entropy": "sigmoid", "cross_entropy": "softmax"}.get(
        loss, "softmax" if mistake == "softmax-diagonal" else "sigmoid"
    )
    hidden = next(
        (names for part, names in ACTIVATIONS.items() if part in mistake and mistake != "output-slope-missing"),
        ["sigmoid", "tanh", "relu", "softplus", "silu"],
    )
    reduction = (
        "sum"
        if mistake == "mean-for-sum"
        else "mean"
        if "mean" in mistake or "divided" in mistake
        else str(rng.choice(["mean", "sum"]))
    )
    net = bp.Network(
        sizes,
        [*(str(v) for v in rng.choice(hidden, depth - 1)), output],
        loss,
        l2=0.3 if "l2" in mistake else 0.1,
        reduction=reduction,
        batch_norm=built == "batch_norm",
        residual=built == "residual",
    )
    net.parameters = {
        name: rng.normal(size=value.shape) * (0.8 if name[0] == "W" else 0.5) for name, value in net.parameters.items()
    }
    X = rng.normal(size=(n, sizes[0]))
    Y = (
        np.eye(sizes[-1])[rng.integers(0, sizes[-1], n)]
        if loss == "cross_entropy"
        else rng.uniform(size=(n, sizes[-1]))
    )
    first = 2 if mistake in (*THROUGH, "z-for-a", "x-for-a") else 1
    last = depth - 1 if any(part in mistake for part in ("hidden-", "slope-of-", "relu-", "-constant")) else depth
    anywhere = mistake not in (*AT_THE_LOSS, *AT_THE_OUTPUT, "layer-factor")
    only = int(rng.integers(first, last + 1)) if seed % 2 and anywhere else None
    return (
        net,
        X,
        Y,
        dict(
            mistake=mistake,
            only=only,
            rate=0.05,
            name=str(rng.choice(list(net.parameters))),
            factor=float(rng.choice([4.0, 0.3, -1.0])),
        ),
    )


def visible(wrong, right):
    return any(np.abs(wrong[name] - right[name]).max() > 1e-6 * np.abs(right[name]).max() for name in right)


@pytest.mark.parametrize("mistake", IN_NUMBERS)
@pytest.mark.parametrize("as_function", [False, True], ids=["numbers", "function"])
@pytest.mark.parametrize("built", ["plain", "batch_norm", "residual"])
def test_planted_mistakes_are_named(mistake, as_function, built):
    named, seen = 0, 0
    for seed in range(4 if as_function else 12 if built == "plain" else 6):
        net, X, Y, how = case_for(seed, mistake, built=built)
        function = functools.partial(textbook.gradient, net, **how)
        wrong, right = function(net.parameters, X, Y), textbook.gradient(net, net.parameters, X, Y)
        if visible(wrong, right):
            found = bp.diagnose(function if as_function else wrong, net, X, Y)
            assert found.mistake in (mistake, "unknown"), (seed, found)
            assert found.where == first_wrong(wrong, right)
            named, seen = named + (mistake in found.candidates), seen + 1
    assert seen >= 3 and named >= seen - (mistake == "bias-total")  # where p - y adds up to rounding, it cannot be told


@pytest.mark.parametrize("mistake", IN_NUMBERS)
@pytest.mark.parametrize("depth", [None, 50])
def test_planted_mistakes_are_named_where_a_learner_divides_by_n_in_each_layer(mistake, depth):
    named, seen = 0, 0
    depth = 8 if depth and mistake in IN_NORMALISED else depth  # in deeper normalised nets rounding is all that is left
    for seed in range(8 if depth is None else 2):
        net, X, Y, how = case_for(seed, mistake, depth=depth)
        function = functools.partial(textbook.gradient, net, **how, harvest=True)
        with np.errstate(all="ignore"):
            wrong, right = function(net.parameters, X, Y), textbook.gradient(net, net.parameters, X, Y, harvest=True)
        if visible(wrong, right) and all(np.isfinite(value).all() for value in wrong.values()):
            found = bp.diagnose(function if seed == 0 and depth is None else wrong, net, X, Y)
            assert found.mistake in (mistake, "unknown") or (depth and mistake in found.candidates), (seed, found)
            named, seen = named + (mistake in found.candidates), seen + 1
        assert bp.diagnose(right, net, X, Y).mistake == "none"
    assert named >= seen - (mistake == "bias-total") and (seen or depth)


def first_wrong(wrong, right):
    depth = sum(name[0] == "W" for name in right)
    of_layer = [["gamma", "beta", "W"] if f"gamma{layer}" in right else ["W", "b"] for layer in range(1, depth + 1)]
    order = [f"{kind}{layer}" for layer in range(depth, 0, -1) for kind in of_layer[layer - 1]]
    return next(name for name in order if np.abs(wrong[name] - right[name]).max() > 1e-6 * np.abs(right[name]).max())


@pytest.mark.parametrize("mistake", IN_NUMBERS)
def test_planted_mistakes_in_fifty_layers(mistake):
    for seed in range(40):  # the first in which it shows at all
        net, X, Y, how = case_for(seed, mistake, depth=50)
        with np.errstate(all="ignore"):
            wrong, right = (
                textbook.gradient(net, net.parameters, X, Y, **how),
                textbook.gradient(net, net.parameters, X, Y),
            )
        if visible(wrong, right) and all(np.isfinite(value).all() for value in wrong.values()):
            break
    else:
        pytest.fail("it shows in none")
    found = bp.diagnose(wrong, net, X, Y)
    assert mistake in found.candidates and found.mistake in (mistake, "layer-factor")


@pytest.mark.parametrize("hidden", [["relu"], ["relu", "relu"]])
@pytest.mark.parametrize("planted", ["relu-gate-open", "hidden-slope-missing"])
def test_a_slope_left_out_of_a_relu_is_a_gate_that_stands_open(planted, hidden):
    """The numbers are the same, so are the words; on a net of other activations too the slope is just left out."""
    rng = np.random.default_rng(1)
    X, Y = rng.normal(size=(7, 3)), rng.uniform(size=(7, 4))
    net = bp.Network([3, 5, 6, 4][: len(hidden) + 1] + [4], [*hidden, "sigmoid"])
    function = functools.partial(textbook.gradient, net, mistake=planted)
    for claimed in (function, function(net.parameters, X, Y)):
        found = bp.diagnose(claimed, net, X, Y)
        assert found.mistake == "relu-gate-open"
        assert set(found.candidates) == {"relu-gate-open", "hidden-slope-missing"}
        assert "it is left out" in found.explanation and f"A{len(hidden)} >= 0" in found.explanation
    mixed = bp.Network([3, 5, 6, 4], ["relu", "tanh", "sigmoid"])
    wrong = textbook.gradient(mixed, mixed.parameters, X, Y, mistake="hidden-slope-missing")
    assert bp.diagnose(wrong, mixed, X, Y).candidates == ("hidden-slope-missing",)


def test_a_bias_that_is_exactly_zero_is_no_total_that_cancels():
    net, rng = bp.Network([5, 6, 4], ["tanh", "softmax"], "cross_entropy", seed=1), np.random.default_rng(1)
    X, Y = rng.normal(size=(9, 5)), rng.integers(0, 4, 9)
    right = net.gradient(X, Y)
    assert bp.diagnose(right | {"b2": 0 * right["b2"]}, net, X, Y).mistake == "bias-zero"


@pytest.mark.parametrize(
    "mistake", ["sign", "hidden-slope-missing", "updated-weights", "l2-sign", "bias-zero", "layer-factor"]
)
def test_float32(mistake):
    net, X, Y, how = case_for(2, mistake)
    wrong = {
        name: value.astype(np.float32) for name, value in textbook.gradient(net, net.parameters, X, Y, **how).items()
    }
    assert bp.diagnose(wrong, net, X, Y).mistake == mistake


def transposed(net, p, X, Y):
    """Columns as examples, W as (units in, units out), translated back."""
    A, Z, T = [X.T], [], {name: value.T for name, value in p.items()}
    for layer, activation in enumerate(net.activations, 1):
        Z.append(T[f"W{layer}"].T @ A[-1] + T[f"b{layer}"][:, None])
        A.append(textbook.softmax(Z[-1].T).T if activation == "softmax" else textbook.VALUE[activation](Z[-1]))
    D = (A[-1] - Y.T) / (X.shape[0] if net.reduction == "mean" else 1)
    if net.loss_name == "squared_error":
        last = net.activations[-1]
        D = A[-1] * (D - (D * A[-1]).sum(axis=0)) if last == "softmax" else D * textbook.slope(last, Z[-1])
    out = {}
    for layer in range(net.depth, 0, -1):
        out[f"W{layer}"], out[f"b{layer}"] = (A[layer - 1] @ D.T).T + net.l2 * p[f"W{layer}"], D.sum(axis=1)
        if layer > 1:
            D = (T[f"W{layer}"] @ D) * textbook.slope(net.activations[layer - 2], Z[layer - 2])
    return out


def by_loops(net, p, X, Y):
    """Example by example, added up."""
    parts = [textbook.gradient(net, p, X[i : i + 1], Y[i : i + 1]) for i in range(len(X))]
    share = 1 / len(X) if net.reduction == "mean" else 1.0
    total = {name: share * sum(part[name] for part in parts) for name in p}
    return {
        name: value + (1 - share * len(X)) * net.l2 * p[name] if name[0] == "W" else value
        for name, value in total.items()
    }


def shuffled(net, p, X, Y):
    """The rows in another order."""
    order = np.random.default_rng(0).permutation(len(X))
    return textbook.gradient(net, p, X[order], Y[order])


def single(net, p, X, Y):
    return {name: value.astype(np.float32) for name, value in textbook.gradient(net, p, X, Y).items()}


@pytest.mark.parametrize("variant", [textbook.gradient, transposed, by_loops, shuffled, single])
def test_a_right_gradient_is_never_called_wrong(variant):
    for seed in range(40):
        net, X, Y = random_net(seed)
        assert bp.diagnose(variant(net, net.parameters, X, Y), net, X, Y).mistake == "none", (seed, net)
        if seed % 8 == 0:
            assert bp.diagnose(functools.partial(variant, net), net, X, Y).mistake == "none"
    for seed in range(40):  # saturated, and at kinks
        net, X, Y = random_net(seed, whole=seed % 2 == 0, spread=6.0)
        with np.errstate(all="ignore"):
            right = variant(net, net.parameters, X, Y)
        assert bp.diagnose(right, net, X, Y).mistake == "none", (seed, net)


PAIRED = [
    "sum-for-mean",
    "sign",
    "hidden-slope-missing",
    "bias-zero",
    "l2-missing",
    "z-for-a",
    "last-example-only",
    "l2-on-bias",
    "bias-total",
]


@pytest.mark.parametrize("second", PAIRED)
def test_two_mistakes_get_no_wrong_name(second):
    tried = 0
    for seed in range(12):
        net, X, Y, how = case_for(seed, "hidden-slope-at-a")
        right = textbook.gradient(net, net.parameters, X, Y)
        first = textbook.gradient(net, net.parameters, X, Y, **how)
        other = textbook.gradient(net, net.parameters, X, Y, mistake=second)
        # Their changes added: both in one gradient.
        both = {name: first[name] + other[name] - right[name] for name in right}
        if visible(first, right) and visible(other, right):
            tried += 1
            assert bp.diagnose(both, net, X, Y).mistake in ("hidden-slope-at-a", second, "unknown"), (seed, net)
    assert tried >= 5


def test_an_unknown_mistake_says_where_and_by_what_factor():
    right = NET.gradient(*ROWS)
    found = bp.diagnose(right | {"W1": 1.7 * right["W1"], "b1": right["b1"] ** 2}, NET, *ROWS)
    assert (found.mistake, found.where, found.term) == ("unknown", "W1", None)
    assert found.ratio == pytest.approx(1.7, rel=1e-12) and "1.7 times" in found.explanation


def test_a_diagnosis_shows_the_term_as_it_should_be():
    wrong = textbook.gradient(NET, NET.parameters, *ROWS, mistake="hidden-slope-missing")
    found = bp.diagnose(wrong, NET, *ROWS)
    trace = NET.forward(*ROWS)
    assert (found.mistake, found.where, found.candidates) == ("hidden-slope-missing", "W1", ("hidden-slope-missing",))
    assert (found.term.of, found.term.wrt) == ("A1", "Z1") and np.allclose(
        found.term.value, 1 - np.tanh(trace["Z1"]) ** 2, rtol=1e-12
    )
    assert found.explanation.count(". ") == 1 and "{" not in found.explanation
    assert "dA1/dZ1 = tanh'(Z1)" in repr(found) and "<b>hidden-slope-missing" in found._repr_html_()


def fault_of(mistake, fused):
    """The letters of the term at fault, (of, wrt), as a textbook would name it."""
    if mistake in (*AT_THE_LOSS, *AT_THE_OUTPUT):
        return "LZ" if fused else "LA" if mistake in AT_THE_LOSS else "AZ"
    kinds = {
        "variance-": "Nv",
        "mean-constant": "Cm",
        "hidden-": "AZ",
        "slope-of-": "AZ",
        "relu-": "AZ",
        "l2-on-bias": "Lb",
        "l2-": "LW",
        "bias-": "Zb",
    }
    return next(
        (letters for part, letters in kinds.items() if mistake.startswith(part)), "ZA" if mistake in THROUGH else "ZW"
    )


@pytest.mark.parametrize("seed", [4, 5, 7])
@pytest.mark.parametrize("mistake", IN_NUMBERS)
def test_every_row_has_words_that_can_be_filled_and_the_term_at_fault(mistake, seed):
    net, X, Y, how = case_for(seed, mistake)
    wrong = textbook.gradient(net, net.parameters, X, Y, **how)
    found = bp.diagnose(wrong, net, X, Y)
    assert len(bp.MISTAKES[mistake].says) == 2 and "{" not in found.explanation and "}" not in found.explanation
    if found.mistake == mistake:
        fault = (
            "Zb"
            if mistake == "layer-factor" and how["name"][0] == "b"
            else fault_of(mistake, net.loss_name != "squared_error")
        )
        assert found.term.of[0] + found.term.wrt[0] == fault, found
        layer = how["only"] and str(how["only"])
        assert layer is None or layer in (found.term.of[1:], found.term.wrt[1:])
    assert found.mistake == mistake or seed != 4


@pytest.mark.parametrize("name", ["W1", "W2"])
def test_weights_that_are_never_updated_have_the_factor_0(name):
    right = NET.gradient(*ROWS)
    found = bp.diagnose(right | {name: 0 * right[name]}, NET, *ROWS)
    assert found.mistake == "layer-factor" and f"{name} alone is 0 times" in found.explanation
    assert (found.term.of, found.term.wrt) == (f"Z{name[1]}", name)


def test_the_long_way_of_a_cross_entropy():
    rng = np.random.default_rng(0)
    for output, loss, mistake in (
        ("softmax", "cross_entropy", "softmax-diagonal"),
        ("sigmoid", "binary_cross_entropy", "output-slope-at-a"),
    ):
        net = bp.Network([3, 5, 4], ["tanh", output], loss)
        X, Y = rng.normal(size=(7, 3)), np.eye(4)[rng.integers(0, 4, 7)]
        A1, P = (net.forward(X)[name] for name in ("A1", "A2"))
        D2 = (
            -Y / P * P * (1 - P) / 7
            if output == "softmax"
            else (P - Y) / (P * (1 - P)) * textbook.slope("sigmoid", P) / 7
        )
        D1 = D2 @ net.parameters["W2"] * (1 - A1**2)
        claimed = {"W1": D1.T @ X, "b1": D1.sum(axis=0), "W2": D2.T @ A1, "b2": D2.sum(axis=0)}
        found = bp.diagnose(claimed, net, X, Y)
        assert found.mistake == mistake and (found.term.of, found.term.wrt) == ("L", "Z2")


def test_a_function_that_ignores_its_inputs():
    always = NET.gradient(*ROWS)
    assert bp.diagnose(lambda p, X, Y: always, NET, *ROWS).mistake == "unknown"


def test_a_hidden_mistake_is_no_candidate_for_the_output():
    net = bp.Network([3, 4, 5], ["tanh", "sigmoid"])
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(7, 3)), rng.uniform(size=(7, 5))
    for mistake in ("output-slope-missing", "output-slope-at-a"):
        assert bp.diagnose(textbook.gradient(net, net.parameters, X, Y, mistake=mistake), net, X, Y).candidates == (
            mistake,
        )


@pytest.mark.parametrize("form", ["labels", "rows", "one example"])
def test_a_function_is_called_with_targets_in_the_form_in_which_they_came(form):
    net, rng, seen = (
        bp.Network([5, 6, 4], ["tanh", "softmax"], "cross_entropy", seed=1),
        np.random.default_rng(1),
        set(),
    )
    X, Y = rng.normal(size=(9, 5)), rng.integers(0, 4, 9)
    X, Y = {"labels": (X, Y), "rows": (X, np.eye(4)[Y]), "one example": (X[0], np.eye(4)[1])}[form]

    def function(parameters, X, Y):
        seen.add((X.ndim, Y.ndim, Y.dtype.kind))
        rows = np.atleast_2d(Y) if Y.dtype.kind == "f" else np.eye(parameters["b2"].size)[Y]
        return textbook.gradient(net, parameters, np.atleast_2d(X), rows, mistake="sign")

    assert bp.diagnose(function, net, X, Y).mistake == "sign"
    assert seen == {(X.ndim, Y.ndim, Y.dtype.kind)}


def test_a_part_of_the_names_is_enough():
    for mistake in ("sign", "hidden-slope-missing", "updated-weights", "last-example-only"):
        net, X, Y, how = case_for(2, mistake)
        wrong = textbook.gradient(net, net.parameters, X, Y, **how)
        assert mistake in bp.diagnose({"W1": wrong["W1"], "b1": wrong["b1"]}, net, X, Y).candidates


def test_a_function_reveals_what_its_numbers_hide():
    net = bp.Network([2, 3, 1], ["tanh", "sigmoid"])
    X, Y = [[0.5, -1.0]], [[1.0]]
    function = functools.partial(textbook.gradient, net, mistake="sum-for-mean")
    assert bp.diagnose(function(net.parameters, np.array(X), np.array(Y)), net, X, Y).mistake == "none"
    found = bp.diagnose(function, net, X, Y)
    assert found.mistake == "sum-for-mean" and "does not show" in found.explanation


def test_one_number_names_no_mistake_with_a_constant():
    net = bp.Network([1, 1, 1], ["tanh", "sigmoid"], seed=3)
    X, Y = np.array([[0.7], [-0.2]]), np.array([[0.1], [0.9]])
    wrong = {"W1": net.gradient(X, Y)["W1"] * 1.37}
    found = bp.diagnose(wrong, net, X, Y)
    assert found.mistake == "unknown" and found.ratio == pytest.approx(1.37) and "1.37 times" in found.explanation


@pytest.mark.parametrize("mistake", ["sum-for-mean", "factor-two"])
def test_a_function_tells_apart_what_its_numbers_cannot(mistake):
    net, X, Y = NET, ROWS[0][:2], ROWS[1][:2]

    def function(parameters, X, Y):
        return textbook.gradient(net, parameters, X, Y, mistake=mistake)

    assert {"sum-for-mean", "factor-two"} <= set(
        bp.diagnose(function(net.parameters, X, Y), net, X, Y).candidates
    )  # n = 2
    assert bp.diagnose(function, net, X, Y).candidates == (mistake,)


@pytest.mark.parametrize("kept", [dict(x="q", y="q"), dict(x="p", y="p")])
def test_every_name_overwritten_in_a_graph(kept):
    graph, at = bp.Graph(p="x*y", q="x + y", L="p*q"), dict(x=2.0, y=3.0)
    parts = dict(q=dict(x=6.0, y=6.0), p=dict(x=5.0 * 3.0, y=5.0 * 2.0))
    assert bp.diagnose({name: parts[use][name] for name, use in kept.items()}, graph, at=at).mistake == "path-missing"


def test_one_of_three_uses_is_forgotten():
    graph = bp.Graph(p="x*y", q="x**2", L="p + q + 3*x")
    assert bp.diagnose({"x": 5.0 + 4.0}, graph, at=dict(x=2.0, y=5.0)).mistake == "path-missing"  # without the 3


def test_nearly_right_numbers_say_so():
    rounded = {name: np.round(value, 6) for name, value in NET.gradient(*ROWS).items()}
    found = bp.diagnose(rounded, NET, *ROWS)
    assert found.mistake == "unknown" and "was it rounded" in found.explanation


def test_a_factor_of_n_is_said_to_be_one():
    right = NET.gradient(*ROWS)
    found = bp.diagnose(right | {name: right[name] / len(ROWS[0]) for name in ("b1", "b2")}, NET, *ROWS)
    assert found.mistake == "unknown" and "n = 3: is the mean" in found.explanation


def test_the_term_at_fault_has_the_shape_of_the_given_numbers():
    def turned(parameters, X, Y):
        return {name: value.T for name, value in textbook.gradient(NET, parameters, X, Y).items()}

    found = bp.diagnose(turned, NET, *ROWS)
    assert found.mistake == "weight-gradient-transposed" and found.term.value.shape == (3, 3)
    assert "W2 has shape (3, 2), expected (2, 3)" in found.explanation


def test_targets_of_another_shape_are_refused_before_the_function_is_called():
    with pytest.raises(ValueError, match=r"Y has shape \(6,\)"):
        bp.diagnose(lambda p, X, Y: 1 / 0, NET, ROWS[0], ROWS[1].ravel())


def test_a_constant_output():
    assert bp.diagnose({"L": 2.0}, bp.Graph(L="3")).mistake == "unknown"
    assert bp.diagnose({"x": 1.0}, bp.Graph(a="2*x", L="3"), at=dict(x=1)).mistake == "unknown"
    assert bp.diagnose({"x": 0.0}, bp.Graph(a="2*x", L="3"), at=dict(x=1)).mistake == "none"


def test_float32_claims_on_a_graph():
    graph, at = bp.Graph(z="w*x", a="sigmoid(z)", L="(y - a)**2 / 2"), dict(w=0.3, x=1.5, y=1.0)
    right = bp.backpropagate(graph.terms(graph.forward(**at)), "L")
    assert bp.diagnose({"w": np.float32(2 * right["w"])}, graph, at=at).mistake == "factor-two"
    assert bp.diagnose({"w": 2 * right["w"] * (1 + 1e-7)}, graph, at=at).mistake == "unknown"


def test_answers_that_differ_in_one_name_or_in_shape():
    rng, memory = np.random.default_rng(0), {"W1": np.zeros((3, 2))}

    def stale_in_one(parameters, X, Y):
        right = textbook.gradient(NET, parameters, X, Y)
        memory["W1"] = memory["W1"] + right["W1"]
        return right | memory

    found = bp.diagnose(stale_in_one, NET, *ROWS)
    assert (found.mistake, found.where) == ("stale-gradient", "W1")
    assert bp.diagnose(lambda p, X, Y: {"b1": rng.normal(size=7)}, NET, *ROWS).mistake == "unknown"
    assert bp.diagnose(lambda p, X, Y: {"b1": np.ones(int(rng.integers(1, 1000)))}, NET, *ROWS).where == "b1"


def test_each_open_name_has_its_own_reason():
    graph = bp.Graph(u="(x + 1e-9) * x", v="x * x", K="u - v - x * 1e-9", r="relu(z)", L="K + r")
    found = bp.diagnose({"x": 1e-17, "z": 0.5}, graph, at=dict(x=0.7, z=0))
    assert found.mistake == "none" and found.undecided
    assert re.search(r"cancel.*\(x\)", found.explanation) and re.search(r"kink.*\(z\)", found.explanation)


def test_the_zero_term_of_a_bias_in_the_penalty_has_the_shape_of_the_bias():
    net = bp.Network([2, 3, 2], ["tanh", "sigmoid"], l2=0.3, seed=1)
    net.parameters = {name: value + 0.2 for name, value in net.parameters.items()}
    wrong = {name: value + 0.3 * net.parameters[name] * (name[0] == "b") for name, value in net.gradient(*ROWS).items()}
    found = bp.diagnose(wrong, net, *ROWS)
    assert found.mistake == "l2-on-bias" and found.term.value.shape == found.term.wrt_shape == (2,)
    assert found.term.line == "mean(squared_error(A2, Y)) + 0.3/2 * sum(W**2)" and found.term.of_shape == ()


def test_a_stale_gradient_of_a_graph():
    memory = {"w": 0.0, "x": 0.0}

    def stale(w, x):
        memory["w"], memory["x"] = memory["w"] + x, memory["x"] + w
        return memory

    assert bp.diagnose(stale, bp.Graph(z="w * x"), at=dict(w=2, x=3)).mistake == "stale-gradient"
    calls = iter(range(100))
    assert (
        bp.diagnose(lambda w, x: {"w": x + 0.1 * next(calls)}, bp.Graph(z="w * x"), at=dict(w=2, x=3)).mistake
        == "unknown"
    )


def test_a_constant_line_has_no_gradient():
    assert bp.diagnose({"c": 1.0, "x": 2.0}, bp.Graph(c="2", L="x**2"), at=dict(x=1.0)).where == "c"
    assert bp.check_gradient(bp.Graph(L="2"), claimed={"L": 1.0}).verdict == "agree"


@pytest.mark.parametrize("keeps_all", [True, False])
def test_a_stale_gradient(keeps_all):
    last = dict.fromkeys(NET.parameters, 0.0)

    def stale(parameters, X, Y):
        right = learned(parameters, X, Y)
        total = {name: right[name] + last[name] for name in right}
        last.update(total if keeps_all else right)
        return total

    assert bp.diagnose(stale, NET, *ROWS).mistake == "stale-gradient"


def test_a_mistake_that_is_a_shape_error_on_the_given_numbers():
    def wrong_way(parameters, X, Y):
        A, Z, _ = textbook.forward(NET, parameters, X)
        D2 = (A[2] - Y) / len(X) * textbook.slope("sigmoid", Z[2])
        D1 = D2 @ parameters["W2"].T * textbook.slope("tanh", Z[1])
        return {"W1": D1.T @ X, "b1": D1.sum(axis=0), "W2": D2.T @ A[1], "b2": D2.sum(axis=0)}

    found = bp.diagnose(wrong_way, NET, *ROWS)
    assert (
        found.mistake == "weights-not-transposed" and "raised ValueError in `D1 = D2 @ parameters[" in found.explanation
    )


@pytest.mark.parametrize("change, mistake, words", [
    (lambda D, A, X: {"W2": (D.T @ A).T}, "weight-gradient-transposed", "this is the transpose"),
    (lambda D, A, X: {"W2": D.T @ X}, "x-for-a", "W2 has shape (4, 3), expected (4, 5)"),
    (lambda D, A, X: {"b2": D.sum(axis=1)}, "bias-wrong-axis", "b2 has shape (7,), expected (4,)"),
    (lambda D, A, X: {"b2": D.sum()}, "bias-total", "one number for all entries"),
    (lambda D, A, X: {"b2": D}, "unknown", "one gradient for each example"),
    (lambda D, A, X: {"b2": D.sum(axis=0)[None]}, "unknown", "not a row or a column"),
    (lambda D, A, X: {"b2": 2 * D.sum(axis=1)}, "unknown", "b2 has shape (7,)"),
    (lambda D, A, X: {"W2": 2 * (D.T @ A).T}, "unknown", "this is the transpose"),
])  # fmt: skip
def test_mistakes_that_give_a_wrong_shape(change, mistake, words):
    net, rng = bp.Network([3, 5, 4], ["tanh", "sigmoid"], seed=2), np.random.default_rng(0)
    X, Y = rng.normal(size=(7, 3)), rng.uniform(size=(7, 4))

    def function(parameters, X, Y):
        A, Z, _ = textbook.forward(net, parameters, X)
        D = (A[2] - Y) * textbook.slope("sigmoid", Z[2]) / len(X)
        return textbook.gradient(net, parameters, X, Y) | change(D, A[1], X)

    for claimed in (function, function(net.parameters, X, Y)):
        found = bp.diagnose(claimed, net, X, Y)
        assert found.mistake == mistake and words in found.explanation


def test_the_penalty_turns_with_a_transposed_gradient():
    net = bp.Network([2, 3, 2], ["tanh", "sigmoid"], l2=0.3, seed=1)
    turned = {name: value.T for name, value in net.gradient(*ROWS).items()}
    assert bp.diagnose(turned, net, *ROWS).mistake == "weight-gradient-transposed"


@pytest.mark.parametrize("seed", range(6))
def test_a_bias_total_that_cancels(seed):
    net, rng = bp.Network([5, 6, 4], ["tanh", "softmax"], "cross_entropy", seed=seed), np.random.default_rng(seed)
    X, Y = rng.normal(size=(9, 5)), rng.integers(0, 4, 9)

    def function(parameters, X, Y):
        rows = Y if np.ndim(Y) == 2 else np.eye(parameters["b2"].size)[Y]
        return textbook.gradient(net, parameters, X, rows, mistake="bias-total", only=2)

    assert bp.diagnose(function, net, X, Y).mistake == "bias-total"


def test_the_accuracy_of_the_textbook_formula_is_granted_and_no_more():
    net, X, Y = bp.Network([2, 3, 2], ["tanh", "sigmoid"], seed=1), *ROWS
    net.parameters |= {"b2": np.full(2, 30.0)}  # a (1 - a) has lost all but three digits
    exact = textbook.gradient(net, net.parameters, X, Y, mistake="sign")
    near = {name: value * 1.02 for name, value in exact.items()}
    assert bp.diagnose(exact, net, X, Y).mistake == "sign"
    assert bp.diagnose(near, net, X, Y).mistake == "unknown"


@pytest.mark.parametrize("bias", [0, 12, 15, 17, 25])
@pytest.mark.parametrize("mistake", ["sum-for-mean", "hidden-slope-missing", "bias-zero", "layer-factor"])
def test_rows_on_which_rounding_hides_the_mistake(bias, mistake):
    net, rng = bp.Network([2, 3, 1], ["tanh", "tanh"], seed=1), np.random.default_rng(0)
    net.parameters |= {"b2": np.full(1, float(bias))}
    X, Y = rng.normal(size=(5, 2)), rng.normal(size=(5, 1))

    def function(parameters, X, Y):
        return textbook.gradient(net, parameters, X, Y, mistake=mistake, name="W1", factor=10.0)

    assert bp.diagnose(function, net, X, Y).mistake == mistake
    assert bp.diagnose(function(net.parameters, X, Y), net, X, Y).mistake in (mistake, "unknown", "none")
    assert bp.diagnose(textbook.gradient(net, net.parameters, X, Y), net, X, Y).mistake == "none"


@pytest.mark.parametrize("mistake", ["hidden-slope-missing", "hidden-slope-at-a", "hidden-slope-twice", "slope-of-z"])
def test_one_helper_for_every_slope_the_outputs_too(mistake):
    net, rng = bp.Network([3, 4, 5, 2], ["tanh", "sigmoid", "sigmoid"], seed=1), np.random.default_rng(0)
    X, Y, parameters = rng.normal(size=(7, 3)), rng.uniform(size=(7, 2)), net.parameters
    wrong = {
        "hidden-slope-missing": lambda g, Z, A: 1.0, "hidden-slope-at-a": lambda g, Z, A: textbook.slope(g, A),
        "hidden-slope-twice": lambda g, Z, A: textbook.slope(g, Z) ** 2, "slope-of-z": lambda g, Z, A: Z * (1 - Z) if g == "sigmoid" else 1 - Z**2,
    }[mistake]  # fmt: skip
    A, Z, _ = textbook.forward(net, parameters, X)
    D, claimed = (A[3] - Y) / len(X), {}
    for layer in (3, 2, 1):
        D = D * wrong(net.activations[layer - 1], Z[layer], A[layer])
        claimed |= {f"W{layer}": D.T @ A[layer - 1], f"b{layer}": D.sum(axis=0)}
        D = D @ parameters[f"W{layer}"]
    assert bp.diagnose(claimed, net, X, Y).mistake == mistake


def test_the_slope_of_the_output_twice():
    net, rng = bp.Network([3, 4, 2], ["tanh", "sigmoid"], seed=1), np.random.default_rng(0)
    X, Y = rng.normal(size=(7, 3)), rng.uniform(size=(7, 2))
    A, Z, _ = textbook.forward(net, net.parameters, X)
    D2 = (A[2] - Y) / len(X) * textbook.slope("sigmoid", Z[2]) ** 2
    D1 = D2 @ net.parameters["W2"] * textbook.slope("tanh", Z[1])
    claimed = {"W1": D1.T @ X, "b1": D1.sum(axis=0), "W2": D2.T @ A[1], "b2": D2.sum(axis=0)}
    assert bp.diagnose(claimed, net, X, Y).mistake == "hidden-slope-twice"


def test_a_gate_that_float32_may_open():
    parameters = dict(W1=np.ones((1, 1)), b1=np.array([-1 - 1e-9]), W2=np.full((1, 1), 1e6), b2=np.zeros(1))
    net = bp.Network.from_parameters(parameters, ["relu", "identity"])
    X, Y = np.ones((1, 1)), np.full((1, 1), -1e6)

    def right(parameters, X, Y):
        exact = textbook.gradient(net, parameters, X, Y)
        return {name: value.astype(np.float32) for name, value in exact.items()}

    assert not right(parameters, X, Y)["W1"].any()
    assert bp.diagnose(right, net, X, Y).mistake == "none"


def test_a_factor_that_depends_on_the_numbers_is_no_constant():
    def function(parameters, X, Y):
        right = textbook.gradient(NET, parameters, X, Y)
        return right | {"W1": right["W1"] * X[0, 0]}

    assert bp.diagnose(function, NET, *ROWS).mistake == "unknown"
    assert bp.diagnose(function(NET.parameters, *ROWS), NET, *ROWS).mistake == "layer-factor"


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("keep", [False, True])
def test_the_sum_of_everything_as_one_number(dtype, keep):
    net, rng = bp.Network([2, 3, 1], ["tanh", "sigmoid"], dtype=dtype, seed=1), np.random.default_rng(0)
    X, Y = rng.normal(size=(5, 2)).astype(dtype), rng.uniform(size=(5, 1)).astype(dtype)

    def function(parameters, X, Y):
        A, Z, _ = textbook.forward(net, parameters, X)
        D2 = (A[2] - Y) / len(X) * textbook.slope("sigmoid", Z[2])
        D1 = D2 @ parameters["W2"] * textbook.slope("tanh", Z[1])
        return {"W1": D1.T @ X, "b1": D1.sum(keepdims=keep), "W2": D2.T @ A[1], "b2": D2.sum(keepdims=keep)}

    assert bp.diagnose(function(net.parameters, X, Y), net, X, Y).mistake == "bias-total"
    assert bp.diagnose(function, net, X, Y).mistake == "bias-total"


def test_one_number_for_one_bias_is_the_right_number():
    net = bp.Network([2, 3, 1], ["tanh", "sigmoid"], seed=1)
    right = net.gradient(ROWS[0], ROWS[1][:, :1])
    found = bp.diagnose(right | {"b2": right["b2"][0]}, net, ROWS[0], ROWS[1][:, :1])
    assert found.mistake == "unknown" and "arranged differently" in found.explanation


def test_wrong_shapes_are_explained():
    right = NET.gradient(*ROWS)
    found = bp.diagnose(right | {"W1": right["W1"].T}, NET, *ROWS)
    assert found.mistake == "weight-gradient-transposed" and "this is the transpose" in found.explanation
    assert bp.diagnose({"W1": right["W1"].T * 2}, NET, *ROWS).mistake == "unknown"
    assert "not a row or a column" in bp.diagnose({"b1": right["b1"][:, None]}, NET, *ROWS).explanation


@pytest.mark.parametrize("claimed, error, message", [
    ({}, ValueError, "claimed holds no name"), ({"V": 1.0}, ValueError, "claimed names 'V'"), ({"Z1": np.zeros((3, 3))}, ValueError, "claimed names 'Z1'"),
    ({"b1": [np.nan] * 3}, ValueError, "must be finite"), ({"W1": np.zeros((0, 2))}, ValueError, "is empty"), (None, TypeError, "claimed is None"),
    (lambda p, X, Y: None, TypeError, "forget its return"), (lambda p, X, Y: 1 / 0, ValueError, "your function raised ZeroDivisionError"),
    (in_place, ValueError, "your function changes W1"),
])  # fmt: skip
def test_claims_that_are_refused(claimed, error, message):
    with pytest.raises(error, match=message):
        bp.diagnose(claimed, NET, *ROWS)


def test_what_is_diagnosed_is_a_network_on_rows():
    with pytest.raises(TypeError, match="expected a Network or a Graph"):
        bp.diagnose({"w": 1.0}, 3)
    with pytest.raises(TypeError, match="give X and Y"):
        bp.diagnose({"W1": 1.0}, NET)
    with pytest.raises(TypeError, match="at and output are for graphs"):
        bp.diagnose({"W1": 1.0}, NET, *ROWS, at={"x": 1.0})
    with pytest.raises(TypeError, match="X and Y are for networks"):
        bp.diagnose({"x": 1.0}, TWICE, *ROWS)


# --- graphs -------------------------------------------------------------------------------------------------------------

TWICE = bp.Graph(s="x + y", z="s * x", L="sin(z)")


@pytest.mark.parametrize("claimed, mistake, fault", [
    (dict(x=5, y=2), "none", None), (dict(x=2, y=2), "path-missing", ("z", "x")), (dict(x=3, y=2), "path-missing", ("s", "x")),
    (dict(x=-5, y=-2), "sign", ("z", "s")), (dict(x=10, y=4), "factor-two", ("z", "s")), (dict(x=7, y=2), "unknown", None),
])  # fmt: skip
def test_a_graph(claimed, mistake, fault):
    graph = bp.Graph(s="x + y", z="s * x")
    found = bp.diagnose(claimed, graph, at=dict(x=2, y=1))
    assert found.mistake == mistake
    assert found.term is None if fault is None else (found.term.of, found.term.wrt) == fault


def test_a_term_left_out_of_a_graph(neuron):
    at = dict(x=1.5, w=-0.4, b=0.2, y=1.0)
    trace = neuron.forward(**at)
    found = bp.diagnose({"w": (trace["a"] - 1.0) * 1.5, "b": trace["a"] - 1.0}, neuron, at=at)
    assert found.mistake == "output-slope-missing" and (found.term.of, found.term.wrt) == ("a", "z")
    found = bp.diagnose(lambda x, w, b, y: {"w": 0.1}, neuron, at=at)
    assert found.mistake == "unknown"
    right = bp.backpropagate(neuron.terms(trace), "L")
    found = bp.diagnose({"w": right["z"], "b": right["b"]}, neuron, at=at)
    assert (
        found.mistake == "unknown" and (found.term.of, found.term.wrt) == ("z", "w") and "left out" in found.explanation
    )
