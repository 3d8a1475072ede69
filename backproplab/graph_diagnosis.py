"""What is wrong with a gradient of a graph: a term left out, a path forgotten, a factor or a sign too many."""

from dataclasses import replace

import numpy as np

from .answers import Diagnosis, no_mistake, no_name, two_answers
from .checking import check_graph, claimed_at
from .functions import ACTIVATIONS
from .mistakes import MISTAKES
from .terms import backpropagate, terms_between
from .verdicts import AGREE, STRUCTURE

SLOPE = (
    "You left out d{of}/d{wrt}, the slope of the activation.",
    "On the way from {of} to {wrt} multiply by d{of}/d{wrt} = {formula}.",
)
LOOK = "Look at the term d{of}/d{wrt} = {formula}: is its factor right?"
WORDS = {
    "left-out": (
        "The term d{of}/d{wrt} is left out: the numbers are those with 1 in its place.",
        "On every path over this edge multiply by it, d{of}/d{wrt} = {formula}.",
    ),
    "sign": (
        "The sign is the opposite one.",
        "Look at the inner derivatives, such as that of y - a by a, which is -1.",
    ),
    "factor-two": ("Every derivative is twice the right one.", LOOK),
    "factor-half": ("Every derivative is half of the right one.", LOOK),
    "output-slope-missing": SLOPE,
    "hidden-slope-missing": SLOPE,
    "path-missing": MISTAKES["path-missing"].says,
}


def diagnose_graph(claimed, graph, at, output, time_limit):
    """The first mistake that gives the claimed numbers; names are looked at from the output down."""
    check = check_graph(graph, at, claimed, output, "complex step", time_limit, "diagnose")
    if check.verdict != "disagree":
        return no_mistake(check.verdicts, check.reasons)
    trace = graph.forward(**at)
    terms = graph.terms(trace)
    right = backpropagate(terms, output) if terms else {}
    right |= {name: 0.0 for name in check.claimed if name not in right}
    where = next(name for name in right if check.verdicts.get(name) == "disagree")
    if STRUCTURE["same answer twice"] in check.reasons.values():
        first, second = (claimed_at(claimed, graph, trace, time_limit, "diagnose") for _ in range(2))
        return two_answers(first, second, right, where)
    found = [
        (name, term)
        for name, spoilt, term in suspects(graph, terms, output, where)
        if explained(spoilt, output, check.claimed, right)
    ]
    ratio = check.claimed[where] / right[where] if right[where] else None
    if not found:
        return no_name(where, ratio)
    order = [*MISTAKES, "left-out"]
    name, term = min(found, key=lambda suspect: order.index(suspect[0]))
    names = {"name": term.wrt, "of": term.of, "wrt": term.wrt, "formula": term.formula}
    candidates = tuple(sorted({one for one, _ in found} & MISTAKES.keys(), key=order.index))
    mistake = name if name in MISTAKES else "unknown"
    return Diagnosis(mistake, " ".join(WORDS[name]).format(**names), candidates, where, term, ratio)


def suspects(graph, terms, output, where):
    """(id, terms spoilt, the term at fault) for every mistake that can be made on a graph; "left-out" is no row of the table."""
    top = [term for term in terms if term.of == output]
    known = any(where in (term.of, term.wrt) for term in terms)
    leading = [term for term in terms_between(terms, output, where) if term.of == output] if known else []
    leading = leading or top
    for name, factor in (("factor-two", 2.0), ("factor-half", 0.5), ("sign", -1.0)):
        yield name, [_scaled(term, factor) if term in top else term for term in terms], leading[0]
    used = {term.wrt for term in top}
    for i, term in enumerate(terms):
        called = getattr(graph.formula(term.of), "row", None)
        slope = called is not None and called.name in ACTIVATIONS
        missing = ("output" if term.of in used else "hidden") + "-slope-missing" if slope else "left-out"
        yield missing, [*terms[:i], replace(term, value=1.0), *terms[i + 1 :]], term
    uses = {}
    for term in terms:
        uses.setdefault(term.wrt, []).append(term)
    often = [same for same in uses.values() if len(same) > 1]
    for same in often:
        for kept in same:
            dropped = [term for term in same if term is not kept]
            yield "path-missing", [_scaled(term, 0.0) if term in dropped else term for term in terms], dropped[0]
        for dropped in same if len(same) > 2 else ():
            yield "path-missing", [_scaled(term, 0.0) if term is dropped else term for term in terms], dropped
    for kept in (0, -1) if len(often) > 1 else ():
        dropped = [term for same in often for term in same if term is not same[kept]]
        yield "path-missing", [_scaled(term, 0.0) if term in dropped else term for term in terms], dropped[0]


def _scaled(term, factor):
    return replace(term, value=factor * term.value)


def explained(spoilt, output, claimed, right):
    """Whether the spoilt terms give the claimed numbers, and other ones than the right terms do."""
    gradient = backpropagate(spoilt, output)
    return all(_close(claim, gradient.get(name, 0.0)) for name, claim in claimed.items()) and not all(
        _close(gradient.get(name, 0.0), right[name]) for name in claimed
    )


def _close(one, other):
    return abs(one - other) <= AGREE[np.float64] * abs(other)
