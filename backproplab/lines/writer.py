"""The tree of a line as it was written: in LaTeX, and in pieces for a picture."""

from ..functions.operations import OPERATIONS
from ..notation import call_piece, latex_name, latex_number, name_runs, number

BRACKETS = set("(), ")
SIGNS = {"+": (" + ", " + "), "-": (" - ", " − "), "/": ("/", " / ")}  # in the text, in a picture


def latex(node, name=latex_name, times=r"\,"):
    """The tree in LaTeX. `name` prints a name, or the number in its place; `times` joins two names."""
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
    first = latex(node.args[0], name, times)  # written once: above a fraction's bar it needs no parentheses
    factors = [rf"\left({first}\right)" if node.args[0].op == "+" else first]
    for i, (sign, arg) in enumerate(zip(node.value[1:], node.args[1:], strict=True), 1):
        if sign == "/":
            above = first if i == 1 else _joined(factors, times)
            factors = [rf"\frac{{{above}}}{{{latex(arg, name, times)}}}"]
        else:
            factors.append(_latex_inside(arg, ("+", "negative"), name, times))
    return _joined(factors, times)


def _joined(factors, times):
    text = factors[0]
    for factor in factors[1:]:
        text += (r" \cdot " if factor[0].isdigit() else f" {times} ") + factor
    return text


def pieces(node):
    """The tree in pieces (what stands in the text, its runs); neighbouring brackets are one piece."""
    found = []
    for plain, runs in _pieces(node):
        if found and BRACKETS.issuperset(plain) and BRACKETS.issuperset(found[-1][0]):
            plain = found.pop()[0] + plain
            runs = ((plain, ""),)
        found.append((plain, runs))
    return found


def _pieces(node):
    if node.op == "number":
        text = _number(node)
        yield text, ((text.replace("-", "−"), ""),)
    elif node.op == "name":
        yield node.value, name_runs(node.value)
    elif node.op == "+":
        yield from _joined_pieces(node, ("+", "negative"))
    elif node.op == "*":
        yield from _joined_pieces(node, ("+", "*", "negative"))
    elif node.op == "negative":
        yield "-", (("−", ""),)
        yield from _pieces_inside(node.args[0], ("+", "*", "negative"))
    elif node.op == "**":
        yield from _power_pieces(*node.args)
    else:
        yield call_piece(node.op)
        for i, arg in enumerate(node.args):
            yield from [(", ", ((", ", ""),))] * (i > 0)
            yield from _pieces(arg)
        yield ")", ((")", ""),)


def _number(node):
    """A number as it was written; in a SymPy expression to 6 digits."""
    return node.text or number(node.value)


def _pieces_inside(node, weaker):
    if node.op in weaker:
        yield "(", (("(", ""),)
        yield from _pieces(node)
        yield ")", ((")", ""),)
    else:
        yield from _pieces(node)


def _joined_pieces(node, weaker):
    """A sum or a product; a dot stands before a number and after a division, else a product is a space."""
    yield from _pieces_inside(node.args[0], [op for op in weaker if op != "negative"])
    for i, (sign, arg) in enumerate(zip(node.value[1:], node.args[1:], strict=True), 1):
        part = list(_pieces_inside(arg, weaker))
        dot = part[0][0][0].isdigit() or "/" in node.value[:i]
        plain, drawn = ("*", " · " if dot else " ") if sign == "*" else SIGNS[sign]
        yield plain, ((drawn, ""),)
        yield from part


def _power_pieces(base, exponent):
    """A power; an exponent that is more than a number stays in the line, 2^(x + 1)."""
    yield from _pieces_inside(base, ("+", "*", "negative", "**"))
    if exponent.op == "number":
        text = _number(exponent)
        yield f"**{text}", ((text, "sup"),)
    else:
        yield "**", (("^", ""),)
        yield from _pieces_inside(exponent, ("+", "*", "negative", "**"))
