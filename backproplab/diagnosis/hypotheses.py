"""A mistake as a hypothesis: made in the walk, in one layer or in all, its numbers laid beside the claim."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from ..checking import claims
from ..checking.margins import network_margins
from ..checking.verdicts import AGREE, compare
from ..notation import parts
from ..terms import Term, backpropagate, walk
from .mistakes import ROWS, Mistake
from .places import Place, Situation

CANCELLED = {np.float64: 1e-12, np.float32: 1e-5}  # of the right array: what may be left of a sum that is 0
SAME = 1e-2  # a mistake must explain a wrong array to this part of its error at least


@dataclass(frozen=True)
class Evidence:
    """A claim beside the right gradient on one network and batch: what is wrong, in order from the loss down."""

    network: Any
    trace: dict
    terms: list
    claimed: dict
    right: dict
    rounding: dict
    verdicts: dict
    reasons: dict

    @property
    def wrong(self):
        """The names that disagree, from the loss down."""
        return [name for name in self.verdicts if self.verdicts[name] == "disagree"]

    @property
    def misshapen(self):
        """The names whose claim has another shape than they have, from the loss down."""
        return [name for name in self.verdicts if self.claimed[name].shape != self.right[name].shape]

    @cached_property
    def by_edge(self):
        """The terms by (of, wrt)."""
        return {term.edge: term for term in self.terms}

    @cached_property
    def stretches(self):
        """The terms by edge that a gradient of parameters needs, cut below each layer, from the last: the walk's stretches."""
        inner = [(edge, term) for edge, term in self.by_edge.items() if term.wrt not in ("X", "Y")]
        ends = [of for (of, _), _ in inner]
        cuts = [ends.index(f"Z{layer}") for layer in self.network.layers]
        return [inner[start:stop] for start, stop in pairwise([*cuts, len(inner)])][::-1]

    def relative_rounding(self, name):
        """The largest rounding of a right claim, relative to its largest entry."""
        with np.errstate(over="ignore"):
            return self.rounding[name].max() / max(np.abs(self.right[name]).max(), np.finfo(float).tiny)

    @property
    def clear(self):
        """Whether every claim has the digits that it takes to tell mistakes apart."""
        return all(self.relative_rounding(name) < SAME for name in self.claimed)

    def situation(self):
        """A new situation for the pulls of the table, in which a gradient and a constant can be noted."""
        trace, net = self.trace, self.network
        return Situation(
            trace, len(trace["X"]), net.sizes[-1], net.reduction == "mean", net.l2, net.loss_row, net.layers
        )  # fmt: skip


def gather(network, X, Y, claimed):
    """The evidence of claims that have been read: `network` in float64, claims for parameters by name, of any shape."""
    trace = network.forward(X, Y)
    terms = network.terms(trace)
    right = backpropagate(terms, "L")
    margins = network_margins(network, trace, terms, claims.unit_of(claimed))
    order = [name for layer in reversed(network.layers) for name in layer.from_the_loss_down]
    verdicts, reasons = {}, {}
    for name in (name for name in order if name in claimed):
        shape = np.shape(right[name])
        if claimed[name].shape != shape:
            verdicts[name], reasons[name] = "disagree", claims.explain_shape(name, claimed[name].shape, shape)
            continue
        verdicts[name], reasons[name], _ = compare(claimed[name], right[name], np.zeros(shape), margins.of(name, shape))
    return Evidence(network, trace, terms, claimed, right, margins.rounding, verdicts, reasons)


@dataclass(frozen=True)
class Hypothesis:
    """One mistake, made by one of its pulls at one of its places, in all the layers it fits or in the `layer` of that number."""

    row: Mistake
    pull: int
    place: Place
    layer: int | None = None

    def edges(self, evidence, at):
        """The edges that it spoils, by layer: those that there are in the layers it fits."""
        found = {}
        for layer, edge in self.place.edges(evidence.network.layers, at.fused).items():
            term = evidence.by_edge.get(edge) if self.layer in (None, layer) else None
            there = term is not None and self.place.rule in (None, term.rule)
            if there and (self.row.fits is None or self.row.fits(at, layer)):
                found[layer] = edge
        return found


def every_hypothesis(network):
    """Every mistake that shows in numbers, in the table's order, in each way and at each place at which it can be made."""
    return [
        Hypothesis(row, pull, place, layer)
        for row in ROWS
        for pull in range(len(row.pulls))
        for place in row.places
        for layer in place.spots(network.layers)
    ]


@dataclass(frozen=True, eq=False)
class WrongTerm:
    """A term of the walk that pulls as the mistake does."""

    of: str
    wrt: str
    right: Term
    wrong: Callable
    at: Situation

    def pull(self, upstream):
        """What the mistake makes of the gradient."""
        return self.wrong(self.right, upstream, self.at)


def spoilt(evidence, spoils, at):
    """The walk with some terms' pulls replaced: yields (name, gradient) of each parameter, and what else is done, layer by layer."""
    at.gradient = {"L": 1.0}
    for stretch in evidence.stretches:
        terms = [WrongTerm(*edge, term, spoils[edge], at) if edge in spoils else term for edge, term in stretch]
        walk(terms, at.gradient, add=_added)
        yield from ((wrt, at.gradient[wrt]) for (of, wrt), _ in reversed(stretch) if of != "L")


def _added(total, part):
    """Their sum, as NumPy would broadcast it; where the part does not fit, with the total turned, or without it."""
    for fitting in (total, np.transpose(total)):
        with suppress(ValueError):
            if np.broadcast_shapes(np.shape(fitting), np.shape(part)) == np.shape(fitting):
                return fitting + part
    return part


def explains(evidence, hypothesis):
    """The situation (with its constant) in which the mistake gives the claimed numbers, or None."""
    with np.errstate(all="ignore"):  # a wrong walk through fifty layers may overflow
        return _explains(evidence, hypothesis)


def _explains(evidence, hypothesis):
    at, row, place = evidence.situation(), hypothesis.row, hypothesis.place
    edges = hypothesis.edges(evidence, at).values()
    if not edges:
        return None if evidence.wrong else at  # it cannot be made here, and indeed nothing is wrong
    if place.alone and evidence.wrong != [wrt for _, wrt in edges]:
        return None
    spoils = dict.fromkeys(edges, row.pulls[hypothesis.pull])
    if row.solved and (not evidence.wrong or not solve(evidence, spoils, at, place)):
        return None
    explained = not evidence.wrong
    for name, value in spoilt(evidence, spoils, at):
        if name in evidence.claimed and (place.flows or name in evidence.wrong):
            if not matches(evidence, name, value, place.sums):
                return None
            right = evidence.right[name]
            explained |= name in evidence.wrong and (value.shape != right.shape or bool(np.any(value != right)))
    return at if explained else None


def matches(evidence, name, value, summed=False):
    """Whether a claim is this value: within 1e-9 (1e-5 in float32) of its largest entry, rounding granted, or 1 % at most.

    Of a value that is a sum of a right gradient, `summed`, nothing may be left, or what rounding leaves of it; so of that of
    a beta, where the mean of the layer above takes away again whatever is added.
    """
    claim, right = evidence.claimed[name], evidence.right[name]
    if claim.size == 1 and np.ptp(value) == 0:
        claim = np.full(value.shape, claim.item(), claim.dtype)  # one number for all entries
    if claim.shape != value.shape:
        return False
    tolerance, size, beside = AGREE[claim.dtype.type], np.abs(value).max(), np.abs(right).max()
    granted = min(evidence.relative_rounding(name), SAME)
    off = np.abs(claim - value).max()
    if evidence.verdicts[name] == "undecided":
        return off <= 4 * evidence.rounding[name].max() + SAME * size
    cancels = summed or parts(name).letter == "beta"  # p - y over a softmax, for instance
    cancelled = cancels and 0 < size < 1e-12 * beside
    if off > (CANCELLED[claim.dtype.type] * beside if cancelled else max(tolerance, granted) * size):
        return False
    told_apart = name in evidence.misshapen or off <= SAME * np.abs(claim - right).max()
    return evidence.verdicts[name] != "disagree" or told_apart


def solve(evidence, spoils, at, place):
    """Find the unknown constant where the mistake first shows; False where it does not show or nothing could refute it."""
    where = evidence.wrong[0]
    refuting = len(evidence.claimed) if place.alone else sum(evidence.claimed[name].size for name in evidence.wrong)
    if evidence.claimed[where].shape != evidence.right[where].shape or refuting < 2:
        return False

    def value(constant):
        at.constant = constant
        return next((found for name, found in spoilt(evidence, spoils, at) if name == where), None)

    claim, base = evidence.claimed[where].astype(float), value(0.0)
    if base is None or not (change := value(1.0) - base).any():
        return False
    at.constant = _along(claim - base, change)
    for _ in range(4):  # linear already, unless more than one layer above is spoilt
        start, here = at.constant, value(at.constant)
        step = start * 1e-4
        at.constant = start + _along(claim - here, (value(start + step) - here) / step if step else change)
    if place.alone:  # a gradient of 0 has the factor 0
        return at.constant == 0 or AGREE[np.float64] <= abs(at.constant) < np.inf
    return np.isfinite(at.constant) and at.constant != 0


def _along(difference, change):
    """The multiple of `change` that comes nearest to a difference."""
    return float((difference * change).sum() / ((change * change).sum() or 1.0))


def survivors(evidence, candidates):
    """The hypotheses that give the claimed numbers, with their situations; in one layer only near the first wrong name."""
    layer = parts(evidence.wrong[0]).layer
    claimed = sorted(parts(name).layer for name in evidence.claimed)
    above = next((other for other in claimed if other > layer), evidence.network.depth)
    near = [one for one in candidates if one.layer is None or layer <= one.layer <= above]
    found = [(one, explains(evidence, one)) for one in near]
    return [(one, at) for one, at in found if at is not None]
