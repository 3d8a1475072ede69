"""The text of a line -> its tree.

The grammar: numbers, names, + - * / **, parentheses, and the functions of the table. Nothing here calls Python's or
SymPy's own readers of text, since a line may come from anyone.

    sum     = product (("+" | "-") product)*
    product = unary (("*" | "/") unary)*
    unary   = ("-" | "+")* power
    power   = atom ("**" unary)?
    atom    = number | name | function "(" sum ("," sum)* ")" | "(" sum ")"
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..functions.operations import FUNCTIONS
from .program import Program

MOST_CHARACTERS, MOST_FACTORS, DEEPEST, LARGEST_EXPONENT = 50_000, 100, 50, 1000
TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|(?P<name>[^\W\d_]\w*)|(?P<sign>\*\*|[-+*/(),])|(?P<end>$))"
)


@dataclass(frozen=True)
class Node:
    """A piece of a line: a number, a name, an operation on other nodes, or a call of a function.

    `op` is "number", "name", "+", "*", "**", "negative" or a function's name; "+" and "*" hold any number of arguments
    and in `value` how each is joined to those before it: "+-" for a - b. Otherwise `value` is the number or the name. `text` is a number as it was written.
    """

    op: str
    args: tuple = ()
    value: object = None
    text: str = ""

    @cached_property
    def names(self):
        """The names it uses, in order of appearance."""
        if self.op == "name":
            return (self.value,)
        return tuple(dict.fromkeys(name for arg in self.args for name in arg.names))

    @cached_property
    def holders(self):
        """Which arguments hold a name: {name: [place, ...]}."""
        found = {}
        for place, arg in enumerate(self.args):
            for name in arg.names:
                found.setdefault(name, []).append(place)
        return found

    @cached_property
    def functions(self):
        """The names of the functions that it calls."""
        own = {self.op} & FUNCTIONS.keys()
        return own.union(*(arg.functions for arg in self.args))


HINTS = {
    "^": "for powers write **",
    "−–": "for minus write -",
    "·⋅×": "for times write *",
    ".": "write exp(x), not np.exp(x)",
}


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
            self.start, sign = self.at, self.text[self.at]
            hint = next((f", {hint}" for signs, hint in HINTS.items() if sign in signs), "")
            self.fail(f"the character {sign!r} means nothing here{hint}")
        self.kind, self.token = found.lastgroup, found[found.lastgroup]
        self.start, self.at = found.start(found.lastgroup), found.end()
        if self.kind == "name" and not self.token.isidentifier():
            self.fail(f"{self.token!r:.40} is not a name: letters, then letters, digits and _; for powers write **")
        self.token = unicodedata.normalize("NFKC", self.token)

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
            times = ", between factors write *" if self.kind in ("name", "number") or self.token == "(" else ""
            self.fail(f"expected an operator or the end of the line, found {self.found()}{times}")
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
        node = self.joined("*", self.unary, "*/")
        if node.op == "*" and len(node.args) > MOST_FACTORS:
            self.fail(f"a product has {len(node.args)} factors, more than {MOST_FACTORS}: split it into several lines")
        return node

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
        value, text = float(self.token), self.token
        if value == float("inf"):
            self.fail("the number is too large for float64")
        self.advance()
        return Node("number", value=value, text=text)

    def call(self, name, start):
        if name not in FUNCTIONS:
            self.start = start
            self.fail(
                f"{name!r} is not a function that a line can call; known are {', '.join(FUNCTIONS)}; "
                f"for a product write {name}*(...)"
            )
        self.expect("(")
        args = [self.deeper(self.sum)]
        while self.take(","):
            args.append(self.deeper(self.sum))
        if len(args) > 1 and not FUNCTIONS[name].several:
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
    return inner * max(abs(constant(node.args[1])), 1)


def constant(node):
    """The number that a tree without names stands for."""
    program = Program(())
    return program.constants[program.add(node)]


def check_constants(node):
    """ValueError for a piece without names that is no number in float64, or by which something is divided though it is 0."""
    if not node.names:
        value = constant(node)
        if not np.isfinite(value) or (value == 0 and node.op == "**"):
            raise ValueError(f"a constant in it is {value}: no number that float64 can hold")
        return
    for sign, arg in zip(node.value if node.op == "*" else "+" * len(node.args), node.args, strict=True):
        check_constants(arg)
        if sign == "/" and not arg.names and constant(arg) == 0:
            raise ValueError("it divides by 0")
