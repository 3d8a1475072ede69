"""The explorer of losses: pairs of an output and a loss over z, their slopes, and the two factors of each."""

from dataclasses import dataclass

from .....given import whole_number
from .....notation import number
from .... import page
from ...settings import setting
from ..over_z import MOST_Z, OverZ, bounded, several
from .sheet import PAIRS, crawls, numbers_at, sheet_of, way_of
from .still import draw_pairs

CALLER = "explore_loss"
MOST_RATE, MOST_STEPS = 2.0, 200


@dataclass(frozen=True)
class State:
    """The number z that goes into the outputs, the target y, the pairs; rate and steps of the way down from z."""

    z: float
    y: float
    pairs: tuple
    rate: float
    steps: int


def _pairs(value):
    pairs = several(CALLER, "pairs", PAIRS)(value)
    if not pairs:
        raise ValueError(f"{CALLER}: pairs must hold at least one of {', '.join(PAIRS)}")
    return pairs


def _steps(value):
    steps = whole_number(f"{CALLER}: steps", value, 0)
    if steps > MOST_STEPS:
        raise ValueError(f"{CALLER}: steps must be from 0 to {MOST_STEPS}, found {steps}")
    return steps


CHECKS = {
    "z": bounded(CALLER, "z", -MOST_Z, MOST_Z),
    "y": bounded(CALLER, "y", 0.0, 1.0),
    "pairs": _pairs,
    "rate": bounded(CALLER, "rate", 0.0, MOST_RATE),
    "steps": _steps,
}


class LossExplorer(OverZ):
    """The widget that `explore_loss` makes; `set` and the attributes do in code what the controls do by hand.

    By pair, at z: `outputs` (a), `losses` (L), `slopes` (dL/dz), `factors` (dL/da, da/dz), `crawls`, whether the output is off by
    more than 1/2 and the slope below 1/100 all the same; `ways` hold z at each step of the descent, `still` the planes as a `Picture`.
    """

    called, checks, title = CALLER, CHECKS, "Output and loss, and the slope that flows back"
    rooms = ("operations", "numbers", "computation", "elements", "small/live", "small/curves/over_z", "small/curves/loss/loss", "bridge")  # fmt: skip
    looks = ("page", "small/live", "small/curves/over_z", "small/curves/loss/loss")
    _esm, _css = page.script(rooms), page.style(looks)

    def __init__(self, **asked):
        super().__init__(sheet_of(), State(**asked))

    def _found(self):
        return {name: numbers_at(name, self.z, self.y) for name in self.pairs}

    def _numbers(self):
        ends = self.ways
        return {name: [*found, ends[name][-1]] for name, found in self._found().items()}

    z = setting("z", "The number that goes into the output, from -100 to 100; may be set.")
    y = setting("y", "The target, from 0 to 1; may be set.")
    pairs = setting("pairs", "The names of the pairs that are shown; may be set.")
    rate = setting("rate", "The rate of the way down from z, from 0 to 2; may be set.")
    steps = setting("steps", "How many steps are taken, from 0 to 200; may be set.")

    @property
    def outputs(self):
        """The output a of each pair."""
        return {name: found.a for name, found in self._found().items()}

    @property
    def losses(self):
        """The loss L of each pair."""
        return {name: found.L for name, found in self._found().items()}

    @property
    def slopes(self):
        """dL/dz of each pair: what flows back."""
        return {name: found.slope for name, found in self._found().items()}

    @property
    def factors(self):
        """(dL/da, da/dz) of each pair, whose product is the slope."""
        return {name: (found.by_a, found.by_z) for name, found in self._found().items()}

    @property
    def crawls(self):
        """Of each pair whether a is off by more than 1/2 and the slope below 1/100 all the same."""
        return {name: bool(crawls(found, self.y)) for name, found in self._found().items()}

    @property
    def ways(self):
        """Of each pair the numbers z of the steps z <- z - rate dL/dz, the start first."""
        return {name: way_of(name, self.z, self.y, self.rate, self.steps) for name in self.pairs}

    @property
    def still(self):
        """The planes of each pair, as a `Picture`."""
        return draw_pairs(self.pairs, self.z, self.y, self.ways)

    def __repr__(self):
        return f"explore_loss(z={number(self.z)}, y={number(self.y)}, pairs={list(self.pairs)}, rate={number(self.rate)}, steps={self.steps})"
