"""What may be wrong with a gradient of a graph: a term left out, a path forgotten, a factor or a sign too many."""

from dataclasses import replace

import numpy as np

from ..checking.verdicts import AGREE
from ..functions.activations import ACTIVATIONS
from ..terms import backpropagate, terms_between


def every_suspect(trace, terms, output, where):
    """(id, terms spoilt, the term at fault) for every mistake that can be made on a graph; "left-out" is no row of the table."""
    top = [term for term in terms if term.of == output]
    if not top:
        return
    known = any(where in term.edge for term in terms)
    on_the_way = (terms_between(terms, output, where) if known else []) or top
    leading = next((term for term in on_the_way if term.of == output), top[0])
    negative = next((term for term in reversed(on_the_way) if term.value < 0), leading)
    for name, factor, term in (("factor-two", 2.0, leading), ("factor-half", 0.5, leading), ("sign", -1.0, negative)):
        yield name, [_scaled(term, factor) if term.of == output else term for term in terms], term
    used = {term.wrt for term in top}
    for i, term in enumerate(terms):
        row = term.line.called if term.line.called in ACTIVATIONS.values() else None
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
    lines = {term.of for term in terms}
    of_inputs = [same for same in often if same[0].wrt not in lines]  # weights that are shared
    of_lines = [same for same in often if same[0].wrt in lines]  # what goes on from line to line
    for several in (often, of_inputs, of_lines):
        drops += [[term for same in several for term in same if term is not same[kept]] for kept in (0, -1) if several]
    for dropped in drops:
        lost = {term.edge for term in dropped}
        yield (
            "path-missing",
            [_scaled(term, 0.0) if term.edge in lost else term for term in terms],
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
