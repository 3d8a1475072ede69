"""How does it move? Widgets: sliders and clicks in, picture and algebra out; no mathematics."""

from itertools import pairwise

import numpy as np

from ..models.graph import Graph
from ..models.network import Network
from .asking.swaps import MOST_EDGES, unrolled
from .small.boundary.widget import BoundaryExplorer
from .small.descent.widget import DescentExplorer
from .small.step.widget import StepExplorer
from .wide.widget import WideExplorer
from .widget import MOST_EXAMPLES, GraphExplorer


def explore(model, X=None, Y=None, /, *, wrt=None, predict=None, blind=False, **numbers):
    """A page for a graph, or for a network and its examples: move its numbers, choose a quantity, and its chain lights up.

    `wrt` is the quantity whose derivative is shown (the first input if left out); numbers as for `graph.forward`. X and Y are
    one example of a network, or a batch; past some 300 edges or 64 examples the page shows the layers' arrays as heat cells.
    It steps through the pass, forward and back, updates the parameters, and can be saved: `e.save("neuron.html")`.
    `predict="da/dz"` hides that term or gradient until it has been guessed; with `blind` only the loss is seen, the parameters
    are tuned by hand, and then the surface is shown with the way walked and the gradient's own.
    ValueError and TypeError as `graph.forward` and `net.forward`; ValueError: more than a page can show, with its count.
    """
    if isinstance(model, Network):
        if X is None or Y is None:
            raise TypeError("explore: of a network give its examples too: bp.explore(net, X, Y)")
        if numbers:
            raise TypeError(f"explore: a network brings its own numbers; found {', '.join(numbers)}")
        return _of_network(model, X, Y, wrt, predict, blind)
    if not isinstance(model, Graph):
        raise TypeError(f"explore: expected a Graph or a Network, found {type(model).__name__}")
    if X is not None or Y is not None:
        raise TypeError(f"explore: a graph's numbers are given by name, x=1.5; found {np.shape(X)} without one")
    return GraphExplorer(model, model, wrt, numbers, predict=predict, blind=blind or None)


def _of_network(net, X, Y, wrt, predict, blind):
    """The page of a network: unit by unit where its edges and examples can be shown so, else in heat cells of its layers."""
    edges = sum((2 * below + 2) * here for below, here in pairwise(net.sizes)) + 2 * net.sizes[-1]
    trace = net.forward(X, Y)
    if edges > MOST_EDGES or len(trace["X"]) > MOST_EXAMPLES:
        if predict is not None or blind:
            raise ValueError(
                f"explore: predict and blind are of pages unit by unit, up to {MOST_EDGES} edges and {MOST_EXAMPLES} examples; "
                f"found {edges} and {len(trace['X'])}"
            )
        explorer = WideExplorer(net, X, Y)
        if wrt is not None:
            explorer.wrt = wrt
        return explorer
    rows = tuple(tuple(map(float, (*x, *y))) for x, y in zip(trace["X"], trace["Y"], strict=True))
    graph, layers = unrolled(net, trace["X"][0], trace["Y"][0])
    rows, asked = rows if len(rows) > 1 else (), dict(predict=predict, blind=blind or None)
    return GraphExplorer(net, graph, wrt, {}, rows, net.reduction, layers, **asked)


def explore_step(graph, /, wrt, output=None, **numbers):
    """A widget for a step size h: the derivative of `output` (the last line) by `wrt`, nudged in three ways, and each one's error over h.

    `e.set(h=1e-5)` moves the slider; `e.h`, `e.values`, `e.errors`, `e.curves`, `e.true` and `e.still` are there to read; `e.save("step.html")` writes the page.
    ValueError and TypeError as `graph.forward`; ValueError: an unknown name, no path to `wrt`, a derivative of 0.
    """
    if not isinstance(graph, Graph):
        raise TypeError(f"explore_step: expected a Graph, found {type(graph).__name__}")
    return StepExplorer(graph, wrt, output, numbers)


def explore_boundary(net, X, Y, optimizer="SGD", rate=0.1, batch_size=None, seed=0):
    """A page on which a small net learns points of the plane: the map of its answers and its boundary, with its loss, step by step.

    `net` has 2 inputs and 1 sigmoid or 2 to 8 softmax outputs, up to 500 parameters, and is never changed; `X` (n, 2), up to 500
    points; `Y` as for the net, each point in one class. A step goes against the gradient of `batch_size` rows (None: all), shuffled
    in every epoch from `seed`: "SGD" w <- w - rate g, or "Adam" as in Kingma and Ba, ICLR 2015, with beta 0.9 and 0.999, epsilon 1e-8.
    `e.set(rate=0.3)`, `e.update(10)`, `e.reset()`; `e.losses`, `e.accuracy`, `e.network`, `e.still`; `e.save("boundary.html")`.
    ValueError and TypeError as `net.forward`; another number of inputs, another output, too many parameters or points, with the count.
    """
    return BoundaryExplorer(net, X, Y, optimizer, rate, batch_size, seed)


def explore_descent(
    surface="ravine",
    start=None,
    optimizer="SGD",
    rate=0.05,
    steps=100,
    *,
    momentum=0.9,
    against=None,
    against_rate=0.05,
    step=0,
    ranges=None,
):
    """A widget for learning rate and optimizer: the way down a loss surface of two numbers, computed while start and rate are dragged.

    `surface` is "ravine", "saddle", "two minima", or a Graph with two inputs (the others with numbers: `graph.with_numbers`), whose
    map spans `ranges` ((low, high), (low, high)); `optimizer` "SGD", "momentum", "Nesterov", "RMSProp", "Adam" or "AdamW", and
    `against` a second one, or None. `e.set(rate=0.02)` moves the slider; `e.path`, `e.losses`, `e.limit` and `e.still` are
    there to read; `e.save("descent.html")` writes the page.
    ValueError and TypeError: an unknown name, a rate not above 0, a start off the map or without a finite loss.
    """
    asked = dict(optimizer=optimizer, rate=rate, steps=steps, momentum=momentum, against=against, against_rate=against_rate, step=step)  # fmt: skip
    return DescentExplorer(surface, start, ranges, **asked)


__all__ = [
    "BoundaryExplorer",
    "DescentExplorer",
    "GraphExplorer",
    "StepExplorer",
    "WideExplorer",
    "explore",
    "explore_boundary",
    "explore_descent",
    "explore_step",
]
