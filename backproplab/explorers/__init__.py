"""How does it move? Widgets: sliders and clicks in, picture and algebra out; no mathematics."""

import numpy as np

from ..models.graph import Graph
from ..models.network import Network
from .layers import layers_of
from .step_explorer import StepExplorer
from .widget import MOST_EXAMPLES, GraphExplorer


def explore(model, X=None, Y=None, /, *, wrt=None, **numbers):
    """A page for a graph, or for a network and its examples: move its numbers, choose a quantity, and its chain lights up.

    `wrt` is the quantity whose derivative is shown (the first input if left out); numbers as for `graph.forward`. X and Y are
    one example of a network, or a batch of up to 64. The page steps through the pass, forward and back, updates the
    parameters, and can be saved: `e.save("neuron.html")`.
    ValueError and TypeError as `graph.forward` and `net.graph`; ValueError: more edges or examples than a page can show.
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
    """The page of a network: unit by unit where its edges can be read, else in layers."""
    trace = net.forward(X, Y)
    rows = tuple(tuple(map(float, (*x, *y))) for x, y in zip(trace["X"], trace["Y"], strict=True))
    if len(rows) > MOST_EXAMPLES:
        raise ValueError(
            f"explore: {len(rows)} examples, more than the {MOST_EXAMPLES} that a page can show; give a part of them"
        )
    graph = net.graph(trace["X"][0], trace["Y"][0])
    layers = layers_of(net, trace["X"][0], trace["Y"][0])
    return GraphExplorer(graph, wrt, {}, rows if len(rows) > 1 else (), net.reduction, layers)


def explore_step(graph, /, wrt, output=None, **numbers):
    """A widget for a step size h: the derivative of `output` (the last line) by `wrt`, nudged in three ways, and each one's error over h.

    `e.set(h=1e-5)` moves the slider; `e.h`, `e.values`, `e.errors`, `e.curves`, `e.true` and `e.svg` are there to read.
    ValueError and TypeError as `graph.forward`; ValueError: an unknown name, no path to `wrt`, a derivative of 0.
    """
    if not isinstance(graph, Graph):
        raise TypeError(f"explore_step: expected a Graph, found {type(graph).__name__}")
    return StepExplorer(graph, wrt, output, numbers)


__all__ = ["GraphExplorer", "StepExplorer", "explore", "explore_step"]
