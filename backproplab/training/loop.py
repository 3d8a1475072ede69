"""The loop of training: forward, loss, backward, update, batch by batch and epoch by epoch."""

import math
import time
import warnings
from contextlib import nullcontext

import numpy as np

from ..given import NotFinite, random_source, real_number, shown, whole_number
from ..models.files import file_path
from ..models.layers.normalisation import moved_statistics
from ..models.network import Network
from ..notation import number
from .checkpoints import Place, facts_of, read_checkpoint, write_checkpoint
from .clipping import norms
from .history import ACCURACY, LOSS, NORMS, SECONDS, VALIDATION_ACCURACY, VALIDATION_LOSS, History
from .optimizers import Optimizer


def train(
    net,
    X,
    Y,
    optimizer,
    epochs,
    batch_size,
    seed,
    validation=None,
    schedule=None,
    clip=None,
    checkpoint=None,
    progress=False,
):
    """Train a network in place and return its `History`: in each epoch every row once, in an order drawn from `seed`.

    For each batch of `batch_size` rows: p = optimizer.step(p, dL/dp); the last batch of an epoch is smaller where n is no multiple,
    and its loss is the mean over its own rows. X (n, d) and Y as `net.forward` takes them. validation=(X, Y) is measured after each epoch.
    `schedule(epoch)`, epoch from 0, is the rate of an epoch, 0 allowed; `clip(gradient)` the gradient that the optimizer gets.

    With `checkpoint=path` the file is written after each epoch and at an interrupt, and the same call goes on from it, with the
    bits that it would have had without the stop; what is in it stands above the network's weights and the optimizer's state.
    KeyboardInterrupt ends the training after the last whole batch. A number that is not finite ends it too, with a
    RuntimeWarning that names epoch, quantity and layer; the network keeps the parameters from before that batch.
    `progress=True` shows a bar. A normalised network's running statistics move with each batch; validation uses them.
    ValueError, TypeError: data that do not fit, a batch size past n (or one that leaves a normalised network one row), a checkpoint of another training or a damaged one, an
    optimizer of another network; OSError: the checkpoint cannot be written. Then network and optimizer are as they were.
    """
    training = _Training(net, X, Y, optimizer, epochs, batch_size, seed, validation, schedule, clip)
    before = optimizer.memory
    try:
        training.begin(checkpoint)
        stopped, reason = training.go_on(progress)
        net.parameters, net.running = training.place.parameters, training.place.running
        before = training.place.memory
    finally:
        optimizer.memory = before
    if stopped == "not finite":
        warnings.warn(f"train: {reason}", RuntimeWarning, stacklevel=2)
    return History(tuple(net.parameters), training.place.rows, stopped, reason)


class _Training:
    """A training with all that was given checked; `place` moves from batch to batch by one assignment, so that no stop tears it."""

    def __init__(self, net, X, Y, optimizer, epochs, batch_size, seed, validation, schedule, clip):
        if not isinstance(net, Network):
            raise TypeError(f"train: net must be a bp.Network, found {shown(net)}")
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"train: optimizer must be an optimizer such as bp.Adam(0.001), found {shown(optimizer)}")
        for what, function in (("schedule", schedule), ("clip", clip)):
            if function is not None and not callable(function):
                raise TypeError(f"train: {what} must be a function or None, found {shown(function)}")
        self.net, self.optimizer, self.schedule, self.clip = net, optimizer, schedule, clip
        self.X, self.Y = net.rows(X, Y)
        self.normalised = any(net.batch_norm)
        self.validation = self._validation_rows(validation)
        self.epochs = whole_number("train: epochs", epochs, 1)
        self.batch_size = whole_number("train: batch_size", batch_size, 1)
        if self.batch_size > len(self.X):
            raise ValueError(f"train: batch_size is {batch_size}, but X has {len(self.X)} rows: take at most so many")
        if self.normalised:
            _check_last_batch(len(self.X), self.batch_size)
        self.rng, self.seed = random_source(seed, "train"), int(seed)
        self.batches, self.outputs = -(-len(self.X) // self.batch_size), f"A{net.depth}"
        self.answers = _answers(self.Y, net.loss_row.targets)
        self.path = self.facts = None

    def _validation_rows(self, validation):
        if validation is None:
            return None
        if not isinstance(validation, (tuple, list)) or len(validation) != 2:
            raise TypeError(f"train: validation must be a pair (X, Y), found {shown(validation)}")
        try:
            return self.net.rows(*validation)
        except (TypeError, ValueError) as error:
            raise type(error)(f"train: validation: {error}") from None

    def begin(self, checkpoint):
        """The place to begin at: a checkpoint's, or the network as it is."""
        parameters = self.net.parameters
        self.optimizer.check_shapes({name: array.shape for name, array in parameters.items()})
        nothing = np.zeros(NORMS + len(parameters))
        random = self.rng.bit_generator.state
        self.place = Place(parameters, self.net.running, self.optimizer.memory, random, 0, 0, nothing)
        if checkpoint is None:
            return
        self.path = file_path("train: checkpoint", checkpoint)
        settings = dict(batch_size=self.batch_size, seed=self.seed)
        settings |= {"schedule given": self.schedule is not None, "clip given": self.clip is not None}
        self.facts = facts_of(self.net, self.optimizer, self.X, self.Y, self.validation, settings)
        start, self.place = self.place, read_checkpoint(self.path, self.facts, self.place, self.batches)
        if len(self.place.rows) > self.epochs or (self.place.epoch == self.epochs and self.place.batch):
            raise ValueError(
                f"train: the checkpoint {self.path} is {self.place.epoch} epochs far, but epochs is {self.epochs}"
            )
        self.optimizer.memory = self.place.memory
        if self.place is start:
            self._keep()  # a path that cannot be written is better refused before the first epoch than after it

    def _keep(self):
        if self.path is not None:
            write_checkpoint(self.path, self.facts, self.place)

    def go_on(self, progress):
        """Epoch after epoch to the last: (stopped, reason)."""
        try:
            with _bar(progress, self.epochs, self.place.epoch) as bar:
                while self.place.epoch < self.epochs:
                    self._epoch()
                    if bar is not None:
                        bar.set_postfix(loss=number(self.place.rows[-1][LOSS], 4), refresh=False)
                        bar.update()
        except KeyboardInterrupt:
            self._keep()
            if self.place.epoch < self.epochs:
                return "interrupted", f"interrupted {self._where()}"
        except NotFinite as error:
            return "not finite", f"stopped {self._where()}: {error}. The network keeps the parameters from before it"
        return "done", ""

    def _where(self):
        place = self.place
        at = f"batch {place.batch + 1} of {self.batches}" if place.batch < self.batches else "after its last batch"
        return f"in epoch {place.epoch + 1} of {self.epochs}, {at}"

    def _epoch(self):
        rate = self._rate(self.place.epoch)
        self.rng.bit_generator.state = self.place.random
        order, size = self.rng.permutation(len(self.X)), self.batch_size
        for batch in range(self.place.batch, self.batches):
            self._batch(order[batch * size : (batch + 1) * size], rate)
        place = self.place
        row = place.sums.copy()
        row[ACCURACY] = math.nan if self.answers is None else row[ACCURACY] / len(self.X)
        row[VALIDATION_LOSS], row[VALIDATION_ACCURACY] = self._validate()
        rows, random = (*place.rows, tuple(row.tolist())), self.rng.bit_generator.state
        self.place = place._replace(
            epoch=place.epoch + 1, batch=0, sums=np.zeros_like(place.sums), rows=rows, random=random
        )
        self._keep()

    def _batch(self, rows, rate):
        """One update, from the place before it to the place after it."""
        place, begun = self.place, time.perf_counter()
        trace, gradient = self.net.backward(place.parameters, self.X.take(rows, axis=0), self.Y.take(rows, axis=0))
        weight, sums = len(rows) / len(self.X), place.sums.copy()
        sums[LOSS] += weight * float(trace["L"])
        if self.answers is not None:
            sums[ACCURACY] += self._right(trace[self.outputs], self.answers[rows])
        sums[NORMS:] += [weight * length for length in norms(gradient.values())]
        if self.clip is not None:
            gradient = self.clip(gradient)
            if not isinstance(gradient, dict):
                raise TypeError(f"train: clip must return the gradient, a dict, found {shown(gradient)}")
        parameters = self.optimizer.step(place.parameters, gradient, rate)
        sums[SECONDS] += time.perf_counter() - begun
        running = moved_statistics(place.running, trace) if self.normalised else place.running
        self.place = place._replace(
            parameters=parameters, running=running, memory=self.optimizer.memory, batch=place.batch + 1, sums=sums
        )

    def _rate(self, epoch):
        if self.schedule is None:
            return self.optimizer.rate
        try:
            return real_number(
                f"train: schedule({epoch})", self.schedule(epoch), "not negative", lambda rate: rate >= 0
            )
        except NotFinite as error:
            raise ValueError(str(error)) from None

    def _right(self, outputs, answers):
        """How many rows are answered rightly."""
        right = _answers(outputs, self.net.loss_row.targets) == answers
        return np.count_nonzero(right if right.ndim == 1 else right.all(axis=1))

    def _validate(self):
        """(loss, accuracy) on the validation data, NaN where there is none."""
        if self.validation is None:
            return math.nan, math.nan
        X, Y = self.validation
        trace = self.net.infer("forward (validation)", self.place.parameters, self.place.running, X, Y)
        answers = _answers(Y, self.net.loss_row.targets)
        accuracy = math.nan if answers is None else self._right(trace[self.outputs], answers) / len(X)
        return float(trace["L"]), accuracy


def _check_last_batch(rows, batch_size):
    """ValueError: a batch of one row, which cannot be normalised, with the sizes nearby that leave none."""
    if rows % batch_size != 1 and batch_size > 1:
        return
    fitting = [size for size in range(2, rows + 1) if rows % size != 1]
    near = sorted(sorted(fitting, key=lambda size: abs(size - batch_size))[:4])
    left = "batches of one row" if batch_size == 1 else f"a last batch of one row (of {rows})"
    advice = f"take {', '.join(map(str, near))}" if near else "give more rows"
    raise ValueError(f"train: batch_size {batch_size} leaves {left}, which batch normalisation cannot take: {advice}")


def _answers(rows, targets):
    """What rows of outputs or targets say: which class, or for each unit yes or no; None where there are no classes."""
    if targets.shares:
        return rows.argmax(axis=1)
    return rows > 0.5 if (targets.lowest, targets.highest) == (0.0, 1.0) else None


def _bar(progress, epochs, done):
    """A bar for JupyterLab, a terminal or a log; its library is loaded only where it is asked for."""
    if not progress:
        return nullcontext()
    from tqdm.auto import tqdm

    return tqdm(total=epochs, initial=done, unit="epoch")
