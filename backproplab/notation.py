"""How names, numbers and terms are written, in LaTeX and in pictures: the same everywhere.

Mathematics in a picture is a row of runs (text, style), where the style is "i" italic, "sub", "sup" or "" upright.
"""

import re
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
import sympy as sp

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ",
    "chi": "χ", "psi": "ψ", "omega": "ω",
}  # fmt: skip

# One colour for one term, in formula, picture, plot and widget; each readable on white and on black.
COLORS = ("#9a5fc7", "#00857a", "#b86200", "#2f76d2", "#c4457a", "#6a7d00", "#8a6d5a", "#5f6fd0")


def color_of(terms):
    """A colour for each term, by (of, wrt), in the order given."""
    edges = dict.fromkeys(term.edge for term in terms)
    return {edge: COLORS[i % len(COLORS)] for i, edge in enumerate(edges)}


LAYERED = re.compile(r"([^\W\d_]+)(\d+)((?:_\d+)*)")  # letters, layer, units


class Parts(NamedTuple):
    """The parts of a quantity's name: W1_2_3 has the letter W, the layer 1 and the units (2, 3), to unit 2 from unit 3."""

    letter: str
    layer: int = 0
    units: tuple = ()


@lru_cache(maxsize=4096)
def parts(name):
    """The `Parts` of a name; one without a layer (X, Y, L) is all letter, its layer is 0."""
    found = LAYERED.fullmatch(name)
    return Parts(found[1], int(found[2]), tuple(map(int, found[3].split("_")[1:]))) if found else Parts(name)


def unit_name(name, entry):
    """The name of one entry of an array, counted from 0: ("W1", (1, 2)) -> "W1_2_3"."""
    return name + "".join(f"_{i + 1}" for i in entry)


def what_comes_in(layer):
    """The name of what a layer works on: X, or the A of the layer below."""
    return f"A{layer - 1}" if layer > 1 else "X"


def split_name(name):
    """The letters of a name, its superscript (the layer) and its subscript: "W1_2_3" -> ("W", "(1)", "2,3"); "w1" -> ("w", "", "1")."""
    found = LAYERED.fullmatch(name)
    if found and (found[3] or found[1] in ("W", "Z", "A")):
        return found[1], f"({found[2]})", found[3].strip("_").replace("_", ",")
    if not found and re.fullmatch(r"[^\W\d_]{2,}_+(?!hat$)\D.*", name) and name.partition("_")[0] not in GREEK:
        return name, "", ""
    base, _, rest = re.sub(r"(?<=[^\W\d_])(?=\d)", "_", name).partition("_")
    return base, "", rest.strip("_").replace("_", ",")


def latex_name(name):
    """A name in LaTeX: "a" -> a, "z1_2" -> z^{(1)}_{2}, "theta" -> \\theta, "loss" -> \\mathrm{loss}."""
    base, above, below = split_name(name)
    if below == "hat":
        base, below = rf"\hat{{{base}}}", ""
    elif base in GREEK:
        base = rf"\{base}"
    elif len(base) > 1:
        base = rf"\mathrm{{{base}}}".replace("_", r"\_")
    below = below if len(below) < 2 or not below.isalpha() else rf"\mathrm{{{below}}}"
    return base + (f"^{{{above}}}" if above else "") + (f"_{{{below}}}" if below else "")


def latex_layer(name):
    """A quantity of a network in LaTeX, its layer above: also "b1" -> b^{(1)}, which alone would be the number b_1."""
    found = parts(name)
    return (
        re.sub(r"_\{\d+\}$", f"^{{({found.layer})}}", latex_name(name))
        if found.layer and not found.units
        else latex_name(name)
    )


def latex_partial(of, wrt, layered=False, sign=r"\partial"):
    """The derivative of one quantity with respect to another as a fraction; `layered` for the quantities of a network."""
    write = latex_layer if layered else latex_name
    return rf"\frac{{{sign} {write(of)}}}{{{sign} {write(wrt)}}}"


def number(value, digits=6):
    """A number in plain text, at most 6 significant digits: -0.4, 1.5e-7."""
    text = f"{value:.{digits}g}"
    return re.sub(r"e([+-])0*(\d+)", lambda m: "e" + m[1].strip("+") + m[2], "0" if float(text) == 0 else text)


def short(value, digits=4):
    """A number for a picture, with a minus sign; an array by its shape."""
    return number(value, digits).replace("-", "−") if np.ndim(value) == 0 else "×".join(map(str, np.shape(value)))


def latex_number(value, digits=6):
    """A number in LaTeX: -0.4, 1.5 \\cdot 10^{-7}."""
    mantissa, _, exponent = number(value, digits).partition("e")
    return mantissa + (rf" \cdot 10^{{{exponent}}}" if exponent else "")


def latex_factor(value, digits=6):
    """A number as it stands inside a product or a difference: in parentheses where its sign or its power of ten needs them."""
    text = latex_number(value, digits)
    return text if text.replace(".", "").isdigit() else rf"\left({text}\right)"


@lru_cache(maxsize=4096)
def latex_formula(formula, layered=False):
    """A SymPy expression in LaTeX, its symbols written as names of quantities, `layered` for those of a network."""
    write = latex_layer if layered else latex_name
    text = sp.latex(formula, symbol_names={s: write(s.name) for s in formula.free_symbols})
    return re.sub(r"(?<![\d.])1\.0 \\cdot 10\^", "10^", text)


@lru_cache(maxsize=4096)
def template(formula):
    """A SymPy expression in LaTeX with a place for each of its names."""
    places = {s: place(s.name) for s in formula.free_symbols}
    return tidy(sp.latex(formula, symbol_names=places, mul_symbol="dot"))


def place(name):
    """A place in a LaTeX template where `fill` puts the number of that name, in parentheses where it needs them."""
    return f"⟦{name}⟧"


def tidy(template):
    """A template whose places alone between parentheses or commas, ⟪z⟫, need no parentheses; an index stays a name."""
    named = re.sub(r"_\{⟦(\w+)⟧\}", lambda found: f"_{{{latex_name(found[1])}}}", template)
    return re.sub(r"(?:(?<=\\left\()|(?<=, ))⟦(\w+)⟧(?= ?\\right\)|,)", r"⟪\1⟫", named)


def fill(template, trace):
    """A LaTeX template with the trace's numbers in its places."""
    alone = re.sub(r"⟪(\w+)⟫", lambda found: latex_number(trace[found[1]]), template)
    return re.sub(r"⟦(\w+)⟧", lambda found: latex_factor(trace[found[1]]), alone)


def with_numbers(formula, trace):
    """A SymPy expression in LaTeX with the trace's numbers in place of its names."""
    return fill(template(formula), trace)


def name_runs(name):
    """The runs of a quantity's name: italic letters, layer above, index below."""
    base, above, below = split_name(name)
    mark = "\u0302" if below == "hat" else ""
    runs = [(GREEK.get(base, base) + mark, "i"), (above, "sup"), ("" if mark else below, "sub")]
    return tuple(run for run in runs if run[0])


def layer_runs(name):
    """The same for a quantity of a network, its layer above: also "b1", which alone would be the number b_1."""
    found = parts(name)
    if not found.layer or found.units:
        return name_runs(name)
    style = "" if len(found.letter) > 1 and found.letter not in GREEK else "i"
    return (GREEK.get(found.letter, found.letter), style), (f"({found.layer})", "sup")


def partial_runs(of, wrt, sign="∂"):
    """The runs of a derivative in one line: ∂a/∂z."""
    return ((sign, ""), *name_runs(of), (f"/{sign}", ""), *name_runs(wrt))


def call_piece(name):
    """The beginning of a call as a piece of a line: what stands in the text, its runs."""
    return f"{name}(", (({"sigmoid": "σ"}.get(name, name) + "(", ""),)


class Written(str):
    """The right-hand side of a line: a text that knows how it is drawn; a bare text is drawn as it stands.

    `pieces` are pairs of what stands in the text and its runs: ("w1", w and a small 1), ("*", a thin space), ...
    `places`, which a network's graph gives its lines, say where each of its quantities stands among the units.
    """

    places = None

    @classmethod
    def of(cls, pieces):
        """The text of the pieces put together."""
        written = cls("".join(plain for plain, _ in pieces))
        written.pieces = pieces
        return written

    @cached_property
    def pieces(self):
        """One piece, the text itself."""
        return [(str(self), ((str(self), ""),))]

    def runs(self, most):
        """Its runs; of a text longer than `most` characters the first ones and an ellipsis."""
        if sum(len(plain) for plain, _ in self.pieces) <= most:
            return tuple(run for _, runs in self.pieces for run in runs)
        found, room = [], most - 1
        for plain, runs in self.pieces:
            if len(plain) > room:
                rest = plain[:room]
                found += (name_runs(rest) if plain.isidentifier() else [(rest, "")]) if rest else []
                break
            found, room = [*found, *runs], room - len(plain)
        return (*found, ("…", ""))
