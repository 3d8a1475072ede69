"""Is what a user handed in usable? Arrays, numbers, names; an error says what was expected and what came.

`what` begins a sentence with the caller and the thing, "Network: W1".
"""

import math

import numpy as np

LONGEST_NAME = 100  # characters


class NotFinite(ValueError):
    """A number is NaN or infinite: one that was given, or one that a computation came to."""


def shown(value):
    """A value that was found, in an error: its type and the beginning of its text, if it has one."""
    try:
        return f"{type(value).__name__} {value!r:.40}"
    except Exception:  # a number too long to be written, an object that fails to say what it is
        return type(value).__name__


def real_array(what, value, kinds="fiub", dtype=None, narrowest=2, copy=True):
    """A finite array of real numbers of some kinds of dtype; without `copy` it may be the very array that was given.

    Without `dtype` float32 stays, all others become float64; floats of fewer bytes than the `narrowest` are refused.
    TypeError: no real numbers. ValueError: rows of different lengths, NaN or infinity, a number past float64.
    """
    array = value if isinstance(value, np.ndarray) else _array(what, value)
    if (isinstance(value, bool) and "b" not in kinds) or (array.dtype.kind not in kinds and not array.ndim):
        raise TypeError(f"{what} must be a real number or an array of them, found {shown(value)}")
    if array.dtype.kind not in kinds or (array.dtype.kind == "f" and array.dtype.itemsize < narrowest):
        found = "text" if array.dtype.kind in "SU" else f"dtype {array.dtype}"
        raise TypeError(f"{what} must hold real numbers, found {found}")
    check_finite(what, array)
    wanted = dtype or (np.float32 if array.dtype == np.float32 else np.float64)
    if array.dtype == wanted:
        return array.copy() if copy else array
    with np.errstate(all="ignore"):
        numbers = array.astype(wanted)
    if numbers.dtype.itemsize < array.dtype.itemsize:
        check_finite(what, numbers)
    return numbers


def _array(what, value):
    """What NumPy makes of a value; a number of any other kind (Fraction, Decimal, SymPy's, ...) as a float."""
    single = not hasattr(value, "__array__") and not isinstance(value, (str, bytes, list, tuple))
    try:
        if single and hasattr(value, "__float__"):
            return np.asarray(float(value))
        return np.asarray(value)
    except OverflowError:
        raise ValueError(f"{what} must fit into float64, found {type(value).__name__}") from None
    except Exception as error:
        if isinstance(error, ValueError) and isinstance(value, (list, tuple)):
            raise ValueError(f"{what} must form one array, found rows of different lengths") from None
        raise TypeError(f"{what} must be a real number or an array of them, found {shown(value)}") from None


def squares(array):
    """The sum of the squares, in one quick pass: finite unless an entry is not, or a square overflows."""
    flat = array.ravel()
    return np.dot(flat, flat)


def check_finite(what, array):
    """ValueError for NaN or infinity, with the place of the first."""
    if array.dtype.kind != "f":
        return
    with np.errstate(all="ignore"):
        quick = squares(array)
    if not math.isfinite(quick) and not np.isfinite(array).all():
        where = tuple(map(int, np.argwhere(~np.isfinite(array))[0]))
        raise NotFinite(f"{what} must be finite, found {array[where]}" + (f" at entry {list(where)}" if where else ""))


def common_shape(what, numbers):
    """The shape to which arrays broadcast, by name. ValueError: they do not."""
    try:
        return np.broadcast_shapes(*(np.shape(value) for value in numbers.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {np.shape(value)}" for name, value in numbers.items() if np.ndim(value))
        raise ValueError(f"{what}: the arrays do not broadcast to one shape: {shapes}") from None


def known(what, name, names):
    """The name, if it is one of `names`; else ValueError."""
    if not isinstance(name, str) or name not in names:
        raise ValueError(f"{what} {name!r:.40}; known are {', '.join(names)}")
    return name


def check_name(caller, name, role, reserved):
    """TypeError: no text. ValueError: not a letter with letters, digits and _ after it, or a reserved word."""
    if not isinstance(name, str):
        raise TypeError(f"{caller}: the name of {role} must be text, found {type(name).__name__}")
    if not (name.isidentifier() and name[0].isalpha()):
        raise ValueError(
            f"{caller}: {name!r:.60} cannot be the name of {role}: a name is a letter, then letters, digits and _"
        )
    if len(name) > LONGEST_NAME:
        raise ValueError(
            f"{caller}: {name[:20]!r}... cannot be the name of {role}: it has {len(name)} characters, at most {LONGEST_NAME}"
        )
    if name in reserved:
        raise ValueError(
            f"{caller}: {name!r} cannot be the name of {role}: it is reserved ({', '.join(sorted(reserved))})"
        )


def real_number(what, value, wanted, fits):
    """A finite number as a float that `fits`; `wanted` says so in words. TypeError: no number. ValueError: any other."""
    try:
        array = real_array(what, value, kinds="fiu", dtype=float)
    except NotFinite as error:  # a setting, no result of a computation
        raise ValueError(str(error)) from None
    if array.ndim:
        raise TypeError(f"{what} must be a number, found {shown(value)}")
    if not fits(float(array)):
        raise ValueError(f"{what} must be finite and {wanted}, found {value}")
    return float(array)


def whole_number(what, value, least):
    """A whole number of at least `least` as an int. TypeError: none. ValueError: below it."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{what} must be a whole number, found {shown(value)}")
    if value < least:
        raise ValueError(
            f"{what} must be at least {least}, found {value}"
            if least
            else f"{what} must not be negative, found {value}"
        )
    return int(value)


def random_source(seed, caller="Network"):
    """NumPy's generator of random numbers. TypeError, ValueError: no whole number, or a negative one."""
    return np.random.default_rng(whole_number(f"{caller}: seed", seed, 0))
