"""How does it move? Widgets: sliders and clicks in, picture and algebra out; no mathematics."""

import numpy as np

from ..models.graph import Graph
from ..models.network import Network
from .step_explorer import StepExplorer
from .widget import GraphExplorer


def explore(model, x=None, y=None, /, *, wrt=None, **numbers):
    """A page for a graph, or for one example (x, y) of a network: move its numbers, choose a quantity, and its chain lights up.

    `wrt` is the quantity whose derivative is shown (the first input if left out); numbers as for `graph.forward`. The page
    steps through the pass, forward and back, and can be saved: `e.save("neuron.html")`.
    ValueError and TypeError as `graph.forward` and `net.graph`; ValueError: more edges than a page can show, several examples.
    """
    if isinstance(model, Network):
        if x is None or y is None:
            raise TypeError("explore: of a network give one example: bp.explore(net, x, y)")
        model = model.graph(x, y)
    elif not isinstance(model, Graph):
        raise TypeError(f"explore: expected a Graph or a Network, found {type(model).__name__}")
    elif x is not None or y is not None:
        raise TypeError(f"explore: a graph's numbers are given by name, x=1.5; found {np.shape(x)} without one")
    return GraphExplorer(model, wrt, numbers)


def explore_step(graph, /, wrt, output=None, **numbers):
    """A widget for a step size h: the derivative of `output` (the last line) by `wrt`, nudged in three ways, and each one's error over h.

    `e.set(h=1e-5)` moves the slider; `e.h`, `e.values`, `e.errors`, `e.curves`, `e.true` and `e.svg` are there to read.
    ValueError and TypeError as `graph.forward`; ValueError: an unknown name, no path to `wrt`, a derivative of 0.
    """
    if not isinstance(graph, Graph):
        raise TypeError(f"explore_step: expected a Graph, found {type(graph).__name__}")
    return StepExplorer(graph, wrt, output, numbers)


__all__ = ["GraphExplorer", "StepExplorer", "explore", "explore_step"]
