"""The explorer of vanishing gradients: a net's depth and kind, and how large delta is in each of its layers."""

import pathlib
from dataclasses import asdict

from ....notation import number
from ... import page
from ...life import Explorer, keep
from ..settings import setting
from .sheet import grid_of, plain, sheet_of
from .sizes import sizes_of
from .states import FIELDS, State, changed
from .still import draw_sizes

ROOMS = (
    "numbers",
    "elements",
    "small/live",
    "small/vanishing/vanishing_plots",
    "small/vanishing/vanishing_words",
    "small/vanishing/vanishing",
    "bridge",
)
LOOKS = ("page", "small/vanishing/vanishing")
FIRST = State(20, 16, "sigmoid", "xavier", False, False, 0, 10)


class VanishingExplorer(Explorer):
    """The widget that `explore_vanishing` makes; `set` and the attributes do in code what the controls do by hand.

    `deltas` and `gradients` hold the sizes of delta and dL/dW by layer, `factors` what each step back multiplies delta by.
    """

    _esm = page.script(ROOMS)
    _css = page.style(LOOKS)

    def __init__(self, **asked):
        self._state = changed(FIRST, **asked)
        self._sizes = sizes_of(self._state)
        super().__init__(sheet=sheet_of(), state=plain(self._state, self._sizes))
        self.on_msg(self._heard)
        keep(self)

    def _go(self, changes):
        state = changed(self._state, **changes)
        self._sizes = sizes_of(state)
        self._state = state
        self.state = plain(state, self._sizes)

    def set(self, /, **changes):
        """Change what the page shows, in code: e.set(activation="relu", init="he").

        Known are depth, width, activation, init, batch_norm, residual, seed and layer.
        ValueError and TypeError: an unknown name, or what cannot be set so; nothing has changed then.
        """
        self._go(changes)
        self.send({"state": self.state})

    depth = setting("depth", "The number of layers, from 2 to 100; may be set.")
    width = setting("width", "The units in each layer: 8, 16, 32 or 64; may be set.")
    activation = setting("activation", "The activation of the hidden layers; may be set.")
    init = setting("init", "How the weights begin: a name, or their standard deviation; may be set.")
    batch_norm = setting("batch_norm", "Whether the hidden layers are normalised over the rows; may be set.")
    residual = setting("residual", "Whether each hidden layer adds what comes in; may be set.")
    seed = setting("seed", "The seed of rows and weights; may be set.")
    layer = setting("layer", "The layer from which one step back is shown, from 2; may be set.")

    @property
    def deltas(self):
        """The size of delta in each layer, from the first on: the root mean square of dL/dZ; NaN past float64."""
        return list(self._sizes.deltas)

    @property
    def gradients(self):
        """The size of the gradient dL/dW of each layer, from the first on: the root mean square; NaN past float64."""
        return list(self._sizes.gradients)

    @property
    def largest_deltas(self):
        """The largest |entry| of delta in each layer, from the first on; NaN past float64."""
        return list(self._sizes.largest_deltas)

    @property
    def largest_gradients(self):
        """The largest |entry| of dL/dW in each layer, from the first on; NaN past float64."""
        return list(self._sizes.largest_gradients)

    @property
    def factors(self):
        """What each step back multiplies delta by: factors[i] leads to deltas[i], from the layer above it.

        Each has weights |delta W| / |delta|, slopes |g'|, norm, past, their product, and ratio, which is measured; None
        where there is no such part. The product is an estimate: it takes slopes and delta as independent.
        """
        return list(self._sizes.factors)

    @property
    def dead(self):
        """In each layer the number of units whose slope is 0 in every row."""
        return list(self._sizes.dead)

    @property
    def overflow(self):
        """Where the numbers leave float64: (the quantity, its layer, what the network says of it); None if they do not."""
        return self._sizes.overflow

    def _heard(self, _, message, buffers):
        """A move of the page: take its state, and answer with what is to be drawn."""
        turn = message.get("turn")
        try:
            asked = message["state"]
            self._go({name: asked[name] for name in FIELDS})
            self.send({"turn": turn, "state": self.state})
        except Exception as error:  # what a page says is a stranger's word: the answer stands in the page
            self.send({"turn": turn, "error": f"{type(error).__name__}: {error}"})

    @property
    def still(self):
        """The sizes in each layer and the factors of each step back, as a `Picture`."""
        return draw_sizes(self._state, self._sizes)

    def save(self, path):
        """Write the page with the nets of its grid as one HTML file that needs no kernel and no network. OSError: it cannot be written."""
        sheet = self.sheet | {"saved": grid_of(self._state)}
        text = page.as_file(sheet, self.state, "Vanishing and exploding gradients", ROOMS, LOOKS)
        pathlib.Path(path).write_text(text, encoding="utf-8")

    def __repr__(self):
        told = asdict(self._state) | {"init": self.init if isinstance(self.init, str) else number(self.init)}
        return f"explore_vanishing({', '.join(f'{name}={told[name]}' for name in FIELDS if name != 'layer')})"
