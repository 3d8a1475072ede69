"""Terms -> steps on paper: symbol = formula = numbers = result for each term, then each path's product, then the sum."""

from collections import Counter

import numpy as np
import sympy as sp

from ..notation import color_of, latex_factor, latex_formula, latex_number, latex_partial, number, with_numbers
from ..terms import backpropagate, paths, terms_between

MOST_PATHS_SHOWN, DEEPEST_CLOSED_FORM, LARGEST_CLOSED_FORM = 8, 50, 100_000


def colored(color, latex):
    """A piece of LaTeX in a colour, in the one form that MathJax reads with every set of its extensions."""
    return rf"{{\color{{{color}}}{{{latex}}}}}"


class Derivation:
    """The derivative of `output` by `wrt` as one writes it on paper; shows itself as LaTeX in a notebook.

    dL/dw = sum over the paths from L to w of the product of their terms. `paths` are those paths, `terms` the terms on them
    from the loss down; with a trace, `value` is the number. `lines` gives each line's formula when called, for the closed form.
    ValueError: no path leads to `wrt` (the message says why), or more than can be listed.
    """

    def __init__(self, terms, output, wrt, trace=None, lines=None):
        self.output, self.wrt, self.trace = output, wrt, trace
        self._lines = lines or {}
        if trace is not None and np.ndim(trace[output]):
            raise ValueError(
                f"derive: the trace holds arrays of shape {np.shape(trace[output])}; derive shows one evaluation: give one number for each input"
            )
        self.paths = paths(terms, output, wrt)
        if not self.paths:
            raise ValueError(f"derive: {_why_no_path(terms, output, wrt)}")
        self.terms = terms_between(terms, output, wrt)
        self.colors = color_of(self.terms)
        for term in self.terms:
            term.paper()  # a line that has no formula is refused here, not when it is shown
        self.value = None if trace is None else backpropagate(terms, output)[wrt]

    @property
    def formula(self):
        """The sum over paths of the products of formulas, in the names of the trace (SymPy)."""
        return sp.Add(*(path.formula for path in self.paths))

    @property
    def closed_form(self):
        """The derivative in the inputs only, every line put in for its name (SymPy). ValueError: it would be too long to read."""
        closed, depth, size = {}, Counter(), Counter()
        for name, ask in self._lines.items():
            formula = ask()
            used = [symbol.name for symbol in formula.free_symbols]
            depth[name] = 1 + max((depth[other] for other in used), default=0)
            size[name] = _size(formula, size)
            if name == self.output and depth[name] > DEEPEST_CLOSED_FORM:
                raise ValueError(
                    f"closed_form: {depth[name]} lines are nested, at most {DEEPEST_CLOSED_FORM} can be put into each other; use .formula"
                )
            if depth[name] <= DEEPEST_CLOSED_FORM and size[name] <= LARGEST_CLOSED_FORM:
                closed[sp.Symbol(name)] = formula.xreplace(closed)
            if name == self.output:
                break
        if (total := _size(self.formula, size)) > LARGEST_CLOSED_FORM:
            raise ValueError(
                f"closed_form: it would hold {total} symbols and numbers, at most {LARGEST_CLOSED_FORM} are written out; use .formula"
            )
        return self.formula.xreplace(closed)

    def steps(self, term):
        """One term on paper, as a list of LaTeX texts: symbol, formula, formula in terms of its own line, numbers, result."""
        texts = [term.symbol, latex_formula(term.formula)]
        shown = term.formula if term.shortcut is None else term.shortcut
        if term.shortcut is not None:
            texts.append(latex_formula(term.shortcut))
        if self.trace is not None:
            texts += [with_numbers(shown, self.trace)] if shown.args else []
            texts.append(latex_number(term.value))
        return list(dict.fromkeys(texts))

    def chain(self, path, known=None):
        """One path as an aligned LaTeX table: its terms as symbols, as formulas, as numbers, one column and one colour for each.

        `known` holds the (of, wrt) of the terms whose numbers are shown; all of them if left out.
        """
        formulas = [term.formula if term.shortcut is None else term.shortcut for term in path.terms]
        rows = [[rf"\displaystyle {term.symbol}" for term in path.terms], [_factor(formula) for formula in formulas]]
        if self.trace is not None:
            edges = [(term.of, term.wrt) for term in path.terms]
            rows.append(
                [
                    latex_factor(t.value) if known is None or e in known else "?"
                    for t, e in zip(path.terms, edges, strict=True)
                ]
            )
        colors = [self.colors[term.of, term.wrt] for term in path.terms]
        lines = [r" & \cdot & ".join(map(colored, colors, row)) for row in rows]
        if self.trace is not None and "?" not in rows[-1]:
            lines[-1] += f" & = & {latex_number(path.value)}"
        left = rf"\displaystyle {latex_partial(self.output, self.wrt)} & =" if len(self.paths) == 1 else "&"
        body = r" \\[6pt] & = & ".join([f"{left} & {lines[0]}", *lines[1:]])
        return rf"\begin{{array}}{{rc{'c' * (2 * len(colors) + 1)}}} {body} \end{{array}}"

    def chains(self, known=None):
        """The chains of the first paths, and below several of them their values' sum: LaTeX texts for a page that shows each."""
        texts = [self.chain(path, known) for path in self.paths[:MOST_PATHS_SHOWN]]
        if len(self.paths) > 1:
            done = self.trace is not None and (known is None or all((t.of, t.wrt) in known for t in self.terms))
            values = [latex_factor(path.value) if done else "?" for path in self.paths[:MOST_PATHS_SHOWN]]
            rest = [r"\cdots"] * (len(self.paths) > MOST_PATHS_SHOWN)
            texts.append(
                f"{latex_partial(self.output, self.wrt)} = {' + '.join(values + rest)}"
                + (f" = {latex_number(self.value)}" if done else "")
            )
        return texts

    @property
    def latex(self):
        """The whole derivation: the chain of each path, each term from symbol to result, the products and their sum."""
        left, shown = latex_partial(self.output, self.wrt), self.paths[:MOST_PATHS_SHOWN]
        if not self.terms:
            return f"{left} = 1"
        symbols = [r" \cdot ".join(colored(self.colors[t.of, t.wrt], t.symbol) for t in path.terms) for path in shown]
        rest = [r"\cdots"] * (len(self.paths) > len(shown))
        rows = [left + " &= " + r" \\ &\quad {} + ".join(symbols + rest)]
        for term in self.terms[: MOST_PATHS_SHOWN * 3]:
            symbol, *others = self.steps(term)
            rows.append(colored(self.colors[term.of, term.wrt], symbol) + " &= " + " = ".join(others))
        if self.trace is not None:
            products = [
                r" \cdot ".join(colored(self.colors[t.of, t.wrt], latex_factor(t.value)) for t in path.terms)
                for path in shown
            ]
            rows.append(
                left + " &= " + r" \\ &\quad {} + ".join(products + rest) + rf" \\ &= {latex_number(self.value)}"
            )
        return r"\begin{aligned} " + r" \\[6pt] ".join(rows) + r" \end{aligned}"

    def _repr_latex_(self):
        return rf"$\displaystyle {self.latex}$"

    def __repr__(self):
        value = "" if self.value is None else f" = {number(self.value)}"
        return f"Derivation(d{self.output}/d{self.wrt}{value}, {len(self.paths)} path{'s' * (len(self.paths) > 1)})"


def _factor(formula):
    """A formula as a factor of a product: a sum in parentheses."""
    text = latex_formula(formula)
    return rf"\left({text}\right)" if formula.is_Add or formula.could_extract_minus_sign() else text


def _size(formula, sizes):
    """How many symbols and numbers a formula holds once each name is replaced by what `sizes` says of it."""
    return sum(
        sizes[node.name] or 1 if node.is_Symbol else 1 for node in sp.preorder_traversal(formula) if not node.args
    )


def _why_no_path(terms, output, wrt):
    reached = {wrt}
    for term in terms:
        if term.wrt in reached:
            reached.add(term.of)
    users = [name for name in dict.fromkeys(term.of for term in terms) if name in reached - {wrt}]
    reason = (
        f"{wrt} reaches only {', '.join(users)}, and {output} uses none of them"
        if users
        else f"no line uses {wrt} on the way"
    )
    return f"there is no chain from {output} to {wrt}: {reason}; the derivative is 0"
