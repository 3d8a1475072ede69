"""A scalar computation as named lines -> trace -> terms."""

import copy
import math
import unicodedata
from dataclasses import replace

import numpy as np
import sympy as sp

from ..functions.operations import FUNCTIONS
from ..given import check_name, common_shape, real_array, shown
from ..lines.line import Line
from ..lines.program import Program
from ..notation import fill, latex_name, latex_number, number
from ..paper.chain import Derivation
from ..terms import Slope, Term

# Names that numbers share a call with: e.set(w=3.0, step=2).
RESERVED = ("wrt", "output", "step", "predict", "rate", "parameters", "example", "blind")


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
            raise TypeError(f"Graph: expected a dict or a list of (name, text) pairs, found {shown(lines)}")
        pairs = [*(lines.items() if isinstance(lines, dict) else lines), *named.items()]
        if not pairs:
            raise ValueError('Graph: no lines; write at least one, as in Graph(z="w*x + b")')
        self._lines, self._defaults = {}, {}
        for pair in pairs:
            self._read(pair)
        self.inputs = self._find_inputs()
        self._forward = self._compile(self.inputs)
        self._differentiate()

    def _read(self, pair):
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise TypeError(f"Graph: expected (name, text) pairs, found {pair!r:.60}")
        name, text = pair
        check_name("Graph", name, "a line", (*FUNCTIONS, *RESERVED))
        name = unicodedata.normalize("NFKC", name)  # as Python reads names, and as the lines that use it do
        if name in self._lines:
            raise ValueError(f"Graph: {name!r} is defined twice; give each line a name of its own")
        self._lines[name] = Line.read(name, text)

    @property
    def lines(self):
        """The right-hand sides by name, as they were written: texts in the order of computation."""
        return dict(self._lines)

    def formula(self, line):
        """The right-hand side of a line as a SymPy expression in the names of the trace. ValueError: it is no line."""
        return self._lines[self.checked_output(line, "Graph.formula")].formula

    def _find_inputs(self):
        inputs, defined = {}, set()
        for name, line in self._lines.items():
            for used in line.names:
                if used in self._lines and used not in defined:
                    raise ValueError(
                        f"Graph: line {name!r} uses {used!r} before it is defined; write the line of {used!r} above it"
                    )
                if used not in self._lines:
                    check_name("Graph", used, f"the input of line {name!r}", (*FUNCTIONS, *RESERVED))
                    inputs[used] = None
            defined.add(name)
        on_paper = {}
        for name in (*inputs, *self._lines):
            other = on_paper.setdefault(latex_name(name), name)
            if other != name:
                raise ValueError(f"Graph: {other!r} and {name!r} would look the same on paper; rename one of them")
        return tuple(inputs)

    def _differentiate(self):
        """One term for each name in each line, and one program for the slopes of all; formulas wait until they are asked for."""
        self._slopes = Program((*self.inputs, *self._lines))
        self._terms, self._slots = [], []
        for name, line in self._lines.items():
            self._terms += [Term(name, wrt, line, Slope(line.slope, (wrt,))) for wrt in line.names]
            try:
                self._slots += self._slopes.add_slopes(line.tree, line.names)
            except ValueError as error:
                raise ValueError(f"Graph: line {name!r} is too much work: {error}") from None

    def run(self, values, change=None):
        """Every quantity from the inputs' numbers: floats, arrays, complex or mpmath numbers; nothing is checked.

        A line whose number is among `values` is not computed but taken as it is given. `change(value)`, where given, takes the
        result of each single operation and returns what the next ones work with.
        """
        given = [line for line in self._lines if line in values]
        program = self._compile((*self.inputs, *given)) if given else self._forward
        numbers = program.run(values, [program.names[line] for line in self._lines], change)
        return {name: values[name] for name in self.inputs} | dict(zip(self._lines, numbers, strict=True))

    def _compile(self, inputs):
        """The lines as one program; those among `inputs` are not computed."""
        program = Program(inputs)
        for name, line in self._lines.items():
            if name not in inputs:
                program.names[name] = program.add(line.tree)
        return program

    def _checked(self, numbers):
        numbers = {unicodedata.normalize("NFKC", name): value for name, value in numbers.items()}
        for name in numbers:
            if name not in self.inputs:
                why = "is computed by its line" if name in self._lines else "is not in this graph"
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
        shape = common_shape("Graph.forward", {name: numbers[name] for name in self.inputs})
        trace = {name: _plain(value, shape) for name, value in self.run(numbers).items()}
        for name, line in self._lines.items():
            if not _finite(trace[name]):
                raise ValueError(f"Graph.forward: line {name} = {line} gives {self._at(trace, name, trace[name])}")
        return trace

    def terms(self, trace=None):
        """One `Term` for each name in each line, in forward order; without a trace formulas only.

        ValueError: a quantity missing from the trace, a term whose value is not finite.
        """
        if trace is None:
            return list(self._terms)
        if not isinstance(trace, dict):
            raise TypeError(f"Graph.terms: expected a trace, as forward(...) gives it, found {shown(trace)}")
        missing = [name for name in (*self.inputs, *self._lines) if name not in trace]
        if missing:
            raise ValueError(f"Graph.terms: the trace lacks {', '.join(missing)}; make it with forward(...)")
        trace = {name: _real(name, trace[name]) for name in (*self.inputs, *self._lines)}
        shape = common_shape("Graph.terms", trace)
        values = [_plain(value, shape) for value in self._slopes.run(trace, self._slots)]
        return [self._with_value(term, value, shape, trace) for term, value in zip(self._terms, values, strict=True)]

    def run_terms(self, trace, change=None):
        """The terms from a trace of any kind of numbers, as `run` gives it, `change` as there; nothing is checked."""
        values = self._slopes.run(trace, self._slots, change)
        return [replace(term, value=value) for term, value in zip(self._terms, values, strict=True)]

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
            f"{name} = {number(np.broadcast_to(trace[name], np.shape(value))[where])}"
            for name in self._lines[line].names
        )
        return f"{np.asarray(value)[where]} at {at}" if at else f"{value}"

    def derive(self, wrt, trace=None, output=None):
        """The derivative of `output` (the last line if left out) by `wrt` on paper: every term, their products, the sum.

        ValueError: `output` is not a line, `wrt` unknown or without a path to `output`, too many paths.
        """
        return Derivation(self.terms(trace), self.checked_output(output, "derive"), wrt, trace, self.lines)

    @property
    def output(self):
        """The last line: the quantity that is differentiated unless another one is named."""
        return next(reversed(self._lines))

    def checked_output(self, output, caller):
        """The line that is differentiated: `output`, or the last one for None. ValueError in the caller's name: it is no line."""
        output = self.output if output is None else output
        if not isinstance(output, str) or output not in self._lines:
            raise ValueError(f"{caller}: {output!r:.40} is not a line; the lines are {', '.join(self._lines)}")
        return output

    def latex_line(self, line, trace=None):
        """A line in LaTeX, as it was written; with a trace also with the numbers in place of the names, and its value.

        ValueError: it is no line.
        """
        line = self.checked_output(line, "Graph.latex_line")
        written = f"{latex_name(line)} = {self._lines[line].latex}"
        if trace is None:
            return written
        template = self._lines[line].template
        middle = "" if template is None else f" = {fill(template, trace)}"
        return f"{written}{middle} = {latex_number(trace[line])}"

    def _repr_latex_(self):
        rows = (self.latex_line(line).replace(" = ", " &= ", 1) for line in self._lines)
        return r"$\displaystyle \begin{aligned} " + r" \\ ".join(rows) + r" \end{aligned}$"

    def __repr__(self):
        return "Graph(" + ", ".join(f'{name}="{text}"' for name, text in self._lines.items()) + ")"


def _real(name, value):
    """One number or an array of them as float64; arrays are copied, so that nobody's input is ever shared."""
    if type(value) is float and math.isfinite(value):
        return value
    array = real_array(f"Graph: {name}", value).astype(float)
    return array if array.ndim else float(array)


def _plain(value, shape):
    """A Python float, or an array of the common shape that shares memory with no other quantity."""
    return np.array(np.broadcast_to(value, shape)) if shape else float(value)


def _finite(value):
    return np.isfinite(value).all() if isinstance(value, np.ndarray) else math.isfinite(value)
