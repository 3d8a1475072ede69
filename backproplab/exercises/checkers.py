"""A learner's answer, checked at once: "waiting for you", "right", or what is wrong in terms of the chain."""

import inspect
import math
import re
from contextlib import suppress
from dataclasses import dataclass
from html import escape

import numpy as np
import sympy as sp

from ..checking import claims
from ..checking.verdicts import AGREE
from ..diagnosis.report import constant_ratio
from ..diagnosis.search import diagnose
from ..models.graph import Graph
from ..models.network import Network
from ..notation import number
from ..terms import backpropagate
from .table import EXERCISES, WORDS

ANSWER = "your_answer"  # a line's name that no exercise uses
CALLER = re.compile("^(check_gradient|diagnose|exercise): ")  # of an error; the learner called none of them


@dataclass(frozen=True)
class Reply:
    """What the checker says: `verdict` is "waiting", "right" or "wrong", `text` is for the learner."""

    verdict: str
    text: str

    def __repr__(self):
        return self.text

    def _repr_html_(self):
        if "\n" in self.text:  # a line that cannot be read, with a caret under the place
            return f"<pre>{escape(self.text)}</pre>"
        return f"<b>{escape(self.text)}</b>" if self.verdict == "right" else escape(self.text)


def _reply(key, verdict="wrong", **names):
    return Reply(verdict, WORDS[key].format(**names))


class Exercise:
    """One exercise of a notebook: `check` an answer, ask for a `hint` or for the `solution`."""

    def __init__(self, name):
        self.name, self._row = name, EXERCISES[name]

    def check(self, answer):
        """The `Reply` to an answer; `...` is waiting. Text is read, never executed; a function is called, with a time limit."""
        if (
            answer is ...
            or answer is None
            or (isinstance(answer, (tuple, list, set)) and any(part is ... for part in answer))
        ):
            return _reply("waiting", "waiting")
        try:
            return CHECKS[self._row.kind](answer, **self._row.task)
        except (ValueError, TypeError) as error:
            return Reply("wrong", CALLER.sub("", str(error)))

    def hint(self):
        """A hint, for those who ask."""
        return Reply("waiting", self._row.hint)

    def solution(self):
        """The lines that solve it, to be read or pasted."""
        return Reply("waiting", self._row.lines)

    def __repr__(self):
        return WORDS["exercise"].format(name=self.name)


def exercise(name):
    """The exercise of that number, such as "03.2": notebook 03, exercise 2. ValueError: there is none."""
    if not isinstance(name, str) or name not in EXERCISES:
        raise ValueError(f"exercise: there is no {name!r:.20}; the exercises are {', '.join(EXERCISES)}")
    return Exercise(name)


# --- kinds of answers ---------------------------------------------------------------------------------------------------


def check_value(answer, right, digits=6):
    """A number, a name, or several of them: numbers to `digits` digits, order matters unless `right` is a set."""
    if isinstance(right, (set, frozenset)):
        if not isinstance(answer, (set, frozenset, tuple, list)):
            return _reply("set")
        return _reply("right", "right") if set(map(str, answer)) == right else _reply("value")
    rights = right if isinstance(right, tuple) else (right,)
    answers = (
        np.ravel(np.asarray(answer, object)) if isinstance(answer, (tuple, list, np.ndarray, sp.Tuple)) else [answer]
    )
    if len(answers) != len(rights):
        return _reply("count" if len(rights) > 1 else "single", expected=len(rights), found=len(answers))
    wrong = [i for i, pair in enumerate(zip(answers, rights, strict=True)) if not _same(*pair, digits)]
    if not wrong:
        return _reply("right", "right")
    if all(not isinstance(rights[i], int) and _same(answers[i], rights[i], 2) for i in wrong):
        return _reply("close", digits=digits)
    return _reply("values", places=", ".join(str(i + 1) for i in wrong)) if len(rights) > 1 else _reply("value")


def _same(answer, right, digits):
    """Whether it is the same name, or the same number to some digits; 1/3 may be typed as text."""
    if isinstance(right, str):
        return isinstance(answer, str) and answer.strip().lower().replace("_", "") == right.lower()
    try:
        value = Graph(answer=answer).forward()["answer"] if isinstance(answer, str) else float(answer)
        return math.isclose(value, right, rel_tol=10.0**-digits, abs_tol=0.0)
    except (TypeError, ValueError, OverflowError):
        return False


def check_formula(answer, lines, wrt, at, choices=None):
    """A derivative as a formula, as text or a SymPy expression in the names of the trace; drawn at fresh numbers.

    `choices` holds, by name, the only numbers that an input may be.
    """
    graph = Graph(lines)
    output = graph.output
    if isinstance(answer, (int, float)) and abs(answer) < 1e300:
        here = _disagrees(float(answer), graph.forward(**at), graph, wrt, output) is None
        return _reply("number-here" if here else "number", of=output, wrt=wrt, here=_numbers(at))
    if not isinstance(answer, (str, sp.Expr)):
        return _reply("formula-type", found=type(answer).__name__)
    try:
        given = Graph({ANSWER: answer})
    except (ValueError, TypeError) as error:
        return _reply("unreadable", error=str(error).partition("cannot be read: ")[2] or str(error))
    traces = [graph.forward(**numbers) for numbers in (at, *_fresh(graph, at, choices or {}))]
    if unknown := [name for name in given.inputs if name not in traces[0]]:
        return _reply("names", found=", ".join(unknown), known=", ".join(traces[0]))

    def value(trace):
        return given.forward(**{name: trace[name] for name in given.inputs})[given.output]

    for trace in traces:
        try:
            value(trace)
        except ValueError:
            return _reply("not-finite", there=_numbers({name: trace[name] for name in graph.inputs}))
    wrong = [trace for trace in traces if _disagrees(value(trace), trace, graph, wrt, output)]
    if not wrong:
        return _reply("right", "right")
    if wrong[0] is not traces[0]:
        there = {name: wrong[0][name] for name in graph.inputs}
        right = backpropagate(graph.terms(wrong[0]), output)[wrt]
        found, right = number(value(wrong[0])), number(right)
        return _reply(
            "only-here", of=output, wrt=wrt, here=_numbers(at), there=_numbers(there), found=found, right=right
        )
    return _wrong_formula(value, traces, graph, wrt, output)


def _wrong_formula(value, traces, graph, wrt, output):
    """What to say of a formula: it is another derivative, a mistake that has a name, or none of both."""
    for other in reversed(traces[0]):
        if other not in (wrt, output) and not any(
            _disagrees(value(trace), trace, graph, other, output) for trace in traces
        ):
            return _reply("other", of=output, wrt=wrt, other=other)
    found = _disagrees(value(traces[1]), traces[1], graph, wrt, output)
    return Reply("wrong", _said(found)) if found and found.term else _reply("formula", of=output, wrt=wrt)


def _disagrees(value, trace, graph, wrt, output):
    """The diagnosis of one number at one trace; None if it is right."""
    found = diagnose({wrt: value}, graph, at={name: trace[name] for name in graph.inputs}, output=output)
    return found if found.mistake != "none" or found.undecided else None


def _numbers(at):
    return ", ".join(f"{name} = {number(value)}" for name, value in at.items())


def _fresh(graph, at, choices):
    """Other numbers about as large as the page's, of either sign, at which the graph can be computed."""
    rng, found = np.random.default_rng(7), []
    for _ in range(400):
        numbers = {name: (value or 1.0) * rng.uniform(0.6, 1.4) * rng.choice((-1, 1)) for name, value in at.items()}
        numbers |= {name: float(rng.choice(values)) for name, values in choices.items()}
        try:
            graph.terms(graph.forward(**numbers))
        except ValueError:
            continue
        found.append(numbers)
        if len(found) == 12:
            return found
    raise ValueError("exercise: the graph cannot be computed near the numbers given")


def check_graph_function(answer, lines, wrt, at):
    """A function of the graph's inputs that returns its derivatives by the names `wrt`."""
    graph = Graph(lines)
    if not callable(answer):
        return _reply("function", found=type(answer).__name__)
    with suppress(ValueError):  # a built-in function has no signature to look at
        try:
            inspect.signature(answer).bind(**at)
        except TypeError:
            return _reply("arguments", names=", ".join(at))
    for numbers in [at, *_fresh(graph, at, {})]:
        claimed = claims.call(answer, numbers, "exercise")
        if reply := _incomplete(answer, claimed, wrt):
            return reply
        found = diagnose(claimed, graph, at=numbers)
        if found.mistake != "none":
            return Reply("wrong", _said(found))
    return _reply("right", "right")


def check_gradient_function(answer, sizes, activations, options, mistake="none"):
    """A function of (parameters, X, Y) that returns the gradient of a network, or one with the `mistake` that is asked for."""
    if not callable(answer):
        return _reply("function", found=type(answer).__name__)
    rng = np.random.default_rng(7)
    net = Network(sizes, activations, seed=int(rng.integers(1000)), **options)
    net.parameters = {name: value + 0.3 * rng.normal(size=value.shape) for name, value in net.parameters.items()}
    X = rng.normal(size=(6, sizes[0]))
    Y = np.eye(sizes[-1])[rng.integers(0, sizes[-1], 6)] if sizes[-1] > 1 else rng.uniform(size=(6, 1))
    if reply := _incomplete(answer, claims.call(answer, (net.parameters, X, Y), "exercise"), net.parameters):
        return reply
    found = diagnose(answer, net, X, Y)
    if found.mistake == mistake:
        return _reply("right", "right")
    return _reply("too-right") if found.mistake == "none" else Reply("wrong", _said(found))


def _incomplete(function, claimed, names):
    """The reply to a function that is not written yet, or does not return all that is asked for; None if it does."""
    if claimed is None or claimed is ...:
        code = getattr(function, "__code__", None)
        untouched = claimed is ... or (code is not None and not code.co_names and code.co_nlocals == code.co_argcount)
        return _reply("waiting", "waiting") if untouched else _reply("returns-nothing")
    if not isinstance(claimed, dict):
        return _reply("dict", names=", ".join(names), found=type(claimed).__name__)
    if missing := [name for name in names if name not in claimed]:
        return _reply("missing", names=", ".join(missing), found=", ".join(map(str, claimed)))
    return None


def _said(found):
    """The explanation; a formula that may be the answer is left out."""
    named = f"{found.mistake}: " if found.mistake != "unknown" else ""
    text = found.explanation if found.term is None else found.explanation.replace(f" = {found.term.formula}", "")
    return named + text + (f" {found.others}" if found.others else "")


def check_function(answer, right, draw, slips=()):
    """A plain function of numbers or arrays, against `right` on fresh draws; `slips` are wrong ones by the key of their reply."""
    if not callable(answer):
        return _reply("function", found=type(answer).__name__)
    for seed in range(5):
        arguments = draw(np.random.default_rng([seed, 7]))
        value, expected = claims.call(answer, arguments, "exercise"), np.asarray(right(*arguments))
        if value is None or value is ...:
            return _incomplete(answer, value, ())
        value = claims.claimed_array("exercise: the result", value)
        if value.shape != expected.shape:
            return _reply("shape", found=value.shape, expected=expected.shape)
        close = AGREE[value.dtype.type]
        if not np.abs(value - expected).max() <= close * np.abs(expected).max():
            for key, slip in slips:
                made = np.asarray(slip(*arguments))
                if made.shape == value.shape and np.allclose(value, made, rtol=close, atol=0.0):
                    return _reply(key)
            if np.abs(value + expected).max() <= close * np.abs(expected).max():
                return _reply("sign")
            ratio = constant_ratio(value, expected)
            return _reply("value") if ratio is None else _reply("ratio", ratio=number(ratio, 4))
    return _reply("right", "right")


CHECKS = {
    "value": check_value, "formula": check_formula, "graph function": check_graph_function,
    "gradient function": check_gradient_function, "function": check_function,
}  # fmt: skip
