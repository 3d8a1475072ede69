"""Batch normalisation and residuals against PyTorch, the complex step, 50 digits, index notation and a program of its own."""

import copy
import pickle
import re

import numpy as np
import pytest
import sympy as sp
import textbook
from test_network import assert_close, complex_step

import backproplab as bp
from backproplab.terms import RULES, sizes

HIDDEN = ["sigmoid", "tanh", "relu", "leaky_relu", "softplus", "silu"]


def built_net(seed, dtype=float):
    """A random network of 2 to 4 layers with normalised layers, skips or both, rows of inputs and targets."""
    rng = np.random.default_rng([7, seed])
    depth = int(rng.integers(2, 5))
    width = int(rng.integers(2, 6))
    sizes = [int(rng.integers(2, 5)), *[width] * (depth - 1), int(rng.integers(2, 4))]
    loss = ("squared_error", "binary_cross_entropy", "cross_entropy")[seed % 3]
    output = {"squared_error": "tanh", "binary_cross_entropy": "sigmoid", "cross_entropy": "softmax"}[loss]
    normalised = [bool(v) for v in rng.integers(0, 2, depth - 1)] if seed % 4 else True
    net = bp.Network(
        sizes, [*map(str, rng.choice(HIDDEN, depth - 1)), output], loss=loss, l2=float(rng.choice([0, 0.3])),
        reduction=str(rng.choice(["mean", "sum"])), seed=seed, dtype=dtype, batch_norm=normalised, residual=bool(seed % 2),
    )  # fmt: skip
    net.parameters = {name: value + rng.normal(0, 0.3, value.shape) for name, value in net.parameters.items()}
    n = int(rng.integers(2, 7))
    Y = rng.integers(0, sizes[-1], n) if loss == "cross_entropy" else rng.uniform(size=(n, sizes[-1]))
    return net, rng.normal(size=(n, sizes[0])) + 0.5, Y


def in_pytorch(net):
    """The same network as PyTorch modules, in double precision, and the loss of its logits and outputs."""
    torch = pytest.importorskip("torch")
    known = {"identity": torch.nn.Identity, "sigmoid": torch.nn.Sigmoid, "tanh": torch.nn.Tanh, "relu": torch.nn.ReLU,
             "leaky_relu": torch.nn.LeakyReLU, "softplus": torch.nn.Softplus, "silu": torch.nn.SiLU,
             "softmax": lambda: torch.nn.Softmax(dim=1)}  # fmt: skip
    linear, norm = {}, {}
    for layer, (n_in, n_out) in enumerate(zip(net.sizes, net.sizes[1:], strict=False), 1):
        normalised = f"gamma{layer}" in net.parameters
        linear[layer] = torch.nn.Linear(n_in, n_out, bias=not normalised, dtype=torch.float64)
        linear[layer].weight.data = torch.tensor(net.parameters[f"W{layer}"])
        if normalised:
            norm[layer] = torch.nn.BatchNorm1d(n_out, dtype=torch.float64)
            norm[layer].weight.data = torch.tensor(net.parameters[f"gamma{layer}"])
            norm[layer].bias.data = torch.tensor(net.parameters[f"beta{layer}"])
        else:
            linear[layer].bias.data = torch.tensor(net.parameters[f"b{layer}"])

    def forward(x):
        for layer, name in enumerate(net.activations, 1):
            z = linear[layer](x)
            z = norm[layer](z) if layer in norm else z
            a = known[name]()(z)
            x = a + x if net.residual and layer < net.depth and a.shape == x.shape else a
        return z, x

    def loss(x, y):
        z, a = forward(torch.tensor(x))
        F, y = torch.nn.functional, torch.tensor(y)
        total = {
            "squared_error": lambda: ((a - y) ** 2).sum() / 2,
            "binary_cross_entropy": lambda: F.binary_cross_entropy_with_logits(z, y, reduction="sum"),
            "cross_entropy": lambda: F.cross_entropy(z, y, reduction="sum"),
        }[net.loss_name]()
        total = total / (len(x) if net.reduction == "mean" else 1)
        return total + net.l2 / 2 * sum((one.weight**2).sum() for one in linear.values())

    def named(read):
        found = {}
        for layer, one in linear.items():
            found[f"W{layer}"] = read(one.weight)
            if layer in norm:
                found |= {f"gamma{layer}": read(norm[layer].weight), f"beta{layer}": read(norm[layer].bias)}
            else:
                found[f"b{layer}"] = read(one.bias)
        return found

    return torch, linear, norm, forward, loss, named


def assert_as_pytorch(seed):
    """Loss, gradients, three steps of training, running statistics and inference."""
    net, X, Y = built_net(seed)
    torch, linear, norm, forward, loss, named = in_pytorch(net)
    loss(X, Y).backward()
    gradient = net.gradient(X, Y)
    for name, true in named(lambda tensor: tensor.grad.numpy()).items():
        size = np.abs(true).max()
        assert np.abs(gradient[name] - true).max() <= 1e-10 * max(size, 1e-5), (seed, name)
    for one in norm.values():
        one.reset_running_stats()
    optimizer = torch.optim.SGD([p for one in (*linear.values(), *norm.values()) for p in one.parameters()], lr=0.05)
    for _ in range(3):
        optimizer.zero_grad()
        loss(X, Y).backward()
        optimizer.step()
    bp.train(net, X, Y, bp.SGD(0.05), epochs=3, batch_size=len(X), seed=0)
    for layer, one in norm.items():
        assert_close(net.running[f"mu{layer}"], one.running_mean.numpy(), 1e-10)
        assert_close(net.running[f"var{layer}"], one.running_var.numpy(), 1e-10)
        one.eval()
    with torch.no_grad():
        true = forward(torch.tensor(X))[1].numpy()
    assert_close(net.predict(X), true, 1e-9)
    assert_close(net.predict(X[:1]), true[:1], 1e-9)


@pytest.mark.parametrize("seed", range(24))
def test_against_pytorch(seed):
    assert_as_pytorch(seed)


@pytest.mark.parametrize("seed", range(24))
def test_gradients_against_the_complex_step_and_a_program_of_the_tests(seed):
    net, X, Y = built_net(seed)
    trace = net.forward(X, Y)
    terms = net.terms(trace)
    gradient, witness = bp.backpropagate(terms, "L"), complex_step(net, X, Y)
    own = textbook.gradient(net, net.parameters, X, trace["Y"])
    addends = sizes(terms, "L")  # means take nearly all of a gradient away where there are two rows
    scale = {name: max(np.abs(value).max(), 1e-3 * addends[name].max()) for name, value in witness.items()}
    for name in net.parameters:
        assert np.abs(gradient[name] - witness[name]).max() <= 1e-12 * scale[name], name
        assert np.abs(gradient[name] - own[name]).max() <= 1e-10 * scale[name], name
        assert np.array_equal(net.gradient(X, Y)[name], gradient[name])
    fused = {f"A{net.depth}"} if net.loss_name != "squared_error" else set()
    assert set(trace) - set(gradient) == fused
    assert all(np.shape(gradient[name]) == np.shape(trace[name]) for name in gradient)
    total = sum(path.value for path in bp.paths(terms, "L", "W1"))
    assert np.abs(total - gradient["W1"]).max() <= 1e-11 * scale["W1"]
    check = bp.check_gradient(net, X, Y)
    assert check.verdict != "disagree" and check.verdicts["W1"] == "agree"
    name = list(net.parameters)[seed % len(net.parameters)]
    if check.verdicts[name] == "agree" and gradient[name].any():
        wrong = {key: gradient[key] * (1.001 if key == name else 1) for key in net.parameters}
        assert bp.check_gradient(net, X, Y, claimed=wrong).verdicts[name] == "disagree"


@pytest.mark.parametrize("seed", range(12))
def test_each_formula_is_its_value(seed):
    net, X, Y = built_net(seed)
    trace = net.forward(X, Y)
    for term in net.terms(trace):
        names = sorted(symbol.name for symbol in term.formula.free_symbols)
        for index in [tuple(0 for _ in term.shape), tuple(v - 1 for v in term.shape)]:
            at = {name: sp.Float(float(_entry(trace[name], index)), 60) for name in names}
            value = float(np.asarray(term.value)[index])
            exact = float(term.formula.subs(at).evalf(50))
            assert abs(exact - value) <= 1e-12 * sum(
                abs(float(part.subs(at).evalf(50))) for part in sp.Add.make_args(term.formula)
            ), term


def _entry(array, index):
    """The entry of an array that belongs to an entry of a term: a row of numbers has one for each column."""
    return np.asarray(array)[index[-np.ndim(array) :] if np.ndim(array) else ()]


def test_the_new_rules_from_index_notation():
    """Mean, centre, variance and scale as sums over indices, differentiated entry by entry by SymPy, against the rules' NumPy."""
    N, K, eps = 3, 2, sp.Rational(1, 10**5)
    rng = np.random.default_rng(3)
    Z, C, D, M = (sp.Matrix(N, K, sp.symbols(f"{letter}0:{N * K}")) for letter in "zcdn")
    mu, v, gamma, beta = (sp.symbols(f"{letter}0:{K}") for letter in ("mu", "v", "gamma", "beta"))
    rows, columns = range(N), range(K)
    lines = {
        "mean": [sum(Z[i, j] for i in rows) / N for j in columns],
        "centre": [Z[i, j] - mu[j] for i in rows for j in columns],
        "variance": [sum(C[i, j] ** 2 for i in rows) / N for j in columns],
        "normal": [C[i, j] / sp.sqrt(v[j] + eps) for i in rows for j in columns],
        "scale": [gamma[j] * M[i, j] + beta[j] for i in rows for j in columns],
    }
    at = {symbol: float(rng.uniform(0.5, 1.5)) for symbol in (*Z, *C, *D, *M, *mu, *v, *gamma, *beta)}

    def numbers(symbols, shape):
        return np.array([float(sp.sympify(symbol).subs(at)) for symbol in symbols]).reshape(shape)

    for line, rule, wrt, shape, value in [
        ("mean", "through statistic", list(Z), (N, K), np.full((N, K), 1 / N)),
        ("centre", "times", list(Z), (N, K), 1.0),
        ("centre", "onto mean", mu, (K,), -1.0),
        ("variance", "through statistic", list(C), (N, K), 2 * numbers(C, (N, K)) / N),
        ("normal", "through scale", list(C), (N, K), 1 / np.sqrt(numbers(v, K) + 1e-5)),
        ("normal", "onto scale", v, (K,), -numbers(C, (N, K)) / 2 / (numbers(v, K) + 1e-5) ** 1.5),
        ("scale", "through scale", list(M), (N, K), numbers(gamma, K)),
        ("scale", "onto scale", gamma, (K,), numbers(M, (N, K))),
        ("scale", "onto bias", beta, (K,), 1.0),
    ]:
        upstream = list(D)[: len(lines[line])]
        by_hand = [
            sum(d * entry.diff(symbol) for d, entry in zip(upstream, lines[line], strict=True)) for symbol in wrt
        ]
        d = numbers(upstream, (N, K) if len(upstream) == N * K else K)
        assert_close(RULES[rule].pull(d, value), numbers(by_hand, shape), 1e-12)


def test_the_variance_sees_no_path_through_the_mean():
    """dvar/dmu over the rows is -2/n sum C, which is 0: the one path that cancels exactly."""
    net, X, Y = built_net(0)
    terms = net.terms(net.forward(X, Y))
    through = bp.backpropagate([term for term in terms if term.edge in (("var1", "C1"), ("C1", "mu1"))], "var1")
    assert np.abs(through["mu1"]).max() < 1e-15


# --- running statistics -----------------------------------------------------------------------------------------------


def net_of(batch_norm=True, **settings):
    return bp.Network([2, 3, 1], ["tanh", "identity"], batch_norm=batch_norm, seed=2, **settings)


ROWS = np.random.default_rng(1).normal(size=(7, 2)), np.random.default_rng(2).normal(size=(7, 1))


def test_train_alone_moves_the_running_statistics():
    net, (X, Y) = net_of(), ROWS
    assert {name: value.tolist() for name, value in net.running.items()} == {"mu1": [0.0] * 3, "var1": [1.0] * 3}
    for call in (net.forward, net.gradient, net.loss):
        call(X, Y)
    net.predict(X)
    assert np.array_equal(net.running["mu1"], np.zeros(3))
    net.running["mu1"][:] = 5  # the caller's own copy
    assert np.array_equal(net.running["mu1"], np.zeros(3))
    Z = X @ net.parameters["W1"].T
    bp.train(net, X, Y, bp.SGD(0.1), epochs=1, batch_size=7, seed=0)
    assert_close(net.running["mu1"], 0.1 * Z.mean(axis=0), 1e-12)
    assert_close(net.running["var1"], 0.9 + 0.1 * Z.var(axis=0, ddof=1), 1e-12)
    assert not np.allclose(net.predict(X), net.forward(X)["A2"])


def test_validation_is_inference(tmp_path):
    net, (X, Y) = net_of(), ROWS
    history = bp.train(net, X, Y, bp.SGD(0.1), epochs=2, batch_size=3 + 4, seed=0, validation=(X[:1], Y[:1]))
    assert history.validation_losses[-1] == pytest.approx(
        float(((net.predict(X[:1]) - Y[:1]) ** 2).sum() / 2), rel=1e-12
    )


def test_a_training_that_stops_goes_on_with_its_running_statistics(tmp_path):
    (X, Y), whole, stopped = ROWS, net_of(), net_of()
    bp.train(whole, X, Y, bp.Adam(0.01), epochs=6, batch_size=5, seed=4)
    path = tmp_path / "place.npz"
    bp.train(stopped, X, Y, bp.Adam(0.01), epochs=3, batch_size=5, seed=4, checkpoint=path)
    again = net_of()
    bp.train(again, X, Y, bp.Adam(0.01), epochs=6, batch_size=5, seed=4, checkpoint=path)
    for name, value in (whole.running | whole.parameters).items():
        assert np.array_equal((again.running | again.parameters)[name], value), name
    with pytest.raises(ValueError, match="batch_norm was"):
        bp.train(bp.Network([2, 3, 1], ["tanh", "identity"], seed=2), X, Y, bp.Adam(0.01), 6, 5, 4, checkpoint=path)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_files_pickles_and_copies_keep_all(tmp_path, dtype):
    net, X, Y = built_net(5, dtype)
    bp.train(net, X, Y, bp.SGD(0.1), epochs=2, batch_size=len(X), seed=0)
    net.save(tmp_path / "net.npz")
    for other in (
        bp.Network.load(tmp_path / "net.npz"),
        pickle.loads(pickle.dumps(net)),
        copy.deepcopy(net),
        bp.Network.from_parameters(net.parameters, **net.settings, running=net.running),
    ):
        assert np.array_equal(other.predict(X), net.predict(X)) and other.predict(X).dtype == dtype
        assert other.settings == net.settings and other.loss(X, Y) == net.loss(X, Y)
        assert (
            pickle.loads(pickle.dumps(other.terms(other.forward(X, Y))))[3].formula
            == other.terms(other.forward(X, Y))[3].formula
        )


# --- on paper, in pictures --------------------------------------------------------------------------------------------


def test_a_derivation_adds_the_paths_and_comes_to_the_gradient():
    net, (X, Y) = net_of(), ROWS
    trace = net.forward(X, Y)
    derivation = net.derive("W1", trace)
    assert derivation.count == 4 and len(derivation.chains) == 4
    assert np.array_equal(derivation.value, net.gradient(X, Y)["W1"])
    names = [row.name for row in derivation.rows]
    assert names == ["A2", "Z2", "A1", "S1", "N1", "var1", "C1", "mu1", "Z1", "W1"]
    assert (
        r"\mathrm{var}^{(1)}" in derivation.latex
        and r"\gamma^{(1)}" in derivation.latex
        and "_{1}" not in derivation.latex
    )
    assert r"10^{-5}" in derivation.latex and "1.0" not in re.sub(r"\d1\.0|1\.0\d", "", derivation.latex)


def test_a_derivation_of_many_paths_writes_the_first_and_says_that_there_are_more():
    net = bp.Network([2, 3, 3, 1], ["tanh", "tanh", "identity"], batch_norm=True, seed=2)
    derivation = net.derive("W1", net.forward(*ROWS))
    assert derivation.count == 16 and len(derivation.chains) == 4 and r"\cdots" in derivation.latex


def test_pictures_show_every_line_and_every_skip():
    net = bp.Network([3, 3, 3, 1], ["tanh", "relu", "identity"], batch_norm=[True, False], residual=True, seed=1)
    X = np.random.default_rng(0).normal(size=(4, 3))
    trace = net.forward(X, np.ones((4, 1)))
    terms = net.terms(trace)
    svg = bp.draw(terms, trace, bp.backpropagate(terms, "L")).svg
    assert (
        all(f"<title>{name}</title>" in svg or f">{name}<" in svg for name in ("mu1", "var1", "N1", "S1"))
        or "var" in svg
    )
    assert {term.edge for term in terms} >= {("A1", "X"), ("A2", "A1"), ("A1", "S1"), ("S1", "gamma1")}
    assert ("A3", "A2") not in {term.edge for term in terms}


def test_a_residual_net_is_the_same_unit_by_unit():
    net = bp.Network([3, 3, 3, 1], ["tanh", "relu", "identity"], residual=True, seed=1)
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=3), rng.normal(size=1)
    graph, gradient = net.graph(x, y), net.gradient(x, y)
    units = bp.backpropagate(graph.terms(graph.forward()), "L")
    for name, value in gradient.items():
        found = [units["_".join([name, *(str(i + 1) for i in at)])] for at in np.ndindex(value.shape)]
        assert_close(np.reshape(found, value.shape), value, 1e-12)
    assert bp.check_gradient(net, x, y, witness="50 digits").verdict == "agree"


# --- bad input --------------------------------------------------------------------------------------------------------

GOOD = {"W1": np.ones((3, 2)), "gamma1": np.ones(3), "beta1": np.zeros(3), "W2": np.ones((1, 3)), "b2": np.zeros(1)}


@pytest.mark.parametrize("call, error, words", [
    (lambda: net_of("yes"), TypeError, "batch_norm must be True, False, or a list of them, found str 'yes'"),
    (lambda: net_of([True, True]), ValueError, "batch_norm is for hidden layers, found True for the output, layer 2"),
    (lambda: net_of([True, False, False]), ValueError, "one value for each of 1 hidden layers, found 3"),
    (lambda: net_of(residual=1), TypeError, "residual must be True or False"),
    (lambda: net_of().forward(ROWS[0][:1], ROWS[1][:1]), ValueError, "needs at least 2 rows, found 1.*predict"),
    (lambda: net_of().gradient(ROWS[0][0], ROWS[1][0]), ValueError, "needs at least 2 rows"),
    (lambda: net_of().loss(ROWS[0][0], ROWS[1][0]), ValueError, "needs at least 2 rows"),
    (lambda: net_of().graph(ROWS[0][0], ROWS[1][0]), ValueError, "works on a batch, not on one example"),
    (lambda: bp.explore(net_of(), *ROWS), ValueError, "works on a whole batch"),
    (lambda: bp.explore_boundary(bp.Network([2, 3, 1], ["tanh", "sigmoid"], "binary_cross_entropy", batch_norm=True), ROWS[0], np.arange(7) % 2), ValueError, "plain layers only"),
    (lambda: bp.train(net_of(), *ROWS, bp.SGD(0.1), 1, 3, 0), ValueError, r"batch_size 3 leaves a last batch of one row \(of 7\).*take 2, 4, 5, 7|take 4, 5"),
    (lambda: bp.train(net_of(), *ROWS, bp.SGD(0.1), 1, 1, 0), ValueError, "batch_size 1 leaves batches of one row"),
    (lambda: bp.train(net_of(), ROWS[0][:1], ROWS[1][:1], bp.SGD(0.1), 1, 1, 0), ValueError, "give more rows"),
    (lambda: setattr(net_of(), "running", {"mu1": np.zeros(3)}), ValueError, "running must be a dict of mu1, var1"),
    (lambda: setattr(net_of(), "running", 3), TypeError, "running must be a dict"),
    (lambda: setattr(net_of(), "running", {"mu1": np.zeros(2), "var1": np.ones(3)}), ValueError, r"mu1 must have shape \(3,\)"),
    (lambda: setattr(net_of(), "running", {"mu1": np.zeros(3), "var1": -np.ones(3)}), ValueError, "var1 must not be negative"),
    (lambda: setattr(net_of(), "running", {"mu1": np.zeros(3), "var1": np.full(3, np.nan)}), ValueError, "var1 must be finite"),
    (lambda: bp.Network.from_parameters(GOOD | {"b1": np.zeros(3)}, ["tanh"] * 2), ValueError, "superfluous b1"),
    (lambda: bp.Network.from_parameters({n: v for n, v in GOOD.items() if n != "beta1"}, ["tanh"] * 2), ValueError, "lack beta1"),
    (lambda: bp.Network.from_parameters(GOOD | {"gamma1": np.ones(2)}, ["tanh"] * 2), ValueError, r"gamma1 has shape \(2,\)"),
    (lambda: bp.Network.from_parameters(GOOD, ["tanh"] * 2, batch_norm=False), ValueError, "batch_norm is False, but the layers"),
    (lambda: bp.Network.from_parameters({"W1": [[1.0]], "gamma1": [1.0], "beta1": [0.0]}, ["tanh"]), ValueError, "the output is never normalised"),
])  # fmt: skip
def test_bad_input(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize("rows, size", [(7, 3), (9, 4), (9, 8), (2, 1), (100, 33)])
def test_the_sizes_that_are_named_would_do(rows, size):
    X, Y = np.random.default_rng(0).normal(size=(rows, 2)), np.zeros((rows, 1))
    with pytest.raises(ValueError, match="batch normalisation cannot take: take") as refused:
        bp.train(net_of(), X, Y, bp.SGD(0.1), 1, size, 0)
    for named in re.search(r"take: take (.*)", str(refused.value))[1].split(", "):
        bp.train(net_of(), X, Y, bp.SGD(0.1), 1, int(named), 0)


def test_a_constant_column_and_numbers_past_float64():
    net = net_of()
    constant = np.ones((4, 2))
    assert np.array_equal(net.forward(constant, np.zeros((4, 1)))["N1"], np.zeros((4, 3)))
    assert all(np.isfinite(value).all() for value in net.gradient(constant, np.zeros((4, 1))).values())
    with pytest.raises(ValueError, match=r"var1 = mean.* is inf in layer 1"):
        net.forward(ROWS[0] * 1e200, ROWS[1])
