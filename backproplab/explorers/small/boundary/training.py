"""The steps by which a small net learns points of the plane, plain enough that a page takes the very same: batches, SGD, Adam."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ....given import check_finite

OPTIMIZERS = ("SGD", "Adam")
# Of Adam: how much of the old means of the gradient and of its square is kept, and what keeps the divisor from 0. Source:
# D. Kingma and J. Ba, Adam: a method for stochastic optimization, ICLR 2015, algorithm 1 with the values given there.
KEPT, KEPT_SQUARE, EPSILON = 0.9, 0.999, 1e-8
WEYL, WORD = 0x6D2B79F5, 0xFFFFFFFF


def draws(state):
    """Numbers from 0 to below 1, multiples of 2^-32, from a whole number below 2^32; a page draws the same.

    Source: mulberry32 by Tommy Ettinger, 2017, in the public domain: a Weyl sequence, each of its words mixed twice.
    """
    while True:
        state = (state + WEYL) & WORD
        mixed = (state ^ (state >> 15)) * (state | 1) & WORD
        mixed ^= (mixed + ((mixed ^ (mixed >> 7)) * (mixed | 61) & WORD)) & WORD
        yield (mixed ^ (mixed >> 14)) / 2**32


@lru_cache(maxsize=4)
def order(n, seed, epoch):
    """The n rows in the order of an epoch: shuffled by exchanges from the last row down (Fisher and Yates; Knuth, algorithm P).

    Each epoch takes n - 1 draws from one sequence; where a Weyl sequence stands after so many is a product.
    """
    rows, numbers = list(range(n)), draws((seed + epoch * (n - 1) * WEYL) & WORD)
    for last in range(n - 1, 0, -1):
        other = int(next(numbers) * (last + 1))
        rows[last], rows[other] = rows[other], rows[last]
    return tuple(rows)


@dataclass(frozen=True)
class Place:
    """Where a training stands: steps taken, the parameters in one row (W1, b1, W2, ..., row by row), and what Adam remembers.

    `first` and `second` are Adam's means of the gradient and of its square over `taken` steps; with SGD there are none.
    """

    step: int
    weights: np.ndarray
    first: np.ndarray
    second: np.ndarray
    taken: int

    def forgetful(self):
        """The same place for an optimizer that begins here."""
        nothing = np.zeros_like(self.weights)
        return Place(self.step, self.weights, nothing, nothing, 0)


class Training:
    """A net and its points; it takes steps from place to place and keeps none of them.

    `net`, of which it holds its own copy in float64, `X` (n, 2), `Y` (n, k), `batch` rows in a step, and the seed of their shuffling.
    """

    def __init__(self, net, X, Y, batch, seed):
        self._net, self.X, self.Y, self.batch, self.seed = net.in_double(), X, Y, batch, seed
        self.shapes = {name: value.shape for name, value in net.parameters.items()}
        self.batches = -(-len(X) // batch)

    @property
    def start(self):
        """The place before the first step."""
        weights = np.concatenate([value.ravel() for value in self._net.parameters.values()])
        return Place(0, weights, weights, weights, 0).forgetful()

    def named(self, row):
        """A row of numbers as arrays by parameter."""
        ends = np.cumsum([np.prod(shape, dtype=int) for shape in self.shapes.values()])
        pieces = np.split(row, ends[:-1])
        return {name: piece.reshape(shape) for (name, shape), piece in zip(self.shapes.items(), pieces, strict=True)}

    def net(self, place):
        """The net at a place, one of its own."""
        net = self._net
        return net.with_parameters(self.named(place.weights))

    def rows(self, step):
        """The rows of the batch of a step; the last of an epoch may be smaller. All rows need no shuffling."""
        n, (epoch, place) = len(self.X), divmod(step, self.batches)
        if self.batches == 1:
            return slice(None)
        return list(order(n, self.seed, epoch)[place * self.batch : (place + 1) * self.batch])

    def loss(self, place):
        """L over all points. ValueError: a number on the way is not finite."""
        return self.net(place).loss(self.X, self.Y)

    def gradient(self, place, rows=slice(None)):
        """The gradient of L over some rows, in one row. ValueError: a number in it is not finite."""
        found = self.net(place).gradient(self.X[rows], self.Y[rows])
        return np.concatenate([value.ravel() for value in found.values()])

    def sizes(self, place):
        """Of each parameter what the points' own gradients would sum to if none of them cancelled: the scale of rounding."""
        net = self.net(place)
        own = sum(np.abs(self.gradient(place, [row])) for row in range(len(self.X)))
        return own / (len(self.X) if net.reduction == "mean" else 1)

    def after(self, place, optimizer, rate):
        """(the place after the next step, L there). ValueError: a number is not finite; it names the quantity.

        SGD: w - rate g. Adam: w - rate m / (1 - 0.9^t) / (sqrt(v / (1 - 0.999^t)) + 1e-8), as in PyTorch.
        """
        g = self.gradient(place, self.rows(place.step))
        with np.errstate(all="ignore"):
            if optimizer == "SGD":
                new = Place(place.step + 1, place.weights - rate * g, place.first, place.second, place.taken)
            else:
                new = self._adam(place, g, rate)
            for what, row in (
                ("the mean of dL/d", new.first),
                ("the mean square of dL/d", new.second),
                ("", new.weights),
            ):
                for name, value in self.named(row).items():
                    check_finite(f"{what}{name}, in layer {name[1:]},", value)
            return new, self.loss(new)

    @staticmethod
    def _adam(place, g, rate):
        taken = place.taken + 1
        first = KEPT * place.first + (1 - KEPT) * g
        second = KEPT_SQUARE * place.second + (1 - KEPT_SQUARE) * g * g
        divisor = np.sqrt(second) / np.sqrt(1 - KEPT_SQUARE**taken) + EPSILON
        step = rate / (1 - KEPT**taken)
        return Place(place.step + 1, place.weights - step * first / divisor, first, second, taken)
