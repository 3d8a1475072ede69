"""A row of the table is the same function four times: formula, slope, value and slope in numbers, against high precision."""

import re

import mpmath
import numpy as np
import pytest
import sympy as sp

import backproplab as bp
from backproplab.functions.activations import ACTIVATIONS
from backproplab.functions.losses import LOSSES
from backproplab.functions.operations import FUNCTIONS, OPERATIONS
from backproplab.functions.values import softmax

# Written for mpmath by hand, independent of the table's own formulas.
TRUE = {
    "identity": (lambda z: z, lambda z: mpmath.mpf(1)),
    "sigmoid": (lambda z: 1 / (1 + mpmath.exp(-z)), lambda z: 1 / (2 + mpmath.exp(z) + mpmath.exp(-z))),
    "tanh": (mpmath.tanh, lambda z: mpmath.sech(z) ** 2),
    "relu": (lambda z: z if z > 0 else mpmath.mpf(0), lambda z: mpmath.mpf(z > 0)),
    "leaky_relu": (lambda z: z if z > 0 else z / 100, lambda z: mpmath.mpf(1) if z > 0 else mpmath.mpf(1) / 100),
    "softplus": (lambda z: mpmath.log1p(mpmath.exp(z)), lambda z: 1 / (1 + mpmath.exp(-z))),
    "gelu": (
        lambda z: z * mpmath.erfc(-z / mpmath.sqrt(2)) / 2,
        lambda z: mpmath.erfc(-z / mpmath.sqrt(2)) / 2 + z * mpmath.npdf(z),
    ),
    "silu": (lambda z: z / (1 + mpmath.exp(-z)), lambda z: (1 + mpmath.exp(-z) * (1 + z)) / (1 + mpmath.exp(-z)) ** 2),
    "abs": (abs, mpmath.sign),
    "exp": (mpmath.exp, mpmath.exp),
    "log": (mpmath.log, lambda z: 1 / z),
    "sqrt": (mpmath.sqrt, lambda z: 1 / (2 * mpmath.sqrt(z))),
    "sin": (mpmath.sin, mpmath.cos),
    "cos": (mpmath.cos, lambda z: -mpmath.sin(z)),
}
ADDENDS = {  # where a slope crosses zero: the larger addend is the scale
    "silu": lambda z: max(1 / (1 + mpmath.exp(-z)), abs(z) / (2 + mpmath.exp(z) + mpmath.exp(-z))),
    "gelu": lambda z: max(mpmath.erfc(-z / mpmath.sqrt(2)) / 2, abs(z) * mpmath.npdf(z)),
}
rng = np.random.default_rng(0)
WIDE = np.concatenate([
    np.linspace(-745, 745, 1491), rng.normal(size=500) * 3, rng.uniform(-40, 40, 500),
    10.0 ** rng.uniform(-320, 2, 300), -(10.0 ** rng.uniform(-320, 2, 300)), [5e-324, -5e-324, 1e-310, 0.0, -0.0],
])  # fmt: skip


def ulps(got, true, scale=None):
    """How many units in the last place of the true value (or of the scale), in the arithmetic of what was got, lie between them."""
    unit = float(np.spacing(np.asarray(got).dtype.type(abs(float(true if scale is None else scale)))))
    return float(abs(mpmath.mpf(float(got)) - true) / unit)


@pytest.fixture(autouse=True)
def digits():
    with mpmath.workdps(400):
        yield


SINGLE = np.concatenate([np.linspace(-110, 110, 881), -rng.uniform(85, 105, 300), rng.normal(size=200), [0.0]])


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("numbers, most", [(WIDE, 4), (SINGLE.astype(np.float32), 6)])
def test_values_and_slopes_within_a_few_ulp_of_high_precision(name, numbers, most):
    row, (value, slope) = ACTIVATIONS[name], TRUE[name]
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        values, slopes = (
            np.broadcast_to(row.value(numbers), numbers.shape),
            np.broadcast_to(row.slope.value(numbers), numbers.shape),
        )
    for z, v, s in zip(numbers, values, slopes, strict=True):
        exact = mpmath.mpf(float(z))
        allowed = most + (2 * float(z) ** 2 if name == "gelu" and z < 0 else 0)
        scale = ADDENDS[name](exact) if name in ADDENDS else None
        assert ulps(v, value(exact)) <= allowed, (name, z)
        assert ulps(s, slope(exact), scale) <= allowed, (name + "'", z)


def test_the_textbook_forms_fail_the_same_test():
    def worst(form, true):
        with np.errstate(all="ignore"):
            return max(ulps(form(np.float64(z)), true(mpmath.mpf(float(z)))) for z in (-40.0, -20.0, 20.0, 40.0))

    assert worst(lambda z: (1 / (1 + np.exp(-z))) * (1 - 1 / (1 + np.exp(-z))), TRUE["sigmoid"][1]) > 4
    assert worst(lambda z: 1 - np.tanh(z) ** 2, TRUE["tanh"][1]) > 4
    assert worst(lambda z: np.log(1 + np.exp(z)), TRUE["softplus"][0]) > 4


@pytest.mark.parametrize("name, low, high, slope_low, slope_high", [
    ("identity", -np.inf, np.inf, 1, 1), ("sigmoid", 0, 1, 0, 0), ("tanh", -1, 1, 0, 0), ("relu", 0, np.inf, 0, 1),
    ("leaky_relu", -np.inf, np.inf, 0.01, 1), ("softplus", 0, np.inf, 0, 1), ("gelu", 0, np.inf, 0, 1), ("silu", 0, np.inf, 0, 1),
])  # fmt: skip
def test_infinities_without_a_warning(name, low, high, slope_low, slope_high):
    row = ACTIVATIONS[name]
    ends = np.array([-np.inf, np.inf])
    with np.errstate(all="raise", under="ignore"):
        assert np.array_equal(row.value(ends), [low, high])
        assert np.array_equal(row.slope.value(ends), [slope_low, slope_high])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_largest_numbers_without_a_warning(name):
    for kind in (np.float64, np.float32):
        largest = np.array([-1.0, 1.0], kind) * np.finfo(kind).max
        with np.errstate(all="raise", under="ignore"):
            assert np.isfinite(ACTIVATIONS[name].value(largest)).all()
            assert np.isfinite(ACTIVATIONS[name].slope.value(largest)).all()


def test_conventions_at_kinks():
    slopes = {name: float(FUNCTIONS[name].slope.value(0.0)) for name in ("relu", "leaky_relu", "abs")}
    assert slopes == {"relu": 0, "leaky_relu": 0.01, "abs": 0}
    assert [float(FUNCTIONS["max"].slope.value(own, 2.0, 2.0)) for own in (2.0, 2.0)] == [0.5, 0.5]
    assert [float(FUNCTIONS["min"].slope.value(own, 2.0, 2.0)) for own in (2.0, 2.0)] == [0.5, 0.5]
    assert float(FUNCTIONS["min"].slope.value(1.0, 1.0, 2.0)) == 1
    assert np.signbit(ACTIVATIONS["identity"].value(-0.0))


POINTS = [-30.5, -2.25, -0.5, 0.0, 0.75, 3.0, 41.0]


@pytest.mark.parametrize("name", TRUE)
def test_formulas_are_the_true_functions(name):
    row = FUNCTIONS[name]
    for z in (abs(p) or 0.1 if name in ("log", "sqrt") else p for p in POINTS):
        exact = mpmath.mpf(z)
        true_value, true_slope = (true(exact) for true in TRUE[name])
        assert mpmath.almosteq(row.exact(exact), true_value, 1e-45)
        symbol = sp.Symbol("z")
        slope = row.symbolic(symbol).diff(symbol).subs(symbol, sp.Float(z, 60)).evalf(50)
        assert abs(mpmath.mpf(str(slope)) - true_slope) <= 1e-45 * max(abs(true_slope), mpmath.mpf(10) ** -300)


@pytest.mark.parametrize("name", [*ACTIVATIONS, "abs", "exp", "log", "sqrt", "sin", "cos"])
def test_complex_step_through_a_value_is_the_slope(name):
    for z in (abs(p) or 0.1 if name in ("log", "sqrt") else p for p in POINTS):
        true = float(TRUE[name][1](mpmath.mpf(z)))
        with mpmath.workdps(15):
            slope = complex(FUNCTIONS[name].value(complex(z, 1e-100))).imag / 1e-100
        assert slope == pytest.approx(true, rel=1e-12, abs=0)


@pytest.mark.parametrize("name", ["max", "min", "logsumexp"])
def test_functions_of_several_arguments(name):
    z = (0.5, -1.25, 2.0)
    true = {"max": max, "min": min, "logsumexp": lambda *z: mpmath.log(sum(map(mpmath.exp, z)))}[name]
    row = FUNCTIONS[name]
    assert float(row.value(*z)) == pytest.approx(float(true(*z)), rel=1e-15)
    for i, own in enumerate(z):
        shifted = [complex(v, 1e-100 * (i == k)) for k, v in enumerate(z)]
        slope = complex(row.value(*shifted)).imag / 1e-100
        assert float(row.slope.value(own, *z)) == pytest.approx(slope, rel=1e-14, abs=0)
        assert float(row.slope.exact(*map(mpmath.mpf, (own, *z)))) == pytest.approx(slope, rel=1e-14, abs=0)


def test_logsumexp_is_stable_at_large_arguments():
    with np.errstate(all="raise", under="ignore"):
        assert float(FUNCTIONS["logsumexp"].value(1e4, -1e4)) == 1e4
        assert float(FUNCTIONS["logsumexp"].slope.value(-1e4, 1e4, -1e4)) == 0


@pytest.mark.parametrize("name", LOSSES)
def test_losses_against_their_definition(name):
    row = LOSSES[name]
    z, y = np.array([[0.3, -1.2, 2.0]]), np.array([[0.0, 1.0, 0.0]])
    e = [mpmath.exp(float(v)) for v in z[0]]
    a = {
        "sigmoid": [v / (1 + v) for v in e],
        "softmax": [v / sum(e) for v in e],
        None: [mpmath.mpf(float(v)) for v in z[0]],
    }[row.fused]
    definition = {
        "squared_error": lambda a, y: (a - y) ** 2 / 2,
        "binary_cross_entropy": lambda a, y: -(y * mpmath.log(a) + (1 - y) * mpmath.log(1 - a)),
        "cross_entropy": lambda a, y: -y * mpmath.log(a),
    }[name]
    true = sum(definition(p, float(t)) for p, t in zip(a, y[0], strict=True))
    g = {"sigmoid": ACTIVATIONS["sigmoid"].value, "softmax": softmax, None: lambda z: z}[row.fused]
    assert float(row.value(z, g(z), y)[0]) == pytest.approx(float(true), rel=1e-14)
    for k in range(3):
        step, moved = z.astype(complex), y.astype(complex)
        step[0, k] += 1e-100j
        moved[0, k] += 1e-100j
        assert row.slope(z, g(z), y)[0, k] == pytest.approx(
            row.value(step, g(step), y)[0].imag / 1e-100, rel=1e-13, abs=0
        )
        by_target = row.value(z, g(z), moved)[0].imag / 1e-100
        assert row.slope_by_target(z, g(z), y)[0, k] == pytest.approx(by_target, rel=1e-13, abs=0)
    names = [dict(a=f"a{k}", y=f"y{k}", z=f"z{k}", logits="z0, z1, z2") for k in range(3)]
    graph = bp.Graph(L=" + ".join(row.line.format(**name) for name in names))
    numbers = {f"{n}{k}": float(v[0, k]) for n, v in (("z", z), ("a", g(z)), ("y", y)) for k in range(3)}
    assert graph.forward(**{n: numbers[n] for n in graph.inputs})["L"] == pytest.approx(float(true), rel=1e-13)
    long_way, (p, t) = row.long_way or (lambda a, y: row.slope(None, a, y)), (g(z)[0, 1], 0.25)
    assert long_way(p, t) == pytest.approx(float(row.slope_formula(sp.Float(p, 30), sp.Rational(1, 4))), rel=1e-14)
    A, Y = sp.symbols("a y")
    at = {A: sp.Rational(1, 3), Y: sp.Rational(1, 4)}
    assert sp.simplify((row.formula(A, Y).diff(A) - row.slope_formula(A, Y)).subs(at)) == 0


def test_fused_losses_are_exact_where_the_output_rounds_to_0_or_1():
    def value(name, z, y):
        z = np.array([z])
        a = softmax(z) if name == "cross_entropy" else ACTIVATIONS["sigmoid"].value(z)
        return LOSSES[name].value(z, a, np.array([y]))[0]

    with np.errstate(all="raise", under="ignore"):
        assert value("binary_cross_entropy", [1e4], [0.0]) == 1e4
        assert value("binary_cross_entropy", [40.0], [1.0]) == pytest.approx(np.exp(-40.0), rel=1e-12)
        assert value("cross_entropy", [1e4, -1e4], [0.0, 1.0]) == 2e4
        assert value("cross_entropy", [40.0, 0.0, -1.0], [1.0, 0.0, 0.0]) == pytest.approx(
            np.exp(-40.0) * (1 + np.exp(-1.0)), rel=1e-12
        )
        assert value("cross_entropy", [0.5, 0.25], [1.0, 0.0]) == pytest.approx(np.log(1 + np.exp(-0.25)), rel=1e-15)


def test_every_operation_has_a_formula_and_a_value():
    slopes = [f"{name}'" for name in FUNCTIONS]
    for name in [*FUNCTIONS, *slopes, "+", "-", "*", "/", "**", "**'", "negative"]:
        row = OPERATIONS[name]
        assert row.name == name and callable(row.formula) and callable(row.value)
    with pytest.raises(KeyError):
        OPERATIONS["sigmoid''"]


def test_every_row_is_written_in_latex_that_mathjax_knows():
    known = {"left", "right", "operatorname", "sigma", "tanh", "exp", "log", "sqrt", "sin", "cos", "max", "min", "_"}
    for name, row in FUNCTIONS.items():
        call = row.show("z", "y") if row.several else row.show("z")
        slope = row.slope.show("z", "z", "y") if row.several else row.slope.show("z") if row.slope.latex else ""
        for text in (call, slope):
            assert set(re.findall(r"\\([A-Za-z]+|_)", text)) <= known, text
        plain = call.replace("\\", "")
        assert name.replace("_", "") in re.sub(r"[^a-z]", "", plain) or name in ("abs", "sigmoid", "identity"), (
            name,
            call,
        )
    assert ACTIVATIONS["leaky_relu"].show("z") == r"\operatorname{leaky\_relu}\left(z\right)"
    assert ACTIVATIONS["sigmoid"].slope.show("z") == r"\sigma'\left(z\right)"
    assert (
        FUNCTIONS["abs"].show("z") == r"\left|z\right|" and FUNCTIONS["max"].show("z", "y") == r"\max\left(z, y\right)"
    )
