"""What `diagnose` says: a mistake by its id, in words and as a term."""

from dataclasses import dataclass, field
from html import escape

import numpy as np

from .mistakes import MISTAKES
from .notation import number
from .terms import Term
from .verdicts import AGREE

WORDS = {
    "none": ("The gradient is right.", "Every entry agrees with the package's own within rounding."),
    "kept": ("No mistake shows.", "But for {names} it cannot be told: {reason}."),
    "unknown": (
        "No single mistake of the table gives these numbers.",
        "From the loss down {where} is the first that is wrong; what comes before it is right.",
    ),
    "ratio": "There the claim is {ratio} times the right gradient in every entry.",
    "shape": ("{name} has shape {found}, expected {expected}: {why}.", "The other claims were not looked at."),
    "hidden": "On the numbers you gave it does not show; on others, with n = {n} rows, it does.",
    "raises": "On the shapes you gave your function stops with an error; where every layer is square it runs, and this is what it does.",
    "calls": (
        "Two calls with the same numbers give different answers.",
        "A gradient depends on the parameters, X and Y and on nothing else.",
    ),
}


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong with a gradient: the id of a `mistake`, "none" or "unknown", in words and as a term.

    `candidates` are all ids whose numbers are these, `where` the first wrong name from the loss down, `term` the `Term` at
    fault with its right formula and value, `ratio` claimed / right where that is one number for all entries of `where`.
    """

    mistake: str
    explanation: str
    candidates: tuple = ()
    where: str | None = None
    term: Term | None = field(default=None, repr=False)
    ratio: float | None = None

    def _lines(self):
        yield self.mistake + (f", first seen in {self.where}" if self.where else "")
        yield self.explanation
        if self.term is not None:
            yield f"The term at fault, as it should be: {self.term}"
        if len(self.candidates) > 1:
            yield f"The same numbers come from {', '.join(self.candidates[1:])}."

    def __repr__(self):
        return "\n".join(self._lines())

    def _repr_html_(self):
        first, *rest = map(escape, self._lines())
        return f"<b>{first}</b><br>" + "<br>".join(rest)


def no_mistake(verdicts, reasons):
    """The diagnosis where nothing disagrees: right, or not to be told."""
    undecided = [name for name, verdict in verdicts.items() if verdict != "agree"]
    words = WORDS["kept"] if undecided else WORDS["none"]
    return Diagnosis(
        "none", " ".join(words).format(names=", ".join(undecided), reason=reasons[undecided[0]] if undecided else "")
    )


def no_name(where, ratio, note=None, n=1):
    """The diagnosis where no mistake of the table gives the numbers."""
    words = [*WORDS["unknown"], *([WORDS["ratio"]] if ratio is not None else []), *([note] if note else [])]
    return Diagnosis(
        "unknown", " ".join(words).format(where=where, ratio=number(ratio or 0.0), n=n), (), where, None, ratio
    )


def two_answers(first, second, right, where, term=None):
    """The diagnosis of a function that answers differently each time: whether the right gradient is added each time."""
    if first.keys() == second.keys() and all(_added(right[name], first[name], second[name]) for name in first):
        return Diagnosis("stale-gradient", " ".join(MISTAKES["stale-gradient"].says), ("stale-gradient",), where, term)
    return Diagnosis("unknown", " ".join(WORDS["calls"]), (), where)


def _added(right, before, now):
    """Whether an answer is the one before and the right gradient added, or the right one twice."""
    off = min(np.abs(now - before - right).max(), np.abs(now - 2 * right).max())
    return off <= 10 * AGREE[now.dtype.type] * np.abs(now).max()
