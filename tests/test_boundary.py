"""The explorer of a decision boundary: Python's steps beside PyTorch's, the page's steps beside Python's, then the page under the hand."""

import json
import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from conftest import heap_of
from driven import ALONE, OPEN, cleared, empty_page, hurdles, pause, settle, visited
from test_explorer import kernel  # noqa: F401  a fixture

import backproplab as bp
from backproplab.explorers import page as page_module
from backproplab.explorers.small.boundary import sheet as boundary_sheet
from backproplab.explorers.small.boundary import still as boundary_still
from backproplab.explorers.small.boundary import training as boundary_training
from backproplab.explorers.small.boundary.widget import LOOKS, ROOMS

OUTPUTS = {
    "sigmoid bce": (1, "sigmoid", "binary_cross_entropy"), "sigmoid se": (1, "sigmoid", "squared_error"),
    "softmax ce": (3, "softmax", "cross_entropy"), "softmax se": (3, "softmax", "squared_error"),
}  # fmt: skip


def points(n=40, k=2, seed=0):
    """Points around the corners of a polygon, and their classes."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % k
    turn = 2 * np.pi * labels / k
    return np.column_stack([np.cos(turn), np.sin(turn)]) + rng.normal(0, 0.5, (n, 2)), labels


def case(output="sigmoid bce", hidden=("tanh",), n=40, units=5, seed=0, **more):
    """A net with its points and targets."""
    k, last, loss = OUTPUTS[output]
    X, labels = points(n, max(k, 2), seed)
    net = bp.Network([2, *[units] * len(hidden), k], [*hidden, last], loss=loss, seed=seed, **more)
    Y = labels[:, None].astype(float) if k == 1 else np.eye(k)[labels]
    return net, X, Y


def flat(named):
    return np.concatenate([value.ravel() for value in named.values()])


@pytest.fixture
def explorer():
    return bp.explore_boundary(*case(hidden=("tanh", "tanh")), rate=0.3)


# --- steps in Python ----------------------------------------------------------------------------------------------------


def test_the_draws_are_mulberry32():
    """The same generator in NumPy's own 32 bits, which wrap around by themselves."""

    def own(state, count):
        word = np.uint32
        with np.errstate(over="ignore"):
            for _ in range(count):
                state = word(state) + word(0x6D2B79F5)
                t = (state ^ (state >> word(15))) * (state | word(1))
                t = t ^ (t + (t ^ (t >> word(7))) * (t | word(61)))
                yield float(t ^ (t >> word(14))) / 4294967296.0

    for seed in (0, 1, 12345, 2**32 - 1):
        numbers = boundary_training.draws(seed)
        assert [next(numbers) for _ in range(200)] == [*own(np.uint32(seed), 200)]
    numbers = boundary_training.draws(7)
    assert np.mean([next(numbers) for _ in range(20_000)]) == pytest.approx(0.5, abs=0.01)


def test_an_epoch_takes_every_row_once():
    training = boundary_training.Training(*case(n=23), 5, 3)
    epochs = [[training.rows(5 * epoch + i) for i in range(5)] for epoch in range(30)]
    assert [len(rows) for rows in epochs[0]] == [5, 5, 5, 5, 3]
    flattened = [tuple(row for batch in rows for row in batch) for rows in epochs]
    assert all(sorted(rows) == [*range(23)] for rows in flattened) and len({*flattened}) == 30
    means = np.mean([boundary_training.order(8, 3, epoch) for epoch in range(4000)], axis=0)
    assert np.allclose(means, 3.5, atol=0.15), "no place prefers a row"
    numbers = boundary_training.draws(3)
    for _ in range(22 * 4):
        next(numbers)
    rows = [*range(23)]
    for last in range(22, 0, -1):
        other = int(next(numbers) * (last + 1))
        rows[last], rows[other] = rows[other], rows[last]
    assert tuple(rows) == boundary_training.order(23, 3, 4), "one sequence goes on from epoch to epoch"


@pytest.mark.parametrize("output", ["sigmoid bce", "softmax ce"])
@pytest.mark.parametrize("optimizer, rate", [("SGD", 0.2), ("Adam", 0.02)])
@pytest.mark.parametrize("batch", [None, 16])
def test_steps_are_pytorchs(output, optimizer, rate, batch):
    torch = pytest.importorskip("torch")
    net, X, Y = case(output, ("tanh", "softplus"))
    explorer = bp.explore_boundary(net, X, Y, optimizer, rate, batch, seed=5)
    explorer.update(60)
    weights = {name: torch.tensor(value, requires_grad=True) for name, value in net.parameters.items()}
    steps = getattr(torch.optim, optimizer)(weights.values(), lr=rate)
    x, y, losses = torch.tensor(X), torch.tensor(Y), []

    def loss(rows):
        a = x[rows]
        for layer, g in ((1, torch.tanh), (2, torch.nn.functional.softplus), (3, lambda z: z)):
            a = g(a @ weights[f"W{layer}"].T + weights[f"b{layer}"])
        if output == "sigmoid bce":
            return torch.nn.functional.binary_cross_entropy_with_logits(a, y[rows])
        return torch.nn.functional.cross_entropy(a, y[rows])

    for step in range(60):
        losses.append(float(loss(slice(None)).detach()))
        epoch, place = divmod(step, 3)
        rows = [*boundary_training.order(40, 5, epoch)][16 * place : 16 * place + 16] if batch else slice(None)
        steps.zero_grad()
        loss(rows).backward()
        steps.step()
    for name, value in explorer.network.parameters.items():
        np.testing.assert_allclose(value, weights[name].detach().numpy(), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(explorer.losses, [*losses, float(loss(slice(None)).detach())], rtol=1e-10)


def test_a_net_learns_and_the_given_one_stays():
    net, X, Y = case("softmax ce", ("tanh",), n=90, units=8)
    before, data = net.parameters, (X.copy(), Y.copy())
    explorer = bp.explore_boundary(net, X, Y, "Adam", 0.05, 30)
    assert explorer.losses == [net.loss(X, Y)] and explorer.step == 0
    explorer.update(200)
    assert explorer.losses[-1] < 0.6 * explorer.losses[0] and len(explorer.losses) == 201 and explorer.accuracy > 0.8
    assert explorer.losses[-1] == explorer.network.loss(X, Y)
    assert explorer.accuracy == np.mean(explorer.network.predict(X).argmax(axis=1) == Y.argmax(axis=1))
    for name, value in net.parameters.items():
        assert np.array_equal(value, before[name]) and not np.array_equal(value, explorer.network.parameters[name])
    assert np.array_equal(X, data[0]) and np.array_equal(Y, data[1])
    explorer.losses.append(0.0)
    explorer.network.parameters = before
    assert len(explorer.losses) == 201 and explorer.losses[-1] == explorer.network.loss(X, Y)
    explorer.reset()
    assert explorer.losses == [net.loss(X, Y)] and explorer.step == 0 and explorer.rate == 0.05


def test_labels_and_float32():
    net, X, Y = case("softmax ce")
    labels = bp.explore_boundary(net, X, Y.argmax(axis=1))
    assert labels.sheet == bp.explore_boundary(net, X, Y).sheet
    single = bp.Network([2, 4, 3], ["tanh", "softmax"], loss="cross_entropy", dtype=np.float32)
    assert bp.explore_boundary(single, X, Y).network.dtype == np.float64


def test_another_rate_keeps_what_adam_remembers_another_optimizer_does_not():
    explorer = bp.explore_boundary(*case(), "Adam", 0.01)
    explorer.update(3)
    explorer.set(rate=0.02, point=5)
    assert (
        explorer.state["taken"] == 3 and any(explorer.state["first"]) and (explorer.rate, explorer.point) == (0.02, 5)
    )
    explorer.optimizer = "SGD"
    assert explorer.state["taken"] == 0 and not any(explorer.state["second"]) and explorer.step == 3
    explorer.point = None
    explorer.rate = 0.5
    assert (explorer.optimizer, explorer.rate, explorer.point) == ("SGD", 0.5, None)


def diverging():
    """L2 of 1 and a rate of a million: each step multiplies the weights by a million."""
    return bp.explore_boundary(*case("sigmoid se", ("relu",), l2=1.0), rate=1e6)


def test_a_run_that_diverges_stops_at_the_last_finite_place():
    explorer = diverging()
    with pytest.raises(ValueError, match=r"explore_boundary: stopped before step \d+, at rate 1e6: .*(W1|Z2|L|W2)") as found:  # fmt: skip
        explorer.update(200)
    step = int(re.search(r"step (\d+)", str(found.value))[1])
    assert explorer.step == step - 1 and len(explorer.losses) == step and np.isfinite(explorer.losses).all()
    assert all(np.isfinite(value).all() for value in explorer.network.parameters.values())
    json.dumps([explorer.sheet, explorer.state], allow_nan=False)
    before = explorer.state
    with pytest.raises(ValueError, match=f"before step {step}"):
        explorer.update()
    assert explorer.state == before
    explorer.reset()
    explorer.rate = 1e-3
    explorer.update(5)
    assert explorer.step == 5


def test_there_are_only_so_many_steps(monkeypatch, explorer):
    monkeypatch.setattr("backproplab.explorers.small.boundary.widget.MOST_STEPS", 4)
    explorer.update(3)
    with pytest.raises(ValueError, match="4 steps are as many as this page keeps"):
        explorer.update(2)
    assert explorer.step == 4


# --- what is refused ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change, error, message", [
    ({"rate": 0}, ValueError, "rate must be from 1e-12 to 1e6, found 0"), ({"rate": -0.1}, ValueError, "found -0.1"), ({"rate": math.nan}, ValueError, "found nan"),
    ({"rate": 1e-320}, ValueError, "found 1e-320"), ({"rate": 1e308}, ValueError, r"found 1e\+308"), ({"rate": "0.1"}, TypeError, "rate must be a number such as 0.1, found str '0.1'"), ({"rate": True}, TypeError, "found bool"),
    ({"optimizer": "sgd"}, ValueError, "unknown optimizer 'sgd'; known are SGD, Adam"), ({"optimizer": 3}, TypeError, "the name of one, SGD or Adam, found int 3"),
    ({"batch_size": 0}, ValueError, "batch_size must be from 1 to 40, found 0"), ({"batch_size": 41}, ValueError, "found 41"), ({"batch_size": 2.0}, TypeError, "batch_size must be a whole number"),
    ({"seed": -1}, ValueError, "seed must be from 0 to 4294967295, found -1"), ({"seed": None}, TypeError, "seed must be a whole number"),
])  # fmt: skip
def test_choices_that_are_refused(change, error, message):
    with pytest.raises(error, match=message):
        bp.explore_boundary(*case(), **change)
    if change.keys() <= {"rate", "optimizer"}:
        explorer = bp.explore_boundary(*case())
        before = explorer.state
        with pytest.raises(error, match=message):
            explorer.set(**{"point": 3} | change)
        assert explorer.state == before


def test_nets_and_points_that_are_refused():
    net, X, Y = case()
    for wrong, message in (
        (bp.Network([3, 2, 1], ["tanh", "sigmoid"]), "must have 2 inputs, found 3"),
        (bp.Network([2, 2, 1], ["tanh", "tanh"]), "1 sigmoid or 2 or more softmax units, .* found 1 tanh"),
        (bp.Network([2, 2, 2], ["tanh", "sigmoid"]), "found 2 sigmoid"),
        (bp.Network([2, 1], ["softmax"], loss="cross_entropy"), "found 1 softmax"),
        (bp.Network([2, 20, 21, 1], ["tanh", "tanh", "sigmoid"]), "523 parameters, more than the 500"),
        (bp.Network([2, 9], ["softmax"], loss="cross_entropy"), "9 classes, more than the 8"),
    ):
        with pytest.raises(ValueError, match=message):
            bp.explore_boundary(wrong, X, Y)
    with pytest.raises(TypeError, match="expected a Network, found dict"):
        bp.explore_boundary({}, X, Y)
    with pytest.raises(ValueError, match="501 points, more than the 500"):
        bp.explore_boundary(net, np.zeros((501, 2)), np.zeros((501, 1)))
    with pytest.raises(ValueError, match=r"Y must hold 0 and 1 or labels; found 0.3 in row 2"):
        bp.explore_boundary(net, X, np.where(np.arange(40)[:, None] == 2, 0.3, Y))
    with pytest.raises(ValueError, match=r"Y.reshape\(-1, 1\)"):
        bp.explore_boundary(net, X, Y[:, 0])
    with pytest.raises(ValueError, match="too far for a map; scale X"):
        bp.explore_boundary(net, X * 1e120, Y)
    with pytest.raises(ValueError, match="X must be finite"):
        bp.explore_boundary(net, X * math.nan, Y)
    explorer = bp.explore_boundary(net, X, Y)
    for changes in ({}, {"batch_size": 3}, {"losses": []}):
        with pytest.raises(ValueError, match="rate, optimizer, point can be set, found"):
            explorer.set(**changes)
    for point, error in ((40, ValueError), (-1, ValueError), (1.5, TypeError), ("1", TypeError)):
        with pytest.raises(error, match="point must be"):
            explorer.point = point
    for times in (0, -1, 1.5, True):
        with pytest.raises((ValueError, TypeError), match="times must be"):
            explorer.update(times)
    assert explorer.step == 0


@pytest.mark.parametrize("X", [[[1.0, 2.0]], [[5.0, 5.0], [5.0, 5.0]], [[0.0, 0.0]], [[1e9, 0.0], [1e9, 1e-9]], [[-1e90, 0], [1e90, 1e-90]]])  # fmt: skip
def test_any_points_have_a_map(X):
    explorer = bp.explore_boundary(bp.Network([2, 1], ["sigmoid"]), X, np.zeros((len(X), 1)))
    for axis, (low, high) in enumerate(explorer.sheet["sides"]):
        assert low < min(x[axis] for x in X) <= max(x[axis] for x in X) < high
    assert "nan" not in explorer.still.svg


# --- still, repr, life --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("output, k", [("sigmoid bce", 2), ("softmax ce", 3)])
def test_the_still_shows_points_and_answers(output, k):
    net, X, Y = case(output)
    explorer = bp.explore_boundary(net, X, Y, "Adam", 0.05)
    explorer.update(100)
    still = explorer.still
    assert len(still.shapes) < 2000 and still.svg == explorer.still.svg and still.png.startswith(b"\x89PNG")
    root = ET.fromstring(still.svg)
    discs = [node for node in root.iter("{http://www.w3.org/2000/svg}circle") if node.get("fill") == boundary_still.COLORS[0] and node.get("r") == "4.2"]  # fmt: skip
    assert len(discs) == (Y[:, 0] == (1 if k > 2 else 0)).sum() + 1, "those of class 0, and the one of the legend"
    assert f"class {k - 1}" in still.svg and "nan" not in still.svg
    winner, sure = boundary_still.answers(explorer.network, *explorer.sheet["sides"])
    (x0, x1), (y0, y1) = explorer.sheet["sides"]
    for row, column in ((0, 0), (3, 20), (29, 29), (15, 7)):
        at = [x0 + (x1 - x0) * (column + 0.5) / 30, y1 - (y1 - y0) * (row + 0.5) / 30]
        p = explorer.network.predict([at])[0]
        p = np.array([1 - p[0], p[0]]) if len(p) == 1 else p
        assert winner[row, column] == p.argmax() and sure[row, column] == pytest.approx((p.max() - 1 / k) / (1 - 1 / k))
    assert {*np.unique(winner)} == {*range(k)}


def test_without_a_kernel_it_is_a_picture_with_a_short_text(explorer):
    bundle, _ = explorer._repr_mimebundle_()
    assert bundle["text/plain"] == "explore_boundary(Network([2, 5, 5, 1], ['tanh', 'tanh', 'sigmoid'], loss='binary_cross_entropy'), 40 points, SGD, rate=0.3, step 0)"  # fmt: skip
    assert bundle["image/png"].startswith("iVBORw0KGgo") and "image/svg+xml" not in bundle


# --- what a page says ---------------------------------------------------------------------------------------------------


def answers(explorer, message):
    """What the kernel's side answers to a message of the page."""
    said = []
    explorer.send = said.append
    explorer._heard(None, message, [])
    return said


def told(steps=7, **more):
    """What a page that has gone on would say: here another explorer plays its part."""
    net, X, Y = case(hidden=("tanh", "tanh"))
    other = bp.explore_boundary(net, X, Y, rate=0.3, **more)
    other.update(steps)
    other.point = 3
    gradient = flat(other.network.gradient(X, Y))
    return {"turn": 5, "state": json.loads(json.dumps(other.state)), "numbers": {"gradient": gradient.tolist()}}, other


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_the_kernel_confirms_and_takes_over(explorer, optimizer):
    message, other = told(optimizer=optimizer)
    (answer,) = answers(explorer, message)
    assert answer["turn"] == 5 and answer["agrees"] and float(answer["worst"]) < 1e-12
    assert explorer.state == other.state and explorer.losses == other.losses and explorer.point == 3
    explorer.update()
    other.update()
    assert explorer.state == other.state


@pytest.mark.parametrize("what", ["gradient", "loss", "weights"])
def test_the_kernel_contradicts_a_wrong_number(explorer, what):
    message, _ = told()
    if what == "gradient":
        message["numbers"]["gradient"][4] *= 1 + 1e-6
    elif what == "loss":
        message["state"]["losses"][-1] *= 1 + 1e-6
    else:
        message["state"]["weights"][0] += 1e-6
    before = explorer.state
    (answer,) = answers(explorer, message)
    assert answer["agrees"] is False and float(answer["worst"]) > 1e-9 and explorer.state == before


def test_the_verdict_holds_where_the_gradient_vanishes():
    """At a balance of the points rounding is all there is; its scale is the points' own gradients."""
    explorer = bp.explore_boundary(bp.Network.from_parameters({"W1": [[0.0, 0.0]], "b1": [0.0]}, ["sigmoid"], "binary_cross_entropy"), [[1.0, 1e6], [1.0, 1e6]], [[0.0], [1.0]])  # fmt: skip
    state = json.loads(json.dumps(explorer.state))
    for error, agrees in ((1e-8, True), (1.0, False)):
        (answer,) = answers(explorer, {"turn": 1, "state": state, "numbers": {"gradient": [0.0, error, 0.0]}})
        assert answer["agrees"] is agrees


@pytest.mark.parametrize("spoil", [
    lambda m: m.pop("state"), lambda m: m.pop("numbers"), lambda m: m["state"].update(weights=[1.0]), lambda m: m["state"].update(weights="many"), lambda m: m["state"]["weights"].__setitem__(0, math.nan),
    lambda m: m["state"]["first"].__setitem__(0, "1"), lambda m: m["state"]["losses"].pop(), lambda m: m["state"]["losses"].__setitem__(0, math.inf), lambda m: m["state"].update(step=-1), lambda m: m["state"].update(step=10**9), lambda m: m["state"].update(taken=99),
    lambda m: m["state"].update(rate=0), lambda m: m["state"].update(optimizer="<b>"), lambda m: m["state"].update(point=40), lambda m: m["numbers"].update(gradient=[]), lambda m: m["numbers"]["gradient"].__setitem__(0, None),
])  # fmt: skip
def test_a_page_that_was_tampered_with_gets_an_answer_and_changes_nothing(explorer, spoil):
    message, _ = told()
    spoil(message)
    before = explorer.state
    (answer,) = answers(explorer, message)
    assert answer["turn"] == 5 and answer["error"] and "agrees" not in answer and explorer.state == before


# --- the page's numbers in headless Chromium ----------------------------------------------------------------------------

STEPS = """([sheet, state, steps]) => { const training = new bp.Training(sheet, state); for (let i = 0; i < steps; i++) training.advance(state.optimizer, state.rate); return {...training.place(), gradient: Array.from(training.gradient()), right: training.right()}; }"""


@pytest.fixture(scope="module")
def empty(browser):
    return empty_page(browser, ROOMS, LOOKS)


@pytest.fixture
def live(empty):
    yield from cleared(empty, height=1000)


def apart(page_numbers, explorer):
    """How far a page's place is from Python's, relative to the largest number of its kind."""
    return max(
        np.abs(np.subtract(page_numbers[name], explorer.state[name])).max() / (np.abs(explorer.state[name]).max() or 1)
        for name in ("weights", "first", "second", "losses")
    )


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("activation", bp.ACTIVATIONS)
@pytest.mark.parametrize("optimizer, rate, batch", [("SGD", 0.2, None), ("Adam", 0.02, 16)])
def test_the_pages_steps_are_pythons(live, output, activation, optimizer, rate, batch):
    explorer = bp.explore_boundary(*case(output, (activation, activation), l2=0.01), optimizer, rate, batch, seed=9)
    page = live.evaluate(STEPS, [explorer.sheet, explorer.state, 50])
    explorer.update(50)
    assert page["step"] == 50 and page["taken"] == explorer.state["taken"]
    assert apart(page, explorer) < 1e-9
    assert page["right"] == round(explorer.accuracy * 40)
    if batch:
        other = bp.explore_boundary(*case(output, (activation, activation), l2=0.01), optimizer, rate, batch, seed=8)
        assert apart(live.evaluate(STEPS, [other.sheet, other.state, 50]), explorer) > 1e-4, "the seed matters"


@pytest.mark.parametrize("seed", range(12))
def test_the_pages_gradient_is_the_nets(live, seed):
    rng = np.random.default_rng(seed)
    hidden = [str(rng.choice([*bp.ACTIVATIONS])) for _ in range(rng.integers(0, 4))]
    output = [*OUTPUTS][seed % 4]
    net, X, Y = case(output, hidden, n=int(rng.integers(1, 60)), units=int(rng.integers(1, 9)), seed=seed,
                     l2=float(rng.choice([0.0, 0.1])), reduction=str(rng.choice(["mean", "sum"])))  # fmt: skip
    net.parameters = {name: value + rng.normal(0, 0.5, value.shape) for name, value in net.parameters.items()}
    explorer = bp.explore_boundary(net, X, Y)
    page = live.evaluate(STEPS, [explorer.sheet, explorer.state, 0])
    expected = flat(net.gradient(X, Y))
    np.testing.assert_allclose(page["gradient"], expected, rtol=1e-9, atol=1e-12 * np.abs(expected).max())
    spoilt = live.evaluate(STEPS, [explorer.sheet | {"l2": net.l2 + 1e-6}, explorer.state, 0])
    assert not np.allclose(spoilt["gradient"], expected, rtol=1e-9, atol=1e-12 * np.abs(expected).max())


def test_losses_where_outputs_saturate(live):
    """Logits of some 1e4: the outputs round to 0 and 1, the losses do not."""
    for output in OUTPUTS:
        net, X, Y = case(output, ())
        net.parameters = {name: value * 2e4 + 300 for name, value in net.parameters.items()}
        explorer = bp.explore_boundary(net, X, Y, rate=1e-3)
        page = live.evaluate(STEPS, [explorer.sheet, explorer.state, 1])
        explorer.update()
        np.testing.assert_allclose(page["losses"], explorer.losses, rtol=1e-12)
        assert apart(page, explorer) < 1e-12


@pytest.mark.parametrize("n, seed, epoch", [(1, 0, 0), (7, 0, 0), (40, 9, 3), (500, 2**32 - 1, 19_999), (499, 123456789, 7)])  # fmt: skip
def test_the_page_shuffles_as_python_does(live, n, seed, epoch):
    assert live.evaluate("([n, seed, epoch]) => bp.order(n, seed, epoch)", [n, seed, epoch]) == list(boundary_training.order(n, seed, epoch))  # fmt: skip


# --- the page under the hand --------------------------------------------------------------------------------------------


@pytest.fixture
def opened(live, explorer):
    """The page as a widget."""
    live.evaluate(OPEN, [explorer.sheet, explorer.state])
    settle(live)
    return live


def status(page):
    settle(page)
    return page.locator(".bp-status span").all_text_contents()


def until(page, holds):
    """Wait until an expression holds, on a page whose policy forbids to evaluate one inside it."""
    for _ in range(200):
        if page.evaluate(holds):
            return
        pause(page, 25)
    raise AssertionError(holds)


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def test_a_step_by_hand_is_one_in_code_and_the_kernel_confirms_it(opened, explorer):
    assert status(opened)[0] == "step 0, epoch 0"
    press(opened, "Step")
    opened.wait_for_function("sent.length === 1")
    message = opened.evaluate("sent[0]")
    other = bp.explore_boundary(*case(hidden=("tanh", "tanh")), rate=0.3)
    other.update()
    assert message["state"]["losses"] == pytest.approx(other.losses, rel=1e-12)
    (answer,) = answers(explorer, message)
    assert answer["agrees"] and explorer.step == 1
    opened.evaluate("answer", answer)
    assert opened.locator(".bp-verdict").text_content() == "✓ the kernel finds the same loss and gradient"
    stands, loss, right = status(opened)
    assert stands == "step 1, epoch 1" and float(loss.removeprefix("L = ")) == pytest.approx(other.losses[-1], rel=1e-5)
    assert right == f"{round(other.accuracy * 40)} of 40 points right ({100 * other.accuracy:.4g} %)"
    opened.evaluate("answer", answer | {"agrees": False, "worst": "0.5"})
    assert "another loss or gradient; the relative difference is 0.5" in opened.locator(".bp-verdict").text_content()
    opened.evaluate("(old) => { document.querySelector('.bp-map').focus(); document.querySelector('.bp-map').dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter'})); answer(old); }", answer)  # fmt: skip
    assert opened.locator(".bp-verdict").text_content() == "", "what was said of another place"


def test_play_pause_reset(opened, explorer):
    opened.evaluate("() => { document.querySelectorAll('input[type=range]')[0].value = 60; document.querySelectorAll('input[type=range]')[0].dispatchEvent(new Event('input')); }")  # fmt: skip
    press(opened, "Play")
    opened.wait_for_function("Number(/step (\\d+)/.exec(document.querySelector('.bp-status').textContent)[1]) > 8")
    assert opened.evaluate("sent") == [], "a page that plays leaves the kernel alone"
    press(opened, "Pause")
    opened.wait_for_function("sent.length === 1")
    message = opened.evaluate("sent[0]")
    other = bp.explore_boundary(*case(hidden=("tanh", "tanh")), rate=0.3)
    other.update(message["state"]["step"])
    assert apart(message["state"], other) < 1e-9
    before = status(opened)
    pause(opened, 100)
    assert status(opened) == before and answers(explorer, message)[0]["agrees"]
    press(opened, "Reset")
    assert status(opened)[0] == "step 0, epoch 0"
    opened.wait_for_function("sent.length === 2")
    assert answers(explorer, opened.evaluate("sent[1]"))[0]["agrees"] and explorer.step == 0


def test_where_nothing_shall_move_play_takes_many_steps_at_once(opened):
    opened.emulate_media(reduced_motion="reduce")
    try:
        press(opened, "Step")
        settle(opened)
        press(opened, "50 ticks")
        opened.wait_for_function("sent.length > 0")
        assert status(opened)[0] == "step 51, epoch 51"
        pause(opened, 150)
        assert status(opened)[0] == "step 51, epoch 51"
    finally:
        opened.emulate_media(reduced_motion="no-preference")


def test_a_tick_may_be_an_epoch(live):
    explorer = bp.explore_boundary(*case(), batch_size=16)
    live.evaluate(ALONE, [explorer.sheet, explorer.state])
    ticks = live.get_by_label("A tick is")
    assert ticks.locator("option").all_text_contents() == ["1 step", "1 epoch, 3 steps", "10 epochs, 30 steps"]
    for value, step in (("3", 3), ("30", 33), ("1", 34)):
        ticks.select_option(value)
        press(live, "Step")
        live.wait_for_function(f"page.training.step === {step}")
    assert status(live)[0] == "step 34, epoch 11"


def test_rate_and_optimizer_by_hand(opened, explorer):
    field = opened.get_by_label("Rate, typed")
    field.fill("0.025")
    field.press("Enter")
    opened.get_by_label("Optimizer").select_option("Adam")
    press(opened, "Step")
    opened.wait_for_function("sent.length > 0")
    message = opened.evaluate("sent.at(-1)")
    assert (message["state"]["rate"], message["state"]["optimizer"], message["state"]["taken"]) == (0.025, "Adam", 1)
    assert answers(explorer, message)[0]["agrees"] and explorer.rate == 0.025
    slider = opened.get_by_label("Rate", exact=True)
    slider.press("ArrowRight")
    settle(opened)
    assert field.input_value() == "0.0282", "the place after 0.025 on a scale of powers of ten"
    slider.press("Home")
    settle(opened)
    assert field.input_value() == "0.0001"


@pytest.mark.parametrize("text", ["0", "-1", "a", "", "1e400", "1e-320", "1e308", "1+1", "<img src=x onerror=alert(1)>"])  # fmt: skip
def test_a_bad_rate_is_refused_in_words(opened, text):
    field = opened.get_by_label("Rate, typed")
    field.fill(text)
    field.press("Enter")
    message = opened.locator(".bp-message").text_content()
    assert "the rate must be a number from 1e-12 to 1e6" in message and (text or "nothing") in message
    assert (
        field.get_attribute("aria-invalid") == "true"
        and opened.evaluate("document.querySelectorAll('img').length") == 0
    )
    field.blur()
    assert field.input_value() == "0.3" and opened.evaluate("sent") == []


def test_what_is_set_in_code_reaches_the_page(opened, explorer):
    said = []
    explorer.send = said.append
    press(opened, "Step")
    opened.wait_for_function("sent.length === 1")
    explorer.set(rate=0.07, point=2)
    opened.evaluate("answer", said[-1])
    assert status(opened)[0] == "step 1, epoch 1", "a choice leaves the page where it stands"
    assert opened.get_by_label("Rate, typed").input_value() == "0.07" and opened.get_by_label("Point, typed").input_value() == "2"  # fmt: skip
    explorer.update(20)
    opened.evaluate("answer", said[-1])
    assert status(opened)[0] == "step 20, epoch 20"
    assert float(status(opened)[1].removeprefix("L = ")) == pytest.approx(explorer.losses[-1], rel=1e-5)


def test_the_cursor_asks_the_net(live):
    for output in ("sigmoid bce", "softmax ce"):
        explorer = bp.explore_boundary(*case(output), "Adam", 0.05)
        explorer.update(60)
        live.evaluate(ALONE, [explorer.sheet, explorer.state])
        settle(live)
        box = live.locator(".bp-map canvas").bounding_box()
        (x0, x1), (y0, y1) = explorer.sheet["sides"]
        for across, down in ((0.25, 0.25), (0.75, 0.5), (0.4, 0.9)):
            live.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
            tip = live.locator(".bp-tip").text_content().replace("−", "-")
            x, y = (float(re.search(rf"{name} = (-?[\d.e-]+)", tip)[1]) for name in "xy")
            assert x == pytest.approx(x0 + across * (x1 - x0), abs=0.02) and y == pytest.approx(y1 - down * (y1 - y0), abs=0.02)  # fmt: skip
            at = live.evaluate("page.cursor")
            p = explorer.network.predict([at])[0]
            found = [float(text) for text in re.findall(r"(?:class \d\) =|class \d:) ([\d.e-]+)", tip)]
            np.testing.assert_allclose(found, p, rtol=6e-4)
            assert tip.endswith(f"class {int(p[0] >= 0.5) if len(p) == 1 else p.argmax()} wins")
            rows = [[float(cell.replace("−", "-").replace("·10", "e").translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-"))) for cell in row]
                    for row in live.evaluate("() => page.rows.map(({ cells }) => cells.map((cell) => cell.textContent))")]  # fmt: skip
            trace = explorer.network.forward([at])
            own = np.column_stack([trace["W1"], trace["b1"], trace["Z1"][0], trace["A1"][0]])
            np.testing.assert_allclose(rows, own, rtol=1e-5, atol=1e-9)


def test_the_cursor_by_keyboard_and_a_point(opened, explorer):
    figure = opened.locator(".bp-map")
    figure.focus()
    first = figure.get_attribute("aria-label")
    figure.press("ArrowRight")
    figure.press("Shift+ArrowUp")
    assert first.startswith("The plane: x = ") and figure.get_attribute("aria-label") != first
    figure.press("Enter")
    (x0, x1), (y0, y1) = explorer.sheet["sides"]
    place = np.array([(x0 + x1) / 2 + (x1 - x0) / 60, (y0 + y1) / 2 + 5 * (y1 - y0) / 60])
    nearest = int(np.hypot(*(np.array(explorer.sheet["points"]) - place).T).argmin())
    settle(opened)
    assert opened.get_by_label("Point, typed").input_value() == str(nearest)
    opened.wait_for_function("sent.length === 1")
    assert opened.evaluate("sent[0].state.point") == nearest
    figure.press("Escape")
    settle(opened)
    assert opened.get_by_label("Point, typed").input_value() == ""


@pytest.mark.parametrize("output, more", [("sigmoid bce", {}), ("softmax ce", {"l2": 0.05}), ("sigmoid se", {"reduction": "sum"})])  # fmt: skip
def test_a_points_own_loss_and_its_share(live, output, more):
    net, X, Y = case(output, ("tanh", "tanh"), **more)
    explorer = bp.explore_boundary(net, X, Y)
    explorer.update(5)
    live.evaluate(ALONE, [explorer.sheet, explorer.state])
    now, bare = (
        explorer.network,
        bp.Network.from_parameters(explorer.network.parameters, net.activations, net.loss_name),
    )
    whole = now.gradient(X, Y)
    pulls = np.zeros(3)
    for n in range(40):
        found = live.evaluate("(n) => page.training.about(n)", n)
        assert found["loss"] == pytest.approx(bare.loss(X[[n]], Y[[n]]), rel=1e-12)
        own = bare.gradient(X[[n]], Y[[n]])
        for layer in (1, 2, 3):
            g, G = (np.concatenate([of[f"W{layer}"].ravel(), of[f"b{layer}"]]) for of in (own, whole))
            share = g @ G / (G @ G) / (40 if net.reduction == "mean" else 1)
            assert found["layers"][layer - 1] == pytest.approx({"norm": np.linalg.norm(g), "whole": np.linalg.norm(G), "pull": share}, rel=1e-9)  # fmt: skip
        pulls += [layer["pull"] for layer in found["layers"]]
    penalty = [net.l2 * (now.parameters[f"W{i}"] * whole[f"W{i}"]).sum() / ((whole[f"W{i}"] ** 2).sum() + (whole[f"b{i}"] ** 2).sum()) for i in (1, 2, 3)]  # fmt: skip
    np.testing.assert_allclose(pulls + penalty, 1, rtol=1e-9)
    field = live.get_by_label("Point, typed")
    field.fill("7")
    field.press("Enter")
    settle(live)
    text = live.locator(".bp-about").text_content()
    assert f"class {explorer.sheet['labels'][7]}" in text and "layer 3" in text
    field.fill("40")
    field.press("Enter")
    assert "the point must be a whole number from 0 to 39" in live.locator(".bp-message").text_content()


def test_a_click_chooses_the_point_under_it(opened, explorer):
    box = opened.locator(".bp-points path").nth(11).bounding_box()
    opened.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    settle(opened)
    assert opened.get_by_label("Point, typed").input_value() == "11"
    ring = opened.locator(".bp-asked").bounding_box()
    assert ring["x"] < box["x"] and ring["x"] + ring["width"] > box["x"] + box["width"]


def test_classes_differ_by_shape_and_by_colour_and_missed_points_are_marked(live):
    explorer = bp.explore_boundary(bp.Network([2, 6, 8], ["tanh", "softmax"], loss="cross_entropy"), *points(80, 8), "Adam", 0.05)  # fmt: skip
    explorer.update(30)
    live.evaluate(ALONE, [explorer.sheet, explorer.state])
    settle(live)
    legend = live.evaluate("() => [...document.querySelectorAll('.bp-legend path')].map((n) => [n.getAttribute('d'), getComputedStyle(n).fill])")  # fmt: skip
    assert len(legend) == len({d for d, _ in legend}) == len({color for _, color in legend}) == 8
    missed = live.evaluate("() => [...document.querySelectorAll('.bp-points path')].map((n) => n.classList.contains('bp-missed'))")  # fmt: skip
    X, labels = np.array(explorer.sheet["points"]), np.array(explorer.sheet["labels"])
    assert missed == (explorer.network.predict(X).argmax(axis=1) != labels).tolist() and 0 < sum(missed) < 80


@pytest.mark.parametrize("output", ["sigmoid bce", "softmax ce"])
def test_the_line_is_where_the_answer_changes(live, output):
    explorer = bp.explore_boundary(*case(output), "Adam", 0.05)
    explorer.update(80)
    live.evaluate(ALONE, [explorer.sheet, explorer.state])
    settle(live)
    d = live.locator(".bp-boundary-line").get_attribute("d")
    ends = np.array([float(number) for number in re.findall(r"-?[\d.]+", d)]).reshape(-1, 2)
    size = live.locator(".bp-map canvas").bounding_box()["width"]
    (x0, x1), (y0, y1) = explorer.sheet["sides"]
    at = np.column_stack([x0 + (ends[:, 0] - 54) / size * (x1 - x0), y1 - (ends[:, 1] - 8) / size * (y1 - y0)])
    trace = explorer.network.forward(at)
    Z = trace["Z2"]
    top = np.sort(Z, axis=1)
    lead = np.abs(Z[:, 0]) if Z.shape[1] == 1 else top[:, -1] - top[:, -2]
    assert len(ends) > 60 and np.quantile(lead, 0.95) < 0.15 < np.abs(top[:, -1]).max() + 0.15
    colors = live.evaluate("() => { const c = document.querySelector('.bp-map canvas'), g = c.getContext('2d'); return [[0.1, 0.1], [0.9, 0.2], [0.2, 0.9], [0.85, 0.85]].map(([u, v]) => [...g.getImageData(u * c.width, v * c.height, 1, 1).data]); }")  # fmt: skip
    classes = [(0x1F, 0x63, 0xBD), (0xC4, 0x24, 0x1D), (0x00, 0x73, 0x6A)]
    for (u, v), found in zip([[0.1, 0.1], [0.9, 0.2], [0.2, 0.9], [0.85, 0.85]], colors, strict=True):
        p = explorer.network.predict([[x0 + u * (x1 - x0), y1 - v * (y1 - y0)]])[0]
        p = np.array([1 - p[0], p[0]]) if len(p) == 1 else p
        sure = 0.62 * (p.max() - 1 / len(p)) / (1 - 1 / len(p))
        expected = 255 + sure * (np.array(classes[p.argmax()]) - 255)
        np.testing.assert_allclose(found[:3], expected, atol=9)


def test_the_border_of_a_circle_and_of_three_classes(live):
    circle = (
        "Float64Array.from({length: 41 * 41}, (_, n) => ((n % 41) - 20) ** 2 + (Math.floor(n / 41) - 20) ** 2 - 150)"
    )
    pieces = live.evaluate(f"() => bp.borders({circle}, 1, 40)")
    ends = np.array(pieces).reshape(-1, 2)
    np.testing.assert_allclose(np.hypot(*(ends - 20).T), math.sqrt(150), atol=0.02)
    length = sum(math.dist(piece[:2], piece[2:]) for piece in pieces)
    assert length == pytest.approx(2 * math.pi * math.sqrt(150), rel=2e-3)
    # Logits -x, x and y - 1/4 around the middle of one cell: each of its rims is crossed where two of them are alike.
    found = live.evaluate("() => bp.borders(Float64Array.of(0.5, -0.5, 0.25, -0.5, 0.5, 0.25, 0.5, -0.5, 0.75, -0.5, 0.5, 0.75), 3, 1)")  # fmt: skip
    assert sorted(tuple(piece[:2]) for piece in found) == [(0.0, 0.5), (0.5, 0.0), (1.0, 0.5)]
    assert len({tuple(piece[2:]) for piece in found}) == 1, "the three meet"
    assert len(live.evaluate("() => bp.borders(Float64Array.of(1, -1, -1, 1), 1, 1)")) == 4
    assert live.evaluate("() => bp.borders(Float64Array.of(1, -1, NaN, 1), 1, 1)") == []


def test_the_colours_lie_where_the_line_lies(live):
    """A border near the rim of the map: half a cell there would be seen."""
    net = bp.Network.from_parameters({"W1": [[20.0, 0.0]], "b1": [17.0]}, ["sigmoid"], "binary_cross_entropy")
    explorer = bp.explore_boundary(net, [[-1.0, -1.0], [1.0, 1.0]], [[0.0], [1.0]])
    live.evaluate(ALONE, [explorer.sheet, explorer.state])
    settle(live)
    row = live.evaluate("() => { const c = document.querySelector('.bp-map canvas'), data = c.getContext('2d').getImageData(0, 50, c.width, 1).data; return Array.from({length: c.width}, (_, i) => data[4 * i] > data[4 * i + 2]); }")  # fmt: skip
    low, high = explorer.sheet["sides"][0]
    assert row.index(True) / len(row) == pytest.approx((-0.85 - low) / (high - low), abs=0.003)


def test_lines_of_the_first_layer(opened, explorer):
    assert opened.locator(".bp-unit").count() == 0
    opened.get_by_label("lines of the first layer").check()
    settle(opened)
    W, b = explorer.network.parameters["W1"], explorer.network.parameters["b1"]
    (x0, x1), (y0, y1) = explorer.sheet["sides"]
    size = opened.locator(".bp-map canvas").bounding_box()["width"]
    lines = opened.evaluate("() => [...document.querySelectorAll('.bp-unit')].map((n) => [Number(n.dataset.unit), n.getAttribute('d')])")  # fmt: skip
    assert len(lines) == 5
    for unit, d in lines:
        for u, v in np.array([float(number) for number in re.findall(r"-?[\d.]+", d)]).reshape(-1, 2):
            at = np.array([x0 + (u - 54) / size * (x1 - x0), y1 - (v - 8) / size * (y1 - y0)])
            assert abs(W[unit] @ at + b[unit]) < 1e-3 * np.linalg.norm(W[unit]) * (x1 - x0)
            assert min(abs(at - [x0, y0]).min(), abs(at - [x1, y1]).min()) < 1e-3 * (x1 - x0), "from rim to rim"
    opened.locator(".bp-weights tbody tr").nth(2).hover()
    assert opened.evaluate("() => [...document.querySelectorAll('.bp-lit')].map((n) => n.dataset.unit)") == ["2"]


def test_a_run_that_diverges_stops_on_the_page_as_in_python(live):
    explorer = diverging()
    live.evaluate(ALONE, [explorer.sheet, explorer.state])
    live.get_by_label("A tick is").select_option("10")
    press(live, "Play")
    live.wait_for_function("page.message.textContent !== ''")
    with pytest.raises(ValueError, match="stopped") as found:
        explorer.update(200)
    message = live.locator(".bp-message").text_content()
    step = re.search(r"before step (\d+)", str(found.value))[1]
    quantity = re.search(r"((?:dL/d)?[WbZ]\d|\bL\b)(?:, in| =)", str(found.value))[1]
    assert re.search(rf"before step {step}: at rate 1e6 it would make {quantity}, in layer \d, infinite", message), (message, str(found.value))  # fmt: skip
    assert live.evaluate("page.training.step") == explorer.step
    assert apart(live.evaluate("page.training.place()"), explorer) < 1e-9
    assert live.evaluate("page.playing") is False and "NaN" not in live.locator(".bp-map").inner_html()
    press(live, "Reset")
    assert status(live)[0] == "step 0, epoch 0" and live.locator(".bp-message").text_content() == ""


def test_the_page_keeps_only_so_many_steps(live, explorer):
    sheet = explorer.sheet | {"most": explorer.sheet["most"] | {"steps": 3}}
    live.evaluate(ALONE, [sheet, explorer.state])
    live.get_by_label("A tick is").select_option("10")
    press(live, "Step")
    live.wait_for_function("page.message.textContent !== ''")
    assert status(live)[0] == "step 3, epoch 3" and "3 steps are as many" in live.locator(".bp-message").text_content()


# --- hostile input, and where it lives ----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"onmouseover="alert(1)', "${alert(1)}", "<!--"])  # fmt: skip
def test_a_text_in_the_sheet_stays_a_text(live, explorer, text):
    sheet = explorer.sheet | {"words": {key: text for key in explorer.sheet["words"]}, "optimizers": ["SGD", text]}
    live.evaluate(ALONE, [sheet, explorer.state | {"point": 1}])
    settle(live)
    assert text in live.locator(".bp-status").text_content()
    assert live.evaluate("() => document.body.querySelectorAll('script, img, b, [onmouseover]').length") == 0
    written = page_module.as_file(sheet, explorer.state, text, ROOMS, LOOKS)
    assert written.count("<script") == written.count("</script>") == 3


@pytest.mark.parametrize("spoil", [
    {"points": [["<b>", 1]]}, {"points": []}, {"labels": [9] * 40}, {"sizes": [3, 5, 5, 1]}, {"activations": ["alert", "tanh", "sigmoid"]}, {"activations": ["constructor", "tanh", "sigmoid"]}, {"batch": 0}, {"sides": [[1, 0], [0, 1]]}, {"start": [1]},
    {"state": {"weights": ["1"]}}, {"state": {"losses": []}}, {"state": {"rate": "1"}}, {"state": {"optimizer": "x"}}, {"state": {"point": 40}}, {"state": {"step": 1}},
])  # fmt: skip
def test_numbers_that_do_not_fit_are_refused(live, explorer, spoil):
    state = explorer.state | spoil.pop("state", {})
    with pytest.raises(Exception, match="the sheet and the state do not fit each other"):
        live.evaluate(ALONE, [explorer.sheet | spoil, state])


def test_a_saved_page_trains_without_kernel_and_network(browser, tmp_path, explorer):
    path = tmp_path / "boundary.html"
    explorer.update(4)
    explorer.save(path)
    assert path.stat().st_size < 140_000  # fmt: skip
    with visited(browser, path, ".bp-boundary") as page:
        assert status(page)[0] == "step 4, epoch 4"
        press(page, "Step")
        until(page, "page.training.step === 5")
        explorer.update()
        assert apart(page.evaluate("page.training.place()"), explorer) < 1e-12
        press(page, "Play")
        until(page, "page.training.step > 8")
        press(page, "Pause")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [480, 1280])
def test_axe_finds_nothing(browser, tmp_path, scheme, width):
    for output, hidden in (("sigmoid bce", ("tanh",)), ("softmax ce", ("relu", "relu"))):
        explorer = bp.explore_boundary(*case(output, hidden, units=12), "Adam", 0.05)
        explorer.update(30)
        explorer.save(tmp_path / "boundary.html")
        with visited(
            browser,
            tmp_path / "boundary.html",
            ".bp-boundary",
            color_scheme=scheme,
            bypass_csp=True,
            viewport={"width": width, "height": 900},
        ) as page:
            page.get_by_label("lines of the first layer").check()
            for text in ("3", "many"):
                field = page.get_by_label("Point, typed")
                field.fill(text)
                field.press("Enter")
                settle(page)
                assert hurdles(page) == []


@pytest.mark.parametrize("width", [480, 760, 1280])
def test_nothing_is_cut(live, width):
    live.set_viewport_size({"width": width, "height": 1000})
    for net, X, Y in (case(), (bp.Network([2, 6, 8], ["tanh", "softmax"], loss="cross_entropy"), *points(80, 8))):
        explorer = bp.explore_boundary(net, X * 1000, Y)
        explorer.point = 3
        live.evaluate(ALONE, [explorer.sheet, explorer.state])
        settle(live)
        assert live.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
        outside = live.evaluate("() => { const box = document.querySelector('.bp-map').getBoundingClientRect(); return [...document.querySelectorAll('.bp-map text, .bp-points path')].filter((n) => { const b = n.getBoundingClientRect(); return b.left < box.left - 0.5 || b.right > box.right + 0.5 || b.top < box.top - 0.5 || b.bottom > box.bottom + 0.5; }).length; }")  # fmt: skip
        assert outside == 0


def test_steps_leave_nothing_behind(live, explorer):
    live.evaluate(ALONE, [explorer.sheet, explorer.state | {"point": 3}])

    def move(times):
        live.evaluate("(times) => { for (let i = 0; i < times; i++) { page.advance(); page.draw(); } }", times)
        return live.evaluate("() => document.querySelectorAll('*').length")

    nodes, used = move(50), heap_of(live)
    assert move(400) == nodes and heap_of(live) - used < 300_000


@pytest.mark.filterwarnings("ignore")
def test_a_page_and_its_kernel(kernel):  # noqa: F811
    kernel.run("import numpy as np, backproplab as bp\nX = np.array([[0., 0.], [1., 1.], [0., 1.], [1., 0.]])\nnet = bp.Network([2, 3, 2], ['tanh', 'softmax'], loss='cross_entropy')")  # fmt: skip
    said = kernel.run("e = bp.explore_boundary(net, X, [0, 0, 1, 1])", cell="the same")
    assert not [content for kind, content in said if kind in ("error", "stream")]
    model = next(key for key, state in kernel.models.items() if "sheet" in state)
    state, sheet = kernel.models[model]["state"], kernel.models[model]["sheet"]
    net = bp.Network([2, 3, 2], ["tanh", "softmax"], loss="cross_entropy")
    gradient = flat(net.gradient(np.array(sheet["points"]), np.array([0, 0, 1, 1]))).tolist()
    answered = kernel.say(model, {"turn": 1, "state": state | {"rate": 0.5}, "numbers": {"gradient": gradient}})
    assert [answer["agrees"] for answer in answered if "agrees" in answer] == [True]
    assert kernel.printed("print(e.rate)").strip() == "0.5"
    kernel.run("e.update(3)")
    assert kernel.printed("print(e.step, len(e.losses))").strip() == "3 4"
    kernel.run("e.close()")


def test_rounds_are_the_same_in_python_and_on_the_page(live):
    for low, high in ((-1.35, 2.45), (0, 1), (-3000.0, 4100.0), (1e-9, 7e-9), (-1, 1)):
        found = live.evaluate("([low, high]) => bp.rounds(low, high)", [low, high])
        assert found == pytest.approx(boundary_still.rounds(low, high), rel=1e-9, abs=1e-15 * high)
        assert 3 <= len(found) <= 9 and min(found) >= low * (1 + 1e-9 if low < 0 else 1) and max(found) <= high


def test_the_words_have_no_gaps():
    assert all(isinstance(text, str) and text for text in boundary_sheet.WORDS.values())
    used = set(re.findall(r"words\.(\w+)", page_module.script(("small/boundary/boundary", "small/boundary/training"))))
    assert used - {"nokernel"} <= boundary_sheet.WORDS.keys()
    assert boundary_sheet.WORDS.keys() - used == {"nokernel"}, "the bridge says that one"
