"""One entry of a network's gradient as a sum of products: its factors in numbers, read from the terms, and on paper."""

import re
from typing import NamedTuple

import numpy as np

from ..functions.activations import ACTIVATIONS
from ..given import shown
from ..notation import latex_layer, latex_number, parts, unit_name, what_comes_in
from .mathml import tree

ENTRY = re.compile(r"([xyzab]|W)(\d*)((?:_\d+)+)")


def tensor_and_place(name):
    """An entry's name as its tensor and its indices from 0: "W1_2_3" -> ("W1", (1, 2)), "z1_2" -> ("Z1", (1,)); no entry: (name, ())."""
    found = ENTRY.fullmatch(name)
    if not found:
        return name, ()
    letter = found[1] if found[1] == "b" else found[1].upper()
    return letter + found[2], tuple(int(index) - 1 for index in found[3].split("_")[1:])


def checked_name(caller, name, shapes):
    """The name, if it is one of a tensor of `shapes` or of an entry. TypeError: no text. ValueError: anything else."""
    if not isinstance(name, str):
        raise TypeError(f"{caller}: wrt must be a name such as 'W1_2_3' or 'W1', found {shown(name)}")
    tensor, at = tensor_and_place(name)
    if tensor not in shapes:
        known = ", ".join(shapes)
        raise ValueError(
            f"{caller}: {name!r:.40} is no quantity of this network; known are {known}, and entries such as W1_2_3"
        )
    sizes = shapes[tensor] if parts(tensor).letter in "Wb" else shapes[tensor][1:]
    if at and (len(at) != len(sizes) or not all(0 <= i < size for i, size in zip(at, sizes, strict=True))):
        last = unit_name(tensor if parts(tensor).letter == "W" else tensor.lower(), [size - 1 for size in sizes])
        raise ValueError(f"{caller}: {name!r:.40} is no entry of {tensor}; its last is {last}, counted from 1")
    return name


# --- in numbers ---------------------------------------------------------------------------------------------------------

# What a term adds to one entry of the gradient: by rule the factors (upstream, local), `d` the gradient of `of`, `v` the value.
FACTORS = {
    "times": lambda d, v, at: (np.ravel(d if np.ndim(d) == 0 else d[at]), np.ravel(v[at])),
    "through weights": lambda d, W, at: (d[at[0]], W[:, at[1]]),
    "onto weights": lambda d, A, at: (d[:, at[0]], A[:, at[1]]),
    "onto bias": lambda d, one, at: (d[:, at[0]], np.ones(len(d))),
    "through softmax": lambda d, P, at: (d[at[0]], P[at[0]] * ((np.arange(P.shape[1]) == at[1]) - P[at])),
}


class Sum(NamedTuple):
    """A gradient's entry: the sum of left times right, times the slope, plus what comes from the L2 part directly."""

    left: np.ndarray
    right: np.ndarray
    slope: float | None = None
    direct: float | None = None


def sum_of(terms, gradient, tensor, at):
    """The `Sum` of one entry, `at` its indices from 0; None where no path leads to it."""
    into = [term for term in terms if term.wrt == tensor]
    direct = next((term for term in into if term.of == "L" and parts(tensor).letter == "W"), None)
    main = next((term for term in into if term is not direct), None)
    if main is None:
        return None
    slope = None
    if parts(tensor).letter == "Z" and main.of != "L" and main.rule == "times":  # one factor: what it meets is the sum
        slope, main = float(main.value[at]), next(term for term in terms if term.wrt == main.of)
    left, right = FACTORS[main.rule](gradient[main.of], main.value, at)
    penalty = direct and float(gradient["L"] * direct.value[at])
    return Sum(np.asarray(left, float), np.asarray(right, float), slope, penalty)


# --- on paper -----------------------------------------------------------------------------------------------------------


def recipe(net, name, n):
    """How an entry of a tensor comes about, as data for the page: which factors are multiplied, their names, the formula with places.

    `left` and `right` are factors: the entry of `of`, of its value or its gradient, at two of the indices n, j, i, k; `text`
    names it. The sum runs over `over`, `count` long; the entry of a Z is that of its A times the slope.
    """
    letter, layer, _ = parts(name)
    if letter == "W":
        factors, over, count = _onto_weights(net, layer), "n", n
    elif letter == "b":
        factors, over, count = (_delta_factor(layer, "n", "j"), None), "n", n
    else:
        factors, over, count = _onto_units(net, letter, layer, n)
    if factors is None:
        return None
    left, right = factors
    slope = letter == "Z" and not (layer == net.depth and (net.fused or net.activations[-1] == "softmax"))
    direct = letter == "W" and bool(net.l2)
    return {
        "left": left,
        "right": right,
        "sloped": slope,
        "over": over,
        "count": count,
        "formula": _formula(net, name, left, right, (over, count), slope, direct),
        "numbers": _numbers(count if over else 0, slope, direct),
    }


def _delta_factor(layer, row, column):
    latex = rf"\delta^{{({layer})}}_{{{row},{column}}}"
    return {
        "of": f"Z{layer}",
        "kind": "gradient",
        "at": [row, column],
        "text": f"dL/dz{layer}_{{{column}}}",
        "latex": latex,
    }


def _value_factor(name, row, column, text):
    latex = f"{latex_layer(name)}_{{{row},{column}}}"
    return {"of": name, "kind": "value", "at": [row, column], "text": text, "latex": latex}


def _onto_weights(net, layer):
    below = what_comes_in(layer)
    return _delta_factor(layer, "n", "j"), _value_factor(below, "n", "i", f"{below.lower()}_{{i}}")


def _onto_units(net, letter, layer, n):
    """The factors of an entry of X, Y, Z or A, over what the sum runs, and how long it is."""
    if letter in "XZA" and layer < net.depth:
        up = layer + 1
        factors = _delta_factor(up, "n", "k"), _value_factor(f"W{up}", "k", "j", f"W{up}_{{k}}_{{j}}")
        return factors, "k", net.sizes[up]
    if letter == "A" and net.fused:
        return None, None, 0
    if letter == "Z" and net.activations[-1] == "softmax" and not net.fused:
        slope = rf"\frac{{\partial A^{{({layer})}}_{{n,k}}}}{{\partial Z^{{({layer})}}_{{n,j}}}}"
        left = {"text": f"dL/da{layer}_{{k}}", "latex": rf"\frac{{\partial L}}{{\partial A^{{({layer})}}_{{n,k}}}}"}
        return (left, {"text": f"da{layer}_{{k}}/dz{layer}_{{j}}", "latex": slope}), "k", net.sizes[-1]
    return ({"text": "dL/dL", "latex": "1"}, _loss_factor(net, letter, n)), None, 1


def _loss_factor(net, letter, n):
    """The slope of the loss by one output, logit or target, as a factor."""
    a, y, z = (f"{name}_{{n,j}}" for name in (f"A^{{({net.depth})}}", "Y", f"Z^{{({net.depth})}}"))
    by_target = {"squared_error": f"{y} - {a}", "binary_cross_entropy": f"-{z}", "cross_entropy": rf"-\log {a}"}
    slope = by_target[net.loss_name] if letter == "Y" else f"{a} - {y}"
    over = n if net.reduction == "mean" else 1
    latex = rf"\frac{{{slope}}}{{{over}}}" if over > 1 else rf"\left({slope}\right)"
    wrt = "y_{j}" if letter == "Y" else f"{letter.lower()}{net.depth}_{{j}}"
    if letter == "Z" and not net.fused:
        wrt = f"a{net.depth}_{{j}}"
    return {"text": f"dL/d{wrt}", "latex": latex}


def _formula(net, name, left, right, sum_, slope, direct):
    """d L / d entry = sum over n of left times right, its own indices as places."""
    letter, layer, _ = parts(name)
    own = {"W": "j,i", "b": "j"}.get(letter, "n,j")
    entry, fixed = f"{latex_layer(name)}_{{{own}}}", own.replace(",", "")
    over, count = sum_

    def written(latex):
        return tree(re.sub(rf"(?<=[{{,])([{fixed}])(?=[,}}])", r"⟦\1⟧", latex))[2:]

    product = (
        written(left["latex"] + (rf" \, {right['latex']}" if right else ""))
        if left["latex"] != "1"
        else written(right["latex"])
    )
    if over and count > 1:
        product = [_sum_sign(over, count), *product]
    if slope:
        prime = ACTIVATIONS[net.activations[layer - 1]].slope.show(entry)
        inside = ["mrow", {}, ["mo", {"stretchy": "true"}, "("], *product, ["mo", {"stretchy": "true"}, ")"]]
        product = [inside if over else ["mrow", {}, *product], ["mo", {}, "⋅"], *written(prime)]
    if direct:
        product = [*product, ["mo", {}, "+"], *written(rf"{latex_number(net.l2)} \cdot {entry}")]
    return ["math", {}, *written(rf"\frac{{\partial L}}{{\partial {entry}}} ="), *product]


def _sum_sign(index, count):
    below = ["mrow", {}, ["mi", {}, index], ["mo", {"lspace": "0", "rspace": "0"}, "="], ["mn", {}, "1"]]
    return ["munderover", {}, ["mo", {"largeop": "true", "movablelimits": "false"}, "∑"], below, ["mn", {}, str(count)]]


def _numbers(count, slope, direct):
    """The same in numbers, with places: the first two products, of a loss's slope alone (count 0) itself, and the result."""
    shown = (
        "⟦r1⟧"
        if not count
        else " + ".join(rf"⟦l{i}⟧ \cdot ⟦r{i}⟧" for i in range(1, min(count, 2) + 1))
        + (r" + \cdots" if count > 2 else "")
    )
    if slope:
        shown = rf"\left({shown}\right) \cdot ⟦slope⟧" if count else r"⟦r1⟧ \cdot ⟦slope⟧"
    if not count and not slope:
        return tree("= ⟦gradient⟧")
    return tree(f"= {shown}" + (" + ⟦direct⟧" if direct else "") + " = ⟦gradient⟧")


def whole(net, name):
    """The formula of a whole tensor's gradient, in matrices; None where no path leads to it."""
    letter, layer, _ = parts(name)
    delta = rf"\delta^{{({layer})}}"
    if letter == "W":
        right = rf"\left({delta}\right)^{{\top}} {latex_layer(what_comes_in(layer))}"
        right += rf" + {latex_number(net.l2)} \cdot {latex_layer(name)}" if net.l2 else ""
    elif letter == "b":
        right = rf"\mathbf{{1}}^{{\top}} \, {delta}"
    elif letter in "XZA" and layer < net.depth:
        right = rf"\delta^{{({layer + 1})}} \, {latex_layer(f'W{layer + 1}')}"
        if letter == "Z":
            right = (
                rf"\left({right}\right) \odot {ACTIVATIONS[net.activations[layer - 1]].slope.show(latex_layer(name))}"
            )
    else:
        return None
    return tree(rf"\frac{{\partial L}}{{\partial {latex_layer(name)}}} = {right}")
