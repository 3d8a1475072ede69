"""The explorer of a step size: its errors beside the test's own differences, driven by the slider and in code."""

import cmath
import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from conftest import AT

import backproplab as bp

ONE, TWO, COMPLEX = "one-sided difference", "central difference", "complex step"
SVG = "{http://www.w3.org/2000/svg}"


def loss(w, x=1.5, b=0.2, y=1.0):
    """The test's own neuron, of a real or complex weight."""
    return (y - 1 / (1 + cmath.exp(-(w * x + b)))) ** 2 / 2


def slope(w, x=1.5, b=0.2, y=1.0):
    a = 1 / (1 + math.exp(-(w * x + b)))
    return (a - y) * a * (1 - a) * x


@pytest.fixture(scope="module")
def steps():
    return bp.explore_step(bp.Graph(z="w*x + b", a="sigmoid(z)", L="(y - a)**2 / 2"), "w", **AT)


@pytest.fixture
def explorer(neuron):
    return bp.explore_step(neuron, "w", **AT)


@pytest.mark.parametrize("h", [1e-1, 1e-2, 3e-3])
def test_errors_where_the_curve_bends(explorer, h):
    explorer.set(h=h)
    w, true = -0.4, slope(-0.4)
    own = {
        ONE: (loss(w + h) - loss(w)) / h,
        TWO: (loss(w + h) - loss(w - h)) / (2 * h),
        COMPLEX: loss(w + 1j * h).imag / h,
    }
    assert explorer.h == h and explorer.true == pytest.approx(true, rel=1e-14)
    for name, number in own.items():
        assert explorer.values[name] == pytest.approx(number.real, rel=1e-11)
        assert explorer.errors[name] == pytest.approx(abs(number.real / true - 1), rel=1e-6)


@pytest.mark.parametrize("h", [1e-7, 1e-10, 1e-14])
def test_errors_where_rounding_rules(explorer, h):
    """Plain floats lose the same digits, give or take the last one of L."""
    explorer.h = h
    noise = np.finfo(float).eps * abs(loss(-0.4)) / (h * abs(slope(-0.4)))
    for name in (ONE, TWO):
        assert explorer.errors[name] < 8 * noise + h
    assert explorer.errors[COMPLEX] < 1e-14


def orders(points, low, high):
    """The slope of a curve of errors on the log-log plot, by least squares."""
    inside = [(math.log10(h), math.log10(error)) for h, error in points if low <= h <= high]
    return np.polyfit(*zip(*inside, strict=True), 1)[0]


def test_the_orders_of_the_three_formulas(steps):
    assert orders(steps.curves[ONE], 1e-6, 1e-2) == pytest.approx(1, abs=0.02)
    assert orders(steps.curves[TWO], 1e-4, 1e-2) == pytest.approx(2, abs=0.02)
    assert orders(steps.curves[COMPLEX], 1e-6, 1e-2) == pytest.approx(2, abs=0.02)
    assert orders(steps.curves[ONE], 1e-15, 1e-9) == pytest.approx(-1, abs=0.2)
    assert orders(steps.curves[TWO], 1e-15, 1e-7) == pytest.approx(-1, abs=0.2)
    assert max(error for h, error in steps.curves[COMPLEX] if h < 1e-8) < 4e-16


def test_where_the_valleys_lie(steps):
    best = {name: min((error, h) for h, error in steps.curves[name]) for name in (ONE, TWO)}
    assert 1e-10 < best[ONE][0] < 1e-7 and 1e-9 < best[ONE][1] < 1e-6
    assert 1e-13 < best[TWO][0] < 1e-9 and 1e-7 < best[TWO][1] < 1e-4
    assert all(error == pytest.approx(1) for name in (ONE, TWO) for h, error in steps.curves[name] if h < 1e-17)


def test_the_slider_counts_half_decades(explorer):
    sent = []
    explorer._panel.observe(lambda change: sent.append(change["new"]), "value")
    explorer._slider.value = -11
    assert explorer.h == 3.16228e-6 and len(sent) == 1
    assert explorer.errors == {name: dict(points)[3.16228e-6] for name, points in explorer.curves.items()}
    assert explorer.svg in sent[0] and r"h = 3.16228 \cdot 10^{-6}" in sent[0]
    explorer.set(h=1e-5)
    assert explorer._slider.value == -10 and len(sent) == 2
    explorer.h = 2e-300
    assert explorer.h == 2e-300 and explorer._slider.value == -40 and len(sent) == 3
    assert [h for h, _ in explorer.curves[ONE]][::2] == [float(f"1e-{k}") for k in range(1, 21)]


def test_the_page_shows_number_and_error(explorer):
    explorer.set(h=1e-3)
    html = explorer._panel.value
    for name in (ONE, TWO, COMPLEX):
        assert name in html and f"{explorer.values[name]:.6g}" in html
        mantissa, _, exponent = f"{explorer.errors[name]:.2g}".partition("e")
        assert mantissa in html and (not exponent or rf"{mantissa} \cdot 10^{{{int(exponent)}}}" in html)


def test_the_plot(explorer):
    explorer.set(h=1e-10)
    root = ET.fromstring(explorer.svg)
    discs = {node.get("fill"): (float(node.get("cx")), float(node.get("cy"))) for node in root.iter(f"{SVG}circle")}
    lines = [node for node in root.iter(f"{SVG}path") if len(node.get("d").split()) > 20]
    assert len(discs) == len(lines) == 3
    assert len({node.get("stroke-width") + str(node.get("stroke-dasharray")) for node in lines}) == 3
    decades = {name: math.log10(explorer.errors[name]) for name in (ONE, TWO, COMPLEX)}
    heights = dict(zip(decades, (discs[color][1] for color in ("#b86200", "#2f76d2", "#00857a")), strict=True))
    scale = (heights[COMPLEX] - heights[ONE]) / (decades[ONE] - decades[COMPLEX])
    assert heights[COMPLEX] - heights[TWO] == pytest.approx(scale * (decades[TWO] - decades[COMPLEX]), abs=0.2)
    assert "(L(w + h) − L(w − h)) / 2h" in ["".join(node.itertext()) for node in root.iter(f"{SVG}text")]


def test_an_error_of_zero_is_drawn_at_the_floor():
    explorer = bp.explore_step(bp.Graph(L="3 * x"), "x", x=2.0)
    explorer.set(h=0.25)
    assert explorer.errors == {ONE: 0.0, TWO: 0.0, COMPLEX: 0.0}
    assert "nan" not in explorer.svg and "inf" not in explorer.svg


def test_the_same_page_again(neuron, explorer):
    other = bp.explore_step(neuron, "w", **AT)
    assert other.svg == explorer.svg and other._panel.value == explorer._panel.value


def test_kinks_and_steps_out_of_the_domain():
    kink = bp.explore_step(bp.Graph(L="relu(x) * sin(x)"), "x", x=0.05)
    kink.set(h=1e-20)
    assert kink.errors[COMPLEX] < 1e-14, "NumPy's relu branches on the real part"
    kink.set(h=0.1)
    assert kink.errors[TWO] > 0.1, "the step crosses the kink"
    edge = bp.explore_step(bp.Graph(L="log(x)"), "x", x=0.05)
    edge.set(h=0.1)
    assert math.isnan(edge.errors[TWO]) and not math.isnan(edge.errors[ONE]) and "–" in edge._panel.value
    assert "nan" not in edge.svg
    pole = bp.explore_step(bp.Graph(L="1 / x"), "x", x=0.1)
    pole.set(h=0.1)
    assert math.isnan(pole.errors[TWO])


def test_a_line_may_be_nudged_and_another_output_named(neuron):
    explorer = bp.explore_step(neuron, "z", output="a", **AT)
    a = 1 / (1 + math.exp(0.4))
    assert (explorer.output, explorer.wrt) == ("a", "z") and explorer.true == pytest.approx(a * (1 - a), rel=1e-14)


@pytest.mark.parametrize("h, error, message", [
    (0, ValueError, "h must be above 0 and at most 1, found 0"), (-1e-5, ValueError, "found -1e-05"), (math.nan, ValueError, "found nan"),
    (math.inf, ValueError, "found inf"), (1.5, ValueError, "a larger step is no nudge"), ("1e-5", TypeError, "h must be a number such as 1e-5, found str '1e-5'"),
    (None, TypeError, "found NoneType"), (1j, TypeError, "found complex"), (True, TypeError, "found bool"), ([1e-5], TypeError, "found list"),
])  # fmt: skip
def test_steps_that_are_refused(explorer, h, error, message):
    before = (explorer.h, explorer.svg, explorer._panel.value)
    with pytest.raises(error, match=message):
        explorer.set(h=h)
    with pytest.raises(error, match=message):
        explorer.h = h
    assert (explorer.h, explorer.svg, explorer._panel.value) == before


def test_what_explore_step_refuses(neuron, explorer):
    with pytest.raises(ValueError, match="only h can be set, found w"):
        explorer.set(w=1.0)
    with pytest.raises(ValueError, match="only h can be set, found nothing"):
        explorer.set()
    with pytest.raises(TypeError, match="expected a Graph, found dict"):
        bp.explore_step({"L": "x"}, "x", x=1)
    for wrt in ("q", "L", 3, None):
        with pytest.raises(ValueError, match=r"L does not depend on .*; choose wrt among w, x, b, y, z, a"):
            bp.explore_step(neuron, wrt, **AT)
    with pytest.raises(ValueError, match="'w' is not a line; the lines are z, a, L"):
        bp.explore_step(neuron, "w", output="w", **AT)
    with pytest.raises(ValueError, match="no number for y"):
        bp.explore_step(neuron, "w", x=1, w=1, b=1)
    with pytest.raises(TypeError, match="w must be a real number"):
        bp.explore_step(neuron, "w", **AT | {"w": "1"})
    with pytest.raises(ValueError, match="is an array"):
        bp.explore_step(neuron, "w", **AT | {"w": [1.0, 2.0]})
    with pytest.raises(ValueError, match="dL/dw is 0 here"):
        bp.explore_step(neuron, "w", **AT | {"x": 0.0})


def test_without_a_kernel_it_is_a_picture_with_a_short_text(explorer):
    bundle = explorer._repr_mimebundle_()
    assert bundle["text/plain"] == "explore_step(dL/dw at w=-0.4, x=1.5, b=0.2, y=1, h=0.0001)"
    assert bundle["image/png"].startswith("iVBORw0KGgo") and bundle["image/svg+xml"] == explorer.svg
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_a_kink_that_is_not_on_the_way_takes_nothing_from_the_complex_step():
    beside = bp.explore_step(bp.Graph(r="relu(x)", L="exp(w)"), "w", x=1.0, w=0.3)
    alone = bp.explore_step(bp.Graph(L="exp(w)"), "w", w=0.3)
    assert beside._nudge.kinked is False and beside.curves == alone.curves
    assert bp.explore_step(bp.Graph(r="relu(x)", L="exp(r)"), "x", x=1.0)._nudge.kinked is True


def test_a_constant_has_nothing_to_nudge():
    with pytest.raises(ValueError, match="choose wrt among none: it depends on nothing"):
        bp.explore_step(bp.Graph(a="2*x", L="3"), "x", x=1.0)


def test_huge_errors_stand_at_the_rim_of_the_plot():
    height = int(re.search(r'height="(\d+)', bp.explore_step(bp.Graph(L="exp(1000*x)"), "x", x=0.1).svg)[1])
    assert height < 600
