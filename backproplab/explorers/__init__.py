"""How does it move? Widgets: sliders and clicks in, picture and algebra out; no mathematics."""

from ..models.graph import Graph
from .graph_explorer import GraphExplorer
from .step_explorer import StepExplorer


def explore(graph, /, wrt=None, **numbers):
    """A widget for a graph: a slider for each input, the pass step by step, the picture, each term, and the chain in numbers.

    `wrt` is the quantity whose derivative is shown (the first input if left out); numbers as for `graph.forward`.
    ValueError and TypeError as `graph.forward` and `graph.derive`; TypeError for anything but a graph.
    """
    if not isinstance(graph, Graph):
        raise TypeError(f"explore: expected a Graph, found {type(graph).__name__}")
    return GraphExplorer(graph, wrt, numbers)


def explore_step(graph, /, wrt, output=None, **numbers):
    """A widget for a step size h: the derivative of `output` (the last line) by `wrt`, nudged in three ways, and each one's error over h.

    `e.set(h=1e-5)` moves the slider; `e.h`, `e.values`, `e.errors`, `e.curves`, `e.true` and `e.svg` are there to read.
    ValueError and TypeError as `graph.forward`; ValueError: an unknown name, no path to `wrt`, a derivative of 0.
    """
    if not isinstance(graph, Graph):
        raise TypeError(f"explore_step: expected a Graph, found {type(graph).__name__}")
    return StepExplorer(graph, wrt, output, numbers)


__all__ = ["GraphExplorer", "StepExplorer", "explore", "explore_step"]
