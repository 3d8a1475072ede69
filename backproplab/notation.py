"""How names, numbers and terms are written, in LaTeX and in pictures: the same everywhere."""

import re
from functools import lru_cache

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
    edges = dict.fromkeys((term.of, term.wrt) for term in terms)
    return {edge: COLORS[i % len(COLORS)] for i, edge in enumerate(edges)}


def split_name(name):
    """The letters of a name, its superscript (the layer) and its subscript: "W1_2_3" -> ("W", "(1)", "2,3"); "w1" -> ("w", "", "1")."""
    found = re.fullmatch(r"([^\W\d_]+)(\d+)((?:_\d+)*)", name)
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
    return re.sub(r"^b_\{(\d+)\}$", r"b^{(\1)}", latex_name(name))


def latex_partial(of, wrt, layered=False):
    """The derivative of one quantity with respect to another as a fraction; `layered` for the quantities of a network."""
    write = latex_layer if layered else latex_name
    return rf"\frac{{\partial {write(of)}}}{{\partial {write(wrt)}}}"


def number(value, digits=6):
    """A number in plain text, at most 6 significant digits: -0.4, 1.5e-7."""
    text = f"{value:.{digits}g}"
    return re.sub(r"e([+-])0*(\d+)", lambda m: "e" + m[1].strip("+") + m[2], "0" if float(text) == 0 else text)


def latex_number(value, digits=6):
    """A number in LaTeX: -0.4, 1.5 \\cdot 10^{-7}."""
    mantissa, _, exponent = number(value, digits).partition("e")
    return mantissa + (rf" \cdot 10^{{{exponent}}}" if exponent else "")


def latex_factor(value, digits=6):
    """A number as it stands inside a product or a difference: in parentheses where its sign or its power of ten needs them."""
    text = latex_number(value, digits)
    return text if text.replace(".", "").isdigit() else rf"\left({text}\right)"


@lru_cache(maxsize=4096)
def latex_formula(formula):
    """A SymPy expression in LaTeX, its symbols written as names of quantities."""
    return sp.latex(formula, symbol_names={s: latex_name(s.name) for s in formula.free_symbols})


@lru_cache(maxsize=4096)
def _template(formula):
    return sp.latex(formula, symbol_names={s: place(s.name) for s in formula.free_symbols}, mul_symbol="dot")


def place(name):
    """A place in a LaTeX template where `fill` puts the number of that name."""
    return f"⟦{name}⟧"


def fill(template, trace):
    """A LaTeX template with the trace's numbers in its places."""
    return re.sub(r"⟦(\w+)⟧", lambda found: latex_factor(trace[found[1]]), template)


def with_numbers(formula, trace):
    """A SymPy expression in LaTeX with the trace's numbers in place of its names."""
    return fill(_template(formula), trace)
