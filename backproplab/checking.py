"""Is this gradient right? The witnesses' numbers beside the claim, and the verdict."""

from dataclasses import dataclass
from html import escape

import numpy as np

from . import claims
from .network import Network
from .notation import number
from .rounding import Margins, graph_margins, network_margins
from .terms import backpropagate
from .witnesses import WITNESSES, graph_case, network_case

AGREE = {
    np.float64: 1e-9,
    np.float32: 1e-5,
}  # largest relative error of an agreement, by what the claim was computed in
ROUNDING = 1e-12  # of the sum of |paths|: what two right computations may differ by
DOUBT = 1e3  # an agreement within rounding must still hold to this many times AGREE
SHOWN = 1e-12  # smaller errors are rounding, which differs between processors
MOST_ENTRIES = 400  # of one array that a witness looks at, one or more runs for each; more are sampled
REASONS = {
    "kink": "a kink is within reach: more than one slope is right there",
    "rounding": "the terms cancel or saturate: what is left is rounding",
    "step": "the witness is not exact enough here: its step is too coarse for a gradient this small, or crosses a kink",
    "sample": "of the many entries those that were looked at one by one agree, but not all together",
    "float32": "the claim has the digits of float32 only",
}
STRUCTURE = {
    "same answer twice": "two calls with the same numbers give different answers: does something stay from one call to the next?",
    "zero upstream": "where every answer is right (Y = A) nothing flows back, yet the claim is not 0 (beside the part of L2)",
    "other targets": "with other labels the right gradient is another, yet the claim does not follow",
}


@dataclass(frozen=True)
class GradientCheck:
    """A verdict on a gradient: `claimed` beside `witness`, `errors` by name and `entries` entry by entry.

    error = |claimed - witness| / min(sum over paths of |product of terms|, largest |witness| of the name), 0 where both are 0.
    `verdict` is "agree", "disagree" or "undecided", `verdicts` the same by name, `reasons` why it is not "agree", `method` the witness;
    of arrays with over 400 entries a sample is witnessed one by one (the others are NaN in `witness` and `entries`), and all together.
    """

    claimed: dict
    witness: dict
    entries: dict
    verdicts: dict
    reasons: dict
    method: str

    @property
    def verdict(self):
        """ "disagree" if any name does, else "undecided" if any name is, else "agree"."""
        found = set(self.verdicts.values())
        return next((verdict for verdict in ("disagree", "undecided") if verdict in found), "agree")

    @property
    def errors(self):
        """The largest relative error of each name."""
        return {name: float(np.nanmax(errors)) for name, errors in self.entries.items()}

    @property
    def max_error(self):
        """The largest error of all names."""
        return max(self.errors.values(), default=0.0)

    def _rows(self):
        yield ("", "claimed", self.method, "relative error", *([""] if len(set(self.verdicts.values())) > 1 else []))
        for name, errors in self.entries.items():
            worst = np.unravel_index(np.nanargmax(np.where(errors < SHOWN, 0.0, errors)), np.shape(errors))
            shown = name + (f"[{', '.join(map(str, worst))}]" if worst else "")
            pair = (
                number(float(values[name][worst] if worst else values[name])) for values in (self.claimed, self.witness)
            )
            error = self.errors[name]
            yield (
                shown,
                *pair,
                f"< {SHOWN:g}" if error < SHOWN else number(error, 2),
                *([self.verdicts[name]] if len(set(self.verdicts.values())) > 1 else []),
            )

    def _notes(self):
        return list(dict.fromkeys(f"{name}: {reason}" for name, reason in self.reasons.items()))

    def __repr__(self):
        rows = list(self._rows())
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([self.verdict, *lines, *self._notes()])

    def _repr_html_(self):
        head, *body = (
            ["".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row) for tag in ("th", "td")] for row in self._rows()
        )
        rows = "".join(f"<tr>{cells}</tr>" for _, cells in body)
        notes = "".join(f"<br>{escape(note)}" for note in self._notes())
        return f"<table><thead><tr>{head[0]}</tr></thead><tbody>{rows}</tbody></table><b>{self.verdict}</b>{notes}"


def check_gradient(
    model, X=None, Y=None, *, at=None, claimed=None, output=None, witness="complex step", time_limit=claims.TIME_LIMIT
):
    """Compare a gradient of a graph (at numbers `at`) or of a network (on rows X, Y) with a witness that knows no chain rule.

    `claimed` holds numbers or arrays by name, for any quantities of the trace; or is a function that returns such a dict, of
    (parameters, X, Y), for a graph of its inputs by name; left out, it is the package's own gradient by every input or parameter.
    `witness` is "complex step", "central differences" or "50 digits"; `output` is a graph's last line unless named.
    Returns a `GradientCheck`. ValueError, TypeError: a claim that is no gradient of this model (unknown name, shape, NaN,
    nothing at all), a function that raises, changes its inputs or takes longer than `time_limit` seconds, and as `forward`.
    """
    if witness not in WITNESSES:
        raise ValueError(f"check_gradient: witness must be one of {', '.join(WITNESSES)}, found {witness!r:.40}")
    if isinstance(model, Network):
        if at is not None or output is not None or X is None or Y is None:
            raise TypeError("check_gradient: for a Network give X and Y (at and output are for graphs)")
        return _check_network(model, X, Y, claimed, witness, time_limit)
    if not hasattr(model, "forward") or not hasattr(model, "lines"):
        raise TypeError(f"check_gradient: expected a Graph or a Network, found {type(model).__name__}")
    if X is not None or Y is not None:
        raise TypeError("check_gradient: X and Y are for networks; a graph's numbers are given as at={'x': 1.5, ...}")
    return _check_graph(model, at or {}, claimed, output or model.output, witness, time_limit)


def _check_graph(graph, at, claimed, output, witness, time_limit):
    if not isinstance(at, dict):
        raise TypeError(f"check_gradient: at must be a dict of numbers by name, found {type(at).__name__}")
    trace = graph.forward(**at)
    if np.ndim(trace[graph.output]):
        raise ValueError("check_gradient: at must hold one number for each input, found arrays")
    terms = graph.terms(trace)
    gradient = (
        backpropagate(terms, output)
        if any(term.of == output for term in terms)
        else dict.fromkeys(trace, 0.0) | {output: 1.0}
    )
    inputs = {name: trace[name] for name in graph.inputs}
    if claimed is None:
        claimed = {name: gradient[name] for name in graph.inputs}
    if callable(claimed):
        function = claimed

        def claimed_now():
            return claims.call(lambda numbers: function(**numbers), (inputs,), "check_gradient", time_limit)

        claimed, again = claimed_now(), claimed_now()
    else:
        again = claimed
    claimed, again = (claims.read(found, dict.fromkeys(trace, ()), "check_gradient") for found in (claimed, again))
    margins = graph_margins(graph, trace, terms, output)
    return judge(
        claimed, _Testimony(graph_case(graph, trace, output), witness), margins, _same(claimed, again), gradient
    )


def _check_network(network, X, Y, claimed, witness, time_limit):
    given, structure = arguments(network, X, Y), {}
    network = in_double(network)
    trace = network.forward(X, Y)
    terms = network.terms(trace)
    gradient = backpropagate(terms, "L")
    if claimed is None:
        claimed = {name: gradient[name] for name in network.parameters}
    elif callable(claimed):
        claimed, structure = _call_twice(claimed, given, network, trace, time_limit)
    claimed = claims.read(claimed, {name: np.shape(value) for name, value in gradient.items()}, "check_gradient")
    margins = network_margins(network, trace, terms, unit_of(claimed))
    return judge(claimed, _Testimony(network_case(network, trace), witness), margins, structure, gradient)


def in_double(network):
    """The same network with its numbers in float64."""
    parameters = {name: value.astype(float) for name, value in network.parameters.items()}
    return Network.from_parameters(parameters, network.activations, network.loss_name, network.l2, network.reduction)


def unit_of(claimed):
    """The unit in the last place of what claims were computed in: that of float32 if any of them is float32."""
    return max(float(np.finfo(value.dtype).eps) for value in claimed.values())


def arguments(network, X, Y):
    """What a learner's function of (parameters, X, Y) is given: its parameters, and X and Y as they came."""
    return network.parameters, np.asarray(X), np.asarray(Y)


def as_computed(claimed, given):
    """Claims that were computed from any float32 are float32, whatever they were added to afterwards."""
    arrays = [*given[0].values(), *given[1:]]
    single = any(array.dtype == np.float32 for array in arrays)
    return (
        {name: claims.real_array(name, value.astype(np.float32), "claimed") for name, value in claimed.items()}
        if single
        else claimed
    )


def _call_twice(function, given, network, trace, time_limit):
    """The claim of a function, and what it does wrong in structure: another answer at the second call, something from nothing."""
    shapes = {name: np.shape(value) for name, value in trace.items()}

    def claim_at(targets):
        return as_computed(
            claims.read(
                claims.call(function, (*given[:2], targets), "check_gradient", time_limit), shapes, "check_gradient"
            ),
            given,
        )

    first, second = claim_at(given[2]), claim_at(given[2])
    structure = _same(first, second)
    A, labels = trace[f"A{network.depth}"], given[2].shape != trace["Y"].shape and network.loss_name == "cross_entropy"
    others = (
        (given[2] + 1) % network.sizes[-1]
        if labels
        else A.reshape(given[2].shape).astype(given[2].dtype if given[2].dtype.kind == "f" else float)
    )
    if not structure:
        claim = claim_at(others)
        structure = _at_other_targets(
            network, claim, trace["X"], others, "other targets" if labels else "zero upstream"
        )
    return first, structure


def _same(first, second):
    return {
        name: "same answer twice"
        for name in first
        if name not in second or not np.array_equal(first[name], second[name])
    }


def _at_other_targets(network, claimed, X, Y, reason):
    trace = network.forward(X, Y)
    terms = network.terms(trace)
    right, margins = backpropagate(terms, "L"), network_margins(network, trace, terms, unit_of(claimed))
    allowed = {name: margins.rounding[name] + margins.kinks[name] for name in claimed}
    return {
        name: reason
        for name, value in claimed.items()
        if np.any(
            np.abs(value - right[name]) > allowed[name] + DOUBT * AGREE[value.dtype.type] * np.abs(right[name]).max()
        )
    }


class _Testimony:
    """What a witness says of one name: the entries it looked at, its slopes there and its own doubt of them."""

    def __init__(self, case, method):
        self.case, self.method = case, method

    def __call__(self, name):
        shape = np.shape(self.case.numbers[name])
        entries = list(np.ndindex(shape))
        if len(entries) > MOST_ENTRIES:
            chosen = np.random.default_rng(0).choice(len(entries), MOST_ENTRIES, replace=False)
            entries = [entries[i] for i in sorted(chosen)]
        slopes, doubts = WITNESSES[self.method](self.case, name, entries)
        found, doubt = np.full(shape, np.nan), np.full(shape, np.nan)
        for entry, slope, its_doubt in zip(entries, slopes, doubts, strict=True):
            found[entry], doubt[entry] = slope, its_doubt
        return found, doubt

    def along_all(self, name, claim, margin):
        """Whether all entries together agree with one complex step in a random direction, for arrays that were only sampled."""
        x, way = np.asarray(self.case.numbers[name], float), np.random.default_rng(1).normal(size=claim.shape)
        slope = float(np.imag(self.case.loss(name, x + 1e-60j * way))) / 1e-60
        allowed = margin.rounding + margin.kinks + AGREE[claim.dtype.type] * np.abs(claim)
        return abs((claim * way).sum() - slope) <= (allowed * np.abs(way)).sum()


def judge(claimed, testimony, margins, structure, gradient):
    """The `GradientCheck` of claims: each entry against the witness, within what rounding and kinks may do to a right one."""
    witness, entries, verdicts, reasons = {}, {}, {}, {}
    for name, claim in claimed.items():
        witness[name], doubt = testimony(name)
        margin = Margins(
            *(
                np.asarray(part.get(name, np.zeros(claim.shape)))
                for part in (margins.scale, margins.rounding, margins.kinks)
            )
        )
        apart = np.abs(np.asarray(gradient.get(name, 0.0)) - witness[name])  # two right computations: their rounding
        margin = Margins(
            margin.scale, margin.rounding + np.where(apart <= ROUNDING * margin.scale, 8 * apart, 0.0), margin.kinks
        )
        verdicts[name], reasons[name], entries[name] = compare(claim, witness[name], doubt, margin)
        if np.isnan(witness[name]).any() and verdicts[name] == "agree" and not testimony.along_all(name, claim, margin):
            verdicts[name], reasons[name] = "disagree", REASONS["sample"]
        if structure.get(name) == "same answer twice" or (name in structure and verdicts[name] != "disagree"):
            verdicts[name], reasons[name] = "disagree", STRUCTURE[structure[name]]
    shown = {name: float(value) if np.ndim(value) == 0 else value for name, value in claimed.items()}
    witness = {name: float(value) if np.ndim(value) == 0 else value for name, value in witness.items()}
    return GradientCheck(
        shown, witness, entries, verdicts, {name: why for name, why in reasons.items() if why}, testimony.method
    )


def compare(claim, true, doubt, margin):
    """(verdict, reason, relative errors) of one array of claims against the numbers of a witness with its doubt.

    An entry is right within AGREE of min(scale, size), wrong past that and all margins together; in between it is right
    only where the margins are small beside the size of the array. No margin is absolute.
    """
    tolerance = AGREE[claim.dtype.type]
    size = np.nanmax(np.abs(true))
    base = np.fmin(margin.scale, size)
    difference = np.abs(claim - true)
    with np.errstate(all="ignore"):
        errors = np.where(difference == 0, 0.0, difference / base)
    errors = np.where(np.isnan(difference), np.nan, errors)
    nothing = (
        (claim == 0) & (margin.scale == 0) & (margin.kinks == 0) & (difference <= doubt)
    )  # no path, and none claimed
    errors = np.where(nothing, 0.0, errors)
    right = ~(errors > tolerance)
    smallest = np.finfo(np.float32).tiny if claim.dtype == np.float32 else 0.0  # float32 has no smaller numbers
    margin = Margins(margin.scale, margin.rounding + smallest, margin.kinks)
    allowed = margin.rounding + margin.kinks * (1 + tolerance) + doubt
    if np.any(~right & (difference > tolerance * base + allowed)):
        with np.errstate(all="ignore"):
            narrow = (
                claim.dtype == np.float64
                and np.array_equal(claim, claim.astype(np.float32))
                and np.nanmax(errors) <= AGREE[np.float32]
            )
        return ("undecided", REASONS["float32"], errors) if narrow and claim.any() else ("disagree", None, errors)
    limit = DOUBT * tolerance * size
    coarse = ~right | (doubt > 1e-12 * margin.scale) & (margin.scale > 0)
    open_by = {reason: np.max(part, where=where & (part > limit), initial=0.0) for reason, part, where in (
        ("kink", margin.kinks, ~right), ("step", doubt, coarse), ("rounding", margin.rounding, ~right))}  # fmt: skip
    reason = max(open_by, key=open_by.get)
    if open_by[reason]:
        return "undecided", REASONS[reason if tolerance < 1e-6 or reason != "rounding" else "float32"], errors
    if size and np.nanmax(np.where(np.isnan(true), 0.0, margin.rounding)) > 0.1 * size:
        return "undecided", REASONS["rounding"], errors
    return "agree", None, errors
