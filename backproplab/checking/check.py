"""Is this gradient right? A claim is read or called, and judged beside a witness."""

from dataclasses import replace

import numpy as np

from ..models.batch import are_labels
from ..models.graph import Graph
from ..models.network import Network
from ..terms import backpropagate
from . import claims
from .margins import graph_margins, network_margins
from .programs import check_program
from .verdicts import AGREE, DOUBT, REASONS, judge
from .witnesses import WITNESSES, graph_case, network_case

# Up to which relative error an accusation of a graph must be confirmed in 50 digits: differences may be anywhere off.
NEAR = {"complex step": 1e-3, "central differences": np.inf, "50 digits": 0.0}


def check_gradient(
    model, X=None, Y=None, *, at=None, claimed=None, output=None, witness="complex step", time_limit=claims.TIME_LIMIT
):
    """Compare a gradient of a graph (at numbers `at`), of a network (on rows X, Y) or of any program with a witness that knows no chain rule.

    A program is a function of a dict of arrays, `at`, that returns a number: the loss. `claimed` holds numbers or arrays by
    name, for any quantities of the trace, or of `at`; or is a function that returns such a dict, of (parameters, X, Y), for a
    graph of its inputs by name, for a program of its dict; left out, it is the package's own gradient by every input or
    parameter, and for a program nothing: the verdict is "undecided", the table shows the numerical gradient and its doubts.
    `witness` is "complex step", "central differences" or "50 digits"; `output` is a graph's last line unless named. Where a
    graph's claim is nearly right, or differences accuse it, "disagree" is said only after 50 digits have confirmed it. Where
    the complex step does not pass through a program, differences are taken, and it never accuses without them.
    Returns a `GradientCheck`. ValueError, TypeError: a claim that is no gradient of this model (unknown name, shape, NaN,
    nothing at all), a function that raises, changes its inputs or takes longer than `time_limit` seconds, and as `forward`.
    """
    if not isinstance(witness, str) or witness not in WITNESSES:
        raise ValueError(f"check_gradient: witness must be one of {', '.join(WITNESSES)}, found {witness!r:.40}")
    if callable(model) and not isinstance(model, (Graph, Network)):
        if X is not None or Y is not None or output is not None:
            raise TypeError(
                "check_gradient: of a function only the numbers are given, as at={'W1': ...}; it holds its X and Y itself"
            )
        return check_program(model, at, claimed, witness, time_limit)
    if is_network(model, X, Y, at, output, "check_gradient"):
        return _check_network(model, X, Y, claimed, witness, time_limit)
    return check_graph(model, at, claimed, output, witness, time_limit)


def is_network(model, X, Y, at, output, caller, hint=""):
    """Whether the model is a network, with rows X and Y, or a graph, with numbers `at`. TypeError: neither, or not its numbers."""
    if isinstance(model, Network):
        if at is not None or output is not None or X is None or Y is None:
            raise TypeError(
                f"{caller}: for a Network give X and Y, the rows of the gradient (at and output are for graphs)"
            )
        return True
    if not isinstance(model, Graph):
        raise TypeError(f"{caller}: expected a Network or a Graph, found {type(model).__name__}{hint}")
    if X is not None or Y is not None:
        raise TypeError(f"{caller}: X and Y are for networks; a graph's numbers are given as at={{'x': 1.5, ...}}")
    return False


def check_graph(graph, at, claimed, output, witness, time_limit, caller="check_gradient"):
    """`check_gradient` of a graph; errors name the `caller`."""
    at, output = {} if at is None else at, graph.checked_output(output, caller)
    if not isinstance(at, dict):
        raise TypeError(f"{caller}: at must be a dict of numbers by name, found {type(at).__name__}")
    trace = graph.forward(**at)
    if np.ndim(trace[graph.output]):
        raise ValueError(f"{caller}: at must hold one number for each input, found arrays")
    terms = graph.terms(trace)
    gradient, structure = graph_gradient(trace, terms, output), {}
    if claimed is None:
        claimed = {name: gradient[name] for name in graph.inputs}
    if callable(claimed):
        claimed, again = (claimed_at(claimed, graph, trace, time_limit, caller) for _ in range(2))
        structure = dict.fromkeys(claims.unlike(claimed, again), "same answer twice")
    claimed = claims.read_fitting(claimed, dict.fromkeys(trace, ()), caller)
    margins, case = graph_margins(graph, trace, terms, output), graph_case(graph, trace, output)
    check = judge(claimed, case, witness, margins, gradient, structure)
    accused = {name for name, verdict in check.verdicts.items() if verdict == "disagree"}
    near = {name for name in accused if check.errors[name] < NEAR[witness]}
    return _confirmed(check, near - structure.keys(), claimed, case, margins, gradient)


def _confirmed(check, near, claimed, case, margins, gradient):
    """The check after its accusations of the names `near` agreement were confirmed in 50 digits, or taken back."""
    for name in near:
        try:
            exact = judge({name: claimed[name]}, case, "50 digits", margins, gradient, {})
        except (ValueError, TypeError, ArithmeticError):  # where there are no 50 digits nothing confirms it
            verdict, reason, parts = "undecided", REASONS["rounding"], check
        else:
            verdict, reason, parts = exact.verdict, exact.reasons.get(name), exact
        if verdict != "disagree":
            check = replace(
                check,
                verdicts=check.verdicts | {name: verdict},
                reasons=check.reasons | ({name: reason} if reason else {}),
                witness=check.witness | {name: parts.witness[name]},
                entries=check.entries | {name: parts.entries[name]},
            )
    return check


def graph_gradient(trace, terms, output):
    """The gradient by every name of the trace, from the loss down; also of a constant line, which has no terms."""
    gradient = backpropagate(terms, output) if any(term.of == output for term in terms) else {output: 1.0}
    return gradient | {name: 0.0 for name in trace if name not in gradient}


def claimed_at(function, graph, trace, time_limit, caller):
    """What a function of a graph's inputs claims."""
    inputs = {name: trace[name] for name in graph.inputs}
    found = claims.call(function, inputs, caller, time_limit)
    return claims.read_fitting(found, dict.fromkeys(trace, ()), caller)


def _check_network(network, X, Y, claimed, witness, time_limit):
    parameters, network, structure = network.parameters, network.in_double(), {}
    trace = network.forward(X, Y)
    terms = network.terms(trace)
    gradient = backpropagate(terms, "L")
    if claimed is None:
        claimed = {name: gradient[name] for name in network.parameters}
    elif callable(claimed):
        given = parameters, np.asarray(X), np.asarray(Y)
        claimed, structure = _call(claimed, given, network, trace, time_limit)
    claimed = claims.read_fitting(
        claimed, {name: np.shape(value) for name, value in gradient.items()}, "check_gradient"
    )
    claimed = claims.as_computed(claimed, parameters.values())
    margins = network_margins(network, trace, terms, claims.unit_of(claimed))
    return judge(claimed, network_case(network, trace), witness, margins, gradient, structure)


# --- tests of structure -----------------------------------------------------------------------------------------------


def _call(function, given, network, trace, time_limit):
    """The claim of a function, and which names fail in structure: another answer at the second call, something from nothing."""
    shapes = {name: np.shape(value) for name, value in trace.items()}

    def claim_at(Y):
        claimed = claims.call(function, (*given[:2], Y), "check_gradient", time_limit)
        return claims.as_computed(
            claims.read_fitting(claimed, shapes, "check_gradient"), (*given[0].values(), *given[1:])
        )

    first, second = claim_at(given[2]), claim_at(given[2])
    structure = dict.fromkeys(claims.unlike(first, second), "same answer twice")
    if not structure:
        others, test = _other_targets(network, trace, given[2])
        structure = dict.fromkeys(_not_following(network, claim_at(others), first, trace["X"], others), test)
    return first, structure


def _other_targets(network, trace, Y):
    """Targets at which the right gradient is another, in the form of Y, and the test that they are for; 0 where they are Y = A."""
    if are_labels(Y, len(trace["X"]), network.sizes[-1], network.loss_row):
        return (Y + 1) % network.sizes[-1], "other targets"
    return trace[f"A{network.depth}"].reshape(Y.shape).astype(
        Y.dtype if Y.dtype.kind == "f" else float
    ), "zero upstream"


def _not_following(network, claimed, before, X, Y):
    """The names whose claim is not the gradient at these targets, well past rounding, also that of the claim `before`."""
    trace = network.forward(X, Y)
    terms = network.terms(trace)
    right, margins = backpropagate(terms, "L"), network_margins(network, trace, terms, claims.unit_of(claimed))
    for name, value in claimed.items():
        size = max(np.abs(array).max() for array in (right[name], before.get(name, 0.0)))
        margin = margins.of(name, value.shape)
        allowed = margin.rounding + margin.kinks + DOUBT * AGREE[value.dtype.type] * size
        if np.any(np.abs(value - right[name]) > allowed):
            yield name
