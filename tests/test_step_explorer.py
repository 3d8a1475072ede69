"""The explorer of a step size: its errors beside the test's own differences, driven by the slider and in code."""

import cmath
import json
import math
import random
import re
import xml.etree.ElementTree as ET
from decimal import Decimal
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from conftest import AT, NEURON, heap_of
from driven import ALONE, BOXES, OPEN, cleared, empty_page, hurdles, pause, settle, visited
from test_explorer import kernel  # noqa: F401  a fixture

import backproplab as bp
from backproplab.explorers import page as page_module
from backproplab.explorers.small.step import sheet as step_sheet
from backproplab.explorers.small.step.widget import LOOKS, ROOMS

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


def test_the_table_counts_half_decades(explorer):
    rows = explorer.sheet["rows"]
    assert len(rows) == 39 and [row["h"] for row in rows][::2] == [float(f"1e-{k}") for k in range(20, 0, -1)]
    for name, place in ((ONE, 0), (TWO, 1), (COMPLEX, 2)):
        assert [(row["h"], row["formulas"][place]["error"]) for row in reversed(rows)] == explorer.curves[name]
    explorer.set(h=3.16228e-6)
    assert explorer.errors == {name: dict(points)[3.16228e-6] for name, points in explorer.curves.items()}
    explorer.h = 2e-300
    assert explorer.h == 2e-300 and explorer.state["row"]["h"] == 2e-300
    json.dumps([explorer.sheet, explorer.state], allow_nan=False)


# --- digits -------------------------------------------------------------------------------------------------------------


TRUE = "-0.21576171552730328102"


@pytest.mark.parametrize("value, true, same, rest, power, said", [  # of the rest its first digits
    (-0.2157619, TRUE, "−0.215761", "90000000", "", "6 digits right"), (-0.9, TRUE, "−0.", "90000", "", "no digit right"),
    (0.2157617, TRUE, "", "0.21576170", "", "no digit right"), (0.0, TRUE, "", "0", "", "no digit right"), (-0.0, TRUE, "", "0", "", "no digit right"),
    (-0.021576171552, TRUE, "−0.", "021576171552000", "", "no digit right"), (-2.5e3, TRUE, "", "−2500.0000000000000", "", "no digit right"), (-2.5e7, TRUE, "", "−2.5000000000000000", "·10⁷", "no digit right"),
    (-12.25, TRUE, "", "−12.25000000000000000", "", "no digit right"), (-0.25, TRUE, "−0.2", "5000000000000000", "", "1 digit right"),
    (float(TRUE), TRUE, "−0.21576171552730328", "", "", "all 17 digits right, no float is nearer"),
    (math.nextafter(float(TRUE), 0), TRUE, "−0.2157617155273032", "5", "", "16 digits right"),
    (1.9999999, "2", "", "1.9999998999", "", "right to 7 digits once rounded"), (2.0000001, "2", "2.0000000", "99999999", "", "8 digits right"),
    (2.0, "2", "2.0000000000000000", "", "", "exact, the error is 0"), (9.25, "10", "", "9.250000000000000", "", "no digit right"), (9.75, "10", "", "9.750000000000000", "", "right to 2 digits once rounded"),
    (7.3891e-9, "7.3890560989306506874e-9", "7.3890", "999999999", "·10⁻⁹", "5 digits right"), (-7.38905e-9, "7.3890560989306506874e-9", "", "−7.38905", "·10⁻⁹", "no digit right"),
    (1.25e300, "1.2345678901234567890e300", "1.2", "50000000000000", "·10³⁰⁰", "2 digits right"), (5e-324, "1e-300", "", "4.9406564584124654", "·10⁻³²⁴", "no digit right"),
    (123456.75, "123456.78901234567890", "123456.7", "5000000000", "", "7 digits right"), (1234560.0, "1234567.8901234567890", "1.23456", "00000000000", "·10⁶", "6 digits right"),
    (0.00123, "0.0012345678901234567890", "0.00123", "00000000000000", "", "3 digits right"),
])  # fmt: skip
def test_digits_beside_the_truth(value, true, same, rest, power, said):
    plain, wrong, tail = step_sheet.beside(value, Decimal(true))
    assert (plain, tail) == (same, power) and wrong.startswith(rest) and bool(wrong) is bool(rest)
    written = float(f"{plain}{wrong}e{power_of(tail)}".replace("−", "-"))
    assert written == pytest.approx(value, rel=1e-15 if abs(value) < abs(float(true)) / 5 else 0, abs=0)
    assert step_sheet._said(value, Decimal(true)) == said


def shared_digits(value, true):
    """The test's own count, with whole numbers: 17 digits of the value, rounded, against the first 17 of 20 of the truth."""
    first = next(e for e in range(-400, 400) if abs(true) < Fraction(10) ** (e + 1))
    ours = round(abs(Fraction(value)) * Fraction(10) ** (16 - first))
    truth = round(abs(true) * Fraction(10) ** (19 - first)) // 1000
    if (value < 0) != (true < 0) or len(str(ours)) != len(str(truth)):
        return 0
    return next((i for i, (a, b) in enumerate(zip(str(ours), str(truth), strict=True)) if a != b), 17)


def test_digits_are_counted_as_whole_numbers_say():
    rng, seen = random.Random(0), set()
    for _ in range(600):
        true = Fraction(rng.randint(10**21, 10**22), 10 ** rng.randint(2, 44)) * rng.choice([-1, 1])
        value = float(true * (1 + Fraction(rng.choice([-1, 1]), 10 ** rng.randint(0, 18))))
        exact = Decimal(true.numerator) / Decimal(true.denominator)
        expected = shared_digits(value, true)
        assert step_sheet.digits_right(value, exact)[0] == expected, (value, true)
        seen.add(expected)
    assert {0, 1, 8, 15} <= seen


@pytest.mark.parametrize("values, pieces, counts", [
    ((0.17921345502784428, 0.17921345718546142), (["0.17921345", "502784428", ""], ["0.17921345", "718546142", ""]), (8, 8)),
    ((-1.25, 1.25), (["", "−1.2500000000000000", ""], ["", "1.2500000000000000", ""]), (0, 0)), ((1.0002, 0.9998), (["", "1.0002000000000000", ""], ["", "0.9998000000000000", ""]), (0, 4)),
    ((1.5, 1.5), (["1.5000000000000000", "", ""], ["1.5000000000000000", "", ""]), (17, None)), ((0.15, 0.2), (["", "0.14999999999999999", ""], ["", "0.20000000000000001", ""]), (0, 1)),
    ((2.5e-9, 2.25e-9), (["2.", "5000000000000001", "·10⁻⁹"], ["2.", "2499999999999999", "·10⁻⁹"]), (1, 1)), ((1e9, 1.0), (["", "1.0000000000000000", "·10⁹"], ["", "1.0000000000000000", ""]), (0, 1)),
    ((3.0, 0.0), (["", "3.0000000000000000", ""], ["", "0.0000000000000000", ""]), (0, 0)), ((0.0, 0.0), (["", "0.0000000000000000", ""], ["", "0.0000000000000000", ""]), (0, None)),
])  # fmt: skip
def test_digits_that_cancel(values, pieces, counts):
    assert step_sheet.below_each_other(values) == list(pieces) and step_sheet.cancelling(values) == counts


def in_floats(h, x=1.5, w=-0.4, b=0.2, y=1.0):
    """The neuron's three formulas and their parts with every operation rounded to 53 bits, and the slope in 60 digits, by mpmath alone."""

    def own(w):
        a = 1 / (1 + mpmath.exp(-(w * x + b)))
        return (y - a) ** 2 / 2

    with mpmath.workdps(60):
        a = 1 / (1 + mpmath.exp(-(mpmath.mpf(w) * x + b)))
        true = (a - y) * a * (1 - a) * x
    with mpmath.workprec(53):
        ahead, here, behind = (own(w + mpmath.mpf(h)), own(mpmath.mpf(w)), own(w - mpmath.mpf(h)))
        aside = own(mpmath.mpc(w, h))
        values = (ahead - here) / h, (ahead - behind) / (2 * mpmath.mpf(h)), aside.imag / h
    return true, tuple(map(float, values)), ((ahead, here), (ahead, behind), (aside.real, aside.imag))


def relative(value, true):
    with mpmath.workdps(60):
        return float(abs(mpmath.mpf(value) / true - 1))


@pytest.mark.parametrize("place", [*step_sheet.PLACES][::6])
def test_a_row_is_what_mpmath_says(explorer, place):
    row = explorer.sheet["rows"][place + 40]
    true, values, parts = in_floats(row["h"])
    assert "".join(explorer.sheet["exact"]).replace("−", "-") == mpmath.nstr(true, 20, strip_zeros=False)
    for found, value, part in zip(row["formulas"], values, parts, strict=True):
        text = Decimal("".join(found["digits"]).replace("−", "-"))
        # The package rounds each operation too, its sigmoid in another order: where digits cancel, the last of L may differ.
        noise = 3 * np.finfo(float).eps * 0.18 / row["h"] if found is not row["formulas"][2] else 4e-16
        assert abs(float(text) - value) <= noise
        assert found["error"] == pytest.approx(relative(float(text), true), rel=1e-6, abs=1e-22)
        for shown, number in zip(found["parts"], part, strict=True):
            assert float(f"{''.join(shown[:2])}".replace("−", "-")) * 10.0 ** power_of(shown[2]) == pytest.approx(float(number), rel=4e-16)  # fmt: skip


def power_of(text):
    return int(text.removeprefix("·10").translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-"))) if text else 0


def test_texts_beside_straight_stretches(steps):
    by_text = {guide["text"]: guide for guide in steps.sheet["guides"]}
    assert set(by_text) == {"rounding ~ 1/h", "truncation ~ h", "~ h²"}
    for text, name, order in (("truncation ~ h", ONE, 1), ("~ h²", TWO, 2)):
        h = by_text[text]["h"]
        assert orders(steps.curves[name], h / 11, h * 11) == pytest.approx(order, abs=0.03)
    assert by_text["rounding ~ 1/h"]["h"] < 1e-10
    straight = bp.explore_step(bp.Graph(L="3*x"), "x", x=2.0)
    assert [guide["text"] for guide in straight.sheet["guides"]] == ["rounding ~ 1/h"]


# --- the still ----------------------------------------------------------------------------------------------------------


def test_the_plot(explorer):
    explorer.set(h=1e-10)
    root = ET.fromstring(explorer.still.svg)
    discs = {node.get("fill"): (float(node.get("cx")), float(node.get("cy"))) for node in root.iter(f"{SVG}circle")}
    lines = [node for node in root.iter(f"{SVG}path") if len(node.get("d").split()) > 20]
    assert len(lines) == 3 and len({x for x, _ in discs.values()}) == 1
    decades = {name: math.log10(explorer.errors[name]) for name in (ONE, TWO)}
    heights = dict(zip(decades, (discs[color][1] for color in ("#b86200", "#2f76d2")), strict=True))
    ticks = {"".join(node.itertext()): float(node.get("y")) for node in root.iter(f"{SVG}text")}
    scale = (ticks["10−12"] - ticks["10−4"]) / 8
    assert heights[ONE] - heights[TWO] == pytest.approx(scale * (decades[TWO] - decades[ONE]), abs=0.2)
    texts = ["".join(node.itertext()) for node in root.iter(f"{SVG}text")]
    assert "(L(w + h) − L(w − h)) / 2h" in texts
    assert {found["said"].partition(",")[0] for found in explorer.state["row"]["formulas"]} <= {*texts}


def test_lines_end_where_an_error_is_0():
    explorer = bp.explore_step(bp.Graph(L="4 * x"), "x", x=2.0)
    explorer.set(h=0.25)
    assert explorer.errors == {ONE: 0.0, TWO: 0.0, COMPLEX: 0.0}
    svg = explorer.still.svg
    assert "nan" not in svg and "inf" not in svg and ">exact<" in svg
    assert [found["said"] for found in explorer.state["row"]["formulas"]] == ["exact, the error is 0"] * 3
    assert ">exact<" not in bp.explore_step(bp.Graph(L="exp(x)"), "x", x=2.0).still.svg


def test_the_same_explorer_again(neuron, explorer):
    other = bp.explore_step(neuron, "w", **AT)
    assert other.still.svg == explorer.still.svg and other.sheet == explorer.sheet and other.state == explorer.state


def test_kinks_and_steps_out_of_the_domain():
    kink = bp.explore_step(bp.Graph(L="relu(x) * sin(x)"), "x", x=0.05)
    kink.set(h=1e-20)
    assert kink.errors[COMPLEX] < 1e-14, "NumPy's relu branches on the real part"
    kink.set(h=0.1)
    assert kink.errors[TWO] > 0.1, "the step crosses the kink"
    edge = bp.explore_step(bp.Graph(L="log(x)"), "x", x=0.05)
    edge.set(h=0.1)
    assert math.isnan(edge.errors[TWO]) and not math.isnan(edge.errors[ONE])
    found = edge.state["row"]["formulas"]
    assert (found[1]["digits"], found[1]["error"], found[1]["parts"][1]) == (None, None, None)
    assert found[1]["said"] == found[1]["note"] == "no number at this step" and found[0]["digits"]
    assert "nan" not in edge.still.svg
    json.dumps([edge.sheet, edge.state], allow_nan=False)
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
    before = (explorer.h, explorer.still.svg, explorer.state)
    with pytest.raises(error, match=message):
        explorer.set(h=h)
    with pytest.raises(error, match=message):
        explorer.h = h
    assert (explorer.h, explorer.still.svg, explorer.state) == before


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
    bundle, _ = explorer._repr_mimebundle_()
    assert bundle["text/plain"] == "explore_step(dL/dw at w=-0.4, x=1.5, b=0.2, y=1, h=0.0001)"
    assert bundle["image/png"].startswith("iVBORw0KGgo") and "image/svg+xml" not in bundle
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
    height = int(re.search(r'height="(\d+)', bp.explore_step(bp.Graph(L="exp(1000*x)"), "x", x=0.1).still.svg)[1])
    assert height < 600


# --- what a page says ---------------------------------------------------------------------------------------------------


def answers(explorer, message):
    """What the kernel's side answers to a message of the page."""
    said = []
    explorer.send = said.append
    explorer._heard(None, message, [])
    return said


def test_the_kernel_answers_for_any_step(explorer):
    (answer,) = answers(explorer, {"turn": 4, "state": {"h": 2e-6}})
    assert answer["turn"] == 4 and answer["row"]["h"] == explorer.h == 2e-6
    true, values, _ = in_floats(2e-6)
    text = "".join(answer["row"]["formulas"][1]["digits"]).replace("−", "-")
    assert float(text) == explorer.values[TWO] == pytest.approx(values[1], rel=1e-9)
    assert answer["row"]["formulas"][1]["error"] == pytest.approx(relative(float(text), true), rel=1e-6)  # fmt: skip


@pytest.mark.parametrize("message", [
    {"turn": 1}, {"turn": 1, "state": 3}, {"turn": 1, "state": {"h": "1e-5"}}, {"turn": 1, "state": {"h": 0}}, {"turn": 1, "state": {"h": math.nan}}, {"turn": 1, "state": {"h": [1]}},
])  # fmt: skip
def test_a_page_that_was_tampered_with_gets_an_answer_and_changes_nothing(explorer, message):
    before = explorer.h, explorer.state
    (answer,) = answers(explorer, message)
    assert answer["turn"] == 1 and answer["error"] and "row" not in answer
    assert (explorer.h, explorer.state) == before


# --- the page in headless Chromium --------------------------------------------------------------------------------------

SHOWN = """() => [...document.querySelectorAll('.bp-numbers tbody tr')].map((row) => ({
  text: row.children[1].textContent, said: row.children[2].textContent,
  wrong: [...row.querySelectorAll('.bp-wrong')].map((n) => [n.textContent, getComputedStyle(n).color, getComputedStyle(n).textDecorationLine]), color: getComputedStyle(row.children[1]).color }))"""


@pytest.fixture(scope="module")
def empty(browser):
    return empty_page(browser, ROOMS, LOOKS)


@pytest.fixture
def live(empty):
    yield from cleared(empty)


@pytest.fixture
def opened(live, explorer):
    """The page as a widget of the neuron, at h = 1e-4."""
    live.evaluate(OPEN, [explorer.sheet, explorer.state])
    return live


def shown(page):
    """The numbers on the page, the exact one first, as (text, marked part, what is said)."""
    settle(page)
    return [(row["text"], "".join(part[0] for part in row["wrong"]), row["said"]) for row in page.evaluate(SHOWN)]


def expected(explorer, row):
    """The same from a row of Python's."""
    truth = ("".join(explorer.sheet["exact"]), "", "20 of 50 digits")
    return [truth, *(("".join(found["digits"]), found["digits"][1], f"{found['said']} error {found['size']}") for found in row["formulas"])]  # fmt: skip


def test_wrong_digits_are_coloured_and_underlined(opened, explorer):
    assert shown(opened) == expected(explorer, explorer.state["row"])
    rows = opened.evaluate(SHOWN)
    true, values, _ = in_floats(1e-4)
    for row, value in zip(rows[1:], values, strict=True):
        ((wrong, color, line),) = row["wrong"]
        plain = row["text"].removesuffix(wrong)
        assert "−0.21576171552730328".startswith(plain) and color != row["color"] and line == "underline"
        assert len(plain) - 3 == shared_digits(value, Fraction(mpmath.nstr(true, 40)))
    lefts = opened.evaluate("() => [...document.querySelectorAll('.bp-numbers td.bp-digits')].map((n) => { const r = document.createRange(); r.selectNodeContents(n); return r.getBoundingClientRect(); }).map((b) => [b.left, b.width])")  # fmt: skip
    assert len({round(left, 2) for left, _ in lefts}) == 1
    wide = [width / len(row["text"]) for (_, width), row in zip(lefts, rows, strict=True)]
    assert max(wide) - min(wide) < 0.02, "figures of one width stand below each other"


def test_digits_that_cancel_are_struck_through(opened, explorer):
    struck = opened.evaluate("() => [...document.querySelectorAll('.bp-part')].map((part) => [...part.querySelectorAll('.bp-digits')].map((n) => [n.textContent, n.querySelector('.bp-cancels')?.textContent ?? '', n.querySelector('.bp-cancels') ? getComputedStyle(n.querySelector('.bp-cancels')).textDecorationLine : '']))")  # fmt: skip
    _, _, parts = in_floats(1e-4)
    for (one, other), (a, b) in zip(struck[:2], parts[:2], strict=True):
        assert [float(one[0]), float(other[0])] == pytest.approx([float(a), float(b)], rel=4e-16)
        assert one[1:] == other[1:] == ["0.179", "line-through"]
    assert [cell[1] for cell in struck[2]] == ["", ""]
    notes = opened.locator(".bp-lost").all_text_contents()
    assert notes == ["3 of 17 digits cancel", "3 of 17 digits cancel", "nothing is subtracted, so nothing cancels"]


def test_a_slider_by_keyboard(opened, explorer):
    slider = opened.locator('input[type="range"]')
    slider.focus()
    for _ in range(4):
        opened.keyboard.press("ArrowLeft")
    row = explorer.sheet["rows"][-8 - 4 + 40]
    assert row["h"] == 1e-6 and shown(opened) == expected(explorer, row)
    assert opened.locator('input[type="text"]').input_value() == "1e-6"
    assert slider.get_attribute("aria-valuetext").startswith("h = 10⁻⁶: one-sided difference, ")
    opened.wait_for_function("sent.at(-1)?.state.h === 1e-6")
    opened.keyboard.press("Home")
    assert shown(opened) == expected(explorer, explorer.sheet["rows"][0])
    opened.keyboard.press("End")
    assert shown(opened) == expected(explorer, explorer.sheet["rows"][-1])


def kernel_of(page, explorer, which=-1):
    """What Python answers to one of the page's messages."""
    (answer,) = answers(explorer, page.evaluate("(which) => sent.at(which)", which))
    return answer


def test_a_typed_step_is_computed_by_the_kernel(opened, explorer):
    field = opened.locator('input[type="text"]')
    field.fill("2.5e-6")
    field.press("Enter")
    answer = kernel_of(opened, explorer)
    opened.evaluate("answer", answer)
    assert answer["row"]["h"] == 2.5e-6 and shown(opened) == expected(explorer, answer["row"])
    assert field.input_value() == "2.5e-6" and explorer.h == 2.5e-6
    assert opened.locator(".bp-verdict").text_content() == "✓ computed for this h by the kernel"
    assert "half decade" not in opened.locator(".bp-noted").text_content()
    pause(opened, 400)
    assert shown(opened) == expected(explorer, answer["row"]), "the answer came in time: no nearest step"
    field.fill("1e-7")
    field.press("Enter")
    assert shown(opened) == expected(explorer, explorer.sheet["rows"][-14 + 40]), "what the table holds needs no kernel"


@pytest.mark.parametrize(
    "text", ["0", "-1e-5", "1.5", "a", "", "1e-5x", "1e400", "1e-400", "1+1", "NaN", "<img src=x>"]
)
def test_a_bad_step_is_refused_in_words(opened, explorer, text):
    before, field = shown(opened), opened.locator('input[type="text"]')
    field.fill(text)
    field.press("Enter")
    message = opened.locator(".bp-message").text_content()
    assert "h must be a number above 0 and at most 1" in message and (text or "nothing") in message
    assert field.get_attribute("aria-invalid") == "true" and shown(opened) == before and opened.evaluate("sent") == []
    field.blur()
    assert field.input_value() == "0.0001" and field.get_attribute("aria-invalid") is None
    field.fill("1e-3")
    field.press("Enter")
    assert opened.locator(".bp-message").text_content() == "" and shown(opened) != before


def test_an_answer_that_comes_too_late_is_not_drawn(opened, explorer):
    field, slider = opened.locator('input[type="text"]'), opened.locator('input[type="range"]')
    field.fill("2.5e-6")
    field.press("Enter")
    first = kernel_of(opened, explorer)
    field.fill("7e-9")
    field.press("Enter")
    second = kernel_of(opened, explorer)
    opened.evaluate("answer", second)
    opened.evaluate("answer", first)
    assert shown(opened) == expected(explorer, second["row"])
    field.fill("3e-4")
    field.press("Enter")
    third = kernel_of(opened, explorer)
    slider.focus()
    opened.keyboard.press("ArrowRight")
    opened.evaluate("answer", third)  # before the kernel hears of the slider, whose turn is not counted yet
    here = explorer.sheet["rows"][int(slider.input_value())]
    assert here["h"] != third["row"]["h"]
    assert shown(opened) == expected(explorer, here)
    opened.evaluate("answer", {"turn": third["turn"] + 7, "row": first["row"]})
    assert shown(opened) == expected(explorer, here)


def test_an_answer_leaves_what_is_being_typed_alone(opened, explorer):
    field = opened.locator('input[type="text"]')
    field.fill("2.5e-6")
    field.press("Enter")
    answer = kernel_of(opened, explorer)
    field.fill("2.5e-")
    opened.evaluate("answer", answer)
    assert shown(opened) == expected(explorer, answer["row"]) and field.input_value() == "2.5e-"


def test_a_dead_kernel_leaves_the_half_decades(opened, explorer):
    field = opened.locator('input[type="text"]')
    field.fill("2.5e-6")
    field.press("Enter")
    opened.wait_for_function("document.querySelector('.bp-noted').textContent !== ''")
    note = opened.locator(".bp-noted").text_content()
    assert note == "The kernel has not answered yet. Shown is the nearest half decade to 2.5e-6."
    assert shown(opened) == expected(explorer, explorer.sheet["rows"][-11 + 40]) and field.input_value() == "3.16228e-6"
    opened.wait_for_function("document.querySelector('.bp-verdict').textContent.includes('does not answer')")
    opened.evaluate("answer", kernel_of(opened, explorer))  # it was only busy
    assert shown(opened) == expected(explorer, explorer.state["row"]) and explorer.h == 2.5e-6
    assert opened.locator(".bp-noted").text_content() == ""


def test_a_kernel_that_is_gone_cannot_even_be_told(opened, explorer):
    opened.evaluate("() => { sent.push = () => { throw new Error('the comm is closed'); }; }")
    field = opened.locator('input[type="text"]')
    field.fill("7e-9")
    field.press("Enter")
    opened.wait_for_function("document.querySelector('.bp-noted').textContent !== ''")
    assert shown(opened) == expected(explorer, explorer.sheet["rows"][-16 + 40])
    assert opened.locator(".bp-message").text_content() == ""
    opened.locator('input[type="range"]').press("ArrowRight")
    pause(opened, 200)  # an error in a timer would be one of the page
    assert shown(opened) == expected(explorer, explorer.sheet["rows"][-15 + 40])


def test_a_step_set_in_code_reaches_the_page(opened, explorer):
    said = []
    explorer.send = said.append
    explorer.set(h=0.02)
    opened.evaluate("answer", said[0])
    assert shown(opened) == expected(explorer, explorer.state["row"])
    assert opened.locator('input[type="text"]').input_value() == "0.02" and opened.locator(".bp-here").text_content() == "h = 0.02"  # fmt: skip
    opened.locator('input[type="range"]').press("ArrowLeft")
    opened.wait_for_function("sent.length === 1")
    opened.evaluate("answer", {"turn": opened.evaluate("sent[0].turn"), "error": "TypeError: for this test"})
    assert "the kernel says: TypeError" in opened.locator(".bp-verdict").text_content()


def line_at(page):
    """Where the line at h stands on the screen, and the plot's box."""
    settle(page)
    return page.evaluate("() => { const cut = document.querySelector('.bp-cut').getBoundingClientRect(), plot = document.querySelector('.bp-plane').getBoundingClientRect(); return [cut.left, cut.top, plot.left, plot.width]; }")  # fmt: skip


@pytest.mark.parametrize("width", [480, 760, 1280])
def test_the_line_is_dragged(live, explorer, width):
    live.set_viewport_size({"width": width, "height": 900})
    live.evaluate(OPEN, [explorer.sheet, explorer.state])
    x, y, left, wide = line_at(live)
    decade = (wide - 46 - 18) / 20
    assert x - left == pytest.approx(46 + 16 * decade, abs=1)
    live.mouse.move(x, y + 40)
    live.mouse.down()
    live.mouse.move(x - 3 * decade, y + 60, steps=4)
    live.mouse.move(x - 5.9 * decade, y + 200, steps=4)
    assert shown(live) == expected(explorer, explorer.sheet["rows"][-20 + 40])
    live.mouse.up()
    live.mouse.move(x, y + 40)
    assert shown(live) == expected(explorer, explorer.sheet["rows"][-20 + 40]), "after the drag the pointer only looks"
    assert line_at(live)[0] == pytest.approx(x - 6 * decade, abs=1)
    live.wait_for_function("sent.length > 0")
    pause(live, 150)
    assert live.evaluate("sent.at(-1).state") == {"h": 1e-10}


def test_a_point_tells_its_numbers(opened, explorer):
    box = opened.evaluate("() => { const dot = document.querySelectorAll('.bp-plane g.c2 .bp-dot')[20].getBoundingClientRect(); return [dot.left + 2, dot.top + 2]; }")  # fmt: skip
    opened.mouse.move(*box)
    row = explorer.sheet["rows"][20]
    found = row["formulas"][0]
    tip = opened.locator(".bp-tip").text_content()
    assert tip == f"one-sided difference, h = 10⁻¹⁰: number {''.join(found['digits'])}, error {found['size']}, {found['said']}"  # fmt: skip
    opened.mouse.move(box[0], box[1] - 400)
    assert opened.locator(".bp-tip").text_content() == "Drag the line, or use the slider."
    assert shown(opened) == expected(explorer, explorer.state["row"])


def points_of(d):
    return [tuple(map(float, pair.split())) for pair in re.split("[ML]", d) if pair]


def test_the_lines_are_the_errors(opened, explorer):
    settle(opened)
    paths = opened.evaluate("() => [...document.querySelectorAll('.bp-plane .bp-line')].map((n) => [n.getAttribute('class'), n.getAttribute('d'), getComputedStyle(n).stroke, getComputedStyle(n).strokeDasharray])")  # fmt: skip
    found = {int(look[-1]): points_of(d) for look, d, _, _ in paths}
    assert len({color for _, _, color, _ in paths}) == len({dash for _, _, _, dash in paths}) == 3
    for place, name in enumerate((ONE, TWO, COMPLEX)):
        curve = [(math.log10(h), max(math.log10(error), -17)) for h, error in reversed(explorer.curves[name])]
        across, up = np.polyfit(*zip(*[(a, x) for (a, _), (x, _) in zip(curve, found[place], strict=True)], strict=True), 1), [(b, y) for (_, b), (_, y) in zip(curve, found[place], strict=True)]  # fmt: skip
        for (a, _), (x, _) in zip(curve, found[place], strict=True):
            assert x == pytest.approx(np.polyval(across, a), abs=0.1)
        down = np.polyfit(*zip(*up, strict=True), 1)
        assert all(y == pytest.approx(np.polyval(down, b), abs=0.1) for b, y in up)


def test_a_line_ends_where_the_error_is_0(live):
    explorer = bp.explore_step(bp.Graph(L="4 * x"), "x", x=2.0)
    live.evaluate(OPEN, [explorer.sheet, explorer.state])
    settle(live)
    exact = sum(error == 0 for points in explorer.curves.values() for _, error in points)
    assert live.locator(".bp-exact").count() == exact > 30
    assert "exact" in live.locator(".bp-plane .bp-label").all_text_contents()
    drawn = live.evaluate("() => [...document.querySelectorAll('.bp-plane .bp-line')].map((n) => n.getAttribute('d'))")
    assert sorted(len(points_of(d)) for d in drawn) == sorted(
        sum(error > 0 for _, error in points) for points in explorer.curves.values()
    )
    assert "NaN" not in live.locator(".bp-plane").inner_html()


def test_no_number_at_a_step(live):
    explorer = bp.explore_step(bp.Graph(L="log(x)"), "x", x=0.05)
    explorer.set(h=0.1)
    live.evaluate(OPEN, [explorer.sheet, explorer.state])
    rows = shown(live)
    assert rows[2] == ("–", "", "no number at this step error –") and rows[1][1]
    assert live.locator(".bp-disc").count() == 2 and "NaN" not in live.locator(".bp-plane").inner_html()


LONG = dict(prediction="weight*input_value + bias", loss_of_everything="tanh(prediction)**3")


@pytest.mark.parametrize("width", [480, 760, 1280])
@pytest.mark.parametrize("case", ["neuron", "long names", "tiny"])
def test_nothing_overlaps_or_is_cut(live, neuron, width, case):
    explorer = {
        "neuron": lambda: bp.explore_step(neuron, "w", **AT),
        "long names": lambda: bp.explore_step(bp.Graph(LONG), "weight", weight=0.3, input_value=2.0, bias=0.1),
        "tiny": lambda: bp.explore_step(bp.Graph(L="x**2 * 1e-30"), "x", x=1.0),
    }[case]()
    live.set_viewport_size({"width": width, "height": 900})
    for h in (1e-20, 3.16228e-17, 1e-10, 1e-5, 1e-4, 0.1, 1.0, 2e-300):
        explorer.set(h=h)
        live.evaluate(OPEN, [explorer.sheet, explorer.state])
        settle(live)
        assert live.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
        plot = live.evaluate(BOXES, ".bp-plane")[0]
        inside = live.evaluate(BOXES, ".bp-plane text, .bp-disc, .bp-grip")
        assert all(plot[0] - 0.5 <= b[0] and b[2] <= plot[2] + 0.5 and plot[1] - 0.5 <= b[1] and b[3] <= plot[3] + 0.5 for b in inside)  # fmt: skip
        blocks = ".bp-legend li", ".bp-numbers tbody th", ".bp-numbers tbody td", ".bp-part", ".bp-value > *", ".bp-plane .bp-label, .bp-plane .bp-axisname", ".bp-guide", ".bp-head > *", ".bp-columns > *"  # fmt: skip
        for selector in blocks:
            boxes = live.evaluate(BOXES, selector)
            for i, one in enumerate(boxes):
                assert one[0] >= 0 and (one[2] <= width or case == "long names"), (selector, one)
                for other in boxes[:i]:
                    apart = min(one[2], other[2]) - max(one[0], other[0]) <= 1 or min(one[3], other[3]) - max(one[1], other[1]) <= 1  # fmt: skip
                    assert apart, (selector, one, other)
    assert len(live.evaluate(BOXES, ".bp-legend li")) == 3


def test_long_names_scroll_and_are_reached_by_keyboard(live):
    name = "some_very_long_name_for_a_quantity_that_is_nudged"
    explorer = bp.explore_step(bp.Graph({"some_very_long_name_for_a_loss": f"{name}**3"}), name, **{name: 0.7})
    live.set_viewport_size({"width": 480, "height": 900})
    live.evaluate(OPEN, [explorer.sheet, explorer.state])
    settle(live)
    assert live.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    plot, title = (live.evaluate(BOXES, selector)[0] for selector in (".bp-plane", ".bp-axisname"))
    assert title[4] == "relative error" and title[2] < plot[2]
    wide = live.evaluate("() => [...document.querySelectorAll('.bp-numbers, .bp-parts')].map((n) => [n.scrollWidth > n.clientWidth, n.getAttribute('tabindex'), n.getAttribute('role')])")  # fmt: skip
    assert any(over for over, *_ in wide) and all(rest == (["0", "region"] if over else [None, None]) for over, *rest in wide)  # fmt: skip


def test_it_grows_with_its_room(opened):
    settle(opened)
    before = opened.evaluate(BOXES, ".bp-plane")[0]
    opened.set_viewport_size({"width": 600, "height": 900})
    opened.wait_for_function("document.querySelector('.bp-plane').getBoundingClientRect().width < 600")
    after = opened.evaluate(BOXES, ".bp-plane")[0]
    assert after[2] - after[0] < before[2] - before[0] and after[2] <= 600


# --- hostile sheets and names -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["constructor", "__proto__", "toString", "script", "innerHTML", "权", "µ", "undefined"]
)
def test_a_quantity_may_have_any_name(live, name):
    try:
        explorer = bp.explore_step(bp.Graph([("L", f"{name}**2 + {name}")]), name, **{name: 1.5})
    except ValueError:
        pytest.skip("no name of a quantity")
    live.evaluate(OPEN, [explorer.sheet, explorer.state])
    assert shown(live) == expected(explorer, explorer.state["row"])


@pytest.mark.parametrize("text", ["</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "&lt;b&gt;", '"onmouseover="alert(1)', "${alert(1)}", "`", "<!--"])  # fmt: skip
def test_a_text_in_the_sheet_stays_a_text(live, explorer, text):
    sheet, state = json.loads(json.dumps([explorer.sheet, explorer.state]))
    sheet["words"], sheet["names"], sheet["exact"] = {key: text for key in sheet["words"]}, [text] * 3, [text, text]
    for guide in sheet["guides"]:
        guide["text"] = text
    for found in state["row"]["formulas"]:
        found |= {"said": text, "note": text, "size": text, "digits": [text] * 3, "parts": [[text] * 3] * 2}
    state["row"]["text"] = text
    live.evaluate(ALONE, [sheet, state])
    assert shown(live)[1][0] == text * 3
    assert live.evaluate("() => document.querySelectorAll('script, img, b, [onmouseover]').length") == 0


def test_an_element_that_is_on_no_list_is_refused(live, explorer):
    sheet = json.loads(json.dumps(explorer.sheet))
    sheet["math"]["derivative"] = ["math", {}, ["script", {}, "alert(1)"]]
    with pytest.raises(Exception, match="the sheet holds an element script"):
        live.evaluate(ALONE, [sheet, explorer.state])


def test_an_exception_in_an_event_is_said_and_the_page_lives_on(live, explorer):
    live.evaluate(ALONE, [explorer.sheet, explorer.state])
    live.evaluate("() => { const go = page.go.bind(page); let n = 0; page.go = (row) => { if (++n === 1) throw new Error('for this test'); go(row); }; }")  # fmt: skip
    field = live.locator('input[type="text"]')
    field.fill("1e-6")
    field.press("Enter")
    assert "for this test" in live.locator(".bp-message").text_content()
    field.press("Enter")
    assert live.locator(".bp-message").text_content() == ""
    assert shown(live) == expected(explorer, explorer.sheet["rows"][-12 + 40])


# --- where it lives -----------------------------------------------------------------------------------------------------


def test_a_saved_page_needs_no_kernel_and_no_network(browser, tmp_path, explorer):
    path = tmp_path / "step.html"
    explorer.set(h=2.5e-6)
    explorer.save(path)
    assert path.stat().st_size < 110_000  # fmt: skip
    with visited(browser, path, ".bp-step") as page:
        assert shown(page) == expected(explorer, explorer.state["row"]), (
            "the step that was set is saved with its numbers"
        )
        field = page.locator('input[type="text"]')
        field.fill("2e-8")
        field.press("Enter")
        assert shown(page) == expected(explorer, explorer.sheet["rows"][-15 + 40])
        note = page.locator(".bp-noted").text_content()
        assert note == "Without a kernel only the half decades of h are known. Shown is the nearest to 2e-8."
        page.locator('input[type="range"]').focus()
        page.keyboard.press("ArrowRight")
        assert shown(page) == expected(explorer, explorer.sheet["rows"][-14 + 40])
        assert page.locator(".bp-noted").text_content() == ""


def test_a_text_ends_no_script_of_a_saved_page(explorer):
    sheet = explorer.sheet | {"names": ["</script><script>alert(1)</script>"] * 3}
    written = page_module.as_file(sheet, explorer.state, "</title><script>", ROOMS, LOOKS)
    assert written.count("<script") == written.count("</script>") == 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [480, 1280])
def test_axe_finds_nothing(browser, tmp_path, scheme, width):
    name = "some_very_long_name_for_a_quantity"
    for graph, wrt, numbers in ((bp.Graph(L="log(x)"), "x", {"x": 0.05}), (bp.Graph(loss=f"{name}**3"), name, {name: 0.7})):  # fmt: skip
        explorer = bp.explore_step(graph, wrt, **numbers)
        explorer.set(h=0.1)
        explorer.save(tmp_path / "step.html")
        with visited(
            browser,
            tmp_path / "step.html",
            ".bp-step",
            color_scheme=scheme,
            bypass_csp=True,
            viewport={"width": width, "height": 900},
        ) as page:
            field = page.locator('input[type="text"]')
            for text in ("2e-8", "much"):
                field.fill(text)
                field.press("Enter")
                settle(page)
                assert hurdles(page) == []


def test_moves_leave_nothing_behind(live, explorer):
    live.evaluate(ALONE, [explorer.sheet, explorer.state])

    def move(times):
        live.evaluate("(times) => { for (let i = 0; i < times; i++) { page.go(page.rows[i % 39]); page.draw(); } page.go(page.rows[10]); page.draw(); return document.querySelectorAll('*').length; }", times)  # fmt: skip
        return live.evaluate("() => document.querySelectorAll('*').length")

    nodes, used = move(100), heap_of(live)
    assert move(1000) == nodes and heap_of(live) - used < 300_000


# --- in a real kernel ---------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore")
def test_a_page_and_its_kernel(kernel):  # noqa: F811
    count = "import gc; gc.collect(); print(len(get_ipython().kernel.comm_manager.comms))"
    kernel.run(f"import backproplab as bp\nneuron, at = bp.Graph({json.dumps(NEURON)}), {AT!r}")
    said = kernel.run("e = bp.explore_step(neuron, 'w', **at)", cell="the same")
    assert not [content for kind, content in said if kind in ("error", "stream")]
    model = next(key for key, state in kernel.models.items() if "sheet" in state)
    (answer,) = kernel.say(model, {"turn": 1, "state": {"h": 2e-6}})
    value = float("".join(answer["row"]["formulas"][1]["digits"]).replace("−", "-"))
    assert value == pytest.approx(in_floats(2e-6)[1][1], rel=1e-9)
    assert float(kernel.printed("print(repr(e.values['central difference']))")) == value
    before = kernel.printed(count)
    for _ in range(3):
        kernel.run("e = bp.explore_step(neuron, 'w', **at)", cell="the same")
    assert kernel.printed(count) == before and int(before) >= 2
    kernel.run("e.close()")
    assert int(kernel.printed(count)) == int(before) - 2
