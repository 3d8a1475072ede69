"""The second view of a network: one node a tensor, and the chain of each in matrices, with places for the numbers of its units."""

import re
from dataclasses import dataclass

import numpy as np

from ...notation import latex_layer, parts, place, short, unit_name
from ...paper.latex import matrix_derivation
from ...paper.mathml import tree
from ...paper.matrices import MatrixDerivation
from ...pictures.facts import fill, gather
from ...pictures.files import live
from ...pictures.template import drawing
from ...terms import below, walk


@dataclass(frozen=True)
class Layers:
    """The layers of a network: a part of the sheet, and the trace and terms of one example, for their shapes."""

    sheet: dict
    trace: dict
    terms: list

    def still(self, seen, passed, turned, current, wrt):
        """The layers as a `Picture`, as far as the pass has come: by units what is `seen`, `passed` by the walk, at work, asked for."""
        units = self.sheet["units"]
        tensor = {unit: name for name, held in units.items() for unit in held}
        known = {name: self.trace[name] for name, held in units.items() if held[0] in seen}
        known |= {"L": seen["L"]} if "L" in seen else {}
        walked = {name for name, held in units.items() if held[0] in passed}
        gradient = walk([term for term in self.terms if term.of in walked], {"L": 1.0}) if turned else None
        at_work = {tensor[unit] for unit in current if unit in tensor}
        found = gather(self.terms, known, gradient, tensor.get(wrt, "L"), "L", walked, at_work)
        return fill(drawing(self.terms), found)


def layers_of(net, x, y):
    """The `Layers` of a network, as they are on one example."""
    trace = net.forward(x, y)
    terms = net.terms(trace)
    drawn, reached = drawing(terms), below(terms, "L")
    names = [name for name in trace if name in reached]
    units = {name: _units(name, np.shape(trace[name])) for name in names}
    lines = dict.fromkeys(term.of for term in terms)
    size = {
        "viewBox": f"0 0 {drawn.width:g} {drawn.height:g}",
        "width": f"{drawn.width:g}",
        "height": f"{drawn.height:g}",
    }
    sheet = {
        "inputs": [name for name in names if name not in lines],
        "programs": [{"name": name, "uses": [term.wrt for term in terms if term.of == name]} for name in lines],
        "units": {name: np.ravel(found).tolist() for name, found in units.items()},
        "shapes": {name: short(trace[name]) if np.ndim(trace[name]) else "" for name in names},
        "terms": {":".join(term.edge): short(term.value) if np.ndim(term.value) else "1" for term in terms},
        "names": {name: tree(latex_layer(name)) for name in names},
        "latex": {name: [latex_layer(name), "" if name == "L" else _row_in_latex(terms, name)] for name in names},
        "rows": {name: _row(terms, name, units) for name in names if name != "L"},
        "picture": ["svg", size, *(element for shape in drawn.shapes for element in live(shape))],
    }
    return Layers(sheet, trace, terms)


def _units(name, shape):
    """The unit that each entry of a tensor of one example is, as an array of names."""
    letter = parts(name).letter
    small = name.replace(letter, letter.lower(), 1) if letter not in ("W", "L") else name
    rows = len(shape) == 2 and letter not in ("W",)
    found = np.empty(shape, dtype=object)
    for entry in np.ndindex(shape):
        found[entry] = unit_name(small, entry[1:] if rows else entry)
    return found


def _row_in_latex(terms, name):
    """The gradient of a tensor from those above it in LaTeX, without colours: the last row of its derivation."""
    text = matrix_derivation(MatrixDerivation(terms, "L", name), lambda row: "")
    row, plain, depth = text.removesuffix(r" \end{aligned}").rsplit(r"\\[6pt] ", 1)[-1], "", []
    for piece in re.split(r"(\{\\color\{#[0-9a-f]{6}\}\{|[{}])", row):
        if piece == "}" and depth:
            plain += depth.pop()
        elif piece.startswith(r"{\color"):
            depth += ["", ""]
        else:
            depth += ["}"] if piece == "{" else []
            plain += piece
    return plain


def _row(terms, name, units):
    """The gradient of a tensor from those above it, as a row of a table: symbols, then the numbers of its units."""

    def matrix(row):
        body = r" \\ ".join(" & ".join(map(place, entries)) for entries in np.atleast_2d(units[row.name]).tolist())
        return rf" = \begin{{pmatrix}} {body} \end{{pmatrix}}"

    derivation = MatrixDerivation(terms, "L", name)
    _, _, table = tree(matrix_derivation(derivation, matrix))
    edges = {color: ":".join(edge) for edge, color in derivation.colors.items() if edge[1] == name}
    return _live(table[-1], edges)


def _live(element, edges):
    """MathML for the page: numbers of units are gradients; what has a colour says which term it is, and is painted there."""
    tag, look, *children = element
    kept = {key: value for key, value in look.items() if key not in ("mathcolor", "data-slot")}
    if "data-slot" in look:
        kept["data-slot"] = f"d:{look['data-slot'][2:]}"
    if "mathcolor" in look:
        kept["data-term"] = edges[look["mathcolor"]]
    return [tag, kept, *(_live(child, edges) if isinstance(child, list) else child for child in children)]
