"""The explorer of a decision boundary: a small net learns points of the plane, step by step, and the map follows."""

import pathlib

import numpy as np

from ....notation import number
from ... import page
from ...life import Explorer, keep
from .sheet import (
    MOST_STEPS,
    WORDS,
    checked_count,
    checked_net,
    checked_optimizer,
    checked_points,
    checked_rate,
    is_finite,
    sheet_of,
)
from .still import draw_map
from .training import Place, Training

ROOMS = ("operations", "numbers", "elements", "panels", "small/boundary/dense", "small/boundary/training", "small/boundary/field", "small/boundary/boundary", "bridge")  # fmt: skip
LOOKS = ("page", "small/boundary/boundary")
AGREE = 1e-9  # relative difference


class BoundaryExplorer(Explorer):
    """The widget that `explore_boundary` makes; `set`, `update` and `reset` do in code what the controls do by hand.

    `rate`, `optimizer` and `point` are what is set; `step`, `losses`, `accuracy`, `network` (an own copy) and `still` (a
    `Picture`) are what has come about: the page's steps are known here once it pauses. The network that was given is never changed.
    """

    _esm = page.script(ROOMS)
    _css = page.style(LOOKS)

    def __init__(self, net, X, Y, optimizer, rate, batch_size, seed):
        X, Y, self._labels = checked_points(checked_net(net), X, Y)
        batch = len(X) if batch_size is None else checked_count("batch_size", batch_size, 1, len(X))
        seed = checked_count("seed", seed, 0, 2**32 - 1)
        self._optimizer, self._rate, self._point = checked_optimizer(optimizer), checked_rate(rate), None
        self._training = Training(net, X, Y, batch, seed)
        self._place = self._training.start
        self._losses = [self._training.loss(self._place)]
        self._sizes = repr(net)
        super().__init__(sheet=sheet_of(self._training, net, self._labels, self._place), state=self._state())
        self.on_msg(self._heard)
        keep(self)

    # --- state --------------------------------------------------------------------------------------------------------

    def _state(self):
        """All that a page needs to go on from here: plain numbers."""
        place = self._place
        rows = {name: getattr(place, name).tolist() for name in ("weights", "first", "second")}
        return {
            "rate": self._rate, "optimizer": self._optimizer, "point": self._point,
            "step": place.step, "taken": place.taken, "losses": list(self._losses),
        } | rows  # fmt: skip

    def _tell(self):
        """Bring every page to the state, unasked."""
        self.state = self._state()
        self.send({"state": self.state})

    def set(self, /, **changes):
        """Choose in code what the controls choose: e.set(rate=0.3, optimizer="Adam", point=4), point None for none.

        Another optimizer begins with nothing remembered. ValueError, TypeError: what is refused; nothing has changed then.
        """
        known = ("rate", "optimizer", "point")
        if not changes or changes.keys() - set(known):
            raise ValueError(
                f"explore_boundary: {', '.join(known)} can be set, found {', '.join(changes) or 'nothing'}; for another net or other points make another explorer"
            )
        rate = checked_rate(changes.get("rate", self._rate))
        optimizer = checked_optimizer(changes.get("optimizer", self._optimizer))
        point = self._checked_point(changes.get("point", self._point))
        if optimizer != self._optimizer:
            self._place = self._place.forgetful()
        self._rate, self._optimizer, self._point = rate, optimizer, point
        self.state = self._state()
        self.send(
            {"state": {name: self.state[name] for name in known}}
        )  # a page that plays goes on from where it stands

    def _checked_point(self, point):
        return None if point is None else checked_count("point", point, 0, len(self._labels) - 1)

    def update(self, times=1):
        """Take that many steps. ValueError: a step leaves the finite numbers, or the page keeps no more; the steps before it stay."""
        checked_count("times", times, 1, MOST_STEPS)
        try:
            for _ in range(times):
                self._advance()
        finally:
            self._tell()

    def _advance(self):
        step = self._place.step + 1
        if step > MOST_STEPS:
            raise ValueError(f"explore_boundary: {WORDS['full'].format(most=MOST_STEPS)}")
        try:
            self._place, loss = self._training.after(self._place, self._optimizer, self._rate)
        except ValueError as error:
            raise ValueError(
                f"explore_boundary: stopped before step {step}, at rate {number(self._rate)}: {error}"
            ) from None
        self._losses.append(loss)

    def reset(self):
        """Go back before the first step; rate, optimizer and point stay."""
        self._place = self._training.start
        self._losses = self._losses[:1]
        self._tell()

    @property
    def rate(self):
        """How far a step goes; may be set."""
        return self._rate

    @rate.setter
    def rate(self, rate):
        self.set(rate=rate)

    @property
    def optimizer(self):
        """ "SGD" or "Adam"; may be set."""
        return self._optimizer

    @optimizer.setter
    def optimizer(self, optimizer):
        self.set(optimizer=optimizer)

    @property
    def point(self):
        """The row of the point whose loss and gradient are shown, None for none; may be set."""
        return self._point

    @point.setter
    def point(self, point):
        self.set(point=point)

    @property
    def step(self):
        """How many steps have been taken."""
        return self._place.step

    @property
    def losses(self):
        """L over all points, before the first step and after each."""
        return list(self._losses)

    @property
    def accuracy(self):
        """The share of the points that the net puts into their class, from 0 to 1."""
        A = self.network.predict(self._training.X)
        answer = A[:, 0] >= 0.5 if A.shape[1] == 1 else A.argmax(axis=1)
        return float(np.mean(answer == self._labels))

    @property
    def network(self):
        """The net as it stands, a copy of one's own."""
        return self._training.net(self._place)

    @property
    def still(self):
        """The map with its points, and the loss over the steps, as a `Picture`."""
        return draw_map(self.network, self._training.X, self._labels, self._losses, self.accuracy)

    # --- the page -----------------------------------------------------------------------------------------------------

    def _heard(self, _, message, buffers):
        """The page has come to rest: its place is taken over if loss and gradient there are what Python computes."""
        turn = None
        try:
            turn = message.get("turn")
            place, choices, losses = self._read(message["state"])
            numbers = message["numbers"]
            worst = self._worst(place, losses[-1], numbers["gradient"])
            if worst <= AGREE:
                self._place, self._losses = place, losses
                self._rate, self._optimizer, self._point = choices
                self.state = self._state()
            self.send({"turn": turn, "agrees": worst <= AGREE, "worst": number(worst, 2)})
        except Exception as error:  # what a page says is a stranger's word: the answer stands in the page
            self.send({"turn": turn, "error": f"{type(error).__name__}: {error}"})

    def _read(self, state):
        """(place, (rate, optimizer, point), losses) of what a page says. Any error: it does not fit."""
        step = checked_count("step", state["step"], 0, MOST_STEPS)
        taken = checked_count("taken", state["taken"], 0, step)
        choices = (
            checked_rate(state["rate"]),
            checked_optimizer(state["optimizer"]),
            self._checked_point(state["point"]),
        )
        rows, losses = [state[name] for name in ("weights", "first", "second")], state["losses"]
        if any(len(row) != self._place.weights.size for row in rows) or len(losses) != step + 1:
            raise ValueError("explore_boundary: the page's numbers do not fit this net")
        if not all(map(is_finite, [*rows, losses])):
            raise ValueError("explore_boundary: the page's numbers must be finite")
        weights, first, second = (np.array(row, dtype=float) for row in rows)
        return Place(step, weights, first, second, taken), choices, [float(loss) for loss in losses]

    def _worst(self, place, loss, gradient):
        """The largest difference between a page's loss and gradient and Python's, over the size of what is added up there."""
        training = self._training
        if len(gradient) != place.weights.size or not is_finite(gradient):
            raise ValueError("explore_boundary: the page's gradient does not fit this net")
        ours, difference = training.loss(place), training.gradient(place) - gradient
        sizes, apart = training.named(training.sizes(place)), training.named(difference)
        off = [np.abs(apart[name]).max() / (size.max() or 1.0) for name, size in sizes.items()]
        return float(max(abs(ours - loss) / (abs(ours) or 1.0), *off))

    def save(self, path):
        """Write the page as one HTML file that trains without kernel and network. OSError: it cannot be written."""
        sizes = " × ".join(map(str, self.sheet["sizes"]))
        title = f"The decision boundary of a {sizes} net on {len(self._labels)} points"
        pathlib.Path(path).write_text(page.as_file(self.sheet, self._state(), title, ROOMS, LOOKS), encoding="utf-8")

    def __repr__(self):
        return f"explore_boundary({self._sizes}, {len(self._labels)} points, {self._optimizer}, rate={number(self._rate)}, step {self.step})"
