"""Networks as files: every setting and bit comes back; what is no such file is refused, whatever stands in it."""

import io
import os
import pickle

import numpy as np
import pytest

import backproplab as bp

CASES = [
    dict(sizes=[3, 4, 2], activations=["tanh", "softmax"], loss="cross_entropy", l2=0.1, reduction="sum", seed=4),
    dict(sizes=[2, 1], activations=["sigmoid"], loss="binary_cross_entropy", dtype=np.float32, l2=1 / 3),
    dict(sizes=[1, 5, 4, 3], activations=["gelu", "leaky_relu", "identity"]),
]


def same(net, other):
    mine, theirs = net.parameters, other.parameters
    return (
        list(mine) == list(theirs)
        and all(mine[n].dtype == theirs[n].dtype and mine[n].tobytes() == theirs[n].tobytes() for n in mine)
        and (net.sizes, net.settings, net.dtype) == (other.sizes, other.settings, other.dtype)
    )


@pytest.fixture
def net():
    return bp.Network(**CASES[0])


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("as_text", [True, False])
def test_a_network_comes_back_bit_by_bit(case, as_text, tmp_path):
    net = bp.Network(**case)
    odd = np.array([-0.0, 5e-324, -1e-310, 1 / 3], net.dtype)
    net.parameters = {name: np.resize(odd, v.shape) + v * (name == "W1") for name, v in net.parameters.items()}
    path = tmp_path / "a net.npz"
    net.save(str(path) if as_text else path)
    other = bp.Network.load(str(path) if as_text else path)
    assert same(net, other) and os.listdir(tmp_path) == ["a net.npz"]
    X = np.ones((2, net.sizes[0]))
    assert net.predict(X).tobytes() == other.predict(X).tobytes()
    assert not same(net, bp.Network(**case | {"seed": 9}))


def test_plain_numpy_reads_it_and_no_ending_is_added(net, tmp_path):
    net.save(tmp_path / "net")
    with np.load(tmp_path / "net", allow_pickle=False) as members:
        assert set(members.files) == {"about", *net.parameters}
        assert np.array_equal(members["W1"], net.parameters["W1"])
    assert same(net, bp.Network.load(tmp_path / "net"))


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file(net, tmp_path, monkeypatch, broken):
    path = tmp_path / "net.npz"
    net.save(path)
    before = path.read_bytes()

    def fail(*_):
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(os, broken, fail)
        with pytest.raises(OSError, match="no space"):
            bp.Network([1, 1], ["tanh"]).save(path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["net.npz"]


def test_a_link_stays_a_link_and_a_file_keeps_the_usual_rights(net, tmp_path):
    real, link = tmp_path / "real.npz", tmp_path / "link.npz"
    link.symlink_to(real)
    net.save(link)
    plain = tmp_path / "plain"
    plain.write_text("")
    assert link.is_symlink() and same(net, bp.Network.load(real)) and real.stat().st_mode == plain.stat().st_mode


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


class Trap:
    """Unpickled, it would say so."""

    def __reduce__(self):
        return pytest.fail, ("a pickle was read",)


ABOUT = '{"backproplab": "a network", "version": 1, "activations": ["tanh"], "loss": "squared_error", "l2": 0.0, "reduction": "mean"}'
W, B = np.ones((1, 2)), np.ones(1)
FOREIGN = {
    "empty": b"",
    "text": b"W1 = 3",
    "pickle": pickle.dumps(Trap()),
    "pickled array": npz(about=np.array(ABOUT), W1=np.array([Trap()], object), b1=B),
    "pickled about": npz(about=np.array([Trap()], object), W1=W, b1=B),
    "npy": npy(W),
    "foreign npz": npz(W1=W, b1=B),
    "no JSON": npz(about=np.array("{"), W1=W),
    "a list": npz(about=np.array("[]"), W1=W),
    "deep JSON": npz(about=np.array("[" * 100_000), W1=W),
    "another kind": npz(about=np.array(ABOUT.replace("a network", "a poem")), W1=W, b1=B),
    "another version": npz(about=np.array(ABOUT.replace("1,", "2,", 1)), W1=W, b1=B),
    "no bias": npz(about=np.array(ABOUT), W1=W),
    "no loss": npz(about=np.array(ABOUT.replace("loss", "less")), W1=W, b1=B),
    "unknown activation": npz(about=np.array(ABOUT.replace("tanh", "tan")), W1=W, b1=B),
    "NaN": npz(about=np.array(ABOUT), W1=W * np.nan, b1=B),
    "wrong shape": npz(about=np.array(ABOUT), W1=W, b1=np.ones(2)),
    "complex": npz(about=np.array(ABOUT), W1=W * 1j, b1=B),
}


@pytest.mark.parametrize("data", FOREIGN.values(), ids=FOREIGN)
def test_what_is_no_network_is_refused(data, tmp_path):
    path = tmp_path / "file.npz"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"^Network\.load: .*file\.npz (is damaged, or not a network|holds a )"):
        bp.Network.load(path)


def test_the_pattern_of_the_foreign_files_is_readable(tmp_path):
    """Negative control: the same text and arrays without a fault are read."""
    (tmp_path / "file.npz").write_bytes(npz(about=np.array(ABOUT), W1=W, b1=B))
    assert bp.Network.load(tmp_path / "file.npz").activations == ("tanh",)


def test_every_damage_is_seen_or_harmless(net, tmp_path):
    path, rng = tmp_path / "net.npz", np.random.default_rng(0)
    net.save(path)
    whole, seen = path.read_bytes(), 0
    cuts = [whole[:length] for length in rng.integers(0, len(whole), 60)]
    flips = []
    for place in rng.integers(0, len(whole), 300):
        spoilt = bytearray(whole)
        spoilt[place] ^= 1 << int(rng.integers(8))
        flips.append(bytes(spoilt))
    for data in cuts + flips:
        path.write_bytes(data)
        try:
            assert same(net, bp.Network.load(path))
        except ValueError as error:
            assert str(error).startswith("Network.load: ")
            seen += 1
    assert seen > 60 + 150


def test_paths_that_are_none(net, tmp_path):
    with pytest.raises(FileNotFoundError):
        bp.Network.load(tmp_path / "none.npz")
    with pytest.raises(FileNotFoundError):
        net.save(tmp_path / "no folder" / "net.npz")
    with pytest.raises(TypeError, match=r"Network\.load: expected the path of a file, found int 3"):
        bp.Network.load(3)
    with pytest.raises(TypeError, match=r"Network\.save: expected the path of a file, found NoneType"):
        net.save(None)
