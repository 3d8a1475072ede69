"""A learner's answer, checked at once: "waiting for you", "right", or what is wrong in terms of the chain."""

import math
from dataclasses import dataclass
from html import escape

import numpy as np
import sympy as sp

from . import claims
from .diagnosis import diagnose
from .exercise_table import EXERCISES, WORDS
from .graph import Graph
from .network import Network

CLOSE = 1e-9


@dataclass(frozen=True)
class Reply:
    """What the checker says: `verdict` is "waiting", "right" or "wrong", `text` is for the learner."""

    verdict: str
    text: str

    def __repr__(self):
        return self.text

    def _repr_html_(self):
        return f"<b>{escape(self.text)}</b>" if self.verdict == "right" else escape(self.text)


def _reply(key, verdict="wrong", **names):
    return Reply(verdict, WORDS[key].format(**names))


class Exercise:
    """One exercise of a notebook: `check` an answer, ask for a `hint` or for the `solution`."""

    def __init__(self, name):
        self.name, self._row = name, EXERCISES[name]

    def check(self, answer):
        """The `Reply` to an answer; `...` is waiting. Nothing that is typed here is executed as code."""
        if (
            answer is ...
            or answer is None
            or (isinstance(answer, (tuple, list)) and any(part is ... for part in answer))
        ):
            return _reply("waiting", "waiting")
        try:
            return CHECKS[self._row.kind](answer, **self._row.task)
        except (ValueError, TypeError) as error:
            return Reply("wrong", str(error))

    def hint(self):
        """A hint, for those who ask."""
        return Reply("waiting", self._row.hint)

    def solution(self):
        """The lines that solve it, to be read or pasted."""
        return Reply("waiting", self._row.solution)

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
        if isinstance(answer, str) or not hasattr(answer, "__iter__"):
            return _reply("set")
        return _reply("right", "right") if set(map(str, answer)) == right else _reply("value")
    rights = right if isinstance(right, tuple) else (right,)
    answers = tuple(answer) if isinstance(answer, (tuple, list, np.ndarray)) else (answer,)
    if len(answers) != len(rights):
        return _reply("count", expected=len(rights), found=len(answers))
    same = [_same(one, other, digits) for one, other in zip(answers, rights, strict=True)]
    if all(same):
        return _reply("right", "right")
    return (
        _reply("value")
        if len(same) == 1
        else _reply("values", places=", ".join(str(i + 1) for i, ok in enumerate(same) if not ok))
    )


def _same(answer, right, digits):
    if isinstance(right, str) or isinstance(answer, str):
        return isinstance(answer, str) and isinstance(right, str) and answer.strip().lower() == right.lower()
    try:
        return math.isclose(float(answer), right, rel_tol=10.0**-digits, abs_tol=0.0)
    except (TypeError, ValueError, OverflowError):
        return False


def check_formula(answer, lines, wrt, at, output=None):
    """A derivative as a formula, as text or a SymPy expression in the names of the trace; drawn at fresh numbers."""
    graph = Graph(lines)
    output = output or graph.output
    if not isinstance(answer, (str, sp.Expr)):
        if isinstance(answer, (int, float)) and abs(answer) < 1e300:
            return _reply(
                "number-here" if _agrees(lambda trace: float(answer), graph, wrt, at, output) else "number",
                of=output,
                wrt=wrt,
            )
        return _reply("formula-type", found=type(answer).__name__)
    try:
        given = Graph(answer=answer)
    except (ValueError, TypeError) as error:
        return _reply("unreadable", error=str(error).partition("cannot be read: ")[2] or str(error))
    trace = graph.forward(**at)
    unknown = [name for name in given.inputs if name not in trace]
    if unknown:
        return _reply("names", found=", ".join(unknown), known=", ".join(trace))

    def value(trace):
        return given.forward(**{name: trace[name] for name in given.inputs})["answer"]

    here, fresh = (
        _agrees(value, graph, wrt, at, output),
        [_agrees(value, graph, wrt, numbers, output) for numbers in _fresh(graph, at)],
    )
    if all(fresh):
        return _reply("right", "right")
    if here:
        return _reply("only-here", of=output, wrt=wrt)
    found = diagnose(
        lambda **numbers: {wrt: value(graph.forward(**numbers))}, graph, at=next(iter(_fresh(graph, at))), output=output
    )
    return Reply("wrong", found.explanation) if found.term is not None else _reply("formula", of=output, wrt=wrt)


def _agrees(value, graph, wrt, at, output):
    check = diagnose({wrt: value(graph.forward(**at))}, graph, at=at, output=output)
    return check.mistake == "none"


def _fresh(graph, at):
    """Other numbers near the page's, at which the graph can be computed."""
    rng, found = np.random.default_rng(7), []
    for _ in range(200):
        numbers = {
            name: (value or 1.0) * rng.uniform(0.6, 1.4) + rng.uniform(-0.1, 0.1) * (value == 0)
            for name, value in at.items()
        }
        try:
            graph.terms(graph.forward(**numbers))
        except ValueError:
            continue
        found.append(numbers)
        if len(found) == 5:
            return found
    raise ValueError("exercise: the graph cannot be computed near the numbers given")


def check_graph_function(answer, lines, wrt, at):
    """A function of the graph's inputs that returns its derivatives by the names `wrt`."""
    graph = Graph(lines)
    if not callable(answer):
        return _reply("function", found=type(answer).__name__)
    for numbers in [at, *_fresh(graph, at)]:
        claimed = claims.call(lambda given: answer(**given), (numbers,), "exercise")
        if claimed is None or claimed is ...:
            return _reply("waiting", "waiting")
        if isinstance(claimed, dict) and set(wrt) - set(claimed):
            return _reply("missing", names=", ".join(sorted(set(wrt) - set(claimed))))
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
    claimed = claims.call(answer, (net.parameters, X, Y), "exercise")
    if claimed is None or claimed is ...:
        return _reply("waiting", "waiting")
    if isinstance(claimed, dict) and set(net.parameters) - set(claimed):
        return _reply("missing", names=", ".join(sorted(set(net.parameters) - set(claimed))))
    found = diagnose(answer, net, X, Y)
    if found.mistake == mistake:
        return _reply("right", "right")
    return _reply("too-right") if found.mistake == "none" else Reply("wrong", _said(found))


def _said(found):
    named = f"{found.mistake}: " if found.mistake != "unknown" else ""
    return named + found.explanation


def check_function(answer, right, draw):
    """A plain function of numbers or arrays, against `right` on fresh draws."""
    if not callable(answer):
        return _reply("function", found=type(answer).__name__)
    for seed in range(5):
        arguments = draw(np.random.default_rng([seed, 7]))
        value, expected = claims.call(answer, arguments, "exercise"), np.asarray(right(*arguments))
        if value is None or value is ...:
            return _reply("waiting", "waiting")
        value = claims.real_array("result", value, "exercise")
        if value.shape != expected.shape:
            return _reply("shape", found=value.shape, expected=expected.shape)
        if not np.abs(value - expected).max() <= CLOSE * np.abs(expected).max():
            return _reply("value")
    return _reply("right", "right")


CHECKS = {
    "value": check_value, "formula": check_formula, "graph function": check_graph_function,
    "gradient function": check_gradient_function, "function": check_function,
}  # fmt: skip
