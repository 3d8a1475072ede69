"""What the explorers of a few settings have in common: what a page may say, what is left behind, where they live."""

import gc
import json
import math
import re
import weakref
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from conftest import AT, NEURON, heap_of
from driven import ALONE, BOXES, LEFT, LOAD, OPEN, answer_of, cleared, empty_page, hurdles, settle, visited
from test_explorer import kernel  # noqa: F401  a fixture

import backproplab as bp
from backproplab.explorers import life
from backproplab.explorers import page as page_module
from backproplab.explorers.small.layouts import sheet as layouts_sheet
from backproplab.explorers.small.layouts import widget as layouts
from backproplab.explorers.small.softmax import sheet as softmax_sheet
from backproplab.explorers.small.softmax import widget as softmax

# name -> (the room of its widget, its words, how one is made, another state, what of it a reader sets)
KINDS = {
    "softmax": (softmax, softmax_sheet.WORDS, bp.explore_softmax, dict(logits=[0.5, -2.0, 1.0, 3.0], label=2, cell=(3, 1))),
    "layouts": (layouts, layouts_sheet.WORDS, bp.explore_layouts, dict(sizes=(2, 4), n=3, layout_name="columns", entry=("dW", 3, 1), tried="W.T @ X")),
}  # fmt: skip
EVERY = {
    "softmax": bp.explore_softmax, "layouts": bp.explore_layouts, "activation": bp.explore_activation, "loss": bp.explore_loss, "descent": bp.explore_descent, "vanishing": bp.explore_vanishing,
    "step": lambda: bp.explore_step(bp.Graph(NEURON), "w", **AT), "boundary": lambda: bp.explore_boundary(bp.Network([2, 3, 2], ["tanh", "softmax"], "cross_entropy"), *bp.datasets.xor(20, 0)),
}  # fmt: skip
CASES = [  # the kind, a state
    ("softmax", {}), ("softmax", KINDS["softmax"][3]), ("softmax", dict(logits=[1e4, 0, -1e4, 2, 3, 1], label=1)), ("softmax", dict(logits=[-12.5, -12.25], label=1, cell=(1, 1))),
    ("layouts", {}), ("layouts", KINDS["layouts"][3]), ("layouts", dict(sizes=(5, 5), n=6, layout_name="Keras", entry=("X", 5, 4), tried="X.T @ W")), ("layouts", dict(sizes=(1, 1), n=1, layout_name="PyTorch", entry=("b", 0, 0))),
]  # fmt: skip


def made(name, state=()):
    explorer = KINDS[name][2]()
    if state:
        explorer.set(**dict(state))
    return explorer


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def pages(browser):
    """A page without a network for each kind, and what went wrong on it."""
    return {name: empty_page(browser, room.ROOMS, room.LOOKS) for name, (room, *_) in KINDS.items()}


@pytest.fixture
def live(pages, kind):
    yield from cleared(pages[kind])


def slots(page):
    """What the page shows, by slot."""
    settle(page)
    return page.evaluate("() => Object.fromEntries([...document.querySelectorAll('[data-slot]')].map((node) => [node.dataset.slot, node.textContent]))")  # fmt: skip


# --- in code ------------------------------------------------------------------------------------------------------------


def test_every_setting_is_read_and_set(kind):
    other = KINDS[kind][3]
    explorer = made(kind)
    for name in other:
        assert isinstance(getattr(type(explorer), name), property) and getattr(type(explorer), name).__doc__
    explorer.set(**other)
    for name, value in other.items():
        assert getattr(explorer, name) == (tuple(value) if isinstance(value, list) else value)
        setattr(explorer, name, value)
    assert explorer.state == json.loads(json.dumps(explorer.state)) | {name: tuple(value) for name, value in explorer.state.items() if isinstance(value, tuple)}  # fmt: skip
    json.dumps([explorer.sheet, explorer.state], allow_nan=False)
    with pytest.raises(ValueError, match=f"explore_{kind}: no depth can be set; known are "):
        explorer.set(depth=3)


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)
def test_closing_frees_what_it_holds(make):
    explorer = make()
    layout, gone = explorer.layout, weakref.ref(explorer)
    explorer.close()
    assert explorer.comm is None and layout.comm is None and explorer.sheet == explorer.state == {}
    del explorer, layout
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)
def test_an_explorer_takes_the_place_of_the_one_from_the_same_cell(make, monkeypatch):
    here = ["cell 1", "run 1"]
    monkeypatch.setattr(life, "_here", lambda: tuple(here))
    first = make()
    here[:] = "cell 1", "run 2"
    again = make()
    assert first.comm is None and again.comm is not None


@pytest.mark.parametrize("name, state", CASES)
def test_the_still(name, state):
    explorer = made(name, state)
    ET.fromstring(explorer.still.svg)
    bundle, _ = explorer._repr_mimebundle_()
    assert bundle["image/png"].startswith("iVBORw0KGgo") and "image/svg+xml" not in bundle
    assert bundle["text/plain"] == repr(explorer) and repr(explorer).startswith(f"explore_{name}([")
    assert not re.search("nan|inf", explorer.still.svg.replace("info", ""))
    boxes = [tuple(map(float, pair)) for pair in re.findall(r'<text x="([-\d.]+)" y="([-\d.]+)"', explorer.still.svg)]
    assert all(0 <= x <= explorer.still.width and 0 <= y <= explorer.still.height for x, y in boxes) and len(boxes) > 15
    assert made(name, state).still.svg == explorer.still.svg


# --- what a page says ---------------------------------------------------------------------------------------------------


def spoken(name, state):
    """What a page says that found the numbers of this state."""
    other = made(name, state)
    numbers = {key: np.asarray(value).tolist() for key, value in other._numbers().items()}
    return json.loads(json.dumps({"turn": 3, "state": other.state, "numbers": numbers}))


@pytest.mark.parametrize("name, state", CASES)
def test_the_kernel_agrees_with_the_same_numbers_and_with_no_others(name, state):
    explorer, message = made(name), spoken(name, state)
    assert answer_of(explorer, message) == {"turn": 3, "agrees": True, "worst": "0"}
    assert explorer.state == made(name, state).state
    for key, value in message["numbers"].items():
        for spoilt in (np.add(value, 1e-7).tolist(), [value], np.full(np.shape(value), math.nan).tolist()):
            answer = answer_of(explorer, message | {"numbers": message["numbers"] | {key: spoilt}})
            assert answer["agrees"] is False and answer["turn"] == 3, (key, spoilt)
        left = {other: number for other, number in message["numbers"].items() if other != key}
        assert answer_of(explorer, message | {"numbers": left})["agrees"] is False


@pytest.mark.parametrize("spoil", [
    lambda m: m.pop("state"), lambda m: m.update(state=3), lambda m: m["state"].update(other=1), lambda m: m.pop("numbers"), lambda m: m.update(numbers=[3]), lambda m: m["numbers"].update(x={}), lambda m: m["numbers"].update(x="<b>"),
    lambda m: m["state"].update({key: "__proto__" for key in m["state"]}), lambda m: m["state"].update({key: None for key in m["state"]}), lambda m: m["state"].update({key: [[]] for key in m["state"]}), lambda m: m["state"].update({key: -1 for key in m["state"]}),
])  # fmt: skip
def test_a_page_that_was_tampered_with_gets_an_answer_and_changes_nothing(kind, spoil):
    explorer, message = made(kind), spoken(kind, KINDS[kind][3])
    before = explorer.state
    spoil(message)
    answer = answer_of(explorer, message)
    assert answer["turn"] == 3 and answer["error"] and "agrees" not in answer and explorer.state == before


def test_what_is_no_message_gets_an_answer_too(kind):
    assert answer_of(made(kind), 3)["error"]


# --- the page -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, state", CASES)
def test_page_and_python_show_the_same(pages, name, state):
    page, errors = pages[name]
    errors.clear()
    explorer = made(name, state)
    page.evaluate(OPEN, [explorer.sheet, explorer.state])
    facts = slots(page)
    assert facts == explorer.facts and len(facts) > 8 and errors == []
    numbers = page.evaluate("([sheet, state]) => { const page = new bp.Page(document.createElement('div'), sheet, state); return page.numbers(); }", [explorer.sheet, explorer.state])  # fmt: skip
    wanted = explorer._numbers()
    assert numbers.keys() == wanted.keys()
    for key, value in wanted.items():
        assert np.array(numbers[key], dtype=float) == pytest.approx(np.asarray(value), rel=1e-13, abs=1e-15)
    assert not re.search(r"undefined|NaN|Infinity|\{\w+\}", page.locator(".bp-page").inner_text())


def test_what_is_set_in_code_reaches_the_page(live, kind):
    explorer = made(kind)
    live.evaluate(OPEN, [explorer.sheet, explorer.state])
    said = []
    explorer.send = said.append
    explorer.set(**KINDS[kind][3])
    live.evaluate("answer", said[0])
    assert slots(live) == explorer.facts
    live.evaluate("answer", {"turn": 12345, "agrees": False, "worst": "1"})
    assert live.locator(".bp-verdict").text_content() == "", "an answer to nobody"
    live.locator('button:text-is("Reset")').click()
    live.wait_for_function("sent.length === 1")
    message = live.evaluate("sent[0]")
    assert message["state"] == json.loads(json.dumps(made(kind).state))
    turn = message["turn"]
    live.evaluate("answer", answer_of(explorer, message))
    assert live.locator(".bp-verdict").text_content() == "✓ NumPy finds the same numbers"
    assert explorer.state == made(kind).state
    live.evaluate("answer", {"turn": turn, "agrees": False, "worst": "0.1"})
    assert live.locator(".bp-verdict.bp-bad").text_content() == "NumPy finds other numbers; the largest difference is 0.1"  # fmt: skip
    live.evaluate("answer", {"turn": turn, "error": "TypeError: <b>for this test</b>"})
    assert live.locator(".bp-verdict").text_content() == "the kernel says: TypeError: <b>for this test</b>"
    live.locator('input[type="range"]').first.focus()
    live.keyboard.press("ArrowLeft")
    settle(live)
    assert live.locator(".bp-verdict").text_content() == "", "an old word is none on new numbers"


def test_a_kernel_that_is_gone_is_said(live, kind):
    explorer = made(kind)
    live.evaluate(OPEN, [explorer.sheet, explorer.state])
    live.evaluate("() => { sent.push = () => { throw new Error('the comm is closed'); }; }")
    live.locator('button:text-is("Reset")').click()
    live.wait_for_function("document.querySelector('.bp-verdict').textContent.includes('does not answer')")
    assert live.locator(".bp-message").text_content() == ""


@pytest.mark.parametrize("width", [400, 760, 1180])
@pytest.mark.parametrize("name, state", CASES)
def test_nothing_overlaps_or_is_cut(pages, name, state, width):
    page, _ = pages[name]
    explorer = made(name, state)
    page.set_viewport_size({"width": width, "height": 900})
    page.evaluate(OPEN, [explorer.sheet, explorer.state])
    settle(page)
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    sizes = page.evaluate("() => [...document.querySelectorAll('.bp-page *')].filter((n) => [...n.childNodes].some((c) => c.nodeType === 3 && c.textContent.trim()) && !n.closest('math, option')).map((n) => parseFloat(getComputedStyle(n).fontSize))")  # fmt: skip
    assert min(sizes) >= 10
    for selector in (".bp-head > *", ".bp-columns > *", "figure", "td", ".bp-logit > *", ".bp-equations > section"):
        boxes = page.evaluate(BOXES, selector)
        for i, one in enumerate(boxes):
            assert one[0] >= 0 and (one[2] <= width or selector == "td"), (selector, one)
            for other in boxes[:i]:
                assert min(one[2], other[2]) - max(one[0], other[0]) <= 1 or min(one[3], other[3]) - max(one[1], other[1]) <= 2, (selector, one, other)  # fmt: skip


@pytest.mark.parametrize("text", ["</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"onmouseover="alert(1)', "${alert(1)}", "<!--"])  # fmt: skip
def test_a_text_in_the_sheet_stays_a_text(live, kind, text):
    explorer = made(kind)
    sheet, state = json.loads(json.dumps([explorer.sheet, explorer.state]))
    sheet["words"] = {key: text for key in sheet["words"]}
    live.evaluate(ALONE, [sheet, state])
    assert text in slots(live).values()
    assert live.evaluate("() => document.querySelectorAll('script, img, b, [onmouseover]').length") == 0


def test_an_element_that_is_on_no_list_is_refused(live, kind):
    explorer = made(kind)
    sheet = json.loads(json.dumps(explorer.sheet))
    sheet["math"] = {key: ["math", {}, ["script", {}, "alert(1)"]] for key in sheet["math"]}
    with pytest.raises(Exception, match="the sheet holds an element script"):
        live.evaluate(ALONE, [sheet, explorer.state])
    live.evaluate("() => { globalThis.leave = null; }")


@pytest.mark.parametrize("name, state", CASES[1::4])
def test_a_saved_page_needs_no_kernel_and_no_network(browser, tmp_path, name, state):
    path, explorer = tmp_path / "page.html", made(name, state)
    explorer.save(path)
    assert path.stat().st_size < 90_000  # fmt: skip
    with visited(browser, path, ".bp-live") as page:
        assert slots(page) == explorer.facts
        page.locator('input[type="range"]').first.focus()
        page.keyboard.press("ArrowLeft")
        assert slots(page) != explorer.facts
        page.locator('button:text-is("Reset")').click()
        assert slots(page) == explorer.facts


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name, state", CASES)
def test_axe_finds_nothing(browser, tmp_path, scheme, name, state):
    made(name, state).save(tmp_path / "page.html")
    for width in (400, 1180):
        with visited(
            browser,
            tmp_path / "page.html",
            ".bp-live",
            color_scheme=scheme,
            bypass_csp=True,
            viewport={"width": width, "height": 900},
        ) as page:
            assert hurdles(page) == []
            assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")


def test_every_control_keeps_its_keys_to_itself(live, kind):
    explorer = made(kind)
    live.evaluate(ALONE, [explorer.sheet, explorer.state])
    settle(live)
    controls = "input, select, button, [tabindex]"
    assert live.locator(controls).count() > 8
    assert live.evaluate("(all) => [...document.querySelectorAll(all)].filter((n) => !n.dataset.lmSuppressShortcuts).map((n) => n.outerHTML)", controls) == []  # fmt: skip


@pytest.mark.parametrize("name, control", [(name, "play") for name in ("loss", "descent", "boundary")] + [("boundary", "reset")] + [(name, "range") for name in EVERY if name != "boundary"])  # fmt: skip
def test_a_page_that_is_left_leaves_nothing(browser, name, control):
    explorer = EVERY[name]()
    page, errors = browser.new_page(offline=True), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.evaluate(LOAD, explorer._esm)
    page.evaluate(OPEN, [explorer.sheet, explorer.state])
    assert page.evaluate(LEFT, control) == [1, 0, 0, []] and errors == []
    page.close()


def test_moves_leave_nothing_behind(live, kind):
    one, other = made(kind).state, made(kind, KINDS[kind][3]).state
    live.evaluate(ALONE, [made(kind).sheet, one])

    def move(times):
        live.evaluate("([times, states]) => { for (let i = 0; i <= times; i++) { page.go(states[i % 2]); page.show(); } }", [times, [one, other]])  # fmt: skip
        return live.evaluate("() => document.querySelectorAll('*').length")

    nodes, used = move(50), heap_of(live)
    assert move(400) == nodes and heap_of(live) - used < 400_000


def test_every_word_is_used(kind):
    room, words, *_ = KINDS[kind]
    script = page_module.script([name for name in room.ROOMS if "small" in name])
    put_together = {f"{name}ly" for name in ("long", "short")} | {f"{flat}{name}" for flat in ("", "flat") for name in ("place", "shape")}  # fmt: skip
    put_together |= {f"entry{name}" for name in layouts_sheet.AXES} | {f"axis{name}" for name in ("n", "in", "out", "1")} | {*layouts_sheet.LAYOUTS["rows"].equations}  # fmt: skip
    put_together |= {f"tried{verdict}" for verdict in ("right", "turned", "apart", "chance", "same")}
    assert [key for key in words if not re.search(rf'words\.{key}\b|"{key}"', script) and key not in put_together] == []


@pytest.mark.filterwarnings("ignore")
def test_a_page_and_its_kernel(kernel, kind):  # noqa: F811
    said = kernel.run(f"import backproplab as bp\ne = bp.explore_{kind}()", cell="the same")
    assert not [content for sort, content in said if sort in ("error", "stream")]
    model = next(key for key, state in kernel.models.items() if "sheet" in state)
    (answer,) = kernel.say(model, spoken(kind, KINDS[kind][3]))
    assert answer["agrees"] is True
    assert kernel.printed("print(repr(e))").strip() == repr(made(kind, KINDS[kind][3]))
