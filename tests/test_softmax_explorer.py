"""The explorer of a softmax: its numbers beside PyTorch's and those of 50 digits, its controls and its sentences."""

import collections
import math
import re
import xml.etree.ElementTree as ET

import mpmath
import numpy as np
import pytest
from driven import OPEN, answer_of, cleared, pause, settle
from test_small_explorers import made, pages, slots  # noqa: F401  a fixture

import backproplab as bp

STATES = [  # logits, label
    ([2.0, 1.0, -1.0], 0), ([2.0, 1.0, -1.0], 2), ([0.0, 0.0], 1), ([0.5, -0.5, 3.0, 3.0, -6.0, 1.25], 4), ([1.0] * 5, 3), ([-3.0, 5.5], 0),
    ([30.0, 0.0, -30.0], 1), ([700.0, 10.0], 1), ([1e4, 0.0, -1e4], 0), ([1e4, 0.0, -1e4], 2), ([-1e300, 1e300], 0), ([1e4, 1e4 + 1, 1e4 - 2], 1),
]  # fmt: skip
HAS_LONG_WAY = [case for case in STATES if max(case[0]) - case[0][case[1]] < 600]


@pytest.fixture
def live(pages):  # noqa: F811
    yield from cleared(pages["softmax"], width=1180, height=1000)


@pytest.fixture
def explorer():
    return bp.explore_softmax()


@pytest.fixture
def opened(live, explorer):
    live.evaluate(OPEN, [explorer.sheet, explorer.state])
    settle(live)
    return live


def plain(text):
    return float(text.replace("−", "-"))


# --- the numbers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("logits, label", STATES)
def test_the_numbers_are_those_of_pytorch(logits, label):
    torch = pytest.importorskip("torch")
    e, z = bp.explore_softmax(logits, label), torch.tensor(logits, dtype=torch.float64, requires_grad=True)
    jacobian = torch.autograd.functional.jacobian(lambda z: torch.softmax(z, 0), z)
    loss = torch.nn.functional.cross_entropy(z, torch.tensor(label))
    loss.backward()
    assert e.probabilities == pytest.approx(torch.softmax(z, 0).detach().numpy(), rel=1e-14, abs=0)
    assert e.jacobian == pytest.approx(jacobian.numpy(), rel=1e-12, abs=1e-16)
    assert e.loss == pytest.approx(loss.item(), rel=1e-14) and e.gradient == pytest.approx(z.grad.numpy(), abs=1e-15)


@pytest.mark.parametrize("logits, label", HAS_LONG_WAY)
def test_the_long_way_is_the_jacobian_times_the_slope_of_the_loss(logits, label):
    e = bp.explore_softmax(logits, label)
    with mpmath.workdps(50):
        powers = [mpmath.exp(mpmath.mpf(z)) for z in logits]
        p = [float(power / sum(powers)) for power in powers]
    down = np.array([-1 / p[j] if j == label else 0.0 for j in range(len(p))])
    assert e.by_probabilities == pytest.approx(down, rel=1e-13)
    assert e.long_way == pytest.approx(e.jacobian.T @ down, rel=1e-12, abs=1e-16)
    assert e.long_way == pytest.approx(e.gradient, abs=1e-15)
    assert e.jacobian.sum(axis=0) == pytest.approx(0, abs=1e-15) and e.jacobian.sum(axis=1) == pytest.approx(0, abs=1e-15)  # fmt: skip


def test_the_column_says_what_one_logit_does():
    e, h = bp.explore_softmax([2.0, 1.0, -1.0, 0.3]), 1e-6
    for k in range(4):
        ahead, behind = ([z + sign * h * (i == k) for i, z in enumerate(e.logits)] for sign in (1, -1))
        moved = (bp.explore_softmax(ahead).probabilities - bp.explore_softmax(behind).probabilities) / (2 * h)
        assert e.jacobian[:, k] == pytest.approx(moved, abs=1e-9)


def test_extreme_logits_have_the_short_way_only():
    e = bp.explore_softmax([1e4, 0, -1e4], label=2)
    assert (e.loss, list(e.gradient), list(e.probabilities)) == (2e4, [1, 0, -1], [1, 0, 0])
    assert np.isnan(e.long_way).all() and e.by_probabilities[2] == -math.inf and e.facts["down:2"] == "−∞"
    assert e.facts["long:0"] == "–" and e.facts["longsum"].startswith("The long way ends here: p₃ is so small")
    assert e.facts["shortsum"].startswith("The short way: p₂ − y₂ = 0 − 0 = 0.") and e.facts["L"] == "L = −ln p₃ = 2e4"


def test_the_sentences():
    e = bp.explore_softmax([2.0, 1.0, -1.0], 0)
    p = np.exp([2.0, 1.0, -1.0]) / np.exp([2.0, 1.0, -1.0]).sum()
    assert [round(float(value), 3) for value in p] == [0.705, 0.259, 0.035]
    assert e.facts["says"] == "When z₂ grows by a little, p₁ shrinks by 0.183 times as much:"
    assert e.facts["entry"] == "p₁ (δ₁₂ − p₂) = 0.705 · (0 − 0.259) = −0.183"
    assert e.facts["longsum"].endswith("Only row 1, the label's, counts: (−0.183) · (−1.42) = 0.259.")
    assert e.facts["shortsum"].startswith("The short way: p₂ − y₂ = 0.259 − 0 = 0.259.")
    e.cell = 2, 2
    assert e.facts["says"] == "When z₃ grows by a little, p₃ grows by 0.0339 times as much:"
    assert e.facts["entry"] == "p₃ (δ₃₃ − p₃) = 0.0351 · (1 − 0.0351) = 0.0339"
    assert {e.facts[f"{way}:{k}"] for way in ("row", "column") for k in range(3)} == {"0"} and e.facts["p:sum"] == "1"


def test_the_still_shows_what_the_page_shows():
    for logits, label in STATES:
        e = bp.explore_softmax(logits, label)
        texts = ["".join(node.itertext()) for node in ET.fromstring(e.still.svg) if node.tag.endswith("text")]
        shown = [text for slot, text in e.facts.items() if slot.partition(":")[0] in ("p", "J", "row", "column", "long", "short", "L", "says", "entry") and slot != "p:sum"]  # fmt: skip
        assert not collections.Counter(shown) - collections.Counter(texts)


@pytest.mark.parametrize("changes, error, message", [
    ({"logits": [1.0]}, ValueError, "logits must be 2 to 6 numbers such as [2.0, 1.0, -1.0], found shape (1,)"), ({"logits": [1.0] * 7}, ValueError, "found shape (7,)"), ({"logits": [[1.0, 2.0]]}, ValueError, "found shape (1, 2)"), ({"logits": 3}, ValueError, "found shape ()"),
    ({"logits": [1, math.nan]}, ValueError, "logits must be finite, found nan at entry [1]"), ({"logits": [1, math.inf]}, ValueError, "finite"), ({"logits": [1, 1e301]}, ValueError, "from -1e300 to 1e300, found 1e+301"), ({"logits": "12"}, TypeError, "logits"), ({"logits": ["1", "2"]}, TypeError, "text"), ({"logits": [True, False]}, TypeError, "logits"), ({"logits": [1j, 2]}, TypeError, "logits"),
    ({"label": 3}, ValueError, "label must be from 0 to 2 with 3 logits, found 3; set both at once"), ({"label": -1}, ValueError, "label must not be negative, found -1"), ({"label": 1.0}, TypeError, "label must be a whole number"), ({"label": True}, TypeError, "label"), ({"logits": [1.0, 2.0], "label": 2}, ValueError, "label must be from 0 to 1"),
])  # fmt: skip
def test_what_is_refused(explorer, changes, error, message):
    before = explorer.state
    with pytest.raises(error, match=re.escape(message)):
        explorer.set(**changes)
    assert explorer.state == before
    with pytest.raises(error, match=re.escape(f"explore_softmax: {message}" if message.startswith("label") else message)):  # fmt: skip
        bp.explore_softmax(**changes)


@pytest.mark.parametrize("cell, error", [((0, 3), ValueError), ((-1, 0), ValueError), ((0,), TypeError), ("ab", TypeError), ((0.0, 1), TypeError), (None, TypeError)])  # fmt: skip
def test_cells_that_are_refused(explorer, cell, error):
    with pytest.raises(error, match="explore_softmax: cell must"):
        explorer.cell = cell
    assert explorer.cell == (0, 1)


def test_a_cell_that_nobody_asked_for_stays_inside(explorer):
    explorer.cell = 2, 1
    explorer.logits = [1.0, 2.0]
    assert explorer.cell == (1, 1)


# --- the page -----------------------------------------------------------------------------------------------------------

FOUND = "([sheet, states]) => { const page = new bp.Page(document.createElement('div'), sheet, states[0]); return states.map((state) => { page.take(state); const { p, jacobian, loss, gradient, long } = page.found; return { p, jacobian, loss, gradient, long: long.map((v) => (Number.isFinite(v) ? v : null)) }; }); }"


def test_page_and_python_find_the_same(live):
    explorers = [bp.explore_softmax(*case) for case in STATES]
    found = live.evaluate(FOUND, [explorers[0].sheet, [e.state for e in explorers]])
    for e, page in zip(explorers, found, strict=True):
        assert page["p"] == pytest.approx(e.probabilities, rel=1e-13, abs=0)
        assert np.array(page["jacobian"]) == pytest.approx(e.jacobian, rel=1e-12, abs=1e-16)
        assert page["loss"] == pytest.approx(e.loss, rel=1e-13) and page["gradient"] == pytest.approx(e.gradient, abs=1e-15)  # fmt: skip
        assert [math.nan if v is None else v for v in page["long"]] == pytest.approx(e.long_way, rel=1e-12, abs=1e-16, nan_ok=True)  # fmt: skip


def field(page, number):
    return page.get_by_label(f"logit z{'₀₁₂₃₄₅₆'[number]}, typed")


def fill(page, number, text):
    field(page, number).fill(text)
    field(page, number).press("Enter")
    settle(page)


def test_sliders_and_fields_move_the_probabilities(opened, explorer):
    fill(opened, 2, "3.5")
    explorer.set(logits=[2, 3.5, -1])
    assert slots(opened) == explorer.facts
    opened.get_by_label("logit z₁", exact=True).focus()
    opened.keyboard.press("Home")
    explorer.set(logits=[-6, 3.5, -1])
    assert slots(opened) == explorer.facts and field(opened, 1).input_value() == "-6"
    widths = opened.evaluate("() => [...document.querySelectorAll('.bp-bar')].map((n) => n.getBoundingClientRect().width / n.parentNode.clientWidth)")  # fmt: skip
    assert widths == pytest.approx(explorer.probabilities, abs=0.02)
    fill(opened, 1, "10000")
    explorer.set(logits=[10000, 3.5, -1])
    assert slots(opened) == explorer.facts
    slider = opened.get_by_label("logit z₁", exact=True)
    assert float(slider.get_attribute("max")) >= 10000 and float(slider.input_value()) == pytest.approx(1e4, rel=0.02)


def test_the_number_of_logits_and_the_label(opened, explorer):
    opened.get_by_label("label", exact=True).select_option("2")
    explorer.label = 2
    assert slots(opened) == explorer.facts
    for count, logits in ((6, [2, 1, -1, 0, 0, 0]), (2, [2, 1])):
        opened.get_by_label("logits", exact=True).select_option(str(count))
        explorer.set(logits=logits, label=min(explorer.label, count - 1), cell=(0, 1))
        assert slots(opened) == explorer.facts
        assert opened.locator('.bp-logit input[type="range"]').count() == count == opened.locator(".bp-label").count() * count  # fmt: skip
    assert opened.get_by_label("label", exact=True).input_value() == "1"
    opened.wait_for_function("sent.length > 0")
    pause(opened, 200)
    answer = answer_of(explorer, opened.evaluate("sent.at(-1)"))
    assert answer["agrees"] is True and explorer.logits == (2.0, 1.0)


@pytest.mark.parametrize("logits, said", [([2.0, 1.0, -1.0], "no probability has changed"), ([0.1, 0.7, -0.3], "by no more than rounding, "), ([1e4, 0.0], "no probability has changed")])  # fmt: skip
def test_one_more_for_all_logits_changes_nothing(live, logits, said):
    explorer = bp.explore_softmax(logits)
    live.evaluate(OPEN, [explorer.sheet, explorer.state])
    before = slots(live)
    live.get_by_role("button", name="add 1 to all logits").click()
    assert slots(live) == before
    assert said in live.locator(".bp-says").text_content()
    assert [float(field(live, k + 1).input_value()) for k in range(len(logits))] == [z + 1 for z in logits]
    live.get_by_role("button", name="Reset").click()
    settle(live)
    assert live.locator(".bp-says").text_content() == "" and float(field(live, 1).input_value()) == logits[0]


def cell(page, row, column):
    return page.locator(f'.bp-jacobian [data-row="{row}"][data-column="{column}"]')


def test_pointing_at_a_cell_says_what_it_means(opened, explorer):
    cell(opened, 2, 0).hover()
    hovered = made("softmax", dict(cell=(2, 0)))
    assert slots(opened) == hovered.facts and "p₃ shrinks" in hovered.facts["says"]
    assert opened.locator(".bp-asked").get_attribute("data-slot") == "J:2:0"
    opened.mouse.move(5, 5)
    assert slots(opened) == explorer.facts
    cell(opened, 1, 1).click()
    opened.keyboard.press("ArrowDown")
    assert slots(opened) == made("softmax", dict(cell=(2, 1))).facts, (
        "the pointer still rests on the cell that was clicked"
    )
    opened.keyboard.press("ArrowUp")
    opened.mouse.move(5, 5)
    opened.keyboard.press("ArrowRight")
    opened.keyboard.press("ArrowUp")
    opened.keyboard.press("ArrowUp")
    explorer.cell = 0, 2
    assert slots(opened) == explorer.facts
    assert opened.evaluate("document.activeElement.dataset.slot") == "J:0:2"
    assert opened.locator('.bp-jacobian [tabindex="0"]').count() == opened.locator('[aria-selected="true"]').count() == 1  # fmt: skip


def test_colours_go_with_the_sign_and_the_size(opened, explorer):
    shades = opened.evaluate("() => [...document.querySelectorAll('.bp-jacobian [data-row]')].map((n) => [Number(n.style.getPropertyValue('--share')), n.classList.contains('bp-cold')])")  # fmt: skip
    assert [share for share, _ in shades] == pytest.approx(np.abs(explorer.jacobian).ravel() / 0.25, rel=1e-12)
    assert [cold for _, cold in shades] == [bool(value < 0) for value in explorer.jacobian.ravel()]
    red, green, blue = map(int, re.findall(r"[\d.]+", opened.evaluate("() => { const c = document.createElement('canvas').getContext('2d', {willReadFrequently: true}); c.fillStyle = getComputedStyle(document.querySelector('[data-slot=\"J:0:0\"]')).backgroundColor; c.fillRect(0, 0, 1, 1); return [...c.getImageData(0, 0, 1, 1).data].slice(0, 3).join(' '); }")))  # fmt: skip
    assert red > green + 20 and red > blue + 20


@pytest.mark.parametrize("text", ["", "a", "1+1", "NaN", "<img src=x>", "1e999", "1e301", "-1e301"])
def test_bad_numbers_are_refused_in_words(opened, text):
    before = slots(opened)
    fill(opened, 1, text)
    said = opened.locator(".bp-message").text_content()
    assert "a logit must be a number from −10³⁰⁰ to 10³⁰⁰" in said and "still shows the last good numbers" in said
    assert said.count(text or "nothing") and field(opened, 1).get_attribute("aria-invalid") == "true"
    assert slots(opened) == before
    field(opened, 1).blur()
    assert field(opened, 1).input_value() == "2" and opened.locator("img").count() == 0 and opened.evaluate("sent") == []  # fmt: skip


@pytest.mark.parametrize("state", [{"logits": [1.0]}, {"logits": [1.0] * 7}, {"label": 3}, {"cell": [0, 9]}, {"logits": [None, 1.0, 2.0]}, {"label": 0.5}])  # fmt: skip
def test_a_state_that_does_not_fit_is_refused_by_the_page(opened, explorer, state):
    with pytest.raises(Exception, match=r"logit|label"):
        opened.evaluate("([sheet, state]) => new bp.Page(document.createElement('div'), sheet, state)", [explorer.sheet, explorer.state | state])  # fmt: skip
