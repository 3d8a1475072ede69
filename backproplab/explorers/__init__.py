"""How does it move? Widgets: sliders and clicks in, picture and algebra out; no mathematics."""

from itertools import pairwise

import numpy as np

from ..models.graph import Graph
from ..models.network import Network
from .layers import layers_of
from .small.boundary.widget import BoundaryExplorer
from .small.descent.widget import DescentExplorer
from .small.step.widget import StepExplorer
from .small.vanishing.widget import VanishingExplorer
from .wide.widget import WideExplorer
from .widget import MOST_EDGES, MOST_EXAMPLES, GraphExplorer


def explore(model, X=None, Y=None, /, *, wrt=None, **numbers):
    """A page for a graph, or for a network and its examples: move its numbers, choose a quantity, and its chain lights up.

    `wrt` is the quantity whose derivative is shown (the first input if left out); numbers as for `graph.forward`. X and Y are
    one example of a network, or a batch; past some 300 edges or 64 examples the page shows the layers' arrays as heat cells.
    It steps through the pass, forward and back, updates the parameters, and can be saved: `e.save("neuron.html")`.
    ValueError and TypeError as `graph.forward` and `net.forward`; ValueError: more than a page can show, with its count.
    """
    if isinstance(model, Network):
        if X is None or Y is None:
            raise TypeError("explore: of a network give its examples too: bp.explore(net, X, Y)")
        if numbers:
            raise TypeError(f"explore: a network brings its own numbers; found {', '.join(numbers)}")
        return _of_network(model, X, Y, wrt)
    if not isinstance(model, Graph):
        raise TypeError(f"explore: expected a Graph or a Network, found {type(model).__name__}")
    if X is not None or Y is not None:
        raise TypeError(f"explore: a graph's numbers are given by name, x=1.5; found {np.shape(X)} without one")
    return GraphExplorer(model, wrt, numbers)


def _of_network(net, X, Y, wrt):
    """The page of a network: unit by unit where its edges and examples can be shown so, else in heat cells of its layers."""
    if any(net.batch_norm):
        raise ValueError(
            "explore: a normalised layer works on a whole batch, and a page shows each row's own way; "
            "bp.draw(net.terms(trace), trace) and net.derive(name, trace) show its terms, bp.explore_vanishing what it does"
        )
    edges = sum((2 * below + 2) * here for below, here in pairwise(net.sizes)) + 2 * net.sizes[-1]
    trace = net.forward(X, Y)
    if edges > MOST_EDGES or len(trace["X"]) > MOST_EXAMPLES:
        explorer = WideExplorer(net, X, Y)
        if wrt is not None:
            explorer.wrt = wrt
        return explorer
    rows = tuple(tuple(map(float, (*x, *y))) for x, y in zip(trace["X"], trace["Y"], strict=True))
    graph, layers = net.graph(trace["X"][0], trace["Y"][0]), layers_of(net, trace["X"][0], trace["Y"][0])
    title = f"{list(net.sizes)}: {', '.join(net.activations)}; {net.loss_name}"
    return GraphExplorer(graph, wrt, {}, rows if len(rows) > 1 else (), net.reduction, layers, title)


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


def explore_vanishing(
    depth=20, width=16, activation="sigmoid", init="xavier", batch_norm=False, residual=False, seed=0, *, layer=10
):
    """A page on why deep nets do not learn: the size of delta and of the gradients in each layer, and the factors that make it.

    `depth` layers, 2 to 100, of `width` 8, 16, 32 or 64 units, the last one linear, with a squared error on 64 normal rows;
    `activation` and `init` as for `bp.Network`, the hidden layers with batch normalisation or residuals or both; `layer` is
    the one from which a single step back is shown. `e.set(activation="relu", init="he")` moves the controls; `e.deltas`,
    `e.gradients`, `e.factors`, `e.dead`, `e.overflow` and `e.still` are there to read; `e.save("vanishing.html")` writes the page.
    ValueError and TypeError: an unknown name, a number out of its range.
    """
    asked = dict(depth=depth, width=width, activation=activation, init=init, batch_norm=batch_norm, residual=residual)
    return VanishingExplorer(**asked, seed=seed, layer=layer)


__all__ = [
    "BoundaryExplorer",
    "DescentExplorer",
    "GraphExplorer",
    "StepExplorer",
    "VanishingExplorer",
    "WideExplorer",
    "explore",
    "explore_boundary",
    "explore_descent",
    "explore_step",
    "explore_vanishing",
]
