"""The tree of a line as LaTeX, as it was written."""

from ..functions.operations import OPERATIONS
from ..notation import latex_name, latex_number


def latex(node, name=latex_name, times=r"\,"):
    """The tree in LaTeX, as it was written. `name` prints a name, or the number in its place; `times` joins two names."""
    if node.op == "number":
        return latex_number(node.value)
    if node.op == "name":
        return name(node.value)
    if node.op == "+":
        parts = [_latex_inside(arg, ("+", "negative"), name, times) for arg in node.args[1:]]
        return latex(node.args[0], name, times) + "".join(
            f" {sign} {part}" for sign, part in zip(node.value[1:], parts, strict=True)
        )
    if node.op == "*":
        return _latex_product(node, name, times)
    if node.op == "negative":
        return "-" + _latex_inside(node.args[0], ("+", "negative"), name, times)
    if node.op == "**":
        base = _latex_inside(node.args[0], ("+", "*", "negative", "**"), name, times)
        base = rf"\left({base}\right)" if "^" in base and node.args[0].op in ("name", "number") else base
        return f"{base}^{{{latex(node.args[1], name, times)}}}"
    return OPERATIONS[node.op].show(*(latex(arg, name, times) for arg in node.args))


def _latex_inside(node, weaker, name, times):
    text = latex(node, name, times)
    return rf"\left({text}\right)" if node.op in weaker else text


def _latex_product(node, name, times):
    factors = []
    for i, (sign, arg) in enumerate(zip(node.value, node.args, strict=True)):
        if sign == "/":
            above = latex(node.args[0], name, times) if i == 1 else _joined(factors, times)
            factors = [rf"\frac{{{above}}}{{{latex(arg, name, times)}}}"]
        else:
            factors.append(_latex_inside(arg, ("+", "negative") if i else ("+",), name, times))
    return _joined(factors, times)


def _joined(factors, times):
    text = factors[0]
    for factor in factors[1:]:
        text += (r" \cdot " if factor[0].isdigit() else f" {times} ") + factor
    return text
