"""Which mistake is it? Every one that can be made is made in turn, its numbers laid beside the claim."""

from contextlib import suppress
from dataclasses import replace

import numpy as np
import sympy as sp

from ..checking import claims
from ..checking.check import check_graph, claimed_at, graph_gradient, is_network
from ..checking.verdicts import STRUCTURE
from ..notation import number, parts
from ..terms import Slope
from . import report
from .hypotheses import every_hypothesis, explains, gather, survivors
from .probes import every_probe
from .suspects import every_suspect, explained


def diagnose(claimed, model, X=None, Y=None, *, at=None, output=None, time_limit=claims.TIME_LIMIT):
    """Name the mistake in a gradient of a network on rows X, Y, or of a graph at numbers `at`.

    `claimed` is a dict of arrays by parameter's name, or a function of (parameters, X, Y); for a graph of numbers, or a
    function of the inputs by name. `output` is a graph's last line unless named.

    A network's function is also called with other sizes, batches and parameters of the same
    depth, activations and loss, where no two mistakes look the same. A mistake is named only where its numbers match to 1e-9
    (1e-5 in float32), else it is "unknown". Returns a `Diagnosis`.
    ValueError, TypeError: a claim that is no gradient of this network (unknown name, NaN, empty), a function that raises,
    changes its inputs or takes longer than `time_limit` seconds, and as `forward`.
    """
    hint = "; the claim comes first: diagnose(claimed, model, ...)"
    if not is_network(model, X, Y, at, output, "diagnose", hint):
        return _of_graph(claimed, model, at, output, time_limit)
    if callable(claimed):
        return _of_function(claimed, model, X, Y, time_limit)
    claimed = claims.as_computed(claims.read(claimed, model.parameters, "diagnose"), model.parameters.values())
    evidence = gather(model.in_double(), X, Y, claimed)
    return conclude(evidence, survivors(evidence, every_hypothesis(model)) if evidence.wrong else [])


# --- graphs -------------------------------------------------------------------------------------------------------------


def _of_graph(claimed, graph, at, output, time_limit):
    """The first mistake that gives the claimed numbers; names are looked at from the output down."""
    check = check_graph(graph, at, claimed, output, "complex step", time_limit, "diagnose")
    if check.verdict != "disagree":
        return report.no_mistake(check.verdicts, check.reasons)
    trace, output = graph.forward(**(at or {})), graph.checked_output(output, "diagnose")
    terms = graph.terms(trace)
    right = graph_gradient(trace, terms, output)
    if STRUCTURE["same answer twice"] in check.reasons.values():
        first, second = (claimed_at(claimed, graph, trace, time_limit, "diagnose") for _ in range(2))
        return report.differing_calls(first, second, right, right)
    wrong, agreed = (
        [name for name in right if check.verdicts.get(name) == verdict] for verdict in ("disagree", "agree")
    )
    found = [
        (name, term)
        for name, spoilt, term in every_suspect(trace, terms, output, wrong, agreed)
        if explained(spoilt, output, check.claimed, right, check.tolerance)
    ]
    return report.of_graph(check, right, wrong[0], found)


# --- networks -----------------------------------------------------------------------------------------------------------


def conclude(evidence, found, note=None):
    """The diagnosis: the first hypothesis that is left, in the table's order."""
    if not evidence.wrong:
        return report.no_mistake(evidence.verdicts, evidence.reasons)
    where, misshapen = evidence.wrong[0], evidence.misshapen
    note = " ".join([*(f"{evidence.reasons[name]}." for name in misshapen[:1]), *([note] if note else [])])
    if not found and misshapen:
        return report.Diagnosis("unknown", f"{report.WORDS['unknown']} {note}", (), misshapen[0])
    if not found:
        before = where != next(iter(evidence.verdicts))
        return report.no_name(
            where, before, evidence.claimed[where], evidence.right[where], len(evidence.trace["X"]), note
        )
    hypothesis, at = found[0]
    term = term_at_fault(evidence, hypothesis, where)
    says = " ".join(hypothesis.row.says).format(**_names(evidence, term, where, at))
    return report.Diagnosis(
        hypothesis.row.id,
        f"{says} {note}" if note else says,
        tuple(dict.fromkeys(one.row.id for one, _ in found)),
        where,
        term,
        None if where in misshapen else report.constant_ratio(evidence.claimed[where], evidence.right[where]),
    )


def term_at_fault(evidence, hypothesis, where):
    """The right `Term` of the edge at which the mistake first shows: of those it spoils the nearest above the name `where`."""
    at, place, layer = evidence.situation(), hypothesis.place, parts(where).layer
    spoilt = hypothesis.edges(evidence, at)
    near = [one for one, (_, wrt) in spoilt.items() if parts(wrt).layer >= layer]
    nearest = min(near, default=max(spoilt))
    return _term(
        evidence.by_edge, evidence.trace, place.edge_to_show(evidence.network.layers[nearest - 1], spoilt[nearest])
    )


def _term(by_edge, trace, edge):
    """The term of an edge; from the penalty to a bias, where there is no edge, a term that is 0."""
    if edge in by_edge:
        return by_edge[edge]
    shape = np.shape(trace[edge[1]])
    beside = next(term for (of, _), term in by_edge.items() if of == edge[0])
    return replace(beside, wrt=edge[1], paper=Slope(_zero), value=np.zeros(shape), wrt_shape=shape, rule="times")


def _zero():
    return sp.Integer(0), None


def _names(evidence, term, where, at):
    """What the words of a row may name."""
    letter, layer, _ = parts(term.wrt)
    layer, depth = layer or 1, evidence.network.depth
    g = evidence.network.activations[layer - 1] if letter in "AZS" else ""
    own, lower = (evidence.network.layers[number - 1] for number in (layer, max(1, layer - 1)))
    chain = f"dL/dA{depth} through the softmax's whole Jacobian" if g == "softmax" else f"dL/dA{depth} * {g}'(Z{depth})"
    return {
        "l": layer, "u": layer + 1, "d": depth, "n": at.n, "name": where, "constant": number(at.constant, 4),
        "g": g, "chain": chain, "below": own.below, "belowz": lower.into, "into": own.into, "b": own.shift,
    }  # fmt: skip


# --- a learner's function ---------------------------------------------------------------------------------------------


def _of_function(function, model, X, Y, time_limit):
    """All evidence together: the given numbers first, then probes; a mistake must explain every one of them."""
    own = model.in_double()
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
            order = first.verdicts | second.verdicts
            return report.differing_calls(first.claimed, second.claimed, first.right, order)
        evidence.append(first)
    for probe, x, y in every_probe(model, X, Y):
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
    left = [(one, at) for one, at in survivors(shown, every_hypothesis(shown.network)) if _holds(one, at, others)]
    if failure:
        found = conclude(shown, left, report.WORDS["raises"].format(error=str(failure).removeprefix("diagnose: ")))
        by_edge = {term.edge: term for term in own.terms(trace)}
        return replace(found, term=found.term and _term(by_edge, trace, found.term.edge))
    hidden = "rounding" if evidence[0].wrong else "hidden"
    return conclude(shown, left, None if shown is evidence[0] else report.WORDS[hidden].format(n=len(shown.trace["X"])))


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
    return gather(model.in_double(), X, Y, claims.as_computed(claimed, (*given[0].values(), *given[1:])))


def _may_be_of_shapes(error):
    """Whether an error may come from shapes that do not fit: probes with square layers may still run."""
    return isinstance(error.__cause__, (ValueError, IndexError))
