"""What `diagnose` says: a mistake by its id, in words and as a term."""

from dataclasses import dataclass, field
from html import escape

import numpy as np

from ..checking.verdicts import AGREE
from ..notation import number
from ..terms import Term
from .mistakes import MISTAKES

WORDS = {
    "none": ("The gradient is right.", "Every entry agrees with the package's own within rounding."),
    "kept": ("No mistake shows.", "But not all of it can be told: {kept}."),
    "unknown": "No single mistake of the table gives these numbers.",
    "only": "{where} is wrong.",
    "first": "From the loss down {where} is the first that is wrong; what was claimed before it is right.",
    "ratio": "There the claim is {ratio} times the right gradient.",
    "ratio-sign": "There the sign is the opposite one.",
    "ratio-n": "There the claim is {ratio} times the right gradient, and n = {n}: is the mean or the sum over the examples taken once too often?",
    "close": "There it is right to some {digits} digits, but not to rounding: was it rounded, or is it a difference quotient?",
    "others": "The same numbers come from {names}.",
    "hidden": "On the numbers you gave it does not show; on others, with n = {n} rows, it does.",
    "rounding": "On the numbers you gave rounding hides it; on others, with n = {n} rows, it shows.",
    "raises": "On the shapes you gave {error}. On nets whose layers are square it runs, and this is what it does there.",
    "calls": (
        "Two calls with the same numbers give different answers.",
        "A gradient depends on the parameters, X and Y and on nothing else.",
    ),
}


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong with a gradient: the id of a `mistake`, "none" or "unknown", in words and as a term.

    `candidates` are all ids whose numbers are these, `where` the first wrong name from the loss down, `term` the `Term` at
    fault with its right formula and value, `ratio` claimed / right where that is one number for all entries of `where`; `undecided` if "none" cannot be told for every name.
    """

    mistake: str
    explanation: str
    candidates: tuple = ()
    where: str | None = None
    term: Term | None = field(default=None, repr=False)
    ratio: float | None = None
    undecided: bool = False

    @property
    def others(self):
        """Which mistakes give the same numbers, in words; None if no other does."""
        return WORDS["others"].format(names=", ".join(self.candidates[1:])) if len(self.candidates) > 1 else None

    def _lines(self):
        yield self.mistake + (f", first seen in {self.where}" if self.where else "")
        yield self.explanation
        if self.term is not None:
            yield f"The term at fault, as it should be: {self.term}"
        if self.others:
            yield self.others

    def __repr__(self):
        return "\n".join(self._lines())

    def _repr_html_(self):
        first, *rest = map(escape, self._lines())
        return f"<b>{first}</b><br>" + "<br>".join(rest)


def no_mistake(verdicts, reasons):
    """The diagnosis where nothing disagrees: right, or not to be told."""
    reasons = {name: reasons[name] for name, verdict in verdicts.items() if verdict != "agree"}
    if not reasons:
        return Diagnosis("none", " ".join(WORDS["none"]))
    kept = "; ".join(
        f"{reason} ({', '.join(name for name in reasons if reasons[name] == reason)})"
        for reason in dict.fromkeys(reasons.values())
    )
    return Diagnosis("none", " ".join(WORDS["kept"]).format(kept=kept), undecided=True)


def no_name(where, before, claim, right, n, note=None):
    """The diagnosis where no mistake of the table gives the numbers; `claim` and `right` are those of the name `where`.

    `before` says whether any was claimed that stands before it, from the loss down.
    """
    first = WORDS["first" if before else "only"].format(where=where)
    says = " ".join(filter(None, [WORDS["unknown"], first, *of_ratio(claim, right, n), note]))
    return Diagnosis("unknown", says, (), where, None, constant_ratio(claim, right))


def of_ratio(claim, right, n):
    """What can be said of claim / right: nearly 1, one number for all entries, or nothing."""
    nearly, ratio = list(nearly_right(claim, right)), constant_ratio(claim, right)
    yield from nearly
    if not nearly and ratio is not None:
        of_n = n > 1 and any(abs(ratio / factor - 1) < 1e-6 for factor in (n, 1 / n, n * n, 1 / n**2))
        key = "ratio-sign" if abs(ratio + 1) < 1e-9 else "ratio-n" if of_n else "ratio"
        yield WORDS[key].format(ratio=number(ratio, 4), n=n)


def nearly_right(claim, right):
    """To how many digits a wrong claim is right, if to some."""
    with np.errstate(all="ignore"):
        off = np.max(np.abs(claim - right)) / np.max(np.abs(right))
    if off < 1e-3:
        yield WORDS["close"].format(digits=min(15, int(-np.log10(max(off, 1e-15)))))


def constant_ratio(claim, right):
    """claim / right where that is one number for all entries, else None."""
    claim, right = np.asarray(claim), np.asarray(right)
    with np.errstate(all="ignore"):
        ratio = float((claim * right).sum() / (right * right).sum())
        same = np.abs(claim - ratio * right).max() <= AGREE[claim.dtype.type] * np.abs(ratio * right).max()
    return ratio if same and right.any() else None


def differing_calls(first, second, right, order):
    """The diagnosis of a function that answers differently each time: whether the right gradient is added each time.

    `order` holds the names from the loss down.
    """
    differ = [name for name in order if not np.array_equal(first.get(name), second.get(name))]
    if all(_added(np.asarray(right[name]), first.get(name), second.get(name)) for name in differ):
        return Diagnosis("stale-gradient", " ".join(MISTAKES["stale-gradient"].says), ("stale-gradient",), differ[0])
    return Diagnosis("unknown", " ".join(WORDS["calls"]), (), differ[0])


def _added(right, before, now):
    """Whether an answer is the one before and the right gradient added, or the right one twice."""
    if any(answer is None or answer.shape != right.shape for answer in (before, now)):
        return False
    off = min(np.abs(now - before - right).max(), np.abs(now - 2 * right).max())
    return off <= 10 * AGREE[now.dtype.type] * np.abs(now).max()


# --- graphs -------------------------------------------------------------------------------------------------------------

SLOPE = (
    "You left out d{of}/d{wrt}, the slope of the activation.",
    "On the way from {of} to {wrt} multiply by d{of}/d{wrt} = {formula}.",
)
AT_A = (
    "The slope d{of}/d{wrt} is taken at {of}, as if the activation had not been applied yet.",
    "It belongs to the number that went in, {wrt}.",
)
LOOK = "Look at the term d{of}/d{wrt} = {formula}: is its factor right?"
ON_GRAPHS = {
    "left-out": (
        "The term d{of}/d{wrt} is left out: the numbers are those with 1 in its place.",
        "On every path over this edge multiply by it, d{of}/d{wrt} = {formula}.",
    ),
    "sign": ("The sign is the opposite one.", "Look at the term d{of}/d{wrt} = {formula}: which sign has it?"),
    "factor-two": ("Every derivative is twice the right one.", LOOK),
    "factor-half": ("Every derivative is half of the right one.", LOOK),
    "output-slope-missing": SLOPE,
    "hidden-slope-missing": SLOPE,
    "hidden-slope-twice": ("The slope d{of}/d{wrt} is multiplied in twice.", "Each term of the chain comes once."),
    "output-slope-at-a": AT_A,
    "hidden-slope-at-a": AT_A,
    "slope-of-z": (
        "The short form of the slope, which is meant for {of}, is given {wrt}.",
        "a (1 - a) and 1 - a^2 want the activation's value: use {of} in them.",
    ),
    "slope-of-other-activation": (
        "For d{of}/d{wrt} the slope of another activation is taken.",
        "a (1 - a) is the sigmoid's, 1 - a^2 the tanh's.",
    ),
    "path-missing": MISTAKES["path-missing"].says,
    "unknown": "No single mistake that is known here gives these numbers.",
    "wrong": "Wrong: {names}.",
    "times": "{name} ({ratio} times the right one)",
    "right": "Right: {names}.",
}


def of_graph(check, right, where, found):
    """The diagnosis of a graph's numbers from the mistakes (id, term at fault) that were `found` to give them."""
    ratio = constant_ratio(check.claimed[where], right[where])
    if not found:
        return Diagnosis("unknown", " ".join(_unknown(check, right, where)), (), where, None, ratio)
    order = [*MISTAKES, "left-out"]
    name, term = min(found, key=lambda suspect: order.index(suspect[0]))
    names = {"name": term.wrt, "of": term.of, "wrt": term.wrt, "formula": term.formula}
    candidates = tuple(sorted({one for one, _ in found} & MISTAKES.keys(), key=order.index))
    mistake = name if name in MISTAKES else "unknown"
    return Diagnosis(mistake, " ".join(ON_GRAPHS[name]).format(**names), candidates, where, term, ratio)


def _unknown(check, right, where):
    """What can be said without a name: which numbers are wrong, by which factor, and which are right."""
    yield ON_GRAPHS["unknown"]
    by_verdict = {
        verdict: [name for name in check.verdicts if check.verdicts[name] == verdict]
        for verdict in ("disagree", "agree")
    }
    ratios = {name: constant_ratio(check.claimed[name], right[name]) for name in by_verdict["disagree"]}
    names = [
        name if ratio is None else ON_GRAPHS["times"].format(name=name, ratio=number(ratio, 4))
        for name, ratio in ratios.items()
    ]
    yield ON_GRAPHS["wrong"].format(names=", ".join(names))
    if by_verdict["agree"]:
        yield ON_GRAPHS["right"].format(names=", ".join(by_verdict["agree"]))
    yield from nearly_right(check.claimed[where], right[where])
