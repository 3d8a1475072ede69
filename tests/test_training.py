"""The loop of training: against loops of the test's own, stopped, killed and resumed with the same bits, and what it refuses."""

import json
import math
import os
import pickle
import signal
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

import backproplab as bp

ROOT = os.path.dirname(os.path.dirname(bp.__file__))
N, CLASSES = 50, 3


def data(n=N, width=4, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, width)), rng.integers(0, CLASSES, n)


def network(seed=0, **settings):
    return bp.Network([4, 6, CLASSES], ["relu", "softmax"], "cross_entropy", **settings, seed=seed)


def trained(epochs=5, net=None, optimizer=None, **settings):
    net = net or network()
    X, Y = data()
    call = dict(optimizer=optimizer or bp.Adam(0.01), epochs=epochs, batch_size=16, seed=3) | settings
    return net, bp.train(net, X, Y, **call)


def bits(net):
    return {name: value.tobytes() for name, value in net.parameters.items()}


def same_run(history, other):
    columns = ("names", "losses", "accuracies", "validation_losses", "validation_accuracies", "norms", "stopped")
    return all(getattr(history, name) == getattr(other, name) for name in columns)


# --- what it computes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [float, np.float32])
@pytest.mark.parametrize("loss, output, reduction, l2", [
    ("cross_entropy", "softmax", "mean", 0.0),
    ("cross_entropy", "softmax", "sum", 0.1),
    ("binary_cross_entropy", "sigmoid", "mean", 0.0),
    ("squared_error", "identity", "mean", 0.1),
])  # fmt: skip
def test_against_a_loop_written_out(loss, output, reduction, l2, dtype):
    """The same updates by the network's public methods, SGD written out; 50 rows in batches of 16: the last has 2."""
    X, Y = data()
    Y = Y if loss == "cross_entropy" else np.eye(CLASSES)[Y]
    net, own = (bp.Network([4, 6, 3], ["tanh", output], loss, l2, reduction, dtype) for _ in range(2))
    history = bp.train(net, X, Y, bp.SGD(0.05), epochs=3, batch_size=16, seed=3, validation=(X[:7], Y[:7]))
    rng = np.random.default_rng(3)
    for epoch in range(3):
        order, total, right, norms = rng.permutation(N), 0.0, 0, dict.fromkeys(own.parameters, 0.0)
        for start in range(0, N, 16):
            x, y = X[order[start : start + 16]], Y[order[start : start + 16]]
            total += own.loss(x, y) * len(x)
            guess = own.predict(x)
            if loss == "cross_entropy":
                right += (guess.argmax(axis=1) == y).sum()
            else:
                right += ((guess > 0.5) == (y > 0.5)).all(axis=1).sum()
            gradient = own.gradient(x, y)
            for name, value in gradient.items():
                norms[name] += np.linalg.norm(value) * len(x) / N
            own.parameters = {name: value - 0.05 * gradient[name] for name, value in own.parameters.items()}
        rel = 1e-12 if dtype is float else 1e-5
        assert history.losses[epoch] == pytest.approx(total / N, rel=rel)
        assert {name: values[epoch] for name, values in history.norms.items()} == pytest.approx(norms, rel=rel)
        if loss != "squared_error":
            assert history.accuracies[epoch] == right / N
    assert bits(net) == bits(own)
    assert history.validation_losses[-1] == pytest.approx(own.loss(X[:7], Y[:7]), rel=1e-15)
    assert history.stopped == "done" and history.reason == "" and len(history.seconds) == 3
    if loss == "squared_error":
        assert history.accuracies == history.validation_accuracies == []


def test_as_in_pytorch():
    torch = pytest.importorskip("torch")
    X, Y = data(200)
    net = network()
    leaves = {name: torch.tensor(value, requires_grad=True) for name, value in net.parameters.items()}
    theirs, rng, losses = torch.optim.AdamW(leaves.values(), 0.01), np.random.default_rng(0), []
    history = bp.train(net, X, Y, bp.AdamW(0.01), epochs=10, batch_size=64, seed=0)
    for _ in range(10):
        total = 0.0
        for rows in np.array_split(rng.permutation(200), [64, 128, 192]):
            hidden = torch.relu(torch.tensor(X[rows]) @ leaves["W1"].T + leaves["b1"])
            loss = torch.nn.functional.cross_entropy(hidden @ leaves["W2"].T + leaves["b2"], torch.tensor(Y[rows]))
            theirs.zero_grad()
            loss.backward()
            theirs.step()
            total += loss.item() * len(rows)
        losses.append(total / 200)
    assert history.losses == pytest.approx(losses, rel=1e-11)
    for name, value in net.parameters.items():
        np.testing.assert_allclose(value, leaves[name].detach().numpy(), rtol=1e-9, atol=1e-12)


def test_an_epochs_loss_is_neither_the_last_batchs_nor_an_unweighted_mean():
    X, Y = data()
    net, order = network(), np.random.default_rng(3).permutation(N)
    frozen = bp.train(net, X, Y, bp.SGD(0.1), 1, 16, 3, schedule=lambda epoch: 0)
    batches = [network().loss(X[rows], Y[rows]) for rows in np.split(order, [16, 32, 48])]
    assert frozen.losses[0] == pytest.approx(network().loss(X, Y), rel=1e-14)
    assert abs(frozen.losses[0] - batches[-1]) > 1e-3 and abs(frozen.losses[0] - np.mean(batches)) > 1e-3
    assert bits(net) == bits(network())


def test_the_same_seed_gives_the_same_bits_and_another_gives_others():
    (net, history), (again, other), (third, _) = trained(), trained(), trained(seed=4)
    assert bits(net) == bits(again) and same_run(history, other) and bits(net) != bits(third)


def test_a_schedule_is_asked_once_an_epoch_and_clips_each_batch():
    asked, lengths = [], []

    def schedule(epoch):
        asked.append(epoch)
        return 0.1 / 2**epoch

    def clip(gradient):
        clipped = bp.clip_by_norm(gradient, 0.01)
        lengths.append(math.sqrt(sum((value**2).sum() for value in clipped.values())))
        return clipped

    net, history = trained(3, optimizer=bp.SGD(1.0), schedule=schedule, clip=clip)
    assert asked == [0, 1, 2] and lengths == pytest.approx([0.01] * 12)
    moved = math.sqrt(sum(((net.parameters[n] - v) ** 2).sum() for n, v in network().parameters.items()))
    assert moved <= 4 * 0.01 * (0.1 + 0.05 + 0.025)
    assert min(history.norms["W1"]) > 0.01  # as they were before the clipping


def test_training_a_second_time_goes_on_with_the_optimizers_state():
    adam, (net, _) = bp.Adam(0.01), (network(), None)
    trained(2, net, adam)
    assert adam.memory.steps == 8 and list(adam.state) == list(net.parameters)
    trained(1, net, adam)
    assert adam.memory.steps == 12


def test_inputs_are_not_written_to_and_one_right_answer_is_1():
    X = data()[0]
    Y = X[:, :CLASSES].argmax(axis=1)
    before = X.copy(), Y.copy()
    X.flags.writeable = Y.flags.writeable = False
    net = network()
    history = bp.train(net, X, Y, bp.Adam(0.05), 150, 16, 0)
    assert np.array_equal(X, before[0]) and np.array_equal(Y, before[1])
    assert history.accuracies[-1] == 1.0
    assert bp.train(network(), X, Y, bp.SGD(0.1), 1, N, 0).losses  # one batch of all rows


# --- history ----------------------------------------------------------------------------------------------------------


def test_a_history_shows_itself():
    _, history = trained(20, validation=data(9))
    assert repr(history).startswith("History(done after 20 epochs, loss 1.") and "validation accuracy" in repr(history)
    table = history._repr_html_()
    assert table.count("<tr>") == 1 + 12 + 1 and "…" in table and "<th>validation loss</th>" in table
    picture = history.draw()
    assert picture.svg == trained(20, validation=data(9))[1].draw().svg and picture.png
    for word in (">loss<", ">accuracy<", ">norm of the gradient<", ">training<", ">validation<"):
        assert word in picture.svg
    assert "accuracy" not in trained(2)[1]._repr_html_().replace("<th>accuracy</th>", "")
    assert same_run(pickle.loads(pickle.dumps(history)), history)
    history.losses.append(0.0)
    assert len(history.losses) == 20


def test_pictures_of_odd_histories():
    columns = 6 + 2

    def history(*losses):
        rows = [(loss, *[math.nan] * 3, 0.0, 0.5, 0.0, 0.0)[:columns] for loss in losses]
        return bp.train.__globals__["History"](("W1", "b1"), tuple(rows), "done")

    for losses in ([], [1.0], [0.0, 0.0], [1e308, 1e-308], [1e300, 0.0], [-1e-320, 1e-320], [2.0] * 3000):
        svg = history(*losses).draw().svg
        assert "nan" not in svg and "inf" not in svg and len(svg) < 60_000
    assert "1e−2" in history(1.0, 0.1, 0.01).draw().svg
    assert history()._repr_html_() is None and "0 epochs" in repr(history())


def test_a_bar_only_where_it_is_asked_for(capsys):
    code = "import sys, backproplab as bp; sys.path.insert(0, {!r}); import test_training as t; t.trained(1); print('tqdm' in sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", code.format(os.path.dirname(__file__))],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [ROOT, os.environ.get("PYTHONPATH")]))},
    )
    assert found.stdout.strip() == "False"
    trained(1)
    assert capsys.readouterr() == ("", "")
    trained(3, progress=True)
    shown = capsys.readouterr()
    assert "3/3" in shown.err and "loss=" in shown.err and shown.out == ""


# --- stops ------------------------------------------------------------------------------------------------------------


class Interrupts(bp.Adam):
    """Adam, interrupted in the middle of its step number `at`: some parameters have moved, some have not."""

    at = 10

    def update(self, parameter, gradient, kept, rate, t):
        if t == self.at and len(parameter.shape) == 1:
            raise KeyboardInterrupt
        return super().update(parameter, gradient, kept, rate, t)


def uninterrupted():
    optimizer = Interrupts(0.01)
    optimizer.at = None
    return optimizer


def test_an_interrupt_returns_what_there_is():
    optimizer = Interrupts(0.01)
    net, history = trained(5, optimizer=optimizer)
    assert history.stopped == "interrupted" and history.reason == "interrupted in epoch 3 of 5, batch 2 of 4"
    whole, _ = trained(2)
    assert len(history.losses) == 2 and history.losses == trained(2)[1].losses
    adam = bp.Adam(0.01)
    rng, own, (X, Y) = np.random.default_rng(3), network(), data()
    orders = [rng.permutation(N) for _ in range(3)]
    for order, count in zip(orders, (4, 4, 1), strict=True):
        for start in range(0, 16 * count, 16):
            rows = order[start : start + 16]
            own.parameters = adam.step(own.parameters, own.gradient(X[rows], Y[rows]))
    assert bits(net) == bits(own) and bits(net) != bits(whole)
    assert optimizer.memory.steps == 9


@pytest.mark.parametrize("at", [1, 2, 4, 5, 10, 19, 20])
def test_interrupted_and_resumed_gives_the_same_bits(tmp_path, at):
    path, true = tmp_path / "run.npz", trained(5, validation=data(9))

    def run(optimizer, seed):
        return trained(5, network(seed), optimizer, validation=data(9), checkpoint=path)

    interrupted = Interrupts(0.01)
    interrupted.at = at
    _, history = run(interrupted, 0)
    assert history.stopped == "interrupted" and len(history.losses) == (at - 1) // 4
    net, history = run(uninterrupted(), 8)
    assert bits(net) == bits(true[0]) and same_run(history, true[1])
    assert os.listdir(tmp_path) == ["run.npz"]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer that interrupts")
def test_interrupted_at_any_instruction_and_resumed_gives_the_same_bits(tmp_path):
    """A signal raises KeyboardInterrupt wherever Python stands, also between an update and its record."""
    path, rng, (true, whole) = tmp_path / "run.npz", np.random.default_rng(0), trained(40)

    def interrupt(*_):
        raise KeyboardInterrupt

    old, net = signal.signal(signal.SIGALRM, interrupt), network()
    try:
        for _ in range(25):
            before, adam = bits(net), bp.Adam(0.01)
            try:
                signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-3, 8e-3))
                _, history = trained(40, net, adam, checkpoint=path)
                signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:  # before the first batch, or on the way out
                assert bits(net) == before or history.stopped
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    net, history = trained(40, network(2), checkpoint=path)
    assert bits(net) == bits(true) and same_run(history, whole)


@pytest.mark.parametrize("lost", ["optimizer", "random", "sums", "batch"])
def test_a_checkpoint_that_lost_something_would_be_seen(tmp_path, lost):
    """Negative control of the tests around: without one of its parts the same call comes to other numbers."""
    path, optimizer, (true, whole) = tmp_path / "run.npz", Interrupts(0.01), trained(5)
    trained(5, optimizer=optimizer, checkpoint=path)
    with np.load(path) as members:
        arrays = dict(members)
    about = json.loads(str(arrays["about"]))
    if lost == "optimizer":
        arrays = {
            name: value * (not name.startswith("optimizer")) if value.ndim else value for name, value in arrays.items()
        }
    elif lost == "random":
        about["random"] = np.random.default_rng(3).bit_generator.state
    elif lost == "sums":
        arrays["sums"] *= 0
    else:
        about["batch"] = 0
    np.savez(path, **arrays | {"about": np.array(json.dumps(about))})
    net, history = trained(5, checkpoint=path, optimizer=uninterrupted())
    assert bits(net) != bits(true) or not same_run(history, whole)


def test_an_interrupt_while_the_checkpoint_is_written(tmp_path, monkeypatch):
    path, true, replace, calls = tmp_path / "run.npz", trained(5), os.replace, []

    def interrupted(*paths):
        calls.append(paths)
        if len(calls) == 3:
            raise KeyboardInterrupt
        replace(*paths)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", interrupted)
        _, history = trained(5, checkpoint=path)
    assert history.stopped == "interrupted" and len(history.losses) == 2
    net, history = trained(5, network(seed=1), checkpoint=path)
    assert bits(net) == bits(true[0]) and same_run(history, true[1])


# One process that has imported everything forks the trainings and kills them, so that a kill costs no start.
KILLER = """
import sys
sys.path.insert(0, sys.argv[2])
import json, os, random, signal, time
import numpy as np, test_training as t, backproplab as bp
rng = random.Random(int(sys.argv[3]))
for _ in range(12):
    pid = os.fork()
    if pid == 0:
        t.trained(80, optimizer=bp.Adam(0.01), checkpoint=sys.argv[1])
        os._exit(0)
    time.sleep(rng.uniform(0.005, 0.03))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    if os.path.exists(sys.argv[1]):
        with np.load(sys.argv[1]) as members:
            print(json.loads(str(members["about"]))["epoch"])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and kill -9")
@pytest.mark.parametrize("seed", range(2))
def test_killed_at_random_moments_and_resumed_gives_the_same_bits(tmp_path, seed):
    path, where = tmp_path / "run.npz", os.pathsep.join(filter(None, [ROOT, os.environ.get("PYTHONPATH")]))
    found = subprocess.run(
        [sys.executable, "-c", KILLER, str(path), os.path.dirname(__file__), str(seed)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": where, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    epochs = list(map(int, found.stdout.split()))
    assert epochs == sorted(epochs) and found.stderr == ""
    net, history = trained(80, network(seed=5), checkpoint=path)
    true, whole = trained(80)
    assert bits(net) == bits(true) and same_run(history, whole)
    assert (
        os.listdir(tmp_path) == ["run.npz"] or epochs[-1] == 80
    )  # killed in its last write, it leaves the unfinished one


def test_a_finished_run_returns_at_once_and_more_epochs_go_on(tmp_path):
    path = tmp_path / "run.npz"
    net, history = trained(4, checkpoint=path, validation=data(9))
    written = path.read_bytes()

    def never(gradient):
        pytest.fail("a finished run was trained")

    adam = bp.Adam(0.01)
    with pytest.raises(ValueError, match="is of another training: clip given was False, now it is True"):
        trained(4, network(7), adam, checkpoint=path, validation=data(9), clip=never)
    again, other = trained(4, network(7), adam, checkpoint=path, validation=data(9))
    assert bits(again) == bits(net) and same_run(history, other) and history.seconds == other.seconds
    assert path.read_bytes() == written and adam.memory.steps == 16
    longer, _ = trained(6, network(7), checkpoint=path, validation=data(9))
    assert bits(longer) == bits(trained(6)[0])
    with pytest.raises(ValueError, match="is 6 epochs far, but epochs is 5"):
        trained(5, checkpoint=path, validation=data(9))


def test_a_loss_that_is_not_finite_stops_it(tmp_path):
    net = bp.Network([4, 6, 3], ["relu", "identity"])
    X, Y, path = data()[0] * 1e3, np.ones((N, 3)), tmp_path / "run.npz"
    with pytest.warns(
        RuntimeWarning, match=r"^train: stopped in epoch 1 of 20, batch \d of 4: Network\.backward: (Z|L)"
    ) as found:
        history = bp.train(net, X, Y, bp.SGD(1e3), 20, 16, 0, checkpoint=path)
    assert found[0].filename == __file__
    assert history.stopped == "not finite" and history.losses == [] and history.reason in str(found[0].message)
    assert all(np.isfinite(value).all() for value in net.parameters.values()) and bits(net) != bits(
        bp.Network([4, 6, 3], ["relu", "identity"])
    )
    with pytest.raises(ValueError):
        net.loss(X, Y)  # the reader can look at what happened
    again = bp.Network([4, 6, 3], ["relu", "identity"])
    with pytest.warns(RuntimeWarning, match="epoch 1 of 20"):
        bp.train(again, X, Y, bp.SGD(1e3), 20, 16, 0, checkpoint=path)
    assert bits(again) == bits(net)


def test_a_layer_and_a_later_epoch_are_named():
    net = bp.Network([4, 6, 3], ["tanh", "identity"])
    with pytest.warns(
        RuntimeWarning, match=r"epoch 3 of 9, batch . of 4: .*(Z2 = .* in layer 2|dL/dW2, in layer 2|L = )"
    ):
        history = bp.train(
            net,
            data()[0],
            np.ones((N, 3)),
            bp.SGD(0.1),
            9,
            16,
            0,
            schedule=lambda epoch: [0.1, 0.1, 1e200][min(epoch, 2)],
        )
    assert len(history.losses) == 2 and history.stopped == "not finite"


def test_a_rate_of_1e308_in_training():
    net = network()
    with pytest.warns(RuntimeWarning, match=r"epoch 1 of 5, batch 1 of 4: Adam\.step: W1: .* at the rate 1e\+308"):
        _, history = trained(5, net, bp.Adam(1e308))
    assert history.stopped == "not finite" and bits(net) == bits(network())
    _, history = trained(2, optimizer=bp.SGD(1e-320))
    assert history.stopped == "done"


def test_a_validation_that_is_not_finite_stops_it():
    net, (X, _) = bp.Network([4, 3], ["identity"]), data()
    with pytest.warns(RuntimeWarning, match=r"epoch 1 of 2, after its last batch: Network\.forward \(validation\): L"):
        history = bp.train(net, X, np.ones((N, 3)), bp.SGD(0.1), 2, 16, 0, validation=(X[:2] * 1e200, np.ones((2, 3))))
    assert history.losses == [] and bits(net) != bits(bp.Network([4, 3], ["identity"]))


# --- memory -----------------------------------------------------------------------------------------------------------


def test_memory_stays_flat_over_epochs(tmp_path):
    def peak(epochs):
        net, (X, Y) = bp.Network([30, 40, 3], ["relu", "softmax"], "cross_entropy"), data(200, 30)
        tracemalloc.start()
        bp.train(net, X, Y, bp.Adam(), epochs, 20, 0, checkpoint=tmp_path / f"{epochs}.npz")
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(2)
    few, many = peak(5), peak(60)
    assert many - few < 55 * 2000  # a row of the history is some hundred bytes, a set of arrays 11 kB and more


# --- what it refuses --------------------------------------------------------------------------------------------------

X, Y = data()


@pytest.mark.parametrize("change, error, text", [
    (dict(epochs=0), ValueError, "train: epochs must be at least 1, found 0"),
    (dict(epochs=2.5), TypeError, "train: epochs must be a whole number"),
    (dict(batch_size=0), ValueError, "train: batch_size must be at least 1, found 0"),
    (dict(batch_size=N + 1), ValueError, "batch_size is 51, but X has 50 rows"),
    (dict(batch_size=True), TypeError, "train: batch_size must be a whole number"),
    (dict(seed=-1), ValueError, "train: seed must not be negative"),
    (dict(seed=None), TypeError, "train: seed must be a whole number"),
    (dict(X=X[:0], Y=Y[:0]), ValueError, "there are no examples"),
    (dict(X=X[:, :3]), ValueError, r"X has shape \(50, 3\), expected \(n, 4\)"),
    (dict(X=X * np.nan), ValueError, "X must be finite"),
    (dict(Y=Y[:7]), ValueError, "Y has shape"),
    (dict(Y=Y + 1), ValueError, "labels must lie in 0..2"),
    (dict(validation=(X[:, :3], Y)), ValueError, r"train: validation: Network: X has shape \(50, 3\), expected \(n, 4\)"),
    (dict(validation=(X, Y[:3])), ValueError, "train: validation: Network: Y has shape"),
    (dict(validation=X), TypeError, "validation must be a pair"),
    (dict(net="net"), TypeError, "net must be a bp.Network"),
    (dict(optimizer=0.001), TypeError, r"optimizer must be an optimizer such as bp\.Adam"),
    (dict(optimizer=bp.Adam), TypeError, "optimizer must be an optimizer"),
    (dict(schedule=0.1), TypeError, "schedule must be a function"),
    (dict(clip=1.0), TypeError, "clip must be a function"),
    (dict(schedule=lambda epoch: -0.1), ValueError, r"train: schedule\(0\) must be finite and not negative, found -0.1"),
    (dict(schedule=lambda epoch: float("nan")), ValueError, r"train: schedule\(0\) must be finite"),
    (dict(schedule=lambda epoch: 0.1 if epoch < 2 else "slow"), TypeError, r"train: schedule\(2\) must be a real number"),
    (dict(clip=lambda gradient: None), TypeError, "clip must return the gradient"),
    (dict(clip=lambda gradient: {}), ValueError, "the gradient lacks W1"),
    (dict(clip=lambda gradient: bp.clip_by_norm(gradient, float("nan"))), ValueError, "clip_by_norm: limit must be finite"),
    (dict(checkpoint=3), TypeError, "train: checkpoint: expected the path of a file, found int 3"),
])  # fmt: skip
def test_bad_input_is_refused_and_nothing_changes(change, error, text):
    net, adam = network(), bp.Adam(0.01)
    call = dict(net=net, X=X, Y=Y, optimizer=adam, epochs=5, batch_size=16, seed=0) | change
    with pytest.raises(error, match=text):
        bp.train(**call)
    assert bits(net) == bits(network()) and adam.state == {} and adam.memory.steps == 0


def test_a_checkpoint_without_a_folder_is_refused_before_the_first_epoch(tmp_path):
    net = network()
    with pytest.raises(FileNotFoundError):
        trained(5, net, checkpoint=tmp_path / "none" / "run.npz", clip=lambda gradient: pytest.fail("trained"))
    assert bits(net) == bits(network())


@pytest.mark.parametrize("change, text", [
    (dict(net=bp.Network([4, 5, 3], ["relu", "softmax"], "cross_entropy")), "sizes was"),
    (dict(net=bp.Network([4, 6, 3], ["tanh", "softmax"], "cross_entropy")), "activations was"),
    (dict(net=network(l2=0.1)), "l2 was 0.0, now it is 0.1"),
    (dict(net=network(dtype=np.float32)), "dtype was float64, now it is float32"),
    (dict(net=network(reduction="sum")), "reduction was mean"),
    (dict(X=X[:40], Y=Y[:40]), "shape of X was"),
    (dict(X=X + 1e-9), "content of X and Y was"),
    (dict(Y=Y[::-1].copy()), "content of X and Y was"),
    (dict(optimizer=bp.SGD(0.01)), r"optimizer was Adam\(rate=0.01, .*\), now it is SGD\(rate=0.01"),
    (dict(optimizer=bp.Adam(0.02)), "optimizer was"),
    (dict(batch_size=8), "batch_size was 16, now it is 8"),
    (dict(seed=4), "seed was 3, now it is 4"),
    (dict(validation=(X, Y)), "content of validation was None"),
    (dict(schedule=lambda epoch: 0.1), "schedule given was False"),
])  # fmt: skip
def test_a_checkpoint_of_another_training_is_refused(tmp_path, change, text):
    path = tmp_path / "run.npz"
    trained(2, checkpoint=path)
    before, net = path.read_bytes(), change.get("net", network(9))
    weights = bits(net)
    call = dict(net=net, X=X, Y=Y, optimizer=bp.Adam(0.01), epochs=5, batch_size=16, seed=3, checkpoint=path) | change
    with pytest.raises(ValueError, match=rf"train: the checkpoint .*run\.npz is of another training: {text}"):
        bp.train(**call)
    assert bits(net) == weights and path.read_bytes() == before and call["optimizer"].memory.steps == 0


class Trap:
    """Unpickled, it would say so."""

    def __reduce__(self):
        return pytest.fail, ("a pickle was read",)


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path):
    path, rng = tmp_path / "run.npz", np.random.default_rng(0)
    true, _ = trained(3, checkpoint=tmp_path / "whole.npz")
    whole, net, seen = (tmp_path / "whole.npz").read_bytes(), network(9), 0
    with np.load(tmp_path / "whole.npz") as members:
        arrays = dict(members)
    network().save(tmp_path / "net.npz")
    files = [b"", b"text", pickle.dumps(Trap()), (tmp_path / "net.npz").read_bytes()]
    for change in ({"rows": np.array([Trap()], object)}, {"network/W1": np.ones((2, 2))}, {"rows": arrays["rows"][1:]}, {"sums": arrays["sums"][1:]}, {"optimizer/W9/m": np.ones(2)}):  # fmt: skip
        np.savez(path, **arrays | change)
        files.append(path.read_bytes())
    for missing in ("about", "network/b2", "sums"):
        np.savez(path, **{name: value for name, value in arrays.items() if name != missing})
        files.append(path.read_bytes())
    for data in files:
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r"^train: .*run\.npz (is damaged, or not a checkpoint|holds a network)"):
            trained(3, net, checkpoint=path)
        assert path.read_bytes() == data
    spoilt = [whole[:length] for length in rng.integers(0, len(whole), 20)]
    for place in rng.integers(0, len(whole), 60):
        spoilt.append(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
    for data in spoilt:
        path.write_bytes(data)
        try:
            assert bits(trained(3, network(9), checkpoint=path)[0]) == bits(true)
        except ValueError as error:
            assert str(error).startswith("train: ")
            seen += 1
    assert seen > 40 and bits(net) == bits(network(9))
