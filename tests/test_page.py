"""The page in headless Chromium: its facts are Python's, its DOM is its facts, and every control does what the test computed."""

import json
import math
import os
import pathlib
import random
from dataclasses import asdict, replace

import numpy as np
import pytest
from conftest import AT, heap_of, random_graph
from driven import cleared, empty_page, hurdles, pause, visited

import backproplab as bp
from backproplab.explorers import page as page_module
from backproplab.explorers.sheet import backward, passes, sheet_of
from backproplab.explorers.state import choices, first_state, steps
from backproplab.notation import number
from backproplab.pictures.facts import chains, compact, factor, gather, written
from backproplab.pictures.plots import plot
from backproplab.terms import walk

ROUNDS = int(os.environ.get("BACKPROPLAB_SOAK", "1"))
OPEN = """([sheet, state]) => {
  document.body.replaceChildren();
  globalThis.page = new bp.Page(document.body, sheet, state, {moved: (state) => { globalThis.told = state; }});
}"""
READ = """() => { const page = globalThis.page; page.draw(); return {
  found: page.found, trace: Object.fromEntries(page.result.trace), terms: page.result.terms, state: page.state, message: page.message.textContent }; }"""


@pytest.fixture(scope="module")
def empty(browser):
    return empty_page(browser)


@pytest.fixture
def live(empty):
    yield from cleared(empty)


def state_of(graph, numbers, wrt=None, output=None, step=None):
    output = output or graph.output
    step = steps(graph, output) if step is None else step
    first = replace(first_state(graph, numbers), output=output, wrt=wrt or choices(graph, output)[0], step=step)
    return asdict(first)


def opened(live, graph, numbers, **asked):
    live.evaluate(OPEN, [sheet_of(graph), state_of(graph, numbers, **asked)])


NEURON_STATE = dict(wrt="w")


def network(sizes=(2, 3, 2), activations=("tanh", "sigmoid"), loss="squared_error", **options):
    net = bp.Network(list(sizes), list(activations), loss, seed=0)
    rng = np.random.default_rng(0)
    y = np.eye(sizes[-1])[0]
    return net.graph(rng.normal(size=sizes[0]), y, **options)


# --- numbers ------------------------------------------------------------------------------------------------------------


def test_numbers_are_written_as_python_writes_them(live):
    rng = np.random.default_rng(0)
    values = [
        *(float(v) for v in rng.normal(size=500) * 10.0 ** rng.uniform(-12, 12, 500)),
        *(float(v) for v in 10.0 ** rng.uniform(-307, 307, 200)),
        *(k / 2 for k in range(199995, 200205)), *(k * 10.0**e for k in (1, 5, 9.9999949, 9.9999951, 123456.5, 123455.5) for e in range(-8, 9)),
        0.0, -0.0, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, 2.5, 3.5, 0.00012345, 99999.95, 999999.5,
    ]  # fmt: skip
    for precision in (1, 2, 4, 6, 17):
        found = live.evaluate("([values, p]) => values.map((v) => bp.number(v, p))", [values, precision])
        assert found == [number(value, precision) for value in values]
    for name, function in (("compact", compact), ("written", written), ("factor", factor)):
        assert live.evaluate(f"(values) => values.map(bp.{name})", values) == [function(value) for value in values]


@pytest.mark.parametrize("text, value", [
    ("3", 3), ("-0.5", -0.5), (" 1e-3 ", 1e-3), ("−2", -2), ("1,5", None), ("1,000", None), (".5", 0.5), ("5.", 5), ("+7", 7), ("1e400", math.inf), ("", None), ("a", None), ("1+1", None),
    ("0x10", None), ("1 2", None), ("alert(1)", None), ("--1", None), ("1e", None), ("Infinity", None), ("NaN", None),
])  # fmt: skip
def test_what_may_be_typed(live, text, value):
    found = live.evaluate("(text) => { const v = bp.typed(text); return Number.isNaN(v) ? null : v; }", text)
    assert found == value


# --- facts --------------------------------------------------------------------------------------------------------------


def expected_facts(graph, read):
    """Python's facts of the page's own trace and terms."""
    state, trace = read["state"], read["trace"]
    terms = [replace(term, value=value) for term, value in zip(graph.terms(), read["terms"], strict=True)]
    forward, back = passes(graph), backward(graph, state["output"])
    walked = [line for group in back[: max(0, state["step"] - len(forward))] for line in group]
    computed = [line for group in forward[: state["step"]] for line in group]
    groups = [*forward[: state["step"]], *back[: max(0, state["step"] - len(forward))]]
    seen = {name: value for name, value in trace.items() if name in graph.inputs or name in computed}
    turned = state["step"] >= len(forward)
    pulled = walk([term for term in terms if term.of in walked], {state["output"]: 1.0}) if turned else None
    current = groups[-1] if groups else ()
    found = gather(terms, seen, pulled, state["wrt"], state["output"], walked, current, state["glance"])
    return found.text | chains(terms, seen, state["output"], state["wrt"], set(walked), turned), found.mark


GRAPHS = {
    "neuron": lambda: (bp.Graph(z="w*x + b", a="sigmoid(z)", L="(y - a)**2 / 2"), AT),
    "fan-out": lambda: (bp.Graph(u="x**2", v="sin(x)", L="u*v"), {"x": 1.2}),
    "many paths": lambda: (bp.Graph([(f"q{i}", f"q{i - 1} + q{i - 2}*y" if i > 1 else "y + 1") for i in range(12)]), {"y": 0.1}),
    "network": lambda: (network(), {}),
    "fused": lambda: (network((3, 2, 3), ("relu", "softmax"), "cross_entropy"), {}),
    "the long way": lambda: (network((2, 2, 2), ("gelu", "softmax"), "cross_entropy", fused=False), {}),
    "deep": lambda: (network((1, 1, 1, 1, 1), ("tanh", "silu", "softplus", "sigmoid")), {}),
    **{f"random {seed}": lambda seed=seed: random_graph(seed) for seed in (1, 2, 3)},
}  # fmt: skip


@pytest.mark.parametrize("name", GRAPHS)
def test_the_facts_are_pythons_on_random_states(live, name):
    graph, numbers = GRAPHS[name]()
    numbers = graph.numbers | numbers
    opened(live, graph, numbers)
    rng, seen = random.Random(name), 0
    for turn in range(16 + 5 * ROUNDS):
        output = rng.choice([line for line in graph.lines if choices(graph, line)])
        scale = rng.choice([1e-9, 1.0, 1.0, 3.0, 1e3, 1e12])
        moved = {key: rng.gauss(0, scale) for key in rng.sample(sorted(numbers), min(3, len(numbers)))}
        change = {
            "numbers": numbers if turn == 0 else moved,
            "output": output,
            "wrt": rng.choice(choices(graph, output)),
            "step": rng.randint(0, steps(graph, output)),
            "glance": rng.random() < 0.5,
        }
        live.evaluate("(change) => page.change(change)", change)
        read = live.evaluate(READ)
        text, mark = expected_facts(graph, read)
        assert {slot: text[slot] for slot in text if text[slot]} == read["found"]["text"]
        assert mark == {part: looks for part, looks in read["found"]["mark"].items()} | {
            part: "" for part in mark if mark[part] == ""
        }
        try:
            trace = graph.forward(**read["state"]["numbers"])
        except ValueError:
            continue
        seen += 1
        for key, value in trace.items():
            assert read["trace"][key] == pytest.approx(value, rel=1e-9, abs=1e-300) or abs(
                read["trace"][key] - value
            ) < 1e-12 * max(map(abs, trace.values()))
    assert seen > 5


@pytest.mark.parametrize("name", ["neuron", "fan-out", "network"])
def test_the_dom_is_the_facts(live, name):
    graph, numbers = GRAPHS[name]()
    opened(live, graph, graph.numbers | numbers)
    for step in range(steps(graph, graph.output) + 1):
        live.evaluate("(step) => page.change({step})", step)
        found = live.evaluate(READ)["found"]
        slots = live.evaluate(
            "() => [...document.querySelectorAll('[data-slot]')].map((node) => [node.dataset.slot ?? node.getAttribute('data-slot'), node.textContent])"
        )
        for slot, text in slots:
            assert text == found["text"].get(slot, "" if slot[0] in "vgt" else "?"), slot
        hidden = live.evaluate(
            "() => [...document.querySelectorAll('[data-mark^=\"b:\"]')].filter((n) => getComputedStyle(n).display !== 'none').map((n) => n.getAttribute('data-mark'))"
        )
        assert all(found["mark"][mark] != "hidden" for mark in hidden)


def test_every_number_can_be_found_on_the_page(live):
    graph, numbers = GRAPHS["neuron"]()
    opened(live, graph, numbers, wrt="w")
    live.locator(".bp-all summary").click()
    live.wait_for_selector(".bp-all tbody tr")
    trace = graph.forward(**numbers)
    gradient = bp.backpropagate(graph.terms(trace), "L")
    rows = live.evaluate(
        "() => [...document.querySelectorAll('.bp-all tbody tr')].map((row) => [...row.children].map((cell) => cell.textContent))"
    )
    assert [row[1:] for row in rows] == [[written(trace[name]), written(gradient[name])] for name in trace]
    titles = live.evaluate("() => [...document.querySelectorAll('.bp-all td')].map((cell) => Number(cell.title))")
    assert titles == pytest.approx([v for name in trace for v in (trace[name], gradient[name])], rel=1e-12)


# --- controls -----------------------------------------------------------------------------------------------------------


def by_hand(w, x=1.5, b=0.2, y=1.0):
    """The test's own neuron."""
    a = 1 / (1 + math.exp(-(w * x + b)))
    return {"a": a, "da/dz": a * (1 - a), "dL/dw": (a - y) * a * (1 - a) * x}


@pytest.fixture
def neuron_page(live):
    graph, numbers = GRAPHS["neuron"]()
    opened(live, graph, numbers, wrt="w")
    return live


def slot(page, name):
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return page.locator(f'[data-slot="{name}"]').first.text_content()


def test_a_slider_by_keyboard(neuron_page):
    slider = neuron_page.locator('input[type="range"]').first
    slider.focus()
    for _ in range(4):
        neuron_page.keyboard.press("ArrowRight")
    expected = by_hand(-0.2)
    assert slot(neuron_page, "v:a") == compact(expected["a"])
    assert slot(neuron_page, "p:0") == written(expected["dL/dw"])
    assert slider.get_attribute("aria-valuetext") == "-0.2"
    assert neuron_page.locator('input[type="text"]').first.input_value() == "-0.2"
    neuron_page.wait_for_function("globalThis.told?.numbers.w === -0.2")


@pytest.mark.parametrize("text", ["a", "", "1+1", "1e400", "<b>"])
def test_a_field_refuses_what_is_no_number_and_all_stays_as_it_was(neuron_page, text):
    field = neuron_page.locator('input[type="text"]').first
    field.fill(text)
    field.press("Enter")
    assert "a number is wanted" in neuron_page.locator(".bp-message").text_content()
    assert field.get_attribute("aria-invalid") == "true" and slot(neuron_page, "v:w") == "−0.4"
    neuron_page.locator(".bp-all summary").focus()
    assert field.input_value() == "-0.4" and field.get_attribute("aria-invalid") is None
    field.fill("2")
    field.press("Enter")
    assert (
        slot(neuron_page, "v:a") == compact(by_hand(2)["a"]) and neuron_page.locator(".bp-message").text_content() == ""
    )


def test_what_is_being_typed_is_left_alone(neuron_page):
    field = neuron_page.locator('input[type="text"]').first
    field.fill("2.5")
    neuron_page.evaluate("() => page.receive({...page.state, numbers: {...page.state.numbers, b: 0.7}})")
    assert slot(neuron_page, "v:b") == "0.7" and field.input_value() == "2.5"
    field.press("Enter")
    assert slot(neuron_page, "v:w") == "2.5"


def test_numbers_of_any_size_do_not_spoil_a_slider(neuron_page):
    field, ends = neuron_page.locator('input[type="text"]').first, neuron_page.locator(".bp-ends").first
    for text, limit in (("1e50", "1.05312e50"), ("0.5", "4"), ("-7.25", "8"), ("0", "4")):
        field.fill(text)
        field.press("Enter")
        slot(neuron_page, "v:w")
        assert float(field.input_value()) == float(text)
        assert ends.text_content() == f"−{limit} … {limit}" or text == "1e50"
    neuron_page.locator(".bp-reset").click()
    slot(neuron_page, "v:w")
    assert field.input_value() == "-0.4"


def test_an_overflow_is_refused_in_the_page(live):
    graph = bp.Graph(L="exp(w) * y")
    opened(live, graph, {"w": 1.0, "y": 1.0})
    field = live.locator('input[type="text"]').first
    field.fill("800")
    field.press("Enter")
    assert "gives Infinity at w = 800, y = 1" in live.locator(".bp-message").text_content()
    assert live.evaluate("page.state.numbers.w") == 1.0 and slot(live, "v:w") == "1"


def test_stepping_shows_no_more_than_it_has_reached(neuron_page):
    page = neuron_page
    page.locator("button[aria-label='to the inputs']").click()
    assert [slot(page, name) for name in ("v:x", "v:z", "g:L", "p:0", "f:a:z")] == ["1.5", "", "", "?", "?"]
    assert page.locator(".bp-figure").count() == 0 and "0.4013" not in page.locator(".bp-page").inner_text()
    assert "0.4013" not in page.evaluate("() => document.querySelector('[data-pick=\"a\"]').getAttribute('aria-label')")
    counts = []
    for _ in range(6):
        page.locator("button[aria-label='one step on']").click()
        slot(page, "v:x")
        counts.append(page.locator(".bp-figure").count())
    assert counts == [0, 0, 0, 1, 2, 3]
    last = page.locator("button[aria-label='to the end']")
    assert last.get_attribute("aria-disabled") == "true"
    page.locator("button[aria-label='one step back']").focus()
    page.keyboard.press("Enter")
    assert slot(page, "f:z:w") == "?" and page.locator(".bp-status").inner_text().startswith("backward, 2 / 3")


def test_a_part_of_a_gradient_is_not_shown_as_the_gradient(live):
    """w is used by L itself and by z: until the walk has passed both lines there is no gradient of w."""
    graph = bp.Graph(z="w*x", a="tanh(z)", L="a*w + x")
    opened(live, graph, {"w": 0.5, "x": 1.3}, wrt="w")
    right = bp.backpropagate(graph.terms(graph.forward(w=0.5, x=1.3)), "L")["w"]
    for step, shown in ((3, ""), (4, ""), (5, ""), (6, compact(right))):
        live.evaluate("(step) => page.change({step})", step)
        assert slot(live, "g:w") == shown
        label = live.locator('[data-pick="w"]').get_attribute("aria-label")
        assert ("dL/dw" in label) is bool(shown)
        explorer = bp.explore(graph, w=0.5, x=1.3, wrt="w")
        explorer.step = step
        assert (f">{compact(right)}<" in explorer.still.svg) is bool(shown)


def test_choosing_by_mouse_by_keyboard_and_by_list(live):
    graph, _ = GRAPHS["network"]()
    opened(live, graph, graph.numbers, wrt="W1_1_1")
    gradient = bp.backpropagate(graph.terms(graph.forward()), "L")
    for name, choose in (
        ("W1_2_1", lambda node: node.click()), ("b1_3", lambda node: (node.focus(), live.keyboard.press("Enter"))),
        ("a1_2", lambda node: (node.focus(), live.keyboard.press(" "))), ("x_1", lambda node: node.click()),
    ):  # fmt: skip
        choose(live.locator(f'[data-pick="{name}"]'))
        total = "p:0" if live.evaluate(f"page.computation.paths('L', '{name}').count") == 1 else "s:"
        assert slot(live, total) == written(gradient[name])
        assert live.locator(f'[data-pick="{name}"]').get_attribute("aria-pressed") == "true"
        assert live.evaluate("() => document.querySelectorAll('.bp-picture .lit').length") > 3
    live.locator("select").nth(1).select_option("W2_2_3")
    assert slot(live, "p:0") == written(gradient["W2_2_3"])
    live.locator("select").first.select_option("z2_1")
    assert live.evaluate("page.state.output") == "z2_1"
    live.locator('[data-pick="y_1"]').click()
    assert "no path leads to it from z2_1" in live.locator(".bp-message").text_content()


def test_one_term_shows_itself_everywhere(neuron_page):
    neuron_page.locator(".bp-factor[data-term='a:z']").hover()
    assert neuron_page.locator(".bp-figure.bp-hover").get_attribute("data-term") == "a:z"
    assert neuron_page.evaluate("() => document.querySelector('[data-mark=\"e:a:z\"]').classList.contains('bp-hover')")


def test_the_paths_that_are_not_shown_are_summed(live):
    graph, numbers = GRAPHS["many paths"]()
    opened(live, graph, numbers)
    paths = bp.paths(graph.terms(graph.forward(**numbers)), graph.output, "y")
    assert len(paths) > 8
    rest = math.fsum(path.value for path in paths[8:])
    assert float(slot(live, "o:").strip("()").replace("−", "-")) == pytest.approx(rest, rel=1e-5)
    assert f"{len(paths) - 8} more" in live.locator(".bp-sum").inner_text()


# --- plots --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lines, x",
    [
        (dict(L="sin(x)"), 0.7),
        (dict(L="x**3"), -2.0),
        (dict(L="log(x)"), 0.5),
        (dict(L="0.1*x"), 3.0),
        (dict(L="4*x"), 0.5),
    ],
)
def test_a_tangent_touches_its_curve_and_stands_as_steep_as_its_number_says(live, lines, x):
    graph = bp.Graph(lines)
    opened(live, graph, {"x": x})
    (term,) = graph.terms(graph.forward(x=x))
    drawn = live.evaluate(
        "() => bp.plot(page.computation, ['L', 'x'], page.result.trace, page.result.terms[0], {width: 208, height: 104})"
    )
    (x0, y0), (x1, y1) = drawn["tangent"]
    assert -(y1 - y0) / (x1 - x0) == pytest.approx(term.value, rel=1e-9)  # the same unit on both axes
    px, py = drawn["point"]
    assert (px, py) == pytest.approx(((x0 + x1) / 2, (y0 + y1) / 2))
    near = [(u, v) for piece in drawn["pieces"] for u, v in piece if abs(u - px) < 3]
    assert near and all(abs(v - py + (u - px) * term.value) < 1.5 + 4 * abs(u - px) for u, v in near)


@pytest.mark.parametrize("name", ["neuron", "fan-out", "network", "the long way"])
def test_the_points_of_each_curve_are_pythons(live, name):
    graph, numbers = GRAPHS[name]()
    opened(live, graph, graph.numbers | numbers)
    explorer = bp.explore(graph, **numbers)
    rng = random.Random(name)
    for scale in (1.0, 1.0, 30.0, 1e-6):
        moved = {key: rng.gauss(0, scale) for key in graph.inputs}
        try:
            explorer.set(**moved)
        except ValueError:  # an overflow: refused on both sides
            continue
        live.evaluate("(numbers) => page.change({numbers})", moved)
        for i, term in enumerate(explorer._terms):
            ours = plot(term, explorer.trace, explorer._curve(term))
            theirs = live.evaluate(
                "([edge, i]) => bp.plot(page.computation, edge, page.result.trace, page.result.terms[i], {width: 208, height: 104})",
                [[term.of, term.wrt], i],
            )
            for part in ("point", "tangent", "pieces"):
                flat = [list(flattened(drawn[part])) for drawn in (ours, theirs)]
                assert np.allclose(*flat, rtol=1e-6, atol=1e-6), (term.edge, part)
            assert [label for _, label in ours["up"]] == [label for _, label in theirs["up"]]
            assert [label for _, label in ours["across"]] == [label for _, label in theirs["across"]]


@pytest.mark.parametrize("line, x, count", [
    ("1 / x", 0.5, 2),  # a pole: two branches, no line between them
    ("sin(x) / cos(x)", 0.5, 3),
    ("1e4*x", 0.001, 1),  # so steep that no sample is inside the frame
    ("tanh(1e6*x)", 0.5, 1),
    ("log(x)", 0.5, 1),  # no value below 0
])  # fmt: skip
def test_a_curve_is_cut_at_its_poles_and_nowhere_else(live, line, x, count):
    graph = bp.Graph(L=line)
    opened(live, graph, {"x": x})
    explorer = bp.explore(graph, x=x)
    (term,) = graph.terms(explorer.trace)
    theirs = live.evaluate(
        "() => bp.plot(page.computation, ['L', 'x'], page.result.trace, page.result.terms[0], {width: 208, height: 104})"
    )
    for drawn in (plot(term, explorer.trace, explorer._curve(term)), theirs):
        assert len(drawn["pieces"]) == count
        assert all(
            any(0 <= v <= 104 for _, v in piece) for piece in drawn["pieces"] if line != "1 / x" or piece[-1][0] > 104
        )


@pytest.mark.parametrize("line, x, texts", [
    ("x**2 * 0.1", 3333.3, ["−2e3", "−1e3", "1.112e6", "+1e3", "+2e3"]),
    ("sin(x)", 0.3, ["−2", "−1", "0", "1", "2"]),
    ("1e6 + x", 0.3, ["−2", "−1", "1e6", "+1", "+2"]),
])  # fmt: skip
def test_ticks_tell_numbers_apart_in_a_few_letters(line, x, texts):
    graph = bp.Graph(L=line)
    explorer = bp.explore(graph, x=x)
    found = plot(graph.terms(explorer.trace)[0], explorer.trace, explorer._curve(graph.terms()[0]))["up"]
    assert [text for _, text in found] == texts


def test_a_direct_term_and_the_whole_derivative_have_signs_of_their_own(live):
    for graph, twofold in ((bp.Graph(u="w**2", L="u*w"), True), (bp.Graph(u="w**2", v="3*w", L="u*v"), False)):
        opened(live, graph, {"w": 1.3}, wrt="w")
        left = live.locator(".bp-sum .bp-left").text_content()
        assert left == ("dLdw" if twofold else "∂L∂w")
        assert ("∂: of one line" in live.locator(".bp-sum").text_content()) is twofold
        assert (r"\frac{\mathrm{d} L}{\mathrm{d} w} &=" in graph.derive("w")._repr_latex_()) is twofold


@pytest.mark.parametrize("model", ["neuron", "network"])
def test_the_picture_stays_where_it_is(live, model):
    """Neither a refusal nor a longer line above it moves what one is about to click on."""
    graph, numbers = GRAPHS[model]()
    opened(live, graph, graph.numbers | numbers)
    top = "() => document.querySelector('.bp-picture').getBoundingClientRect().top"
    before = live.evaluate(top)
    field = live.locator('input[type="text"]').first
    field.fill("much")
    field.press("Enter")
    assert live.locator(".bp-message").is_visible() and live.evaluate(top) == before
    live.locator("[data-pick]").first.click()
    tops = []
    for step in range(steps(graph, graph.output), -1, -1):
        live.evaluate("(step) => page.change({step})", step)
        slot(live, "v:L")
        tops.append(live.evaluate(top))
    assert tops == sorted(tops) and all(
        live.evaluate(
            "(step) => { page.change({step}); page.draw(); return document.querySelector('.bp-picture').getBoundingClientRect().top; }",
            step,
        )
        == tops[-1]
        for step in range(len(tops))
    )


def test_long_names_cover_no_circle_and_no_slider(live):
    graph = bp.Graph(
        prediction="weight*input_value + bias",
        activation="sigmoid(prediction)",
        loss_value="(target - activation)**2 / 2",
    )
    opened(live, graph, dict(weight=-0.4, input_value=1.5, bias=0.2, target=1.0), wrt="weight")
    boxes = "(selector) => [...document.querySelectorAll(selector)].map((n) => { const b = n.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; })"
    circles, labels, names, sliders = (
        live.evaluate(boxes, selector)
        for selector in (
            ".bp-picture circle",
            '.bp-picture rect[data-mark^="t:"]',
            ".bp-name math",
            'input[type="range"]',
        )
    )
    assert labels and len(names) == len(sliders) == 4
    for one, others in ((labels, circles), (names, sliders)):
        for a in one:
            assert not any(
                min(a[2], b[2]) - max(a[0], b[0]) > 1 and min(a[3], b[3]) - max(a[1], b[1]) > 1 for b in others
            )


def flattened(numbers):
    """The numbers of nested lists, in order."""
    for item in numbers:
        yield from flattened(item) if isinstance(item, (list, tuple)) else (item,)


# --- hostile sheets and names -------------------------------------------------------------------------------------------

HOSTILE = [
    "constructor",
    "__proto__",
    "prototype",
    "toString",
    "valueOf",
    "hasOwnProperty",
    "script",
    "innerHTML",
    "权",
    "µ",
    "ﬀ",
    "e1",
    "NaN",
    "Infinity",
    "undefined",
    "null",
    "true",
    "window",
    "document",
    "eval",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_line_may_have_any_name(live, name):
    try:
        graph = bp.Graph([(name, "2*x"), ("L", f"{name}**2")])
    except ValueError:
        pytest.skip("no name of a line")
    line = next(iter(graph.lines))
    opened(live, graph, {"x": 1.5}, wrt=line)
    assert slot(live, f"v:{line}") == "3" and slot(live, f"g:{line}") == "6"


@pytest.mark.parametrize(
    "text",
    [
        "</script><script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "&lt;b&gt;",
        '"onmouseover="alert(1)',
        "javascript:alert(1)",
        "${alert(1)}",
        "`",
        "]]>",
        "<!--",
        "\u2028",
    ],
)
def test_a_text_in_the_sheet_stays_a_text(live, text):
    graph, numbers = GRAPHS["neuron"]()
    sheet = json.loads(json.dumps(sheet_of(graph)))
    sheet["words"] = {key: text for key in sheet["words"]}
    sheet["notes"] = [text]
    sheet["programs"][0]["text"] = text
    live.evaluate(OPEN, [sheet, state_of(graph, numbers, wrt="w")])
    assert text.strip() in live.locator(".bp-note").text_content()
    assert live.evaluate("() => document.querySelectorAll('script, img, b').length") == 0


def test_a_text_ends_no_script_of_a_saved_page():
    sheet = sheet_of(bp.Graph(L="x * y")) | {"notes": ["</script><script>alert(1)</script>"]}
    written = page_module.as_file(sheet, {"numbers": {}}, "</title><script>")
    assert written.count("<script") == written.count("</script>") == 3


@pytest.mark.parametrize(
    "element",
    [
        ["script", {}, "alert(1)"],
        ["image", {"href": "x"}],
        ["g", {"onclick": "alert(1)"}],
        ["a", {"href": "javascript:alert(1)"}],
        ["foreignObject", {}],
        ["mstyle", {"style": "position:fixed"}],
    ],
)
def test_an_element_that_is_on_no_list_is_refused(live, element):
    graph, numbers = GRAPHS["neuron"]()
    sheet = sheet_of(graph)
    sheet["picture"] = [*sheet["picture"], element]
    with pytest.raises(Exception, match="the sheet holds"):
        live.evaluate(OPEN, [sheet, state_of(graph, numbers, wrt="w")])


def test_the_kernels_word_stands_in_the_page(neuron_page):
    for word, shown in (
        ({"agrees": True}, "✓ NumPy agrees"),
        (
            {"agrees": True, "kink": ["x", "<b>"]},
            "✓ NumPy agrees; a line stands at its kink, where its slope is a convention; on it hangs the gradient by x, <b>",
        ),
        ({"agrees": False, "worst": "0.1"}, "NumPy finds another gradient; the relative difference is 0.1"),
        ({"error": "ValueError: <i>"}, "the kernel says: ValueError: <i>"),
    ):
        neuron_page.evaluate("(word) => page.judge(word)", word)
        assert neuron_page.locator(".bp-verdict").text_content() == shown


def test_an_exception_in_an_event_is_said_and_the_page_lives_on(neuron_page):
    neuron_page.evaluate(
        "() => { const run = page.computation.run.bind(page.computation); let n = 0; page.computation.run = (...x) => { if (++n % 3 === 0) throw new Error('for this test'); return run(...x); }; }"
    )
    field = neuron_page.locator('input[type="text"]').first
    for k in range(1, 10):
        field.fill(str(k / 10))
        field.press("Enter")
        value = by_hand(k / 10 if k % 3 else (k - 1) / 10)["a"]
        assert slot(neuron_page, "v:a") == compact(value)
        assert ("for this test" in neuron_page.locator(".bp-message").text_content()) is (k % 3 == 0)


# --- where it lives -----------------------------------------------------------------------------------------------------


def test_the_style_of_a_saved_page_says_the_same_with_fewer_spaces(live):
    rules = "(text) => { const sheet = new CSSStyleSheet(); sheet.replaceSync(text); return [...sheet.cssRules].map((rule) => rule.cssText.replaceAll(', ', ',')); }"
    paths = list(pathlib.Path(bp.__file__).parent.rglob("*.css"))
    for text in (path.read_text(encoding="utf-8") for path in paths):
        assert len(page_module.lean_style(text)) < len(text)
        assert live.evaluate(rules, page_module.lean_style(text)) == live.evaluate(rules, text) != []
    spoilt = page_module.style().replace("display: grid", "displaygrid", 1)
    assert len(paths) > 5 and live.evaluate(rules, spoilt) != live.evaluate(rules, page_module.style())


@pytest.mark.parametrize("model, most", [("neuron", 140_000), ("network", 250_000)])
def test_a_saved_page_needs_no_kernel_and_no_network(browser, tmp_path, model, most):
    graph, numbers = GRAPHS[model]()
    explorer = bp.explore(graph, **numbers)
    if model == "network":  # with its layers
        explorer = bp.explore(bp.Network([2, 3, 2], ["tanh", "sigmoid"], seed=0), [0.5, -1.0], [1.0, 0.0])
    path = tmp_path / "page.html"
    explorer.save(path)
    assert path.stat().st_size < most
    with visited(browser, path, ".bp-page") as page:
        name = explorer.wrt
        field = page.locator('input[type="text"]').first
        field.fill("0.25")
        field.press("Enter")
        first = page.locator('input[type="text"]').first.get_attribute("data-input")
        trace = graph.forward(**(explorer.numbers | {first: 0.25}))
        expected = bp.backpropagate(graph.terms(trace), "L")[name]
        assert slot(page, f"g:{name}") == compact(expected)


@pytest.mark.parametrize("width", [700, 900, 1280, 1600])
@pytest.mark.parametrize("model, wrt", [("neuron", "w"), ("fan-out", "x"), ("network", "W1_2_1"), ("many paths", "y")])
def test_nothing_overlaps_or_is_cut(live, width, model, wrt):
    graph, numbers = GRAPHS[model]()
    live.set_viewport_size({"width": width, "height": 900})
    opened(live, graph, graph.numbers | numbers, wrt=wrt)
    slot(live, f"v:{wrt}")
    assert live.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth + 1")
    boxes = live.evaluate("""() => [...document.querySelectorAll('.bp-factor, .bp-figure, .bp-path, .bp-knob, .bp-head > *')].map((n) => {
      const r = n.getBoundingClientRect(); return [n.className || n.tagName, r.left, r.top, r.right, r.bottom]; })""")
    for kind in {box[0] for box in boxes if "factor" in box[0] or "figure" in box[0] or "knob" in box[0]}:
        group = [box[1:] for box in boxes if box[0] == kind]
        for i, one in enumerate(group):
            assert one[2] <= width + 1, kind
            for other in group[:i]:
                overlap = (
                    min(one[2], other[2]) - max(one[0], other[0]) > 1
                    and min(one[3], other[3]) - max(one[1], other[1]) > 1
                )
                assert not overlap, kind
    small = live.evaluate(
        "() => Math.min(...[...document.querySelectorAll('.bp-picture text')].map((n) => parseFloat(getComputedStyle(n).fontSize) * n.ownerSVGElement.getBoundingClientRect().width / n.ownerSVGElement.viewBox.baseVal.width))"
    )
    assert small >= 9.99
    live.set_viewport_size({"width": 1280, "height": 900})


@pytest.mark.parametrize(
    "model, wrt, step",
    [
        ("neuron", "w", None),
        ("neuron", "w", 2),
        ("network", "W1_2_1", None),
        ("fused", "W1_1_1", None),
        ("units", "W1_2_1", None),
        ("layers", "W1_2_1", None),
    ],
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser, tmp_path, model, wrt, step, scheme):
    if model in GRAPHS:
        graph, numbers = GRAPHS[model]()
        explorer = bp.explore(graph, wrt=wrt, **numbers)
    else:
        net = bp.Network([2, 3, 2], ["tanh", "sigmoid"], l2=0.1, seed=0)
        explorer = bp.explore(net, [[0.5, -1.0], [1.0, 2.0]], [[1.0, 0.0], [0.0, 1.0]], wrt=wrt)
        explorer.view = model
        explorer.through = "delta"
    if step is not None:
        explorer.step = step
    explorer.save(tmp_path / "page.html")
    with visited(browser, tmp_path / "page.html", ".bp-page", color_scheme=scheme, bypass_csp=True) as page:
        page.evaluate("() => { for (const panel of document.querySelectorAll('details')) panel.open = true; }")
        pause(page, 200)
        page.evaluate("() => { page.update(3); page.sharing.give('x'); page.draw(); }")
        page.locator("[data-panel=nudge] button").click()
        pause(page, 600)
        assert hurdles(page) == []


def test_out_of_view_it_does_no_work(live):
    graph, numbers = GRAPHS["neuron"]()
    live.evaluate(OPEN, [sheet_of(graph), state_of(graph, numbers, wrt="w")])
    live.evaluate(
        "() => { document.body.style.paddingTop = '4000px'; page.drawings = 0; const draw = page.draw.bind(page); page.draw = () => { page.drawings += 1; draw(); }; window.scrollTo(0, 0); }"
    )
    live.wait_for_function("page.visible === false")
    for k in range(20):
        live.evaluate("(k) => page.change({numbers: {w: k / 10}})", k)
    pause(live, 100)
    assert live.evaluate("page.drawings") == 0
    live.evaluate("() => { document.body.style.paddingTop = '0'; }")
    live.wait_for_function("page.drawings === 1")
    assert live.locator('[data-slot="v:w"]').first.text_content() == "1.9"


def test_many_moves_in_a_frame_are_drawn_once_and_the_last_one_is(neuron_page):
    neuron_page.evaluate(
        "() => { page.drawings = 0; const draw = page.draw.bind(page); page.draw = () => { page.drawings += 1; draw(); }; for (let k = 1; k <= 50; k++) page.change({numbers: {w: k / 100}}); }"
    )
    assert slot(neuron_page, "v:w") == "0.5" and neuron_page.evaluate("page.drawings") == 1


def test_moves_leave_nothing_behind(neuron_page):
    count = "() => [document.querySelectorAll('*').length, [...page.slots.values()].reduce((sum, nodes) => sum + nodes.length, 0)]"

    def move(times):
        neuron_page.evaluate(
            """(times) => { for (let i = 0; i < times; i++) {
              for (const wrt of ['x', 'z', 'b', 'w']) { page.change({wrt, numbers: {w: Math.random()}}); page.draw(); }
              page.change({numbers: {w: -0.4}}); page.draw(); } }""",
            times,
        )

    move(20)
    before, used = neuron_page.evaluate(count), heap_of(neuron_page)
    move(20 + 5 * ROUNDS)
    assert neuron_page.evaluate(count) == before
    assert (
        heap_of(neuron_page) - used < 300_000
    )  # a node with its listeners a move would be some 500 bytes: of 5,000 moves 2.5 MB
