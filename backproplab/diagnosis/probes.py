"""Networks and rows on which no two mistakes look the same, for a learner's function to be called with."""

from itertools import count

import numpy as np

from ..models.batch import are_labels
from ..models.network import Network
from ..notation import parts

SLENDER, SQUARE = (5, 4, 6, 7), 4


def every_probe(model, X, Y):
    """Networks of the same depth, activations and loss, each with rows for it, in the form in which X and Y came.

    First the model's own sizes with other numbers; then all widths different from 1, 2, the number of examples and their
    neighbours, twice; then square, once with as many examples as units. One example given as a vector stays a vector,
    labels stay labels.
    """
    vector = np.ndim(X) == 1
    rows = not are_labels(Y, 1 if vector else len(X), model.sizes[-1], model.loss_row)
    slender = [SLENDER[i % len(SLENDER)] for i in range(model.depth)] + [3]
    square = [SQUARE] * (model.depth + 1)
    own = list(model.sizes), 1 if vector else len(X)
    for sizes, n in (own, (slender, 9), (slender, 8), (square, 7), (square, SQUARE)):
        probe, rng = _lively(model, sizes, n)
        inputs = rng.normal(size=(n, sizes[0])).astype(model.dtype)
        targets = model.loss_row.targets.draw(rng, n, sizes[-1]).astype(model.dtype)
        targets = targets if rows else targets.argmax(axis=1)
        yield (probe, inputs[0], targets[0]) if vector else (probe, inputs, targets)


def _lively(model, sizes, n):
    """A network like the model with other sizes and random numbers, in which every parameter has a gradient."""
    for seed in count():
        rng = np.random.default_rng(seed)
        probe = Network(sizes, **model.settings, dtype=model.dtype, seed=seed)
        grown = {
            name: value * 1.2 + 0.3 * rng.normal(size=value.shape) * (parts(name).letter != "W")
            for name, value in probe.parameters.items()
        }
        probe.parameters = grown
        trace = probe.forward(rng.normal(size=(n, sizes[0])))
        if seed > 50 or all(np.ptp(trace[f"A{layer}"], axis=0).any() for layer in probe.layers):
            return probe, rng
