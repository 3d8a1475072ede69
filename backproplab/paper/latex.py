"""The steps of a derivation in LaTeX, each term in its colour."""

import numpy as np

from ..notation import latex_factor, latex_formula, latex_number, latex_partial, with_numbers
from ..terms import RULES

MOST_STEPS_SHOWN = 24
LARGEST_SHOWN = 6  # rows or columns of a matrix whose numbers are written out
UNKNOWN = "?"


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
        texts.append(_value(step, latex_number))
    return list(dict.fromkeys(texts))


def _value(known, write=latex_factor):
    """The number of a step or a product."""
    return UNKNOWN if known.value is None else write(known.value)


def _factor(formula):
    """A formula as a factor of a product: a sum in parentheses."""
    text = latex_formula(formula)
    return rf"\left({text}\right)" if formula.is_Add or formula.could_extract_minus_sign() else text


def chain(derivation, product):
    """One path as an aligned table: its terms as symbols, as formulas, as numbers, one column and one colour for each."""
    steps = product.steps
    rows = [[rf"\displaystyle {step.term.symbol}" for step in steps], [_factor(step.shown) for step in steps]]
    if derivation.trace is not None:
        rows.append([_value(step) for step in steps])
    lines = [
        r" & \cdot & ".join(colored(step.color, cell) for step, cell in zip(steps, row, strict=True)) for row in rows
    ]
    if product.value is not None:
        lines[-1] += f" & = & {latex_number(product.value)}"
    alone = len(derivation.paths) == 1
    left = rf"\displaystyle {latex_partial(derivation.output, derivation.wrt)} & =" if alone else "&"
    body = r" \\[6pt] & = & ".join([f"{left} & {lines[0]}", *lines[1:]])
    return rf"\begin{{array}}{{rc{'c' * (2 * len(steps) + 1)}}} {body} \end{{array}}"


def chains(derivation):
    """The chains of the first paths, and below several of them their values' sum: texts for a page that shows each."""
    products = derivation.products
    texts = [chain(derivation, product) for product in products]
    if len(derivation.paths) > 1:
        values = [_value(product) if derivation.value is not None else UNKNOWN for product in products]
        total = f"{latex_partial(derivation.output, derivation.wrt)} = {' + '.join(values + _rest(derivation))}"
        texts.append(total + ("" if derivation.value is None else f" = {latex_number(derivation.value)}"))
    return texts


def _rest(derivation):
    return [r"\cdots"] * (len(derivation.paths) > len(derivation.products))


def scalar_derivation(derivation):
    """The whole of it: the chain of each path, each term from symbol to result, the products and their sum."""
    left, products = latex_partial(derivation.output, derivation.wrt), derivation.products
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
        rows.append(added(_value) + rf" \\ &= {latex_number(derivation.value)}")
    return aligned(rows)


# --- matrices -----------------------------------------------------------------------------------------------------------


def matrix_derivation(derivation):
    """The product of terms, then one row for each gradient on the way, in symbols and in numbers."""
    direct = [step for step in derivation.steps if step.direct]
    chain = r" \cdot ".join(colored(step.color, step.term.symbol) for step in derivation.steps if not step.direct)
    for step in direct:
        chain += " + " + colored(step.color, rf"\left.{step.term.symbol}\right|_{{l2}}")
    rows = [f"{latex_partial(derivation.output, derivation.wrt, layered=True)} &= {chain}"]
    for row in derivation.rows:
        left = latex_partial(derivation.output, row.name, layered=True)
        left = left if row.delta is None else f"{_delta(row.delta)} = {left}"
        parts = " + ".join(pull(derivation.output, step) for step in row.steps)
        rows.append(f"{left} &= {parts}{_numbers(row.value)}")
    return aligned(rows)


def pull(output, step):
    """The gradient at `term.wrt` as far as it comes through this term: the rule with its factors, shapes below."""
    factor = colored(step.color, _shaped(latex_formula(step.term.formula), np.shape(step.term.value)))
    if step.upstream is None:
        return factor
    name, delta, shape = step.upstream
    upstream = latex_partial(output, name, layered=True) if delta is None else _delta(delta)
    return RULES[step.term.rule].latex.format(d=_shaped(upstream, shape), v=factor)


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
