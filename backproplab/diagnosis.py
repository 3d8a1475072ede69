"""Why is this gradient wrong? Every mistake of the table is made in turn, and its numbers are laid beside the claim."""

from dataclasses import dataclass, field, replace
from html import escape

import numpy as np
import sympy as sp

from . import claims
from .checking import check_gradient, in_double
from .graph_diagnosis import explained, suspects
from .hypotheses import edges_at_fault, explains, gather, hypotheses, matches, survivors
from .mistakes import MISTAKES, PLACES
from .network import Network
from .notation import number
from .probing import probes
from .terms import Term, backpropagate
from .verdicts import AGREE, STRUCTURE

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
GRAPH_WORDS = {
    "left-out": (
        "The term d{of}/d{wrt} is left out: the numbers are those with 1 in its place.",
        "On every path over this edge multiply by it, d{of}/d{wrt} = {formula}.",
    ),
    "sign": (
        "The sign is the opposite one.",
        "Look at the inner derivatives, such as that of y - a by a, which is -1.",
    ),
    "factor-two": (
        "Every derivative is twice the right one.",
        "Look at the term d{of}/d{wrt} = {formula}: is its factor right?",
    ),
    "factor-half": (
        "Every derivative is half of the right one.",
        "Look at the term d{of}/d{wrt} = {formula}: is its factor right?",
    ),
    "output-slope-missing": (
        "You left out d{of}/d{wrt}, the slope of the activation.",
        "On the way from {of} to {wrt} multiply by d{of}/d{wrt} = {formula}.",
    ),
    "hidden-slope-missing": (
        "You left out d{of}/d{wrt}, the slope of the activation.",
        "On the way from {of} to {wrt} multiply by d{of}/d{wrt} = {formula}.",
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


# --- the answer -------------------------------------------------------------------------------------------------------


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
    if hasattr(model, "lines") and hasattr(model, "forward"):
        if X is not None or Y is not None:
            raise TypeError("diagnose: X and Y are for networks; a graph's numbers are given as at={'x': 1.5, ...}")
        return _diagnose_graph(claimed, model, at or {}, output or model.output, time_limit)
    if not isinstance(model, Network):
        raise TypeError(f"diagnose: expected a Network or a Graph, found {type(model).__name__}")
    if X is None or Y is None or at is not None or output is not None:
        raise TypeError(
            "diagnose: for a Network give X and Y, the rows at which the gradient was computed (at and output are for graphs)"
        )
    network = in_double(model)
    if callable(claimed):
        return _diagnose_function(claimed, model, network, X, Y, time_limit)
    try:
        evidence = gather(network, X, Y, claims.read(claimed, _shapes(network), "diagnose"))
    except claims.ShapeError as error:
        return _of_wrong_shape(error, network, X, Y)
    return conclude(evidence, survivors(evidence, hypotheses(network)) if evidence.wrong else [])


def _shapes(network):
    return {name: value.shape for name, value in network.parameters.items()}


def conclude(evidence, found, note=None):
    """The diagnosis: the first hypothesis that is left, in the table's order."""
    if not evidence.wrong:
        return _no_mistake(evidence)
    where = evidence.wrong[0]
    if not found:
        return _unknown(evidence, where, note)
    found = sorted(
        found, key=lambda one: one[0].row.id == "bias-total" and any(other.row.id == "bias-zero" for other, _ in found)
    )
    hypothesis, at = found[0]  # a total that cancels to rounding looks like 0, but an exact 0 is no rounding
    term = term_at_fault(evidence, hypothesis, where)
    words = [*hypothesis.row.says, *([note] if note else [])]
    names = _names(evidence, term, where, at)
    return Diagnosis(
        hypothesis.row.id,
        " ".join(words).format(**names),
        tuple(dict.fromkeys(one.row.id for one, _ in found)),
        where,
        term,
        _ratio(evidence, where),
    )


def term_at_fault(evidence, hypothesis, where):
    """The right `Term` of the edge at which the mistake first shows."""
    row, kind, layer = hypothesis.row, where[0], int(where[1:])
    by_edge = {(term.of, term.wrt): term for term in evidence.terms}
    if row.id == "layer-factor":
        return by_edge[f"Z{layer}", where]
    if row.id == "l2-on-bias":
        return replace(
            by_edge[f"Z{layer}", where],
            of="L",
            paper=_zero,
            value=np.zeros(np.shape(evidence.trace[where])),
            rule="times",
            line=evidence.terms[-1].line,
        )
    at = evidence.situation
    edges = list(edges_at_fault(row, hypothesis.layers(evidence.network, at), evidence.network, at))
    if row.id == "raw-error-back":
        return by_edge[f"A{evidence.network.depth}", f"Z{evidence.network.depth}"]
    if row.place in ("hidden", "through") and hypothesis.layer is None:
        near = [edge for edge in edges if int(edge[1][1:]) >= layer]
        return by_edge[min(near, key=lambda edge: int(edge[1][1:]))] if near else by_edge[edges[-1]]
    if row.place in ("weights", "bias", "penalty"):
        return by_edge.get((PLACES[row.place][0].format(l=layer), f"{kind}{layer}"), by_edge[edges[-1]])
    return by_edge[edges[-1]]


def _zero():
    return sp.Integer(0), None


def _names(evidence, term, where, at):
    """What the words of a row may name."""
    letter, layer = term.wrt[0], int(term.wrt[1:]) if term.wrt[1:] else 1
    below = layer - 1
    activations = evidence.network.activations
    return {
        "l": layer, "u": layer + 1, "d": evidence.network.depth, "n": at.n, "name": where, "constant": number(at.constant, 4),
        "g": activations[layer - 1] if letter in "AZ" else "", "below": f"A{below}" if below else "X", "belowz": f"Z{below}",
    }  # fmt: skip


def _no_mistake(evidence):
    open_names = [name for name, verdict in evidence.verdicts.items() if verdict != "agree"]
    if not open_names:
        return Diagnosis("none", " ".join(WORDS["none"]))
    reason = evidence.reasons[open_names[0]]
    return Diagnosis("none", " ".join(WORDS["kept"]).format(names=", ".join(open_names), reason=reason))


def _ratio(evidence, where):
    claim, right = evidence.claimed[where].astype(float), evidence.right[where]
    with np.errstate(all="ignore"):
        constant = float((claim * right).sum() / ((right * right).sum() or 1.0))
    return constant if right.any() and matches(evidence, where, constant * right) else None


def _unknown(evidence, where, note):
    return _no_name(where, _ratio(evidence, where), note, len(evidence.trace["X"]))


def _no_name(where, ratio, note=None, n=1):
    words = [*WORDS["unknown"], *([WORDS["ratio"]] if ratio is not None else []), *([note] if note else [])]
    return Diagnosis(
        "unknown", " ".join(words).format(where=where, ratio=number(ratio or 0.0), n=n), (), where, None, ratio
    )


def _of_wrong_shape(error, network, X, Y):
    """A claim of another shape: the transpose of the right numbers is named, all else explained."""
    name, found = error.name, error.arrays[error.name]
    expected = network.parameters[name].shape
    words = [
        word.format(
            name=name, found=found.shape, expected=expected, why=claims.explain_shape(found.shape, expected, name)
        )
        for word in WORDS["shape"]
    ]
    if found.T.shape == expected:
        turned = gather(network, X, Y, {name: found.T})
        if not turned.wrong:
            term = next(term for term in turned.terms if term.wrt == name and term.of[0] == "Z")
            return Diagnosis("weight-gradient-transposed", words[0], ("weight-gradient-transposed",), name, term)
    return Diagnosis("unknown", " ".join(words), (), name)


# --- graphs -----------------------------------------------------------------------------------------------------------


def _diagnose_graph(claimed, graph, at, output, time_limit):
    """The first mistake that gives the claimed numbers; names are looked at from the output down."""
    check = check_gradient(graph, at=at, claimed=claimed, output=output, time_limit=time_limit)
    if check.verdict != "disagree":
        open_names = [name for name, verdict in check.verdicts.items() if verdict != "agree"]
        words = WORDS["kept"] if open_names else WORDS["none"]
        return Diagnosis(
            "none",
            " ".join(words).format(names=", ".join(open_names), reason=next(filter(None, check.reasons.values()), "")),
        )
    terms = graph.terms(graph.forward(**at))
    right = backpropagate(terms, output) if terms else {}
    right |= {name: 0.0 for name in check.claimed if name not in right}
    where = next(name for name in right if check.verdicts.get(name) == "disagree")
    if STRUCTURE["same answer twice"] in check.reasons.values():
        return _of_two_calls(claimed, graph.forward(**at), graph, right, where, time_limit)
    found = [
        (name, term)
        for name, spoilt, term in suspects(graph, terms, output, where)
        if explained(spoilt, output, check.claimed, right)
    ]
    ratio = check.claimed[where] / right[where] if right[where] else None
    order = [*MISTAKES, "left-out"]
    found.sort(key=lambda suspect: order.index(suspect[0]))
    if not found:
        return _no_name(where, ratio)
    name, term = found[0]
    words = GRAPH_WORDS.get(name) or MISTAKES[name].says
    names = {"name": term.wrt, "of": term.of, "wrt": term.wrt, "formula": term.formula}
    candidates = tuple(dict.fromkeys(one for one, _ in found if one in MISTAKES))
    return Diagnosis(
        name if name in MISTAKES else "unknown", " ".join(words).format(**names), candidates, where, term, ratio
    )


def _of_two_calls(function, trace, graph, right, where, time_limit):
    """A function of a graph's inputs that answers differently each time: whether the right gradient is added each time."""
    inputs = {name: trace[name] for name in graph.inputs}
    first, second = (claims.call(lambda given: function(**given), (inputs,), "diagnose", time_limit) for _ in range(2))
    grown = all(_added(right[name], first[name], second[name], AGREE[np.float64]) for name in first)
    return Diagnosis(
        "stale-gradient" if grown else "unknown",
        " ".join(MISTAKES["stale-gradient"].says if grown else WORDS["calls"]),
        (),
        where,
    )


# --- a learner's function ---------------------------------------------------------------------------------------------


def _diagnose_function(function, model, network, X, Y, time_limit):
    """All evidence together: the given numbers first, then probes; a mistake must explain every one of them."""
    try:
        own, failure = _evidence_of(function, model, network, X, Y, time_limit), None
    except (ValueError, TypeError) as error:
        own, failure = None, error
    if own is None and not _may_be_square(failure):
        raise failure
    if own is not None:
        stale = _stale(own, _evidence_of(function, model, network, X, Y, time_limit))
        if stale:
            return stale
    evidence = [own] if own is not None else []
    for probe, x, y in probes(model, X, Y):
        try:
            evidence.append(_evidence_of(function, probe, in_double(probe), x, y, time_limit))
        except (ValueError, TypeError):
            continue  # a function written for its own sizes, or a mistake that is a shape error here
    if not evidence:
        raise failure
    shown = next((one for one in evidence if one.wrong), None)
    if shown is None:
        if own is None:
            raise failure
        return conclude(own, [])
    left = survivors(shown, hypotheses(network))
    for other in evidence:
        if other is not shown:
            left = [(one, at) for one, at in left if explains(other, one) is not None]
    note = WORDS["raises"] if own is None else None if shown is own else WORDS["hidden"]
    return conclude(shown, left, note)


def _may_be_square(error):
    """Whether an error may come from shapes that do not fit: probes with square layers may still run."""
    return isinstance(error, claims.ShapeError) or isinstance(error.__cause__, (ValueError, IndexError))


def _evidence_of(function, model, network, X, Y, time_limit):
    given = model.parameters, np.asarray(X), np.asarray(Y)
    return gather(network, X, Y, claims.claimed_by(function, given, _shapes(network), "diagnose", time_limit))


def _stale(first, second):
    """The diagnosis of a function that answers differently the second time; None if it does not."""
    if all(np.array_equal(first.claimed[name], second.claimed.get(name)) for name in first.claimed):
        return None
    where = next(iter(first.verdicts))
    if second.claimed.keys() == first.claimed.keys() and all(_grows(first, second, name) for name in first.claimed):
        term = next(term for term in first.terms if term.wrt == where and term.of[0] == "Z")
        return Diagnosis("stale-gradient", " ".join(MISTAKES["stale-gradient"].says), ("stale-gradient",), where, term)
    return Diagnosis("unknown", " ".join(WORDS["calls"]), (), where)


def _grows(first, second, name):
    """Whether the second claim is the first and the right gradient added, or the right one twice."""
    before, now = first.claimed[name], second.claimed[name]
    return _added(first.right[name], before.astype(float), now.astype(float), AGREE[before.dtype.type])


def _added(right, before, now, tolerance):
    return min(np.abs(now - before - right).max(), np.abs(now - 2 * right).max()) <= 10 * tolerance * np.abs(now).max()
