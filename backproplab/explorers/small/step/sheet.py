"""The sheet of a step size: for every place of the slider what three formulas give, digit by digit beside the truth."""

import math
from dataclasses import replace
from decimal import Decimal, localcontext
from functools import lru_cache

import mpmath
import numpy as np

from ....checking.step_sizes import DIGITS
from ....functions.values import in_digits
from ....notation import latex_name, latex_partial, number, partial_runs
from ....paper.mathml import tree
from ....pictures.facts import RAISED
from ....pictures.files import live
from ....pictures.shapes import Text

FORMAT = 1
WORDS = {
    "step": "step h", "typed": "typed", "plot": "the relative error of each formula over the step h", "formulas": "The formulas",
    "derivative": "The derivative, digit by digit", "exact": "exact", "from": "20 of 50 digits", "formula": "formula", "number": "number", "right": "how far it is right, its relative error", "error": "error", "relative": "relative error", "parts": "What each formula is made of",
    "rim": "exact", "none": "–", "drag": "Drag the line, or use the slider.", "at": "at",
    "refused": "h must be a number above 0 and at most 1, such as 1e-5 or 0.003; found", "nothing": "nothing", "stays": "The page still shows the last good step.",
    "alone": "Without a kernel only the half decades of h are known. Shown is the nearest to", "waits": "The kernel has not answered yet. Shown is the nearest half decade to",
    "asked": "computed for this h by the kernel", "kernelerror": "the kernel says", "nokernel": "the kernel does not answer; the page goes on without it",
    "all": "all {count} digits right", "many": "{count} digits right", "one": "1 digit right", "no": "no digit right", "same": "exact, the error is 0",
    "float": ", no float is nearer", "rounded": "right to {count} digits once rounded", "undefined": "no number at this step",
    "cancel": "{count} of {all} digits cancel", "cancels": "1 of {all} digits cancels", "keep": "no digit cancels", "wiped": "all {all} digits cancel, and the derivative with them",
    "carried": "{count} of {all} digits cancel, with a carry", "whole": "nothing is subtracted, so nothing cancels", "lost": "; {wrt} + h is the same float as {wrt}",
}  # fmt: skip
# Texts beside lines: the formula of the line, its slope over h on log-log axes, how many half decades must keep to it and
# how closely; where on that stretch the text stands, from 0 at its small steps to 1, the text, and on which side of the line.
GUIDES = (
    ("one-sided difference", -1, 11, 0.15, 0.0, "rounding ~ 1/h", "right"),
    ("one-sided difference", 1, 5, 0.03, 0.5, "truncation ~ h", "left"),
    ("central difference", 2, 5, 0.03, 0.5, "~ h²", "below"),
)
PLACES = range(-40, -1)  # of the slider: 2 log10 h, half decades from 1e-20 to 1e-1
LEAST, MOST = -3, 5  # powers of ten of a first digit for which no power of ten is written
KNOWN, WRITTEN = 20, 17  # digits of the derivative, of a float
FAR = 2  # as many powers of ten off the truth, a number is written with a power of its own
LARGEST = 1e308
PARTS = {  # @ is the quantity, # the output: in LaTeX, and the values that it is made of, of which the second is subtracted
    "one-sided difference": (r"\frac{#(@ + h) - #(@)}{h}", "#(@ + h)", "#(@)"),
    "central difference": (r"\frac{#(@ + h) - #(@ - h)}{2h}", "#(@ + h)", "#(@ - h)"),
    "complex step": (r"\frac{\operatorname{Im} #(@ + ih)}{h}", r"\operatorname{Re} #(@ + ih)", r"\operatorname{Im} #(@ + ih)"),
}  # fmt: skip


def step_of(place):
    """The step at a place of the slider: 1e-4, 3.16228e-5, ..."""
    return float(f"{'1' if place % 2 == 0 else '3.16228'}e{place // 2}")


def remembering(nudge):
    """The same nudge, which computes the output once for formulas that share it."""
    return replace(nudge, loss=lru_cache(maxsize=8)(nudge.loss))


def sheet_of(nudge, rows):
    """The sheet of a nudge, of which `rows` are the rows of all places."""
    return {
        "format": FORMAT,
        "words": WORDS,
        "names": list(PARTS),
        "rows": rows,
        "exact": _write(_exact(nudge), _exact(nudge).adjusted(), KNOWN),
        "guides": list(_guides(rows)),
        "math": {
            "derivative": tree(latex_partial(nudge.output, nudge.wrt)),
            "formulas": [tree(_named(PARTS[name][0], nudge)) for name in PARTS],
            "parts": [[tree(_named(part, nudge)) for part in PARTS[name][1:]] for name in PARTS],
            "axis": live(Text(0, 0, axis_title(nudge), 13))[0],
        },
    }


def axis_title(nudge):
    """What the upright axis of the plot shows, as runs."""
    return (("| ", ""), ("d", "i"), (" / (", ""), *partial_runs(nudge.output, nudge.wrt), (") − 1 |", ""))


def _named(latex, nudge):
    return latex.replace("#", latex_name(nudge.output)).replace("@", latex_name(nudge.wrt))


# --- a row ------------------------------------------------------------------------------------------------------------


def row_of(nudge, h):
    """What the page shows at a step: of each formula its number, its error and its parts, digit by digit."""
    values = _nudged(nudge, h)
    return {
        "h": h,
        "text": _powered(number(h)).removeprefix("1·"),
        "formulas": [_result(nudge, nudge.value(name, h)) | _parts(nudge, name, values[name], h) for name in PARTS],
    }


def _result(nudge, value):
    """A formula's number beside the truth; None for digits and error where it has none."""
    error = nudge.error(value) if math.isfinite(value) else math.nan
    if math.isnan(error):
        return {"digits": None, "error": None, "size": WORDS["none"], "said": WORDS["undefined"]}
    true = _exact(nudge)
    size = _powered(number(error, 2)).removeprefix("1·")
    return {"digits": beside(value, true), "error": min(error, LARGEST), "size": size, "said": _said(value, true)}


def _parts(nudge, name, values, h):
    """What a formula is made of; nothing is subtracted in the complex step."""
    if name == "complex step":
        return {"parts": [None if value is None else alone(value) for value in values], "note": WORDS["whole"]}
    return {"parts": below_each_other(values), "note": _note(nudge, values, h)}


def _nudged(nudge, h):
    """The values that each formula is made of, as floats; None where there is none."""
    with in_digits(DIGITS):
        x, step = mpmath.mpf(nudge.x), mpmath.mpf(h)
        here, ahead, behind = (_float(nudge.at, point) for point in (x, x + step, x - step))
        parts = (_float(lambda part=part: getattr(nudge.at(x, step), part)) for part in ("real", "imag"))
        return dict(zip(PARTS, ((ahead, here), (ahead, behind), tuple(parts)), strict=True))


def _float(compute, *given):
    """A value as a float, None where it has none: no real number, or a larger one."""
    try:
        found = compute(*given)
        value = math.nan if isinstance(found, mpmath.mpc) else float(found)
    except (ZeroDivisionError, OverflowError, ValueError):
        return None
    return value if math.isfinite(value) else None


def _exact(nudge):
    """The derivative to more digits than are written."""
    return Decimal(mpmath.nstr(nudge.true, 45, min_fixed=1, max_fixed=0))


# --- digits -----------------------------------------------------------------------------------------------------------


def _write(value, exponent, digits):
    """[a number in so many digits from 10**exponent down, its power of ten]; the power is "" where none is written."""
    fixed = LEAST <= exponent <= MOST
    with localcontext(prec=2000):
        kept = value.quantize(Decimal((0, (1,), exponent - digits + 1)))
        text = f"{kept if fixed else kept.scaleb(-exponent):f}"
    return [text.replace("-", "−"), "" if fixed else "·10" + str(exponent).translate(RAISED)]


def _agreeing(one, other):
    """How many signs two numbers share from the left, if their points stand below each other."""
    if one.index(".") != other.index("."):
        return 0
    apart = (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(apart, min(len(one), len(other)))


def _significant(text):
    """How many digits there are, without zeros in front."""
    return len(text.lstrip("−0.").replace(".", ""))


def beside(value, true):
    """[what agrees with the truth, the rest, the power of ten] of a number, written below the truth.

    `value` is a float, `true` a Decimal that is not 0; the truth is written from its own first digit down.
    """
    value = Decimal(value)
    if not value:
        return ["", "0", ""]
    exponent = true.adjusted()
    if abs(value.adjusted() - exponent) > FAR:
        return ["", *_write(value, value.adjusted(), WRITTEN)]
    (text, power), (truth, _) = _write(value, exponent, WRITTEN), _write(true, exponent, KNOWN)
    shared = _agreeing(text, truth)
    return [text[:shared], text[shared:], power]


def digits_right(value, true):
    """(how many digits agree with the truth, how many if both are rounded to them)."""
    same, _, _ = beside(value, true)
    exact, exponent = Decimal(value), true.adjusted()
    with localcontext(prec=2000):
        units = [(count, Decimal((0, (1,), exponent - count + 1))) for count in range(WRITTEN, 0, -1)]
        rounded = next((count for count, unit in units if exact.quantize(unit) == true.quantize(unit)), 0)
    return _significant(same), rounded


def _said(value, true):
    """How many digits are right, in words."""
    if Decimal(value) == true:
        return WORDS["same"]
    right, rounded = digits_right(value, true)
    key = "rounded" if rounded > right + 1 else {0: "no", 1: "one", WRITTEN: "all"}.get(right, "many")
    count = rounded if key == "rounded" else right
    return WORDS[key].format(count=count) + (WORDS["float"] if value == float(true) else "")


def below_each_other(values):
    """Two values, [what they share, the rest, the power of ten] each; None for one that has no number."""
    known = [Decimal(value) for value in values if value is not None]
    powers = [value.adjusted() for value in known if value] or [0]
    if max(powers) - min(powers) > FAR or None in values:
        return [None if value is None else alone(value) for value in values]
    (one, power), (other, _) = (_write(value, max(powers), WRITTEN) for value in known)
    shared = _agreeing(one, other)
    shared = shared if _significant(one[:shared]) else 0
    return [[text[:shared], text[shared:], power] for text in (one, other)]


def alone(value):
    """A value that is compared with nothing, as `below_each_other` writes it."""
    value = Decimal(value)
    return ["", *_write(value, value.adjusted(), WRITTEN)] if value else ["", "0", ""]


def cancelling(values):
    """(how many digits two values share, how many digits shorter their difference is); None for the latter if they are equal."""
    one, other = map(Decimal, values)
    apart = abs(one - other)
    shorter = max(value.adjusted() for value in (one, other) if value) - apart.adjusted() if apart else None
    return _significant(below_each_other(values)[0][0]), shorter


def _note(nudge, values, h):
    """How many digits cancel, in words."""
    if None in values:
        return WORDS["undefined"]
    shared, shorter = cancelling(values)
    lost = WORDS["lost"].format(wrt=nudge.wrt) if nudge.x + h == nudge.x else ""
    if shorter is None:
        return WORDS["wiped"].format(all=WRITTEN) + lost
    key = "carried" if shorter > shared + 1 else {0: "keep", 1: "cancels"}.get(shared, "cancel")
    return WORDS[key].format(count=shorter if key == "carried" else shared, all=WRITTEN) + lost


def _powered(text):
    """A number in plain text with its power of ten raised: 1.5·10⁻⁷."""
    mantissa, mark, exponent = text.partition("e")
    return mantissa.replace("-", "−") + ("·10" + exponent.translate(RAISED) if mark else "")


# --- what the slopes mean -----------------------------------------------------------------------------------------------


def _guides(rows):
    """The texts beside stretches of the lines that are straight, each at a place (h, error)."""
    for name, slope, count, tolerance, part, text, side in GUIDES:
        place = list(PARTS).index(name)
        points = [(row["h"], row["formulas"][place]["error"]) for row in rows]
        if stretch := _straight(points, slope, count, tolerance):
            h, error = stretch[round(part * (len(stretch) - 1))]
            yield {"h": h, "error": error, "text": text, "side": side}


def _straight(points, slope, count, tolerance):
    """The longest stretch where so many points in a row lie on a line of that slope: the middle of each such row, if there are any."""
    stretches = [[]]
    for start in range(len(points) - count + 1):
        part = points[start : start + count]
        if all(error for _, error in part):
            x, y = np.log10(np.array(part)).T
            if abs(np.polyfit(x, y, 1)[0] - slope) <= tolerance:
                stretches[-1].append((float(10 ** x.mean()), float(10 ** y.mean())))
                continue
        stretches.append([])
    return max(stretches, key=len)
