"""A mistake as a hypothesis: made in the walk, in one layer or in all, its numbers laid beside the claim."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..checking import claims
from ..checking.check import unit_of
from ..checking.margins import network_margins
from ..checking.verdicts import AGREE, compare
from ..terms import backpropagate
from .mistakes import MISTAKES, PLACES, ROWS, Situation

CANCELLED = {np.float64: 1e-12, np.float32: 1e-5}  # of the right array: what may be left of a sum that is 0
LOCAL = ("weights", "bias", "penalty")  # places from which nothing flows on
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
            trace, len(trace["X"]), net.sizes[-1], net.reduction == "mean", net.l2, net.loss_name != "squared_error", net.activations
        )  # fmt: skip


def gather(network, X, Y, claimed):
    """The evidence of claims that have been read: `network` in float64, claims for parameters by name, of any shape."""
    trace = network.forward(X, Y)
    terms = network.terms(trace)
    right = backpropagate(terms, "L")
    margins = network_margins(network, trace, terms, unit_of(claimed))
    order = [f"{kind}{layer}" for layer in reversed(network.layers) for kind in "Wb"]
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
    """One mistake, made by one of its pulls, in all the layers it fits or in one (then `layer` is its number)."""

    row: Any
    pull: int
    layer: int | None = None
    output_too: bool = False

    def layers(self, network, at):
        """The layers in which it is made."""
        if self.row.place in ("loss", "output", "raw"):
            chosen = [network.depth] if self.row.place != "raw" or network.depth > 1 else []
        elif self.row.place == "hidden":
            chosen = [
                *range(1, network.depth),
                *([network.depth] if self.output_too and not at.fused and at.activations[-1] != "softmax" else []),
            ]
        else:
            chosen = range(2 if self.row.place == "through" else 1, network.depth + 1)
        return [layer for layer in chosen if self.layer in (None, layer) and self.row.fits(at, layer)]


def hypotheses(network):
    """Every mistake that shows in numbers, in the table's order, in each way and each layer in which it can be made."""
    for row in ROWS:
        for pull in range(len(row.pulls)):
            for layer, output_too in _placed(row, network):
                yield Hypothesis(row, pull, layer, output_too)


def _placed(row, network):
    """In all layers that it fits, without the output and with it; then in each layer alone. (layer, output_too)

    Not alone, where nothing flows on from the mistake: then any of its layers may be right (see `explains`).
    """
    if row.place != "parameter":
        yield from [(None, False), (None, True)] if row.output_too else [(None, False)]
    if row.place == "parameter" or (row.place in ("hidden", "through") and network.depth > 1):
        twin = row.id.replace(
            "hidden", "output"
        )  # of a slope that is missing or taken at A, the output has a row of its own
        at_output = row.output_too and (twin == row.id or twin not in MISTAKES)
        for layer in reversed(network.layers):
            yield layer, at_output and layer == network.depth


def edges_at_fault(row, layers, network, at):
    """The (of, wrt) of the terms that the mistake spoils; of a fused output there is one, dL/dZ."""
    last = network.depth
    for layer in layers:
        if at.fused and row.place in ("loss", "output"):
            yield "L", f"Z{last}"
        else:
            of, wrt = (name.format(l=layer, c=layer - 1, d=last) for name in PLACES[row.place])
            yield of, wrt


def spoilt(evidence, spoils, at):
    """The walk with some terms' pulls replaced: yields (name, gradient) of each parameter and A as soon as it is complete."""
    gradient = at.gradient = {"L": 1.0}
    for term in reversed(evidence.terms):
        if term.wrt in ("X", "Y"):
            continue
        pull = spoils.get((term.of, term.wrt))
        with np.errstate(all="ignore"):  # a wrong walk through fifty layers may overflow
            part = pull(term, gradient[term.of], at) if pull else term.pull(gradient[term.of])
        gradient[term.wrt] = _added(gradient[term.wrt], part) if term.wrt in gradient else part
        if term.of[0] == "Z":
            yield term.wrt, gradient[term.wrt]


def _added(total, part):
    """Their sum, as NumPy would broadcast it; where the part does not fit, with the total turned, or without it."""
    for fitting in (total, np.transpose(total)):
        with suppress(ValueError):
            if np.broadcast_shapes(np.shape(fitting), np.shape(part)) == np.shape(fitting):
                return fitting + part
    return part


def explains(evidence, hypothesis):
    """The situation (with its constant) in which the mistake gives the claimed numbers, or None."""
    at = evidence.situation()
    row, layers = hypothesis.row, hypothesis.layers(evidence.network, at)
    if row.place == "parameter":
        return factor_alone(evidence, at, *row.pulls[hypothesis.pull], hypothesis.layer)
    edges = list(edges_at_fault(row, layers, evidence.network, at))
    existing = {(term.of, term.wrt) for term in evidence.terms}
    if not edges or not set(edges) <= existing:
        return None if evidence.wrong else at  # it cannot be made here, and indeed nothing is wrong
    spoils = dict.fromkeys(edges, row.pulls[hypothesis.pull])
    if row.solved and (not evidence.wrong or not solve(evidence, spoils, at)):
        return None
    explained = not evidence.wrong
    for name, value in spoilt(evidence, spoils, at):
        if name in evidence.claimed:
            if row.place in LOCAL and name not in evidence.wrong:
                continue
            if not matches(evidence, name, value, row.place == "bias"):
                return None
            right = evidence.right[name]
            explained |= name in evidence.wrong and (value.shape != right.shape or bool(np.any(value != right)))
    return at if explained else None


def matches(evidence, name, value, summed=False):
    """Whether a claim is this value: within 1e-9 (1e-5 in float32) of its largest entry, rounding granted, or 1 % at most.

    Of a value that is a sum of a right gradient, `summed`, nothing may be left, or what rounding leaves of it.
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
    cancelled = summed and 0 < size < 1e-12 * beside  # p - y over a softmax, for instance
    if off > (CANCELLED[claim.dtype.type] * beside if cancelled else max(tolerance, granted) * size):
        return False
    told_apart = name in evidence.misshapen or off <= SAME * np.abs(claim - right).max()
    return evidence.verdicts[name] != "disagree" or told_apart


def solve(evidence, spoils, at):
    """Find the unknown constant where the mistake first shows; False where it does not show or nothing could refute it."""
    where = evidence.wrong[0]
    if evidence.claimed[where].shape != evidence.right[where].shape:
        return False

    def value(constant):
        at.constant = constant
        return next((found for name, found in spoilt(evidence, spoils, at) if name == where), None)

    claim, right = evidence.claimed[where].astype(float), evidence.right[where]
    change = value(1.0)
    change = None if change is None else change - right
    if change is None or not change.any() or sum(evidence.claimed[name].size for name in evidence.wrong) < 2:
        return False
    with np.errstate(all="ignore"):
        _refine(at, value, claim, right, change)
    return np.isfinite(at.constant) and at.constant != 0


def _refine(at, value, claim, right, change):
    at.constant = float(((claim - right) * change).sum() / (change * change).sum())
    for _ in range(4):  # linear already, unless more than one layer above is spoilt
        here, step = value(at.constant), at.constant * 1e-4
        start = at.constant
        bend = (value(start + step) - here) / step if step else change
        at.constant = start + float(((claim - here) * bend).sum() / ((bend * bend).sum() or 1.0))


def factor_alone(evidence, at, kind, data_only, layer):
    """The situation in which one parameter alone is off by one factor (of all of it, or of its data part), or None."""
    name = f"{kind}{layer}"
    fits = name in evidence.claimed and evidence.claimed[name].shape == evidence.right[name].shape
    if evidence.wrong != [name] or len(evidence.claimed) < 2 or not fits:
        return None
    part = evidence.network.l2 * evidence.trace[name] if data_only else 0.0
    claim, right = evidence.claimed[name] - part, evidence.right[name] - part
    at.constant = float((claim * right).sum() / ((right * right).sum() or 1.0))
    if not 0 < abs(at.constant) < AGREE[np.float64] and matches(evidence, name, at.constant * right + part):
        return at
    return None


def survivors(evidence, candidates):
    """The hypotheses that give the claimed numbers, with their situations; in one layer only near the first wrong name."""
    layer = int(evidence.wrong[0][1:])
    claimed = sorted(int(name[1:]) for name in evidence.claimed)
    above = next((other for other in claimed if other > layer), evidence.network.depth)
    found = []
    for hypothesis in candidates:
        if hypothesis.layer is None or layer <= hypothesis.layer <= above:
            with np.errstate(all="ignore"):
                at = explains(evidence, hypothesis)
            if at is not None:
                found.append((hypothesis, at))
    return found
