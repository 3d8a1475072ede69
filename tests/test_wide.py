"""The explorer of wide networks: its numbers are NumPy's, its page draws what the kernel said last, and a saved page lives alone."""

import base64
import json
import math
import os

import numpy as np
import pytest
from driven import cleared, empty_page, hurdles, pause, visited
from test_explorer import kernel  # noqa: F401  a fixture

import backproplab as bp
from backproplab.explorers.wide.sheet import MOST_EXAMPLES
from backproplab.explorers.wide.widget import STYLE, WIDE, WORDS, WideExplorer
from backproplab.notation import number
from backproplab.paper.sums import sum_of, tensor_and_place
from backproplab.pictures.facts import written
from backproplab.pictures.heat import color, pool

ROUNDS = int(os.environ.get("BACKPROPLAB_SOAK", "1"))
CASES = {
    "squared error": dict(activations=("tanh", "sigmoid"), loss="squared_error"),
    "squared error, softmax": dict(activations=("gelu", "softmax"), loss="squared_error", l2=0.3, reduction="sum"),
    "binary cross entropy": dict(activations=("relu", "sigmoid"), loss="binary_cross_entropy", l2=0.1),
    "cross entropy": dict(activations=("silu", "softmax"), loss="cross_entropy", reduction="sum"),
    "three layers": dict(sizes=(5, 7, 6, 3), activations=("tanh", "softplus", "identity"), l2=0.05),
}  # fmt: skip


def network(case, n=6, seed=0):
    """A net of the case with random biases, its X and its Y."""
    options = dict(CASES[case])
    sizes = options.pop("sizes", (5, 7, 4))
    net, rng = bp.Network(list(sizes), seed=seed, **options), np.random.default_rng(seed)
    net.parameters = {name: value + 0.1 * rng.normal(size=value.shape) for name, value in net.parameters.items()}
    targets = rng.integers(0, sizes[-1], n) if net.loss_name == "cross_entropy" else rng.random((n, sizes[-1]))
    return net, rng.normal(size=(n, sizes[0])), targets


def slope_of(activation, z):
    """g'(z), the test's own."""
    s = 1 / (1 + np.exp(-z))
    normal = np.vectorize(lambda v: math.erfc(-v / math.sqrt(2)) / 2)
    return {
        "tanh": lambda: 1 - np.tanh(z) ** 2, "sigmoid": lambda: s * (1 - s), "relu": lambda: (z > 0) * 1.0, "identity": lambda: np.ones_like(z),
        "softplus": lambda: s, "silu": lambda: s + z * s * (1 - s), "gelu": lambda: normal(z) + z * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi),
    }[activation]()  # fmt: skip


def by_hand(net, trace):
    """The gradient of every tensor but Y, from the textbook's formulas."""
    n, depth, gradient = len(trace["X"]), net.depth, {}
    share = 1 / n if net.reduction == "mean" else 1.0
    for layer in range(depth, 0, -1):
        A, Z = trace[f"A{layer}"], trace[f"Z{layer}"]
        if layer < depth:
            gradient[f"A{layer}"] = gradient[f"Z{layer + 1}"] @ trace[f"W{layer + 1}"]
        elif not net.fused:
            gradient[f"A{layer}"] = (A - trace["Y"]) * share
        if layer == depth and net.fused:
            delta = (A - trace["Y"]) * share
        elif net.activations[layer - 1] == "softmax":
            jacobian = np.stack([np.diag(a) - np.outer(a, a) for a in A])
            delta = np.einsum("nk,nkj->nj", gradient[f"A{layer}"], jacobian)
        else:
            delta = gradient[f"A{layer}"] * slope_of(net.activations[layer - 1], Z)
        below = trace[f"A{layer - 1}"] if layer > 1 else trace["X"]
        gradient |= {
            f"Z{layer}": delta,
            f"W{layer}": delta.T @ below + net.l2 * trace[f"W{layer}"],
            f"b{layer}": delta.sum(axis=0),
        }
    return gradient | {"X": gradient["Z1"] @ trace["W1"]}


# --- numbers ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_the_gradient_is_the_textbooks(case):
    net, X, Y = network(case)
    e = WideExplorer(net, X, Y)
    expected = by_hand(net, e.trace)
    found = e.gradient
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-11, atol=1e-13)
    assert found.keys() - expected.keys() == {"L", "Y"}


@pytest.mark.parametrize("case", CASES)
def test_the_products_of_every_entry_add_up_to_its_gradient(case):
    net, X, Y = network(case)
    e = WideExplorer(net, X, Y)
    trace, gradient, terms = e.trace, e.gradient, e._terms
    expected = by_hand(net, trace)
    for name in trace:
        if name == "L":
            continue
        for at in np.ndindex(trace[name].shape):
            found = sum_of(terms, gradient, name, at)
            if name not in gradient:
                assert found is None and net.fused and name == f"A{net.depth}"
                continue
            total = (found.left * found.right).sum() * (1.0 if found.slope is None else found.slope) + (
                found.direct or 0.0
            )
            right = expected.get(name, gradient["Y"])[at]
            assert total == pytest.approx(right, rel=1e-10, abs=1e-13), (name, at)
            assert (found.direct is not None) is (name[0] == "W" and net.l2 > 0)
            layer = int(name[1:] or 0) if name not in ("X", "Y") else 0
            below = trace[f"A{layer - 1}"] if layer > 1 else X
            if name[0] == "W":  # sum over the batch of delta times what came in, and each delta row
                np.testing.assert_allclose(found.left, expected[f"Z{layer}"][:, at[0]], rtol=1e-10, atol=1e-13)
                np.testing.assert_array_equal(found.right, below[:, at[1]])
                assert (found.direct or 0.0) == pytest.approx(net.l2 * trace[name][at], rel=1e-13)
            elif name[0] == "b":
                np.testing.assert_allclose(found.left, expected[f"Z{layer}"][:, at[0]], rtol=1e-10, atol=1e-13)
            elif name[0] in "XAZ" and layer < net.depth and name != "Y":
                np.testing.assert_allclose(found.left, expected[f"Z{layer + 1}"][at[0]], rtol=1e-10, atol=1e-13)
                np.testing.assert_array_equal(found.right, trace[f"W{layer + 1}"][:, at[1]])
                if name[0] == "Z":
                    assert found.slope == pytest.approx(
                        slope_of(net.activations[layer - 1], trace[name])[at], rel=1e-11
                    )


@pytest.mark.parametrize("shape, most", [((1, 1), (3, 3)), ((7, 5), (3, 2)), ((64, 784), (64, 128)), ((128, 784), (64, 128)), ((9,), (4, 4)), ((6, 4), (6, 4)), ((13, 17), (5, 1))])  # fmt: skip
def test_a_pooled_cell_is_the_largest_of_its_block(shape, most):
    array = np.random.default_rng(0).normal(size=shape)
    pooled, matrix = pool(array, *most), np.atleast_2d(array)
    p, q = pooled.block
    assert pooled.places.shape[0] <= most[0] and pooled.places.shape[1] <= most[1]
    for (i, j), place in np.ndenumerate(pooled.places):
        block = matrix[i * p : (i + 1) * p, j * q : (j + 1) * q]
        row, column = divmod(place, matrix.shape[1])
        assert i * p <= row < (i + 1) * p and j * q <= column < (j + 1) * q
        assert abs(matrix[row, column]) == abs(block).max()
    assert pooled.places.shape == (-(-matrix.shape[0] // p), -(-matrix.shape[1] // q))


def test_nothing_vanishes_by_averaging():
    array = np.zeros((200, 300))
    array[77, 111] = -3.0
    pooled = pool(array, 10, 10)
    assert (array.ravel()[pooled.places] == -3.0).sum() == 1
    assert [color(share) for share in (0.0, 1.0, -1.0)] == ["#ffffff", "#c4241d", "#1f63bd"]


# --- in Python ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def explorer():
    return WideExplorer(*network("three layers"))


def said(explorer, message):
    """What the kernel's side answers to a message of the page: (content, buffers)."""
    answers = []
    explorer.send = lambda content, buffers=None: answers.append(
        (json.loads(json.dumps(content, allow_nan=False)), buffers or [])
    )
    explorer._heard(None, message, [])
    del explorer.send
    (answer,) = answers
    return answer


def test_updates_go_down_the_gradient_and_leave_the_given_net_alone():
    net, X, Y = network("three layers")
    given, e = net.parameters, WideExplorer(net, X, Y)
    e.rate, expected, losses = 0.25, net.parameters, [net.loss(X, Y)]
    for _ in range(3):
        trace = bp.Network.from_parameters(expected, net.activations, net.loss_name, net.l2, net.reduction).forward(
            X, Y
        )
        gradient = by_hand(net, trace)
        expected = {name: value - 0.25 * gradient[name] for name, value in expected.items()}
        after = bp.Network.from_parameters(expected, net.activations, net.loss_name, net.l2, net.reduction)
        losses.append(after.loss(X, Y))
    e.update(3)
    for name, value in expected.items():
        np.testing.assert_allclose(e.numbers[name], value, rtol=1e-10, atol=1e-13)
        np.testing.assert_array_equal(net.parameters[name], given[name])
    assert e.losses == pytest.approx(losses, rel=1e-11)
    e.numbers["W1"][:] = 7.0
    e.trace["W1"][:] = 7.0
    e.gradient["W1"][:] = 7.0
    assert 7.0 not in e.numbers["W1"] and 7.0 not in e.trace["W1"] and 7.0 not in e.gradient["W1"]
    e.reset()
    np.testing.assert_array_equal(e.numbers["W1"], given["W1"])
    assert e.losses == losses[:1]


def test_an_update_that_diverges_stops_at_the_last_finite_state():
    net, X, Y = network("three layers")
    e = WideExplorer(net, X, Y)
    e.rate = 1e90
    with pytest.raises(ValueError, match=r"Stopped after \d of 50 updates, rate 1e90: .*(Z\d|W\d|L|dL/d)"):
        e.update(50)
    assert (
        len(e.losses) < 50
        and np.isfinite(e.losses).all()
        and all(np.isfinite(value).all() for value in e.gradient.values())
    )
    assert e.trace["L"] == e.losses[-1]
    answer, _ = said(e, {"turn": 1, "state": e.state, "update": 2})
    assert "rate 1e90" in answer["stopped"] and answer["turn"] == 1


@pytest.mark.parametrize("change, error, message", [
    (lambda e: e.set(wrt="W1_8_1"), ValueError, "'W1_8_1' is no entry of W1; its last is W1_7_5"), (lambda e: e.set(wrt="W9"), ValueError, "no quantity of this network; known are X, W1"),
    (lambda e: e.set(wrt="z1_0"), ValueError, "no entry of Z1; its last is z1_7"), (lambda e: e.set(wrt=3), TypeError, "wrt must be a name"), (lambda e: e.set(example=6), ValueError, "from 0 to 5, found 6"),
    (lambda e: e.set(example=True), TypeError, "whole number"), (lambda e: e.set(rate=0), ValueError, "rate must be above 0"), (lambda e: e.set(rate=float("nan")), ValueError, "rate must be above 0"),
    (lambda e: e.set(rate="1"), TypeError, "rate must be a number"), (lambda e: e.update(0), ValueError, "times must be a whole number from 1"), (lambda e: e.set(example=2, wrt="<b>"), ValueError, "'<b>' is no quantity"),
    (lambda e: e.set(wrt="L"), ValueError, "'L' is no quantity"), (lambda e: e.set(wrt="W1_1"), ValueError, "no entry of W1"),
])  # fmt: skip
def test_changes_that_are_refused(explorer, change, error, message):
    before = explorer.state, explorer.losses, explorer.example, explorer.wrt, explorer.rate
    with pytest.raises(error, match=message):
        change(explorer)
    assert (explorer.state, explorer.losses, explorer.example, explorer.wrt, explorer.rate) == before


def test_what_is_too_large_is_refused_with_its_count():
    net = bp.Network([3, 2], ["tanh"])
    with pytest.raises(ValueError, match=f"4097 examples, more than the {MOST_EXAMPLES}"):
        WideExplorer(net, np.zeros((4097, 3)), np.zeros((4097, 2)))
    with pytest.raises(ValueError, match="5002000 parameters, more than the 5000000"):
        WideExplorer(bp.Network([2500, 2000], ["tanh"]), np.zeros((1, 2500)), np.zeros((1, 2000)))
    with pytest.raises(ValueError, match="4004000000 products of parameters and examples, more than the 2000000000"):
        WideExplorer(bp.Network([1000, 2000], ["tanh"]), np.zeros((2000, 1000)), np.zeros((2000, 2000)))
    with pytest.raises(ValueError, match="33 layers, more than the 32"):
        WideExplorer(bp.Network([1] * 34, ["tanh"] * 33), [[1.0]], [[1.0]])
    with pytest.raises(TypeError, match="expected a Network, found dict"):
        WideExplorer({}, [[1.0]], [[1.0]])
    with pytest.raises(ValueError, match="X must be finite"):
        WideExplorer(net, [[1.0, math.nan, 0.0]], [[1.0, 0.0]])


def test_names_of_entries():
    found = [tensor_and_place(name) for name in ("W1_2_3", "b12_4", "z1_2", "x_5", "W1", "L", "q_1", "w1_2_3")]
    assert found == [("W1", (1, 2)), ("b12", (3,)), ("Z1", (1,)), ("X", (4,)), ("W1", ()), ("L", ()), ("q_1", ()), ("w1_2_3", ())]  # fmt: skip


@pytest.mark.parametrize("message", [
    {"turn": 1}, {"turn": 1, "state": {"example": 99, "wrt": "W1", "rate": 0.1}}, {"turn": 1, "state": {"example": 0, "wrt": "<script>", "rate": 0.1}}, {"turn": 1, "state": 3},
    {"turn": 1, "state": {"example": 0, "wrt": "W1", "rate": 1e999}}, {"turn": 1, "state": {"example": 0, "wrt": "W1", "rate": 0.1}, "update": 10**9}, {"turn": 1, "state": {"example": 0, "wrt": "W1", "rate": 0.1}, "update": "1"}, [],
])  # fmt: skip
def test_a_page_that_was_tampered_with_gets_an_answer_and_changes_nothing(explorer, message):
    before = explorer.state, explorer.losses
    answer, _ = said(explorer, message)
    assert answer["error"] and answer["turn"] == (1 if message else None)
    assert (explorer.state, explorer.losses) == before


def test_without_a_kernel_it_is_a_picture_with_a_short_text(explorer):
    bundle, _ = explorer._repr_mimebundle_()
    assert (
        bundle["text/plain"].startswith("explore(dL/dW1 of Network([5, 7, 6, 3], ")
        and " at 0x" not in bundle["text/plain"]
    )
    assert bundle["image/png"].startswith("iVBORw0KGgo") and "application/vnd.jupyter.widget-view+json" in bundle
    still = explorer.still
    assert still.svg == explorer.still.svg and len(still.shapes) < 2000
    assert (
        f"±{number(abs(explorer.trace['W2']).max(), 3)}" in still.svg
        and "#c4241d" in still.svg
        and "#1f63bd" in still.svg
    )


def test_closing_frees_the_widget_and_its_layout(explorer):
    layout = explorer.layout
    explorer.close()
    assert explorer.comm is None and layout.comm is None and explorer.sheet == {}


# --- the page -----------------------------------------------------------------------------------------------------------

OPEN = """([sheet, state]) => {
  globalThis.page?.dispose();
  document.body.replaceChildren();
  globalThis.sent = [];
  globalThis.page = new bp.Page(document.body, sheet, state, {moved: (state, numbers, more) => { sent.push({turn: sent.length + 1, state: structuredClone(state), ...more}); return sent.length; }});
}"""
ANSWER = """([message, buffers, way]) => {
  const bytes = buffers.map((text) => new DataView(Uint8Array.from(atob("AAA" + "A" + text), (c) => c.charCodeAt(0)).buffer, 3));
  if (way === "judge") page.judge(message, bytes); else page.receive(message.state, message, bytes);
  if (page.view) page.draw();
}"""


@pytest.fixture(scope="module")
def empty(browser):
    return empty_page(browser, WIDE, STYLE)


@pytest.fixture
def live(empty):
    yield from cleared(empty)


def answer(live, content, buffers, way="judge"):
    live.evaluate(ANSWER, [content, [base64.b64encode(data).decode() for data in buffers], way])


def opened(live, e):
    live.evaluate(OPEN, [e.sheet, e.state])
    return Driven(live, e)


class Driven:
    """A page beside its explorer: what it asks is answered when `settle` says so."""

    def __init__(self, live, e):
        self.live, self.e, self.done = live, e, 0
        self.settle()

    def settle(self):
        while messages := self.live.evaluate("(from) => sent.slice(from)", self.done):
            for message in messages:
                self.done += 1
                answer(self.live, *said(self.e, message))

    def card(self, name):
        return self.live.locator(f'.bp-card[aria-label="{name}"]')


def worded(e, name, at):
    """The words of an entry, from NumPy's numbers."""
    trace, gradient = e.trace, e.gradient
    batched = name[0] not in "Wb"
    entry = f"{name.lower() if name[0] != 'W' else name}_" + "_".join(str(i + 1) for i in (at[1:] if batched else at))
    where = f" of example {at[0] + 1}" if batched else ""
    slope = f", dL/d{entry} = {written(gradient[name][at])}" if name in gradient else ""
    return f"{entry}{where} = {written(trace[name][at])}{slope}"


@pytest.mark.parametrize("case", ["three layers", "cross entropy"])
def test_the_text_of_every_cell(live, case):
    net, X, Y = network(case)
    e = WideExplorer(net, X, Y)
    opened(live, e)
    trace = e.trace
    texts = live.evaluate(
        "() => page.heats.map((heat) => { const all = []; for (let r = 0; r < heat.grid.rows; r++) for (let c = 0; c < heat.grid.columns; c++) all.push(heat.text(r, c)); return [heat.tensor.name, all]; })"
    )
    assert [name for name, _ in texts] == [name for name in trace if name != "L"]
    for name, found in texts:
        assert found == [worded(e, name, at) for at in np.ndindex(trace[name].shape)]


def test_a_pooled_tensor_shows_the_largest_and_says_so(live):
    net = bp.Network([300, 140, 3], ["tanh", "identity"], seed=3)
    rng = np.random.default_rng(1)
    e = WideExplorer(net, rng.normal(size=(130, 300)), rng.normal(size=(130, 3)))
    driven = opened(live, e)
    for kind, arrays in (("value", e.trace), ("gradient", e.gradient)):
        driven.live.locator('select[aria-label="Show"]').select_option(kind)
        driven.settle()
        live.evaluate("page.draw()")
        assert "each cell is the largest of 3 × 3 entries" in driven.card("W1").inner_text()
        assert f"± {number(abs(arrays['W1']).max(), 4)}" in driven.card("W1").inner_text()
        rows, columns = live.evaluate("(() => { const {grid} = page.heats[1]; return [grid.rows, grid.columns]; })()")
        assert (rows, columns) == (47, 100)
        for row, column in ((0, 0), (46, 99), (20, 31)):
            block = abs(arrays["W1"][3 * row : 3 * row + 3, 3 * column : 3 * column + 3])
            i, j = np.unravel_index(block.argmax(), block.shape)
            text = live.evaluate("([r, c]) => page.heats[1].text(r, c)", [row, column])
            assert text == worded(e, "W1", (3 * row + i, 3 * column + j))


def test_a_deep_net_has_fewer_cells_of_each_tensor(live):
    net, rng = bp.Network([40] * 13, ["tanh"] * 12, seed=0), np.random.default_rng(0)
    opened(live, WideExplorer(net, rng.normal(size=(30, 40)), rng.normal(size=(30, 40))))
    sizes = live.evaluate("() => page.heats.map((heat) => heat.grid.rows * heat.grid.columns)")
    assert len(sizes) == 50 and sum(sizes) < 120_000 and max(sizes) <= 32 * 64
    assert "each cell is the largest of 2 × 1 entries" in live.locator('.bp-card[aria-label="W7"]').inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_say_the_sign_and_the_size(live, scheme):
    net, X, Y = network("three layers")
    live.evaluate("(light) => document.body.setAttribute('data-jp-theme-light', light)", str(scheme == "light").lower())
    e = WideExplorer(net, X, Y)
    opened(live, e)
    dots = live.evaluate(
        "() => { const c = page.heats[1].grid.canvas; return [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]; }"
    )
    card, hot, cold = (
        ((255, 255, 255), (0xC4, 0x24, 0x1D), (0x1F, 0x63, 0xBD))
        if scheme == "light"
        else ((0x15, 0x18, 0x1C), (0xFF, 0x7B, 0x72), (0x6A, 0xAE, 0xFF))
    )
    W = e.trace["W1"]
    for value, dot in zip(W.ravel(), np.reshape(dots, (-1, 4)), strict=True):
        end, share = (hot if value > 0 else cold), abs(value) / abs(W).max()
        assert (
            dot[:3] == pytest.approx([m + share * (c - m) for m, c in zip(card, end, strict=True)], abs=0.51)
            and dot[3] == 255
        )
    live.evaluate("() => document.body.removeAttribute('data-jp-theme-light')")


def test_the_cursor_moves_by_keyboard_and_enter_opens_the_sum(live):
    net, X, Y = network("three layers")
    e = WideExplorer(net, X, Y)
    driven = opened(live, e)
    canvas = driven.card("W1").locator("canvas")
    canvas.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "ArrowUp", "ArrowDown"):
        live.keyboard.press(key)
    assert driven.card("W1").locator(".bp-tip").inner_text() == worded(e, "W1", (1, 1))
    assert canvas.get_attribute("aria-label") == f"W1 (7, 5): {worded(e, 'W1', (1, 1))}"
    live.keyboard.press("End")
    assert driven.card("W1").locator(".bp-tip").inner_text() == worded(e, "W1", (1, 4))
    live.keyboard.press("Enter")
    driven.settle()
    assert e.wrt == "W1_2_5" and live.locator(".bp-sumtitle").inner_text() == worded(e, "W1", (1, 4))
    canvas.blur()
    assert driven.card("W1").locator(".bp-tip").inner_text() == ""


def test_a_click_opens_the_sum_with_both_factors_in_words(live):
    net, X, Y = network("three layers")
    e = WideExplorer(net, X, Y)
    driven = opened(live, e)
    box = driven.card("W2").locator("canvas").bounding_box()
    driven.card("W2").locator("canvas").click(position={"x": box["width"] * 2.5 / 7, "y": box["height"] * 4.5 / 6})
    driven.settle()
    gradient, trace = by_hand(net, e.trace), e.trace
    assert e.wrt == "W2_5_3"
    bars = live.evaluate("() => page.sum.bars.map((bar) => [bar.size, bar.text()])")
    products = gradient["Z2"][:, 4] * trace["A1"][:, 2]
    assert [size for size, _ in bars] == pytest.approx([*products, net.l2 * trace["W2"][4, 2]], rel=1e-9)
    assert sum(size for size, _ in bars) == pytest.approx(gradient["W2"][4, 2], rel=1e-9)
    from backproplab.pictures.facts import factor

    left, right = e.gradient["Z2"][2, 4], trace["A1"][2, 2]
    assert bars[2][1] == f"example 3: dL/dz2_5 · a1_3 = {factor(left)} · {factor(right)} = {written(left * right)}"
    assert bars[-1][1].startswith("L2 part: 0.05 · W2_5_3 = 0.05 · ")
    total = live.locator(".bp-sum").inner_text()
    assert total.endswith(f"dL/dW2_5_3 = {written(e.gradient['W2'][4, 2])}") and "sum over 6 examples" in total
    formula = live.locator(".bp-why math").all_text_contents()
    assert "⋅" in formula[1] and formula[1].endswith(written(e.gradient["W2"][4, 2])) and "?" not in "".join(formula)
    live.locator(".bp-why canvas").focus()
    live.keyboard.press("ArrowRight")
    assert live.locator(".bp-why .bp-tip").inner_text() == bars[1][1]
    heights = live.evaluate("""() => { const c = page.sum.grid.canvas, d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
      return page.sum.bars.map((_, i) => { let up = 0, down = 0; const x = Math.floor((i + 0.5) * c.width / page.sum.bars.length);
        for (let y = 0; y < c.height; y++) { const [r, g, b] = d.slice(4 * (y * c.width + x)); if (r > b + 60) up++; if (b > r + 60) down++; } return up - down; }); }""")
    sizes = [size for size, _ in bars]
    assert heights == pytest.approx([size / max(map(abs, sizes)) * max(map(abs, heights)) for size in sizes], abs=2.5)


@pytest.mark.parametrize("case", CASES)
def test_every_kind_of_entry_opens(live, case):
    net, X, Y = network(case)
    e = WideExplorer(net, X, Y)
    driven = opened(live, e)
    for name in [name for name in e.trace if name != "L"]:
        shape = e.trace[name].shape
        at = tuple(size - 1 for size in shape)
        live.evaluate(
            "([name, at]) => page.choose(page.tensors.get(name), at)", [name, [0, *at] if len(at) == 1 else list(at)]
        )
        driven.settle()
        assert live.locator(".bp-sumtitle").inner_text() == worded(e, name, at)
        if name in e.gradient:
            numbers = live.locator(".bp-why math").nth(1).text_content()
            assert numbers.endswith(written(e.gradient[name][at])), name
            bars = live.evaluate("() => page.sum.bars.map((bar) => bar.size)")
            assert not bars or sum(bars) == pytest.approx(e.gradient[name][at], rel=1e-9, abs=1e-14)
        else:
            assert (
                f"no path from it leads through {name}, which has no gradient" in live.locator(".bp-sum").inner_text()
            )
        assert (
            "?" not in live.locator(".bp-why").inner_text() and "undefined" not in live.locator(".bp-why").inner_text()
        )
        e.wrt = name
        live.evaluate("(name) => page.change({wrt: name})", name)
        driven.settle()
        assert live.locator(".bp-sumtitle").inner_text() == f"dL/d{name}"


def field(live, name):
    return live.locator(f'input[aria-label="{name}, typed"]')


def test_the_pointer_names_the_cell_below_it(live):
    e = WideExplorer(*network("three layers"))
    driven = opened(live, e)
    canvas = driven.card("A2").locator("canvas")
    box = canvas.bounding_box()
    canvas.hover(position={"x": box["width"] * 5.5 / 6, "y": box["height"] * 2.5 / 6})
    assert driven.card("A2").locator(".bp-tip").inner_text() == worded(e, "A2", (2, 5))
    live.mouse.move(0, 0)
    assert driven.card("A2").locator(".bp-tip").inner_text() == ""


def test_fields_choose_any_entry_and_refuse_what_is_none(live):
    e = WideExplorer(*network("three layers"))
    driven = opened(live, e)
    live.locator(f'select[aria-label="{WORDS["entry"]}"]').select_option("W2")
    driven.settle()
    field(live, "row").fill("6")
    field(live, "column").fill("7")
    field(live, "column").press("Enter")
    driven.settle()
    assert e.wrt == "W2_6_7"
    asked = live.evaluate("sent.length")
    for label, text in (
        ("row", "7"),
        ("column", "0"),
        ("row", "1.5"),
        ("row", "<b>"),
        ("Example", "7"),
        ("Rate", "-1"),
        ("Rate", "1e999"),
        ("Example", ""),
    ):
        field(live, label).fill(text)
        field(live, label).press("Enter")
        assert field(live, label).get_attribute("aria-invalid") == "true" and live.locator(".bp-message").inner_text()
        live.locator(".bp-why canvas").focus()
    assert e.wrt == "W2_6_7" and live.evaluate("sent.length") == asked and field(live, "row").input_value() == "6"
    field(live, "Rate").fill("0.5")
    field(live, "Rate").press("Enter")
    field(live, "Example").fill("4")
    field(live, "Example").press("Enter")
    driven.settle()
    assert (e.rate, e.example) == (0.5, 3) and live.locator(".bp-message").inner_text() == ""
    live.locator('input[type="range"]').focus()
    live.keyboard.press("ArrowRight")
    driven.settle()
    assert e.example == 4 and live.evaluate("page.state.example") == 4


def test_updates_and_reset_by_button(live):
    net, X, Y = network("three layers")
    e = WideExplorer(net, X, Y)
    driven = opened(live, e)
    for k in range(1, 4):
        live.get_by_role("button", name="Update").click()
        driven.settle()
        assert f"L = {written(e.losses[-1])}, after {k} updates" in live.locator(".bp-status").inner_text()
        assert live.evaluate("page.heats[1].text(0, 0)") == worded(e, "W1", (0, 0))
    assert len(e.losses) == 4 and e.losses == sorted(e.losses, reverse=True)
    live.locator(".bp-losses summary").click()
    assert live.locator(".bp-list").inner_text() == "; ".join(
        f"{i}: {written(loss)}" for i, loss in enumerate(e.losses)
    )
    live.get_by_role("button", name="Reset").click()
    driven.settle()
    assert len(e.losses) == 1 and live.evaluate("page.heats[1].text(0, 0)") == worded(e, "W1", (0, 0))


def test_clicks_while_the_kernel_works_are_all_counted_and_asked_at_once(live):
    e = WideExplorer(*network("three layers"))
    driven = opened(live, e)
    for _ in range(5):
        live.get_by_role("button", name="Update").click()
    assert live.evaluate("sent.length") == driven.done + 1
    driven.settle()
    assert len(e.losses) == 6 and driven.done == 3


def test_play_goes_on_until_it_is_paused(live):
    e = WideExplorer(*network("three layers"))
    driven = opened(live, e)
    live.get_by_role("button", name="Play").click()
    for _ in range(4):
        driven.settle()
        live.wait_for_function("(done) => sent.length > done", arg=driven.done)
    live.get_by_role("button", name="Pause").click()
    driven.settle()
    done = driven.done
    pause(live, 300)
    assert live.evaluate("sent.length") == done and len(e.losses) >= 5
    live.emulate_media(reduced_motion="reduce")
    live.evaluate("page.sync()")
    live.get_by_role("button", name="10 updates").click()
    count = len(e.losses)
    driven.settle()
    assert len(e.losses) == count + 10
    pause(live, 250)
    assert live.evaluate("sent.length") == driven.done
    live.emulate_media(reduced_motion="no-preference")


def test_an_answer_that_is_not_the_latest_is_never_drawn(live):
    e = WideExplorer(*network("three layers"))
    driven = opened(live, e)
    live.evaluate("page.change({example: 1})")
    late = said(e, live.evaluate("sent.at(-1)"))
    live.evaluate(
        "() => { page.sent -= 5000; page.change({example: 4}); }"
    )  # the kernel was silent, the page asks again
    before = live.evaluate("JSON.stringify(page.state)")
    answer(live, *late)
    assert live.evaluate("JSON.stringify(page.state)") == before
    answer(live, *said(e, live.evaluate("sent.at(-1)")))
    answer(live, *late)
    answer(live, *late, way="receive")
    assert live.evaluate("page.state.example") == 4
    content, buffers = late
    answer(live, content | {"turn": 10**9}, buffers, way="receive")  # another page of the same explorer
    assert live.evaluate("page.state.example") == 1 and driven.done


def test_a_state_set_in_code_is_drawn(live):
    e = WideExplorer(*network("three layers"))
    opened(live, e)
    pushed = []
    e.send = lambda content, buffers=None: pushed.append((content, buffers))
    e.set(wrt="b2_3", example=2)
    e.update()
    del e.send
    for content, buffers in pushed:
        answer(live, json.loads(json.dumps(content)), buffers, way="receive")
    assert live.evaluate("page.state") == {"example": 2, "wrt": "b2_3", "rate": 0.1}
    assert live.locator(".bp-sumtitle").inner_text() == worded(e, "b2", (2,))


HOSTILE = {
    "a name": lambda m: m["state"].update(wrt="<img src=x onerror=alert(1)>"),
    "a place": lambda m: m["state"].update(wrt="W1_99_1"),
    "an example": lambda m: m["state"].update(example=-1),
    "no cells": lambda m: m.update(cells=[]),
    "huge cells": lambda m: m["cells"][0].update(cells=[10**9, 10**9]),
    "a block": lambda m: m["cells"][1].update(block=[0, 1]),
    "another tensor": lambda m: m["cells"][1].update(name="constructor"),
    "a scale": lambda m: m["cells"][1].update(scales=["1", "2"]),
    "losses": lambda m: m.update(losses=[["<b>", 1]]),
    "no losses": lambda m: m.update(losses=[]),
    "a sum": lambda m: m.update(chosen={"value": 1, "gradient": 1, "count": 10**9, "slope": None, "direct": None}),
    "a text for a number": lambda m: m["chosen"].update(value="<b>1</b>"),
    "nothing": lambda m: [m.pop(key) for key in list(m) if key != "turn"],
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_a_strange_answer_is_refused_in_words_and_nothing_changes(live, what):
    e = WideExplorer(*network("three layers"))
    driven = opened(live, e)
    live.evaluate("page.change({wrt: 'W1_1_1'})")
    driven.settle()
    look = "() => [JSON.stringify(page.state), page.heats[1].text(0, 0), document.querySelector('.bp-sumtitle').textContent]"
    before = live.evaluate(look)
    live.evaluate("() => { page.view.version = -1; page.change({wrt: 'W1_2_2'}); }")
    content, buffers = said(e, live.evaluate("sent.at(-1)"))
    HOSTILE[what](content)
    answer(live, content, buffers)
    assert live.evaluate(look) == before
    assert WORDS["strange"] in live.locator(".bp-message").inner_text()
    assert live.evaluate("document.querySelectorAll('script, img, b').length") == 0
    live.evaluate("page.change({wrt: 'W1_2_2'})")
    driven.done = live.evaluate("sent.length") - 1
    driven.settle()
    assert live.evaluate("page.state.wrt") == "W1_2_2"


def test_numbers_that_do_not_fit_are_refused(live):
    e = WideExplorer(*network("three layers"))
    driven = opened(live, e)
    for spoil in (
        lambda b: [b[0][:-8], b[1]],
        lambda b: [b[0] + bytes(8), b[1]],
        lambda b: [np.full(len(b[0]) // 8, np.nan).tobytes(), b[1]],
        lambda b: [np.array([np.nan]).tobytes() + b[0][8:], b[1]],
        lambda b: [b[0][:-3], b[1]],
        lambda b: [],
    ):
        live.evaluate("() => { page.view.version = -1; page.change({wrt: 'W1_2_2'}); }")
        content, buffers = said(e, live.evaluate("sent.at(-1)"))
        answer(live, content, spoil(buffers))
        assert WORDS["strange"] in live.locator(".bp-message").inner_text() and live.evaluate("page.state.wrt") == "W1"
    assert driven.done


def test_an_error_of_the_kernel_stands_in_the_page_as_text(live):
    e = WideExplorer(*network("three layers"))
    driven = opened(live, e)
    live.evaluate("page.change({example: 3})")
    answer(live, {"turn": live.evaluate("sent.length"), "error": "<img src=x onerror=alert(1)>"}, [])
    assert "<img src=x" in live.locator(".bp-message").inner_text() and live.evaluate("document.images.length") == 0
    assert live.evaluate("page.wanted.example") == 0 and field(live, "Example").input_value() == "1"
    live.evaluate("page.change({rate: 1e90})")
    driven.done = live.evaluate("sent.length") - 1
    driven.settle()
    for _ in range(3):
        live.get_by_role("button", name="Update").click()
        driven.settle()
    assert "rate 1e90" in live.locator(".bp-message").inner_text() and np.isfinite(e.losses).all()


def test_moves_leave_nothing_behind(live):
    e = WideExplorer(*network("three layers"))
    driven = opened(live, e)
    count = "() => document.querySelectorAll('*').length"
    live.evaluate("page.change({wrt: 'W1_1_1'})")
    driven.settle()
    before = live.evaluate(count)
    for k in range(10 * ROUNDS):
        live.evaluate("(k) => { page.change({wrt: `W2_${k % 6 + 1}_1`, example: k % 6}); page.ask({update: 1}); }", k)
        driven.settle()
    live.evaluate("page.change({wrt: 'W1_1_1'})")
    driven.settle()
    live.evaluate("() => { page.ask({reset: true}); }")
    driven.settle()
    assert live.evaluate(count) == before


RENDER = """([sheet, state]) => {
  document.body.replaceChildren();
  globalThis.heard = []; globalThis.sent = [];
  const model = { get: (name) => ({sheet, state})[name], on: (_, act) => heard.push(act), off: (_, act) => heard.splice(heard.indexOf(act), 1), send: (message) => sent.push(structuredClone(message)) };
  const views = [0, 1].map(() => { const el = document.createElement("div"); document.body.append(el); return bp.default.render({model, el}); });
  globalThis.closeViews = () => views.forEach((close) => close());
}"""
HEAR = "([message, buffers]) => { const bytes = buffers.map((text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer)); [...heard].forEach((act) => act(message, bytes)); }"


def test_two_views_of_one_explorer_stay_together(live):
    """Both are told every answer; a page draws its own, and the other's where it asks for nothing itself."""
    e = WideExplorer(*network("three layers"))
    live.evaluate(RENDER, [e.sheet, e.state])

    def settle(done):
        while messages := live.evaluate("(from) => sent.slice(from)", done):
            for message in messages:
                done += 1
                content, buffers = said(e, message)
                live.evaluate(HEAR, [content, [base64.b64encode(data).decode() for data in buffers]])
        return done

    done = settle(0)
    assert len({message["turn"] for message in live.evaluate("sent")}) == done >= 2
    for view, other, row in ((0, 1, 3), (1, 0, 5)):
        fields = live.locator('input[aria-label="Example, typed"]')
        fields.nth(view).fill(str(row))
        fields.nth(view).press("Enter")
        live.get_by_role("button", name="Update").nth(view).click()
        done = settle(done)
        assert e.example == row - 1 and fields.nth(other).input_value() == str(row)
        texts = live.locator(".bp-status").all_inner_texts()
        live.wait_for_function(
            "() => { const [a, b] = [...document.querySelectorAll('.bp-status')].map((node) => node.textContent); return a === b && a !== ''; }"
        )
        assert len(texts) == 2 and written(e.losses[-1]) in live.locator(".bp-status").nth(other).inner_text()
    live.evaluate("closeViews()")
    assert live.evaluate("[heard.length, document.querySelectorAll('.bp-page').length]") == [0, 0]


def test_a_network_in_float32(live):
    rng = np.random.default_rng(0)
    net = bp.Network([5, 7, 3], ["tanh", "softmax"], "cross_entropy", l2=0.1, dtype=np.float32, seed=0)
    e = WideExplorer(net, rng.normal(size=(4, 5)), [0, 1, 2, 0])
    driven = opened(live, e)
    live.evaluate("() => { page.change({wrt: 'W1_2_3'}); page.ask({update: 2}); }")
    driven.settle()
    assert e.numbers["W1"].dtype == np.float32 and len(e.losses) == 3
    assert live.evaluate("page.heats[1].text(1, 2)") == worded(e, "W1", (1, 2))


# --- where it lives -----------------------------------------------------------------------------------------------------


def big(l2=0.0):
    net = bp.Network([784, 128, 10], ["relu", "softmax"], "cross_entropy", l2=l2, seed=0)
    rng = np.random.default_rng(0)
    return WideExplorer(net, rng.random((64, 784)), rng.integers(0, 10, 64))


@pytest.mark.parametrize("size", ["small", "big"])
def test_a_saved_page_needs_no_kernel_and_no_network(browser, tmp_path, size):
    e = big(0.01) if size == "big" else WideExplorer(*network("three layers"))
    e.set(wrt="W1_3_2", example=3)
    e.update(2)
    path = tmp_path / "page.html"
    e.save(path)
    text = path.read_text(encoding="utf-8").replace("http://www.w3.org", "")
    assert path.stat().st_size < 2_000_000 and "://" not in text and text.count("<script") == 3
    with visited(browser, path, ".bp-card canvas") as page:
        page.wait_for_function("document.querySelector('.bp-sumtitle').textContent !== ''")
        assert page.locator(".bp-sumtitle").inner_text() == worded(e, "W1", (2, 1))
        assert [page.get_by_role("button", name=name).is_disabled() for name in ("Update", "Play", "Reset")] == [
            True
        ] * 3 and WORDS["saved"] in page.inner_text("body")
        canvas = page.locator('.bp-card[aria-label="W1"] canvas')
        canvas.focus()
        for key in ("ArrowDown", "ArrowRight", "ArrowRight"):
            page.keyboard.press(key)
        row, column = page.evaluate("globalThis.page.heats[1].entry(1, 2)")
        assert page.locator('.bp-card[aria-label="W1"] .bp-tip').inner_text() == worded(e, "W1", (row, column))
        page.keyboard.press("Enter")
        page.wait_for_function(
            "(text) => document.querySelector('.bp-sumtitle').textContent === text", arg=worded(e, "W1", (row, column))
        )
        bars = page.evaluate("globalThis.page.sum.bars.map((bar) => bar.size)")
        expected = [*(e.gradient["Z1"][:, row] * e.trace["X"][:, column]), e._net.l2 * e.trace["W1"][row, column]]
        assert bars == pytest.approx(expected, rel=1e-12) and sum(bars) == pytest.approx(
            e.gradient["W1"][row, column], rel=1e-9
        )
        page.evaluate("globalThis.page.change({wrt: 'b2_2'})")
        page.wait_for_function(
            "(text) => document.querySelector('.bp-sumtitle').textContent === text", arg=worded(e, "b2", (1,))
        )
        page.evaluate("globalThis.page.change({wrt: 'z1_1', example: 0})")
        page.wait_for_function(
            "(text) => document.querySelector('.bp-sumtitle').textContent === text", arg=worded(e, "Z1", (0, 0))
        )
        assert page.locator(".bp-sum").inner_text() == WORDS["needskernel"]


@pytest.mark.parametrize("wrt", ["W1", "W1_2_3", "z1_2"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser, tmp_path, wrt, scheme):
    e = WideExplorer(*network("cross entropy"))
    e.wrt = wrt
    e.save(tmp_path / "page.html")
    with visited(browser, tmp_path / "page.html", ".bp-card canvas", color_scheme=scheme, bypass_csp=True) as page:
        page.wait_for_function("document.querySelector('.bp-sumtitle')?.textContent")
        for show in ("value", "gradient"):
            page.locator('select[aria-label="Show"]').select_option(show)
            assert hurdles(page) == []


@pytest.mark.parametrize("width", [700, 1280])
def test_nothing_is_cut(live, width):
    live.set_viewport_size({"width": width, "height": 900})
    opened(live, big())
    assert live.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth + 1")
    live.set_viewport_size({"width": 1280, "height": 900})


@pytest.mark.filterwarnings("ignore")
def test_a_page_and_its_kernel(kernel):  # noqa: F811
    code = "import numpy as np, backproplab as bp\nfrom backproplab.explorers.wide.widget import WideExplorer\nnet = bp.Network([5, 7, 3], ['tanh', 'identity'], seed=0)\nrng = np.random.default_rng(0)\ne = WideExplorer(net, rng.normal(size=(4, 5)), rng.normal(size=(4, 3)))"
    assert not [content for kind, content in kernel.run(code) if kind in ("error", "stream")]
    model = next(key for key, state in kernel.models.items() if "sheet" in state)
    state = kernel.models[model]["state"] | {"example": 2, "wrt": "W1_2_3", "rate": 0.5}
    (found,) = kernel.say(model, {"turn": 1, "state": state, "has": None, "update": 1})
    assert (
        found["state"] == state
        and found["version"] == 1
        and len(found["losses"]) == 2
        and found["chosen"]["count"] == 4
    )
    assert (
        float(kernel.printed("print(repr(e.gradient['W1'][1, 2]))").removeprefix("np.float64(").rstrip(")\n"))
        == found["chosen"]["gradient"]
    )


def test_the_gradients_are_asked_for_when_they_are_to_be_seen(live):
    """A switch while another answer is under way: that answer brings no cells, the next one those of the gradients."""
    net = bp.Network([300, 20, 3], ["relu", "softmax"], "cross_entropy", seed=3)
    e = WideExplorer(net, np.random.default_rng(1).normal(size=(70, 300)), np.arange(70) % 3)
    driven = opened(live, e)
    live.evaluate("page.change({example: 2})")
    live.locator('select[aria-label="Show"]').select_option("gradient")
    driven.settle()
    sent = live.evaluate("sent.slice(-2)")
    assert [(message["has"], message["show"]) for message in sent] == [(0, "value"), (None, "gradient")]
    assert live.locator(".bp-message").inner_text() == "" and live.evaluate("[page.show, page.state.example]") == [
        "gradient",
        2,
    ]
    assert (
        "no path from it leads through A2" in driven.card("A2").inner_text()
        and "no gradient" in driven.card("A2").inner_text()
    )
    live.locator('select[aria-label="Show"]').select_option("value")
    driven.settle()
    row, column = live.evaluate("page.heats[0].entry(3, 4)")
    assert live.evaluate("page.heats[0].text(3, 4)") == worded(e, "X", (row, column))
