"""A scalar computation as named lines -> trace -> terms."""

import copy
import math
import unicodedata
from dataclasses import replace
from functools import cache, partial
from numbers import Real

import numpy as np
import sympy as sp

from ..functions.operations import FUNCTIONS
from ..lines import calculus, reader, writer
from ..lines.program import Program
from ..notation import fill, latex_formula, latex_name, latex_number, number, place
from ..paper.chain import Derivation
from ..terms import Term

RESERVED = set(FUNCTIONS) | {"wrt"}
CDOT = r"\cdot"


class Graph:
    """A computation written as one would on paper, one line for each quantity: Graph(z="w*x + b", a="sigmoid(z)").

    Lines are keyword arguments, a dict or a list of (name, text) pairs; a text may also be a SymPy expression. Names that
    no line defines are the inputs. Everything is read, differentiated and compiled once, here.
    ValueError: a line that cannot be read, a name used before its line, defined twice or reserved. TypeError: no text.
    """

    def __init__(self, lines=(), /, **named):
        if isinstance(lines, (str, sp.Expr)):
            raise TypeError(f'Graph: a line needs a name, as in Graph(L="x*y"); found {lines!r:.60} alone')
        if not isinstance(lines, (dict, list, tuple)):
            raise TypeError(f"Graph: expected a dict or a list of (name, text) pairs, found {_shown(lines)}")
        pairs = [*(lines.items() if isinstance(lines, dict) else lines), *named.items()]
        if not pairs:
            raise ValueError('Graph: no lines; write at least one, as in Graph(z="w*x + b")')
        self._trees, self._sympy, self.lines, self._defaults = {}, {}, {}, {}
        for pair in pairs:
            self._read(*_pair(pair))
        self._written = self.lines.keys() - self._sympy.keys()
        self.inputs = self._find_inputs()
        self._forward = self._compile(self.inputs)
        self._differentiate()

    def _read(self, name, text):
        _check_name(name, "a line")
        if name in self.lines:
            raise ValueError(f"Graph: {name!r} is defined twice; give each line a name of its own")
        try:
            self.lines[name] = str(text)
            if isinstance(text, str):
                self._trees[name] = reader.parse(text)
            elif isinstance(text, (sp.Expr, int, float)):
                self._sympy[name] = calculus.plain(sp.S(text))
                self._trees[name] = calculus.from_sympy(self._sympy[name])
            else:
                raise TypeError(f"expected text or a SymPy expression, found {type(text).__name__}")
            reader.check_constants(self._trees[name])
        except RecursionError:
            raise ValueError(f"Graph: line {name!r} is nested too deeply: split it into several lines") from None
        except (ValueError, TypeError) as error:
            raise type(error)(f"Graph: line {name!r} cannot be read: {error}") from None

    def formula(self, line):
        """The right-hand side of a line as a SymPy expression in the names of the trace."""
        if line not in self._sympy:
            try:
                self._sympy[line] = calculus.real(calculus.to_sympy(self._trees[line]))
            except ValueError as error:
                raise ValueError(f"Graph: line {line!r} has no formula: {error}") from None
        return self._sympy[line]

    def _names(self, line):
        """The names that a line uses: in order of appearance, or sorted for a SymPy expression."""
        names = self._trees[line].names
        return names if line in self._written else tuple(sorted(names))

    def _find_inputs(self):
        inputs, defined = {}, set()
        for line in self.lines:
            for name in self._names(line):
                if name in self.lines and name not in defined:
                    raise ValueError(
                        f"Graph: line {line!r} uses {name!r} before it is defined; write the line of {name!r} above it"
                    )
                if name not in self.lines:
                    _check_name(name, f"the input of line {line!r}")
                    inputs[name] = None
            defined.add(line)
        shown = {}
        for name in (*inputs, *self.lines):
            other = shown.setdefault(latex_name(name), name)
            if other != name:
                raise ValueError(f"Graph: {other!r} and {name!r} would look the same on paper; rename one of them")
        return tuple(inputs)

    def _differentiate(self):
        """One term for each name in each line, and one program for the slopes of all; formulas wait until they are asked for."""
        self._slopes = Program((*self.inputs, *self.lines))
        self._terms, self._slots = [], []
        for line in self.lines:
            for name in self._names(line):
                self._terms.append(Term(line, name, self.lines[line], cache(partial(self._paper, line, name))))
                self._slots.append(self._slopes.add_slope(self._trees[line], name))

    def _paper(self, line, name):
        """The slope of a line by a name, by SymPy; and in terms of the line's own value where the line is one call that has it."""
        formula = self.formula(line)
        slope = calculus.derivative(formula, name)
        row = getattr(formula, "row", None)
        if row is None or row.slope_from_value is None:
            return slope, None
        shortcut = {row.slope.symbolic(*formula.args): row.slope_from_value(sp.Symbol(line))}
        return slope, slope.xreplace(shortcut)

    def run(self, values):
        """Every quantity from the inputs' numbers: floats, arrays, complex or mpmath numbers; nothing is checked.

        A line whose number is among `values` is not computed but taken as it is given.
        """
        given = [line for line in self.lines if line in values]
        program = self._compile((*self.inputs, *given)) if given else self._forward
        numbers = program.run(values, [program.names[line] for line in self.lines])
        return {name: values[name] for name in self.inputs} | dict(zip(self.lines, numbers, strict=True))

    def _compile(self, inputs):
        """The lines as one program; those among `inputs` are not computed."""
        program = Program(inputs)
        for line in self.lines:
            if line not in inputs:
                program.names[line] = program.add(self._trees[line])
        return program

    def _checked(self, numbers):
        numbers = {unicodedata.normalize("NFKC", name): value for name, value in numbers.items()}
        for name in numbers:
            if name not in self.inputs:
                why = "is computed by its line" if name in self.lines else "is not in this graph"
                raise ValueError(
                    f"Graph: no number can be given for {name!r}: it {why}; the inputs are {', '.join(self.inputs)}"
                )
        return {name: _real(name, value) for name, value in numbers.items()}

    def with_numbers(self, /, **numbers):
        """The same graph with numbers for inputs, so that forward() may leave them out. Errors as for `forward`."""
        graph = copy.copy(self)
        graph._defaults = self._defaults | self._checked(numbers)
        return graph

    @property
    def numbers(self):
        """The numbers that forward() may leave out, by name."""
        return copy.deepcopy(self._defaults)

    def forward(self, /, **numbers):
        """The trace: every quantity by name, in the order of computation, as floats; arrays are independent evaluations.

        ValueError: an input without a number, a name that is no input, NaN or infinity, shapes that do not broadcast, a line
        whose value is not finite. TypeError: text, a complex number, anything that is not a real number.
        """
        numbers = self._defaults | self._checked(numbers)
        missing = [name for name in self.inputs if name not in numbers]
        if missing:
            raise ValueError(
                f"Graph.forward: no number for {', '.join(missing)}; the inputs are {', '.join(self.inputs)}"
            )
        shape = _common_shape({name: numbers[name] for name in self.inputs})
        trace = {name: _plain(value, shape) for name, value in self.run(numbers).items()}
        for line in self.lines:
            if not _finite(trace[line]):
                raise ValueError(
                    f"Graph.forward: line {line} = {self.lines[line]} gives {self._at(trace, line, trace[line])}"
                )
        return trace

    def terms(self, trace=None):
        """One `Term` for each name in each line, in forward order; without a trace formulas only.

        ValueError: a quantity missing from the trace, a term whose value is not finite.
        """
        if trace is None:
            return list(self._terms)
        if not isinstance(trace, dict):
            raise TypeError(f"Graph.terms: expected a trace, as forward(...) gives it, found {_shown(trace)}")
        missing = [name for name in (*self.inputs, *self.lines) if name not in trace]
        if missing:
            raise ValueError(f"Graph.terms: the trace lacks {', '.join(missing)}; make it with forward(...)")
        trace = {name: _real(name, trace[name]) for name in (*self.inputs, *self.lines)}
        shape = _common_shape(trace)
        values = [_plain(value, shape) for value in self._slopes.run(trace, self._slots)]
        return [self._with_value(term, value, shape, trace) for term, value in zip(self._terms, values, strict=True)]

    def run_terms(self, trace):
        """The terms from a trace of any kind of numbers, as `run` gives it; nothing is checked."""
        return [
            replace(term, value=value)
            for term, value in zip(self._terms, self._slopes.run(trace, self._slots), strict=True)
        ]

    def _with_value(self, term, value, shape, trace):
        if not _finite(value):
            raise ValueError(
                f"Graph.terms: d{term.of}/d{term.wrt} = {term.formula}, a term of line {term.of} = {term.line}, is {self._at(trace, term.of, value)}"
            )
        return Term(term.of, term.wrt, term.line, term.paper, value, shape, shape)

    def _at(self, trace, line, value):
        """What a line or its term gave, and at which numbers: the first entry that is not finite."""
        where = np.unravel_index(np.argmin(np.isfinite(value)), np.shape(value))
        at = ", ".join(
            f"{name} = {number(np.broadcast_to(trace[name], np.shape(value))[where])}" for name in self._names(line)
        )
        return f"{np.asarray(value)[where]} at {at}" if at else f"{value}"

    def curve(self, term, trace, xs):
        """The values of the line that defines `term.of` while `term.wrt` moves over the array `xs` and the rest stays."""
        program = Program(self._names(term.of))
        values = {name: trace[name] for name in program.inputs} | {term.wrt: xs}
        (ys,) = program.run(values, [program.add(self._trees[term.of])])
        return np.broadcast_to(np.asarray(ys, float), np.shape(xs))

    def derive(self, wrt, trace=None, output=None):
        """The derivative of `output` (the last line if left out) by `wrt` on paper: every term, their products, the sum.

        ValueError: `output` is not a line, `wrt` unknown or without a path to `output`, too many paths.
        """
        return Derivation(
            self.terms(trace),
            output or self.output,
            wrt,
            trace,
            {line: partial(self.formula, line) for line in self.lines},
        )

    @property
    def output(self):
        """The last line: the quantity that is differentiated unless another one is named."""
        return next(reversed(self.lines))

    def latex_line(self, line, trace=None):
        """A line in LaTeX, as it was written; with a trace also with the numbers in place of the names, and its value."""
        tree = self._trees[line]
        written = writer.latex(tree) if line in self._written else latex_formula(self.formula(line))
        if trace is None:
            return f"{latex_name(line)} = {written}"
        middle = f" = {fill(writer.latex(tree, place, times=CDOT), trace)}" if tree.args else ""
        return f"{latex_name(line)} = {written}{middle} = {latex_number(trace[line])}"

    def _repr_latex_(self):
        rows = (self.latex_line(line).replace(" = ", " &= ", 1) for line in self.lines)
        return r"$\displaystyle \begin{aligned} " + r" \\ ".join(rows) + r" \end{aligned}$"

    def __repr__(self):
        return "Graph(" + ", ".join(f'{name}="{text}"' for name, text in self.lines.items()) + ")"


def _pair(pair):
    if isinstance(pair, (tuple, list)) and len(pair) == 2:
        return pair
    raise TypeError(f"Graph: expected (name, text) pairs, found {pair!r:.60}")


def _check_name(name, what):
    if not isinstance(name, str):
        raise TypeError(f"Graph: the name of {what} must be text, found {type(name).__name__}")
    if not (name.isidentifier() and name[0].isalpha()):
        raise ValueError(
            f"Graph: {name!r:.60} cannot be the name of {what}: a name is a letter, then letters, digits and _"
        )
    if name in RESERVED:
        raise ValueError(
            f"Graph: {name!r} cannot be the name of {what}: it is reserved ({', '.join(sorted(RESERVED))})"
        )


def _real(name, value):
    """One number or an array of them as float64; arrays are copied, so that nobody's input is ever shared."""
    if type(value) is float and math.isfinite(value):
        return value
    try:
        array = np.asarray(float(value) if isinstance(value, (Real, sp.Number)) else value)
    except (OverflowError, ValueError):
        raise ValueError(
            f"Graph: {name} must fit into float64 and form one array, found {type(value).__name__}"
        ) from None
    if array.dtype.kind not in "fiub":
        raise TypeError(f"Graph: {name} must be a real number or an array of them, found {_shown(value)}")
    array = np.array(array, dtype=float)
    if not np.isfinite(array).all():
        raise ValueError(f"Graph: {name} must be finite, found {array[~np.isfinite(array)][0]}")
    return array if array.ndim else float(array)


def _shown(value):
    return f"the text {value!r:.40}" if isinstance(value, str) else f"{type(value).__name__} {value!r:.40}"


def _common_shape(numbers):
    try:
        return np.broadcast_shapes(*(np.shape(value) for value in numbers.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {np.shape(value)}" for name, value in numbers.items() if np.ndim(value))
        raise ValueError(f"Graph.forward: the arrays do not broadcast to one shape: {shapes}") from None


def _plain(value, shape):
    """A Python float, or an array of the common shape that shares memory with no other quantity."""
    return np.array(np.broadcast_to(value, shape)) if shape else float(value)


def _finite(value):
    return np.isfinite(value).all() if isinstance(value, np.ndarray) else math.isfinite(value)
