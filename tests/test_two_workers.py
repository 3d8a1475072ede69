"""The script of notebook 15: real processes on this machine, whose gradient and training are those of one process."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import backproplab as bp

pytest.importorskip("torch")
SCRIPT = pathlib.Path(__file__).parent.parent / "notebooks" / "scripts" / "two_workers.py"


def start(workers, *rows):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1"]
    command += ["--nproc-per-node", str(workers), str(SCRIPT), *map(str, rows)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("rows", [(12, 12), (16, 8), (10, 9, 5)])
def test_workers_find_the_gradient_of_all_rows_and_learn_as_one(rows):
    done = start(len(rows), *rows)
    assert done.returncode == 0, done.stderr
    found, (X, Y) = json.loads(done.stdout), bp.datasets.moons(sum(rows), seed=0)
    net = bp.Network([2, 3, 2], ["tanh", "softmax"], loss="cross_entropy", seed=4)
    right, ends = net.gradient(X, Y), np.cumsum(rows)
    parts = [net.gradient(X[end - n : end], Y[end - n : end]) for n, end in zip(rows, ends, strict=True)]
    bp.train(net, X, Y, bp.SGD(0.5), epochs=20, batch_size=len(X), seed=0)
    for way in ("by hand", "DDP weighted"):
        for own, value in zip(found[way]["gradient"], right.values(), strict=True):
            assert np.abs(np.array(own) - value).max() <= 1e-12
        assert found[way]["loss"] == pytest.approx(net.loss(X, Y), rel=1e-10)
    for own, name in zip(found["DDP"]["gradient"], right, strict=True):
        assert np.abs(np.array(own) - np.mean([part[name] for part in parts], axis=0)).max() <= 1e-12
    off = abs(found["DDP"]["loss"] - net.loss(X, Y))
    assert off < 1e-10 if len(set(rows)) == 1 else off > 1e-4


def test_another_number_of_parts_than_workers_is_refused():
    done = start(2, 24)
    assert done.returncode != 0 and "two_workers: give 2 numbers of rows, found 1" in done.stderr
