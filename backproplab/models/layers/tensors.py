"""A line of a network before there is a trace: how its tensor is computed, how it is written, which edges lead down from it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import sympy as sp

from ...given import NotFinite
from ...notation import Written, layer_runs, number, parts
from ...terms import Slope, Term


@dataclass(frozen=True)
class Edge:
    """A term before there is a trace: `value(trace)` is its number, `paper(trace)` its `Slope`."""

    of: str
    wrt: str
    rule: str
    value: Callable
    paper: Callable


@dataclass(frozen=True)
class TensorLine:
    """One line of a network: `value(trace)` computes it, `size(trace)` is the sum of the absolute values of its addends.

    `uses` are the parameters that come into the trace with it; `place` is where it stands in a picture: in the row of layers,
    or ("below", of, place); so do the `uses`, below it.
    """

    name: str
    uses: tuple
    value: Callable
    size: Callable
    text: Written
    edges: tuple
    place: tuple = ("tensor",)

    def terms(self, trace):
        """The term of each edge on a trace; its value is a copy, so that the trace may be changed afterwards."""
        for edge in self.edges:
            value = edge.value(trace)
            value = value.copy() if isinstance(value, np.ndarray) else value
            shapes = np.shape(trace[edge.of]), np.shape(trace[edge.wrt])
            yield Term(edge.of, edge.wrt, self.text, edge.paper(trace), value, *shapes, edge.rule)


def row_of_lines(lines):
    """The lines of a network, whose texts know where each of its tensors stands: in a row, parameters below what they make."""
    places, column = {"X": ("tensor", 0)}, 0
    for line in lines:
        if line.place == ("tensor",):
            column += 1
            places[line.name] = ("tensor", column)
        else:
            places[line.name] = line.place
        places |= {name: ("below", line.name, i) for i, name in enumerate(line.uses)}
    for line in lines:
        line.text.places = places
    return tuple(lines)


def raise_not_finite(caller, lines, trace):
    """NotFinite, if a quantity of a trace is not; it names the layer, the first place, and the largest numbers of its line."""
    for line in lines:
        if line.name in trace and not np.isfinite(trace[line.name]).all():
            raise _not_finite(caller, line, trace)


def _not_finite(caller, line, trace):
    value = np.atleast_1d(trace[line.name])
    place = tuple(map(int, np.argwhere(~np.isfinite(value))[0]))
    used = dict.fromkeys(edge.wrt for edge in line.edges)
    sizes = ", ".join(f"|{name}| up to {number(np.abs(trace[name]).max(), 3)}" for name in used if name in trace)
    layer = parts(line.name).layer
    row = f"row {place[0]}, " if value.ndim > 1 else ""
    at = f" in layer {layer} at {row}unit {place[-1] + 1}" if layer else ""
    return NotFinite(f"{caller}: {line.name} = {line.text} is {value[place]}{at}: past {value.dtype}, with {sizes}")


def written(*pieces):
    """A text in which names are drawn in italics, all else upright, unless a piece says itself how it is drawn."""
    return Written.of([
        piece if isinstance(piece, tuple) else (piece, layer_runs(piece) if piece.isidentifier() else ((piece, ""),))
        for piece in pieces
    ])  # fmt: skip


SQUARE = ("**2", (("2", "sup"),))
TIMES = (" * ", ((" · ", ""),))
OVER = ("/", ((" / ", ""),))


# --- what many edges have in common ---------------------------------------------------------------------------------------


def entry(name):
    """The value of an edge whose term is a tensor of the trace, and its slope on paper, the tensor's name."""
    return partial(_entry, name), always(_symbol, name)


def constant(number):
    """The value of an edge whose term is a number, and its slope on paper."""
    return partial(_constant, float(number)), always(_number, number)


def always(ask, *about):
    """A slope on paper that is the same for every trace."""
    return partial(_always, ask, *about)


def _entry(name, trace):
    return trace[name]


def _constant(number, trace):
    return number


def _always(ask, *about):
    return Slope(ask, about[:-1])  # the trace comes last


def _symbol(name):
    return sp.Symbol(name), None


def _number(number):
    return sp.Integer(number), None
