"""The text of a line -> a tree -> LaTeX as it was written, SymPy to differentiate, a flat list of operations for numbers.

The grammar: numbers, names, + - * / **, parentheses, and the functions of the table. Nothing here calls Python's or
SymPy's own readers of text, since a line may come from anyone.

    sum     = product (("+" | "-") product)*
    product = unary (("*" | "/") unary)*
    unary   = ("-" | "+")* power
    power   = atom ("**" unary)?
    atom    = number | name | function "(" sum ("," sum)* ")" | "(" sum ")"
"""

import re
from dataclasses import dataclass

import mpmath
import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef

from .functions import FUNCTIONS, OPERATIONS, SEVERAL
from .notation import latex_name, latex_number

SYMPY_NAMES = {row.formula: row.name for row in FUNCTIONS.values() if isinstance(row.formula, type)}
MOST_CHARACTERS, DEEPEST, LARGEST_EXPONENT = 50_000, 50, 1000
TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|(?P<name>[^\W\d_]\w*)|(?P<sign>\*\*|[-+*/(),])|(?P<end>$))"
)


@dataclass(frozen=True, slots=True)
class Node:
    """A piece of a line: a number, a name, an operation on other nodes, or a call of a function.

    `op` is "number", "name", "+", "*", "**", "negative" or a function's name; "+" and "*" hold any number of arguments
    and in `value` how each is joined to those before it: "+-" for a - b. Otherwise `value` is the number or the name.
    """

    op: str
    args: tuple = ()
    value: object = None

    @property
    def names(self):
        """The names it uses, in order of appearance."""
        if self.op == "name":
            return (self.value,)
        return tuple(dict.fromkeys(name for arg in self.args for name in arg.names))


class _Reader:
    """Reads one line, left to right; an error shows the line with a caret under the place."""

    def __init__(self, text):
        self.text, self.at, self.depth = text, 0, 0
        if len(text) > MOST_CHARACTERS:
            raise ValueError(
                f"the line has {len(text)} characters, more than {MOST_CHARACTERS}: split it into several lines"
            )
        self.advance()

    def advance(self):
        found = TOKEN.match(self.text, self.at)
        if not found:
            self.at += len(self.text[self.at :]) - len(self.text[self.at :].lstrip())
            self.start, hint = self.at, ", for powers write **" if self.text[self.at] == "^" else ""
            self.fail(f"the character {self.text[self.at]!r} means nothing here{hint}")
        self.kind, self.token = found.lastgroup, found[found.lastgroup]
        self.start, self.at = found.start(found.lastgroup), found.end()
        if self.kind == "name" and not self.token.isidentifier():
            self.fail(f"{self.token!r:.40} is not a name: letters, then letters, digits and _; for powers write **")

    def fail(self, what):
        left = max(0, self.start - 60)
        excerpt = re.sub(r"\s", " ", self.text[left : self.start + 20])
        raise ValueError(f"{what}\n    {excerpt}\n    {' ' * (self.start - left)}^")

    def take(self, *signs):
        token = self.token
        if self.kind == "sign" and token in signs:
            self.advance()
            return token
        return None

    def expect(self, sign):
        if not self.take(sign):
            self.fail(f"expected {sign!r}, found {self.found()}")

    def found(self):
        return repr(self.token) if self.token else "the end of the line"

    def line(self):
        node = self.sum()
        if self.kind != "end":
            self.fail(f"expected an operator or the end of the line, found {self.found()}")
        return node

    def joined(self, op, part, signs):
        args, joins = [part()], op
        while sign := self.take(*signs):
            args.append(part())
            joins += sign
        return Node(op, tuple(args), joins) if len(args) > 1 else args[0]

    def sum(self):
        return self.joined("+", self.product, "+-")

    def product(self):
        return self.joined("*", self.unary, "*/")

    def unary(self):
        negative = False
        while sign := self.take("-", "+"):
            negative ^= sign == "-"
        node = self.power()
        return Node("negative", (node,)) if negative else node

    def power(self):
        start, base = self.start, self.atom()
        if not self.take("**"):
            return base
        exponent = self.deeper(self.unary)
        node = Node("**", (base, exponent))
        if not _growth(node) <= LARGEST_EXPONENT:
            self.start = start
            self.fail(f"the exponent of a power is at most {LARGEST_EXPONENT}, powers of powers multiplied")
        return node

    def deeper(self, part):
        self.depth += 1
        if self.depth > DEEPEST:
            self.fail(f"the line is nested more than {DEEPEST} deep: split it into several lines")
        node = part()
        self.depth -= 1
        return node

    def atom(self):
        kind, token = self.kind, self.token
        if kind == "number":
            return self.number()
        if kind == "name":
            start = self.start
            self.advance()
            if self.kind == "sign" and self.token == "(":
                return self.call(token, start)
            if token in FUNCTIONS:
                self.fail(f"{token} is a function: expected '(' after it, found {self.found()}")
            return Node("name", value=token)
        if self.take("("):
            node = self.deeper(self.sum)
            self.expect(")")
            return node
        return self.fail(f"expected a number, a name or '(', found {self.found()}")

    def number(self):
        value = float(self.token)
        if value == float("inf"):
            self.fail("the number is too large for float64")
        self.advance()
        return Node("number", value=value)

    def call(self, name, start):
        if name not in FUNCTIONS:
            self.start = start
            self.fail(f"{name!r} is not a function that a line can call; known are {', '.join(FUNCTIONS)}")
        self.expect("(")
        args = [self.deeper(self.sum)]
        while self.take(","):
            args.append(self.deeper(self.sum))
        if len(args) > 1 and name not in SEVERAL:
            self.start = start
            self.fail(f"{name} takes one argument, found {len(args)}")
        self.expect(")")
        return Node(name, tuple(args))


def parse(text):
    """The tree of a line's text. ValueError with a caret under the place where it cannot be read."""
    return _Reader(text).line()


def _growth(node):
    """How far SymPy may have to multiply out constants: the largest product of exponents on the way down. NaN if unknown."""
    inner = max((_growth(arg) for arg in node.args), default=1)
    if node.op != "**" or node.args[1].names:
        return inner
    program = Program(())
    (exponent,) = program.run({}, [program.add_tree(node.args[1])])
    return inner * max(abs(float(exponent)), 1)


# --- paper ------------------------------------------------------------------------------------------------------------


def to_sympy(node):
    """The tree as a SymPy expression; activations, abs, max, min and logsumexp stay named functions."""
    if node.op == "number":
        return sp.Rational(repr(node.value))
    if node.op == "name":
        return sp.Symbol(node.value)
    args = [to_sympy(arg) for arg in node.args]
    if node.op == "+":
        return sp.Add(*(arg if sign == "+" else -arg for sign, arg in zip(node.value, args, strict=True)))
    if node.op == "*":
        return sp.Mul(*(arg if sign == "*" else 1 / arg for sign, arg in zip(node.value, args, strict=True)))
    row = OPERATIONS[node.op]
    return (row.symbolic if node.op in FUNCTIONS else row.formula)(*args)


def with_our_functions(expression):
    """A SymPy expression with tanh, Abs, Max, Min, and functions of the table by name, replaced by the table's own."""

    def ours(call):
        name = SYMPY_NAMES.get(call.func) or (call.func.__name__ if isinstance(call, AppliedUndef) else None)
        return OPERATIONS[name].symbolic(*call.args) if name in FUNCTIONS else call

    return expression.replace(lambda part: isinstance(part, (sp.Function, sp.Max, sp.Min)), ours)


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
        return f"{_latex_inside(node.args[0], ('+', '*', 'negative', '**'), name, times)}^{{{latex(node.args[1], name, times)}}}"
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


# --- numbers ----------------------------------------------------------------------------------------------------------


class Program:
    """Expressions as one flat list of operations: rows (operation, slot of the result, slots of the arguments).

    A subexpression that comes twice is computed once. The same rows run on floats, arrays, complex numbers and mpmath numbers.
    """

    def __init__(self, inputs):
        self.inputs = {name: slot for slot, name in enumerate(inputs)}
        self.names = dict(self.inputs)
        self.constants, self.rows = {}, []
        self._known, self._size = {}, len(self.inputs)

    def _slot(self):
        self._size += 1
        return self._size - 1

    def _constant(self, value):
        slot = self._known.get(value)
        if slot is None:
            slot = self._known[value] = self._slot()
            self.constants[slot] = value
        return slot

    def _row(self, operation, *args):
        key = (operation, *args)
        if key not in self._known:
            self._known[key] = self._slot()
            self.rows.append((operation, self._known[key], args))
        return self._known[key]

    def add_tree(self, node):
        """Append a line's tree, in the order in which it was written; the slot of its value."""
        if node.op == "number":
            return self._constant(node.value)
        if node.op == "name":
            return self.names[node.value]
        slots = [self.add_tree(arg) for arg in node.args]
        if node.op not in ("+", "*"):
            return self._row(node.op, *slots)
        result = slots[0]
        for sign, slot in zip(node.value[1:], slots[1:], strict=True):
            result = self._row(sign, result, slot)
        return result

    def add_sympy(self, formula):
        """Append a SymPy expression; the slot of its value. ValueError for a function that the table does not hold."""
        if formula.is_Symbol:
            return self.names[formula.name]
        if formula.is_Number or formula.is_NumberSymbol:
            if not (formula.is_finite and formula.is_real):
                raise ValueError(f"{formula} is not a finite number")
            return self._constant(float(formula))
        if formula.is_Add:
            return self._add_sum(formula)
        if formula.is_Mul:
            return self._add_product(formula)
        if formula.is_Pow and formula.exp == sp.Rational(1, 2):
            return self._row("sqrt", self.add_sympy(formula.base))
        if formula.is_Pow and formula.exp.as_coeff_Mul()[0].is_negative:
            return self._row("/", self._constant(1.0), self.add_sympy(1 / formula))
        if formula.is_Pow:
            return self._row("**", self.add_sympy(formula.base), self.add_sympy(formula.exp))
        name = formula.row.name if hasattr(formula, "row") else SYMPY_NAMES.get(formula.func)
        if name is None:
            raise ValueError(f"{formula.func.__name__} is not a function of a line; known are {', '.join(FUNCTIONS)}")
        return self._row(name, *map(self.add_sympy, formula.args))

    def _add_sum(self, formula):
        parts = sorted(formula.as_ordered_terms(), key=lambda part: part.could_extract_minus_sign())
        result = self.add_sympy(parts[0])
        for part in parts[1:]:
            sign, size = ("-", -part) if part.could_extract_minus_sign() else ("+", part)
            result = self._row(sign, result, self.add_sympy(size))
        return result

    def _add_product(self, formula):
        number, rest = formula.as_coeff_Mul()
        if number == -1:
            return self._row("negative", self.add_sympy(rest))
        above, below = sp.fraction(rest, exact=True)
        factors = [] if above == 1 else [self.add_sympy(factor) for factor in sp.Mul.make_args(above)]
        result, *others = factors if number == 1 and factors else [self._constant(float(number)), *factors]
        for slot in others:
            result = self._row("*", result, slot)
        return result if below == 1 else self._row("/", result, self.add_sympy(below))

    def run(self, values, outputs):
        """The numbers in the slots `outputs`, from the inputs' numbers by name; nothing is checked."""
        slots = [None] * self._size
        for slot, value in self.constants.items():
            slots[slot] = value
        for name, slot in self.inputs.items():
            slots[slot] = values[name]
        exact = any(isinstance(value, (mpmath.mpf, mpmath.mpc)) for value in values.values())
        with np.errstate(all="ignore"):
            for operation, result, args in self.rows:
                row = OPERATIONS[operation]
                slots[result] = (row.exact if exact else row.value)(*[slots[i] for i in args])
        return [slots[slot] for slot in outputs]
