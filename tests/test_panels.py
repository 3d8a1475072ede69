"""The page's panels in headless Chromium: update, loss, nudge, voices, batch, and the chain through delta, against the test's own numbers."""

import math

import numpy as np
import pytest
from conftest import AT
from driven import cleared, empty_page, pause, settle

import backproplab as bp
from backproplab.notation import number
from backproplab.pictures.facts import factor, gather, written
from backproplab.pictures.shapes import Text
from backproplab.terms import walk

OPEN = """([sheet, state]) => {
  globalThis.page?.dispose();
  document.body.replaceChildren();
  globalThis.page = new bp.Page(document.body, sheet, state, {});
}"""
NEURON = bp.Graph(z="w*x + b", a="sigmoid(z)", L="(y - a)**2 / 2")
NET = bp.Network([2, 3, 2], ["tanh", "sigmoid"], l2=0.1, seed=0)
X, Y = np.random.default_rng(0).normal(size=(5, 2)), np.eye(2)[[0, 1, 1, 0, 1]]


@pytest.fixture(scope="module")
def empty(browser):
    return empty_page(browser)


@pytest.fixture
def live(empty):
    yield from cleared(empty)


def shown(live, explorer, *panels):
    """The page of an explorer, with these panels unfolded."""
    live.evaluate(OPEN, [explorer.sheet, explorer.state])
    for panel in panels:
        if live.locator(f"[data-panel={panel}]").get_attribute("open") is None:
            live.locator(f"[data-panel={panel}] summary").click()
    settle(live)


def values(live, panel):
    """The numbers of a panel's bars."""
    found = live.evaluate(
        f"() => [...document.querySelectorAll('[data-panel={panel}] .bp-row .bp-number')].map((node) => Number(node.title))"
    )
    settle(live)
    return found


def neuron():
    return bp.explore(NEURON, **AT, wrt="w")


# --- the update ---------------------------------------------------------------------------------------------------------


def descended(rate, times, w=-0.4, b=0.2, x=1.5, y=1.0):
    """The test's own descent of the neuron: (w, b, losses)."""
    losses = []
    for turn in range(times + 1):
        a = 1 / (1 + math.exp(-(w * x + b)))
        losses.append((y - a) ** 2 / 2)
        if turn < times:
            delta = (a - y) * a * (1 - a)
            w, b = w - rate * delta * x, b - rate * delta
    return w, b, losses


def test_updates_by_hand_and_back_to_the_start(live):
    shown(live, neuron(), "update")
    rate = live.locator("[data-panel=update] input[data-state=rate]")
    rate.fill("2")
    rate.press("Enter")
    for _ in range(4):
        live.get_by_role("button", name="one step", exact=True).click()
    w, b, losses = descended(2.0, 4)
    state = live.evaluate("page.state")
    assert [state["numbers"]["w"], state["numbers"]["b"]] == pytest.approx([w, b], rel=1e-13)
    assert state["losses"] == pytest.approx(losses, rel=1e-13)
    settle(live)
    assert f"L after step 4: {written(losses[-1])}" in live.locator("[data-panel=update] summary").text_content()
    assert live.locator("[data-panel=update] .bp-curve").get_attribute("d").count("L") == 4
    ahead = descended(2.0, 5)[0]
    assert live.locator(".bp-rule").text_content().endswith(f"= {written(ahead)}")
    live.get_by_role("button", name="back to the start").click()
    assert live.evaluate("[page.state.numbers.w, page.state.losses]") == [-0.4, []]


def test_playing_goes_on_until_it_is_paused(live):
    shown(live, neuron(), "update")
    live.get_by_role("button", name="play", exact=True).click()
    live.wait_for_function("page.state.losses.length > 4")
    live.get_by_role("button", name="pause", exact=True).click()
    count = live.evaluate("page.state.losses.length")
    pause(live, 500)
    assert live.evaluate("page.state.losses.length") == count
    assert live.evaluate("page.state.losses") == pytest.approx(descended(0.1, count - 1)[2], rel=1e-12)


def test_playing_with_the_pass_goes_forward_backward_and_updates(live):
    shown(live, neuron(), "update")
    live.locator("[data-panel=update] input[type=checkbox]").first.check()
    live.evaluate(
        "() => { globalThis.seen = []; const change = page.change.bind(page); page.change = (c, r) => { if ('step' in c && seen.push(c.step) === 5) queueMicrotask(() => { globalThis.losses = page.state.losses.length; }); return change(c, r); }; }"
    )
    live.get_by_role("button", name="play", exact=True).click()
    live.wait_for_function("seen.length >= 5", timeout=10_000)
    live.get_by_role("button", name="pause", exact=True).click()
    assert live.evaluate("seen.slice(0, 5)") == [0, 1, 2, 3, 4] and live.evaluate("losses") == 2


def test_where_motion_is_unwelcome_ten_updates_come_at_once(live):
    live.emulate_media(reduced_motion="reduce")
    shown(live, neuron(), "update")
    live.get_by_role("button", name="play", exact=True).click()
    assert live.evaluate("page.state.losses.length") == 11
    assert live.evaluate("page.state.numbers.w") == pytest.approx(descended(0.1, 10)[0], rel=1e-13)


def test_what_does_not_move_stays_and_something_has_to(live):
    shown(live, neuron(), "update")
    boxes = live.locator("[data-panel=update] input[aria-label^='moves']")
    assert [box.is_checked() for box in boxes.all()] == [True, False, True, False]
    boxes.nth(0).uncheck()
    live.get_by_role("button", name="one step", exact=True).click()
    assert live.evaluate("page.state.numbers.w") == -0.4 and live.evaluate("page.state.numbers.b") != 0.2
    boxes.nth(2).click()
    assert "at least one" in live.locator(".bp-message").text_content() and boxes.nth(2).is_checked()


def test_a_diverging_update_stops_and_names_line_and_rate(live):
    explorer = bp.explore(bp.Graph(L="w**4"), w=3.0)
    explorer.rate = 1.0
    shown(live, explorer, "update")
    live.evaluate("page.update(100)")
    message = live.locator(".bp-message").text_content()
    assert "rate 1" in message and "L = w**4 gives Infinity" in message
    w = 3.0
    for _ in range(4):
        w -= 4 * w**3
    assert live.evaluate("page.state.numbers.w") == pytest.approx(w, rel=1e-12)
    assert live.evaluate("page.state.losses.length") == 5


@pytest.mark.parametrize("text", ["0", "-1", "a", "1e400", ""])
def test_a_rate_that_is_no_number_above_zero_is_refused(live, text):
    shown(live, neuron(), "update")
    field = live.locator("input[data-state=rate]")
    field.fill(text)
    field.press("Enter")
    assert "a number above 0" in live.locator(".bp-message").text_content() and live.evaluate("page.state.rate") == 0.1


# --- the loss itself ----------------------------------------------------------------------------------------------------


def test_the_loss_over_w_with_its_tangent_and_its_point_dragged(live):
    shown(live, neuron(), "landscape")
    plot = live.locator("[data-panel=landscape] svg").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    unit = box["width"] / 372
    left = box["x"] + 58 * unit

    def at(w):
        return left + (w / 4 + 1) * 150 * unit

    live.mouse.move(at(-0.4), box["y"] + 60)
    live.mouse.down()
    live.mouse.move(at(2), box["y"] + 60)
    live.mouse.up()
    assert live.evaluate("page.state.numbers.w") == pytest.approx(2, abs=0.03)
    live.evaluate("page.change({numbers: {w: 1}})")
    settle(live)

    def numbers(name):
        return [float(v) for v in plot.locator(name).get_attribute("d").replace("M", " ").replace("L", " ").split()]

    curve = np.array(numbers(".bp-curve")).reshape(-1, 2)
    ws = (curve[:, 0] / 150 - 1) * 4
    losses = (1 - 1 / (1 + np.exp(-(1.5 * ws + 0.2)))) ** 2 / 2
    assert np.corrcoef(-curve[:, 1], losses)[0, 1] > 0.99999
    x0, y0, x1, y1 = numbers(".bp-tangent")
    pixels = (curve[:, 1].max() - curve[:, 1].min()) / (losses.max() - losses.min())
    a = 1 / (1 + math.exp(-1.7))
    assert -(y1 - y0) / (x1 - x0) * 150 / 4 / pixels == pytest.approx((a - 1) * a * (1 - a) * 1.5, rel=0.02)


def test_the_loss_over_a_unit_takes_all_lines_after_it_along(live):
    shown(live, bp.explore(NET, X[0], Y[0], wrt="a1_2"), "landscape")
    found = live.evaluate("page.computation.over('L', 'a1_2', page.result.trace, [-1, 0.5])")
    trace = NET.forward(X[0], Y[0])
    for value, loss in zip((-1, 0.5), found, strict=True):
        hidden = trace["A1"][0].copy()
        hidden[1] = value
        out = 1 / (1 + np.exp(-(NET.parameters["W2"] @ hidden + NET.parameters["b2"])))
        penalty = 0.05 * sum((NET.parameters[name] ** 2).sum() for name in ("W1", "W2"))
        assert loss == pytest.approx(((out - Y[0]) ** 2).sum() / 2 + penalty, rel=1e-12)


# --- the nudge ----------------------------------------------------------------------------------------------------------


def test_a_nudge_travels_to_the_loss(live):
    live.emulate_media(reduced_motion="reduce")
    shown(live, neuron(), "nudge")
    live.locator("[data-panel=nudge] button").click()
    z = (-0.4 * 1.5 + 0.2, -0.3 * 1.5 + 0.2)
    a = tuple(1 / (1 + math.exp(-v)) for v in z)
    L = tuple((1 - v) ** 2 / 2 for v in a)
    rows = live.locator(".bp-step").all_inner_texts()
    texts = live.locator(".bp-step").all_text_contents()
    assert len(rows) == 4
    for text, (before, after) in zip(texts[1:], (z, a, L), strict=True):
        assert f"{written(before)} → {written(after)}" in text
    assert f"ratio {written((a[1] - a[0]) / (z[1] - z[0]))[:7]}" in texts[2]
    assert f"h times the gradient {written(0.1 * (a[0] - 1) * a[0] * (1 - a[0]) * 1.5)}" in texts[3]
    assert f"what really happened {written(L[1] - L[0])[:8]}" in texts[3]
    field = live.locator("input[data-state=nudge]")
    field.fill("1e-3")
    field.press("Enter")
    settle(live)
    assert live.locator(".bp-step").count() == 0  # what stood there was of another h


def test_a_nudge_is_seen_to_travel(live):
    shown(live, neuron(), "nudge")
    assert live.evaluate("() => { document.querySelector('[data-panel=nudge] button').click(); return document.querySelectorAll('.bp-step').length; }") == 1  # fmt: skip
    live.wait_for_function("document.querySelectorAll('.bp-step').length === 4")


# --- voices, delta, glance ----------------------------------------------------------------------------------------------


def test_the_voices_at_a_unit_add_up_to_its_gradient(live):
    shown(live, bp.explore(NET, X[0], Y[0], wrt="a1_2"), "voices")
    trace = NET.forward(X[0], Y[0])
    delta = (trace["A2"] - Y[0]) * trace["A2"] * (1 - trace["A2"])
    parts = delta[0] * NET.parameters["W2"][:, 1]
    assert values(live, "voices") == pytest.approx([*parts, parts.sum()], rel=1e-12)
    live.evaluate("page.change({wrt: 'W1_1_1', step: 6})")
    settle(live)
    assert live.locator("[data-panel=voices]").is_hidden()  # the walk has not come so far


def test_through_delta_many_paths_fold_into_few_rows(live):
    explorer = bp.explore(NET, X[0], Y[0], wrt="W1_2_1")
    explorer.through = "delta"
    shown(live, explorer)
    trace = NET.forward(X[0], Y[0])
    two = ((trace["A2"] - Y[0]) * trace["A2"] * (1 - trace["A2"]))[0]
    one = (two @ NET.parameters["W2"])[1] * (1 - trace["A1"][0, 1] ** 2)
    weight = one * X[0, 0] + 0.1 * NET.parameters["W1"][1, 0]
    slots = live.evaluate(
        "() => Object.fromEntries([...document.querySelectorAll('.bp-chain [data-slot^=\"d:\"]')].map((node) => [node.dataset.slot, node.textContent]))"
    )
    assert slots == {
        "d:z2_1": written(two[0]),
        "d:z2_2": written(two[1]),
        "d:z1_2": written(one),
        "d:W1_2_1": written(weight),
    }
    last = live.locator(".bp-chain .bp-path").last.text_content()
    assert factor(one) in last and factor(X[0, 0]) in last and factor(0.1 * NET.parameters["W1"][1, 0]) in last
    assert "paths: 3; rows: 4." in live.locator(".bp-chain").text_content()
    live.get_by_label("the chain").select_option("paths")
    settle(live)
    assert live.locator(".bp-sum").count() == 1


def test_millions_of_paths_are_counted_not_walked(live):
    net = bp.Network([1] + [2] * 24 + [1], ["identity"] * 25, seed=0)
    explorer = bp.explore(net, [0.5], [1.0], wrt="W1_1_1")
    explorer.through = "delta"
    shown(live, explorer)
    assert f"paths: {2**23:,};" in live.locator(".bp-chain").text_content()


def test_edges_as_wide_as_their_gradient(live):
    explorer = bp.explore(NET, X[0], Y[0], wrt="W1_2_1")
    shown(live, explorer)
    live.get_by_label("edges as wide").check()
    settle(live)
    gradient = NET.gradient(X[0], Y[0])
    trace = NET.forward(X[0], Y[0])
    whole = bp.backpropagate(NET.terms(trace), "L")
    found = live.evaluate(
        "() => Object.fromEntries(Object.entries(page.found.mark).filter(([part]) => part[0] === 'e').map(([part, looks]) => [part, Number(/w(\\d)/.exec(looks)?.[1])]))"
    )
    flows = {f"e:z1_{j + 1}:x_{i + 1}": abs(gradient["W1"][j, i]) for j in range(3) for i in range(2)}
    flows |= {f"e:z2_{j + 1}:a1_{i + 1}": abs(gradient["W2"][j, i]) for j in range(2) for i in range(3)}
    flows |= {f"e:L:a2_{k + 1}": abs(trace["A2"] - Y[0])[0, k] for k in range(2)}
    flows |= {f"e:a1_{j + 1}:z1_{j + 1}": abs(whole["Z1"][0, j]) for j in range(3)}
    most = max([*flows.values(), *abs(trace["A2"] - Y[0])[0]])
    assert {part: found[part] for part in flows} == {
        part: math.floor(8 * flow / most + 0.5) for part, flow in flows.items()
    }
    live.locator('.bp-picture path[data-mark="b:z2_1:a1_2"]').dispatch_event("pointerenter")
    tip = live.locator(".bp-tip").text_content()
    assert (
        tip
        == f"dz2_1/da1_2 = {number(NET.parameters['W2'][0, 1], 17)}; |gradient|: {number(abs(gradient['W2'][0, 1]))}"
    )
    live.locator('.bp-picture path[data-mark="b:z2_1:a1_2"]').dispatch_event("pointerleave")
    assert live.locator(".bp-tip").text_content() == ""
    widths = live.evaluate(
        "() => [...document.querySelectorAll('.bp-picture path.forward.w8')].map((node) => getComputedStyle(node).strokeWidth)"
    )
    assert widths and set(widths) == {"8.4px"}


# --- the batch ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_rows_of_a_batch_add_up_to_its_gradient(live, reduction):
    net = bp.Network([2, 3, 2], ["tanh", "sigmoid"], l2=0.1, reduction=reduction, seed=0)
    shown(live, bp.explore(net, X, Y, wrt="W1_2_1"))
    bare = bp.Network.from_parameters(net.parameters, ["tanh", "sigmoid"], reduction="sum")
    share = 1 / len(X) if reduction == "mean" else 1
    rows = [share * bare.gradient(x, y)["W1"][1, 0] for x, y in zip(X, Y, strict=True)]
    whole = net.gradient(X, Y)["W1"][1, 0]
    assert values(live, "batch") == pytest.approx([*rows, 0.1 * net.parameters["W1"][1, 0], whole], rel=1e-10)
    assert written(net.loss(X, Y)) in live.locator("[data-panel=batch] summary").text_content()
    row = live.get_by_label("row")
    row.focus()
    live.keyboard.press("ArrowRight")
    live.keyboard.press("ArrowRight")
    settle(live)
    assert (
        live.evaluate("page.state.example") == 2 and live.locator("[data-panel=batch] output").text_content() == "X[2]"
    )
    assert live.evaluate("page.result.trace.get('a1_1')") == pytest.approx(net.forward(X, Y)["A1"][2, 0], rel=1e-12)
    live.evaluate("page.update(3)")
    for _ in range(3):
        gradient = net.gradient(X, Y)
        net.parameters = {name: value - 0.1 * gradient[name] for name, value in net.parameters.items()}
    assert live.evaluate("page.state.losses.at(-1)") == pytest.approx(net.loss(X, Y), rel=1e-11)


def test_back_to_the_start_brings_every_row_of_a_batch_back(live):
    shown(live, bp.explore(NET, X, Y, wrt="W1_2_1"), "update")
    before = live.evaluate("[page.state.rows, page.totals().value]")
    live.evaluate("page.change({example: 3})")
    live.evaluate("page.change({numbers: {x_1: 7}})")
    live.evaluate("page.update(2)")
    live.locator(".bp-reset").click()
    assert live.evaluate("[page.state.rows, page.totals().value]") == before
    assert live.evaluate("[page.state.example, page.state.numbers.x_1]") == [3, X[3, 0]]
    live.evaluate("page.panels[2].play()")
    live.locator(".bp-reset").click()
    pause(live, 400)
    assert live.evaluate("page.state.losses.length") == 0  # and nothing plays on


def test_what_is_of_the_batch_and_what_of_a_row_has_names_of_its_own(live):
    shown(live, bp.explore(NET, X, Y, wrt="W1_2_1"), "update", "landscape", "nudge")
    titles = [live.locator(f"[data-panel={panel}] summary").text_content() for panel in ("batch", "landscape", "nudge")]
    assert titles[0].startswith("The batch: L_B, the mean of L over its rows, = ") and titles[1:] == [
        "L_B over W1_2_1",
        "Nudge W1_2_1 by h, X[0]",
    ]
    assert "dLBdW" in live.locator(".bp-rule").text_content()
    live.evaluate("page.change({wrt: 'a1_2'})")
    settle(live)
    assert live.locator("[data-panel=landscape] summary").text_content() == "L over a1_2, X[0]"


def test_another_output_and_back_ends_at_the_end(live):
    shown(live, bp.explore(NET, X[0], Y[0], wrt="W1_2_1"))
    live.evaluate("() => { page.change({output: 'a1_2'}); page.change({output: 'L'}); }")
    assert live.evaluate("page.state.step === page.computation.seen(page.state).steps")
    explorer = neuron()
    explorer.output = "a"
    explorer.output = "L"
    assert explorer.step == explorer.steps == 6


def test_arrows_go_from_quantity_to_quantity(live):
    shown(live, neuron())
    live.locator('[data-pick="w"]').focus()
    seen = []
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft"):
        live.keyboard.press(key)
        seen.append(live.evaluate("document.activeElement.getAttribute('data-pick')"))
    assert seen == ["x", "z", "a", "L", "a"]


def test_a_folded_panel_is_absent_from_the_page(live):
    shown(live, neuron(), "update", "nudge")
    live.locator("[data-panel=update] summary").click()
    settle(live)
    assert live.locator("[data-panel=update] .bp-inside").evaluate("(node) => node.childNodes.length") == 0


# --- layers -------------------------------------------------------------------------------------------------------------


def layered(wrt="W1_2_1", step=None):
    explorer = bp.explore(NET, X[0], Y[0], wrt=wrt)
    explorer.view = "layers"
    if step is not None:
        explorer.step = step
    return explorer


@pytest.mark.parametrize("step", [0, 3, 5, 7, 10])
@pytest.mark.parametrize("wrt, tensor", [("W1_2_1", "W1"), ("a1_3", "A1"), ("b2_1", "b2"), ("x_2", "X")])
def test_the_layers_show_what_the_terms_of_the_network_are(live, step, wrt, tensor):
    shown(live, layered(wrt, step))
    found = live.evaluate(
        "() => { const { text, mark } = page.layers.facts(); return [Object.fromEntries(text), Object.fromEntries(mark)]; }"
    )
    trace = NET.forward(X[0], Y[0])
    terms = NET.terms(trace)
    passes = [["Z1"], ["A1"], ["Z2"], ["A2"], ["L"]]
    groups = [*passes[:step], *passes[::-1][: max(0, step - 5)]]
    walked = {name for group in passes[::-1][: max(0, step - 5)] for name in group}
    seen = {
        name: value
        for name, value in trace.items()
        if name in [line for group in passes[:step] for line in group]
        or name not in [line for group in passes for line in group]
    }
    gradient = walk([term for term in terms if term.of in walked], {"L": 1.0}) if step >= 5 else None
    ours = gather(terms, seen, gradient, tensor, "L", walked, groups[-1] if groups else ())
    text = {slot: value for slot, value in ours.text.items() if value}
    if "g:L" in text:
        text["g:L"] = "1"
    assert {slot: value for slot, value in found[0].items() if value} == text
    assert found[1] == {part: looks for part, looks in ours.mark.items() if part[0] in "ebt"} | {
        f"n:{name}": ours.mark.get(f"n:{name}", "") for name in trace
    }


def test_the_matrices_of_the_layers_hold_the_gradients(live):
    shown(live, layered())
    gradient = bp.backpropagate(NET.terms(NET.forward(X[0], Y[0])), "L")
    slots = live.evaluate(
        "() => [...document.querySelectorAll('.bp-matrices [data-slot]')].map((node) => node.textContent)"
    )
    names = ("A2", "Z2", "A1", "Z1", "W1")
    assert slots == [written(value) for name in names for value in gradient[name].ravel()]
    live.locator('.bp-picture [data-pick="b2"]').click()
    settle(live)
    assert live.evaluate("page.state.wrt") == "b2_1"
    slots = live.evaluate(
        "() => [...document.querySelectorAll('.bp-matrices [data-slot]')].map((node) => node.textContent)"
    )
    assert slots == [written(value) for name in ("A2", "Z2", "b2") for value in gradient[name].ravel()]
    live.get_by_label("the network").select_option("units")
    settle(live)
    assert (
        live.locator('.bp-picture [data-pick="b2"]').is_hidden()
        and live.locator('.bp-picture [data-pick="b2_1"]').is_visible()
    )


def test_the_still_of_the_layers_shows_no_more_than_the_step_has_reached():
    explorer = layered("W1_2_1", 3)
    early = explorer.still
    texts = ["".join(run for run, _ in shape.runs) for shape in early.shapes if isinstance(shape, Text)]
    assert "X" in texts and "1×3" in texts and not any("∂L" in text for text in texts)
    explorer.step = 7  # the walk has passed L and A2
    texts = ["".join(run for run, _ in shape.runs) for shape in explorer.still.shapes if isinstance(shape, Text)]
    assert any(text.startswith("σ′(Z(2))") for text in texts) and not any(text.startswith("tanh′") for text in texts)
    explorer.step = explorer.steps
    whole = explorer.still
    texts = ["".join(run for run, _ in shape.runs) for shape in whole.shapes if isinstance(shape, Text)]
    assert whole.label == early.label == bp.draw(NET.terms(NET.forward(X[0], Y[0]))).label
    assert any(text.startswith("tanh′(Z(1))") and text.endswith("1×3") for text in texts)
    assert f"{NET.loss(X[0], Y[0]):.4g}" in texts and (whole.width, whole.height) == (early.width, early.height)


def test_only_a_network_has_layers():
    explorer = neuron()
    with pytest.raises(ValueError, match="layers are a view of a network"):
        explorer.view = "layers"
    assert explorer.view == "units"


# --- sharing ------------------------------------------------------------------------------------------------------------


def test_the_chain_as_latex(live):
    shown(live, neuron())
    live.get_by_role("button", name="LaTeX").click()
    trace = NEURON.forward(**AT)
    gradient = bp.backpropagate(NEURON.terms(trace), "L")["w"]
    slope = trace["a"] * (1 - trace["a"])
    d = r"\frac{\partial %s}{\partial %s}"
    chain = r" \cdot ".join(d % edge for edge in (("L", "a"), ("a", "z"), ("z", "w")))
    assert live.locator("textarea").input_value() == (
        rf"\begin{{aligned}} {d % ('L', 'w')} &= {chain} \\ &= \left(a - y\right) \cdot a \left(1 - a\right) \cdot x"
        rf" \\ &= ({trace['a'] - 1:.6g}) \cdot {slope:.6g} \cdot 1.5 \\ &= {gradient:.6g} \end{{aligned}}"
    )
    live.evaluate("page.change({numbers: {w: 30}})")
    settle(live)
    live.get_by_role("button", name="LaTeX").click()
    assert r"\cdot 10^{-20}" in live.locator("textarea").input_value()
    live.evaluate("page.change({step: 4})")
    settle(live)
    live.get_by_role("button", name="LaTeX").click()
    assert "10^" not in live.locator("textarea").input_value()  # not reached yet


def test_the_latex_is_that_of_the_view(live):
    explorer = bp.explore(NET, X[0], Y[0], wrt="W2_1_2")
    explorer.through = "delta"
    shown(live, explorer)
    live.get_by_role("button", name="LaTeX").click()
    trace = NET.forward(X[0], Y[0])
    a, y, hidden, weight = trace["A2"][0, 0], Y[0, 0], trace["A1"][0, 1], NET.parameters["W2"][0, 1]
    delta = (a - y) * a * (1 - a)
    parts = [f"({v:.6g})" if v < 0 else f"{v:.6g}" for v in (a - y, a * (1 - a), 0.1 * weight, delta, hidden)]
    assert live.locator("textarea").input_value() == (
        r"\begin{aligned} \delta^{(2)}_{1} = \frac{\partial L}{\partial z^{(2)}_{1}} &= \left(a^{(2)}_{1} - y_{1}\right) \cdot a^{(2)}_{1} \left(1 - a^{(2)}_{1}\right)"
        rf" = {parts[0]} \cdot {parts[1]} = {delta:.6g} \\ \frac{{\partial L}}{{\partial W^{{(2)}}_{{1,2}}}} &= \frac{{W^{{(2)}}_{{1,2}}}}{{10}} + \delta^{{(2)}}_{{1}} \cdot a^{{(1)}}_{{2}}"
        rf" = {parts[2]} + {parts[3]} \cdot {parts[4]} = {0.1 * weight + delta * hidden:.6g} \end{{aligned}}"
    )
    live.evaluate("page.change({view: 'layers', wrt: 'b2_1'})")
    settle(live)
    live.get_by_role("button", name="LaTeX").click()
    d = r"\frac{\partial %s}{\partial %s}"
    A, Z, b = "A^{(2)}", "Z^{(2)}", "b^{(2)}"
    assert live.locator("textarea").input_value() == (
        rf"\begin{{aligned}} {d % ('L', b)} &= {d % ('L', A)} \cdot {d % (A, Z)} \cdot {d % (Z, b)} \\ {d % ('L', A)} &= \underset{{1 \times 2}}{{A^{{(2)}} - Y}}"
        rf" \\ \delta^{{(2)}} = {d % ('L', Z)} &= \underset{{1 \times 2}}{{{d % ('L', A)}}} \odot \underset{{1 \times 2}}{{\sigma'\left(Z^{{(2)}}\right)}}"
        rf" \\ {d % ('L', b)} &= \mathbf{{1}}^{{\top}} \underset{{1 \times 2}}{{\delta^{{(2)}}}} \end{{aligned}}"
    )


def test_the_code_to_copy_brings_the_state_back(live):
    live.evaluate(OPEN.replace("state, {}", "state, { moved() {} }"), [neuron().sheet, neuron().state])
    live.evaluate("page.change({numbers: {w: 0.1 + 0.2}, wrt: 'b', step: 5, rate: 0.25})")
    live.get_by_role("button", name="copy as code").click()
    line = live.locator("textarea").input_value()
    explorer = neuron()
    eval(line, {"e": explorer})
    assert explorer.numbers["w"] == 0.1 + 0.2 and (explorer.wrt, explorer.step, explorer.rate) == ("b", 5, 0.25)


@pytest.fixture
def saved(browser, tmp_path):
    path = tmp_path / "neuron.html"
    neuron().save(path)
    page = browser.new_page(offline=True)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page, path.as_uri()
    assert errors == []
    page.close()


def test_a_state_has_an_address(saved):
    page, address = saved
    page.goto(f"{address}#w=3&x=-1e-3&.wrt=b&.step=4&.rate=2&.glance=true")
    state = page.evaluate("page.state")
    assert (state["numbers"]["w"], state["numbers"]["x"], state["numbers"]["y"]) == (3, -1e-3, 1)
    assert (state["wrt"], state["step"], state["rate"], state["glance"]) == ("b", 4, 2, True)
    assert page.locator(".bp-message").text_content() == ""
    page.get_by_role("button", name="copy link").click()
    link = page.locator("textarea").input_value()
    page.evaluate("page.restart()")
    page.goto("about:blank")
    page.goto(link)
    assert page.evaluate("page.state") == state


@pytest.mark.parametrize("hostile, ignored", [
    ("w=alert(1)", "w"), ("q=3", "q"), ("__proto__=1", "__proto__"), (".constructor=1", ".constructor"), (".step=-1", ".step"), (".step=1e9", ".step"), (".rate=0", ".rate"), ("w=1e999", "w"),
    (".wrt=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E", ".wrt"), ("%3Cb%3E=1", "<b>"), (".view=layers", ".view"), (".numbers=1", ".numbers"), (".output=w", ".output"), (".glance=1", ".glance"),
    (".step=7", ".step"), (".output=a&.wrt=y", ".wrt"), ("0.x=3", "0.x"), (".parameters=w,q", ".parameters"), ("&&==", "="),
])  # fmt: skip
def test_what_an_address_cannot_ask_is_ignored_and_said(saved, hostile, ignored):
    page, address = saved
    page.goto(f"{address}#{hostile}&b=0.7")
    state = page.evaluate("page.state")
    assert state["numbers"] == AT | {"b": 0.7} and state["wrt"] == "w"
    assert state["step"] == page.evaluate("page.computation.seen(page.state).steps")
    assert page.locator(".bp-message").text_content() == f"of the address this was ignored: {ignored}."
    assert page.locator(".bp-message *").count() == 0


def test_one_key_projects(saved):
    page, address = saved
    page.goto(address)
    small = page.locator(".bp-picture svg").first.bounding_box()["width"]
    page.keyboard.press("p")
    assert page.locator(".bp-knobs").is_hidden() and page.locator(".bp-steps").is_visible()
    assert page.locator(".bp-picture svg").first.bounding_box()["width"] > 1.4 * small
    page.keyboard.press("Escape")
    assert page.locator(".bp-knobs").is_visible()
    page.locator('input[type="text"]').first.focus()
    page.keyboard.press("p")
    assert page.locator(".bp-knobs").is_visible()  # a letter in a field is a letter
    page.get_by_role("button", name="copy link").click()
    page.keyboard.press("p")
    assert page.locator(".bp-knobs").is_hidden()
    page.locator("body").click(position={"x": 5, "y": 5})
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("page.state.step") == 5


def test_the_address_of_a_batch_holds_every_row_that_was_changed(browser, tmp_path):
    explorer = bp.explore(NET, X, Y, wrt="W1_2_1")
    explorer.save(tmp_path / "batch.html")
    page = browser.new_page(offline=True)
    page.goto((tmp_path / "batch.html").as_uri())
    page.evaluate(
        "() => { page.change({example: 3}); page.change({numbers: {x_1: 2}}); page.change({example: 1, parameters: ['W1_1_1']}); }"
    )
    page.get_by_role("button", name="copy link").click()
    link, rows = page.locator("textarea").input_value(), page.evaluate("page.state.rows")
    page.goto("about:blank")
    page.goto(link)
    assert page.evaluate("page.state.rows") == rows and rows[3][0] == 2
    assert page.evaluate("[page.state.example, page.state.parameters]") == [1, ["W1_1_1"]]
    assert page.title() == "[2, 3, 2]: tanh, sigmoid; squared_error"
    page.close()
