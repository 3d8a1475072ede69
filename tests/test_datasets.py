"""Data sets: each formula against the test's own, the real digits, and MNIST's files, whole, damaged and missing."""

import gzip
import hashlib
import pickle
import subprocess
import sys
import zipfile

import numpy as np
import pytest

import backproplab as bp

PLANE = ["xor", "moons", "circles", "spirals"]
NAMES = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]


# --- points in the plane -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["line", *PLANE])
def test_the_same_seed_gives_the_same_points_and_another_one_others(name):
    make = getattr(bp.datasets, name)
    X, Y = make(50, seed=3)
    assert X.shape == (50, 1 if name == "line" else 2) and np.isfinite(X).all()
    X[:], Y[:] = 0, 0  # the caller's own: the next call knows nothing of it
    np.random.seed(0)
    (first, labels), (second, others) = make(50, seed=3), make(n=50, seed=3)
    assert np.array_equal(first, second) and np.array_equal(labels, others) and first.any()
    assert not np.array_equal(first, make(50, seed=4)[0])
    assert make(1, seed=0)[0].shape[0] == 1 and len(make()[0]) == len(make()[1])


@pytest.mark.parametrize("name", PLANE)
def test_labels_are_whole_numbers_of_two_classes(name):
    X, Y = getattr(bp.datasets, name)(400, seed=1)
    assert Y.shape == (400,) and Y.dtype == int and set(Y) == {0, 1} and 140 < Y.sum() < 260
    net = bp.Network([2, 4, 2], ["tanh", "softmax"], loss="cross_entropy")
    assert np.isfinite(net.loss(X, Y)) and np.isfinite(net.loss(X, np.eye(2)[Y]))


def distances(X, curve):
    """How far each point is from a curve that is drawn with many points."""
    return np.sqrt(((X[:, None] - curve[None]) ** 2).sum(axis=2)).min(axis=1)


T = np.linspace(0, 1, 1500)
CURVES = {  # label -> the curve as (x, y), and the standard deviation across it
    "moons": ({0: (np.cos(np.pi * T), np.sin(np.pi * T)), 1: (1 - np.cos(np.pi * T), 0.5 - np.sin(np.pi * T))}, 0.1),
    "circles": ({k: (r * np.cos(2 * np.pi * T), r * np.sin(2 * np.pi * T)) for k, r in ((0, 1.0), (1, 0.5))}, 0.1),
    "spirals": ({k: (s * (0.1 + 0.9 * T) * np.cos(3 * np.pi * (0.1 + 0.9 * T)), s * (0.1 + 0.9 * T) * np.sin(3 * np.pi * (0.1 + 0.9 * T)))
                 for k, s in ((0, 1), (1, -1))}, 0.03),
}  # fmt: skip


@pytest.mark.parametrize("name", CURVES)
def test_points_lie_about_their_curve_and_not_about_the_other(name):
    curves, noise = CURVES[name]
    X, Y = getattr(bp.datasets, name)(2000, seed=5)
    for label, curve in curves.items():
        own = distances(X[label == Y], np.transpose(curve))
        other = distances(X[label != Y], np.transpose(curve))
        assert abs(np.sqrt((own**2).mean()) / noise - 1) < 0.1  # across the curve the noise has one dimension
        assert own.max() < 5 * noise and np.sqrt((other**2).mean()) > 3 * noise


def test_a_line_is_a_regression():
    X, Y = bp.datasets.line(4000, seed=2)
    slope, offset = np.polyfit(X[:, 0], Y[:, 0], 1)
    rest = Y - 2 * X + 1
    assert Y.shape == (4000, 1) and abs(slope - 2) < 0.03 and abs(offset + 1) < 0.02
    assert abs(rest.std() - 0.2) < 0.01 and -1 <= X.min() < -0.99 and 0.99 < X.max() <= 1
    assert np.isfinite(bp.Network([1, 1], ["identity"]).loss(X, Y))


def test_xor_is_the_exclusive_or_of_two_signs():
    X, Y = bp.datasets.xor(300, seed=2)
    assert [int((x > 0) ^ (y > 0)) for x, y in X.tolist()] == Y.tolist() and abs(X).max() <= 1
    straight = np.linalg.lstsq(np.c_[X, np.ones(300)], 2.0 * Y - 1, rcond=None)[0]
    assert ((np.c_[X, np.ones(300)] @ straight > 0) == Y).mean() < 0.65, "a straight line does not do"


@pytest.mark.parametrize("n, seed, error, message", [
    (0, 0, ValueError, r"datasets\.{}: n must be at least 1, found 0"), (-3, 0, ValueError, "n must be at least 1, found -3"),
    (10**12, 0, ValueError, "n must be at most 10000000, found int 1000000000000"), (2.0, 0, TypeError, "n must be a whole number, found float 2.0"),
    (True, 0, TypeError, "n must be a whole number, found bool True"), ("9", 0, TypeError, "n must be a whole number, found str '9'"),
    (9, -1, ValueError, r"datasets\.{}: seed must not be negative, found -1"), (9, None, TypeError, r"datasets\.{}: seed must be a whole number"),
    (9, 0.5, TypeError, "seed must be a whole number, found float"), (9, np.True_, TypeError, "seed must be a whole number"),
])  # fmt: skip
@pytest.mark.parametrize("name", ["line", *PLANE])
def test_numbers_and_seeds_that_are_refused(name, n, seed, error, message):
    with pytest.raises(error, match=message.format(name)):
        getattr(bp.datasets, name)(n, seed)


def test_numpys_whole_numbers_are_taken():
    assert np.array_equal(bp.datasets.moons(np.int32(9), np.uint8(3))[0], bp.datasets.moons(9, 3)[0])


# --- digits --------------------------------------------------------------------------------------------------------------


def test_the_digits_are_split_once_and_for_all():
    pytest.importorskip("sklearn")
    (X, Y), (X_test, Y_test) = bp.datasets.digits()
    assert X.shape == (1437, 64) and X_test.shape == (360, 64) and Y.shape == (1437,) and Y_test.shape == (360,)
    assert X.min() == X_test.min() == 0 and X.max() == X_test.max() == 1 and Y.dtype == Y_test.dtype == int
    assert np.bincount(Y_test).tolist() == [36, 36, 36, 36, 37, 36, 36, 36, 35, 36]
    assert abs(np.bincount(Y) / 4 - np.bincount(Y_test)).max() <= 1, "each digit alike in both parts"
    assert len(set(Y[:30])) > 7 and len(set(Y_test[:30])) > 7, "in no order"
    assert hashlib.sha256(bytes(Y_test.astype("u1"))).hexdigest().startswith("513d1ae8fed416db")
    X[:], Y[:] = 7, 7
    (again, labels), _ = bp.datasets.digits()
    assert again.max() == 1 and labels.max() == 9


def test_the_two_parts_are_the_digits_of_scikit_learn_each_once():
    load_digits = pytest.importorskip("sklearn.datasets").load_digits
    parts = bp.datasets.digits()
    rows = sorted((*map(int, 16 * x), int(y)) for X, Y in parts for x, y in zip(X, Y, strict=True))
    pixels, labels = load_digits(return_X_y=True)
    assert rows == sorted((*map(int, x), int(y)) for x, y in zip(pixels, labels, strict=True))


@pytest.mark.parametrize("seed", range(5))
def test_a_small_net_learns_to_read_them(seed):
    pytest.importorskip("sklearn")
    (X, Y), (X_test, Y_test) = bp.datasets.digits()
    net = bp.Network([64, 32, 10], ["relu", "softmax"], loss="cross_entropy", seed=seed)
    before = (net.predict(X_test).argmax(axis=1) == Y_test).mean()
    bp.train(net, X, Y, optimizer=bp.Adam(0.001), epochs=60, batch_size=32, seed=seed)
    assert before < 0.3 and (net.predict(X_test).argmax(axis=1) == Y_test).mean() >= 0.95


def test_without_scikit_learn_the_error_says_which_command_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r"^datasets\.digits: .*scikit-learn.*: pip install scikit-learn$"):
        bp.datasets.digits()


def test_the_plane_needs_no_scikit_learn():
    code = (
        "import sys, backproplab as bp; bp.datasets.moons(5); print('sklearn' in sys.modules, 'scipy' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False False"


# --- MNIST's files -------------------------------------------------------------------------------------------------------


def some_digits(rng, n):
    return rng.integers(0, 256, (n, 28, 28), dtype=np.uint8), rng.integers(0, 10, n, dtype=np.uint8)


def idx(array):
    """The bytes of an IDX file of unsigned bytes."""
    return b"".join(int(number).to_bytes(4, "big") for number in (0x800 + array.ndim, *array.shape)) + array.tobytes()


@pytest.fixture
def files():
    """(the four files' bytes by name, their arrays in the same order)."""
    rng = np.random.default_rng(11)
    arrays = [*some_digits(rng, 7), *some_digits(rng, 3)]
    return {name: idx(array) for name, array in zip(NAMES, arrays, strict=True)}, arrays


def write(folder, files):
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def arrays_by_name(arrays):
    return dict(zip(("x_train", "y_train", "x_test", "y_test"), arrays, strict=True))


FORMS = {
    "plain": lambda name, data: {name: data},
    "gzipped": lambda name, data: {name + ".gz": gzip.compress(data)},
    "with a dot": lambda name, data: {name.replace("-idx", ".idx"): data},
    "one gzipped": lambda name, data: {name + ".gz": gzip.compress(data)} if "t10k-l" in name else {name: data},
}


@pytest.mark.parametrize("form", [*FORMS, "npz", "npz, packed"])
def test_the_files_are_read_in_each_form(tmp_path, files, form):
    contents, (images, labels, images_test, labels_test) = files
    if form in FORMS:
        for name, data in contents.items():
            write(tmp_path, FORMS[form](name, data))
    else:
        save = np.savez if form == "npz" else np.savez_compressed
        save(tmp_path / "mnist.npz", **arrays_by_name(files[1]))
    (X, Y), (X_test, Y_test) = bp.datasets.mnist(tmp_path if form == "plain" else str(tmp_path))
    assert X.shape == (7, 784) and X_test.shape == (3, 784) and X.dtype == float and Y.dtype == int
    assert all(
        X[i, 28 * row + column] == images[i, row, column] / 255
        for i, row, column in ((0, 0, 0), (2, 3, 5), (6, 27, 27))
    )
    assert np.array_equal(X_test * 255, images_test.reshape(3, 784)) and X.min() >= 0 and X.max() <= 1
    assert Y.tolist() == labels.tolist() and Y_test.tolist() == labels_test.tolist()
    X[:], Y[:] = 0, 0  # the caller's own
    assert bp.datasets.mnist(tmp_path)[0][0].any()
    net = bp.Network([784, 5, 10], ["relu", "softmax"], loss="cross_entropy")
    assert np.isfinite(net.loss(X_test, Y_test))


def test_missing_files_are_named_with_where_they_come_from(tmp_path, files):
    with pytest.raises(ValueError, match=r"LeCun.*Cortes.*Burges") as error:
        bp.datasets.mnist(tmp_path)
    assert all(name in str(error.value) for name in [*NAMES, "mnist.npz"]) and "http" not in str(error.value)
    write(tmp_path, dict(list(files[0].items())[:3]))
    with pytest.raises(ValueError, match=r"lacks t10k-labels-idx1-ubyte \(with .gz or without\)"):
        bp.datasets.mnist(tmp_path)


@pytest.mark.parametrize("folder, error, message", [
    (7, TypeError, "folder must be the path of a folder, found int 7"), (None, TypeError, "found NoneType"),
    ("nowhere/at/all", ValueError, "there is no folder 'nowhere/at/all'"), (__file__, ValueError, "there is no folder"),
])  # fmt: skip
def test_folders_that_are_refused(folder, error, message):
    with pytest.raises(error, match=message):
        bp.datasets.mnist(folder)


def spoilt(data, images):
    """(what was done, the bytes) of a file that is no longer what it was."""
    yield "empty", b""
    yield "cut in its head", data[:6]
    yield "cut in its numbers", data[:-1]
    yield "longer", data + b"\0"
    yield "another kind", (0x801 if images else 0x803).to_bytes(4, "big") + data[4:]
    yield "other numbers", b"\0\0\x0d" + data[3:]  # floats
    yield "a huge size", data[:4] + b"\xff" * (12 if images else 4) + data[16:]
    yield "a page of a web site", b"<!doctype html><title>404</title>" * 20


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzipped"])
@pytest.mark.parametrize("name", NAMES)
def test_damaged_files_are_refused_by_name(tmp_path, files, name, packed):
    ending = ".gz" if packed else ""
    for what, data in spoilt(files[0][name], "images" in name):
        contents = files[0] | {name: data}
        write(tmp_path, {other + ending: gzip.compress(raw) if packed else raw for other, raw in contents.items()})
        with pytest.raises(ValueError, match=rf"^datasets\.mnist: {name}{ending} is damaged: ") as error:
            bp.datasets.mnist(tmp_path)
        assert what and "Traceback" not in str(error.value)


def flipped(data, place):
    return data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]


def test_damaged_gzip_is_refused(tmp_path, files):
    packed = {name + ".gz": gzip.compress(data) for name, data in files[0].items()}
    name = NAMES[0] + ".gz"
    whole = packed[name]
    for data in (
        whole[:40],
        whole[:-4],
        files[0][NAMES[0]],
        flipped(whole, len(whole) // 2),
        flipped(whole, len(whole) - 6),
    ):
        write(tmp_path, packed | {name: data})
        with pytest.raises(ValueError, match=rf"^datasets\.mnist: {name} is damaged: "):
            bp.datasets.mnist(tmp_path)


def small(arrays):
    images, *others = arrays
    return [images[:, :20, :20], *others]


@pytest.mark.parametrize("change, message", [
    (lambda a: [a[0], a[1][:5], *a[2:]], r"the train set has 7 images and labels of shape \(5,\): expected \(7,\)"),
    (lambda a: [*a[:3], np.append(a[3], [1])], r"the test set has 3 images and labels of shape \(4,\)"),
    (small, r"the train set: its images must have the shape \(n, 28, 28\), found \(7, 20, 20\)"),
    (lambda a: [*a[:2], a[2][:0], a[3][:0]], r"the test set: its images must have the shape .*found \(0, 28, 28\)"),
    (lambda a: [a[0], a[1] + 40, *a[2:]], "the train set: its labels must be from 0 to 9, found 4"),
])  # fmt: skip
@pytest.mark.parametrize("form", ["idx", "npz"])
def test_files_that_do_not_fit_together_are_refused(tmp_path, files, change, message, form):
    arrays = [np.asarray(array, np.uint8) for array in change(files[1])]
    if form == "idx":
        write(tmp_path, {name: idx(array) for name, array in zip(NAMES, arrays, strict=True)})
    else:
        np.savez(tmp_path / "mnist.npz", **arrays_by_name(arrays))
    with pytest.raises(ValueError, match=message):
        bp.datasets.mnist(tmp_path)


class Trap:
    """What a pickle may do: it would write a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return exec, (f"open({str(self.path)!r}, 'w').close()",)


def test_an_archive_that_is_pickled_damaged_or_of_something_else_is_refused(tmp_path, files):
    archive, trap = tmp_path / "mnist.npz", tmp_path / "sprung"
    by_name = arrays_by_name(files[1])
    np.savez(archive, **by_name)
    whole = archive.read_bytes()
    for data in (
        b"",
        whole[:100],
        whole[: len(whole) // 2],
        flipped(whole, 900),
        pickle.dumps(Trap(trap)),
        pickle.dumps(by_name),
    ):
        archive.write_bytes(data)
        with pytest.raises(
            ValueError,
            match=r"^datasets\.mnist: mnist\.npz is damaged, or lacks one of x_train, y_train, x_test, y_test: ",
        ):
            bp.datasets.mnist(tmp_path)
    objects = np.empty(7, object)
    objects[:] = [Trap(trap)] * 7
    np.savez(archive, **by_name | {"y_train": objects})
    with pytest.raises(ValueError, match="is damaged"):
        bp.datasets.mnist(tmp_path)
    assert not trap.exists()


@pytest.mark.parametrize("change, message", [
    (lambda a: {name: value for name, value in a.items() if name != "y_test"}, "lacks one of"),
    (lambda a: a | {"x_train": a["x_train"] / 255}, "x_train of mnist.npz must hold whole numbers, found float64"),
    (lambda a: a | {"x_test": a["x_test"].astype(int) - 300}, "the test set: its pixels must be from 0 to 255, found -"),
    (lambda a: a | {"y_train": a["y_train"].astype(str)}, "y_train of mnist.npz must hold whole numbers"),
    (lambda a: a | {"x_train": np.int64(3)}, r"the shape \(n, 28, 28\), found \(\)"),
])  # fmt: skip
def test_archives_that_are_refused(tmp_path, files, change, message):
    np.savez(tmp_path / "mnist.npz", **change(arrays_by_name(files[1])))
    with pytest.raises(ValueError, match=message):
        bp.datasets.mnist(tmp_path)


def test_an_archive_whose_header_lies_is_refused(tmp_path, files):
    np.savez(tmp_path / "right.npz", **arrays_by_name(files[1]))
    with zipfile.ZipFile(tmp_path / "right.npz") as old, zipfile.ZipFile(tmp_path / "mnist.npz", "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, data.replace(b"(7, 28, 28)", b"(7777777, 8)") if name == "x_train.npy" else data)
    with pytest.raises(ValueError, match="is damaged"):
        bp.datasets.mnist(tmp_path)
