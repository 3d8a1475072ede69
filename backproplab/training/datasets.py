"""Data sets: points in the plane drawn from a seed, real handwritten digits of 8 x 8 and of 28 x 28 pixels; nothing is downloaded.

Each call draws from a generator of its own, so that the same n and seed give the same points; what is returned is the caller's.
"""

import gzip
import math
import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

from ..given import random_source, shown, whole_number

__all__ = ["circles", "digits", "line", "mnist", "moons", "spirals", "xor"]

MOST = 10_000_000  # points, images
SIDE, KINDS = 28, 10  # of an image of MNIST; of digits
IMAGES, LABELS = 0x803, 0x801  # the first four bytes of an IDX file: unsigned bytes, three axes or one
FILES = {  # what a reader may have, by part: IDX files, named with a hyphen or with a dot, gzipped or not
    ("train", IMAGES): "train-images-idx3-ubyte",
    ("train", LABELS): "train-labels-idx1-ubyte",
    ("test", IMAGES): "t10k-images-idx3-ubyte",
    ("test", LABELS): "t10k-labels-idx1-ubyte",
}
ARCHIVE = "mnist.npz"  # or one file, with the arrays x_train, y_train, x_test, y_test
UNREADABLE = (EOFError, KeyError, MemoryError, OSError, ValueError, zipfile.BadZipFile, zlib.error)


# --- points in the plane -------------------------------------------------------------------------------------------------


def _source(name, n, seed):
    """(n, generator) of one call. TypeError, ValueError: no whole numbers, n below 1 or above MOST, a negative seed."""
    n, rng = whole_number(f"datasets.{name}: n", n, 1), random_source(seed, f"datasets.{name}")
    if n > MOST:
        raise ValueError(f"datasets.{name}: n must be at most {MOST}, found {shown(n)}")
    return n, rng


def line(n=100, seed=0):
    """Points near a line, for a regression: X (n, 1) and Y (n, 1), real numbers.

    y = 2 x - 1 + 0.2 e, with x uniform in [-1, 1] and e standard normal. TypeError, ValueError: n or seed of no use.
    """
    n, rng = _source("line", n, seed)
    X = rng.uniform(-1, 1, (n, 1))
    return X, 2 * X - 1 + 0.2 * rng.normal(size=(n, 1))


def xor(n=200, seed=0):
    """Points of a square whose class is the exclusive or of two signs, which no straight line separates: X (n, 2), labels (n,).

    x1 and x2 are uniform in [-1, 1]; the label is 1 where one of them is positive and the other is not, else 0.
    TypeError, ValueError: n or seed of no use. Source: M. Minsky and S. Papert, Perceptrons, 1969, for what it shows.
    """
    n, rng = _source("xor", n, seed)
    X = rng.uniform(-1, 1, (n, 2))
    return X, ((X[:, 0] > 0) != (X[:, 1] > 0)).astype(int)


def moons(n=200, seed=0):
    """Two half circles that reach into each other: X (n, 2), labels (n,), 0 and 1 in turn.

    Label 0: (cos t, sin t); label 1: (1 - cos t, 1/2 - sin t); t uniform in [0, pi], noise of standard deviation 0.1 added.
    TypeError, ValueError: n or seed of no use. Source: the curves are those of scikit-learn's make_moons.
    """
    n, rng = _source("moons", n, seed)
    Y, t = np.arange(n) % 2, rng.uniform(0, math.pi, n)
    X = np.where(Y, (1 - np.cos(t), 0.5 - np.sin(t)), (np.cos(t), np.sin(t))).T
    return X + 0.1 * rng.normal(size=(n, 2)), Y


def circles(n=200, seed=0):
    """A circle around another: X (n, 2), labels (n,), 0 (outside) and 1 (inside) in turn.

    r (cos t, sin t) with r = 1 for label 0 and 1/2 for label 1; t uniform in [0, 2 pi], noise of standard deviation 0.1 added.
    TypeError, ValueError: n or seed of no use.
    """
    n, rng = _source("circles", n, seed)
    Y, t = np.arange(n) % 2, rng.uniform(0, 2 * math.pi, n)
    X = (1 - Y / 2) * (np.cos(t), np.sin(t))
    return X.T + 0.1 * rng.normal(size=(n, 2)), Y


def spirals(n=200, seed=0):
    """Two spirals wound around each other: X (n, 2), labels (n,), 0 and 1 in turn.

    r (cos t, sin t) with t = 3 pi r, and half a turn more for label 1; r uniform in [0.1, 1], noise of standard deviation 0.03
    added. TypeError, ValueError: n or seed of no use. Source: after the two spirals of K. Lang and M. Witbrock, Learning to
    tell two spirals apart, Connectionist Models Summer School 1988.
    """
    n, rng = _source("spirals", n, seed)
    Y, r = np.arange(n) % 2, rng.uniform(0.1, 1, n)
    t = math.pi * (3 * r + Y)
    X = r * (np.cos(t), np.sin(t))
    return X.T + 0.03 * rng.normal(size=(n, 2)), Y


# --- handwritten digits --------------------------------------------------------------------------------------------------


def digits():
    """1,797 real handwritten digits of 8 x 8 pixels: (X, Y), (X_test, Y_test), with X (1437, 64) and X_test (360, 64).

    X = pixel / 16, in [0, 1], row by row from the top left; labels 0 to 9. The split is always the same: the digits in a fixed
    random order, sorted by label, every fifth one for the test. ImportError: scikit-learn, with which they come, is missing.
    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, 1998 (its test set, by 13 writers).
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise ImportError(
            "datasets.digits: the digits come with scikit-learn, which is not installed: pip install scikit-learn"
        ) from None
    pixels, labels = load_digits(return_X_y=True)
    X, Y, order = pixels / 16, labels.astype(int), np.random.default_rng(0).permutation(len(labels))
    by_label, test = order[np.argsort(Y[order], kind="stable")], np.zeros(len(Y), bool)
    test[by_label[::5]] = True
    return tuple((X[rows], Y[rows]) for rows in (order[~test[order]], order[test[order]]))


def mnist(folder):
    """The 28 x 28 digits of MNIST from files that you have: (X, Y), (X_test, Y_test), with X (n, 784) = pixel / 255, labels (n,).

    `folder` holds the four IDX files, gzipped or not, or mnist.npz. Sets in the same files, Fashion-MNIST for one, do as well.
    ValueError: no such folder, files missing (it says which), damaged, or not of one another. TypeError: `folder` is no path.
    Source: Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, Gradient-based learning applied to document recognition, 1998.
    """
    if not isinstance(folder, (str, os.PathLike)):
        raise TypeError(f"datasets.mnist: folder must be the path of a folder, found {shown(folder)}")
    if not (folder := Path(folder)).is_dir():
        raise ValueError(f"datasets.mnist: there is no folder {str(folder)!r:.80}")
    found = {part: _file(folder, name) for part, name in FILES.items()}
    if all(found.values()):
        arrays = {part: _idx(path, part[1]) for part, path in found.items()}
    elif (folder / ARCHIVE).is_file():
        arrays = _npz(folder / ARCHIVE)
    else:
        missing = ", ".join(FILES[part] for part, path in found.items() if path is None)
        raise ValueError(
            f"datasets.mnist: {str(folder)!r:.80} lacks {missing} (with .gz or without), and has no {ARCHIVE} in their place. "
            "These are the files of MNIST, the database of handwritten digits by Y. LeCun, C. Cortes and C. Burges: get them "
            "once, from any place you trust, and put them there; datasets.digits() needs no files"
        )
    return tuple(_examples(part, arrays[part, IMAGES], arrays[part, LABELS]) for part in ("train", "test"))


def _file(folder, name):
    """The path of an IDX file under any of its usual names; None if there is none."""
    names = [name, name.replace("-idx", ".idx")]
    paths = (folder / (stem + ending) for stem in names for ending in ("", ".gz"))
    return next((path for path in paths if path.is_file()), None)


def _idx(path, kind):
    """The array of an IDX file: its kind and its sizes, four bytes each, highest first, then one byte for each number."""
    axes = kind & 0xFF
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            head = np.frombuffer(file.read(4 * (1 + axes)), ">u4").astype(int)
            if len(head) != 1 + axes or head[0] != kind:
                raise ValueError(f"it does not begin as an IDX file of {'images' if kind == IMAGES else 'labels'} does")
            size = math.prod(map(int, head[1:]))
            if size > MOST * SIDE**2:
                raise ValueError(f"it announces {size} bytes, more than {MOST} images have")
            data = file.read(size + 1)
    except UNREADABLE as error:
        raise ValueError(f"datasets.mnist: {path.name} is damaged: {error}") from None
    if len(data) != size:
        more = "more" if len(data) > size else len(data)
        raise ValueError(f"datasets.mnist: {path.name} is damaged: {size} bytes are announced, there are {more}")
    return np.frombuffer(data, np.uint8).reshape(head[1:])


def _npz(path):
    """The four arrays of mnist.npz, by part; pickled objects are refused."""
    names = {
        (part, kind): f"{letter}_{part}"
        for part in ("train", "test")
        for kind, letter in ((IMAGES, "x"), (LABELS, "y"))
    }
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("it is no archive of arrays")
        with np.load(path, allow_pickle=False) as file:
            arrays = {part: np.asarray(file[name]) for part, name in names.items()}
    except UNREADABLE as error:
        wanted = ", ".join(names.values())
        raise ValueError(f"datasets.mnist: {path.name} is damaged, or lacks one of {wanted}: {error}") from None
    for part, array in arrays.items():
        if array.dtype.kind not in "iu":
            raise ValueError(
                f"datasets.mnist: {names[part]} of {path.name} must hold whole numbers, found {array.dtype}"
            )
    return arrays


def _examples(part, images, labels):
    """(X, Y) of one part. ValueError: images of another size, numbers out of range, labels that do not belong to the images."""
    what = f"datasets.mnist: the {part} set"
    if images.ndim != 3 or images.shape[1:] != (SIDE, SIDE) or not len(images):
        raise ValueError(f"{what}: its images must have the shape (n, {SIDE}, {SIDE}), found {images.shape}")
    if labels.shape != (len(images),):
        raise ValueError(
            f"{what} has {len(images)} images and labels of shape {labels.shape}: expected ({len(images)},)"
        )
    for array, most, name in ((images, 255, "pixels"), (labels, KINDS - 1, "labels")):
        if array.min() < 0 or array.max() > most:
            raise ValueError(f"{what}: its {name} must be from 0 to {most}, found {array.min()} to {array.max()}")
    return images.reshape(len(images), -1) / 255.0, labels.astype(int)
