"""Dense networks against the complex step, their own unit graphs, PyTorch, and index notation."""

import math

import numpy as np
import pytest
import sympy as sp

import backproplab as bp
from backproplab.terms import RULES

LOSSES = {
    "squared_error": [*bp.ACTIVATIONS, "softmax"],
    "binary_cross_entropy": ["sigmoid"],
    "cross_entropy": ["softmax"],
}
PAIRS = [(loss, output) for loss, outputs in LOSSES.items() for output in outputs]


def random_case(seed):
    """A random network of 1 to 4 layers, rows of inputs and targets."""
    rng = np.random.default_rng(seed)
    depth = int(rng.integers(1, 5))
    sizes = [int(v) for v in rng.integers(1, 6, depth)] + [int(rng.integers(2, 5))]
    loss, output = PAIRS[seed % len(PAIRS)]
    hidden = [str(name) for name in rng.choice(list(bp.ACTIVATIONS), depth - 1)]
    net = bp.Network(
        sizes,
        [*hidden, output],
        loss=loss,
        l2=float(rng.choice([0, 0.3])),
        reduction=str(rng.choice(["mean", "sum"])),
        seed=seed,
    )
    net.parameters = {name: value + rng.normal(0, 0.2, value.shape) for name, value in net.parameters.items()}
    n = int(rng.integers(1, 6))
    Y = rng.integers(0, sizes[-1], n) if loss == "cross_entropy" else rng.uniform(size=(n, sizes[-1]))
    return net, rng.normal(size=(n, sizes[0])), Y


def complex_step(net, X, Y):
    """The test's own witness: every parameter's entry by a complex step through net.run."""
    trace, gradient = net.forward(X, Y), {}
    for name, value in net.parameters.items():
        gradient[name] = np.zeros(value.shape)
        for index in np.ndindex(value.shape):
            nudged = value.astype(complex)
            nudged[index] += 1e-40j
            gradient[name][index] = net.run(net.parameters | {name: nudged}, trace["X"], trace["Y"])["L"].imag / 1e-40
    return gradient


def assert_close(got, true, rel):
    assert np.shape(got) == np.shape(true)
    assert np.abs(got - true).max() <= rel * np.abs(true).max()


@pytest.mark.parametrize("seed", range(66))
def test_gradients_against_the_complex_step_and_the_unit_graph(seed):
    net, X, Y = random_case(seed)
    trace = net.forward(X, Y)
    terms = net.terms(trace)
    gradient, witness = bp.backpropagate(terms, "L"), complex_step(net, X, Y)
    lean = net.gradient(X, Y)
    assert list(lean) == list(net.parameters)
    for name in net.parameters:
        assert_close(gradient[name], witness[name], 1e-12)
        assert np.array_equal(lean[name], gradient[name])
    fused = {f"A{net.depth}"} if net.loss_name != "squared_error" else set()
    assert set(trace) - set(gradient) == fused
    assert all(np.shape(gradient[name]) == np.shape(trace[name]) for name in gradient)
    for name in ("W1", f"b{net.depth}"):
        assert_close(sum(path.value for path in bp.paths(terms, "L", name)), gradient[name], 1e-12)
    unit = net.graph(X[0], Y[0])
    one, units = net.gradient(X[0], Y[0]), bp.backpropagate(unit.terms(unit.forward()), "L")
    assert unit.forward()["L"] == pytest.approx(net.loss(X[0], Y[0]), rel=1e-13)
    for name, value in one.items():
        singles = [units[name + "".join(f"_{i + 1}" for i in index)] for index in np.ndindex(value.shape)]
        assert np.abs(np.reshape(singles, value.shape) - value).max() <= 1e-12 * np.abs(value).max()


@pytest.mark.parametrize("seed", range(22))
def test_each_formula_is_its_value(seed):
    net, X, Y = random_case(seed)
    trace = net.forward(X, Y)
    for term in net.terms(trace):
        names = sorted(symbol.name for symbol in term.formula.free_symbols)
        for index in [tuple(0 for _ in term.shape), tuple(v - 1 for v in term.shape)]:
            at = {
                name: sp.Float(float(np.asarray(trace[name])[index if np.ndim(trace[name]) else ()]), 60)
                for name in names
            }
            value = float(np.asarray(term.value)[index])
            addends = sum(abs(float(part.subs(at).evalf(50))) for part in sp.Add.make_args(term.formula))
            assert abs(float(term.formula.subs(at).evalf(50)) - value) <= 1e-12 * addends, term


@pytest.mark.parametrize("seed", range(100))
def test_against_pytorch(seed):
    torch = pytest.importorskip("torch")
    net, X, Y = random_case(seed)
    F = torch.nn.functional
    known = {name: getattr(F, name) for name in ("softplus", "gelu", "silu", "relu", "leaky_relu")}
    known |= {
        "identity": lambda z: z,
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "softmax": lambda z: torch.softmax(z, 1),
    }
    leaves = {name: torch.tensor(value, requires_grad=True) for name, value in net.parameters.items()}
    a = torch.tensor(X)
    for layer, activation in enumerate(net.activations, 1):
        z = F.linear(a, leaves[f"W{layer}"], leaves[f"b{layer}"])
        a = known[activation](z)
    if net.loss_name == "squared_error":
        loss = ((a - torch.tensor(Y)) ** 2).sum() / 2
    elif net.loss_name == "binary_cross_entropy":
        loss = F.binary_cross_entropy_with_logits(z, torch.tensor(Y), reduction="sum")
    else:
        loss = F.cross_entropy(z, torch.tensor(Y), reduction="sum")
    loss = loss / (len(X) if net.reduction == "mean" else 1)
    loss = loss + net.l2 / 2 * sum((leaves[f"W{layer}"] ** 2).sum() for layer in range(1, net.depth + 1))
    loss.backward()
    assert net.loss(X, Y) == pytest.approx(float(loss.detach()), rel=1e-12)
    for name, value in net.gradient(X, Y).items():
        assert_close(value, leaves[name].grad.numpy(), 1e-10)


def test_the_rules_from_index_notation():
    """Each rule as a contraction with d z_i/d(...), differentiated by SymPy for symbolic sizes, against its NumPy."""
    n, m, p = sp.symbols("n m p", integer=True, positive=True)
    i, j, k, r, s = sp.symbols("i j k r s", integer=True, nonnegative=True)
    W, X, b, D = map(sp.IndexedBase, "WXbD")
    line = sp.Sum(X[i, j] * W[k, j], (j, 0, m - 1)) + b[k]
    rng = np.random.default_rng(0)
    N, M, K = 4, 3, 2
    numbers = {
        X: rng.normal(size=(N, M)),
        W: rng.normal(size=(K, M)),
        b: rng.normal(size=K),
        D: rng.normal(size=(N, K)),
    }

    def contracted(slope, shape, first, second):
        """sum_ik D_ik slope_ik, with numbers for the sizes and the entries."""
        total = np.zeros(shape)
        for index in np.ndindex(shape):
            at = dict(zip((r, s), index, strict=False))
            for a in range(N):
                for c in range(K):
                    entry = slope.subs({m: M}).subs(at).subs({i: a, k: c}).doit()
                    entry = entry.subs(
                        {x: numbers[x.base][tuple(map(int, x.indices))] for x in entry.atoms(sp.Indexed)}
                    )
                    total[index] += numbers[D][a, c] * float(entry)
        return total

    for rule, name, shape, value in [
        ("onto weights", W[r, s], (K, M), numbers[X]),
        ("through weights", X[r, s], (N, M), numbers[W]),
        ("onto bias", b[r], (K,), 1.0),
    ]:
        slope = line.diff(name)
        assert slope.has(sp.KroneckerDelta)
        assert_close(RULES[rule].pull(numbers[D], value), contracted(slope, shape, n, p), 1e-13)
    z = sp.symbols("z0:3")
    soft = [sp.exp(v) / sum(map(sp.exp, z)) for v in z]
    at = dict(zip(z, (0.3, -1.2, 0.8), strict=True))
    jacobian = np.array([[float(a.diff(v).subs(at)) for v in z] for a in soft])
    d = rng.normal(size=(1, 3))
    assert_close(RULES["through softmax"].pull(d, np.array([[float(a.subs(at)) for a in soft]])), d @ jacobian, 1e-13)
    assert np.array_equal(RULES["times"].pull(d, d), d * d)


def test_the_worked_example_of_two_inputs_two_hidden_units_and_two_outputs():
    """Two inputs .05 and .10, weights .15 to .55: the error and the first gradients as they are printed everywhere."""
    parameters = {
        "W1": [[0.15, 0.20], [0.25, 0.30]],
        "b1": [0.35, 0.35],
        "W2": [[0.40, 0.45], [0.50, 0.55]],
        "b2": [0.60, 0.60],
    }
    net = bp.Network.from_parameters(parameters, ["sigmoid", "sigmoid"])
    x, y = [0.05, 0.10], [0.01, 0.99]
    assert net.loss(x, y) == pytest.approx(0.298371109, abs=5e-10)
    gradient = net.gradient(x, y)
    assert gradient["W2"][0, 0] == pytest.approx(0.082167041, abs=5e-10)
    assert gradient["W1"][0, 0] == pytest.approx(0.000438568, abs=5e-10)
    net.parameters = {name: value - 0.5 * gradient[name] * (name[0] == "W") for name, value in net.parameters.items()}
    assert net.loss(x, y) == pytest.approx(0.2910277737, abs=5e-11)
    for _ in range(9_999):
        gradient = net.gradient(x, y)
        net.parameters = {
            name: value - 0.5 * gradient[name] * (name[0] == "W") for name, value in net.parameters.items()
        }
    assert net.predict(x)[0] == pytest.approx([0.0159136204, 0.9840642735], abs=5e-11)


def test_the_first_seeds_code():
    W, b, x = np.array([[0.1, 0.2], [0.3, 0.4]]), np.array([0.5, 0.5]), np.array([1, 2])
    a = 1 / (1 + np.exp(-(W @ x + b)))
    delta = (a - 1) * a * (1 - a)
    net = bp.Network.from_parameters({"W1": W, "b1": b}, ["sigmoid"])
    assert_close(net.gradient(x, np.ones(2))["W1"], np.outer(delta, x), 1e-14)


@pytest.mark.parametrize("scale", [1e4, 1e6])
@pytest.mark.parametrize("loss, output", [("binary_cross_entropy", "sigmoid"), ("cross_entropy", "softmax")])
def test_cross_entropies_at_large_logits(loss, output, scale):
    net = bp.Network.from_parameters({"W1": scale * np.eye(3), "b1": np.zeros(3)}, [output], loss=loss)
    X, Y = np.array([[1.0, -1.0, 0.5]]), np.array([[0.0, 1.0, 0.0]])
    with np.errstate(all="raise", under="ignore"):
        assert net.loss(X, Y) == (2.5 * scale if loss == "binary_cross_entropy" else 2 * scale)
        expected = np.outer([1, -1, 1 if loss == "binary_cross_entropy" else 0], X[0])
        assert_close(net.gradient(X, Y)["W1"], expected, 1e-14)


def test_inputs_whose_sum_overflows_are_finite():
    net = bp.Network.from_parameters({"W1": [[1e-300, 0.0]], "b1": [0.0]}, ["identity"])
    assert net.predict([[1e308, 1e308]])[0, 0] == pytest.approx(1e8)


WIDE = {"W1": [[1e308, 1e308]], "b1": [0.0]}


@pytest.mark.parametrize("method", ["forward", "loss", "gradient", "predict"])
@pytest.mark.parametrize("make, X, message", [
    (lambda: bp.Network.from_parameters(WIDE, ["sigmoid"]), [[0.0, 0.0], [10.0, -10.0]], r"Z1 = X @ W1.T \+ b1 is (-?inf|nan) in layer 1 at row 1, unit 1: past float64, with \|X\| up to 10, \|W1\| up to 1e308"),
    (lambda: bp.Network.from_parameters({"W1": [[1.0]], "b1": [0.0], "W2": [[1.0], [-1e200]], "b2": [0.0, 0.0]}, ["identity", "tanh"]), [[1e150]], r"Z2 = A1 @ W2.T \+ b2 is -inf in layer 2 at row 0, unit 2"),
    (lambda: bp.Network.from_parameters({"W1": np.full((1, 1), 1e30, np.float32), "b1": np.zeros(1, np.float32)}, ["relu"]), [[-1e30]], "Z1 .* is -inf in layer 1 at row 0, unit 1: past float32"),
    (lambda: bp.Network.from_parameters({"W1": [[1e308], [1.0]], "b1": [0.0] * 2}, ["softmax"], loss="cross_entropy"), [[10.0]], "Z1 .* is inf"),
])  # fmt: skip
def test_an_overflow_is_named_and_not_silent(make, X, message, method):
    """Behind a sigmoid, a tanh or a closed ReLU an infinite Z looks like any other."""
    net = make()
    Y = np.zeros((len(X), net.sizes[-1])) + (np.eye(net.sizes[-1])[0] if net.loss_name == "cross_entropy" else 0)
    with pytest.raises(ValueError, match=f"Network.{method}: {message}"):
        net.predict(X) if method == "predict" else getattr(net, method)(X, Y)
    if net.dtype == float:  # a check of a float32 net is done in float64, where nothing overflows
        with pytest.raises(ValueError, match=message):
            bp.check_gradient(net, X, Y)


def test_a_loss_or_a_gradient_past_float64():
    net = bp.Network.from_parameters({"W1": [[1e200]], "b1": [0.0]}, ["identity"])
    assert net.predict([[1.0]]) == 1e200
    with pytest.raises(
        ValueError,
        match=r"Network.loss: L = mean\(squared_error\(A1, Y\)\) is inf: past float64, with \|A1\| up to 1e200",
    ):
        net.loss([[1.0]], [[0.0]])
    small = bp.Network.from_parameters({"W1": [[1e80]], "b1": [0.0]}, ["identity"])
    with pytest.raises(ValueError, match=r"Network.gradient: dL/dW1, in layer 1, must be finite, found inf"):
        small.gradient([[1e150]], [[0.0]])
    narrow = bp.Network([1, 1], ["tanh"], dtype=np.float32)
    before = narrow.parameters
    with pytest.raises(ValueError, match="W1 must be finite, found inf"):
        narrow.parameters = {"W1": [[1e300]], "b1": [0.0]}
    assert all(np.array_equal(before[name], narrow.parameters[name]) for name in before)


def test_a_net_of_50_layers():
    net = bp.Network([3] * 51, ["sigmoid"] * 50, seed=1)
    X, Y = np.random.default_rng(0).normal(size=(2, 3)), np.full((2, 3), 0.5)
    gradient, witness = net.gradient(X, Y), complex_step(net, X, Y)
    assert 0 < np.abs(gradient["W1"]).max() < 1e-14
    for name in gradient:
        assert_close(gradient[name], witness[name], 1e-11)


@pytest.mark.parametrize("activation", bp.ACTIVATIONS)
def test_float32_is_kept(activation):
    net = bp.Network([4, 5, 2], [activation, "softmax"], loss="cross_entropy", l2=0.1, dtype=np.float32)
    X, Y = np.random.default_rng(0).normal(size=(6, 4)), [0, 1, 1, 0, 1, 0]
    trace = net.forward(X, Y)
    assert {np.asarray(value).dtype for value in trace.values()} == {np.dtype(np.float32)}
    assert {value.dtype for value in net.gradient(X, Y).values()} == {np.dtype(np.float32)}
    wide = bp.Network.from_parameters(
        {k: v.astype(float) for k, v in net.parameters.items()}, net.activations, "cross_entropy", 0.1
    )
    for name, value in net.gradient(X, Y).items():
        assert_close(value, wide.gradient(X, Y)[name], 1e-5)


def test_one_example_is_a_batch_of_one():
    net = bp.Network([3, 2], ["tanh"], seed=2)
    assert_close(net.gradient([1, 2, 3], [0.5, -0.5])["W1"], net.gradient([[1, 2, 3]], [[0.5, -0.5]])["W1"], 0)
    classes = bp.Network([3, 4], ["softmax"], loss="cross_entropy")
    one_hot = classes.gradient([1, 2, 3], [0, 0, 1, 0])["W1"]
    assert all(np.array_equal(classes.gradient([1, 2, 3], label)["W1"], one_hot) for label in (2, [2], np.int64(2)))
    assert np.array_equal(classes.forward([[1, 2, 3]] * 4, [0, 1, 2, 3])["Y"], np.eye(4))


@pytest.mark.parametrize("make", [
    np.asfortranarray, lambda a: np.repeat(a, 2, axis=0)[::2], lambda a: a[::-1][::-1], lambda a: np.broadcast_to(a, a.shape), np.ndarray.tolist,
])  # fmt: skip
def test_arrays_of_every_kind_give_the_same_and_stay_untouched(make, tmp_path):
    net, X, Y = random_case(5)
    right = net.gradient(X, Y)
    odd_X, odd_Y = make(X), make(np.asarray(Y))
    before = np.array(odd_X), np.array(odd_Y)
    for array in (odd_X, odd_Y):
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
    for name, value in net.gradient(odd_X, odd_Y).items():
        assert_close(value, right[name], 1e-13)
    assert np.array_equal(odd_X, before[0]) and np.array_equal(odd_Y, before[1])
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert all(np.array_equal(value, right[name]) for name, value in net.gradient(mapped, Y).items())


def test_parameters_are_copied_and_never_written():
    W = np.ones((2, 3))
    net = bp.Network.from_parameters({"W1": W, "b1": np.zeros(2, int)}, ["identity"])
    W[0, 0] = 99
    assert net.parameters["W1"][0, 0] == 1 and net.parameters["b1"].dtype == float
    old = net.parameters["W1"]
    net.parameters = {"W1": old + 1, "b1": [0.5, 0.5]}
    assert old[0, 0] == 1 and net.parameters["W1"][0, 0] == 2 and net.parameters["b1"][0] == 0.5


def test_derive_in_matrices():
    net = bp.Network([2, 3, 1], ["tanh", "sigmoid"], l2=0.1)
    trace = net.forward([[1, 2], [3, 4], [5, 6], [7, 8]], np.zeros((4, 1)))
    derivation = net.derive("W1", trace)
    for piece in (
        r"\underset{4 \times 1}{\delta^{(2)}} \, {\color",
        r"\underset{1 \times 3}{W^{(2)}}",
        r"\underset{4 \times 3}{\delta^{(1)}}^{\top}",
        r"\tanh'\left(Z^{(1)}\right)",
        r"\frac{W^{(1)}}{10}",
        r"\begin{pmatrix}",
    ):
        assert piece in derivation.latex, piece
    assert_close(derivation.value, net.gradient(trace["X"], trace["Y"])["W1"], 0)
    assert r"\left(\delta^{(l+1)} \, W^{(l+1)}\right) \odot g'" in derivation.recursion
    for name in ("b1", "W2", "b2", "Z1", "X"):
        assert net.derive(name, trace).latex.count("&=") >= 2
    assert r"\frac{\partial Z^{(1)}}{\partial b^{(1)}}" in net.derive("b1", trace).latex
    for ask in (
        lambda: derivation.formula,
        lambda: derivation.closed_form,
        lambda: bp.paths(net.terms(trace), "L", "W1")[0].formula,
    ):
        with pytest.raises(ValueError, match=r"net.graph"):
            ask()


def test_the_first_row_of_a_derivation_starts_at_the_loss():
    net = bp.Network([2, 1], ["sigmoid"], loss="binary_cross_entropy", reduction="sum")
    derivation = net.derive("W1", net.forward([[1, 2], [3, 4]], [[1], [0]]))
    color = next(iter(derivation.colors.values()))
    start = rf"\delta^{{(1)}} = \frac{{\partial L}}{{\partial Z^{{(1)}}}} &= {{\color{{{color}}}{{\underset{{2 \times 1}}{{A^{{(1)}} - Y}}}}}} = \begin{{pmatrix}}"
    assert start in derivation.latex


@pytest.mark.parametrize("reduction, share", [("mean", 1 / 3), ("sum", 1)])
def test_the_loss_of_a_batch_by_its_definition(reduction, share):
    Z, Y = np.array([[0.5, -1.0], [2.0, 0.1], [-0.3, 0.7]]), np.array([[1.0, 0.0], [0.2, 0.8], [0.0, 1.0]])
    sigmoid, soft = 1 / (1 + np.exp(-Z)), np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
    for loss, output, each in [
        ("squared_error", "identity", (Z - Y) ** 2 / 2),
        ("binary_cross_entropy", "sigmoid", -(Y * np.log(sigmoid) + (1 - Y) * np.log(1 - sigmoid))),
        ("cross_entropy", "softmax", -Y * np.log(soft)),
    ]:
        net = bp.Network.from_parameters(
            {"W1": np.eye(2), "b1": [0, 0]}, [output], loss=loss, l2=0.5, reduction=reduction
        )
        assert net.loss(Z, Y) == pytest.approx(each.sum() * share + 0.25 * 2, rel=1e-14)


def test_paths_of_a_single_weight():
    net = bp.Network([2, 2, 2], ["tanh", "sigmoid"], seed=3)
    graph = net.graph([0.5, -1], [0, 1])
    trace = graph.forward()
    paths = bp.paths(graph.terms(trace), "L", "W1_2_1")
    assert [path.names for path in paths] == [
        ("L", "a2_1", "z2_1", "a1_2", "z1_2", "W1_2_1"), ("L", "a2_2", "z2_2", "a1_2", "z1_2", "W1_2_1"),
    ]  # fmt: skip
    assert math.isclose(sum(path.value for path in paths), net.gradient([0.5, -1], [0, 1])["W1"][1, 0], rel_tol=1e-13)


GOOD = {"W1": np.ones((3, 2)), "b1": np.zeros(3), "W2": np.ones((1, 3)), "b2": np.zeros(1)}


@pytest.mark.parametrize("call, error, message", [
    (lambda: bp.Network([], []), ValueError, "an input and at least one layer"),
    (lambda: bp.Network([3], []), ValueError, "an input and at least one layer"),
    (lambda: bp.Network(3, []), TypeError, "sizes must be a list"),
    (lambda: bp.Network([3, 0], ["tanh"]), ValueError, "at least one unit, found the size 0"),
    (lambda: bp.Network([3, -2], ["tanh"]), ValueError, "found the size -2"),
    (lambda: bp.Network([3, 2.0], ["tanh"]), TypeError, "must be a whole number, found float 2.0"),
    (lambda: bp.Network([3, True], ["tanh"]), TypeError, "must be a whole number"),
    (lambda: bp.Network([3, 2], ["tahn"]), ValueError, "unknown activation 'tahn'; known are identity, sigmoid"),
    (lambda: bp.Network([3, 2], "tanh"), TypeError, "a list with a name for each layer"),
    (lambda: bp.Network([3, 2], ["tanh", "tanh"]), ValueError, "1 layers need 1 activations, found 2"),
    (lambda: bp.Network([3, 2, 2], ["softmax", "tanh"]), ValueError, "softmax is an output, found at layer 1 of 2"),
    (lambda: bp.Network([3, 2], ["tanh"], loss="mse"), ValueError, "unknown loss 'mse'; known are squared_error"),
    (lambda: bp.Network([3, 2], ["tanh"], loss="cross_entropy"), ValueError, "cross_entropy needs the output softmax, found tanh"),
    (lambda: bp.Network([3, 2], ["softmax"], loss="binary_cross_entropy"), ValueError, "needs the output sigmoid"),
    (lambda: bp.Network([3, 2], ["tanh"], reduction="none"), ValueError, "unknown reduction 'none'; known are mean, sum"),
    (lambda: bp.Network([3, 2], ["tanh"], l2=-1), ValueError, "l2 must be finite and not negative"),
    (lambda: bp.Network([3, 2], ["tanh"], l2="1"), TypeError, "l2 must be a real number"),
    (lambda: bp.Network([3, 2], ["tanh"], dtype=int), ValueError, "dtype must be float64 or float32"),
    (lambda: bp.Network.from_parameters([1], ["tanh"]), TypeError, "parameters must be a dict"),
    (lambda: bp.Network.from_parameters({}, ["tanh"]), ValueError, "lack W1, b1"),
    (lambda: bp.Network.from_parameters({k: v for k, v in GOOD.items() if k != "b2"}, ["tanh"] * 2), ValueError, "lack b2"),
    (lambda: bp.Network.from_parameters(GOOD | {"V": 1}, ["tanh"] * 2), ValueError, r"lack W3, b3|hold the superfluous V"),
    (lambda: bp.Network.from_parameters(GOOD | {"W2": np.ones((1, 4))}, ["tanh"] * 2), ValueError, r"W2 has shape \(1, 4\) but layer 2 maps 3 units to 1: expected \(1, 3\)"),
    (lambda: bp.Network.from_parameters(GOOD | {"b1": np.ones((3, 1))}, ["tanh"] * 2), ValueError, r"b1 has shape \(3, 1\)"),
    (lambda: bp.Network.from_parameters(GOOD | {"W1": 1j * np.ones((3, 2))}, ["tanh"] * 2), TypeError, "W1 must hold real numbers, found dtype complex128"),
    (lambda: bp.Network.from_parameters(GOOD | {"W1": np.full((3, 2), np.nan)}, ["tanh"] * 2), ValueError, "W1 must be finite, found nan"),
    (lambda: bp.Network.from_parameters(GOOD | {"W1": [[1, 2], [3]]}, ["tanh"] * 2), ValueError, "W1 must form one array"),
])  # fmt: skip
def test_networks_that_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("method", ["forward", "gradient", "loss", "terms", "derive"])
@pytest.mark.parametrize("X, Y, error, message", [
    (np.ones((4, 3)), np.ones((4, 1)), ValueError, r"X has shape \(4, 3\), expected \(n, 2\)"),
    (np.ones(3), np.ones(1), ValueError, r"X has shape \(3,\)"),
    (np.ones((4, 2, 1)), np.ones((4, 1)), ValueError, r"X has shape \(4, 2, 1\)"),
    (np.ones((0, 2)), np.ones((0, 1)), ValueError, "there are no examples"),
    (np.array([[1, None]]), np.ones((1, 1)), TypeError, "X must hold real numbers, found dtype object"),
    ([["a", "b"]], np.ones((1, 1)), TypeError, "X must hold real numbers"),
    (np.array([[1, np.nan]]), np.ones((1, 1)), ValueError, "X must be finite, found nan"),
    (np.array([[1, np.inf]]), np.ones((1, 1)), ValueError, "X must be finite, found inf"),
    (np.ones((4, 2)), np.ones(4), ValueError, r"Y has shape \(4,\) but the output has shape \(4, 1\).*reshape"),
    (np.ones((4, 2)), np.ones((1, 4)), ValueError, r"Y has shape \(1, 4\) but the output has shape \(4, 1\)"),
    (np.ones((4, 2)), np.full((4, 1), np.nan), ValueError, "Y must be finite"),
    (np.ones((4, 2)), np.full((4, 1), 1j), TypeError, "Y must hold real numbers"),
])  # fmt: skip
def test_data_that_is_refused(method, X, Y, error, message):
    net = bp.Network.from_parameters(GOOD, ["tanh", "sigmoid"], loss="binary_cross_entropy")
    calls = {"terms": lambda: net.terms(net.forward(X, Y)), "derive": lambda: net.derive("W1", net.forward(X, Y))}
    with pytest.raises(error, match=message):
        calls.get(method, lambda: getattr(net, method)(X, Y))()


@pytest.mark.parametrize("loss, output, Y, message", [
    ("cross_entropy", "softmax", [0, 3], "labels must lie in 0..2, found 3"),
    ("cross_entropy", "softmax", [0, -1], "labels must lie in 0..2, found -1"),
    ("cross_entropy", "softmax", [0, 1.5], "labels must be whole numbers, found 1.5"),
    ("cross_entropy", "softmax", [0, 1, 2], r"Y has shape \(3,\), expected labels \(2,\) or rows \(2, 3\)"),
    ("cross_entropy", "softmax", [[0.5, 0.2, 0.2], [1, 0, 0]], "sum to 1"),
    ("cross_entropy", "softmax", [[1.5, -0.5, 0], [1, 0, 0]], "must be >= 0"),
    ("binary_cross_entropy", "sigmoid", [[0, 1, 2], [0, 0, 0]], r"lie in 0..1, found 2"),
    ("binary_cross_entropy", "sigmoid", [[0, 1, -1], [0, 0, 0]], r"lie in 0..1, found -1"),
])  # fmt: skip
def test_targets_that_are_refused(loss, output, Y, message):
    net = bp.Network([2, 3], [output], loss=loss)
    with pytest.raises(ValueError, match=message):
        net.gradient(np.ones((2, 2)), Y)


def test_what_else_is_refused():
    net = bp.Network([2, 3, 1], ["tanh", "sigmoid"], loss="binary_cross_entropy")
    X, Y = np.ones((4, 2)), np.ones((4, 1))
    trace = net.forward(X, Y)
    with pytest.raises(ValueError, match="the trace has no L"):
        net.terms(net.forward(X))
    with pytest.raises(ValueError, match="no quantity 'A2'"):
        net.derive("A2", trace)
    with pytest.raises(ValueError, match="expected one example, found 4"):
        net.graph(X, Y)
    with pytest.raises(ValueError, match=r"\d+ edges, at most 5000"):
        bp.Network([100, 50], ["tanh"]).graph(np.ones(100), np.ones(50))
    with pytest.raises(ValueError, match=r"W1 must have shape \(3, 2\)"):
        net.parameters = GOOD | {"W1": np.ones((3, 3))}


# --- initial weights ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("init, variance", [("xavier", 2 / 700), ("he", 2 / 400), (0.3, 0.09)])
def test_weights_are_drawn_with_the_variance_of_their_way(init, variance):
    W = bp.Network([400, 300], ["relu"], init=init, seed=3).parameters["W1"]
    n = W.size
    assert abs(W.var() / variance - 1) < 5 * np.sqrt(2 / n) and abs(W.mean()) < 5 * np.sqrt(variance / n)
    assert (bp.Network([400, 300], ["relu"], init=init, seed=3).parameters["W1"] == W).all()
    if init == "xavier":
        bound = np.sqrt(6 / 700)
        assert bound > abs(W).max() > 0.999 * bound
        assert (np.random.default_rng(3).uniform(-bound, bound, (300, 400)) == W).all()


@pytest.mark.parametrize("sizes", [(7, 4), (4, 7), (5, 5), (1, 3)])
def test_orthogonal_weights(sizes):
    W = bp.Network(sizes, ["tanh"], init="orthogonal", seed=1).parameters["W1"]
    small = W @ W.T if W.shape[0] <= W.shape[1] else W.T @ W
    assert W.shape == sizes[::-1] and np.allclose(small, np.eye(min(sizes)), rtol=0, atol=1e-14)


def test_weights_of_size_zero_learn_nothing_but_the_last_bias():
    net = bp.Network([2, 3, 1], ["tanh", "identity"], init=0)
    gradient = net.gradient([[1.0, 2.0]], [[1.0]])
    assert [name for name, value in gradient.items() if value.any()] == ["b2"]


@pytest.mark.parametrize("init, error, message", [
    ("glorot", ValueError, "unknown init 'glorot'; choose from xavier, he, orthogonal, or give a number"), (-1, ValueError, "from 0 to 1e.100, found int -1"),
    (float("nan"), ValueError, "from 0 to"), (float("inf"), ValueError, "from 0 to"), (10**400, ValueError, "from 0 to"), (1e308, ValueError, "from 0 to"), (None, TypeError, "init must be one of"), (True, TypeError, "init must be"), ([1.0], TypeError, "init must be"),
])  # fmt: skip
def test_ways_to_begin_that_are_refused(init, error, message):
    with pytest.raises(error, match=message):
        bp.Network([2, 1], ["tanh"], init=init)


def test_weights_that_their_dtype_cannot_hold_are_refused():
    with pytest.raises(ValueError, match=r"init 1e.39 draws weights past float32"):
        bp.Network([20, 30, 1], ["tanh", "identity"], init=1e39, dtype=np.float32)
    for init, dtype in ((1e39, np.float64), (np.float32(1e30), np.float32)):
        assert np.isfinite(bp.Network([20, 30], ["tanh"], init=init, dtype=dtype).parameters["W1"]).all()
