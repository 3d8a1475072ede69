"""What can be set of a softmax, the numbers that it gives, and the texts that show them."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ....functions import values
from ....given import NotFinite, real_array, shown, whole_number
from ....notation import short
from ....paper.mathml import tree

FORMAT = 1
FEWEST, MOST, LARGEST = 2, 6, 1e300  # logits, logits, of a logit
LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
MATH = {
    "softmax": r"p_{j} = \frac{e^{z_{j}}}{e^{z_{1}} + \cdots + e^{z_{K}}}",
    "entry": r"\frac{\partial p_{j}}{\partial z_{k}} = p_{j} \left(\delta_{jk} - p_{k}\right)",
    "corner": r"\frac{\partial p_{j}}{\partial z_{k}}",
    "down": r"\frac{\partial L}{\partial p_{j}}",
    "price": r"\frac{\partial L}{\partial p_{j}} = -\frac{y_{j}}{p_{j}}",
    "cancel": r"\frac{\partial L}{\partial z_{k}} = p_{l} \left(\delta_{lk} - p_{k}\right) \cdot \left(-\frac{1}{p_{l}}\right) = p_{k} - y_{k}",
}
WORDS = {
    "count": "logits", "label": "label", "option": "{label}: the answer is p{j}", "shift": "add 1 to all logits", "reset": "Reset", "logit": "logit z{j}", "typed": "typed", "nothing": "nothing",
    "bars": "From logits to probabilities", "right": "y{j} = 1", "sum": "sum", "exp": "The largest logit is first subtracted from all of them. That changes no probability (the button shows it), and no eᶻ overflows: type 10000.",
    "table": "The Jacobian: how each probability answers to each logit",
    "reads": "Point at a cell, or choose it with the arrow keys. Row j: how pⱼ answers to each logit. Column k: what a little more of zₖ does to every probability. δⱼₖ is 1 on the diagonal, 0 elsewhere.",
    "rows": "A row's sum is 0: if all logits grow alike, pⱼ stays. A column's sum is 0: what one probability wins, the others lose.",
    "grows": "When z{k} grows by a little, p{j} grows by {size} times as much:", "shrinks": "When z{k} grows by a little, p{j} shrinks by {size} times as much:", "rests": "When z{k} grows by a little, p{j} rests, to the last digit of a float:",
    "entry": "p{j} (δ{jk} − p{k}) = {p} · ({delta} − {q}) = {value}",
    "gradient": "The gradient of the cross entropy: two ways to the same numbers", "loss": "L = −ln p{l} = {loss}",
    "long": "long way", "longly": "Jᵀ ∂L/∂p", "short": "short way", "shortly": "P − Y",
    "longsum": "The long way: column {column} of the Jacobian times ∂L/∂p, entry by entry, then added. Only row {row}, the label's, counts: {value} · {down} = {long}.",
    "shortsum": "The short way: p{k} − y{k} = {p} − {y} = {short}. On paper p{l} cancels, and this is what is left.",
    "lost": "The long way ends here: p{l} is so small that 1/p{l} has no number in a float. The short way, which computes the fused loss from the logits, does not mind.",
    "same": "Every logit has grown by 1; no probability has changed: each eᶻ and their sum have grown e times.", "rounded": "Every logit has grown by 1; the probabilities have changed by no more than rounding, {size}.",
    "none": "–", "infinite": "−∞",
    "notnumber": "a logit must be a number from −10³⁰⁰ to 10³⁰⁰, such as 2 or -1.5; found", "stays": "The page still shows the last good numbers.",
    "agrees": "NumPy finds the same numbers", "differs": "NumPy finds other numbers; the largest difference is", "nokernel": "the kernel does not answer; the page goes on without it", "kernelerror": "the kernel says",
}  # fmt: skip


# --- state ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class State:
    """All that can be set: the logits, the label from 0, and the cell (row, column) of the Jacobian that is spelled out, from 0."""

    logits: tuple
    label: int = 0
    cell: tuple = (0, 1)


def checked(state, asked):
    """The state with every field as it should be; a cell that nobody asked for stays inside. TypeError, ValueError: what is refused."""
    logits = _logits(state.logits)
    last = len(logits) - 1
    label = whole_number("explore_softmax: label", state.label, 0)
    if label > last:
        raise ValueError(
            f"explore_softmax: label must be from 0 to {last} with {last + 1} logits, found {label}; set both at once"
        )
    if not isinstance(state.cell, (tuple, list)) or len(state.cell) != 2:
        raise TypeError(f"explore_softmax: cell must be a row and a column such as (0, 1), found {shown(state.cell)}")
    cell = tuple(whole_number("explore_softmax: cell", place, 0) for place in state.cell)
    if "cell" in asked and max(cell) > last:
        raise ValueError(f"explore_softmax: cell must have row and column from 0 to {last}, found {cell}")
    return State(logits, label, tuple(min(place, last) for place in cell))


def _logits(value):
    try:
        array = real_array("explore_softmax: logits", value, kinds="fiu", dtype=float)
    except NotFinite as error:  # a setting, no result of a computation
        raise ValueError(str(error)) from None
    if array.ndim != 1 or not FEWEST <= len(array) <= MOST:
        raise ValueError(
            f"explore_softmax: logits must be {FEWEST} to {MOST} numbers such as [2.0, 1.0, -1.0], found shape {array.shape}"
        )
    if np.abs(array).max() > LARGEST:
        raise ValueError(f"explore_softmax: a logit must be from -1e300 to 1e300, found {np.abs(array).max():g}")
    return tuple(map(float, array))


# --- numbers ----------------------------------------------------------------------------------------------------------


class Numbers(NamedTuple):
    """P, its Jacobian, L = -ln p_label, dL/dp, and dL/dz by both ways; the long one is NaN where 1/p has no number."""

    probabilities: np.ndarray
    jacobian: np.ndarray
    loss: float
    by_probabilities: np.ndarray
    long_way: np.ndarray
    gradient: np.ndarray


def numbers_of(state):
    """The `Numbers` of a state."""
    z, y = np.array(state.logits), np.eye(len(state.logits))[state.label]
    p = values.softmax(z)
    jacobian = p[:, None] * (np.eye(len(p)) - p)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        down = -(1 / p[state.label])
        long = jacobian[state.label] * down
    by_probabilities = np.where(y == 1, down, 0.0)
    long = long if np.isfinite(down) else np.full(len(p), np.nan)
    return Numbers(p, jacobian, float(values.cross_entropy(z, p, y)), by_probabilities, long, p - y)


# --- texts ------------------------------------------------------------------------------------------------------------


def lowered(*places):
    """Places from 0 as an index counted from 1."""
    return "".join(str(place + 1) for place in places).translate(LOWERED)


def facts_of(state):
    """What the page shows, {slot: text}, from the state alone: the numbers, and the sentences of the cell and of its column."""
    found, ks = numbers_of(state), range(len(state.logits))
    p, label = found.probabilities, state.label
    facts = {"L": WORDS["loss"].format(l=lowered(label), loss=_text(found.loss)), "p:sum": _sum(p)}
    for k in ks:
        y = int(k == label)
        facts |= {f"p:{k}": _text(p[k]), f"row:{k}": _sum(found.jacobian[k]), f"column:{k}": _sum(found.jacobian[:, k])}
        facts |= {f"down:{k}": _text(found.by_probabilities[k]), f"long:{k}": _text(found.long_way[k])}
        facts |= {f"minus:{k}": f"{_text(p[k])} − {y}", f"short:{k}": _text(found.gradient[k])}
        facts |= {f"J:{j}:{k}": _text(found.jacobian[j, k]) for j in ks}
    return facts | _sentences(found, state, *state.cell)


def _sentences(found, state, j, k):
    """What the cell in row j and column k says, and how both ways come to the gradient by z_k."""
    p, value, label = found.probabilities, found.jacobian[j, k], state.label
    texts = {"j": lowered(j), "k": lowered(k), "jk": lowered(j, k), "l": lowered(label), "value": _text(value)}
    texts |= {"p": _text(p[j]), "q": _text(p[k]), "delta": int(j == k), "size": _text(abs(value))}
    does = "grows" if value > 0 else "shrinks" if value < 0 else "rests"
    ways = texts | {
        "value": _factor(found.jacobian[label, k]),
        "down": _factor(found.by_probabilities[label]),
        "row": label + 1,
        "column": k + 1,
    }
    ways |= {
        "p": _text(p[k]),
        "y": int(k == label),
        "long": _text(found.long_way[k]),
        "short": _text(found.gradient[k]),
    }
    kept = np.isfinite(found.long_way[k])
    return {
        "says": WORDS[does].format(**texts),
        "entry": WORDS["entry"].format(**texts),
        "longsum": WORDS["longsum" if kept else "lost"].format(**ways),
        "shortsum": WORDS["shortsum"].format(**ways),
    }


def _text(value):
    """A number to 3 digits; a dash where there is none."""
    return short(value, 3) if np.isfinite(value) else WORDS["infinite" if value == -np.inf else "none"]


def _factor(value):
    """A number as a factor: in parentheses with a sign or a power of ten."""
    text = _text(value)
    return text if text.replace(".", "").isdigit() else f"({text})"


def _sum(terms):
    """A sum to 12 places, which leaves out what is rounding."""
    return short(round(float(np.sum(terms)), 12), 3)


def sheet_of():
    """The sheet: formulas, words, limits."""
    math = {name: tree(latex) for name, latex in MATH.items()}
    names = {letter: [tree(f"{letter}_{{{k}}}") for k in range(1, MOST + 1)] for letter in "zp"}
    return {"format": FORMAT, "words": WORDS, "math": math | names, "limits": [FEWEST, MOST, LARGEST]}
