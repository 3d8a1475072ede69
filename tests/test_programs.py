"""The check of any program: right gradients pass, wrong ones do not, and a function that plays tricks is noticed."""

import math

import numpy as np
import pytest
from programs import PROGRAMS, attention, batch_norm, convolution

import backproplab as bp

RNG = np.random.default_rng(7)
X, Y = RNG.normal(size=(6, 3)), RNG.normal(size=(6, 2))
AT = {"W1": RNG.normal(size=(4, 3)), "b1": RNG.normal(size=4), "W2": RNG.normal(size=(2, 4)), "s": 0.5}


def loss(p):
    return ((np.tanh(X @ p["W1"].T + p["b1"]) @ p["W2"].T * p["s"] - Y) ** 2).mean()


def gradient(p):
    A = np.tanh(X @ p["W1"].T + p["b1"])
    D2 = 2 * (A @ p["W2"].T * p["s"] - Y) / Y.size
    D1 = D2 @ p["W2"] * p["s"] * (1 - A**2)
    return {
        "W1": D1.T @ X,
        "b1": D1.sum(axis=0),
        "W2": D2.T @ A * p["s"],
        "s": (D2 * (A @ p["W2"].T)).sum(),
    }


RIGHT = gradient(AT)
SPOILT = {
    "twice": lambda value: 2 * value,
    "sign": lambda value: -value,
    "zero": lambda value: 0.0 * value,
    "a little more": lambda value: value * (1 + 1e-6),
    "one entry": lambda value: (
        value + 1e-4 * np.abs(value).max() * (np.arange(np.size(value)) == 1).reshape(value.shape)
    ),
    "all entries": lambda value: value + 1e-5 * np.abs(value).max(),
}


@pytest.mark.parametrize("make", PROGRAMS)
@pytest.mark.parametrize("seed", range(2))
def test_right_programs_agree_and_wrong_ones_do_not(make, seed):
    at, function, by_hand = make(np.random.default_rng(seed))
    right = by_hand(at)
    verdicts = bp.check_gradient(function, at=at, claimed=by_hand).verdicts
    if make is batch_norm:  # a gradient that is exactly 0, and whose rounding is not
        assert verdicts.pop("b") == "undecided"
        del right["b"]
    assert verdicts == dict.fromkeys(right, "agree")
    for (name, value), how in zip(right.items(), list(SPOILT)[3 * seed :], strict=False):
        wrong = SPOILT[how](np.asarray(value))
        check = bp.check_gradient(function, at=at, claimed=right | {name: wrong})
        assert np.array_equal(wrong, value) or check.verdicts[name] == "disagree", how


@pytest.mark.parametrize("witness", ["complex step", "central differences"])
@pytest.mark.parametrize("how", SPOILT)
def test_every_spoilt_name_is_named_and_no_other(witness, how):
    for name, value in RIGHT.items():
        wrong = SPOILT[how](np.asarray(value))
        check = bp.check_gradient(loss, at=AT, claimed=RIGHT | {name: wrong}, witness=witness)
        assert check.method == witness
        expected = "agree" if np.array_equal(wrong, value) else "disagree"
        assert check.verdicts == dict.fromkeys(AT, "agree") | {name: expected}


def test_some_of_the_names_may_be_claimed():
    check = bp.check_gradient(loss, at=AT, claimed={"s": RIGHT["s"]})
    assert check.verdict == "agree" and list(check.errors) == ["s"] and isinstance(check.witness["s"], float)


def test_nothing_claimed_is_undecided_and_shows_the_numerical_gradient():
    check = bp.check_gradient(loss, at=AT)
    assert check.verdict == "undecided" and set(check.verdicts) == set(AT) and np.isnan(check.max_error)
    assert "nothing was claimed" in repr(check) and "relative doubt" in repr(check) and "W2[1, 3]" in repr(check)
    assert "<b>undecided</b>" in check._repr_html_()
    for name, value in bp.numerical_gradient(loss, AT).items():
        assert np.array_equal(value, check.witness[name]) and np.shape(value) == np.shape(AT[name])
        assert np.allclose(value, RIGHT[name], rtol=1e-12, atol=0)


# --- functions that no complex step passes through ----------------------------------------------------------------------


def with_activation(function):
    def changed(p):
        return ((function(X @ p["W1"].T + p["b1"]) @ p["W2"].T * p["s"] - Y) ** 2).mean()

    return changed


def half_dropped(Z):
    """The imaginary part of one unit alone is lost."""
    return np.where(np.arange(Z.shape[1]) == 2, np.tanh(Z.real), np.tanh(Z))


def into_a_real_array(Z):
    out = np.zeros(Z.shape)
    out[...] = np.tanh(Z)
    return out


TRICKS = {
    "drops": lambda Z: np.tanh(np.real(Z)),
    "casts": lambda Z: np.tanh(Z.astype(float)),
    "branches": lambda Z: Z if np.iscomplexobj(Z) else np.tanh(Z),
    "half": half_dropped,
    "conjugates": lambda Z: np.tanh(Z.conj()),
    "out": into_a_real_array,
    "refuses": lambda Z: np.tanh([[float(z) for z in row] for row in Z]),
    "NaN": lambda Z: np.tanh(Z) * (np.nan if np.iscomplexobj(Z) else 1.0),
    "a little": lambda Z: np.tanh(Z.real) * 1e-6 + np.tanh(Z) * (1 - 1e-6),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_a_function_that_loses_the_imaginary_part_is_noticed(trick):
    function = with_activation(TRICKS[trick])
    check = bp.check_gradient(function, at=AT, claimed=gradient)
    assert check.verdict == "agree" and check.method == "central differences"
    assert "the complex step does not pass" in repr(check)
    for name, value in RIGHT.items():
        assert bp.check_gradient(function, at=AT, claimed={name: 1.00001 * value}).verdict == "disagree"
        assert bp.check_gradient(function, at=AT, claimed={name: 0.0 * value}).verdict == "disagree"
    assert all(
        np.allclose(value, RIGHT[name], rtol=1e-9) for name, value in bp.numerical_gradient(function, AT).items()
    )


def test_what_is_lost_in_one_entry_alone_accuses_nobody():
    """Too small a share of every random direction to be seen there: the differences of that entry see it."""
    w = np.array([1.0, 2.0, 3.0])

    def function(p):
        return p["w"] @ p["w"] + 1e-11 * abs(p["w"][0]) * 1e4

    right = 2 * w + np.array([1e-7, 0, 0])
    assert bp.check_gradient(function, at={"w": w}, claimed={"w": right}).verdict == "agree"
    assert bp.check_gradient(function, at={"w": w}, claimed={"w": right * (1 + 1e-4)}).verdict == "disagree"


def test_single_precision_inside_is_never_called_wrong():
    def single(p):
        p = {name: np.asarray(value).astype(np.float32) for name, value in p.items()}
        return ((np.tanh(X.astype(np.float32) @ p["W1"].T + p["b1"]) @ p["W2"].T * p["s"] - Y) ** 2).mean()

    for form in (float, np.float32):
        claimed = {name: np.asarray(value, form) for name, value in RIGHT.items()}
        assert bp.check_gradient(single, at=AT, claimed=claimed).verdict != "disagree"
    wrong = {name: 2 * value for name, value in RIGHT.items()}
    assert bp.check_gradient(single, at=AT, claimed=wrong).verdict == "disagree"


def test_float32_numbers_have_their_own_tolerance():
    at = {name: np.float32(value) for name, value in AT.items()}
    assert bp.check_gradient(loss, at=at, claimed=gradient).verdict == "agree"
    wrong = {name: np.float32(1.001 * value) for name, value in gradient(at).items()}
    assert bp.check_gradient(loss, at=at, claimed=wrong).verdict == "disagree"


# --- where slopes are hard ----------------------------------------------------------------------------------------------


def test_exact_zeros():
    def unused(p):
        return p["w"] * p["w"] * p["w"] + 0 * p["u"]

    at = {"w": 0.0, "u": 3.0}
    assert bp.check_gradient(unused, at=at, claimed={"w": 0.0, "u": 0.0}).verdict == "agree"
    assert bp.check_gradient(unused, at=at, claimed={"u": 1e-9}).verdict != "agree"
    assert bp.check_gradient(unused, at=at | {"w": 2.0}, claimed={"w": 12.0, "u": 1e-3}).verdicts == {
        "w": "agree",
        "u": "disagree",
    }


@pytest.mark.parametrize("factor, verdict", [(1.0, "agree"), (0.0, ""), (2.0, ""), (-1.0, "")])
def test_a_tiny_gradient_is_no_silent_pass(factor, verdict):
    """Below the rounding of the loss no difference sees it, so nobody is accused; but nothing wrong agrees."""

    def deep(p):
        a = p["w"]
        for _ in range(12):
            a = 0.01 / (1 + np.exp(-a))
        return a

    right = bp.numerical_gradient(deep, {"w": 0.3})["w"]
    assert 0 < right < 1e-25
    found = bp.check_gradient(deep, at={"w": 0.3}, claimed={"w": factor * right}).verdict
    assert found == verdict or (not verdict and found != "agree")


@pytest.mark.parametrize("convention", [0.0, 0.5, 1.0])
def test_a_kink_accuses_no_convention(convention):
    def relu_at_zero(p):
        return np.maximum(X[:, :1] @ p["W"] * 0 + p["b"], 0).sum()

    at = {"W": np.ones((1, 2)), "b": np.array([0.0, 1.0])}
    right = {"b": np.array([6 * convention, 6.0]), "W": np.zeros((1, 2))}
    check = bp.check_gradient(relu_at_zero, at=at, claimed=right)
    assert check.verdicts == {"W": "agree", "b": "undecided"} and "one side only" in repr(check)
    assert np.nanmax(bp.check_gradient(relu_at_zero, at=at).doubts["b"]) > 1
    assert bp.check_gradient(relu_at_zero, at=at, claimed={"b": np.array([60.0, 6.0])}).verdict == "disagree"


def test_a_saturated_unit_is_granted_what_the_textbook_loses():
    at = {"w": 20.0, "b": 1.0}

    def saturated(p):
        return (1 / (1 + np.exp(-(p["w"] + p["b"]))) - 0.3) ** 2

    a = 1 / (1 + np.exp(-21.0))
    textbook = 2 * (a - 0.3) * a * (1 - a)
    check = bp.check_gradient(saturated, at=at, claimed={"w": textbook, "b": textbook})
    assert check.max_error > 1e-9 and check.verdict == "undecided"
    assert bp.check_gradient(saturated, at=at, claimed={"w": 3 * textbook + 1e-3}).verdict == "disagree"


def test_differences_stay_out_of_where_the_function_is_not_defined():
    def logarithm(p):
        return float(np.log(p["w"]).sum()) + float(np.sqrt(p["v"]))

    at = {"w": np.array([1e-9, 2.0]), "v": 0.01}
    right = {"w": 1 / at["w"], "v": 5.0}
    assert bp.check_gradient(logarithm, at=at, claimed=right).verdict == "agree"
    assert bp.check_gradient(logarithm, at=at, claimed=right | {"v": 10.0}).verdicts["v"] == "disagree"
    at_the_edge = bp.check_gradient(logarithm, at=at | {"v": 0.0}, claimed={"v": 1.0})
    assert at_the_edge.verdict == "undecided" and np.isnan(at_the_edge.witness["v"])


# --- many entries -------------------------------------------------------------------------------------------------------


def wide(p):
    return (np.tanh(p["W"] @ p["x"]) ** 2).sum() + 0.5 * (p["b"] ** 2).sum()


@pytest.mark.parametrize("witness", ["complex step", "central differences"])
def test_of_many_entries_a_sample_is_looked_at_and_all_together(witness):
    rng = np.random.default_rng(1)
    at = {"W": rng.normal(size=(80, 60)) / 8, "x": rng.normal(size=60), "b": rng.normal(size=10)}
    A = np.tanh(at["W"] @ at["x"])
    D = 2 * A * (1 - A**2)
    right = {"W": np.outer(D, at["x"]), "x": at["W"].T @ D, "b": at["b"]}
    check = bp.check_gradient(wide, at=at, claimed=right, witness=witness)
    seen = np.isfinite(check.doubts["W"])
    assert check.verdict == "agree" and seen.sum() == 1000 - 60 - 10 and np.isfinite(check.doubts["x"]).all()
    assert "W: 930 of 4800 entries were looked at one by one" in repr(check)
    wrong = right["W"].copy()
    wrong[tuple(np.argwhere(~seen)[0])] *= 1.001
    found = bp.check_gradient(wide, at=at, claimed=right | {"W": wrong}, witness=witness)
    assert found.verdicts == {"W": "disagree", "x": "agree", "b": "agree"} and "not all together" in repr(found)
    assert np.isfinite(bp.numerical_gradient(wide, at)["W"]).all()


# --- functions and claims that are refused ------------------------------------------------------------------------------


def changes_its_input(p):
    p["W1"] *= 2
    return loss(p)


def forgets_a_name(p):
    return p.pop("s") * p["b1"].sum()


def dice(p, rng=np.random.default_rng(0)):  # noqa: B008
    return loss(p) + rng.normal()


class Counts:
    """Answers otherwise from its fortieth call on."""

    calls = 0

    def __call__(self, p):
        self.calls += 1
        return loss(p) * (1 + (self.calls > 40))


def endless(p):
    while True:
        pass


@pytest.mark.parametrize("function, error, message", [
    (changes_its_input, ValueError, "your function changes W1"), (forgets_a_name, ValueError, "your function changes s"), (dice, ValueError, "at one call and .* at another, for the same"),
    (Counts(), ValueError, "at one call and"), (endless, ValueError, r"did not return within 0\.2 s"), (lambda p: None, TypeError, "returned None; did it forget"),
    (lambda p: p["W1"], ValueError, r"must return one number, found an array of shape \(4, 3\)"), (lambda p: "a", TypeError, "must return one number, found str 'a'"),
    (lambda p: (1.0, {}), TypeError, "must return one number, found tuple"), (lambda p: True, TypeError, "must return one number, found bool"),
    (lambda p: np.nan, ValueError, "a finite real number, found nan"), (lambda p: np.inf, ValueError, "found inf"), (lambda p: 1j, ValueError, "found 1j"),
    (lambda p: p["no"], ValueError, "your function raised KeyError in `.*`: 'no'"), (lambda: 1.0, ValueError, "your function raised TypeError"),
])  # fmt: skip
def test_functions_that_are_refused(function, error, message):
    for call in (bp.check_gradient, bp.numerical_gradient):
        with pytest.raises(error, match=f"^{call.__name__}: .*{message}"):
            call(function, at=AT, time_limit=0.2 if function is endless else 10)
        if isinstance(function, Counts):
            function.calls = 0


@pytest.mark.parametrize("options, error, message", [
    (dict(at=None), TypeError, "at must be a dict of arrays by name, found NoneType"), (dict(at={}), ValueError, "at holds no name"), (dict(at={1: 2.0}), TypeError, "must be text"),
    (dict(at={"": 2.0}), TypeError, "must be text"), (dict(at={"w" * 101: 2.0}), TypeError, "1 to 100 characters"), (dict(at={"W1": "a"}), TypeError, "W1 must"),
    (dict(at={"W1": [np.nan]}), ValueError, "W1 must be finite"), (dict(at={"W1": []}), ValueError, "W1 is empty"), (dict(at={"W1": 1j}), TypeError, "W1 must"),
    (dict(claimed={}), ValueError, "claimed holds no name"), (dict(claimed={"no": 1.0}), ValueError, "claimed names 'no'"), (dict(claimed=[1.0]), TypeError, "claimed must be a dict"),
    (dict(claimed={"W1": np.ones((3, 4))}), ValueError, "this is the transpose"), (dict(claimed={"s": [1.0]}), ValueError, r"s has shape \(1,\)"), (dict(claimed={"s": np.nan}), ValueError, "must be finite"),
    (dict(claimed=lambda p: None), TypeError, "claimed is None"), (dict(claimed=lambda p: 1 / 0), ValueError, "raised ZeroDivisionError"), (dict(X=X), TypeError, "of a function only the numbers are given"),
    (dict(output="L"), TypeError, "of a function only"), (dict(witness="50 digits"), ValueError, "of a function there are no 50 digits"), (dict(time_limit=0), ValueError, "time_limit must be"),
    (dict(claimed=changes_its_input), ValueError, "your function changes W1"),
])  # fmt: skip
def test_what_is_refused(options, error, message):
    with pytest.raises(error, match=message):
        bp.check_gradient(loss, **(dict(at=AT) | options))


def test_a_claiming_function_must_answer_the_same_twice():
    memory = []

    def stale(p):
        memory.append(gradient(p))
        return {name: sum(other[name] for other in memory) for name in RIGHT}

    check = bp.check_gradient(loss, at=AT, claimed=stale)
    assert check.verdict == "disagree" and "two calls with the same numbers" in repr(check)


def test_a_loss_that_ignores_its_dict_is_told():
    check = bp.check_gradient(lambda p: loss(AT), at=AT, claimed=RIGHT)
    assert check.verdict == "disagree" and "does your function use the dict" in repr(check)


def test_nothing_is_written_to_and_nothing_is_handed_out_twice():
    at = {name: np.array(value) for name, value in AT.items()}
    claimed = gradient(at)
    check = bp.check_gradient(loss, at=at, claimed=claimed)
    assert all(np.array_equal(at[name], AT[name]) for name in AT)
    check.claimed["W1"][:] = 0
    assert claimed["W1"].all()


def test_a_program_is_not_slower_for_what_it_prints_or_warns(capsys):
    def warns(p):
        return np.log(np.exp(p["w"] * 700)).sum()

    check = bp.check_gradient(warns, at={"w": np.array([1.0])}, claimed={"w": [700.0]})
    assert check.verdict == "agree"


@pytest.mark.parametrize("make", [convolution, attention])
def test_names_as_other_libraries_write_them(make):
    at, function, by_hand = make(np.random.default_rng(3))
    dotted = {f"layer.0.{name}": value for name, value in at.items()}

    def strip(p):
        return {name.removeprefix("layer.0."): value for name, value in p.items()}

    claimed = {f"layer.0.{name}": value for name, value in by_hand(at).items()}
    assert bp.check_gradient(lambda p: function(strip(p)), at=dotted, claimed=claimed).verdict == "agree"


# --- what a hostile reader found ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("octave", [8, 9, 10, 12, 14])
@pytest.mark.parametrize("sine", [np.sin, math.sin])
def test_waves_that_repeat_themselves_on_powers_of_two(octave, sine):
    def wave(p):
        return sine(2 * math.pi * 2**octave * p["x"]) + p["x"]

    right = 2 * math.pi * 2**octave + 1
    assert bp.check_gradient(wave, at={"x": 1.0}, claimed={"x": 1.0}).verdict == "disagree"
    assert bp.check_gradient(wave, at={"x": 1.0}, claimed={"x": right}).verdict != "disagree"


@pytest.mark.parametrize("penalty", [1e-3, 1e-4, 1e-5, 1e-6])
def test_a_forgotten_path_beside_a_kink_is_no_silent_pass(penalty):
    """np.abs loses the imaginary part everywhere; the kink at the exact 0 must not hide it."""
    c = np.array([1.1, 2.3, 3.7])

    def lasso(p):
        return p["w"] @ c + penalty * np.abs(p["w"]).sum()

    at = {"w": np.array([0.0, 1.0, 1.0])}
    assert bp.check_gradient(lasso, at=at, claimed={"w": c}).verdict == "disagree"
    assert bp.check_gradient(lasso, at=at, claimed={"w": c + penalty * np.sign(at["w"])}).verdict != "disagree"


def test_one_zeroed_entry_among_thousands_in_single_precision():
    rng = np.random.default_rng(0)
    target, W = rng.normal(size=(300, 128)), rng.normal(size=(300, 128)).astype(np.float32)
    right = (2 * (W - target)).astype(np.float32)
    assert (
        bp.check_gradient(lambda p: ((p["W"] - target) ** 2).sum(), at={"W": W}, claimed={"W": right}).verdict
        == "agree"
    )
    wrong = right.copy()
    wrong.flat[np.argmin(np.abs(np.abs(right) - 0.3))] = (
        0  # a small one: what single precision loses does not add up to it
    )
    assert (
        bp.check_gradient(lambda p: ((p["W"] - target) ** 2).sum(), at={"W": W}, claimed={"W": wrong}).verdict
        == "disagree"
    )


def partly_single(rng):
    X, y, w = rng.normal(size=(40, 5)), rng.normal(size=40), rng.normal(size=5)

    def function(p):
        v = np.real(p["w"])
        error = np.tanh(X.astype(np.float32) @ v.astype(np.float32)) - y.astype(np.float32)
        return float((error**2).mean()) + 0.01 * float(v @ v)

    a = np.tanh(X @ w)
    return function, {"w": w}, {"w": X.T @ (2 * (a - y) * (1 - a * a) / 40) + 0.02 * w}


def rounded(digits):
    return lambda rng: (
        lambda p: round(float(np.sum(np.real(p["w"]) ** 2)), digits),
        {"w": np.array([0.3, 0.7])},
        {"w": [0.6, 1.4]},
    )


def half_precision(rng):
    return lambda p: float(np.float16(np.sum(np.real(p["w"]) ** 2))), {"w": np.array([0.3, 0.7])}, {"w": [0.6, 1.4]}


def layer_of_zeros(rng):
    X, Y, V = rng.normal(size=(100, 3)), rng.normal(size=(100, 2)), rng.normal(size=(4, 2))
    return lambda p: ((np.maximum(X @ p["W"], 0) @ V - Y) ** 2).mean(), {"W": np.zeros((3, 4))}, {"W": np.zeros((3, 4))}


def stiff(rng):
    k = 10.0 ** rng.integers(5, 10)
    return lambda p: np.tanh(k * p["w"]), {"w": 0.0}, {"w": k}


def beside_a_pole(rng):
    return lambda p: (1 / p["w"]).sum(), {"w": np.array([1e-9, 1.0])}, {"w": [-1e18, -1.0]}


def raw_features(rng):
    X, y = np.c_[1.7e9 * (1 + 0.1 * rng.normal(size=20)), rng.normal(size=20)], (rng.random(20) < 0.7) * 1.0
    d = (0.5 - y) * 0.5 / 20
    return lambda p: ((1 / (1 + np.exp(-(X @ p["w"]))) - y) ** 2).mean(), {"w": np.zeros(2)}, {"w": X.T @ d}


def power(rng):
    return lambda p: float(p["w"]) ** 1.5, {"w": 0.0}, {"w": 0.0}


@pytest.mark.parametrize("make", [
    partly_single, rounded(2), rounded(4), rounded(6), half_precision, layer_of_zeros, stiff, beside_a_pole, raw_features, power,
])  # fmt: skip
def test_right_gradients_where_slopes_are_hard_are_not_called_wrong(make):
    for seed in range(20):
        function, at, right = make(np.random.default_rng(seed))
        assert bp.check_gradient(function, at=at, claimed=right).verdict != "disagree", seed


def test_a_loop_that_ends_on_real_numbers_alone():
    def square_root(p):
        x = p["w"]
        while True:
            better = (x + p["w"] / x) / 2
            if better == x:
                return x
            x = better

    check = bp.check_gradient(square_root, at={"w": 2.0}, claimed={"w": 0.5 / 2**0.5}, time_limit=0.3)
    assert check.verdict != "disagree"


class Mute:
    def __repr__(self):
        raise RuntimeError


class Broken(dict):
    def items(self):
        raise RuntimeError


@pytest.mark.parametrize("function, at, error, message", [
    (lambda p: 10**5000, AT, ValueError, "found inf"), (lambda p: Mute(), AT, TypeError, "found Mute"), (lambda p: np.ma.masked, AT, TypeError, "found MaskedConstant"),
    (loss, {10**5000: 1.0}, TypeError, "must be text"), (loss, {"w": Mute()}, TypeError, "found Mute"), (loss, Broken(w=1.0), TypeError, "its items raise RuntimeError"),
    (loss, {"w": 10**5000}, ValueError, "must fit into float64"),
])  # fmt: skip
def test_odd_objects_are_refused_in_our_own_words(function, at, error, message):
    with pytest.raises(error, match=message):
        bp.check_gradient(function, at=at)
