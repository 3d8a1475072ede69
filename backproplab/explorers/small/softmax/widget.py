"""The explorer of a softmax: logits, probabilities, the Jacobian, and the gradient of the cross entropy by both ways."""

from ....notation import number
from ... import page
from ..settings import SettingsExplorer, setting
from .sheet import State, checked, facts_of, numbers_of, sheet_of
from .still import draw_softmax

ROOMS = ("operations", "numbers", "elements", "small/live", "small/softmax/softmax", "bridge")
LOOKS = ("page", "small/live", "small/softmax/softmax")


def _found(name, doc):
    """A property that reads one of the `Numbers`."""
    return property(lambda self: getattr(numbers_of(self._state), name), doc=doc)


class SoftmaxExplorer(SettingsExplorer):
    """The widget that `explore_softmax` makes; `set(logits=..., label=..., cell=...)` does in code what the controls do by hand.

    What it finds is there to read: `probabilities`, `jacobian`, `loss`, `by_probabilities`, `long_way`, `gradient`; `facts` are
    the texts that the page shows, `still` is a `Picture`.
    """

    _esm = page.script(ROOMS)
    _css = page.style(LOOKS)
    called, rooms, looks, title = "explore_softmax", ROOMS, LOOKS, "Softmax and its cross entropy"

    def __init__(self, logits, label):
        super().__init__(sheet_of(), State(logits, label))

    def _checked(self, state, asked):
        return checked(state, asked)

    def _numbers(self):
        found = numbers_of(self._state)
        return {"probabilities": found.probabilities, "gradient": found.gradient, "loss": found.loss}

    logits = setting("logits", "The logits z, 2 to 6 numbers; may be set.")
    label = setting("label", "The right answer, from 0; may be set.")
    cell = setting("cell", "The row and the column, from 0, of the Jacobian's entry that is spelled out; may be set.")
    probabilities = _found("probabilities", "p_j = exp(z_j) / sum_k exp(z_k), shape (K,).")
    jacobian = _found("jacobian", "dp_j/dz_k = p_j (delta_jk - p_k), shape (K, K): row j, column k.")
    loss = _found("loss", "L = -ln p_label.")
    by_probabilities = _found("by_probabilities", "dL/dp_j = -y_j / p_j, shape (K,); -inf where p rounds to 0.")
    long_way = _found("long_way", "J^T dL/dp, shape (K,); NaN where 1/p has no number.")
    gradient = _found("gradient", "dL/dz = P - Y, shape (K,).")

    @property
    def facts(self):
        """The texts that the page shows, by slot."""
        return facts_of(self._state)

    @property
    def still(self):
        """Bars, Jacobian and P - Y as a `Picture`."""
        return draw_softmax(self._state)

    def __repr__(self):
        return f"explore_softmax([{', '.join(map(number, self.logits))}], label={self.label})"
