r"""Our own LaTeX -> MathML as plain data: an element is [tag, attributes, *children], a child is an element or a text.

The grammar; what stands in no table below is refused, and a text never becomes markup:

    row    = piece*, up to "}", "]", "&", "\\", \right, \end or the end
    piece  = atom "'"* ("_" group | "^" group)*
    atom   = number | letter | place | group | a symbol | a command with what it takes
    group  = "{" row "}"
"""

import re
from html import escape

from ..notation import GREEK

TOKEN = re.compile(
    r"\s*(\\(?:mathrm|operatorname|text|color|begin|end)\{(?:[^{}\\]|\\_)*\}|\\mathbf\{1\}|\\[A-Za-z]+"
    r"|\\\\(?:\[\d+pt\])?|\\.|\d+(?:\.\d+)?|⟦\w+⟧|⟪\w+⟫|[^\W\d_]|[-+=<>()\[\].,|'{}^_&])"
)
OPERATORS = {
    "-": "−", "+": "+", "=": "=", "<": "<", ">": ">", ",": ",", r"\leq": "≤", r"\geq": "≥", r"\neq": "≠",
    r"\wedge": "∧", r"\vee": "∨", r"\cdot": "⋅", r"\times": "×", r"\odot": "⊙",
}  # fmt: skip
LETTERS = GREEK | {"pi": "π", "infty": "∞", "cdots": "⋯"}
FUNCTIONS = ("exp", "log", "ln", "sin", "cos", "tan", "cosh", "tanh", "max", "min")
SPACES = {r"\,": "0.17em", r"\:": "0.22em", r"\quad": "1em", r"\qquad": "2em"}
UPRIGHT = {"mathvariant": "normal"}
SYMBOLS = {
    **{sign: ["mo", {}, text] for sign, text in OPERATORS.items()},
    **{sign: ["mo", {"stretchy": "false"}, sign] for sign in "()"},
    **{rf"\{name}": ["mi", {}, letter] for name, letter in LETTERS.items()},
    **{rf"\{name}": ["mi", {}, name] for name in FUNCTIONS},
    **{sign: ["mspace", {"width": width}] for sign, width in SPACES.items()},
    r"\partial": ["mi", UPRIGHT, "∂"],
    r"\top": ["mi", UPRIGHT, "⊤"],
    r"\mathbf{1}": ["mn", {}, "𝟏"],
}
FENCES = {"(": ")", "[": "]", "|": "|"}
SCRIPTS = {(True, False): "msub", (False, True): "msup", (True, True): "msubsup"}
# A column's cells: Firefox reads the attribute, Chromium the style, in which it takes no other values.
LEFT = {"columnalign": "left", "style": "text-align:-webkit-left"}
TO_THE_SIGN = {"columnalign": "right", "style": "text-align:-webkit-right;padding-right:0"}
FROM_THE_SIGN = {"columnalign": "left", "style": "text-align:-webkit-left;padding-left:0"}
# An environment: the fence before it, its columns in turn, the fence behind it.
TABLES = {"aligned": ("", (TO_THE_SIGN, FROM_THE_SIGN), ""), "cases": ("{", (LEFT,), ""), "pmatrix": ("(", ({},), ")")}


def tree(latex):
    """The MathML of a formula. ValueError: a sign, a command or a structure that we never write."""
    try:
        reader = _Reader(latex)
        found = reader.row()
    except RecursionError:
        raise ValueError("mathml: the formula is nested too deeply") from None
    reader.expect("")
    return ["math", {}, *found]


def markup(element):
    """An element as text, in which a text stays a text."""
    if isinstance(element, str):
        return escape(element)
    tag, attributes, *children = element
    written = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())
    return f"<{tag}{written}>{''.join(map(markup, children))}</{tag}>"


# --- elements ---------------------------------------------------------------------------------------------------------


def _single(elements):
    """A row as one element."""
    return elements[0] if len(elements) == 1 else ["mrow", {}, *elements]


def _fenced(left, inside, right):
    """A row between fences that grow with it; "." and "" are none."""
    before, after = ([["mo", {"stretchy": "true"}, sign]] if sign.strip(".") else [] for sign in (left, right))
    return ["mrow", {}, *before, *inside, *after]


def _first(element):
    """What an element begins with."""
    while element[0] in ("mrow", *SCRIPTS.values()) and len(element) > 2:
        element = element[2]
    return element


def _is_operand(element):
    """Whether a minus after it is a difference: all but operators and spaces."""
    return element[0] not in ("mo", "mspace") or element[2:] == [")"]


def _is_call(element):
    """Whether it begins with a function's name, the only one of several letters that says nothing of its style."""
    first = _first(element)
    return first[0] == "mi" and not first[1] and len(first[2]) > 1


def _need_room(before, after):
    """Whether a thin space stands between two: a function's name keeps apart, but not from its parenthesis."""
    if _is_call(before):
        return _first(after)[0] not in ("mo", "mspace")
    return _is_operand(before) and _is_call(after)


def _word(text):
    r"""The letters of a name, in which LaTeX writes _ as \_."""
    if not re.fullmatch(r"\w+", name := text.replace(r"\_", "_")):
        raise ValueError(f"mathml: {name:.40} is no name")
    return name


# --- reading ----------------------------------------------------------------------------------------------------------


class _Reader:
    """Reads the tokens of a formula from left to right."""

    def __init__(self, latex):
        self.tokens, self.at, end, latex = [], 0, 0, latex.rstrip()
        while end < len(latex):
            found = TOKEN.match(latex, end)
            if not found:
                raise ValueError(f"mathml: the sign {latex[end:].lstrip()[0]} is none that we write")
            self.tokens.append(found[1])
            end = found.end()
        self.tokens.append("")

    @property
    def token(self):
        return self.tokens[self.at]

    def take(self, *tokens):
        if self.token not in tokens:
            return None
        self.at += 1
        return self.tokens[self.at - 1]

    def expect(self, *tokens):
        if self.token not in tokens:
            wanted = " or ".join(token or "the end" for token in tokens)
            raise ValueError(f"mathml: expected {wanted}, found {self.token or 'the end'}")
        return self.take(*tokens)

    def row(self):
        """The elements up to a token that ends a row; a sign with nothing before it is no difference."""
        found = []
        while self.token not in ("", "}", "]", "&", r"\right") and not self.token.startswith(("\\\\", r"\end{")):
            piece, before = self.piece(), next((other for other in reversed(found) if other[0] != "mspace"), None)
            if piece[0] == "mo" and piece[2] in "+−" and not (before and _is_operand(before)):
                piece[1]["form"] = "prefix"
            if found and _need_room(found[-1], piece):
                found.append(["mspace", {"width": SPACES[r"\,"]}])
            found.append(piece)
        return found

    def braces(self):
        self.expect("{")
        found = self.row()
        self.expect("}")
        return found

    def group(self):
        """A row in braces as one element."""
        return _single(self.braces())

    def script(self):
        """An index or an exponent, where operators stand close, as TeX sets them."""
        found = self.braces()
        for element in found:
            if element[0] == "mo" and not element[1]:
                element[1].update(lspace="0", rspace="0")
        return _single(found)

    def piece(self):
        """An atom with its primes, index and exponent; fonts draw a prime raised, so that it is no exponent here."""
        atom, scripts = self.atom(), {}
        while self.take("'"):
            atom = ["mrow", {}, atom, ["mo", {}, "′"]]
        while sign := self.take("_", "^"):
            if sign in scripts:
                raise ValueError(f"mathml: {sign} stands twice at one atom")
            scripts[sign] = self.script()
        if not scripts:
            return atom
        return [SCRIPTS["_" in scripts, "^" in scripts], {}, atom, *(scripts[sign] for sign in "_^" if sign in scripts)]

    def atom(self):
        token = self.token
        if token == "{":
            return self.group()
        self.at += 1
        if token in SYMBOLS:
            tag, attributes, *text = SYMBOLS[token]
            return [tag, dict(attributes), *text]
        if token[0] == "⟦":
            return ["mn", {"data-slot": f"x:{token[1:-1]}"}]
        if token[0] == "⟪":
            return ["mn", {"data-slot": f"w:{token[1:-1]}"}]
        if token[0].isalnum():
            return ["mn" if token[0].isdecimal() else "mi", {}, token]
        command, brace, word = token.partition("{")
        known = WORDS if brace else COMMANDS
        if command not in known:
            raise ValueError(f"mathml: {token:.40} is nothing that we write here")
        return known[command](self, *([word[:-1]] if brace else []))

    def fraction(self):
        return ["mfrac", {}, self.group(), self.group()]

    def root(self):
        if not self.take("["):
            return ["msqrt", {}, self.group()]
        degree = _single(self.row())
        self.expect("]")
        return ["mroot", {}, self.group(), degree]

    def hat(self):
        return ["mover", {"accent": "true"}, self.group(), ["mo", {"stretchy": "false"}, "ˆ"]]

    def underset(self):
        below = self.group()
        return ["munder", {}, self.group(), below]

    def fence(self):
        left = self.expect(*FENCES, ".")
        inside = self.row()
        self.expect(r"\right")
        right = self.expect(*(FENCES.values() if left == "." else (FENCES[left], ".")))
        return _fenced(left, inside, right)

    def color(self, color):
        if not re.fullmatch("#[0-9a-f]{6}", color):
            raise ValueError(f"mathml: {color:.40} is no colour such as #9a5fc7")
        return ["mstyle", {"mathcolor": color}, self.group()]

    def table(self, kind):
        """An environment: its cells, each as its column wants it."""
        if kind not in TABLES:
            raise ValueError(f"mathml: {kind:.40} is no environment that we write")
        left, columns, right = TABLES[kind]
        rows = [[]]
        while True:
            rows[-1].append(["mtd", dict(columns[len(rows[-1]) % len(columns)]), *self.row()])
            if self.token.startswith("\\\\"):
                self.at += 1
                rows.append([])
            elif not self.take("&"):
                break
        self.expect(rf"\end{{{kind}}}")
        table = ["mtable", {"displaystyle": "true"} if kind == "aligned" else {}, *(["mtr", {}, *row] for row in rows)]
        return _fenced(left, [table], right) if left else table


COMMANDS = {
    r"\frac": _Reader.fraction, r"\sqrt": _Reader.root, r"\hat": _Reader.hat, r"\underset": _Reader.underset,
    r"\left": _Reader.fence, r"\displaystyle": lambda reader: ["mstyle", {"displaystyle": "true"}, *reader.row()],
}  # fmt: skip
WORDS = {  # what stands in their braces is a word
    r"\mathrm": lambda _, word: ["mi", dict(UPRIGHT), _word(word)],
    r"\operatorname": lambda _, word: ["mi", {}, _word(word)],
    r"\text": lambda _, word: ["mtext", {}, word],
    r"\color": _Reader.color,
    r"\begin": _Reader.table,
}
