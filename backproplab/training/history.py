"""What a training has left behind, epoch by epoch, to read and to look at."""

import math
from dataclasses import dataclass

from ..notation import number
from ..pictures.tables import html_table
from .curves import panels

# The columns of a row; after them the gradient's norm of each parameter. NaN stands where there is no such number.
LOSS, ACCURACY, VALIDATION_LOSS, VALIDATION_ACCURACY, SECONDS, NORMS = range(6)
HEADINGS = ("epoch", "loss", "accuracy", "validation loss", "validation accuracy")
MOST_ROWS = 12  # of a table


@dataclass(frozen=True, eq=False)
class History:
    """A training epoch by epoch: `names` are the parameters, `rows` the numbers of each epoch.

    `stopped` is "done", "interrupted" or "not finite"; `reason` says in words where and in what it began, "" for "done".
    """

    names: tuple
    rows: tuple
    stopped: str
    reason: str = ""

    @property
    def losses(self):
        """The loss of each epoch: the mean of L over its batches, each weighted by its rows, as they were before their update."""
        return self._column(LOSS)

    @property
    def accuracies(self):
        """The share of rows answered rightly in each epoch, measured with its losses; [] for squared error, which has no classes.

        Right is, with cross entropy, the largest output at the target's largest; with binary cross entropy, every output on the
        target's side of 1/2.
        """
        return self._column(ACCURACY)

    @property
    def validation_losses(self):
        """The loss on the validation data after each epoch; [] without such data."""
        return self._column(VALIDATION_LOSS)

    @property
    def validation_accuracies(self):
        """The accuracy on the validation data after each epoch; [] without such data or without classes."""
        return self._column(VALIDATION_ACCURACY)

    @property
    def norms(self):
        """{name: for each epoch the mean over its batches of |dL/dname|}, the root of the sum of squares, before any clipping."""
        return {name: self._column(NORMS + i) for i, name in enumerate(self.names)}

    @property
    def seconds(self):
        """How long the updates of each epoch took."""
        return self._column(SECONDS)

    def _column(self, place):
        return [row[place] for row in self.rows if not math.isnan(row[place])]

    def draw(self):
        """Loss, accuracy and gradient norms over the epochs, as a `Picture`; a scale of powers of ten where values spread far."""
        weights = {name: values for name, values in self.norms.items() if name.startswith("W")}
        curves = {
            "loss": {"training": self.losses, "validation": self.validation_losses},
            "accuracy": {"training": self.accuracies, "validation": self.validation_accuracies},
            "norm of the gradient": weights,
        }
        return panels(curves, repr(self))

    @property
    def _cells(self):
        cells = [
            [f"{i}", *("" if math.isnan(v) else number(v) for v in row[:SECONDS])] for i, row in enumerate(self.rows, 1)
        ]
        used = [i for i in range(len(HEADINGS)) if any(row[i] for row in cells)]
        if len(cells) > MOST_ROWS:
            half = MOST_ROWS // 2
            cells = [*cells[:half], ["…"] * len(HEADINGS), *cells[-half:]]
        return [[row[i] for i in used] for row in [HEADINGS, *cells]]

    def __repr__(self):
        epochs = f"{len(self.rows)} epoch{'s' * (len(self.rows) != 1)}"
        found = [f"{self.stopped} after {epochs}"]
        if self.rows:
            found.append(f"loss {number(self.losses[0], 4)} -> {number(self.losses[-1], 4)}")
            named = {"accuracy": self.accuracies, "validation accuracy": self.validation_accuracies}
            found += [f"{what} {number(values[-1], 4)}" for what, values in named.items() if values]
        return f"History({', '.join(found)})"

    def _repr_html_(self):
        return html_table(self._cells) if self.rows else None
