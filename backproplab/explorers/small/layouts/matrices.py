"""What can be set of the layouts, the matrices that stand there, and the texts that tell of them."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ....given import known, shown, whole_number
from .sheet import AXES, GIVEN, LAYOUTS, MOST, TRIES, WORDS

RESULTS = ("Z", "dW", "dX", "db")


# --- state ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class State:
    """All that can be set: the sizes (units in, units out), n examples, the layout, the entry that is lit, the product that is tried.

    `entry` is a quantity's name with row and column, from 0, in the layout in rows, where b is one row.
    """

    sizes: tuple
    n: int
    layout_name: str = "rows"
    entry: tuple = ("Z", 1, 0)
    tried: str = "X @ W"


def checked(state, asked):
    """The state with every field as it should be; an entry that nobody asked for stays inside. TypeError, ValueError: what is refused."""
    if not isinstance(state.sizes, (list, tuple)) or len(state.sizes) != 2:
        raise TypeError(
            f"explore_layouts: sizes must be units in and units out such as [3, 2], found {shown(state.sizes)}"
        )
    sizes = tuple(_size(name, axis, size) for name, axis, size in zip(("units in", "units out"), ("in", "out"), state.sizes, strict=True))  # fmt: skip
    n = _size("n", "n", state.n)
    layout_name = known("explore_layouts: unknown layout", state.layout_name, LAYOUTS)
    tried = known("explore_layouts: unknown product", state.tried, TRIES)
    return State(sizes, n, layout_name, _entry(state.entry, _lengths(sizes, n), "entry" in asked), tried)


def _size(name, axis, size):
    size = whole_number(f"explore_layouts: {name}", size, 1)
    if size > MOST[axis]:
        raise ValueError(f"explore_layouts: {name} must be at most {MOST[axis]}, so that one sees it, found {size}")
    return size


def _entry(entry, lengths, strict):
    if not isinstance(entry, (list, tuple)) or len(entry) != 3:
        raise TypeError(
            f'explore_layouts: entry must be a quantity, a row and a column such as ("W", 1, 0), found {shown(entry)}'
        )
    name = known("explore_layouts: unknown quantity", entry[0], [name for name in AXES if name != "one"])
    place = tuple(whole_number("explore_layouts: entry", at, 0) for at in entry[1:])
    shape = tuple(lengths[axis] for axis in AXES[name])
    if strict and any(at >= length for at, length in zip(place, shape, strict=True)):
        raise ValueError(
            f"explore_layouts: {name} has the shape {shape} in the layout in rows, found the entry {place}"
        )
    return (name, *(min(at, length - 1) for at, length in zip(place, shape, strict=True)))


def _lengths(sizes, n):
    return {"n": n, "in": sizes[0], "out": sizes[1], "1": 1}


# --- matrices ---------------------------------------------------------------------------------------------------------


class Matrix(NamedTuple):
    """A matrix as it is drawn: "W.T", its numbers, its axes, and whether it stands the other way round than in rows."""

    text: str
    numbers: np.ndarray
    axes: tuple
    turned: bool

    @property
    def name(self):
        """The quantity."""
        return self.text.removesuffix(".T")


def quantities(state):
    """Every quantity by name, as it stands in the layout in rows: b, db one row; the way back by the sums of its entries."""
    lengths = _lengths(state.sizes, state.n)
    found = {name: np.array(GIVEN[name])[: lengths[AXES[name][0]], : lengths[AXES[name][1]]] for name in GIVEN}
    X, W, D = found["X"], found["W"], found["D"]
    return found | {"Z": X @ W.T + found["b"], "dW": D.T @ X, "dX": D @ W, "db": D.sum(axis=0, keepdims=True)}


def matrix(state, text):
    """The `Matrix` of a text such as "W.T" in the state's layout."""
    name, transposed = text.removesuffix(".T"), text.endswith(".T")
    turned = transposed != (name in LAYOUTS[state.layout_name].turned)
    numbers, axes = quantities(state)[name], AXES[name]
    return Matrix(text, numbers.T, axes[::-1], True) if turned else Matrix(text, numbers, axes, False)


def equation(state, result):
    """(the matrix of the result, [sign, matrix, sign, matrix, ...]) of one of the layout's equations."""
    product, added, _ = LAYOUTS[state.layout_name].equations[result]
    texts = [*product.split(" @ "), *added.removeprefix("+ ").split(" @ ")] if added else product.split(" @ ")
    signs = ["=", "", "+", ""]
    return matrix(state, result), [part for sign, text in zip(signs, texts, strict=False) for part in (sign, matrix(state, text))]  # fmt: skip


class Tried(NamedTuple):
    """A product that is tried: its factors, its numbers (None where the shapes do not meet), and the verdict."""

    left: Matrix
    right: Matrix
    numbers: np.ndarray | None
    verdict: str


def tried(state):
    """The `Tried` of a state: "right", "turned", "apart", or meeting by "chance", with the "same" numbers even."""
    left, right = (matrix(state, text) for text in state.tried.split(" @ "))
    result = matrix(state, TRIES[state.tried])
    if left.axes[1] == right.axes[0]:
        return Tried(left, right, left.numbers @ right.numbers, "right" if left.axes[0] == result.axes[0] else "turned")
    if left.numbers.shape[1] != right.numbers.shape[0]:
        return Tried(left, right, None, "apart")
    numbers, wanted = left.numbers @ right.numbers, _product(state, TRIES[state.tried])
    return Tried(left, right, numbers, "same" if np.array_equal(numbers, wanted) else "chance")


def _product(state, result):
    """A result without what is added to it."""
    product = LAYOUTS[state.layout_name].equations[result][0]
    left, right = (matrix(state, text).numbers for text in product.split(" @ "))
    return left @ right


# --- texts ------------------------------------------------------------------------------------------------------------


def facts_of(state):
    """What the page tells, {slot: text}: of the lit entry its name, its sum, its place in each layout; of the product its verdict."""
    name, i, j = state.entry
    number = _sign(quantities(state)[name][i, j])
    entry = WORDS[f"entry{name}"].format(i=i + 1, j=j + 1)
    facts = {"says": WORDS["says"].format(entry=entry, number=number), "made": _made(state, number)}
    for layout, row in LAYOUTS.items():
        places, sizes = (i + 1, j + 1), quantities(state)[name].shape
        if name in row.turned:
            places, sizes = places[::-1], sizes[::-1]
        flat = "flat" if AXES[name][0] == "1" else ""
        facts[f"place:{layout}"] = WORDS[f"{flat}place"].format(row=places[0], column=places[1], unit=j + 1)
        facts[f"shape:{layout}"] = WORDS[f"{flat}shape"].format(rows=sizes[0], columns=sizes[1], units=max(sizes))
    return facts | {"tried": _verdict(state)}


def _made(state, number):
    """The sum that makes the lit entry, nothing where it is given."""
    name, i, j = state.entry
    if name not in RESULTS:
        return ""
    _, parts = equation(state, name)
    turned = name in LAYOUTS[state.layout_name].turned
    row, column = (j, i) if turned else (i, j)
    left, right = parts[1].numbers, parts[3].numbers
    terms = [f"{_factor(a)}·{_factor(b)}" for a, b in zip(left[row], right[:, column], strict=True)]
    terms += [_factor(quantities(state)["b"][0, j])] if name == "Z" else []
    return WORDS["made"].format(sum=" + ".join(terms), number=number)


def _sign(value):
    return str(int(value)).replace("-", "−")


def _factor(value):
    return _sign(value) if value >= 0 else f"({_sign(value)})"


def _verdict(state):
    found, result = tried(state), TRIES[state.tried]
    left, right = found.left, found.right
    rows, columns = left.numbers.shape[0], right.numbers.shape[1]
    written = {"D": "δ", "dW": "∂L/∂W", "dX": "∂L/∂X"}
    names = [written.get(part.name, part.name) + ("ᵀ" if part.text.endswith(".T") else "") for part in (left, right)]
    return WORDS[f"tried{found.verdict}"].format(
        product=" ".join(names), a=names[0], b=names[1], left=left.numbers.shape[1], right=right.numbers.shape[0],
        leftaxis=WORDS[f"axis{left.axes[1]}"], rightaxis=WORDS[f"axis{right.axes[0]}"],
        rows=rows, columns=columns, result=written.get(result, result),
    )  # fmt: skip
