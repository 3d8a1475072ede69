"""What can be set: the depth, the width and the kind of a net; each number checked."""

from dataclasses import dataclass, replace
from numbers import Real

import numpy as np

from ....functions.activations import ACTIVATIONS
from ....given import known, real_number, shown, whole_number
from ....models.layers.initial import LARGEST, WAYS

DEPTHS, WIDTHS = (2, 100), (8, 16, 32, 64)


@dataclass(frozen=True)
class State:
    """What the page is about: a net, the seed of its weights and rows, and the layer from which one step back is shown."""

    depth: int
    width: int
    activation: str
    init: str | float
    batch_norm: bool
    residual: bool
    seed: int
    layer: int


FIELDS = tuple(State.__dataclass_fields__)


def _depth(what, value):
    depth = whole_number(what, value, DEPTHS[0])
    if depth > DEPTHS[1]:
        raise ValueError(f"{what} must be from {DEPTHS[0]} to {DEPTHS[1]}, found {depth}")
    return depth


def _width(what, value):
    width = whole_number(what, value, 0)
    if width not in WIDTHS:
        raise ValueError(f"{what} must be one of {', '.join(map(str, WIDTHS))}, found {width}")
    return width


def _activation(what, value):
    return known(f"{what}: unknown activation", value, ACTIVATIONS)


def _init(what, value):
    if isinstance(value, str):
        return known(f"{what}: unknown initialisation", value, WAYS)
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{what} must be one of {', '.join(WAYS)}, or a number, found {shown(value)}")
    return real_number(what, value, f"from 0 to {LARGEST:g}, or a name: {', '.join(WAYS)}", lambda n: 0 <= n <= LARGEST)


def _switch(what, value):
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{what} must be True or False, found {shown(value)}")
    return bool(value)


CHECKS = {
    "depth": _depth,
    "width": _width,
    "activation": _activation,
    "init": _init,
    "batch_norm": _switch,
    "residual": _switch,
    "seed": lambda what, value: whole_number(what, value, 0),
    "layer": lambda what, value: whole_number(what, value, 2),
}


def changed(state, **changes):
    """The state with changes, checked; a layer past the last one becomes the last. ValueError, TypeError: what cannot be set so."""
    if unknown := [name for name in changes if name not in FIELDS]:
        raise ValueError(f"explore_vanishing: no {', '.join(unknown)} can be set; known are {', '.join(FIELDS)}")
    new = replace(state, **{name: CHECKS[name](f"explore_vanishing: {name}", value) for name, value in changes.items()})
    return replace(new, layer=min(new.layer, new.depth))
