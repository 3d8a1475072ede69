"""The sheet of activations: the formulas of each row, where it is largest and where it saturates, and the words of the page."""

from functools import cache

import numpy as np
import sympy as sp

from .....functions.activations import ACTIVATIONS
from .....notation import latex_formula
from .....paper.mathml import tree
from ..over_z import MOST_Z

FORMAT = 1
FLAT = 0.01  # a slope below it is called saturated where it stays so to the end
BISECTIONS = 80
ENOUGH, RUNGS, SLOPES = 4.0, (0.3, 1.25, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0), (0.3, 1.25)  # where planes may end
WORDS = {
    "name": "activation", "beside": "beside it", "z": "z", "typed": "typed", "reset": "Reset",
    "planes": "the activation over z with its tangent, and below it its slope", "handle": "z: the point on the curve, arrow keys move it", "drag": "Drag the point along the curve, or click anywhere; arrow keys move it, with Shift in steps of 1.",
    "value": "g(z)", "slope": "g′(z), its slope", "run": "1", "flat": "slope below 1/100", "zero": "slope 0", "largest": "largest slope {value}", "peak": "largest slope {value}, at z = {z}",
    "numbers": "Numbers at z = {z}", "function": "activation g", "values": "value g(z)", "slopes": "slope g′(z)", "most": "largest slope", "formulas": "Formulas", "with": "with a = g(z)",
    "steep": "One step to the right along the tangent goes {slope} {way}: that is the slope g′({z}).", "up": "up", "down": "down", "level": "The tangent is level: the slope g′({z}) is 0, and a gradient that comes back is multiplied by 0.",
    "saturated": "Here {name} saturates: its slope is {slope}, below 1/100, so that less than a hundredth of a gradient flows back.", "dead": "Here the slope of {name} is 0: no gradient flows back through it.",
    "kink": "{name} has a corner at z = 0: the slope is {left} on its left and {right} on its right. That {name}′(0) = {slope} is a convention, the one of PyTorch.",
    "notnumber": "a number is wanted, such as -0.5 or 1e-3", "notz": "a number from -100 to 100 is wanted for z", "unknown": "this is none of the activations:", "stays": "The page still shows the last good numbers.", "found": "found", "nothing": "nothing",
    "agrees": "NumPy finds the same numbers", "differs": "NumPy finds other numbers; the largest relative difference is", "kernelerror": "the kernel says", "nokernel": "the kernel does not answer; the page goes on without it",
}  # fmt: skip
# What is said of each activation, and the exact form of its largest slope; None where no one z has it.
SAYS = {
    "identity": ("What comes in goes out, and a gradient comes back as it is. A net with nothing else is one linear layer.", "1"),
    "sigmoid": ("From 0 to 1. Its slope a(1 − a) is never above 1/4: on its way back through each sigmoid a gradient is divided by 4 or more.", "1/4"),
    "tanh": ("From −1 to 1. Its slope 1 − a² is 1 only at z = 0, and small as soon as z is a few units away.", "1"),
    "relu": ("Above 0 a gradient comes back as it is, below 0 nothing comes back. A unit whose z is below 0 for every example no longer learns: it is dead.", "1"),
    "leaky_relu": ("As relu, but below 0 a hundredth of the gradient comes back, so that no unit is dead for good.", "1"),
    "softplus": ("A relu without a corner. Its slope is the sigmoid: it comes near 1, and never gets there.", "near 1"),
    "gelu": ("z times Φ(z), the share of a normal distribution that lies below z. Left of z = −0.752, its lowest point, the slope is negative.", "1.129"),
    "silu": ("z times σ(z), also called swish. Left of z = −1.278, its lowest point, the slope is negative.", "1.1"),
}  # fmt: skip


def value_of(name, z):
    """The activation at z, a number or an array."""
    return ACTIVATIONS[name].value(np.asarray(z, dtype=float))


def slope_of(name, z):
    """Its slope at z."""
    return ACTIVATIONS[name].slope.value(np.asarray(z, dtype=float))


def windows(names, limit, z):
    """(low, high) of the plane of values and of the plane of slopes: the curves up to 4 from 0, and the points at z."""
    ends = [float(value_of(name, end)) for name in names for end in (-limit, limit)]
    here = [float(value_of(name, z)) for name in names]
    needs = [max(min(max(side * v for v in ends), ENOUGH), max(side * v for v in here)) for side in (-1, 1)]
    below, above = (next(rung for rung in RUNGS if rung >= need) for need in needs)
    steep = SLOPES[any(largest(name)[1] > SLOPES[0] for name in names)]
    return (-below, above), (-steep / 5, steep)


@cache
def saturation(name):
    """(low, high): at and below the one, at and above the other the slope stays smaller than 1/100 in size; None where it does not."""
    return tuple(_flat_end(name, side) for side in (-1.0, 1.0))


def _flat_end(name, side):
    """Where the flat end of a curve begins: the slope is at most 1/100 from there to -100 or 100. At a kink it is the kink itself."""
    zs = side * np.linspace(0, MOST_Z, 20_001)
    steep = np.flatnonzero(np.abs(slope_of(name, zs)) >= FLAT)
    if steep.size and steep[-1] == zs.size - 1:
        return None
    if not steep.size:
        return 0.0
    inner, outer = float(zs[steep[-1]]), float(zs[steep[-1] + 1])
    for _ in range(BISECTIONS):
        middle = (inner + outer) / 2
        inner, outer = (middle, outer) if abs(slope_of(name, middle)) >= FLAT else (inner, middle)
    return outer


def saturates(name, z):
    """Whether z is in a flat end of the curve."""
    low, high = saturation(name)
    return (low is not None and z <= low) or (high is not None and z >= high)


@cache
def largest(name):
    """(z, slope) where the slope is largest; z is None where it is largest at no z, or at more than one."""
    zs = np.linspace(-MOST_Z, MOST_Z, 200_001)
    slopes = slope_of(name, zs)
    top = int(slopes.argmax())
    if np.count_nonzero(slopes >= slopes[top] * (1 - 1e-12)) > 1:
        return None, float(slopes[top])
    low, high = zs[max(0, top - 1)], zs[min(zs.size - 1, top + 1)]
    for _ in range(BISECTIONS):  # thirds: the slope rises to its top and falls
        one, other = low + (high - low) / 3, high - (high - low) / 3
        low, high = (one, high) if slope_of(name, one) < slope_of(name, other) else (low, other)
    z = round(float(low + high) / 2, 6) + 0.0
    return z, float(slope_of(name, z))


def sheet_of():
    """The sheet, which is the same for every explorer."""
    return {
        "format": FORMAT,
        "words": WORDS,
        "windows": [ENOUGH, list(RUNGS), list(SLOPES)],
        "activations": [_row(name) for name in ACTIVATIONS],
    }


@cache
def _row(name):
    says, most = SAYS[name]
    (low, high), (peak, slope) = saturation(name), largest(name)
    row = ACTIVATIONS[name]
    return {
        "name": name,
        "says": says,
        "most": most,
        "largest": slope,
        "peak": peak,
        "saturation": [low, high],
        "kinked": row.kinked,
        "math": {"name": tree(row.show("z")), "formula": tree(_formula(row)), "slope": tree(_slope(row)), "short": _short(row)},
    }  # fmt: skip


def _formula(row):
    """g(z) = its formula; one that says no more than its name is written by exp."""
    call, z = row.show("z"), sp.Symbol("z")
    formula = row.formula(z)
    formula = formula.rewrite(sp.exp) if isinstance(formula, sp.tanh) else formula
    return f"{call} = {latex_formula(formula)}"


def _slope(row):
    """g'(z) = its formula, by way of the name that its slope has elsewhere."""
    primed = row.show("z").replace(r"\left(", r"'\left(", 1)
    return " = ".join(dict.fromkeys((primed, row.slope.show("z"), latex_formula(row.slope.formula(sp.Symbol("z"))))))


def _short(row):
    """The slope from the value alone, a (1 - a); None where there is no such form."""
    return row.slope_from_value and tree("= " + latex_formula(row.slope_from_value(sp.Symbol("a"))))
