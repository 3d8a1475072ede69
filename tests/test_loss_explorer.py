"""The explorer of outputs and losses: its slopes and factors beside PyTorch's and 80 digits, driven by hand and in code."""

import json
import math
import re
import xml.etree.ElementTree as ET

import mpmath as mp
import numpy as np
import pytest
from conftest import heap_of
from driven import ALONE, BOXES, OPEN, answer_of, cleared, empty_page, pause, settle, visited
from test_activation_explorer import (
    axe_is_silent,
    fill,
    lines,
    nothing_overlaps,
    plain,
    texts_of,
)
from test_explorer import kernel  # noqa: F401  a fixture

import backproplab as bp
from backproplab.explorers import page as page_module
from backproplab.explorers.small.curves.loss.sheet import PAIRS, WORDS, crawling
from backproplab.explorers.small.curves.loss.widget import LossExplorer

NAMES = list(PAIRS)
SQUARE, ENTROPY, TANH, LINEAR = NAMES
OUTPUTS = {  # by hand, for mpmath: a and da/dz
    "sigmoid": (lambda z: 1 / (1 + mp.exp(-z)), lambda z: mp.exp(-z) / (1 + mp.exp(-z)) ** 2),
    "tanh": (mp.tanh, lambda z: mp.sech(z) ** 2),
    "identity": (lambda z: z, lambda z: mp.mpf(1)),
}
TABLE = [(-100, 1), (-60, 0), (-8, 1), (-5, 1), (-5, 0), (-2, 0.3), (0, 0), (0, 1), (0.7, 1), (1, 1), (3, 0.5), (6, 0), (8, 1), (37, 0), (99.5, 0)]  # fmt: skip


def own(name, z, y):
    """(a, L, dL/da, da/dz, dL/dz) by the test's own formulas, in 80 digits."""
    with mp.workdps(80):
        z, y = mp.mpf(z), mp.mpf(y)
        value, slope = OUTPUTS[name.split(" + ")[0]]
        a, by_z = value(z), slope(z)
        if name == ENTROPY:
            L = -(y * mp.log(a) if y else 0) - ((1 - y) * mp.log(1 - a) if y != 1 else 0)
            by_a = (-y / a if y else 0) + ((1 - y) / (1 - a) if y != 1 else 0)
        else:
            L, by_a = (a - y) ** 2 / 2, a - y
        return tuple(map(float, (a, L, by_a, by_z, by_a * by_z)))


def own_way(name, z, y, rate, steps):
    for _ in range(steps):
        z = z - rate * own(name, z, y)[4]
    return z


@pytest.fixture
def explorer():
    return bp.explore_loss(z=-4.0, y=1.0, steps=10)


# --- numbers ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("z, y", TABLE)
def test_outputs_losses_factors_and_slopes(z, y):
    e = bp.explore_loss(z, y, pairs=NAMES)
    for name in NAMES:
        a, L, by_a, by_z, slope = own(name, z, y)
        near = dict(rel=1e-9, abs=1e-15)
        assert (e.outputs[name], e.losses[name], e.slopes[name]) == (pytest.approx(a, **near), pytest.approx(L, **near), pytest.approx(slope, **near))  # fmt: skip
        assert e.factors[name] == (pytest.approx(by_a, **near), pytest.approx(by_z, rel=1e-9))


def test_the_slopes_are_those_of_pytorch():
    torch = pytest.importorskip("torch")
    output = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "identity": lambda z: z}
    rng = np.random.default_rng(0)
    for z, y in zip(rng.uniform(-12, 12, 40), rng.uniform(0, 1, 40), strict=True):
        e = bp.explore_loss(float(z), float(y), pairs=NAMES)
        for name in NAMES:
            u, t = torch.tensor(float(z), dtype=torch.float64, requires_grad=True), torch.tensor(float(y), dtype=torch.float64)  # fmt: skip
            a = output[name.split(" + ")[0]](u)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(u, t) if name == ENTROPY else (a - t) ** 2 / 2
            loss.backward()
            assert (e.slopes[name], e.losses[name]) == pytest.approx((u.grad.item(), loss.item()), rel=1e-9, abs=1e-15)


def test_the_square_crawls_where_it_is_wrong_and_the_cross_entropy_does_not():
    for y, end in ((1, -1), (0, 1)):
        e = bp.explore_loss(end * 8.0, y, pairs=NAMES)
        assert e.crawls == {SQUARE: True, ENTROPY: False, TANH: y == 1 or abs(math.tanh(8)) > 0.5, LINEAR: False}
        assert abs(e.slopes[SQUARE]) < 1e-3 < 0.99 < abs(e.slopes[ENTROPY])
        e.z = -end * 8.0
        assert not e.crawls[SQUARE], "it is right there"
        e.z = end * 2.0
        assert not e.crawls[SQUARE], "its slope is still there"


def test_where_it_crawls():
    ((low, high),) = crawling(SQUARE, 8.0, 1.0)
    with mp.workdps(30):
        exact = float(mp.findroot(lambda z: abs(OUTPUTS["sigmoid"][1](z) * (OUTPUTS["sigmoid"][0](z) - 1)) - 0.01, -4.6))  # fmt: skip
    assert low == -8 and exact - 0.04 <= high <= exact
    assert crawling(ENTROPY, 8.0, 1.0) == crawling(LINEAR, 8.0, 0.0) == [] and len(crawling(TANH, 8.0, 0.0)) == 2


@pytest.mark.parametrize("name", NAMES)
def test_the_way_down(name):
    for z, y, rate, steps in ((-5.0, 1.0, 0.5, 40), (3.0, 0.2, 2.0, 15), (0.4, 0.0, 1.3, 200), (2.0, 1.0, 0.0, 5)):
        e = bp.explore_loss(z, y, [name], rate, steps)
        assert len(e.ways[name]) == steps + 1 and e.ways[name][0] == z
        assert e.ways[name][-1] == pytest.approx(own_way(name, z, y, rate, steps), rel=1e-9, abs=1e-12)


# --- in code ------------------------------------------------------------------------------------------------------------


def test_set_changes_what_is_read(explorer):
    explorer.set(z=2, y=0, pairs=[LINEAR, TANH, LINEAR], rate=0.1, steps=3)
    assert (explorer.z, explorer.y, explorer.pairs, explorer.rate, explorer.steps) == (2.0, 0.0, (TANH, LINEAR), 0.1, 3)
    assert explorer.outputs.keys() == explorer.crawls.keys() == explorer.ways.keys() == {TANH, LINEAR}
    explorer.z, explorer.y, explorer.pairs, explorer.rate, explorer.steps = -1, 0.5, {SQUARE}, 2, 0
    assert repr(explorer) == "explore_loss(z=-1, y=0.5, pairs=['sigmoid + squared_error'], rate=2, steps=0)"
    assert explorer.ways == {SQUARE: [-1.0]}
    json.dumps([explorer.sheet, explorer.state], allow_nan=False)


@pytest.mark.parametrize("changes, error, message", [
    ({"z": math.nan}, ValueError, "z must be finite, found nan"), ({"z": -101}, ValueError, "z must be finite and from -100 to 100, found -101"), ({"z": "1"}, TypeError, "z must be a real number"), ({"z": True}, TypeError, "z must be"),
    ({"y": 1.01}, ValueError, "y must be finite and from 0 to 1, found 1.01"), ({"y": -0.1}, ValueError, "y must be"), ({"y": math.inf}, ValueError, "y must be finite"), ({"y": None}, TypeError, "y must be"), ({"y": [0, 1]}, TypeError, "y must be a number"),
    ({"rate": -0.1}, ValueError, "rate must be finite and from 0 to 2"), ({"rate": 2.1}, ValueError, "rate must be"), ({"steps": -1}, ValueError, "steps must not be negative"), ({"steps": 201}, ValueError, "steps must be from 0 to 200, found 201"), ({"steps": 2.5}, TypeError, "steps must be a whole number"), ({"steps": True}, TypeError, "steps must be"),
    ({"pairs": []}, ValueError, "pairs must hold at least one of sigmoid + squared_error,"), ({"pairs": ["sigmoid"]}, ValueError, "unknown name in pairs 'sigmoid'; known are sigmoid + squared_error"), ({"pairs": SQUARE}, TypeError, "pairs must be a list of names"), ({"pairs": None}, TypeError, "pairs must be a list"), ({"pairs": ["__proto__"]}, ValueError, "unknown name in pairs"),
])  # fmt: skip
def test_what_is_refused(explorer, changes, error, message):
    before = explorer.state, explorer.slopes, explorer.still.svg
    with pytest.raises(error, match=re.escape(f"explore_loss: {message}")):
        explorer.set(**changes)
    assert (explorer.state, explorer.slopes, explorer.still.svg) == before
    with pytest.raises(error, match=re.escape(message)):
        bp.explore_loss(**changes)


# --- the still ----------------------------------------------------------------------------------------------------------


def four(value):
    """A number as a still writes it."""
    return re.sub(r"e([+-])0*(\d+)", lambda m: "e" + m[1].strip("+") + m[2], f"{value + 0.0:.4g}").replace("-", "−")


@pytest.mark.parametrize("z, y", [(-100.0, 1.0), (-5.0, 1.0), (0.0, 0.5), (1.0, 1.0), (70.0, 0.0)])
def test_the_still_says_the_numbers(z, y):
    e = bp.explore_loss(z, y, NAMES, steps=7)
    picture = e.still
    texts = texts_of(picture.svg)
    for name in NAMES:
        a, L, by_a, by_z, slope = own(name, z, y)
        assert name.replace("_", " ") in texts
        assert f"z = {four(z)}, y = {four(y)}: a = {four(a)}, L = {four(L)}" in texts
        assert f"dL/dz = {four(by_a)} · {four(by_z)} = {four(slope)}" in texts
        assert any(text.startswith(f"after 7 steps: z = {four(own_way(name, z, y, 0.5, 7))}, ") for text in texts)
    assert "nan" not in picture.svg and "inf" not in picture.svg
    places = re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", picture.svg)
    assert all(-1 <= float(u) <= picture.width and -1 <= float(v) <= picture.height for u, v in places)


# --- what a page says ---------------------------------------------------------------------------------------------------


def spoken(z=2.0, y=0.0):
    """What a page says at z, with the test's own numbers."""
    state = {"z": z, "y": y, "pairs": NAMES[:2], "rate": 0.5, "steps": 10}
    return {"turn": 3, "state": state, "numbers": {name: [*own(name, z, y), own_way(name, z, y, 0.5, 10)] for name in NAMES[:2]}}  # fmt: skip


def test_the_kernel_agrees_with_the_same_numbers_and_with_no_others(explorer):
    assert answer_of(explorer, spoken())["agrees"] is True and (explorer.z, explorer.y) == (2.0, 0.0)
    for i in range(6):
        message = spoken()
        message["numbers"][ENTROPY][i] *= 1 + 1e-7
        assert answer_of(explorer, message)["agrees"] is False, i
    message = spoken()
    message["numbers"].pop(SQUARE)
    assert answer_of(explorer, message)["agrees"] is False


@pytest.mark.parametrize("spoil", [
    lambda m: m.pop("state"), lambda m: m["state"].update(z=math.nan), lambda m: m["state"].update(y=2), lambda m: m["state"].update(pairs=[]), lambda m: m["state"].update(pairs=["__proto__"]), lambda m: m["state"].update(steps=10**9),
    lambda m: m["state"].update(other=1), lambda m: m.pop("numbers"), lambda m: m.update(numbers={SQUARE: ["a"]}),
])  # fmt: skip
def test_a_page_that_was_tampered_with_gets_an_answer_and_changes_nothing(explorer, spoil):
    before, message = explorer.state, spoken()
    spoil(message)
    answer = answer_of(explorer, message)
    assert answer["turn"] == 3 and answer["error"] and "agrees" not in answer and explorer.state == before


# --- the page in headless Chromium --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def empty(browser):
    return empty_page(browser, LossExplorer.rooms, LossExplorer.looks)


@pytest.fixture
def live(empty):
    yield from cleared(empty)


@pytest.fixture
def opened(live, explorer):
    live.evaluate(OPEN, [explorer.sheet, explorer.state])
    return live


def shown(page):
    """What the columns show: {pair: (dL/da, da/dz, dL/dz, sentence, end)}."""
    settle(page)
    found = page.evaluate("() => [...document.querySelectorAll('.bp-pair')].map((n) => [n.getAttribute('aria-label'), [...n.querySelectorAll('.bp-number')].map((m) => m.textContent), n.querySelector('.bp-sentence').textContent, n.querySelector('.bp-end').textContent])")  # fmt: skip
    return {title.replace(" error", "_error").replace(" cross ", "_cross_"): ([plain(v) for v in values], says.replace("\u00a0", " "), end.replace("\u00a0", " ")) for title, values, says, end in found}  # fmt: skip


def expects(page, z, y, *names, rate=0.5, steps=10):
    """The columns hold the test's own numbers of these pairs."""
    found = shown(page)
    assert list(found) == list(names)
    for name, (values, _, end) in found.items():
        assert values == pytest.approx(own(name, z, y)[2:], rel=1e-3, abs=1e-15), name
        if steps:
            at = own_way(name, z, y, rate, steps)
            said = [plain(text) for text in re.findall(r"= (\S+?)[,.]?(?= |$)", end)]
            assert said == pytest.approx([at, *own(name, at, y)[:2]], rel=1e-3, abs=1e-12)


def test_the_page_computes_what_mpmath_does(live):
    e = bp.explore_loss(pairs=NAMES, steps=10)
    live.evaluate(ALONE, [e.sheet, e.state])
    for z, y in TABLE:
        live.evaluate("([z, y]) => page.go({ z, y })", [z, y])
        expects(live, z, y, *NAMES)
        numbers = live.evaluate("() => page.numbers()")
        assert answer_of(e, {"turn": 1, "state": e.state | {"z": z, "y": y}, "numbers": numbers})["agrees"] is True, (z, y)  # fmt: skip


def test_the_tangent_and_the_stem_have_the_slope(live):
    e = bp.explore_loss(pairs=NAMES, steps=0)
    live.evaluate(OPEN, [e.sheet, e.state])
    for z, y in ((-5.0, 1), (-1.0, 1), (0.5, 0), (2.0, 0), (1.5, 0.3)):
        fill(live, "z", str(z))
        fill(live, "target y", str(y))
        for name, tangent, stem, planes in zip(NAMES, lines(live, ".bp-tangent"), lines(live, ".bp-stem"), units(live), strict=True):  # fmt: skip
            slope = own(name, z, y)[4]
            (across, up), (_, up_below) = planes
            ((x0, y0), (x1, y1)) = tangent
            assert (y0 - y1) / up / ((x1 - x0) / across) == pytest.approx(slope, rel=0.02, abs=0.1 / up), (name, z)
            assert (stem[0][1] - stem[1][1]) / up_below == pytest.approx(slope, abs=0.2 / up_below), (name, z)
            assert len({up_below for _, (_, up_below) in units(live)}) == 1, "the slopes share one scale"


def units(page):
    """Of each pair and plane the pixels per unit of z and upwards, from the ticks."""
    found = page.evaluate("""() => [...document.querySelectorAll('.bp-planes')].map((figure) => {
      const texts = [...figure.querySelectorAll('.bp-drawn > text[text-anchor="end"]')].filter((n) => n.getAttribute('x') === '39').map((n) => [Number(n.getAttribute('y')) - 4, Number(n.textContent.replace('−', '-'))]);
      return [...figure.querySelectorAll('.bp-area')].map((n) => { const [y, w, h] = ['y', 'width', 'height'].map((a) => Number(n.getAttribute(a))); return [w / 16, texts.filter(([at]) => y - 1 <= at && at <= y + h + 1)]; });
    })""")  # fmt: skip
    return [[(across, abs((ticks[0][0] - ticks[-1][0]) / (ticks[0][1] - ticks[-1][1]))) for across, ticks in planes] for planes in found]  # fmt: skip


def test_the_arrows_are_as_long_as_the_factors(live):
    for z, y in ((-5.0, 1), (3.0, 0), (-0.5, 0.4)):
        e = bp.explore_loss(z, y, pairs=NAMES)
        live.evaluate(OPEN, [e.sheet, e.state])
        settle(live)
        rulers = live.evaluate("""() => [...document.querySelectorAll('.bp-ruler')].map((n) => ({
          ticks: [...n.querySelectorAll('.bp-tick')].map((t) => Number(/M([\\d.]+)/.exec(t.getAttribute('d'))[1])),
          tips: [...n.querySelectorAll('polygon')].map((p) => Number(p.getAttribute('points').split(',')[0])), end: Number(n.querySelector('circle').getAttribute('cx')) }))""")  # fmt: skip
        for name, ruler in zip(NAMES, rulers, strict=True):
            left, _, middle, _, right = ruler["ticks"]
            _, _, by_a, _, slope = own(name, z, y)
            sizes = [math.log10(abs(by_a)), math.log10(abs(slope)), math.log10(abs(slope))]
            far = max(4, 2 * math.ceil(max(abs(math.log10(abs(v))) for n in NAMES for v in own(n, z, y)[2:]) / 2))
            assert [(x - middle) / (right - left) * 2 * far for x in (*ruler["tips"], ruler["end"])] == pytest.approx(sizes, abs=0.02)  # fmt: skip


@pytest.mark.parametrize("name, z, y, said", [
    (SQUARE, -5, 1, "a − y = −0.9933: far off. But the slope is only −0.006604, because da/dz = 0.006648 is a factor of it."),
    (ENTROPY, -5, 1, "The further a is off, the larger dL/da = −149.4: it makes up for da/dz = 0.006648. What is left is a − y = −0.9933."),
    (LINEAR, -5, 1, "da/dz is 1 for every z: the slope is a − y itself."), (SQUARE, 5, 1, "a − y = −0.006693: nearly right, so the slope is small, as it should be."), (SQUARE, 0, 1, "The slope is a − y = −0.5, times da/dz = 0.25."),
])  # fmt: skip
def test_what_is_said(live, name, z, y, said):
    e = bp.explore_loss(z, y, [name])
    live.evaluate(OPEN, [e.sheet, e.state])
    assert shown(live)[name][1] == said
    settle(live)
    assert (live.locator(".bp-crawls").count() == 1) is e.crawls[name] is (name == SQUARE and z == -5)
    assert (live.locator(".bp-shade").count() > 0) is (name == SQUARE)
    assert not re.search("undefined|NaN|null|⟦", live.locator(".bp-loss").inner_text())


def test_the_still_shows_what_the_page_shows(live):
    for z, y in ((-5.0, 1.0), (2.5, 0.25), (30.0, 0.0)):
        e = bp.explore_loss(z, y, NAMES[:2], steps=0)
        live.evaluate(OPEN, [e.sheet, e.state])
        settle(live)
        found = live.evaluate("""() => [...document.querySelectorAll('.bp-planes')].map((n) => { const areas = [...n.querySelectorAll('.bp-area')].map((a) => ['x', 'y', 'width', 'height'].map((k) => Number(a.getAttribute(k)))), ring = n.querySelector('.bp-ring'), now = n.querySelector('.bp-now');
          return [ring, now].map((c, i) => [(Number(c.getAttribute('cx')) - areas[i][0]) / areas[i][2], (Number(c.getAttribute('cy')) - areas[i][1]) / areas[i][3]]); })""")  # fmt: skip
        discs = [tuple(float(node.get(a)) for a in ("cx", "cy")) for node in ET.fromstring(e.still.svg).iter("{http://www.w3.org/2000/svg}circle") if node.get("r") == "5.5"]  # fmt: skip
        shares = [((x - 52 - 376 * (k // 2)) / 300, (v - (52, 268)[k % 2]) / (170, 130)[k % 2]) for k, (x, v) in enumerate(discs)]  # fmt: skip
        assert np.array(shares).reshape(2, 2, 2) == pytest.approx(np.array(found), abs=3e-3), (z, y)


# --- by hand ------------------------------------------------------------------------------------------------------------


def test_controls(opened):
    expects(opened, -4.0, 1.0, SQUARE, ENTROPY)
    opened.get_by_label("z", exact=True).focus()
    for key, z in (("Home", -8), ("ArrowRight", -7.9), ("End", 8)):
        opened.keyboard.press(key)
        expects(opened, z, 1.0, SQUARE, ENTROPY)
    opened.get_by_role("button", name="y = 0").click()
    expects(opened, 8, 0, SQUARE, ENTROPY)
    opened.get_by_label("target y", exact=True).focus()
    opened.keyboard.press("ArrowRight")
    expects(opened, 8, 0.01, SQUARE, ENTROPY)
    opened.get_by_role("button", name="y = 1").click()
    fill(opened, "z", "-1.25")
    fill(opened, "rate α", "1.5")
    fill(opened, "steps", "25")
    expects(opened, -1.25, 1, SQUARE, ENTROPY, rate=1.5, steps=25)
    assert opened.locator(".bp-pair").first.locator(".bp-small").count() == 25
    opened.get_by_role("checkbox", name="tanh + squared error").check()
    opened.get_by_role("checkbox", name="sigmoid + squared error").uncheck()
    expects(opened, -1.25, 1, ENTROPY, TANH, rate=1.5, steps=25)
    opened.get_by_label("rate α", exact=True).focus()
    opened.keyboard.press("Home")
    opened.get_by_label("steps", exact=True).focus()
    opened.keyboard.press("End")
    expects(opened, -1.25, 1, ENTROPY, TANH, rate=0, steps=200)
    opened.get_by_role("checkbox", name="tanh + squared error").uncheck()
    opened.get_by_role("checkbox", name="sigmoid + binary cross entropy").click()
    assert "at least one pair has to stay" in opened.locator(".bp-message").text_content()
    assert opened.get_by_role("checkbox", name="sigmoid + binary cross entropy").is_checked()
    opened.get_by_role("button", name="Reset").click()
    expects(opened, -4.0, 1.0, SQUARE, ENTROPY)


def test_it_plays_and_pauses(opened):
    fill(opened, "steps", "195")
    play = opened.locator(".bp-play")
    play.click()
    opened.wait_for_function("document.querySelector('.bp-set-steps input[type=text]').value === '200'")
    opened.wait_for_function("document.querySelector('.bp-play').textContent === 'play'")
    play.click()
    opened.wait_for_function("document.querySelector('.bp-set-steps input[type=text]').value !== '200'")
    play.click()
    settle(opened)
    stood = opened.locator(".bp-set-steps input[type=text]").input_value()
    pause(opened, 200)
    assert opened.locator(".bp-set-steps input[type=text]").input_value() == stood and play.text_content() == "play"
    opened.emulate_media(reduced_motion="reduce")
    play.click()
    expects(opened, -4.0, 1.0, SQUARE, ENTROPY, steps=200)


def test_the_point_is_dragged_and_moved_by_keys(opened):
    settle(opened)
    left, top, right, bottom, _ = opened.evaluate(BOXES, ".bp-area")[2]  # the upper plane of the second pair
    opened.mouse.move(left + (right - left) * 0.25, (top + bottom) / 2)
    opened.mouse.down()
    opened.mouse.move(left + (right - left) * 0.75, (top + bottom) / 2, steps=4)
    opened.mouse.up()
    settle(opened)
    z = float(opened.locator(".bp-set-z input[type=text]").input_value())
    assert z == pytest.approx(4, abs=0.05)
    expects(opened, z, 1.0, SQUARE, ENTROPY)
    assert opened.evaluate("document.activeElement.closest('.bp-pair').getAttribute('aria-label')") == "sigmoid + binary cross entropy"  # fmt: skip
    opened.keyboard.press("Home")
    opened.keyboard.press("Shift+ArrowRight")
    expects(opened, -7.0, 1.0, SQUARE, ENTROPY)


@pytest.mark.parametrize("label, texts, message", [
    ("z", ["", "a", "1+1", "NaN", "1e999"], "a number is wanted"), ("z", ["101"], "a number from -100 to 100 is wanted for z"), ("target y", ["1.1", "-0.1"], "a target from 0 to 1 is wanted; found"),
    ("rate α", ["-1", "2.01"], "a rate from 0 to 2 is wanted"), ("steps", ["2.5", "201", "-1"], "a whole number of steps from 0 to 200 is wanted"),
])  # fmt: skip
def test_bad_numbers_are_refused_in_words(opened, label, texts, message):
    before, node = shown(opened), opened.locator(f'input[type="text"][aria-label="{label}, typed"]')
    kept = node.input_value()
    for text in texts:
        fill(opened, label, text)
        assert message in opened.locator(".bp-message").text_content()
        assert node.get_attribute("aria-invalid") == "true" and shown(opened) == before
    node.blur()
    assert node.input_value() == kept and opened.evaluate("sent") == []


def test_what_is_done_on_the_page_reaches_code_and_back(opened, explorer):
    fill(opened, "z", "3")
    fill(opened, "target y", "0.2")
    opened.get_by_role("checkbox", name="identity + squared error").check()
    opened.wait_for_function("sent.length > 0")
    pause(opened, 200)
    answer = answer_of(explorer, opened.evaluate("sent.at(-1)"))
    assert (explorer.z, explorer.y, explorer.pairs, answer["agrees"]) == (3.0, 0.2, (SQUARE, ENTROPY, LINEAR), True)
    opened.evaluate("answer", answer)
    assert opened.locator(".bp-verdict").text_content() == "✓ NumPy finds the same numbers"
    heard = []
    explorer.send = heard.append
    explorer.set(z=-2, y=0, pairs=[TANH], rate=1, steps=5)
    opened.evaluate("answer", heard[0])
    expects(opened, -2.0, 0.0, TANH, rate=1, steps=5)


# --- looks, hostile sheets, and where it lives --------------------------------------------------------------------------


@pytest.mark.parametrize("width", [400, 760, 1280])
@pytest.mark.parametrize("z, y, pairs", [(-5.0, 1.0, NAMES[:2]), (6.0, 0.0, NAMES), (-99.0, 1.0, NAMES), (1.0, 1.0, [LINEAR])])  # fmt: skip
def test_nothing_overlaps_or_is_cut(live, width, z, y, pairs):
    e = bp.explore_loss(z, y, pairs)
    live.set_viewport_size({"width": width, "height": 900})
    live.evaluate(OPEN, [e.sheet, e.state])
    nothing_overlaps(live, width, (".bp-head > *", ".bp-check", ".bp-pair", ".bp-pair > *", ".bp-factor"))
    assert live.evaluate("() => Math.min(...[...document.querySelectorAll('.bp-overz *')].map((n) => parseFloat(getComputedStyle(n).fontSize)))") >= 10  # fmt: skip


@pytest.mark.parametrize("text", ["</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"onmouseover="alert(1)', "${alert(1)}"])  # fmt: skip
def test_a_text_in_the_sheet_stays_a_text(live, explorer, text):
    sheet, state = json.loads(json.dumps([explorer.sheet, explorer.state]))
    sheet["words"] = {key: text for key in sheet["words"]}
    for row in sheet["pairs"]:
        row["title"] = text
    live.evaluate(ALONE, [sheet, state])
    settle(live)
    assert live.locator(".bp-who strong").first.text_content() == text
    assert live.evaluate("() => document.querySelectorAll('script, img, b, [onmouseover]').length") == 0


def test_what_is_on_no_list_is_refused(live, explorer):
    sheet = json.loads(json.dumps(explorer.sheet))
    sheet["pairs"][0]["math"]["lines"][0] = ["math", {}, ["script", {}, "alert(1)"]]
    with pytest.raises(Exception, match="the sheet holds an element script"):
        live.evaluate(ALONE, [sheet, explorer.state])
    with pytest.raises(Exception, match="this is none of the pairs: __proto__"):
        live.evaluate(ALONE, [explorer.sheet, explorer.state | {"pairs": ["__proto__"]}])


def test_a_saved_page_needs_no_kernel_and_no_network(browser, tmp_path, explorer):
    explorer.save(tmp_path / "loss.html")
    assert (tmp_path / "loss.html").stat().st_size < 150_000
    with visited(browser, tmp_path / "loss.html", ".bp-overz") as page:
        expects(page, -4.0, 1.0, SQUARE, ENTROPY)
        fill(page, "z", "2")
        page.get_by_role("button", name="y = 0").click()
        expects(page, 2.0, 0.0, SQUARE, ENTROPY)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [480, 1280])
def test_axe_finds_nothing(browser, tmp_path, scheme, width):
    bp.explore_loss(pairs=NAMES).save(tmp_path / "loss.html")
    axe_is_silent(browser, tmp_path / "loss.html", scheme, width, ("1", "much"))


def test_moves_leave_nothing_behind(live, explorer):
    live.evaluate(ALONE, [explorer.sheet, explorer.state])

    def move(times):
        live.evaluate("(times) => { for (let i = 0; i < times; i++) { page.go({ z: i % 17 - 8, y: i % 2, steps: i % 20 }); page.draw(); } page.go({ z: 1, y: 1, steps: 3 }); page.draw(); }", times)  # fmt: skip
        return live.evaluate("() => document.querySelectorAll('*').length")

    nodes, used = move(50), heap_of(live)
    assert move(200) == nodes and heap_of(live) - used < 400_000


def test_every_word_is_used():
    script = page_module.script(("computation", "small/live", "small/curves/over_z", "small/curves/loss/loss"))
    assert [key for key in WORDS if not re.search(rf'words\.{re.escape(key)}\b|"{re.escape(key)}"', script)] == []


@pytest.mark.filterwarnings("ignore")
def test_a_page_and_its_kernel(kernel):  # noqa: F811
    said = kernel.run("import backproplab as bp\ne = bp.explore_loss(steps=0)", cell="the same")
    assert not [content for kind, content in said if kind in ("error", "stream")]
    model = next(key for key, state in kernel.models.items() if "sheet" in state)
    state = kernel.models[model]["state"] | {"z": -2.0}
    numbers = {name: [*own(name, -2.0, 1.0), -2.0] for name in NAMES[:2]}
    (answer,) = kernel.say(model, {"turn": 1, "state": state, "numbers": numbers})
    assert answer["agrees"] is True
    assert kernel.printed("print(e.z, e.y)").strip() == "-2.0 1.0"
