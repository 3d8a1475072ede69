"""One example of a dense network as a graph of single units: z1_2 is unit 2 of layer 1, W1_2_3 its weight from unit 3."""

from itertools import pairwise

import numpy as np

from ..notation import parts, unit_name
from .graph import Graph

MOST_EDGES = 5000


def unroll(network, x, y, fused=True):
    """The graph of one example x with its target y, with all numbers as defaults, the loss fused or the long way. ValueError: more than 5,000 edges."""
    edges = sum(n_out * (2 * n_in + 1) + n_out for n_in, n_out in pairwise(network.sizes))
    if edges > MOST_EDGES:
        raise ValueError(
            f"Network.graph: {edges} edges, at most {MOST_EDGES} are unrolled; use terms(trace), the same in matrices"
        )
    lines, below = [], [unit_name("x", i) for i in np.ndindex(len(x))]
    places = {name: ("unit", 0, i, len(below)) for i, name in enumerate(below)}
    numbers = dict(zip(below, map(float, x), strict=True))
    for name, array in network.parameters.items():
        numbers |= {unit_name(name, entry): float(array[entry]) for entry in np.ndindex(array.shape)}
    for layer in network.layers:
        activation = layer.activation
        units = range(1, network.sizes[layer.number] + 1)
        for j in units:
            z, a, row = f"z{layer}_{j}", f"a{layer}_{j}", (j - 1, len(units))
            places |= {
                z: ("unit", 2 * layer.number - 1, *row),
                a: ("unit", 2 * layer.number, *row),
                f"b{layer}_{j}": ("bias", z),
            }
            places |= {f"W{layer}_{j}_{i}": ("weight", z, name) for i, name in enumerate(below, 1)}
            weighted = " + ".join(f"W{layer}_{j}_{i}*{name}" for i, name in enumerate(below, 1))
            lines.append((f"z{layer}_{j}", f"{weighted} + b{layer}_{j}"))
        logits = ", ".join(f"z{layer}_{j}" for j in units)
        for j in units:
            z = f"z{layer}_{j}"
            call = f"exp({z} - logsumexp({logits}))" if activation == "softmax" else f"{activation}({z})"
            lines.append((f"a{layer}_{j}", f"{call} + {below[j - 1]}" if layer.skip else call))
        below = [f"a{layer}_{j}" for j in units]
    numbers |= {f"y_{k}": float(target) for k, target in enumerate(y, 1)}
    graph = Graph([*lines, ("L", _loss_line(network, fused))])
    for line in graph.lines.values():
        line.places = places | _at_the_loss(network)
    return graph.with_numbers(**numbers)


def _at_the_loss(network):
    """Where the loss and its targets stand: right of the outputs, the targets last."""
    column, targets = 2 * network.depth + 1, network.sizes[-1]
    return {"L": ("unit", column, 0, 1)} | {f"y_{k + 1}": ("unit", column + 1, k, targets) for k in range(targets)}


def _loss_line(network, fused):
    """The loss of one example in units, as it is computed."""
    last, units = network.depth, range(1, network.sizes[-1] + 1)
    row, logits = network.loss_row, ", ".join(f"z{last}_{k}" for k in units)
    line = row.line if fused or not row.fused else row.long_line
    addends = [line.format(a=f"a{last}_{k}", y=f"y_{k}", z=f"z{last}_{k}", logits=logits) for k in units]
    if network.l2:
        weights = [(name, array) for name, array in network.parameters.items() if parts(name).letter == "W"]
        names = [f"{unit_name(name, entry)}**2" for name, array in weights for entry in np.ndindex(array.shape)]
        addends.append(f"{network.l2!r}/2*({' + '.join(names)})")
    return " + ".join(addends).replace("+ -", "- ")
