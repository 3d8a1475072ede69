"""What may be wrong with a gradient of a graph: a term left out, a path forgotten, a factor or a sign too many."""

from dataclasses import replace

import numpy as np

from ..checking.verdicts import AGREE
from ..functions.activations import ACTIVATIONS
from ..terms import above, backpropagate, below, terms_between


def every_suspect(trace, terms, output, wrong, agreed):
    """(id, terms spoilt, the term at fault) for every mistake that can be made on a graph; "left-out" is no row of the table.

    `wrong` names what was claimed and is wrong, from the loss down, `agreed` what was claimed and is right.
    """
    where = wrong[0]
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
    for lost in lost_uses(terms, output, wrong, agreed):
        edges = {term.edge for term in lost}
        yield "path-missing", [_scaled(term, 0.0) if term.edge in edges else term for term in terms], lost[0]


def lost_uses(terms, output, wrong, agreed):
    """The terms that may have been lost together: of one name, or of several alike, all uses but one, or one.

    The names are those that are `wrong`, beginning with the first, and what lies above them and was not `agreed`.
    """
    reached, lines = below(terms, output), {term.of for term in terms}
    at_fault = dict.fromkeys(upper for name in wrong for upper in above(terms, name))
    uses = {name: [] for name in at_fault if name not in agreed}
    for term in terms:
        if term.wrt in uses and term.of in reached:
            uses[term.wrt].append(term)
    often = [same for same in uses.values() if len(same) > 1]
    of_inputs = [same for same in often if same[0].wrt not in lines]  # weights that are shared
    of_lines = [same for same in often if same[0].wrt in lines]  # what goes on from line to line
    found = {}
    for several in (*([same] for same in often), often, of_inputs, of_lines):
        fewest = min(map(len, several), default=0)
        for use in range(-fewest, fewest):  # counted from the last as well as from the first
            for lost in (
                [term for same in several for term in same if term is not same[use]],
                [same[use] for same in several],
            ):
                found.setdefault(frozenset(term.edge for term in lost), lost)
    return found.values()


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
