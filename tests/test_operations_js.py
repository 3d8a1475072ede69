"""The browser's operations are Python's: every row of the table in headless Chromium, number by number."""

import base64
import itertools
import pathlib
import platform

import numpy as np
import pytest
from driven import LOAD
from test_functions import WIDE

import backproplab as bp
from backproplab.functions.operations import ARITHMETIC, FUNCTIONS, OPERATIONS

SOURCE = pathlib.Path(bp.__file__).parent / "explorers" / "operations.js"
NAMES = [*ARITHMETIC, *FUNCTIONS, *(f"{name}'" for name in FUNCTIONS)]
RUN = """([name, width, text]) => {
  const f = (%s).get(name);
  if (!f) return null;
  const numbers = new Float64Array(Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer);
  const found = Float64Array.from({length: numbers.length / width}, (_, i) => f(...numbers.subarray(i * width, (i + 1) * width)));
  return btoa(Array.from(new Uint8Array(found.buffer), byte => String.fromCharCode(byte)).join(""));
}"""
LEFT_OUT = """new Map([...bp.OPERATIONS].filter(([name]) => name !== "silu'"))"""
SPOILT = {
    "sigmoid'": "z => { const a = bp.OPERATIONS.get('sigmoid')(z); return a * (1 - a); }",
    "tanh'": "z => 1 - Math.tanh(z) ** 2",
    "softplus": "z => Math.log(1 + Math.exp(z))",
    "gelu": "z => bp.OPERATIONS.get('gelu')(z) * (z > 0 ? 1 + 1e-14 : 1)",
    "silu": "z => z / (1 + Math.exp(-z))",
    "abs'": "Math.sign",
    "relu": "z => z > 0 ? z : 0",
    "leaky_relu'": "z => z >= 0 ? 1 : 0.01",
    "**": "(u, n) => u ** n",
    "/": "(u, v) => v === 0 ? NaN : u / v",
    "max'": "(own, ...z) => own === Math.max(...z) ? 1 : 0",
    "logsumexp": "(...z) => Math.log(z.reduce((sum, v) => sum + Math.exp(v), 0))",
}
MOST = 8  # units in the last place

rng = np.random.default_rng(0)
EDGES = [0.0, 5e-324, 2.5e-308, 1 / 3, 1.0, 2.0, 3.0, 1e16 + 2, 1.7976931348623157e308, np.inf]
EDGES = [*EDGES, *(-z for z in EDGES), np.nan]
LIMITS = [-745.13, -745.14, -708.4, 709.782712893384, 709.7827128933842, -600.0, 1500.0, 40.0, -37.5, -38.5, 1e22]
ONE = np.concatenate([
    WIDE, EDGES, LIMITS, np.linspace(-40, 40, 1601), 10.0 ** rng.uniform(2, 308, 200), -(10.0 ** rng.uniform(2, 308, 200)),
])[:, None]  # fmt: skip


def rows(count):
    """Edges with edges, ties, neighbours, and numbers of one and of every size, so many in a row."""
    few = EDGES if count == 2 else [0.0, -0.0, 1.0, -2.0, 5e-324, 1e308, np.inf, -np.inf, np.nan]
    near = rng.normal(size=(400, 1)) * 3
    return np.concatenate([
        list(itertools.product(few, repeat=count)), np.broadcast_to(near, (400, count)), near + rng.integers(-1, 2, (400, count)),
        near * (1 + 2.0**-52 * rng.integers(-1, 2, (400, count))), rng.normal(size=(400, count)) * 3, rng.choice(WIDE, (800, count)),
        rng.normal(size=(400, count)) * 300, 10.0 ** rng.uniform(-308, 308, (200, count)),
    ])  # fmt: skip


TWO, THREE = rows(2), rows(3)
# To powers: results of every size, also subnormal, and negative bases to whole numbers.
BASES = np.concatenate([10.0 ** rng.uniform(-300, 300, 500), rng.uniform(0.5, 2, 300)])
EXPONENTS = rng.uniform(-745, 709, 800) / np.log(BASES)
WHOLE = np.stack([-rng.uniform(0.1, 10, 300), rng.integers(-300, 300, 300)], axis=1)
POWERS = np.concatenate([TWO, np.stack([BASES, EXPONENTS], axis=1), WHOLE])


def grids(name):
    """The arguments, a row for each call: arrays of one width."""
    if name in ARITHMETIC:
        return [ONE] if name == "negative" else [POWERS] if name.startswith("**") else [TWO]
    if not FUNCTIONS[name.removesuffix("'")].several:
        return [ONE]
    if name in FUNCTIONS:
        return [ONE, TWO, THREE]
    return [np.column_stack([grid[:, i], grid]) for grid in (ONE, TWO, THREE) for i in range(grid.shape[1])]


def apart(found, expected, scale=0.0):
    """The units in the last place between them, of the scale if larger; inf where only one is NaN, infinite or -0."""
    same = (found == expected) & (np.signbit(found) == np.signbit(expected)) | np.isnan(found) & np.isnan(expected)
    near = np.isfinite(found) & np.isfinite(expected) & ((found != 0) | (expected != 0))
    with np.errstate(all="ignore"):
        far = np.abs(found - expected) / np.spacing(np.fmax(np.abs(expected), scale))
    return np.where(same, 0.0, np.where(near, far, np.inf))


def tail(z):
    return 2 * np.fmin(np.fmax(z, -40.0), 0.0) ** 2


# Where a sum crosses zero the larger addend is the scale; here the first. Of logsumexp it is the largest z, or 1 in its logarithm.
FIRST = {
    "silu'": lambda z: OPERATIONS["sigmoid"].value(z),
    "gelu'": lambda z: OPERATIONS["gelu"].value(z) / z,
    "logsumexp": lambda *z: np.fmax(np.abs(OPERATIONS["max"].value(*z)), 1.0),
}
# Where Python itself is less exact: the normal tail, and a power that is subnormal, with few digits, times its logarithm.
MORE = {
    "gelu": tail,
    "gelu'": tail,
    "**'": lambda u, n: np.where(np.power(u, n) < 2.0**-1022, np.abs(np.log(np.where(u > 0, u, 1.0))), 0.0),
}


def called(page, name, grid, table="bp.OPERATIONS"):
    """What a table on the page says, a number for each row; None where it lacks the name. The bytes of the numbers travel."""
    text = base64.b64encode(grid.astype("<f8").tobytes()).decode()
    answer = page.evaluate(RUN % table, [name, grid.shape[1], text])
    return None if answer is None else np.frombuffer(base64.b64decode(answer), "<f8")


def distances(name, grid, found):
    """How far each number found is from Python's, over how far it may be."""
    z = grid.T
    with np.errstate(all="ignore"):
        expected = np.broadcast_to(OPERATIONS[name].value(*z), found.shape)
        first = FIRST[name](*z) if name in FIRST else expected
        if name in ("max", "min") and platform.machine() not in ("x86_64", "AMD64"):
            found, expected = found + 0.0, expected + 0.0  # which of 0 and -0 NumPy takes is the processor's choice
        more = MORE[name](*z) if name in MORE else 0.0
        return apart(found, expected, np.fmax(np.abs(first), np.abs(expected - first))) / (MOST + more)


def complaints(page, name, table="bp.OPERATIONS"):
    """What is wrong with an operation of the page's table, in words."""
    for grid in grids(name):
        found = called(page, name, grid, table)
        if found is None:
            return [f"operations.js has no {name}"]
        far = distances(name, grid, found)
        if not (far <= 1).all():
            worst = np.argmax(far)
            return [f"{name}{tuple(grid[worst].tolist())} is {far[worst]:.3g} times as far from Python's as it may be"]
    return []


@pytest.fixture(scope="module")
def browser_page(browser):
    """An empty page without a network that has imported operations.js, and what went wrong on it."""
    page, errors = browser.new_page(offline=True), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.evaluate(LOAD, SOURCE.read_text(encoding="utf-8"))
    return page, errors


@pytest.fixture
def page(browser_page):
    page, errors = browser_page
    errors.clear()
    yield page
    assert errors == []


@pytest.mark.parametrize("name", NAMES)
def test_an_operation_is_pythons(page, name):
    assert complaints(page, name) == []


def test_there_are_no_others(page):
    assert sorted(page.evaluate("[...bp.OPERATIONS.keys()]")) == sorted(NAMES)


def test_numbers_travel_to_the_page_and_back_unchanged(page):
    back = called(page, "same", ONE, "new Map([['same', z => z]])")
    assert np.array_equal(back.view(np.int64), ONE[:, 0].view(np.int64))


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_operation_is_seen(page, name):
    spoilt = f"""new Map([...bp.OPERATIONS, ["{name}", {SPOILT[name]}]])"""
    assert complaints(page, name) == []
    assert [text.partition("(")[0] for text in complaints(page, name, spoilt)] == [name]


def test_a_row_without_javascript_is_named(page):
    assert complaints(page, "silu'", LEFT_OUT) == ["operations.js has no silu'"]


def test_an_error_on_the_page_is_kept(browser_page):
    page, errors = browser_page
    page.evaluate("console.error('for this test')")
    assert errors == ["for this test"]


@pytest.mark.parametrize("z", [1.0, -3e300, 1e-310, 2.0**-1022, 0.0])
def test_the_measure(z):
    unit = np.spacing(abs(z))
    expected, steps = np.full(3, z), np.array([0.0, 8.0, 9.0])
    assert np.array_equal(apart(expected + steps * unit, expected), steps)
    assert np.array_equal(apart(expected, expected, 4.0), np.zeros(3))


def test_the_measure_knows_what_is_not_a_number():
    found, expected = (
        np.array([np.nan, np.nan, 1.0, np.inf, np.inf, np.inf, 0.0, -0.0, 5e-324]),
        np.array([np.nan, 1.0, np.nan, np.inf, -np.inf, 1e308, -0.0, -0.0, 0.0]),
    )
    with np.errstate(invalid="ignore"):
        far = apart(found, expected)
    assert far.tolist() == [0, np.inf, np.inf, 0, np.inf, np.inf, np.inf, 0, 1]
