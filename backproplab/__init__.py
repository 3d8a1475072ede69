"""Backpropagation, term by term: every factor of the chain rule derived, computed, drawn and moved."""

from .checking.check import check_gradient
from .checking.programs import numerical_gradient
from .diagnosis.mistakes import MISTAKES
from .diagnosis.search import diagnose
from .exercises.checkers import exercise
from .functions.activations import ACTIVATIONS
from .functions.losses import LOSSES
from .models.graph import Graph
from .models.network import Network
from .pictures.facts import draw
from .pictures.tables import table
from .terms import Path, Term, backpropagate, paths
from .training import datasets
from .training.clipping import clip_by_norm, clip_by_value
from .training.loop import train
from .training.optimizers import SGD, Adam, AdamW, Optimizer, RMSProp

__all__ = [
    "ACTIVATIONS",
    "LOSSES",
    "MISTAKES",
    "SGD",
    "Adam",
    "AdamW",
    "Graph",
    "Network",
    "Optimizer",
    "Path",
    "RMSProp",
    "Term",
    "backpropagate",
    "check_gradient",
    "clip_by_norm",
    "clip_by_value",
    "datasets",
    "diagnose",
    "draw",
    "exercise",
    "explore",
    "explore_boundary",
    "explore_descent",
    "explore_step",
    "explore_vanishing",
    "numerical_gradient",
    "paths",
    "table",
    "train",
]


def __getattr__(name):
    """The widgets, loaded on first use: `explore` imports ipywidgets."""
    if name in ("explore", "explore_boundary", "explore_descent", "explore_step", "explore_vanishing"):
        from . import explorers

        return getattr(explorers, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
