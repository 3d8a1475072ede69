"""The explorer of an activation: its numbers beside 50 digits of the test's own formulas, driven by hand and in code."""

import json
import math
import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import mpmath as mp
import pytest
from conftest import heap_of
from driven import ALONE, BOXES, OPEN, answer_of, cleared, empty_page, hurdles, pause, settle, visited
from test_explorer import kernel  # noqa: F401  a fixture

import backproplab as bp
from backproplab.explorers import page as page_module
from backproplab.explorers.small.curves.activation.sheet import SAYS, WORDS, largest, saturation
from backproplab.explorers.small.curves.activation.widget import ActivationExplorer
from backproplab.explorers.small.curves.over_z import reach

NAMES = list(bp.ACTIVATIONS)
OWN = {  # by hand, for mpmath
    "identity": (lambda z: z, lambda z: mp.mpf(1)),
    "sigmoid": (lambda z: 1 / (1 + mp.exp(-z)), lambda z: mp.exp(-z) / (1 + mp.exp(-z)) ** 2),
    "tanh": (mp.tanh, lambda z: mp.sech(z) ** 2),
    "relu": (lambda z: max(z, mp.mpf(0)), lambda z: mp.mpf(z > 0)),
    "leaky_relu": (lambda z: z if z > 0 else z / 100, lambda z: mp.mpf(1) if z > 0 else mp.mpf(1) / 100),
    "softplus": (lambda z: mp.log(1 + mp.exp(z)), lambda z: 1 / (1 + mp.exp(-z))),
    "gelu": (lambda z: z * mp.ncdf(z), lambda z: mp.ncdf(z) + z * mp.npdf(z)),
    "silu": (lambda z: z / (1 + mp.exp(-z)), lambda z: (1 + mp.exp(-z) * (1 + z)) / (1 + mp.exp(-z)) ** 2),
}
TABLE = [-100.0, -37.5, -8.0, -6.2, -4.6, -3.0, -1.0, -0.3, 0.0, 1e-3, 0.5, 1.0, 2.5, 4.5, 7.9, 16.0, 60.0]


def own(name, z):
    """(value, slope) by the test's own formulas, in 80 digits."""
    with mp.workdps(80):
        return tuple(float(of(mp.mpf(z))) + 0.0 for of in OWN[name])


@pytest.fixture
def explorer():
    return bp.explore_activation("sigmoid", z=1.5, beside=["tanh", "gelu"])


# --- numbers ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_values_and_slopes(name):
    e = bp.explore_activation(name, beside=[])
    for z in TABLE:
        e.z = z
        assert (e.value, e.slope) == pytest.approx(own(name, z), rel=1e-11, abs=1e-300), z
        assert e.values == {name: e.value} and e.slopes == {name: e.slope}


def test_every_activation_has_its_words_and_its_own_formula_here():
    assert list(SAYS) == NAMES == list(OWN)


@pytest.mark.parametrize("name, z, slope", [
    ("identity", None, 1), ("sigmoid", 0, 0.25), ("tanh", 0, 1), ("relu", None, 1), ("leaky_relu", None, 1), ("softplus", None, 1), ("gelu", math.sqrt(2), None), ("silu", 2.3993572805, None),
])  # fmt: skip
def test_the_largest_slope(name, z, slope):
    found, most = largest(name)
    assert found == (None if z is None else pytest.approx(z, abs=2e-6))
    assert most == pytest.approx(own(name, z)[1] if slope is None else slope, rel=1e-9) == bp.explore_activation(name).largest  # fmt: skip
    if z is not None:
        assert own(name, z)[1] >= max(own(name, z + d)[1] for d in (-0.1, 0.1)), "a top"
    written = SAYS[name][1].removeprefix("near ")
    assert float(mp.mpf(written) if "/" not in written else mp.mpf(1) / 4) == pytest.approx(most, abs=5e-4)


def test_where_the_lowest_points_are():
    for name, z in (("gelu", -0.752), ("silu", -1.278)):
        assert f"z = {z}".replace("-", "−") in SAYS[name][0]
        assert own(name, z - 5e-4)[1] < 0 < own(name, z + 5e-4)[1]


@pytest.mark.parametrize("name, low, high", [
    ("identity", None, None), ("sigmoid", -4.6, 4.6), ("tanh", -3, 3), ("relu", 0, None), ("leaky_relu", None, None), ("softplus", -4.6, None), ("gelu", -3.1, None), ("silu", -6.3, None),
])  # fmt: skip
def test_where_it_saturates(name, low, high):
    for side, near, found in zip((-1, 1), (low, high), saturation(name), strict=True):
        if near is None:
            assert found is None
            assert all(abs(own(name, side * z)[1]) >= 0.01 for z in (10, 50, 100))
            continue
        if name == "relu":
            assert found == 0
            continue
        with mp.workdps(30):
            exact = float(mp.findroot(lambda z: abs(OWN[name][1](z)) - mp.mpf(1) / 100, near))
        assert found == pytest.approx(exact, abs=1e-9)
        for z in (found + side * d for d in (1e-6, 0.5, 3, 30)):
            assert abs(own(name, z)[1]) < 0.01 and bp.explore_activation(name, z).saturated
        assert not bp.explore_activation(name, found - side * 1e-6).saturated


# --- in code ------------------------------------------------------------------------------------------------------------


def test_set_changes_what_is_read(explorer):
    assert (explorer.name, explorer.z, explorer.beside) == ("sigmoid", 1.5, ("tanh", "gelu"))
    explorer.set(z=-2, beside=["relu", "relu", "sigmoid"])
    assert (explorer.z, explorer.beside, list(explorer.values)) == (-2.0, ("relu",), ["sigmoid", "relu"])
    explorer.name = "relu"
    assert (explorer.name, explorer.beside) == ("relu", ("sigmoid",)), "the one takes the place of the other"
    explorer.name = "silu"
    assert explorer.beside == ("sigmoid",)
    explorer.beside = ()
    assert explorer.values.keys() == {"silu"}
    json.dumps([explorer.sheet, explorer.state], allow_nan=False)


@pytest.mark.parametrize("changes, error, message", [
    ({"z": math.nan}, ValueError, "z must be finite, found nan"), ({"z": math.inf}, ValueError, "z must be finite"), ({"z": 101}, ValueError, "z must be finite and from -100 to 100, found 101"), ({"z": "1"}, TypeError, "z must be a real number"),
    ({"z": True}, TypeError, "z must be a real number"), ({"z": [1.0]}, TypeError, "z must be a number"), ({"z": None}, TypeError, "z must be"), ({"z": 1j}, TypeError, "z must be"),
    ({"name": "swish"}, ValueError, "unknown activation 'swish'; known are identity, sigmoid"), ({"name": "softmax"}, ValueError, "unknown activation 'softmax'"), ({"name": None}, ValueError, "unknown activation None"), ({"name": "__proto__"}, ValueError, "unknown activation"),
    ({"beside": ["tanh", "x"]}, ValueError, "unknown name in beside 'x'; known are identity"), ({"beside": "tanh"}, TypeError, "beside must be a list of names, found str 'tanh'"), ({"beside": 3}, TypeError, "beside must be a list"), ({"beside": [["tanh"]]}, ValueError, "unknown name in beside"),
])  # fmt: skip
def test_what_is_refused(explorer, changes, error, message):
    before = explorer.state, explorer.values, explorer.still.svg
    with pytest.raises(error, match=re.escape(f"explore_activation: {message}")):
        explorer.set(**changes)
    assert (explorer.state, explorer.values, explorer.still.svg) == before
    with pytest.raises(error, match=re.escape(message)):
        bp.explore_activation(**changes)


def test_a_name_that_is_no_control_is_refused(explorer):
    with pytest.raises(ValueError, match="no h can be set; known are name, z, beside"):
        explorer.set(h=1)


# --- the still ----------------------------------------------------------------------------------------------------------

NUMBER = r"(-?[\d.]+)"


def texts_of(svg):
    return ["".join(node.itertext()) for node in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize("name", NAMES)
def test_the_still_says_the_numbers(name):
    for z in (-100.0, -3.3, 0.0, 2.0, 90.0):
        picture = bp.explore_activation(name, z, beside=NAMES).still
        texts = texts_of(picture.svg)
        for each in NAMES:
            value, slope = (f"{v:.4g}".replace("-", "−").replace("e−0", "e−") for v in own(each, z))
            assert any(text.startswith(f"{each}: z = {z:.4g}, ".replace("-", "−")) and f"g(z) = {value}," in text and f"g′(z) = {slope};" in text for text in texts), (each, z, texts)  # fmt: skip
        assert "nan" not in picture.svg and "inf" not in picture.svg
        places = re.findall(rf"[ML]{NUMBER} {NUMBER}", picture.svg)
        assert all(-1 <= float(x) <= picture.width and -1 <= float(y) <= picture.height for x, y in places)


def test_what_a_notebook_keeps(explorer):
    bundle, _ = explorer._repr_mimebundle_()
    assert bundle["text/plain"] == "explore_activation('sigmoid', z=1.5, beside=['tanh', 'gelu'])"
    assert bundle["image/png"].startswith("iVBORw0KGgo") and "image/svg+xml" not in bundle


# --- what a page says ---------------------------------------------------------------------------------------------------


def spoken(z=2.0, **changes):
    """What a page says at z, with the test's own numbers."""
    names = ["sigmoid", "tanh", "gelu"]
    return {"turn": 3, "state": {"name": "sigmoid", "z": z, "beside": names[1:]} | changes, "numbers": {name: list(own(name, z)) for name in names}}  # fmt: skip


def test_the_kernel_agrees_with_the_same_numbers_and_with_no_others(explorer):
    assert answer_of(explorer, spoken())["agrees"] is True and explorer.z == 2.0
    for spoil in (lambda n: n["tanh"].__setitem__(1, n["tanh"][1] * (1 + 1e-7)), lambda n: n.pop("gelu"), lambda n: n["sigmoid"].pop(), lambda n: n["sigmoid"].__setitem__(0, math.nan), lambda n: n.update(sigmoid=3)):  # fmt: skip
        message = spoken()
        spoil(message["numbers"])
        assert answer_of(explorer, message)["agrees"] is False


@pytest.mark.parametrize("spoil", [
    lambda m: m.pop("state"), lambda m: m.update(state=3), lambda m: m["state"].update(z=math.nan), lambda m: m["state"].update(z="1"), lambda m: m["state"].update(z=1e9), lambda m: m["state"].update(name="__proto__"), lambda m: m["state"].update(beside="tanh"),
    lambda m: m["state"].update(other=1), lambda m: m.pop("numbers"), lambda m: m.update(numbers=3), lambda m: m.update(numbers={"sigmoid": ["a", 1]}),
])  # fmt: skip
def test_a_page_that_was_tampered_with_gets_an_answer_and_changes_nothing(explorer, spoil):
    before, message = explorer.state, spoken()
    spoil(message)
    answer = answer_of(explorer, message)
    assert answer["turn"] == 3 and answer["error"] and "agrees" not in answer and explorer.state == before


# --- the page in headless Chromium --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def empty(browser):
    return empty_page(browser, ActivationExplorer.rooms, ActivationExplorer.looks)


@pytest.fixture
def live(empty):
    yield from cleared(empty)


@pytest.fixture
def opened(live, explorer):
    live.evaluate(OPEN, [explorer.sheet, explorer.state])
    return live


def plain(text):
    """A number as the page writes it, read."""
    mantissa, _, power = text.strip("()").replace("−", "-").partition("·10")
    return float(mantissa + ("e" + power.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")) if power else ""))


def table(page):
    """The table of numbers: {name: (value, slope)}."""
    settle(page)
    rows = page.evaluate("() => [...document.querySelectorAll('.bp-activation tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent))")  # fmt: skip
    return {name: (plain(value), plain(slope)) for name, value, slope, _ in rows}


def expects(page, z, *names):
    """The table holds the test's own numbers of these activations, the first one in front."""
    found = table(page)
    assert list(found) == list(names)
    assert found == {name: pytest.approx(own(name, z), rel=1e-5, abs=1e-300) for name in names}


def fill(page, label, text):
    field = page.locator(f'input[type="text"][aria-label="{label}, typed"]')
    field.fill(text)
    field.press("Enter")
    settle(page)


def lines(page, selector):
    """The points of each path that the selector finds."""
    paths = page.evaluate("(selector) => [...document.querySelectorAll(selector)].map((n) => n.getAttribute('d'))", selector)  # fmt: skip
    return [[tuple(map(float, pair)) for pair in re.findall(rf"[ML]{NUMBER} {NUMBER}", d)] for d in paths]


def scales(page):
    """Of each plane (left, top, width, height) in the SVG, and the numbers of its ticks beside their places: [(y, number)]."""
    return page.evaluate("""() => {
      const areas = [...document.querySelectorAll('.bp-planes .bp-area')].map((n) => ['x', 'y', 'width', 'height'].map((a) => Number(n.getAttribute(a))));
      const texts = [...document.querySelectorAll('.bp-planes .bp-drawn > text[text-anchor="end"]')].map((n) => [Number(n.getAttribute('y')) - 4, Number(n.textContent.replace('−', '-')), n.getAttribute('x')]).filter(([, v, x]) => !Number.isNaN(v) && x === '39');
      return areas.map(([x, y, w, h]) => [[x, y, w, h], texts.filter(([at]) => y - 1 <= at && at <= y + h + 1)]);
    }""")  # fmt: skip


def units(page, limit):
    """Pixels per unit of z, and per unit upwards in each plane, from its ticks."""
    found = scales(page)
    up = [abs((ticks[0][0] - ticks[-1][0]) / (ticks[0][1] - ticks[-1][1])) for _, ticks in found]
    return found[0][0][2] / (2 * limit), up, found


def test_the_page_computes_what_mpmath_does(live):
    e = bp.explore_activation("relu", beside=NAMES)
    live.evaluate(ALONE, [e.sheet, e.state])
    for z in TABLE:
        fill(live, "z", repr(z))
        expects(live, z, "relu", *(name for name in NAMES if name != "relu"))


@pytest.mark.parametrize("name", NAMES)
def test_the_tangent_has_the_slope(live, name):
    e = bp.explore_activation(name, beside=[])
    live.evaluate(OPEN, [e.sheet, e.state])
    for z in (-7.0, -1.5, -0.4, 0.0, 0.7, 3.0, 12.0):
        fill(live, "z", str(z))
        value, slope = own(name, z)
        limit = reach(z)
        across, (up, up_below), planes = units(live, limit)
        ((x0, y0), (x1, y1)) = lines(live, ".bp-tangent")[0]
        assert (y0 - y1) / up / ((x1 - x0) / across) == pytest.approx(slope, abs=0.01)
        ring = live.evaluate("() => ['cx', 'cy'].map((a) => Number(document.querySelector('.bp-ring').getAttribute(a)))")  # fmt: skip
        (left, _, wide, _), ticks = planes[0]
        assert ring[0] == pytest.approx(left + (z / limit + 1) * wide / 2, abs=0.2)
        zero = ticks[0][0] + ticks[0][1] * up
        assert (zero - ring[1]) / up == pytest.approx(value, abs=0.2 / up)
        (foot, tip) = lines(live, ".bp-stem")[0]
        assert (foot[1] - tip[1]) / up_below == pytest.approx(slope, abs=0.2 / up_below)
        assert foot[0] == tip[0] == pytest.approx(ring[0], abs=0.1), "it stands below the point"


@pytest.mark.parametrize("name", NAMES)
def test_the_curves_are_those_of_mpmath(live, name):
    e = bp.explore_activation(name, z=1.0, beside=[])
    live.evaluate(OPEN, [e.sheet, e.state])
    settle(live)
    across, ups, planes = units(live, 8)
    for i, (((left, *_), ticks), up) in enumerate(zip(planes, ups, strict=True)):
        zero = ticks[0][0] + ticks[0][1] * up
        points = [point for piece in lines(live, f".bp-area:nth-of-type({i + 1}) .bp-line") for point in piece]
        xs = sorted(x for x, _ in points)
        assert max(b - a for a, b in pairwise([left, *xs, left + 16 * across])) < 6, "without a gap"
        for x, y in points:
            z = (x - left) / across - 8
            if abs(z) > 0.02:
                slack = 0.06 / across * abs(own(name, z)[1]) + 0.15 / up if i == 0 else 0.06 / across + 0.15 / up
                assert (zero - y) / up == pytest.approx(own(name, z)[i], abs=slack), z


def test_the_still_shows_what_the_page_shows(live):
    """Where the point stands in its plane, as shares of it, and where the planes end."""
    for name, z, beside in (("sigmoid", 1.5, ["tanh"]), ("identity", -7.0, []), ("gelu", 3.0, NAMES), ("relu", 30.0, []), ("tanh", -0.5, ["silu"])):  # fmt: skip
        e = bp.explore_activation(name, z, beside)
        live.evaluate(OPEN, [e.sheet, e.state])
        settle(live)
        planes = scales(live)
        (left, top, wide, tall), _ = planes[0]
        x, y = live.evaluate("() => ['cx', 'cy'].map((a) => Number(document.querySelector('.bp-ring').getAttribute(a)))")  # fmt: skip
        discs = [node.attrib for node in ET.fromstring(e.still.svg).iter("{http://www.w3.org/2000/svg}circle")]
        above, below = (disc for disc in discs if float(disc["r"]) == 5.5)
        assert (float(above["cx"]) - 52) / 640 == pytest.approx((x - left) / wide, abs=1e-3)
        assert (float(above["cy"]) - 30) / 230 == pytest.approx((y - top) / tall, abs=2e-3), name
        (_, top, _, tall), _ = planes[1]
        tip = lines(live, ".bp-stem")[0][1]
        assert (float(below["cy"]) - 306) / 130 == pytest.approx((tip[1] - top) / tall, abs=2e-3)


def test_the_shade_begins_where_the_slope_is_below_a_hundredth(live):
    for name in NAMES:
        e = bp.explore_activation(name, z=1.0, beside=[])
        live.evaluate(OPEN, [e.sheet, e.state])
        settle(live)
        (left, _, wide, _), _ = scales(live)[0]
        found = live.evaluate("() => [...document.querySelectorAll('.bp-area')].map((n) => [...n.querySelectorAll('.bp-shade')].map((r) => [Number(r.getAttribute('x')), Number(r.getAttribute('x')) + Number(r.getAttribute('width'))]))")  # fmt: skip
        ends = [[(x - left) / wide * 16 - 8 for x in pair] for pair in found[0]]
        low, high = saturation(name)
        wanted = [pair for pair in ((-8, low), (high, 8)) if None not in pair]
        assert found[0] == found[1] and len(ends) == len(wanted)
        assert [z for pair in ends for z in pair] == pytest.approx([z for pair in wanted for z in pair], abs=0.01)


@pytest.mark.parametrize("name, z, said", [
    ("relu", 0, "relu has a corner at z = 0: the slope is 0 on its left and 1 on its right. That relu′(0) = 0 is a convention, the one of PyTorch."),
    ("leaky_relu", 0, "leaky_relu has a corner at z = 0: the slope is 0.01 on its left and 1 on its right. That leaky_relu′(0) = 0.01 is a convention, the one of PyTorch."),
    ("relu", -2, "Here the slope of relu is 0: no gradient flows back through it."), ("sigmoid", 5, "Here sigmoid saturates: its slope is 0.006648, below 1/100, so that less than a hundredth of a gradient flows back."),
    ("sigmoid", 0, "One step to the right along the tangent goes 0.25 up: that is the slope g′(0)."), ("silu", -2, "One step to the right along the tangent goes 0.09078 down: that is the slope g′(−2)."),
])  # fmt: skip
def test_what_is_said(live, name, z, said):
    e = bp.explore_activation(name, z, [])
    live.evaluate(OPEN, [e.sheet, e.state])
    settle(live)
    assert live.locator(".bp-status").text_content() == said
    assert live.locator(".bp-convention").count() == (name in ("relu", "leaky_relu") and z == 0)


def test_the_convention_is_that_of_pytorch():
    torch = pytest.importorskip("torch")
    for name, of in (("relu", torch.relu), ("leaky_relu", torch.nn.functional.leaky_relu)):
        z = torch.zeros(1, dtype=torch.float64, requires_grad=True)
        of(z).backward()
        assert bp.explore_activation(name, 0).slope == pytest.approx(z.grad.item(), rel=1e-9)


@pytest.mark.parametrize("name, largest_said", [("sigmoid", "largest slope 1/4, at z = 0"), ("gelu", "largest slope 1.129, at z = 1.414"), ("relu", "largest slope 1"), ("softplus", "largest slope near 1")])  # fmt: skip
def test_formulas_and_the_largest_slope_are_shown(live, name, largest_said):
    e = bp.explore_activation(name, beside=["tanh"])
    live.evaluate(OPEN, [e.sheet, e.state])
    settle(live)
    assert largest_said in live.evaluate("() => [...document.querySelectorAll('.bp-planes text')].map((n) => n.textContent)")  # fmt: skip
    assert live.locator(".bp-card").count() == 2 and live.locator(".bp-card math").count() >= 4
    assert not re.search("undefined|NaN|null|⟦", live.locator(".bp-activation").inner_text())


# --- by hand ------------------------------------------------------------------------------------------------------------


def test_controls(opened):
    slider = opened.locator('input[type="range"]')
    slider.focus()
    for key, z in (("Home", -8), ("ArrowRight", -7.9), ("End", 8), ("ArrowLeft", 7.9)):
        opened.keyboard.press(key)
        expects(opened, z, "sigmoid", "tanh", "gelu")
    opened.get_by_label("tanh").uncheck()
    expects(opened, 7.9, "sigmoid", "gelu")
    opened.get_by_label("silu").check()
    opened.get_by_label("identity").check()
    expects(opened, 7.9, "sigmoid", "identity", "gelu", "silu")
    opened.get_by_label("activation", exact=True).select_option("silu")
    expects(opened, 7.9, "silu", "identity", "sigmoid", "gelu")
    assert opened.get_by_label("silu").is_disabled() and opened.get_by_label("sigmoid").is_checked()
    opened.get_by_label("activation", exact=True).select_option("relu")
    expects(opened, 7.9, "relu", "identity", "sigmoid", "gelu")
    opened.get_by_role("button", name="Reset").click()
    expects(opened, 1.5, "sigmoid", "tanh", "gelu")


def test_the_point_moves_by_keys(opened):
    opened.locator(".bp-handle").focus()
    for key in ("ArrowRight", "ArrowUp", "ArrowLeft", "Shift+ArrowLeft", "ArrowDown"):
        opened.keyboard.press(key)
    expects(opened, 0.5, "sigmoid", "tanh", "gelu")
    assert opened.locator(".bp-handle").get_attribute("aria-valuetext") == "z = 0.5"
    for key, z in (("End", 8.0), ("ArrowRight", 8.0), ("Home", -8.0)):
        opened.keyboard.press(key)
        expects(opened, z, "sigmoid", "tanh", "gelu")
    opened.keyboard.press("Tab")
    assert not opened.evaluate("document.activeElement.closest('.bp-handle')")


@pytest.mark.parametrize("width", [400, 760, 1280])
def test_the_point_is_dragged(live, explorer, width):
    live.set_viewport_size({"width": width, "height": 900})
    live.evaluate(OPEN, [explorer.sheet, explorer.state])
    settle(live)
    live.locator(".bp-planes").scroll_into_view_if_needed()
    (left, top, wide, tall), _ = scales(live)[0]
    at = live.evaluate(BOXES, ".bp-planes svg")[0]

    def screen(z):
        return at[0] + left + (z / 8 + 1) * wide / 2, at[1] + top + tall / 2

    live.mouse.move(*screen(1.5))
    live.mouse.down()
    live.mouse.move(*screen(-1), steps=3)
    live.mouse.move(*screen(-3), steps=3)
    live.mouse.up()
    live.mouse.move(*screen(5))
    settle(live)
    z = float(live.locator('input[type="text"]').input_value())
    assert z == pytest.approx(-3, abs=16 / wide + 0.01)
    expects(live, z, "sigmoid", "tanh", "gelu")
    live.mouse.click(*screen(2))
    settle(live)
    assert float(live.locator('input[type="text"]').input_value()) == pytest.approx(2, abs=16 / wide + 0.01)
    live.mouse.down()
    live.mouse.move(5000, 0)
    live.mouse.up()
    expects(live, 8.0, "sigmoid", "tanh", "gelu")


def test_the_axis_grows_and_rests_under_the_hand(opened):
    fill(opened, "z", "-50")
    slider = opened.locator('input[type="range"]')
    assert slider.get_attribute("min") == "-64"
    (left, top, wide, _), _ = scales(opened)[0]
    at = opened.evaluate(BOXES, ".bp-planes svg")[0]
    opened.mouse.move(at[0] + left + wide * 0.1, at[1] + top + 20)
    opened.mouse.down()
    opened.mouse.move(at[0] + left + wide / 2, at[1] + top + 20, steps=4)
    settle(opened)
    assert slider.get_attribute("min") == "-64"
    opened.mouse.up()
    settle(opened)
    assert slider.get_attribute("min") == "-8"


@pytest.mark.parametrize("texts, message", [(["", "a", "1+1", "NaN", "<img src=x>", "1e999", "Infinity"], "a number is wanted"), (["100.1", "-1e300"], "a number from -100 to 100 is wanted for z; found")])  # fmt: skip
def test_bad_numbers_are_refused_in_words(opened, texts, message):
    before, node = table(opened), opened.locator('input[type="text"]')
    for text in texts:
        fill(opened, "z", text)
        said = opened.locator(".bp-message").text_content()
        assert message in said and "still shows the last good numbers" in said
        assert node.get_attribute("aria-invalid") == "true" and table(opened) == before
    node.blur()
    assert node.input_value() == "1.5" and node.get_attribute("aria-invalid") is None
    assert opened.locator("img").count() == 0 and opened.evaluate("sent") == []


# --- page and kernel ----------------------------------------------------------------------------------------------------


def test_what_is_done_on_the_page_reaches_code_and_back(opened, explorer):
    fill(opened, "z", "-0.25")
    opened.get_by_label("activation", exact=True).select_option("gelu")
    opened.wait_for_function("sent.length > 0")
    pause(opened, 200)
    said = opened.evaluate("sent.at(-1)")
    answer = answer_of(explorer, said)
    assert (explorer.name, explorer.z, explorer.beside) == ("gelu", -0.25, ("sigmoid", "tanh")) and answer["agrees"]
    opened.evaluate("answer", answer)
    assert opened.locator(".bp-verdict").text_content() == "✓ NumPy finds the same numbers"
    heard = []
    explorer.send = heard.append
    explorer.set(name="softplus", z=3.0, beside=["relu"])
    opened.evaluate("answer", heard[0])
    expects(opened, 3.0, "softplus", "relu")
    assert opened.get_by_label("activation", exact=True).input_value() == "softplus"
    assert opened.locator(".bp-verdict").text_content() == ""
    fill(opened, "z", "1")
    count = opened.evaluate("sent.length")
    opened.wait_for_function("(count) => sent.length > count", arg=count)
    turn = opened.evaluate("sent.at(-1).turn")
    opened.evaluate("answer", {"turn": turn, "agrees": False, "worst": "0.1"})
    assert "NumPy finds other numbers" in opened.locator(".bp-verdict.bp-bad").text_content()
    opened.evaluate("answer", {"turn": turn, "error": "TypeError: <b>for this test</b>"})
    assert "the kernel says: TypeError: <b>" in opened.locator(".bp-verdict").text_content()


def test_the_kernel_agrees_with_the_page_everywhere(live):
    e = bp.explore_activation("tanh", beside=NAMES)
    live.evaluate(ALONE, [e.sheet, e.state])
    for z in [*TABLE, -0.7517916243860, 1.27846454]:
        numbers = live.evaluate("(z) => { page.go({ z }); return page.numbers(); }", z)
        state = e.state | {"z": z}
        assert answer_of(e, {"turn": 1, "state": state, "numbers": numbers})["agrees"] is True, z


def test_a_kernel_that_is_gone_is_said(opened):
    opened.evaluate("() => { sent.push = () => { throw new Error('the comm is closed'); }; }")
    fill(opened, "z", "1")
    opened.wait_for_function("document.querySelector('.bp-verdict').textContent.includes('does not answer')")
    assert opened.locator(".bp-message").text_content() == ""


# --- looks, hostile sheets, and where it lives --------------------------------------------------------------------------


def nothing_overlaps(page, width, selectors):
    settle(page)
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    for selector in selectors:
        boxes = page.evaluate(BOXES, selector)
        for i, one in enumerate(boxes):
            assert one[0] >= 0 and one[2] <= width, (selector, one)
            for other in boxes[:i]:
                clear = min(one[2], other[2]) - max(one[0], other[0]) <= 1 or min(one[3], other[3]) - max(one[1], other[1]) <= 2  # fmt: skip
                assert clear, (selector, one, other)


@pytest.mark.parametrize("width", [400, 760, 1280])
@pytest.mark.parametrize("name, z, beside", [("sigmoid", 1.0, ["tanh"]), ("relu", 0.0, NAMES), ("gelu", -8.0, []), ("silu", 99.0, NAMES)])  # fmt: skip
def test_nothing_overlaps_or_is_cut(live, width, name, z, beside):
    e = bp.explore_activation(name, z, beside)
    live.set_viewport_size({"width": width, "height": 900})
    live.evaluate(OPEN, [e.sheet, e.state])
    nothing_overlaps(live, width, (".bp-head > *", ".bp-check", ".bp-columns > *", "tbody td", ".bp-card", ".bp-drawn > text[text-anchor='end']", ".bp-formula"))  # fmt: skip
    assert live.evaluate("() => Math.min(...[...document.querySelectorAll('.bp-overz *')].map((n) => parseFloat(getComputedStyle(n).fontSize)))") >= 10  # fmt: skip


def test_the_planes_grow_with_their_room(opened):
    opened.evaluate(
        "() => { document.querySelector('.bp-page').style.height = '1200px'; }"
    )  # the page itself stays as it is
    for wide in (300, 500):
        opened.evaluate("(wide) => { document.querySelector('figure').parentNode.style.width = `${wide}px`; }", wide)
        opened.wait_for_function("(wide) => document.querySelector('.bp-plane').clientWidth === wide", arg=wide)
    assert opened.evaluate("document.querySelector('.bp-page').clientWidth") > 700


@pytest.mark.parametrize("text", ["</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "&lt;b&gt;", '"onmouseover="alert(1)', "${alert(1)}", "`"])  # fmt: skip
def test_a_text_in_the_sheet_stays_a_text(live, explorer, text):
    sheet, state = json.loads(json.dumps([explorer.sheet, explorer.state]))
    sheet["words"] = {key: text for key in sheet["words"]}
    for row in sheet["activations"]:
        row["says"] = row["most"] = text
    live.evaluate(ALONE, [sheet, state])
    settle(live)
    assert live.locator(".bp-card p").first.text_content() == text
    assert live.evaluate("() => document.querySelectorAll('script, img, b, [onmouseover]').length") == 0


def test_an_element_that_is_on_no_list_is_refused(live, explorer):
    sheet = json.loads(json.dumps(explorer.sheet))
    sheet["activations"][1]["math"]["formula"] = ["math", {}, ["script", {}, "alert(1)"]]
    with pytest.raises(Exception, match="the sheet holds an element script"):
        live.evaluate(ALONE, [sheet, explorer.state])
    with pytest.raises(Exception, match="this is none of the activations: __proto__"):
        live.evaluate(ALONE, [explorer.sheet, explorer.state | {"name": "__proto__"}])
    settle(live)  # what was refused does not draw itself later


def test_a_saved_page_needs_no_kernel_and_no_network(browser, tmp_path, explorer):
    explorer.save(tmp_path / "activation.html")
    assert (tmp_path / "activation.html").stat().st_size < 150_000
    with visited(browser, tmp_path / "activation.html", ".bp-overz") as page:
        expects(page, 1.5, "sigmoid", "tanh", "gelu")
        fill(page, "z", "-3")
        page.get_by_label("relu", exact=True).check()
        expects(page, -3.0, "sigmoid", "tanh", "relu", "gelu")


def axe_is_silent(browser, path, scheme, width, texts):
    with visited(
        browser, path, ".bp-overz", color_scheme=scheme, bypass_csp=True, viewport={"width": width, "height": 900}
    ) as page:
        for text in texts:
            fill(page, "z", text)
            assert hurdles(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [480, 1280])
def test_axe_finds_nothing(browser, tmp_path, scheme, width):
    bp.explore_activation("relu", beside=NAMES).save(tmp_path / "activation.html")
    axe_is_silent(browser, tmp_path / "activation.html", scheme, width, ("0", "-7", "much"))


def test_moves_leave_nothing_behind(live, explorer):
    live.evaluate(ALONE, [explorer.sheet, explorer.state])

    def move(times):
        live.evaluate("(times) => { for (let i = 0; i < times; i++) { page.go({ z: i % 17 - 8 }); page.draw(); } page.go({ z: 1 }); page.draw(); }", times)  # fmt: skip
        return live.evaluate("() => document.querySelectorAll('*').length")

    nodes, used = move(50), heap_of(live)
    assert move(400) == nodes and heap_of(live) - used < 400_000


def test_every_word_is_used():
    script = page_module.script(("small/live", "small/curves/over_z", "small/curves/activation/activation"))
    used = r'words\.{0}\b|words\["{0}"\]|"{0}"'
    assert [key for key in WORDS if not re.search(used.format(re.escape(key)), script)] == []


@pytest.mark.filterwarnings("ignore")
def test_a_page_and_its_kernel(kernel):  # noqa: F811
    said = kernel.run("import backproplab as bp\ne = bp.explore_activation(beside=[])", cell="the same")
    assert not [content for kind, content in said if kind in ("error", "stream")]
    model = next(key for key, state in kernel.models.items() if "sheet" in state)
    state = kernel.models[model]["state"] | {"z": -2.0}
    (answer,) = kernel.say(model, {"turn": 1, "state": state, "numbers": {"sigmoid": list(own("sigmoid", -2.0))}})
    assert answer["agrees"] is True
    assert kernel.printed("print(e.name, e.z)").strip() == "sigmoid -2.0"
