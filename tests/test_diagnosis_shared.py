"""A weight that is shared has a gradient that adds over its uses: here the uses are added by hand, and some of them lost."""

import numpy as np
import pytest

import backproplab as bp
from backproplab.diagnosis.suspects import every_suspect

DELTA, SIGNAL = (-3.0, 4.0, -0.5), (-4.0, -2.0, 5.0, 7.0)  # at the places of the filter of notebook 14
SLIDE = bp.Graph(z0="w0*x0 + w1*x1", z1="w0*x1 + w1*x2", z2="w0*x2 + w1*x3", L="((z0 - y0)**2 + (z1 - y1)**2 + (z2 - y2)**2) / 2")  # fmt: skip
PLACES = dict(w0=3, w1=-1, x0=-4, x1=-2, x2=5, x3=7, y0=-7, y1=-15, y2=8.5)


def of_kernel(arrived):
    return {f"w{j}": sum(DELTA[i] * SIGNAL[i + j] for i in arrived) for j in range(2)}


@pytest.mark.parametrize("arrived", [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2)])
@pytest.mark.parametrize("claims", [("w0",), ("w1",), ("w0", "w1")])
@pytest.mark.parametrize("beside", [{}, {"x0": -9.0, "x1": 15.0, "x2": -5.5}])
def test_the_uses_of_a_kernel_that_have_not_arrived(arrived, claims, beside):
    claimed = {name: of_kernel(arrived)[name] for name in claims} | beside
    found = bp.diagnose(claimed, SLIDE, at=PLACES)
    lost = min({0, 1, 2} - set(arrived))
    assert found.candidates == ("path-missing",) and found.term.edge == (f"z{lost}", claims[-1]), found
    assert f"{claims[-1]} is used more than once, and not every use has arrived" in found.explanation
    assert "one use only" not in found.explanation


@pytest.mark.parametrize("beside", [{}, dict(w0=1.5), dict(w0=1.5, w1=22.5), {"z0": -3.0, "z1": 4.0}])
@pytest.mark.parametrize("arrived, lost", [((12.0, -1.5), "z1"), ((3.0, -4.0), "z2")])
def test_only_what_was_claimed_and_is_wrong_is_named(beside, arrived, lost):
    """The signal's gradient, its last parts written over the first, or none but the first kept."""
    claimed = dict(zip(("x0", "x1", "x2", "x3"), (-9.0, *arrived, 0.5), strict=True)) | beside
    found = bp.diagnose(claimed, SLIDE, at=PLACES)
    assert (found.mistake, found.where, found.term.edge) == ("path-missing", "x2", (lost, "x2"))
    assert "x2 is used more than once" in found.explanation and "w0" not in found.explanation


@pytest.mark.parametrize("seed", range(6))
def test_right_and_random_numbers_of_shared_weights(seed):
    rng, right = np.random.default_rng([14, seed]), of_kernel((0, 1, 2)) | {"x1": 15.0, "x2": -5.5}
    assert bp.diagnose(right, SLIDE, at=PLACES).mistake == "none"
    for wrong in [["w0"], ["x2"], ["w0", "w1"], ["x1", "x2"], [*right]]:
        claimed = right | {name: float(rng.normal()) for name in wrong}
        assert bp.diagnose(claimed, SLIDE, at=PLACES).mistake == "unknown"
    one_of_two = right | {"w0": of_kernel((0, 1))["w0"], "w1": of_kernel((0, 2))["w1"]}
    assert bp.diagnose(one_of_two, SLIDE, at=PLACES).mistake == "unknown"  # two slips, not one
    assert bp.diagnose(right | of_kernel((0, 1)) | {"x1": 12.0}, SLIDE, at=PLACES).mistake == "unknown"
    near = {name: value * (1 + 1e-7) for name, value in of_kernel((0, 1)).items()}
    assert bp.diagnose(near, SLIDE, at=PLACES).mistake == "unknown"


def in_time(T, forgotten=(), starts_empty=False):
    """A recurrent net with its numbers, and its gradient by hand without the uses at the times `forgotten`."""
    rng = np.random.default_rng(T)
    x, w, u, b, y, h = rng.normal(size=T), 0.9, -0.7, 0.2, 1.3, [0.0 if starts_empty else 0.6]
    lines = [(f"h{t}", f"tanh({'' if starts_empty and t == 1 else f'w*h{t - 1} + '}u*x{t} + b)") for t in range(1, T + 1)]  # fmt: skip
    for t in range(T):
        h.append(np.tanh(w * h[t] + u * x[t] + b))
    gradient, dh = dict(w=0.0, u=0.0, b=0.0), h[T] - y
    for t in range(T, 0, -1):
        dz = dh * (1 - h[t] ** 2)
        gradient["b"] += dz
        if t not in forgotten:
            gradient["w"] += dz * h[t - 1]
            gradient["u"] += dz * x[t - 1]
        dh = dz * w
    graph = bp.Graph([*lines, ("L", f"(h{T} - y)**2 / 2")])
    at = dict(w=w, u=u, b=b, y=y, h0=h[0]) | {f"x{t + 1}": x[t] for t in range(T)}
    return gradient, graph, {name: at[name] for name in graph.inputs}


@pytest.mark.parametrize("forgotten", [(1,), (2,), (3,), (4,), (2, 3, 4), (1, 2, 3), (1, 3, 4)])
@pytest.mark.parametrize("claims", ["wu", "wub", "u"])
def test_a_time_that_is_forgotten(forgotten, claims):
    gradient, graph, at = in_time(4, forgotten)
    found = bp.diagnose({name: gradient[name] for name in claims}, graph, at=at)
    assert found.candidates == ("path-missing",) and found.term.wrt == found.where != "b"
    assert found.term.of == f"h{min(forgotten)}"
    right, graph, at = in_time(4)
    assert bp.diagnose(right, graph, at=at).mistake == "none"


@pytest.mark.parametrize("forgotten", [2, 3])
def test_a_time_that_is_forgotten_where_one_weight_is_used_once_less(forgotten):
    gradient, graph, at = in_time(4, (forgotten,), starts_empty=True)
    found = bp.diagnose(gradient, graph, at=at)
    assert found.mistake == "path-missing" and found.term.edge == (f"h{forgotten}", found.where)


def test_the_first_time_alone_where_one_weight_is_used_once_less():
    """Kept is what comes first in time: w's use at t = 2, u's at t = 1."""
    (first, graph, at), (second, *_) = (in_time(4, {1, 2, 3, 4} - {t}, starts_empty=True) for t in (1, 2))
    found = bp.diagnose({"u": first["u"], "w": second["w"]}, graph, at=at)
    assert found.mistake == "path-missing" and found.term.wrt == found.where
    assert found.term.of == {"u": "h2", "w": "h3"}[found.where]


@pytest.mark.parametrize("slip", ["weights overwritten", "everything overwritten", "no way back"])
def test_lines_that_were_not_claimed_may_lose_uses_too(slip):
    """A loss at each time: every state is used by the loss and by the next state, and neither is in the claim."""
    w, u, x, y, h = 0.8, -0.6, (0.5, -1.0, 0.7), (0.1, 0.9, -0.4), [0.3]
    for t in range(3):
        h.append(np.tanh(w * h[t] + u * x[t]))
    error = [h[t + 1] - y[t] for t in range(3)]
    lines = [(f"h{t}", f"tanh(w*h{t - 1} + u*x{t})") for t in (1, 2, 3)]
    graph = bp.Graph([*lines, ("L", "((h1 - y1)**2 + (h2 - y2)**2 + (h3 - y3)**2) / 2")])
    at = dict(w=w, u=u, h0=h[0]) | {f"{name}{t + 1}": {"x": x, "y": y}[name][t] for t in range(3) for name in "xy"}
    dh = dw = du = 0.0
    for t in (2, 1, 0):
        dh = {"weights overwritten": error[t] + dh, "everything overwritten": dh or error[t], "no way back": error[t]}[
            slip
        ]
        dz = dh * (1 - h[t + 1] ** 2)
        kept = slip == "no way back"
        dw, du, dh = dz * h[t] + kept * dw, dz * x[t] + kept * du, dz * w
    found = bp.diagnose({"w": dw, "u": du}, graph, at=at)
    assert found.candidates == ("path-missing",)
    if slip == "no way back":
        assert found.term.edge == ("h2", "h1")
    else:
        assert found.term.edge == ("h2", found.where)  # of what was claimed, though the states may have lost some too


def test_a_line_that_was_claimed_and_is_right_has_lost_nothing():
    """L = s r with s = r p + q and r = p q: p = 2 and q = 3 have each lost their use in s, r none of its two."""
    graph = bp.Graph(p="x + 1", q="y + 1", r="p*q", s="r*p + q", L="s*r")
    right, lost = {"r": 15.0 + 6.0 * 2.0}, {"p": 6.0 * 6.0, "q": 6.0 * 1.0}
    arrived = {"p": right["r"] * 3.0, "q": right["r"] * 2.0}
    found = bp.diagnose(right | arrived, graph, at=dict(x=1.0, y=2.0))
    assert found.mistake == "path-missing" and found.term.edge == ("s", found.where) and found.where in lost
    added = {name: arrived[name] + lost[name] for name in lost}
    assert bp.diagnose(right | added, graph, at=dict(x=1.0, y=2.0)).mistake == "none"
    assert bp.diagnose({"r": 15.0} | arrived, graph, at=dict(x=1.0, y=2.0)).mistake == "unknown"


def test_kernels_overwritten_while_their_bias_is_added():
    rng = np.random.default_rng(0)
    x, W, y, b = rng.normal(size=4), rng.normal(size=(2, 2)), rng.normal(size=(2, 3)), 0.3
    places = [(o, i) for i in range(3) for o in range(2)]
    lines = [(f"a{o}_{i}", f"tanh(w{o}_0*x{i} + w{o}_1*x{i + 1} + b)") for o, i in places]
    graph = bp.Graph([*lines, ("L", "(" + " + ".join(f"(a{o}_{i} - y{o}_{i})**2" for o, i in places) + ") / 2")])
    at = {f"x{i}": x[i] for i in range(4)} | {f"w{o}_{j}": W[o, j] for o, j in np.ndindex(2, 2)} | {"b": b}
    at |= {f"y{o}_{i}": y[o, i] for o, i in places}
    A = np.tanh(np.array([[W[o] @ x[i : i + 2] + b for i in range(3)] for o in range(2)]))
    D, kept, added, db = (A - y) * (1 - A**2), np.zeros((2, 2)), np.zeros((2, 2)), 0.0
    for o, i in places:
        kept[o] = D[o, i] * x[i : i + 2]
        added[o] += D[o, i] * x[i : i + 2]
        db += D[o, i]
    claimed, right = ({f"w{o}_{j}": dW[o, j] for o, j in np.ndindex(2, 2)} | {"b": db} for dW in (kept, added))
    found = bp.diagnose(claimed, graph, at=at)
    assert found.candidates == ("path-missing",) and found.term.wrt == found.where and found.where[0] == "w"
    assert found.term.of == f"a{found.where[1]}_0"
    assert bp.diagnose(right, graph, at=at).mistake == "none"
    assert bp.diagnose(claimed | {"b": db + 0.1}, graph, at=at).mistake == "unknown"


@pytest.mark.parametrize(
    "first, second, other", [(3.0, 3.0, "factor-half"), (3.0, -6.0, "sign"), (4.0, -2.0, "factor-two")]
)
def test_a_use_that_is_also_another_mistakes_number(first, second, other):
    """The first use alone is the half, the opposite, or twice the sum of both; of w alone, and of w and u together."""
    graph, at = bp.Graph(p="w*a + u*a", q="w*b + u*b", L="p + q"), dict(w=1.5, u=2.0, a=first, b=second)
    for names in ("w", "wu"):
        found = bp.diagnose(dict.fromkeys(names, first), graph, at=at)
        assert (found.mistake, found.candidates) == (other, (other, "path-missing"))
        assert "The same numbers come from path-missing" in repr(found)
        assert bp.diagnose(dict.fromkeys(names, second + 0.01), graph, at=at).mistake == "unknown"


def test_a_use_after_the_output_is_no_use():
    graph, at = bp.Graph(s="w*a", r="w*s*s"), dict(w=2.0, a=3.0)
    assert bp.diagnose({"w": 0.0}, graph, at=at, output="s").mistake == "unknown"
    assert bp.diagnose({"w": 36.0}, graph, at=at).mistake == "path-missing"  # of 36 + 2 * 2 * 6 * 3


def test_many_uses_are_tried_once_each():
    gradient, graph, at = in_time(60)
    trace = graph.forward(**at)
    terms = graph.terms(trace)
    right = bp.backpropagate(terms, "L")
    tried = [name for name, *_ in every_suspect(trace, terms, "L", ["w", "u", "b"], {})]
    assert tried.count("path-missing") < 9 * 60 and len(right) > 60 and gradient["w"] == pytest.approx(right["w"])
