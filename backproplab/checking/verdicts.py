"""The verdict on a claim: each entry beside a witness, within what rounding and kinks may do to a right gradient."""

import math
from dataclasses import dataclass, replace
from html import escape

import numpy as np

from ..notation import number
from ..pictures.tables import LARGEST_SHOWN, html_table, text_table
from .witnesses import WITNESSES, complex_step_along

AGREE = {
    np.float64: 1e-9,
    np.float32: 1e-5,
}  # largest relative error of an agreement, by what the claim was computed in
ROUNDING = 1e-12  # of the sum of |paths|: what two right computations may differ by
DOUBT = 1e3  # an agreement within rounding must still hold to this many times AGREE
SHOWN = 1e-12  # smaller errors are rounding, which differs between processors
DIRECTIONS = 3  # of each array of which a sample is looked at, all entries together
MOST_ENTRIES = 400  # of one array that a witness looks at, one or more runs for each; more are sampled
REASONS = {
    "kink": "a kink is within reach of rounding or of the step, and on its two sides the slopes differ",
    "rounding": "the terms cancel or saturate: what is left is rounding",
    "step": "the witness is not exact enough here: the loss changes by less than its own rounding, or the step crosses a kink",
    "sample": "of the many entries those that were looked at one by one agree, but not all together",
    "float32": "the claim has the digits of float32 only",
    "no claim": "nothing was claimed: this is the numerical gradient, and how far it may be off",
    "flat": "the loss does not change with it at all: does your function use the dict that it is given?",
    "one side": "at a kink the complex step sees one side only: central differences instead",
    "no complex step": "the complex step does not pass through your function, which raises or loses the imaginary part: central differences instead",
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
    `verdict` is "agree", "disagree" or "undecided", `verdicts` the same by name, `reasons` why it is not "agree",
    `method` the witness, `doubts` how far by its own account its slopes may be off, `tolerance` the largest error of an
    agreement where rounding explains no larger one. Of too many entries a sample is witnessed one by one (the others are NaN
    in `witness`, `doubts` and `entries`), and all together. Where nothing was claimed there are no errors.
    """

    claimed: dict
    witness: dict
    entries: dict
    verdicts: dict
    reasons: dict
    method: str
    tolerance: float
    doubts: dict
    remarks: tuple = ()

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
        """The largest error of all names; NaN where nothing was claimed."""
        return max(self.errors.values(), default=math.nan)

    @property
    def rows(self):
        """The largest error of each name with its place, as cells of a table, headings first; the witness where nothing was claimed."""
        if not self.claimed:
            return [("", self.method, "relative doubt"), *(row for name in self.witness for row in self._slopes(name))]
        mixed = len(set(self.verdicts.values())) > 1
        head = ("", "claimed", self.method, "relative error", *([""] if mixed else []))
        return [head, *(self._row(name) + ((self.verdicts[name],) if mixed else ()) for name in self.entries)]

    def _row(self, name):
        errors, error = self.entries[name], self.errors[name]
        worst = np.unravel_index(np.nanargmax(np.where(errors < SHOWN, 0.0, errors)), np.shape(errors))
        claim, true = (np.asarray(values[name])[worst] for values in (self.claimed, self.witness))
        return f"{name}{_place(worst)}", number(claim), number(true), _small(error)

    def _slopes(self, name):
        """The rows of a name of which nothing was claimed: each entry of a small array, the largest of a large one."""
        slopes, doubts = np.asarray(self.witness[name]), np.asarray(self.doubts[name])
        size = np.nan_to_num(np.abs(slopes)).max()
        entries, of = list(np.ndindex(slopes.shape)), ""
        if len(entries) > LARGEST_SHOWN:
            of = f", largest of {len(entries)}"
            entries = [np.unravel_index(np.argmax(np.nan_to_num(np.abs(slopes))), slopes.shape)]
        for entry in entries:
            yield f"{name}{_place(entry)}{of}", number(slopes[entry]), _bound(doubts[entry] / (size or 1.0))

    @property
    def notes(self):
        """Why a verdict is not "agree", and of which names a sample was looked at, a sentence for each."""
        reasons = {
            reason: ", ".join(name for name in self.reasons if self.reasons[name] == reason)
            for reason in self.reasons.values()
        }
        seen = {name: np.isfinite(doubt) | np.isinf(doubt) for name, doubt in self.doubts.items()}
        samples = (
            f"{name}: {seen.sum()} of {seen.size} entries were looked at one by one, those with a number in .doubts"
            for name, seen in seen.items()
            if not np.all(seen)
        )
        return [*(f"{names}: {reason}" for reason, names in reasons.items()), *samples, *self.remarks]

    def __repr__(self):
        return "\n".join([self.verdict, text_table(self.rows), *self.notes])

    def _repr_html_(self):
        notes = "".join(f"<br>{escape(note)}" for note in self.notes)
        return f"{html_table(self.rows)}<b>{self.verdict}</b>{notes}"


def _place(entry):
    return f"[{', '.join(map(str, entry))}]" if entry else ""


def _small(error):
    """A relative error; a tiny one as an upper bound, since its digits differ between processors."""
    return f"< {number(SHOWN)}" if error < SHOWN else number(error, 2)


def _bound(doubt):
    """The power of ten below which a relative doubt stays."""
    return f"< {number(10.0 ** max(-12, math.ceil(math.log10(doubt or SHOWN))))}" if doubt < math.inf else "unknown"


def judge(claimed, case, method, margins, gradient, structure):
    """The `GradientCheck` of claims: each entry against the witness, within what rounding and kinks may do to a right one.

    `gradient` is the package's own, `structure` holds the names that already failed a test of STRUCTURE.
    """
    witness, doubts, entries, verdicts, reasons = {}, {}, {}, {}, {}
    for name, claim in claimed.items():
        witness[name], doubts[name] = testimony(case, method, name)
        margin = margins.of(name, claim.shape)
        apart = np.abs(np.asarray(gradient.get(name, 0.0)) - witness[name])  # two right computations: their rounding
        margin = replace(margin, rounding=margin.rounding + np.where(apart <= ROUNDING * margin.scale, 8 * apart, 0.0))
        verdicts[name], reasons[name], entries[name] = compare(claim, witness[name], doubts[name], margin)
        sampled = np.isnan(witness[name]).any()
        if sampled and verdicts[name] == "agree" and not agree_together(case, name, claim, margin):
            verdicts[name], reasons[name] = "disagree", REASONS["sample"]
        if structure.get(name) == "same answer twice" or (name in structure and verdicts[name] != "disagree"):
            verdicts[name], reasons[name] = "disagree", STRUCTURE[structure[name]]
    reasons = {name: reason for name, reason in reasons.items() if reason}
    tolerance = max(AGREE[claim.dtype.type] for claim in claimed.values())
    return GradientCheck(plain(claimed), plain(witness), entries, verdicts, reasons, method, tolerance, plain(doubts))


def plain(arrays):
    """Arrays by name, those that are one number as a float."""
    return {name: float(value) if np.ndim(value) == 0 else value for name, value in arrays.items()}


def testimony(case, method, name, most=MOST_ENTRIES):
    """What a witness says of one name: its slopes and its own doubt of them, NaN in entries at which it did not look.

    At all entries, or at so many of them as are the most, chosen at random.
    """
    shape = np.shape(case.numbers[name])
    entries = list(np.ndindex(shape))
    if len(entries) > most:
        chosen = np.random.default_rng(0).choice(len(entries), most, replace=False)
        entries = [entries[i] for i in sorted(chosen)]
    found, doubt = np.full(shape, np.nan), np.full(shape, np.nan)
    for entry, slope, its_doubt in zip(entries, *WITNESSES[method](case, name, entries), strict=True):
        found[entry], doubt[entry] = slope, its_doubt
    return found, doubt


def directions(shape):
    """Random directions for an array of a shape."""
    rng = np.random.default_rng(1)
    return [rng.normal(size=shape) for _ in range(DIRECTIONS)]


def allowed_along(way, single):
    """How far a slope along a random direction may be off where each entry may be by `single`: errors of any sort add up as
    random numbers do, since the direction's signs are random."""
    return 2 * float(np.linalg.norm(single * way))


def agree_together(case, name, claim, margin):
    """Whether all entries of a sampled array agree with complex steps in random directions."""
    single = margin.rounding + AGREE[claim.dtype.type] * np.abs(claim)
    return all(
        abs((claim * way).sum() - complex_step_along(case, name, way))
        <= allowed_along(way, single) + (margin.kinks * np.abs(way)).sum()
        for way in directions(claim.shape)
    )


def compare(claim, true, doubt, margin):
    """(verdict, reason, relative errors) of one array of claims against the numbers of a witness with its doubt.

    An entry is right within AGREE of min(scale, size), wrong past that and all margins together, or outside the two sides
    of a kink; in between it is right only where rounding explains it, and is small beside the size of the array. No margin
    is absolute.
    """
    tolerance, size = AGREE[claim.dtype.type], np.nanmax(np.abs(true))
    base = np.fmin(margin.scale, size)
    difference = np.abs(claim - true)
    no_path = (claim == 0) & (margin.scale == 0) & (margin.kinks == 0) & (difference <= doubt)  # and none claimed
    with np.errstate(all="ignore"):
        errors = np.where((difference == 0) | no_path, 0.0, difference / base)
    suspect = errors > tolerance
    smallest = np.finfo(np.float32).tiny if claim.dtype == np.float32 else 0.0  # float32 has no smaller numbers
    slack = margin.rounding + smallest + margin.kinks * tolerance + tolerance * base
    beside = (margin.kinks > 0) & ((claim < margin.low - slack) | (claim > margin.high + slack))
    if np.any(suspect & (beside | (difference > slack + margin.kinks + doubt))):
        if _has_digits_of_float32(claim, errors):
            return "undecided", REASONS["float32"], errors
        return "disagree", None, errors
    limit = DOUBT * tolerance * size
    if np.any(suspect & (margin.kinks > limit)):
        return "undecided", REASONS["kink"], errors
    if np.any(suspect & (difference > slack)):
        return "undecided", REASONS["step"], errors
    coarse = suspect | (doubt > 1e-12 * margin.scale) & (margin.scale > 0)
    worst = {
        "step": np.nanmax(np.where(coarse, doubt, 0.0)),
        "rounding": np.nanmax(np.where(suspect, margin.rounding + smallest, 0.0)),
    }
    cause = max(worst, key=worst.get)
    if worst[cause] > limit:
        single = cause == "rounding" and claim.dtype == np.float32
        return "undecided", REASONS["float32" if single else cause], errors
    if size and np.any(margin.rounding[~np.isnan(true)] > 0.1 * size):
        return "undecided", REASONS["rounding"], errors
    return "agree", None, errors


def _has_digits_of_float32(claim, errors):
    """Whether float64 claims hold numbers of float32, and are right for those."""
    with np.errstate(all="ignore"):
        narrow = claim.dtype == np.float64 and claim.any() and np.array_equal(claim, claim.astype(np.float32))
    return narrow and np.nanmax(errors) <= AGREE[np.float32]
