"""What is wrong with a gradient of a network: every mistake of the table is made in turn, its numbers laid beside the claim."""

from contextlib import suppress
from dataclasses import replace

import numpy as np
import sympy as sp

from ..checking import claims
from ..checking.check import in_double
from ..notation import number
from .hypotheses import edges_at_fault, explains, gather, hypotheses, survivors
from .mistakes import PLACES
from .probes import probes
from .report import WORDS, Diagnosis, constant_ratio, no_mistake, no_name, two_answers


def diagnose_numbers(claimed, network, X, Y):
    """The diagnosis of a dict of arrays; `network` in float64."""
    evidence = gather(network, X, Y, claims.read(claimed, network.parameters, "diagnose"))
    return conclude(evidence, survivors(evidence, hypotheses(network)) if evidence.wrong else [])


def conclude(evidence, found, note=None):
    """The diagnosis: the first hypothesis that is left, in the table's order."""
    if not evidence.wrong:
        return no_mistake(evidence.verdicts, evidence.reasons)
    where = evidence.wrong[0]
    misshapen = [f"{evidence.reasons[name]}." for name in evidence.misshapen[:1]]
    note = " ".join([*misshapen, *([note] if note else [])])
    if not found and evidence.misshapen:
        return Diagnosis("unknown", " ".join([WORDS["unknown"], note]), (), evidence.misshapen[0])
    if not found:
        before = where != next(iter(evidence.verdicts))
        return no_name(where, before, evidence.claimed[where], evidence.right[where], len(evidence.trace["X"]), note)
    found = sorted(
        found, key=lambda one: one[0].row.id == "bias-total" and any(other.row.id == "bias-zero" for other, _ in found)
    )
    hypothesis, at = found[0]  # a total that cancels to rounding looks like 0, but an exact 0 is no rounding
    term = term_at_fault(evidence, hypothesis, where)
    says = " ".join(hypothesis.row.says).format(**_names(evidence, term, where, at))
    return Diagnosis(
        hypothesis.row.id,
        f"{says} {note}" if note else says,
        tuple(dict.fromkeys(one.row.id for one, _ in found)),
        where,
        term,
        None if where in evidence.misshapen else constant_ratio(evidence.claimed[where], evidence.right[where]),
    )


def term_at_fault(evidence, hypothesis, where):
    """The right `Term` of the edge at which the mistake first shows."""
    row, kind, layer = hypothesis.row, where[0], int(where[1:])
    by_edge = {(term.of, term.wrt): term for term in evidence.terms}
    if row.id == "layer-factor":
        return by_edge[f"Z{layer}", where]
    if row.id == "l2-on-bias":
        return _term(evidence.terms, evidence.trace, "L", where)
    at = evidence.situation()
    edges = list(edges_at_fault(row, hypothesis.layers(evidence.network, at), evidence.network, at))
    if row.id == "raw-error-back":
        return by_edge[f"A{evidence.network.depth}", f"Z{evidence.network.depth}"]
    if row.place in ("hidden", "through") and hypothesis.layer is None:
        near = [edge for edge in edges if int(edge[1][1:]) >= layer]
        return by_edge[min(near, key=lambda edge: int(edge[1][1:]))] if near else by_edge[edges[-1]]
    if row.place in ("weights", "bias", "penalty"):
        return by_edge.get((PLACES[row.place][0].format(l=layer), f"{kind}{layer}"), by_edge[edges[-1]])
    return by_edge[edges[-1]]


def _term(terms, trace, of, wrt):
    """The term of an edge; from the penalty to a bias, where there is no edge, a term that is 0."""
    shape = np.shape(trace[wrt])
    nothing = replace(terms[-1], of=of, wrt=wrt, paper=_zero, value=np.zeros(shape), wrt_shape=shape, rule="times")
    return next((term for term in terms if (term.of, term.wrt) == (of, wrt)), nothing)


def _zero():
    return sp.Integer(0), None


def _names(evidence, term, where, at):
    """What the words of a row may name."""
    letter, layer = term.wrt[0], int(term.wrt[1:]) if term.wrt[1:] else 1
    depth, below = evidence.network.depth, layer - 1
    g = evidence.network.activations[layer - 1] if letter in "AZ" else ""
    chain = f"dL/dA{depth} through the softmax's whole Jacobian" if g == "softmax" else f"dL/dA{depth} * {g}'(Z{depth})"
    return {
        "l": layer, "u": layer + 1, "d": depth, "n": at.n, "name": where, "constant": number(at.constant, 4),
        "g": g, "chain": chain, "below": f"A{below}" if below else "X", "belowz": f"Z{below}",
    }  # fmt: skip


# --- a learner's function ---------------------------------------------------------------------------------------------


def diagnose_function(function, model, X, Y, time_limit):
    """All evidence together: the given numbers first, then probes; a mistake must explain every one of them."""
    own = in_double(model)
    trace, evidence, failure = (
        own.forward(X, Y),
        [],
        None,
    )  # targets that do not fit are refused before the function is called
    try:
        first, second = (_evidence(function, model, X, Y, time_limit) for _ in range(2))
    except (ValueError, TypeError) as error:
        failure = error
        if not _may_be_of_shapes(error):
            raise
    else:
        if claims.unlike(first.claimed, second.claimed):
            return two_answers(first.claimed, second.claimed, first.right, first.verdicts | second.verdicts)
        evidence.append(first)
    for probe, x, y in probes(model, X, Y):
        # It may be written for its own sizes, or its mistake be an error of shapes here.
        with suppress(ValueError, TypeError):
            evidence.append(_evidence(function, probe, x, y, time_limit))
    clear = [one for one in evidence if one.clear and one.wrong]
    shown = next((one for one in (*clear, *evidence) if one.wrong), None)
    if shown is None and failure:
        raise failure
    if shown is None:
        return conclude(evidence[0], [])
    others = [one for one in evidence if one is not shown and (one.clear or not clear)]
    left = [(one, at) for one, at in survivors(shown, hypotheses(shown.network)) if _holds(one, at, others)]
    if failure:
        found = conclude(shown, left, WORDS["raises"].format(error=str(failure).removeprefix("diagnose: ")))
        return replace(found, term=found.term and _term(own.terms(trace), trace, found.term.of, found.term.wrt))
    hidden = "rounding" if evidence[0].wrong else "hidden"
    return conclude(shown, left, None if shown is evidence[0] else WORDS[hidden].format(n=len(shown.trace["X"])))


def _holds(hypothesis, at, others):
    """Whether a mistake, with the constant that was found, explains all other evidence too."""
    for other in others:
        there = explains(other, hypothesis)
        if there is None or (
            hypothesis.row.solved and other.wrong and not np.isclose(at.constant, there.constant, rtol=1e-3, atol=0)
        ):
            return False
    return True


def _evidence(function, model, X, Y, time_limit):
    given = model.parameters, np.asarray(X), np.asarray(Y)
    claimed = claims.read(claims.call(function, given, "diagnose", time_limit), model.parameters, "diagnose")
    return gather(in_double(model), X, Y, claims.as_computed(claimed, given))


def _may_be_of_shapes(error):
    """Whether an error may come from shapes that do not fit: probes with square layers may still run."""
    return isinstance(error.__cause__, (ValueError, IndexError))
