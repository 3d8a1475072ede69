"""Backpropagation, term by term: every factor of the chain rule derived, computed, drawn and moved."""

from .checking import check_gradient
from .diagnosis import diagnose
from .drawing import draw, table
from .exercises import exercise
from .functions import ACTIVATIONS, LOSSES
from .graph import Graph
from .mistakes import MISTAKES
from .network import Network
from .terms import Path, Term, backpropagate, paths

__all__ = [
    "ACTIVATIONS",
    "LOSSES",
    "MISTAKES",
    "Graph",
    "Network",
    "Path",
    "Term",
    "backpropagate",
    "check_gradient",
    "diagnose",
    "draw",
    "exercise",
    "explore",
    "explore_step",
    "paths",
    "table",
]


def __getattr__(name):
    """The widgets, loaded on first use: `explore` imports ipywidgets."""
    if name in ("explore", "explore_step"):
        from . import explorers

        return getattr(explorers, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
