"""The explorer of the layouts: its matrices beside NumPy's sums and PyTorch's own layer, its controls, the products that are tried."""

import itertools
import re

import numpy as np
import pytest
from driven import OPEN, answer_of, cleared, pause, settle
from test_small_explorers import made, pages, slots  # noqa: F401  a fixture

import backproplab as bp
from backproplab.explorers.small.layouts.sheet import GIVEN, LAYOUTS, TRIES
from backproplab.explorers.small.layouts.still import LIT
from backproplab.pictures.shapes import Stroke, Text

SIZES = [((3, 2), 4), ((2, 2), 2), ((5, 4), 6), ((1, 3), 2), ((1, 1), 1), ((4, 4), 4), ((5, 1), 3)]


@pytest.fixture
def live(pages):  # noqa: F811
    yield from cleared(pages["layouts"], width=1180, height=1000)


@pytest.fixture
def explorer():
    return bp.explore_layouts()


@pytest.fixture
def opened(live, explorer):
    live.evaluate(OPEN, [explorer.sheet, explorer.state])
    settle(live)
    return live


def by_hand(sizes, n):
    """Forward and way back of a layer in rows, entry by entry."""
    (n_in, n_out), (X, W, b, D) = sizes, (GIVEN[name] for name in ("X", "W", "b", "D"))
    rows, units, inputs = range(n), range(n_out), range(n_in)
    return {
        "Z": [[sum(X[i][k] * W[j][k] for k in inputs) + b[0][j] for j in units] for i in rows],
        "dW": [[sum(D[i][j] * X[i][k] for i in rows) for k in inputs] for j in units],
        "dX": [[sum(D[i][j] * W[j][k] for j in units) for k in inputs] for i in rows],
        "db": [sum(D[i][j] for i in rows) for j in units],
    }  # fmt: skip


# --- the numbers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes, n", SIZES)
def test_every_layout_holds_the_numbers_of_the_sums(sizes, n):
    e, wanted = bp.explore_layouts(sizes, n), by_hand(sizes, n)
    turned = {"rows": "", "columns": ("X", "Z", "D", "dX"), "PyTorch": "", "Keras": ("W", "dW")}
    rows = e.arrays
    for name in turned:
        e.layout_name = name
        for key, value in wanted.items():
            found = e.arrays[key].T if key in turned[name] else e.arrays[key]
            assert np.array_equal(found, value), (name, key)
        for key in ("X", "W", "b", "D"):
            assert np.array_equal(e.arrays[key].T if key in turned[name] else e.arrays[key], rows[key])
        for key in ("X", "W", "b"):
            assert e.arrays[f"d{key}"].shape == e.arrays[key].shape, "a gradient has the shape of its quantity"


@pytest.mark.parametrize("sizes, n", SIZES)
@pytest.mark.parametrize("layout", ["rows", "columns", "Keras"])
def test_the_code_that_is_shown_gives_the_numbers_that_are_shown(layout, sizes, n):
    e = bp.explore_layouts(sizes, n)
    e.layout_name = layout
    for result, (product, _, code) in LAYOUTS[layout].equations.items():
        name, _, right = code.partition(" = ")
        assert name == result and np.array_equal(eval(right, {}, dict(e.arrays)), e.arrays[result])
        assert result == "db" or product in right


@pytest.mark.parametrize("sizes, n", SIZES)
def test_the_layout_of_pytorch_is_pytorchs(sizes, n):
    torch = pytest.importorskip("torch")
    e = bp.explore_layouts(sizes, n)
    e.layout_name = "PyTorch"
    layer, X = torch.nn.Linear(*sizes, dtype=torch.float64), torch.tensor(e.arrays["X"], dtype=torch.float64, requires_grad=True)  # fmt: skip
    assert layer.weight.shape == e.arrays["W"].shape and layer.bias.shape == e.arrays["b"].shape
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(e.arrays["W"]))
        layer.bias.copy_(torch.tensor(e.arrays["b"]))
    Z = layer(X)
    Z.backward(torch.tensor(e.arrays["D"], dtype=torch.float64))
    for found, key in ((Z, "Z"), (layer.weight.grad, "dW"), (X.grad, "dX"), (layer.bias.grad, "db")):
        assert np.array_equal(found.detach().numpy(), e.arrays[key])
    own = bp.Network.from_parameters({"W1": e.arrays["W"].astype(float), "b1": e.arrays["b"].astype(float)}, ["identity"])  # fmt: skip
    assert np.array_equal(own.forward(e.arrays["X"].astype(float))["Z1"], e.arrays["Z"]), "and that of this package"


# --- products to try ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes, n", SIZES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_verdict_is_what_numpy_says(layout, sizes, n):
    e, verdicts = bp.explore_layouts(sizes, n), {}
    e.layout_name = layout
    for text, result in TRIES.items():
        e.tried = text
        verdicts[text] = e.verdict
        wanted = e.arrays[result] - (0 if result != "Z" else e.arrays["b"][:, None] if layout == "columns" else e.arrays["b"])  # fmt: skip
        try:
            found = eval(text, {}, dict(e.arrays))
        except ValueError:
            assert e.verdict == "apart", (text, e.verdict)
            continue
        same = np.array_equal(found, wanted)
        assert e.verdict in {True: ("right", "same", "turned"), False: ("turned", "chance")}[same], (text, e.verdict)
        if e.verdict == "turned":
            assert np.array_equal(found.T, wanted)
    assert [verdicts[LAYOUTS[layout].equations[result][0]] for result in ("Z", "dW", "dX")] == ["right"] * 3
    assert sorted(verdicts.values()).count("right") == sorted(verdicts.values()).count("turned") == 3
    if len({*sizes, n}) == 3:
        assert set(verdicts.values()) == {"right", "turned", "apart"}, "sizes that differ betray every mistake"
    elif len({*sizes, n}) == 1:
        assert "apart" not in verdicts.values(), "equal sizes hide all of them"


def test_a_wrong_transposition_is_said_in_words(explorer):
    assert explorer.verdict == "apart"
    assert explorer.facts["tried"] == "X W does not exist: X has 3 columns (units in), W has 2 rows (units out). They do not meet."  # fmt: skip
    explorer.tried = "X @ W.T"
    assert explorer.facts["tried"] == "Right. The 3 of units in meet and are summed; what is left has 4 rows and 2 columns, the shape of Z."  # fmt: skip
    explorer.tried = "W @ X.T"
    assert explorer.facts["tried"] == "The shapes meet, and every number is there, but at another place: this is Z transposed, with 2 rows and 4 columns."  # fmt: skip
    explorer.set(sizes=(3, 3), tried="X @ W")
    assert explorer.verdict == "chance" and explorer.facts["tried"].startswith("The shapes meet only because units in and units out are both 3: no error, and other numbers than Z.")  # fmt: skip
    explorer.layout_name = "Keras"
    assert explorer.verdict == "right"
    explorer.set(sizes=(1, 1), layout_name="rows")
    assert explorer.verdict == "same" and "even the numbers agree" in explorer.facts["tried"]


def test_the_same_number_in_another_place(explorer):
    explorer.entry = "W", 1, 2
    facts = explorer.facts
    assert facts["says"] == f"the weight to unit 2 from input 3: {explorer.arrays['W'][1, 2]}" and facts["made"] == ""
    assert [facts[f"place:{name}"] for name in LAYOUTS] == ["row 2, column 3"] * 3 + ["row 3, column 2"]
    assert [facts[f"shape:{name}"] for name in LAYOUTS] == ["(2, 3)"] * 3 + ["(3, 2)"]
    explorer.entry = "X", 3, 0
    assert [explorer.facts[f"place:{name}"] for name in LAYOUTS] == ["row 4, column 1", "row 1, column 4", "row 4, column 1", "row 4, column 1"]  # fmt: skip
    explorer.entry = "b", 0, 1
    assert {explorer.facts[f"place:{name}"] for name in LAYOUTS} == {"entry 2"} and explorer.facts["shape:rows"] == "(2,)"  # fmt: skip
    explorer.entry = "dW", 1, 0
    for name in LAYOUTS:
        explorer.layout_name = name
        delta_first = {"rows", "PyTorch", "columns"}
        wanted = "(−1)·1 + 2·2 + 1·0 + 0·(−1) = 3" if name in delta_first else "1·(−1) + 2·2 + 0·1 + (−1)·0 = 3"
        assert explorer.facts["made"] == wanted, "the same sum over the examples"


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("result", ["Z", "dW", "dX", "db"])
def test_the_sum_that_is_shown_makes_the_number_that_is_shown(layout, result):
    e = bp.explore_layouts((4, 3), 5)
    e.layout_name = layout
    wanted = np.atleast_2d(by_hand((4, 3), 5)[result])
    for i, j in np.ndindex(wanted.shape):
        e.entry = result, i, j
        terms, _, number = e.facts["made"].replace("−", "-").replace("·", "*").rpartition(" = ")
        assert eval(terms, {}) == int(number) == wanted[i, j]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("entry", [("X", 2, 1), ("W", 1, 0), ("D", 3, 1), ("dW", 0, 2), ("b", 0, 1)])
def test_the_still_lights_the_same_entry(layout, entry):
    e = bp.explore_layouts((3, 2), 4)
    e.set(layout_name=layout, entry=entry)
    shapes = e.still.shapes
    lit = [shape.points for shape in shapes if isinstance(shape, Stroke) and shape.color == LIT]
    held = [[shape.runs[0][0] for shape in shapes if isinstance(shape, Text) and left[0] < shape.x < right[0] and abs(shape.y - left[1]) < 8] for left, right in lit]  # fmt: skip
    number = e.facts["says"].rpartition(" ")[2]
    assert held == [[number]] * {"X": 2, "W": 2, "D": 3, "dW": 1, "b": 1}[entry[0]]
    assert sum(isinstance(shape, Text) and shape.runs[0][0].lstrip("−").isdigit() for shape in shapes) >= 60
    assert {row[2] for row in LAYOUTS[layout].equations.values()} <= {shape.runs[0][0] for shape in shapes if isinstance(shape, Text)}  # fmt: skip


@pytest.mark.parametrize("changes, error, message", [
    ({"sizes": [3]}, TypeError, "sizes must be units in and units out such as [3, 2]"), ({"sizes": 3}, TypeError, "sizes"), ({"sizes": (3, 2, 1)}, TypeError, "sizes"), ({"sizes": (0, 2)}, ValueError, "units in must be at least 1, found 0"), ({"sizes": (3, 6)}, ValueError, "units out must be at most 5, so that one sees it, found 6"),
    ({"sizes": (3.0, 2)}, TypeError, "units in must be a whole number"), ({"sizes": "32"}, TypeError, "sizes"), ({"n": 0}, ValueError, "n must be at least 1"), ({"n": 7}, ValueError, "n must be at most 6"), ({"n": True}, TypeError, "n must be a whole number"), ({"n": None}, TypeError, "n must be"),
    ({"layout_name": "JAX"}, ValueError, "unknown layout 'JAX'; known are rows, columns, PyTorch, Keras"), ({"layout_name": None}, ValueError, "unknown layout None"), ({"tried": "X @ X"}, ValueError, "unknown product 'X @ X'; known are X @ W, X @ W.T"), ({"tried": "__import__('os')"}, ValueError, "unknown product"),
    ({"entry": ("W", 2, 0)}, ValueError, "W has the shape (2, 3) in the layout in rows, found the entry (2, 0)"), ({"entry": ("W", 0)}, TypeError, "entry must be a quantity, a row and a column"), ({"entry": ("one", 0, 0)}, ValueError, "unknown quantity 'one'; known are X, W, b"), ({"entry": ("W", -1, 0)}, ValueError, "entry must not be negative"), ({"entry": ("W", "0", 0)}, TypeError, "entry must be a whole number"), ({"entry": 3}, TypeError, "entry"),
])  # fmt: skip
def test_what_is_refused(explorer, changes, error, message):
    before = explorer.state
    with pytest.raises(error, match=re.escape(message)):
        explorer.set(**changes)
    assert explorer.state == before
    if changes.keys() <= {"sizes", "n"}:
        with pytest.raises(error, match=re.escape(message)):
            bp.explore_layouts(**changes)


def test_an_entry_that_nobody_asked_for_stays_inside(explorer):
    explorer.entry = "X", 3, 2
    explorer.set(sizes=(2, 2), n=3)
    assert explorer.entry == ("X", 2, 1)


def test_what_is_read_is_ones_own(explorer):
    explorer.arrays["X"][:] = 99
    assert explorer.arrays["X"].max() < 99


# --- the page -----------------------------------------------------------------------------------------------------------

DRAWN = """() => [...document.querySelectorAll('.bp-equations section')].map((section) => [section.dataset.result, section.querySelector('code').textContent, [...section.querySelectorAll('figure')].map((figure) => ({
  rows: [...figure.querySelectorAll('tr')].map((row) => [...row.cells].map((cell) => Number(cell.textContent.replace('−', '-')))), shape: figure.querySelector('.bp-shape').firstChild.textContent + ' × ' + figure.querySelectorAll('.bp-shape > span')[1].textContent, letters: figure.querySelector('.bp-letters').textContent }))])"""


@pytest.mark.parametrize("sizes, n", SIZES[:3])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_drawn_equations_hold(live, layout, sizes, n):
    e = bp.explore_layouts(sizes, n)
    e.layout_name = layout
    live.evaluate(OPEN, [e.sheet, e.state])
    settle(live)
    drawn = live.evaluate(DRAWN)
    assert [(result, code) for result, code, _ in drawn] == [(result, row[2]) for result, row in LAYOUTS[layout].equations.items()]  # fmt: skip
    lengths = {"n": n, "in": sizes[0], "out": sizes[1], "1": 1}
    for result, _, matrices in drawn:
        arrays = [np.array(matrix["rows"]) for matrix in matrices]
        made, left, right, *more = arrays
        added = 0 if not more else more[0] @ more[1] if len(more) == 2 else more[0]
        assert np.array_equal(made, left @ right + added)
        assert np.array_equal(made.ravel(), np.asarray(e.arrays[result]).ravel()) and made.shape in (e.arrays[result].shape, (1, sizes[1]), (sizes[1], 1))  # fmt: skip
        for matrix, array in zip(matrices, arrays, strict=True):
            assert matrix["shape"] == " × ".join(map(str, array.shape))
            assert tuple(lengths[letter] for letter in matrix["letters"].split(" × ")) == array.shape


def knob(page, name):
    return page.locator("label", has_text=name).locator("input")


def test_the_controls(opened, explorer):
    for name in ("columns", "Keras", "PyTorch", "rows", "Keras"):
        opened.get_by_label(name, exact=True).check()
        explorer.layout_name = name
        assert slots(opened) == explorer.facts
    knob(opened, "units in").focus()
    opened.keyboard.press("End")
    knob(opened, "units out").focus()
    opened.keyboard.press("ArrowRight")
    knob(opened, "examples n").focus()
    opened.keyboard.press("Home")
    explorer.set(sizes=(5, 3), n=1)
    assert slots(opened) == explorer.facts and explorer.entry == ("Z", 0, 0)
    opened.get_by_label("Try a product", exact=True).select_option("D.T @ X")
    explorer.tried = "D.T @ X"
    assert slots(opened) == explorer.facts
    opened.wait_for_function("sent.length > 0")
    pause(opened, 200)
    fresh = bp.explore_layouts()
    assert answer_of(fresh, opened.evaluate("sent.at(-1)"))["agrees"] is True
    assert fresh.state == explorer.state
    opened.get_by_role("button", name="Reset").click()
    assert slots(opened) == made("layouts").facts


def lit(page, look):
    return page.evaluate("(look) => [...document.querySelectorAll('.bp-equations ' + look)].map((cell) => [cell.closest('section').dataset.result, cell.dataset.entry])", look)  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_entry_lights_up_wherever_it_stands(live, layout):
    e = bp.explore_layouts((3, 2), 4)
    e.layout_name = layout
    live.evaluate(OPEN, [e.sheet, e.state])
    settle(live)
    live.locator('[data-result="dW"] [data-entry="X 2 1"]').click()
    live.mouse.move(2, 2)
    e.entry = "X", 2, 1
    assert slots(live) == e.facts
    assert lit(live, ".bp-lit") == [["Z", "X 2 1"], ["dW", "X 2 1"]] and lit(live, ".bp-part") == []
    live.locator('[data-result="dX"] .bp-matrix').first.locator('[data-entry="dX 1 2"]').click()
    live.mouse.move(2, 2)
    assert lit(live, ".bp-lit") == [["dX", "dX 1 2"]]
    wanted = {f"D 1 {j}" for j in range(2)} | {f"W {j} 2" for j in range(2)}
    assert {entry for _, entry in lit(live, ".bp-part")} == wanted and {section for section, _ in lit(live, ".bp-part")} == {"dX"}  # fmt: skip
    live.locator('[data-result="Z"] [data-entry="Z 3 1"]').click()
    live.mouse.move(2, 2)
    settle(live)
    parts = {entry for _, entry in lit(live, ".bp-part")}
    assert parts - {"one 3 0"} == {f"X 3 {k}" for k in range(3)} | {f"W 1 {k}" for k in range(3)} | {"b 0 1"}
    assert ("one 3 0" in parts) is (layout == "columns")


def test_pointing_lights_up_too_and_lets_go(opened, explorer):
    opened.locator('[data-result="dX"] [data-entry="W 1 0"]').hover()
    assert slots(opened) == made("layouts", dict(entry=("W", 1, 0))).facts
    opened.mouse.move(2, 2)
    assert slots(opened) == explorer.facts
    opened.locator('[data-result="db"] [data-entry="one 0 0"]').first.click()
    assert slots(opened) == explorer.facts, "a one says nothing"


def test_the_keys_walk_through_a_matrix(opened, explorer):
    first = opened.locator('[data-result="Z"] .bp-matrix').nth(2).locator("td").first
    first.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "Enter"):
        opened.keyboard.press(key)
    explorer.entry = "W", 1, 1
    assert slots(opened) == explorer.facts
    assert opened.evaluate("document.activeElement.dataset.entry") == "W 1 1"
    assert opened.locator('.bp-matrix [tabindex="0"]').count() == opened.locator(".bp-matrix").count()


def test_shapes_that_do_not_meet_are_marked(opened):
    assert opened.locator(".bp-clash").all_text_contents() == ["3", "2"]
    assert opened.locator(".bp-tried").get_attribute("data-verdict") == "apart"
    knob(opened, "units out").focus()
    opened.keyboard.press("ArrowRight")
    settle(opened)
    assert opened.locator(".bp-clash").count() == 0 and opened.locator(".bp-chance").all_text_contents() == ["3", "3"]


@pytest.mark.parametrize("state", [{"sizes": [3, 9]}, {"sizes": [0, 1]}, {"n": 2.5}, {"layout_name": "constructor"}, {"tried": "constructor"}, {"entry": ["__proto__", 0, 0]}, {"entry": ["W", 2, 0]}])  # fmt: skip
def test_a_state_that_does_not_fit_is_refused_by_the_page(opened, explorer, state):
    with pytest.raises(Exception, match="the state holds what no layout has"):
        opened.evaluate("([sheet, state]) => new bp.Page(document.createElement('div'), sheet, state)", [explorer.sheet, explorer.state | state])  # fmt: skip


def test_other_numbers_stand_at_every_other_place():
    """No matrix of at least 2 by 2 is its own transpose, so that a wrong one shows."""
    for rows in (GIVEN["X"], GIVEN["W"], GIVEN["D"]):
        for size in range(2, 6):
            square = np.array(rows)[:size, :size]
            assert not np.array_equal(square, square.T)
    for name, other in itertools.combinations(("X", "W", "D"), 2):
        assert GIVEN[name][:2] != GIVEN[other][:2]
