"""The explorer of vanishing gradients: its numbers beside PyTorch's, its page driven by hand and in code, alone and with its kernel."""

import json
import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from conftest import heap_of
from driven import ALONE, BOXES, OPEN, answer_of, cleared, empty_page, hurdles, settle, visited
from test_explorer import kernel  # noqa: F401  a fixture

import backproplab as bp
from backproplab.explorers import page as page_module
from backproplab.explorers.small.vanishing import sizes
from backproplab.explorers.small.vanishing.sheet import AXES, PRESETS, WORDS
from backproplab.explorers.small.vanishing.sizes import Factor
from backproplab.explorers.small.vanishing.widget import LOOKS, ROOMS

BATCH_NORM_EPS = 1e-5
STATES = [
    dict(),
    dict(activation="sigmoid", init=0.1, depth=7, seed=3),
    dict(activation="tanh", depth=12, width=32),
    dict(activation="tanh", init="orthogonal", depth=50),
    dict(activation="relu", init="he", depth=30, width=64),
    dict(activation="relu", init=2.0, width=8),
    dict(activation="gelu", init="he", depth=2),
    dict(activation="silu", init=1, depth=5, seed=9),
    dict(activation="identity", init=0.3),
    dict(activation="leaky_relu", init="he", depth=100, width=8),
    dict(activation="softplus", residual=True),
    dict(activation="sigmoid", init=0.1, batch_norm=True),
    dict(activation="relu", init=2.0, batch_norm=True, width=32),
    dict(activation="tanh", init=0.1, residual=True, depth=50),
    dict(activation="relu", init="he", batch_norm=True, residual=True, depth=10, seed=5),
    dict(activation="sigmoid", init="orthogonal", batch_norm=True, residual=True, depth=3),
]
NAMES = ["-".join(map(str, state.values())) or "first" for state in STATES]


def rms(array):
    return float(np.sqrt(np.mean(np.square(array))))


def by_torch(e):
    """What autograd gives for the explorer's net: delta, dL/dW, and of each step back its factors."""
    torch = pytest.importorskip("torch")
    hidden, width, F = e.depth - 1, e.width, torch.nn.functional
    g = {"identity": lambda z: z, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": F.relu, "leaky_relu": F.leaky_relu, "softplus": lambda z: torch.logaddexp(z, torch.zeros_like(z)), "gelu": F.gelu, "silu": F.silu}[e.activation]  # fmt: skip
    weights = bp.Network([width] * (e.depth + 1), [e.activation] * hidden + ["identity"], init=e.init, seed=e.seed).parameters  # fmt: skip
    W = [torch.tensor(weights[f"W{layer}"], requires_grad=True) for layer in range(1, e.depth + 1)]
    X, Y = torch.tensor(np.random.default_rng((e.seed, 1)).normal(size=(2, 64, width)))
    A, zs, ss, outs = X, [], [], []
    for layer, w in enumerate(W):
        Z = A @ w.T
        S = (Z - Z.mean(0)) / torch.sqrt(Z.var(0, unbiased=False) + BATCH_NORM_EPS) if e.batch_norm and layer < hidden else Z * 1  # fmt: skip
        out = S if layer == hidden else g(S) + (A if e.residual else 0)
        for node, found in ((Z, zs), (S, ss), (out, outs)):
            node.retain_grad()
            found.append(node)
        A = out
    (((A - Y) ** 2).sum() / 2 / len(X)).backward()
    deltas, gradients = [z.grad.numpy() for z in zs], [w.grad.numpy() for w in W]
    factors, dead = [], []
    for below in range(hidden):
        point = ss[below].detach().requires_grad_()
        (slope,) = torch.autograd.grad(g(point).sum(), point)
        above, delta = deltas[below + 1], deltas[below]
        stretched, slopes = rms(above @ W[below + 1].detach().numpy()) / rms(above), rms(slope.numpy())
        norm = rms(delta) / rms(ss[below].grad.numpy()) if e.batch_norm else None
        around = rms(outs[below + 1].grad.numpy()) / rms(above) * slopes * (norm or 1) if e.residual and below + 1 < hidden else None  # fmt: skip
        product = math.hypot(stretched * slopes * (norm or 1), around or 0)
        factors.append((stretched, slopes, norm, around, product, rms(delta) / rms(above)))
        dead.append(int((slope == 0).all(dim=0).sum()))
    return deltas, gradients, factors, [*dead, 0]


def same(found, expected, rel):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert (one is None) is (other is None) and (one is None or one == pytest.approx(other, rel=rel)), (one, other)


# --- the numbers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", STATES, ids=NAMES)
def test_the_sizes_are_those_of_pytorch(state):
    e = bp.explore_vanishing(**state)
    deltas, gradients, factors, dead = by_torch(e)
    rel = 1e-6 if e.batch_norm or e.depth > 40 else 1e-9
    same(e.deltas, list(map(rms, deltas)), rel)
    same(e.gradients, list(map(rms, gradients)), rel)
    same(e.largest_deltas, [abs(array).max() for array in deltas], rel)
    same(e.largest_gradients, [abs(array).max() for array in gradients], rel)
    assert e.dead == dead and len(e.factors) == e.depth - 1 and e.overflow is None
    for found, expected in zip(e.factors, factors, strict=True):
        same(found, expected, rel)


def test_what_the_theory_says():
    """The slope of a sigmoid is at most 1/4; weights of variance v stretch by sqrt(v n); orthogonal ones not at all."""
    first = bp.explore_vanishing()
    assert all(0 < factor.slopes <= 0.25 and factor.ratio < 0.5 for factor in first.factors)
    for init, stretch in (("xavier", 1.0), ("he", math.sqrt(2)), (0.1, 0.8), (2.0, 16.0)):
        e = bp.explore_vanishing(depth=100, width=64, init=init, activation="identity")
        assert np.mean([factor.weights for factor in e.factors]) == pytest.approx(stretch, rel=0.05)
        assert all(factor.slopes == 1 for factor in e.factors)
    e = bp.explore_vanishing(init="orthogonal", activation="tanh")
    assert [factor.weights for factor in e.factors] == pytest.approx([1.0] * 19, rel=1e-12)


@pytest.mark.parametrize("changes, outcome", [
    (dict(), "vanishes"), (dict(init=0.1), "vanishes"), (dict(activation="tanh"), "holds"), (dict(activation="relu", init="he"), "holds"), (dict(activation="relu", init=2.0), "explodes"), (dict(init=0), "silent"),
    (dict(activation="relu", init=1e99), "forward"), (dict(activation="identity", init=1e9), "loss"),
    (dict(batch_norm=True), "holds"), (dict(init=0.1, residual=True), "holds"), (dict(activation="relu", init=2.0, batch_norm=True), "holds"),
])  # fmt: skip
def test_what_becomes_of_delta(changes, outcome):
    e = bp.explore_vanishing(**changes)
    assert e.state["view"]["outcome"] == outcome
    overall = e.deltas[0] / e.deltas[-1]
    wanted = {"vanishes": overall < 0.01, "explodes": overall > 100, "holds": 0.01 <= overall <= 100}
    assert wanted.get(outcome, True)


def test_the_product_predicts_the_ratio():
    for state in (dict(), dict(init=0.1), dict(activation="tanh", init="orthogonal"), dict(activation="tanh", init=0.1, residual=True)):  # fmt: skip
        e = bp.explore_vanishing(width=64, **state)
        assert [factor.product / factor.ratio for factor in e.factors] == pytest.approx([1.0] * 19, abs=0.15)


def test_dead_units_pass_nothing_back():
    e = bp.explore_vanishing(depth=40, width=8, activation="relu", init="he")
    assert sum(e.dead) > 20 and e.dead[-1] == 0
    assert sum(bp.explore_vanishing(activation="leaky_relu").dead) == sum(bp.explore_vanishing().dead) == 0


def test_numbers_past_float64_are_said():
    e = bp.explore_vanishing(activation="relu", init=1e99)
    name, layer, said = e.overflow
    net = bp.Network([16] * 21, ["relu"] * 19 + ["identity"], init=1e99)
    X, Y = np.random.default_rng((0, 1)).normal(size=(2, 64, 16))
    with pytest.raises(ValueError) as refused:
        net.forward(X, Y)
    assert (name, layer) == ("Z4", 4) and said == str(refused.value) and "in layer 4" in said
    assert np.isnan(e.deltas).all() and np.isnan(e.gradients).all() and e.factors == [Factor(*[None] * 6)] * 19
    json.dumps([e.sheet, e.state], allow_nan=False)
    assert bp.explore_vanishing(activation="identity", init=1e9).overflow[:2] == ("L", 0)


def test_numbers_past_float64_on_the_way_back_are_said(monkeypatch):
    """Rows of zeros stay zeros under tanh, however large the weights; on the way back nothing saturates."""
    weights = {f"{kind}{layer}": np.eye(3) * 1e100 if kind == "W" else np.zeros(3) for layer in range(1, 7) for kind in "Wb"}  # fmt: skip
    net = bp.Network.from_parameters(weights, ["tanh"] * 5 + ["identity"])
    monkeypatch.setattr(sizes, "network_of", lambda state: (net, np.zeros((4, 3)), np.ones((4, 3))))
    e = bp.explore_vanishing(depth=6, width=8, seed=123456)
    assert e.deltas[3:] == pytest.approx([0.25e200, 0.25e100, 0.25]) and e.deltas[2] == pytest.approx(0.25e300)
    assert np.isnan(e.deltas[:2]).all() and e.overflow == ("delta2", 2, "") and e.factors[0].ratio is None
    view = e.state["view"]
    assert view["outcome"] == "backward" and view["deltas"][:2] == [None, None] and "NaN" not in json.dumps(e.state)


def test_zero_is_a_size():
    e = bp.explore_vanishing(init=0.0, depth=5)
    assert e.deltas[:-1] == [0.0] * 4 and e.deltas[-1] > 0
    assert e.factors[-1].weights == e.factors[-1].product == e.factors[-1].ratio == 0
    assert all(factor.weights is factor.ratio is factor.product is None for factor in e.factors[:-1])
    tiny = bp.explore_vanishing(init=1e-100, depth=6)
    assert tiny.deltas[0] == 0 and tiny.deltas[-2] == pytest.approx(rms([1e-101]) * tiny.deltas[-1] * 10, rel=1)


# --- in code ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def explorer():
    return bp.explore_vanishing()


def test_set_changes_what_is_read(explorer):
    before = explorer.deltas
    explorer.set(activation="relu", init="he", depth=8, layer=20)
    assert (explorer.activation, explorer.init, explorer.depth, explorer.layer) == ("relu", "he", 8, 8)
    assert len(explorer.deltas) == len(explorer.gradients) == 8 and explorer.deltas != before[:8]
    explorer.width, explorer.seed, explorer.batch_norm, explorer.residual, explorer.init = 32, 4, True, True, 1
    assert (explorer.width, explorer.seed, explorer.batch_norm, explorer.residual, explorer.init) == (32, 4, True, True, 1.0)  # fmt: skip
    explorer.deltas.clear(), explorer.factors.clear(), explorer.dead.clear()
    assert len(explorer.deltas) == len(explorer.factors) + 1 == len(explorer.dead) == 8
    json.dumps([explorer.sheet, explorer.state], allow_nan=False)


def test_the_same_seed_is_the_same_net_and_another_is_not(explorer):
    assert bp.explore_vanishing().deltas == explorer.deltas != bp.explore_vanishing(seed=1).deltas


@pytest.mark.parametrize("changes, error, message", [
    ({"depth": 1}, ValueError, "depth must be at least 2, found 1"), ({"depth": 101}, ValueError, "depth must be from 2 to 100, found 101"), ({"depth": 5.0}, TypeError, "depth must be a whole number"), ({"depth": True}, TypeError, "depth"), ({"depth": "5"}, TypeError, "depth"),
    ({"width": 12}, ValueError, "width must be one of 8, 16, 32, 64, found 12"), ({"width": None}, TypeError, "width"), ({"activation": "softmax"}, ValueError, "activation: unknown activation 'softmax'; known are identity, sigmoid"), ({"activation": 3}, ValueError, "activation"),
    ({"init": "glorot"}, ValueError, "init: unknown initialisation 'glorot'; known are xavier, he, orthogonal"), ({"init": -0.1}, ValueError, "init must be finite and from 0 to 1e+100"), ({"init": math.nan}, ValueError, "init"), ({"init": 1e101}, ValueError, "init"), ({"init": None}, TypeError, "init"), ({"init": True}, TypeError, "init"),
    ({"batch_norm": 1}, TypeError, "batch_norm must be True or False, found int 1"), ({"residual": "yes"}, TypeError, "residual"), ({"seed": -1}, ValueError, "seed must not be negative"), ({"seed": 0.5}, TypeError, "seed"), ({"layer": 1}, ValueError, "layer must be at least 2"),
    ({"rate": 1}, ValueError, "no rate can be set; known are depth, width"), ({"__class__": 1}, ValueError, "no __class__ can be set"),
])  # fmt: skip
def test_what_is_refused(explorer, changes, error, message):
    before = explorer.state, explorer.deltas, explorer.still.svg
    with pytest.raises(error, match=re.escape(message)):
        explorer.set(**changes)
    assert (explorer.state, explorer.deltas, explorer.still.svg) == before
    if changes.keys().isdisjoint({"rate", "__class__"}):
        with pytest.raises(error, match=re.escape(message)):
            bp.explore_vanishing(**changes)


def circles(picture):
    return [node for node in ET.fromstring(picture.svg).iter("{http://www.w3.org/2000/svg}circle")]


def test_the_still(explorer):
    texts = ["".join(node.itertext()) for node in ET.fromstring(explorer.still.svg).iter("{http://www.w3.org/2000/svg}text")]  # fmt: skip
    assert "20 layers of 16, sigmoid, xavier: δ vanishes" in texts
    factor = (explorer.deltas[0] / explorer.deltas[-1]) ** (1 / 19)
    assert any(text.startswith(f"each step back multiplies it by about {factor:.3g}: ") for text in texts)
    blue = [node for node in circles(explorer.still) if node.get("fill") == "#2f76d2"][:-1]
    assert len(blue) == 20
    places = np.array([[float(node.get("cx")), float(node.get("cy"))] for node in blue])
    fit = np.polyfit(np.log10(explorer.deltas), places[:, 1], 1)
    assert fit[0] < 0 and np.polyval(fit, np.log10(explorer.deltas)) == pytest.approx(places[:, 1], abs=0.1)
    for changes in (dict(init=0), dict(init=1e99, activation="relu"), dict(depth=2), dict(depth=100, init=2.0)):
        explorer.set(**changes)
        assert not re.search(r"nan|inf\b|None", explorer.still.svg)
    bundle, _ = bp.explore_vanishing(init=0.5)._repr_mimebundle_()
    assert bundle["text/plain"] == "explore_vanishing(depth=20, width=16, activation=sigmoid, init=0.5, batch_norm=False, residual=False, seed=0)"  # fmt: skip
    assert bundle["image/png"].startswith("iVBORw0KGgo") and "image/svg+xml" not in bundle


# --- what a page says ---------------------------------------------------------------------------------------------------


def asks(explorer, **changes):
    return {"turn": 3, "state": {name: value for name, value in explorer.state.items() if name != "view"} | changes}


def test_one_message_is_answered_by_one_with_all_that_is_drawn(explorer):
    answer = answer_of(explorer, asks(explorer, activation="relu", init=0.5))
    assert answer == {"turn": 3, "state": explorer.state} and explorer.init == 0.5
    assert answer["state"]["view"]["deltas"] == bp.explore_vanishing(activation="relu", init=0.5).deltas


@pytest.mark.parametrize("spoil", [
    lambda m: m.pop("state"), lambda m: m.update(state=3), lambda m: m.update(state=[]), lambda m: m["state"].pop("seed"), lambda m: m["state"].update(depth=10**9), lambda m: m["state"].update(width=1e9), lambda m: m["state"].update(init="__class__"),
    lambda m: m["state"].update(init=[1]), lambda m: m["state"].update(activation={}), lambda m: m["state"].update(batch_norm="true"), lambda m: m["state"].update(seed=-1), lambda m: m["state"].update(layer=math.nan), lambda m: m["state"].update(init=math.inf),
])  # fmt: skip
def test_a_page_that_was_tampered_with_gets_an_answer_and_changes_nothing(explorer, spoil):
    before, message = (explorer.state, explorer.deltas), asks(explorer, depth=7)
    spoil(message)
    answer = answer_of(explorer, message)
    assert answer["turn"] == 3 and answer["error"] and "state" not in answer
    assert (explorer.state, explorer.deltas) == before


# --- the page in headless Chromium --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def empty(browser):
    return empty_page(browser, ROOMS, LOOKS, "<!doctype html><html lang='en'><title>page</title><body></body></html>")


@pytest.fixture
def live(empty):
    yield from cleared(empty)


@pytest.fixture
def opened(live, explorer):
    live.evaluate(OPEN, [explorer.sheet, explorer.state])
    return live


def served(page, explorer):
    """Let the kernel answer what the page has sent, each message once; how many there were."""
    sent = page.evaluate("sent.splice(0)")
    for message in sent:
        page.evaluate("answer", answer_of(explorer, message))
    settle(page)
    return len(sent)


def plain(text):
    """A number as the page writes it, read."""
    mantissa, _, power = text.replace("−", "-").partition("·10")
    return float(mantissa + ("e" + power.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")) if power else ""))


def table(page):
    """The card of one step, {name: number}."""
    rows = page.evaluate("() => [...document.querySelectorAll('.bp-card tr')].map((row) => [row.cells[0].textContent, row.cells[2].textContent])")  # fmt: skip
    return {name: text if " of " in text else plain(text) for name, text in rows if text != "–"}


def expects(page, explorer, rel=6e-3):
    """The card holds this step of the explorer, to the digits that it writes; the words say what becomes of delta."""
    step, shown = explorer.factors[explorer.layer - 2], table(page)
    wanted = {"weights": step.weights, "slopes": step.slopes, "normalisation": step.norm, "past the layer": step.past}
    wanted |= {
        "together" if explorer.residual and explorer.depth > 2 else "product": step.product,
        "measured": step.ratio,
    }
    for name, value in wanted.items():
        assert (name in shown) is (value is not None), name
        assert value is None or shown[name] == pytest.approx(value, rel=rel)
    came = [plain(number) for number in re.findall(r" (?:from|to) (\S+) in layer", page.locator(".bp-numbers").text_content())]  # fmt: skip
    assert came == pytest.approx([explorer.deltas[explorer.layer - 1], explorer.deltas[explorer.layer - 2]], rel=rel)
    said = page.locator(".bp-outcome").text_content()
    assert said.startswith(WORDS[explorer.state["view"]["outcome"]].split("{")[0])
    for name, text in (("weights", "weights"), ("slopes", "slopes"), ("ratio", "measured")):
        every = [getattr(factor, name) for factor in explorer.factors]
        assert plain(re.search(rf" {text} ([\d.·⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)", said)[1]) == pytest.approx(math.prod(every) ** (1 / len(every)), rel=rel)  # fmt: skip
    if sum(explorer.dead):
        assert f"{sum(explorer.dead)} of {(explorer.depth - 1) * explorer.width} hidden units are dead" in said
        assert shown["dead units"] == f"{explorer.dead[explorer.layer - 2]} of {explorer.width}"


def marks(page, figure, look):
    """Where the marks of a series stand in a plot: the beginnings of the pieces of its path."""
    d = page.evaluate("([figure, look]) => document.querySelector(`.${figure} .bp-mark.${look}`)?.getAttribute('d') ?? ''", [figure, look])  # fmt: skip
    return np.array([[float(x), float(y)] for x, y in re.findall(r"M(-?[\d.]+) (-?[\d.]+)", d)])


def lies_on(places, values):
    """The places' heights are one straight function of the values' logarithms, growing upwards."""
    assert len(places) == len(values)
    fit = np.polyfit(np.log10(values), places[:, 1], 1)
    assert fit[0] < 0 and np.polyval(fit, np.log10(values)) == pytest.approx(places[:, 1], abs=0.11)
    return fit


@pytest.mark.parametrize("state", STATES, ids=NAMES)
def test_the_page_draws_and_writes_the_numbers_of_pytorch(live, state):
    e = bp.explore_vanishing(**state)
    deltas, gradients, factors, _ = by_torch(e)
    live.evaluate(OPEN, [e.sheet, e.state])
    settle(live)
    expects(live, e)
    lies_on(marks(live, "bp-upper", "bp-disc"), list(map(rms, deltas)))
    lies_on(marks(live, "bp-upper", "bp-square"), list(map(rms, gradients)))
    together = [marks(live, "bp-lower", look) for look in ("bp-up", "bp-down", "bp-dot", "bp-ring")]
    columns = [[row[i] for row in factors] for i in (0, 1, 4, 5)]
    lies_on(np.vstack(together), np.hstack(columns))
    layers = marks(live, "bp-upper", "bp-disc")[:, 0]
    for found in together:
        assert found[:, 0] == pytest.approx((layers[:-1] + layers[1:]) / 2, abs=0.11), "each between its two layers"
    assert len(marks(live, "bp-lower", "bp-diamond")) == (e.depth - 1 if e.batch_norm else 0)
    assert len(marks(live, "bp-lower", "bp-cross")) == (e.depth - 2 if e.residual else 0)
    assert not re.search("undefined|NaN|Infinity|null", live.locator(".bp-vanishing").inner_html())
    bars = live.evaluate("() => [...document.querySelectorAll('.bp-dead')].map((node) => Number(node.getAttribute('height')))")  # fmt: skip
    assert bars == (pytest.approx([34 * count / e.width for count in e.dead], abs=0.06) if sum(e.dead) else [])


def test_the_dotted_line_is_the_product_of_the_factors(opened, explorer):
    settle(opened)
    fit = lies_on(marks(opened, "bp-upper", "bp-disc"), explorer.deltas)
    d = opened.evaluate("() => document.querySelector('.bp-upper .bp-foreseen').getAttribute('d')")
    heights = [float(y) for _, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", d)]
    foreseen = [explorer.deltas[-1] * math.prod(factor.product for factor in explorer.factors[i:]) for i in range(20)]
    assert heights == pytest.approx(np.polyval(fit, np.log10(foreseen)), abs=0.2)
    peaks = opened.evaluate("() => [...document.querySelectorAll('.bp-upper .bp-peak')].at(-1).getAttribute('d')")
    ends = [float(y) for y in re.findall(r"V(-?[\d.]+)", peaks)]
    assert ends == pytest.approx(np.polyval(fit, np.log10(explorer.largest_deltas)), abs=0.2)


def choose(page, label, value):
    page.locator(f'select[aria-label="{label}"]').select_option(value)


def field(page, label):
    return page.locator(f'input[type="text"][aria-label^="{label}"]')


def fill(page, label, text):
    field(page, label).fill(text)
    field(page, label).press("Enter")
    settle(page)


MOVES = {
    "activation": (lambda page: choose(page, "activation", "relu"), dict(activation="relu")),
    "init": (lambda page: choose(page, "weights", "he"), dict(init="he")),
    "number": (lambda page: choose(page, "weights", "number"), dict(init=1.0)),
    "width": (lambda page: choose(page, "units in each", "32"), dict(width=32)),
    "depth": (lambda page: fill(page, "layers", "7"), dict(depth=7, layer=7)),
    "slider": (lambda page: page.locator('input[type="range"][aria-label="layers"]').press("ArrowRight"), dict(depth=21)),
    "batch norm": (lambda page: page.get_by_label("batch normalisation").check(), dict(batch_norm=True)),
    "residuals": (lambda page: page.get_by_label("residuals").check(), dict(residual=True)),
    "seed": (lambda page: page.get_by_role("button", name="draw again").click(), dict(seed=1)),
    "layer": (lambda page: page.get_by_label("step back from layer").press("ArrowLeft"), dict(layer=9)),
    **{f"try {name}": (lambda page, name=name: page.get_by_role("button", name=name, exact=True).click(), changes) for name, changes in PRESETS},
}  # fmt: skip


@pytest.mark.parametrize("move", MOVES)
def test_a_move_is_one_message_and_what_it_answers_is_drawn(opened, explorer, move):
    act, changes = MOVES[move]
    act(opened)
    opened.locator("body").click(position={"x": 1, "y": 1})
    assert served(opened, explorer) == 1
    expected = bp.explore_vanishing(**changes)
    assert explorer.state == expected.state
    expects(opened, expected)
    assert served(opened, explorer) == 0 and opened.locator(".bp-message").text_content() == ""


def test_the_size_of_the_weights_is_typed(opened, explorer):
    assert field(opened, "standard deviation").is_hidden()
    choose(opened, "weights", "number")
    assert served(opened, explorer) == 1
    fill(opened, "standard deviation", "2e-1")
    assert served(opened, explorer) == 1 and explorer.init == 0.2
    expects(opened, explorer)


@pytest.mark.parametrize("label, texts, message", [
    ("layers", ["", "a", "1", "101", "2.5", "1+1", "NaN", "<img src=x>"], "a whole number of layers from 2 to 100 is wanted; found"),
    ("standard deviation", ["-1", "1e101", "Infinity", "0x1", "alert(1)"], "a standard deviation from 0 to 1e100 is wanted, such as 0.1; found"),
])  # fmt: skip
def test_bad_numbers_are_refused_in_words(live, label, texts, message):
    e = bp.explore_vanishing(init=0.5)
    live.evaluate(OPEN, [e.sheet, e.state])
    shown = field(live, label).input_value()
    for text in texts:
        fill(live, label, text)
        said = live.locator(".bp-message").text_content()
        assert message in said and (text.strip() or "nothing") in said and "still shows the last good net" in said
        assert field(live, label).get_attribute("aria-invalid") == "true"
    field(live, label).blur()
    assert field(live, label).input_value() == shown and live.evaluate("sent") == [] and live.locator("img").count() == 0  # fmt: skip


def test_moves_while_the_kernel_works_go_together(opened, explorer):
    slider = opened.locator('input[type="range"][aria-label="layers"]')
    for _ in range(5):
        slider.press("ArrowRight")
    choose(opened, "activation", "tanh")
    assert opened.evaluate("sent.length") == 1
    assert served(opened, explorer) == 1 and served(opened, explorer) == 1 and served(opened, explorer) == 0
    assert (explorer.depth, explorer.activation) == (25, "tanh")
    expects(opened, explorer)
    assert field(opened, "layers").input_value() == "25"


def test_an_answer_to_an_earlier_move_is_not_drawn(opened, explorer):
    choose(opened, "activation", "relu")
    stale = {"turn": opened.evaluate("sent[0].turn") - 1, "state": bp.explore_vanishing(activation="tanh").state}
    opened.evaluate("answer", stale)
    settle(opened)
    expects(opened, bp.explore_vanishing())
    assert opened.locator('select[aria-label="activation"]').input_value() == "relu"
    assert served(opened, explorer) == 1 and explorer.activation == "relu"
    expects(opened, explorer)
    opened.evaluate("answer", stale)
    settle(opened)
    expects(opened, bp.explore_vanishing(activation="tanh"))  # at rest: the answer to another page of the same explorer


def test_reset_goes_back(opened, explorer):
    first = explorer.state
    opened.get_by_role("button", name="relu, large weights").click()
    served(opened, explorer)
    opened.get_by_role("button", name="Reset").click()
    assert served(opened, explorer) == 1 and explorer.state == first


@pytest.mark.parametrize("width", [480, 1280])
def test_a_step_is_chosen_in_either_plot(live, explorer, width):
    live.set_viewport_size({"width": width, "height": 900})
    live.evaluate(OPEN, [explorer.sheet, explorer.state])
    settle(live)
    for figure, layer in (("bp-upper", 4), ("bp-lower", 18)):
        live.locator(f".{figure}").scroll_into_view_if_needed()
        left, top, right, bottom, _ = live.evaluate(BOXES, f".{figure} .bp-axis")[0]
        live.mouse.click(left + (right - left) * (layer - 1) / 20, (top + bottom) / 2)
        assert served(live, explorer) == 1 and explorer.layer == layer
        expects(live, explorer)
        band = live.evaluate(BOXES, f".{figure} .bp-band")[0]
        assert (band[0] + band[2]) / 2 == pytest.approx(left + (right - left) * (layer - 1) / 20, abs=2)
    live.mouse.click(left + 1, (top + bottom) / 2)
    assert served(live, explorer) == 1 and explorer.layer == 2
    live.mouse.click(right - 1, (top + bottom) / 2)
    assert served(live, explorer) == 1 and explorer.layer == 20


def test_what_is_set_in_code_reaches_the_page(opened, explorer):
    said = []
    explorer.send = said.append
    explorer.set(activation="tanh", init=0.3, depth=6, residual=True)
    opened.evaluate("answer", said[0])
    settle(opened)
    expects(opened, explorer)
    assert field(opened, "standard deviation").input_value() == "0.3" and opened.get_by_label("residuals").is_checked()
    assert opened.evaluate("sent") == []


def test_an_error_of_the_kernel_stands_in_the_page_as_text(opened, explorer):
    choose(opened, "activation", "relu")
    turn = opened.evaluate("sent[0].turn")
    opened.evaluate("answer", {"turn": turn + 7, "error": "for nobody"})
    assert opened.locator(".bp-message").text_content() == ""
    opened.evaluate("answer", {"turn": turn, "error": "ValueError: <b>for this test</b>"})
    settle(opened)
    assert "the kernel says: ValueError: <b>for this test</b>" in opened.locator(".bp-message").text_content()
    assert opened.locator('select[aria-label="activation"]').input_value() == "sigmoid"
    expects(opened, explorer)


def test_a_kernel_that_is_gone_is_said(opened):
    opened.evaluate("() => { globalThis.sent.push = () => { throw new Error('the comm is closed'); }; }")
    choose(opened, "activation", "relu")
    opened.wait_for_function("document.querySelector('.bp-verdict').textContent.includes('does not answer')")
    assert opened.locator(".bp-message").text_content() == ""


def test_what_the_sizes_mean_for_learning_is_said(live):
    for state, words in (
        (dict(), "One step of gradient descent moves the weights of layer 1 some {} times less than those of layer 20"),
        (dict(activation="tanh", init=2.0), "The gradient of layer 1 is some {} times that of layer 20"),
        (dict(activation="tanh"), "Layer 1 gets a gradient of size"),
        (
            dict(depth=5),
            "One step of gradient descent moves the weights of layer 1 some {} times less than those of layer 5",
        ),
        (
            dict(depth=50, activation="tanh", batch_norm=True),
            "The gradient of layer 1 is some {} times that of layer 50",
        ),
        (dict(activation="tanh", init=0.1), "of like size, but small"),
        (dict(activation="relu", init=2.0), "of like size, but huge"),
    ):
        e = bp.explore_vanishing(**state)
        live.evaluate(OPEN, [e.sheet, e.state])
        settle(live)
        said, ratio = live.locator(".bp-outcome").text_content(), e.gradients[0] / e.gradients[-1]
        before, _, after = words.partition("{}")
        assert before in said and after in said
        if after:
            times = plain(said.partition(before)[2].partition(" times")[0])
            assert times == pytest.approx(max(ratio, 1 / ratio), rel=6e-3) and times > 10
        else:
            assert (1e-1 < ratio < 10) if "like size" in words else (1e-3 < ratio < 1e3)


def test_zeros_and_numbers_past_float64_are_shown(live):
    for state, words in (
        (dict(init=0.0), "Nothing arrives: δ is 0 from layer 19 down"),
        (dict(activation="relu", init=1e99), "The pass forward ends in layer 4: Z4 is past float64. No loss"),
        (dict(activation="identity", init=1e9), "The pass forward ends at the loss: L is past float64"),
    ):
        e = bp.explore_vanishing(**state)
        live.evaluate(OPEN, [e.sheet, e.state])
        settle(live)
        assert live.locator(".bp-outcome").text_content().startswith(words)
        assert not re.search("undefined|NaN|Infinity|null", live.locator(".bp-vanishing").inner_html())
        if e.overflow:
            assert e.overflow[2] in live.locator(".bp-card").text_content() and live.locator(".bp-lost").count() == 1
        else:
            assert len(marks(live, "bp-upper", "bp-disc")) == 20


def test_delta_past_float64_on_the_way_back_is_shown(live, explorer):
    state = json.loads(json.dumps(explorer.state))
    view = state["view"]
    view["deltas"][:3] = view["delta_peaks"][:3] = view["ratio"][:3] = view["product"][:3] = [None] * 3
    view |= {"outcome": "backward", "factor": None, "overflow": ["delta3", 3, ""]}
    live.evaluate(OPEN, [explorer.sheet, state])
    settle(live)
    assert live.locator(".bp-outcome").text_content().startswith("δ is past float64 from layer 3 down. Forward all")
    left, _, right, _, _ = live.evaluate(BOXES, ".bp-upper .bp-axis")[0]
    lost = live.evaluate(BOXES, ".bp-lost")[0]
    assert lost[0] == pytest.approx(left, abs=1.5) and lost[2] == pytest.approx(left + (right - left) * 3 / 20, abs=1.5)
    assert len(marks(live, "bp-upper", "bp-disc")) == 17


@pytest.mark.parametrize("width", [400, 760, 1280])
@pytest.mark.parametrize("state", [dict(), dict(activation="relu", init=0.25, depth=100, width=64, batch_norm=True, residual=True)], ids=["first", "full"])  # fmt: skip
def test_nothing_overlaps_or_is_cut(live, width, state):
    explorer = bp.explore_vanishing(**state)
    live.set_viewport_size({"width": width, "height": 900})
    live.evaluate(OPEN, [explorer.sheet, explorer.state])
    settle(live)
    assert live.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    for selector in (".bp-head > *", ".bp-upper .bp-plane > text", ".bp-lower .bp-plane > text", ".bp-columns > *", ".bp-card td, .bp-card th", ".bp-legend li"):  # fmt: skip
        boxes = live.evaluate(BOXES, selector)
        for i, one in enumerate(boxes):
            assert one[0] >= 0 and one[2] <= width, (selector, one)
            for other in boxes[:i]:
                clear = min(one[2], other[2]) - max(one[0], other[0]) <= 1 or min(one[3], other[3]) - max(one[1], other[1]) <= 3  # fmt: skip
                assert clear, (selector, one, other)


# --- hostile sheets -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "&lt;b&gt;", '"onmouseover="alert(1)', "${alert(1)}", "<!--"])  # fmt: skip
def test_a_text_in_the_sheet_stays_a_text(live, explorer, text):
    sheet, state = json.loads(json.dumps([explorer.sheet, explorer.state]))
    sheet["words"] = {key: text for key in sheet["words"]}
    sheet["presets"][0][0] = sheet["activations"][0] = text
    state["view"]["overflow"], state["view"]["outcome"] = ["Z4", 4, text], "forward"
    live.evaluate(ALONE, [sheet, state])
    settle(live)
    assert live.locator(".bp-caption").first.text_content() == text
    assert live.evaluate("() => document.querySelectorAll('script, img, b, [onmouseover]').length") == 0


def test_an_element_that_is_on_no_list_is_refused(live, explorer):
    sheet = json.loads(json.dumps(explorer.sheet))
    sheet["steps"]["00"] = ["math", {}, ["script", {}, "alert(1)"]]
    with pytest.raises(Exception, match="the sheet holds an element script"):
        live.evaluate(ALONE, [sheet, explorer.state])


# --- where it lives -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "vanishing.html"
    bp.explore_vanishing(depth=30, init=0.5).save(path)
    return path


@pytest.fixture
def file(browser, saved):
    with visited(browser, saved, ".bp-vanishing") as page:
        yield page


def test_a_saved_page_needs_no_kernel_and_no_network(file, saved):
    assert saved.stat().st_size < 400_000  # fmt: skip
    expects(file, bp.explore_vanishing(depth=30, init=0.5))
    note = file.locator(".bp-note").last.text_content()
    assert "nets of 5, 10, 20, 50 layers with sigmoid, tanh, relu; weights xavier, he, orthogonal, 0.1, 2" in note
    for depth, layer in ((20, 10), (5, 5), (50, 5)):
        fill(file, "layers", str(depth))
        choose(file, "weights", "xavier")
        for activation in AXES["activation"]:
            choose(file, "activation", activation)
            settle(file)
            expects(file, bp.explore_vanishing(depth=depth, activation=activation, layer=layer), rel=2e-2)
    assert file.get_by_role("button", name="draw again").is_hidden()


def test_a_saved_page_holds_what_mends(file):
    for batch_norm, residual in ((True, False), (False, True), (True, True)):
        file.get_by_role("button", name="sigmoid, small weights").click()
        file.get_by_label("batch normalisation").set_checked(batch_norm)
        file.get_by_label("residuals").set_checked(residual)
        settle(file)
        expects(file, bp.explore_vanishing(depth=20, init=0.1, batch_norm=batch_norm, residual=residual), rel=2e-2)
    assert file.locator(".bp-message").text_content() == ""


def test_a_saved_page_goes_to_the_nearest_net_and_says_so(file):
    fill(file, "layers", "13")
    said = file.locator(".bp-verdict").text_content()
    assert said == "This saved page holds no net with layers: 13, weights: 0.5; shown is layers: 10, weights: 2."
    expects(file, bp.explore_vanishing(depth=10, init=2.0), rel=2e-2)
    assert field(file, "layers").input_value() == "10" and field(file, "standard deviation").input_value() == "2"
    fill(file, "standard deviation", "0.01")
    settle(file)
    expects(file, bp.explore_vanishing(depth=10, init=0.1), rel=2e-2)
    fill(file, "layers", "100")
    assert field(file, "layers").input_value() == "50"
    file.get_by_role("button", name="Reset").click()
    settle(file)
    assert file.locator(".bp-verdict").text_content() == file.locator(".bp-message").text_content() == ""
    expects(file, bp.explore_vanishing(depth=30, init=0.5))
    file.get_by_label("step back from layer").press("ArrowRight")
    settle(file)
    expects(file, bp.explore_vanishing(depth=30, init=0.5, layer=11))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
def test_axe_finds_nothing(browser, saved, scheme, width):
    with visited(
        browser, saved, ".bp-vanishing", color_scheme=scheme, bypass_csp=True, viewport={"width": width, "height": 900}
    ) as page:
        for text in ("20", "much"):
            fill(page, "layers", text)
            assert hurdles(page) == []


def test_moves_leave_nothing_behind(live, explorer):
    live.evaluate(ALONE, [explorer.sheet, explorer.state])

    def move(times):
        live.evaluate("(times) => { for (let i = 0; i < times; i++) { page.change({ layer: 2 + i % 18 }); page.draw(); } page.change({ layer: 5 }); page.draw(); }", times)  # fmt: skip
        return live.evaluate("() => document.querySelectorAll('*').length")

    nodes, used = move(50), heap_of(live)
    assert move(400) == nodes and heap_of(live) - used < 400_000


def test_every_word_is_used():
    script = page_module.script(ROOMS)
    asked = {*re.findall(r"words\.(\w+)", script), *re.findall(r'"(\w+)"', script), "still", "seed"}
    outcomes = {"vanishes", "holds", "explodes", "silent", "forward", "loss", "backward"}
    asked |= {f"{name}_is" for name in Factor._fields} | outcomes | {f"{name}_why" for name in outcomes}
    asked |= {f"both_{name}" for name in outcomes}
    assert [key for key in WORDS if key not in asked] == []


@pytest.mark.filterwarnings("ignore")
def test_a_page_and_its_kernel(kernel):  # noqa: F811
    said = kernel.run("import backproplab as bp\ne = bp.explore_vanishing(depth=4)", cell="the same")
    assert not [content for kind, content in said if kind in ("error", "stream")]
    model = next(key for key, state in kernel.models.items() if "sheet" in state)
    state = kernel.models[model]["state"] | {"activation": "relu", "init": 0.5}
    (answer,) = kernel.say(model, {"turn": 1, "state": state})
    assert answer["state"]["view"]["deltas"] == bp.explore_vanishing(depth=4, activation="relu", init=0.5).deltas
    assert kernel.printed("print(e.activation, e.init)").strip() == "relu 0.5"
