"""What a learner claims a gradient to be: a dict or a function, read and called with care."""

import contextvars
import ctypes
import threading
import traceback
from contextlib import suppress
from numbers import Real

import numpy as np

from ..given import real_array
from ..notation import number, parts

TIME_LIMIT = 10.0  # seconds for one call of a learner's function
REQUESTS = 50  # to stop, a fiftieth of a second apart


class _Stopped(BaseException):
    """Raised inside a learner's function that ran out of time; `except Exception` does not catch it."""


def call(function, arguments, caller, time_limit=TIME_LIMIT):
    """function(*arguments), or function(**arguments) of a dict, in a thread that is given up after `time_limit` seconds.

    A thread can be asked to stop, not forced: a function that catches everything inside an endless loop runs on, and the error
    says so. A process could be forced, but it cannot be handed a function that was written in a notebook (Windows, macOS),
    or must be forked from a kernel with threads (Linux), and there may be thousands of calls.
    ValueError: it takes too long, raises (the error is the cause), or writes into a dict or an array that it was given.
    """
    if isinstance(time_limit, bool) or not isinstance(time_limit, Real) or not time_limit > 0:
        raise ValueError(f"{caller}: time_limit must be a number of seconds above 0, found {time_limit!r:.40}")
    given, outcome = _copied(arguments), {}

    def run():
        try:
            outcome["value"] = function(**given) if isinstance(given, dict) else function(*given)
        except BaseException as error:  # whatever a learner's code raises is said, not passed on
            outcome["error"] = error
            with suppress(BaseException):  # an error may fail to say what it is
                outcome["words"] = f": {error}"

    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True)
    thread.start()
    try:
        thread.join(min(time_limit, threading.TIMEOUT_MAX))
    finally:
        late = thread.is_alive()
        ended = _stopped(thread)
    if late:
        fate = "was stopped" if ended else "could not be stopped: it runs on in the background"
        raise ValueError(
            f"{caller}: your function did not return within {number(time_limit)} s and {fate}; "
            "does a loop never end? time_limit= gives it more time"
        )
    if "error" in outcome:
        error = outcome["error"]
        raise ValueError(
            f"{caller}: your function raised {type(error).__name__}{_place(function, error)}{outcome.get('words', '')}"
        ) from error
    _check_unchanged(function, arguments, given, caller)
    return outcome["value"]


def _stopped(thread):
    """Whether a thread has ended, after it was asked to again and again: a bare `except:` may have caught the first."""
    for _ in range(REQUESTS):
        if not thread.is_alive():
            return True
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(_Stopped))
        thread.join(0.02)
    return not thread.is_alive()


def as_computed(claimed, given):
    """Claims in the arithmetic in which they were computed: float32 where any of the arrays `given` for them is."""
    if all(array.dtype != np.float32 for array in given):
        return claimed
    with np.errstate(over="ignore"):
        return {name: value.astype(np.float32) for name, value in claimed.items()}


def _copied(value):
    """A deep copy of numbers, arrays, and dicts and tuples of them."""
    if isinstance(value, dict):
        return {name: _copied(part) for name, part in value.items()}
    if isinstance(value, tuple):
        return tuple(map(_copied, value))
    return np.array(value) if isinstance(value, np.ndarray) else value


def _place(function, error):
    """The last line of the learner's own code that was reached, as " in `...`"."""
    file = getattr(getattr(function, "__code__", None), "co_filename", None)
    lines = [frame.line for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file and frame.line]
    return f" in `{lines[-1]}`" if lines else ""


def _check_unchanged(function, arguments, given, caller):
    if not isinstance(arguments, dict):
        code = getattr(function, "__code__", None)
        known = code is not None and code.co_argcount == len(arguments)
        names = code.co_varnames if known else [f"argument {i + 1}" for i in range(len(arguments))]
        arguments, given = (dict(zip(names, values, strict=False)) for values in (arguments, given))
    for name, old in arguments.items():
        if isinstance(old, dict) and isinstance(given[name], dict):
            added = given[name].keys() - old.keys()
            _check_unchanged(function, old | dict.fromkeys(added), dict.fromkeys(old) | given[name], caller)
        elif not np.array_equal(old, given[name]):
            raise ValueError(
                f"{caller}: your function changes {name}, which it was given; a gradient only reads: "
                "make a new array, D = D * 2, not D *= 2"
            )


def own_dict(found, what, caller):
    """A plain dict of what a dict holds. TypeError: its items raise."""
    try:
        return dict(found.items())
    except Exception as error:
        raise TypeError(f"{caller}: {what} cannot be read: its items raise {type(error).__name__}") from error


def read(claimed, names, caller):
    """The claims as arrays (float32 stays, other real numbers become float64), for some of the `names`.

    TypeError: no dict, no real numbers. ValueError: no names, a name that is not known, an empty array, NaN or infinity.
    """
    if claimed is None:
        raise TypeError(f"{caller}: claimed is None; did the function forget its return?")
    if not isinstance(claimed, dict):
        such = f"{{{next(iter(names))!r}: ...}}"
        raise TypeError(f"{caller}: claimed must be a dict such as {such}, found {type(claimed).__name__}")
    claimed = own_dict(claimed, "claimed", caller)
    if not claimed:
        raise ValueError(f"{caller}: claimed holds no name; the quantities are {', '.join(names)}")
    for name in claimed:
        if name not in names:
            raise ValueError(f"{caller}: claimed names {name!r:.40}, but the quantities are {', '.join(names)}")
    return {name: claimed_array(f"{caller}: the claim for {name}", value) for name, value in claimed.items()}


def read_fitting(claimed, shapes, caller):
    """The claims as arrays, each in the shape of its name. Errors as `read`; ValueError: another shape, with its likely cause."""
    arrays = read(claimed, shapes, caller)
    for name, array in arrays.items():
        if array.shape != shapes[name]:
            raise ValueError(f"{caller}: the claim for {explain_shape(name, array.shape, shapes[name])}")
    return arrays


def claimed_array(what, value):
    """A finite array of float32 or float64 (whole numbers become float64), or the errors of `read`."""
    array = real_array(what, value, kinds="fiu", narrowest=4)
    if array.size == 0:
        raise ValueError(f"{what} is empty (shape {array.shape}): it says nothing")
    return array


def unit_of(claimed):
    """The unit in the last place of what claims were computed in: that of float32 if any of them is float32."""
    return max(float(np.finfo(value.dtype).eps) for value in claimed.values())


def unlike(first, second):
    """The names of which two answers differ."""
    return [name for name in first.keys() | second.keys() if not np.array_equal(first.get(name), second.get(name))]


def explain_shape(name, found, expected):
    """What is wrong with a shape and why it may have come about, in a sentence."""
    words = f"{name} has shape {found}, expected {expected}: "
    if len(found) == 2 and found == expected[::-1]:
        rule = (
            "; W has shape (units out, units in), and so has its gradient, delta.T @ A"
            if parts(name).letter == "W"
            else ""
        )
        return words + "this is the transpose" + rule
    if np.prod(found) == np.prod(expected):
        rule = "; a bias is (units,), not a row or a column" if parts(name).letter == "b" and expected else ""
        return words + "the same number of entries, arranged differently" + rule
    if len(found) == len(expected) + 1 and found[1:] == expected:
        return words + "one gradient for each example; add them up over the rows, sum(axis=0)"
    if not found:
        return words + "one number for all entries; the sum runs over the examples only, sum(axis=0)"
    return words + "a gradient has the shape of its quantity"
