"""What the page asks: predict first, be the optimiser, the tour, another function, compare with before; in Python, in headless Chromium, in a saved file."""

import itertools
import json
import math

import numpy as np
import pytest
from conftest import AT, heap_of
from driven import cleared, empty_page, hurdles, pause, settle, visited
from test_explorer import Kernel, answers, by_hand

import backproplab as bp
from backproplab.explorers.asking.blind import gradients_way, plane_of
from backproplab.explorers.asking.guesses import hidden_slots
from backproplab.explorers.asking.words import WORDS as ASKING
from backproplab.explorers.sheet import WORDS
from backproplab.explorers.small.descent.contours import contour_map, levels, lines_at
from backproplab.pictures.facts import compact, gather, written

NEURON = bp.Graph(z="w*x + b", a="sigmoid(z)", L="(y - a)**2 / 2")
NET = bp.Network([2, 3, 2], ["tanh", "sigmoid"], seed=0)
OPEN = """([sheet, state, bridge]) => {
  globalThis.page?.dispose();
  document.body.replaceChildren();
  globalThis.asked = [];
  globalThis.page = new bp.Page(document.body, sheet, state, bridge ? { moved() {}, swap(functions) { asked.push(functions); } } : {});
}"""
# All that a page says to eye or ear: texts that are seen, labels, titles, what stands in fields.
SAID = """() => [...document.querySelectorAll('.bp-page, .bp-page *')].filter((node) => node.checkVisibility()).flatMap((node) => [
  ...[...node.childNodes].filter((child) => child.nodeType === 3).map((child) => child.data), node.getAttribute('aria-label') ?? '', node.getAttribute('aria-valuetext') ?? '', node.getAttribute('title') ?? '', node.value ?? '']).join(' ').replaceAll('−', '-')"""


def slope(w, x=1.5, b=0.2):
    """The test's own da/dz of the neuron."""
    a = 1 / (1 + math.exp(-(w * x + b)))
    return a * (1 - a)


def loss(w, b, x=1.5, y=1.0):
    return (y - 1 / (1 + math.exp(-(w * x + b)))) ** 2 / 2


def neuron(**asked):
    return bp.explore(NEURON, **AT, **({"wrt": "w"} | asked))


@pytest.fixture(scope="module")
def empty(browser):
    return empty_page(browser)


@pytest.fixture
def live(empty):
    yield from cleared(empty)


def opened(live, explorer, kernel=False):
    live.evaluate(OPEN, [explorer.sheet, explorer.state, kernel])
    settle(live)


def type_in(live, name, text):
    field = live.locator(f'input[type="text"][data-input="{name}"]')
    field.fill(text)
    field.press("Enter")
    settle(live)


def click(live, name, exact=True):
    live.get_by_role("button", name=name, exact=exact).click()
    settle(live)


# --- predict first, in Python -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text, error, message", [
    ("da/dq", ValueError, r"'da/dq' is no term of this graph and no gradient; one can ask for dz/dw, dz/dx, dz/db, da/dz, dL/dy, dL/da, dL/dw, dL/dx, dL/db, dL/dz$"),
    ("dz/da", ValueError, "is no term"), ("da/da", ValueError, "is no term"), ("dw/dz", ValueError, "is no term"), ("a/z", ValueError, "is no term"), ("∂L/∂w", ValueError, "is no term"),
    ("da/∂z", ValueError, "is no term"), ("", ValueError, "is no term"), ("__import__('os')", ValueError, "is no term"), (3, TypeError, 'such as "da/dz", found int 3'),
])  # fmt: skip
def test_what_cannot_be_predicted_is_refused_with_what_can(text, error, message):
    with pytest.raises(error, match=message):
        neuron(predict=text)
    explorer = neuron()
    before = explorer.state
    with pytest.raises(error, match=message):
        explorer.predict = text
    assert explorer.state == before


def test_of_many_terms_the_list_is_cut():
    with pytest.raises(ValueError, match=r"one can ask for dz1_1/dW1_1_1, .* and \d+ more$"):
        bp.explore(NET, [0.5, -1.0], [1.0, 0.0], predict="dq/dz")


def test_a_guess_is_set_read_and_refused():
    explorer = neuron(predict=" da / dz")
    assert (explorer.predict, explorer.guess) == ("da/dz", None)
    for guess in ("grow", "shrink", "same", 0.25, -3, None):
        explorer.guess = guess
        assert explorer.guess == guess
    for wrong in ("bigger", True, float("nan"), float("inf"), [1], b"grow"):
        with pytest.raises(ValueError, match='guess must be "grow", "shrink", "same" or a finite number'):
            explorer.guess = wrong
    explorer.predict = None
    with pytest.raises(ValueError, match="there is nothing to guess; hide a number first"):
        explorer.guess = "grow"
    with pytest.raises(ValueError, match="predict and blind are of pages unit by unit"):
        bp.explore(bp.Network([9, 20, 2], ["tanh", "sigmoid"]), [0.0] * 9, [1.0, 0.0], predict="dL/dW1")


def test_a_number_is_of_one_state_and_a_direction_of_the_moves_after_it():
    explorer = neuron(predict="da/dz")
    explorer.guess = 0.2
    explorer.wrt = "b"
    assert explorer.guess == 0.2
    explorer.set(w=1.0)
    assert explorer.guess is None
    explorer.guess = "shrink"
    explorer.set(w=2.0)
    explorer.set(w=3.0)
    assert explorer.guess == "shrink" and explorer.state["guessed_at"] == AT | {"w": 1.0}
    explorer.predict = "dL/dw"
    assert explorer.guess is None and explorer.state["guessed_at"] is None


GIVEN_AWAY = {  # predict, output -> (terms, quantities) whose numbers are the hidden one, or are it times what is shown
    ("da/dz", "L"): (["a:z"], ["z", "w", "x", "b"]),
    ("∂a/∂z", "a"): (["a:z"], ["z", "w", "x", "b"]),
    ("da/dz", "z"): (["a:z"], []),
    ("dL/dw", "L"): ([], ["w"]),
    ("dL/dw", "a"): ([], []),
    ("dL/dz", "L"): ([], ["z", "w", "x", "b"]),
    ("dL/da", "L"): (["L:a"], ["a", "z", "w", "x", "b"]),
    ("dL/dy", "L"): (["L:y"], ["y"]),
}


@pytest.mark.parametrize("predict, output", GIVEN_AWAY)
def test_what_is_hidden_in_python_and_on_the_page(live, predict, output):
    terms, names = GIVEN_AWAY[predict, output]
    explorer = neuron(predict=predict)
    explorer.output = output
    slots = {f"{kind}:{term}" for term in terms for kind in "tfr"} | {f"{kind}:{n}" for n in names for kind in "gde"}
    if explorer.wrt in names:
        slots |= {"s:", "o:", "p:0", "q:0"}
    found = hidden_slots(NEURON.terms(NEURON.forward(**AT)), explorer._state)
    opened(live, explorer)
    assert found == slots == set(live.evaluate("() => [...page.asking.flatMap((part) => [...(part.slots ?? [])])]"))
    explorer.guess = "same"
    assert not hidden_slots(NEURON.terms(NEURON.forward(**AT)), explorer._state)


def renderings(value):
    return {
        text.replace("−", "-")
        for text in (compact(value), written(value), f"{value:.4g}", f"{value:.6g}", repr(value)[:9])
    }


@pytest.mark.parametrize("predict, values", [
    ("da/dz", (slope(-0.4), by_hand(-0.4)[1]["z"], by_hand(-0.4)[1]["w"], by_hand(-0.4)[1]["x"])),
    ("dL/dw", (by_hand(-0.4)[1]["w"],)),
])  # fmt: skip
def test_the_still_hides_it_until_there_is_a_guess(predict, values):
    explorer = neuron(predict=predict)
    hidden = explorer.still.svg.replace("−", "-")
    for value in values:
        assert not any(text in hidden for text in renderings(value))
    explorer.guess = 0.1
    shown = explorer.still.svg.replace("−", "-")
    assert all(any(text in shown for text in renderings(value)) for value in values)
    assert shown.count("<") > hidden.count("<") or predict == "dL/dw"  # the tangent is back


# --- predict first, on the page -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("predict, values", [
    ("da/dz", (slope(-0.4), by_hand(-0.4)[1]["z"], by_hand(-0.4)[1]["w"], by_hand(-0.4)[1]["x"])), ("dL/dw", (by_hand(-0.4)[1]["w"],)), ("dL/dz", (by_hand(-0.4)[1]["z"], by_hand(-0.4)[1]["w"])),
])  # fmt: skip
def test_the_number_stands_nowhere_until_it_is_guessed(live, predict, values):
    explorer = neuron(predict=predict)
    explorer.compare = True
    explorer.set(w=-0.2)
    explorer.set(w=-0.4)
    opened(live, explorer)
    live.evaluate("() => { for (const node of document.querySelectorAll('details')) node.open = true; }")
    settle(live)
    said = live.evaluate(SAID)
    for part in ("L:a", "a:z", "z:w"):
        live.locator(f'.bp-picture path[data-mark="b:{part}"]').dispatch_event("pointerenter")
        said += live.evaluate(SAID)
        live.locator(f'.bp-picture path[data-mark="b:{part}"]').dispatch_event("pointerleave")
    for name in ("z", "w", "b"):
        live.locator(f'.bp-picture [data-pick="{name}"]').focus()
        said += live.evaluate(SAID)
    click(live, "LaTeX")
    said += live.evaluate(SAID)
    for value in values:
        assert not [text for text in renderings(value) if text in said]
    if predict == "da/dz":
        assert live.locator('.bp-figure[data-term="a:z"] .bp-tangent').is_hidden()
    live.evaluate("page.change({guess: 'same'})")
    settle(live)
    said = live.evaluate(SAID)
    assert all(any(text in said for text in renderings(value)) for value in values)
    assert live.locator(".bp-tangent").first.is_visible()


def test_what_moves_by_the_hidden_gradient_is_hidden_too(live):
    opened(live, neuron(predict="dL/dw"))
    panel = live.locator("[data-panel=update]")
    assert panel.is_hidden() and live.locator("[data-panel=landscape]").is_hidden()
    live.evaluate("page.change({guess: 'grow'})")
    settle(live)
    assert panel.is_visible()
    panel.locator("summary").click()
    settle(live)
    click(live, "play")
    live.evaluate("page.change({guess: null})")
    settle(live)
    w = live.evaluate("page.state.numbers.w")
    pause(live, 400)
    assert panel.is_hidden() and live.evaluate("page.state.numbers.w") == w  # what played has stopped


WIDTHS = """() => Object.fromEntries([...page.picture.firstChild.querySelectorAll('[data-mark^="e:"]')].map((node) => [node.dataset.mark, [...node.classList].find((look) => /^w\\d$/.test(look)) ?? null]))"""


@pytest.mark.parametrize("predict, hidden", [("dL/dw", {"e:z:w"}), ("da/dz", {"e:a:z", "e:z:w", "e:z:x", "e:z:b"}), ("dL/dy", {"e:L:y"})])  # fmt: skip
def test_no_edge_is_as_wide_as_a_hidden_gradient(live, predict, hidden):
    explorer = neuron(predict=predict)
    explorer.glance = True
    opened(live, explorer)
    widths = live.evaluate(WIDTHS)
    assert {mark for mark, width in widths.items() if width is None} == hidden
    assert "w8" in widths.values()  # the widest of those that may be seen
    still = explorer.still.svg
    explorer.set(w=-0.4)
    explorer.guess = "same"
    opened(live, explorer)
    assert None not in live.evaluate(WIDTHS).values() and still != explorer.still.svg
    terms = NEURON.terms(NEURON.forward(**AT))
    gradient = bp.backpropagate(terms, "L")
    slots = hidden_slots(terms, neuron(predict=predict)._state)
    found = gather(terms, NEURON.forward(**AT), gradient, "w", "L", glance=True, hidden=slots).mark
    ours = {mark: next((look for look in looks.split() if look[0] == "w"), None) for mark, looks in found.items() if mark[0] == "e"}  # fmt: skip
    assert ours == widths


def test_no_edge_is_as_wide_as_the_hidden_gradient_of_its_weight(live):
    explorer = bp.explore(NET, [0.5, -1.0], [1.0, 0.0], wrt="W1_2_1", predict="dL/dW1_2_1")
    explorer.glance = True
    opened(live, explorer)
    assert {mark for mark, width in live.evaluate(WIDTHS).items() if width is None} == {"e:z1_2:x_1", "e:z1_2:W1_2_1"}


def test_what_flows_back_along_an_edge_does_not_give_its_weight_away(live):
    explorer = bp.explore(NET, [0.5, -1.0], [1.0, 0.0], wrt="W1_2_1", predict="dL/dW1_2_1")
    opened(live, explorer)
    live.locator('.bp-picture path[data-mark="b:z1_2:x_1"]').dispatch_event("pointerenter")
    assert live.locator(".bp-tip").text_content() == ""
    value = NET.gradient([0.5, -1.0], [1.0, 0.0])["W1"][1, 0]
    assert not [text for text in renderings(abs(value)) if text in live.evaluate(SAID)]
    explorer.guess = 1.0
    opened(live, explorer)
    live.locator('.bp-picture path[data-mark="b:z1_2:x_1"]').dispatch_event("pointerenter")
    assert f"{abs(value):.6g}" in live.locator(".bp-tip").text_content()


@pytest.mark.parametrize("guess, label", [("grow", "grow"), ("shrink", "shrink"), ("same", "stay the same")])
@pytest.mark.parametrize("predict, to, did", [("da/dz", 3.0, "shrink"), ("da/dz", -0.2, "grow"), ("dz/dw", 3.0, "same"), ("dL/da", 3.0, "shrink")])  # fmt: skip
def test_a_direction_is_judged_after_the_move(live, predict, to, did, guess, label):
    value = {"da/dz": slope, "dz/dw": lambda w: 1.5, "dL/da": lambda w: by_hand(w)[1]["a"]}[predict]
    opened(live, neuron(predict=predict))
    click(live, label)
    status = live.locator(".bp-guess [role=status]")
    assert status.text_content() == f"You said: it will {label}. It is {written(value(-0.4))}. Now move a slider."
    type_in(live, "w", str(to))
    past = {"grow": "grew", "shrink": "shrank", "same": "stayed the same"}[did]
    mark = "✓ Right." if did == guess else "✗ Not so."
    assert status.text_content() == f"{mark} You said: it will {label}. It was {written(value(-0.4))}, now it is {written(value(to))}: its size {past}."  # fmt: skip
    click(live, "guess anew")
    assert live.evaluate("[page.state.guess, page.state.guessed_at]") == [None, None] and status.text_content() == ""
    assert live.evaluate("document.activeElement.textContent") == "grow"  # the keyboard goes on from there


def test_a_number_is_judged_at_once_and_hidden_again_by_a_move(live):
    opened(live, neuron(predict="da/dz"))
    field = live.get_by_label("right now it is")
    field.fill("0.2")
    field.press("Enter")
    settle(live)
    off, true = slope(-0.4) - 0.2, slope(-0.4)
    said = live.locator(".bp-guess [role=status]").text_content()
    assert (
        said == f"You guessed 0.2. It is {written(true)}: you are {written(off)} off ({100 * off / true:.2g} % of it)."
    )
    type_in(live, "w", "3")
    assert live.evaluate("page.state.guess") is None and written(slope(3.0)) not in live.evaluate(SAID)
    assert live.locator('[data-slot="t:a:z"]').text_content() == "?"


@pytest.mark.parametrize("text", ["", "much", "<b>1</b>", "1e999", "alert(1)"])
def test_a_guess_that_is_no_number_is_refused(live, text):
    opened(live, neuron(predict="da/dz"))
    field = live.get_by_label("right now it is")
    field.fill(text)
    click(live, "guess")
    assert live.evaluate("page.state.guess") is None and field.get_attribute("aria-invalid") == "true"
    assert "a number is wanted" in live.locator(".bp-message").text_content()


def test_of_a_line_used_twice_d_is_the_whole_and_the_sign_of_one_line_its_term(live):
    graph = bp.Graph(u="w**2", L="u*w")
    for predict, true in (("dL/dw", 3 * 1.3**2), ("∂L/∂w", 1.3**2)):
        opened(live, bp.explore(graph, w=1.3, wrt="w", predict=predict))
        live.evaluate("page.change({guess: 0})")
        settle(live)
        assert f"It is {written(true)}:" in live.locator(".bp-guess [role=status]").text_content()


# --- be the optimiser ---------------------------------------------------------------------------------------------------


def descended(rate, times, w=-0.4, b=0.2):
    """The test's own descent: [(w, b)], [loss]."""
    points = [(w, b)]
    for _ in range(times):
        delta = by_hand(w, b=b)[1]["z"]
        w, b = w - rate * delta * 1.5, b - rate * delta
        points.append((w, b))
    return points, [loss(*point) for point in points]


def test_moves_are_counted_and_the_gradient_goes_from_the_same_start():
    explorer = neuron(blind=True)
    explorer.rate = 2.0
    assert explorer.blind is True and explorer.way == [{"w": -0.4, "b": 0.2}]
    explorer.set(w=1.0)
    explorer.set(b=0.5, w=2.0)
    explorer.set(x=1.5)  # nothing has moved
    assert explorer.way == [{"w": -0.4, "b": 0.2}, {"w": 1.0, "b": 0.2}, {"w": 2.0, "b": 0.5}]
    points, losses = gradients_way(NEURON, explorer._state)
    right = descended(2.0, 2)
    assert np.allclose(points, right[0], rtol=1e-13) and losses == pytest.approx(right[1], rel=1e-13)
    hidden = explorer.still
    assert "moves: 2" in hidden.svg and "−0.5987" not in hidden.svg and hidden.svg.count("<path") < 10
    explorer.blind = False
    assert len(explorer.way) == 3
    shown = explorer.still
    assert f"you: L from {loss(-0.4, 0.2):.4g} to {loss(2.0, 0.5):.4g} in 2 steps" in shown.label
    assert f"gradient descent, α = 2: L from {right[1][0]:.4g} to {right[1][-1]:.4g} in 2 steps" in shown.label
    explorer.set(w=0.0)
    assert len(explorer.way) == 3  # the game is over
    explorer.blind = None
    assert explorer.way == [] and "0.1792" not in explorer.still.label


def test_the_map_is_over_the_two_that_were_moved_farthest():
    explorer = bp.explore(NET, [0.5, -1.0], [1.0, 0.0], blind=True)
    explorer.set(W2_1_2=9.0)
    explorer.set(b1_3=-2.0, W1_1_1=explorer.numbers["W1_1_1"] + 0.1)
    plane = plane_of(explorer._graph, explorer._state, (explorer._state.way,))
    assert plane.names == ("b1_3", "W2_1_2") or plane.names == ("W2_1_2", "b1_3")
    assert dict(zip(plane.names, plane.ranges, strict=True)) == {"b1_3": (-4.0, 4.0), "W2_1_2": (-16.0, 16.0)}


def test_what_a_blind_page_refuses():
    with pytest.raises(ValueError, match=r"blind needs two inputs to move that are no data \(x, y\), found w"):
        bp.explore(bp.Graph(L="(w*x - y)**2"), w=1, x=1, y=1, blind=True)
    explorer = neuron()
    for value, message in ((False, "blind is not on"), ("yes", "blind must be True, False or None")):
        with pytest.raises(ValueError, match=message):
            explorer.blind = value
    with pytest.raises(ValueError, match="it is reserved"):
        bp.Graph(L="blind**2")
    with pytest.raises(ValueError, match=r"predict and blind are of pages unit by unit.* found 38 and 65"):
        bp.explore(NET, [[1, 2]] * 65, [[1, 0]] * 65, blind=True)


def test_only_the_loss_is_seen_until_it_is_shown(live):
    explorer = neuron(blind=True)
    opened(live, explorer)
    said = live.evaluate(SAID)
    trace, gradient = by_hand(-0.4)
    assert written(trace["L"]) in said
    for value in (trace["a"], *(gradient[name] for name in ("a", "z", "w", "x"))):
        assert not [text for text in renderings(value) if text in said]
    seen = live.evaluate(
        "() => [...document.querySelectorAll('[data-input]')].filter((node) => node.checkVisibility()).map((node) => node.dataset.input)"
    )
    assert set(seen) == {"w", "b"}  # x and y are data
    for selector in (
        ".bp-picture",
        ".bp-chain",
        ".bp-plots",
        ".bp-all",
        ".bp-sharing",
        "[data-panel=update]",
        ".bp-plane",
    ):
        assert live.locator(selector).first.is_hidden()
    click(live, "show the surface")
    assert live.locator(".bp-picture").is_visible() and live.locator(".bp-chart .bp-contour").count() > 4
    assert live.evaluate("document.activeElement.textContent") == "start again"


def numbers_of(live, selector):
    text = live.locator(selector).get_attribute("d")
    return np.array([float(v) for v in text.replace("h0", " ").replace("M", " ").replace("L", " ").split()]).reshape(
        -1, 2
    )


def test_the_map_shows_both_ways_on_the_true_surface(live):
    explorer = neuron(blind=True)
    explorer.rate = 4.0
    opened(live, explorer)
    moves = [("w", 1.0), ("b", 2.0), ("w", 2.5)]
    for name, value in moves:
        type_in(live, name, str(value))
    assert live.locator(".bp-blindfold .bp-route").first.text_content() == "moves: 3"
    click(live, "show the surface")
    points, losses = descended(4.0, 3)
    said = live.locator(".bp-blindfold").text_content()
    assert f"You: L from {written(loss(-0.4, 0.2))} to {written(loss(2.5, 2.0))} in 3 moves. The gradient: to {written(losses[-1])} in 3 steps at rate 4." in said  # fmt: skip

    def on_map(pixels):
        return np.stack([pixels[:, 0] / 420 * 8 - 4, 4 - pixels[:, 1] / 280 * 8], axis=1)

    assert np.allclose(on_map(numbers_of(live, ".bp-chart .c3 .bp-way")), [(-0.4, 0.2), (1, 0.2), (1, 2), (2.5, 2)], atol=0.02)  # fmt: skip
    assert np.allclose(on_map(numbers_of(live, ".bp-chart .c2 .bp-way")), points, atol=0.02)
    lines = live.locator(".bp-chart .bp-contour").evaluate_all("(nodes) => nodes.map((node) => node.getAttribute('d'))")
    heights = []
    for d in lines:
        pixels = np.array([float(v) for v in d.replace("M", " ").replace("L", " ").split()]).reshape(-1, 2)
        found = np.array([loss(w, b) for w, b in on_map(pixels)])
        assert np.ptp(np.log(found)) < 0.35  # along a line the true loss stays about the same
        heights.append(np.exp(np.mean(np.log(found))))
    assert len(heights) > 5 and max(heights) / min(heights) > 30
    click(live, "start again")
    state = live.evaluate("page.state")
    assert state["numbers"] == AT and state["blind"] is True and state["way"] == [[-0.4, 0.2]]
    assert live.locator(".bp-plane").is_hidden()


def test_a_slider_that_is_dragged_is_one_move(live):
    opened(live, neuron(blind=True))
    slider = live.locator('input[type="range"][data-input="w"]')
    box = slider.bounding_box()
    live.mouse.move(box["x"] + box["width"] * 0.45, box["y"] + 12)
    live.mouse.down()
    for share in (0.5, 0.6, 0.7, 0.8):
        live.mouse.move(box["x"] + box["width"] * share, box["y"] + 12)
        settle(live)
    live.mouse.up()
    way = live.evaluate("page.state.way")
    assert len(way) == 2 and way[0] == [-0.4, 0.2] and way[1][0] == live.evaluate("page.state.numbers.w") > 1
    assert live.evaluate("page.state.before.w") == -0.4
    type_in(live, "b", "1")
    assert len(live.evaluate("page.state.way")) == 3


def test_a_dragged_slider_is_one_move_from_press_to_release(live):
    opened(live, neuron(blind=True))
    slider = live.locator('input[type="range"][data-input="w"]')
    box = slider.bounding_box()
    count, (left, middle) = live.locator(".bp-blindfold .bp-route").first, (box["x"], box["y"] + box["height"] / 2)

    def drag(*stops, pause=0):
        live.mouse.move(left + box["width"] / 2, middle)
        live.mouse.down()
        for stop in stops:
            live.mouse.move(left + box["width"] * stop, middle, steps=3)
            live.evaluate(f"page.heldAt -= {pause}")
        live.mouse.up()
        settle(live)

    drag(0.3)
    assert count.text_content() == "moves: 1"
    drag(0.8)  # at once, and yet another one
    assert count.text_content() == "moves: 2"
    drag(0.6, 0.9, pause=5000)  # with a rest on its way
    assert count.text_content() == "moves: 3"
    slider.press("ArrowLeft")
    slider.press("ArrowLeft")
    settle(live)
    assert count.text_content() == "moves: 4"


def test_every_parameter_of_a_network_can_be_tuned_blind(live):
    opened(live, bp.explore(NET, [0.5, -1.0], [1.0, 0.0], blind=True))
    seen = "() => [...document.querySelectorAll('input[type=range][data-input]')].filter((node) => node.checkVisibility()).map((node) => node.dataset.input)"
    assert set(live.evaluate(seen)) == set(NET.graph([0.5, -1.0], [1.0, 0.0]).inputs) - {"x_1", "x_2", "y_1", "y_2"}
    tops = "() => [...document.querySelectorAll('.bp-knob')].map((node) => node.getBoundingClientRect().top)"
    assert len(set(live.evaluate(tops))) < 6  # beside each other: nothing else stands there
    type_in(live, "b2_1", "3")
    click(live, "show the surface")
    you, dots = (live.locator(f".bp-beside > svg .bp-{part}").evaluate("(node) => getComputedStyle(node).stroke") for part in ("curve", "dots"))  # fmt: skip
    assert you == dots  # the way of the learner is one colour
    assert set(live.evaluate(seen)) == {"W1_1_1", "x_1", "x_2", "y_1", "y_2"}
    click(live, "start again")
    assert len(live.evaluate(seen)) == 17


def test_a_blind_file_does_not_say_what_the_loss_is(tmp_path, browser):
    explorer = bp.explore(bp.Graph(L="(w - 3.25)**2 + (b + 1.75)**2"), w=0.0, b=0.0, blind=True)
    explorer.save(tmp_path / "page.html")
    page = browser.new_page(offline=True)
    page.goto((tmp_path / "page.html").as_uri())
    page.wait_for_selector(".bp-loss")
    said = page.title() + page.locator("body").inner_text() + page.evaluate(SAID)
    page.close()
    assert "Be the optimiser" in said and "3.25" not in said and "1.75" not in said


@pytest.mark.parametrize("line, text", [("(w - 3.25)**2 + b**2", "1e200"), ("log(w - 3.25)**2 + b**2", "2")])
def test_a_blind_page_refuses_without_saying_what_the_loss_is(live, line, text):
    graph = bp.Graph(L=line)
    opened(live, bp.explore(graph, w=4.0, b=0.0, blind=True))
    type_in(live, "w", text)
    message = live.locator(".bp-message").text_content()
    assert "L gives " in message and "3.25" not in message and live.evaluate("page.state.way") == [[4, 0]]
    opened(live, bp.explore(graph, w=4.0, b=0.0))
    type_in(live, "w", text)
    assert "3.25" in live.locator(".bp-message").text_content()


@pytest.mark.parametrize("number", [True, False])
def test_after_a_guess_the_keyboard_goes_on_from_there(live, number):
    opened(live, neuron(predict="da/dz"))
    if number:
        live.get_by_label("right now it is").fill("0.2")
        live.get_by_label("right now it is").press("Enter")
    else:
        live.get_by_role("button", name="shrink", exact=True).press("Enter")
    settle(live)
    assert live.evaluate("document.activeElement.textContent") == "guess anew"


def test_a_swap_begins_the_blind_game_anew_and_shows_nothing():
    explorer = neuron(blind=True)
    explorer.set(w=1.0)
    explorer.functions = {"a": "tanh"}
    assert explorer.blind is True and explorer.way == [{"w": 1.0, "b": 0.2}]
    explorer.blind = False
    explorer.functions = {"a": "sigmoid"}
    assert explorer.blind is None and explorer.way == []


def test_a_swap_that_takes_the_hidden_term_away_hides_nothing_and_goes_on():
    net = bp.Network([2, 3, 2], ["tanh", "softmax"], seed=0)
    explorer = bp.explore(net, [0.5, -1.0], [1.0, 0.0], predict="dL/da2_1")
    explorer.functions = {"L": "cross_entropy"}
    assert explorer.functions["L"] == "cross_entropy" and explorer.predict is None
    explorer.predict = "da1_1/dz1_1"
    explorer.functions = {"A1": "relu"}
    assert explorer.predict == "da1_1/dz1_1"


CUT = """(selector) => [...document.querySelectorAll(selector)].flatMap((text) => { const box = text.getBoundingClientRect(), svg = text.ownerSVGElement.getBoundingClientRect();
  return box.left < svg.left - 0.5 || box.right > svg.right + 0.5 ? [text.textContent] : []; })"""


@pytest.mark.parametrize("far", [3e2, 1e5, 3e150])
def test_the_ticks_of_the_map_are_whole_however_far_the_ways_lead(live, far):
    valley = bp.Graph(L="((u + v)**2 + 9*(u - v - 1)**2) / 8")
    explorer = bp.explore(valley, u=-3.0, v=-3.0, blind=True)
    explorer.set(u=far, v=-far)
    explorer.set(u=1.0)
    explorer.blind = False
    opened(live, explorer)
    ticks = live.locator(".bp-chart .bp-ticks text").all_text_contents()
    limit = live.evaluate("(far) => bp.reach(far)", far)
    assert live.evaluate(CUT, ".bp-chart .bp-ticks text") == []
    found = [float(text.replace("−", "-").replace("+", "")) for text in ticks]
    assert found == [pytest.approx(share * limit, rel=0.04) for share in (-1, -0.5, 0, 0.5, 1) * 2]
    live.evaluate(
        "() => { document.querySelector('.bp-chart .bp-ticks text').textContent = '−1.31072e5 and much more than that'; }"
    )
    assert live.evaluate(CUT, ".bp-chart .bp-ticks text") == [
        "−1.31072e5 and much more than that"
    ]  # the measure sees what is cut


def test_blind_the_page_is_not_enlarged_where_nothing_would_lead_back(live):
    opened(live, neuron(blind=True))
    live.locator(".bp-page button").first.press("p")
    knobs = live.locator(".bp-knob").first
    assert live.locator(".bp-projecting").count() == 0 and knobs.is_visible()
    click(live, "show the surface")
    live.get_by_role("button", name="start again").press("p")
    settle(live)
    assert live.locator(".bp-projecting").count() == 1
    click(live, "start again")
    assert live.locator(".bp-projecting").count() == 0 and knobs.is_visible()


@pytest.mark.parametrize("moves, yours, theirs", [(1, "in 1 move.", "in 1 step at rate"), (2, "in 2 moves.", "in 2 steps at rate")])  # fmt: skip
def test_one_move_is_a_move_and_one_step_a_step(live, moves, yours, theirs):
    explorer = neuron(blind=True)
    for k in range(moves):
        explorer.set(w=1.0 + k)
    explorer.blind = False
    opened(live, explorer)
    said = live.locator(".bp-blindfold").text_content()
    assert yours in said and theirs in said
    assert explorer.still.label.count(theirs.removesuffix(" at rate")) == 2


def test_without_a_move_the_surface_asks_for_one(live):
    explorer = neuron(blind=True)
    opened(live, explorer)
    click(live, "show the surface")
    said = live.locator(".bp-blindfold").text_content()
    assert "You have not moved yet: start again and move a slider" in said and "The gradient: to" not in said
    assert "in 0" not in said
    explorer.blind = False
    assert "in 0" not in explorer.still.label and "no step yet" in explorer.still.label


def test_a_gradient_that_runs_away_stops_where_it_is_finite(live):
    graph = bp.Graph(L="(u**2 + v**2)**2")
    explorer = bp.explore(graph, u=3.0, v=1.0, blind=True)
    explorer.rate = 10.0
    for k in range(12):
        explorer.set(u=float(k))
    explorer.blind = False
    points, _ = gradients_way(graph, explorer._state)
    assert 1 < len(points) < 12
    opened(live, explorer)
    assert "It stopped there: the next step is not finite." in live.locator(".bp-blindfold").text_content()
    assert len(live.evaluate("page.asking.find((part) => part.descend).descend().rows")) == len(points)


HEIGHTS = {
    "bowl": lambda x, y: x**2 + 3 * y**2,
    "below zero": lambda x, y: np.sin(x) * np.cos(y) - 2,
    "plateau": lambda x, y: 1 / (1 + np.exp(-x - y)),
    "flat": lambda x, y: 0 * x + 1,
    "saddle": lambda x, y: x * y,
}


@pytest.mark.parametrize("name", HEIGHTS)
def test_levels_are_those_of_python_and_pieces_lie_on_them(live, name):
    xs, ys = np.meshgrid(np.linspace(-2, 2, 23), np.linspace(-1, 1, 17))
    heights = HEIGHTS[name](xs, ys)
    assert live.evaluate("(heights) => bp.levelsOf(heights)", heights.tolist()) == pytest.approx(
        levels(heights), rel=1e-15
    )
    found = live.evaluate("(heights) => bp.contourMap(heights)", heights.tolist())
    assert [row["text"] for row in found] == [row["text"] for row in contour_map(heights)]
    for level, row in zip(levels(heights), found, strict=True):
        for u, v, s, t in row["lines"]:
            for a, b in ((u, v), (s, t)):
                assert HEIGHTS[name](4 * a - 2, 2 * b - 1) == pytest.approx(level, abs=0.05 * np.ptp(heights))
        ours = [line for other in contour_map(heights) if other["level"] == level for line in other["lines"]]
        assert len(row["lines"]) == sum(len(line) // 2 - 1 for line in ours)  # as many pieces as Python joins
    hole = heights.copy().tolist()
    hole[8][11] = None
    assert (
        live.evaluate("(heights) => bp.contourMap(heights.map((row) => row.map((h) => h ?? NaN))).length", hole) <= 12
    )


def test_pieces_join_as_in_python_where_a_cell_is_crossed_twice(live):
    heights = np.random.default_rng(3).normal(size=(9, 11))
    found = live.evaluate("(heights) => bp.piecesAt(heights, 0.1)", heights.tolist())
    ours = [pair for line in lines_at(heights, 0.1) for pair in itertools.pairwise(line)]

    def plain(pieces):
        return sorted(tuple(sorted(tuple(round(float(c), 9) for c in end) for end in piece)) for piece in pieces)

    assert plain([(piece[:2], piece[2:]) for piece in found]) == plain(ours) and len(found) > 50


# --- the tour -----------------------------------------------------------------------------------------------------------

STEPS = [
    ("This is the neuron.", ["a", "da/dz"]),
    {"say": "Move w past 1.", "light": "w", "until": {"w": ">1"}},
    ("Click on b.", ["b"], {"click": "b"}),
    ("Go two steps back.", (), {"step": "<=4", "wrt": "b"}),
    "Done.",
]


@pytest.mark.parametrize("steps, error, message", [
    ("text", TypeError, "a tour is a list of steps, found str"), ({"say": "x"}, TypeError, "a tour is a list of steps"), ([()], ValueError, "step 1 of the tour: expected"), ([("a", [], "next", 1)], ValueError, "step 1"),
    (["ok", {"light": ["a"]}], ValueError, 'step 2 of the tour: expected .* "say"'), ([{"say": "x", "do": "y"}], ValueError, "step 1"), ([""], ValueError, "a sentence of 1 to 1000 characters"), (["x" * 1001], ValueError, "a sentence"),
    ([("x", ["q"])], ValueError, "light: 'q' is no quantity; the quantities are w, x, b, y, z, a, L; a term is written"), ([("x", ["da/dq"])], ValueError, "light: 'da/dq' is no term"), ([("x", 3)], TypeError, "light is a list"),
    ([("x", [], {"w": "big"})], ValueError, "until: 'w' waits for a number such as"), ([("x", [], {"w": ">1e999"})], ValueError, "waits for a number"), ([("x", [], {"w": 3})], ValueError, "waits for a number"),
    ([("x", [], {"w": ">1 or alert(1)"})], ValueError, "waits for a number"), ([("x", [], {"click": "q"})], ValueError, "click waits for one of w, x, b, y, z, a, L, found"), ([("x", [], {"run": "alert(1)"})], ValueError, "'run' is nothing that a tour can wait for; it waits for one of w, .*step, .*click, move, guess"),
    ([("x", [], "w > 1")], TypeError, "until: expected .next. or a dict"), ([("x", [], {"guess": "grow"})], ValueError, "'guess' is nothing"), (["x"] * 101, ValueError, "at most 100 steps"),
])  # fmt: skip
def test_a_tour_is_checked_before_anything_changes(steps, error, message):
    explorer = neuron()
    explorer.tour(STEPS)
    explorer.sentence = 2
    before = explorer.sheet, explorer.state
    with pytest.raises(error, match=message):
        explorer.tour(steps)
    assert (explorer.sheet, explorer.state) == before


NEVER = [
    ({"view": "xx"}, r"until: view waits for one of units, found 'xx'"), ({"view": "layers"}, "view waits for one of units"), ({"through": "nonsense"}, "through waits for one of paths, found 'nonsense'"),
    ({"through": "delta"}, "through waits for one of paths"), ({"output": "w"}, "output waits for one of z, a, L, found 'w'"), ({"wrt": "L"}, "wrt waits for one of w, x, b, y, z, a, found 'L'"), ({"wrt": ["w"]}, "wrt waits for one of"),
    ({"move": "z"}, "move waits for one of w, x, b, y, found 'z'"), ({"guess": True}, 'guess: nothing is hidden; hide a number first, as in e.predict = "da/dz"'),
    ({"example": ">=5"}, "example is never >= 5: it goes from 0 to 0"), ({"step": ">6"}, "step is never > 6: it goes from 0 to 6"), ({"step": "=2.5"}, "step is never = 2.5"), ({"rate": "<=0"}, "rate is never <= 0"), ({"updates": "<0"}, "updates is never < 0"),
    ({"w": ">1e305"}, r"w is never > 1e\+?305"),
]  # fmt: skip


@pytest.mark.parametrize("until, message", NEVER)
def test_a_tour_that_waits_for_what_never_comes_is_refused(until, message):
    explorer = neuron()
    explorer.tour(STEPS)
    before = explorer.sheet, explorer.state
    with pytest.raises(
        ValueError, match=f"explore: step 2 of the tour: {'until: ' if 'until' not in message else ''}{message}"
    ):
        explorer.tour(["a", ("b", [], until)])
    assert (explorer.sheet, explorer.state) == before


def test_a_tour_may_wait_for_whatever_the_page_can_do():
    explorer = bp.explore(NET, [[0.5, -1.0], [1.0, 2.0]], [[1.0, 0.0], [0.0, 1.0]], predict="dL/dW1_1_1")
    for until in ({"view": "layers"}, {"through": "delta"}, {"guess": True}, {"example": ">=1"}, {"step": "=9"}, {"wrt": "a2_1", "output": "L"}, {"move": "y_1"}, {"updates": ">=999"}, {"rate": ">1"}, {"L": "<0.001"}):  # fmt: skip
        explorer.tour([("a", [], until)])
    with pytest.raises(ValueError, match="example is never >= 2: it goes from 0 to 1"):
        explorer.tour([("a", [], {"example": ">=2"})])


def test_a_tour_is_data():
    explorer = neuron()
    explorer.tour(STEPS)
    assert explorer.sentences == ["This is the neuron.", "Move w past 1.", "Click on b.", "Go two steps back.", "Done."]
    assert json.loads(json.dumps(explorer.sheet["tour"]))[:3] == [
        {"say": "This is the neuron.", "light": ["a", "a:z"], "until": []},
        {"say": "Move w past 1.", "light": ["w"], "until": [["number", "w", ">", 1.0]]},
        {"say": "Click on b.", "light": ["b"], "until": [["click", "b"]]},
    ]
    explorer.sentence = 5
    for wrong in (6, -1, 1.5, True):
        with pytest.raises(ValueError, match="sentence"):
            explorer.sentence = wrong
    explorer.tour([])
    assert explorer.sentences == [] and explorer.sentence == 0


def test_the_tour_goes_on_when_the_learner_has_acted(live):
    explorer = neuron()
    explorer.tour(STEPS)
    opened(live, explorer)
    node = live.locator(".bp-tour")
    told = "() => [...document.querySelectorAll('.bp-told')].map((node) => node.getAttribute('data-mark') ?? node.dataset.term ?? node.querySelector('[data-input]').dataset.input)"
    assert "This is the neuron." in node.text_content() and "1 / 5" in node.text_content()
    assert set(live.evaluate(told)) == {"n:a", "e:a:z", "t:a:z", "a:z"}
    click(live, "next")
    assert "Move w past 1." in node.text_content() and "To go on: bring w to > 1." in node.text_content()
    assert {"w", "n:w"} == set(live.evaluate(told)) and live.get_by_role("button", name="skip").is_visible()
    type_in(live, "w", "0.9")
    type_in(live, "b", "2")
    assert live.evaluate("page.state.sentence") == 1
    type_in(live, "w", "1.1")
    assert live.evaluate("page.state.sentence") == 2 and "click on b" in node.text_content()
    live.locator('.bp-picture [data-pick="x"]').click()
    assert live.evaluate("page.state.sentence") == 2
    live.locator('.bp-picture [data-pick="b"]').focus()
    live.keyboard.press("Enter")
    settle(live)
    assert live.evaluate("page.state.sentence") == 3
    for _ in range(2):
        click(live, "one step back")
    assert live.evaluate("page.state.sentence") == 4 and live.locator(".bp-told").count() == 0
    click(live, "next")
    assert (
        "The tour is over." in node.text_content()
        and live.evaluate("document.activeElement.textContent") == "begin again"
    )
    live.keyboard.press("Enter")
    settle(live)
    assert live.evaluate("page.state.sentence") == 0
    click(live, "end the tour")
    assert live.evaluate("page.state.sentence") == 5


def test_a_sentence_whose_wish_is_already_true_says_next_and_waits_for_the_button(live):
    explorer = neuron()
    explorer.tour(["a", ("b", [], {"w": "<5"}), ("c", [], {"w": ">=3"}), "d"])
    opened(live, explorer)
    click(live, "next")
    node, then = live.locator(".bp-tour"), live.get_by_role("button", name="next", exact=True)
    assert "To go on" not in node.text_content() and then.is_visible()
    type_in(live, "b", "1")
    live.evaluate("page.change({glance: true})")
    assert live.evaluate("page.state.sentence") == 1  # nothing but the button goes on
    click(live, "next")
    assert "To go on: bring w to ≥ 3." in node.text_content() and not then.is_visible()
    type_in(live, "w", "3.5")
    assert live.evaluate("page.state.sentence") == 3


def test_a_wish_that_was_true_and_is_no_more_is_waited_for(live):
    explorer = neuron()
    explorer.tour([("a", [], {"w": "<0"}), "b"])
    opened(live, explorer)
    assert live.get_by_role("button", name="next", exact=True).is_visible()
    type_in(live, "w", "1")
    assert live.evaluate("page.state.sentence") == 0 and live.get_by_role("button", name="skip").is_visible()
    type_in(live, "w", "-1")
    assert live.evaluate("page.state.sentence") == 1


def test_a_tour_in_a_saved_page_that_begins_with_its_guess_made_says_next(live):
    explorer = neuron(predict="da/dz")
    explorer.guess = "grow"
    explorer.tour([("Guess.", [], {"guess": True}), "b"])
    opened(live, explorer)
    assert live.get_by_role("button", name="next", exact=True).is_visible()


@pytest.mark.parametrize("until, acts", [
    ({"L": "<0.01"}, "page.change({numbers: {w: 3}})"), ({"rate": ">=2"}, "page.change({rate: 2})"), ({"updates": ">=3"}, "page.update(3)"), ({"output": "a"}, "page.change({output: 'a'})"),
    ({"move": "b"}, "page.change({numbers: {b: 1}})"), ({"guess": True}, "page.change({guess: 'grow'})"), ({"w": "=2"}, "page.change({numbers: {w: 2}})"), ({"step": "<1"}, "page.change({step: 0})"),
])  # fmt: skip
def test_every_condition_is_met_by_its_act_and_by_no_other(live, until, acts):
    explorer = neuron(predict="da/dz")
    explorer.tour([("x", [], until), "y"])
    opened(live, explorer)
    live.evaluate(
        "() => { page.change({wrt: 'x'}); page.change({numbers: {x: 1.2}}); page.change({glance: true}); page.act({click: 'z'}); }"
    )
    assert live.evaluate("page.state.sentence") == 0
    live.evaluate(acts)
    assert live.evaluate("page.state.sentence") == 1


@pytest.mark.parametrize("acts, moved", [
    ("page.restart()", False), ("page.update()", False), ("page.change({numbers: {x: 1.5}})", False), ("page.change({numbers: {w: 1, x: 1.5}})", False),
    ("page.change({numbers: {w: 1, x: 2}})", True), ("page.change({numbers: {x: -1}})", True),
])  # fmt: skip
def test_a_tour_that_waits_for_a_move_sees_whether_the_number_is_another(live, acts, moved):
    explorer = neuron()
    explorer.tour([("Move x.", [], {"move": "x"}), "Done."])
    opened(live, explorer)
    live.evaluate(acts)
    assert live.evaluate("page.state.sentence") == int(moved)


@pytest.mark.parametrize("text", ["<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>", "${alert(1)}", "{name}", "\u2028"])  # fmt: skip
def test_a_sentence_stays_a_text(live, browser, tmp_path, text):
    explorer = neuron()
    explorer.tour([f"say {text} so"])
    opened(live, explorer)
    assert live.locator(".bp-tour p").text_content() == f"say {text} so" and live.locator(".bp-tour p *").count() == 0
    explorer.save(tmp_path / "page.html")
    page = browser.new_page(offline=True)
    page.goto((tmp_path / "page.html").as_uri())
    assert page.locator(".bp-tour p").text_content() == f"say {text} so"
    page.close()


# --- another function ---------------------------------------------------------------------------------------------------


def test_another_activation_is_the_same_graph_but_for_one_term():
    explorer = neuron()
    explorer.set(w=0.7)
    explorer.rate = 0.5
    assert explorer.functions == {"a": "sigmoid"}
    explorer.functions = {"a": "tanh"}
    z = 0.7 * 1.5 + 0.2
    a = math.tanh(z)
    assert explorer.trace["a"] == pytest.approx(a, rel=1e-14) and explorer.functions == {"a": "tanh"}
    assert explorer.gradient["w"] == pytest.approx((a - 1) * (1 - a**2) * 1.5, rel=1e-13)
    assert explorer.sheet["swapped"] == ["a:z"]
    assert (explorer.numbers["w"], explorer.rate, explorer.wrt, explorer.step) == (0.7, 0.5, "w", 6)
    assert NEURON.lines["a"] == "sigmoid(z)"  # the learner's own graph is as it was


def test_a_residual_network_stays_one_when_a_function_is_swapped():
    net = bp.Network([2, 2, 1], ["tanh", "sigmoid"], residual=True, seed=0)
    explorer = bp.explore(net, [0.5, -1.0], [1.0])
    explorer.functions = {"A1": "relu"}
    W1, b1, W2, b2 = net.parameters.values()
    x = np.array([0.5, -1.0])
    output = 1 / (1 + np.exp(-(W2 @ (np.maximum(W1 @ x + b1, 0) + x) + b2)))
    assert explorer.trace["L"] == pytest.approx(float((1 - output[0]) ** 2 / 2), rel=1e-13)


def test_another_loss_and_output_of_a_network():
    explorer = bp.explore(NET, [[0.5, -1.0], [1.0, 2.0]], [[1.0, 0.0], [0.0, 1.0]], wrt="W1_2_1")
    explorer.set(W1_1_1=2.0)
    explorer.functions = {"A1": "relu", "A2": "softmax"}
    assert "a1_1:z1_1" in explorer.sheet["swapped"] and "L:a2_1" not in explorer.sheet["swapped"]
    explorer.functions = {"L": "cross_entropy"}
    assert explorer.functions == {"A1": "relu", "A2": "softmax", "L": "cross_entropy"}
    assert set(explorer.sheet["swapped"]) == {"L:z2_1", "L:z2_2", "L:y_1", "L:y_2"}
    parameters = {name: value.copy() for name, value in NET.parameters.items()}
    parameters["W1"][0, 0] = 2.0
    net = bp.Network.from_parameters(parameters, ["relu", "softmax"], "cross_entropy")
    assert explorer.gradient["W1_2_1"] == pytest.approx(net.gradient([0.5, -1.0], [1.0, 0.0])["W1"][1, 0], rel=1e-12)
    explorer.example = 1
    explorer.update()
    assert explorer.losses[0] == pytest.approx(net.loss([[0.5, -1.0], [1.0, 2.0]], [[1.0, 0.0], [0.0, 1.0]]), rel=1e-12)
    explorer.view = "layers"
    assert explorer.still.label


@pytest.mark.parametrize("changes, error, message", [
    ({"q": "tanh"}, ValueError, "nothing to swap at 'q'; one can swap at A1, A2, L"), ({"A1": "softmax"}, ValueError, "at A1 stands one of identity"), ({"A1": "eval"}, ValueError, "at A1 stands one of"),
    ({"L": "cross_entropy"}, ValueError, "at L stands one of squared_error, binary_cross_entropy, found"), (["A1"], TypeError, "functions is a dict"), ({"A1": ["tanh"]}, ValueError, "at A1 stands one of"),
])  # fmt: skip
def test_a_swap_that_is_refused_changes_nothing(changes, error, message):
    explorer = bp.explore(NET, [0.5, -1.0], [1.0, 0.0])
    before = explorer.sheet, explorer.state, explorer.functions
    with pytest.raises(error, match=message):
        explorer.functions = changes
    assert (explorer.sheet, explorer.state, explorer.functions) == before
    (answer,) = answers(explorer, {"turn": 4, "functions": changes})
    assert answer["turn"] == 4 and answer["error"].startswith(error.__name__)
    assert (explorer.sheet, explorer.state) == before[:2]


def test_a_line_that_is_no_single_call_cannot_be_swapped(live):
    explorer = bp.explore(bp.Graph(a="2*tanh(x)", c="exp(a)", L="relu(c)"), x=0.3)
    assert explorer.functions == {"L": "relu"}
    opened(live, bp.explore(bp.Graph(L="x**2"), x=1.0))
    assert live.locator("[data-panel=swap]").is_hidden()


def test_of_a_network_written_out_the_page_says_where_functions_are_swapped(live):
    for graph, says in ((NET.graph([0.5, -1.0], [1.0, 0.0]), 1), (NEURON.with_numbers(**AT), 0)):
        explorer = bp.explore(graph)
        opened(live, explorer)
        note = "To swap a function, explore the network itself: bp.explore(net, x, y)."
        assert live.locator(".bp-note").all_text_contents() == [note] * says
    opened(live, bp.explore(NET, [0.5, -1.0], [1.0, 0.0]))
    assert live.locator(".bp-note").count() == 0


def test_the_menu_asks_the_kernel_and_the_answer_is_marked(live):
    explorer = neuron()
    opened(live, explorer, kernel=True)
    live.locator("[data-panel=swap] summary").click()
    settle(live)
    menu = live.get_by_label("Swap a function: a")
    menu.select_option("tanh")
    assert (
        live.evaluate("asked") == [{"a": "tanh"}] and menu.input_value() == "sigmoid"
    )  # until the kernel has answered
    explorer.functions = {"a": "tanh"}
    opened(live, explorer, kernel=True)
    assert live.get_by_label("Swap a function: a").input_value() == "tanh"
    assert live.evaluate("() => [...document.querySelectorAll('.bp-swapped')].map((node) => node.getAttribute('data-mark') ?? node.dataset.term)") == ["t:a:z", "t:a:z", "a:z", "a:z"]  # fmt: skip
    assert "Other than before the swap:∂a∂z" in live.locator("[data-panel=swap]").text_content()


def test_without_a_kernel_the_menu_is_closed_and_says_why(live):
    opened(live, bp.explore(NET, [0.5, -1.0], [1.0, 0.0]))
    live.locator("[data-panel=swap] summary").click()
    settle(live)
    menus = live.locator("[data-panel=swap] select")
    assert menus.count() == 3 and all(menu.is_disabled() for menu in menus.all())
    assert "that needs the kernel" in live.locator("[data-panel=swap]").text_content()


def test_a_new_sheet_makes_the_page_anew_and_leaves_nothing_behind(live):
    explorer = neuron()
    first = explorer.sheet, explorer.state
    explorer.functions = {"a": "tanh"}
    live.evaluate(
        """([first, then]) => {
          document.body.replaceChildren();
          const heard = new Map(), held = { sheet: first[0], state: first[1] };
          globalThis.sent = [];
          globalThis.model = { get: (name) => held[name], send: (message) => sent.push(message), on: (event, act) => heard.set(event, act), off: (event) => heard.delete(event), held, heard };
          globalThis.end = bp.default.render({ model, el: document.body });
          globalThis.swap = (sheet, state) => { Object.assign(held, { sheet, state }); heard.get('msg:custom')({ anew: true }); };
        }""",
        [first, None],
    )
    live.locator("[data-panel=swap] summary").click()
    settle(live)
    live.get_by_label("Swap a function: a").select_option("tanh")
    assert live.evaluate("sent.at(-1).functions") == {"a": "tanh"}
    live.get_by_label("Swap a function: a").focus()
    live.evaluate("([sheet, state]) => swap(sheet, state)", [explorer.sheet, explorer.state])
    settle(live)
    assert live.locator(".bp-page").count() == 1
    assert live.evaluate("document.activeElement.dataset.swap") == "a"
    a = math.tanh(-0.4)
    assert live.locator('[data-slot="v:a"]').text_content() == compact(a)
    live.evaluate("end()")
    assert live.locator(".bp-page").count() == 0 and live.evaluate("model.heard.size") == 0


@pytest.mark.filterwarnings("ignore")
def test_a_page_swaps_in_a_real_kernel():
    kernel = Kernel()
    try:
        kernel.run(f"import backproplab as bp\ne = bp.explore(bp.Graph(z='w*x + b', a='sigmoid(z)', L='(y - a)**2 / 2'), **{AT!r}, wrt='w')")  # fmt: skip
        model = next(key for key, state in kernel.models.items() if "sheet" in state)
        assert kernel.say(model, {"turn": 1, "functions": {"a": "relu"}}) == [{"anew": True}]
        assert (
            kernel.models[model]["sheet"]["swapped"] == ["a:z"]
            and kernel.models[model]["sheet"]["functions"]["a"][0] == "relu"
        )
        assert float(kernel.printed("print(repr(e.trace['L']))")) == 0.5  # relu(-0.4) = 0
    finally:
        kernel.close()


# --- compare with before ------------------------------------------------------------------------------------------------


def compared(live):
    return live.evaluate("() => Object.fromEntries([...document.querySelectorAll('.bp-compare tbody tr')].map((row) => [row.dataset.row, [...row.querySelectorAll('td')].map((cell) => (cell.title ? Number(cell.title) : cell.textContent))]))")  # fmt: skip


def test_the_numbers_before_stand_beside_those_now(live):
    opened(live, neuron())
    live.get_by_label("compare with before").check()
    settle(live)
    assert "Nothing has moved yet" in live.locator(".bp-compare").text_content()
    type_in(live, "w", "3")
    found, (old, slopes), (new, slopes_now) = compared(live), by_hand(-0.4), by_hand(3.0)
    assert set(found) == {"w", "x", "b", "y", "z", "a", "L"}
    for name, row in found.items():
        values = [old[name], new[name]] if old[name] != new[name] else ["", ""]
        gradients = [slopes[name], slopes_now[name]] if name != "L" else ["", ""]
        assert row == [pytest.approx(cell, rel=1e-12) if cell != "" else "" for cell in (*values, *gradients)], name
    type_in(live, "y", "0.5")
    found = compared(live)
    assert set(found) == {"w", "x", "b", "y", "z", "a", "L"} and found["y"][:2] == [1.0, 0.5] and found["w"][:2] == ["", ""]  # fmt: skip
    live.evaluate("page.change({step: 2})")
    settle(live)
    assert set(compared(live)) == {"y"}  # no more than the pass has reached
    live.get_by_label("compare with before").uncheck()
    settle(live)
    assert live.locator(".bp-compare").is_hidden()


def test_before_in_python():
    explorer = neuron()
    assert explorer.before is None and explorer.compare is False
    explorer.compare = True
    explorer.set(w=1.0, b=1.0)
    explorer.set(w=2.0)
    assert explorer.before == AT | {"w": 1.0, "b": 1.0}
    explorer.update(3)
    explorer.wrt = "b"
    before = explorer.before
    points, _ = descended(0.1, 2, 2.0, 1.0)
    assert [before["w"], before["b"]] == pytest.approx(points[-1], rel=1e-13)
    with pytest.raises(ValueError, match="compare must be one of True, False"):
        explorer.compare = 3


def test_a_swap_keeps_the_numbers_before_it(live):
    """Values and gradients of both functions by the test's own hand."""
    explorer = neuron()
    explorer.compare = True
    explorer.set(w=1.0)
    explorer.functions = {"a": "tanh"}
    assert explorer.before == AT | {"w": 1.0}
    opened(live, explorer, kernel=True)
    z = 1.0 * 1.5 + 0.2
    (old, slopes), a = by_hand(1.0), math.tanh(z)
    new = {"a": a, "L": (1 - a) ** 2 / 2}
    delta = (a - 1) * (1 - a**2)
    slopes_now = {"a": a - 1, "z": delta, "w": delta * 1.5, "x": delta, "b": delta, "y": 1 - a}
    found = compared(live)
    assert set(found) == {"w", "x", "b", "y", "z", "a", "L"} and "Nothing" not in live.locator(".bp-compare").text_content()  # fmt: skip
    for name, row in found.items():
        values = [old[name], new[name]] if name in new else ["", ""]
        gradients = [slopes[name], slopes_now[name]] if name != "L" else ["", ""]
        assert row == [pytest.approx(cell, rel=1e-12) if cell != "" else "" for cell in (*values, *gradients)], name
    live.evaluate("page.change({output: 'a'})")
    settle(live)
    assert compared(live)["a"][2:] == ["", ""] and compared(live)["a"][0] == pytest.approx(old["a"], rel=1e-12)
    live.evaluate("page.change({output: 'L', wrt: 'w', step: 4})")
    settle(live)
    assert set(compared(live)) == {"a", "L", "y"} - ({"y"} if live.evaluate("!page.computation.seen(page.state).walked.has('L')") else set())  # fmt: skip
    live.evaluate("page.change({step: 6})")
    type_in(live, "w", "2")  # and then on with the new function
    assert compared(live)["a"][:2] == [pytest.approx(math.tanh(z), rel=1e-12), pytest.approx(math.tanh(3.2), rel=1e-12)]


def test_a_swap_to_another_loss_compares_the_names_that_both_have(live):
    net = bp.Network([2, 3, 2], ["tanh", "softmax"], seed=0)
    explorer = bp.explore(net, [0.5, -1.0], [1.0, 0.0])
    explorer.compare = True
    old = explorer.trace, explorer.gradient
    explorer.functions = {"L": "cross_entropy"}
    opened(live, explorer, kernel=True)
    found = compared(live)
    assert found["L"][:2] == [pytest.approx(old[0]["L"]), pytest.approx(explorer.trace["L"])]
    assert found["z2_1"] == ["", "", pytest.approx(old[1]["z2_1"]), pytest.approx(explorer.gradient["z2_1"])]
    assert found.keys() <= explorer.trace.keys() and "a2_1" not in found


def test_a_swap_shows_no_gradient_that_is_hidden(live):
    explorer = neuron(predict="dL/dw")
    explorer.compare = True
    explorer.functions = {"a": "tanh"}
    opened(live, explorer, kernel=True)
    assert compared(live)["w"] == ["", "", "?", "?"]
    assert not [text for text in renderings(by_hand(-0.4)[1]["w"]) if text in live.evaluate(SAID)]


@pytest.mark.parametrize("spoilt", [
    {"before": {"w": 1.0}}, {"before": {"q": 1.0}}, {"before": AT | {"w": "1"}}, {"before": AT | {"w": 1e301}}, {"guessed_at": []}, {"guess": "grow"}, {"predict": "da/dq"}, {"blind": "x"}, {"way": [[1.0]]},
    {"way": [[1.0, "a"]]}, {"way": [[1.0, 2.0]] * 1002}, {"sentence": -1}, {"compare": "yes"}, {"predict": "<script>"}, {"way": 3},
])  # fmt: skip
def test_a_page_that_was_tampered_with_changes_nothing(spoilt):
    explorer = neuron()
    before = explorer.state
    message = {"turn": 1, "state": explorer.state | spoilt, "numbers": {"trace": explorer.trace, "gradient": explorer.gradient}}  # fmt: skip
    (answer,) = answers(explorer, message)
    assert answer["error"] and explorer.state == before


def test_no_word_of_the_page_is_said_twice():
    assert not WORDS.keys() & ASKING.keys()


def test_page_and_python_remember_the_same(live):
    """The same moves in code and on the page end in the same state."""
    for asked in ({}, {"predict": "da/dz"}, {"blind": True}):
        explorer = neuron(**asked)
        opened(live, explorer)
        for change in ({"numbers": {"w": 1.0}}, {"wrt": "b"}, {"numbers": {"w": 2.0, "b": -1.0}}, {"numbers": {"w": 2.0}}, *([{"guess": 0.5}, {"numbers": {"x": 3.0}}, {"guess": "grow"}, {"numbers": {"x": 2.0}}] if asked.get("predict") else [])):  # fmt: skip
            explorer._change(**change)
            live.evaluate("(change) => page.change(change)", change)
        state = json.loads(json.dumps(explorer.state))
        assert live.evaluate("page.state") == state


# --- the page as a whole ------------------------------------------------------------------------------------------------


def whole(step=0):
    explorer = neuron(predict="da/dz")
    explorer.compare = True
    explorer.tour(STEPS)
    explorer.sentence = step
    return explorer


def test_moves_leave_nothing_behind(live):
    explorers = [whole(), neuron(blind=True)]
    for explorer in explorers:
        opened(live, explorer)
        count = "() => [document.querySelectorAll('*').length, [...page.slots.values()].reduce((sum, nodes) => sum + nodes.length, 0)]"
        move = """(times) => { for (let i = 0; i < times; i++) {
          for (const guess of ['grow', 0.1, null]) { page.change({numbers: {w: Math.random()}}, false, i % 2 ? 'w' : null); if (page.state.predict) page.change({guess}); page.draw(); }
          page.change({numbers: {w: -0.4, b: 0.3}, sentence: 1, guess: page.state.predict ? 'grow' : null}); page.draw();
          if (page.state.blind) page.asking.find((part) => part.restart).restart(); page.change({numbers: {b: 0.2}}); page.draw(); } }"""
        live.evaluate(move, 20)
        before, used = live.evaluate(count), heap_of(live)
        live.evaluate(move, 30)
        assert live.evaluate(count) == before
        assert heap_of(live) - used < 300_000


@pytest.mark.parametrize("kind", ["asking", "blind", "shown"])
def test_a_saved_page_asks_without_a_kernel(browser, tmp_path, kind):
    explorer = whole() if kind == "asking" else neuron(blind=True)
    if kind == "shown":
        explorer.set(w=2.0)
        explorer.blind = False
    explorer.save(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert ("class Tour" in text, "class Guessing" in text, "class Blind" in text) == ((True, True, False) if kind == "asking" else (False, False, True))  # fmt: skip
    page, errors = browser.new_page(offline=True), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto((tmp_path / "page.html").as_uri())
    if kind == "asking":
        page.get_by_role("button", name="shrink", exact=True).click()
        page.get_by_role("button", name="next", exact=True).click()
        type_in(page, "w", "3")
        assert "✓ Right." in page.locator(".bp-guess").text_content() and "Click on b." in page.locator(".bp-tour").text_content()  # fmt: skip
        assert page.locator(".bp-compare tbody tr").count() == 7
    elif kind == "blind":
        type_in(page, "w", "3")
        page.get_by_role("button", name="show the surface").click()
        settle(page)
        assert page.locator(".bp-chart .bp-contour").count() > 4
    else:
        assert page.locator(".bp-chart .bp-contour").count() > 4
    assert errors == []
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["asking", "guessed", "blind", "shown", "swapped"])
def test_axe_finds_nothing(browser, tmp_path, kind, scheme):
    explorer = whole(1) if kind in ("asking", "guessed") else neuron(blind=None if kind == "swapped" else True)
    if kind == "guessed":
        explorer.guess = "grow"
    if kind == "swapped":
        explorer.functions = {"a": "tanh"}
    explorer.set(w=1.0)
    if kind == "shown":
        explorer.blind = False
    explorer.save(tmp_path / "page.html")
    with visited(browser, tmp_path / "page.html", ".bp-page", color_scheme=scheme, bypass_csp=True) as page:
        page.evaluate("() => { for (const panel of document.querySelectorAll('details')) panel.open = true; }")
        pause(page, 200)
        assert hurdles(page) == []
        unlabelled = "() => [...document.querySelectorAll('.bp-page button, .bp-page select, .bp-page input, .bp-page summary')].filter((node) => !node.hasAttribute('data-lm-suppress-shortcuts')).map((node) => node.outerHTML)"
        assert [node for node in page.evaluate(unlabelled) if "bp-reset" not in node] == []


@pytest.mark.parametrize("width, least", [(480, 1), (760, 3), (1280, 1)])
def test_numbers_fit_their_fields_and_fields_stand_beside_each_other(live, width, least):
    live.set_viewport_size({"width": width, "height": 900})
    explorer = bp.explore(NET, [0.5, -1.0], [1.0, 0.0], blind=True)
    for name in explorer.numbers:
        if name[0] not in "xy":
            explorer.set(**{name: -0.0289569})
    opened(live, explorer)
    cut = "() => [...document.querySelectorAll('.bp-knob input[type=text]')].filter((node) => node.scrollWidth > node.clientWidth).map((node) => node.value)"
    assert live.evaluate(cut) == []
    tops = live.evaluate(
        "() => [...document.querySelectorAll('.bp-knob')].map((node) => node.getBoundingClientRect().top)"
    )
    assert max(tops.count(top) for top in tops) >= least
    live.evaluate("() => { document.querySelector('.bp-knob input[type=text]').value = '-0.02895691234'; }")
    assert live.evaluate(cut) == ["-0.02895691234"]  # the measure sees what is cut


def test_what_a_tour_lights_does_not_touch_the_next_row(live):
    explorer = neuron()
    explorer.tour([("Move w.", ["w", "b"])])
    opened(live, explorer)
    style = "() => [...document.querySelectorAll('.bp-knob.bp-told')].map((node) => { const { outlineOffset, outlineWidth } = getComputedStyle(node); return parseFloat(outlineOffset) + parseFloat(outlineWidth); })"
    gap = live.evaluate("() => parseFloat(getComputedStyle(document.querySelector('.bp-knobs')).rowGap)")
    assert all(reach < gap for reach in live.evaluate(style)) and len(live.evaluate(style)) == 2


@pytest.mark.parametrize("width", [480, 760, 1280])
def test_nothing_is_wider_than_the_page_and_nothing_is_too_small(live, width):
    live.set_viewport_size({"width": width, "height": 900})
    shown = neuron(blind=True)
    shown.set(w=2.0)
    shown.blind = False
    for explorer in (whole(1), neuron(blind=True), shown):
        opened(live, explorer)
        assert live.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth + 1")
        small = live.evaluate("() => Math.min(...[...document.querySelectorAll('.bp-asking *')].filter((n) => n.checkVisibility() && n.tagName !== 'svg' && n.textContent).map((n) => parseFloat(getComputedStyle(n).fontSize) * (n.ownerSVGElement?.viewBox?.baseVal ? n.ownerSVGElement.getBoundingClientRect().width / n.ownerSVGElement.viewBox.baseVal.width : 1)))")  # fmt: skip
        assert small >= (9.99 if width >= 760 else 8)
    live.set_viewport_size({"width": 1280, "height": 900})
