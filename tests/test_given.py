"""What a user hands in: the same value is taken, or refused in the same tone, wherever it comes in."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

import backproplab as bp
from backproplab.given import real_array

NET = bp.Network([2, 1], ["tanh"])


class Unwilling:
    """Neither a number nor an array, and it says so."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("no")


class Raising(dict):
    """A dict that does not give its items."""

    def items(self):
        raise RuntimeError


def taken_as(value):
    """One value as an input of a graph, as a parameter of a network, as a claim: functions that hand it in."""
    yield "Graph: x", lambda: bp.Graph(L="2*x").forward(x=value)
    yield "Network: b1", lambda: bp.Network.from_parameters({"W1": [[1.0, 2.0]], "b1": value}, ["tanh"])
    yield "check_gradient: the claim for b1", lambda: bp.check_gradient(NET, [[1, 2]], [[1]], claimed={"b1": value})


@pytest.mark.parametrize("value, error, message", [
    ("3", TypeError, "must be a real number or an array of them, found str '3'"), (None, TypeError, "found NoneType None"), (..., TypeError, "found ellipsis Ellipsis"),
    (1j, TypeError, "must be a real number or an array of them, found complex 1j"), (b"1", TypeError, "found bytes"), (sp.Symbol("q"), TypeError, "found Symbol"),
    (Unwilling(), TypeError, "must be a real number or an array of them, found Unwilling"), ({}, TypeError, "found dict {}"),
    (["a"], TypeError, "must hold real numbers, found text"), ([1j], TypeError, "must hold real numbers, found dtype complex128"), ([None], TypeError, "found dtype object"),
    ([[1.0], [1.0, 2.0]], ValueError, "must form one array, found rows of different lengths"), (10**400, ValueError, "must fit into float64"), ([10**400], TypeError, "found dtype object"),
    (float("nan"), ValueError, "must be finite, found nan"), ([1.0, -np.inf], ValueError, r"must be finite, found -inf at entry \[1\]"), (np.full((2, 2), np.nan), ValueError, r"found nan at entry \[0, 0\]"),
    (np.longdouble("1e400"), ValueError, "must be finite, found inf"),
])  # fmt: skip
def test_values_that_are_refused_everywhere_in_one_tone(value, error, message):
    for what, call in taken_as(value):
        with pytest.raises(error, match=f"^{what} {'.*'}{message}"):
            call()


@pytest.mark.parametrize("value, number", [
    (3, 3.0), (np.int8(3), 3.0), (Fraction(1, 2), 0.5), (Decimal("0.5"), 0.5), (sp.Rational(1, 2), 0.5), (sp.Float("0.25"), 0.25), (sp.pi, np.pi),
    (np.float16(0.5), 0.5), (np.array(2.0), 2.0), (np.longdouble(0.5), 0.5), (2**70, 2.0**70), (1e200, 1e200), (5e-324, 5e-324),
])  # fmt: skip
def test_numbers_of_every_kind(value, number):
    assert real_array("x", value) == number and real_array("x", value).dtype == float
    assert bp.Graph(L="x").forward(x=value) == {"x": number, "L": number}


def test_arrays_keep_or_change_their_kind_and_are_copied():
    for kind, wanted, expected in [(np.float32, None, np.float32), (np.float16, None, np.float64), (int, None, np.float64), (bool, None, np.float64),
                                   (np.float32, np.float64, np.float64), (np.float64, np.float32, np.float32)]:  # fmt: skip
        array = np.ones(3, kind)
        assert real_array("x", array, dtype=wanted).dtype == expected
    array = np.ones(3)
    assert not np.shares_memory(real_array("x", array), array)
    assert not np.shares_memory(real_array("x", array, dtype=np.float64), array)
    assert real_array("x", array, copy=False) is array  # what is only read needs none
    with pytest.raises(ValueError, match=r"x must be finite, found inf at entry \[1\]"):
        real_array("x", [1.0, 1e300], dtype=np.float32)


def test_large_numbers_are_finite_though_their_squares_are_not():
    assert np.array_equal(real_array("x", [1e200, -1e300]), [1e200, -1e300])
    with pytest.raises(ValueError, match=r"found nan at entry \[1\]"):
        real_array("x", [1e300, np.nan])


@pytest.mark.parametrize("labels", [[0, 2], np.array([0, 2]), np.array([0, 2], np.uint8), [0.0, 2.0], (0, 2)])
def test_labels_of_every_kind(labels):
    net = bp.Network([2, 3], ["softmax"], "cross_entropy")
    assert np.array_equal(net.forward(np.ones((2, 2)), labels)["Y"], np.eye(3)[[0, 2]])


@pytest.mark.parametrize("labels, error, message", [
    ([0, None], TypeError, "Network: Y must hold real numbers, found dtype object"), (["a", "b"], TypeError, "Y must hold real numbers, found text"), ([0, np.nan], ValueError, "Y must be finite"),
    ([0, 3], ValueError, r"labels must lie in 0\.\.2, found 3"), (np.array([-1, 0]), ValueError, "found -1"), ([0, 0.5], ValueError, "labels must be whole numbers, found 0.5"),
    (np.array([0, 2**63], np.uint64), ValueError, r"labels must lie in 0\.\.2, found 9.22337e\+18"),
])  # fmt: skip
def test_labels_that_are_refused(labels, error, message):
    net = bp.Network([2, 3], ["softmax"], "cross_entropy")
    with pytest.raises(error, match=message):
        net.gradient(np.ones((2, 2)), labels)


def test_numbers_of_float16_are_no_claim_in_whatever_they_come():
    for value in (np.float16(1), np.ones(1, np.float16), [np.float16(1)]):
        with pytest.raises(TypeError, match="the claim for b1 must hold real numbers, found dtype float16"):
            bp.check_gradient(NET, [[1, 2]], [[1]], claimed={"b1": value})


@pytest.mark.parametrize("k", [3, 1000, 10_000])
def test_soft_targets_are_looked_at_before_they_are_rounded_to_float32(k):
    net = bp.Network([1, k], ["softmax"], "cross_entropy", dtype=np.float32)
    targets = np.random.default_rng(0).dirichlet(np.ones(k), size=20)
    assert net.forward(np.ones((20, 1)), targets)["Y"].dtype == np.float32
    with pytest.raises(ValueError, match="sum to 1"):
        net.forward(np.ones((20, 1)), targets * (1 + 1e-5))
    narrow = bp.Network([1, 1], ["sigmoid"], "binary_cross_entropy", dtype=np.float32)
    for wrong in (1 + 1e-12, -1e-60):
        with pytest.raises(ValueError, match=r"lie in 0\.\.1, found"):
            narrow.forward([[1.0]], [[wrong]])


@pytest.mark.parametrize("call, error, message", [
    (lambda: bp.Network([2, 1], ["tanh"], l2=Fraction(-1, 2)), ValueError, "l2 must be finite and not negative, found -1/2"),
    (lambda: bp.Network([2, 1], ["tanh"], l2=10**400), ValueError, "Network: l2 must fit into float64"), (lambda: bp.Network([2, 1], ["tanh"], l2=[0.1]), TypeError, "l2 must be a number"),
    (lambda: bp.Network([2, 1], ["tanh"], l2=True), TypeError, "l2 must be a real number"), (lambda: bp.Network([2, 1], ["tanh"], l2=np.nan), ValueError, "l2 must be finite"),
    (lambda: bp.Network([2, 1], ["tanh"], seed="a"), TypeError, "seed must be a whole number, found str 'a'"), (lambda: bp.Network([2, 1], ["tanh"], seed=-1), ValueError, "seed must not be negative"),
    (lambda: NET.terms(None), TypeError, r"Network.terms: expected a trace, as forward\(X, Y\) gives it, found NoneType"),
    (lambda: NET.terms({"L": 1.0}), ValueError, "Network.terms: the trace has no Z1, X, A1, W1, b1, Y"), (lambda: bp.Graph(L="x").derive("x", output="nope"), ValueError, "derive: 'nope' is not a line"),
    (lambda: bp.Graph(L="x").derive("x", output=""), ValueError, "derive: '' is not a line"), (lambda: bp.Graph(L="x").derive("q"), ValueError, "derive: no quantity 'q'"),
    (lambda: bp.check_gradient(bp.Graph(L="x"), at=dict(x=1), output=["L"]), ValueError, r"\['L'\] is not a line"), (lambda: bp.Graph(L="x").formula("q"), ValueError, "Graph.formula: 'q' is not a line"),
    (lambda: bp.Graph(L="x").latex_line("q"), ValueError, "Graph.latex_line: 'q' is not a line"), (lambda: bp.draw(bp.Graph(L="x").terms(), wrt="q"), ValueError, "draw: no quantity 'q'"),
    (lambda: bp.check_gradient(NET, [[1, 2]], [[1]], witness=[]), ValueError, r"witness must be one of complex step, .* found \[\]"),
    (lambda: bp.paths(bp.Graph(L="x").terms(), "L", "x", limit="a"), TypeError, "paths: limit must be a whole number, found str 'a'"),
    (lambda: bp.Graph(L="2*x").terms(dict(x=1.0, L=2.0))[0].pull("a"), TypeError, "Term dL/dx: upstream must be the gradient of L, of shape \\(\\), found str 'a'"),
    (lambda: NET.terms(NET.forward([1, 2], [1]))[1].pull("a"), TypeError, r"Term dZ1/dW1: upstream must be the gradient of Z1, of shape \(1, 1\), found str"),
    (lambda: NET.terms(NET.forward([1, 2], [1]))[0].pull(np.ones((2, 5))), ValueError, r"Term dZ1/dX: .* found shape \(2, 5\)"),
    (lambda: bp.Network([10**9] * 2, ["tanh"]), ValueError, "have 1000000000000000000 weights, more than 1000000000"),
    (lambda: bp.Graph({"x" * 12_000: "y"}), ValueError, "it has 12000 characters, at most 100"), (lambda: bp.Graph(L="x" * 12_000), ValueError, "it has 12000 characters, at most 100"),
    (lambda: bp.check_gradient(NET, [[1, 2]], [[1]], claimed=Raising(W1=1)), TypeError, "claimed cannot be read: its items raise RuntimeError"),
    (lambda: NET.derive("nope", NET.forward([1, 2], [1])), ValueError, "derive: no quantity 'nope'"), (lambda: bp.Graph(L="2*x").forward(x=Decimal("sNaN")), TypeError, "Graph: x must be a real number"),
])  # fmt: skip
def test_errors_are_ours_and_name_what_was_called(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_an_error_that_is_not_echoed_whole():
    for call in (
        lambda: bp.Graph({"x" * 12_000: "y"}),
        lambda: bp.paths(bp.Graph(L="x").terms(), "L", "q" * 12_000),
        lambda: bp.exercise("q" * 12_000),
    ):
        with pytest.raises(ValueError) as refused:
            call()
        assert len(str(refused.value)) < 1000


def test_no_time_limit():
    assert (
        bp.check_gradient(
            NET, [[1, 2]], [[1]], claimed=lambda p, X, Y: NET.gradient(X, Y), time_limit=float("inf")
        ).verdict
        == "agree"
    )


def test_penalties_of_every_kind():
    for l2 in (Fraction(1, 2), Decimal("0.5"), sp.Rational(1, 2), np.float32(0.5)):
        assert bp.Network([2, 1], ["tanh"], l2=l2).l2 == 0.5


def test_names_with_long_or_padded_numbers():
    assert bp.Graph(W1_02="x", W1_2="x*2").forward(x=1)["W1_2"] == 2
    reply = bp.exercise("01.2").check("x" + "1" * 5000)
    assert reply.verdict == "wrong" and "it has 5001 characters, at most 100" in reply.text and len(reply.text) < 300
