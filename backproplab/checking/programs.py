"""Any program: its loss is a function of a dict of arrays that returns a number, and no more is known of it.

There are no terms here, so nothing tells what rounding may do to a right gradient. The complex step is compared with central
differences along random directions before it is believed, and accuses nobody whom they do not accuse too.
"""

import warnings
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from ..given import LONGEST_NAME, real_array, shown
from ..notation import number
from . import claims
from .margins import Margins
from .verdicts import (
    AGREE,
    DOUBT,
    REASONS,
    STRUCTURE,
    GradientCheck,
    allowed_along,
    compare,
    directions,
    plain,
    testimony,
)
from .witnesses import Case, central_differences, complex_step_along, difference_along, reach_of, roughness, slope_noise

MOST_ENTRIES = 1000  # of all arrays together that are looked at one by one; of more a sample is
SHAKE = 1e-6  # of an array's size: a slope that is another so near stands on a kink
LARGEST = int(np.finfo(float).max)
SAME = 1e-12  # two answers for the same numbers: sums in several threads may differ in their last digits


def numerical_gradient(loss, at, *, time_limit=claims.TIME_LIMIT):
    """The gradient of any function of a dict of arrays that returns a number, entry by entry and by no chain rule.

    By the complex step where the function bears complex numbers, else by central differences: a dict of the names and shapes
    of `at`, NaN where no step gives a number. How far to trust it says `check_gradient(loss, at=at)`. Errors as there.
    """
    program = _Program(loss, at, time_limit, "numerical_gradient")
    with _quiet():
        case = _with_roughness(program.case)
        methods, _ = _methods(case, case.numbers, "complex step")
        found = {name: _testimony(case, methods[name], name, np.size(case.numbers[name]))[0] for name in methods}
        program.check_same_answer()
    return plain(found)


def check_program(loss, at, claimed, witness, time_limit):
    """`check_gradient` of a function of a dict of arrays."""
    if witness not in ("complex step", "central differences"):
        raise ValueError(f"check_gradient: of a function there are no {witness}; they are for a Graph or a Network")
    program = _Program(loss, at, time_limit, "check_gradient")
    claimed, structure = program.read(claimed)
    checks = {}
    with _quiet():
        case = _with_roughness(program.case)
        methods, remarks = _methods(case, claimed or case.numbers, witness)
        shares = _shares({name: np.size(case.numbers[name]) for name in methods})
        for name, method in methods.items():
            found = _testimony(case, method, name, shares[name])
            checks[name] = *found, *_judged(case, method, name, claimed.get(name), *found)
        program.check_same_answer()
    witnessed, doubts, verdicts, reasons, entries = (
        {name: parts[part] for name, parts in checks.items()} for part in range(5)
    )
    wrong = dict.fromkeys(structure, "disagree")
    return GradientCheck(
        plain(claimed),
        plain(witnessed),
        {name: errors for name, errors in entries.items() if errors is not None},
        verdicts | wrong,
        {name: reason for name, reason in (reasons | structure).items() if reason},
        witness if witness in methods.values() else "central differences",
        max((AGREE[claim.dtype.type] for claim in claimed.values()), default=AGREE[np.float64]),
        plain(doubts),
        remarks,
    )


# --- the function -----------------------------------------------------------------------------------------------------


class _Program:
    """A learner's loss, called with care, at its numbers; `case` is what the witnesses nudge."""

    def __init__(self, loss, at, time_limit, caller):
        self.loss, self.time_limit, self.caller = loss, time_limit, caller
        if not isinstance(at, dict):
            raise TypeError(f"{caller}: at must be a dict of arrays by name, found {type(at).__name__}")
        at = claims.own_dict(at, "at", caller)
        if not at:
            raise ValueError(f"{caller}: at holds no name: there is nothing to differentiate by")
        self.given = {name: self._array(name, value) for name, value in at.items()}
        self.case = Case({name: value.astype(float)[()] for name, value in self.given.items()}, tuple(at), self._nudged)
        self.answer = self._value(self.case.numbers)
        if isinstance(self.answer, complex) or not np.isfinite(self.answer):
            raise ValueError(f"{caller}: your function must return a finite real number, found {self.answer}")
        self.check_same_answer()

    def read(self, claimed):
        """What is claimed, called if it is a function, {} for None; and which names fail in structure, with the reason."""
        shapes = {name: value.shape for name, value in self.given.items()}

        def fitting(claimed):
            return claims.as_computed(claims.read_fitting(claimed, shapes, self.caller), self.given.values())

        if claimed is None:
            return {}, {}
        if not callable(claimed):
            return fitting(claimed), {}
        first, second = (fitting(claims.call(claimed, (self.given,), self.caller, self.time_limit)) for _ in range(2))
        return first, dict.fromkeys(claims.unlike(first, second), STRUCTURE["same answer twice"])

    def check_same_answer(self):
        """ValueError: the function answers otherwise than at the first call, for the same numbers."""
        again = self._value(self.case.numbers)
        if not abs(again - self.answer) <= SAME * abs(self.answer):
            raise ValueError(
                f"{self.caller}: your function gives {number(self.answer)} at one call and {number(again)} at another, for the "
                "same numbers: does it draw random numbers, or keep something between calls? seed it anew at each call"
            )

    def _array(self, name, value):
        if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
            raise TypeError(
                f"{self.caller}: the names of at must be text of 1 to {LONGEST_NAME} characters, found {shown(name)}"
            )
        array = real_array(f"{self.caller}: {name}", value, kinds="fiu")
        if not array.size:
            raise ValueError(
                f"{self.caller}: {name} is empty (shape {array.shape}): there is nothing to differentiate by"
            )
        return array

    def _nudged(self, name, value):
        """The loss with the numbers of one name replaced; NaN where the function raises, or has no real number."""
        bears_complex = np.iscomplexobj(value)
        try:
            found = self._value(self.case.numbers | {name: value})
        except ValueError as error:
            if error.__cause__ is None and not bears_complex:  # it took too long, or changed what it was given
                raise
            return np.nan
        if isinstance(found, complex) and not bears_complex:
            return np.nan if found.imag else found.real
        return found

    def _value(self, numbers):
        found = claims.call(self.loss, (numbers,), self.caller, self.time_limit)
        if found is None:
            raise TypeError(f"{self.caller}: your function returned None; did it forget its return?")
        known = isinstance(found, (float, int, complex, np.generic, np.ndarray)) and not np.ma.isMaskedArray(found)
        kind = np.asarray(found).dtype.kind if known else ""
        if isinstance(found, np.ndarray) and found.ndim:
            raise ValueError(
                f"{self.caller}: your function must return one number, found an array of shape {found.shape}; "
                "a loss is a sum or a mean over its examples"
            )
        if isinstance(found, int) and not isinstance(found, bool) and abs(found) > LARGEST:
            return np.inf
        if kind not in tuple("fiuc"):
            raise TypeError(f"{self.caller}: your function must return one number, found {shown(found)}")
        return complex(found) if kind == "c" else float(found)


@contextmanager
def _quiet():
    """Beside the numbers in question a function may overflow or leave its domain; its answer says so, a warning need not."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


# --- the witnesses ----------------------------------------------------------------------------------------------------


def _with_roughness(case):
    """The case with the rounding that one direction of each array shows."""
    return replace(
        case, rough=max(roughness(case, name, directions(np.shape(case.numbers[name]))[0]) for name in case.inputs)
    )


def _methods(case, names, witness):
    """The witness for each of the names, and remarks on it.

    Central differences for all where the complex step gives another slope along any direction, or none; for a name at a
    kink, where their doubt is far more than noise.
    """
    if witness == "central differences":
        return dict.fromkeys(names, witness), ()
    kinked = {}
    for name, value in case.numbers.items():
        for way in directions(np.shape(value)):
            found, (slope, doubt) = complex_step_along(case, name, way), difference_along(case, name, way)
            if not abs(found - slope) <= doubt + AGREE[np.float64] * abs(slope):
                return dict.fromkeys(names, "central differences"), (REASONS["no complex step"],)
            if doubt > AGREE[np.float64] * abs(found) and doubt > 1e5 * case.noise / (np.abs(value).max() or 1.0):
                kinked[name] = "central differences"
    kinked = {name: method for name, method in kinked.items() if name in names}
    remarks = (f"{', '.join(kinked)}: {REASONS['one side']}",) if kinked else ()
    return dict.fromkeys(names, witness) | kinked, remarks


def _shares(sizes):
    """How many entries of each array are looked at: all where that is not too many, else about as many of each."""
    left, shares = MOST_ENTRIES, dict(sizes)
    for done, name in enumerate(sorted(sizes, key=sizes.get)):
        shares[name] = min(sizes[name], max(1, left // (len(sizes) - done)))
        left -= shares[name]
    return shares


def _testimony(case, method, name, most):
    """`testimony`, with central differences where the complex step gives no number."""
    found, doubt = testimony(case, method, name, most)
    if method == "complex step":
        for entry in map(tuple, np.argwhere(np.isnan(found) & ~np.isnan(doubt))):
            (found[entry],), (doubt[entry],) = central_differences(case, name, [entry])
    return found, doubt


# --- the verdict ------------------------------------------------------------------------------------------------------


def _judged(case, method, name, claim, found, doubt):
    """(verdict, reason, relative errors) of one array of claims; no errors where nothing was claimed."""
    if claim is None:
        return "undecided", REASONS["no claim"], None
    true, doubt, rounding = (
        np.where(np.isnan(found) & ~np.isnan(doubt), 0.0, found),
        doubt.copy(),
        np.zeros(claim.shape),
    )

    size = np.nanmax(np.abs(true))  # stands for the sum of |paths|; 0 where a complex step finds that there is no path
    scale = np.where(np.abs(true) > doubt, size, 0.0) if method == "complex step" else np.maximum(size, doubt)

    def verdict():
        return compare(claim, true, doubt, Margins(scale, rounding, true, true))

    opinion, reason, errors = verdict()
    if opinion != "agree":
        look_again = _second_opinion if method == "complex step" else _third_opinion
        for entry in _worst_first(errors, AGREE[claim.dtype.type]):
            if not look_again(case, name, entry, claim, true, doubt, rounding):
                break  # nothing speaks for it
        opinion, reason, _ = verdict()
    if opinion == "disagree" and not np.nanmax(np.abs(true)):
        return opinion, REASONS["flat"], errors
    if opinion == "agree" and np.isnan(doubt).any():
        return *_together(case, method, name, claim), errors
    return opinion, reason, errors


def _worst_first(errors, tolerance):
    """The entries whose error is past the tolerance, the largest error first."""
    entries = list(map(tuple, np.argwhere(errors > tolerance)))
    return sorted(entries, key=lambda entry: -errors[entry])


def _second_opinion(case, name, entry, claim, true, doubt, rounding):
    """Whether central differences leave the claim at one entry standing; what they know better, or not, is written into the arrays.

    Where they exclude the complex step's slope, theirs counts. Where they can exclude neither, what is left is the rounding
    of the complex step, measured, and their own doubt.
    """
    (slope,), (its,) = central_differences(case, name, [entry])
    standing = abs(claim[entry] - slope) <= its + AGREE[claim.dtype.type] * np.nanmax(np.abs(true))
    if abs(true[entry] - slope) > its:
        reach = 0.618 * reach_of(np.asarray(case.numbers[name]), entry)
        (other,), (more,) = central_differences(case, name, [entry], reach)
        true[entry], doubt[entry] = slope, its if abs(other - slope) <= its + more else np.inf
    elif standing:
        doubt[entry], rounding[entry] = 2 * its, 16 * slope_noise(case, name, entry)
    return standing


def _third_opinion(case, name, entry, claim, true, doubt, _):
    """Whether the slope at one entry is quite another at numbers beside it: then a kink is there, and any claim is left standing.

    Where all numbers of an array are 0, whole layers of units may stand on their kinks, and the slope along one entry knows
    nothing of it.
    """
    x, rng = np.asarray(case.numbers[name], float), np.random.default_rng(2)
    size, apart = np.abs(x).max() or 1.0, abs(claim[entry] - true[entry])
    for _ in range(2):
        near = SHAKE * size * rng.choice((-1.0, 1.0), x.shape)
        beside = replace(case, numbers=case.numbers | {name: (x + near)[()]})
        (slope,), (its,) = central_differences(beside, name, [entry], reach=SHAKE * size)
        moved = abs(slope - true[entry])
        if moved > its and moved > 0.1 * apart and moved > 1e-4 * np.nanmax(np.abs(true)):
            doubt[entry] = np.inf
            return True
    return False


def _together(case, method, name, claim):
    """(verdict, reason) of a sampled array by random directions, where the entries that were looked at agree."""
    for way in directions(claim.shape):
        claimed, allowed = (claim * way).sum(), allowed_along(way, AGREE[claim.dtype.type] * claim)
        if method == "complex step" and abs(claimed - complex_step_along(case, name, way)) <= allowed:
            continue
        slope, doubt = difference_along(case, name, way)
        if abs(claimed - slope) > doubt + allowed:
            return "disagree", REASONS["sample"]
        if claimed != slope and (method == "complex step" or doubt > DOUBT * allowed):
            return "undecided", REASONS["step"]
    return "agree", None
