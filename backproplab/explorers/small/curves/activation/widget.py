"""The explorer of an activation: its curve, its slope below it, a tangent that moves with z, and others beside it."""

from dataclasses import dataclass, replace

from .....functions.activations import ACTIVATIONS
from .....given import known
from .....notation import number
from .... import page
from ...settings import setting
from ..over_z import MOST_Z, OverZ, bounded, several
from .sheet import largest, saturates, saturation, sheet_of, slope_of, value_of
from .still import draw_curves

CALLER = "explore_activation"


@dataclass(frozen=True)
class State:
    """The activation with the tangent, the number z, and the activations that are drawn beside it."""

    name: str
    z: float
    beside: tuple


CHECKS = {
    "name": lambda value: known(f"{CALLER}: unknown activation", value, ACTIVATIONS),
    "z": bounded(CALLER, "z", -MOST_Z, MOST_Z),
    "beside": several(CALLER, "beside", ACTIVATIONS),
}


class ActivationExplorer(OverZ):
    """The widget that `explore_activation` makes; `set` and the attributes do in code what the controls do by hand.

    `value` and `slope` are those of the activation at z, `values` and `slopes` also those beside it, by name; `largest` is its
    largest slope, `saturation` where its flat ends begin, `saturated` whether z lies in one; `still` the planes as a `Picture`.
    """

    called, checks, title = CALLER, CHECKS, "Activations and their slopes"
    rooms = ("operations", "numbers", "elements", "small/live", "small/curves/over_z", "small/curves/activation/activation", "bridge")  # fmt: skip
    looks = ("page", "small/live", "small/curves/over_z", "small/curves/activation/activation")
    _esm, _css = page.script(rooms), page.style(looks)

    def __init__(self, name, z, beside):
        super().__init__(sheet_of(), State(name, z, beside))

    def _checked(self, state, asked):
        """The state, checked; an activation that stood beside changes places with the one that it follows."""
        new = super()._checked(state, asked)
        if "name" in asked and "beside" not in asked and new.name in new.beside:
            new = replace(new, beside=CHECKS["beside"]([*new.beside, self.name]))
        return replace(new, beside=tuple(name for name in new.beside if name != new.name))

    def _numbers(self):
        return {name: [value, self.slopes[name]] for name, value in self.values.items()}

    name = setting("name", "The name of the activation; may be set.")
    z = setting("z", "The number that goes in, from -100 to 100; may be set.")
    beside = setting("beside", "The names of the activations beside it; may be set.")

    @property
    def value(self):
        """The activation's value at z."""
        return self.values[self.name]

    @property
    def slope(self):
        """The activation's slope at z; at a kink the one of the convention, relu'(0) = 0."""
        return self.slopes[self.name]

    @property
    def values(self):
        """The value of each activation that is drawn, by name."""
        return {name: float(value_of(name, self.z)) for name in (self.name, *self.beside)}

    @property
    def slopes(self):
        """The slope of each activation that is drawn, by name."""
        return {name: float(slope_of(name, self.z)) for name in (self.name, *self.beside)}

    @property
    def largest(self):
        """The largest slope, 1/4 of the sigmoid; of softplus the 1 that its slope comes near to."""
        return largest(self.name)[1]

    @property
    def saturation(self):
        """(low, high): up to the one and from the other on the slope stays below 1/100 in size; None where there is no such end."""
        return saturation(self.name)

    @property
    def saturated(self):
        """Whether z lies in a flat end, where the slope stays below 1/100 in size."""
        return saturates(self.name, self.z)

    @property
    def still(self):
        """The curves and their slopes, as a `Picture`."""
        return draw_curves(self.name, self.z, self.beside)

    def __repr__(self):
        beside = f", beside={list(self.beside)}" if self.beside else ""
        return f"explore_activation({self.name!r}, z={number(self.z)}{beside})"
