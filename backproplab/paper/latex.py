"""The steps of a derivation in LaTeX, each term in its colour."""

import numpy as np

from ..notation import latex_factor, latex_formula, latex_number, latex_partial, with_numbers
from ..terms import RULES

MOST_STEPS_SHOWN = 24
SCALED = r"{v} \cdot {d}"  # one number times a matrix
LARGEST_SHOWN = 6  # rows or columns of a matrix whose numbers are written out


def colored(color, text):
    """A piece of LaTeX in a colour, in the one form that MathJax reads with every set of its extensions."""
    return rf"{{\color{{{color}}}{{{text}}}}}"


def aligned(rows):
    """Equations below each other."""
    return r"\begin{aligned} " + r" \\[6pt] ".join(rows) + r" \end{aligned}"


# --- numbers ------------------------------------------------------------------------------------------------------------


def step_texts(step):
    """One term: symbol, formula, formula in terms of its own line, numbers, result, without those that are the same."""
    term, texts = step.term, [step.term.symbol, latex_formula(step.term.formula)]
    if term.shortcut is not None:
        texts.append(latex_formula(term.shortcut))
    if step.trace is not None:
        texts += [with_numbers(step.shown, step.trace)] if step.shown.args else []
        texts.append(latex_number(step.term.value))
    return list(dict.fromkeys(texts))


def factor(formula):
    """A formula as a factor of a product: a sum in parentheses."""
    text = latex_formula(formula)
    return rf"\left({text}\right)" if formula.is_Add or formula.could_extract_minus_sign() else text


def _rest(derivation):
    return [r"\cdots"] * (len(derivation.paths) > len(derivation.products))


def scalar_derivation(derivation):
    """The whole of it: the chain of each path, each term from symbol to result, the products and their sum."""
    products = derivation.products
    twofold = len(products) > 1 and any(
        step.term.edge == (derivation.output, derivation.wrt) for step in derivation.steps
    )
    sign = r"\mathrm{d}" if twofold else r"\partial"  # where ∂ already stands for one line alone
    left = latex_partial(derivation.output, derivation.wrt, sign=sign)
    if not derivation.steps:
        return f"{left} = 1"

    def added(write):
        parts = [r" \cdot ".join(colored(step.color, write(step)) for step in product.steps) for product in products]
        return f"{left} &= " + r" \\ &\quad {} + ".join(parts + _rest(derivation))

    rows = [added(lambda step: step.term.symbol)]
    for step in derivation.steps[:MOST_STEPS_SHOWN]:
        symbol, *others = step_texts(step)
        rows.append(colored(step.color, symbol) + " &= " + " = ".join(others))
    if derivation.value is not None:
        rows.append(added(lambda step: latex_factor(step.term.value)) + rf" \\ &= {latex_number(derivation.value)}")
    return aligned(rows)


# --- matrices -----------------------------------------------------------------------------------------------------------


def matrix_derivation(derivation, matrix=None):
    """The product of terms, then one row for each gradient on the way, in symbols and in numbers, as `matrix(row)` writes them."""
    chain = _chain(derivation)
    rows = [f"{latex_partial(derivation.output, derivation.wrt, layered=True)} &= {chain}"]
    for row in derivation.rows:
        left = latex_partial(derivation.output, row.name, layered=True)
        left = left if row.delta is None else f"{_delta(row.delta)} = {left}"
        parts = " + ".join(pull(derivation.output, step) for step in row.steps)
        rows.append(f"{left} &= {parts}{_numbers(row.value) if matrix is None else matrix(row)}")
    return aligned(rows)


def _chain(derivation):
    """The product of terms along each path; the L2 part comes last, and of many paths the first ones."""
    color = {step.term.edge: step.color for step in derivation.steps}
    products = [
        r" \cdot ".join(colored(color[term.edge], term.symbol) for term in path.terms) for path in derivation.chains
    ]
    products += [r"\cdots"] * (derivation.count > len(products))
    products += [
        colored(step.color, rf"\left.{step.term.symbol}\right|_{{l2}}") for step in derivation.steps if step.direct
    ]
    return r" \\ &\quad {} + ".join(products)


def pull(output, step):
    """The gradient at `term.wrt` as far as it comes through this term: the rule with its factors, shapes below."""
    factor = colored(step.color, _shaped(latex_formula(step.term.formula, True), np.shape(step.term.value)))
    if step.upstream is None:
        return factor
    name, delta, shape = step.upstream
    upstream = latex_partial(output, name, layered=True) if delta is None else _delta(delta)
    rule = SCALED if step.term.rule == "times" and shape and not step.term.shape else RULES[step.term.rule].latex
    return rule.format(d=_shaped(upstream, shape), v=factor)


def _delta(layer):
    return rf"\delta^{{({layer})}}"


def _shaped(text, shape):
    below = r" \times ".join(map(str, shape))
    return rf"\underset{{{below}}}{{{text}}}" if shape else text


def _numbers(value):
    """The matrix in numbers, where it is small enough to be read."""
    rows = np.atleast_2d(value)
    if rows.ndim > 2 or max(rows.shape) > LARGEST_SHOWN:
        return ""
    body = r" \\ ".join(" & ".join(latex_number(float(v), 4) for v in row) for row in rows)
    return rf" = \begin{{pmatrix}} {body} \end{{pmatrix}}"
