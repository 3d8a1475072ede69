"""What is wrong with a gradient of a graph: a term left out, a path forgotten, a factor or a sign too many."""

from dataclasses import replace

import numpy as np

from ..checking.check import check_graph, claimed_at, graph_gradient
from ..checking.verdicts import AGREE, STRUCTURE
from ..functions.activations import ACTIVATIONS
from ..notation import number
from ..terms import backpropagate, terms_between
from .mistakes import MISTAKES
from .report import Diagnosis, constant_ratio, nearly_right, no_mistake, two_answers

SLOPE = (
    "You left out d{of}/d{wrt}, the slope of the activation.",
    "On the way from {of} to {wrt} multiply by d{of}/d{wrt} = {formula}.",
)
AT_A = (
    "The slope d{of}/d{wrt} is taken at {of}, as if the activation had not been applied yet.",
    "It belongs to the number that went in, {wrt}.",
)
LOOK = "Look at the term d{of}/d{wrt} = {formula}: is its factor right?"
WORDS = {
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


def diagnose_graph(claimed, graph, at, output, time_limit):
    """The first mistake that gives the claimed numbers; names are looked at from the output down."""
    check = check_graph(graph, at, claimed, output, "complex step", time_limit, "diagnose")
    if check.verdict != "disagree":
        return no_mistake(check.verdicts, check.reasons)
    trace = graph.forward(**at)
    terms = graph.terms(trace)
    right = graph_gradient(trace, terms, output)
    where = next(name for name in right if check.verdicts.get(name) == "disagree")
    if STRUCTURE["same answer twice"] in check.reasons.values():
        first, second = (claimed_at(claimed, graph, trace, time_limit, "diagnose") for _ in range(2))
        return two_answers(first, second, right, right)
    found = [
        (name, term)
        for name, spoilt, term in suspects(graph, trace, terms, output, where)
        if explained(spoilt, output, check.claimed, right, check.tolerance)
    ]
    ratio = constant_ratio(check.claimed[where], right[where])
    if not found:
        return Diagnosis("unknown", " ".join(_unknown(check, right, where)), (), where, None, ratio)
    order = [*MISTAKES, "left-out"]
    name, term = min(found, key=lambda suspect: order.index(suspect[0]))
    names = {"name": term.wrt, "of": term.of, "wrt": term.wrt, "formula": term.formula}
    candidates = tuple(sorted({one for one, _ in found} & MISTAKES.keys(), key=order.index))
    mistake = name if name in MISTAKES else "unknown"
    return Diagnosis(mistake, " ".join(WORDS[name]).format(**names), candidates, where, term, ratio)


def _unknown(check, right, where):
    """What can be said without a name: which numbers are wrong, by which factor, and which are right."""
    yield WORDS["unknown"]
    by_verdict = {
        verdict: [name for name in check.verdicts if check.verdicts[name] == verdict]
        for verdict in ("disagree", "agree")
    }
    ratios = {name: constant_ratio(check.claimed[name], right[name]) for name in by_verdict["disagree"]}
    names = [
        name if ratio is None else WORDS["times"].format(name=name, ratio=number(ratio, 4))
        for name, ratio in ratios.items()
    ]
    yield WORDS["wrong"].format(names=", ".join(names))
    if by_verdict["agree"]:
        yield WORDS["right"].format(names=", ".join(by_verdict["agree"]))
    yield from nearly_right(check.claimed[where], right[where])


def suspects(graph, trace, terms, output, where):
    """(id, terms spoilt, the term at fault) for every mistake that can be made on a graph; "left-out" is no row of the table."""
    top = [term for term in terms if term.of == output]
    if not top:
        return
    known = any(where in (term.of, term.wrt) for term in terms)
    on_the_way = (terms_between(terms, output, where) if known else []) or top
    leading = next((term for term in on_the_way if term.of == output), top[0])
    negative = next((term for term in reversed(on_the_way) if term.value < 0), leading)
    for name, factor, term in (("factor-two", 2.0, leading), ("factor-half", 0.5, leading), ("sign", -1.0, negative)):
        yield name, [_scaled(term, factor) if term.of == output else term for term in terms], term
    used = {term.wrt for term in top}
    for i, term in enumerate(terms):
        called = getattr(graph.formula(term.of), "row", None)
        row = called if called is not None and called.name in ACTIVATIONS else None
        others = (
            wrong_slopes(row, trace[term.wrt], trace[term.of], term, term.of in used) if row else [("left-out", 1.0)]
        )
        for name, value in others:
            yield name, [*terms[:i], replace(term, value=float(value)), *terms[i + 1 :]], term
    uses = {}
    for term in terms:
        uses.setdefault(term.wrt, []).append(term)
    often = [same for same in uses.values() if len(same) > 1]
    drops = [[term for term in same if term is not kept] for same in often for kept in same]
    drops += [[dropped] for same in often if len(same) > 2 for dropped in same]
    if len(often) > 1:
        drops += [[term for same in often for term in same if term is not same[kept]] for kept in (0, -1)]
    for dropped in drops:
        lost = {(term.of, term.wrt) for term in dropped}
        yield (
            "path-missing",
            [_scaled(term, 0.0) if (term.of, term.wrt) in lost else term for term in terms],
            dropped[0],
        )


def wrong_slopes(row, z, a, term, at_output):
    """(id, value) of each wrong slope that an activation may be given at z, where its value is a."""
    place = "output" if at_output else "hidden"
    yield f"{place}-slope-missing", 1.0
    yield f"{place}-slope-at-a", row.slope.value(a)
    yield "hidden-slope-twice", term.value**2
    if row.slope_from_value:
        yield "slope-of-z", row.slope_from_value(z)
    for other in ACTIVATIONS.values():
        if other.slope_from_value and other is not row:
            yield "slope-of-other-activation", other.slope_from_value(a)


def _scaled(term, factor):
    return replace(term, value=factor * term.value)


def explained(spoilt, output, claimed, right, tolerance):
    """Whether the spoilt terms give the claimed numbers, and other ones than the right terms do."""
    gradient = backpropagate(spoilt, output)
    same = all(_close(claim, gradient.get(name, 0.0), tolerance) for name, claim in claimed.items())
    return same and not all(_close(gradient.get(name, 0.0), right[name], AGREE[np.float64]) for name in claimed)


def _close(one, other, tolerance):
    return abs(one - other) <= tolerance * abs(other)
