"""The sheet of a decision boundary: the net, its points, the part of the plane that is shown; and what may be shown at all."""

import math
from numbers import Real

import numpy as np

from ....functions.activations import ACTIVATIONS
from ....given import shown
from ....models.network import Network
from ....notation import latex_name, number
from ....paper.mathml import tree
from .training import OPTIMIZERS

FORMAT = 1
MOST_PARAMETERS, MOST_POINTS, MOST_CLASSES, MOST_STEPS = 500, 500, 8, 20_000
LEAST_RATE, MOST_RATE = 1e-12, 1e6
ROOM = 0.12  # around the points, of the map's half side
_PLUS = ((-0.4, -1.3), (0.4, -1.3), (0.4, -0.4), (1.3, -0.4), (1.3, 0.4), (0.4, 0.4))
PLUS = (*_PLUS, *((-u, -v) for u, v in _PLUS))
SHAPES = (  # of each class's points: the corners around the middle, None for a disc
    None,
    ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    ((0, -1.25), (1.2, 0.9), (-1.2, 0.9)),
    ((0, -1.35), (1.15, 0), (0, 1.35), (-1.15, 0)),
    PLUS,
    tuple((0.71 * (u - v), 0.71 * (u + v)) for u, v in PLUS),
    ((0, 1.25), (1.2, -0.9), (-1.2, -0.9)),
    ((-1.4, -0.5), (1.4, -0.5), (1.4, 0.5), (-1.4, 0.5)),
)
WORDS = {
    "play": "Play", "pause": "Pause", "step": "Step", "reset": "Reset", "many": "50 ticks", "tick": "A tick is", "onestep": "1 step", "oneepoch": "1 epoch, {count} steps", "more": "10 epochs, {count} steps", "ten": "10 steps",
    "speed": "ticks a second", "optimizer": "Optimizer", "rate": "Rate", "typed": "typed", "map": "The plane", "lines": "lines of the first layer", "lost": "{count} units have no line here",
    "stands": "step {step}, epoch {epoch}", "right": "{count} of {all} points right ({percent} %)", "losses": "The loss L over all points, before the first step and after each", "class": "class",
    "help": "Over the map: pointer or arrow keys ask the net at a place; a click or Enter chooses the nearest point. A heavy rim marks a point that the net puts into another class.",
    "help2": "The line is where the answer is 1/2.", "helpk": "The lines are where two classes win alike.",
    "one": "p(class 1) = {p}", "each": "class {k}: {p}", "wins": "class {k} wins",
    "point": "One point", "number": "Point", "of": "of {count}", "none": "Choose a point on the map, or type its number: its own loss, its own gradient, and how much of the step is its doing.",
    "about": "x = {x}, y = {y}, class {k}", "said": "the net says", "own": "its own loss", "layer": "layer {layer}", "norm": "|its own gradient|", "whole": "|gradient of L|", "share": "its share of the gradient of L",
    "pulls": "Share: its own gradient / {n}, along the gradient of L, over that gradient's length. All points' shares add up to 1{l2}; blue is below 0: the point pulls against the others.", "pullssum": "Share: its own gradient, along the gradient of L, over that gradient's length. All points' shares add up to 1{l2}; blue is below 0: the point pulls against the others.", "withl2": ", together with the L2 part's",
    "table": "The first layer at x = {x}, y = {y}", "first": "The weights of the first layer", "unit": "unit",
    "noplace": "the point must be a whole number from 0 to {most}", "norate": "the rate must be a number from 1e-12 to 1e6, such as 0.1 or 3e-3; found", "nothing": "nothing", "stays": "The page still shows the last good numbers.", "full": "{most} steps are as many as this page keeps; Reset begins again",
    "stopped": "Stopped before step {step}: at rate {rate} it would make {what}, in layer {layer}, infinite or no number",
    "agrees": "the kernel finds the same loss and gradient", "differs": "the kernel finds another loss or gradient; the relative difference is", "nokernel": "the kernel does not answer; the page goes on without it", "kernelerror": "the kernel says",
}  # fmt: skip


def sheet_of(training, net, labels, place):
    """The sheet: all that stays while the net learns."""
    x, y = sides(training.X)
    activation = net.activations[0]
    return {
        "format": FORMAT,
        "words": WORDS,
        "sizes": list(net.sizes),
        "outputs": net.sizes[-1],
        "activations": list(net.activations),
        "loss": net.loss_name,
        "l2": net.l2,
        "reduction": net.reduction,
        "points": training.X.tolist(),
        "labels": labels.tolist(),
        "classes": max(2, net.sizes[-1]),
        "shapes": [SHAPES[k] for k in range(max(2, net.sizes[-1]))],
        "batch": training.batch,
        "seed": training.seed,
        "start": place.weights.tolist(),
        "sides": [x, y],
        "optimizers": list(OPTIMIZERS),
        "most": {"steps": MOST_STEPS, "rate": MOST_RATE, "least": LEAST_RATE},
        "math": {
            "L": tree("L"),
            "head": [tree(text) for text in ("w_{1}", "w_{2}", "b", "z", "a")],
            "line": tree(r"z = w_{1} x + w_{2} y + b, \quad a = " + _activated(activation)),
            "units": [tree(latex_name(f"z1_{unit}")) for unit in range(1, net.sizes[1] + 1)],
        },
    }


def _activated(name):
    """What the first layer makes of z, in LaTeX."""
    return r"\operatorname{softmax}(z)" if name == "softmax" else ACTIVATIONS[name].show("z")


def sides(X):
    """([x0, x1], [y0, y1]): a square around all points, so that a unit is as long across as upwards."""
    low, high = X.min(axis=0), X.max(axis=0)
    middle = low / 2 + high / 2
    half = max(float((high / 2 - low / 2).max()) * (1 + ROOM), 1e-6 * float(np.abs(middle).max()), 1e-100)
    return tuple([float(center) - half, float(center) + half] for center in middle)


# --- what may be shown --------------------------------------------------------------------------------------------------


def checked_net(net):
    """TypeError, ValueError: no network, or one that has no map, or too large a one."""
    if not isinstance(net, Network):
        raise TypeError(f"explore_boundary: expected a Network, found {shown(net)}")
    if net.sizes[0] != 2:
        raise ValueError(
            f"explore_boundary: the map has two axes, so the network must have 2 inputs, found {net.sizes[0]}"
        )
    if any(layer.normalised or layer.skip for layer in net.layers):
        raise ValueError(
            "explore_boundary: the page computes plain layers only, found batch normalisation or a skip; bp.train learns with both"
        )
    output, k = net.activations[-1], net.sizes[-1]
    if not (output == "sigmoid" and k == 1) and not (output == "softmax" and k > 1):
        raise ValueError(
            f"explore_boundary: the output must be 1 sigmoid or 2 or more softmax units, which say how sure the net is of each class; found {k} {output}"
        )
    parameters = sum(value.size for value in net.parameters.values())
    for found, most, what in ((parameters, MOST_PARAMETERS, "parameters"), (k, MOST_CLASSES, "classes")):
        if found > most:
            raise ValueError(
                f"explore_boundary: {found} {what}, more than the {most} that the page can show; take a smaller network"
            )
    return net


def checked_points(net, X, Y):
    """(X, Y, labels): the rows as the network takes them, in float64, and each point's class.

    ValueError: as `net.forward`; too many points, a point between classes, points too far apart for a map.
    """
    if np.ndim(X) == 2 and len(X) > MOST_POINTS:
        raise ValueError(f"explore_boundary: {len(X)} points, more than the {MOST_POINTS} that the page can show; take some of the rows")  # fmt: skip
    trace = net.in_double().forward(X, Y)
    X, Y = trace["X"], trace["Y"]
    if not ((Y == 0) | (Y == 1)).all():
        row = int(np.argmax(((Y != 0) & (Y != 1)).any(axis=1)))
        raise ValueError(f"explore_boundary: each point must belong to one class, so Y must hold 0 and 1 or labels; found {number(Y[row].max())} in row {row}")  # fmt: skip
    with np.errstate(all="ignore"):
        if not np.isfinite(sides(X)).all() or np.abs(sides(X)).max() > 1e100:
            raise ValueError(f"explore_boundary: the points lie up to {number(np.abs(X).max())} from 0, too far for a map; scale X")  # fmt: skip
    labels = Y[:, 0] if Y.shape[1] == 1 else Y.argmax(axis=1)
    return X, Y, labels.astype(int)


def checked_rate(rate):
    """The rate as a float. TypeError: no real number. ValueError: out of range."""
    if isinstance(rate, bool) or not isinstance(rate, Real):
        raise TypeError(f"explore_boundary: rate must be a number such as 0.1, found {shown(rate)}")
    if not LEAST_RATE <= rate <= MOST_RATE:
        raise ValueError(f"explore_boundary: rate must be from {number(LEAST_RATE)} to {number(MOST_RATE)}, found {rate}")  # fmt: skip
    return float(rate)


def checked_count(what, value, least, most):
    """A whole number in a range. TypeError: no whole number. ValueError: out of range."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"explore_boundary: {what} must be a whole number, found {shown(value)}")
    if not least <= value <= most:
        raise ValueError(f"explore_boundary: {what} must be from {least} to {most}, found {shown(value).partition(' ')[2]}")  # fmt: skip
    return int(value)


def checked_optimizer(optimizer):
    """TypeError: no text. ValueError: another name."""
    if not isinstance(optimizer, str):
        raise TypeError(
            f"explore_boundary: optimizer must be the name of one, {' or '.join(OPTIMIZERS)}, found {shown(optimizer)}"
        )
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"explore_boundary: unknown optimizer {optimizer!r:.40}; known are {', '.join(OPTIMIZERS)}")
    return optimizer


def is_finite(numbers):
    """Whether every one of some numbers of a page is finite."""
    return all(isinstance(value, Real) and math.isfinite(value) for value in numbers)
