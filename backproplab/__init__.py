"""Backpropagation, term by term: every factor of the chain rule derived, computed, drawn and moved."""

from .checking import check_gradient
from .drawing import draw, table
from .functions import ACTIVATIONS, LOSSES
from .graph import Graph
from .network import Network
from .terms import Path, Term, backpropagate, paths

__all__ = [
    "ACTIVATIONS",
    "LOSSES",
    "Graph",
    "Network",
    "Path",
    "Term",
    "backpropagate",
    "check_gradient",
    "draw",
    "explore",
    "paths",
    "table",
]


def __getattr__(name):
    """The widgets, loaded on first use: `explore` imports ipywidgets."""
    if name == "explore":
        from .explorers import explore

        return explore
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
