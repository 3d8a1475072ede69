"""What is wrong with a gradient of a graph: a term left out, a path forgotten, a factor or a sign too many."""

from dataclasses import replace

import numpy as np

from .functions import ACTIVATIONS
from .terms import backpropagate, terms_between
from .verdicts import AGREE


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
