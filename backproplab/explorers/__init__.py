"""Widgets: sliders and clicks in, picture and algebra out; no mathematics."""

from ..graph import Graph
from .graph_explorer import GraphExplorer


def explore(graph, /, wrt=None, **numbers):
    """A widget for a graph: a slider for each input, the pass step by step, the picture, each term, and the chain in numbers.

    `wrt` is the quantity whose derivative is shown (the first input if left out); numbers as for `graph.forward`.
    ValueError and TypeError as `graph.forward` and `graph.derive`; TypeError for anything but a graph.
    """
    if not isinstance(graph, Graph):
        raise TypeError(f"explore: expected a Graph, found {type(graph).__name__}")
    return GraphExplorer(graph, wrt, numbers)


__all__ = ["GraphExplorer", "explore"]
