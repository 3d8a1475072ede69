"""Optimizers against PyTorch and against their formulas written out; wrong variants must fail; gradients cut to a length."""

import copy
import math
import pickle
import warnings
from dataclasses import dataclass

import numpy as np
import pytest

import backproplab as bp

SHAPES = {"W1": (4, 3), "b1": (4,), "W2": (2, 4), "b2": (2,)}
ALL = [
    bp.SGD(0.1),
    bp.SGD(0.1, momentum=0.9),
    bp.SGD(0.1, momentum=0.9, nesterov=True),
    bp.RMSProp(),
    bp.RMSProp(0.01, decay=0.9, eps=1e-5),
    bp.Adam(),
    bp.Adam(0.02, betas=(0.8, 0.95), eps=1e-5),
    bp.AdamW(),
    bp.AdamW(0.02, weight_decay=0.3),
]
NAMES = [repr(optimizer) for optimizer in ALL]


def random_tensors(rng, spread=0.0, dtype=float):
    return {
        name: (rng.normal(size=shape) * 10.0 ** rng.uniform(-spread, spread, shape)).astype(dtype)
        for name, shape in SHAPES.items()
    }


def in_pytorch(torch, optimizer, leaves):
    optim, s = torch.optim, optimizer.settings
    kinds = {
        bp.SGD: lambda: optim.SGD(leaves, s["rate"], momentum=s["momentum"], nesterov=s["nesterov"]),
        bp.RMSProp: lambda: optim.RMSprop(leaves, s["rate"], alpha=s["decay"], eps=s["eps"]),
        bp.Adam: lambda: optim.Adam(leaves, s["rate"], s["betas"], s["eps"]),
        bp.AdamW: lambda: optim.AdamW(leaves, s["rate"], s["betas"], s["eps"], s["weight_decay"]),
    }
    return kinds[type(optimizer)]()


def farthest_from_pytorch(optimizer, like, steps=1000):
    """The largest relative difference of a parameter over random steps; gradients of 1e-7 to 1e3, so that eps counts."""
    torch = pytest.importorskip("torch")
    rng, worst = np.random.default_rng(1), 0.0
    parameters = random_tensors(rng)
    leaves = {name: torch.tensor(value, requires_grad=True) for name, value in parameters.items()}
    theirs = in_pytorch(torch, like, list(leaves.values()))
    for _ in range(steps):
        gradient = random_tensors(rng, spread=3 if rng.random() < 0.5 else 7)
        gradient = {name: np.clip(value, -1e3, 1e3) for name, value in gradient.items()}
        for name, leaf in leaves.items():
            leaf.grad = torch.tensor(gradient[name])
        theirs.step()
        parameters = optimizer.step(parameters, gradient)
        for name, leaf in leaves.items():
            true = leaf.detach().numpy()
            worst = max(worst, float(np.abs(parameters[name] - true).max() / np.abs(true).max()))
    return worst


@pytest.mark.parametrize("optimizer", ALL, ids=NAMES)
def test_a_thousand_steps_as_in_pytorch(optimizer):
    assert farthest_from_pytorch(copy.deepcopy(optimizer), optimizer) <= 1e-12


class EpsInsideTheRoot(bp.Adam):
    def update(self, parameter, gradient, kept, rate, t):
        _, keep = super().update(parameter, gradient, kept, rate, t)
        m, v = keep["m"] / (1 - self.betas[0] ** t), keep["v"] / (1 - self.betas[1] ** t)
        return parameter - rate * m / np.sqrt(v + self.eps), keep


class NoCorrection(bp.Adam):
    def update(self, parameter, gradient, kept, rate, t):
        _, keep = super().update(parameter, gradient, kept, rate, t)
        return parameter - rate * keep["m"] / (np.sqrt(keep["v"]) + self.eps), keep


class CoupledDecay(bp.AdamW):
    def update(self, parameter, gradient, kept, rate, t):
        return bp.Adam.update(self, parameter, gradient + self.weight_decay * parameter, kept, rate, t)


class EpsInsideRMSProp(bp.RMSProp):
    def update(self, parameter, gradient, kept, rate, t):
        _, keep = super().update(parameter, gradient, kept, rate, t)
        return parameter - rate * gradient / np.sqrt(keep["v"] + self.eps), keep


@pytest.mark.parametrize("wrong, like", [
    (EpsInsideTheRoot(), bp.Adam()),
    (NoCorrection(), bp.Adam()),
    (CoupledDecay(), bp.AdamW()),
    (EpsInsideRMSProp(), bp.RMSProp()),
    (bp.Adam(eps=2e-8), bp.Adam()),
    (bp.SGD(0.1, momentum=0.9), bp.SGD(0.1, momentum=0.9, nesterov=True)),
])  # fmt: skip
def test_the_known_wrong_variants_are_seen(wrong, like):
    assert farthest_from_pytorch(wrong, like, steps=50) > 1e-9


def test_adam_by_the_papers_own_lines():
    """Algorithm 1 of Kingma and Ba in the test's own numbers, one entry, in plain Python floats."""
    p, m, v, adam = 0.7, 0.0, 0.0, bp.Adam(0.01)
    parameters = {"w": p}
    for t, g in enumerate([0.3, -0.2, 1e-4, 5.0, 0.0], 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        p -= 0.01 * (m / (1 - 0.9**t)) / (math.sqrt(v / (1 - 0.999**t)) + 1e-8)
        parameters = adam.step(parameters, {"w": g})
        assert parameters["w"] == pytest.approx(p, rel=1e-14)
    assert adam.state["w"]["m"] == pytest.approx(m, rel=1e-14)
    assert adam.state["w"]["v"] == pytest.approx(v, rel=1e-14)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("optimizer", ALL, ids=NAMES)
def test_new_arrays_and_nothing_written_in_place(optimizer, dtype):
    optimizer, rng = copy.deepcopy(optimizer), np.random.default_rng(0)
    parameters, gradient = random_tensors(rng, dtype=dtype), random_tensors(rng, dtype=dtype)
    for _ in range(3):
        before = copy.deepcopy((parameters, gradient, optimizer.state))
        kept = optimizer.memory.kept
        moved = optimizer.step(parameters, gradient)
        assert list(moved) == list(parameters)
        for name in SHAPES:
            assert moved[name].dtype == dtype and moved[name].flags.writeable
            assert not np.array_equal(moved[name], parameters[name])
            assert np.array_equal(parameters[name], before[0][name]) and np.array_equal(gradient[name], before[1][name])
            held = [array for arrays in (kept, optimizer.memory.kept) for array in arrays.get(name, {}).values()]
            for array in (parameters[name], gradient[name]):
                assert not any(np.shares_memory(array, other) for other in [moved[name], *held])
            for key, array in kept.get(name, {}).items():
                assert np.array_equal(array, before[2][name][key])
        parameters = moved
    state = optimizer.state
    for arrays in state.values():
        for array in arrays.values():
            array[...] = np.nan
    assert all(np.isfinite(a).all() for arrays in optimizer.state.values() for a in arrays.values())
    assert list(state) == list(SHAPES)


@dataclass(eq=False)
class Signs(bp.Optimizer):
    """m = inertia m + (1 - inertia) g, p = p - rate sign(m)."""

    inertia: float = 0.9

    def update(self, parameter, gradient, kept, rate, t):
        m = self.inertia * kept.get("m", 0.0) + (1 - self.inertia) * gradient
        return parameter - rate * np.sign(m), {"m": m}


def test_an_optimizer_of_ones_own_trains_and_goes_on(tmp_path):
    def trained(epochs, path=None, into=None):
        net = into or bp.Network([3, 5, 2], ["tanh", "softmax"], "cross_entropy")
        rng = np.random.default_rng(0)
        X, Y = rng.normal(size=(40, 3)), rng.integers(0, 2, 40)
        return net, bp.train(net, X, Y, Signs(0.01), epochs, 16, 0, checkpoint=path)

    net, history = trained(6)
    assert history.losses[-1] < history.losses[0]
    path = tmp_path / "own.npz"
    trained(2, path)
    again, _ = trained(6, path)
    assert all(np.array_equal(again.parameters[name], value) for name, value in net.parameters.items())
    assert repr(Signs(0.01)) == "Signs(rate=0.01, inertia=0.9)"


@dataclass(eq=False)
class InPlace(bp.Optimizer):
    def update(self, parameter, gradient, kept, rate, t):
        parameter -= rate * gradient
        return parameter, {}


def test_an_optimizer_of_ones_own_cannot_write_in_place():
    parameters = {"w": np.ones(2)}
    with pytest.raises(ValueError, match="read-only"):
        InPlace(0.1).step(parameters, {"w": np.ones(2)})
    assert (parameters["w"] == 1).all()
    with pytest.raises(TypeError, match=r"Optimizer: an optimizer needs a method update\(self, parameter"):
        bp.Optimizer(0.1).step(parameters, {"w": np.ones(2)})


@pytest.mark.parametrize("make, error, text", [
    (lambda: bp.SGD(0), ValueError, "SGD: rate must be finite and above 0, found 0"),
    (lambda: bp.Adam(-0.1), ValueError, "Adam: rate must be finite and above 0, found -0.1"),
    (lambda: bp.Adam(float("nan")), ValueError, "Adam: rate must be finite, found nan"),
    (lambda: bp.RMSProp(math.inf), ValueError, "RMSProp: rate must be finite, found inf"),
    (lambda: bp.SGD("fast"), TypeError, "SGD: rate must be a real number"),
    (lambda: bp.SGD(True), TypeError, "SGD: rate"),
    (lambda: bp.SGD([0.1, 0.2]), TypeError, "SGD: rate must be a number"),
    (lambda: bp.SGD(0.1, momentum=1), ValueError, "SGD: momentum must be finite and from 0 to below 1, found 1"),
    (lambda: bp.SGD(0.1, nesterov=True), ValueError, "nesterov=True needs a momentum"),
    (lambda: bp.SGD(0.1, 0.9, nesterov="yes"), TypeError, "nesterov must be True or False"),
    (lambda: bp.RMSProp(decay=1.5), ValueError, "RMSProp: decay"),
    (lambda: bp.RMSProp(eps=0), ValueError, "RMSProp: eps must be finite and above 0"),
    (lambda: bp.Adam(betas=0.9), TypeError, "Adam: betas must be two numbers"),
    (lambda: bp.Adam(betas=(0.9, 1.0)), ValueError, r"Adam: betas\[1\]"),
    (lambda: bp.AdamW(weight_decay=-1), ValueError, "AdamW: weight_decay must be finite and not negative"),
])  # fmt: skip
def test_settings_that_are_refused(make, error, text):
    with pytest.raises(error, match=text):
        make()


ONE = {"W1": np.ones((2, 2)), "b1": np.ones(2)}


@pytest.mark.parametrize("parameters, gradient, error, text", [
    (ONE, {"W1": np.ones((2, 2))}, ValueError, "the gradient lacks b1"),
    (ONE, ONE | {"b1": np.ones(3)}, ValueError, r"b1 has shape \(2,\), but its gradient has shape \(3,\)"),
    (ONE, ONE | {"b1": np.ones((2, 1))}, ValueError, r"b1 has shape \(2,\), but its gradient has shape \(2, 1\)"),
    (ONE, ONE | {"b1": np.array([1, np.nan])}, ValueError, "the gradient of b1 must be finite, found nan"),
    (ONE | {"b1": np.array([1, np.inf])}, ONE, ValueError, "the parameter b1 must be finite, found inf"),
    (ONE, ONE | {"b1": "text"}, TypeError, "the gradient of b1 must"),
    ([1.0], ONE, TypeError, "parameters must be a dict"),
    (ONE, None, TypeError, "gradient must be a dict"),
])  # fmt: skip
def test_steps_that_are_refused_leave_the_state(parameters, gradient, error, text):
    adam = bp.Adam()
    adam.step(ONE, ONE)
    before = adam.memory
    with pytest.raises(error, match=text):
        adam.step(parameters, gradient)
    assert adam.memory is before


@pytest.mark.parametrize("optimizer", ALL, ids=NAMES)
def test_an_optimizer_of_another_net_is_refused(optimizer):
    optimizer = copy.deepcopy(optimizer)
    optimizer.step(ONE, ONE)
    wide = {"W1": np.ones((3, 2)), "b1": np.ones(3)}
    with pytest.raises(
        ValueError, match=r"its state is of another net, where W1 has shape \(2, 2\); here W1 has shape \(3, 2\)"
    ):
        optimizer.step(wide, wide)
    with pytest.raises(ValueError, match="where W2 does not occur"):
        optimizer.step(ONE | {"W2": np.ones(2)}, ONE | {"W2": np.ones(2)})
    net = bp.Network([4, 2], ["sigmoid"])
    before = net.parameters
    with pytest.raises(ValueError, match="its state is of another net"):
        bp.train(net, np.ones((2, 4)), np.ones((2, 2)), optimizer, 1, 1, 0)
    assert all(np.array_equal(net.parameters[name], value) for name, value in before.items())


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kind", [bp.SGD, bp.RMSProp, bp.Adam, bp.AdamW])
def test_rates_at_the_ends_of_float64(kind, dtype):
    one = {name: value.astype(dtype) for name, value in ONE.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tiny = kind(1e-320).step(one, one)
        assert all(np.array_equal(tiny[name], value) for name, value in one.items())
        big, gradient = kind(1e308), {name: value * dtype(1e30) for name, value in one.items()}
        with pytest.raises(ValueError, match=r"W1: .* past float(32|64) at the rate 1e\+308 with a gradient up to"):
            big.step(one, gradient)
        assert big.rate == 1e308


def test_a_state_past_float64_does_not_stand_still_silently():
    adam = bp.Adam()
    with pytest.raises(
        ValueError, match=r"W1: the new v of its state is past float64 at the rate 0.001 with a gradient up to 1e[+]200"
    ):
        adam.step(ONE, {name: value * 1e200 for name, value in ONE.items()})
    assert adam.state == {}


def test_the_rate_of_a_step_may_be_0_and_the_gradient_may_hold_more():
    sgd = bp.SGD(0.1)
    moved = sgd.step(ONE, ONE | {"Z1": np.ones(7)}, 0)
    assert all(np.array_equal(moved[name], value) and moved[name] is not value for name, value in ONE.items())
    with pytest.raises(ValueError, match="SGD: rate must be finite and not negative"):
        sgd.step(ONE, ONE, -1)


def test_copies_and_pickles_go_on_alike():
    adam = bp.Adam()
    parameters = adam.step(ONE, ONE)
    for other in (copy.deepcopy(adam), pickle.loads(pickle.dumps(adam))):
        assert all(
            np.array_equal(other.step(parameters, ONE)[name], adam_moved)
            for name, adam_moved in copy.deepcopy(adam).step(parameters, ONE).items()
        )


# --- clipping -------------------------------------------------------------------------------------------------------------


def exact_norm(gradient):
    """The norm in whole numbers and rational arithmetic, rounded once: the test's own."""
    from fractions import Fraction

    total = sum(Fraction(float(v)) ** 2 for array in gradient.values() for v in np.ravel(array))
    shift = max(0, total.denominator.bit_length() - total.numerator.bit_length() + 200) // 2 * 2
    return Fraction(math.isqrt(int(total * 2**shift)), 2 ** (shift // 2)) if total else Fraction(0)


@pytest.mark.parametrize("size", [1e308, 1e300, 1e155, 1.0, 1e-160, 1e-300, 1e-320])
def test_a_norm_is_clipped_at_every_size(size):
    rng = np.random.default_rng(3)
    gradient = {name: rng.uniform(-1, 1, shape) * size for name, shape in SHAPES.items()}
    before, length = copy.deepcopy(gradient), exact_norm(gradient)
    limit = size / 3
    clipped = bp.clip_by_norm(gradient, limit)
    tolerance = 1e-13 if size > 1e-300 else 5e-3  # each subnormal entry is rounded to a whole number of 5e-324
    assert float(exact_norm(clipped) / type(length)(limit)) == pytest.approx(1, rel=tolerance)
    for name, array in gradient.items():
        assert np.array_equal(array, before[name]) and not np.shares_memory(array, clipped[name])
        factor = float(type(length)(limit) / length)
        np.testing.assert_allclose(clipped[name], array * factor, rtol=1e-13, atol=5e-324)
    whole = bp.clip_by_norm(gradient, min(size * 5, 1.7e308) if size < 1e308 else 1.7e308)
    if size < 1e308:
        assert all(np.array_equal(whole[name], array) and whole[name] is not array for name, array in gradient.items())


def test_a_norm_is_clipped_over_all_tensors_as_in_pytorch():
    torch = pytest.importorskip("torch")
    gradient = random_tensors(np.random.default_rng(0))
    leaves = [torch.zeros(shape, dtype=torch.float64, requires_grad=True) for shape in SHAPES.values()]
    for leaf, array in zip(leaves, gradient.values(), strict=True):
        leaf.grad = torch.tensor(array)
    length = float(torch.nn.utils.clip_grad_norm_(leaves, 0.5))
    clipped = bp.clip_by_norm(gradient, 0.5)
    for leaf, array in zip(leaves, clipped.values(), strict=True):  # PyTorch divides by the norm plus 1e-6
        np.testing.assert_allclose(leaf.grad.numpy() * (length + 1e-6) / length, array, rtol=1e-12)
    for_each = {name: bp.clip_by_norm({name: array}, 0.5)[name] for name, array in gradient.items()}
    assert not np.allclose(for_each["W1"], clipped["W1"])  # the known wrong way: tensor by tensor turns the direction


def test_values_are_clipped():
    gradient = {"W1": np.array([[-3.0, 0.5], [2.0, -0.0]]), "b1": np.array([7, -7])}
    clipped = bp.clip_by_value(gradient, 2)
    assert np.array_equal(clipped["W1"], [[-2, 0.5], [2, 0]]) and np.array_equal(clipped["b1"], [2, -2])
    assert gradient["W1"][0, 0] == -3
    single = bp.clip_by_value({"w": np.float32([5, -5])}, 1e308)["w"]
    assert single.dtype == np.float32 and np.array_equal(single, [5, -5])


@pytest.mark.parametrize("clip", [bp.clip_by_norm, bp.clip_by_value])
@pytest.mark.parametrize("gradient, limit, error, text", [
    ({"w": np.ones(2)}, 0, ValueError, "limit must be finite and above 0"),
    ({"w": np.ones(2)}, float("nan"), ValueError, "limit must be finite, found nan"),
    ({"w": np.ones(2)}, None, TypeError, "limit must"),
    ({"w": np.array([1, np.inf])}, 1, ValueError, "the gradient of w must be finite"),
    (np.ones(2), 1, TypeError, "gradient must be a dict"),
])  # fmt: skip
def test_clipping_refuses(clip, gradient, limit, error, text):
    with pytest.raises(error, match=text):
        clip(gradient, limit)


def test_nothing_to_clip():
    assert np.array_equal(bp.clip_by_norm({"w": np.zeros(3)}, 1)["w"], np.zeros(3))
    assert bp.clip_by_norm({}, 1) == {}
